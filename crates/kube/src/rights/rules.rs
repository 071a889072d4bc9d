//! The rules of a namespace, as the server lists them.

use serde::Deserialize;

use super::{AccessRule, Verdict};

/// Status of a `SelfSubjectRulesReview`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRules {
    #[serde(default)]
    resource_rules: Option<Vec<WireRule>>,
    /// An authorizer that cannot list its rules (a webhook) may allow more than is listed. Missing is not "complete".
    #[serde(default = "yes")]
    incomplete: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireRule {
    verbs: Option<Vec<String>>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    resource_names: Option<Vec<String>>,
}

const fn yes() -> bool {
    true
}

impl WireRules {
    /// What the rules say; `None` if they do not settle it.
    pub(super) fn verdict(&self, rule: &AccessRule) -> Option<Verdict> {
        let mut rules = self.resource_rules.iter().flatten();
        if rules.any(|listed| listed.allows(rule)) {
            return Some(Verdict::Allowed);
        }
        (!self.incomplete).then_some(Verdict::Denied)
    }
}

impl WireRule {
    fn allows(&self, rule: &AccessRule) -> bool {
        let names = self.resource_names.as_deref().unwrap_or_default();
        has(self.verbs.as_deref(), |verb| {
            verb == "*" || verb == rule.verb
        }) && has(self.api_groups.as_deref(), |group| {
            group == "*" || group == rule.group
        }) && has(self.resources.as_deref(), |resource| {
            fits(resource, &rule.resource)
        }) && (names.is_empty() || (!rule.name.is_empty() && names.contains(&rule.name)))
    }
}

fn has(list: Option<&[String]>, is_it: impl Fn(&str) -> bool) -> bool {
    list.unwrap_or_default().iter().any(|item| is_it(item))
}

/// `*` is everything, `*/scale` the subresource of everything; `pods` is not `pods/log`.
fn fits(listed: &str, resource: &str) -> bool {
    let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
    listed == "*"
        || listed == resource
        || (subresource.is_some() && listed.strip_prefix("*/") == subresource)
}
