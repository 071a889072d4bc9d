//! One request of a search: its path and parameters in each of Jaeger's dialects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pilothouse_core::model::Moment;
use pilothouse_core::ports::TraceSearch;

use super::tier::Tier;
use crate::gather;

/// What erring spans carry. Jaeger 2 makes up the `error` tag when it answers and finds nothing by it; the status that
/// Envoy writes down is found by any.
const ERRING: [(&str, &str); 5] = [
    ("error", "true"),
    ("http.status_code", "500"),
    ("http.status_code", "502"),
    ("http.status_code", "503"),
    ("http.status_code", "504"),
];

/// Which API a question is put to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V3,
    V1,
}

/// A request of a search, for one service or for any.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) dialect: Dialect,
    service: Option<String>,
    operation: Option<String>,
    attributes: BTreeMap<String, String>,
    /// Some span must last as long.
    min_span_ns: Option<u64>,
    from: Moment,
    to: Moment,
    /// How many traces are asked for.
    pub(super) fetch: usize,
    /// One of several that look for the same: too many to put them for each of many services.
    pub(super) is_guess: bool,
}

impl Question {
    /// The requests that together answer a search, for its service or for any: the plain one, and beside it narrower
    /// ones for what is rare. Backends cannot be asked for erring traces or for a trace's duration; among the newest
    /// traces, erring or slow ones may be too few. What erring spans carry, or one span that lasts as long, finds most of
    /// them.
    pub(super) fn all(tier: Tier, search: &TraceSearch) -> Vec<Self> {
        // v3 took attributes and ignored them, before it had summaries.
        let by_attribute = match tier {
            Tier {
                summaries: true, ..
            } => Dialect::V3,
            Tier { v1: true, .. } => Dialect::V1,
            Tier { .. } => Dialect::V3,
        };
        let finds_attributes = tier.summaries || tier.v1;
        let plain = Self {
            dialect: if tier.v3 && search.attributes.is_empty() {
                Dialect::V3
            } else {
                by_attribute
            },
            service: search.service.clone(),
            operation: search.operation.clone(),
            attributes: search.attributes.clone(),
            min_span_ns: None,
            from: search.from,
            to: search.to,
            fetch: fetch_size(search, finds_attributes),
            is_guess: false,
        };
        let mut questions = vec![plain.clone()];
        if search.only_errors && finds_attributes {
            let erring = ERRING.iter().enumerate().map(|(i, (key, value))| {
                let mut erring = plain.clone();
                erring.dialect = by_attribute;
                erring
                    .attributes
                    .insert((*key).to_owned(), (*value).to_owned());
                erring.is_guess = i > 0;
                erring
            });
            questions.extend(erring);
        }
        if search.min_duration_ns.is_some() {
            let min_span_ns = search.min_duration_ns;
            questions.push(Self {
                min_span_ns,
                ..plain
            });
        }
        questions
    }

    /// The same for one service.
    pub(super) fn for_service(&self, service: &str) -> Self {
        Self {
            service: Some(service.to_owned()),
            ..self.clone()
        }
    }

    /// Segments of the path.
    pub(super) const fn path(&self) -> &'static [&'static str] {
        match self.dialect {
            Dialect::V3 => &["api", "v3", "traces"],
            Dialect::V1 => &["api", "traces"],
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self.dialect {
            Dialect::V3 => self.parameters_v3(),
            Dialect::V1 => self.parameters_v1(),
        }
    }

    /// Older servers know the names with underscores only, newer ones both. Nanoseconds are a Go duration of any length.
    fn parameters_v3(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        let mut put = |names: &[&'static str], value: String| {
            parameters.extend(names.iter().map(|name| (*name, value.clone())));
        };
        if let Some(service) = &self.service {
            put(
                &["query.serviceName", "query.service_name"],
                service.clone(),
            );
        }
        if let Some(operation) = &self.operation {
            put(
                &["query.operationName", "query.operation_name"],
                operation.clone(),
            );
        }
        let (from, to) = self.interval();
        put(
            &["query.startTimeMin", "query.start_time_min"],
            rfc3339(from),
        );
        put(&["query.startTimeMax", "query.start_time_max"], rfc3339(to));
        let fetch = self.fetch.to_string();
        put(
            &[
                "query.searchDepth",
                "query.search_depth",
                "query.num_traces",
            ],
            fetch,
        );
        put(&["query.rawTraces", "query.raw_traces"], "true".to_owned());
        if let Some(ns) = self.min_span_ns {
            put(
                &["query.durationMin", "query.duration_min"],
                format!("{ns}ns"),
            );
        }
        if let Some(attributes) = self.attributes_json() {
            put(&["query.attributes"], attributes);
        }
        parameters
    }

    fn parameters_v1(&self) -> Vec<(&'static str, String)> {
        let (from, to) = self.interval();
        let micros = |moment: Moment| moment.0.saturating_mul(1000).to_string();
        let mut parameters = vec![
            ("start", micros(from)),
            ("end", micros(to)),
            ("limit", self.fetch.to_string()),
            ("raw", "true".to_owned()),
        ];
        if let Some(service) = &self.service {
            parameters.push(("service", service.clone()));
        }
        if let Some(operation) = &self.operation {
            parameters.push(("operation", operation.clone()));
        }
        if let Some(ns) = self.min_span_ns {
            parameters.push(("minDuration", format!("{ns}ns")));
        }
        if let Some(attributes) = self.attributes_json() {
            parameters.push(("tags", attributes));
        }
        parameters
    }

    fn attributes_json(&self) -> Option<String> {
        if self.attributes.is_empty() {
            return None;
        }
        serde_json::to_string(&self.attributes).ok()
    }

    /// Never empty, and including the end: v3 wants its start before its end.
    const fn interval(&self) -> (Moment, Moment) {
        (self.from, Moment(self.to.0.saturating_add(1)))
    }
}

