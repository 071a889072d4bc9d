//! The one HTTP client: GET and form POST with a deadline, a size cap, credentials that never show, and failures in the
//! words of `pilothouse_core::model`.
//!
//! Owns everything that is the same for each backend: the base address ([`address`]), the bytes of an answer and what
//! its status and its look mean ([`Answer`]), and the hints ([`failure`]). Does not know any backend's JSON, does not
//! retry (the engine does) and does not use the system's proxy settings.

mod address;
mod answer;
mod failure;
mod way;

use std::fmt;
use std::sync::Once;
use std::time::Duration;

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use reqwest::header::{HeaderValue, LOCATION};
use reqwest::{Method, Url};
use tokio::sync::Semaphore;

pub(crate) use address::{BaseAddress, after_userinfo};
pub(crate) use answer::{Answer, offload};

use crate::options::Options;
use crate::place::Place;
use failure::Target;
use way::Lent;

/// Redirects followed before giving up.
const MAX_HOPS: usize = 5;

/// A backend's name in messages and what kind of source it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pub(crate) source: SourceKind,
    pub(crate) product: &'static str,
}

/// What goes with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameters<'a> {
    /// GET, in the query string.
    Query(&'a [(&'a str, String)]),
    /// POST, as a form: no limit on the length, nothing in the server's access log.
    Form(&'a [(&'a str, String)]),
}

/// How requests travel.
enum Road {
    Direct {
        http: reqwest::Client,
        base: BaseAddress,
    },
    Lent(Lent),
}

/// A client for one backend at one place.
pub(crate) struct Client {
    road: Road,
    bearer: Option<HeaderValue>,
    backend: Backend,
    deadline: Duration,
    max_body_bytes: usize,
    slots: Semaphore,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with at most `in_flight` requests at a time. Opens no connection.
    ///
    /// # Errors
    /// `NotConfigured` and `BadConfiguration` about the place and the credentials.
    pub(crate) fn at(
        backend: Backend,
        place: Place,
        options: &Options,
        in_flight: usize,
    ) -> Result<Self, SourceError> {
        match place {
            Place::Address(url) => Self::new(backend, &url, options, in_flight),
            Place::Way { way, base_path } => {
                let lent = Lent::new(backend, way, &base_path)?;
                let bearer = bearer(backend, lent.shown(), false, options)?;
                Ok(Self::on(
                    Road::Lent(lent),
                    bearer,
                    backend,
                    options,
                    in_flight,
                ))
            }
        }
    }

    /// A client of an address with at most `in_flight` requests at a time. Opens no connection.
    ///
    /// # Errors
    /// `NotConfigured` and `BadConfiguration` about the address and the credentials.
    pub(crate) fn new(
        backend: Backend,
        url: &str,
        options: &Options,
        in_flight: usize,
    ) -> Result<Self, SourceError> {
        let base = BaseAddress::parse(url, backend)?;
        let bearer = bearer(backend, base.shown(), base.has_credentials(), options)?;
        install_crypto();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("pilothouse/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .gzip(true);
        if !base.is_https() {
            // Plain HTTP must work on a machine without any CA certificates, and need not read them.
            builder = builder.tls_certs_only(std::iter::empty());
        }
        let http = builder.build().map_err(|error| {
            SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!(
                    "preparing TLS for {}: {}",
                    base.shown(),
                    failure::root_cause(&error)
                ),
            )
            .with_hint("check that this machine has CA certificates (package ca-certificates)")
        })?;
        let road = Road::Direct { http, base };
        Ok(Self::on(road, bearer, backend, options, in_flight))
    }

    fn on(
        road: Road,
        bearer: Option<HeaderValue>,
        backend: Backend,
        options: &Options,
        in_flight: usize,
    ) -> Self {
        Self {
            road,
            bearer,
            backend,
            deadline: options.deadline,
            max_body_bytes: options.max_body_bytes,
            slots: Semaphore::new(in_flight.max(1)),
        }
    }

