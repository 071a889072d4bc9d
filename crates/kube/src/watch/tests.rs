use pilothouse_core::model::SourceErrorKind;
use pilothouse_core::ports::{ControlPlane, ObjectEvent};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::*;
use crate::mock::{Canned, Log, Seen, list, serve, status, virtual_service};

const VS: ObjectKind = ObjectKind::VirtualService;

/// An event in few words.
pub(super) fn draw(event: &ObjectEvent) -> String {
    let name = |r: &ObjectRef| format!("{}/{}", r.namespace, r.name);
    let object = |o: &Object| format!("{}@{}", name(&o.reference), o.resource_version);
    match event {
        ObjectEvent::Listed { objects, .. } => {
            let objects: Vec<String> = objects.iter().map(object).collect();
            format!("listed {}", objects.join(" "))
                .trim_end()
                .to_owned()
        }
        ObjectEvent::Applied(applied) => format!("applied {}", object(applied)),
        ObjectEvent::Deleted(reference) => format!("deleted {}", name(reference)),
        ObjectEvent::Absent(_) => "absent".to_owned(),
        ObjectEvent::Failed { error, .. } => format!("failed {:?}", error.kind),
    }
}

#[derive(Default)]
struct Heard {
    events: Mutex<Vec<ObjectEvent>>,
    more: Notify,
}

impl ObjectSink for Heard {
    fn send(&self, event: ObjectEvent) {
        self.events.lock().unwrap().push(event);
        self.more.notify_one();
    }
}

impl Heard {
    async fn at_least(&self, n: usize) -> Vec<ObjectEvent> {
        loop {
            let events = self.events.lock().unwrap().clone();
            if events.len() >= n {
                return events;
            }
            self.more.notified().await;
        }
    }
}

/// Watches one kind until this many events came.
async fn watched(
    namespaces: &[&str],
    kind: ObjectKind,
    n_events: usize,
    answer: impl Fn(&Seen) -> Canned + Send + Sync + 'static,
) -> (Vec<String>, Log) {
    let (source, log) = serve(namespaces, answer);
    let heard = Heard::default();
    let events = tokio::select! {
        () = watch_kind(&source, kind, &heard) => Vec::new(),
        events = heard.at_least(n_events) => events,
    };
    (events.iter().map(draw).collect(), log)
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn added(name: &str, version: &str) -> Value {
    event("ADDED", &virtual_service("shop", name, version))
}

fn bookmark(version: &str, ends_list: bool) -> Value {
    let annotations = if ends_list {
        json!({"k8s.io/initial-events-end": "true"})
    } else {
        json!({})
    };
    let metadata =
        json!({"resourceVersion": version, "annotations": annotations, "creationTimestamp": null});
    let object = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": {},
    });
    event("BOOKMARK", &object)
}

