use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::age::tests::still;
use crate::mock::{
    Canned, facts as mock_facts, list, serve, serve_in_turn, status, virtual_service,
};

const FORBIDDEN: &str = r#"services is forbidden: User "viewer" cannot list resource "services""#;

fn reference() -> ObjectRef {
    ObjectRef::new(ObjectKind::VirtualService, "shop", "reviews")
}

#[tokio::test]
async fn a_list_is_paged_and_keeps_what_it_does_not_know() {
    let mut first = list("5", &[virtual_service("shop", "reviews", "4")]);
    first["metadata"]["continue"] = json!("a/b=");
    let second = list("5", &[virtual_service("shop", "ratings", "3")]);
    let (source, log) = serve_in_turn(vec![Canned::ok(&first), Canned::ok(&second)]);
    let objects = source.list(ObjectKind::VirtualService).await.unwrap();
    let names: Vec<String> = objects.iter().map(|o| o.reference.to_string()).collect();
    assert_eq!(
        names,
        ["VirtualService/shop/reviews", "VirtualService/shop/ratings"]
    );
    assert_eq!(objects[0].doc["metadata"]["odd"], 1);
    assert_eq!(
        log.lines(),
        [
            "GET /apis/networking.istio.io/v1/virtualservices?limit=500",
            "GET /apis/networking.istio.io/v1/virtualservices?limit=500&continue=a%2Fb%3D",
        ]
    );
}

#[tokio::test]
async fn an_expired_page_starts_the_list_over_without_pages() {
    let mut first = list("5", &[virtual_service("shop", "reviews", "4")]);
    first["metadata"]["continue"] = json!("t");
    let (source, log) = serve_in_turn(vec![
        Canned::ok(&first),
        Canned::status(410, "Expired", "too old"),
        Canned::ok(&list("9", &[virtual_service("shop", "reviews", "4")])),
    ]);
    let objects = source.list(ObjectKind::VirtualService).await.unwrap();
    assert_eq!(objects.len(), 1);
    assert_eq!(
        log.lines().last().unwrap(),
        "GET /apis/networking.istio.io/v1/virtualservices?"
    );
}

#[tokio::test]
async fn lists_ask_only_for_the_namespaces_chosen() {
    let (source, log) = serve(&["shop", "bank", "shop"], |_| Canned::ok(&list("1", &[])));
    source.list(ObjectKind::Service).await.unwrap();
    assert_eq!(
        log.lines(),
        [
            "GET /api/v1/namespaces/bank/services?limit=500",
            "GET /api/v1/namespaces/shop/services?limit=500",
        ]
    );
}

#[tokio::test]
async fn chosen_namespaces_need_no_right_to_list_namespaces() {
    let absent = json!({
        "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": "namespaces \"gone\" not found", "details": {"name": "gone", "kind": "namespaces"},
    });
    let (source, log) = serve(&["shop", "bank", "gone"], move |seen| {
        match seen.line.as_str() {
            "GET /api/v1/namespaces/bank" => Canned::ok(&json!({
                "kind": "Namespace", "metadata": {"name": "bank", "resourceVersion": "7", "labels": {"a": "b"}},
            })),
            "GET /api/v1/namespaces/gone" => Canned::json(404, &absent),
            _ => Canned::status(403, "Forbidden", "cannot get resource \"namespaces\""),
        }
    });
    let namespaces = source.list(ObjectKind::Namespace).await.unwrap();
    let told: Vec<(&str, &str)> = namespaces
        .iter()
        .map(|o| (o.reference.name.as_str(), o.resource_version.as_str()))
        .collect();
    assert_eq!(told, [("bank", "7"), ("shop", "")]);
    assert_eq!(log.lines().len(), 3);

    let (source, _log) = serve(&["shop"], |_| Canned::status(401, "Unauthorized", "no"));
    let error = source.list(ObjectKind::Namespace).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unauthorized);
}

#[tokio::test]
async fn an_absent_crd_is_an_empty_list_and_an_absent_core_kind_a_failure() {
    let (source, log) = serve(&[], |_| Canned::no_path());
    assert_eq!(
        source.list(ObjectKind::VirtualService).await,
        Ok(Vec::new())
    );
    assert_eq!(log.lines().len(), 2, "v1 and v1beta1");
    let error = source.list(ObjectKind::Service).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::NotFound);
    assert!(error.hint.contains("Kubernetes API server"));
}

