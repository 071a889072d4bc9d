//! Real time: these tests watch real processes. Nothing here waits longer than it must.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(25);

/// Looks again and again until `check` gives something, at most for `deadline`.
///
/// # Errors
/// When time is up, with what `check` said last.
pub fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut check: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = now();
    loop {
        let last = match check() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("not yet"),
            Err(error) => error,
        };
        if begun.elapsed() >= deadline {
            return Err(last.context(format!("{what}: not within {deadline:?}")));
        }
        thread::sleep(POLL);
    }
}

/// Milliseconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "real servers stamp with the wall clock"
)]
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "deadlines of real processes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
