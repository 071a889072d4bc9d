use proptest::prelude::*;

use super::{CALM, PATTERN_MS, REGIMES, Rhythm};
use pilothouse_core::model::Moment;

fn sum(a: [f64; REGIMES], b: [f64; REGIMES]) -> [f64; REGIMES] {
    std::array::from_fn(|r| a[r] + b[r])
}

proptest! {
    #[test]
    fn a_stretch_of_time_is_the_sum_of_its_parts(
        start in -40_000_000_i64..40_000_000,
        first in 0_i64..60_000_000,
        second in 0_i64..60_000_000,
    ) {
        let rhythm = Rhythm::new(3);
        let (a, b, c) = (Moment(start), Moment(start + first), Moment(start + first + second));
        let parts = sum(rhythm.weights(a, b), rhythm.weights(b, c));
        for (whole, part) in rhythm.weights(a, c).into_iter().zip(parts) {
            prop_assert!((whole - part).abs() < 1e-6, "{whole} {part}");
        }
    }

    #[test]
    fn only_the_regime_that_is_on_gains_time(at in 0_i64..PATTERN_MS) {
        let rhythm = Rhythm::new(3);
        let now = Moment(at);
        let soon = Moment(at + 1);
        if rhythm.regime_at(now) == rhythm.regime_at(soon) {
            for (regime, weight) in rhythm.weights(now, soon).into_iter().enumerate() {
                let on = regime == rhythm.regime_at(now);
                prop_assert_eq!(on, weight > 1e-9, "regime {} gained {}", regime, weight);
            }
        }
    }
}

#[test]
fn the_swing_averages_to_one_over_a_pattern() {
    let rhythm = Rhythm::new(9);
    let total: f64 = rhythm
        .weights(Moment(12_345), Moment(12_345 + PATTERN_MS))
        .iter()
        .sum();
    assert!((total - 26_880.0).abs() < 1e-6, "{total}");
}

#[test]
fn each_schedule_bursts_for_a_minute_in_every_seven() {
    let rhythm = Rhythm::new(1);
    for cycle in 0..64 {
        let start = Moment(cycle * 420_000);
        let weights = rhythm.weights(start, Moment(start.0 + 420_000));
        for (regime, seconds) in weights.into_iter().enumerate() {
            if regime != CALM {
                assert!((40.0..90.0).contains(&seconds), "{regime}: {seconds}");
            }
        }
    }
}
