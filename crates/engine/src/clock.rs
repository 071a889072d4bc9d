//! The only door to the time of day.

use std::sync::Arc;

use pilothouse_core::model::Moment;

/// Tells the present moment. Tests and replays pass their own.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    Arc::new(|| Moment(jiff::Timestamp::now().as_millisecond()))
}
