//! Policies of one entry, with Istio's defaults: what is absent and what that means differs from field to field.

use serde_json::Value;

use super::super::route_api::{RouteApi, RouteFamily};
use super::{Abort, Delay, Retries, duration_ms, list, port, text};

/// What Istio's proxies retry when nothing is declared.
const DEFAULT_RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled";

impl Default for Retries {
    /// What a sidecar does when nothing is declared.
    fn default() -> Self {
        Self {
            attempts: 2,
            per_try_timeout_ms: None,
            retry_on: DEFAULT_RETRY_ON.to_owned(),
            backoff_ms: 25,
        }
    }
}

/// Whole milliseconds of a duration field; `None` if it is absent, zero or no duration.
fn millis(value: &Value, key: &str) -> Option<u64> {
    let ms = duration_ms(text(value, key)?)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates; the range is checked just before"
    )]
    (ms >= 1.0).then_some(ms as u64)
}

/// An injected fault of this kind.
fn fault<'a>(api: RouteApi, entry: &'a Value, kind: &str) -> Option<&'a Value> {
    let faults = entry.get("fault").filter(|_| api.policies().faults)?;
    faults.get(kind)
}

/// `percentage.value`, else the deprecated whole `percent`, else nothing at all: an omitted percentage of a fault is 0.
fn fault_percent(fault: &Value) -> f64 {
    let value = fault
        .pointer("/percentage/value")
        .or_else(|| fault.get("percent"));
    value
        .and_then(Value::as_f64)
        .unwrap_or(0.0)
        .clamp(0.0, 100.0)
}

pub(super) fn delay(api: RouteApi, entry: &Value) -> Option<Delay> {
    let delay = fault(api, entry, "delay")?;
    Some(Delay {
        percent: fault_percent(delay),
        fixed_ms: millis(delay, "fixedDelay")?,
    })
}

pub(super) fn abort(api: RouteApi, entry: &Value) -> Option<Abort> {
    let abort = fault(api, entry, "abort")?;
    let http_status = port(abort.get("httpStatus"));
    let grpc_status = text(abort, "grpcStatus").map(ToOwned::to_owned);
    (http_status.is_some() || grpc_status.is_some()).then(|| Abort {
        percent: fault_percent(abort),
        http_status,
        grpc_status,
    })
}

pub(super) fn timeout(api: RouteApi, entry: &Value) -> Option<u64> {
    if !api.policies().timeout {
        return None;
    }
    match api.family() {
        RouteFamily::Istio => millis(entry, "timeout"),
        RouteFamily::GatewayApi => millis(entry.get("timeouts")?, "request"),
    }
}

pub(super) fn retries(api: RouteApi, entry: &Value) -> Retries {
    if !api.policies().retries {
        return Retries::default();
    }
    match api.family() {
        RouteFamily::Istio => istio_retries(entry),
        RouteFamily::GatewayApi => gateway_retries(entry),
    }
}

fn istio_retries(entry: &Value) -> Retries {
    let default = Retries::default();
    let Some(declared) = entry.get("retries").filter(|r| !r.is_null()) else {
        return default;
    };
    Retries {
        attempts: attempts(declared).unwrap_or(0),
        per_try_timeout_ms: millis(declared, "perTryTimeout"),
        retry_on: text(declared, "retryOn")
            .unwrap_or(DEFAULT_RETRY_ON)
            .to_owned(),
        backoff_ms: millis(declared, "backoff").unwrap_or(default.backoff_ms),
    }
}

fn gateway_retries(entry: &Value) -> Retries {
    let default = Retries::default();
    let timeouts = entry.get("timeouts");
    let per_try = timeouts.and_then(|t| millis(t, "backendRequest"));
    let Some(declared) = entry.get("retry") else {
        return Retries {
            per_try_timeout_ms: per_try,
            ..default
        };
    };
    let codes: Vec<String> = list(declared, "codes")
        .iter()
        .filter_map(|code| Some(code.as_u64()?.to_string()))
        .collect();
    let retry_on = if codes.is_empty() {
        default.retry_on
    } else {
        format!("{},{}", default.retry_on, codes.join(","))
    };
    Retries {
        attempts: attempts(declared).unwrap_or(default.attempts),
        per_try_timeout_ms: per_try,
        retry_on,
        backoff_ms: millis(declared, "backoff").unwrap_or(default.backoff_ms),
    }
}

fn attempts(declared: &Value) -> Option<u32> {
    declared.get("attempts")?.as_u64()?.try_into().ok()
}

/// Status of an entry that the proxy answers by itself: a redirect or a direct response.
pub(super) fn own_answer(entry: &Value) -> Option<u16> {
    if let Some(redirect) = entry.get("redirect") {
        return Some(port(redirect.get("redirectCode")).unwrap_or(301));
    }
    if let Some(response) = entry.get("directResponse") {
        return Some(port(response.get("status")).unwrap_or(200));
    }
    let redirect = list(entry, "filters")
        .iter()
        .find_map(|f| f.get("requestRedirect"))?;
    Some(port(redirect.get("statusCode")).unwrap_or(302))
}

/// Destinations and percents.
pub(super) fn mirrors(api: RouteApi, entry: &Value) -> Vec<(&Value, f64)> {
    if !api.policies().mirrors {
        return Vec::new();
    }
    match api.family() {
        RouteFamily::Istio => istio_mirrors(entry),
        RouteFamily::GatewayApi => gateway_mirrors(entry),
    }
}

fn istio_mirrors(entry: &Value) -> Vec<(&Value, f64)> {
    let one = entry.get("mirror").map(|destination| {
        let legacy = entry.get("mirrorPercent");
        let percent = mirror_percent(entry.get("mirrorPercentage"), legacy);
        (destination, percent)
    });
    let many = list(entry, "mirrors").iter().filter_map(|mirror| {
        let percent = mirror_percent(mirror.get("percentage"), None);
        Some((mirror.get("destination")?, percent))
    });
    one.into_iter().chain(many).collect()
}

/// An omitted percentage of a mirror is everything, unlike that of a fault; one without a value is zero.
fn mirror_percent(percentage: Option<&Value>, legacy: Option<&Value>) -> f64 {
    let percent = match (percentage, legacy) {
        (Some(percentage), _) => percentage
            .get("value")
            .and_then(Value::as_f64)
            .unwrap_or(0.0),
        (None, Some(legacy)) => legacy.as_f64().unwrap_or(0.0),
        (None, None) => 100.0,
    };
    percent.clamp(0.0, 100.0)
}

fn gateway_mirrors(entry: &Value) -> Vec<(&Value, f64)> {
    let mirror = |filter: &'_ Value| -> Option<f64> {
        let mirror = filter.get("requestMirror")?;
        if let Some(percent) = mirror.get("percent").and_then(Value::as_f64) {
            return Some(percent.clamp(0.0, 100.0));
        }
        let Some(fraction) = mirror.get("fraction") else {
            return Some(100.0);
        };
        let numerator = fraction
            .get("numerator")
            .and_then(Value::as_f64)
            .unwrap_or(0.0);
        let denominator = fraction
            .get("denominator")
            .and_then(Value::as_f64)
            .unwrap_or(100.0);
        Some((100.0 * numerator / denominator.max(1.0)).clamp(0.0, 100.0))
    };
    list(entry, "filters")
        .iter()
        .filter_map(|filter| {
            Some((
                filter.pointer("/requestMirror/backendRef")?,
                mirror(filter)?,
            ))
        })
        .collect()
}
