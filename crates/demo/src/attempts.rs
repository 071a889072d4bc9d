//! One request through its caller's proxy: tries, timeouts, and what either proxy reports about it.

use crate::flow::{Flag, Outcome};
use crate::latency::{Latency, Moments};
use crate::routing::Branch;
use crate::world::Protocol;

/// How a node answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    /// Share of requests that it answers with a failure.
    pub(crate) failing: f64,
    /// From request to answer at its own proxy.
    pub(crate) time: Moments,
}

/// Way there and back, and both proxies: what the caller's proxy sees on top of the callee's.
pub(crate) const NETWORK: (f64, f64) = (0.6, 0.35);

/// How long a proxy takes to answer by itself, in milliseconds.
pub(crate) const OWN_ANSWER_MS: f64 = 0.2;

/// Requests by their ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
    /// Tries that reach the callee, for each request.
    pub(crate) tries: f64,
    ok: End,
    failed: End,
    timed_out: End,
    /// At the callee: share of tries that it answers with a failure, and how long it takes.
    callee_failing: f64,
    callee_ok: Outcome,
    callee_error: Outcome,
    callee_time: Latency,
    felt: Moments,
}

/// One end of requests, as the caller's proxy reports it.
#[derive(Clone, Copy, Debug)]
struct End {
    share: f64,
    outcome: Outcome,
    latency: Latency,
}

impl Attempts {
    /// The caller's proxy answers by itself.
    pub(crate) fn answered(outcome: Outcome, branch: &Branch) -> Self {
        let latency = Latency::Always(OWN_ANSWER_MS + branch.delay_ms);
        let end = |share| End {
            share,
            outcome,
            latency,
        };
        let failed = f64::from(u8::from(outcome.failed()));
        Self {
            tries: 0.0,
            ok: end(1.0 - failed),
            failed: end(failed),
            timed_out: end(0.0),
            callee_failing: 0.0,
            callee_ok: outcome,
            callee_error: outcome,
            callee_time: latency,
            felt: Moments {
                mean: OWN_ANSWER_MS,
                variance: 0.0,
            },
        }
    }

    /// Share of requests that fail for the caller.
    pub(crate) const fn failing(&self) -> f64 {
        self.failed.share + self.timed_out.share
    }

    /// How long the caller waits.
    pub(crate) fn felt_by_caller(&self, branch: &Branch) -> Moments {
        Moments {
            mean: self.felt.mean + branch.delay_ms,
            variance: self.felt.variance,
        }
    }

    /// Outcomes with their shares (of requests at the caller, of tries at the callee) and latencies. Part of the good
    /// answers are 404.
    pub(crate) fn reported(
        &self,
        by_callee: bool,
        not_found: f64,
    ) -> impl Iterator<Item = (Outcome, f64, Latency)> {
        let ends = if by_callee {
            [
                (self.callee_ok, 1.0 - self.callee_failing, self.callee_time),
                (self.callee_error, self.callee_failing, self.callee_time),
                (self.callee_error, 0.0, self.callee_time),
            ]
        } else {
            [self.ok, self.failed, self.timed_out].map(|end| (end.outcome, end.share, end.latency))
        };
        let (good, share, latency) = ends[0];
        let missing = Outcome { code: 404, ..good };
        [
            (good, share * (1.0 - not_found), latency),
            (missing, share * not_found, latency),
            ends[1],
            ends[2],
        ]
        .into_iter()
        .filter(|(_, share, _)| *share > 0.0)
    }
}

/// Requests of a branch to a node; `error` is how its failures look.
pub(crate) fn attempts(
    branch: &Branch,
    protocol: Protocol,
    served: Served,
    error: Outcome,
) -> Attempts {
    let network = Moments::of_median(NETWORK.0, NETWORK.1);
    let one_try = served.time.then(network);
    let timeout = Outcome::status(protocol, 504, Flag::Timeout);
    let failing = served.failing;
    let per_try = branch.retries.per_try_timeout_ms.map(exact);
    let late = per_try.map_or(0.0, |limit| Latency::fitted(one_try).share_above(limit));

    // A try fails by its answer, or by coming too late.
    let answer_retried = f64::from(u8::from(branch.retries_on(error)));
    let late_retried = f64::from(u8::from(branch.retries_on(timeout)));
    let failing_in_time = (1.0 - late) * failing;
    let retried = failing_in_time.mul_add(answer_retried, late * late_retried);
    let more = i32::try_from(branch.retries.attempts).unwrap_or(i32::MAX);
    let tries = if retried < 1.0 {
        (1.0 - retried.powi(more.saturating_add(1))) / (1.0 - retried)
    } else {
        f64::from(more) + 1.0
    };
    let exhausted = retried.powi(more);
    // Ends of the last try: what is retried only ends there after the last retry.
    let last = |share: f64, again: f64| share * (tries * (1.0 - again) + exhausted * again);
    let failed = last(failing_in_time, answer_retried);
    let late = last(late, late_retried);
    let ok = (1.0 - failed - late).max(0.0);

    let all = one_try.repeated(tries);
    let fitted = Latency::fitted(all);
    let overdue = branch
        .timeout_ms
        .map_or(0.0, |limit| fitted.share_above(limit));
    let in_time = branch
        .timeout_ms
        .map_or(fitted, |limit| fitted.cut_at(limit));
    let limit = branch.timeout_ms.or(per_try).unwrap_or(0.0);
    let delayed = branch.delay_ms;
    let flagged = |outcome: Outcome, flag: Flag| {
        let flag = if delayed > 0.0 { Flag::Delay } else { flag };
        outcome.flagged(flag)
    };
    let exhausted_flag = if answer_retried > 0.0 {
        Flag::RetriesExhausted
    } else {
        Flag::None
    };
    let felt_mean = (1.0 - overdue).mul_add(in_time.mean(), overdue * limit);
    Attempts {
        tries,
        ok: End {
            share: ok * (1.0 - overdue),
            outcome: flagged(Outcome::ok(protocol), Flag::None),
            latency: in_time.shifted(delayed),
        },
        failed: End {
            share: failed * (1.0 - overdue),
            outcome: flagged(error, exhausted_flag),
            latency: in_time.shifted(delayed),
        },
        timed_out: End {
            share: late.mul_add(1.0 - overdue, overdue),
            outcome: timeout,
            latency: Latency::Always(limit),
        },
        callee_failing: failing,
        callee_ok: Outcome::ok(protocol),
        callee_error: error,
        callee_time: Latency::fitted(served.time),
        felt: Moments {
            mean: felt_mean,
            variance: all.variance * (1.0 - overdue),
        },
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a timeout are far below 2^53"
)]
const fn exact(ms: u64) -> f64 {
    ms as f64
}

#[cfg(test)]
mod tests;
