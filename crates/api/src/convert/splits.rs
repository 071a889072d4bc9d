//! Splits with declared beside observed.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::graph::{Latency, MeshGraph, NodeKind};
use pilothouse_core::model::{Finding, Moment, ObjectKind, ObjectRef, Owner, Severity};
use pilothouse_core::stats;
use pilothouse_core::traffic::{
    self, Destination, ObservedDestination, Phase, RouteApi, Split, SplitId,
};
use pilothouse_engine::{Entry, ObservedSplit, ShiftWatch};

use super::{bad_request, count, finding_view, in_context, latency_view, of_context};
use crate::dto::{ApiError, DestinationView, OwnerView, SplitView, SplitsView};
use crate::workspace::Pictured;

/// Requests below which a difference between declared and observed says nothing.
const ENOUGH_TO_JUDGE: f64 = 100.0;

/// Splits with more than one destination, worst first.
pub(crate) fn splits_view(parts: &[Pictured], graph: &MeshGraph) -> SplitsView {
    let several = |view: &SplitView| view.destinations.len() > 1;
    let mut views: Vec<SplitView> = split_views(parts, graph).filter(several).collect();
    views.sort_by(|a, b| (rank(a), &a.id).cmp(&(rank(b), &b.id)));
    SplitsView { splits: views }
}

/// Every route entry.
pub(crate) fn split_views<'a>(
    parts: &'a [Pictured],
    graph: &'a MeshGraph,
) -> impl Iterator<Item = SplitView> + 'a {
    parts.iter().flat_map(move |part| {
        let lately = Lately::of(part);
        let splits = part.snapshot.splits.iter();
        splits.map(move |split| split_view(part, split, &lately, graph))
    })
}

fn rank(view: &SplitView) -> u8 {
    let verdict = match view.verdict.as_str() {
        "converging" => 0,
        "drift" => 1,
        "overridden" => 2,
        "unknown" => 3,
        _ => 4,
    };
    let grave = view.findings.iter().any(|f| f.severity == "error");
    if grave && verdict > 1 { 1 } else { verdict }
}

/// What of the splits of a context was changed lately, so that the numbers may still be of before.
struct Lately {
    watches: Arc<Vec<ShiftWatch>>,
    /// The newest change of each split that the window of the numbers, or a scrape before it, reaches behind.
    changed: BTreeMap<SplitId, Arc<Entry>>,
    now: Moment,
}

impl Lately {
    fn of(part: &Pictured) -> Self {
        let changes = part.engine.changes();
        let request = &part.snapshot.graph.request;
        let window_begins = request.at.minus(request.window);
        Self {
            watches: changes.watches(),
            changed: changes.changed_since(window_begins.minus(part.engine.scrape_interval())),
            now: part.engine.now(),
        }
    }

    /// How far the newest change is, where the numbers do not tell: they reach behind it, or it is still watched. One that
    /// another process made is not watched here.
    fn phase(&self, id: &SplitId) -> Option<Phase> {
        let watches = self.watches.iter();
        let watch = match self.changed.get(id) {
            Some(entry) => watches.clone().find(|watch| watch.entry == entry.id),
            None => watches
                .clone()
                .find(|watch| &watch.split == id && watch.convergence.phase.open()),
        };
        let phase = watch.map(|watch| watch.convergence.phase);
        phase.or_else(|| self.changed.get(id).map(|_| Phase::Converging))
    }

    /// That the numbers are of before, in part.
    fn finding(&self, id: &SplitId) -> Option<Finding> {
        let changed = self.changed.get(id)?.at;
        let ago = self.now.since(changed).as_seconds().max(0.0);
        let message = format!(
            "changed {ago:.0} s ago: the numbers shown still hold requests from before, which say nothing of the new weights"
        );
        let about = id.object.to_string();
        Some(Finding::new(
            Severity::Info,
            "changed-lately",
            about,
            message,
        ))
    }
}

fn split_view(
    part: &Pictured,
    observed: &ObservedSplit,
    lately: &Lately,
    graph: &MeshGraph,
) -> SplitView {
    let all = &part.snapshot.splits;
    let split = &observed.split;
    let id = &split.id;
    let mut findings: Vec<_> = split.findings.clone();
    let mut verdict = verdict(observed, lately.phase(id));
    if verdict == "converging" {
        findings.extend(lately.finding(id));
    }
    // What agrees needs no excuse.
    if verdict == "drift"
        && let Err(reason) = traffic::comparable(split, all.iter().map(|one| &one.split))
    {
        verdict = "incomparable";
        let about = id.object.to_string();
        let message = reason.to_string();
        findings.push(Finding::new(
            Severity::Info,
            "not-comparable",
            &about,
            message,
        ));
    }
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity == Severity::Error));
    SplitView {
        id: split_id_text(&part.context, id),
        context: part.context.clone(),
        kind: id.object.kind.to_string(),
        namespace: id.object.namespace.clone(),
        name: id.object.name.clone(),
        route: count(id.route),
        section: id.api.section().to_owned(),
        matches: split.matches.text.clone(),
        hosts: split.hosts.clone(),
        in_force: split.in_force,
        overridden_by: split.overridden_by.as_ref().map(ToString::to_string),
        owner: owner_view(&split.owner),
        destinations: split
            .destinations
            .iter()
            .zip(&observed.observed)
            .enumerate()
            .map(|(index, (destination, seen))| destination_view(id.api, index, destination, seen))
            .collect(),
        canary: count(split.canary()),
        node: node_of(&part.context, split, graph),
        verdict: verdict.to_owned(),
        findings: findings.iter().map(finding_view).collect(),
    }
}

