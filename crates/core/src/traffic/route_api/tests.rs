use serde_json::json;

use super::{IstioSection, Precedence, RouteApi, RouteFamily, SplitUnit};
use crate::model::ObjectKind;

const HTTP: RouteApi = RouteApi::VirtualService(IstioSection::Http);
const TCP: RouteApi = RouteApi::VirtualService(IstioSection::Tcp);
const TLS: RouteApi = RouteApi::VirtualService(IstioSection::Tls);

/// One line a list of entries: kind, name, family, unit, policies (retries, timeout, mirrors, faults).
#[test]
fn each_list_of_entries_says_what_it_is() {
    let table = [
        (
            ObjectKind::VirtualService,
            "http",
            HTTP,
            SplitUnit::Requests,
            [true, true, true, true],
        ),
        (
            ObjectKind::VirtualService,
            "tcp",
            TCP,
            SplitUnit::Connections,
            [false; 4],
        ),
        (
            ObjectKind::VirtualService,
            "tls",
            TLS,
            SplitUnit::Connections,
            [false; 4],
        ),
        (
            ObjectKind::HttpRoute,
            "rules",
            RouteApi::HttpRoute,
            SplitUnit::Requests,
            [true, true, true, false],
        ),
        (
            ObjectKind::GrpcRoute,
            "rules",
            RouteApi::GrpcRoute,
            SplitUnit::Requests,
            [false, false, true, false],
        ),
        (
            ObjectKind::TcpRoute,
            "rules",
            RouteApi::TcpRoute,
            SplitUnit::Connections,
            [false; 4],
        ),
        (
            ObjectKind::TlsRoute,
            "rules",
            RouteApi::TlsRoute,
            SplitUnit::Connections,
            [false; 4],
        ),
    ];
    for (kind, section, api, unit, policies) in table {
        assert_eq!(
            RouteApi::named(kind, section),
            Some(api),
            "{kind} {section}"
        );
        assert_eq!(api.section(), section);
        assert_eq!(api.unit(), unit, "{api:?}");
        let found = api.policies();
        assert_eq!(
            [found.retries, found.timeout, found.mirrors, found.faults],
            policies,
            "{api:?}"
        );
    }
    let known: usize = ObjectKind::ALL
        .iter()
        .map(|kind| RouteApi::of(*kind).len())
        .sum();
    assert_eq!(
        known,
        table.len(),
        "a list of entries is missing in the table"
    );
}

#[test]
fn a_kind_has_only_its_own_lists() {
    for (kind, section) in [
        (ObjectKind::VirtualService, "rules"),
        (ObjectKind::HttpRoute, "http"),
        (ObjectKind::DestinationRule, "http"),
        (ObjectKind::Service, "rules"),
        (ObjectKind::VirtualService, ""),
    ] {
        assert_eq!(RouteApi::named(kind, section), None, "{kind} {section}");
    }
    assert_eq!(RouteFamily::of(ObjectKind::Service), None);
}

#[test]
fn the_families_write_the_same_thing_in_their_own_fields() {
    let istio = json!({"spec": {"tcp": [{"route": [
        {"destination": {"host": "db"}, "weight": 3},
        {"destination": {"host": "db2"}},
        {"destination": {"host": "db3"}, "weight": "7"},
    ]}]}});
    let gateway = json!({"spec": {"rules": [{}, {"backendRefs": [{"name": "db", "weight": 3}]}]}});
    assert_eq!(TCP.weights(&TCP.entries(&istio)[0]), [Some(3), None, None]);
    assert_eq!(HTTP.entries(&istio), [] as [serde_json::Value; 0]);
    let rules = RouteApi::HttpRoute.entries(&gateway);
    assert_eq!(RouteApi::HttpRoute.weights(&rules[0]), []);
    assert_eq!(RouteApi::HttpRoute.weights(&rules[1]), [Some(3)]);
    let facts = |api: RouteApi| {
        (
            api.entry_path(1),
            api.entry_identity(),
            api.destination_identity().join(" "),
            api.precedence(),
            api.default_weight(),
            api.max_weight(),
            api.single_takes_all(),
            api.status_without_backend(),
        )
    };
    for api in [HTTP, TCP, TLS] {
        let path = format!("/spec/{}/1", api.section());
        let of_destination = "destination".to_owned();
        let expected = (
            path,
            ["match", "name"],
            of_destination,
            Precedence::FirstMatch,
            0,
            i64::from(i32::MAX),
            true,
            503,
        );
        assert_eq!(facts(api), expected);
    }
    let of_backend = "group kind name namespace port".to_owned();
    let expected = (
        "/spec/rules/1".to_owned(),
        ["matches", "name"],
        of_backend,
        Precedence::MostSpecific,
        1,
        1_000_000,
        false,
        500,
    );
    for api in [
        RouteApi::HttpRoute,
        RouteApi::GrpcRoute,
        RouteApi::TcpRoute,
        RouteApi::TlsRoute,
    ] {
        assert_eq!(facts(api), expected);
    }
}

fn check(weights: &[Option<i64>], istio: &[Option<f64>], gateway: &[Option<f64>]) {
    for kind in ObjectKind::ALL {
        for api in RouteApi::of(kind) {
            let expected = match api.family() {
                RouteFamily::Istio => istio,
                RouteFamily::GatewayApi => gateway,
            };
            assert_eq!(
                api.effective_ratios(weights),
                expected,
                "{api:?} {weights:?}"
            );
        }
    }
}

#[test]
fn the_two_families_differ_where_weights_are_absent_or_zero() {
    let all = [Some(1.0)];
    check(&[None], &all, &all);
    check(&[Some(0)], &all, &[None]);
    check(&[Some(37)], &all, &all);
    check(&[Some(0), Some(0)], &[None, None], &[None, None]);
    check(&[None, None], &[None, None], &[Some(0.5), Some(0.5)]);
    check(
        &[Some(3), None],
        &[Some(1.0), Some(0.0)],
        &[Some(0.75), Some(0.25)],
    );
    let quarter = [Some(0.25), Some(0.75)];
    check(&[Some(1), Some(3)], &quarter, &quarter);
    check(
        &[Some(-1), Some(3)],
        &[Some(0.0), Some(1.0)],
        &[Some(0.0), Some(1.0)],
    );
    check(&[], &[], &[]);
}

/// The page shows the shares of a draft before anybody is asked; it reads the same table.
#[test]
fn shares_of_a_draft_are_those_of_the_shared_table() {
    type Case = (Vec<i64>, Vec<Option<f64>>);
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("shares.json")).expect("a table of cases");
    assert!(!cases.is_empty());
    for (weights, shares) in cases {
        let weights: Vec<Option<i64>> = weights.into_iter().map(Some).collect();
        check(&weights, &shares, &shares);
    }
}
