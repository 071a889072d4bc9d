use std::fs;

use tempfile::TempDir;

use super::*;

mod cases;

/// A kubeconfig with one cluster, user and context, each named `name`.
fn config(name: &str, server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters:\n- name: {name}\n  cluster: {{server: '{server}'}}\n\
         users:\n- name: {name}\n  user: {{token: s3cret}}\n\
         contexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}, namespace: shop}}\n"
    )
}

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (name, text) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `KUBECONFIG` with these names; an empty one stays empty.
    fn variable(&self, names: &[&str]) -> ConfigEnvironment {
        let paths = names.iter().map(|name| match *name {
            "" => PathBuf::new(),
            name => self.path(name),
        });
        ConfigEnvironment {
            kubeconfig: Some(std::env::join_paths(paths).unwrap()),
            home: Some(self.path("home")),
            ..ConfigEnvironment::default()
        }
    }
}

fn selectors(configs: &Kubeconfigs) -> Vec<String> {
    configs.contexts().into_iter().map(|c| c.selector).collect()
}

#[test]
fn files_are_chosen_as_kubectl_does() {
    let (a, b) = (config("a", "https://a:1"), config("b", "https://b:1"));
    let home = config("home", "https://h:1");
    let folder = Folder::new(&[("a", &a), ("b", &b), ("home/.kube/config", &home)]);
    let cases: [(&[&str], &[&str], &[&str]); 6] = [
        (&["a", "b"], &[], &["a", "b"]),
        (&["a", "nope"], &[], &["a"]),
        (&["", "a", ""], &[], &["a"]),
        (&[""], &[], &["home"]),
        (&["a"], &["b"], &["b"]),
        (&["a"], &["b", "a"], &["b", "a"]),
    ];
    for (variable, explicit, expect) in cases {
        let explicit: Vec<PathBuf> = explicit.iter().map(|name| folder.path(name)).collect();
        let configs = Kubeconfigs::load(&explicit, &folder.variable(variable)).unwrap();
        assert_eq!(selectors(&configs), expect, "{variable:?} {explicit:?}");
    }
    let only_home = ConfigEnvironment {
        home: Some(folder.path("home")),
        ..ConfigEnvironment::default()
    };
    let configs = Kubeconfigs::load(&[], &only_home).unwrap();
    assert_eq!(configs.current_context(), Some("home"));
    assert_eq!(
        configs.files(),
        [FileEntry {
            path: folder.path("home/.kube/config"),
            problem: None,
            n_contexts: 1
        }]
    );
}

#[test]
fn nothing_found_is_not_configured_and_says_where_we_looked() {
    let folder = Folder::new(&[]);
    let error = Kubeconfigs::load(&[], &folder.variable(&["x", "y"])).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::NotConfigured);
    for name in ["x", "y"] {
        assert!(
            error
                .message
                .contains(&*folder.path(name).to_string_lossy())
        );
    }
    assert!(error.hint.contains("--kubeconfig"));
    let error = Kubeconfigs::load(&[], &ConfigEnvironment::default()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::NotConfigured);
}

#[test]
fn an_explicit_file_must_exist() {
    let folder = Folder::new(&[("home/.kube/config", &config("home", "https://h:1"))]);
    let error = Kubeconfigs::load(&[folder.path("x")], &folder.variable(&[])).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
    assert!(error.message.contains(&*folder.path("x").to_string_lossy()));
}

#[test]
fn broken_files_are_named_with_the_line_and_no_secret_and_the_others_go_on() {
    let cases = [
        ("clusters: []\nusers: [\n  token: s3cret\n", None),
        ("clusters: []\nusers: \"s3cret\"\n", Some(2)),
        ("users:\n- name: z\n  user: {token: [s3cret]}\n", Some(3)),
        ("users:\n- name: z\n  user: {token: {s3cret: 1}}\n", Some(3)),
        ("a: b: s3cret\n", Some(1)),
        ("s3cret\n", Some(1)),
    ];
    for (text, line) in cases {
        let folder = Folder::new(&[("broken", text), ("good", &config("a", "https://a:1"))]);
        let configs = Kubeconfigs::load(&[], &folder.variable(&["broken", "good"])).unwrap();
        let files = configs.files();
        let problem = files[0].problem.clone().unwrap();
        assert_eq!(problem.file, folder.path("broken"), "{text}");
        assert!(
            problem.line.is_some() && (line.is_none() || problem.line == line),
            "{problem:?}"
        );
        assert!(!problem.message.contains("s3cret"), "{}", problem.message);
        assert_eq!(files[1].problem, None);
        assert!(configs.choose(None).is_ok(), "{text}");

        let alone = Kubeconfigs::load(&[folder.path("broken")], &ConfigEnvironment::default());
        let error = alone.unwrap().choose(None).unwrap_err();
        assert!(error.hint.contains("broken:"), "{}", error.hint);
        assert!(!error.hint.contains("s3cret"), "{}", error.hint);
    }
}

