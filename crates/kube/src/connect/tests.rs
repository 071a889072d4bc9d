use std::path::Path;

use pilothouse_core::ports::ControlPlane;
use tokio::io::AsyncReadExt;

use super::*;
use crate::age::tests::still;
use crate::proxy::ProxyEnvironment;
use crate::source::KubeSource;

/// A kubeconfig whose context `here` has this cluster and user.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "clusters:\n- name: c\n  cluster: {cluster}\nusers:\n- name: u\n  user: {user}\n\
         contexts:\n- name: here\n  context: {{cluster: c, user: u}}\n"
    )
}

fn options(file: &Path, text: &str, proxies: ProxyEnvironment) -> ConnectOptions {
    std::fs::write(file, text).unwrap();
    ConnectOptions {
        kubeconfig: vec![file.to_owned()],
        context: Some("here".to_owned()),
        environment: ConfigEnvironment {
            proxies,
            ..ConfigEnvironment::default()
        },
        ..ConnectOptions::default()
    }
}

/// The proxy that the client gets.
fn proxy_url(connector: &Connector) -> Option<String> {
    match connector {
        Connector::Config { config, .. } => config.proxy_url.as_ref().map(ToString::to_string),
        Connector::Fixed(_) => None,
    }
}

#[test]
fn the_proxy_is_the_contexts_own_or_the_environments() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config");
    let environment = ProxyEnvironment {
        https: Some("http://u:s3cret@company:3128".to_owned()),
        http: None,
        // Go skips the empty entry at the end.
        except: Some("example.org,".to_owned()),
    };
    let cases = [
        ("{server: 'https://a:1'}", Some("http://company:3128")),
        ("{server: 'http://a:1'}", None),
        ("{server: 'https://api.example.org:1'}", None),
        ("{server: 'https://127.0.0.1:1'}", None),
        (
            "{server: 'https://a:1', proxy-url: 'socks5://own:2'}",
            Some("socks5://own:2"),
        ),
        // As kubectl: NO_PROXY is about the environment's proxies.
        (
            "{server: 'https://api.example.org:1', proxy-url: 'http://own:2'}",
            Some("http://own:2"),
        ),
    ];
    for (cluster, proxy) in cases {
        let options = options(
            &file,
            &kubeconfig(cluster, "{token: t}"),
            environment.clone(),
        );
        let (connector, facts) = prepare(&options, &still()).unwrap();
        assert_eq!(facts.proxy.as_deref(), proxy, "{cluster}");
        assert_eq!(proxy_url(&connector).is_some(), proxy.is_some());
    }
    let environment = ProxyEnvironment {
        https: Some("ftp://company".to_owned()),
        ..environment
    };
    let text = kubeconfig("{server: 'https://a:1'}", "{token: t}");
    let error = prepare(&options(&file, &text, environment), &still()).map(|_| ());
    let error = error.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
    assert!(error.hint.contains("HTTPS_PROXY"), "{}", error.hint);
}

/// Over a real connection.
#[tokio::test]
async fn the_proxy_of_the_environment_is_asked_for_the_way_to_the_server() {
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let environment = ProxyEnvironment {
        http: Some(proxy.local_addr().unwrap().to_string()),
        ..ProxyEnvironment::default()
    };
    let folder = tempfile::TempDir::new().unwrap();
    let text = kubeconfig("{server: 'http://cluster.example:6443'}", "{}");
    let options = options(&folder.path().join("config"), &text, environment);
    let source = KubeSource::connect(options, still()).unwrap();
    let asked = async {
        let (mut connection, _) = proxy.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        }
        String::from_utf8(request).unwrap()
    };
    let asked = tokio::select! {
        asked = asked => asked,
        answer = source.identity() => panic!("{answer:?}"),
    };
    assert!(
        asked.starts_with("CONNECT cluster.example:6443 "),
        "{asked}"
    );
}

#[test]
fn a_renewed_login_leads_to_the_same_server_or_is_left_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config");
    let cluster = "{server: 'https://a:1'}";
    let text = kubeconfig(cluster, "{token: stale}");
    let options = options(&file, &text, ProxyEnvironment::default());
    let (_, facts) = prepare(&options, &still()).unwrap();
    let reread = renewal(&options, facts, still());
    let cases = [
        (kubeconfig(cluster, "{token: fresh}"), true),
        (
            kubeconfig(
                cluster,
                "{exec: {command: login, apiVersion: client.authentication.k8s.io/v1beta1}}",
            ),
            true,
        ),
        (kubeconfig("{server: 'https://b:1'}", "{token: t}"), false),
        (
            kubeconfig(
                "{server: 'https://a:1', insecure-skip-tls-verify: true}",
                "{}",
            ),
            false,
        ),
        (kubeconfig(cluster, "{token: t, as: root}"), false),
        ("contexts: [".to_owned(), false),
        (String::new(), false),
    ];
    for (text, is_taken) in cases {
        std::fs::write(&file, &text).unwrap();
        assert_eq!(reread().is_some(), is_taken, "{text}");
    }
}

