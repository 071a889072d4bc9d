//! Numbers for tables.

/// A rate with two decimals, or as many as it takes to tell it from none; unknown is a dash.
pub(crate) fn rate(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| match v {
        0.0 => "0.00".to_owned(),
        v if v < 0.000_01 => "<0.00001".to_owned(),
        v if v < 0.01 => format!("{v:.5}"),
        v => format!("{v:.2}"),
    })
}

/// A ratio in percent with one decimal; unknown is a dash.
pub(crate) fn percent(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| format!("{:.1} %", v * 100.0))
}

/// A statistic of a latency (`avg`, `p50`, `p95`, `p99`) in milliseconds; unknown is a dash, beyond the last bucket is said
/// so.
pub(crate) fn latency(latency: &pilothouse_api::dto::LatencyView, statistic: &str) -> String {
    if latency.beyond.iter().any(|name| name == statistic) {
        return "> last bucket".to_owned();
    }
    let value = match statistic {
        "avg" => latency.avg,
        "p50" => latency.p50,
        "p99" => latency.p99,
        _ => latency.p95,
    };
    value.map_or_else(dash, |v| format!("{v:.0} ms"))
}

/// Nanoseconds in a unit that reads well.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn nanoseconds(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}

/// What stands for an unknown number.
pub(crate) fn dash() -> String {
    "-".to_owned()
}
