//! Reads one kubeconfig file. Messages name the line and never quote a value: values are secrets.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::node::{self, Broken};
use super::wire::{self, Entries};

/// No kubeconfig is near this; a larger file is not one.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// One file that is there.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// None if the file cannot be read at all.
    pub(crate) entries: Entries,
    /// Why nothing of it can be used.
    pub(crate) problem: Option<Broken>,
}

/// The file's content; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Option<ConfigFile> {
    let read = match bytes(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => Err(whole(format!("it cannot be read: {error}"))),
        Ok(bytes) => text(bytes).and_then(|text| {
            let document = node::first_document(&text)?;
            wire::entries(&document, &folder(path))
        }),
    };
    let (entries, problem) = match read {
        Ok(entries) => (entries, None),
        Err(broken) => (Entries::default(), Some(broken)),
    };
    Some(ConfigFile {
        path: path.to_owned(),
        entries,
        problem,
    })
}

/// The content of a file that is not too large to be a configuration.
pub(crate) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// The text of a file: UTF-8, or UTF-16 that says so, which shells on Windows write.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, Broken> {
    let wide = |from: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| from(*pair)).collect();
        String::from_utf16(&units).ok()
    };
    let text = match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| whole("it is no text in UTF-8".to_owned()))
}

/// The folder that relative paths of a file start from.
fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::path::absolute(folder)
        .or_else(|_| std::path::absolute("."))
        .unwrap_or_else(|_| folder.to_owned())
}

const fn whole(message: String) -> Broken {
    Broken {
        message,
        line: None,
    }
}

/// The parser's words with everything in quotes or backquotes left out, and in one line.
pub(super) fn without_values(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text.lines().next().unwrap_or_default();
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        kept.push_str(before);
        kept.push('…');
        let mark = if quoted.starts_with('"') { '"' } else { '`' };
        rest = quoted.splitn(3, mark).nth(2).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out() {
        let cases = [
            (
                "found \"s3cret\", expected a key",
                "found …, expected a key",
            ),
            ("integer `12345` here\n  | token: 12345", "integer … here"),
            ("unclosed \"s3cret", "unclosed …"),
            ("plain", "plain"),
        ];
        for (text, kept) in cases {
            assert_eq!(without_values(text), kept);
        }
    }

    #[test]
    fn utf_16_is_read_where_it_says_so() {
        let wide: Vec<u8> = "\u{feff}a: b"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(text(wide).unwrap(), "\u{feff}a: b");
        assert!(text(vec![0xff, 0x00]).is_err());
    }
}
