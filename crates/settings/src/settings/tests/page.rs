//! `docs/SETTINGS.md` and the table of keys say the same.

use std::path::{Path, PathBuf};

use super::parse;
use crate::{KEYS, Settings};

fn page() -> String {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SETTINGS.md");
    std::fs::read_to_string(file).unwrap()
}

fn rows() -> Vec<String> {
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |key: &crate::Key| {
        let default = match key.default {
            "" => "-".to_owned(),
            default => format!("`{default}`"),
        };
        let takes = cell(&key.takes.to_string());
        format!(
            "| `{}` | {takes} | {default} | {} |",
            key.path,
            cell(key.meaning)
        )
    };
    KEYS.iter().map(row).collect()
}

#[test]
fn the_page_lists_every_key_as_the_code_has_it() {
    let page = page();
    let listed: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let rows = rows();
    assert_eq!(
        listed,
        rows,
        "the table of docs/SETTINGS.md should read:\n{}\n",
        rows.join("\n")
    );
}

#[test]
fn the_example_of_the_page_is_read_without_a_word() {
    let page = page();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let (settings, problems) = parse(example);
    assert_eq!(problems, []);
    assert_ne!(settings, Settings::default());
}

#[test]
fn every_default_of_the_page_is_the_one_that_holds() {
    let of = |prefix: &str| {
        let keys = KEYS
            .iter()
            .filter(|key| key.path.starts_with(prefix) && !key.default.is_empty());
        keys.map(|key| format!("{} = {}\n", key.path, key.default))
            .collect::<String>()
    };
    let (settings, problems) = parse(
        &["appearance", "refresh", "health", "kubeconfig"]
            .map(of)
            .concat(),
    );
    assert_eq!(problems, []);
    assert_eq!(settings, Settings::default());
    let with = format!("{}class.name = \"x\"\n", of("class"));
    assert_eq!(
        parse(&with).0.classes,
        parse("class.name = \"x\"\n").0.classes
    );
    let service = "context.NAME.metrics.service = \"n/s:1\"\n";
    for key in ["base_path", "https"] {
        let with = format!("{service}{}", of(&format!("context.NAME.metrics.{key}")));
        assert_eq!(parse(&with), parse(service), "{key}");
    }
}

#[test]
fn every_key_of_the_table_is_read() {
    // A value of a wrong type is complained about by whoever reads the key, and by nobody else.
    for key in KEYS {
        let prefix = if key.path == "class.name" {
            ""
        } else {
            "class.name = \"x\"\n"
        };
        let (_, problems) = parse(&format!("{prefix}{} = 1979-05-27\n", key.path));
        assert!(
            problems
                .iter()
                .any(|problem| problem.key.ends_with(key.path)),
            "nobody reads {}: {problems:?}",
            key.path
        );
    }
}
