//! What an API server with Istio's webhook refuses, with the words that it uses.
//!
//! Only what a change of routes can break: weights, destinations, faults, timeouts, and misspelt fields beside weights.
//! Everything else is taken as it comes.

use pilothouse_core::model::ObjectKind;
use pilothouse_core::traffic::RouteApi;
use serde_json::Value;

/// Why the server refuses the document; `None` if it takes it. Strict decoding comes first, then the schema, then the webhook.
pub(crate) fn refusal(kind: ObjectKind, name: &str, doc: &Value) -> Option<String> {
    match kind {
        ObjectKind::VirtualService => unknown_field(doc)
            .or_else(|| virtual_service_schema(name, doc))
            .or_else(|| virtual_service(doc)),
        ObjectKind::HttpRoute
        | ObjectKind::GrpcRoute
        | ObjectKind::TcpRoute
        | ObjectKind::TlsRoute => gateway_route(kind, name, doc),
        ObjectKind::Deployment
        | ObjectKind::DestinationRule
        | ObjectKind::Namespace
        | ObjectKind::Service => None,
    }
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// A field beside a weight that no version of the API has, e.g. `wieght`.
fn unknown_field(doc: &Value) -> Option<String> {
    for section in ["http", "tcp", "tls"] {
        for (i, route) in items(doc, &format!("/spec/{section}")).enumerate() {
            for (j, item) in items(route, "/route").enumerate() {
                let destination = item.get("destination");
                let outer = stray(Some(item), &["destination", "weight", "headers"]);
                let inner = stray(destination, &["host", "subset", "port"])
                    .map(|field| format!("destination.{field}"));
                if let Some(field) = outer.or(inner) {
                    return Some(format!(
                        "strict decoding error: unknown field \"spec.{section}[{i}].route[{j}].{field}\""
                    ));
                }
            }
        }
    }
    None
}

fn stray(object: Option<&Value>, known: &[&str]) -> Option<String> {
    let fields = object?.as_object()?;
    fields
        .keys()
        .find(|k| !known.contains(&k.as_str()))
        .cloned()
}

fn virtual_service_schema(name: &str, doc: &Value) -> Option<String> {
    let invalid = |field: &str, value: &Value, why: &str| {
        format!(
            "VirtualService.networking.istio.io \"{name}\" is invalid: {field}: Invalid value: {value}: {why}"
        )
    };
    for section in ["http", "tcp", "tls"] {
        for (i, route) in items(doc, &format!("/spec/{section}")).enumerate() {
            if let Some(timeout) = route.get("timeout")
                && duration_ms(timeout).is_none_or(|ms| ms < 1.0)
            {
                let field = format!("spec.{section}[{i}].timeout");
                let why = "must be a valid duration greater than 1ms";
                return Some(invalid(&field, timeout, why));
            }
            for (j, item) in items(route, "/route").enumerate() {
                let path = format!("spec.{section}[{i}].route[{j}]");
                match item.get("weight") {
                    Some(weight)
                        if weight
                            .as_i64()
                            .and_then(|w| i32::try_from(w).ok())
                            .is_none() =>
                    {
                        let field = format!("{path}.weight");
                        let why = format!("{field} in body must be of type int32: {weight}");
                        return Some(invalid(&field, weight, &why));
                    }
                    _ => {}
                }
                if item.get("destination").is_none() {
                    return Some(format!(
                        "VirtualService.networking.istio.io \"{name}\" is invalid: {path}.destination: Required value"
                    ));
                }
            }
        }
    }
    None
}

/// Istio's webhook.
fn virtual_service(doc: &Value) -> Option<String> {
    let mut faults: Vec<String> = Vec::new();
    let hosts = items(doc, "/spec/hosts").count();
    let sections = ["http", "tcp", "tls"];
    let entries = |section: &str| items(doc, &format!("/spec/{section}")).count();
    if hosts > 0 && sections.iter().all(|section| entries(section) == 0) {
        faults.push("http, tcp or tls must be provided in virtual service".to_owned());
    }
    for section in sections {
        for route in items(doc, &format!("/spec/{section}")) {
            if section == "http" {
                http_entry(route, &mut faults);
            }
            weights(route, &mut faults);
        }
    }
    if faults.is_empty() {
        return None;
    }
    let list = match faults.as_slice() {
        [only] => only.clone(),
        many => {
            let lines: Vec<String> = many.iter().map(|fault| format!("\t* {fault}")).collect();
            format!("{} errors occurred:\n{}\n\n", many.len(), lines.join("\n"))
        }
    };
    Some(format!(
        "admission webhook \"validation.istio.io\" denied the request: configuration is invalid: {list}"
    ))
}

fn http_entry(route: &Value, faults: &mut Vec<String>) {
    let answers = ["redirect", "directResponse", "delegate"];
    if items(route, "/route").count() == 0 && answers.iter().all(|key| route.get(key).is_none()) {
        faults.push("HTTP route, redirect or direct_response is required".to_owned());
    }
    for fault in ["delay", "abort"] {
        let percent = route
            .pointer(&format!("/fault/{fault}/percentage/value"))
            .and_then(Value::as_f64);
        if let Some(percent) = percent
            && percent != 0.0
            && !(0.0001..=100.0).contains(&percent)
        {
            faults.push(format!(
                "percentage {percent} is neither 0.0, nor in range [0.0001, 100.0]"
            ));
        }
    }
    if let Some(attempts) = route.pointer("/retries/attempts").and_then(Value::as_i64)
        && attempts < 0
    {
        faults.push("attempts cannot be negative".to_owned());
    }
}

fn weights(route: &Value, faults: &mut Vec<String>) {
    let weights: Vec<i64> = items(route, "/route")
        .map(|item| item.get("weight").and_then(Value::as_i64).unwrap_or(0))
        .collect();
    for weight in weights.iter().filter(|weight| **weight < 0) {
        faults.push(format!("weight {weight} < 0"));
    }
    // The webhook adds up in 32 bits.
    let total = weights.iter().fold(0_i32, |sum, weight| {
        sum.wrapping_add(i32::try_from(*weight).unwrap_or(0))
    });
    if weights.len() > 1 && total == 0 {
        faults.push("total destination weight = 0".to_owned());
    }
}

fn gateway_route(kind: ObjectKind, name: &str, doc: &Value) -> Option<String> {
    let most = RouteApi::HttpRoute.max_weight();
    for (i, rule) in items(doc, "/spec/rules").enumerate() {
        for (j, backend) in items(rule, "/backendRefs").enumerate() {
            let field = format!("spec.rules[{i}].backendRefs[{j}].weight");
            let Some(weight) = backend.get("weight") else {
                continue;
            };
            let why = match weight.as_i64() {
                None => format!("{field} in body must be of type integer: {weight}"),
                Some(w) if w < 0 => {
                    format!("{field} in body should be greater than or equal to 0")
                }
                Some(w) if w > most => {
                    format!("{field} in body should be less than or equal to {most}")
                }
                Some(_) => continue,
            };
            return Some(format!(
                "{kind}.gateway.networking.k8s.io \"{name}\" is invalid: {field}: Invalid value: {weight}: {why}"
            ));
        }
    }
    None
}

/// A duration such as `1.5s` or `250ms`; `None` if it is anything else.
fn duration_ms(value: &Value) -> Option<f64> {
    let text = value.as_str()?;
    let units = [
        ("ms", 1.0),
        ("s", 1_000.0),
        ("m", 60_000.0),
        ("h", 3_600_000.0),
    ];
    units.iter().find_map(|(unit, factor)| {
        let number = text.strip_suffix(unit)?.parse::<f64>().ok()?;
        Some(number * factor)
    })
}

#[cfg(test)]
mod tests;
