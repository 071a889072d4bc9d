//! The clocks. A test bed measures real servers, so it reads real time, here and nowhere else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock, for deadlines and durations.
#[expect(
    clippy::disallowed_methods,
    reason = "the bed has real servers and no engine's Clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Time since 1970 by the wall clock, as Prometheus and Jaeger stamp what they are told.
#[expect(
    clippy::disallowed_methods,
    reason = "the bed has real servers and no engine's Clock"
)]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
