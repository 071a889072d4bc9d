//! How long ago something was, whatever the clocks of this machine did since.
//!
//! `Instant` stands still while a laptop sleeps (Linux, macOS), and the time of day may be set back: what either of them
//! says has passed has passed.

use std::time::Duration;

use pilothouse_core::model::Moment;
use pilothouse_core::ports::Clock;
use tokio::time::Instant;

/// A moment by both clocks.
#[derive(Clone)]
pub(crate) struct Since {
    clock: Clock,
    at: Moment,
    awake: Instant,
}

impl Since {
    pub(crate) fn now(clock: &Clock) -> Self {
        Self {
            at: clock(),
            awake: Instant::now(),
            clock: Clock::clone(clock),
        }
    }

    /// The longer of what the two clocks say.
    pub(crate) fn elapsed(&self) -> Duration {
        let by_day = u64::try_from((self.clock)().since(self.at).0).unwrap_or(0);
        self.awake.elapsed().max(Duration::from_millis(by_day))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A time of day that a test sets.
    #[derive(Clone)]
    pub(crate) struct SetClock(Arc<AtomicI64>);

    impl SetClock {
        pub(crate) fn at(moment: Moment) -> Self {
            Self(Arc::new(AtomicI64::new(moment.0)))
        }

        /// Sets it by so many seconds.
        pub(crate) fn jump(&self, seconds: i64) {
            self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
        }

        pub(crate) fn clock(&self) -> Clock {
            let own = Arc::clone(&self.0);
            Arc::new(move || Moment(own.load(Ordering::Relaxed)))
        }
    }

    /// A clock that stands still.
    pub(crate) fn still() -> Clock {
        SetClock::at(Moment(1_790_000_000_000)).clock()
    }

    #[tokio::test(start_paused = true)]
    async fn time_passes_while_the_machine_sleeps_and_when_its_clock_is_set_back() {
        let day = SetClock::at(Moment(0));
        let since = Since::now(&day.clock());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(since.elapsed(), Duration::from_secs(5));
        day.jump(-3600);
        assert_eq!(since.elapsed(), Duration::from_secs(5));
        day.jump(10 * 3600);
        assert_eq!(since.elapsed(), Duration::from_secs(9 * 3600));
    }
}
