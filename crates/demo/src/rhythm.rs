//! When things happen: how traffic swings and when bursts of failures are on, as functions of time with exact integrals.
//!
//! Time is cut into *regimes*: calm, or one of [`SCHEDULES`] bursts (bursts never overlap). Within a regime every rate of the
//! mesh is its base rate times one common swing, so that a counter's growth is the sum over regimes of base rate times
//! [`Rhythm::weights`]. The whole pattern repeats every [`PATTERN`] seconds, which makes any stretch of time a closed form.

use std::f64::consts::TAU;

use pilothouse_core::model::Moment;

use crate::random::{Dice, hash};

/// Independent sequences of bursts that services can be put on.
pub(crate) const SCHEDULES: usize = 3;
/// Calm, then one for each schedule.
pub(crate) const REGIMES: usize = SCHEDULES + 1;
/// The calm regime.
pub(crate) const CALM: usize = 0;

/// One number for each regime.
pub(crate) type PerRegime = [f64; REGIMES];

/// Every schedule bursts once in a cycle, in its own third of it.
const CYCLE: f64 = 420.0;
const CYCLES: usize = 64;
const PATTERN_MS: i64 = 26_880_000;
const PATTERN: f64 = 26_880.0;
const SLOT: f64 = 140.0;

/// Amplitudes and periods of the swing. Periods divide the pattern, so that its integral over a pattern is the pattern.
const SWINGS: [(f64, f64); 2] = [(0.12, PATTERN / 16.0), (0.04, PATTERN / 84.0)];

/// The rhythm of one world.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    phases: [f64; 2],
    /// Start and end of every burst within the pattern, in time order, with its regime.
    bursts: Vec<(f64, f64, usize)>,
    /// Integral of the swing from the pattern's start to each burst's start, by regime; one more for the pattern's end.
    before: Vec<PerRegime>,
}

impl Rhythm {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(hash(&[seed, 0x72]));
        let phases = [dice.between(0.0, TAU), dice.between(0.0, TAU)];
        let mut bursts = Vec::with_capacity(CYCLES * SCHEDULES);
        let mut cycle_start = 0.0;
        for _ in 0..CYCLES {
            let mut slot_start = cycle_start;
            for schedule in 0..SCHEDULES {
                let length = dice.between(50.0, 75.0);
                let start = slot_start + dice.between(1.0, SLOT - length - 1.0);
                bursts.push((start, start + length, schedule + 1));
                slot_start += SLOT;
            }
            cycle_start += CYCLE;
        }
        let mut rhythm = Self {
            phases,
            bursts,
            before: Vec::new(),
        };
        rhythm.before = rhythm.prefix_sums();
        rhythm
    }

    fn prefix_sums(&self) -> Vec<PerRegime> {
        let mut sums = [0.0; REGIMES];
        let mut before = Vec::with_capacity(self.bursts.len() + 1);
        let mut clock = 0.0;
        for &(start, end, regime) in &self.bursts {
            sums[CALM] += self.swing_integral(clock, start);
            before.push(sums);
            sums[regime] += self.swing_integral(start, end);
            clock = end;
        }
        sums[CALM] += self.swing_integral(clock, PATTERN);
        before.push(sums);
        before
    }

    /// Integral over `from..to` within one pattern.
    fn swing_integral(&self, from: f64, to: f64) -> f64 {
        let waves = SWINGS
            .iter()
            .zip(self.phases)
            .map(|(&(amplitude, period), phase)| {
                let pace = TAU / period;
                amplitude / pace * (pace.mul_add(from, phase).cos() - pace.mul_add(to, phase).cos())
            });
        (to - from) + waves.sum::<f64>()
    }

    /// How far into which pattern.
    fn place(at: Moment) -> (i64, f64) {
        let within = Moment(at.0.rem_euclid(PATTERN_MS)).as_seconds();
        (at.0.div_euclid(PATTERN_MS), within)
    }

    /// Integral from the pattern's start.
    fn within_pattern(&self, at: f64) -> PerRegime {
        let index = self.bursts.partition_point(|&(start, _, _)| start <= at);
        let Some(&(start, end, regime)) = index.checked_sub(1).and_then(|i| self.bursts.get(i))
        else {
            let mut sums = [0.0; REGIMES];
            sums[CALM] = self.swing_integral(0.0, at);
            return sums;
        };
        let mut sums = self.before[index - 1];
        sums[regime] += self.swing_integral(start, at.min(end));
        sums[CALM] += self.swing_integral(at.min(end), at);
        sums
    }

    /// For each regime the integral of the swing over `from..to`, in seconds; zero if `to` is not later.
    pub(crate) fn weights(&self, from: Moment, to: Moment) -> PerRegime {
        if to <= from {
            return [0.0; REGIMES];
        }
        let ((from_pattern, from_at), (to_pattern, to_at)) = (Self::place(from), Self::place(to));
        let whole = self.before.last().copied().unwrap_or([0.0; REGIMES]);
        let patterns = Moment((to_pattern - from_pattern).saturating_mul(1000)).as_seconds();
        let (early, late) = (self.within_pattern(from_at), self.within_pattern(to_at));
        std::array::from_fn(|r| patterns.mul_add(whole[r], late[r] - early[r]))
    }

    /// Which regime is on.
    pub(crate) fn regime_at(&self, at: Moment) -> usize {
        let (_, within) = Self::place(at);
        let index = self
            .bursts
            .partition_point(|&(start, _, _)| start <= within);
        let burst = index.checked_sub(1).and_then(|i| self.bursts.get(i));
        burst.map_or(
            CALM,
            |&(_, end, regime)| {
                if within < end { regime } else { CALM }
            },
        )
    }
}

#[cfg(test)]
mod tests;
