//! How long requests take: distributions with closed forms, and Istio's histogram buckets.
//!
//! A server's own work is log-normal; a sum of such (own work and calls) is taken for log-normal with the sum's mean and
//! variance. What a caller felt may be cut at its timeout and shifted by an injected delay.

/// Upper bounds of `istio_request_duration_milliseconds_bucket`, without `+Inf`.
pub(crate) const BOUNDS: [f64; 19] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

/// Shares of requests at or below each bound.
pub(crate) type Buckets = [f64; BOUNDS.len()];

/// Mean and variance of a duration, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl Moments {
    /// Of a log-normal given by its median and the deviation of its logarithm.
    pub(crate) fn of_median(median: f64, sigma: f64) -> Self {
        let mean = median * (sigma * sigma / 2.0).exp();
        let variance = mean * mean * (sigma * sigma).exp_m1();
        Self { mean, variance }
    }

    /// Of this and another duration, one after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            mean: self.mean + next.mean,
            variance: self.variance + next.variance,
        }
    }

    /// Of a duration that happens with this probability (else 0).
    pub(crate) fn sometimes(self, probability: f64) -> Self {
        let mean = probability * self.mean;
        let square = probability * self.mean.mul_add(self.mean, self.variance);
        Self {
            mean,
            variance: (square - mean * mean).max(0.0),
        }
    }

    /// Of `times` of it on average, one after the other.
    pub(crate) fn repeated(self, times: f64) -> Self {
        Self {
            mean: self.mean * times,
            variance: self.variance * times,
        }
    }
}

/// A distribution of durations in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Latency {
    /// Always the same.
    Always(f64),
    /// Log-normal, given that it is below `cut`, then shifted.
    Spread {
        mu: f64,
        sigma: f64,
        cut: f64,
        shift: f64,
    },
}

impl Latency {
    /// The log-normal with these moments.
    pub(crate) fn fitted(moments: Moments) -> Self {
        if moments.mean <= 0.0 {
            return Self::Always(0.0);
        }
        let log_variance = (moments.variance / (moments.mean * moments.mean)).ln_1p();
        if log_variance <= 1e-9 {
            return Self::Always(moments.mean);
        }
        Self::Spread {
            mu: moments.mean.ln() - log_variance / 2.0,
            sigma: log_variance.sqrt(),
            cut: f64::INFINITY,
            shift: 0.0,
        }
    }

    /// Share of it above a limit.
    pub(crate) fn share_above(self, limit: f64) -> f64 {
        1.0 - self.share_below(limit)
    }

    /// Share at or below `bound`.
    pub(crate) fn share_below(self, bound: f64) -> f64 {
        match self {
            Self::Always(value) => f64::from(u8::from(value <= bound)),
            Self::Spread {
                mu,
                sigma,
                cut,
                shift,
            } => {
                let bound = bound - shift;
                if bound >= cut {
                    return 1.0;
                }
                let whole = log_normal_below(cut, mu, sigma);
                if whole <= 0.0 {
                    return 0.0;
                }
                (log_normal_below(bound, mu, sigma) / whole).min(1.0)
            }
        }
    }

    /// Its mean.
    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Always(value) => value,
            Self::Spread {
                mu,
                sigma,
                cut,
                shift,
            } => {
                let all = (sigma * sigma / 2.0 + mu).exp();
                let whole = log_normal_below(cut, mu, sigma);
                if whole <= 0.0 {
                    return cut.min(all) + shift;
                }
                // Partial expectation of a log-normal below the cut.
                let part = all * log_normal_below(cut, sigma.mul_add(sigma, mu), sigma);
                part / whole + shift
            }
        }
    }

    /// The same, given that it is below the limit.
    pub(crate) const fn cut_at(self, limit: f64) -> Self {
        match self {
            Self::Spread {
                mu, sigma, shift, ..
            } => Self::Spread {
                mu,
                sigma,
                cut: limit,
                shift,
            },
            Self::Always(value) => Self::Always(value.min(limit)),
        }
    }

    /// The same, so much later.
    pub(crate) fn shifted(self, by: f64) -> Self {
        match self {
            Self::Spread {
                mu,
                sigma,
                cut,
                shift,
            } => Self::Spread {
                mu,
                sigma,
                cut,
                shift: shift + by,
            },
            Self::Always(value) => Self::Always(value + by),
        }
    }

    pub(crate) fn buckets(self) -> Buckets {
        BOUNDS.map(|bound| self.share_below(bound))
    }

    /// Identity of the bits, to keep each distribution's buckets once.
    pub(crate) const fn key(self) -> [u64; 4] {
        match self {
            Self::Always(value) => [value.to_bits(), 0, 0, u64::MAX],
            Self::Spread {
                mu,
                sigma,
                cut,
                shift,
            } => [
                mu.to_bits(),
                sigma.to_bits(),
                cut.to_bits(),
                shift.to_bits(),
            ],
        }
    }
}

fn log_normal_below(bound: f64, mu: f64, sigma: f64) -> f64 {
    if bound <= 0.0 {
        0.0
    } else if bound.is_infinite() {
        1.0
    } else {
        normal_below((bound.ln() - mu) / sigma)
    }
}

/// Distribution function of the standard normal: Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8.
pub(crate) fn normal_below(x: f64) -> f64 {
    const TERMS: [f64; 5] = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let t = 1.0 / 0.231_641_9_f64.mul_add(x.abs(), 1.0);
    let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let series = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    let tail = density * series;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

/// The `quantile` of counts by bucket (`counts[i]` at or below `BOUNDS[i]`, `total` in all), interpolated within its bucket
/// as Prometheus' `histogram_quantile` does, but +Inf where that answers the last bound. `None` if nothing was counted.
pub(crate) fn quantile(quantile: f64, counts: &Buckets, total: f64) -> Option<f64> {
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let rank = quantile * total;
    let Some(index) = counts.iter().position(|&count| count >= rank) else {
        return Some(f64::INFINITY);
    };
    let (below, lower) = match index.checked_sub(1) {
        Some(previous) => (counts[previous], BOUNDS[previous]),
        None => (0.0, 0.0),
    };
    let inside = counts[index] - below;
    let part = if inside > 0.0 {
        (rank - below) / inside
    } else {
        0.0
    };
    Some((BOUNDS[index] - lower).mul_add(part, lower))
}

#[cfg(test)]
mod tests;
