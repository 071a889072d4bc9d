//! Durations as Prometheus writes them: `300s`, `5m`, `1h30m`.

use pilothouse_core::model::TimeSpan;

/// Names of units and their milliseconds, the longest first.
const UNITS: [(&str, i64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A duration in milliseconds.
///
/// # Errors
/// With a sentence, if the text is none, or nothing at all.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no duration: write 300s, 5m or 1h30m");
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let (_, factor) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        total = number
            .checked_mul(factor)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        rest = tail;
    }
    if total > 0 { Ok(total) } else { Err(wrong()) }
}

/// The duration in the largest unit that divides it.
pub(crate) fn duration_text(span: TimeSpan) -> String {
    let fits = |(_, factor): &(&str, i64)| span.0 != 0 && span.0 % factor == 0;
    let (unit, factor) = UNITS.into_iter().find(fits).unwrap_or(("ms", 1));
    format!("{}{unit}", span.0 / factor)
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

    #[test]
    fn durations_are_written_in_one_unit() {
        let cases = [
            (60_000, "1m"),
            (90_000, "90s"),
            (86_400_000, "1d"),
            (15_001, "15001ms"),
            (0, "0ms"),
        ];
        for (milliseconds, expect) in cases {
            assert_eq!(duration_text(TimeSpan(milliseconds)), expect);
        }
    }
}
