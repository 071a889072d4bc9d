//! Has the observed share reached the declared one? A pure state machine, stepped once per judged window.
//!
//! Judged are windows that lie wholly after the change plus one scrape (before that, old requests are still inside).
//! Converged: every destination in its [`band`](stats::band) in two windows in a row, each with enough requests. A window
//! that cannot be judged breaks the row.

use serde::{Deserialize, Serialize};

use crate::model::{Moment, TimeSpan};
use crate::stats::{self, ENOUGH_REQUESTS};

/// Windows in the band, in a row, that make a change converged.
pub const WINDOWS_NEEDED: u32 = 2;

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Applied, not yet judged or not yet in the band.
    Converging,
    /// In the band.
    Converged,
    /// Time is over, with requests enough, and still outside the band.
    Stalled,
    /// Time is over with too few requests to tell.
    TooLittleTraffic,
    /// No metrics to judge by.
    Blind,
    /// Taken back.
    Undone,
    /// Somebody else changed the weights since.
    Superseded,
}

impl Phase {
    /// Whether judging goes on.
    #[must_use]
    pub const fn open(self) -> bool {
        matches!(
            self,
            Self::Converging | Self::TooLittleTraffic | Self::Blind | Self::Stalled
        )
    }
}

/// The declared share of a destination with the band for a number of requests, to be drawn: the one that is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Declared.
    pub target: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Band {
    /// The band around `target` for `n` requests; everything without requests.
    #[must_use]
    pub fn around(target: f64, n: f64) -> Self {
        let (low, high) = stats::band(target, n).map_or((0.0, 1.0), |band| (band.low, band.high));
        Self { target, low, high }
    }
}

/// Judging one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Declared shares after the change, in the split's order.
    pub targets: Vec<f64>,
    /// When the server took it.
    pub applied_at: Moment,
    /// Time between scrapes.
    pub scrape: TimeSpan,
    /// How far.
    pub phase: Phase,
    /// Windows in the band in a row.
    pub in_a_row: u32,
    /// End of the last judged window.
    pub judged_until: Moment,
}

impl Convergence {
    /// Starts judging a change.
    #[must_use]
    pub fn new(targets: Vec<f64>, applied_at: Moment, scrape: TimeSpan) -> Self {
        let judged_until = applied_at.plus(scrape);
        Self {
            targets,
            applied_at,
            scrape,
            phase: Phase::Converging,
            in_a_row: 0,
            judged_until,
        }
    }

    /// Length of a judged window: two scrapes, at least 15 s.
    #[must_use]
    pub fn window(&self) -> TimeSpan {
        TimeSpan((2 * self.scrape.0).max(15_000))
    }

    /// After this long without convergence it counts as stalled: a scrape and four windows, at least 60 s.
    #[must_use]
    pub fn stall_after(&self) -> TimeSpan {
        TimeSpan((self.scrape.0 + 4 * self.window().0).max(60_000))
    }

    /// Whether a whole new window lies behind at this moment.
    #[must_use]
    pub fn due(&self, now: Moment) -> bool {
        self.phase.open() && now.since(self.judged_until) >= self.window()
    }

    /// Judges the window that ends at `now`, by the requests that each destination got in it; `None` if they could not be
    /// counted. Does nothing before [`Convergence::due`].
    pub fn judge(&mut self, now: Moment, requests: Option<&[f64]>) {
        if !self.due(now) {
            return;
        }
        let late = now.since(self.applied_at) >= self.stall_after();
        let Some(requests) = requests else {
            self.in_a_row = 0;
            self.phase = if late { Phase::Blind } else { self.phase };
            return;
        };
        self.judged_until = now;
        let n: f64 = requests.iter().sum();
        if n < ENOUGH_REQUESTS {
            self.in_a_row = 0;
            self.phase = if late {
                Phase::TooLittleTraffic
            } else {
                Phase::Converging
            };
            return;
        }
        let agrees = self
            .targets
            .iter()
            .zip(requests)
            .all(|(&w, &k)| stats::in_band(k, n, w) == Some(true));
        self.in_a_row = if agrees { self.in_a_row + 1 } else { 0 };
        self.phase = match (self.in_a_row >= WINDOWS_NEEDED, late) {
            (true, _) => Phase::Converged,
            (false, true) if !agrees => Phase::Stalled,
            (false, _) => Phase::Converging,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Convergence {
        Convergence::new(vec![0.5, 0.5], Moment(0), TimeSpan::seconds(5))
    }

    #[test]
    fn two_windows_in_the_band_converge() {
        let mut c = started();
        c.judge(Moment(10_000), Some(&[150.0, 150.0]));
        assert_eq!(
            (c.in_a_row, c.phase),
            (0, Phase::Converging),
            "a window that reaches before the change is not judged"
        );
        c.judge(Moment(20_000), Some(&[150.0, 150.0]));
        assert_eq!((c.in_a_row, c.phase), (1, Phase::Converging));
        c.judge(Moment(35_000), Some(&[140.0, 160.0]));
        assert_eq!((c.in_a_row, c.phase), (2, Phase::Converged));
    }

    #[test]
    fn a_window_outside_the_band_starts_over_and_stalls_in_the_end() {
        let mut c = started();
        c.judge(Moment(20_000), Some(&[150.0, 150.0]));
        c.judge(Moment(35_000), Some(&[270.0, 30.0]));
        assert_eq!((c.in_a_row, c.phase), (0, Phase::Converging));
        c.judge(Moment(70_000), Some(&[270.0, 30.0]));
        assert_eq!(c.phase, Phase::Stalled);
    }

    #[test]
    fn a_window_that_cannot_be_judged_breaks_the_row() {
        for gap in [Some([3.0, 1.0].as_slice()), None] {
            let mut c = started();
            c.judge(Moment(20_000), Some(&[150.0, 150.0]));
            c.judge(Moment(35_000), gap);
            assert_eq!((c.in_a_row, c.phase), (0, Phase::Converging), "{gap:?}");
            c.judge(Moment(50_000), Some(&[150.0, 150.0]));
            assert_eq!((c.in_a_row, c.phase), (1, Phase::Converging), "{gap:?}");
        }
    }

    /// What is drawn is what is judged by.
    #[test]
    fn inside_the_drawn_band_is_in_the_judged_band() {
        for n in (1_u32..=20_000).map(f64::from) {
            for w in [0.0, 0.001, 0.01, 0.1, 1.0 / 3.0, 0.5, 0.75, 0.99, 1.0] {
                let drawn = Band::around(w, n);
                let edges = [drawn.low * n, drawn.high * n, w * n];
                for k in edges.iter().flat_map(|k| [k.floor(), k.ceil()]) {
                    let k = k.clamp(0.0, n);
                    let inside = drawn.low <= k / n && k / n <= drawn.high;
                    assert_eq!(stats::in_band(k, n, w), Some(inside), "{k} of {n} at {w}");
                }
            }
        }
    }

    #[test]
    fn little_traffic_is_never_called_stalled_and_no_metrics_are_blind() {
        let mut c = started();
        c.judge(Moment(80_000), Some(&[3.0, 1.0]));
        assert_eq!(c.phase, Phase::TooLittleTraffic);
        c.judge(Moment(100_000), None);
        assert_eq!(c.phase, Phase::Blind);
    }
}
