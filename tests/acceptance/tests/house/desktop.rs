//! What the window may do: the commands of the api and nothing else, under a policy that lets nothing in from outside.

use std::collections::BTreeSet;

use pilothouse_acceptance::root;
use serde_json::Value;

use crate::rules::read;

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, after) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?}"));
    after
        .split_once(to)
        .unwrap_or_else(|| panic!("no {to:?}"))
        .0
}

/// Everything in quotes.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn configuration() -> Value {
    serde_json::from_str(&read(&root().join("tauri.conf.json"))).unwrap()
}

fn api_commands() -> BTreeSet<String> {
    let registry = read(&root().join("crates/api/src/registry.rs"));
    let commands = quoted(between(&registry, "pub const COMMANDS", "];"));
    assert!(
        commands.len() > 10,
        "the test looks in the wrong place: {commands:?}"
    );
    commands
}

#[test]
fn the_window_may_call_the_commands_of_the_api_and_nothing_else() {
    let mut commands = api_commands();
    commands.insert("subscribe".to_owned());

    let build = read(&root().join("src-tauri/build.rs"));
    assert_eq!(quoted(between(&build, "const COMMANDS", "];")), commands);

    let shell = read(&root().join("src-tauri/src/lib.rs"));
    let handled: BTreeSet<String> = between(&shell, "generate_handler![", "]")
        .split(',')
        .filter_map(|path| path.trim().rsplit("::").next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(handled, commands);

    let configuration = configuration();
    let capabilities = configuration["app"]["security"]["capabilities"]
        .as_array()
        .unwrap();
    assert_eq!(capabilities.len(), 1, "one capability for one window");
    let permitted: BTreeSet<String> = capabilities[0]["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission.as_str().unwrap().to_owned())
        .collect();
    let expect = commands
        .iter()
        .map(|name| format!("allow-{}", name.replace('_', "-")));
    assert_eq!(permitted, expect.collect());
}

#[test]
fn the_browser_shell_and_the_window_offer_the_same() {
    let backend = read(&root().join("frontend/src/backend/backend.ts"));
    let declared: BTreeSet<String> = between(&backend, "export interface Commands {", "\n}")
        .lines()
        .filter_map(|line| line.trim().split_once(": {"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(declared, api_commands());
}

#[test]
fn nothing_from_outside_runs_in_the_window() {
    let configuration = configuration();
    let security = &configuration["app"]["security"];
    let policy = security["csp"].as_str().unwrap();
    for wanted in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src ipc: http://ipc.localhost;",
    ] {
        assert!(policy.contains(wanted), "{wanted} is gone from {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(configuration["app"]["withGlobalTauri"], false);
    assert_eq!(
        security["assetProtocol"],
        Value::Null,
        "no file of this machine is served to the window"
    );

    let page = read(&root().join("frontend/index.html"));
    for (at, _) in page.match_indices("<script") {
        let tag = between(page.get(at..).unwrap(), "<script", ">");
        assert!(tag.contains("src="), "an inline script: <script{tag}>");
    }
    for forbidden in ["http://", "https://", "style=", "onclick", "onload"] {
        assert!(!page.contains(forbidden), "{forbidden} in index.html");
    }
}
