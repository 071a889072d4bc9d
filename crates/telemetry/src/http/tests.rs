use pilothouse_core::model::SourceErrorKind;

use super::*;
use crate::options::{Credentials, Secret};
use crate::testing::{Reply, Sim, closed_port, impatient};

const BACKEND: Backend = Backend {
    source: SourceKind::Metrics,
    product: "Prometheus",
};

fn open(url: &str, options: &Options) -> Result<Client, SourceError> {
    Client::at(BACKEND, Place::Address(url.to_owned()), options, 2)
}

fn client(url: &str) -> Client {
    open(url, &Options::default()).unwrap()
}

fn hasty(url: &str) -> Client {
    open(url, &impatient()).unwrap()
}

/// What becomes of an answer: the JSON read as anything, or the failure.
async fn outcome(client: &Client) -> Result<serde_json::Value, SourceError> {
    client.get(&["x"], &[]).await?.json()
}

async fn failure_of(reply: fn() -> Reply) -> (Sim, SourceError) {
    let sim = Sim::start(move |_| reply()).await;
    let error = outcome(&hasty(&sim.url)).await.unwrap_err();
    (sim, error)
}

#[tokio::test]
async fn each_status_has_its_kind_and_says_what_to_do() {
    let cases = [
        (401, SourceErrorKind::Unauthorized, "token"),
        (403, SourceErrorKind::Forbidden, "right"),
        (404, SourceErrorKind::NotFound, "base path"),
        (418, SourceErrorKind::BadAnswer, "another server"),
        (422, SourceErrorKind::ServerError, ""),
        (429, SourceErrorKind::ServerError, "wait"),
        (500, SourceErrorKind::ServerError, "log"),
        (503, SourceErrorKind::ServerError, "not ready"),
        (504, SourceErrorKind::TimedOut, "gave up"),
    ];
    for (status, kind, hint) in cases {
        let text = format!("the server's\nown words {status}");
        let sim = Sim::start(move |_| Reply::Plain(status, "text/plain", text.clone())).await;
        let error = outcome(&client(&sim.url)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{status}");
        assert!(error.hint.contains(hint), "{status}: {}", error.hint);
        let expected = format!(
            "asking Prometheus at {}/x: HTTP {status}: the server's own words {status}",
            sim.url
        );
        assert_eq!(error.message, expected);
    }
}

#[tokio::test]
async fn a_login_page_with_status_200_is_a_bad_answer() {
    let (_sim, error) = failure_of(Reply::html).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(
        error.hint.contains("login page or a wrong URL"),
        "{}",
        error.hint
    );
}

#[tokio::test]
async fn other_text_and_nothing_at_all_are_bad_answers() {
    let (_sim, error) = failure_of(|| Reply::Plain(200, "text/plain", "OK".to_owned())).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(
        error
            .message
            .ends_with("HTTP 200 with text/plain instead of JSON; it begins `OK`")
    );
    let (_sim, error) = failure_of(|| Reply::json("")).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(error.message.contains("empty answer"), "{error}");
}

#[tokio::test]
async fn truncated_json_is_told_apart_from_wrong_json() {
    let (_sim, error) = failure_of(|| Reply::json(r#"{"status":"succ"#)).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(
        error.message.contains("ends in the middle, after 15 bytes"),
        "{error}"
    );
    let (_sim, error) = failure_of(|| Reply::json(r#"{"status":}"#)).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(
        error.message.contains("not what this API answers"),
        "{error}"
    );
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let url = closed_port().await;
    let error = outcome(&client(&url)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(
        error.message.contains(&url) && error.message.contains("refused"),
        "{error}"
    );
    assert!(error.hint.contains("nothing listens"), "{}", error.hint);
}

#[tokio::test]
async fn tls_to_a_plain_server_says_so() {
    let sim = Sim::start(|_| Reply::json("{}")).await;
    let url = sim.url.replace("http://", "https://");
    let error = outcome(&client(&url)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(error.hint.contains("try http://"), "{error:?}");
}

#[tokio::test]
async fn the_deadline_covers_the_head_and_the_body() {
    for reply in [|| Reply::Silent, || Reply::Stalled] {
        let (_sim, error) = failure_of(reply).await;
        assert_eq!(error.kind, SourceErrorKind::TimedOut);
        assert!(error.message.contains("within 0.15 s"), "{error}");
    }
}

#[tokio::test]
async fn an_endless_body_ends() {
    let sim = Sim::start(|_| Reply::Endless).await;
    let options = Options {
        max_body_bytes: 1 << 20,
        ..Options::default()
    };
    let client = open(&sim.url, &options).unwrap();
    let error = outcome(&client).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
    assert!(error.message.contains("1048576 bytes"), "{error}");
}

#[tokio::test]
async fn gzip_is_asked_for_and_read() {
    let sim = Sim::start(|_| Reply::gzip(br#"{"a":1}"#)).await;
    let value = outcome(&client(&sim.url)).await.unwrap();
    assert_eq!(value["a"], 1);
    let accepted = sim
        .last("/x")
        .headers
        .get("accept-encoding")
        .cloned()
        .unwrap();
    assert!(accepted.to_str().unwrap().contains("gzip"));
}

#[tokio::test]
async fn the_cap_counts_bytes_after_decompression() {
    let bomb = vec![b' '; 2 << 20];
    let small = Reply::gzip(&bomb);
    assert!(matches!(&small, Reply::Gzip(bytes) if bytes.len() < 8192));
    let (_sim, error) = failure_of(|| Reply::gzip(&vec![b' '; 2 << 20])).await;
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
}

#[tokio::test]
async fn broken_gzip_is_a_bad_answer() {
    let (_sim, error) = failure_of(|| {
        let Reply::Gzip(mut bytes) = Reply::gzip(&vec![b'x'; 10_000]) else {
            panic!("gzip makes gzip")
        };
        bytes.truncate(bytes.len() / 2);
        Reply::Gzip(bytes)
    })
    .await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(error.message.contains("broke off"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_on_its_origin_only() {
    let stranger = Sim::start(|_| Reply::json("{}")).await;
    let elsewhere = format!("{}/login?state=secret", stranger.url);
    let sim = Sim::start(move |asked| match asked.path.as_str() {
        "/x" => Reply::Redirect(302, "/p/x?q=1".to_owned()),
        "/p/x" => Reply::json(r#"{"at":"home"}"#),
        "/circle" => Reply::Redirect(307, "/circle".to_owned()),
        _ => Reply::Redirect(302, elsewhere.clone()),
    })
    .await;
    let with_user = sim.url.replace("http://", "http://anna:pw@");
    let client = client(&with_user);
    assert_eq!(outcome(&client).await.unwrap()["at"], "home");
    assert!(sim.last("/p/x").headers.contains_key("authorization"));

    let error = client.get(&["away"], &[]).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(
        error
            .message
            .contains(&format!("redirected to {}/login", stranger.url)),
        "{error}"
    );
    assert!(!error.message.contains("secret"), "{error}");
    assert!(
        stranger.asked().is_empty(),
        "nothing may go to another host"
    );

    let error = client.get(&["circle"], &[]).await.unwrap_err();
    assert!(error.message.contains("circle"), "{error}");
}

#[tokio::test]
async fn a_form_is_not_turned_into_a_bare_get() {
    let sim = Sim::start(|asked| match asked.path.as_str() {
        "/old" => Reply::Redirect(301, "/new".to_owned()),
        "/kept" => Reply::Redirect(308, "/new".to_owned()),
        _ => Reply::json("{}"),
    })
    .await;
    let client = client(&sim.url);
    let form = [("query", "a+b&c".to_owned())];
    let error = client.post_form(&["old"], &form).await.unwrap_err();
    assert!(error.message.contains("/new") && error.hint.contains("the address it redirects to"));
    client.post_form(&["kept"], &form).await.unwrap();
    let arrived = sim.last("/new");
    assert_eq!(arrived.method, "POST");
    assert_eq!(arrived.parameter("query"), Some("a+b&c"));
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let sim = Sim::start(|_| Reply::Plain(401, "text/plain", String::new())).await;
    let with_user = sim.url.replace("http://", "http://an%20na:s3cret@");
    let basic = client(&with_user);
    let token = Options {
        credentials: Credentials::Bearer(Secret::new("s3cret\n")),
        ..Options::default()
    };
    let bearer = open(&sim.url, &token).unwrap();
    for (client, header) in [(basic, "Basic YW4gbmE6czNjcmV0"), (bearer, "Bearer s3cret")] {
        let error = outcome(&client).await.unwrap_err();
        assert_eq!(sim.last("/x").headers.get("authorization").unwrap(), header);
        assert_eq!(error.kind, SourceErrorKind::Unauthorized);
        assert!(error.hint.contains("not accepted"), "{}", error.hint);
        let shown = format!("{client:?} {error:?} {token:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("an%20na"),
            "{shown}"
        );
    }
}

#[test]
fn credentials_that_cannot_work_are_refused_at_once() {
    for (url, token, what) in [
        ("http://anna:pw@h", "t", "both"),
        ("http://h", "a\nb", "characters"),
    ] {
        let options = Options {
            credentials: Credentials::Bearer(Secret::new(token)),
            ..Options::default()
        };
        let error = open(url, &options).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
        assert!(error.message.contains(what), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_bad_answer() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let read = stream.read(&mut [0; 4096]).unwrap();
        assert!(read > 0);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"a\":")
            .unwrap();
    });
    let error = outcome(&client(&url)).await.unwrap_err();
    server.join().unwrap();
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(error.message.contains("broke off"), "{error}");
}
