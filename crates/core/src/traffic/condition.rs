//! Conditions of route entries: read from both APIs, told in words, and evaluated against a request.
//!
//! A [`Condition`] is one alternative (all of its parts must hold); an entry has any number of alternatives, none meaning
//! "every request". Parts that this module does not know are kept by name, so that such a condition is never taken for a
//! catch-all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::route_api::{RouteApi, RouteFamily};
use super::view::{labels_at, list, port, spec, text, texts};

/// How one text is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StringMatch {
    /// Equal.
    Exact(String),
    /// Starts with it, letter by letter (VirtualService).
    Prefix(String),
    /// Starts with it, path element by path element (HTTPRoute): `/api` fits `/api/x` and not `/apix`.
    PathPrefix(String),
    /// An RE2 expression that the whole text must match. Not evaluated here unless it matches everything.
    Regex(String),
    /// The header is there, whatever its value.
    Present,
}

impl StringMatch {
    /// Whether `value` fits; `None` if that cannot be told (a regular expression).
    #[must_use]
    pub fn fits(&self, value: &str) -> Option<bool> {
        match self {
            Self::Exact(wanted) => Some(value == wanted),
            Self::Prefix(wanted) => Some(value.starts_with(wanted.as_str())),
            Self::PathPrefix(wanted) => {
                let wanted = wanted.trim_end_matches('/');
                let rest = value.strip_prefix(wanted);
                Some(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])))
            }
            Self::Regex(expression) => matches!(expression.as_str(), ".*" | "*").then_some(true),
            Self::Present => Some(true),
        }
    }

    fn everything(&self) -> bool {
        match self {
            Self::Prefix(path) | Self::PathPrefix(path) => path == "/",
            Self::Regex(expression) => matches!(expression.as_str(), "*" | ".*"),
            Self::Exact(_) | Self::Present => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Exact(wanted) => format!("= {wanted}"),
            Self::Prefix(wanted) | Self::PathPrefix(wanted) => format!("starts with {wanted}"),
            Self::Regex(expression) => format!("~ {expression}"),
            Self::Present => "is present".to_owned(),
        }
    }
}

/// One alternative of an entry's conditions: all parts must hold; an absent part does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Condition {
    /// Path of the URI.
    pub path: Option<StringMatch>,
    /// HTTP method.
    pub method: Option<StringMatch>,
    /// `:authority`.
    pub authority: Option<StringMatch>,
    /// `http` or `https`.
    pub scheme: Option<StringMatch>,
    /// Headers that must fit, by lower-case name.
    pub headers: BTreeMap<String, StringMatch>,
    /// Headers that must not fit, by lower-case name.
    pub without_headers: BTreeMap<String, StringMatch>,
    /// Query parameters that must fit.
    pub query: BTreeMap<String, StringMatch>,
    /// Labels of the calling workload.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the calling workload.
    pub source_namespace: Option<String>,
    /// Port of the host that is called.
    pub port: Option<u16>,
    /// Gateways (and `mesh`) that it holds for; empty: those of the object.
    pub gateways: Vec<String>,
    /// Server names of a TLS connection.
    pub sni_hosts: Vec<String>,
    /// Parts that we do not know, by field name.
    pub unknown: Vec<String>,
}

/// What there is to know about a request when conditions are evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RequestFacts {
    /// Path, without the query.
    pub path: String,
    /// Method.
    pub method: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// Labels of the calling workload.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the calling workload.
    pub source_namespace: String,
    /// Port of the host that is called, if it matters.
    pub port: Option<u16>,
}

impl Condition {
    /// Whether every request fits, whoever calls.
    #[must_use]
    pub fn catch_all(&self) -> bool {
        let Self {
            path,
            gateways: _,
            sni_hosts,
            ..
        } = self;
        let rest = Self {
            path: None,
            gateways: Vec::new(),
            sni_hosts: Vec::new(),
            ..self.clone()
        };
        let bound_to_gateways =
            !self.gateways.is_empty() && !self.gateways.iter().any(|g| g == "mesh");
        path.as_ref().is_none_or(StringMatch::everything)
            && sni_hosts.is_empty()
            && !bound_to_gateways
            && rest == Self::default()
    }

