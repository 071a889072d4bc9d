//! Rows of metrics read as reports: which rows count, what is mended in them, which response they stand for.
//!
//! The rules are those that Istio operators know from Kiali (its telemetry vendor for Istio): labels that must be there,
//! the egress gateway that reports itself as a host, clusters that are only known to one side, calls to bare addresses.
//! Who the two ends *are* is decided in `identity.rs`.

use super::clusters::{ClusterKey, Server};
use super::types::{GraphRequest, GrpcTraffic, HttpTraffic, Protocol};
use crate::ports::{Labels, Measure, MetricRow};

#[cfg(test)]
mod tests;

/// What telemetry says where it does not know.
pub(super) const UNKNOWN: &str = "unknown";

const EGRESS_HOST: &str = "istio-egressgateway.istio-system.svc.cluster.local";

/// Whether the telemetry says anything here.
pub(super) fn is_known(value: &str) -> bool {
    !value.is_empty() && value != UNKNOWN
}

/// Which proxy reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reporter {
    /// The caller's.
    Source,
    /// A waypoint between the two.
    Waypoint,
    /// The callee's.
    Destination,
}

/// One end of a report. Empty text and `unknown` both mean not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    pub(super) cluster: ClusterKey<'a>,
    /// Of the workload.
    pub(super) namespace: &'a str,
    pub(super) workload: &'a str,
    pub(super) app: &'a str,
    pub(super) version: &'a str,
    /// Of the service; empty for a caller.
    pub(super) service_namespace: &'a str,
    /// Name of the service; empty for a caller.
    pub(super) service: &'a str,
}

/// A row that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report<'a> {
    pub(super) reporter: Reporter,
    pub(super) source: Peer<'a>,
    pub(super) target: Peer<'a>,
    pub(super) protocol: Protocol,
    /// HTTP code, gRPC status, `-` for no response.
    pub(super) code: &'a str,
    pub(super) flags: &'a str,
    pub(super) error: bool,
    /// Whether over mutual TLS, where the reporter knows.
    pub(super) mutual_tls: Option<bool>,
    pub(super) value: f64,
    /// As they came, for groupings that other queries use.
    pub(super) labels: &'a Labels,
    /// Who answered it.
    pub(super) server: &'a Server<'a>,
}

impl Report<'_> {
    /// Whether its server left out a part of what it was asked about the protocol.
    pub(super) fn is_partial(&self) -> bool {
        self.server.unknown.contains(&self.protocol)
    }
}

/// Why a row does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dropped {
    /// A label that Istio always sets is absent.
    LabelMissing,
    /// Neither HTTP nor gRPC.
    OtherProtocol,
    /// The value is no rate: NaN, infinite or negative.
    NoRate,
    /// By the rules, or not asked for.
    NotWanted,
}

/// Reads a row of one of the additive measures (not of a quantile).
pub(super) fn read<'a>(
    request: &GraphRequest,
    measure: Measure,
    server: &'a Server<'a>,
    row: &'a MetricRow,
) -> Result<Report<'a>, Dropped> {
    let labels = &row.labels;
    let (source, mut target) = ends(server, labels)?;
    let host = required(labels, "destination_service")?;
    if !in_scope(request, &source, &target, host) {
        return Err(Dropped::NotWanted);
    }
    if !row.value.is_finite() || row.value < 0.0 {
        return Err(Dropped::NoRate);
    }
    let has_cluster = |label: &str| labels.contains_key(label);
    if is_known(source.namespace) {
        let nameless = !is_known(source.workload) && !is_known(source.app);
        let lost = has_cluster("source_cluster") && !source.cluster.is_known();
        if nameless || lost {
            return Err(Dropped::NotWanted);
        }
    }
    mend(&source, &mut target, host);
    let bare_address = target.service == host && is_ipv4(host) && !is_known(target.workload);
    let lost = is_known(target.service_namespace)
        && has_cluster("destination_cluster")
        && !target.cluster.is_known();
    if bare_address || lost {
        return Err(Dropped::NotWanted);
    }
    let protocol = protocol(request, measure, labels)?;
    let code = response_code(protocol, labels);
    Ok(Report {
        reporter: reporter(labels)?,
        source,
        target,
        protocol,
        code,
        flags: present(labels, "response_flags").unwrap_or("-"),
        error: measure == Measure::Requests && is_error(protocol, code),
        mutual_tls: mutual_tls(labels),
        value: row.value,
        labels,
        server,
    })
}

fn present<'a>(labels: &'a Labels, label: &str) -> Option<&'a str> {
    labels
        .get(label)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

fn required<'a>(labels: &'a Labels, label: &str) -> Result<&'a str, Dropped> {
    labels
        .get(label)
        .map(String::as_str)
        .ok_or(Dropped::LabelMissing)
}