#[test]
fn the_first_file_wins_and_the_hidden_context_stays_reachable() {
    let mut second = config("default", "https://user:pw@two:2");
    second.push_str("- name: other\n  context: {cluster: default, user: default}\n");
    let folder = Folder::new(&[
        ("one", &config("default", "https://one:1")),
        ("two", &second),
    ]);
    let configs = Kubeconfigs::load(&[], &folder.variable(&["one", "two"])).unwrap();
    let two = folder.path("two");
    let hidden = format!("{}/default", two.display());
    assert_eq!(selectors(&configs), ["default", &hidden, "other"]);

    let server = |selector: Option<&str>| configs.choose(selector).unwrap().cluster.server;
    assert_eq!(server(None), "https://one:1");
    assert_eq!(server(Some(&hidden)), "https://user:pw@two:2");
    // As kubectl: the name of the cluster is looked up over all files. But it is said.
    assert_eq!(server(Some("other")), "https://one:1");

    let contexts = configs.contexts();
    let [first, hidden, other] = contexts.as_slice() else {
        panic!("three contexts");
    };
    assert!(first.is_current && !first.is_hidden && first.notes.is_empty());
    assert!(hidden.is_hidden && !hidden.is_current && hidden.notes.is_empty());
    assert_eq!(hidden.server.as_deref(), Some("https://two:2"));
    assert_eq!(hidden.file, two);
    assert_eq!(other.notes.len(), 2, "{:?}", other.notes);
    assert!(other.notes[0].contains("cluster `default`"));
    assert_eq!(first.auth, AuthKind::Token);
    assert_eq!(first.namespace.as_deref(), Some("shop"));
}

