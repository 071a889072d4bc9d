//! No secret shows in what is printed, told or logged, and none is sent to another host than the one it is for.
//!
//! A program of its own: what is logged must be read from the whole process.

#![cfg(unix)] // What runs is `/bin/sh`.

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::Request;
    use axum::http::header::{CONTENT_TYPE, LOCATION};
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::IntoResponse;
    use pilothouse_core::ports::{MetricsSource, TraceSource};
    use pilothouse_telemetry::{
        Credentials, JaegerSource, Options, Place, PrometheusSource, Secret, TokenCommand,
        TraceKind, open_traces, survey_traces,
    };
    use tokio::net::TcpListener;

    const CANARY: &str = "canary-7f3a";

    /// The same in Base64, after `anna:`.
    const CANARY_OF_ANNA: &str = "YW5uYTpjYW5h";

    /// Headers that arrived at one server.
    type Arrived = Arc<Mutex<Vec<HeaderMap>>>;

    /// A server on loopback that answers by the first segment of the path.
    async fn serve(elsewhere: &str) -> (String, Arrived) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arrived::default();
        let (log, elsewhere) = (Arc::clone(&arrived), format!("{elsewhere}/login"));
        let app = Router::new().fallback(move |request: Request| {
            log.lock().unwrap().push(request.headers().clone());
            let first = request.uri().path().split('/').nth(1).map(str::to_owned);
            let elsewhere = elsewhere.clone();
            async move {
                match first.as_deref() {
                    Some("refused") => StatusCode::UNAUTHORIZED.into_response(),
                    Some("page") => ([(CONTENT_TYPE, "text/html")], "<html>").into_response(),
                    Some("away") => {
                        (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, elsewhere)]).into_response()
                    }
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, "broken").into_response(),
                }
            }
        });
        drop(tokio::spawn(
            async move { axum::serve(listener, app).await },
        ));
        (url, arrived)
    }

    /// All that is logged, at any level.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn all_credentials(token_file: &std::path::Path) -> Vec<Credentials> {
        std::fs::write(token_file, CANARY).unwrap();
        let sh =
            |text: String| Credentials::BearerCommand(TokenCommand::new("/bin/sh", ["-c", &text]));
        vec![
            Credentials::None,
            Credentials::Bearer(Secret::new(CANARY)),
            Credentials::BearerFile(token_file.to_owned()),
            sh(format!("echo {CANARY}")),
            sh(format!("echo {CANARY} >&2; echo {CANARY}; exit 1")),
            Credentials::Basic {
                user: "anna".to_owned(),
                password: Secret::new(CANARY),
            },
        ]
    }

    #[tokio::test]
    async fn a_canary_is_found_in_what_is_sent_and_nowhere_else() {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .init();
        let folder = tempfile::tempdir().unwrap();
        let (stranger, strayed) = serve("").await;
        let (url, arrived) = serve(&stranger).await;
        let mut shown = String::new();
        for credentials in all_credentials(&folder.path().join("token")) {
            let options = Options {
                credentials,
                headers: vec![("X-Scope-OrgID".to_owned(), Secret::new(CANARY))],
                ..Options::default()
            };
            for path in ["refused", "page", "away", "broken"] {
                let url = format!("{url}/{path}");
                let metrics = PrometheusSource::new(&url, options.clone()).unwrap();
                let error = metrics.probe().await.unwrap_err();
                shown += &format!("{options:?} {metrics:?} {error:?} {error}");
                let traces = JaegerSource::new(&url, options.clone()).unwrap();
                let error = traces.services().await.unwrap_err();
                shown += &format!("{traces:?} {error:?} {error}");
                let place = Place::Address(url);
                for kind in [TraceKind::Tempo, TraceKind::Zipkin] {
                    let traces = open_traces(Some(kind), place.clone(), options.clone()).unwrap();
                    let error = traces.probe().await.unwrap_err();
                    shown += &format!("{error:?} {error}");
                }
                let error = survey_traces(place, options.clone(), None)
                    .await
                    .unwrap_err();
                shown += &format!("{error:?} {error}");
            }
        }
        let with_user = url.replace("http://", &format!("http://anna:{CANARY}@"));
        let traces = JaegerSource::new(&with_user, Options::default()).unwrap();
        let error = traces.services().await.unwrap_err();
        shown += &format!("{traces:?} {error:?} {error}");

        assert_eq!(
            strayed.lock().unwrap().len(),
            0,
            "it was sent to a stranger"
        );
        let arrived = format!("{:?}", arrived.lock().unwrap());
        assert!(arrived.contains(&format!("Bearer {CANARY}")), "{arrived}");
        assert!(arrived.contains(CANARY_OF_ANNA), "{arrived}");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("running the command"), "the log is read");
        for text in [shown, log] {
            for secret in [CANARY, CANARY_OF_ANNA] {
                let found = text.find(secret);
                let around = found.and_then(|at| text.get(at.saturating_sub(200)..at));
                assert_eq!(found, None, "{around:?}");
            }
        }
    }
}
