use proptest::prelude::*;
use statrs::distribution::{Binomial, ContinuousCDF, Discrete, Normal};

use super::{Interval, Z_95, band, in_band, wilson};

fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance
}

#[test]
fn the_width_is_that_of_the_normal_distribution() {
    let normal = Normal::new(0.0, 1.0).expect("a distribution");
    let oracle = normal.inverse_cdf(0.975);
    assert!(close(Z_95, oracle, 1e-9), "{Z_95} is not {oracle}");
}

/// Examples of Newcombe 1998 (Statistics in Medicine 17:857, table I).
#[test]
fn intervals_agree_with_the_published_examples() {
    for (k, n, low, high) in [
        (81.0, 263.0, 0.2553, 0.3662),
        (15.0, 148.0, 0.0624, 0.1605),
        (0.0, 20.0, 0.0, 0.1611),
        (1.0, 29.0, 0.0061, 0.1718),
    ] {
        let found = wilson(k, n, Z_95).expect("an interval");
        assert!(
            close(found.low, low, 5e-5) && close(found.high, high, 5e-5),
            "{found:?}"
        );
    }
}

#[test]
fn nothing_is_said_about_nothing() {
    for (k, n) in [
        (0.0, 0.0),
        (1.0, -1.0),
        (f64::NAN, 5.0),
        (1.0, f64::INFINITY),
    ] {
        assert_eq!(wilson(k, n, Z_95), None);
        assert_eq!(in_band(k, n, 0.5), None);
    }
    assert_eq!(band(0.5, 0.0), None);
    assert_eq!(band(1.5, 10.0), None);
    assert_eq!(band(f64::NAN, 10.0), None);
}

#[test]
fn the_band_is_a_point_or_three_deviations() {
    for (k, n, w, inside) in [
        (250.0, 1_000.0, 0.25, true),
        (280.0, 1_000.0, 0.25, true),
        (310.0, 1_000.0, 0.25, false),
        // Many requests: the interval is narrow, one point still counts as there.
        (25_900.0, 100_000.0, 0.25, true),
        (26_100.0, 100_000.0, 0.25, false),
        (0.0, 10_000.0, 0.0, true),
        (0.0, 10_000.0, 0.02, false),
        (10_000.0, 10_000.0, 1.0, true),
    ] {
        assert_eq!(in_band(k, n, w), Some(inside), "{k} of {n} at {w}");
    }
}

/// An honest proxy stays in the band: the exact binomial probability of falling out is small for every weight.
#[test]
fn an_honest_split_rarely_leaves_the_band() {
    for n in [200_u32, 1_000] {
        for w in [0.01, 0.05, 0.25, 0.5, 0.9] {
            let exact = Binomial::new(w, u64::from(n)).expect("a distribution");
            let outside: f64 = (0..=n)
                .filter(|k| in_band(f64::from(*k), f64::from(n), w) == Some(false))
                .map(|k| exact.pmf(u64::from(k)))
                .sum();
            assert!(outside < 0.01, "{w} at {n}: {outside}");
        }
    }
}

proptest! {
    #[test]
    fn an_interval_holds_its_share(n in 1_u32..100_000, part in 0.0_f64..=1.0, z in 0.0_f64..5.0) {
        let n = f64::from(n);
        let k = (n * part).floor();
        let Interval { low, high } = wilson(k, n, z).expect("an interval");
        prop_assert!(0.0 <= low && low <= k / n + 1e-12 && k / n <= high + 1e-12 && high <= 1.0);
    }
}
