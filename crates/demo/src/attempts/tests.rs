use pilothouse_core::traffic::Retries;
use proptest::prelude::*;

use super::{Attempts, Served, attempts};
use crate::flow::{Flag, Outcome};
use crate::latency::Moments;
use crate::routing::{Branch, End};
use crate::world::Protocol;

fn branch(attempts: u32, retry_on: &str, timeout_ms: Option<f64>) -> Branch {
    Branch {
        share: 1.0,
        service: 0,
        subset: None,
        end: End::Reach(vec![(0, 1.0)]),
        delay_ms: 0.0,
        timeout_ms,
        retries: Retries {
            attempts,
            per_try_timeout_ms: None,
            retry_on: retry_on.to_owned(),
            backoff_ms: 25,
        },
    }
}

fn request(branch: &Branch, failing: f64, median_ms: f64) -> Attempts {
    let served = Served {
        failing,
        time: Moments::of_median(median_ms, 0.5),
    };
    let error = Outcome::status(Protocol::Http, 500, Flag::None);
    attempts(branch, Protocol::Http, served, error)
}

fn share(attempts: &Attempts, by_callee: bool, code: u16) -> f64 {
    attempts
        .reported(by_callee, 0.0)
        .filter(|(outcome, _, _)| outcome.code == code)
        .map(|(_, share, _)| share)
        .sum()
}

#[test]
fn retries_hide_failures_from_the_caller_and_load_the_callee() {
    let sent = request(&branch(2, "5xx", None), 0.1, 5.0);
    assert!((share(&sent, false, 500) - 0.001).abs() < 1e-12);
    assert!((share(&sent, true, 500) - 0.1).abs() < 1e-12);
    assert!((sent.tries - 1.11).abs() < 1e-12);
    let flags: Vec<Flag> = sent.reported(false, 0.0).map(|(o, _, _)| o.flag).collect();
    assert_eq!(flags, [Flag::None, Flag::RetriesExhausted]);
}

#[test]
fn an_error_that_the_policy_does_not_name_is_not_retried() {
    let sent = request(&branch(2, "connect-failure,503", None), 0.1, 5.0);
    assert!((share(&sent, false, 500) - 0.1).abs() < 1e-12);
    assert!((sent.tries - 1.0).abs() < 1e-12);
}

#[test]
fn the_proxies_disagree_about_timeouts() {
    let sent = request(&branch(0, "", Some(10.0)), 0.0, 10.0);
    let late = share(&sent, false, 504);
    assert!(late > 0.3, "{late}");
    assert!((share(&sent, true, 200) - 1.0).abs() < 1e-12);
    assert!((sent.failing() - late).abs() < 1e-12);
}

proptest! {
    #[test]
    fn every_request_ends_once(
        failing in 0.0_f64..=1.0,
        median in 0.5_f64..200.0,
        tries in 0_u32..5,
        timeout in proptest::option::of(1.0_f64..500.0),
        per_try in proptest::option::of(1_u64..300),
        not_found in 0.0_f64..=1.0,
    ) {
        let mut branch = branch(tries, "5xx", timeout);
        branch.retries.per_try_timeout_ms = per_try;
        let sent = request(&branch, failing, median);
        for by_callee in [false, true] {
            let sum: f64 = sent.reported(by_callee, not_found).map(|(_, share, _)| share).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
        prop_assert!(sent.tries >= 1.0 - 1e-12 && sent.tries <= f64::from(tries) + 1.0 + 1e-9);
        prop_assert!((0.0..=1.0 + 1e-9).contains(&sent.failing()));
    }
}
