//! One request of a search: its parameters.

use pilothouse_core::ports::TraceSearch;

use crate::gather;

/// What erring spans are tagged with: `error` with any text, and the status that Envoy writes down.
const ERRING: [&str; 5] = [
    "error",
    "http.status_code=500",
    "http.status_code=502",
    "http.status_code=503",
    "http.status_code=504",
];

/// Attributes that [`crate::formats`] makes of a span's endpoints: Zipkin has no such tags.
const OF_ENDPOINTS: [&str; 5] = [
    "service.name",
    "host.ip",
    "peer.service",
    "network.peer.address",
    "network.peer.port",
];

/// Latest end that is asked for, in ms: Zipkin counts in µs, and more of them than 2^63 find nothing.
const LATEST_MS: i64 = i64::MAX / 1000 - 1;

/// A request of a search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    service: Option<String>,
    operation: Option<String>,
    /// `key=value` or `key`.
    annotations: Vec<String>,
    /// Some span of the service must last as long.
    min_span_us: Option<u64>,
    end_ms: i64,
    lookback_ms: i64,
    /// How many traces are asked for.
    pub(super) fetch: usize,
}

impl Question {
    /// The requests that together answer a search: the plain one, and beside it narrower ones for what is rare. Among the
    /// newest traces, erring or slow ones may be too few.
    pub(super) fn all(search: &TraceSearch) -> Vec<Self> {
        let annotations: Vec<String> = search
            .attributes
            .iter()
            .filter_map(|(name, value)| annotation(name, value))
            .collect();
        let filtered_here = search.only_errors
            || search.min_duration_ns.is_some()
            || search.max_duration_ns.is_some()
            || annotations.len() < search.attributes.len()
            || conditions(search) > 1;
        // Both ends count there; neither may be zero or less.
        let end_ms = search.to.0.saturating_add(1).clamp(1, LATEST_MS);
        let start_ms = search.from.0.clamp(0, end_ms - 1);
        let plain = Self {
            service: search.service.clone(),
            operation: search.operation.clone(),
            annotations,
            min_span_us: None,
            end_ms,
            lookback_ms: end_ms - start_ms,
            fetch: gather::fetch_size(search, filtered_here),
        };
        let mut questions = vec![plain.clone()];
        if search.only_errors {
            questions.extend(ERRING.map(|erring| {
                let mut question = plain.clone();
                question.annotations.push(erring.to_owned());
                question
            }));
        }
        if let Some(ns) = search.min_duration_ns {
            questions.push(Self {
                min_span_us: Some((ns / 1000).max(1)),
                ..plain
            });
        }
        questions
    }

    /// With this limit in place of its own.
    pub(super) fn parameters(&self, limit: usize) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("endTs", self.end_ms.to_string()),
            ("lookback", self.lookback_ms.to_string()),
            ("limit", limit.to_string()),
        ];
        if let Some(service) = &self.service {
            parameters.push(("serviceName", service.clone()));
        }
        if let Some(operation) = &self.operation {
            parameters.push(("spanName", operation.clone()));
        }
        if !self.annotations.is_empty() {
            parameters.push(("annotationQuery", self.annotations.join(" and ")));
        }
        if let Some(us) = self.min_span_us {
            parameters.push(("minDuration", us.to_string()));
        }
        parameters
    }
}

/// How many conditions Zipkin would meet by several spans, though one must meet them all.
fn conditions(search: &TraceSearch) -> usize {
    search.attributes.len() + usize::from(search.operation.is_some())
}

/// Names as Zipkin keeps them.
pub(super) fn in_lower_case(search: &TraceSearch) -> TraceSearch {
    let lower = |name: &Option<String>| name.as_ref().map(|name| name.to_lowercase());
    TraceSearch {
        service: lower(&search.service),
        operation: lower(&search.operation),
        ..search.clone()
    }
}

/// `name=value` in the language of `annotationQuery`, which joins by ` and `, trims, and knows no quotes; `None` if it
/// cannot be said there.
fn annotation(name: &str, value: &str) -> Option<String> {
    let is_plain = |text: &str| {
        !text.is_empty() && text.trim() == text && text.split_whitespace().all(|word| word != "and")
    };
    let sayable = is_plain(name) && is_plain(value) && !name.contains('=');
    (sayable && !OF_ENDPOINTS.contains(&name)).then(|| format!("{name}={value}"))
}

#[cfg(test)]
mod tests {
    use pilothouse_core::model::Moment;

    use super::*;

    fn search() -> TraceSearch {
        TraceSearch {
            service: Some("Shop".to_owned()),
            operation: Some("GET /".to_owned()),
            from: Moment(1_795_340_000_125),
            to: Moment(1_795_343_600_000),
            limit: 20,
            ..TraceSearch::default()
        }
    }

    fn text(question: &Question) -> Vec<String> {
        let pairs = question.parameters(question.fetch).into_iter();
        pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn the_interval_is_asked_in_milliseconds_with_both_ends() {
        assert_eq!(
            text(&Question::all(&search())[0]),
            [
                "endTs=1795343600001",
                "lookback=3599876",
                "limit=21",
                "serviceName=Shop",
                "spanName=GET /",
            ]
        );
        let lower = in_lower_case(&search());
        assert_eq!(lower.service.as_deref(), Some("shop"));
        assert_eq!(lower.operation.as_deref(), Some("get /"));
    }

    #[test]
    fn rare_traces_are_asked_for_on_their_own() {
        let mut rare = search();
        rare.only_errors = true;
        rare.min_duration_ns = Some(1_500_400);
        rare.attributes = [("k".to_owned(), "v".to_owned())].into();
        let questions = Question::all(&rare);
        let last: Vec<String> = questions
            .iter()
            .map(|question| text(question).last().cloned().unwrap())
            .collect();
        assert_eq!(
            last,
            [
                "annotationQuery=k=v",
                "annotationQuery=k=v and error",
                "annotationQuery=k=v and http.status_code=500",
                "annotationQuery=k=v and http.status_code=502",
                "annotationQuery=k=v and http.status_code=503",
                "annotationQuery=k=v and http.status_code=504",
                "minDuration=1500",
            ]
        );
        assert!(questions.iter().all(|question| question.fetch == 101));
    }

    #[test]
    fn what_cannot_be_said_is_looked_for_here() {
        for (name, value, expected) in [
            ("k", "v", Some("k=v")),
            ("k", "a=b", Some("k=a=b")),
            ("k", "sand and sea", None),
            ("k", "and", None),
            ("k", "", None),
            ("k", " v", None),
            ("a=b", "v", None),
            ("", "v", None),
            ("peer.service", "db", None),
        ] {
            assert_eq!(
                annotation(name, value).as_deref(),
                expected,
                "{name} {value}"
            );
        }
        let mut odd = search();
        odd.operation = None;
        odd.attributes = [("k".to_owned(), "this and that".to_owned())].into();
        let question = &Question::all(&odd)[0];
        assert_eq!((question.fetch, question.annotations.len()), (101, 0));
    }

    #[test]
    fn odd_moments_are_asked_within_bounds() {
        let mut odd = search();
        for (from, to, end, lookback) in [
            (i64::MIN, i64::MAX, LATEST_MS, LATEST_MS),
            (0, 0, 1, 1),
            (-9, -5, 1, 1),
            (i64::MAX, i64::MAX, LATEST_MS, 1),
        ] {
            (odd.from, odd.to) = (Moment(from), Moment(to));
            let question = &Question::all(&odd)[0];
            assert_eq!((question.end_ms, question.lookback_ms), (end, lookback));
        }
    }
}
