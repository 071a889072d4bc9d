//! The rules themselves, one test each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use pilothouse_acceptance::root;
use serde_json::Value;

const LARGEST_FILE: usize = 800;
const LARGEST_SHELL: usize = 2_000;

#[test]
fn crates_depend_only_along_the_arrows() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("pilothouse-core", &[] as &[&str]),
        ("pilothouse-kube", &["pilothouse-core"]),
        ("pilothouse-telemetry", &["pilothouse-core"]),
        ("pilothouse-demo", &["pilothouse-core"]),
        ("pilothouse-settings", &["pilothouse-core"]),
        ("pilothouse-engine", &["pilothouse-core"]),
        ("pilothouse-api", &["pilothouse-core", "pilothouse-engine"]),
        (
            "pilothouse-connect",
            &[
                "pilothouse-api",
                "pilothouse-engine",
                "pilothouse-settings",
                "pilothouse-kube",
                "pilothouse-telemetry",
                "pilothouse-demo",
            ],
        ),
        // The demo only for what `demo` serves to others.
        (
            "pilothousectl",
            &[
                "pilothouse-api",
                "pilothouse-connect",
                "pilothouse-engine",
                "pilothouse-demo",
            ],
        ),
        (
            "pilothouse-dev",
            &["pilothouse-api", "pilothouse-connect", "pilothouse-engine"],
        ),
        (
            // The settings only for the place of the window.
            "pilothouse",
            &[
                "pilothouse-api",
                "pilothouse-connect",
                "pilothouse-engine",
                "pilothouse-settings",
            ],
        ),
        ("pilothouse-bed", &[]),
        // The product only where it is asked beside kubectl, or opens what no flag names: `tests/connect`.
        (
            "pilothouse-acceptance",
            &[
                "pilothouse-bed",
                "pilothouse-api",
                "pilothouse-connect",
                "pilothouse-engine",
                "pilothouse-kube",
            ],
        ),
    ]);
    for (name, dependencies) in dependencies_of_ours() {
        let Some(arrows) = allowed.get(name.as_str()) else {
            panic!("{name} is new: give it its arrows in this test")
        };
        for dependency in dependencies.iter().filter(|d| d.starts_with("pilothouse")) {
            assert!(
                arrows.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 6] = [
        ("tauri", &["pilothouse"]),
        ("kube", &["pilothouse-kube"]),
        ("k8s-openapi", &["pilothouse-kube"]),
        ("reqwest", &["pilothouse-telemetry"]),
        ("axum", &["pilothouse-dev"]),
        (
            "clap",
            &[
                "pilothousectl",
                "pilothouse-connect",
                "pilothouse-dev",
                "pilothouse",
            ],
        ),
    ];
    for (name, dependencies) in dependencies_of_ours() {
        for dependency in &dependencies {
            let room = rooms.iter().find(|(outside, _)| {
                dependency == outside || (*outside == "tauri" && dependency.starts_with("tauri"))
            });
            if let Some((_, homes)) = room {
                assert!(
                    homes.contains(&name.as_str()),
                    "{dependency} belongs into {homes:?}, not into {name}"
                );
            }
        }
    }
}

#[test]
fn core_is_pure() {
    let tree = cargo(&[
        "tree",
        "-p",
        "pilothouse-core",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let banned = [
        "tokio", "reqwest", "kube", "tauri", "rand", "hyper", "axum", "chrono", "jiff",
    ];
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(!banned.contains(&name), "core must not know {name}");
    }
    let forbidden = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
    ];
    for file in sources("crates/core/src", "rs") {
        let text = read(&file);
        for word in forbidden {
            assert!(
                !text.contains(word),
                "{} uses {word}: that is an argument or an adapter's business",
                file.display()
            );
        }
    }
}

#[test]
fn one_tls_stack() {
    let tree = cargo(&[
        "tree",
        "--workspace",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    for banned in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl",
        "openssl-sys",
        "native-tls",
    ] {
        let found = tree
            .lines()
            .any(|line| line.split(' ').next() == Some(banned));
        assert!(
            !found,
            "{banned} came into the tree: rustls with ring is the one TLS stack"
        );
    }
}

#[test]
fn the_desktop_shell_is_thin_and_names_no_adapter() {
    let mut lines = 0;
    for file in sources("src-tauri", "rs") {
        let text = read(&file);
        lines += text.lines().count();
        for adapter in ["pilothouse_kube", "pilothouse_telemetry", "pilothouse_demo"] {
            assert!(
                !text.contains(adapter),
                "{} uses {adapter}: that is crates/connect's business",
                file.display()
            );
        }
    }
    assert!(
        lines < LARGEST_SHELL,
        "src-tauri has {lines} lines: move decisions into the api"
    );
}

#[test]
fn no_file_written_by_hand_is_over_800_lines() {
    let generated = [
        "frontend/src/backend/bindings.ts",
        "frontend/package-lock.json",
    ];
    let listed = git(&["ls-files", "--cached", "--others", "--exclude-standard"]);
    let written = |name: &&str| {
        let ending = Path::new(name)
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        ["rs", "ts", "js", "mjs", "svelte", "css", "sh", "py", "html"].contains(&ending)
            && !generated.contains(name)
    };
    for name in listed.lines().filter(written) {
        let path = root().join(name);
        if path.is_file() {
            let lines = read(&path).lines().count();
            assert!(
                lines <= LARGEST_FILE,
                "{name} has {lines} lines: it is several rooms in one"
            );
        }
    }
}

#[test]
fn the_frontend_keeps_its_arrows() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        (
            "view",
            &["view", "state", "canvas", "model", "styles"] as &[&str],
        ),
        ("state", &["state", "backend", "model"]),
        ("canvas", &["canvas", "model"]),
        ("model", &["model"]),
        ("backend", &["backend"]),
    ]);
    let files = ["ts", "svelte"]
        .iter()
        .flat_map(|ending| sources("frontend/src", ending));
    for file in files {
        let inside = file
            .strip_prefix(root().join("frontend/src"))
            .unwrap()
            .to_owned();
        let Some(layer) = inside
            .components()
            .next()
            .and_then(|c| c.as_os_str().to_str())
        else {
            continue;
        };
        let text = read(&file);
        if layer != "backend" {
            assert!(
                !text.contains("@tauri-apps/"),
                "{}: only backend/ may import @tauri-apps",
                inside.display()
            );
        }
        assert!(
            !text.contains("{@html"),
            "{}: cluster text is never HTML",
            inside.display()
        );
        let Some(arrows) = allowed.get(layer) else {
            continue;
        };
        for target in imports(&text).filter_map(|import| layer_of(&inside, &import)) {
            // The generated types are the words of the contract: every layer may name them.
            let contract = target.1.ends_with("backend/bindings");
            let fixture = inside.to_string_lossy().ends_with(".test.ts") && target.0 == "tests";
            assert!(
                contract || fixture || arrows.contains(&target.0.as_str()),
                "{} must not import {}",
                inside.display(),
                target.1
            );
        }
    }
}

