//! The only door to the time of day.

use std::sync::Arc;

use pilothouse_core::model::Moment;
pub use pilothouse_core::ports::Clock;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    Arc::new(|| Moment(jiff::Timestamp::now().as_millisecond()))
}
