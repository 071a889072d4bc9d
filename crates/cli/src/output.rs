//! Tables, JSON and text on stdout. Control characters of cluster text are shown, never sent to the terminal.

use std::io::Write as _;

use serde::Serialize;

use crate::failure::Failure;

/// Writes a value as indented JSON and a line break.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    // JSON itself leaves DEL and the C1 characters as they are, and some terminals obey them.
    let json_escape = |c: char| format!("\\u{:04x}", u32::from(c));
    let mut out = std::io::stdout().lock();
    out.write_all(escape(&text, "\n", json_escape).as_bytes())?;
    writeln!(out)?;
    Ok(())
}

/// Writes text of several lines.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(lines(text).as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        writeln!(out)?;
    }
    Ok(())
}

/// Writes columns under their heads, each as wide as its widest cell.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
    let clean: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| visible(cell)).collect())
        .collect();
    for row in &clean {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = std::io::stdout().lock();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    for row in std::iter::once(&heads).chain(&clean) {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Text of several lines that steers no terminal.
pub(crate) fn lines(text: &str) -> String {
    escape(text, "\n\t", |c| c.escape_default().to_string())
}

fn visible(cell: &str) -> String {
    escape(cell, "", |c| c.escape_default().to_string())
}

fn escape(text: &str, keep: &str, write: impl Fn(char) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !keep.contains(c) {
            escaped.push_str(&write(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}
