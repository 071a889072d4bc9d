//! Calls between workloads: which spans are two sides of one, who is on each side, which are attempts of the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analysis::{Attempt, Call, SpanNode};
use super::party::{Parties, said_by_caller, same_service};
use super::tree::children;
use super::types::{Span, SpanKind};

/// Sets [`SpanNode::pair`] where a SERVER is the child of a CLIENT.
pub(super) fn pair_up(spans: &[Span], nodes: &mut [SpanNode]) {
    for node in 0..nodes.len() {
        let Some(parent) = nodes[node].parent else {
            continue;
        };
        let kind = |n: usize| spans[nodes[n].span].kind;
        if kind(node) == SpanKind::Server && kind(parent) == SpanKind::Client {
            nodes[node].pair = Some(parent);
            nodes[parent].pair.get_or_insert(node);
        }
    }
}

/// The calls of a trace, by start.
///
/// A caller is a CLIENT, or a proxy's SERVER span that routed on (a gateway, a waypoint). Of a client library's span and
/// its own sidecar's span below it only the inner one counts: it is nearer to the wire. A SERVER below anything else of
/// another workload is a call of which only the callee is known.
pub(super) fn find_calls(spans: &[Span], nodes: &[SpanNode]) -> Vec<Call> {
    let mut parties = Parties::default();
    let mut calls = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let span = &spans[node.span];
        if let Some(route) = caller_route(span)
            && !children(nodes, at).any(|c| is_inner_caller(span, &spans[nodes[c].span]))
        {
            calls.push(call_of(spans, nodes, at, route, &mut parties));
        }
        let Some(parent) = node.parent else { continue };
        let above = &spans[nodes[parent].span];
        if span.kind == SpanKind::Server
            && caller_route(above).is_none()
            && !same_service(above, span)
        {
            calls.push(one_sided(above, span, node, at, &mut parties));
        }
    }
    for (index, attempt) in attempts(spans, nodes, &calls) {
        calls[index].attempt = Some(attempt);
    }
    calls.sort_by_key(|call| {
        let at = call.client.or(call.server);
        at.map(|at| (nodes[at].start_ns, at))
    });
    calls
}

/// Whether `below`, a child of the caller `span`, is the same call seen nearer to the wire.
fn is_inner_caller(span: &Span, below: &Span) -> bool {
    span.kind == SpanKind::Client && below.kind == SpanKind::Client && same_service(span, below)
}

/// Where a caller's proxy routed to.
#[derive(Default)]
struct Route {
    host: Option<String>,
    port: Option<u16>,
    subset: Option<String>,
}

/// `None` if the span calls nobody.
fn caller_route(span: &Span) -> Option<Route> {
    let cluster = span.text(&["upstream_cluster", "upstream_cluster.name"]);
    let route = cluster.as_deref().and_then(parse_cluster);
    match span.kind {
        SpanKind::Client => Some(route.unwrap_or_default()),
        SpanKind::Server => route,
        SpanKind::Unspecified | SpanKind::Internal | SpanKind::Producer | SpanKind::Consumer => {
            None
        }
    }
}

/// `outbound|9080|v1|reviews.shop.svc.cluster.local`, `outbound_.9080_.v1_.reviews…` (gateways that pass TLS on),
/// `inbound-vip|9080|http|reviews…` (waypoints; the third field is no subset). A sidecar's own `inbound|9080||` routes to
/// nobody else.
fn parse_cluster(cluster: &str) -> Option<Route> {
    let separator = if cluster.contains("_.") { "_." } else { "|" };
    let mut fields = cluster.splitn(4, separator);
    let direction = fields.next()?;
    let port = fields.next()?.parse().ok();
    let subset = fields.next()?;
    let host = fields.next().filter(|host| !host.is_empty())?;
    let subset = match direction {
        "outbound" => Some(subset.to_owned()).filter(|s| !s.is_empty()),
        "inbound-vip" => None,
        _ => return None,
    };
    Some(Route {
        host: Some(host.to_owned()),
        port,
        subset,
    })
}

