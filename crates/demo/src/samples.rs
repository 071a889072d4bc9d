//! The counters as a server would hold them that scrapes every proxy each five seconds.

use std::collections::BTreeMap;

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::{Labels, SampleSeries};

use crate::exposition::counters;
use crate::flow::FlowKey;
use crate::labels::{LABELS, LabelValues, label_index};
use crate::simulation::Simulation;
use crate::solve::Family;

const SCRAPE: TimeSpan = TimeSpan::seconds(5);
/// What a counter held that was there before the window.
const BEFORE: f64 = 1_000.0;

/// Samples of all request counters that `takes` wants, in a window.
pub(crate) fn requests(
    simulation: &Simulation,
    from: Moment,
    to: Moment,
    takes: impl Fn(&LabelValues) -> bool,
) -> Vec<SampleSeries> {
    let mut series: BTreeMap<FlowKey, Vec<(Moment, f64)>> = BTreeMap::new();
    let mut sums: BTreeMap<FlowKey, f64> = BTreeMap::new();
    let mut scrape = Moment(from.0.div_euclid(SCRAPE.0) * SCRAPE.0).plus(SCRAPE);
    let first = scrape;
    while scrape <= to {
        let stretches = simulation.stretches(scrape.minus(SCRAPE), scrape);
        for (key, counter) in counters(&stretches, Family::Requests) {
            let is_old = scrape == first && counter.count > 0.0;
            let sum = sums.entry(key).or_insert(if is_old { BEFORE } else { 0.0 });
            *sum += counter.count;
        }
        for (key, sum) in &sums {
            // Requests are whole: a counter appears with its first one.
            if *sum >= 1.0 {
                series.entry(*key).or_default().push((scrape, sum.floor()));
            }
        }
        scrape = scrape.plus(SCRAPE);
    }
    let wanted = series.into_iter().filter_map(|(key, samples)| {
        let values = simulation.dictionary.labels(&simulation.world, &key);
        takes(&values).then(|| SampleSeries {
            labels: labels(simulation, &values),
            samples,
        })
    });
    wanted.collect()
}

/// Istio's labels, and the proxy that reports as the target.
fn labels(simulation: &Simulation, values: &LabelValues) -> Labels {
    let text = |index: usize| simulation.dictionary.text(*values.get(index)?);
    let mut labels: Labels = LABELS
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some(((*name).to_owned(), text(index)?)))
        .collect();
    let side = match labels.get("reporter").map(String::as_str) {
        Some("destination") => "destination_workload",
        _ => "source_workload",
    };
    let of = |name: &str| label_index(name).and_then(text).unwrap_or_default();
    let instance = format!("{}/{}", of(&format!("{side}_namespace")), of(side));
    labels.insert("instance".to_owned(), instance);
    labels
}
