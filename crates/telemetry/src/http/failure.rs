//! Failures of a call in the operator's words: what was asked, what went wrong, what to do.

use std::error::Error;
use std::io;
use std::time::Duration;

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::HttpReply;
use reqwest::Url;
use rustls::AlertDescription;

use super::Backend;

/// What is being asked: knows how to name it without credentials.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(super) source: SourceKind,
    product: &'static str,
    /// Address or way with path, without user, password and query.
    at: String,
    pub(super) has_credentials: bool,
}

impl Target {
    pub(super) fn new(backend: Backend, url: &Url, has_credentials: bool) -> Self {
        Self::named(backend, bare(url), has_credentials)
    }

    /// `at` names what is asked; it holds no credentials.
    pub(super) const fn named(backend: Backend, at: String, has_credentials: bool) -> Self {
        Self {
            source: backend.source,
            product: backend.product,
            at,
            has_credentials,
        }
    }

    /// `asking Prometheus at http://host/api/v1/query`.
    fn asking(&self) -> String {
        format!("asking {} at {}", self.product, self.at)
    }

    /// A failure of this call: `asking Prometheus at http://host/api/v1/query: …`.
    pub(crate) fn fail(&self, kind: SourceErrorKind, what: &str) -> SourceError {
        let message = format!("{}: {what}", self.asking());
        SourceError::new(self.source, kind, message)
    }

    /// The way did not pass the question on; `None` if the server answered.
    pub(super) fn refusal(&self, reply: &HttpReply) -> Option<SourceError> {
        reply.refusal(self.source, &self.asking())
    }

    pub(super) fn closed(&self) -> SourceError {
        self.fail(SourceErrorKind::Unreachable, "the client is closed")
    }

    pub(super) fn timed_out(&self, deadline: Duration) -> SourceError {
        self.fail(
            SourceErrorKind::TimedOut,
            &format!("no complete answer within {} s", deadline.as_secs_f64()),
        )
        .with_hint(
            "the server is overloaded or the question too big: choose fewer namespaces, or allow more time",
        )
    }

    pub(super) fn too_large(&self, cap: usize) -> SourceError {
        self.fail(
            SourceErrorKind::TooLarge,
            &format!("the answer is larger than the {cap} bytes that are read"),
        )
        .with_hint("ask for less: fewer namespaces, a shorter interval, a lower limit")
    }

    /// The request got no answer.
    pub(super) fn not_sent(&self, error: &reqwest::Error) -> SourceError {
        if error.is_timeout() {
            return self
                .fail(SourceErrorKind::TimedOut, &root_cause(error))
                .with_hint("check the address and whether a firewall drops the connection");
        }
        let hint = connect_hint(error, &self.at);
        self.fail(SourceErrorKind::Unreachable, &root_cause(error))
            .with_hint(hint)
    }

    /// The answer began and did not end well.
    pub(super) fn broke_off(&self, error: &reqwest::Error) -> SourceError {
        self.fail(
            SourceErrorKind::BadAnswer,
            &format!("the answer broke off: {}", root_cause(error)),
        )
        .with_hint(
            "a proxy in between may cut long answers; if it happens again, look into its log",
        )
    }

    pub(super) fn redirected(&self, status: u16, to: Option<&Url>) -> SourceError {
        let what = to.map_or_else(
            || format!("HTTP {status} without an address to go to"),
            |url| format!("HTTP {status}, redirected to {}", bare(url)),
        );
        self.fail(SourceErrorKind::BadAnswer, &what).with_hint(
            "if that is a login page, use an address behind it (port-forward) or give a token; otherwise use the \
             address it redirects to",
        )
    }

    /// What comes through a way does not say where to.
    pub(super) fn redirected_on_a_way(&self, status: u16) -> SourceError {
        self.fail(
            SourceErrorKind::BadAnswer,
            &format!("HTTP {status}, redirected to somewhere else"),
        )
        .with_hint(
            "if a login page stands before it, give a token; otherwise set the base path (for example /prometheus)",
        )
    }

    pub(super) fn redirected_too_often(&self) -> SourceError {
        self.fail(SourceErrorKind::BadAnswer, "redirected in a circle")
            .with_hint("check the address and its base path")
    }
}

/// A URL without user, password, query and fragment.
fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return format!("{}:…", url.scheme());
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// The innermost cause: the outer ones of reqwest and hyper repeat each other and name the URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&dyn Error> = None;
    let mut next = error.source();
    while let Some(source) = next {
        innermost = Some(source);
        next = source.source();
    }
    innermost.map_or_else(
        || "the request could not be made".to_owned(),
        ToString::to_string,
    )
}

fn connect_hint(error: &reqwest::Error, at: &str) -> String {
    if let Some(tls) = find_cause::<rustls::Error>(error) {
        return if matches!(tls, rustls::Error::InvalidMessage(_)) {
            "the server does not speak TLS here: try http:// instead of https://".to_owned()
        } else if matches!(tls, rustls::Error::InvalidCertificate(_)) {
            "this machine does not trust the server's certificate: give its CA as a PEM file or add it to the system's \
             trust store, and use a host name that the certificate names"
                .to_owned()
        } else if matches!(
            tls,
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired)
        ) {
            "the server wants a client certificate: give its PEM file and that of its key"
                .to_owned()
        } else {
            "TLS failed: check the server's certificate and that it offers TLS 1.2 or 1.3"
                .to_owned()
        };
    }
    if error.is_dns() {
        return "the name is unknown on this machine: names of cluster services work only inside the cluster; use \
                kubectl port-forward and its local address"
            .to_owned();
    }
    if find_cause::<io::Error>(error).is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    {
        return format!("nothing listens at {at}: check the port, or start the port-forward again");
    }
    "check the address, and that this machine may reach it".to_owned()
}

/// The first cause of this type. An `io::Error` hides the error that it wraps from the chain (and TLS wraps two of them),
/// so it is opened as well.
fn find_cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(source) = next {
        let mut layer: Option<&(dyn Error + 'static)> = Some(source);
        while let Some(current) = layer {
            if let Some(found) = current.downcast_ref::<T>() {
                return Some(found);
            }
            layer = current
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .map(|inner| inner as &(dyn Error + 'static));
        }
        next = source.source();
    }
    None
}
