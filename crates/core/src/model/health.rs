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

/// Where a ratio of errors turns from ok to degraded to failing. Ratios are in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// From here on degraded.
    pub degraded: f64,
    /// Above this failing.
    pub failing: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            degraded: 0.01,
            failing: 0.05,
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
}
