//! Durations as Prometheus writes them (`300s`, `1h30m`), and numbers for tables.

/// Reads a duration: a row of whole numbers with units `ms`, `s`, `m`, `h`, `d`, `w`. Answers milliseconds.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no duration: write 300s, 5m or 1h30m");
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(wrong()),
        };
        total = number
            .checked_mul(factor)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        rest = tail;
    }
    if total > 0 { Ok(total) } else { Err(wrong()) }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_prometheus_writes_them() {
        let cases = [
            ("300s", 300_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("250ms", 250),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_duration(text), Ok(expect), "{text}");
        }
        for wrong in [
            "",
            "5",
            "m",
            "5x",
            "-5m",
            "0s",
            "5m ",
            "99999999999999999999s",
            "9223372036854775807w",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?} must be refused");
        }
    }
}
