//! What is wrong or odd about a split, as declared or as planned.

use super::owner;
use super::route_api::weight_path;
use super::types::{Destination, Resolution, Split};
use crate::model::{Finding, Severity};

/// Largest sum of weights that we write. The Gateway API allows this much per weight; Istio adds up in 32 bits and wraps.
pub(super) const MAX_WEIGHT_SUM: i64 = 1_000_000;

/// Findings about a split as it is declared.
pub(super) fn judge_declared(split: &Split) -> Vec<Finding> {
    let about = split.id.object.to_string();
    let mut findings = Vec::new();
    if split.matches.unreachable {
        let message = "an earlier entry takes every request, so this one is never used; move it before that entry";
        findings.push(
            Finding::new(Severity::Warning, "route-unreachable", &about, message)
                .at(split.id.entry_path()),
        );
    }
    if split
        .destinations
        .iter()
        .all(|d| d.effective_ratio.is_none())
    {
        let message = "all weights are zero, so every request fails; give one destination a weight";
        findings.push(
            Finding::new(Severity::Error, "weights-all-zero", &about, message)
                .at(split.id.entry_path()),
        );
    }
    for (index, destination) in split.destinations.iter().enumerate() {
        let share = destination.effective_ratio.unwrap_or(0.0);
        if share > 0.0 {
            findings.extend(judge_backing(split, index, destination));
        }
    }
    findings.extend(overlap(split));
    findings.extend(nameless(split));
    findings
}

/// Destinations of one host that no label of the metrics tells apart: subsets by labels such as a template hash.
fn nameless(split: &Split) -> Option<Finding> {
    let is_nameless = |d: &&Destination| {
        d.resolution == Resolution::Found
            && d.subset.is_some()
            && d.revision.is_none()
            && d.workloads.is_empty()
            && d.ready.is_none()
    };
    let mut found = split.destinations.iter().filter(is_nameless);
    let (a, b) = (found.next()?, found.next()?);
    let message = format!(
        "metrics cannot tell {} and {} apart, so their shares are not known; a label `version` on their pods would",
        a.name, b.name
    );
    let same_host = a.fqdn == b.fqdn;
    same_host.then(|| finding(split, Severity::Info, "shares-not-told-apart", message))
}

/// Destinations that select some pods in common: requests to those pods may be either's.
fn overlap(split: &Split) -> Option<Finding> {
    let overlaps = |a: &Destination, b: &Destination| {
        a.fqdn == b.fqdn
            && a.workloads != b.workloads
            && a.workloads.iter().any(|name| b.workloads.contains(name))
    };
    let pairs = split.destinations.iter().enumerate().flat_map(|(at, a)| {
        let others = split.destinations.iter().skip(at + 1);
        others.map(move |b| (a, b))
    });
    let (a, b) = pairs.into_iter().find(|(a, b)| overlaps(a, b))?;
    let message = format!(
        "{} and {} select some pods in common, so metrics cannot tell their shares apart",
        a.name, b.name
    );
    Some(finding(
        split,
        Severity::Info,
        "destinations-overlap",
        message,
    ))
}

/// What is wrong with sending requests to this destination.
pub(super) fn judge_backing(
    split: &Split,
    index: usize,
    destination: &Destination,
) -> Option<Finding> {
    let Destination { fqdn, name, .. } = destination;
    let (severity, code, message) = match destination.resolution {
        Resolution::NoSuchService => (
            Severity::Error,
            "no-such-service",
            format!(
                "there is no Service {fqdn}, so its share fails; create it or keep the weight of {name} at 0"
            ),
        ),
        Resolution::NoSuchSubset => (
            Severity::Error,
            "no-such-subset",
            format!(
                "no DestinationRule defines the subset {name} of {fqdn}, so its share fails with 503 NC; define it or keep the weight at 0"
            ),
        ),
        Resolution::Refused => (
            Severity::Error,
            "backend-refused",
            format!(
                "a controller refuses the reference to {name}, so its share is answered with 500; permit it (ReferenceGrant) or keep the weight at 0"
            ),
        ),
        Resolution::Unknown => (
            Severity::Info,
            "host-not-known",
            match &destination.kind {
                Some(kind) => format!(
                    "{name} is of kind {kind}, which is not watched: nothing is known of what stands behind it"
                ),
                None => format!(
                    "nothing is known of {fqdn}: it lies outside the watched namespaces or the cluster"
                ),
            },
        ),
        Resolution::Found => {
            let ready = destination.ready.filter(|ready| ready.ready == 0)?;
            let message = if ready.wanted == 0 {
                format!(
                    "{name} selects no running pod, so its share fails with 503 UH; deploy or scale it up first"
                )
            } else {
                format!(
                    "{name} has 0 of {} pods ready, so its share fails with 503 UH; wait until they are",
                    ready.wanted
                )
            };
            (Severity::Error, "no-ready-endpoints", message)
        }
    };
    let path = split.id.destination_path(index);
    let about = split.id.object.to_string();
    Some(Finding::new(severity, code, about, message).at(path))
}

/// Findings about a planned change of a split: what refuses it, and what must be shown before it is written.
pub(super) fn judge_shift(
    split: &Split,
    weights: &[Option<i64>],
    ratios: &[Option<f64>],
    unchanged: bool,
) -> Vec<Finding> {
    let mut findings = judge_weights(split, weights, ratios);
    findings.extend(judge_shares(split, ratios));
    findings.extend(judge_circumstances(split));
    if unchanged {
        let message = "the weights are already as asked; there is nothing to do";
        findings.push(finding(split, Severity::Info, "nothing-to-change", message));
    }
    // Errors first, then by weight; the order within a severity is that of the checks above.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn finding(split: &Split, severity: Severity, code: &str, message: impl Into<String>) -> Finding {
    Finding::new(severity, code, split.id.object.to_string(), message).at(split.id.entry_path())
}

