//! A light look at RE2 expressions: enough to catch what proxies refuse, not a parser.
//!
//! Finds unbalanced groups and classes, repetition of nothing or too often, and what RE2 leaves out on purpose
//! (look-around, backreferences). An expression that passes may still be refused by a proxy; one that fails surely is.

use std::iter::Peekable;
use std::str::Chars;

/// Longest expression that Istio accepts.
pub(super) const MAX_LENGTH: usize = 1024;

/// Largest count of a repetition that RE2 takes.
const MAX_REPEAT: u32 = 1000;

/// What a repetition would repeat.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

/// What is wrong with an expression; `None` if nothing was found.
pub(super) fn fault(expression: &str) -> Option<&'static str> {
    let mut chars = expression.chars().peekable();
    let mut depth = 0_usize;
    let mut before = Before::Nothing;
    while let Some(c) = chars.next() {
        before = match (c, before) {
            ('\\', _) => match chars.next() {
                None => return Some("it ends with a lone backslash"),
                Some('1'..='9') => return Some("RE2 has no backreferences"),
                Some(_) => Before::Atom,
            },
            ('[', _) if !skip_class(&mut chars) => return Some("a character class is not closed"),
            ('(', _) if looks_around(&mut chars) => {
                return Some("RE2 has no look-ahead and no look-behind");
            }
            ('(', _) => {
                depth += 1;
                Before::Nothing
            }
            (')', _) if depth == 0 => return Some("a closing parenthesis has no opening one"),
            (')', _) => {
                depth -= 1;
                Before::Atom
            }
            ('{', _) => match (counted(&mut chars), before) {
                (None, _) => Before::Atom,
                (Some(_), Before::Nothing) => return Some("a repetition has nothing to repeat"),
                (Some(_), Before::Repetition) => return Some("a repetition repeats a repetition"),
                (Some(false), Before::Atom) => {
                    return Some("a repetition counts above 1000, or backwards");
                }
                (Some(true), Before::Atom) => Before::Repetition,
            },
            ('*' | '+' | '?', Before::Nothing) => {
                return Some("a repetition has nothing to repeat");
            }
            ('*' | '+', Before::Repetition) => return Some("a repetition repeats a repetition"),
            ('*' | '+' | '?', Before::Atom | Before::Repetition) => Before::Repetition,
            ('|', _) => Before::Nothing,
            _ => Before::Atom,
        };
    }
    (depth > 0).then_some("an opening parenthesis is not closed")
}

/// Reads the rest of `{n}`, `{n,}` or `{n,m}` and tells whether RE2 takes the counts; any other brace stands for itself,
/// and nothing is read.
fn counted(chars: &mut Peekable<Chars<'_>>) -> Option<bool> {
    let mut ahead = chars.clone();
    let body: String = ahead.by_ref().take_while(|&c| c != '}').collect();
    let closed = chars.clone().any(|c| c == '}');
    let (least, most) = body.split_once(',').unwrap_or((&body, &body));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !closed || least.is_empty() || !digits(least) || !digits(most) {
        return None;
    }
    *chars = ahead;
    // A number that does not even fit is too large as well.
    let count = |text: &str| text.parse().unwrap_or(u32::MAX);
    let most = if most.is_empty() {
        MAX_REPEAT
    } else {
        count(most)
    };
    Some(count(least) <= most && most <= MAX_REPEAT)
}

/// Reads on to the end of a class; false if there is none.
fn skip_class(chars: &mut Peekable<Chars<'_>>) -> bool {
    let _negated = chars.next_if_eq(&'^').is_some();
    // A bracket in the first place is a character like any other.
    let _literal = chars.next_if_eq(&']').is_some();
    while let Some(c) = chars.next() {
        match c {
            ']' => return true,
            '\\' if chars.next().is_none() => return false,
            '[' if chars.next_if_eq(&':').is_some() => {
                let _name = chars.by_ref().find(|&c| c == ']');
            }
            _ => {}
        }
    }
    false
}

/// Reads the head of a group; true if it looks around.
fn looks_around(chars: &mut Peekable<Chars<'_>>) -> bool {
    if chars.next_if_eq(&'?').is_none() {
        return false;
    }
    match chars.next() {
        Some('=' | '!') => true,
        Some('<') => matches!(chars.peek(), Some('=' | '!')),
        // Flags and names are followed by something that reads as an atom; that is close enough here.
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_proxies_take_passes() {
        for expression in [
            "",
            "test",
            "^(.*?;)?(user=jason)(;.*)?$",
            "[]a]+",
            "[^]]",
            "[[:alpha:]]*",
            "a{2,3}",
            "a{1000}",
            "a{2,}?",
            "a{,3}",
            "{a}",
            "a{",
            "/{id}/x",
            r"\d+\.\d+",
            "(?i)abc",
            "(?:a|b)+?",
            "(?P<name>x)",
            "a|b|",
            r"\[",
            r"[\]]",
        ] {
            assert_eq!(fault(expression), None, "{expression}");
        }
    }

    #[test]
    fn what_proxies_refuse_is_found() {
        for expression in [
            "?",
            "*a",
            "a|*",
            "(+)",
            "a**",
            "(",
            "(a",
            "a)",
            "[a",
            "[",
            r"a\",
            r"(a)\1",
            "(?=a)",
            "(?!a)b",
            "(?<=a)b",
            "(?<!a)b",
            r"[\",
            "a{1001}",
            "a{1,1001}",
            "a{1001,}",
            "a{3,2}",
            "a{99999999999}",
            "{2}",
            "a*{2}",
            "a{2}*",
        ] {
            assert!(fault(expression).is_some(), "{expression}");
        }
    }
}
