//! The address of an API server as kubectl understands it.
//!
//! Source: `DefaultServerURL` of `k8s.io/client-go/rest` (`url_utils.go`), and `net/http` for a password in an address.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Port, Scheme};

/// Where kubectl looks if no server is given.
pub(crate) const DEFAULT_SERVER: &str = "http://localhost:8080";

/// An address that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Scheme, host, port and path, and nothing else.
    pub(crate) url: Uri,
    /// What stood before the host, `user:password`; it is sent as it is in Go's client, before any other login.
    pub(crate) user_info: Option<String>,
}

impl Server {
    /// Whether credentials are shown to it: never in clear text, as kubectl does not.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == Some(&Scheme::HTTPS)
    }

    /// Reads an address. One without a scheme is plain HTTP.
    pub(crate) fn parse(server: &str) -> Result<Self, String> {
        let (scheme, rest) = match server.split_once("://") {
            Some((scheme, rest)) if !rest.is_empty() => (scheme.to_ascii_lowercase(), rest),
            _ => {
                let path = server.find('/').map_or("", |at| server.split_at(at).1);
                if server.is_empty() || path.len() > 1 {
                    return Err(format!(
                        "host must be a URL or a host:port pair: \"{}\"",
                        without_credentials(server)
                    ));
                }
                ("http".to_owned(), server)
            }
        };
        if !matches!(scheme.as_str(), "http" | "https") {
            let scheme = without_credentials(&scheme);
            return Err(format!("unsupported protocol scheme \"{scheme}\""));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info.to_owned()), host),
            None => (None, authority),
        };
        let host = host.strip_suffix(':').unwrap_or(host);
        let bad = || "its server is no http or https URL".to_owned();
        let host: Authority = host.parse().map_err(|_| bad())?;
        if host.host().is_empty() {
            return Err(bad());
        }
        if !port_is_sound(&host) {
            return Err("the port of its server is no number of a port".to_owned());
        }
        let path: PathAndQuery = if path.is_empty() { "/" } else { path }
            .parse()
            .map_err(|_| bad())?;
        let url = Uri::builder()
            .scheme(scheme.as_str())
            .authority(host)
            .path_and_query(path)
            .build();
        Ok(Self {
            url: url.map_err(|_| bad())?,
            user_info,
        })
    }
}

/// Whether the port is a number of a port, if there is one. Else the scheme's own port would stand in for it: another
/// server.
pub(crate) fn port_is_sound(host: &Authority) -> bool {
    let is_number = |port: Port<&str>| port.as_str().bytes().all(|digit| digit.is_ascii_digit());
    host.as_str() == host.host() || host.port().is_some_and(is_number)
}

/// A URL without `user:password@`, for people: also where it is none, or where a password holds what ends a host.
pub(crate) fn without_credentials(url: &str) -> String {
    let host_of = |text: &str| match text.rsplit_once('@') {
        Some((_, host)) => host.to_owned(),
        None => text.to_owned(),
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        return host_of(url);
    };
    let scheme = host_of(scheme);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    // What is no port is the beginning of a password.
    let is_cut = !authority.contains('@') && !port.bytes().all(|b| b.is_ascii_digit() || b == b']');
    if is_cut && path.contains('@') {
        return format!("{scheme}://{}", host_of(rest));
    }
    format!("{scheme}://{}{path}", host_of(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_reads_them() {
        let cases = [
            ("https://a:1", Ok(("https://a:1/", None))),
            ("HTTPS://a", Ok(("https://a/", None))),
            (
                "https://a:1/k8s/c-1?x=y#z",
                Ok(("https://a:1/k8s/c-1", None)),
            ),
            ("https://a?x", Ok(("https://a/", None))),
            ("https://u:p@a:1", Ok(("https://a:1/", Some("u:p")))),
            ("https://[::1]:6443", Ok(("https://[::1]:6443/", None))),
            ("10.0.0.1:6443", Ok(("http://10.0.0.1:6443/", None))),
            ("localhost:6443/", Ok(("http://localhost:6443/", None))),
            ("a", Ok(("http://a/", None))),
            ("a/b", Err("host must be")),
            ("ftp://a", Err("unsupported protocol scheme \"ftp\"")),
            ("https://", Err("")),
            ("https://a b", Err("no http")),
            ("https://a:https", Err("no number of a port")),
            ("https://[::1]:x/y", Err("no number of a port")),
            ("a:99999", Err("no number of a port")),
            ("https://a:+6443", Err("no number of a port")),
            ("", Err("host must be")),
            ("https:/u:p@a:1", Err("pair: \"a:1\"")),
            ("u:p@ftp://a", Err("scheme \"ftp\"")),
        ];
        for (server, expect) in cases {
            match (Server::parse(server), expect) {
                (Ok(read), Ok((url, user_info))) => {
                    assert_eq!(read.url.to_string(), url);
                    assert_eq!(read.user_info.as_deref(), user_info);
                }
                (Err(error), Err(part)) => assert!(error.contains(part), "{server}: {error}"),
                (read, _) => panic!("{server}: {read:?}"),
            }
        }
    }

    #[test]
    fn credentials_leave_a_url() {
        let cases = [
            ("https://a:1/x", "https://a:1/x"),
            ("https://u:p@a:1/x@y", "https://a:1/x@y"),
            ("socks5://u:p@127.0.0.1:9", "socks5://127.0.0.1:9"),
            ("nonsense", "nonsense"),
            ("https:/u:p@a:1", "a:1"),
            ("u:p@a:6443", "a:6443"),
            ("u:p@https://a", "https://a"),
            ("https://u:p/q@a:1/x", "https://a:1/x"),
            ("https://[::1]:1/x@y", "https://[::1]:1/x@y"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
