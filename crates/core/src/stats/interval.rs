//! Intervals of binomial shares (Wilson 1927), and the band in which an observed share counts as the declared one.

use serde::{Deserialize, Serialize};

/// Standard normal quantile of two-sided 95 %.
pub const Z_95: f64 = 1.959_963_984_540_054;
/// Width of the band in which an observed share counts as the declared one: the split of requests by a proxy is binomial,
/// so three standard deviations let one honest window in 370 fall outside.
pub const Z_BAND: f64 = 3.0;

/// Below so many requests a window says nothing about convergence.
pub const ENOUGH_REQUESTS: f64 = 200.0;

/// Closer than one point is close enough, however many requests there are.
const CLOSE_ENOUGH: f64 = 0.01;

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half of its width.
    #[must_use]
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// Share and count, if they are sound: counts finite, `n` positive, and at most `n` hits (a counter reset may claim more).
fn share(k: f64, n: f64) -> Option<f64> {
    (k.is_finite() && n.is_finite() && n > 0.0).then(|| (k / n).clamp(0.0, 1.0))
}

/// Wilson interval of the share of `k` hits in `n`, at `z` standard deviations; within 0..=1, and never of no width unless
/// `z` is 0. `None` without requests or with counts that are no numbers.
#[must_use]
pub fn wilson(k: f64, n: f64, z: f64) -> Option<Interval> {
    let p = share(k, n)?;
    let z2 = z * z;
    let centre = p + z2 / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // Rounding may miss the exact ends at 0 and 1 by an ulp.
    let low = if p <= 0.0 {
        0.0
    } else {
        (centre - spread) / scale
    };
    let high = if p >= 1.0 {
        1.0
    } else {
        (centre + spread) / scale
    };
    Some(Interval {
        low: low.clamp(0.0, 1.0),
        high: high.clamp(0.0, 1.0),
    })
}

/// The observed shares that agree with the declared share `w` after `n` requests: those that differ from it by at most one
/// point or by the half width of its Wilson interval at [`Z_BAND`]. Within 0..=1. `None` without requests or if `w` is no
/// share.
#[must_use]
pub fn band(w: f64, n: f64) -> Option<Interval> {
    if !(0.0..=1.0).contains(&w) {
        return None;
    }
    let tolerance = wilson(w * n, n, Z_BAND)?.half_width().max(CLOSE_ENOUGH);
    // The sum of two shares may be off by an ulp at exactly one point.
    let tolerance = tolerance + f64::EPSILON;
    Some(Interval {
        low: (w - tolerance).max(0.0),
        high: (w + tolerance).min(1.0),
    })
}

/// Whether `k` of `n` requests lie in the [`band`] around the declared share `w`. `None` without requests. Whether `n` is
/// enough to judge at all ([`ENOUGH_REQUESTS`]), and how many windows in a row must agree, is up to the caller.
#[must_use]
pub fn in_band(k: f64, n: f64, w: f64) -> Option<bool> {
    Some(band(w, n)?.contains(share(k, n)?))
}

#[cfg(test)]
mod tests;
