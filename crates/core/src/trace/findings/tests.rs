use super::super::testing::{of, span, trace, with};
use crate::model::{Finding, Severity};
use crate::trace::{Clock, Span, SpanId, SpanKind, TraceAnalysis, analyze};

fn raw(spans: Vec<Span>) -> TraceAnalysis {
    analyze(&trace(spans), Clock::Raw)
}

#[track_caller]
fn found<'a>(analysis: &'a TraceAnalysis, code: &str) -> &'a Finding {
    let finding = analysis.findings.iter().find(|f| f.code == code);
    finding.unwrap_or_else(|| panic!("no {code} in {:?}", analysis.findings))
}

fn failed(span: Span) -> Span {
    with(span, &[("error", "true")])
}

fn request(span: Span, id: &str) -> Span {
    with(span, &[("guid:x-request-id", id)])
}

#[test]
fn the_cause_is_the_deepest_failed_server_with_nothing_failed_below() {
    let analysis = raw(vec![
        failed(of(span(1, None, 0, 100), SpanKind::Server, "web")),
        failed(of(span(2, Some(1), 10, 50), SpanKind::Client, "web")),
        with(
            of(span(3, Some(2), 12, 40), SpanKind::Server, "pay"),
            &[("http.status_code", "503"), ("response_flags", "UH")],
        ),
        of(span(4, Some(3), 13, 10), SpanKind::Client, "pay"),
        failed(of(span(5, Some(1), 70, 5), SpanKind::Client, "web")),
    ]);
    assert_eq!(analysis.likely_cause, Some(2));
    let finding = found(&analysis, "likely-cause");
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.object, SpanId(3).to_string());
    for part in [
        "pay",
        "the called side of `op3`",
        "status 503",
        "UH: there was no healthy endpoint",
    ] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
}

#[test]
fn a_failure_that_somebody_caught_is_no_cause_while_another_reached_the_root() {
    let analysis = raw(vec![
        failed(span(1, None, 0, 100)),
        span(2, Some(1), 1, 10),
        span(3, Some(2), 1, 9),
        failed(span(4, Some(3), 1, 8)),
        failed(span(5, Some(1), 50, 10)),
    ]);
    let cause = analysis.likely_cause.expect("a cause");
    assert_eq!(analysis.nodes[cause].id, SpanId(5));
}

#[test]
fn a_circuit_breaker_is_the_callers() {
    let analysis = raw(vec![
        failed(of(span(1, None, 0, 100), SpanKind::Server, "web")),
        with(
            of(span(2, Some(1), 10, 1), SpanKind::Client, "web"),
            &[("response_flags", "UO")],
        ),
    ]);
    let message = &found(&analysis, "likely-cause").message;
    assert!(message.contains("the calling side of"), "{message}");
    assert!(
        message.contains("connectionPool in the DestinationRule"),
        "{message}"
    );
}

#[test]
fn a_good_trace_has_no_cause() {
    let analysis = raw(vec![span(1, None, 0, 100)]);
    assert_eq!(
        (analysis.likely_cause, analysis.findings),
        (None, Vec::new())
    );
}

#[test]
fn roots_of_one_request_tell_who_drops_the_headers() {
    let analysis = raw(vec![
        request(of(span(1, None, 0, 100), SpanKind::Server, "web"), "r"),
        request(of(span(2, None, 10, 5), SpanKind::Client, "web"), "r"),
        request(of(span(3, None, 20, 5), SpanKind::Client, "web"), "r"),
        request(
            of(span(4, None, 30, 5), SpanKind::Client, "other"),
            "another",
        ),
    ]);
    let finding = found(&analysis, "broken-propagation");
    assert_eq!(finding.object, SpanId(2).to_string());
    assert!(
        finding.message.starts_with("2 parts of this request hang"),
        "{}",
        finding.message
    );
    assert!(
        finding
            .message
            .contains("web does not pass on the trace headers"),
        "{}",
        finding.message
    );
    assert_eq!(analysis.findings.len(), 1);
}

#[test]
fn orphans_of_one_request_tell_who_does_not_export() {
    let analysis = raw(vec![
        request(of(span(1, None, 0, 100), SpanKind::Server, "web"), "r"),
        request(of(span(2, Some(77), 10, 5), SpanKind::Server, "cart"), "r"),
    ]);
    let message = &found(&analysis, "broken-propagation").message;
    assert!(
        message.contains("whoever calls cart makes spans that are not exported"),
        "{message}"
    );
    assert_eq!(analysis.orphans, 1);
}

#[test]
fn a_partial_trace_says_so() {
    let mut partial = trace(vec![span(1, None, 0, 1)]);
    partial.partial = true;
    let analysis = analyze(&partial, Clock::Raw);
    assert_eq!(
        found(&analysis, "trace-partial").severity,
        Severity::Warning
    );
}

#[test]
fn retries_are_told_with_their_outcome() {
    let call = |id, start, flags| {
        let mut client = of(span(id, Some(1), start, 5), SpanKind::Client, "web");
        client.operation = "reviews".to_owned();
        with(
            client,
            &[("response_flags", flags), ("peer.service", "reviews")],
        )
    };
    let analysis = raw(vec![
        span(1, None, 0, 100),
        call(2, 10, "UO"),
        call(3, 20, "UC"),
        call(4, 30, "-"),
    ]);
    assert_eq!(
        found(&analysis, "retried-calls").message,
        "1 call was tried again after a failure; web called reviews 3 times, and the last succeeded"
    );
}

#[test]
fn clocks_that_are_too_far_off_are_left_alone_and_told() {
    let hour = 3_600_000_000_000;
    let analysis = analyze(
        &trace(vec![
            of(span(1, None, hour, 100), SpanKind::Client, "web"),
            of(span(2, Some(1), 0, 50), SpanKind::Server, "cart"),
        ]),
        Clock::Corrected,
    );
    assert_eq!(analysis.nodes[1].skew_shift_ns, 0);
    assert!(
        found(&analysis, "clock-skew-too-large")
            .message
            .contains("5 min")
    );
}

#[test]
fn spans_that_only_move_along_are_no_misfits() {
    let ms = 1_000_000;
    let analysis = analyze(
        &trace(vec![
            of(span(1, None, 500 * ms, 100 * ms), SpanKind::Client, "web"),
            of(span(2, Some(1), 0, 60 * ms), SpanKind::Server, "cart"),
            of(
                span(3, Some(2), 10 * ms, 10 * ms),
                SpanKind::Internal,
                "cart",
            ),
            of(span(4, Some(3), 12 * ms, 2 * ms), SpanKind::Client, "cart"),
        ]),
        Clock::Corrected,
    );
    let finding = found(&analysis, "clock-skew-corrected");
    assert_eq!(finding.object, SpanId(2).to_string());
    assert!(
        finding.message.contains("1 of 4 spans did not fit"),
        "{}",
        finding.message
    );
}
