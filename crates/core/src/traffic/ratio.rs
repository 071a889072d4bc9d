//! Which share of requests weights really give, by the rules of their API.
//!
//! | | VirtualService | Gateway API |
//! |---|---|---|
//! | weight absent, several destinations | 0 | 1 |
//! | a single destination | everything, whatever its weight | everything, but nothing at weight 0 |
//! | all zero | refused at admission | every request answers 500 |

/// Shares in 0..=1, in order; `None` for each if no request is served. A negative weight counts as zero.
pub(super) fn effective_ratios(section: &str, weights: &[Option<i64>]) -> Vec<Option<f64>> {
    let gateway_api = section == "rules";
    if weights.len() == 1 && !gateway_api {
        return vec![Some(1.0)];
    }
    let absent = default_weight(section);
    let weights: Vec<f64> = weights
        .iter()
        .map(|weight| as_f64(weight.unwrap_or(absent).max(0)))
        .collect();
    let sum: f64 = weights.iter().sum();
    let share = |weight: f64| (sum > 0.0).then(|| weight / sum);
    weights.into_iter().map(share).collect()
}

/// What an absent weight among several destinations means.
pub(super) fn default_weight(section: &str) -> i64 {
    i64::from(section == "rules")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "weights are 32 bit numbers; a larger one is refused elsewhere"
)]
const fn as_f64(weight: i64) -> f64 {
    weight as f64
}

#[cfg(test)]
mod tests {
    use super::effective_ratios;

    fn check(weights: &[Option<i64>], istio: &[Option<f64>], gateway: &[Option<f64>]) {
        assert_eq!(effective_ratios("http", weights), istio, "{weights:?}");
        assert_eq!(effective_ratios("rules", weights), gateway, "{weights:?}");
    }

    #[test]
    fn the_two_apis_differ_where_weights_are_absent_or_zero() {
        let all = [Some(1.0)];
        check(&[None], &all, &all);
        check(&[Some(0)], &all, &[None]);
        check(&[Some(37)], &all, &all);
        check(&[Some(0), Some(0)], &[None, None], &[None, None]);
        check(&[None, None], &[None, None], &[Some(0.5), Some(0.5)]);
        check(
            &[Some(3), None],
            &[Some(1.0), Some(0.0)],
            &[Some(0.75), Some(0.25)],
        );
        let quarter = [Some(0.25), Some(0.75)];
        check(&[Some(1), Some(3)], &quarter, &quarter);
        check(
            &[Some(-1), Some(3)],
            &[Some(0.0), Some(1.0)],
            &[Some(0.0), Some(1.0)],
        );
        check(&[], &[], &[]);
    }
}
