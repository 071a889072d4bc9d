//! What it means that a way did not pass a question on: the API server answered itself, and the server that was meant has
//! not heard of it. Told the same by whoever carries questions and by whoever asks them.

use serde::Deserialize;

use super::HttpReply;
use crate::model::{SourceError, SourceErrorKind, SourceKind};

/// The part of a Kubernetes `Status` that people read.
#[derive(Deserialize)]
struct Status {
    message: Option<String>,
}

impl HttpReply {
    /// Why the question was not passed on and what to do, with the API server's own words; `None` if the server that was
    /// meant answered. `source` is what was asked for, `asking` begins the message: `asking Prometheus at …`.
    #[must_use]
    pub fn refusal(&self, source: SourceKind, asking: &str) -> Option<SourceError> {
        if !self.from_the_way {
            return None;
        }
        let words = serde_json::from_slice::<Status>(&self.body)
            .ok()
            .and_then(|status| status.message)
            .filter(|words| !words.is_empty())
            .unwrap_or_else(|| format!("HTTP {}", self.status));
        let (kind, what, hint) = meaning(self.status, &words);
        let message = format!("{asking}: {what}: {words}");
        Some(SourceError::new(source, kind, message).with_hint(hint))
    }
}

fn meaning(status: u16, words: &str) -> (SourceErrorKind, &'static str, &'static str) {
    match status {
        401 => (
            SourceErrorKind::Unauthorized,
            "the API server did not accept the credentials of this context",
            "they are missing or expired: log in to the cluster again",
        ),
        403 => (
            SourceErrorKind::Forbidden,
            "the API server forbids the way to it",
            "ask for a role with get on services/proxy there (and create for questions of more than 6 KiB), or get and create on \
             pods/portforward with get on services and list on endpointslices; or give the server's own address",
        ),
        404 => (
            SourceErrorKind::NotFound,
            "the API server knows no such service or port",
            "check namespace, name and port of the service; one without an Endpoints object (the proxy reads no \
             EndpointSlices) is reached by its own address only",
        ),
        // A 503 with these words is the proxy's dial that failed (`transport.go` of apimachinery).
        502 | 504 => UNREACHED,
        503 if words.contains("error trying to reach service") => UNREACHED,
        503 => (
            SourceErrorKind::Unreachable,
            "the service has no ready endpoint",
            "look whether its pods run and are ready and whether its port fits; endpoints that are no pods of this cluster \
             are reached by the server's own address",
        ),
        _ => (
            SourceErrorKind::ServerError,
            "the API server did not pass the question on",
            "look whether the service is reached from the API server",
        ),
    }
}

const UNREACHED: (SourceErrorKind, &str, &str) = (
    SourceErrorKind::Unreachable,
    "the API server does not reach the pod",
    "check that it listens on this port, network policies, the firewall between API server and pods, and strict mTLS on \
     the port",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> SourceError {
        let reply = HttpReply {
            status,
            body: body.as_bytes().to_vec(),
            from_the_way: true,
            ..HttpReply::default()
        };
        reply
            .refusal(SourceKind::Traces, "asking Tempo at x")
            .unwrap()
    }

    #[test]
    fn a_refusal_says_who_refused_what_and_what_to_do() {
        for (status, kind) in [
            (401, SourceErrorKind::Unauthorized),
            (403, SourceErrorKind::Forbidden),
            (404, SourceErrorKind::NotFound),
            (429, SourceErrorKind::ServerError),
            (500, SourceErrorKind::ServerError),
            (502, SourceErrorKind::Unreachable),
            (503, SourceErrorKind::Unreachable),
            (504, SourceErrorKind::Unreachable),
        ] {
            let error = refused(status, r#"{"kind":"Status","message":"said"}"#);
            assert_eq!((error.kind, error.source_kind), (kind, SourceKind::Traces));
            assert!(
                error.message.starts_with("asking Tempo at x: "),
                "{}",
                error.message
            );
            assert!(error.message.ends_with(": said"), "{}", error.message);
            assert!(!error.hint.is_empty(), "{status}");
        }
        let dial = refused(
            503,
            r#"{"message":"error trying to reach service: dial tcp"}"#,
        );
        assert!(dial.hint.contains("firewall"), "{}", dial.hint);
        for odd in ["", "{}", "<html>", r#"{"message":null}"#] {
            let error = refused(500, odd);
            assert!(error.message.ends_with(": HTTP 500"), "{}", error.message);
        }
    }

    #[test]
    fn an_answer_of_the_server_is_no_refusal() {
        let reply = HttpReply {
            status: 503,
            ..HttpReply::default()
        };
        assert_eq!(reply.refusal(SourceKind::Traces, "x"), None);
    }
}
