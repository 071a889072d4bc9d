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
    let (words, hint) = unreachable(&root);
    failed(
        SourceErrorKind::Unreachable,
        format!("no connection: {words}"),
    )
    .with_hint(hint)
}

/// The root cause in words of the field, and what to do about it.
fn unreachable(root: &str) -> (String, &'static str) {
    let has = |part: &str| root.contains(part);
    let replaced = "the cluster may have been replaced by one with another authority, or something stands in between: \
                    get the kubeconfig anew, or correct certificate-authority in this context";
    if has("UnknownIssuer") {
        return (
            "the server's certificate is signed by unknown authority (UnknownIssuer)".to_owned(),
            replaced,
        );
    }
    if has("BadSignature") {
        return (
            format!("the server's certificate does not fit: {root}"),
            replaced,
        );
    }
    if has("CaUsedAsEndEntity") {
        return (
            "the server shows the certificate of an authority as its own (CaUsedAsEndEntity)"
                .to_owned(),
            "kubectl takes such a certificate, this program does not; give the server one that is no authority \
             (basicConstraints CA:FALSE)",
        );
    }
    if has("InvalidContentType") {
        return (
            "the server does not speak TLS: first record does not look like a TLS handshake"
                .to_owned(),
            "check the port of the server address; a server without TLS begins with http://",
        );
    }
    let hint = if has("certificate") {
        "the server's certificate does not fit the certificate-authority or the address of this context"
    } else if has("dns") || has("lookup") || has("resolve") {
        "check the server address of this context, the network and the VPN"
    } else if has("refused") {
        "did you specify the right host or port? check that the cluster runs, the network and the VPN"
    } else {
        "check that the cluster runs, the network and the VPN"
    };
    (root.to_owned(), hint)
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

#[cfg(test)]
mod tests {
    use super::unreachable;

    #[test]
    fn a_broken_connection_says_what_to_do() {
        let cases = [
            (
                "invalid peer certificate: UnknownIssuer",
                "unknown authority",
                "replaced",
            ),
            (
                "invalid peer certificate: BadSignature",
                "BadSignature",
                "replaced",
            ),
            (
                "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
                "authority as its own",
                "basicConstraints",
            ),
            (
                "received corrupt message of type InvalidContentType",
                "does not speak TLS",
                "http://",
            ),
            (
                "invalid peer certificate: certificate expired",
                "expired",
                "certificate",
            ),
            (
                "failed to lookup address information: Name or service not known",
                "Name or service not known",
                "VPN",
            ),
            (
                "Connection refused (os error 111)",
                "refused",
                "right host or port",
            ),
            ("Connection reset by peer", "reset", "cluster runs"),
        ];
        for (root, words, hint) in cases {
            let (found, advice) = unreachable(root);
            assert!(found.contains(words), "{found}");
            assert!(advice.contains(hint), "{advice}");
        }
    }
}
