use std::path::Path;

use kube::config::Kubeconfig;
use pilothouse_core::ports::ControlPlane;
use tokio::io::AsyncReadExt;

use super::*;
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
        let options = options(&file, &kubeconfig(cluster, "{}"), environment.clone());
        let (connector, facts) = prepare(&options).unwrap();
        assert_eq!(facts.proxy.as_deref(), proxy, "{cluster}");
        assert_eq!(proxy_url(&connector).is_some(), proxy.is_some());
    }
    let environment = ProxyEnvironment {
        https: Some("ftp://company".to_owned()),
        ..environment
    };
    let text = kubeconfig("{server: 'https://a:1'}", "{}");
    let error = prepare(&options(&file, &text, environment)).map(|_| ());
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
    let source = KubeSource::connect(options).unwrap();
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
    let (_, facts) = prepare(&options).unwrap();
    let reread = renewal(&options, facts);
    let cases = [
        (kubeconfig(cluster, "{token: fresh}"), true),
        (kubeconfig(cluster, "{exec: {command: login}}"), true),
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

/// `kube` is the oracle: its own reading of the same file, where no proxy is concerned.
#[test]
fn certificates_are_read_as_kube_reads_them() {
    let block = "-----BEGIN CERTIFICATE-----\r\naGVs\r\nbG8=\r\n-----END CERTIFICATE-----\r\n";
    let bundle = format!("# the authority\n{block}\nand another\n{block}");
    let encoded = BASE64.encode(&bundle);
    let cluster = format!(
        "{{server: 'https://a:1', tls-server-name: b, certificate-authority-data: {encoded}}}"
    );
    let text = kubeconfig(&cluster, "{exec: {command: x, provideClusterInfo: true}}");
    let mut read = Kubeconfig::from_yaml(&text).unwrap();
    read.current_context = Some("here".to_owned());
    let cluster = read.clusters[0].cluster.clone().unwrap();
    let user = read.auth_infos[0].auth_info.clone().unwrap();
    let ours = client_config(&cluster, user).unwrap();
    assert_eq!(ours.root_cert, Some(vec![b"hello".to_vec(); 2]));
    let theirs = Config::try_from(read).unwrap();
    assert_eq!(ours.root_cert, theirs.root_cert);
    assert_eq!(ours.tls_server_name, theirs.tls_server_name);
    assert_eq!(ours.cluster_url, theirs.cluster_url);
    let told = |config: Config| {
        let exec = config.auth_info.exec?;
        exec.cluster?.certificate_authority_data
    };
    assert_eq!(told(ours), told(theirs));

    for broken in ["", "hello", "-----BEGIN CERTIFICATE-----\naGVsbG8="] {
        assert_eq!(certificates(broken.as_bytes()), None, "{broken}");
    }
}
