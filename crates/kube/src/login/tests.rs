use super::*;
use crate::age::tests::still;
use crate::kubeconfig::Provider;
use crate::pem::tests::{CERTIFICATE, KEY};

fn server(url: &str) -> Server {
    Server::parse(url).unwrap()
}

/// The header that a user sends, or a word for what it is instead.
fn shown(user: &User, url: &str) -> Result<String, String> {
    let identity = identity(user, &server(url), &still())?;
    Ok(match identity.authorization {
        Authorization::None => "none".to_owned(),
        Authorization::Header(header) => header.to_str().unwrap().to_owned(),
        Authorization::File(_) => "file".to_owned(),
        Authorization::Plugin(exec) => format!("plugin {}", exec.command),
    })
}

fn user() -> User {
    User::default()
}

fn exec(api_version: &str) -> Option<Exec> {
    Some(Exec {
        command: "log-in".to_owned(),
        api_version: api_version.to_owned(),
        ..Exec::default()
    })
}

fn provider(name: &str) -> Option<Provider> {
    Some(Provider {
        name: name.to_owned(),
        ..Provider::default()
    })
}

#[test]
fn one_login_goes_before_the_other_as_in_client_go() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(path("token"), "from-file\n").unwrap();
    std::fs::write(path("blank"), " \n").unwrap();
    let token = || "t".to_owned();
    let name = || "jane".to_owned();
    let v1 = "client.authentication.k8s.io/v1";
    let alpha = "client.authentication.k8s.io/v1alpha1";
    let pair = || User {
        client_certificate_data: CERTIFICATE.into(),
        client_key_data: KEY.into(),
        ..User::default()
    };
    let cases = [
        (user(), Err(NO_LOGIN)),
        (
            User {
                token: token(),
                ..user()
            },
            Ok("Bearer t"),
        ),
        (
            User {
                token: "t\n".to_owned(),
                ..user()
            },
            Err("cannot be sent"),
        ),
        (
            User {
                token_file: path("token"),
                ..user()
            },
            Ok("file"),
        ),
        (
            User {
                token: token(),
                token_file: path("absent"),
                ..user()
            },
            Ok("file"),
        ),
        (
            User {
                token_file: path("absent"),
                ..user()
            },
            Err("failed to read token file"),
        ),
        (
            User {
                token_file: path("blank"),
                ..user()
            },
            Err("read empty token from file"),
        ),
        (
            User {
                username: name(),
                password: "p".to_owned(),
                ..user()
            },
            Ok("Basic amFuZTpw"),
        ),
        (
            User {
                username: name(),
                ..user()
            },
            Ok("Basic amFuZTo="),
        ),
        (
            User {
                password: "p".to_owned(),
                ..user()
            },
            Err(NO_LOGIN),
        ),
        (
            User {
                username: name(),
                token_file: path("token"),
                ..user()
            },
            Err("username/password or bearer token may be set, but not both"),
        ),
        (
            User {
                exec: exec(v1),
                ..user()
            },
            Ok("plugin log-in"),
        ),
        (
            User {
                exec: exec(v1),
                token: token(),
                ..user()
            },
            Ok("Bearer t"),
        ),
        (
            User {
                exec: exec(v1),
                ..pair()
            },
            Ok("none"),
        ),
        (
            User {
                exec: exec(alpha),
                token: token(),
                ..user()
            },
            Err("exec plugin: invalid apiVersion"),
        ),
        (
            User {
                provider: provider("gcp"),
                token: token(),
                ..user()
            },
            Err("The gcp auth plugin has been removed"),
        ),
        (
            User {
                provider: provider("azure"),
                ..user()
            },
            Err("The azure auth plugin has been removed"),
        ),
        (
            User {
                provider: provider("x"),
                ..user()
            },
            Err("no Auth Provider found for name \"x\""),
        ),
        (
            User {
                provider: provider("oidc"),
                ..user()
            },
            Err("Must provide idp-issuer-url"),
        ),
    ];
    for (at, (user, expect)) in cases.into_iter().enumerate() {
        match (shown(&user, "https://c:1"), expect) {
            (Ok(shown), Ok(expect)) => assert_eq!(shown, expect, "case {at}"),
            (Err(why), Err(words)) => assert!(why.contains(words), "case {at}: {why}"),
            (found, _) => panic!("case {at}: {found:?}"),
        }
    }
}

#[test]
fn nothing_is_shown_over_plain_http_but_whom_we_act_as() {
    let user = User {
        token: "t".to_owned(),
        client_certificate: "/no/such/file".to_owned(),
        impersonate: "root".to_owned(),
        ..User::default()
    };
    assert_eq!(shown(&user, "http://c:1").unwrap(), "none");
    assert_eq!(shown(&user, "c:1").unwrap(), "none");
    let identity = identity(&user, &server("c:1"), &still()).unwrap_or_else(|why| panic!("{why}"));
    assert!(identity.certificate.is_none());
    assert_eq!(identity.impersonation.len(), 1);
}

#[test]
fn a_password_in_the_address_goes_before_everything() {
    let user = User {
        token: "t".to_owned(),
        ..User::default()
    };
    assert_eq!(
        shown(&user, "https://jane:p%40@c:1").unwrap(),
        "Basic amFuZTpwQA=="
    );
    assert_eq!(shown(&user, "http://jane@c:1").unwrap(), "Basic amFuZTo=");
}

#[test]
fn everything_of_an_impersonation_is_sent() {
    let user = User {
        token: "t".to_owned(),
        impersonate: "jane".to_owned(),
        impersonate_uid: "7".to_owned(),
        impersonate_groups: vec!["a".to_owned(), "b".to_owned()],
        impersonate_extra: [(
            "acme.org/p%".to_owned(),
            vec!["x".to_owned(), "y".to_owned()],
        )]
        .into(),
        ..User::default()
    };
    let headers: Vec<String> = identity(&user, &server("https://c:1"), &still())
        .unwrap_or_else(|why| panic!("{why}"))
        .impersonation
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    assert_eq!(
        headers,
        [
            "impersonate-user: jane",
            "impersonate-uid: 7",
            "impersonate-group: a",
            "impersonate-group: b",
            "impersonate-extra-acme.org%2fp%25: x",
            "impersonate-extra-acme.org%2fp%25: y",
        ]
    );
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\naGk=\n-----END RSA PRIVATE KEY-----\n";
    let new = "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGk=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases = [
        (CERTIFICATE, old, "encrypted"),
        (CERTIFICATE, new, "encrypted"),
        (CERTIFICATE, CERTIFICATE, "no PEM with a private key"),
        (KEY, KEY, "no PEM with a certificate"),
    ];
    for (chain, key, words) in cases {
        let why = paired(chain.as_bytes(), key.as_bytes())
            .map(|_| ())
            .unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    // Parameters of a curve before the key, and the whole in one file, are no hindrance.
    let both = format!(
        "-----BEGIN EC PARAMETERS-----\naGk=\n-----END EC PARAMETERS-----\n{KEY}{CERTIFICATE}"
    );
    let pair = paired(both.as_bytes(), both.as_bytes()).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((pair.chain.as_str(), pair.key.as_str()), (CERTIFICATE, KEY));
}
