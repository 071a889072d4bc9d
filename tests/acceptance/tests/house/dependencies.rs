//! What we depend on: each dependency is used, each has its line in docs/DEPENDENCIES.md, and no line is left over.

use std::collections::BTreeSet;

use pilothouse_acceptance::root;
use serde_json::Value;

use crate::rules::{packages, read, sources};

/// Used by name nowhere, with the reason in the manifest: kube needs one Kubernetes version chosen on it.
const NAMELESS: [&str; 1] = ["k8s-openapi"];

#[test]
fn every_dependency_has_its_line_and_every_line_its_dependency() {
    let page = read(&root().join("docs/DEPENDENCIES.md"));
    let listed: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let mut ours: BTreeSet<String> = packages().iter().flat_map(dependencies).collect();
    ours.retain(|name| !name.starts_with("pilothouse"));
    let package: Value =
        serde_json::from_str(&read(&root().join("frontend/package.json"))).unwrap();
    for group in ["dependencies", "devDependencies"] {
        let names = package[group].as_object().into_iter().flatten();
        ours.extend(names.map(|(name, _)| name.clone()));
    }
    let missing: Vec<_> = ours.difference(&listed).collect();
    let left_over: Vec<_> = listed.difference(&ours).collect();
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "docs/DEPENDENCIES.md has no line for {missing:?}; nobody depends on {left_over:?}"
    );
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    for package in packages() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let home = manifest.strip_suffix("/Cargo.toml").unwrap();
        let root = root().canonicalize().unwrap();
        let home = home.strip_prefix(root.to_str().unwrap()).unwrap();
        // The app's manifest is that of the workspace, too.
        let home = home.strip_prefix('/').unwrap_or("src-tauri");
        let texts: Vec<String> = sources(home, "rs").iter().map(|file| read(file)).collect();
        for name in dependencies(&package) {
            let path = format!("{}::", name.replace('-', "_"));
            let is_named = |text: &String| {
                let mut found = text.match_indices(&path);
                let before = |at: usize| text.get(..at)?.chars().next_back();
                found.any(|(at, _)| !before(at).is_some_and(|c| c.is_alphanumeric() || c == '_'))
            };
            if !NAMELESS.contains(&name.as_str()) && !texts.iter().any(is_named) {
                unused.push(format!("{name} in {home}"));
            }
        }
    }
    assert!(unused.is_empty(), "no source names {unused:?}");
}

#[test]
fn the_table_of_versions_names_only_what_somebody_uses() {
    let manifest = read(&root().join("Cargo.toml"));
    let (_, table) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let table = table.lines().take_while(|line| !line.starts_with('['));
    let listed: BTreeSet<&str> = table
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .filter(|name| !name.starts_with('#'))
        .collect();
    let ours: BTreeSet<String> = packages().iter().flat_map(dependencies).collect();
    let left_over: Vec<_> = listed
        .iter()
        .filter(|name| !ours.contains(**name))
        .collect();
    assert!(
        listed.len() > 30 && left_over.is_empty(),
        "nobody uses {left_over:?}"
    );
}

fn dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.map(|d| d["name"].as_str().unwrap().to_owned())
        .collect()
}