    /// The address without credentials, or the way.
    pub(crate) fn address(&self) -> &str {
        match &self.road {
            Road::Direct { base, .. } => base.shown(),
            Road::Lent(lent) => lent.shown(),
        }
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// GET of a path below the base address; segments are escaped here.
    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Answer, SourceError> {
        self.call(path, Parameters::Query(query)).await
    }

    /// POST of a form to a path below the base address.
    pub(crate) async fn post_form(
        &self,
        path: &[&str],
        form: &[(&str, String)],
    ) -> Result<Answer, SourceError> {
        self.call(path, Parameters::Form(form)).await
    }

    /// Any answer, whatever its status, is `Ok`: [`Answer`] tells what it means.
    async fn call(&self, path: &[&str], parameters: Parameters<'_>) -> Result<Answer, SourceError> {
        let target = match &self.road {
            Road::Direct { base, .. } => {
                Target::new(self.backend, &base.join(path), self.has_credentials())
            }
            Road::Lent(lent) => lent.target(self.backend, path, self.has_credentials()),
        };
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(target.closed());
        };
        let exchange = async {
            match &self.road {
                Road::Direct { http, base } => {
                    self.exchange(http, base, base.join(path), parameters, &target)
                        .await
                }
                Road::Lent(lent) => {
                    let bearer = self.bearer.as_ref();
                    lent.exchange(path, parameters, bearer, self.max_body_bytes, &target)
                        .await
                }
            }
        };
        tokio::time::timeout(self.deadline, exchange)
            .await
            .unwrap_or_else(|_| Err(target.timed_out(self.deadline)))
    }

    async fn exchange(
        &self,
        http: &reqwest::Client,
        base: &BaseAddress,
        mut url: Url,
        parameters: Parameters<'_>,
        target: &Target,
    ) -> Result<Answer, SourceError> {
        let method = match parameters {
            Parameters::Query(query) => {
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                Method::GET
            }
            Parameters::Form(_) => Method::POST,
        };
        for _ in 0..=MAX_HOPS {
            let mut request = http.request(method.clone(), url.clone());
            if let Parameters::Form(form) = parameters {
                request = request.form(form);
            }
            if let Some(bearer) = &self.bearer {
                request = request.header(reqwest::header::AUTHORIZATION, bearer.clone());
            }
            let response = request.send().await.map_err(|e| target.not_sent(&e))?;
            let status = response.status();
            if !status.is_redirection() {
                return self.read(response, target).await;
            }
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|text| url.join(text).ok());
            // Only 307 and 308 ask for the same method again; the older ones turn a form into a bare GET.
            let repeatable = method == Method::GET || matches!(status.as_u16(), 307 | 308);
            match location {
                Some(next) if repeatable && base.same_origin(&next) => {
                    url = base.with_credentials(next);
                }
                next => return Err(target.redirected(status.as_u16(), next.as_ref())),
            }
        }
        Err(target.redirected_too_often())
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        target: &Target,
    ) -> Result<Answer, SourceError> {
        let status = response.status().as_u16();
        let content_type = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let mut body = Vec::new();
        // Chunks come out of the decompressor: a small compressed body cannot become an endless one.
        while let Some(chunk) = response.chunk().await.map_err(|e| target.broke_off(&e))? {
            if body.len().saturating_add(chunk.len()) > self.max_body_bytes {
                return Err(target.too_large(self.max_body_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(target.clone(), status, content_type, body))
    }

    fn has_credentials(&self) -> bool {
        self.bearer.is_some()
            || matches!(&self.road, Road::Direct { base, .. } if base.has_credentials())
    }
}

/// The `Authorization` header of a token, if there is one.
fn bearer(
    backend: Backend,
    shown: &str,
    has_user: bool,
    options: &Options,
) -> Result<Option<HeaderValue>, SourceError> {
    let Some(secret) = &options.bearer else {
        return Ok(None);
    };
    let wrong = |what: &str, hint: &str| {
        SourceError::new(
            backend.source,
            SourceErrorKind::BadConfiguration,
            format!("credentials for {} at {shown}: {what}", backend.product),
        )
        .with_hint(hint)
    };
    if has_user {
        return Err(wrong(
            "both a token and a user in the address are given",
            "take one of the two away",
        ));
    }
    let mut header =
        HeaderValue::from_str(&format!("Bearer {}", secret.expose())).map_err(|_| {
            wrong(
                "the token holds characters that a header cannot carry",
                "check that the token was copied whole and without line breaks",
            )
        })?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Names ring as the process's TLS provider. An earlier choice, by us or by the program, stays.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("a TLS provider was already installed");
        }
    });
}

#[cfg(test)]
mod tests;