#[test]
fn a_plugin_is_told_about_the_cluster_if_it_asks() {
    let folder = tempfile::TempDir::new().unwrap();
    let cluster = "{server: 'https://a:1/k8s?x', tls-server-name: b, proxy-url: 'http://p:1', disable-compression: true, \
                   certificate-authority-data: LS0t, extensions: [{name: other, extension: 1}, \
                   {name: client.authentication.k8s.io/exec, extension: {audience: x, size: 3}}]}";
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never, \
                provideClusterInfo: true}}";
    let file = folder.path().join("config");
    let text = kubeconfig(cluster, user);
    let chosen = {
        let options = options(&file, &text, ProxyEnvironment::default());
        let files = Kubeconfigs::load(&options.kubeconfig, &options.environment).unwrap();
        files.choose(Some("here")).unwrap()
    };
    let server = Server::parse(&chosen.cluster.server).unwrap();
    let told = told(&chosen.user.exec.unwrap(), &chosen.cluster, &server);
    assert_eq!(
        told.unwrap().unwrap(),
        serde_json::json!({
            "server": "https://a:1/k8s", "tls-server-name": "b", "proxy-url": "http://p:1",
            "disable-compression": true, "certificate-authority-data": "LS0t",
            "config": {"audience": "x", "size": 3},
        })
    );
}

#[test]
fn an_authority_is_taken_or_refused_as_kubectl_does() {
    let certificate = BASE64.encode(pem::tests::CERTIFICATE);
    let junk = BASE64.encode("hello");
    let cases = [
        (
            format!("certificate-authority-data: {certificate}"),
            Ok(true),
        ),
        ("tls-server-name: b".to_owned(), Ok(false)),
        ("insecure-skip-tls-verify: yes".to_owned(), Ok(false)),
        (
            format!("certificate-authority-data: {certificate}, insecure-skip-tls-verify: true"),
            Err("specifying a root certificates file with the insecure flag is not allowed"),
        ),
        (
            format!("certificate-authority-data: {junk}"),
            Err("unable to load root certificates"),
        ),
        (
            "certificate-authority: nope.pem".to_owned(),
            Err("unable to read certificate-authority"),
        ),
        (
            "proxy-url: 'socks4://p:1'".to_owned(),
            Err("invalid 'proxy-url' for cluster"),
        ),
    ];
    let folder = tempfile::TempDir::new().unwrap();
    for (fields, expect) in cases {
        let text = kubeconfig(
            &format!("{{server: 'https://a:1', {fields}}}"),
            "{token: t}",
        );
        let options = options(
            &folder.path().join("config"),
            &text,
            ProxyEnvironment::default(),
        );
        match (prepare(&options, &still()), expect) {
            (Ok((Connector::Config { config, .. }, _)), Ok(has_root)) => {
                assert_eq!(config.root_cert.is_some(), has_root, "{fields}");
            }
            (Err(error), Err(words)) => assert!(error.message.contains(words), "{error}"),
            (Err(error), Ok(_)) => panic!("{fields}: {error}"),
            (Ok(_), _) => panic!("{fields}: taken"),
        }
    }
}

/// Over a real connection: nobody listens there.
#[tokio::test]
async fn without_a_cluster_the_default_server_is_tried_and_the_hint_says_why() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let folder = tempfile::TempDir::new().unwrap();
    let text = "contexts:\n- name: here\n  context: {cluster: gone}\n";
    let file = folder.path().join("config");
    let mut options = options(&file, text, ProxyEnvironment::default());
    options.environment.master = Some(address.clone());
    let source = KubeSource::connect(options, still()).unwrap();
    assert_eq!(source.facts().server, address);
    let error = source.identity().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(error.hint.contains("the cluster `gone`"), "{}", error.hint);
}

#[test]
fn a_proxy_whose_port_is_none_is_refused_and_never_replaced_by_another() {
    for refused in [
        "http://joe:secret@127.0.0.1:99999",
        "http://joe:secret@127.0.0.1:abc",
        "http://127.0.0.1:+80",
        "http://%zz@127.0.0.1:3128",
        "http://joe:%4@127.0.0.1:3128",
        "ftp://127.0.0.1:21",
        "http://:3128",
    ] {
        assert_eq!(parse_proxy(refused), None, "{refused}");
    }
    for taken in [
        "http://joe:s%40cret@127.0.0.1:3128",
        "socks5://[::1]:1080",
        "https://proxy",
        "http://proxy:",
    ] {
        assert!(parse_proxy(taken).is_some(), "{taken}");
    }
}
