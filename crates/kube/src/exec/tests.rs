use super::*;

fn plugin(script: &str) -> Plugin {
    Plugin {
        config: ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1beta1".to_owned()),
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            ..ExecConfig::default()
        },
        cluster: None,
        timeout: Duration::from_secs(20),
    }
}

#[test]
fn credentials_are_read_or_refused() {
    let answer = |status: &str| {
        let text = format!(r#"{{"kind": "ExecCredential", "status": {status}}}"#);
        read_credential(text.as_bytes())
    };
    let token = answer(r#"{"token": "t", "expirationTimestamp": "2026-01-02T03:04:05Z"}"#);
    let token = token.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(token.token.as_deref(), Some("t"));
    assert_eq!(token.expires.unwrap().to_string(), "2026-01-02T03:04:05Z");
    let pair = answer(r#"{"clientCertificateData": "c", "clientKeyData": "k"}"#);
    assert_eq!(
        pair.ok().and_then(|pair| pair.certificate),
        Some(("c".to_owned(), "k".to_owned()))
    );
    let refused = [
        "null",
        "{}",
        r#"{"token": ""}"#,
        r#"{"token": "t", "expirationTimestamp": "soon"}"#,
        r#"{"clientCertificateData": "c"}"#,
    ];
    for status in refused {
        assert!(answer(status).is_err(), "{status}");
    }
    assert!(read_credential(b"token: t").is_err());
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_is_asked_without_a_terminal_and_answers() {
    // Reading stdin ends at once: it is closed.
    let script = r#"cat; case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
        echo '{"status": {"token": "t"}}'"#;
    let credential = plugin(script).run().await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(credential.token.as_deref(), Some("t"));
}

#[tokio::test]
#[cfg(unix)]
async fn plugins_that_fail_say_what_to_do() {
    use SourceErrorKind as K;
    let check = async |plugin: Plugin, kind: SourceErrorKind, message: &str, hint: &str| {
        let error = plugin.run().await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.contains(hint), "{}", error.hint);
    };
    check(
        plugin("echo 'SSO session expired' >&2; exit 1"),
        K::Unauthorized,
        "SSO session expired",
        "log in again",
    )
    .await;
    check(
        plugin("echo hello"),
        K::Unauthorized,
        "no ExecCredential",
        "",
    )
    .await;

    let mut absent = plugin("");
    absent.config.command = Some("pilothouse-no-such-program".to_owned());
    absent.config.install_hint = Some("brew install it\n".to_owned());
    check(
        absent,
        K::BadConfiguration,
        "cannot start",
        "brew install it",
    )
    .await;

    let mut interactive = plugin("");
    interactive.config.interactive_mode = Some(ExecInteractiveMode::Always);
    check(interactive, K::Unauthorized, "needs a terminal", "kubectl").await;

    let mut slow = plugin("exec sleep 600");
    slow.timeout = Duration::from_millis(50);
    check(slow, K::TimedOut, "no answer", "terminal").await;
}

#[test]
fn the_end_of_what_a_plugin_said_is_kept() {
    assert_eq!(last_words(b" one\n  two\n"), "one two");
    assert_eq!(last_words(b""), "it said nothing");
    let long = "x".repeat(MAX_STDERR) + "end";
    assert_eq!(last_words(long.as_bytes()).chars().count(), MAX_STDERR);
    assert!(last_words(long.as_bytes()).ends_with("end"));
}
