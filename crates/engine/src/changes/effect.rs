//! Changes whose effect is being watched.

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::traffic::{
    Convergence, Counted, Incomparable, ObservedDestination, Phase, ShiftPlan, Split, SplitId,
    comparable, observe_split,
};

use crate::observation::{ObservedSplit, QueryRecord};

/// Points of a curve that are kept.
const CURVE_POINTS: usize = 240;
/// How long a change that does not converge is looked at.
const WATCHED_FOR: TimeSpan = TimeSpan::seconds(4 * 3600);

/// One applied change and how its observed share moves.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftWatch {
    /// Journal entry.
    pub entry: String,
    /// Which split.
    pub split: SplitId,
    /// Destination names, in the split's order.
    pub names: Vec<String>,
    /// Index of the destination whose curve is kept: the one whose share changed most.
    pub watched: usize,
    /// Hosts that its destinations belong to: what is counted for it.
    pub hosts: Vec<String>,
    /// Weights as we wrote them, to see whether somebody else writes after us.
    pub weights: Vec<Option<i64>>,
    /// The judge.
    pub convergence: Convergence,
    /// What was counted in the last window, in the split's order.
    pub counted: Vec<ObservedDestination>,
    /// Observed share of the watched destination over time, oldest first, one point at a time.
    pub curve: Vec<(Moment, ObservedDestination)>,
    /// Why its shares cannot be compared with the declared ones, once they were found to differ.
    pub incomparable: Option<Incomparable>,
    /// How the last window was asked for.
    pub asked: Option<QueryRecord>,
}

impl ShiftWatch {
    /// Starts watching a plan that the server took: the split as it was written, and as it was seen before. `None` if its
    /// shares are undefined (no destination gets anything).
    pub(crate) fn new(
        entry: String,
        plan: &ShiftPlan,
        written: &Split,
        before: Option<&ObservedSplit>,
        convergence: Convergence,
    ) -> Option<Self> {
        let after: Vec<f64> = plan
            .ratios_after
            .iter()
            .map(|(_, ratio)| *ratio)
            .collect::<Option<_>>()?;
        let moved = |i: usize| {
            let was = before
                .and_then(|before| before.split.destinations.get(i))
                .and_then(|d| d.effective_ratio)
                .unwrap_or(0.0);
            after.get(i).map_or(f64::MIN, |now| now - was)
        };
        let watched = (0..after.len()).max_by(|&a, &b| moved(a).total_cmp(&moved(b)))?;
        let first = before.and_then(|before| before.observed.get(watched));
        let curve = first
            .map(|point| (convergence.applied_at, *point))
            .into_iter()
            .collect();
        Some(Self {
            entry,
            split: plan.split.clone(),
            names: plan
                .ratios_after
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            watched,
            hosts: written
                .destinations
                .iter()
                .map(|d| d.fqdn.clone())
                .collect(),
            weights: written.destinations.iter().map(|d| d.weight).collect(),
            convergence,
            counted: Vec::new(),
            curve,
            incomparable: None,
            asked: None,
        })
    }

    /// Takes what was counted in the window under way; `None` if that could not be had. Without a split there is nothing to
    /// judge: it is gone, and with it what we wrote.
    pub(crate) fn step(&mut self, now: Moment, splits: &[Split], counted: Option<&Counted>) {
        let split = find_split(splits, &self.split);
        let live = split.map(|split| split.destinations.iter().map(|d| d.weight));
        if live.is_none_or(|live| !live.eq(self.weights.iter().copied())) {
            self.convergence.end(Phase::Superseded, now);
            return;
        }
        self.counted = match (split, counted) {
            (Some(split), Some(counted)) => {
                observe_split(split, Some(&counted.rows), None, counted.window)
            }
            _ => Vec::new(),
        };
        // Metrics that answered and speak of none of the destinations counted no request for any.
        let silent = self.counted.iter().all(|d| d.requests.is_none());
        let requests: Option<Vec<f64>> = match counted {
            Some(_) if silent => Some(vec![0.0; self.counted.len()]),
            Some(_) => self.counted.iter().map(|d| d.requests).collect(),
            None => None,
        };
        self.remember(now);
        self.convergence.judge(now, requests.as_deref());
        // What agrees needs no excuse.
        if self.convergence.phase == Phase::Stalled
            && let Some(split) = split
            && let Err(reason) = comparable(split, splits)
        {
            self.convergence.end(Phase::Incomparable, now);
            self.incomparable = Some(reason);
        }
    }

    /// Whether the window still has to be asked for. An open question would cost a query each tick for ever; one that no
    /// window was judged for, because the machine slept meanwhile, has its answer after two.
    pub(crate) fn open(&self, now: Moment) -> bool {
        let Convergence {
            phase, applied_at, ..
        } = self.convergence;
        phase == Phase::Converging || (phase.open() && now.since(applied_at) <= WATCHED_FOR)
    }

    /// After the clock was set back: everything stays as long ago as it was.
    pub(crate) fn follow_clock(&mut self, jump: TimeSpan) {
        let moments = [
            &mut self.convergence.applied_at,
            &mut self.convergence.judged_until,
        ];
        let looked = self.convergence.under_way.iter_mut().map(|(at, _)| at);
        let kept = looked.chain(&mut self.convergence.ended_at);
        let curve = self.curve.iter_mut().map(|(at, _)| at);
        for at in moments.into_iter().chain(kept).chain(curve) {
            *at = at.plus(jump);
        }
    }

    /// A tick that ends with the change, or was under way during it, adds no point: the share before is there already.
    fn remember(&mut self, now: Moment) {
        if self.curve.last().is_some_and(|(at, _)| *at >= now) {
            return;
        }
        if let Some(point) = self.counted.get(self.watched) {
            self.curve.push((now, *point));
        }
        if self.curve.len() > CURVE_POINTS {
            self.curve.remove(0);
        }
    }
}

/// The objects hold the split's present state; looks it up by id.
pub(crate) fn find_split<'a>(splits: &'a [Split], id: &SplitId) -> Option<&'a Split> {
    splits.iter().find(|split| &split.id == id)
}
