//! A search as `TraceQL`: built from checked parts, every text of a person quoted.

use std::fmt::Write as _;

use pilothouse_core::ports::TraceSearch;

/// What the core calls an error, as far as it can be said. Statuses are numbers or texts, as the writer pleased; a
/// comparison of another type than the attribute's is false, not a failure.
const ERRING: &str = r#"status = error || .error = true || .error = "true" || .http.status_code >= 500 || .http.status_code =~ "^5..$" || .http.response.status_code >= 500 || .http.response.status_code =~ "^5..$" || (kind = client && (.http.status_code >= 400 || .http.status_code =~ "^4..$" || .http.response.status_code >= 400)) || (.response_flags =~ "^[A-Z].*$" && .response_flags !~ "^((DI|RFCF),?)+$")"#;

/// Longest duration that can be written.
const LONGEST_NS: u64 = i64::MAX as u64;

/// The traces of a search; the newest of them if that can be asked for.
pub(super) fn of_search(search: &TraceSearch, newest_first: bool) -> String {
    let mut conditions = Vec::new();
    if let Some(service) = &search.service {
        conditions.push(is_service(service));
    }
    if let Some(operation) = &search.operation {
        conditions.push(format!("name = {}", text(operation)));
    }
    for (name, value) in &search.attributes {
        conditions.push(carries(name, value));
    }
    if let Some(ns) = search.min_duration_ns {
        conditions.push(format!("traceDuration >= {}ns", ns.min(LONGEST_NS)));
    }
    if let Some(ns) = search.max_duration_ns {
        conditions.push(format!("traceDuration <= {}ns", ns.min(LONGEST_NS)));
    }
    let mut query = match conditions.as_slice() {
        [] => "{}".to_owned(),
        conditions => format!("{{ {} }}", conditions.join(" && ")),
    };
    if search.only_errors {
        // Another span of the trace may be the erring one.
        let erring = format!("{{ {ERRING} }}");
        query = if conditions.is_empty() {
            erring
        } else {
            format!("{query} && {erring}")
        };
    }
    if newest_first {
        query.push_str(" with (most_recent=true)");
    }
    query
}

/// The spans of a service.
pub(super) fn of_service(service: &str) -> String {
    format!("{{ {} }}", is_service(service))
}

fn is_service(service: &str) -> String {
    format!("resource.service.name = {}", text(service))
}

/// An attribute of the span or of its resource, whatever its type.
fn carries(name: &str, value: &str) -> String {
    let name = attribute(name);
    let as_text = format!("{name} = {}", text(value));
    let is_other = value == "true"
        || value == "false"
        || value.parse::<i64>().is_ok_and(|n| n.to_string() == value)
        || value
            .parse::<f64>()
            .is_ok_and(|n| n.is_finite() && n.to_string() == value && value.contains('.'));
    if is_other {
        format!("({as_text} || {name} = {value})")
    } else {
        as_text
    }
}

/// The name of an attribute; quoted (since Tempo 2.3) only if it must be.
fn attribute(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if !name.is_empty() && name.chars().all(is_plain) {
        return format!(".{name}");
    }
    // No other escapes are known there.
    let escaped = name.replace('\\', r"\\").replace('"', "\\\"");
    format!(".\"{escaped}\"")
}

/// A string literal: Go's.
fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            // The scanner stops at a NUL and takes no byte order mark; a line may not end in a literal.
            c if c.is_control() || c == '\u{feff}' => {
                // Writing into a String cannot fail.
                let _infallible = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_search_is_one_selector() {
        let all = TraceSearch::default();
        assert_eq!(of_search(&all, true), "{} with (most_recent=true)");
        let search = TraceSearch {
            service: Some("a \"b\"".to_owned()),
            operation: Some("GET /x\\y".to_owned()),
            min_duration_ns: Some(1_500_000),
            max_duration_ns: Some(2_000_000_000),
            attributes: [("http.status_code".to_owned(), "503".to_owned())].into(),
            ..TraceSearch::default()
        };
        assert_eq!(
            of_search(&search, false),
            r#"{ resource.service.name = "a \"b\"" && name = "GET /x\\y" && (.http.status_code = "503" || .http.status_code = 503) && traceDuration >= 1500000ns && traceDuration <= 2000000000ns }"#
        );
    }

    #[test]
    fn errors_may_be_on_another_span() {
        let mut search = TraceSearch {
            only_errors: true,
            ..TraceSearch::default()
        };
        assert!(of_search(&search, false).starts_with("{ status = error || "));
        search.service = Some("a".to_owned());
        let query = of_search(&search, false);
        assert!(
            query.starts_with(r#"{ resource.service.name = "a" } && { status = error || "#),
            "{query}"
        );
    }

    #[test]
    fn attributes_are_written_as_they_can_be_read() {
        for (name, value, expected) in [
            ("k", "v", r#".k = "v""#),
            ("retry", "true", r#"(.retry = "true" || .retry = true)"#),
            ("n", "-7", r#"(.n = "-7" || .n = -7)"#),
            ("n", "007", r#".n = "007""#),
            ("n", "1.5", r#"(.n = "1.5" || .n = 1.5)"#),
            ("n", "NaN", r#".n = "NaN""#),
            (
                "guid:x-request-id",
                "1-2",
                r#"."guid:x-request-id" = "1-2""#,
            ),
            ("a b} || {", "v", r#"."a b} || {" = "v""#),
            ("a\"\\", "v", r#"."a\"\\" = "v""#),
            ("k", "a\n\0\u{feff}ß", r#".k = "a\u000a\u0000\ufeffß""#),
        ] {
            assert_eq!(carries(name, value), expected, "{name}");
        }
    }

    proptest! {
        /// Whatever is asked for, a literal ends where it should: unquoting gives the text back and nothing is left over.
        #[test]
        fn no_text_leaves_its_literal(value in any::<String>()) {
            let literal = text(&value);
            // JSON's literals are Go's for what is written here.
            prop_assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), value);
        }

        #[test]
        fn no_name_leaves_its_quotes(name in any::<String>()) {
            let written = attribute(&name);
            let read = match written.strip_prefix(".\"").and_then(|rest| rest.strip_suffix('"')) {
                None => written.strip_prefix('.').unwrap().to_owned(),
                Some(quoted) => {
                    let mut read = String::new();
                    let mut chars = quoted.chars();
                    while let Some(c) = chars.next() {
                        prop_assert_ne!(c, '"');
                        read.push(if c == '\\' { chars.next().unwrap() } else { c });
                    }
                    read
                }
            };
            prop_assert_eq!(read, name);
        }
    }
}