#[tokio::test]
async fn an_old_istio_is_asked_for_v1beta1_from_then_on() {
    let (source, log) = serve(&[], |seen| {
        if seen.line.contains("/v1/") {
            Canned::no_path()
        } else {
            Canned::ok(&list("1", &[]))
        }
    });
    source.list(ObjectKind::DestinationRule).await.unwrap();
    source.list(ObjectKind::DestinationRule).await.unwrap();
    let versions: Vec<bool> = log
        .lines()
        .iter()
        .map(|line| line.contains("/v1beta1/"))
        .collect();
    assert_eq!(versions, [false, true, true]);
}

#[tokio::test]
async fn every_failure_of_a_list_has_its_kind() {
    use SourceErrorKind as K;
    let cases = [
        (
            Canned::status(401, "Unauthorized", "Unauthorized"),
            K::Unauthorized,
            "Unauthorized",
        ),
        (
            Canned::status(403, "Forbidden", FORBIDDEN),
            K::Forbidden,
            FORBIDDEN,
        ),
        (
            Canned::text(400, "Client sent an HTTP request to an HTTPS server.\n"),
            K::BadAnswer,
            "HTTPS",
        ),
        (
            Canned::text(502, "<html>Bad Gateway</html>"),
            K::ServerError,
            "HTML",
        ),
        (
            Canned::status(429, "TooManyRequests", "slow down"),
            K::ServerError,
            "slow down",
        ),
        (
            Canned::text(200, "<html>Log in</html>"),
            K::BadAnswer,
            "no JSON",
        ),
        (Canned::text(200, r#"{"items": ["#), K::BadAnswer, "no JSON"),
        (
            Canned::ok(&json!({"kind": "APIVersions"})),
            K::BadAnswer,
            "no list",
        ),
        (
            Canned::text(200, r#"{"items": "#).then_breaks(),
            K::Unreachable,
            "connection reset",
        ),
    ];
    for (answer, kind, words) in cases {
        let (source, log) = serve_in_turn(vec![answer]);
        let error = source.list(ObjectKind::Service).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(
            error.message.starts_with("cannot list Service objects: "),
            "{error}"
        );
        assert!(error.message.contains(words), "{error}");
        assert_eq!(log.lines().len(), 1, "asked once: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_has_five_seconds() {
    let (source, _log) = serve_in_turn(Vec::new());
    let begin = tokio::time::Instant::now();
    let error = source.list(ObjectKind::Service).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert!(!error.hint.contains("timeout"), "there is no switch for it");
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn get_tells_an_absent_object_from_a_failed_call() {
    let not_found = json!({
        "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": "virtualservices.networking.istio.io \"reviews\" not found",
        "details": {"name": "reviews", "kind": "virtualservices"},
    });
    let (source, log) = serve_in_turn(vec![
        Canned::ok(&virtual_service("shop", "reviews", "7")),
        Canned::json(404, &not_found),
        Canned::no_path(),
        Canned::no_path(),
        Canned::json(403, &status(403, "Forbidden", "no")),
    ]);
    let object = source.get(&reference()).await.unwrap().unwrap();
    assert_eq!(object.resource_version, "7");
    assert_eq!(source.get(&reference()).await, Ok(None));
    assert_eq!(source.get(&reference()).await, Ok(None), "CRD gone");
    let error = source.get(&reference()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Forbidden);
    assert_eq!(
        log.lines()[0],
        "GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews"
    );
}

#[tokio::test]
async fn a_name_never_changes_the_path() {
    let (source, log) = serve(&[], |_| Canned::no_path());
    for name in ["../../secrets/x", "a?dryRun=None", "", "a b"] {
        let object = ObjectRef::new(ObjectKind::VirtualService, "shop", name);
        assert_eq!(source.get(&object).await, Ok(None));
        let error = source
            .patch(&object, &[], WriteMode::Apply)
            .await
            .unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::NotFound);
    }
    let nowhere = ObjectRef::new(ObjectKind::VirtualService, "", "reviews");
    assert_eq!(source.get(&nowhere).await, Ok(None));
    assert!(log.lines().is_empty());
}

#[tokio::test]
async fn identity_is_what_the_server_says_and_tolerates_silence() {
    let version = Canned::ok(&json!({"gitVersion": "v1.36.2"}));
    let review = json!({"status": {"userInfo": {"username": "jane"}}});
    let (source, log) = serve_in_turn(vec![version, Canned::json(201, &review)]);
    let identity = source.identity().await.unwrap();
    assert_eq!(identity.context, "test");
    assert_eq!(identity.server, "https://cluster.example:6443");
    assert_eq!(identity.version.as_deref(), Some("v1.36.2"));
    assert_eq!(identity.user.as_deref(), Some("jane"));
    let seen = log.seen();
    assert_eq!(seen[0].line, "GET /version");
    assert_eq!(
        seen[1].line,
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
    );
    assert_eq!(seen[1].content_type, "application/json");

    let refused = || Canned::status(403, "Forbidden", "no");
    let (source, _log) = serve_in_turn(vec![refused(), refused()]);
    let identity = source.identity().await.unwrap();
    assert_eq!((identity.version, identity.user), (None, None));

    let unauthorized = || Canned::status(401, "Unauthorized", "Unauthorized");
    let (source, _log) = serve_in_turn(vec![unauthorized(), unauthorized()]);
    let error = source.identity().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unauthorized);
    assert!(error.hint.contains("log in again"));
}

#[tokio::test]
async fn the_right_to_patch_is_asked_for_the_very_object() {
    let verdict = |allowed: bool| Canned::json(201, &json!({"status": {"allowed": allowed}}));
    let (source, log) = serve_in_turn(vec![
        verdict(true),
        verdict(false),
        Canned::json(201, &json!({"status": {}})),
    ]);
    assert_eq!(source.may_patch(&reference()).await, Ok(true));
    assert_eq!(source.may_patch(&reference()).await, Ok(false));
    let error = source.may_patch(&reference()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    let seen = &log.seen()[0];
    assert_eq!(
        seen.line,
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    );
    let question: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(
        question["spec"]["resourceAttributes"],
        json!({"verb": "patch", "group": "networking.istio.io", "resource": "virtualservices",
               "namespace": "shop", "name": "reviews"})
    );
}

/// Writes a kubeconfig and connects with it.
fn connect(text: &str) -> Result<KubeSource, SourceError> {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    connect_to(file)
}

fn connect_to(file: PathBuf) -> Result<KubeSource, SourceError> {
    let options = ConnectOptions {
        kubeconfig: vec![file],
        request_timeout: Duration::from_secs(5),
        plugin_timeout: Duration::from_secs(20),
        ..ConnectOptions::default()
    };
    KubeSource::connect(options, still())
}

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "current-context: here\nclusters:\n- name: c\n  cluster: {cluster}\n\
         users:\n- name: u\n  user: {user}\n\
         contexts:\n- name: here\n  context: {{cluster: c, user: u}}\n"
    )
}

/// A port of this machine that nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    for scheme in ["http", "https"] {
        let server = format!("{{server: '{scheme}://127.0.0.1:{}'}}", closed_port());
        let source = connect(&kubeconfig(&server, "{token: s3cret}")).unwrap();
        let error = source.identity().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unreachable, "{error}");
        assert!(error.message.contains("refused"), "{error}");
        assert!(!error.message.contains("s3cret"));
        let patched = source.patch(&reference(), &[], WriteMode::Apply).await;
        let error = patched.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unreachable);
        assert!(!error.hint.contains("may have written"), "{}", error.hint);
    }
}

