//! Counting requests from the counters' own samples, so that a judge may take them for counts: nothing is extrapolated
//! into them.
//!
//! * An increase between two samples is counted, whatever scrapes are missing between them. A value below the last one is
//!   a restart of its target: what was counted just before it is lost, so that interval tells nothing of this target.
//! * **Births count.** A counter appears with its first increase (a new code, a new caller): that value would be lost in
//!   `rate()`. It is counted if its target was scraped before, so that it must have been zero; a target that is new to the
//!   server may have counted long before, and what it brings along is not counted.
//! * Targets are scraped at different moments, so each covers the window by another span. Counts are weighted by the part
//!   of the window that their target covers, and the number that a share may be judged by is that of the least covered
//!   target: it is never more than was counted.

use std::collections::BTreeMap;

use crate::model::{Moment, TimeSpan};
use crate::ports::{Labels, MetricRow, SampleSeries};

/// Labels that tell the targets of a server apart, where it has them.
const TARGET: [&str; 4] = ["cluster", "job", "instance", "pod"];

/// In a window of so many scrapes a target that was seen once, because it went or has just come, is too little to matter.
const SURE_AFTER: i64 = 8;
/// A target that was not scraped for so many intervals is gone; before that, scrapes were missed.
const MISSES: i64 = 3;

/// What was counted in a window.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Counted {
    /// Requests per second by series, each over the part of the window that its target covers.
    pub rows: Vec<MetricRow>,
    /// The window over which these rates make the number of requests that a share may be judged by.
    pub window: TimeSpan,
}

/// Counts what these series brought between two moments; samples from before the first tell which targets there are. `alive` are samples of any counter or gauge of the same targets:
/// they tell which targets were known before; the series themselves tell, too. `None` if a window of a few scrapes tells
/// nothing of a target, of which it has no sample, one, or a restart between two: without what it got no share is known.
#[must_use]
pub fn count_requests(
    series: &[SampleSeries],
    alive: &[SampleSeries],
    scrape: TimeSpan,
    from: Moment,
    to: Moment,
) -> Option<Counted> {
    let inside = |one: &SampleSeries| -> Vec<(Moment, f64)> {
        let inside = |(at, value): &&(Moment, f64)| *at >= from && *at <= to && value.is_finite();
        one.samples.iter().filter(inside).copied().collect()
    };
    let mut targets: BTreeMap<Vec<&str>, Target> = BTreeMap::new();
    let mut sampled = Vec::with_capacity(series.len());
    for one in series {
        let samples = inside(one);
        let target = targets.entry(target_of(&one.labels)).or_default();
        target.see(&samples);
        sampled.push((one, samples));
    }
    for one in alive {
        // A gauge: it goes up and down without a restart.
        let times: Vec<_> = inside(one).into_iter().map(|(at, _)| (at, 0.0)).collect();
        targets
            .entry(target_of(&one.labels))
            .or_default()
            .see(&times);
    }
    let is_short = to.since(from).0 < SURE_AFTER.saturating_mul(scrape.0);
    let is_told = |target: &Target| target.weight(from, to).is_some();
    if is_short && !targets.values().all(is_told) {
        return None;
    }
    let seconds = to.since(from).as_seconds();
    let mut rows = Vec::new();
    let mut heaviest = 1.0_f64;
    for (one, samples) in sampled {
        let target = targets.get(&target_of(&one.labels));
        let Some((target, weight)) = target.and_then(|t| Some((t, t.weight(from, to)?))) else {
            continue;
        };
        let counted = target.increase(&samples);
        heaviest = heaviest.max(weight);
        rows.push(MetricRow {
            labels: one.labels.clone(),
            value: counted * weight / seconds,
        });
    }
    Some(Counted {
        rows,
        window: shrunk(to.since(from), heaviest),
    })
}

/// Targets of which nothing is known at the beginning of a window: whether they were there is told by other series of
/// theirs. As values of `instance`, sorted.
#[must_use]
pub fn late_targets(series: &[SampleSeries], from: Moment, scrape: TimeSpan) -> Vec<String> {
    let mut first: BTreeMap<&str, Moment> = BTreeMap::new();
    for one in series {
        let instance = one.labels.get("instance").map_or("", String::as_str);
        if let Some((at, _)) = one.samples.first() {
            let known = first.entry(instance).or_insert(*at);
            *known = (*known).min(*at);
        }
    }
    let soon = from.plus(scrape);
    first
        .into_iter()
        .filter(|(instance, at)| !instance.is_empty() && *at > soon)
        .map(|(instance, _)| instance.to_owned())
        .collect()
}

/// When a target was scraped inside the window.
#[derive(Default)]
struct Target {
    first: Option<Moment>,
    last: Option<Moment>,
    /// Samples of the series that has most of them: every series of a target is scraped together.
    n: u32,
    /// Intervals in which it was restarted, by their ends.
    restarts: BTreeMap<Moment, TimeSpan>,
}

impl Target {
    fn see(&mut self, samples: &[(Moment, f64)]) {
        let times = samples.iter().map(|(at, _)| *at);
        self.first = self.first.into_iter().chain(times.clone()).min();
        self.last = self.last.into_iter().chain(times).max();
        self.n = self.n.max(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        for ((before, was), (at, is)) in samples.iter().zip(samples.iter().skip(1)) {
            if is < was {
                self.restarts.insert(*at, at.since(*before));
            }
        }
    }

    /// How much longer than the span that its samples tell of the part of the window is that they stand for. `None` if
    /// they tell of none.
    fn weight(&self, from: Moment, to: Moment) -> Option<f64> {
        let (first, last) = (self.first?, self.last?);
        let spacing = last.since(first).0 / i64::from(self.n.max(2) - 1);
        let lost: i64 = self.restarts.values().map(|span| span.0).sum();
        let told = TimeSpan(last.since(first).0 - lost);
        if told.0 <= 0 {
            return None;
        }
        // One that came or went inside the window has no part in the rest of it.
        let reach = TimeSpan(MISSES.saturating_mul(spacing));
        let begins = first.minus(reach).max(from);
        let ends = last.plus(reach).min(to);
        Some(ends.since(begins).as_seconds() / told.as_seconds())
    }

    /// What a series of it counted, but for the intervals of its restarts.
    fn increase(&self, samples: &[(Moment, f64)]) -> f64 {
        // It was scraped before this counter was there: that was zero.
        let born = samples.first().filter(|(at, _)| Some(*at) > self.first);
        let mut sum = born.map_or(0.0, |(_, value)| *value);
        for ((_, was), (at, is)) in samples.iter().zip(samples.iter().skip(1)) {
            if !self.restarts.contains_key(at) {
                sum += is - was;
            }
        }
        sum
    }
}

fn target_of(labels: &Labels) -> Vec<&str> {
    let value = |name: &&str| labels.get(*name).map_or("", String::as_str);
    TARGET.iter().map(value).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "milliseconds of a window"
)]
fn shrunk(window: TimeSpan, by: f64) -> TimeSpan {
    TimeSpan((window.0 as f64 / by) as i64)
}

#[cfg(test)]
mod tests;
