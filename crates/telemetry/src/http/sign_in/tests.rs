use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse_core::model::SourceKind;

use super::*;
use crate::http::{Answer, Client};
use crate::place::Place;
use crate::testing::{Asked, Reply, Sim};

const BACKEND: Backend = Backend {
    source: SourceKind::Metrics,
    product: "Prometheus",
};
const CANARY: &str = "canary-7f3a";

fn options(credentials: Credentials) -> Options {
    Options {
        credentials,
        ..Options::default()
    }
}

fn client(url: &str, options: &Options) -> Result<Client, SourceError> {
    Client::at(BACKEND, Place::Address(url.to_owned()), options, 2)
}

async fn ask(client: &Client) -> Result<Answer, SourceError> {
    client.get(&["x"], &[]).await
}

fn sent(asked: &Asked, header: &str) -> String {
    asked
        .headers
        .get(header)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

/// Accepts this token only.
async fn accepting(token: &'static str) -> Sim {
    Sim::start(move |asked| {
        if sent(asked, "authorization") == format!("Bearer {token}") {
            Reply::json("{}")
        } else {
            Reply::Plain(401, "text/plain", String::new())
        }
    })
    .await
}

fn sh(text: String) -> Credentials {
    Credentials::BearerCommand(TokenCommand::new("/bin/sh", ["-c".to_owned(), text]))
}

#[tokio::test]
async fn basic_authentication_and_headers_are_sent() {
    let sim = Sim::start(|_| Reply::json("{}")).await;
    let mut options = options(Credentials::Basic {
        user: "anna".to_owned(),
        password: Secret::new("s:3cret"),
    });
    options.headers = vec![
        ("X-Scope-OrgID".to_owned(), Secret::new("shop")),
        ("x-api-key".to_owned(), Secret::new("k")),
    ];
    ask(&client(&sim.url, &options).unwrap()).await.unwrap();
    let asked = sim.last("/x");
    assert_eq!(sent(&asked, "authorization"), "Basic YW5uYTpzOjNjcmV0");
    assert_eq!(sent(&asked, "x-scope-orgid"), "shop");
    assert_eq!(sent(&asked, "x-api-key"), "k");
}

#[tokio::test]
async fn a_token_file_is_read_again_for_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let sim = Sim::start(|_| Reply::json("{}")).await;
    let client = client(&sim.url, &options(Credentials::BearerFile(path.clone()))).unwrap();
    for token in ["one", "two"] {
        std::fs::write(&path, format!("{token}\r\n")).unwrap();
        ask(&client).await.unwrap();
        assert_eq!(
            sent(&sim.last("/x"), "authorization"),
            format!("Bearer {token}")
        );
    }
    for (contents, what) in [
        (Some("\n"), "is empty"),
        (Some("a\nb"), "is no token"),
        (None, "cannot be read"),
    ] {
        match contents {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let error = ask(&client).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
        let named = error.message.contains(what) && error.message.contains("/token");
        assert!(named && !error.hint.is_empty(), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_file_that_was_renewed_under_way_is_tried_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old").unwrap();
    let renewed = path.clone();
    let sim = Sim::start(move |asked| {
        if sent(asked, "authorization") == "Bearer new" {
            return Reply::json("{}");
        }
        std::fs::write(&renewed, "new\n").unwrap();
        Reply::Plain(401, "text/plain", String::new())
    })
    .await;
    let client = client(&sim.url, &options(Credentials::BearerFile(path.clone()))).unwrap();
    assert_eq!(ask(&client).await.unwrap().status(), 200);
    assert_eq!(sim.asked().len(), 2);

    // One that is no better is not tried twice.
    let sim = accepting("other").await;
    let client = self::client(&sim.url, &options(Credentials::BearerFile(path))).unwrap();
    assert_eq!(ask(&client).await.unwrap().status(), 401);
    assert_eq!(sim.asked().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_renewed_by_its_command_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("runs");
    let good = Arc::new(AtomicUsize::new(1));
    let wanted = Arc::clone(&good);
    let sim = Sim::start(move |asked| {
        let wanted = format!("Bearer {}", wanted.load(Ordering::SeqCst));
        if sent(asked, "authorization") == wanted {
            Reply::json("{}")
        } else {
            Reply::Plain(401, "text/plain", String::new())
        }
    })
    .await;
    let log = log.display();
    let options = options(sh(format!("echo run >>'{log}'; wc -l <'{log}'")));
    // Probing and opening are two clients.
    let (first, second) = (client(&sim.url, &options), client(&sim.url, &options));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(ask(&first).await.unwrap().status(), 200);
    assert_eq!(ask(&second).await.unwrap().status(), 200);
    assert_eq!(sim.asked().len(), 2, "one token did for both");

    good.store(2, Ordering::SeqCst);
    assert_eq!(ask(&first).await.unwrap().status(), 200);
    assert_eq!(ask(&second).await.unwrap().status(), 200);
    assert_eq!(sim.asked().len(), 5, "401, again, and the second knew");

    good.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(ask(&first).await.unwrap().status(), 401);
    }
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 3, "no loop of log-ins");
}

#[test]
fn what_cannot_be_sent_or_is_given_twice_is_refused_at_once() {
    let bearer = |text: &str| Credentials::Bearer(Secret::new(text));
    let basic = Credentials::Basic {
        user: "an:na".to_owned(),
        password: Secret::new(CANARY),
    };
    let header = |name: &str, value: &str| vec![(name.to_owned(), Secret::new(value))];
    let key = |name: &str| header(name, CANARY);
    let plain = "http://h";
    let with_user = "http://anna:canary-7f3a@h";
    for (url, credentials, headers, what) in [
        (plain, bearer(""), vec![], "characters"),
        (plain, basic.clone(), vec![], "colon"),
        (with_user, bearer(CANARY), vec![], "both"),
        (with_user, Credentials::None, key("Authorization"), "both"),
        (plain, bearer(CANARY), key("authorization"), "both"),
        (
            plain,
            Credentials::None,
            key("Host"),
            "the header host cannot be given",
        ),
        (plain, Credentials::None, key("a b"), "name"),
        (
            plain,
            Credentials::None,
            header("x-key", "canary-7f3a\nb"),
            "x-key holds",
        ),
    ] {
        let mut options = options(credentials);
        options.headers = headers;
        let error = client(url, &options).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{what}");
        assert!(error.message.contains(what), "{what}: {error}");
        let all = format!("{error:?} {options:?}");
        assert!(!all.contains(CANARY), "{all}");
    }
}
