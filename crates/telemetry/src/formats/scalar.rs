//! Scalars of many notations: text, whole numbers, ids, attribute values. Tolerant reading only; no meaning here.

use std::borrow::Cow;
use std::fmt;

use pilothouse_core::trace::{SpanId, TraceId, Value};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a field whose `null` means "none of it".
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Text, borrowed from the input where it has no escapes; numbers and booleans as they read, `null` as empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(AnyText)
    }
}

/// A whole number, written as a number or as decimal text; empty text and `null` are 0. Fractions are cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(i128);

impl Number {
    /// As nanoseconds, if it counts units of `scale` nanoseconds; negative becomes 0, too large the maximum.
    pub(super) fn to_ns(self, scale: i128) -> u64 {
        let ns = self.0.saturating_mul(scale);
        u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
    }

    pub(super) fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX })
    }

    pub(super) const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;
        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or one as text")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(i128::from(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(i128::from(value)))
            }

            #[expect(
                clippy::cast_possible_truncation,
                reason = "the cast saturates, and NaN is not JSON"
            )]
            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value as i128))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                if text.is_empty() {
                    return Ok(Number(0));
                }
                match (text.parse(), text.parse()) {
                    (Ok(number), _) => Ok(Number(number)),
                    (Err(_), Ok(float)) => self.visit_f64(float),
                    (Err(_), Err(_)) => {
                        Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                    }
                }
            }

            fn visit_unit<E: Error>(self) -> Result<Number, E> {
                Ok(Number(0))
            }
        }
        deserializer.deserialize_any(AnyNumber)
    }
}

/// An attribute's value as plain JSON.
pub(super) struct Plain(pub(super) Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(Value::Bool(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Plain, E> {
                Ok(Plain(Value::Int(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Plain, E> {
                Ok(Plain(i64::try_from(value).map_or_else(
                    |_| Value::Json(serde_json::Value::from(value)),
                    Value::Int,
                )))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Plain, E> {
                Ok(Plain(Value::Float(value)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(Value::Text(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<Plain, E> {
                Ok(Plain(Value::Json(serde_json::Value::Null)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Plain, A::Error> {
                serde_json::Value::deserialize(SeqAccessDeserializer::new(seq))
                    .map(|json| Plain(Value::Json(json)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Plain, A::Error> {
                serde_json::Value::deserialize(MapAccessDeserializer::new(map))
                    .map(|json| Plain(Value::Json(json)))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// An id as read: the number, and whether its text was neither hexadecimal nor base64 and had to be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadId<T> {
    pub(super) id: T,
    pub(super) hashed: bool,
}

/// Reads a trace id; `None` if it is empty or zero.
pub(super) fn trace_id(text: &str) -> Option<ReadId<TraceId>> {
    let (id, hashed) = read_id(text, 16)?;
    Some(ReadId {
        id: TraceId(id),
        hashed,
    })
}

/// Reads a span id; `None` if it is empty or zero.
pub(super) fn span_id(text: &str) -> Option<ReadId<SpanId>> {
    let (id, hashed) = read_id(text, 8)?;
    let id = u64::try_from(id).ok()?;
    Some(ReadId {
        id: SpanId(id),
        hashed,
    })
}

/// Reads an id of at most `bytes` bytes. No base64 of 8 or 16 bytes is taken for hexadecimal: it ends in `=`.
fn read_id(text: &str, bytes: usize) -> Option<(u128, bool)> {
    let text = text.trim();
    let hex = text.len() <= 2 * bytes && text.bytes().all(|b| b.is_ascii_hexdigit());
    if text.is_empty() {
        return None;
    }
    if hex {
        let id = u128::from_str_radix(text, 16).ok()?;
        return (id != 0).then_some((id, false));
    }
    if let Some(id) = base64_number(text, bytes) {
        return (id != 0).then_some((id, false));
    }
    Some((fnv1a(text), true))
}

/// Base64 (either alphabet, padding optional) of exactly `bytes` bytes, as a big-endian number.
fn base64_number(text: &str, bytes: usize) -> Option<u128> {
    let body = text.trim_end_matches('=');
    let spare_bits = body.len() * 6 - (bytes * 8).min(body.len() * 6);
    if body.len() != (bytes * 8).div_ceil(6) {
        return None;
    }
    let digits: Option<Vec<u8>> = body.bytes().map(base64_digit).collect();
    let digits = digits?;
    let (last, head) = digits.split_last()?;
    let number = head.iter().fold(0_u128, |n, d| (n << 6) | u128::from(*d));
    // The last digit carries bits beyond the last byte; they must not overflow the 128.
    Some((number << (6 - spare_bits)) | u128::from(last >> spare_bits))
}

const fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// FNV-1a, 64 bits: stable over runs and versions, so that hashed ids stay the same.
fn fnv1a(text: &str) -> u128 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u128::from(hash.max(1))
}
