//! The arithmetic of "is this difference real": intervals of shares, bands around declared weights, answers about quantiles.
//!
//! Counts are `f64`, because Prometheus extrapolates increases to fractions. An answer that the numbers do not support is
//! `None`, never zero. What to do with an answer is not decided here: thresholds of health live in
//! [`crate::model::Thresholds`], the judgement of a change in [`crate::traffic::Convergence`].
//!
//! ```
//! use pilothouse_core::stats::{Z_95, wilson};
//! let share = wilson(33.0, 3_621.0, Z_95).expect("there are requests");
//! assert!(share.low < 0.0091 && 0.0091 < share.high);
//! assert_eq!(wilson(0.0, 0.0, Z_95), None);
//! ```

mod interval;
mod quantile;

pub use interval::{ENOUGH_REQUESTS, Interval, Z_95, Z_BAND, band, in_band, wilson};
pub(crate) use quantile::latency_quantile;
