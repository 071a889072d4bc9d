//! A test in a network namespace of its own, whose only device is the loopback.
//!
//! Kubernetes refuses loopback addresses for pods and endpoints, so its service proxy and pod
//! proxy cannot be proven on 127.0.0.1. In a namespace of its own a test has other addresses
//! ([`POD_NETWORK`]) that are as local as that one and lead nowhere else. The whole test moves
//! there: the harness, the servers and the product's processes, which all inherit it, and the
//! namespace ends with the last of them.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::cache;
use crate::programs::Program;

/// The addresses that are local inside, and that a cluster may give to pods.
pub const POD_NETWORK: &str = "10.99.0.0/24";

const INSIDE: &str = "PILOTHOUSE_BED_NAMESPACE";

/// Runs `body` in a network namespace of its own.
///
/// The test binary starts itself again in there for this one test, whose full name `test` is, as
/// `cargo test -- --list` prints it. Call it as the test's only statement: what is before it runs
/// twice. `needs` is built before, for nothing can be fetched inside.
///
/// # Errors
/// A program that cannot be built; `unshare` (util-linux) or `ip` (iproute2) missing; neither root
/// nor a user namespace to be had; a `test` that does not exist; and the failure of `body`.
pub fn isolated(test: &str, needs: &[Program], body: impl FnOnce() -> Result<()>) -> Result<()> {
    if inside() {
        return body();
    }
    for (tool, package) in [("unshare", "util-linux"), ("ip", "iproute2")] {
        cache::program(tool).with_context(|| format!("{tool} is missing (Debian: {package})"))?;
    }
    for program in needs {
        program.find()?;
    }
    let again = unshare(kind()?)
        .arg("setpriv")
        .args(["--pdeathsig", "KILL", "--", "sh", "-ec", ENTER, "enter"])
        .arg(env::current_exe()?)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "yes")
        .stdin(Stdio::null())
        .output()
        .context("cannot start unshare")?;
    let (said, complained) = (
        String::from_utf8_lossy(&again.stdout),
        String::from_utf8_lossy(&again.stderr),
    );
    ensure!(
        again.status.success(),
        "{test} in its namespace: {}\n{said}{complained}",
        again.status
    );
    ensure!(
        said.contains("1 passed"),
        "there is no test {test}:\n{said}"
    );
    Ok(())
}

/// Whether this process has a network namespace of its own, with no way out.
pub(crate) fn inside() -> bool {
    let routes = || std::fs::read_to_string("/proc/self/net/route").unwrap_or_default();
    env::var_os(INSIDE).is_some() && all_by_loopback(&routes())
}

/// Where servers listen that pods stand for: 127.0.0.1, or every address of a namespace that has
/// no way out.
pub(crate) fn address() -> &'static str {
    if inside() { "0.0.0.0" } else { "127.0.0.1" }
}

/// `routes` is a heading, then a line for each route that begins with its device.
fn all_by_loopback(routes: &str) -> bool {
    let mut devices = routes.lines().skip(1).map(str::split_whitespace);
    !routes.is_empty() && devices.all(|mut words| words.next() == Some("lo"))
}

/// Brings the loopback up and gives it the network of the pods, then becomes the command.
const ENTER: &str = r#"ip link set lo up; ip address add 10.99.0.1/24 dev lo; exec "$@""#;

/// What the new process gets of its own. The first needs root; the second makes the caller root
/// of its namespace, whose files and processes stay the caller's.
const KINDS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

fn unshare(kind: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(kind).arg("--");
    command
}

/// The first kind that works here.
fn kind() -> Result<&'static [&'static str]> {
    let mut reasons = Vec::new();
    for kind in KINDS {
        let tried = unshare(kind)
            .args(["sh", "-ec", ENTER, "enter", "true"])
            .output()
            .context("cannot start unshare")?;
        if tried.status.success() {
            return Ok(kind);
        }
        reasons.push(String::from_utf8_lossy(&tried.stderr).trim().to_owned());
    }
    bail!(
        "no network namespace can be made here: it takes root with CAP_SYS_ADMIN, or user \
         namespaces (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces): {}",
        reasons.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::all_by_loopback;

    #[test]
    fn a_route_by_another_device_is_a_way_out() {
        let heading = "Iface\tDestination\tGateway\n";
        let check = |rest: &str, expect| {
            assert_eq!(
                all_by_loopback(&format!("{heading}{rest}")),
                expect,
                "{rest}"
            );
        };
        check("", true);
        check("lo\t0000630A\t00000000\n", true);
        check("lo\t0000630A\t00000000\neth0\t00000000\t0101A8C0\n", false);
        // Not to be read: not known to be safe.
        assert!(!all_by_loopback(""));
    }
}