/// What each of our packages ships or is built with.
fn dependencies_of_ours() -> BTreeMap<String, BTreeSet<String>> {
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let shipped = all.filter(|d| d["kind"].as_str() != Some("dev"));
        shipped
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect()
    };
    packages()
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), of(package)))
        .collect()
}

/// Our packages as `cargo metadata` describes them.
pub(crate) fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn imports(text: &str) -> impl Iterator<Item = String> {
    let specifier = |line: &str| {
        let after = line
            .split_once(" from ")
            .map(|(_, after)| after)
            .or_else(|| line.trim_start().strip_prefix("import "))?;
        let mut parts = after.trim_start().split(['"', '\'']);
        // A specifier begins with a quote, so nothing stands before the first one.
        parts.next().filter(|before| before.is_empty())?;
        parts.next().map(str::to_owned)
    };
    text.lines()
        .filter_map(specifier)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The layer and the path (from src) that a relative import leads to.
fn layer_of(file: &Path, import: &str) -> Option<(String, String)> {
    if !import.starts_with('.') {
        return None;
    }
    let mut path: Vec<String> = file
        .parent()?
        .components()
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name.trim_end_matches(".ts").to_owned()),
        }
    }
    Some((path.first()?.clone(), path.join("/")))
}

pub(crate) fn sources(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    assert!(
        !found.is_empty(),
        "there are no .{ending} files in {folder}: the test looks in the wrong place"
    );
    found
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

fn cargo(arguments: &[&str]) -> String {
    output(Command::new(env!("CARGO")).args(arguments))
}

fn git(arguments: &[&str]) -> String {
    output(Command::new("git").args(arguments))
}

fn output(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