#[test]
fn a_context_whose_cluster_is_gone_breaks_only_itself() {
    let text = "current-context: dev\ncontexts:\n\
                - name: leftover\n  context: {namespace: shop}\n\
                - name: no-cluster\n  context: {cluster: gone, user: u}\n\
                - name: no-user\n  context: {cluster: c, user: gone}\n\
                - name: dev\n  context: {cluster: c, user: u}\n\
                users:\n- name: u\n  user: {token: t}\n\
                clusters:\n- name: c\n  cluster: {server: 'https://c:1'}\n- name: empty\n";
    let folder = Folder::new(&[("a", text)]);
    let configs = Kubeconfigs::load(&[], &folder.variable(&["a"])).unwrap();
    let cases = [
        ("leftover", Some(("names no cluster", 3)), ""),
        ("no-cluster", Some(("the cluster `gone`", 5)), ""),
        ("no-user", Some(("the user `gone`", 7)), "https://c:1"),
        ("dev", None, "https://c:1"),
    ];
    let contexts = configs.contexts();
    for (name, problem, server) in cases {
        let entry = contexts.iter().find(|entry| entry.name == name).unwrap();
        match (&entry.problem, problem) {
            (None, None) => {}
            (Some(found), Some((words, line))) => {
                assert!(found.message.contains(words), "{}", found.message);
                assert_eq!((&found.file, found.line), (&folder.path("a"), Some(line)));
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
        // As kubectl, which tries its default server, or logs in as nobody.
        assert_eq!(configs.choose(Some(name)).unwrap().cluster.server, server);
    }
    assert_eq!(configs.choose(None).unwrap().entry.name, "dev");
    let error = configs.choose(Some("x")).unwrap_err();
    assert!(error.message.contains("there is no context `x`"));
    assert!(error.hint.contains("leftover, no-cluster, no-user, dev"));
}

#[test]
fn a_provenance_is_shown_for_each_part() {
    let clusters = "clusters:\n- name: c\n  cluster: {server: 'https://u:p@c:1', insecure-skip-tls-verify: true, \
                    proxy-url: 'http://u:p@p:2'}\n";
    let users = "users:\n- name: u\n  user: {token: t, as: root}\n";
    let contexts = "contexts:\n- name: x\n  context: {cluster: c, user: u}\n";
    let folder = Folder::new(&[("c", clusters), ("u", users), ("x", contexts)]);
    let configs = Kubeconfigs::load(&[], &folder.variable(&["x", "u", "c"])).unwrap();
    let entry = configs.contexts().remove(0);
    assert_eq!(entry.file, folder.path("x"));
    assert_eq!(entry.cluster_file, Some(folder.path("c")));
    assert_eq!(entry.user_file, Some(folder.path("u")));
    assert_eq!(entry.server.as_deref(), Some("https://c:1"));
    assert_eq!(entry.proxy.as_deref(), Some("http://p:2"));
    assert_eq!(entry.impersonates.as_deref(), Some("root"));
    assert!(entry.insecure_skip_tls_verify && entry.problem.is_none());
}

#[test]
fn a_change_of_any_file_is_seen_and_one_that_comes_too() {
    let folder = Folder::new(&[("a", "")]);
    let environment = folder.variable(&["a", "later", "a"]);
    let watched = Kubeconfigs::watched(&[], &environment);
    let kuberc = folder.path("home/.kube/kuberc");
    assert_eq!(watched, [folder.path("a"), folder.path("later"), kuberc]);
    let stamp = Kubeconfigs::stamp(&watched);
    assert_eq!(stamp, Kubeconfigs::stamp(&watched));
    fs::write(folder.path("later"), "").unwrap();
    let later = Kubeconfigs::stamp(&watched);
    assert_ne!(stamp, later);
    fs::write(folder.path("a"), "kind: Config\n").unwrap();
    assert_ne!(later, Kubeconfigs::stamp(&watched));
}

#[test]
fn a_plugin_is_looked_for_and_never_run() {
    let text = "contexts:\n- name: x\n  context: {cluster: c, user: u}\n\
                users:\n- name: u\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: log-in, \
                interactiveMode: Never, installHint: \"brew install it\\n\"}}\n\
                clusters:\n- name: c\n  cluster: {server: 'https://c:1'}\n";
    let folder = Folder::new(&[
        ("a", text),
        ("bin/log-in", "#!/bin/sh\nrm \"$0\"\n"),
        ("bin/other", ""),
    ]);
    let plugin = |environment: &ConfigEnvironment| {
        let configs = Kubeconfigs::load(&[folder.path("a")], environment).unwrap();
        configs.contexts().remove(0).plugin.unwrap()
    };
    let environment = ConfigEnvironment {
        path: Some(folder.path("bin").into()),
        home: Some(folder.path("home")),
        ..ConfigEnvironment::default()
    };
    let missing = plugin(&environment);
    assert_eq!(missing.looked_in, [folder.path("bin")]);
    assert_eq!(missing.install_hint.as_deref(), Some("brew install it"));
    assert_eq!(missing.interactive, Some(InteractiveMode::Never));
    assert_eq!(
        (missing.policy_denied, cfg!(windows)),
        (None, missing.found.is_some())
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let program = folder.path("bin/log-in");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(plugin(&environment).found.as_ref(), Some(&program));
        assert!(program.exists());
    }
    fs::create_dir_all(folder.path("home/.kube")).unwrap();
    let kuberc = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n";
    fs::write(folder.path("home/.kube/kuberc"), kuberc).unwrap();
    let denied = plugin(&environment).policy_denied.unwrap();
    assert_eq!(
        denied,
        "plugin \"log-in\" not allowed: policy set to \"DenyAll\""
    );
}

#[test]
fn relative_paths_belong_to_their_file() {
    let text = "clusters:\n- name: c\n  cluster: {server: 'https://c:1', certificate-authority: sub/../ca.pem}\n\
                users:\n- name: u\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, \
                command: ./bin/login}}\n\
                contexts:\n- name: x\n  context: {cluster: c, user: u}\n";
    let folder = Folder::new(&[("dir/a", text), ("dir/ca.pem", "")]);
    let configs = Kubeconfigs::load(&[folder.path("dir/a")], &ConfigEnvironment::default());
    let chosen = configs.unwrap().choose(Some("x")).unwrap();
    let ca = chosen.cluster.certificate_authority;
    assert_eq!(PathBuf::from(ca), folder.path("dir/ca.pem"));
    let login = folder.path("dir/bin/login").to_string_lossy().into_owned();
    assert_eq!(chosen.entry.auth, AuthKind::Exec(login));
}
