use proptest::prelude::*;

use super::{Bucket, bucket_quantile};

const INF: f64 = f64::INFINITY;

/// Quantile, cumulative buckets, answer.
type Case<'a> = (f64, &'a [(f64, f64)], Option<f64>);

fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
    let bucket = |&(le, count): &(f64, f64)| Bucket { le, count };
    pairs.iter().map(bucket).collect()
}

#[test]
fn quantiles_are_those_of_prometheus() {
    let usual = [(10.0, 10.0), (25.0, 40.0), (50.0, 90.0), (INF, 100.0)];
    let empty_low = [(10.0, 0.0), (25.0, 10.0), (INF, 10.0)];
    let negative = [(-5.0, 10.0), (5.0, 20.0), (INF, 20.0)];
    let cases: &[Case<'_>] = &[
        (0.5, &usual, Some(30.0)),
        (0.1, &usual, Some(10.0)),
        (0.05, &usual, Some(5.0)),
        (0.0, &usual, Some(0.0)),
        // Beyond the highest finite bound nothing is known but that bound.
        (0.95, &usual, Some(50.0)),
        (1.0, &usual, Some(50.0)),
        (-0.1, &usual, Some(-INF)),
        (1.1, &usual, Some(INF)),
        (f64::NAN, &usual, None),
        (0.5, &empty_low, Some(17.5)),
        (0.0, &empty_low, None),
        (0.25, &negative, Some(-5.0)),
        (0.75, &negative, Some(0.0)),
        (0.5, &[], None),
        (0.5, &[(INF, 5.0)], None),
        (0.5, &[(10.0, 5.0)], None),
        (0.5, &[(10.0, 5.0), (20.0, 5.0)], None),
        (0.5, &[(10.0, 0.0), (INF, 0.0)], None),
        (0.5, &[(10.0, f64::NAN), (INF, f64::NAN)], None),
        // Any order, a bound twice (two proxies), a count that falls.
        (
            0.5,
            &[(INF, 100.0), (50.0, 90.0), (10.0, 10.0), (25.0, 40.0)],
            Some(30.0),
        ),
        (
            0.5,
            &[
                (10.0, 5.0),
                (10.0, 5.0),
                (25.0, 40.0),
                (50.0, 90.0),
                (INF, 100.0),
            ],
            Some(30.0),
        ),
        (
            0.5,
            &[(10.0, 60.0), (25.0, 40.0), (INF, 100.0)],
            Some(10.0 * 50.0 / 60.0),
        ),
    ];
    for (q, pairs, expected) in cases {
        assert_eq!(
            bucket_quantile(*q, &buckets(pairs)),
            *expected,
            "{q} of {pairs:?}"
        );
    }
}

proptest! {
    /// A quantile lies in the bucket that holds its rank, and grows with `q`.
    #[test]
    fn a_quantile_lies_in_its_bucket(
        steps in prop::collection::vec((1_u16..1000, 1_u16..1000), 1..20),
        beyond in 0_u16..1000,
        q in 0.001_f64..=1.0,
        less in 0.0_f64..1.0,
    ) {
        let mut pairs = Vec::new();
        let (mut le, mut count) = (0.0, 0.0);
        for (width, more) in steps {
            le += f64::from(width);
            count += f64::from(more);
            pairs.push((le, count));
        }
        pairs.push((INF, count + f64::from(beyond)));
        let all = buckets(&pairs);
        let value = bucket_quantile(q, &all).expect("a quantile");
        let rank = q * (count + f64::from(beyond));
        let inside = pairs.iter().position(|(_, count)| *count >= rank).expect("a bucket");
        let low = if inside == 0 { 0.0 } else { pairs[inside - 1].0 };
        let high = if inside == pairs.len() - 1 { low } else { pairs[inside].0 };
        prop_assert!(low <= value && value <= high + 1e-9, "{} not in {}..{}", value, low, high);
        let smaller = bucket_quantile(q * less, &all).expect("a quantile");
        prop_assert!(smaller <= value + 1e-9);
    }
}
