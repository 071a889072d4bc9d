//! Envoy's response flags in words (Envoy documentation, access log, `%RESPONSE_FLAGS%`), and where an operator of an
//! Istio mesh looks next.

/// What one response flag means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagMeaning {
    /// The flag, e.g. `UO`.
    pub flag: &'static str,
    /// What happened, as the end of "the proxy says that …".
    pub meaning: &'static str,
    /// What to look at.
    pub look_at: &'static str,
}

const fn flag(flag: &'static str, meaning: &'static str, look_at: &'static str) -> FlagMeaning {
    FlagMeaning {
        flag,
        meaning,
        look_at,
    }
}

const POOL: &str = "the limits of trafficPolicy.connectionPool in the DestinationRule";
const FAULT: &str = "the fault of the VirtualService: this failure is injected on purpose";
const DELAY: &str = "the fault of the VirtualService: this delay is injected on purpose";
const ROUTE: &str = "the routes of the VirtualService and the hosts of the gateway";
const ENDPOINTS: &str =
    "the endpoints of the service: readiness, the labels of the subset, outlierDetection";
const SERVER: &str = "the called workload: crashes, restarts, its own log";
const TIMEOUT: &str = "the timeout of the route, and why the called workload is slow";
const CALLER: &str = "the caller: it gave up or went away first";
const EXTENSION: &str = "the policy or extension that refused it";
const PROTOCOL: &str = "the protocol that the port is declared with";
const PROXY: &str = "the proxy itself: its load, its configuration, its log";

const FLAGS: [FlagMeaning; 30] = [
    flag(
        "UO",
        "the circuit breaker was full (upstream overflow)",
        POOL,
    ),
    flag("UH", "there was no healthy endpoint", ENDPOINTS),
    flag("NR", "no route matched", ROUTE),
    flag(
        "NC",
        "the route's cluster does not exist",
        "the host and the subset that the route names: is there a Service and a DestinationRule subset",
    ),
    flag("FI", "it injected an abort", FAULT),
    flag("DI", "it injected a delay", DELAY),
    flag(
        "UT",
        "the called side took longer than the timeout",
        TIMEOUT,
    ),
    flag("UC", "the called side closed the connection", SERVER),
    flag(
        "UF",
        "no connection to the called side could be made",
        ENDPOINTS,
    ),
    flag("UR", "the called side reset the stream", SERVER),
    flag(
        "URX",
        "all attempts to retry or connect failed",
        "what failed each time, and the retries of the route",
    ),
    flag(
        "RL",
        "the request was rate limited",
        "the local or global rate limit",
    ),
    flag(
        "RLSE",
        "the rate limit service failed",
        "the rate limit service",
    ),
    flag(
        "UAEX",
        "external authorization denied it",
        "the AuthorizationPolicy and the external authorizer",
    ),
    flag("DC", "the caller closed the connection", CALLER),
    flag("DR", "the caller reset the stream", CALLER),
    flag("DT", "the request or connection lasted too long", TIMEOUT),
    flag("SI", "the stream was idle for too long", TIMEOUT),
    flag("LR", "it reset the connection itself", PROXY),
    flag("LH", "the health check of the proxy failed", PROXY),
    flag("OM", "it was overloaded", PROXY),
    flag("DO", "it was told to drop requests under overload", PROXY),
    flag(
        "UMSDR",
        "the request was refused after too many stream resets",
        PROXY,
    ),
    flag("DPE", "the caller broke the protocol", PROTOCOL),
    flag("UPE", "the called side broke the protocol", PROTOCOL),
    flag("IH", "a header was not valid", PROTOCOL),
    flag(
        "DF",
        "the name of the called host could not be resolved",
        "the host of the ServiceEntry, and DNS",
    ),
    flag(
        "NFCF",
        "a filter of the proxy had no configuration yet",
        EXTENSION,
    ),
    flag("RFCF", "a cached response came from a filter", EXTENSION),
    flag("UDO", "it was told to drop all requests", PROXY),
];

/// Flags that tell what happened on the way of a request that was answered all the same.
const ON_THE_WAY: [&str; 2] = ["DI", "RFCF"];

/// Whether one of these flags ended the request: a set such as `DI,UF` fails by its worst.
pub(super) fn flags_fail(flags: &str) -> bool {
    let parts = flags.split(',').map(str::trim);
    let mut telling = parts.filter(|part| !part.is_empty() && *part != "-");
    telling.any(|part| !ON_THE_WAY.contains(&part))
}

/// The meanings of flags as a span carries them (`UF,URX`); those that are not known are left out.
#[must_use]
pub fn explain_flags(flags: &str) -> Vec<FlagMeaning> {
    let parts = flags.split(',').map(str::trim);
    parts
        .filter_map(|part| FLAGS.iter().find(|known| known.flag == part))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, explain_flags, flags_fail};

    #[test]
    fn flags_are_explained_in_the_order_given() {
        let meanings = explain_flags("URX, UF,XYZ");
        let flags: Vec<&str> = meanings.iter().map(|m| m.flag).collect();
        assert_eq!(flags, ["URX", "UF"]);
        assert_eq!(explain_flags("-"), []);
    }

    #[test]
    fn no_flag_is_explained_twice() {
        let distinct: std::collections::BTreeSet<&str> = FLAGS.iter().map(|m| m.flag).collect();
        assert_eq!(distinct.len(), FLAGS.len());
    }

    #[test]
    fn a_delay_and_a_cached_answer_are_no_failures_and_whatever_stands_beside_them_is() {
        for fine in ["", "-", "DI", "RFCF", "DI,RFCF", "DI, -"] {
            assert!(!flags_fail(fine), "{fine}");
        }
        for failing in ["UF", "FI", "DI,UF", "UF,URX", "RFCF, UT", "NEW"] {
            assert!(flags_fail(failing), "{failing}");
        }
    }
}
