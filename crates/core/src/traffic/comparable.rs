//! Whether the observed shares of a split may be held against the declared ones at all.
//!
//! Metrics tell which workload answered which host, not by which entry of which route a request came. So the counts of a
//! split are its own only if nothing else sends requests to its destinations, and they follow its weights only if it
//! decides for everybody, request by request.

use thiserror::Error;

use super::route_api::SplitUnit;
use super::types::{Split, SplitId};

/// Why a difference between declared and observed shares says nothing. Displays as a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Incomparable {
    /// It decides for no sidecar: gateways only, overridden, or a delegate without a root.
    #[error(
        "this route does not decide for sidecars in the mesh, so their requests do not follow its weights"
    )]
    NotInForce,
    /// An earlier entry takes every request.
    #[error("an earlier entry takes every request, so none follows these weights")]
    Unreachable,
    /// A `tcp` or `tls` route.
    #[error("this route splits connections, and what is counted is requests")]
    Connections,
    /// Requests do not spread independently of each other; [`Split::sticky`] says why.
    #[error("{0}")]
    Sticky(String),
    /// Only some clients follow it.
    #[error(
        "this route decides for clients of some namespaces only, and what is counted is the requests of all"
    )]
    SomeClients,
    /// Another entry sends requests to the same host.
    #[error(
        "{0} sends requests to the same host, and metrics do not tell by which entry a request came"
    )]
    OtherEntry(SplitId),
}

/// Whether the observed shares of `split` show what its weights do. `all` are the splits of the same objects, with or
/// without itself.
///
/// # Errors
/// The first reason why they do not, in the order of [`Incomparable`].
pub fn comparable<'a>(
    split: &Split,
    all: impl IntoIterator<Item = &'a Split>,
) -> Result<(), Incomparable> {
    if !split.in_force {
        return Err(Incomparable::NotInForce);
    }
    if split.matches.unreachable {
        return Err(Incomparable::Unreachable);
    }
    if is_of_connections(split) {
        return Err(Incomparable::Connections);
    }
    if let Some(why) = &split.sticky {
        return Err(Incomparable::Sticky(why.clone()));
    }
    if !split.for_all_clients {
        return Err(Incomparable::SomeClients);
    }
    match all.into_iter().find(|other| mingles(split, other)) {
        Some(other) => Err(Incomparable::OtherEntry(other.id.clone())),
        None => Ok(()),
    }
}

fn is_of_connections(split: &Split) -> bool {
    split.id.api.unit() == SplitUnit::Connections
}

/// Whether requests by the other entry are counted as requests by this one. A route of gateways counts, too: a gateway
/// is a caller like any other.
fn mingles(split: &Split, other: &Split) -> bool {
    let is_used = !other.matches.unreachable
        && other.overridden_by.is_none()
        && !other.hosts.is_empty()
        && !is_of_connections(other);
    let mut theirs = other.destinations.iter();
    other.id != split.id
        && is_used
        && theirs.any(|theirs| {
            theirs.effective_ratio.is_some_and(|ratio| ratio > 0.0)
                && split
                    .destinations
                    .iter()
                    .any(|ours| ours.fqdn == theirs.fqdn)
        })
}

#[cfg(test)]
mod tests;
