use super::*;

fn plugin(script: &str) -> Plugin {
    Plugin {
        config: Exec {
            api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: vec![("OURS".to_owned(), "yes".to_owned())],
            interactive_mode: "IfAvailable".to_owned(),
            ..Exec::default()
        },
        cluster: None,
        timeout: Duration::from_secs(20),
        environment: ConfigEnvironment {
            path: Some("/usr/bin:/bin".into()),
            ..ConfigEnvironment::default()
        },
    }
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_is_asked_without_a_terminal_and_answers() {
    // Reading stdin ends at once: it is closed.
    let script = r#"cat; case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
        case "$KUBERNETES_EXEC_INFO" in *'"server":"https://c:1"'*) ;; *) exit 4;; esac
        [ "$OURS" = yes ] || exit 5
        echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "t"}}'"#;
    let mut plugin = plugin(script);
    plugin.config.provide_cluster_info = true;
    plugin.cluster = Some(json!({"server": "https://c:1"}));
    let credential = plugin.run().await.unwrap_or_else(|e| panic!("{e}"));
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
        assert!(!error.message.contains("s3cret"), "{error}");
    };
    let failing = "echo 'SSO session expired, token=s3cret' >&2; exit 1";
    check(
        plugin(failing),
        K::Unauthorized,
        "SSO session expired",
        "log in again",
    )
    .await;
    let rubbish = plugin("echo s3cret");
    check(rubbish, K::Unauthorized, "no ExecCredential", "terminal").await;
    let much = plugin("exec head -c 3000000 /dev/zero");
    check(much, K::Unauthorized, "more than 1 MiB", "terminal").await;

    let mut absent = plugin("");
    absent.config.command = "pilothouse-no-such-program".to_owned();
    absent.config.install_hint = "brew install it\n".to_owned();
    check(
        absent,
        K::BadConfiguration,
        "looked in /usr/bin, /bin",
        "brew install it",
    )
    .await;

    let mut interactive = plugin("");
    interactive.config.interactive_mode = "Always".to_owned();
    let words = "standard input is not a terminal";
    check(interactive, K::Unauthorized, words, "kubectl").await;

    let folder = tempfile::TempDir::new().unwrap();
    let kuberc = folder.path().join("kuberc");
    let text = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n";
    std::fs::write(&kuberc, text).unwrap();
    let mut denied = plugin("exit 1");
    denied.environment.kuberc.kuberc = Some(kuberc.into());
    check(
        denied,
        K::BadConfiguration,
        "not allowed",
        "credentialPluginPolicy",
    )
    .await;
}

#[tokio::test(start_paused = true)]
#[cfg(unix)]
async fn a_plugin_that_waits_too_long_is_ended() {
    let error = plugin("exec sleep 600")
        .run()
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert!(error.message.contains("no answer in 20 s"), "{error}");
    assert!(error.hint.contains("terminal"));
}
