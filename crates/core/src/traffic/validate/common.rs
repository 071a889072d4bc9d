//! Rules that several kinds share: names, hosts, ports, durations, percents, labels, visibility.

use super::super::view::duration_ms;
use super::report::{At, Report};

/// Largest number that the APIs' 32 bit fields hold.
pub(super) const MAX_INT: i64 = i32::MAX as i64;

/// An RFC 1123 label: letters, digits and inner dashes, at most 63.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Labels joined by dots; one trailing dot is allowed.
pub(super) fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 255 && text.split('.').all(is_label)
}

/// A lower-case DNS name as the Gateway API wants it.
pub(super) fn is_lower_domain(text: &str) -> bool {
    text.len() <= 253 && is_domain(text) && !text.ends_with('.') && text == text.to_lowercase()
}

pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<core::net::IpAddr>().is_ok()
}

/// A host of a route: a domain, an address, `*`, or a wildcard whose first label begins with `*` (`*.com`, `*-a.com`).
pub(super) fn is_wildcard_domain(text: &str) -> bool {
    // Names that istiod makes for SNI routing carry underscores.
    let sni = text.starts_with("outbound_.") && is_domain(&text.replace('_', "x"));
    if text == "*" || sni || is_ip(text) || is_domain(text) {
        return true;
    }
    let Some(rest) = text.strip_prefix('*') else {
        return false;
    };
    match rest.strip_prefix('.') {
        Some(domain) => is_domain(domain),
        None => is_domain(&format!("x{rest}")),
    }
}

pub(super) fn host(report: &mut Report, at: &At<'_>, text: &str) {
    if text.is_empty() {
        report.error(at, "host-empty", "the host is empty");
    } else if !is_wildcard_domain(text) {
        report.error(
            at,
            "host-invalid",
            format!("{text:?} is no valid host name"),
        );
    }
}

/// A duration that must be at least a millisecond and whole milliseconds. `zero` allows 0.
pub(super) fn duration(report: &mut Report, at: &At<'_>, key: &str, zero: bool) -> Option<f64> {
    let (found, text) = report.text(at, key)?;
    let Some(ms) = duration_ms(text) else {
        report.error(
            &found,
            "duration-invalid",
            format!("{text:?} is no duration; write for example 2s or 250ms"),
        );
        return None;
    };
    if ms.abs() < f64::EPSILON && zero {
        return Some(ms);
    }
    if ms < 1.0 {
        report.error(
            &found,
            "duration-too-small",
            format!("{key} is {text}; it must be at least 1ms"),
        );
    } else if (ms - ms.round()).abs() > 1e-6 {
        report.error(
            &found,
            "duration-too-fine",
            format!("{key} is {text}; it must be whole milliseconds"),
        );
    }
    Some(ms)
}

/// A percentage with a `value`: 0, or 0.0001 to 100.
pub(super) fn fault_percentage(report: &mut Report, at: &At<'_>) {
    let Some(percentage) = report.object(at, "percentage") else {
        return;
    };
    report.known(&percentage, &["value"]);
    if let Some((found, value)) = report.number(&percentage, "value")
        && !((0.0001..=100.0).contains(&value) || value.abs() < f64::EPSILON)
    {
        report.error(
            &found,
            "percent-range",
            format!("{value} % is neither 0 nor within 0.0001..=100"),
        );
    }
}

/// A `port: {number: N}`; without a number it is 0, which is refused.
pub(super) fn port_selector(report: &mut Report, at: &At<'_>) {
    let Some(port) = report.object(at, "port") else {
        return;
    };
    report.known(&port, &["number"]);
    if !port.has("number") {
        report.error(
            &port,
            "port-range",
            "port.number is missing; it must be in 1..=65535",
        );
    }
    report.bounded(&port, "number", 1, 65_535, "port-range");
}

/// `exportTo` of an object in `namespace`.
pub(super) fn export_to(report: &mut Report, spec: &At<'_>, namespace: &str) {
    let entries = report.texts(spec, "exportTo");
    let mut seen: Vec<&str> = Vec::new();
    for (at, text) in &entries {
        let full = if *text == "." { namespace } else { text };
        match *text {
            "~" => {
                let message = "~ (nobody) is only for ServiceEntries";
                report.error(at, "export-to-invalid", message);
            }
            "*" | "." => {}
            name if is_label(name) => {}
            name => report.error(
                at,
                "export-to-invalid",
                format!("{name:?} is no namespace, `.` or `*`"),
            ),
        }
        if seen.contains(&full) && !full.is_empty() {
            report.error(at, "export-to-duplicate", format!("{text} stands twice"));
        }
        seen.push(full);
    }
    if entries.len() > 1 && seen.contains(&"*") {
        let message = "`*` (everybody) cannot stand beside other namespaces";
        report.error(&spec.absent("exportTo"), "export-to-conflict", message);
    }
}

/// A map of labels.
pub(super) fn labels(report: &mut Report, at: &At<'_>, key: &str) {
    let Some(map) = report.object(at, key) else {
        return;
    };
    for (name, value) in map.entries() {
        let bare = name.rsplit('/').next().unwrap_or(name);
        if bare.is_empty() || !is_label_value(bare) {
            report.error(
                &value,
                "label-invalid",
                format!("{name:?} is no label name"),
            );
        }
        match value.text() {
            None => report.error(
                &value,
                "wrong-type",
                format!("the label {name} must be a text"),
            ),
            Some(text) if !is_label_value(text) => {
                report.error(
                    &value,
                    "label-invalid",
                    format!("{text:?} is no label value"),
                );
            }
            Some(_) => {}
        }
    }
}

/// Empty, or at most 63 letters, digits, dashes, dots and underscores between letters or digits.
fn is_label_value(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(inner)
        && end(text.chars().next())
        && end(text.chars().last())
}

/// An address or a CIDR block.
pub(super) fn is_subnet(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return is_ip(text);
    };
    let bits = match address.parse::<core::net::IpAddr>() {
        Ok(core::net::IpAddr::V4(_)) => 32,
        Ok(core::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= bits)
}

/// A field that must hold one of these words.
pub(super) fn one_of(report: &mut Report, at: &At<'_>, key: &str, words: &[&str]) {
    if let Some((found, text)) = report.text(at, key)
        && !words.contains(&text)
    {
        report.error(
            &found,
            "not-one-of",
            format!("{key} is {text:?}; it must be one of {}", words.join(", ")),
        );
    }
}
