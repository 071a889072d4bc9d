//! What looks like a secret that was written into the file. Told by the key's name, never by the value.

/// Words in a key's or a header's name that say that its value is one.
const TELLING: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "bearer",
    "secret",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "apikey",
];
/// Two of them that tell only together, as in `X-Api-Key`, `private_key`.
const PAIRS: [(&str, &str); 3] = [("api", "key"), ("private", "key"), ("access", "key")];

/// Whether a value under this name would be a secret: `token`, `bearer_token`, `X-Api-Key`, `clientSecret`.
pub(super) fn is_telling(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|said| said == word);
    TELLING.iter().any(|word| has(word)) || PAIRS.iter().any(|(a, b)| has(a) && has(b))
}

/// Words of `snake_case`, `kebab-case` and `camelCase` names, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts = c.is_uppercase() && was_lower;
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Whether an address carries a user or a password: `https://user:password@host`.
pub(super) fn has_credentials(address: &str) -> bool {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#', '\\']).next();
    authority.is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::{has_credentials, is_telling};

    #[test]
    fn names_of_secrets_are_known() {
        let telling = [
            "token",
            "TOKEN",
            "bearer",
            "bearer_token",
            "bearerToken",
            "Authorization",
            "password",
            "X-Api-Key",
            "api_key",
            "apikey",
            "clientSecret",
            "Set-Cookie",
            "private_key",
            "X-Auth-Token",
        ];
        for name in telling {
            assert!(is_telling(name), "{name}");
        }
        for name in [
            "tenant",
            "X-Scope-OrgID",
            "user",
            "key",
            "tokenizer",
            "address",
            "api",
            "",
        ] {
            assert!(!is_telling(name), "{name}");
        }
    }

    #[test]
    fn credentials_in_an_address_are_seen() {
        for address in ["https://u:p@h/x", "https://u@h", "http://t@h:1?x", "u:p@h"] {
            assert!(has_credentials(address), "{address}");
        }
        for address in ["https://h/a@b", "https://h?a=@", "https://h", ""] {
            assert!(!has_credentials(address), "{address}");
        }
    }
}
