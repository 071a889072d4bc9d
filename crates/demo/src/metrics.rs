//! Answers metric queries from the rates, without `PromQL` in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::model::{SourceError, TimeSpan};
use pilothouse_core::ports::{
    Answer, Labels, MatchOp, Matcher, Measure, MetricRow, MetricRows, MetricsQuery, MetricsSource,
    Probe, Sampled, Samples, SamplesQuery,
};

use crate::labels::{LABELS, LabelValue, LabelValues, label_index};
use crate::latency::{BOUNDS, Buckets, quantile};
use crate::rhythm::PerRegime;
use crate::samples;
use crate::simulation::{Simulation, Stretch};
use crate::solve::{Family, Row, Solved};

/// The metrics of a demo mesh.
pub(crate) struct DemoMetrics {
    simulation: Arc<Simulation>,
}

impl DemoMetrics {
    pub(crate) const fn new(simulation: Arc<Simulation>) -> Self {
        Self { simulation }
    }

    fn answer(&self, query: &MetricsQuery) -> Vec<MetricRow> {
        let simulation = &self.simulation;
        let seconds = query.window.as_seconds();
        if query.window <= TimeSpan(0) {
            return Vec::new();
        }
        let from = query.at.minus(query.window);
        let mut stretches = simulation.stretches(from, query.at);
        if query.idle {
            stretches.extend(simulation.faded(from));
        }
        let chosen = Chosen::new(simulation, &query.by, &query.matchers);
        let mut groups: BTreeMap<Vec<LabelValue>, Sum> = BTreeMap::new();
        for Stretch { solved, weights } in &stretches {
            for row in &solved.rows[family(query.measure) as usize] {
                let labels = simulation.dictionary.labels(&simulation.world, &row.key);
                if chosen.takes(&labels) {
                    let sum = groups.entry(chosen.group(&labels)).or_default();
                    sum.add(query.measure, row, solved, weights);
                }
            }
        }
        groups
            .into_iter()
            .filter_map(|(group, sum)| {
                let value = sum.value(query.measure, seconds)?;
                (query.idle || value > 0.0).then(|| MetricRow {
                    labels: chosen.name(simulation, &group),
                    value,
                })
            })
            .collect()
    }
}

const fn family(measure: Measure) -> Family {
    match measure {
        Measure::Requests
        | Measure::LatencySum
        | Measure::LatencyCount
        | Measure::LatencyQuantile(_) => Family::Requests,
        Measure::GrpcSentMessages => Family::RequestMessages,
        Measure::GrpcReceivedMessages => Family::ResponseMessages,
        Measure::TcpSentBytes => Family::SentBytes,
        Measure::TcpReceivedBytes => Family::ReceivedBytes,
    }
}

/// What has come together in one group.
#[derive(Default)]
struct Sum {
    total: f64,
    buckets: Option<Box<Buckets>>,
}

impl Sum {
    fn add(&mut self, measure: Measure, row: &Row, solved: &Solved, weights: &PerRegime) {
        for part in &row.parts {
            let amount = part.rate * weights[part.regime];
            if amount <= 0.0 {
                continue;
            }
            match measure {
                Measure::LatencySum => self.total += amount * solved.latencies[part.latency].mean,
                Measure::LatencyQuantile(_) => {
                    self.total += amount;
                    let buckets = self
                        .buckets
                        .get_or_insert_with(|| Box::new([0.0; BOUNDS.len()]));
                    let shares = &solved.latencies[part.latency].buckets;
                    for (bucket, share) in buckets.iter_mut().zip(shares) {
                        *bucket += amount * share;
                    }
                }
                Measure::Requests
                | Measure::GrpcSentMessages
                | Measure::GrpcReceivedMessages
                | Measure::TcpSentBytes
                | Measure::TcpReceivedBytes
                | Measure::LatencyCount => self.total += amount,
            }
        }
    }

    fn value(&self, measure: Measure, seconds: f64) -> Option<f64> {
        match measure {
            Measure::LatencyQuantile(thousandths) => {
                let q = f64::from(thousandths.min(1_000)) / 1_000.0;
                quantile(q, self.buckets.as_deref()?, self.total)
            }
            Measure::Requests
            | Measure::GrpcSentMessages
            | Measure::GrpcReceivedMessages
            | Measure::TcpSentBytes
            | Measure::TcpReceivedBytes
            | Measure::LatencySum
            | Measure::LatencyCount => Some(self.total / seconds),
        }
    }
}

/// The query's labels and matchers, looked up once.
struct Chosen {
    by: Vec<usize>,
    matchers: Vec<Looked>,
}

struct Looked {
    /// `None`: a label that no row has.
    label: Option<usize>,
    wanted: bool,
    values: Vec<LabelValue>,
}

impl Chosen {
    fn new(simulation: &Simulation, by: &[String], matchers: &[Matcher]) -> Self {
        let look = |matcher: &Matcher| {
            let label = label_index(&matcher.label);
            // An empty value stands for an absent label, as in PromQL.
            let value = |text: &String| match label {
                _ if text.is_empty() => Some(LabelValue::Absent),
                Some(label) => simulation.dictionary.value(label, text),
                None => None,
            };
            Looked {
                label,
                wanted: matcher.op == MatchOp::In,
                values: matcher.values.iter().filter_map(value).collect(),
            }
        };
        Self {
            by: by.iter().filter_map(|name| label_index(name)).collect(),
            matchers: matchers.iter().map(look).collect(),
        }
    }

    fn takes(&self, labels: &LabelValues) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = matcher
                .label
                .map_or(LabelValue::Absent, |index| labels[index]);
            matcher.values.contains(&value) == matcher.wanted
        })
    }

    fn group(&self, labels: &LabelValues) -> Vec<LabelValue> {
        self.by.iter().map(|index| labels[*index]).collect()
    }

    fn name(&self, simulation: &Simulation, group: &[LabelValue]) -> Labels {
        let named = self.by.iter().zip(group);
        named
            .filter_map(|(index, value)| {
                Some((
                    LABELS[*index].to_owned(),
                    simulation.dictionary.text(*value)?,
                ))
            })
            .collect()
    }
}

impl MetricsSource for DemoMetrics {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async {
            let world = &self.simulation.world;
            let facts = [
                ("services", world.services.len().to_string()),
                ("namespaces", world.namespaces().len().to_string()),
            ];
            Ok::<_, SourceError>(Probe {
                product: "demo mesh".to_owned(),
                version: None,
                api: None,
                address: "embedded".to_owned(),
                facts: facts.map(|(name, value)| (name.to_owned(), value)).into(),
                clock: None,
            })
        })
    }

    fn query<'a>(&'a self, query: &'a MetricsQuery) -> Answer<'a, MetricRows> {
        Box::pin(async move { Ok(self.answer(query).into()) })
    }

    fn samples<'a>(&'a self, query: &'a SamplesQuery) -> Answer<'a, Samples> {
        Box::pin(async move {
            let series = match query.of {
                Sampled::Requests => {
                    let chosen = Chosen::new(&self.simulation, &[], &query.matchers);
                    let from = query.at.minus(query.window);
                    samples::requests(&self.simulation, from, query.at, |labels| {
                        chosen.takes(labels)
                    })
                }
                // Each proxy counts requests all the time, which tells as much.
                Sampled::Up => Vec::new(),
            };
            Ok(Samples {
                series,
                warnings: Vec::new(),
            })
        })
    }
}
