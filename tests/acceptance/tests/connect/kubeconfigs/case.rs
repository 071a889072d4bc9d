//! The tables: from text to cases.

use std::fmt;

use anyhow::{Context as _, Result, bail};

/// One kubeconfig, or several, and what is expected of it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) expected: Expected,
    /// What both must say besides.
    pub(super) says: Option<String>,
    /// `VARIABLE=VALUE`.
    pub(super) environment: Vec<(String, String)>,
    /// `--kubeconfig PATH`, else `config` unless the environment names files.
    pub(super) kubeconfig: Option<String>,
    /// `--context NAME`.
    pub(super) context: Option<String>,
    /// Path and text; empty paths are `config`.
    pub(super) files: Vec<(String, String)>,
}

/// What kubectl and we make of it.
pub(super) enum Expected {
    /// Both this.
    Same(String),
    /// kubectl the first, we the second, on purpose.
    Apart(String, String),
    /// Both the same, whatever it is.
    AsKubectl,
    /// kubectl refuses the file; we go on with the rest.
    RefusedByKubectl,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(word) => write!(f, "`{word}` of both"),
            Self::Apart(theirs, ours) => write!(f, "`{theirs}` of kubectl and `{ours}` of us"),
            Self::AsKubectl => f.write_str("the same of both"),
            Self::RefusedByKubectl => f.write_str("a refusal of kubectl"),
        }
    }
}

impl Case {
    /// The table beside this file.
    pub(super) fn here(table: &str) -> impl Iterator<Item = Result<Self>> {
        texts(table).map(|(name, text)| Self::read(name, text).context(name.to_owned()))
    }

    /// The table of the unit tests.
    pub(super) fn of_units(table: &str) -> impl Iterator<Item = Result<Self>> {
        texts(table).map(|(name, text)| {
            let (expect, file) = text.split_once("\n---\n").context(name.to_owned())?;
            let expected = match expect {
                _ if expect.starts_with("refused ") => Expected::RefusedByKubectl,
                // kubectl tries its default server then: a window that did would show somebody else's.
                "fails no context is chosen" => {
                    Expected::Apart("unreachable".to_owned(), "configuration".to_owned())
                }
                _ => Expected::AsKubectl,
            };
            Ok(Self {
                name: format!("{name} (of the unit tests)"),
                expected,
                says: None,
                environment: Vec::new(),
                kubeconfig: None,
                context: None,
                files: vec![(String::new(), whole(file))],
            })
        })
    }

    fn read(name: &str, text: &str) -> Result<Self> {
        let (head, files) = text.split_once("\n---\n").context("no files")?;
        let mut lines = head.lines();
        let line = lines.next().context("nothing is expected")?;
        let (line, says) = match line.split_once(" ~ ") {
            Some((line, says)) => (line, Some(says.to_owned())),
            None => (line, None),
        };
        let apart = line.split_once(", but ").and_then(|(theirs, rest)| {
            let (ours, _why) = rest.split_once(": ")?;
            Some(Expected::Apart(theirs.to_owned(), ours.to_owned()))
        });
        let mut case = Self {
            name: name.to_owned(),
            expected: apart.unwrap_or_else(|| Expected::Same(line.to_owned())),
            says,
            environment: Vec::new(),
            kubeconfig: None,
            context: None,
            files: Vec::new(),
        };
        for line in lines {
            if let Some(name) = line.strip_prefix("--context ") {
                case.context = Some(name.to_owned());
            } else if let Some(path) = line.strip_prefix("--kubeconfig ") {
                case.kubeconfig = Some(path.to_owned());
            } else if let Some((name, value)) = line.split_once('=') {
                case.environment.push((name.to_owned(), value.to_owned()));
            } else {
                bail!("what is `{line}`?");
            }
        }
        let files = format!("\n{files}");
        let mut parts = files.split("\n>>> ");
        let first = parts.next().unwrap_or_default();
        let first = first.strip_prefix('\n').unwrap_or(first);
        case.files.push((String::new(), whole(first)));
        for part in parts {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            case.files.push((path.to_owned(), whole(text)));
        }
        Ok(case)
    }
}

/// Name and text of each case.
fn texts(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let (_, cases) = table.split_once("\n=== ").unwrap_or_default();
    cases
        .split("\n=== ")
        .filter_map(|case| case.split_once('\n'))
}

/// The file that a text stands for.
fn whole(text: &str) -> String {
    let text = text.trim_end_matches('\n');
    if let Some((cluster, user)) = text
        .strip_prefix("cluster ")
        .and_then(|parts| parts.split_once("\nuser "))
    {
        return format!(
            "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
        );
    }
    if text.is_empty() {
        String::new()
    } else {
        format!("{text}\n")
    }
}
