//! What the answers of a cluster read like: one sentence a line, built from what was asked and answered.

use pilothouse_api::dto::LineState;
use pilothouse_engine::{SourceError, SourceErrorKind};
use pilothouse_kube::{Inventory, Rights, ServerVersion, Subject, Verdict, Who, rbac_yaml};

use super::board::Line;
use crate::choice::refused;

/// A question that failed, as a line.
pub(crate) fn failed(error: &SourceError) -> Line {
    let state = if error.kind == SourceErrorKind::NotFound {
        LineState::Missing
    } else {
        refused(error).state
    };
    Line::new(state, error.message.clone()).hint(error.hint.clone())
}

pub(crate) fn api_server(version: Option<&ServerVersion>, server: &str, insecure: bool) -> Line {
    let version = version.map_or_else(
        || "an API server that does not tell its version".to_owned(),
        |version| match &version.distribution {
            Some(distribution) => format!("Kubernetes {} ({distribution})", version.git_version),
            None => format!("Kubernetes {}", version.git_version),
        },
    );
    let checked = match (server.starts_with("https://"), insecure) {
        (true, false) => "its certificate was checked",
        (true, true) => "its certificate was NOT checked",
        (false, _) => "the connection is not encrypted",
    };
    let line = Line::ok(format!("{version} at {server}, {checked}"));
    if insecure {
        Line {
            state: LineState::Note,
            ..line
        }
        .hint("the kubeconfig says insecure-skip-tls-verify: set certificate-authority instead")
    } else {
        line
    }
}

pub(crate) fn user(who: &Result<Option<Who>, SourceError>) -> Line {
    match who {
        Ok(Some(who)) => {
            let groups: Vec<&str> = who
                .groups
                .iter()
                .map(String::as_str)
                .filter(|group| *group != "system:authenticated")
                .collect();
            let groups = match groups.as_slice() {
                [] => "no groups of its own".to_owned(),
                [one] => format!("group {one}"),
                several => format!("groups {}", listed(several.iter().copied())),
            };
            Line::ok(format!("{}, {groups}", who.user)).action(
                "copy",
                "Copy",
                Some(who.user.clone()),
            )
        }
        Ok(None) => Line::new(
            LineState::Note,
            "the server does not say who we are (SelfSubjectReview, since Kubernetes 1.28)",
        ),
        Err(error) => failed(error),
    }
}

pub(crate) fn namespaces(inventory: &Inventory, chosen: &[String]) -> Line {
    match (&inventory.namespaces.result, chosen) {
        (Ok(all), []) => Line::ok(counted(all.len(), "namespace", "listed")),
        (Ok(all), chosen) => Line::ok(format!(
            "{} of {} chosen: {}",
            chosen.len(),
            all.len(),
            listed(chosen.iter().map(String::as_str))
        )),
        (Err(error), []) if error.kind == SourceErrorKind::Forbidden => Line::new(
            LineState::Note,
            "may not be listed: the namespace of the kubeconfig is used",
        )
        .hint("name the namespaces that you work in (-n, or in the settings of this context)")
        .action("namespaces", "Type namespaces…", None),
        (Err(error), _) if error.kind == SourceErrorKind::Forbidden => {
            Line::ok(listed(chosen.iter().map(String::as_str)))
        }
        (Err(error), _) => failed(error),
    }
}

pub(crate) fn istio(inventory: &Inventory) -> Line {
    let istiods = match &inventory.istiods.result {
        Ok(istiods) => istiods,
        Err(error) if error.kind == SourceErrorKind::Forbidden => {
            return Line::new(LineState::Note, "istiod's Deployments may not be read")
                .hint("nothing depends on it but what is said here");
        }
        Err(error) => return failed(error),
    };
    if istiods.is_empty() {
        return match inventory.serves("networking.istio.io") {
            Some(true) => Line::new(
                LineState::Note,
                "its kinds are installed, but no istiod was found in the namespaces that we read",
            ),
            Some(false) | None => Line::new(LineState::Missing, "not installed"),
        };
    }
    let one = |istiod: &pilothouse_kube::IstiodFact| {
        let version = istiod.version.as_deref().unwrap_or("of unknown version");
        format!("{version}, revision {}", istiod.revision)
    };
    let versions: Vec<String> = istiods.iter().map(one).collect();
    let mode = match inventory.is_ambient() {
        Some(true) => "with ambient",
        Some(false) => "sidecars only",
        None => "ambient unknown",
    };
    let cluster = inventory
        .cluster_name()
        .map(|name| format!(", cluster id {name}"))
        .unwrap_or_default();
    Line::ok(format!("{} ({mode}{cluster})", versions.join("; ")))
}

