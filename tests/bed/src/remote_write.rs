//! Prometheus' remote write 1.0: samples of any moment, taken by Prometheus and `VictoriaMetrics`.
//!
//! The message is protobuf (`WriteRequest` of `prometheus/prompb/remote.proto`) in snappy's block
//! format. Snappy is allowed to compress nothing, and so does this: the bed's data is small.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::http;

/// A time series, and some of its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The labels with `__name__`; the protocol wants them sorted, as a map has them.
    pub labels: BTreeMap<String, String>,
    /// Milliseconds since 1970 and the value, oldest first.
    pub samples: Vec<(i64, f64)>,
}

/// Sends series to a server on loopback.
pub(crate) fn send(port: u16, target: &str, series: &[Series]) -> Result<()> {
    let headers = [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("connection", "close"),
    ];
    let request = http::request("POST", target, &headers, &snappy(&encode(series)));
    let response = http::connect(port)?
        .exchange(&request)
        .with_context(|| format!("remote write to port {port}"))?;
    ensure!(
        matches!(response.status, 200 | 204),
        "remote write to port {port}: HTTP {}: {}",
        response.status,
        response.body
    );
    Ok(())
}

/// `WriteRequest { repeated TimeSeries timeseries = 1 }`
fn encode(series: &[Series]) -> Vec<u8> {
    let mut request = Vec::new();
    for one in series {
        let mut message = Vec::new();
        for (name, value) in &one.labels {
            let mut label = Vec::new();
            bytes(&mut label, 1, name.as_bytes());
            bytes(&mut label, 2, value.as_bytes());
            bytes(&mut message, 1, &label);
        }
        for (at, value) in &one.samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend_from_slice(&value.to_le_bytes());
            sample.push(2 << 3);
            // A varint of a negative number is that of its two's complement.
            varint(&mut sample, at.cast_unsigned());
            bytes(&mut message, 2, &sample);
        }
        bytes(&mut request, 1, &message);
    }
    request
}

/// A length-delimited field.
fn bytes(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Snappy's block format: the length, then literals of up to 64 KiB (tag 61: two bytes of length).
fn snappy(content: &[u8]) -> Vec<u8> {
    const LITERAL: usize = 1 << 16;
    let mut out = Vec::with_capacity(content.len() + content.len() / LITERAL * 3 + 16);
    varint(&mut out, content.len() as u64);
    for literal in content.chunks(LITERAL) {
        out.push(61 << 2);
        let [low, high, ..] = (literal.len() - 1).to_le_bytes();
        out.extend_from_slice(&[low, high]);
        out.extend_from_slice(literal);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Series, encode, snappy};

    #[test]
    fn a_sample_is_written_as_the_protocol_has_it() {
        let series = Series {
            labels: [("__name__", "up"), ("job", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            samples: vec![(300, 1.5)],
        };
        let label = |text: &[u8]| [&[0x0a, u8::try_from(text.len()).unwrap()], text].concat();
        let expect = [
            &[0x0a, 40][..],
            &label(b"\x0a\x08__name__\x12\x02up"),
            &label(b"\x0a\x03job\x12\x01x"),
            // 1.5, and 300 as a varint.
            &[
                0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xac, 0x02,
            ],
        ]
        .concat();
        assert_eq!(encode(&[series]), expect);
    }

    #[test]
    fn long_content_is_cut_into_literals() {
        let content = vec![7; (1 << 16) + 1];
        let packed = snappy(&content);
        assert_eq!(
            packed.get(..6),
            Some(&[0x81, 0x80, 0x04, 244, 0xff, 0xff][..])
        );
        assert_eq!(packed.get((1 << 16) + 6..), Some(&[244, 0, 0, 7][..]));
    }
}
