use std::fs;

use super::*;

/// The policy of a `kuberc` with this text, named explicitly or not.
fn policy(text: &str, is_explicit: bool) -> Policy {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join(".kube").join("kuberc");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let environment = KubercEnvironment {
        kuberc: is_explicit.then(|| path.into()),
        is_disabled: false,
    };
    Policy::load(&environment, Some(folder.path()))
}

const HEAD: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

#[test]
fn preferences_are_read_as_kubectl_reads_them() {
    let allow =
        |list: &[&str]| Policy::Allowlist(list.iter().map(|&entry| entry.to_owned()).collect());
    let cases = [
        ("", Policy::AllowAll),
        (HEAD, Policy::AllowAll),
        ("credentialPluginPolicy: DenyAll\n", Policy::AllowAll),
        (
            &format!("{HEAD}credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: null\n"),
            Policy::DenyAll,
        ),
        (
            &format!(
                "{HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{{name: a}}, {{command: /b}}]\n"
            ),
            allow(&["a", "/b"]),
        ),
        // The first document that can be used counts.
        (
            &format!(
                "kind: Other\n---\n{{{{{{\n---\n{HEAD}credentialPluginPolicy: DenyAll\n---\n{HEAD}"
            ),
            Policy::DenyAll,
        ),
        (
            "apiVersion: kubectl.config.k8s.io/v1alpha1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n",
            Policy::AllowAll,
        ),
    ];
    for (text, expect) in cases {
        assert_eq!(policy(text, false), expect, "{text}");
    }
}

#[test]
fn preferences_that_contradict_themselves_stop_everything() {
    let cases = [
        ("credentialPluginAllowlist: []", "allowlist is non-nil"),
        (
            "credentialPluginPolicy: Allowlist",
            "allowlist is unspecified",
        ),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
            "allowlist is empty",
        ),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [null]",
            "empty allowlist entry #1",
        ),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: /a/../b}]",
            "non-normalized file path",
        ),
        (
            "credentialPluginPolicy: Nope",
            "unknown plugin policy: \"Nope\"",
        ),
    ];
    for (fields, words) in cases {
        match policy(&format!("{HEAD}{fields}\n"), false) {
            Policy::Unusable(why) => assert!(why.contains(words), "{why}"),
            allowed @ (Policy::AllowAll | Policy::DenyAll | Policy::Allowlist(_)) => {
                panic!("{fields}: {allowed:?}")
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_counts_only_where_it_was_named() {
    for text in ["kind: Other\n", "{{{"] {
        assert_eq!(policy(text, false), Policy::AllowAll, "{text}");
        assert!(matches!(policy(text, true), Policy::Unusable(_)), "{text}");
    }
    let missing = KubercEnvironment {
        kuberc: Some("/no/such/kuberc".into()),
        is_disabled: false,
    };
    assert!(matches!(Policy::load(&missing, None), Policy::Unusable(_)));
    for off in [
        KubercEnvironment {
            is_disabled: true,
            ..missing
        },
        KubercEnvironment {
            kuberc: Some("off".into()),
            is_disabled: false,
        },
        KubercEnvironment::default(),
    ] {
        assert_eq!(Policy::load(&off, None), Policy::AllowAll);
    }
}

#[test]
#[cfg(unix)]
fn a_list_holds_names_and_paths() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let program = folder.path().join("log-in");
    fs::write(&program, "").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_string_lossy().into_owned();
    let path = SearchPath(vec![folder.path().to_owned()]);
    let cases = [
        ("log-in", "log-in", None),
        ("log-in", &program, None),
        (&program, "log-in", None),
        (
            "log-in",
            "other",
            Some("is not permitted by the credential plugin allowlist"),
        ),
        ("absent", "other", Some("cannot be resolved")),
        ("absent", "absent", None),
    ];
    for (command, listed, why) in cases {
        let denied = Policy::Allowlist(vec![listed.to_owned()]).denies(command, &path);
        match why {
            None => assert_eq!(denied, None, "{command} {listed}"),
            Some(why) => assert!(denied.unwrap().contains(why), "{command} {listed}"),
        }
    }
    let denied = Policy::Unusable("why".to_owned()).denies("log-in", &path);
    assert_eq!(denied.as_deref(), Some("why"));
}
