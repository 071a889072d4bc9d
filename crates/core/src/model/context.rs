//! The name of a context of the kubeconfig, and ids that hold one.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Name of a context: any text but none, as the kubeconfig has it (`arn:aws:eks:eu-west-1:123:cluster/x`, `user@host/ns`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContextName(String);

/// A context without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the name of a context is empty")]
pub struct NoContextName;

impl ContextName {
    /// The name as it is written in the kubeconfig.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of something in this context, as text: the name, a `/`, and the id that is unique inside of the context. In
    /// the name, `%` and `/` are written as `%25` and `%2F`, so that the first `/` ends it whatever the id holds.
    #[must_use]
    pub fn qualify(&self, id: &str) -> String {
        let name = self.0.replace('%', "%25").replace('/', "%2F");
        format!("{name}/{id}")
    }

    /// The context and the inner id of a text that [`ContextName::qualify`] wrote; `None` if it wrote no such text.
    #[must_use]
    pub fn split(qualified: &str) -> Option<(Self, &str)> {
        let (name, id) = qualified.split_once('/')?;
        let context = Self::try_from(name.replace("%2F", "/").replace("%25", "%")).ok()?;
        let is_ours = context.qualify(id) == qualified;
        is_ours.then_some((context, id))
    }
}

impl TryFrom<String> for ContextName {
    type Error = NoContextName;

    fn try_from(name: String) -> Result<Self, NoContextName> {
        if name.is_empty() {
            Err(NoContextName)
        } else {
            Ok(Self(name))
        }
    }
}

impl From<ContextName> for String {
    fn from(name: ContextName) -> Self {
        name.0
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn context(name: &str) -> ContextName {
        ContextName::try_from(name.to_owned()).unwrap()
    }

    #[test]
    fn ids_hold_their_context() {
        let split = "VirtualService/shop/reviews#http/0";
        let cases = [
            ("kind-east", "kind-east/VirtualService/shop/reviews#http/0"),
            (
                "user@host/ns",
                "user@host%2Fns/VirtualService/shop/reviews#http/0",
            ),
            (
                "100%2F/ü x",
                "100%252F%2Fü x/VirtualService/shop/reviews#http/0",
            ),
        ];
        for (name, text) in cases {
            assert_eq!(context(name).qualify(split), text);
            assert_eq!(ContextName::split(text), Some((context(name), split)));
        }
    }

    #[test]
    fn what_nobody_wrote_is_no_id() {
        for text in ["", "/x", "x", "a%zz/x", "a%/x", "a%2f/x"] {
            assert_eq!(ContextName::split(text), None, "{text}");
        }
        assert_eq!(ContextName::try_from(String::new()), Err(NoContextName));
        assert!(serde_json::from_str::<ContextName>("\"\"").is_err());
        let name: ContextName = serde_json::from_str("\"a/b\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"a/b\"");
    }

    proptest! {
        #[test]
        fn whatever_the_names(name in "[a%/2F5@: ]{1,8}", id in "[a%/2F5@: ]{0,8}") {
            let text = context(&name).qualify(&id);
            prop_assert_eq!(ContextName::split(&text), Some((context(&name), id.as_str())));
        }
    }
}
