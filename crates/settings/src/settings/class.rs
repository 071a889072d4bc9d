//! Classes of contexts: production, staging, and whatever else a team tells apart by colour and by how hard it is to write.

use std::path::Path;

use super::colour::Colour;

/// A class of contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextClass {
    /// Its name, shown beside the context's.
    pub name: String,
    /// Words of the context's name, any of which makes it one of the class; a number at a word's end does not count.
    pub words: Vec<String>,
    /// Patterns (`*`, `?`) over the whole name, host or file path; case does not count.
    pub patterns: Vec<String>,
    /// Of frame and chip; `None` is the plain one.
    pub colour: Option<Colour>,
    /// What it takes to allow writes.
    pub confirm: Confirm,
}

/// What it takes to allow writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// A click.
    Click,
    /// Typing the context's name.
    Name,
}

impl Confirm {
    /// The word in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Name => "name",
        }
    }
}

/// What patterns look at.
#[derive(Clone, Copy, Debug)]
pub struct ContextFacts<'a> {
    /// The context's name.
    pub name: &'a str,
    /// Host of its API server, without scheme and port; `None` if no cluster is defined.
    pub host: Option<&'a str>,
    /// Its kubeconfig.
    pub file: Option<&'a Path>,
}

impl ContextClass {
    /// Whether a context is of this class by its looks.
    #[must_use]
    pub fn matches(&self, facts: &ContextFacts<'_>) -> bool {
        let said = facts.name.split(|c: char| !c.is_ascii_alphanumeric());
        let bare = said.map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
        let mut bare = bare.filter(|word| !word.is_empty());
        if bare.any(|word| {
            self.words
                .iter()
                .any(|known| known.eq_ignore_ascii_case(word))
        }) {
            return true;
        }
        let file = facts.file.map(Path::to_string_lossy);
        let looked_at = [Some(facts.name), facts.host, file.as_deref()];
        let hit = |text: &str| self.patterns.iter().any(|pattern| is_match(pattern, text));
        looked_at.into_iter().flatten().any(hit)
    }
}

/// The classes that hold where the settings do not say otherwise. The demo mesh is given its class, no context looks so.
pub(super) fn built_in() -> Vec<ContextClass> {
    let class =
        |name: &str, words: &[&str], patterns: &[&str], colour: &str, confirm| ContextClass {
            name: name.to_owned(),
            words: words.iter().copied().map(str::to_owned).collect(),
            patterns: patterns.iter().copied().map(str::to_owned).collect(),
            colour: Colour::new(colour),
            confirm,
        };
    let local = [
        "kind-*",
        "k3d-*",
        "minikube",
        "docker-desktop",
        "rancher-desktop",
        "colima*",
    ];
    vec![
        class(
            "production",
            &["prod", "prd", "production", "live"],
            &[],
            "amber",
            Confirm::Name,
        ),
        class(
            "staging",
            &["stg", "stage", "staging"],
            &[],
            "violet",
            Confirm::Click,
        ),
        class(
            "development",
            &["dev", "development"],
            &local,
            "green",
            Confirm::Click,
        ),
        class("demo", &[], &[], "pink", Confirm::Click),
    ]
}

/// Whether the pattern matches the whole text: `*` any text, `?` one character, case does not count. Linear in the text
/// times the pattern at worst: after a mismatch only the last star gives way.
fn is_match(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == c => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::{ContextFacts, built_in, is_match};

    fn class_of(name: &str, host: Option<&str>) -> Option<String> {
        let file = Some(Path::new("/home/ann/.kube/config"));
        let facts = ContextFacts { name, host, file };
        let class = built_in().into_iter().find(|class| class.matches(&facts))?;
        Some(class.name)
    }

    #[test]
    fn contexts_have_the_class_that_their_name_says() {
        let cases = [
            ("prod", Some("production")),
            ("PROD-eu", Some("production")),
            ("eu_prod2", Some("production")),
            ("prd.west", Some("production")),
            ("shop/live", Some("production")),
            ("pre-prod", Some("production")),
            ("arn:aws:eks:eu:1:cluster/production", Some("production")),
            ("product", None),
            ("delivery", None),
            ("2prod", None),
            ("stg-eu", Some("staging")),
            ("staging", Some("staging")),
            ("team-dev3", Some("development")),
            ("kind-kind", Some("development")),
            ("minikube", Some("development")),
            ("docker-desktop", Some("development")),
            ("demo", None),
            ("", None),
            ("1", None),
        ];
        for (name, expect) in cases {
            assert_eq!(class_of(name, None).as_deref(), expect, "{name}");
        }
        // Words are looked for in the name alone: a host named prod says little about a context named otherwise.
        assert_eq!(class_of("shop", Some("prod.example")), None);
    }

    #[test]
    fn patterns_match_whole_texts() {
        let cases = [
            ("*prod*", "eu-prod-1", true),
            ("prod", "prod-1", false),
            ("*.PROD.example", "api.prod.example", true),
            ("k?nd-*", "kind-", true),
            ("*a*b*c", "xxaxxbxxbc", true),
            ("*a*b*c", "xxaxxbxxcb", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("ü*", "Übung", true),
        ];
        for (pattern, text, expect) in cases {
            assert_eq!(is_match(pattern, text), expect, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_parts_put_out_matches_itself(parts in prop::collection::vec("[a-c]{0,3}", 1..5)) {
            prop_assert!(is_match(&parts.join("*"), &parts.concat()));
            prop_assert!(is_match(&parts.join("*"), &parts.join("xyz")));
        }
    }
}
