//! Hosts as people write them inside a cluster: `prometheus.istio-system:9090`, `tracing.istio-system.svc.cluster.local`.

use pilothouse_kube::{Inventory, ServiceFact};

use super::Where;

/// The Service that a URL names, with its port and path; `None` if it names none of this cluster.
pub(super) fn of_url(inventory: &Inventory, url: &str) -> Option<Where> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    let service = service_of_host(inventory, host)?;
    let default = if scheme == "https" { "443" } else { "80" };
    let base_path = path.split(['?', '#']).next().unwrap_or_default();
    Some(Where::Service {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        port: port.unwrap_or(default).to_owned(),
        https: scheme == "https",
        base_path: base_path.trim_end_matches('/').to_owned(),
    })
}

/// The Service of a host: `name.namespace`, with or without `.svc` and the cluster's domain; `MeshConfig` also writes
/// `namespace/host`.
pub(super) fn service_of_host<'i>(inventory: &'i Inventory, host: &str) -> Option<&'i ServiceFact> {
    let host = host.rsplit('/').next().unwrap_or(host);
    let mut parts = host.split('.');
    let (name, namespace) = (parts.next()?, parts.next()?);
    if parts.next().is_some_and(|svc| svc != "svc") {
        return None;
    }
    let services = inventory.services.result.as_ref().ok()?;
    services
        .iter()
        .find(|service| service.name == name && service.namespace == namespace)
}

/// An address as it may be shown: without user, password, query and fragment. A flag may hold them, and so may what
/// somebody wrote into a cluster.
pub(super) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // The last one, as for every reader of addresses: a password may hold one unescaped.
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let cases = [
            ("https://mimir/prometheus", "https://mimir/prometheus"),
            ("http://anna:canary@h:9090/p", "http://h:9090/p"),
            ("http://anna:can@ary@h:9090", "http://h:9090"),
            ("http://canary@h", "http://h"),
            ("https://h/p?token=canary#canary", "https://h/p"),
            ("anna:canary@h:9090", "h:9090"),
            ("http://h/a@b", "http://h/a@b"),
            ("", ""),
        ];
        for (url, shown) in cases {
            assert_eq!(without_secrets(url), shown, "{url}");
        }
    }
}
