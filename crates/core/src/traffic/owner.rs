//! Who owns the weights: the tool that will undo or overwrite a change made by hand.
//!
//! Signals are ranked: a canary controller at work, then an owner reference, then tracking labels and annotations, then
//! `managedFields` (evidence only: the entry of a controller stays long after it has left).

use super::backing::MANAGED_BY_ROLLOUTS;
use super::route_api::RouteApi;
use super::target::Target;
use crate::model::{Object, Owner};

/// The owner of an object's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ownership {
    pub(super) owner: Owner,
    /// Whether a canary controller steers the weights by live evidence, not only by traces in `managedFields`.
    pub(super) steered: bool,
}

/// Looks at the object itself, at the DestinationRules that define its subsets and at the Services behind its weights
/// (`around`).
pub(super) fn detect(object: &Object, around: &[&Object]) -> Ownership {
    if let Some(owner) = canary(object, around) {
        return Ownership {
            owner,
            steered: true,
        };
    }
    let owner = gitops(object)
        .or_else(|| wizard_or_chart(object))
        .or_else(|| by_manager(object))
        .unwrap_or_else(|| Owner {
            tool: "hand".to_owned(),
            name: None,
            evidence: String::new(),
        });
    Ownership {
        owner,
        steered: false,
    }
}

/// What becomes of a change by hand, and what to do instead; `None` for an object that is kept by hand.
pub(super) fn advice(owner: &Owner) -> Option<String> {
    let who = owner
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!(" ({name})"));
    let advice = match owner.tool.as_str() {
        "argo-cd" => format!(
            "Argo CD{who} manages this object: with self-heal it puts the old weights back at once, otherwise at the next sync; commit the change to Git as well"
        ),
        "flux" => format!(
            "Flux{who} manages this object and reconciles it from Git; commit the change, or suspend the reconciliation first"
        ),
        "helm" => format!(
            "Helm{who} rendered this object; the next upgrade overwrites the weights, so change the values too"
        ),
        "kiali" => {
            "Kiali's wizard made this object and regenerates it when somebody uses the wizard again"
                .to_owned()
        }
        "flagger" => format!("Flagger{who} steers these weights: drive the Canary instead"),
        "argo-rollouts" => format!(
            "Argo Rollouts{who} steers these weights: promote, pause or abort the Rollout instead"
        ),
        _ => return None,
    };
    Some(advice)
}

fn owner(tool: &str, name: Option<&str>, evidence: impl Into<String>) -> Owner {
    Owner {
        tool: tool.to_owned(),
        name: name.map(ToOwned::to_owned),
        evidence: evidence.into(),
    }
}

fn canary(object: &Object, around: &[&Object]) -> Option<Owner> {
    for reference in &object.owner_references {
        let group = reference.api_version.split('/').next().unwrap_or_default();
        let evidence = format!("owner reference {} {}", reference.kind, reference.name);
        match (group, reference.kind.as_str()) {
            ("flagger.app", "Canary") => {
                return Some(owner("flagger", Some(&reference.name), evidence));
            }
            ("argoproj.io", "Rollout") => {
                return Some(owner("argo-rollouts", Some(&reference.name), evidence));
            }
            _ => {}
        }
    }
    let rollouts_label = "rollouts.argoproj.io/gatewayapi-canary";
    if object.labels.get(rollouts_label).map(String::as_str) == Some("in-progress") {
        let evidence = format!("label {rollouts_label}: in-progress");
        return Some(owner("argo-rollouts", None, evidence));
    }
    for marked in around {
        if let Some(rollout) = marked.annotations.get(MANAGED_BY_ROLLOUTS) {
            let evidence = format!("annotation {MANAGED_BY_ROLLOUTS} of {}", marked.reference);
            return Some(owner("argo-rollouts", Some(rollout), evidence));
        }
    }
    let original = "flagger.kubernetes.io/original-configuration";
    if object.annotations.contains_key(original) {
        let name = object.reference.name.as_str();
        return Some(owner(
            "flagger",
            Some(name),
            format!("annotation {original}"),
        ));
    }
    flagger_hosts(object)
}

/// Flagger gives the object the name of the service and steers between `<name>-primary` and `<name>-canary`.
fn flagger_hosts(object: &Object) -> Option<Owner> {
    let name = object.reference.name.as_str();
    let destinations = RouteApi::of(object.reference.kind).iter().flat_map(|api| {
        let entries = api.entries(&object.doc).iter();
        entries.flat_map(|entry| api.destinations(entry).iter().map(|item| (*api, item)))
    });
    let hosts: Vec<String> = destinations
        .filter_map(|(api, item)| {
            let host = Target::read(object, api, item).host;
            host.split('.').next().map(ToOwned::to_owned)
        })
        .collect();
    let has = |suffix: &str| {
        hosts
            .iter()
            .any(|host| host.strip_suffix(suffix) == Some(name))
    };
    (has("-primary") && has("-canary")).then(|| {
        let evidence = format!("destinations {name}-primary and {name}-canary");
        owner("flagger", Some(name), evidence)
    })
}

fn gitops(object: &Object) -> Option<Owner> {
    let tracking = "argocd.argoproj.io/tracking-id";
    if let Some(id) = object.annotations.get(tracking) {
        let app = id.split(':').next();
        return Some(owner("argo-cd", app, format!("annotation {tracking}")));
    }
    let instance = "argocd.argoproj.io/instance";
    if let Some(app) = object.labels.get(instance) {
        return Some(owner("argo-cd", Some(app), format!("label {instance}")));
    }
    [
        "kustomize.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/name",
    ]
    .into_iter()
    .find_map(|label| {
        let name = object.labels.get(label)?;
        Some(owner("flux", Some(name), format!("label {label}")))
    })
}

fn wizard_or_chart(object: &Object) -> Option<Owner> {
    let wizard = "kiali_wizard";
    if object.labels.contains_key(wizard) {
        return Some(owner("kiali", None, format!("label {wizard}")));
    }
    let release = object.annotations.get("meta.helm.sh/release-name");
    let managed_by = "app.kubernetes.io/managed-by";
    let by_helm = object.labels.get(managed_by).map(String::as_str) == Some("Helm");
    let evidence = match (release, by_helm) {
        (Some(_), _) => "annotation meta.helm.sh/release-name".to_owned(),
        (None, true) => format!("label {managed_by}: Helm"),
        (None, false) => return None,
    };
    Some(owner("helm", release.map(String::as_str), evidence))
}

fn by_manager(object: &Object) -> Option<Owner> {
    let tools = [
        ("argocd-controller", "argo-cd"),
        ("kustomize-controller", "flux"),
        ("helm-controller", "flux"),
        ("rollouts-controller", "argo-rollouts"),
        ("flagger", "flagger"),
        ("kiali", "kiali"),
        ("helm", "helm"),
    ];
    tools.into_iter().find_map(|(manager, tool)| {
        let writes_routes = |m: &&crate::model::Manager| m.owns_routes && m.name == manager;
        let entry = object.managers.iter().find(writes_routes)?;
        let evidence = format!("field manager {} ({})", entry.name, entry.operation);
        Some(owner(tool, None, evidence))
    })
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]
mod tests;