#[tokio::test]
async fn what_is_dangerous_about_a_connection_is_said() {
    let source = connect(&kubeconfig(
        "{server: 'https://u:pw@a:1', insecure-skip-tls-verify: true, proxy-url: 'socks5://u:pw@p:2'}",
        "{token: s3cret, as: root, as-groups: [admins]}",
    ))
    .unwrap();
    let facts = source.facts();
    assert!(facts.insecure_skip_tls_verify);
    assert_eq!(facts.impersonates.as_deref(), Some("root"));
    assert_eq!(facts.server, "https://a:1");
    assert_eq!(facts.proxy.as_deref(), Some("socks5://p:2"));
    let codes: Vec<String> = source.warnings().into_iter().map(|w| w.code).collect();
    assert_eq!(codes, ["tls-not-verified", "impersonation"]);
    let plain = connect(&kubeconfig("{server: 'http://a:1'}", "{token: t}")).unwrap();
    assert_eq!(plain.warnings()[0].code, "plain-http");
    for here in [
        "http://127.0.0.1:8001",
        "http://localhost:8001/k8s",
        "http://[::1]:1",
    ] {
        let tunnel = connect(&kubeconfig(&format!("{{server: '{here}'}}"), "{token: t}")).unwrap();
        assert_eq!(tunnel.warnings(), [], "{here}");
    }
    assert_eq!(mock_facts().warnings(), []);
}

