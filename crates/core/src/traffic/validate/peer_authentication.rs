//! Rules of a PeerAuthentication.

use serde_json::Value;

use super::common::{labels, one_of};
use super::report::{At, Report};

const MODES: [&str; 4] = ["DISABLE", "PERMISSIVE", "STRICT", "UNSET"];

pub(super) fn check(report: &mut Report, spec: &At<'_>, _metadata: &Value) {
    report.known(spec, &["mtls", "portLevelMtls", "selector"]);
    if let Some(mtls) = report.object(spec, "mtls") {
        check_mode(report, &mtls);
    }
    let mut selects = false;
    if let Some(selector) = report.object(spec, "selector") {
        report.known(&selector, &["matchLabels"]);
        labels(report, &selector, "matchLabels");
        selects = selector
            .get("matchLabels")
            .is_some_and(|l| !l.entries().is_empty());
    }
    let Some(ports) = report.object(spec, "portLevelMtls") else {
        return;
    };
    let entries = ports.entries();
    if !selects {
        let message =
            "modes of single ports need a selector: they cannot hold for a whole namespace or mesh";
        report.error(&ports, "port-without-selector", message);
    }
    if entries.is_empty() {
        report.error(
            &ports,
            "policy-empty",
            "portLevelMtls needs at least one port",
        );
    }
    for (port, mtls) in entries {
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            report.error(
                &mtls,
                "port-range",
                format!("{port:?} is no port in 1..=65535"),
            );
        }
        check_mode(report, &mtls);
    }
}

fn check_mode(report: &mut Report, mtls: &At<'_>) {
    report.known(mtls, &["mode"]);
    one_of(report, mtls, "mode", &MODES);
}
