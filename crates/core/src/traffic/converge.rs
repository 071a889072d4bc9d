//! Has the observed share reached the declared one? A pure state machine, stepped with each look.
//!
//! Judged are windows that lie wholly after the change plus one scrape (before that, old requests are still inside). A
//! window grows until it holds [`ENOUGH_REQUESTS`]: a quiet route converges too, later. Converged: every destination in its
//! [`band`](stats::band) in two windows in a row.

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
    /// Its shares cannot be compared with what the metrics count, so that they do not agree says nothing.
    Incomparable,
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
    /// End of the last judged window, which is where the one under way begins.
    pub judged_until: Moment,
    /// Requests in the window under way, at the last look.
    pub under_way: Option<(Moment, f64)>,
    /// When it was over: converged, taken back, or changed by somebody else.
    pub ended_at: Option<Moment>,
}

/// A window of a very quiet route stops growing here.
const LONGEST: TimeSpan = TimeSpan::seconds(3600);

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
            under_way: None,
            ended_at: None,
        }
    }

    /// A window is not judged before it is as long: two scrapes, at least 15 s.
    #[must_use]
    pub fn shortest(&self) -> TimeSpan {
        TimeSpan((2 * self.scrape.0).max(15_000))
    }

    /// The window under way, if it is looked at now. Empty where it has not begun.
    #[must_use]
    pub fn window(&self, now: Moment) -> TimeSpan {
        TimeSpan(now.since(self.judged_until).0.clamp(0, LONGEST.0))
    }

    /// After this long without convergence it counts as stalled: a scrape and four windows, at least 60 s.
    #[must_use]
    pub fn stall_after(&self) -> TimeSpan {
        TimeSpan((self.scrape.0 + 4 * self.shortest().0).max(60_000))
    }

    /// Whether a window long enough to be judged lies behind at this moment.
    #[must_use]
    pub fn due(&self, now: Moment) -> bool {
        self.phase.open() && now.since(self.judged_until) >= self.shortest()
    }

    /// When the window under way will hold enough requests, if they keep coming as they did; `None` if it does, or if
    /// none came.
    #[must_use]
    pub fn enough_at(&self) -> Option<Moment> {
        let (at, n) = self.under_way?;
        let seconds = self.window(at).as_seconds() * (ENOUGH_REQUESTS / n - 1.0);
        let soon = n > 0.0 && n < ENOUGH_REQUESTS && seconds.is_finite();
        soon.then(|| at.plus(TimeSpan::seconds(whole(seconds))))
    }

    /// Judges the window that ends at `now`, by the requests that each destination got in it; `None` if they could not be
    /// counted. Does nothing before [`Convergence::due`]. A window that holds too few goes on, and so does one that could
    /// not be counted: a missed answer is no judgement.
    pub fn judge(&mut self, now: Moment, requests: Option<&[f64]>) {
        if !self.due(now) {
            return;
        }
        let late = now.since(self.applied_at) >= self.stall_after();
        let Some(requests) = requests else {
            self.phase = if late { Phase::Blind } else { self.phase };
            return;
        };
        let n: f64 = requests.iter().sum();
        self.under_way = Some((now, n));
        if n < ENOUGH_REQUESTS {
            self.phase = if late {
                Phase::TooLittleTraffic
            } else {
                Phase::Converging
            };
            return;
        }
        self.judged_until = now;
        self.under_way = None;
        let agrees = self
            .targets
            .iter()
            .zip(requests)
            .all(|(&w, &k)| stats::in_band(k, n, w) == Some(true));
        self.in_a_row = if agrees { self.in_a_row + 1 } else { 0 };
        match (self.in_a_row >= WINDOWS_NEEDED, late) {
            (true, _) => self.end(Phase::Converged, now),
            (false, true) if !agrees => self.phase = Phase::Stalled,
            (false, _) => self.phase = Phase::Converging,
        }
    }

    /// It is over.
    pub fn end(&mut self, phase: Phase, now: Moment) {
        self.phase = phase;
        self.ended_at = Some(now);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "below the years that matter, and saturating"
)]
fn whole(seconds: f64) -> i64 {
    seconds.ceil() as i64
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
    fn a_window_that_cannot_be_judged_yet_goes_on() {
        for gap in [Some([3.0, 1.0].as_slice()), None] {
            let mut c = started();
            c.judge(Moment(20_000), Some(&[150.0, 150.0]));
            c.judge(Moment(35_000), gap);
            assert_eq!((c.in_a_row, c.phase), (1, Phase::Converging), "{gap:?}");
            assert_eq!(c.window(Moment(50_000)), TimeSpan(30_000), "it grows");
            c.judge(Moment(50_000), Some(&[150.0, 150.0]));
            assert_eq!((c.in_a_row, c.phase), (2, Phase::Converged), "{gap:?}");
            assert_eq!(c.ended_at, Some(Moment(50_000)));
        }
    }

    #[test]
    fn a_quiet_route_converges_later_and_says_when() {
        let mut c = started();
        let n = |now: Moment| 0.2 * c.window(now).as_seconds();
        let now = Moment(105_000);
        let few = [n(now) / 2.0; 2];
        c.judge(now, Some(&few));
        assert_eq!(c.phase, Phase::TooLittleTraffic);
        // 200 requests at 0.2 a second.
        assert_eq!(c.enough_at(), Some(Moment(1_005_000)));
        c.judge(Moment(1_006_000), Some(&[101.0, 100.0]));
        assert_eq!(
            (c.in_a_row, c.phase, c.enough_at()),
            (1, Phase::Converging, None)
        );
        c.judge(Moment(2_007_000), Some(&[100.0, 100.0]));
        assert_eq!(c.phase, Phase::Converged);
        c.end(Phase::Undone, Moment(2_008_000));
        assert_eq!(c.phase, Phase::Undone);
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
