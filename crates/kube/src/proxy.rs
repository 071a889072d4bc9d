//! Which proxy the environment names for a server.
//!
//! Follows Go's `golang.org/x/net/http/httpproxy`, as kubectl does. `kube` reads the same variables but compares
//! `NO_PROXY` with the address of the proxy instead of the server's, and does not connect at all if the list holds what
//! Go skips (a comma at the end); so the client gets its proxy from here and never looks itself.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// The part of the process environment that names proxies.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyEnvironment {
    /// `HTTPS_PROXY`, for servers whose address begins with `https`.
    pub https: Option<String>,
    /// `HTTP_PROXY`, for servers whose address begins with `http`.
    pub http: Option<String>,
    /// `NO_PROXY`: servers that are reached without one, separated by commas.
    pub except: Option<String>,
}

impl ProxyEnvironment {
    /// Reads the variables: names in capitals first, empty values are none.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |capitals: &str| {
            [capitals.to_owned(), capitals.to_ascii_lowercase()]
                .iter()
                .filter_map(|name| variable(name))
                .find(|value| !value.is_empty())
        };
        Self {
            https: either("HTTPS_PROXY"),
            http: either("HTTP_PROXY"),
            except: either("NO_PROXY"),
        }
    }

    /// The proxy on the way to this server and the variable that names it.
    pub(crate) fn on_the_way_to(&self, server: &Uri) -> Option<(&'static str, String)> {
        let (variable, proxy, port) = match server.scheme_str()? {
            "https" => ("HTTPS_PROXY", self.https.as_ref()?, 443),
            "http" => ("HTTP_PROXY", self.http.as_ref()?, 80),
            _ => return None,
        };
        let port = server.port_u16().unwrap_or(port);
        let except = self.except.as_deref().unwrap_or_default();
        if is_direct(except, server.host()?, port) {
            return None;
        }
        let url = if proxy.contains("://") {
            proxy.clone()
        } else {
            format!("http://{proxy}")
        };
        Some((variable, url))
    }
}

impl fmt::Debug for ProxyEnvironment {
    /// Proxy addresses hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyEnvironment").finish_non_exhaustive()
    }
}

/// Whether a server is reached without a proxy: this machine, or one that the list covers.
fn is_direct(except: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    let address = address.map(|address| address.to_canonical());
    if is_this_machine(&host, address) {
        return true;
    }
    let port = port.to_string();
    let mut entries = except.split(',').map(str::trim);
    entries.any(|entry| covers(&entry.to_ascii_lowercase(), &host, address, &port))
}

fn is_this_machine(host: &str, address: Option<IpAddr>) -> bool {
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Whether the way to a server's URL leaves this machine.
pub(crate) fn leaves_this_machine(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return true;
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    !is_this_machine(&host.to_ascii_lowercase(), host.parse().ok())
}

/// Whether an entry of `NO_PROXY` covers a server. `example.org` covers what is below it too, `.example.org` and
/// `*.example.org` only that.
fn covers(entry: &str, host: &str, address: Option<IpAddr>, port: &str) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return address.is_some_and(|address| is_in_network(address, network, bits));
    }
    let (name, wanted_port) = match entry.rsplit_once(':') {
        // An IPv6 address has colons of its own: its port comes after brackets.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
        _ => (entry, ""),
    };
    if name.is_empty() || !(wanted_port.is_empty() || wanted_port == port) {
        return false;
    }
    if let Ok(listed) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address == Some(listed.to_canonical());
    }
    let name = if name.starts_with("*.") {
        name.trim_start_matches('*')
    } else {
        name
    };
    if name.starts_with('.') {
        host.ends_with(name)
    } else {
        host == name || host.ends_with(&format!(".{name}"))
    }
}

fn is_in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    // A shift by the whole length leaves nothing to compare: `/0` holds every address.
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differs = address.to_bits() ^ network.to_bits();
            differs.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differs = address.to_bits() ^ network.to_bits();
            differs.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
