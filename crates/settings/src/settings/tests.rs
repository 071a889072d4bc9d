mod edits;
mod laws;
mod page;
mod reads;

use std::path::{Path, PathBuf};

use crate::{Folders, Problem, ProblemKind, Settings};

fn parse(text: &str) -> (Settings, Vec<Problem>) {
    let folders = Folders::under("/p");
    Settings::parse(
        text,
        Path::new("/p/config/settings.toml"),
        folders.environment(),
    )
}

/// Kind, key and line of each problem.
fn told(problems: &[Problem]) -> Vec<(ProblemKind, &str, usize)> {
    let line = |problem: &Problem| problem.place.map_or(0, |place| place.line);
    problems
        .iter()
        .map(|p| (p.kind, p.key.as_str(), line(p)))
        .collect()
}

/// A home with this text as its settings.
fn home_with(text: &str) -> (tempfile::TempDir, Folders, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::under(home.path());
    let file = folders.settings_file().unwrap();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    (home, folders, file)
}
