//! Rules of load balancers: consistent hashing, locality, warm-up.

use super::common::{duration, one_of};
use super::report::{At, Report};

pub(super) fn check(report: &mut Report, balancer: &At<'_>) {
    report.known(
        balancer,
        &[
            "consistentHash",
            "localityLbSetting",
            "simple",
            "warmup",
            "warmupDurationSecs",
            "zoneAwareLbSetting",
        ],
    );
    let words = [
        "LEAST_CONN",
        "LEAST_REQUEST",
        "PASSTHROUGH",
        "RANDOM",
        "ROUND_ROBIN",
        "UNSPECIFIED",
    ];
    one_of(report, balancer, "simple", &words);
    if balancer.has("simple") && balancer.has("consistentHash") {
        report.error(
            balancer,
            "match-conflict",
            "only one of simple and consistentHash may be given",
        );
    }
    if let Some(hash) = report.object(balancer, "consistentHash") {
        check_hash(report, &hash);
    }
    if balancer.has("localityLbSetting") && balancer.has("zoneAwareLbSetting") {
        let message = "only one of localityLbSetting and zoneAwareLbSetting may be given";
        report.error(balancer, "match-conflict", message);
    }
    for key in ["localityLbSetting", "zoneAwareLbSetting"] {
        if let Some(locality) = report.object(balancer, key) {
            check_locality(report, &locality);
        }
    }
    duration(report, balancer, "warmupDurationSecs", false);
    if let Some(warmup) = report.object(balancer, "warmup") {
        check_warmup(report, &warmup);
    }
}

fn check_hash(report: &mut Report, hash: &At<'_>) {
    let keys = [
        "httpCookie",
        "httpHeaderName",
        "httpQueryParameterName",
        "useSourceIp",
    ];
    let rings = ["maglev", "minimumRingSize", "ringHash"];
    report.known(hash, &[keys.as_slice(), rings.as_slice()].concat());
    if hash.which(&keys).len() > 1 {
        report.error(
            hash,
            "match-conflict",
            format!("only one of {} may be given", keys.join(", ")),
        );
    }
    if let Some(cookie) = report.object(hash, "httpCookie") {
        check_cookie(report, &cookie);
    }
    report.long(hash, "minimumRingSize");
    if hash.has("minimumRingSize") {
        let message = "minimumRingSize is deprecated; use ringHash.minimumRingSize";
        report.warn(&hash.absent("minimumRingSize"), "deprecated", message);
    }
    if let Some(ring) = report.object(hash, "ringHash") {
        report.known(&ring, &["minimumRingSize"]);
        report.long(&ring, "minimumRingSize");
    }
    if let Some(maglev) = report.object(hash, "maglev") {
        report.known(&maglev, &["tableSize"]);
        if let Some((at, size)) = report.long(&maglev, "tableSize") {
            if size >= MAX_TABLE {
                report.error(
                    &at,
                    "table-size",
                    format!("tableSize must be below {MAX_TABLE}"),
                );
            } else if !is_prime(size) {
                report.error(
                    &at,
                    "table-size",
                    format!("tableSize must be a prime number; {size} is none"),
                );
            }
        }
    }
}

/// Envoy's limit of a Maglev table.
const MAX_TABLE: u64 = 5_000_011;

fn is_prime(number: u64) -> bool {
    number >= 2
        && (2..)
            .take_while(|d| d * d <= number)
            .all(|d| !number.is_multiple_of(d))
}

fn check_cookie(report: &mut Report, cookie: &At<'_>) {
    report.known(cookie, &["attributes", "name", "path", "ttl"]);
    if report
        .text(cookie, "name")
        .is_none_or(|(_, name)| name.is_empty())
    {
        report.error(cookie, "cookie-name", "the cookie needs a name");
    }
    duration(report, cookie, "ttl", true);
    let mut names: Vec<&str> = Vec::new();
    for attribute in report.objects(cookie, "attributes") {
        report.known(&attribute, &["name", "value"]);
        let name = report.text(&attribute, "name").map_or("", |(_, name)| name);
        if name.is_empty() {
            report.error(
                &attribute,
                "cookie-name",
                "the attribute of the cookie needs a name",
            );
        } else if names.contains(&name) {
            report.error(
                &attribute,
                "cookie-name",
                format!("the attribute {name} stands twice"),
            );
        }
        names.push(name);
    }
}

fn check_locality(report: &mut Report, locality: &At<'_>) {
    report.known(
        locality,
        &[
            "distribute",
            "enabled",
            "failover",
            "failoverPriority",
            "minClusterSize",
        ],
    );
    let distribute = report.objects(locality, "distribute");
    let failover = report.objects(locality, "failover");
    if !distribute.is_empty() && !failover.is_empty() {
        report.error(
            locality,
            "match-conflict",
            "only one of distribute and failover may be given",
        );
    }
    for rule in &distribute {
        report.known(rule, &["from", "to"]);
        let Some(to) = report.object(rule, "to") else {
            continue;
        };
        let mut sum = 0_i64;
        for (place, _) in to.entries() {
            if let Some((at, weight)) = report.int(&to, place) {
                if !(1..=100).contains(&weight) {
                    report.error(
                        &at,
                        "locality-weight",
                        format!("the weight {weight} is not in 1..=100"),
                    );
                }
                sum = sum.saturating_add(weight);
            }
        }
        if sum != 100 {
            let message = format!(
                "the weights of the localities add up to {sum}; here they must be exactly 100"
            );
            report.error(&to, "locality-weight", message);
        }
    }
    for rule in &failover {
        report.known(rule, &["from", "to"]);
        let side = |key: &str| {
            rule.get(key)
                .and_then(|at| at.text())
                .map(ToOwned::to_owned)
        };
        let (from, to) = (side("from"), side("to"));
        if from.is_none() || to.is_none() {
            report.error(rule, "failover-invalid", "failover needs from and to");
        } else if from == to {
            report.error(
                rule,
                "failover-invalid",
                "failover from a region to itself has no meaning",
            );
        }
        for place in [from, to].into_iter().flatten() {
            if place.contains(['/', '*']) {
                report.error(
                    rule,
                    "failover-invalid",
                    format!("{place:?} is no region; zones and wildcards are not allowed"),
                );
            }
        }
    }
}

fn check_warmup(report: &mut Report, warmup: &At<'_>) {
    report.known(warmup, &["aggression", "duration", "minimumPercent"]);
    if !warmup.has("duration") {
        report.error(warmup, "duration-missing", "warmup needs a duration");
    }
    duration(report, warmup, "duration", false);
    if let Some((at, percent)) = report.number(warmup, "minimumPercent")
        && !(0.0..=100.0).contains(&percent)
    {
        report.error(
            &at,
            "percent-range",
            format!("minimumPercent is {percent}; it must be in 0..=100"),
        );
    }
    if let Some((at, aggression)) = report.number(warmup, "aggression")
        && aggression <= 0.0
    {
        report.error(&at, "aggression-range", "aggression must be greater than 0");
    }
}