#[test]
fn what_cannot_be_connected_is_bad_configuration() {
    let cases = [
        ("{server: 'ftp://a:1'}", "{}", "unsupported protocol scheme"),
        (
            "{server: 'https://a:1', proxy-url: 'ftp://p'}",
            "{}",
            "invalid 'proxy-url'",
        ),
        ("{server: 'https://a:1'}", "{}", "nothing says who logs in"),
        (
            "{server: 'https://a:1', certificate-authority: nope.pem}",
            "{}",
            "nope.pem",
        ),
    ];
    for (cluster, user, words) in cases {
        let error = connect(&kubeconfig(cluster, user)).map(|_| ()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let options = ConnectOptions {
        namespaces: vec!["a/b".to_owned()],
        ..ConnectOptions::default()
    };
    let error = KubeSource::connect(options, still())
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_runs_at_the_first_call_and_not_again_after_a_failure() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let user = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: /bin/sh, args: [-c, 'echo run >> {}; exit 1']}}}}",
        runs.display()
    );
    let source = connect(&kubeconfig("{server: 'https://127.0.0.1:1'}", &user)).unwrap();
    assert!(!runs.exists(), "connecting runs nothing");
    for _ in 0..3 {
        let error = source.identity().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unauthorized);
    }
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n");
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_whose_clock_is_off_is_not_run_for_every_call() {
    let folder = tempfile::TempDir::new().unwrap();
    let script = folder.path().join("login");
    let runs = folder.path().join("runs");
    let text = format!(
        "echo run >> {}\necho '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"status\": {{\"token\": \"s3cret\", \"expirationTimestamp\": \"2020-01-01T00:00:00Z\"}}}}'\n",
        runs.display()
    );
    std::fs::write(&script, text).unwrap();
    let user = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: /bin/sh, args: ['{}']}}}}",
        script.display()
    );
    let server = format!("{{server: 'https://127.0.0.1:{}'}}", closed_port());
    let source = connect(&kubeconfig(&server, &user)).unwrap();
    for _ in 0..2 {
        let error = source.identity().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unreachable, "{error}");
        assert!(!error.message.contains("s3cret"));
    }
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n");
}

/// Over a real connection: what the client adds, and that it repeats nothing.
#[tokio::test]
async fn a_patch_that_a_busy_server_refuses_goes_out_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let mut requests = Vec::new();
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            // The body is the empty patch.
            while !request.ends_with(b"\r\n\r\n[]") {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
            }
            requests.push(String::from_utf8(request).unwrap().to_ascii_lowercase());
            let answer = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            connection.write_all(answer.as_bytes()).await.unwrap();
            assert_eq!(requests.len(), 1, "the patch was sent again");
            let [request] = requests.as_slice() else {
                continue;
            };
            assert!(request.contains("user-agent: pilothouse/"), "{request}");
            assert!(
                request.contains("authorization: basic bwu6cznjcmv0"),
                "{request}"
            );
        }
    };
    // Over plain HTTP only what stands in the address is shown.
    let source = connect(&kubeconfig(
        &format!("{{server: 'http://me:s3cret@127.0.0.1:{port}'}}"),
        "{}",
    ));
    let source = source.unwrap();
    let object = reference();
    let error = tokio::select! {
        () = server => None,
        patched = source.patch(&object, &[], WriteMode::Apply) => patched.err(),
    };
    assert_eq!(error.unwrap().kind, SourceErrorKind::ServerError);
}

/// `oc login` and its like rewrite the file while we run.
#[tokio::test]
async fn a_login_that_was_renewed_in_the_file_is_used_without_a_restart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
            }
            let request = String::from_utf8(request).unwrap().to_ascii_lowercase();
            let (status, body) = if request.contains("authorization: basic bwu6znjlc2g=") {
                ("200 OK", r#"{"items": []}"#)
            } else {
                ("401 Unauthorized", "{}")
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config");
    let cluster = format!("{{server: 'http://me:stale@127.0.0.1:{port}'}}");
    let text = kubeconfig(&cluster, "{}");
    std::fs::write(&file, &text).unwrap();
    let source = connect_to(file.clone()).unwrap();
    // A login may make another context the current one; we stay where we are.
    let text = text.replace("stale", "fresh");
    let text = text.replace("current-context: here", "current-context: elsewhere");
    std::fs::write(&file, text).unwrap();
    let listed = tokio::select! {
        () = server => None,
        listed = source.list(ObjectKind::Service) => Some(listed),
    };
    assert_eq!(listed, Some(Ok(Vec::new())));
}
