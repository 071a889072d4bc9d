//! What the window may do: the commands of the api and nothing else, under a policy that lets nothing in from outside.

use std::collections::BTreeSet;

use pilothouse_acceptance::root;
use serde_json::Value;

use crate::rules::{read, sources};

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

fn configuration() -> Value {
    serde_json::from_str(&read(&root().join("tauri.conf.json"))).unwrap()
}

/// Names of an interface of the generated TypeScript, which a test of the api holds to the table of commands.
fn interface(name: &str) -> BTreeSet<String> {
    let bindings = read(&root().join("frontend/src/backend/bindings.ts"));
    let start = format!("export interface {name} {{");
    let names: BTreeSet<String> = between(&bindings, &start, "\n}")
        .lines()
        .filter_map(|line| line.trim().split_once(": {"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(
        !names.is_empty(),
        "the test looks in the wrong place for {name}"
    );
    names
}

/// Rows of the table of commands, as `name: how(...)`.
fn rows() -> BTreeSet<String> {
    read(&root().join("crates/api/src/commands.in.rs"))
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(';') && !line.starts_with("//"))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn the_typescript_has_the_commands_of_the_table() {
    let declared = &interface("Commands") | &interface("Streams");
    assert_eq!(declared, rows());
}

#[test]
fn the_window_is_given_the_table_and_nothing_else() {
    let configuration = configuration();
    let capabilities = configuration["app"]["security"]["capabilities"]
        .as_array()
        .unwrap();
    assert_eq!(capabilities.len(), 1, "one capability for one window");
    assert_eq!(
        capabilities[0]["permissions"],
        serde_json::json!(["every-command"])
    );
}

#[test]
fn no_shell_lists_commands() {
    let commands = interface("Commands");
    let mut shells = vec![root().join("tauri.conf.json")];
    for folder in ["src-tauri", "crates/dev/src"] {
        shells.extend(sources(folder, "rs"));
    }
    for transport in ["backend.ts", "connect.ts", "http.ts", "tauri.ts"] {
        shells.push(root().join("frontend/src/backend").join(transport));
    }
    for shell in shells {
        let text = read(&shell);
        for command in &commands {
            let kebab = command.replace('_', "-");
            for spelt in [
                format!("\"{command}\""),
                format!("'{command}'"),
                format!("/{command}\""),
                format!("\"allow-{kebab}\""),
                format!("fn {command}("),
            ] {
                assert!(
                    !text.contains(&spelt),
                    "{} names the command {spelt}: the table is the one list",
                    shell.display()
                );
            }
        }
    }
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
