use std::fs;

use tempfile::TempDir;

use super::*;

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
        configs.files().collect::<Vec<_>>(),
        [folder.path("home/.kube/config")]
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
fn broken_files_are_named_with_the_position_and_no_secret() {
    let cases = [
        "clusters: []\nusers: [\n  token: s3cret\n",
        "clusters: []\nusers: \"s3cret\"\n",
        "users:\n- name: a\n  user: {token: [s3cret]}\n",
        "users:\n- name: a\n  user: {token: {s3cret: 1}}\n",
        "a: b: s3cret\n",
    ];
    for text in cases {
        let folder = Folder::new(&[("broken", text)]);
        let error = Kubeconfigs::load(&[], &folder.variable(&["broken"])).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{text}");
        assert!(error.message.contains("broken: line "), "{}", error.message);
        assert!(!error.message.contains("s3cret"), "{}", error.message);
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

    let server = |selector: Option<&str>| configs.choose(selector).unwrap().cluster.server.unwrap();
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
fn contexts_that_cannot_be_used_say_why() {
    let text = "contexts:\n\
                - name: no-cluster\n  context: {cluster: gone, user: u}\n\
                - name: no-user\n  context: {cluster: c, user: gone}\n\
                clusters:\n- name: c\n  cluster: {server: 'https://c:1'}\n";
    let folder = Folder::new(&[("a", text)]);
    let configs = Kubeconfigs::load(&[], &folder.variable(&["a"])).unwrap();
    let cases = [
        (None, "no context is chosen", "no-cluster, no-user"),
        (Some("x"), "there is no context `x`", "no-cluster, no-user"),
        (
            Some("no-cluster"),
            "the cluster `gone`",
            "correct the context in",
        ),
        (Some("no-user"), "the user `gone`", "correct the context in"),
    ];
    for (selector, message, hint) in cases {
        let error = configs.choose(selector).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
        assert!(error.message.contains(message), "{}", error.message);
        assert!(error.hint.contains(hint), "{}", error.hint);
    }
}

#[test]
fn relative_paths_belong_to_their_file() {
    let text = "clusters:\n- name: c\n  cluster: {server: 'https://c:1', certificate-authority: ca.pem}\n\
                users:\n- name: u\n  user: {exec: {command: ./bin/login}}\n\
                contexts:\n- name: x\n  context: {cluster: c, user: u}\n";
    let folder = Folder::new(&[("dir/a", text)]);
    let configs = Kubeconfigs::load(&[folder.path("dir/a")], &ConfigEnvironment::default());
    let chosen = configs.unwrap().choose(Some("x")).unwrap();
    let ca = chosen.cluster.certificate_authority.unwrap();
    assert_eq!(PathBuf::from(ca), folder.path("dir/ca.pem"));
    assert!(matches!(chosen.entry.auth, AuthKind::Exec(program) if program.ends_with("bin/login")));
}

#[test]
fn odd_content_is_read_or_refused_but_never_a_panic() {
    for text in [
        "",
        "---\n---\n",
        "null",
        "contexts: null",
        "clusters:\n- name: c\n",
        "\u{feff}",
    ] {
        let folder = Folder::new(&[("a", text)]);
        let configs = Kubeconfigs::load(&[], &folder.variable(&["a"]));
        assert!(configs.is_ok_and(|c| c.contexts().is_empty()), "{text:?}");
    }
}

#[test]
fn credentials_leave_a_url() {
    let cases = [
        ("https://a:1/x", "https://a:1/x"),
        ("https://u:p@a:1/x@y", "https://a:1/x@y"),
        ("socks5://u:p@127.0.0.1:9", "socks5://127.0.0.1:9"),
        ("nonsense", "nonsense"),
    ];
    for (url, shown) in cases {
        assert_eq!(without_credentials(url), shown);
    }
}
