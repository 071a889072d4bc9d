//! Instant queries in Prometheus' HTTP API, which every metric server of the bed speaks.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http;

/// One sample of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The labels, `__name__` among them where Prometheus gives one.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// The instant vector of an expression at a moment (seconds since 1970), by default now.
pub(crate) fn query(port: u16, expression: &str, at: Option<u64>) -> Result<Vec<Sample>> {
    let mut target = format!("/api/v1/query?query={}", http::encode(expression));
    if let Some(seconds) = at {
        target.push_str(&format!("&time={seconds}"));
    }
    let response = http::get(port, &target, &[])?;
    ensure!(
        response.status == 200,
        "HTTP {} to {expression}: {}",
        response.status,
        response.body
    );
    let answer: Value = serde_json::from_str(&response.body)?;
    let rows = answer.pointer("/data/result").and_then(Value::as_array);
    rows.context("no result")?
        .iter()
        .map(|row| {
            let labels = row["metric"].as_object().context("no instant vector")?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let labels = labels
                .iter()
                .map(|(key, value)| (key.clone(), text(value)))
                .collect();
            Ok(Sample {
                labels,
                value: text(&row["value"][1]).parse()?,
            })
        })
        .collect()
}
