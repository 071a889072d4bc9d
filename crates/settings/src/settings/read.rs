//! Text to [`Settings`]. Each value is taken or named as a problem by itself; the whole is given up only where it is no
//! TOML. Types and ranges are those of [`KEYS`](super::KEYS).

mod reader;
mod secrets;
mod source;

use std::path::Path;

use toml_edit::{Document, Item};

use super::class::{Confirm, ContextClass};
use super::context::ContextSettings;
use super::{Settings, Theme};
use crate::folders::Environment;
use crate::problem::{Place, Problem, ProblemKind};
use reader::{Reader, Section};

pub(super) fn read(text: &str, file: &Path, environment: &Environment) -> (Settings, Vec<Problem>) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            // Only the parser's own words: its display quotes the line, which may hold a secret.
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let message = format!("not TOML: {message}; the defaults hold and nothing is written");
            let place = error.span().map(|span| Place::in_text(text, span.start));
            let problem = Problem::new(ProblemKind::Broken, file, message).at(place);
            return (Settings::default(), vec![problem]);
        }
    };
    let mut reader = Reader::new(text, file, environment);
    let mut settings = Settings::default();
    let root = Section::root(document.as_table());
    reader.name_unknown_keys(&root);
    appearance(&mut reader, &root, &mut settings);
    refresh(&mut reader, &root, &mut settings);
    health(&mut reader, &root, &mut settings);
    if let Some(section) = reader.section(&root, "kubeconfig") {
        settings.kubeconfig_files = reader.paths(&section, "files").unwrap_or_default();
    }
    settings.classes = classes(&mut reader, &root);
    settings.contexts = contexts(&mut reader, &root, &settings.classes);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place);
    (settings, problems)
}

fn appearance(reader: &mut Reader<'_>, root: &Section<'_>, settings: &mut Settings) {
    let Some(section) = reader.section(root, "appearance") else {
        return;
    };
    let theme = reader.choice(&section, "theme");
    settings.theme = theme.and_then(Theme::of_word).unwrap_or(settings.theme);
    settings.zoom = reader.number(&section, "zoom").unwrap_or(settings.zoom);
}

fn refresh(reader: &mut Reader<'_>, root: &Section<'_>, settings: &mut Settings) {
    let Some(section) = reader.section(root, "refresh") else {
        return;
    };
    let mut seconds = |name| u32::try_from(reader.whole(&section, name)?).ok();
    settings.tick_s = seconds("tick_s").unwrap_or(settings.tick_s);
    settings.window_s = seconds("window_s").unwrap_or(settings.window_s);
}

fn health(reader: &mut Reader<'_>, root: &Section<'_>, settings: &mut Settings) {
    let Some(section) = reader.section(root, "health") else {
        return;
    };
    let mut thresholds = settings.thresholds;
    if let Some(ratio) = reader.number(&section, "error_degraded") {
        thresholds.degraded = ratio;
    }
    if let Some(ratio) = reader.number(&section, "error_failing") {
        thresholds.failing = ratio;
    }
    if thresholds.degraded <= thresholds.failing {
        settings.thresholds = thresholds;
    } else {
        let message = format!(
            "degraded from {} and failing above {}: the second must not be smaller, so the defaults hold",
            thresholds.degraded, thresholds.failing
        );
        let name = if section.item("error_failing").is_some() {
            "error_failing"
        } else {
            "error_degraded"
        };
        reader.not_allowed(&section, name, message);
    }
    let degraded = reader.number(&section, "latency_degraded_ms");
    let failing = reader.number(&section, "latency_failing_ms");
    match (degraded, failing) {
        (Some(degraded), Some(failing)) if degraded > failing => {
            let message = format!(
                "degraded from {degraded} ms and failing above {failing} ms: the second must not be smaller, so latency \
                 is not judged"
            );
            reader.not_allowed(&section, "latency_failing_ms", message);
        }
        _ => {
            settings.thresholds.latency_degraded_ms = degraded;
            settings.thresholds.latency_failing_ms = failing;
        }
    }
}

/// The person's classes first, then the built-in ones that were not redefined. What a redefinition leaves out stays.
fn classes(reader: &mut Reader<'_>, root: &Section<'_>) -> Vec<ContextClass> {
    let built_in = super::class::built_in();
    let mut all: Vec<ContextClass> = Vec::new();
    for section in reader.sections(root, "class") {
        let Some(name) = reader.text(&section, "name") else {
            if section.item("name").is_none() {
                reader.missing(&section, "name");
            }
            continue;
        };
        if all.iter().any(|class| class.name == name) {
            reader.not_allowed(
                &section,
                "name",
                "an earlier class has this name, so this one does not count",
            );
            continue;
        }
        let known = built_in.iter().find(|class| class.name == name);
        let confirm = reader.choice(&section, "confirm");
        let confirm = match confirm.and_then(confirm_of_word) {
            Some(confirm) => confirm,
            None => match known {
                Some(class) => class.confirm,
                // Said, but not understood: better one question too many.
                None if section.item("confirm").is_some() => Confirm::Name,
                None => Confirm::Click,
            },
        };
        let words = reader.texts(&section, "words");
        let patterns = reader.texts(&section, "patterns");
        let colour = reader.colour(&section, "colour");
        all.push(ContextClass {
            words: words
                .or_else(|| known.map(|c| c.words.clone()))
                .unwrap_or_default(),
            patterns: patterns
                .or_else(|| known.map(|c| c.patterns.clone()))
                .unwrap_or_default(),
            colour: colour.or_else(|| known.and_then(|c| c.colour.clone())),
            confirm,
            name,
        });
    }
    for class in built_in {
        if all.iter().all(|own| own.name != class.name) {
            all.push(class);
        }
    }
    all
}

fn confirm_of_word(word: &str) -> Option<Confirm> {
    [Confirm::Click, Confirm::Name]
        .into_iter()
        .find(|confirm| confirm.as_str() == word)
}

fn contexts(
    reader: &mut Reader<'_>,
    root: &Section<'_>,
    classes: &[ContextClass],
) -> Vec<ContextSettings> {
    let Some(all) = reader.section(root, "context") else {
        return Vec::new();
    };
    let mut contexts = Vec::new();
    let names: Vec<String> = all.table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(section) = reader.named_section(&all, &name) else {
            continue;
        };
        let class = reader.text(&section, "class").filter(|class| {
            let is_there = classes.iter().any(|known| known.name == *class);
            if !is_there {
                let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
                let message = format!("there is no class `{class}`, only {}", known.join(", "));
                reader.not_allowed(&section, "class", message);
            }
            is_there
        });
        let metrics = match section.item("metrics") {
            Some(Item::None) | None => None,
            Some(_) => reader
                .section(&section, "metrics")
                .map(|s| source::read(reader, &s)),
        };
        let traces = reader.sections(&section, "traces");
        contexts.push(ContextSettings {
            file: reader.path(&section, "file"),
            class,
            colour: reader.colour(&section, "colour"),
            namespaces: reader.texts(&section, "namespaces"),
            metrics,
            traces: traces.iter().map(|s| source::read(reader, s)).collect(),
            name: expand(reader, &name),
        });
    }
    contexts
}

/// `~/` at the start of a `FILE/NAME` is the home directory, as in a path.
fn expand(reader: &Reader<'_>, name: &str) -> String {
    if name.starts_with("~/") {
        reader.resolve(name).display().to_string()
    } else {
        name.to_owned()
    }
}
