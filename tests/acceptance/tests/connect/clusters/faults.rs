//! A session in which something breaks: what is said, what mends it, and how often a person is bothered.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_bed::{Login, Passage, Way};
use pilothouse_engine::{SourceError, SourceErrorKind};
use pilothouse_kube::{ConnectOptions, KubeSource};
use serde_json::json;

use super::{Stage, connect, options};
use crate::operator::Operator;

const SOON: Duration = Duration::from_secs(30);

/// The server forgets the token of a plugin. Each start of one may open a login page: it is asked at most once more (not
/// even that in the first half minute), and then only when the person says so.
pub(super) fn a_token_ends(stage: &mut Stage) -> Result<()> {
    let Stage {
        runtime,
        east,
        servers,
        ..
    } = &*stage;
    let folder = servers.work_folder();
    let (token, starts) = (folder.join("session.token"), folder.join("session.starts"));
    fs::write(&token, east.service_account_token()?)?;
    let (own, counted) = (token.display(), starts.display());
    let credential = |token: &str| {
        format!(
            r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{token}"}}}}"#
        )
    };
    let script = format!(
        "echo started >> {counted}\nprintf '{}' \"$(cat {own})\"",
        credential("%s")
    );
    let script = servers.script("session-login", &script)?;
    let plugin = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": script, "interactiveMode": "Never",
    }});
    let source = connect(options(Stage::kubeconfig(east, "session", &plugin)?))?;
    let pilot = "system:serviceaccount:bookinfo:pilot";
    ensure!(user(stage, &source)? == pilot, "not the pilot");
    ensure!(n_starts(&starts)? == 1, "{} starts", n_starts(&starts)?);

    east.revoke_service_account_tokens()?;
    let refused = servers.wait_until("the end of the session", SOON, || {
        let error = runtime.block_on(source.whoami()).err();
        Ok(Some(error.context("still let in")?))
    })?;
    ensure!(refused.kind == SourceErrorKind::Unauthorized, "{refused}");
    ensure!(refused.hint.contains("log in again"), "{refused:?}");
    for _ in 0..20 {
        let again = runtime.block_on(source.whoami()).err();
        let again = again.context("let in by a worthless token")?;
        ensure!(again.kind == SourceErrorKind::Unauthorized, "{again}");
    }
    let n_before = n_starts(&starts)?;
    ensure!(n_before <= 2, "{n_before} starts");

    fs::write(&token, east.service_account_token()?)?;
    source.log_in_again();
    ensure!(user(stage, &source)? == pilot, "not the pilot");
    ensure!(
        n_starts(&starts)? == n_before + 1,
        "{n_before} starts before"
    );
    Ok(())
}

/// kubectl would wait for ever. The program is ended, and not started again by the next question.
pub(super) fn a_plugin_does_not_end(stage: &mut Stage) -> Result<()> {
    let folder = stage.servers.work_folder();
    let (starts, ends) = (folder.join("endless.starts"), folder.join("endless.pid"));
    let body = format!(
        "echo started >> {}; echo $$ > {}; exec sleep 600",
        starts.display(),
        ends.display()
    );
    let script = stage.servers.script("endless-login", &body)?;
    let plugin = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": script, "interactiveMode": "Never",
    }});
    let source = connect(ConnectOptions {
        plugin_timeout: Duration::from_millis(500),
        ..options(Stage::kubeconfig(&stage.east, "endless", &plugin)?)
    })?;
    for _ in 0..5 {
        let error = failure(stage, &source)?;
        ensure!(
            error.kind == SourceErrorKind::TimedOut && error.message.contains("endless-login"),
            "{error:?}"
        );
    }
    ensure!(n_starts(&starts)? == 1, "{} starts", n_starts(&starts)?);
    let pid = fs::read_to_string(&ends)?;
    let process = Path::new("/proc").join(pid.trim());
    stage.servers.wait_until("the end of the plugin", SOON, || {
        // A process that has ended and was not waited for yet has no command line.
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        ensure!(line.is_empty(), "{pid} still runs");
        Ok(Some(()))
    })
}