    /// Whether this request fits; a part that cannot be evaluated (regular expressions, unknown fields) counts as not
    /// fitting. Gateways are not looked at: the caller has filtered by them.
    #[must_use]
    pub fn fits(&self, facts: &RequestFacts) -> bool {
        let one = |wanted: &Option<StringMatch>, value: &str| {
            wanted.as_ref().is_none_or(|w| w.fits(value) == Some(true))
        };
        let map_fits = |wanted: &BTreeMap<String, StringMatch>, have: &BTreeMap<String, String>| {
            wanted
                .iter()
                .all(|(name, w)| have.get(name).is_some_and(|v| w.fits(v) == Some(true)))
        };
        let authority = facts
            .headers
            .get(":authority")
            .or_else(|| facts.headers.get("host"));
        self.unknown.is_empty()
            && self.sni_hosts.is_empty()
            && one(&self.path, &facts.path)
            && one(&self.method, &facts.method)
            && one(&self.authority, authority.map_or("", String::as_str))
            && one(
                &self.scheme,
                facts.headers.get(":scheme").map_or("http", String::as_str),
            )
            && map_fits(&self.headers, &facts.headers)
            && map_fits(&self.query, &facts.query)
            && !self.without_headers.iter().any(|(name, w)| {
                // A header that cannot be judged must not let the request through.
                facts
                    .headers
                    .get(name)
                    .is_some_and(|v| w.fits(v) != Some(false))
            })
            && self
                .source_labels
                .iter()
                .all(|(name, value)| facts.source_labels.get(name) == Some(value))
            && self
                .source_namespace
                .as_ref()
                .is_none_or(|ns| *ns == facts.source_namespace)
            && self
                .port
                .is_none_or(|port| facts.port.is_none_or(|asked| asked == port))
    }

    /// Whether it can hold for sidecars of this namespace at all.
    #[must_use]
    pub fn concerns(&self, client_namespace: &str) -> bool {
        let in_mesh = self.gateways.is_empty() || self.gateways.iter().any(|g| g == "mesh");
        in_mesh
            && self
                .source_namespace
                .as_ref()
                .is_none_or(|ns| ns == client_namespace)
    }

    /// Both: what a delegate's entry means below its root's. Where both name the same part the delegate's counts (Istio
    /// demands that it is the narrower one).
    #[must_use]
    pub fn and(&self, narrower: &Self) -> Self {
        let mut both = self.clone();
        let narrower = narrower.clone();
        both.path = narrower.path.or(both.path);
        both.method = narrower.method.or(both.method);
        both.authority = narrower.authority.or(both.authority);
        both.scheme = narrower.scheme.or(both.scheme);
        both.source_namespace = narrower.source_namespace.or(both.source_namespace);
        both.port = narrower.port.or(both.port);
        both.headers.extend(narrower.headers);
        both.without_headers.extend(narrower.without_headers);
        both.query.extend(narrower.query);
        both.source_labels.extend(narrower.source_labels);
        both.sni_hosts.extend(narrower.sni_hosts);
        both.unknown.extend(narrower.unknown);
        if !narrower.gateways.is_empty() {
            both.gateways = narrower.gateways;
        }
        both
    }

    /// For people: `path starts with /api and header end-user = jason`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        let singles = [
            ("path", &self.path),
            ("method", &self.method),
            ("authority", &self.authority),
            ("scheme", &self.scheme),
        ];
        for (name, wanted) in singles {
            parts.extend(wanted.iter().map(|w| format!("{name} {}", w.words())));
        }
        for (kind, map) in [
            ("header", &self.headers),
            ("no header", &self.without_headers),
            ("query", &self.query),
        ] {
            parts.extend(
                map.iter()
                    .map(|(name, w)| format!("{kind} {name} {}", w.words())),
            );
        }
        let labels = self.source_labels.iter();
        parts.extend(labels.map(|(name, value)| format!("client label {name} = {value}")));
        let namespace = self.source_namespace.iter();
        parts.extend(namespace.map(|ns| format!("client namespace = {ns}")));
        parts.extend(self.port.iter().map(|port| format!("port = {port}")));
        if !self.sni_hosts.is_empty() {
            parts.push(format!("SNI {}", self.sni_hosts.join(" or ")));
        }
        if !self.gateways.is_empty() {
            parts.push(format!("through {}", self.gateways.join(" or ")));
        }
        parts.extend(self.unknown.iter().map(|field| format!("{field} …")));
        if parts.is_empty() {
            return ALL_REQUESTS.to_owned();
        }
        parts.join(" and ")
    }
}

const ALL_REQUESTS: &str = "all requests";

/// The alternatives in words.
pub(super) fn words(conditions: &[Condition]) -> String {
    if conditions.is_empty() || conditions.iter().any(|c| *c == Condition::default()) {
        return ALL_REQUESTS.to_owned();
    }
    let all: Vec<String> = conditions.iter().map(Condition::words).collect();
    all.join(" or ")
}

/// The alternatives of an entry of a delegate below those of its root's entry; none on either side means every request.
pub(super) fn narrowed(root: &[Condition], own: &[Condition]) -> Vec<Condition> {
    match (root.is_empty(), own.is_empty()) {
        (true, _) => own.to_vec(),
        (false, true) => root.to_vec(),
        (false, false) => root
            .iter()
            .flat_map(|root| own.iter().map(|own| root.and(own)))
            .collect(),
    }
}

/// Whether the alternatives together take every request (one of them does, or there is none).
pub(super) fn takes_everything(conditions: &[Condition]) -> bool {
    conditions.is_empty() || conditions.iter().any(Condition::catch_all)
}

