//! Reads one kubeconfig file. Messages name the file and the position and never quote a value: values are secrets.

use std::io;
use std::path::Path;

use kube::config::{Kubeconfig, KubeconfigError};
use pilothouse_core::model::{SourceError, SourceErrorKind};

use crate::failure::failed;

/// No kubeconfig is near this; a larger file is not one.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The file's content with relative paths made relative to the file; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Kubeconfig>, SourceError> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    if size > MAX_FILE_BYTES {
        return Err(unreadable(path, "it is larger than 16 MiB"));
    }
    match Kubeconfig::read_from(path) {
        Ok(config) => Ok(Some(config)),
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(KubeconfigError::ReadConfig(error, _)) => Err(unreadable(path, &error.to_string())),
        Err(KubeconfigError::Parse(error)) => {
            let position = error.location().map_or_else(String::new, |at| {
                format!("line {}, column {}: ", at.line(), at.column())
            });
            let problem = without_values(&error.without_snippet().to_string());
            Err(unreadable(path, &format!("{position}{problem}")))
        }
        Err(error) => Err(unreadable(path, &error.to_string())),
    }
}

fn unreadable(path: &Path, why: &str) -> SourceError {
    let message = format!("cannot read the kubeconfig file {}: {why}", path.display());
    failed(SourceErrorKind::BadConfiguration, message)
        .with_hint("correct the file; `kubectl config view` reads it the same way")
}

/// The parser's words with everything in quotes or backquotes left out, names of fields excepted, and in one line.
fn without_values(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text.lines().next().unwrap_or_default();
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        kept.push_str(before);
        let mark = if quoted.starts_with('"') { '"' } else { '`' };
        let mut parts = quoted.splitn(3, mark);
        let (_, inside, after) = (parts.next(), parts.next(), parts.next());
        if before.trim_end().ends_with("field") {
            kept.push_str(inside.unwrap_or_default());
        } else {
            kept.push('…');
        }
        rest = after.unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out_and_field_names_stay() {
        let cases = [
            (
                "invalid type: string \"s3cret\", expected a sequence",
                "invalid type: string …, expected a sequence",
            ),
            ("missing field `name`", "missing field name"),
            (
                "invalid type: integer `12345`, expected a string\n  | token: 12345",
                "invalid type: integer …, expected a string",
            ),
            ("unclosed \"s3cret", "unclosed …"),
            ("plain", "plain"),
        ];
        for (text, kept) in cases {
            assert_eq!(without_values(text), kept);
        }
    }
}
