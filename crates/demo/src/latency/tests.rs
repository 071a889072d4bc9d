use proptest::prelude::*;

use super::{BOUNDS, Buckets, Latency, Moments, normal_below, quantile};
use crate::random::Dice;

#[test]
fn the_normal_distribution_matches_its_table() {
    let table = [
        (0.0, 0.5),
        (1.0, 0.841_344_746),
        (-1.0, 0.158_655_254),
        (1.959_963_985, 0.975),
        (3.0, 0.998_650_102),
    ];
    for (x, expected) in table {
        assert!((normal_below(x) - expected).abs() < 1e-7, "{x}");
    }
}

#[test]
fn a_fitted_distribution_has_the_moments_that_it_was_fitted_to() {
    let moments = Moments::of_median(20.0, 0.6);
    let latency = Latency::fitted(moments);
    assert!((latency.mean() - moments.mean).abs() < 1e-9);
    assert!((latency.share_below(20.0) - 0.5).abs() < 1e-6);
}

#[test]
fn cutting_takes_the_tail_away() {
    let latency = Latency::fitted(Moments::of_median(100.0, 0.8));
    let cut = latency.cut_at(250.0);
    assert!((cut.share_below(250.0) - 1.0).abs() < 1e-12);
    assert!(cut.mean() < latency.mean());
    // The parts below and above weigh up to the whole.
    let mut dice = Dice::new(5);
    let draws: Vec<f64> = (0..200_000)
        .map(|_| 100.0 * (0.8 * dice.normal()).exp())
        .filter(|d| *d < 250.0)
        .collect();
    let mean = draws.iter().sum::<f64>() / f64::from(u32::try_from(draws.len()).unwrap());
    assert!((mean - cut.mean()).abs() < 0.5, "{mean} {}", cut.mean());
}

#[test]
fn quantiles_interpolate_as_prometheus_does() {
    let mut counts: Buckets = [0.0; BOUNDS.len()];
    for (bound, count) in BOUNDS.iter().zip(counts.iter_mut()) {
        *count = if *bound >= 50.0 {
            100.0
        } else if *bound >= 25.0 {
            40.0
        } else {
            0.0
        };
    }
    // Rank 50 lies 10 of 60 into the bucket 25..50.
    let median = quantile(0.5, &counts, 100.0).unwrap();
    assert!((median - (25.0 + 25.0 / 6.0)).abs() < 1e-9, "{median}");
    assert_eq!(quantile(0.5, &counts, 1_000.0), Some(f64::INFINITY));
    assert_eq!(quantile(0.5, &[0.0; BOUNDS.len()], 0.0), None);
}

proptest! {
    #[test]
    fn a_quantile_lies_within_its_bucket(median in 0.3_f64..3_000.0, sigma in 0.1_f64..1.2, q in 0.01_f64..0.99) {
        let latency = Latency::fitted(Moments::of_median(median, sigma));
        let answer = quantile(q, &latency.buckets(), 1.0).unwrap();
        let index = BOUNDS.iter().position(|b| answer <= *b).unwrap();
        prop_assert!(latency.share_below(BOUNDS[index]) >= q - 1e-6);
        if index > 0 {
            prop_assert!(latency.share_below(BOUNDS[index - 1]) <= q + 1e-6);
        }
    }

    #[test]
    fn shares_grow_with_the_bound(median in 0.3_f64..3_000.0, sigma in 0.1_f64..1.2, shift in 0.0_f64..500.0, cut in 1.0_f64..1_000.0) {
        let latency = Latency::fitted(Moments::of_median(median, sigma)).cut_at(cut).shifted(shift);
        let buckets = latency.buckets();
        prop_assert!(buckets.windows(2).all(|w| w[0] <= w[1] + 1e-9));
        prop_assert!(buckets.iter().all(|b| (0.0..=1.0).contains(b)));
    }
}
