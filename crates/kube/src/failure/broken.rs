//! Failures without an answer: connection, TLS, deadline, credentials that cannot be read.

use std::error::Error;
use std::io;

use pilothouse_core::model::{SourceError, SourceErrorKind};

use super::{CallError, Refusal, failed};

/// How far we follow the causes of an error.
const MAX_DEPTH: usize = 16;

/// What an error of the client is.
pub(crate) fn call_error(error: &(dyn Error + 'static)) -> CallError {
    let causes = causes(error);
    for cause in &causes {
        if let Some(ours) = cause.downcast_ref::<CallError>() {
            return ours.clone();
        }
    }
    let broken = broken(&causes);
    // hyper-util names the phase in its text only.
    let connecting = causes.iter().any(|c| c.to_string().contains("(Connect)"));
    if connecting || broken.kind == SourceErrorKind::BadConfiguration {
        CallError::Unsent(broken)
    } else {
        CallError::Lost(broken)
    }
}

/// Never quotes headers, bodies or credentials: only the root cause's text.
fn broken(causes: &[&(dyn Error + 'static)]) -> SourceError {
    for cause in causes {
        if cause.is::<kube::client::AuthError>() {
            return failed(SourceErrorKind::BadConfiguration, cause.to_string())
                .with_hint("check the user entry of this context");
        }
        if cause.is::<serde_json::Error>() {
            return failed(
                SourceErrorKind::BadAnswer,
                format!("unreadable answer: {cause}"),
            );
        }
    }
    let root = causes.last().map_or_else(String::new, ToString::to_string);
    if causes.iter().any(|cause| is_timeout(*cause)) {
        return timed_out(&root);
    }
    let hint = if root.contains("certificate") {
        "the server's certificate does not fit the certificate-authority of this context"
    } else if root.contains("dns") || root.contains("lookup") || root.contains("resolve") {
        "check the server address of this context, the network and the VPN"
    } else {
        "check that the cluster runs, the network and the VPN"
    };
    failed(
        SourceErrorKind::Unreachable,
        format!("no connection: {root}"),
    )
    .with_hint(hint)
}

/// The deadline passed.
pub(crate) fn timed_out(what: &str) -> SourceError {
    failed(
        SourceErrorKind::TimedOut,
        format!("no answer in time: {what}"),
    )
    .with_hint("check the network, the VPN and the load of the API server")
}

/// What an error of the watcher's client is. Refusals that our own service made come back out of it unchanged.
pub(crate) fn client_error(error: &kube::Error) -> CallError {
    if let kube::Error::Api(status) = error {
        return CallError::Refused(Refusal::from_status(status));
    }
    call_error(error)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut next = error.source();
    while let Some(cause) = next
        && causes.len() < MAX_DEPTH
    {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
}
