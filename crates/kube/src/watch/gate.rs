//! The client that the watcher of `kube` gets: our transport behind a gate that paces.
//!
//! The watcher starts a new request at once when a stream ends, without telling anybody. A proxy that closes every
//! stream would be asked thousands of times a second; the gate lets a burst through and then one request a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::time::{Instant, sleep_until};
use tower::service_fn;

use crate::transport::Transport;

/// Requests that may follow each other at once: pages of a list, and a few reconnections.
const BURST: u32 = 20;

/// One more request each.
const REFILL: Duration = Duration::from_secs(1);

/// A client for one stream.
pub(super) fn client(transport: &Arc<Transport>) -> Client {
    let transport = Arc::clone(transport);
    let pace = Arc::new(Mutex::new(Pace::new(Instant::now())));
    let service = service_fn(move |request| {
        let transport = Arc::clone(&transport);
        let pace = Arc::clone(&pace);
        async move {
            let turn = {
                let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
                pace.take(Instant::now())
            };
            sleep_until(turn).await;
            transport.open(request).await
        }
    });
    Client::new(service, "default")
}

/// A bucket of turns: `free_at` is when the whole burst is available again.
struct Pace {
    free_at: Instant,
}

impl Pace {
    const fn new(now: Instant) -> Self {
        Self { free_at: now }
    }

    /// When the next request may go.
    fn take(&mut self, now: Instant) -> Instant {
        let turn = now.max(
            self.free_at
                .checked_sub(REFILL * (BURST - 1))
                .unwrap_or(now),
        );
        self.free_at = self.free_at.max(now) + REFILL;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_then_one_request_a_second() {
        let start = Instant::now() + Duration::from_secs(3600);
        let mut pace = Pace::new(start);
        for _ in 0..BURST {
            assert_eq!(pace.take(start), start);
        }
        assert_eq!(pace.take(start), start + REFILL);
        assert_eq!(pace.take(start), start + REFILL * 2);
        let later = start + Duration::from_secs(3600);
        assert_eq!(pace.take(later), later);
    }
}
