//! Clocks that disagree.
//!
//! The rules are those of Jaeger's adjuster: spans of one host share one clock; where a child is of another host than
//! its parent and does not fit inside it, its clock is off by what centres it there (the way to and fro is taken for
//! equally long), and everything below it on the same host is off by as much. A child longer than its parent can only be
//! known to start too early. Ours differ in three points: messages (PRODUCER to CONSUMER, `FOLLOWS_FROM`) are never moved,
//! because late is what they are meant to be; where no host is known, one service counts as one host; nothing is
//! moved by more than [`MAX_SKEW_NS`].

use std::borrow::Cow;

use super::identity::Identities;
use super::tree::Plan;
use super::types::{Span, SpanKind, Value};

/// Farther off than this a child is likelier queued than read from a wrong clock.
pub(super) const MAX_SKEW_NS: i128 = 5 * 60 * 1_000_000_000;

/// What the clocks say.
pub(super) struct Skew {
    /// Shift of each kept span, ns.
    pub(super) shifts: Vec<i128>,
    /// Kept indexes of spans that did not fit into their parents and were moved for that; the others that move only move
    /// along.
    pub(super) misfits: Vec<usize>,
    /// Kept indexes of spans that would have to move too far, and were not moved.
    pub(super) refused: Vec<usize>,
}

/// Measures by how much each span would have to move. A `max` of 0 moves none.
pub(super) fn measure(spans: &[Span], identities: &Identities, plan: &Plan, max: i128) -> Skew {
    let count = identities.kept.len();
    let mut hosts: Vec<Cow<'_, str>> = vec![Cow::Borrowed(""); count];
    let mut skew = Skew {
        shifts: vec![0; count],
        misfits: Vec::new(),
        refused: Vec::new(),
    };
    for k in plan.top_down.iter().copied() {
        let span = &spans[identities.kept[k]];
        hosts[k] = host(span);
        let Some(parent) = identities.parent[k] else {
            continue;
        };
        if !hosts[k].is_empty() && hosts[k] == hosts[parent] {
            skew.shifts[k] = skew.shifts[parent];
            continue;
        }
        let of_parent = &spans[identities.kept[parent]];
        if identities.ambiguous[k] || is_message(of_parent, span) {
            continue;
        }
        let parent_start = plan.start[parent] + skew.shifts[parent];
        let delta = misfit(
            (parent_start, i128::from(of_parent.duration_ns)),
            (plan.start[k], i128::from(span.duration_ns)),
        );
        if delta.abs() > max {
            skew.refused.push(k);
        } else if delta != 0 {
            skew.shifts[k] = delta;
            skew.misfits.push(k);
        }
    }
    skew
}

/// What must be added to the child's start for it to fit; both as (start, duration).
fn misfit(parent: (i128, i128), child: (i128, i128)) -> i128 {
    let (parent_start, parent_length) = parent;
    let (start, length) = child;
    if length > parent_length {
        return (parent_start - start).max(0);
    }
    let inside = start >= parent_start && start + length <= parent_start + parent_length;
    if inside {
        0
    } else {
        parent_start + (parent_length - length) / 2 - start
    }
}

/// Whether either side is a message: it may arrive long after it was sent.
fn is_message(parent: &Span, child: &Span) -> bool {
    parent.kind == SpanKind::Producer || child.kind == SpanKind::Consumer || follows_from(child)
}

/// Whether the span's parent did not wait for it, as `OpenTracing` said it.
pub(super) fn follows_from(child: &Span) -> bool {
    let relation = child.attributes.get("opentracing.ref_type");
    relation.is_some_and(|value| matches!(value, Value::Text(text) if text == "follows_from"))
}

/// Whose clock a span was read from: OpenTelemetry's host, the tags of Jaeger's clients, the pod. Empty if not known.
fn host(span: &Span) -> Cow<'_, str> {
    const NAMES: [&str; 6] = [
        "host.id",
        "host.ip",
        "host.name",
        "ip",
        "hostname",
        "k8s.pod.name",
    ];
    let of_resource = || {
        let named = NAMES.iter().filter_map(|name| span.resource.get(*name));
        named.map(first_text).find(|text| !text.is_empty())
    };
    let of_proxy = || match span.attributes.get("node_id") {
        // `sidecar~10.1.2.3~reviews-v1-5b7c754ccb-55jwk.shop~shop.svc.cluster.local`
        Some(Value::Text(node)) => {
            let pod = node.split('~').nth(2)?.split('.').next()?;
            (!pod.is_empty()).then_some(Cow::Borrowed(pod))
        }
        Some(Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Json(_)) | None => None,
    };
    of_resource()
        .or_else(of_proxy)
        .unwrap_or(Cow::Borrowed(&span.service))
}

/// A list of addresses stands for its first.
fn first_text(value: &Value) -> Cow<'_, str> {
    if let Value::Json(serde_json::Value::Array(list)) = value {
        let first = list.first().and_then(serde_json::Value::as_str);
        return Cow::Borrowed(first.unwrap_or_default());
    }
    value.text()
}

#[cfg(test)]
mod tests;
