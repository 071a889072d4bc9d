use proptest::prelude::*;
use statrs::distribution::{Binomial, ContinuousCDF, Discrete, Normal};

use super::{Interval, Z_95, Z_99, Z_999, binomial_band, in_band, newcombe, wilson};

fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance
}

#[test]
fn quantiles_are_those_of_the_normal_distribution() {
    let normal = Normal::new(0.0, 1.0).expect("a distribution");
    for (z, level) in [(Z_95, 0.95), (Z_99, 0.99), (Z_999, 0.999)] {
        let oracle = normal.inverse_cdf(f64::midpoint(1.0, level));
        assert!(close(z, oracle, 1e-9), "{level}: {z} is not {oracle}");
    }
}

/// Examples of Newcombe 1998 (Statistics in Medicine 17:857, table I, and 17:873, table II).
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
    for (k1, n1, k2, n2, low, high) in [
        (56.0, 70.0, 48.0, 80.0, 0.0524, 0.3339),
        (9.0, 10.0, 3.0, 10.0, 0.1705, 0.8090),
        (10.0, 10.0, 0.0, 20.0, 0.6791, 1.0),
        (5.0, 56.0, 0.0, 29.0, -0.0381, 0.1926),
    ] {
        let found = newcombe(k1, n1, k2, n2, Z_95).expect("an interval");
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
        assert_eq!(newcombe(k, n, 1.0, 2.0, Z_95), None);
        assert_eq!(newcombe(1.0, 2.0, k, n, Z_95), None);
        assert_eq!(in_band(k, n, 0.5), None);
    }
    assert_eq!(binomial_band(0.5, 0.0, 3.0), None);
    assert_eq!(binomial_band(1.5, 10.0, 3.0), None);
    assert_eq!(binomial_band(f64::NAN, 10.0, 3.0), None);
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

#[test]
fn the_expected_band_widens_as_requests_become_fewer() {
    let band = binomial_band(0.25, 9_600.0, 3.0).expect("a band");
    assert!(close(band.half_width(), 0.01326, 1e-5));
    let edge = binomial_band(0.01, 10.0, 3.0).expect("a band");
    assert!(close(edge.low, 0.0, 0.0), "{edge:?}");
}

proptest! {
    #[test]
    fn an_interval_holds_its_share(n in 1_u32..100_000, part in 0.0_f64..=1.0, z in 0.0_f64..5.0) {
        let n = f64::from(n);
        let k = (n * part).floor();
        let Interval { low, high } = wilson(k, n, z).expect("an interval");
        prop_assert!(0.0 <= low && low <= k / n + 1e-12 && k / n <= high + 1e-12 && high <= 1.0);
    }

    #[test]
    fn a_difference_turns_its_sign_with_its_sides(
        n1 in 1_u32..10_000, n2 in 1_u32..10_000, p1 in 0.0_f64..=1.0, p2 in 0.0_f64..=1.0,
    ) {
        let (n1, n2) = (f64::from(n1), f64::from(n2));
        let (k1, k2) = ((n1 * p1).floor(), (n2 * p2).floor());
        let there = newcombe(k1, n1, k2, n2, Z_95).expect("an interval");
        let back = newcombe(k2, n2, k1, n1, Z_95).expect("an interval");
        prop_assert!(close(there.low, -back.high, 1e-12) && close(there.high, -back.low, 1e-12));
        prop_assert!(there.contains(k1 / n1 - k2 / n2));
    }
}