fn call_of<'a>(
    spans: &'a [Span],
    nodes: &[SpanNode],
    at: usize,
    route: Route,
    parties: &mut Parties<'a>,
) -> Call {
    let node = &nodes[at];
    let span = &spans[node.span];
    let is_server = |c: &usize| spans[nodes[*c].span].kind == SpanKind::Server;
    let server = node
        .pair
        .filter(|_| span.kind == SpanKind::Client)
        .or_else(|| children(nodes, at).find(is_server));
    let callee = server.map(|s| &spans[nodes[s].span]);
    let (said_source, said_destination) = said_by_caller(span, route.host.as_deref());
    let destination = match callee {
        Some(callee) => Some(parties.own(callee)),
        None => said_destination.map(Arc::new),
    };
    let client_ns = span_length(span, node);
    let server_ns = server.and_then(|s| span_length(&spans[nodes[s].span], &nodes[s]));
    Call {
        source: said_source.map_or_else(|| parties.own(span), Arc::new),
        destination,
        client: Some(at),
        server,
        client_ns,
        server_ns,
        network_ns: client_ns
            .zip(server_ns)
            .and_then(|(client, server)| client.checked_sub(server)),
        host: route.host,
        port: route.port,
        subset: route.subset,
        flags: span
            .response_flags()
            .or_else(|| callee.and_then(Span::response_flags)),
        http_status: span
            .http_status()
            .or_else(|| callee.and_then(Span::http_status)),
        error: node.error || server.is_some_and(|s| nodes[s].error),
        attempt: None,
        proxy_retries: span
            .text(&["http.request.resend_count", "retry.count"])
            .and_then(|count| count.parse().ok()),
    }
}

fn one_sided<'a>(
    above: &'a Span,
    span: &'a Span,
    node: &SpanNode,
    at: usize,
    parties: &mut Parties<'a>,
) -> Call {
    Call {
        source: parties.own(above),
        destination: Some(parties.own(span)),
        client: None,
        server: Some(at),
        client_ns: None,
        server_ns: span_length(span, node),
        network_ns: None,
        host: None,
        port: None,
        subset: None,
        flags: span.response_flags(),
        http_status: span.http_status(),
        error: node.error,
        attempt: None,
        proxy_retries: None,
    }
}

/// A span without start and duration was never finished: its length is not known.
fn span_length(span: &Span, node: &SpanNode) -> Option<u64> {
    (span.start_ns > 0 || node.duration_ns > 0).then_some(node.duration_ns)
}

/// Calls of one parent to one destination by one name, in which the next began after the one before had failed.
fn attempts(spans: &[Span], nodes: &[SpanNode], calls: &[Call]) -> Vec<(usize, Attempt)> {
    let mut by_aim: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        let Some((client, destination)) = call.client.zip(call.destination.as_ref()) else {
            continue;
        };
        // Not the revision nor the workload: a retry may well land on another one.
        let aim = (&destination.service, &destination.namespace);
        let node = &nodes[client];
        let key = (node.parent, &spans[node.span].operation, &call.host, aim);
        by_aim.entry(key).or_default().push(index);
    }
    let times = |index: usize| {
        let client = calls[index].client.map(|client| &nodes[client]);
        client.map_or((0, 0), |node| (node.start_ns, node.end_ns()))
    };
    let mut found = Vec::new();
    for mut group in by_aim.into_values().filter(|group| group.len() > 1) {
        group.sort_by_key(|index| times(*index));
        let chains = group.chunk_by(|a, b| calls[*a].error && times(*b).0 >= times(*a).1);
        for chain in chains.filter(|chain| chain.len() > 1) {
            let of = u32::try_from(chain.len()).unwrap_or(u32::MAX);
            found.extend(
                (1..)
                    .zip(chain)
                    .map(|(number, index)| (*index, Attempt { number, of })),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests;