/// What a server without streamed lists answers.
fn no_streaming() -> Canned {
    let message = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: \
                   sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    Canned::status(422, "Invalid", message)
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_is_told_once_and_then_the_changes() {
    let (events, log) = watched(&[], VS, 4, |_| {
        Canned::events(&[
            added("reviews", "3"),
            added("ratings", "4"),
            bookmark("5", true),
            event("MODIFIED", &virtual_service("shop", "reviews", "6")),
            bookmark("7", false),
            event("DELETED", &virtual_service("shop", "ratings", "8")),
            added("details", "9"),
        ])
    })
    .await;
    assert_eq!(
        events,
        [
            "listed shop/reviews@3 shop/ratings@4",
            "applied shop/reviews@6",
            "deleted shop/ratings",
            "applied shop/details@9",
        ]
    );
    let lines = log.lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("GET /apis/networking.istio.io/v1/virtualservices?"));
    for parameter in [
        "watch=true",
        "sendInitialEvents=true",
        "allowWatchBookmarks=true",
    ] {
        assert!(lines[0].contains(parameter), "{}", lines[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_stream_lists_is_listed_and_watched() {
    let refusals: [fn() -> Canned; 3] = [
        no_streaming,
        || {
            let error = status(0, "", "");
            Canned::events(&[event("ERROR", &error)])
        },
        // A proxy that holds the stream back: its end never comes.
        || Canned::events(&[added("reviews", "3")]),
    ];
    for refusal in refusals {
        let (events, log) = watched(&[], VS, 2, move |seen| {
            if seen.is_streamed_list() {
                refusal()
            } else if seen.is_list() {
                Canned::ok(&list("5", &[virtual_service("shop", "reviews", "3")]))
            } else {
                Canned::events(&[added("ratings", "6")])
            }
        })
        .await;
        assert_eq!(events, ["listed shop/reviews@3", "applied shop/ratings@6"]);
        let lines = log.lines();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[2].contains("resourceVersion=5"), "{}", lines[2]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_position_gets_a_new_list_and_no_failure() {
    let (events, _log) = watched(&[], VS, 3, {
        let turn = Mutex::new(0);
        move |seen| {
            assert!(seen.is_streamed_list(), "{}", seen.line);
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            let gone = event("ERROR", &status(410, "Expired", "too old resource version"));
            match *turn {
                1 => Canned::events(&[added("reviews", "3"), bookmark("5", true), gone]),
                _ => Canned::events(&[
                    added("ratings", "8"),
                    bookmark("9", true),
                    added("details", "10"),
                ]),
            }
        }
    })
    .await;
    assert_eq!(
        events,
        [
            "listed shop/reviews@3",
            "listed shop/ratings@8",
            "applied shop/details@10",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_closed_or_broken_stream_resumes_where_it_was() {
    let endings: [fn(Canned) -> Canned; 2] = [Canned::then_closes, Canned::then_breaks];
    for ending in endings {
        let (events, log) = watched(&[], VS, 2, move |seen| {
            if seen.is_streamed_list() {
                ending(Canned::events(&[
                    added("reviews", "3"),
                    bookmark("5", true),
                ]))
            } else {
                Canned::events(&[added("ratings", "6")])
            }
        })
        .await;
        assert_eq!(events, ["listed shop/reviews@3", "applied shop/ratings@6"]);
        let last = log.seen().pop().unwrap();
        assert!(last.is_watch() && last.line.contains("resourceVersion=5"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_absent_kind_is_absent_until_it_is_installed() {
    let begin = tokio::time::Instant::now();
    let (events, log) = watched(&[], VS, 2, {
        let asked = Mutex::new(0);
        move |_| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked <= 2 {
                Canned::no_path()
            } else {
                Canned::events(&[bookmark("5", true)])
            }
        }
    })
    .await;
    assert_eq!(events, ["absent", "listed"]);
    assert_eq!(begin.elapsed(), ABSENT_PAUSE);
    let versions: Vec<bool> = log
        .lines()
        .iter()
        .map(|l| l.contains("/v1beta1/"))
        .collect();
    assert_eq!(versions, [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn an_old_istio_is_watched_in_v1beta1() {
    let (events, _log) = watched(&[], VS, 1, |seen| {
        if seen.line.contains("/v1/") {
            Canned::no_path()
        } else {
            Canned::events(&[added("reviews", "3"), bookmark("5", true)])
        }
    })
    .await;
    assert_eq!(events, ["listed shop/reviews@3"]);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_served_in_an_alpha_only_is_watched_there() {
    let (events, log) = watched(&[], ObjectKind::TlsRoute, 1, |seen| {
        if seen.line.contains("/v1alpha2/") {
            Canned::events(&[added("reviews", "3"), bookmark("5", true)])
        } else {
            Canned::no_path()
        }
    })
    .await;
    assert_eq!(events, ["listed shop/reviews@3"]);
    assert!(log.lines().iter().all(|line| line.contains("/tlsroutes")));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_services_is_a_failure_and_not_an_absence() {
    let (events, _log) = watched(&[], ObjectKind::Service, 1, |_| Canned::no_path()).await;
    assert_eq!(events, ["failed NotFound"]);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_fails_and_the_others_go_on() {
    let (source, log) = serve(&[], |seen| {
        if seen.line.contains("/deployments?") {
            Canned::status(403, "Forbidden", "cannot list resource \"deployments\"")
        } else if seen.line.contains("/httproutes?") {
            Canned::no_path()
        } else {
            Canned::events(&[bookmark("5", true)])
        }
    });
    let heard = Heard::default();
    let n_events = ObjectKind::ALL.len() + 2;
    let events = tokio::select! {
        () = source.watch(&heard) => Vec::new(),
        events = heard.at_least(n_events) => events,
    };
    let told = |kind: ObjectKind| -> Vec<String> {
        let of_kind = |event: &&ObjectEvent| match event {
            ObjectEvent::Listed { kind: k, .. }
            | ObjectEvent::Absent(k)
            | ObjectEvent::Failed { kind: k, .. } => *k == kind,
            ObjectEvent::Applied(_) | ObjectEvent::Deleted(_) => false,
        };
        events.iter().filter(of_kind).map(draw).collect()
    };
    for kind in [
        ObjectKind::Namespace,
        ObjectKind::Service,
        VS,
        ObjectKind::DestinationRule,
    ] {
        assert_eq!(told(kind), ["listed"], "{kind}");
    }
    assert_eq!(told(ObjectKind::HttpRoute), ["absent"]);
    let failures = told(ObjectKind::Deployment);
    assert!(failures.len() >= 3 && failures.iter().all(|f| f == "failed Forbidden"));
    let hint = events.iter().find_map(|event| match event {
        ObjectEvent::Failed { error, .. } => Some(error.hint.clone()),
        ObjectEvent::Listed { .. }
        | ObjectEvent::Applied(_)
        | ObjectEvent::Deleted(_)
        | ObjectEvent::Absent(_) => None,
    });
    assert!(
        hint.unwrap()
            .contains(r#"apiGroups: ["apps"], resources: ["deployments"]"#)
    );
    assert_eq!(
        log.lines()
            .iter()
            .filter(|l| l.contains("/services?"))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_followed_by_a_new_list() {
    let begin = tokio::time::Instant::now();
    let (events, log) = watched(&[], VS, 3, {
        let turn = Mutex::new(0);
        move |_| {
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            match *turn {
                1 => Canned::events(&[added("reviews", "3"), bookmark("5", true)]).then_closes(),
                2 => Canned::status(503, "ServiceUnavailable", "apiserver is shutting down"),
                _ => Canned::events(&[added("reviews", "3"), bookmark("5", true)]),
            }
        }
    })
    .await;
    assert_eq!(
        events,
        [
            "listed shop/reviews@3",
            "failed ServerError",
            "listed shop/reviews@3"
        ]
    );
    assert!(log.seen()[2].is_streamed_list());
    assert!(
        begin.elapsed() >= Duration::from_millis(400),
        "there was a pause"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_come_with_growing_pauses() {
    let begin = tokio::time::Instant::now();
    let (events, _log) = watched(&[], VS, 10, |_| {
        Canned::status(401, "Unauthorized", "Unauthorized")
    })
    .await;
    assert!(events.iter().all(|event| event == "failed Unauthorized"));
    let elapsed = begin.elapsed();
    assert!(elapsed > Duration::from_secs(60), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(600), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_closes_every_stream_is_not_asked_without_end() {
    let (source, log) = serve(&[], |seen| {
        if seen.is_streamed_list() {
            Canned::events(&[bookmark("5", true)]).then_closes()
        } else {
            Canned::events(&[]).then_closes()
        }
    });
    let heard = Heard::default();
    let minute = tokio::time::sleep(Duration::from_secs(60));
    tokio::select! {
        () = watch_kind(&source, VS, &heard) => {}
        () = minute => {}
    }
    let asked = log.lines().len();
    assert!((60..100).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_timed_out() {
    let (events, _log) = watched(&[], VS, 1, |_| Canned::silence()).await;
    assert_eq!(events, ["failed TimedOut"]);
}

#[tokio::test(start_paused = true)]
async fn garbage_in_a_watch_is_a_bad_answer() {
    let (events, _log) = watched(&[], VS, 1, |seen| {
        if seen.is_streamed_list() {
            Canned::text(200, "<html>\nplease log in\n</html>\n")
        } else {
            Canned::ok(&list("1", &[]))
        }
    })
    .await;
    assert_eq!(events, [format!("failed {:?}", SourceErrorKind::BadAnswer)]);
}

#[tokio::test(start_paused = true)]
async fn chosen_namespaces_are_watched_one_by_one_and_told_as_one() {
    let (events, log) = watched(&["bank", "shop"], VS, 2, |seen| {
        let namespace = if seen.line.contains("/namespaces/bank/") {
            "bank"
        } else {
            "shop"
        };
        let listed = event("ADDED", &virtual_service(namespace, "reviews", "3"));
        let mut told = vec![listed, bookmark("5", true)];
        if namespace == "shop" {
            told.push(added("ratings", "6"));
        }
        Canned::events(&told)
    })
    .await;
    assert_eq!(events[0], "listed bank/reviews@3 shop/reviews@3");
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn chosen_namespaces_are_looked_at_now_and_then_and_told_when_they_change() {
    let begin = tokio::time::Instant::now();
    let (events, log) = watched(&["bank", "shop"], ObjectKind::Namespace, 3, {
        let turn = Mutex::new(0);
        move |seen| {
            if seen.line == "GET /api/v1/namespaces/shop" {
                return Canned::status(403, "Forbidden", "no");
            }
            assert_eq!(seen.line, "GET /api/v1/namespaces/bank");
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            if *turn == 3 {
                return Canned::status(503, "ServiceUnavailable", "shutting down");
            }
            Canned::ok(&json!({"metadata": {"name": "bank", "resourceVersion": "1"}}))
        }
    })
    .await;
    assert_eq!(
        events,
        [
            "listed /bank@1 /shop@",
            "failed ServerError",
            "listed /bank@1 /shop@"
        ]
    );
    assert!(begin.elapsed() >= NAMESPACE_PAUSE * 2);
    assert!(log.lines().len() <= 8, "{:?}", log.lines());
}
