//! Thresholds and severities of the live picture: the only place that says what is degraded.

use serde::{Deserialize, Serialize};

/// How a node or an edge does. Ordered from best to worst, with the two kinds of not knowing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No number is known (a source failed or never answered).
    Unknown,
    /// Known to carry no traffic.
    Idle,
    /// Below the first threshold.
    Ok,
    /// Between the thresholds.
    Degraded,
    /// Above the second threshold.
    Failing,
}

/// Where a ratio of errors, and a latency, turns from ok to degraded to failing. Ratios are in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// From this ratio of errors on degraded.
    pub degraded: f64,
    /// Above this ratio of errors failing.
    pub failing: f64,
    /// From this 95th percentile on degraded, milliseconds; without one latency degrades nothing.
    pub latency_degraded_ms: Option<f64>,
    /// Above this 95th percentile failing, milliseconds.
    pub latency_failing_ms: Option<f64>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            degraded: 0.01,
            failing: 0.05,
            latency_degraded_ms: None,
            latency_failing_ms: None,
        }
    }
}

impl Thresholds {
    /// Health of a request rate and its error ratio; `None` means not known, and stays so.
    #[must_use]
    pub fn judge(self, rate: Option<f64>, error_ratio: Option<f64>) -> Health {
        match (rate, error_ratio) {
            (None, _) => Health::Unknown,
            (Some(rate), _) if rate <= 0.0 => Health::Idle,
            (Some(_), Some(ratio)) if ratio > self.failing => Health::Failing,
            (Some(_), Some(ratio)) if ratio >= self.degraded => Health::Degraded,
            (Some(_), _) => Health::Ok,
        }
    }

    /// The health with what the 95th percentile says beside it. Latency of what carries no traffic, or whose traffic is
    /// not known, says nothing.
    #[must_use]
    pub fn with_latency(self, health: Health, p95_ms: Option<f64>) -> Health {
        let Some(ms) = p95_ms.filter(|_| health >= Health::Ok) else {
            return health;
        };
        let of_latency = match (self.latency_degraded_ms, self.latency_failing_ms) {
            (_, Some(failing)) if ms > failing => Health::Failing,
            (Some(degraded), _) if ms >= degraded => Health::Degraded,
            _ => Health::Ok,
        };
        health.max(of_latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_judged_where_it_was_asked_for_and_only_of_traffic() {
        let both = Thresholds {
            latency_degraded_ms: Some(200.0),
            latency_failing_ms: Some(1000.0),
            ..Thresholds::default()
        };
        let failing_alone = Thresholds {
            latency_degraded_ms: None,
            ..both
        };
        let cases = [
            (both, Health::Ok, Some(199.9), Health::Ok),
            (both, Health::Ok, Some(200.0), Health::Degraded),
            (both, Health::Ok, Some(1000.0), Health::Degraded),
            (both, Health::Ok, Some(1000.1), Health::Failing),
            (both, Health::Failing, Some(1.0), Health::Failing),
            (both, Health::Degraded, None, Health::Degraded),
            (both, Health::Idle, Some(9000.0), Health::Idle),
            (both, Health::Unknown, Some(9000.0), Health::Unknown),
            (failing_alone, Health::Ok, Some(999.0), Health::Ok),
            (failing_alone, Health::Ok, Some(1001.0), Health::Failing),
            (Thresholds::default(), Health::Ok, Some(9000.0), Health::Ok),
        ];
        for (thresholds, health, ms, wanted) in cases {
            assert_eq!(
                thresholds.with_latency(health, ms),
                wanted,
                "{health:?} {ms:?}"
            );
        }
    }
}
