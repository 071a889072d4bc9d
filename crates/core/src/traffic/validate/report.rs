//! Collects findings, and reads fields with the complaint about a wrong type built in.

use serde_json::Value;

use crate::model::{Finding, Severity};

/// A value of a document and where it stands.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
}

impl<'a> At<'a> {
    pub(super) fn root(doc: &'a Value) -> Self {
        Self {
            value: doc,
            path: String::new(),
        }
    }

    /// A field that is not there, to point at.
    pub(super) fn absent(&self, key: &str) -> Self {
        At {
            value: &Value::Null,
            path: self.child_path(key),
        }
    }

    fn child_path(&self, key: &str) -> String {
        let key = key.replace('~', "~0").replace('/', "~1");
        format!("{}/{key}", self.path)
    }

    /// A field; an explicit null counts as absent, as for an API server.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            path: self.child_path(key),
        })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Which of these fields are there.
    pub(super) fn which(&self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.has(key)).collect()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// Entries of a map.
    pub(super) fn entries(&self) -> Vec<(&'a str, Self)> {
        let map = self.value.as_object().into_iter().flatten();
        map.map(|(key, value)| {
            let at = At {
                value,
                path: self.child_path(key),
            };
            (key.as_str(), at)
        })
        .collect()
    }
}

/// How findings name an object: `Kind/namespace/name`, without the namespace where a manifest leaves it open.
pub(super) fn subject(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}/{namespace}/{name}")
    }
}

/// Findings about one object.
pub(super) struct Report {
    subject: String,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn about(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            subject: subject(kind, namespace, name),
            findings: Vec::new(),
        }
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    pub(super) fn error(&mut self, at: &At<'_>, code: &str, message: impl Into<String>) {
        self.say(Severity::Error, at, code, message);
    }

    pub(super) fn warn(&mut self, at: &At<'_>, code: &str, message: impl Into<String>) {
        self.say(Severity::Warning, at, code, message);
    }

    pub(super) fn note(&mut self, at: &At<'_>, code: &str, message: impl Into<String>) {
        self.say(Severity::Info, at, code, message);
    }

    fn say(&mut self, severity: Severity, at: &At<'_>, code: &str, message: impl Into<String>) {
        let finding = Finding::new(severity, code, &self.subject, message);
        self.findings.push(finding.at(&at.path));
    }

    fn typed<'a>(
        &mut self,
        at: &At<'a>,
        key: &str,
        wanted: &str,
        fits: fn(&Value) -> bool,
    ) -> Option<At<'a>> {
        let found = at.get(key)?;
        if fits(found.value) {
            return Some(found);
        }
        self.error(&found, "wrong-type", format!("{key} must be {wanted}"));
        None
    }

    /// A field that must be a map if it is there.
    pub(super) fn object<'a>(&mut self, at: &At<'a>, key: &str) -> Option<At<'a>> {
        self.typed(at, key, "a map", Value::is_object)
    }

    /// Elements of a field that must be a list if it is there; none if it is absent.
    pub(super) fn list<'a>(&mut self, at: &At<'a>, key: &str) -> Vec<At<'a>> {
        let found = self.typed(at, key, "a list", Value::is_array);
        let Some(found) = found else {
            return Vec::new();
        };
        let items = found.value.as_array().into_iter().flatten();
        items
            .enumerate()
            .map(|(index, value)| At {
                value,
                path: format!("{}/{index}", found.path),
            })
            .collect()
    }

    /// Elements of a list of maps.
    pub(super) fn objects<'a>(&mut self, at: &At<'a>, key: &str) -> Vec<At<'a>> {
        let mut items = self.list(at, key);
        items.retain(|item| {
            let is_map = item.value.is_object();
            if !is_map {
                self.error(
                    item,
                    "wrong-type",
                    format!("an element of {key} must be a map"),
                );
            }
            is_map
        });
        items
    }

    /// Elements of a list of texts.
    pub(super) fn texts<'a>(&mut self, at: &At<'a>, key: &str) -> Vec<(At<'a>, &'a str)> {
        let mut texts = Vec::new();
        for item in self.list(at, key) {
            match item.text() {
                Some(text) => texts.push((item, text)),
                None => self.error(
                    &item,
                    "wrong-type",
                    format!("an element of {key} must be a text"),
                ),
            }
        }
        texts
    }

    pub(super) fn text<'a>(&mut self, at: &At<'a>, key: &str) -> Option<(At<'a>, &'a str)> {
        let found = self.typed(at, key, "a text", Value::is_string)?;
        let text = found.text()?;
        Some((found, text))
    }

    pub(super) fn flag(&mut self, at: &At<'_>, key: &str) -> Option<bool> {
        self.typed(at, key, "true or false", Value::is_boolean)?
            .value
            .as_bool()
    }

    pub(super) fn number<'a>(&mut self, at: &At<'a>, key: &str) -> Option<(At<'a>, f64)> {
        let found = self.typed(at, key, "a number", Value::is_number)?;
        let number = found.value.as_f64()?;
        Some((found, number))
    }

    /// A whole number.
    pub(super) fn int<'a>(&mut self, at: &At<'a>, key: &str) -> Option<(At<'a>, i64)> {
        let whole = |value: &Value| value.is_i64() || value.is_u64();
        let found = self.typed(at, key, "a whole number", whole)?;
        let int = found.value.as_i64().unwrap_or(i64::MAX);
        Some((found, int))
    }

    /// A whole number of 64 bits, which protobuf also writes as a text.
    pub(super) fn long<'a>(&mut self, at: &At<'a>, key: &str) -> Option<(At<'a>, u64)> {
        let fits = |value: &Value| long_of(value).is_some();
        let found = self.typed(at, key, "a whole number, not negative", fits)?;
        let long = long_of(found.value)?;
        Some((found, long))
    }

    /// A whole number within bounds, ends included.
    pub(super) fn bounded(&mut self, at: &At<'_>, key: &str, low: i64, high: i64, code: &str) {
        if let Some((found, int)) = self.int(at, key)
            && !(low..=high).contains(&int)
        {
            let message = if low == 0 && high >= i64::from(i32::MAX) {
                format!("{key} is {int}; it must not be negative")
            } else {
                format!("{key} is {int}; it must be in {low}..={high}")
            };
            self.error(&found, code, message);
        }
    }

    /// Points out fields that the API does not have: strict validation refuses them, a lenient server drops them silently.
    pub(super) fn known(&mut self, at: &At<'_>, fields: &[&str]) {
        for (name, child) in at.entries() {
            if !fields.contains(&name) {
                let message =
                    format!("there is no field {name} here; an API server refuses or ignores it");
                self.warn(&child, "unknown-field", message);
            }
        }
    }
}

fn long_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
