//! Names of hosts: how a short name becomes a full one, and which name covers which.
//!
//! The rule is Istio's: a name **without** a dot belongs to the namespace of the object that says it; any name **with** a
//! dot is taken as it stands, so `reviews.prod` is not the Service `reviews` of the namespace `prod`.

/// Domain of the cluster's Services. Istio's default; a mesh with another one is not supported yet.
pub const CLUSTER_DOMAIN: &str = "cluster.local";

/// Namespace whose DestinationRules hold for the whole mesh.
pub const ROOT_NAMESPACE: &str = "istio-system";

/// The full name of a host that an object of `namespace` mentions.
///
/// ```
/// use pilothouse_core::traffic::full_host;
/// assert_eq!(full_host("reviews", "shop"), "reviews.shop.svc.cluster.local");
/// assert_eq!(full_host("reviews.prod", "shop"), "reviews.prod");
/// ```
#[must_use]
pub fn full_host(host: &str, namespace: &str) -> String {
    if host.is_empty() || host.contains('.') || host.contains(':') || host.starts_with('*') {
        return host.to_owned();
    }
    service_host(host, namespace)
}

/// The full name of a Service.
#[must_use]
pub fn service_host(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.svc.{CLUSTER_DOMAIN}")
}

/// Name and namespace of the Service that a full name stands for; `None` for a host outside the cluster.
#[must_use]
pub fn service_of(fqdn: &str) -> Option<(&str, &str)> {
    let service = fqdn.strip_suffix(CLUSTER_DOMAIN)?.strip_suffix(".svc.")?;
    let (name, namespace) = service.split_once('.')?;
    let whole = !name.is_empty() && !namespace.is_empty() && !namespace.contains('.');
    (whole && name != "*").then_some((name, namespace))
}

/// Whether a claimed host covers a full name: equal, or a wildcard (`*.shop.svc.cluster.local`, `*`) above it.
#[must_use]
pub fn host_covers(claimed: &str, fqdn: &str) -> bool {
    claimed.strip_prefix('*').map_or_else(
        || claimed == fqdn,
        |tail| fqdn.len() > tail.len() && fqdn.ends_with(tail),
    )
}

#[cfg(test)]
mod tests {
    use super::{full_host, host_covers, service_of};

    #[test]
    fn only_dotless_names_are_completed() {
        for (host, expected) in [
            ("reviews", "reviews.shop.svc.cluster.local"),
            ("reviews.prod", "reviews.prod"),
            ("api.example.com", "api.example.com"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("*", "*"),
            ("*.com", "*.com"),
            ("", ""),
        ] {
            assert_eq!(full_host(host, "shop"), expected);
        }
    }

    #[test]
    fn services_are_told_from_foreign_hosts() {
        for (host, expected) in [
            ("reviews.shop.svc.cluster.local", Some(("reviews", "shop"))),
            ("reviews.prod", None),
            ("a.b.c.svc.cluster.local", None),
            ("*.shop.svc.cluster.local", None),
            (".svc.cluster.local", None),
            ("svc.cluster.local", None),
        ] {
            assert_eq!(service_of(host), expected, "{host}");
        }
    }

    #[test]
    fn a_wildcard_covers_what_is_below_it() {
        let host = "reviews.shop.svc.cluster.local";
        for (claimed, covers) in [
            (host, true),
            ("*.shop.svc.cluster.local", true),
            ("*", true),
            ("*.pay.svc.cluster.local", false),
            ("shop.svc.cluster.local", false),
        ] {
            assert_eq!(host_covers(claimed, host), covers, "{claimed}");
        }
        assert!(!host_covers(
            "*.shop.svc.cluster.local",
            ".shop.svc.cluster.local"
        ));
    }
}