pub(crate) fn gateway_api(inventory: &Inventory) -> Line {
    match &inventory.apis.result {
        Err(error) => failed(error),
        Ok(apis) => {
            let routes: Vec<&str> = apis
                .gateway_kinds
                .values()
                .flatten()
                .map(String::as_str)
                .filter(|kind| kind.ends_with("Route"))
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect();
            match apis.versions.get("gateway.networking.k8s.io") {
                None => Line::new(LineState::Missing, "not installed"),
                Some(versions) => Line::ok(format!(
                    "{}: {}",
                    versions.join(", "),
                    listed(routes.iter().copied())
                )),
            }
        }
    }
}

/// Tools that may own routes, by the API group that they bring.
const OWNERS: [(&str, &str); 4] = [
    ("argoproj.io", "Argo (Rollouts or CD)"),
    ("flagger.app", "Flagger"),
    ("kustomize.toolkit.fluxcd.io", "Flux"),
    ("helm.toolkit.fluxcd.io", "Flux (Helm)"),
];

pub(crate) fn owners(inventory: &Inventory) -> Line {
    match &inventory.apis.result {
        Err(error) => failed(error),
        Ok(apis) => {
            let here: Vec<&str> = OWNERS
                .iter()
                .filter(|(group, _)| apis.versions.contains_key(*group))
                .map(|(_, tool)| *tool)
                .collect();
            if here.is_empty() {
                Line::ok("no rollout or GitOps controller is installed: splits are yours")
            } else {
                Line::ok(format!(
                    "{} installed: what they own is theirs",
                    listed(here.iter().copied())
                ))
            }
        }
    }
}

/// What we may do. Rights in some namespaces only are normal; what is missing comes as a rule to copy.
pub(crate) fn rights(rights: &Rights, who: &Result<Option<Who>, SourceError>) -> Line {
    let missing = rights.missing_rules();
    let unknown = rights
        .rights
        .iter()
        .any(|right| matches!(right.verdict, Verdict::Unknown(_)));
    let patches = |group: &str, resource: &str| rights.namespaces("patch", group, resource);
    let writable = [
        ("networking.istio.io", "virtualservices"),
        ("gateway.networking.k8s.io", "httproutes"),
    ];
    let whole = writable
        .iter()
        .all(|(group, resource)| patches(group, resource).is_none());
    let mut some: Vec<String> = writable
        .iter()
        .filter_map(|(group, resource)| patches(group, resource))
        .flatten()
        .collect();
    some.sort();
    some.dedup();
    let may_change = if whole {
        "change weights in every namespace".to_owned()
    } else if some.is_empty() {
        "change no weights".to_owned()
    } else {
        format!(
            "change weights in {}",
            listed(some.iter().map(String::as_str))
        )
    };
    let reads_all = missing
        .iter()
        .all(|rule| !rule.rule.verbs.iter().any(|verb| verb == "list"));
    let may_read = if reads_all {
        "Read all"
    } else {
        "Read in part"
    };
    let state = if missing.is_empty() && !unknown {
        LineState::Ok
    } else {
        LineState::Note
    };
    let line = Line::new(state, format!("{may_read}, {may_change}"));
    if missing.is_empty() {
        return if unknown {
            line.detail("some rights could not be asked for")
        } else {
            line
        };
    }
    let subjects = match who {
        Ok(Some(who)) => vec![Subject::User(who.user.clone())],
        Ok(None) | Err(_) => Vec::new(),
    };
    let yaml = rbac_yaml(&missing, &subjects, "pilothouse");
    line.hint("ask for the missing rule, or go on without")
        .action("copy", "Copy missing rule", Some(yaml))
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}

pub(crate) fn counted(n: usize, what: &str, then: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural} {then}")
}
