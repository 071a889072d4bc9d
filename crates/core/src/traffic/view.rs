//! Reading views of documents: small, forgiving lookups that never fail and never write.
//!
//! A field of the wrong type reads as absent here; saying so is the work of [`super::validate`].

use std::collections::BTreeMap;

use serde_json::Value;

/// The elements of a list field; empty if it is absent or no list.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A text field; an empty text counts as absent, as in the APIs that we read.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value
        .get(key)
        .and_then(Value::as_str)
        .filter(|s| !s.is_empty())
}

/// A port number, if it is one.
pub(super) fn port(value: Option<&Value>) -> Option<u16> {
    value.and_then(Value::as_u64)?.try_into().ok()
}

/// A list of texts.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key)
        .iter()
        .filter_map(|v| v.as_str().map(ToOwned::to_owned))
        .collect()
}

/// A map of texts (labels, selectors); `None` if the field is absent or no map.
pub(super) fn labels_at(value: &Value, pointer: &str) -> Option<BTreeMap<String, String>> {
    let map = value.pointer(pointer)?.as_object()?;
    let pairs = map
        .iter()
        .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())));
    Some(pairs.collect())
}

/// The `spec` of a document; `Null` if it has none, so that lookups below find nothing.
pub(super) fn spec(doc: &Value) -> &Value {
    doc.get("spec").unwrap_or(&Value::Null)
}

/// Milliseconds of a duration as protobuf JSON and Gateway API write it (`1.5s`, `1h30m`, `250ms`); `None` if it is not
/// one. Fractions below a millisecond are rounded.
pub(super) fn duration_ms(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let sign = if rest.len() < text.len() { -1.0 } else { 1.0 };
    if rest.is_empty() {
        return None;
    }
    if rest == "0" {
        return Some(0.0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|&at| at > 0)?;
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let (unit, after) = [
            ("ns", 1e-6),
            ("us", 1e-3),
            ("µs", 1e-3),
            ("ms", 1.0),
            ("s", 1e3),
            ("m", 60e3),
            ("h", 3_600e3),
        ]
        .into_iter()
        .find_map(|(name, ms)| Some((ms, tail.strip_prefix(name)?)))?;
        total += number * unit;
        rest = after;
    }
    Some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn durations_read_as_both_apis_write_them() {
        let cases = [
            ("1s", Some(1000.0)),
            ("0.25s", Some(250.0)),
            ("1h30m", Some(5_400_000.0)),
            ("10ms", Some(10.0)),
            ("-2s", Some(-2000.0)),
            ("0", Some(0.0)),
            ("1d", None),
            ("s", None),
            ("", None),
            ("-", None),
            ("5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
    }
}