/// The numbers themselves.
fn judge_weights(split: &Split, weights: &[Option<i64>], ratios: &[Option<f64>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, (destination, weight)) in split.destinations.iter().zip(weights).enumerate() {
        if let Some(weight) = weight.filter(|weight| *weight < 0) {
            let message = format!("the weight {weight} of {} is negative", destination.name);
            let path = weight_path(&split.id.destination_path(index));
            findings.push(finding(split, Severity::Error, "weight-negative", message).at(path));
        }
    }
    let api = split.id.api;
    let sum_of = |weights: &mut dyn Iterator<Item = Option<i64>>| {
        weights.fold(0_i64, |sum, w| sum.saturating_add(api.counted(w).max(0)))
    };
    let sum = sum_of(&mut weights.iter().copied());
    let before = sum_of(&mut split.destinations.iter().map(|d| d.weight));
    if sum > MAX_WEIGHT_SUM {
        let message = format!("the weights add up to {sum}, more than {MAX_WEIGHT_SUM}");
        findings.push(finding(
            split,
            Severity::Error,
            "weight-sum-too-large",
            message,
        ));
    }
    let many = weights.len() > 1;
    if ratios.iter().all(Option::is_none) {
        let message =
            "all weights are zero, so every request would fail; give one destination a weight";
        findings.push(finding(split, Severity::Error, "weights-all-zero", message));
    } else if !many && api.single_takes_all() {
        let message =
            "a single destination of a VirtualService gets every request, whatever its weight";
        findings.push(finding(
            split,
            Severity::Info,
            "single-destination",
            message,
        ));
    } else if sum != before {
        let share_of = |ratio: Option<f64>| ratio.unwrap_or(0.0);
        let moves = |(destination, after): (&Destination, &Option<f64>)| {
            let rise = share_of(*after) - share_of(destination.effective_ratio);
            rise.abs() > SAME_SHARE
        };
        let effect = if split.destinations.iter().zip(ratios).any(moves) {
            "shares change with their sum"
        } else {
            "no share changes"
        };
        let message = format!(
            "the weights add up to {sum} and no longer to {before}; they are relative, so {effect}"
        );
        findings.push(finding(
            split,
            Severity::Info,
            "weight-sum-changed",
            message,
        ));
    } else if sum != 100 && api.percents_by_custom() {
        let message =
            format!("the weights add up to {sum}, not 100; they are relative, so that is allowed");
        findings.push(finding(
            split,
            Severity::Info,
            "weight-sum-not-100",
            message,
        ));
    }
    findings
}

/// A step of more than this share at once deserves a second look.
const LARGE_STEP: f64 = 0.25;

/// Smaller differences of shares are rounding.
const SAME_SHARE: f64 = 1e-9;

/// What the shares would meet.
fn judge_shares(split: &Split, ratios: &[Option<f64>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, (destination, after)) in split.destinations.iter().zip(ratios).enumerate() {
        let after = after.unwrap_or(0.0);
        let rise = after - destination.effective_ratio.unwrap_or(0.0);
        if after <= 0.0 {
            continue;
        }
        if let Some(mut backing) = judge_backing(split, index, destination) {
            // Taking requests away from something broken must stay possible.
            if rise <= SAME_SHARE {
                backing.severity = backing.severity.min(Severity::Warning);
            }
            findings.push(backing);
        }
        if rise > LARGE_STEP + SAME_SHARE {
            let message = format!(
                "{} goes up by {:.0} points at once; smaller steps show trouble earlier",
                destination.name,
                rise * 100.0
            );
            findings.push(finding(split, Severity::Warning, "large-step", message));
        }
    }
    findings
}

/// What holds whatever the weights are.
fn judge_circumstances(split: &Split) -> Vec<Finding> {
    let own = [
        "route-overridden",
        "route-not-for-all-clients",
        "delegate-without-root",
    ];
    let standing = split
        .findings
        .iter()
        .filter(|f| own.contains(&f.code.as_str()));
    let mut findings: Vec<Finding> = standing.cloned().collect();
    if let Some(advice) = owner::advice(&split.owner) {
        let (severity, code) = if split.steered {
            (Severity::Error, "steered-by-canary")
        } else {
            (Severity::Warning, "owned-by-tool")
        };
        let message = format!("{advice} (seen by: {})", split.owner.evidence);
        findings.push(finding(split, severity, code, message));
    }
    if split.matches.unreachable {
        let message = "an earlier entry takes every request, so a change here has no effect";
        findings.push(finding(
            split,
            Severity::Warning,
            "route-unreachable",
            message,
        ));
    }
    if !split.in_force && split.overridden_by.is_none() {
        let message =
            "this route does not apply to sidecars in the mesh (gateway only, or no host)";
        findings.push(finding(
            split,
            Severity::Info,
            "route-not-for-sidecars",
            message,
        ));
    }
    if let Some(why) = &split.sticky {
        let message = format!("the observed share need not reach the declared one: {why}");
        findings.push(finding(split, Severity::Warning, "sticky", message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::judge_weights;
    use crate::traffic::read_splits;
    use crate::traffic::samples::mesh;

    #[test]
    fn a_new_sum_alone_changes_no_share() {
        let splits = read_splits(&mesh());
        let told = |weights: [i64; 2]| {
            let weights = weights.map(Some);
            let ratios = splits[0].id.api.effective_ratios(&weights);
            let findings = judge_weights(&splits[0], &weights, &ratios);
            findings.into_iter().map(|f| f.message).collect::<String>()
        };
        assert!(told([900, 100]).ends_with("so no share changes"));
        assert!(told([90, 20]).ends_with("so shares change with their sum"));
    }
}
