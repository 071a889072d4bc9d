//! What a plugin says on stderr when it fails, without what looks like a secret.

/// How much of it goes into a message.
const MAX_WORDS: usize = 400;

/// A word of letters and digits that is at least this long is taken for a secret.
const MIN_SECRET: usize = 32;

/// The end of what was written, in one line.
pub(super) fn last_words(stderr: &[u8]) -> String {
    let text = printable(&String::from_utf8_lossy(stderr));
    let mut line = String::new();
    let mut is_announced = false;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        let (shown, announces) = shown(word, is_announced);
        line.push_str(&shown);
        is_announced = announces;
    }
    let skip = line.chars().count().saturating_sub(MAX_WORDS);
    let tail: String = line.chars().skip(skip).collect();
    if tail.is_empty() {
        "it said nothing".to_owned()
    } else {
        tail
    }
}

/// A text that does nothing to a terminal: control characters are named, as kubectl names them in an install hint.
pub(crate) fn printable(text: &str) -> String {
    let mut printed = String::new();
    for char in text.chars() {
        if char.is_control() && !matches!(char, '\t'..='\r') {
            printed.push_str(&format!("U+{:04X}", u32::from(char)));
        } else {
            printed.push(char);
        }
    }
    printed
}

/// A word as it may be shown, and whether it announces that a secret comes next.
fn shown(word: &str, is_announced: bool) -> (String, bool) {
    let lower = word.to_ascii_lowercase();
    let names_secret = [
        "token",
        "password",
        "secret",
        "bearer",
        "authorization",
        "key",
    ]
    .iter()
    .any(|name| lower.contains(name));
    if let Some((name, value)) = word.split_once(['=', ':'])
        && names_secret
        && !value.is_empty()
        && !value.starts_with("//")
    {
        return (format!("{name}=…"), false);
    }
    let announces = lower.starts_with("bearer")
        || (names_secret && (word.ends_with([':', '=']) || word.starts_with("--")));
    if announces {
        return (word.to_owned(), true);
    }
    if is_announced || looks_secret(word) {
        return ("…".to_owned(), false);
    }
    (word.to_owned(), false)
}

/// A long run of the letters that tokens are made of. Paths and addresses have other parts.
fn looks_secret(word: &str) -> bool {
    let is_path = word.contains('/') && !word.contains("==");
    let longest = word
        .split(|char: char| {
            !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '+' | '='))
        })
        .map(str::len)
        .max()
        .unwrap_or(0);
    longest >= MIN_SECRET || (!is_path && word.starts_with("eyJ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_a_plugin_said_is_kept() {
        assert_eq!(last_words(b" one\n  two\n"), "one two");
        assert_eq!(last_words(b""), "it said nothing");
        assert_eq!(last_words(b"\x1b[31mno\x07"), "U+001B[31mnoU+0007");
        let long = "x ".repeat(MAX_WORDS) + "end";
        assert_eq!(last_words(long.as_bytes()).chars().count(), MAX_WORDS);
        assert!(last_words(long.as_bytes()).ends_with("end"));
    }

    #[test]
    fn what_looks_like_a_secret_is_left_out_and_the_rest_stays() {
        let token = "k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20vP0";
        let cases = [
            (format!("refused {token}"), "refused …"),
            ("got eyJhbGciOi.eyJzdWIiOi.c2ln".to_owned(), "got …"),
            (
                "Authorization: Bearer abc".to_owned(),
                "Authorization: Bearer …",
            ),
            ("token=abc failed".to_owned(), "token=… failed"),
            (
                "password: hunter2 is wrong".to_owned(),
                "password: … is wrong",
            ),
            (
                "cannot open /home/me/.aws/sso/cache".to_owned(),
                "cannot open /home/me/.aws/sso/cache",
            ),
            (
                "SSO session has expired, run aws sso login".to_owned(),
                "SSO session has expired, run aws sso login",
            ),
            ("the token has expired".to_owned(), "the token has expired"),
        ];
        for (said, kept) in cases {
            assert_eq!(last_words(said.as_bytes()), kept);
        }
    }
}