/// One word for how declared and observed go together. A change that is watched, or that the numbers reach behind, is
/// judged by what was counted after it, never by the window on screen.
fn verdict(observed: &ObservedSplit, lately: Option<Phase>) -> &'static str {
    let split = &observed.split;
    if split.overridden_by.is_some() {
        return "overridden";
    }
    match lately {
        Some(Phase::Converging) => return "converging",
        Some(Phase::Converged) => return "agrees",
        Some(Phase::Stalled) => return "drift",
        Some(Phase::TooLittleTraffic | Phase::Blind) => return "unknown",
        Some(Phase::Incomparable) => return "incomparable",
        Some(Phase::Undone | Phase::Superseded) | None => {}
    }
    let n: Option<f64> = observed.observed.iter().map(|o| o.requests).sum();
    let Some(n) = n.filter(|n| *n >= ENOUGH_TO_JUDGE) else {
        return "unknown";
    };
    let agrees = split
        .destinations
        .iter()
        .zip(&observed.observed)
        .all(|(destination, seen)| {
            let agrees = destination
                .effective_ratio
                .zip(seen.requests)
                .and_then(|(w, k)| stats::in_band(k, n, w));
            agrees == Some(true)
        });
    if agrees { "agrees" } else { "drift" }
}

fn destination_view(
    api: RouteApi,
    index: usize,
    destination: &Destination,
    seen: &ObservedDestination,
) -> DestinationView {
    DestinationView {
        index: count(index),
        name: destination.name.clone(),
        host: destination.host.clone(),
        subset: destination.subset.clone(),
        port: destination.port,
        revision: destination.revision.clone(),
        weight: destination.weight,
        counted_weight: api.counted(destination.weight),
        effective_ratio: destination.effective_ratio,
        observed_ratio: seen.ratio,
        interval: seen.interval.map(|i| [i.low, i.high]),
        requests: seen.requests,
        rate: seen.rate,
        error_ratio: seen.error_ratio,
        latency_ms: latency_view(&Latency {
            p95: seen.p95_ms,
            ..Latency::default()
        }),
        ready_endpoints: destination.ready.map(|r| r.ready),
        wanted_endpoints: destination.ready.map(|r| r.wanted),
    }
}

fn owner_view(owner: &Owner) -> OwnerView {
    OwnerView {
        tool: owner.tool.clone(),
        name: owner.name.clone(),
        evidence: owner.evidence.clone(),
    }
}

/// The node of the host that the split divides: the canonical service of its destinations' workloads, else of its name.
fn node_of(context: &str, split: &Split, graph: &MeshGraph) -> Option<String> {
    let host = split.hosts.first()?;
    let mut parts = host.split('.');
    let (service, namespace) = (parts.next()?, parts.next()?);
    let by_name = graph.nodes.iter().find(|node| {
        let name = if node.kind == NodeKind::Service {
            &node.service
        } else {
            &node.app
        };
        let is_here = node.context.as_deref().is_none_or(|own| own == context);
        is_here && node.namespace == namespace && name.as_deref() == Some(service)
    });
    by_name.map(|node| node.id.clone())
}

/// `VirtualService/shop/reviews/http/0`.
pub(crate) fn split_id_text(context: &str, id: &SplitId) -> String {
    in_context(
        context,
        &format!("{}/{}/{}", id.object, id.api.section(), id.route),
    )
}

/// Reads [`split_id_text`] back: the context, if the text names one, and the split.
pub(crate) fn parse_split_id(text: &str) -> Result<(Option<String>, SplitId), ApiError> {
    let (context, rest) = of_context(text, 4);
    let wrong = || {
        bad_request(format!(
            "`{text}` does not name a split: write CONTEXT/KIND/NAMESPACE/NAME/SECTION/ROUTE"
        ))
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let [kind, namespace, name, section, route] = parts.as_slice() else {
        return Err(wrong());
    };
    let kind = ObjectKind::parse(kind).ok_or_else(wrong)?;
    let route = route.parse().map_err(|_| wrong())?;
    let object = ObjectRef::new(kind, *namespace, *name);
    let split = SplitId::new(object, section, route).ok_or_else(wrong)?;
    Ok((context, split))
}
