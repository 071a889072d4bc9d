//! Moments and lengths of time as arguments. No clock here: the engine's clock makes moments.

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch (UTC). Prometheus answers in this precision.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// The moment `span` later.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long ago `earlier` was at this moment; negative if it is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the epoch, with fractions.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit 53 bits for 285,000 years"
    )]
    pub const fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

/// A length of time in milliseconds; may be negative as the difference of two moments.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// A whole number of seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Seconds with fractions.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "lengths on screen are far below 2^53 ms"
    )]
    pub const fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}