/// Each is named with what to do, started once at most however often it is asked, and the next context goes on.
pub(super) fn plugins_that_give_nothing(stage: &mut Stage) -> Result<()> {
    let starts = stage.servers.work_folder().join("nothing.starts");
    let script = |name: &str, body: &str| {
        let body = format!("echo started >> {}; {body}", starts.display());
        stage.servers.script(name, &body)
    };
    let plugin = |command: &Path, mode: &str| {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": command, "interactiveMode": mode, "installHint": "get it from the cloud",
        }})
    };
    let rubbish = script("rubbish-login", "echo '<html>sign in</html>'")?;
    let failing = script("failing-login", "echo 'SSO session expired' >&2; exit 1")?;
    let asking = script("asking-login", "exit 1")?;
    let missing = Path::new("pilothouse-no-such-login");
    for (name, user, n_expected, said, hint) in [
        (
            "missing",
            plugin(missing, "Never"),
            0,
            "not found",
            "get it from the cloud",
        ),
        (
            "rubbish",
            plugin(&rubbish, "Never"),
            1,
            "no ExecCredential",
            "in a terminal",
        ),
        (
            "failing",
            plugin(&failing, "Never"),
            1,
            "SSO session expired",
            "log in again",
        ),
        (
            "asking",
            plugin(&asking, "Always"),
            0,
            "needs a terminal",
            "with kubectl",
        ),
    ] {
        fs::write(&starts, "")?;
        let source = connect(options(Stage::kubeconfig(&stage.east, name, &user)?))?;
        for _ in 0..5 {
            let error = failure(stage, &source)?;
            ensure!(
                error.message.contains("-login`")
                    && error.message.contains(said)
                    && error.hint.contains(hint),
                "{name}: {error:?}"
            );
        }
        let n = n_starts(&starts)?;
        ensure!(n == n_expected, "{name}: {n} starts");
    }
    let other = Stage::admin(&stage.east)?;
    ensure!(
        user(stage, &connect(options(other))?)? == "admin",
        "not the admin"
    );
    Ok(())
}

/// One source through it all: a page to sign in, no answer, a closed door, an API server that starts again.
pub(super) fn the_network_comes_and_goes(stage: &mut Stage) -> Result<()> {
    let gate = stage.east.gate()?;
    let way = Way::Gate(gate.port());
    let kubeconfig = stage.east.kubeconfig(&stage.servers, way, Login::Token)?;
    let source = connect(ConnectOptions {
        request_timeout: Duration::from_millis(1500),
        ..options(kubeconfig)
    })?;
    ensure!(user(stage, &source)? == "viewer", "not the viewer");
    for (passage, kind, words) in [
        (Passage::Page, SourceErrorKind::ServerError, "HTML"),
        (Passage::Shut, SourceErrorKind::Unreachable, "no connection"),
        (
            Passage::Silent,
            SourceErrorKind::TimedOut,
            "no answer in time",
        ),
    ] {
        gate.set(passage);
        let error = failure(stage, &source)?;
        ensure!(
            error.kind == kind && error.message.contains(words) && !error.hint.is_empty(),
            "{passage:?}: {error:?}"
        );
        gate.set(Passage::Open);
        ensure!(user(stage, &source)? == "viewer", "after {passage:?}");
    }
    let server = stage.east.api_server();
    stage.servers.kill(&server)?;
    let error = failure(stage, &source)?;
    ensure!(error.kind == SourceErrorKind::Unreachable, "{error:?}");
    stage.servers.restart(&server)?;
    stage.servers.await_api_server(&stage.east)?;
    ensure!(user(stage, &source)? == "viewer", "after a restart");
    Ok(())
}

/// The right server under a path where it has nothing, as behind a gateway of clusters: nothing is opened.
pub(super) fn a_path_that_leads_nowhere(stage: &mut Stage) -> Result<()> {
    let mut server = stage.east.server(Way::Authority)?;
    let address = format!("https://127.0.0.1:{}/k8s/clusters/gone", stage.east.port());
    server["server"] = json!(address);
    // Whoever may do less is told that the path is forbidden, by this server.
    let user = json!({"token": stage.east.token("admin")});
    let kubeconfig = stage.east.write_kubeconfig("nowhere", &server, &user)?;
    let look = Operator::with(&[&kubeconfig])?.look("east")?;
    let failure = look.view.failure.as_ref().context("it was opened")?;
    ensure!(look.opened.is_err(), "it was opened");
    ensure!(
        failure.happened.contains("no Kubernetes API") && failure.helps.contains("path"),
        "{failure:?}"
    );
    Ok(())
}

/// The cluster was replaced: nothing of the session is shown to the new one, and a new kubeconfig helps.
pub(super) fn another_authority(stage: &mut Stage) -> Result<()> {
    let old = stage
        .east
        .kubeconfig(&stage.servers, Way::Authority, Login::Token)?;
    let source = connect(options(old))?;
    ensure!(user(stage, &source)? == "viewer", "not the viewer");
    stage.servers.replace_authority(&mut stage.east)?;
    let error = failure(stage, &source)?;
    ensure!(
        error.kind == SourceErrorKind::Unreachable
            && error.message.contains("certificate")
            && error.hint.contains("replaced"),
        "{error:?}"
    );
    let new = stage
        .east
        .kubeconfig(&stage.servers, Way::Authority, Login::Token)?;
    let source = connect(options(new))?;
    ensure!(user(stage, &source)? == "viewer", "not the viewer");
    Ok(())
}

fn user(stage: &Stage, source: &KubeSource) -> Result<String> {
    let who = stage.runtime.block_on(source.whoami());
    let who = who.map_err(|error| anyhow::anyhow!("{:?} {error}", error.kind))?;
    Ok(who.context("nobody")?.user)
}

fn failure(stage: &Stage, source: &KubeSource) -> Result<SourceError> {
    let error = stage.runtime.block_on(source.whoami()).err();
    error.context("it did not fail")
}

fn n_starts(file: &Path) -> Result<usize> {
    Ok(fs::read_to_string(file)?.lines().count())
}
