use super::*;

#[test]
fn no_proxy_is_read_as_go_reads_it() {
    let cases: [(&str, &str, bool); 34] = [
        ("", "https://api.example.org:6443", false),
        ("*", "https://api.example.org:6443", true),
        ("a.b,*", "https://10.0.0.1", true),
        ("example.org", "https://example.org", true),
        ("example.org", "https://api.example.org:6443", true),
        ("EXAMPLE.org", "https://api.Example.ORG", true),
        ("example.org", "https://badexample.org", false),
        (".example.org", "https://api.example.org", true),
        (".example.org", "https://example.org", false),
        ("*.example.org", "https://api.example.org", true),
        ("*.example.org", "https://example.org", false),
        ("example.org:6443", "https://api.example.org:6443", true),
        ("example.org:6443", "https://api.example.org", false),
        ("example.org:443", "https://api.example.org", true),
        ("example.org:80", "http://api.example.org", true),
        ("example.org:https", "https://example.org", false),
        (" a , example.org ,", "https://example.org", true),
        (",,", "https://example.org", false),
        (":443", "https://example.org", false),
        ("10.0.0.0/8", "https://10.96.0.1:443", true),
        ("10.0.0.0/8", "https://11.0.0.1", false),
        ("10.0.0.0/8", "https://ten.example.org", false),
        ("0.0.0.0/0", "https://11.0.0.1", true),
        ("10.0.0.0/33", "https://10.0.0.0", false),
        ("10.0.0.1/32", "https://10.0.0.1", true),
        ("/var/run/docker.sock", "https://example.org", false),
        ("10.0.0.1", "https://10.0.0.1:6443", true),
        ("10.0.0.1:6443", "https://10.0.0.1:6443", true),
        ("10.0.0.1:1", "https://10.0.0.1:6443", false),
        ("fd00::/8", "https://[fd00::1]:6443", true),
        ("fd00::1", "https://[fd00::1]:6443", true),
        ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
        ("[fd00::1]:1", "https://[fd00::1]:6443", false),
        ("fd00::2", "https://[fd00::1]:6443", false),
    ];
    for (except, server, direct) in cases {
        let environment = ProxyEnvironment {
            https: Some("http://proxy:3128".to_owned()),
            http: Some("http://proxy:3128".to_owned()),
            except: Some(except.to_owned()),
        };
        let proxy = environment.on_the_way_to(&server.parse().unwrap());
        assert_eq!(proxy.is_none(), direct, "{except} {server}");
    }
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let environment = ProxyEnvironment {
        https: Some("proxy:3128".to_owned()),
        ..ProxyEnvironment::default()
    };
    for host in [
        "localhost",
        "127.0.0.1",
        "127.8.8.8",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let server = format!("https://{host}:6443").parse().unwrap();
        assert_eq!(environment.on_the_way_to(&server), None, "{host}");
    }
}

#[test]
fn the_scheme_of_the_server_chooses_the_variable() {
    let set = [
        ("HTTPS_PROXY", ""),
        ("https_proxy", "secure:1"),
        ("HTTP_PROXY", "socks5://plain:2"),
        ("http_proxy", "ignored:3"),
        ("no_proxy", "example.org"),
    ];
    let environment = ProxyEnvironment::read(|name| {
        let (_, value) = set.iter().find(|(set, _)| *set == name)?;
        Some((*value).to_owned())
    });
    let proxy = |server: &str| environment.on_the_way_to(&server.parse().unwrap());
    assert_eq!(
        proxy("https://a:1"),
        Some(("HTTPS_PROXY", "http://secure:1".to_owned()))
    );
    assert_eq!(
        proxy("http://a:1"),
        Some(("HTTP_PROXY", "socks5://plain:2".to_owned()))
    );
    assert_eq!(proxy("https://example.org"), None);
    let nothing = ProxyEnvironment::read(|_| None);
    assert_eq!(nothing.on_the_way_to(&"https://a".parse().unwrap()), None);
    let shown = format!("{environment:?}");
    assert!(!shown.contains("secure"), "{shown}");
}