/// Jaeger takes a duration as one span's, and errors as one tag.
fn fetch_size(search: &TraceSearch, finds_attributes: bool) -> usize {
    let filtered_here = search.only_errors
        || search.min_duration_ns.is_some()
        || search.max_duration_ns.is_some()
        || !(search.attributes.is_empty() || finds_attributes);
    gather::fetch_size(search, filtered_here)
}

/// A moment as RFC 3339, at the edges of what that can write where it lies beyond.
fn rfc3339(moment: Moment) -> String {
    let edge = if moment.0 < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(moment.0)
        .unwrap_or(edge)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: Tier = Tier {
        v3: true,
        summaries: false,
        v1: true,
    };

    fn search() -> TraceSearch {
        TraceSearch {
            service: Some("a b".to_owned()),
            operation: Some("GET /".to_owned()),
            from: Moment(1_795_340_000_125),
            to: Moment(1_795_343_600_000),
            limit: 20,
            ..TraceSearch::default()
        }
    }

    fn text(question: &Question) -> Vec<String> {
        let pairs = question.parameters().into_iter();
        pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn v3_is_asked_in_both_spellings() {
        let questions = Question::all(V3, &search());
        assert_eq!(questions.len(), 1);
        assert_eq!(
            text(&questions[0]),
            [
                "query.serviceName=a b",
                "query.service_name=a b",
                "query.operationName=GET /",
                "query.operation_name=GET /",
                "query.startTimeMin=2026-11-22T09:33:20.125Z",
                "query.start_time_min=2026-11-22T09:33:20.125Z",
                "query.startTimeMax=2026-11-22T10:33:20.001Z",
                "query.start_time_max=2026-11-22T10:33:20.001Z",
                "query.searchDepth=21",
                "query.search_depth=21",
                "query.num_traces=21",
                "query.rawTraces=true",
                "query.raw_traces=true",
            ]
        );
    }

    #[test]
    fn v1_is_asked_in_microseconds() {
        let tier = Tier {
            v3: false,
            summaries: false,
            v1: true,
        };
        let mut search = search();
        search.attributes.insert("k".to_owned(), "v\"".to_owned());
        assert_eq!(
            text(&Question::all(tier, &search)[0]),
            [
                "start=1795340000125000",
                "end=1795343600001000",
                "limit=21",
                "raw=true",
                "service=a b",
                "operation=GET /",
                r#"tags={"k":"v\""}"#,
            ]
        );
    }

    #[test]
    fn attributes_go_where_they_are_looked_at() {
        let mut by_attribute = search();
        by_attribute
            .attributes
            .insert("k".to_owned(), "v".to_owned());
        let v3_only = Tier { v1: false, ..V3 };
        let summaries = Tier {
            summaries: true,
            ..V3
        };
        for (tier, dialect, fetch) in [
            (V3, Dialect::V1, 21),
            (v3_only, Dialect::V3, 101),
            (summaries, Dialect::V3, 21),
        ] {
            let question = &Question::all(tier, &by_attribute)[0];
            assert_eq!(
                (question.dialect, question.fetch),
                (dialect, fetch),
                "{tier:?}"
            );
        }
    }

    #[test]
    fn rare_traces_are_asked_for_on_their_own() {
        let mut rare = search();
        rare.only_errors = true;
        rare.min_duration_ns = Some(1_500_000);
        let questions = Question::all(V3, &rare);
        let asked: Vec<String> = questions
            .iter()
            .map(|question| text(question).last().cloned().unwrap())
            .collect();
        assert_eq!(
            asked,
            [
                "query.raw_traces=true",
                r#"tags={"error":"true"}"#,
                r#"tags={"http.status_code":"500"}"#,
                r#"tags={"http.status_code":"502"}"#,
                r#"tags={"http.status_code":"503"}"#,
                r#"tags={"http.status_code":"504"}"#,
                "query.duration_min=1500000ns"
            ]
        );
        assert!(questions.iter().all(|question| question.fetch == 101));
        let of_many_services = questions.iter().filter(|question| !question.is_guess);
        assert_eq!(of_many_services.count(), 3);
        // Where v3 ignores attributes and there is nothing else, the plain question must do.
        let v3_only = Tier { v1: false, ..V3 };
        rare.min_duration_ns = None;
        assert_eq!(Question::all(v3_only, &rare).len(), 1);
    }

    #[test]
    fn odd_moments_are_asked_within_bounds() {
        assert_eq!(rfc3339(Moment(i64::MAX)), Timestamp::MAX.to_string());
        assert_eq!(rfc3339(Moment(i64::MIN)), Timestamp::MIN.to_string());
    }
}
