//! Where the kinds live in the API: groups, versions, plurals and paths; and documents of them.
//!
//! Owns the paths and nothing that goes through them.

use kube::core::ApiResource;
use pilothouse_core::model::{Object, ObjectKind};
use serde_json::Value;

/// API group; empty for the core group.
pub(crate) const fn group(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Namespace | ObjectKind::Service => "",
        ObjectKind::Deployment => "apps",
        ObjectKind::VirtualService | ObjectKind::DestinationRule => "networking.istio.io",
        ObjectKind::HttpRoute
        | ObjectKind::GrpcRoute
        | ObjectKind::TcpRoute
        | ObjectKind::TlsRoute => "gateway.networking.k8s.io",
    }
}

/// The resource's name in paths and in RBAC rules.
pub(crate) const fn plural(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Namespace => "namespaces",
        ObjectKind::Service => "services",
        ObjectKind::Deployment => "deployments",
        ObjectKind::VirtualService => "virtualservices",
        ObjectKind::DestinationRule => "destinationrules",
        ObjectKind::HttpRoute => "httproutes",
        ObjectKind::GrpcRoute => "grpcroutes",
        ObjectKind::TcpRoute => "tcproutes",
        ObjectKind::TlsRoute => "tlsroutes",
    }
}

/// Versions to try, newest first. Istio serves `v1` since 1.22; older installations only `v1beta1`. The Gateway API has
/// HTTPRoute in `v1` since 1.0, GRPCRoute since 1.1, TLSRoute and TCPRoute since later ones; before that they are alpha.
pub(crate) const fn versions(kind: ObjectKind) -> &'static [&'static str] {
    match kind {
        ObjectKind::VirtualService | ObjectKind::DestinationRule | ObjectKind::HttpRoute => {
            &["v1", "v1beta1"]
        }
        ObjectKind::Namespace | ObjectKind::Service | ObjectKind::Deployment => &["v1"],
        ObjectKind::GrpcRoute | ObjectKind::TcpRoute => &["v1", "v1alpha2"],
        ObjectKind::TlsRoute => &["v1", "v1alpha3", "v1alpha2"],
    }
}

/// Whether a CRD defines the kind, so that a server without it is a normal thing.
pub(crate) const fn is_custom(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::Namespace | ObjectKind::Service | ObjectKind::Deployment => false,
        ObjectKind::VirtualService
        | ObjectKind::DestinationRule
        | ObjectKind::HttpRoute
        | ObjectKind::GrpcRoute
        | ObjectKind::TcpRoute
        | ObjectKind::TlsRoute => true,
    }
}

/// Whether objects of the kind live in namespaces.
pub(crate) const fn is_namespaced(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Namespace)
}

/// The resource as `kube` wants it.
pub(crate) fn api_resource(kind: ObjectKind, version: &str) -> ApiResource {
    ApiResource {
        group: group(kind).to_owned(),
        version: version.to_owned(),
        api_version: api_version(kind, version),
        kind: kind.as_str().to_owned(),
        plural: plural(kind).to_owned(),
    }
}

/// Path of a list; `namespace` empty for all of them.
pub(crate) fn list_path(kind: ObjectKind, version: &str, namespace: &str) -> String {
    let api = api_version(kind, version);
    let root = if group(kind).is_empty() {
        "api"
    } else {
        "apis"
    };
    let plural = plural(kind);
    if namespace.is_empty() || !is_namespaced(kind) {
        format!("/{root}/{api}/{plural}")
    } else {
        format!("/{root}/{api}/namespaces/{namespace}/{plural}")
    }
}

/// Path of one object.
pub(crate) fn object_path(kind: ObjectKind, version: &str, namespace: &str, name: &str) -> String {
    format!("{}/{name}", list_path(kind, version, namespace))
}

/// Whether a name can stand in a path as it is. Kubernetes allows less; a name from a command line may hold anything,
/// and `x?dryRun=None` or `../secrets/x` must never reach the server as a path.
pub(crate) fn is_path_safe(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name != "." && name != ".." && name.bytes().all(allowed)
}

/// The object of a document. Items of a list of built-in kinds carry neither `apiVersion` nor `kind`: we asked for
/// them, so we know.
pub(crate) fn object(kind: ObjectKind, version: &str, mut doc: Value) -> Option<Object> {
    let fields = doc.as_object_mut()?;
    fields
        .entry("apiVersion")
        .or_insert_with(|| Value::from(api_version(kind, version)));
    fields
        .entry("kind")
        .or_insert_with(|| Value::from(kind.as_str()));
    let object = Object::from_document(doc);
    if object.is_none() {
        tracing::warn!(%kind, "the server sent an object without a name; it is left out");
    }
    object
}

fn api_version(kind: ObjectKind, version: &str) -> String {
    match group(kind) {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_group_version_and_namespace() {
        let cases = [
            (ObjectKind::Namespace, "v1", "shop", "/api/v1/namespaces"),
            (ObjectKind::Service, "v1", "", "/api/v1/services"),
            (
                ObjectKind::Service,
                "v1",
                "shop",
                "/api/v1/namespaces/shop/services",
            ),
            (
                ObjectKind::Deployment,
                "v1",
                "shop",
                "/apis/apps/v1/namespaces/shop/deployments",
            ),
            (
                ObjectKind::VirtualService,
                "v1beta1",
                "shop",
                "/apis/networking.istio.io/v1beta1/namespaces/shop/virtualservices",
            ),
            (
                ObjectKind::HttpRoute,
                "v1",
                "",
                "/apis/gateway.networking.k8s.io/v1/httproutes",
            ),
        ];
        for (kind, version, namespace, path) in cases {
            assert_eq!(list_path(kind, version, namespace), path);
        }
        assert_eq!(
            object_path(ObjectKind::Namespace, "v1", "", "shop"),
            "/api/v1/namespaces/shop"
        );
    }

    #[test]
    fn names_that_would_change_the_path_are_not_safe() {
        for name in ["reviews", "reviews.v1", "a-b_c"] {
            assert!(is_path_safe(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a?dryRun=None",
            "a#b",
            "a%2fb",
            "ü",
            "a b",
        ] {
            assert!(!is_path_safe(name), "{name}");
        }
    }

    #[test]
    fn items_of_a_list_get_the_kind_that_was_asked_for() {
        let doc = serde_json::json!({"metadata": {"name": "reviews", "namespace": "shop"}});
        let object = object(ObjectKind::Service, "v1", doc).unwrap();
        assert_eq!(object.reference.to_string(), "Service/shop/reviews");
        assert_eq!(object.doc["apiVersion"], "v1");
    }
}