/// The alternatives of an entry.
pub(super) fn read_conditions(api: RouteApi, entry: &Value) -> Vec<Condition> {
    let alternatives = list(entry, api.conditions_field()).iter();
    match (api.family(), api) {
        (RouteFamily::Istio, _) => alternatives.map(read_istio).collect(),
        (_, RouteApi::GrpcRoute) => alternatives.map(read_grpc).collect(),
        (RouteFamily::GatewayApi, _) => alternatives.map(read_gateway_api).collect(),
    }
}

/// What the object as a whole asks of whoever takes one of its entries: a TLSRoute names its servers beside its rules.
pub(super) fn conditions_of_object(api: RouteApi, doc: &Value) -> Vec<Condition> {
    let sni_hosts = texts(spec(doc), "hostnames");
    if api != RouteApi::TlsRoute || sni_hosts.is_empty() {
        return Vec::new();
    }
    vec![Condition {
        sni_hosts,
        ..Condition::default()
    }]
}

fn read_istio(value: &Value) -> Condition {
    let one = |key: &str| value.get(key).map(istio_string);
    let many = |key: &str, lower: bool| {
        let map = value.get(key).and_then(Value::as_object);
        let pairs = map.into_iter().flatten();
        let name = |k: &String| {
            if lower {
                k.to_ascii_lowercase()
            } else {
                k.clone()
            }
        };
        pairs.map(|(k, v)| (name(k), istio_string(v))).collect()
    };
    let known = [
        "name",
        "uri",
        "ignoreUriCase",
        "method",
        "authority",
        "scheme",
        "headers",
        "withoutHeaders",
        "queryParams",
        "sourceLabels",
        "sourceNamespace",
        "port",
        "gateways",
        "sniHosts",
        "statPrefix",
    ];
    Condition {
        path: one("uri"),
        method: one("method"),
        authority: one("authority"),
        scheme: one("scheme"),
        headers: many("headers", true),
        without_headers: many("withoutHeaders", true),
        query: many("queryParams", false),
        source_labels: labels_at(value, "/sourceLabels").unwrap_or_default(),
        source_namespace: text(value, "sourceNamespace").map(ToOwned::to_owned),
        port: port(value.get("port")),
        gateways: texts(value, "gateways"),
        sni_hosts: texts(value, "sniHosts"),
        unknown: unknown_fields(value, &known),
    }
}

fn istio_string(value: &Value) -> StringMatch {
    let part = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let exact = part("exact").map(StringMatch::Exact);
    let prefix = || part("prefix").map(StringMatch::Prefix);
    let regex = || part("regex").map(StringMatch::Regex);
    exact
        .or_else(prefix)
        .or_else(regex)
        .unwrap_or(StringMatch::Present)
}

/// Named parts of a match of the Gateway API; `lower`: whatever the case of their names.
fn named_parts(value: &Value, key: &str, lower: bool) -> BTreeMap<String, StringMatch> {
    let read = |item: &Value| {
        let name = text(item, "name")?;
        let name = if lower {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        };
        Some((name, gateway_string(item, "Exact")))
    };
    list(value, key).iter().filter_map(read).collect()
}

/// A call of gRPC is a request to the path `/SERVICE/METHOD`.
fn read_grpc(value: &Value) -> Condition {
    let method = value.get("method").unwrap_or(&Value::Null);
    let path = match (text(method, "service"), text(method, "method")) {
        (None, None) => None,
        (service, called) if text(method, "type") == Some("RegularExpression") => {
            let any = "[^/]+";
            let (service, called) = (service.unwrap_or(any), called.unwrap_or(any));
            Some(StringMatch::Regex(format!("/{service}/{called}")))
        }
        (Some(service), Some(called)) => Some(StringMatch::Exact(format!("/{service}/{called}"))),
        (Some(service), None) => Some(StringMatch::PathPrefix(format!("/{service}"))),
        (None, Some(called)) => Some(StringMatch::Regex(format!("/[^/]+/{called}"))),
    };
    Condition {
        path,
        headers: named_parts(value, "headers", true),
        unknown: unknown_fields(value, &["method", "headers"]),
        ..Condition::default()
    }
}

fn read_gateway_api(value: &Value) -> Condition {
    Condition {
        path: value
            .get("path")
            .map(|path| gateway_string(path, "PathPrefix")),
        method: text(value, "method").map(|m| StringMatch::Exact(m.to_owned())),
        headers: named_parts(value, "headers", true),
        query: named_parts(value, "queryParams", false),
        unknown: unknown_fields(value, &["path", "method", "headers", "queryParams"]),
        ..Condition::default()
    }
}

fn gateway_string(value: &Value, default_type: &str) -> StringMatch {
    let wanted = text(value, "value").unwrap_or("/").to_owned();
    match text(value, "type").unwrap_or(default_type) {
        "PathPrefix" => StringMatch::PathPrefix(wanted),
        "RegularExpression" => StringMatch::Regex(wanted),
        _ => StringMatch::Exact(wanted),
    }
}

fn unknown_fields(value: &Value, known: &[&str]) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, _)| name.clone())
        .filter(|name| !known.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]
mod tests;
