//! Jumps of the clock: the machine slept, or somebody set its time.
//!
//! `Instant` stands still while a laptop sleeps and takes no notice when the clock is set, so the difference between it and
//! the time of day is what the clock jumped by. A jump back is always a correction. One ahead is a sleep or a correction;
//! nothing here tells one from the other, and nothing has to.

use pilothouse_core::model::{Moment, TimeSpan};
use tokio::time::Instant;

/// What a busy machine and a clock that is adjusted gently come to between two looks.
const TOLERANCE: TimeSpan = TimeSpan::seconds(2);

/// The last look at both clocks.
pub(crate) struct BothClocks {
    day: Moment,
    awake: Instant,
}

impl BothClocks {
    pub(crate) const fn new(day: Moment, awake: Instant) -> Self {
        Self { day, awake }
    }

    /// By how much the time of day jumped since the last look, if it did.
    pub(crate) fn jump(&mut self, day: Moment, awake: Instant) -> Option<TimeSpan> {
        let passed = awake.saturating_duration_since(self.awake).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let jump = TimeSpan(day.since(self.day).0.saturating_sub(passed));
        *self = Self::new(day, awake);
        (jump.0.abs() > TOLERANCE.0).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_that_passes_is_no_jump_and_sleep_and_corrections_are() {
        let start = Instant::now();
        let at =
            |day_s: i64, awake_s: u64| (Moment(day_s * 1000), start + Duration::from_secs(awake_s));
        let mut clocks = BothClocks::new(Moment(0), start);
        let mut jump = |(day, awake)| clocks.jump(day, awake).map(TimeSpan::as_seconds);
        assert_eq!(jump(at(10, 10)), None);
        assert_eq!(jump(at(22, 20)), None, "two seconds are a busy machine");
        assert_eq!(jump(at(32_432, 30)), Some(32_400.0), "nine hours of sleep");
        assert_eq!(jump(at(28_842, 40)), Some(-3600.0), "an hour back");
        assert_eq!(jump(at(28_852, 50)), None);
    }
}