/// Both ends as reported. Every label must be there, except that of a cluster: single clusters often have none.
fn ends<'a>(server: &Server<'a>, labels: &'a Labels) -> Result<(Peer<'a>, Peer<'a>), Dropped> {
    let cluster = |label: &str| server.cluster(labels.get(label).map(String::as_str));
    let source = Peer {
        cluster: cluster("source_cluster"),
        namespace: required(labels, "source_workload_namespace")?,
        workload: required(labels, "source_workload")?,
        app: required(labels, "source_canonical_service")?,
        version: required(labels, "source_canonical_revision")?,
        service_namespace: "",
        service: "",
    };
    let target = Peer {
        cluster: cluster("destination_cluster"),
        namespace: required(labels, "destination_workload_namespace")?,
        workload: required(labels, "destination_workload")?,
        app: required(labels, "destination_canonical_service")?,
        version: required(labels, "destination_canonical_revision")?,
        service_namespace: required(labels, "destination_service_namespace")?,
        service: required(labels, "destination_service_name")?,
    };
    Ok((source, target))
}

fn reporter(labels: &Labels) -> Result<Reporter, Dropped> {
    match required(labels, "reporter")? {
        "source" => Ok(Reporter::Source),
        "destination" => Ok(Reporter::Destination),
        "waypoint" => Ok(Reporter::Waypoint),
        _ => Err(Dropped::NotWanted),
    }
}

/// Whether the call goes to or from a chosen namespace, or was meant for one and never arrived.
fn in_scope(request: &GraphRequest, source: &Peer<'_>, target: &Peer<'_>, host: &str) -> bool {
    let chosen = &request.namespaces;
    if chosen.is_empty() {
        return true;
    }
    let unserved = target.workload == UNKNOWN && target.namespace == UNKNOWN;
    chosen.iter().any(|namespace| {
        namespace == source.namespace
            || namespace == target.namespace
            || (unserved && host_is_in(host, namespace))
    })
}

/// Whether the host is `something.NAMESPACE.something`.
fn host_is_in(host: &str, namespace: &str) -> bool {
    host.split('.')
        .enumerate()
        .skip(1)
        .any(|(at, part)| part == namespace && host.split('.').count() > at + 1)
}

fn mend<'a>(source: &Peer<'a>, target: &mut Peer<'a>, host: &str) {
    if host == EGRESS_HOST && target.service == EGRESS_HOST {
        target.cluster = source.cluster;
        target.namespace = "istio-system";
        target.workload = "istio-egressgateway";
        target.app = "istio-egressgateway";
        target.version = "latest";
    } else if !target.cluster.is_known()
        && source.cluster.is_known()
        && is_known(target.service_namespace)
    {
        target.cluster = source.cluster;
    }
}

fn is_ipv4(host: &str) -> bool {
    let (address, port) = host.split_once(':').unwrap_or((host, "0"));
    address.parse::<core::net::Ipv4Addr>().is_ok() && port.parse::<u16>().is_ok()
}

fn protocol(
    request: &GraphRequest,
    measure: Measure,
    labels: &Labels,
) -> Result<Protocol, Dropped> {
    match measure {
        Measure::GrpcSentMessages | Measure::GrpcReceivedMessages => Ok(Protocol::Grpc),
        Measure::TcpSentBytes | Measure::TcpReceivedBytes => Ok(Protocol::Tcp),
        Measure::Requests
        | Measure::LatencySum
        | Measure::LatencyCount
        | Measure::LatencyQuantile(_) => match required(labels, "request_protocol")? {
            "http" if request.http == HttpTraffic::Requests => Ok(Protocol::Http),
            "grpc" if request.grpc == GrpcTraffic::Requests => Ok(Protocol::Grpc),
            "http" | "grpc" => Err(Dropped::NotWanted),
            _ => Err(Dropped::OtherProtocol),
        },
    }
}

/// `-` for no response; the gRPC status where the transport itself did not fail; else the HTTP code.
fn response_code(protocol: Protocol, labels: &Labels) -> &str {
    let http = match (protocol, present(labels, "response_code")) {
        (Protocol::Tcp, _) | (_, Some("0")) => return "-",
        (Protocol::Http | Protocol::Grpc, code) => code.unwrap_or(""),
    };
    match (protocol, present(labels, "grpc_response_status")) {
        (Protocol::Grpc, Some(status)) if !is_http_error(http) => status,
        _ => http,
    }
}

fn is_http_error(code: &str) -> bool {
    code.len() == 3 && (code.starts_with('4') || code.starts_with('5'))
}

pub(super) fn is_error(protocol: Protocol, code: &str) -> bool {
    match protocol {
        Protocol::Http => code == "-" || is_http_error(code),
        Protocol::Grpc if code.len() == 3 => is_http_error(code),
        Protocol::Grpc => !matches!(code, "0" | ""),
        Protocol::Tcp => false,
    }
}

fn mutual_tls(labels: &Labels) -> Option<bool> {
    match labels
        .get("connection_security_policy")
        .map(String::as_str)?
    {
        "mutual_tls" => Some(true),
        policy if is_known(policy) => Some(false),
        _ => None,
    }
}
