//! The load: an open loop of GET requests through the ingress at a steady rate.
//!
//! Open loop means that a slow mesh does not slow the load down; only when all [`WORKERS`] wait
//! does it fall behind, and what is late by more than a second is let go.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::apps::Outbound;
use crate::calls::Ledger;
use crate::clock;
use crate::mesh::WORKLOADS;

const WORKERS: usize = 8;
const TARGET: &str = "/productpage";
const LATE: Duration = Duration::from_secs(1);

/// The running load; ends when dropped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
}

struct Plan {
    /// Requests per second; none while paused.
    rps: Option<f64>,
    due: Instant,
    in_flight: usize,
    stop: bool,
}

impl Load {
    /// Starts paused. `port` is the ingress Envoy's.
    pub(crate) fn start(port: u16, ledger: &Ledger) -> Result<Self> {
        let plan = Plan {
            rps: None,
            due: clock::now(),
            in_flight: 0,
            stop: false,
        };
        let shared = Arc::new(Shared {
            plan: Mutex::new(plan),
            changed: Condvar::new(),
        });
        let [ingress, ..] = &WORKLOADS;
        let workers = (0..WORKERS)
            .map(|_| {
                let shared = Arc::clone(&shared);
                let outbound = Outbound::new(ingress.name, port, ledger);
                thread::Builder::new()
                    .name("load".to_owned())
                    .spawn(move || shared.work(outbound))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, workers })
    }

    /// Sends at this rate from now on; 0 pauses.
    pub(crate) fn set_rate(&self, rps: f64) {
        let mut plan = self.shared.lock();
        plan.rps = (rps > 0.0).then_some(rps);
        plan.due = clock::now();
        self.shared.changed.notify_all();
    }

    /// Pauses and comes back when no request is under way.
    pub(crate) fn pause(&self) -> Result<()> {
        self.set_rate(0.0);
        let plan = self.shared.lock();
        let patience = Duration::from_secs(20);
        let (plan, _) = self
            .shared
            .changed
            .wait_timeout_while(plan, patience, |plan| plan.in_flight > 0)
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(
            plan.in_flight == 0,
            "the load has requests without an answer after {patience:?}"
        );
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            drop(worker.join());
        }
    }
}

impl Shared {
    fn work(&self, mut outbound: Outbound) {
        while self.next() {
            // Refused connections are not calls: nothing was sent.
            drop(outbound.call("productpage", TARGET, &[]));
            self.lock().in_flight -= 1;
            self.changed.notify_all();
        }
    }

    /// Waits for the next request's time; false when the load ends.
    fn next(&self) -> bool {
        let mut plan = self.lock();
        loop {
            if plan.stop {
                return false;
            }
            let now = clock::now();
            let wait = match plan.rps {
                None => Duration::MAX,
                Some(_) => plan.due.saturating_duration_since(now),
            };
            if let (Some(rps), Duration::ZERO) = (plan.rps, wait) {
                let late = now.checked_sub(LATE).unwrap_or(now);
                plan.due = plan.due.max(late) + Duration::from_secs_f64(1.0 / rps);
                plan.in_flight += 1;
                return true;
            }
            // A minute is as good as for ever, and no overflow.
            let wait = wait.min(Duration::from_secs(60));
            let woken = self.changed.wait_timeout(plan, wait);
            plan = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
