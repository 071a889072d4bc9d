//! A metrics server: its rows, what names of clusters mean in them, and what it did not tell.

use std::collections::BTreeSet;

use super::super::queries::traffic_measures;
use super::super::rows::is_known;
use super::super::types::{FetchedRows, GraphRequest, GrpcTraffic, HttpTraffic, Protocol};
use super::ClusterKey;
use crate::ports::{Labels, Measure};

/// Answers of one metrics server.
#[derive(Debug)]
pub(in super::super) struct Server<'a> {
    pub(in super::super) rows: &'a FetchedRows,
    /// The context that it was asked for, where there are several.
    pub(in super::super) context: Option<&'a str>,
    /// The cluster of that context.
    pub(super) home: ClusterKey<'a>,
    /// The cluster of an end whose cluster label is absent.
    pub(super) unnamed: ClusterKey<'a>,
    /// Protocols whose rates it did not tell, or not in full.
    pub(in super::super) unknown: BTreeSet<Protocol>,
}

impl<'a> Server<'a> {
    /// The only server: names of clusters mean what they say.
    pub(in super::super) fn alone(request: &GraphRequest, rows: &'a FetchedRows) -> Self {
        Self {
            rows,
            context: None,
            home: ClusterKey::NONE,
            unnamed: ClusterKey::NONE,
            unknown: unknown_protocols(request, rows),
        }
    }

    /// Which cluster an end of a call is in, by its label in a row of this server.
    pub(in super::super) fn cluster(&self, label: Option<&'a str>) -> ClusterKey<'a> {
        match label {
            None | Some("") => self.unnamed,
            Some(name) if is_known(name) && name == self.home.name => self.home,
            Some(name) => ClusterKey::named(name),
        }
    }

    /// The context whose names these are; `None` if they mean the same in the rows of every server. Rows of equal labels
    /// and equal scope are one series, whoever tells it. `ends` are the labels that name clusters.
    pub(in super::super) fn scope<'e>(
        &self,
        labels: &Labels,
        mut ends: impl Iterator<Item = &'e str>,
    ) -> Option<&'a str> {
        let own_words = |label: Option<&str>| match label {
            None | Some("") => self.unnamed.is_known(),
            Some(name) => self.home.context.is_some() && is_known(name) && name == self.home.name,
        };
        self.context
            .filter(|_| ends.any(|end| own_words(labels.get(end).map(String::as_str))))
    }

    pub(in super::super) fn is_answered(&self, measure: Measure) -> bool {
        is_answered(self.rows, measure)
    }
}

fn is_answered(fetched: &FetchedRows, measure: Measure) -> bool {
    let mut answers = fetched
        .answers
        .iter()
        .filter(|(query, _)| query.measure == measure)
        .peekable();
    answers.peek().is_some() && answers.all(|(_, answer)| answer.is_ok())
}

/// Protocols whose rates are not known, because a query that they need failed or was never answered.
pub(in super::super) fn unknown_protocols(
    request: &GraphRequest,
    fetched: &FetchedRows,
) -> BTreeSet<Protocol> {
    let mut unknown = BTreeSet::new();
    for measure in traffic_measures(request) {
        if is_answered(fetched, measure) {
            continue;
        }
        match measure {
            Measure::TcpSentBytes | Measure::TcpReceivedBytes => {
                unknown.insert(Protocol::Tcp);
            }
            Measure::GrpcSentMessages | Measure::GrpcReceivedMessages => {
                unknown.insert(Protocol::Grpc);
            }
            Measure::Requests
            | Measure::LatencySum
            | Measure::LatencyCount
            | Measure::LatencyQuantile(_) => {
                if request.http == HttpTraffic::Requests {
                    unknown.insert(Protocol::Http);
                }
                if request.grpc == GrpcTraffic::Requests {
                    unknown.insert(Protocol::Grpc);
                }
            }
        }
    }
    unknown
}
