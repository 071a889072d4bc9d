use super::*;
use crate::graph::testing::{Series, call, request};
use crate::graph::types::{FetchedRows, GraphType};

fn read_series(series: Series) -> Result<(String, String, bool), Dropped> {
    let measure = series.measure;
    let row = series.row();
    let (asked, nothing) = (request(GraphType::Workload), FetchedRows::default());
    let server = Server::alone(&asked, &nothing);
    read(&asked, measure, &server, &row).map(|report| {
        (
            format!("{}/{}", report.target.cluster.name, report.target.workload),
            report.code.to_owned(),
            report.error,
        )
    })
}

fn base() -> Series {
    call("shop/web-v1", "shop/reviews:reviews-v1")
}

#[test]
fn rows_that_do_not_count() {
    let unserved = || call("shop/web-v1", "shop/10.0.0.7:unknown");
    let cases = [
        (
            "label absent",
            base().without("destination_workload"),
            Dropped::LabelMissing,
        ),
        (
            "protocol absent",
            base().without("request_protocol"),
            Dropped::LabelMissing,
        ),
        (
            "reporter absent",
            base().without("reporter"),
            Dropped::LabelMissing,
        ),
        (
            "other reporter",
            base().with("reporter", "ztunnel"),
            Dropped::NotWanted,
        ),
        (
            "other protocol",
            base().with("request_protocol", "mongo"),
            Dropped::OtherProtocol,
        ),
        (
            "nameless caller",
            base()
                .with("source_workload", "unknown")
                .with("source_canonical_service", ""),
            Dropped::NotWanted,
        ),
        (
            "caller's cluster lost",
            base().with("source_cluster", "unknown"),
            Dropped::NotWanted,
        ),
        (
            "both clusters lost",
            base()
                .without("source_cluster")
                .with("destination_cluster", ""),
            Dropped::NotWanted,
        ),
        (
            "bare address",
            unserved().with("destination_service", "10.0.0.7"),
            Dropped::NotWanted,
        ),
        (
            "bare address with port",
            unserved()
                .with("destination_service", "10.0.0.7:80")
                .with("destination_service_name", "10.0.0.7:80"),
            Dropped::NotWanted,
        ),
        ("negative", base().rate(-1.0), Dropped::NoRate),
        ("infinite", base().rate(f64::INFINITY), Dropped::NoRate),
        ("no number", base().rate(f64::NAN), Dropped::NoRate),
    ];
    for (name, series, reason) in cases {
        assert_eq!(read_series(series), Err(reason), "{name}");
    }
}

#[test]
fn rows_that_are_mended() {
    let cases = [
        ("as it is", base(), "c1/reviews-v1"),
        (
            "no clusters at all",
            base()
                .without("source_cluster")
                .without("destination_cluster"),
            "unknown/reviews-v1",
        ),
        (
            "callee's cluster not known",
            base().with("destination_cluster", "unknown"),
            "c1/reviews-v1",
        ),
        (
            "egress gateway that reports itself as a host",
            call(
                "shop/web-v1",
                "unknown/istio-egressgateway.istio-system.svc.cluster.local:unknown",
            )
            .with("destination_cluster", "unknown"),
            "c1/istio-egressgateway",
        ),
        (
            "an address of a known workload",
            base()
                .with("destination_service", "10.0.0.7")
                .with("destination_service_name", "10.0.0.7"),
            "c1/reviews-v1",
        ),
    ];
    for (name, series, target) in cases {
        let read = read_series(series).map(|(target, ..)| target);
        assert_eq!(read.as_deref(), Ok(target), "{name}");
    }
}

#[test]
fn response_codes_and_errors() {
    let http = |code: &str| base().code(code, "-");
    let grpc = |code: &str, status: &str| {
        http(code)
            .with("request_protocol", "grpc")
            .with("grpc_response_status", status)
    };
    let cases = [
        (http("200"), "200", false),
        (http("302"), "302", false),
        (http("404"), "404", true),
        (http("503"), "503", true),
        (http("0"), "-", true),
        (base().without("response_code"), "", false),
        (http("200").with("grpc_response_status", "14"), "200", false),
        (grpc("200", "0"), "0", false),
        (grpc("200", "14"), "14", true),
        (grpc("503", "14"), "503", true),
        (grpc("0", "14"), "-", true),
        (
            grpc("200", "").without("grpc_response_status"),
            "200",
            false,
        ),
        (
            base().measure(Measure::TcpSentBytes).code("503", "UF"),
            "-",
            false,
        ),
        (
            base()
                .measure(Measure::GrpcSentMessages)
                .without("response_code"),
            "",
            false,
        ),
    ];
    for (series, code, error) in cases {
        let about = format!("{:?}", series.labels);
        let read = read_series(series).map(|(_, code, error)| (code, error));
        assert_eq!(read, Ok((code.to_owned(), error)), "{about}");
    }
}

#[test]
fn chosen_namespaces_bring_calls_in_and_out_and_those_that_never_arrived() {
    let mut asked = request(GraphType::Workload);
    asked.namespaces = vec!["shop".to_owned()];
    let cases = [
        (call("edge/gw-v1", "shop/web:web-v1"), true),
        (call("shop/web-v1", "pay/api:api-v1"), true),
        (call("edge/gw-v1", "pay/api:api-v1"), false),
        (call("edge/gw-v1", "shop/web:unknown").by_caller(), true),
        (call("edge/gw-v1", "pay/shop:unknown").by_caller(), false),
        (
            call("edge/gw-v1", "unknown/api.shop:unknown").by_caller(),
            false,
        ),
    ];
    for (series, counts) in cases {
        let about = format!("{:?}", series.labels);
        let row = series.row();
        let nothing = FetchedRows::default();
        let server = Server::alone(&asked, &nothing);
        let read = read(&asked, Measure::Requests, &server, &row);
        assert_eq!(read.is_ok(), counts, "{about}");
    }
}

#[test]
fn the_security_of_a_connection_may_be_unknown() {
    let cases = [
        ("mutual_tls", Some(true)),
        ("none", Some(false)),
        ("unknown", None),
        ("", None),
    ];
    for (policy, expected) in cases {
        let series = base().with("connection_security_policy", policy);
        assert_eq!(mutual_tls(&series.labels), expected);
    }
}
