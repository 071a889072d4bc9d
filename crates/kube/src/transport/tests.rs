use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::session::LOGIN_PAUSE;
use super::*;
use crate::age::tests::still;
use crate::connect::{ConnectOptions, prepare};
use crate::kubeconfig::{Server, User};
use crate::mock::{Canned, Log, client};

#[test]
fn warning_headers_are_unquoted() {
    let mut headers = HeaderMap::new();
    for value in [
        r#"299 - "unknown field \"spec.htp\"""#,
        "299 - plain",
        "odd",
    ] {
        headers.append(WARNING, HeaderValue::from_static(value));
    }
    assert_eq!(
        warning_texts(&headers),
        [r#"unknown field "spec.htp""#, "plain", "odd"]
    );
}

fn turns_away() -> (Client, Log) {
    client(|_| Canned::status(401, "Unauthorized", "Unauthorized"))
}

fn lets_in() -> (Client, Log) {
    client(|_| Canned::text(200, "{}"))
}

fn request(method: Method) -> Request<Vec<u8>> {
    let request = Request::builder().method(method).uri("/version");
    request.body(Vec::new()).unwrap()
}

/// A transport whose first login is no longer taken and whose second one is; and what both servers saw.
fn renewed() -> (Transport, Log, Log) {
    let (stale, refused) = turns_away();
    let (fresh, taken) = lets_in();
    let transport = Transport::new(Connector::Fixed(stale), Duration::from_secs(5), still())
        .renewed_by(move || Some(Connector::Fixed(fresh.clone())));
    (transport, refused, taken)
}

#[tokio::test(start_paused = true)]
async fn after_a_new_login_every_call_that_was_turned_away_is_repeated_once() {
    let (transport, refused, taken) = renewed();
    let watch = Request::get("/version").body(Body::empty()).unwrap();
    let (first, second, watch) = futures::join!(
        transport.call(request(Method::GET)),
        transport.call(request(Method::POST)),
        transport.open(watch)
    );
    assert!(first.is_ok() && second.is_ok() && watch.is_ok());
    assert_eq!((refused.lines().len(), taken.lines().len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_was_turned_away_is_not_repeated() {
    let (transport, refused, taken) = renewed();
    let patched = transport.call(request(Method::PATCH)).await;
    assert!(matches!(patched, Err(CallError::Refused(_))));
    assert_eq!((refused.lines().len(), taken.lines().len()), (1, 0));
    assert!(transport.call(request(Method::PATCH)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_stays_refused_is_looked_up_every_ten_seconds_at_most() {
    let n_looks = Arc::new(AtomicUsize::new(0));
    let looks = Arc::clone(&n_looks);
    let (stale, refused) = turns_away();
    let transport = Transport::new(Connector::Fixed(stale), Duration::from_secs(5), still())
        .renewed_by(move || {
            looks.fetch_add(1, Ordering::Relaxed);
            None
        });
    for seconds in [0, 1, 8, 1] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let refusal = transport.call(request(Method::GET)).await;
        assert!(matches!(refusal, Err(CallError::Refused(_))));
    }
    assert_eq!(n_looks.load(Ordering::Relaxed), 2);
    assert_eq!(refused.lines().len(), 4, "nothing new, so nothing repeated");
}

#[tokio::test(start_paused = true)]
async fn after_a_login_that_could_not_begin_the_configuration_is_read_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config");
    let text = "current-context: x\ncontexts:\n- name: x\n  context: {cluster: c, user: u}\n\
                clusters:\n- name: c\n  cluster: {server: 'https://c:1'}\n\
                users:\n- name: u\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, \
                command: pilothouse-no-such-program, interactiveMode: Never}}\n";
    std::fs::write(&file, text).unwrap();
    let options = ConnectOptions {
        kubeconfig: vec![file],
        ..ConnectOptions::default()
    };
    let (connector, _) = prepare(&options, &still()).unwrap();
    let (fresh, _log) = lets_in();
    let transport = Transport::new(connector, Duration::from_secs(5), still())
        .renewed_by(move || Some(Connector::Fixed(fresh.clone())));
    for _ in 0..2 {
        let error = transport.call(request(Method::GET)).await.unwrap_err();
        assert!(matches!(error, CallError::Unsent(_)), "{error}");
    }
    tokio::time::advance(LOGIN_PAUSE).await;
    assert!(transport.call(request(Method::GET)).await.is_ok());
}

#[test]
fn a_rotated_certificate_is_another_proof() {
    let folder = tempfile::TempDir::new().unwrap();
    let certificate = folder.path().join("client.pem");
    let write = |text: &str| std::fs::write(&certificate, text).unwrap();
    let user = User {
        client_certificate: certificate.to_string_lossy().into_owned(),
        ..User::default()
    };
    let server = Server::parse("https://c:1").unwrap();
    write("old");
    let old = Proof::of(&user, &server);
    assert!(old == Proof::of(&user, &server));
    write("new");
    assert!(old != Proof::of(&user, &server));
    let token = User {
        token: "t".to_owned(),
        ..user.clone()
    };
    assert!(Proof::of(&token, &server) != Proof::of(&user, &server));
}
