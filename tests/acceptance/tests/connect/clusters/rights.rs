//! What a user may do, as the server says and as kubectl says; what is missing, as YAML that helps.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::root;
use pilothouse_api::dto::LineState;
use pilothouse_bed::{Login, NAMESPACE, Way};
use pilothouse_kube::{Rights, Verdict};
use serde_json::json;

use super::{Stage, connect, options};
use crate::operator::Operator;

const ISTIO: &str = "networking.istio.io";

/// The roles of docs/rbac, bound by the command of their README, and the rule that the window says is missing.
pub(super) fn the_missing_rule_helps(stage: &mut Stage) -> Result<()> {
    let Stage { east, servers, .. } = &*stage;
    let admin = Stage::admin(east)?;
    let apply = |arguments: &[&str]| -> Result<()> {
        let output = servers.kubectl(&admin, arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {arguments:?}: {said}");
        Ok(())
    };
    for role in ["read-only", "shift"] {
        let file = root().join(format!("docs/rbac/{role}.yaml"));
        apply(&["apply", "-f", &file.display().to_string()])?;
    }
    let binding = "pilothouse-read-only";
    let role = "--clusterrole=pilothouse-read-only";
    apply(&[
        "create",
        "clusterrolebinding",
        binding,
        role,
        "--group=mesh-looks",
    ])?;
    let rita =
        east.client_certificate("rita", Some("mesh-looks"), pilothouse_bed::Validity::Good)?;
    let folder = admin.parent().context("no folder")?;
    std::fs::write(folder.join("rita.pem"), rita.certificate)?;
    std::fs::write(folder.join("rita.key"), rita.key)?;
    let rita = json!({"client-certificate": "rita.pem", "client-key": "rita.key"});
    let rita = Stage::kubeconfig(east, "rita", &rita)?;
    let operator = Operator::with(&[&rita])?;

    let look = operator.look("east")?;
    look.says("user", LineState::Ok, &["rita", "mesh-looks"])?
        .says("namespaces", LineState::Ok, &["namespaces listed"])?
        .says(
            "rights",
            LineState::Note,
            &["Read all, change no weights", "missing rule"],
        )?;
    let action = look.line("rights")?.action.clone();
    let yaml = action.and_then(|it| it.text).context("no rule to copy")?;
    ensure!(
        yaml.contains("patch") && yaml.contains("virtualservices") && !yaml.contains("list"),
        "{yaml}"
    );
    let rights = stage.runtime.block_on(rights_of(&rita))?;
    ensure!(
        may_patch(&rights, NAMESPACE) == Some(Verdict::Denied),
        "{rights:?}"
    );
    as_kubectl_says(stage, &rita, &rights)?;

    let file = operator.home().join("missing.yaml");
    std::fs::write(&file, yaml)?;
    apply(&["apply", "-f", &file.display().to_string()])?;
    let rights = stage.runtime.block_on(rights_of(&rita))?;
    ensure!(
        may_patch(&rights, NAMESPACE) == Some(Verdict::Allowed),
        "{rights:?}"
    );
    as_kubectl_says(stage, &rita, &rights)?;
    let look = operator.look("east")?;
    look.says("rights", LineState::Ok, &["change weights in bookinfo"])?;
    Ok(())
}

/// No failure, and nothing that must be mended.
pub(super) fn in_one_namespace(stage: &mut Stage) -> Result<()> {
    let narrow = stage
        .east
        .kubeconfig(&stage.servers, Way::Authority, Login::OneNamespace)?;
    let operator = Operator::with(&[&narrow])?;
    let look = operator.look("east")?;
    look.says("user", LineState::Ok, &["narrow"])?
        .says("namespaces", LineState::Note, &["may not be listed"])?
        .says("rights", LineState::Note, &["Read in part"])?;
    ensure!(look.view.failure.is_none(), "{:?}", look.view.failure);
    ensure!(look.opened.is_ok(), "it was not opened");
    let rights = stage.runtime.block_on(rights_of(&narrow))?;
    let verdict = |namespace| rights.verdict("list", ISTIO, "virtualservices", namespace);
    ensure!(verdict(NAMESPACE) == Some(Verdict::Allowed), "{rights:?}");
    ensure!(verdict("") == Some(Verdict::Denied), "{rights:?}");
    // With the one namespace chosen there is nothing to note about namespaces at all.
    operator.settings(&format!("[context.east]\nnamespaces = [\"{NAMESPACE}\"]\n"))?;
    let look = operator.look("east")?;
    look.says("namespaces", LineState::Ok, &[NAMESPACE])?;
    let api = operator.open(vec![look])?;
    operator.runtime.block_on(api.load());
    let sources = api.sources();
    let control_plane = sources
        .iter()
        .find(|source| source.name == "control-plane")
        .context("no control plane")?;
    ensure!(control_plane.state == "ok", "{control_plane:#?}");
    Ok(())
}

async fn rights_of(kubeconfig: &std::path::Path) -> Result<Rights> {
    let source = connect(options(kubeconfig.to_owned()))?;
    Ok(source.rights(&[NAMESPACE.to_owned()]).await)
}

fn may_patch(rights: &Rights, namespace: &str) -> Option<Verdict> {
    rights.verdict("patch", ISTIO, "virtualservices", namespace)
}

/// The real kubectl is asked for what decides what is shown.
fn as_kubectl_says(stage: &Stage, kubeconfig: &std::path::Path, rights: &Rights) -> Result<()> {
    for (verb, group, resource) in [
        ("patch", ISTIO, "virtualservices"),
        ("patch", ISTIO, "destinationrules"),
        ("patch", "gateway.networking.k8s.io", "httproutes"),
        ("list", "apps", "deployments"),
        ("get", "", "services/proxy"),
        ("create", "", "pods/portforward"),
    ] {
        let (plain, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let named = match group {
            "" => plain.to_owned(),
            group => format!("{plain}.{group}"),
        };
        let sub = format!("--subresource={sub}");
        for namespace in [NAMESPACE, ""] {
            let place = match namespace {
                "" => "--all-namespaces".to_owned(),
                one => format!("--namespace={one}"),
            };
            let arguments = ["auth", "can-i", verb, &named, &sub, &place];
            let output = stage.servers.kubectl(kubeconfig, &arguments)?;
            let theirs = String::from_utf8_lossy(&output.stdout).trim() == "yes";
            let ours = rights.verdict(verb, group, resource, namespace) == Some(Verdict::Allowed);
            ensure!(
                ours == theirs,
                "{arguments:?}: kubectl {theirs}, ours {ours}"
            );
        }
    }
    Ok(())
}
