//! What a server's answer to a quantile query of latencies means.

/// Istio's last finite bucket bound in milliseconds. Prometheus answers it for a quantile that lies above; that is a
/// lower limit and not a latency.
const LAST_BOUND_MS: f64 = 3_600_000.0;

/// The latency that a `histogram_quantile` over Istio's milliseconds tells; +Inf if it lies above the last bound. `None`
/// for what is no latency (NaN: nothing was observed).
pub(crate) fn latency_quantile(answer: f64) -> Option<f64> {
    if answer >= LAST_BOUND_MS {
        return Some(f64::INFINITY);
    }
    (answer >= 0.0).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::latency_quantile;

    #[test]
    fn the_open_bucket_has_no_upper_end() {
        for (answer, latency) in [
            (12.5, Some(12.5)),
            (0.0, Some(0.0)),
            (3_599_999.0, Some(3_599_999.0)),
            (3_600_000.0, Some(f64::INFINITY)),
            (f64::INFINITY, Some(f64::INFINITY)),
            (-1.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(latency_quantile(answer), latency, "{answer}");
        }
    }
}
