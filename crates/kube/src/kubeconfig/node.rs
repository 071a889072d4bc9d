//! A YAML document as a tree that knows its lines, with scalars read as kubectl reads them.
//!
//! kubectl turns YAML 1.1 into JSON before it looks at any field: `yes` and `n` are booleans, of two equal keys the last
//! one counts, documents after the first are never looked at. The tree keeps the line of every node, so that a wrong
//! value breaks the entry that holds it and can be named.
//!
//! Source: `go.yaml.in/yaml/v2` (`resolve.go`), which `sigs.k8s.io/yaml` puts before the JSON decoder of client-go.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

/// Nothing that people write is nested deeper.
const MAX_DEPTH: usize = 64;

/// Nodes of one document, those that aliases repeat included.
const MAX_NODES: usize = 1_000_000;

/// What is wrong in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Never quotes a value: values are secrets.
    pub(crate) message: String,
    /// Line, from 1; `None` if the whole file is meant.
    pub(crate) line: Option<u64>,
}

impl Broken {
    pub(crate) fn at(line: u64, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: Some(line),
        }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it begins, from 1.
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// What a node is, as JSON knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Value {
    /// What it is, in words.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// As JSON, for what is passed on unread.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(text) => number(text),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(map) => map
                .iter()
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

fn number(text: &str) -> serde_json::Value {
    let plain = text.replace('_', "");
    if let Ok(integer) = plain.parse::<i64>() {
        return integer.into();
    }
    plain
        .parse::<f64>()
        .map_or_else(|_| text.into(), serde_json::Value::from)
}

/// The first document; null if there is none.
pub(crate) fn first_document(text: &str) -> Result<Node, Broken> {
    // Go's parser takes no tab where a key may stand.
    if text
        .trim_start_matches(['\u{feff}', '\n', '\r', ' '])
        .starts_with('\t')
    {
        return Err(Broken::at(
            1,
            "it is no YAML: found character that cannot start any token",
        ));
    }
    let mut reader = Reader::new(text);
    Ok(reader.document()?.unwrap_or(Node {
        line: 1,
        value: Value::Null,
    }))
}

/// All documents, each one read or not: a broken one does not hide those after it. Apart from one another they are told
/// by their lines, as kubectl tells them in its own preferences.
pub(crate) fn documents(text: &str) -> Vec<Result<Node, Broken>> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let is_mark = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim().is_empty());
        match documents.last_mut() {
            Some(document) if !is_mark => {
                document.push_str(line);
                document.push('\n');
            }
            _ => documents.push(String::new()),
        }
    }
    documents.iter().map(|text| first_document(text)).collect()
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Nodes by the number of their anchor, and how many nodes each is.
    anchors: BTreeMap<usize, (Node, usize)>,
    n_nodes: usize,
    line: u64,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            anchors: BTreeMap::new(),
            n_nodes: 0,
            line: 1,
        }
    }

    /// The next document, or nothing at the end.
    fn document(&mut self) -> Result<Option<Node>, Broken> {
        loop {
            match self.next()? {
                None | Some(Event::StreamEnd) => return Ok(None),
                Some(Event::DocumentStart(_, version)) => {
                    // As kubectl, whose parser knows one version.
                    if version.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                        return Err(Broken::at(self.line, "found incompatible YAML document"));
                    }
                }
                Some(Event::StreamStart | Event::DocumentEnd) => {}
                Some(event) => {
                    self.anchors.clear();
                    return self.node(event, 0).map(Some);
                }
            }
        }
    }

    fn next(&mut self) -> Result<Option<Event<'t>>, Broken> {
        loop {
            match self.parser.next_event() {
                None => return Ok(None),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => {
                    self.line = line_of(&span);
                    return Ok(Some(event));
                }
                Some(Err(error)) => return Err(syntax(&error)),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, depth: usize) -> Result<Node, Broken> {
        let line = self.line;
        self.n_nodes += 1;
        if depth > MAX_DEPTH {
            return Err(Broken::at(line, "it is nested too deeply"));
        }
        if self.n_nodes > MAX_NODES {
            return Err(Broken::at(line, "it has too many values"));
        }
        let before = self.n_nodes;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match tag.as_deref().map(own_tag) {
                    Some("binary") => binary(&text, line)?,
                    Some(tag @ ("bool" | "int" | "float" | "null")) => tagged(&text, tag, line)?,
                    None if style == ScalarStyle::Plain => resolve(&text),
                    Some(_) | None => Value::Text(text.into_owned()),
                };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(Broken::at(line, "an alias names an anchor around itself"));
                };
                self.n_nodes += size;
                return Ok(node.clone());
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | Event::Comment(..)
            | _ => return Err(Broken::at(line, "a value is missing")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            let size = self.n_nodes - before + 1;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Some(Event::SequenceEnd) => return Ok(Value::List(items)),
                Some(event) => items.push(self.node(event, depth + 1)?),
                None => return Err(Broken::at(self.line, "the list does not end")),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut map = BTreeMap::new();
        loop {
            let (key, is_merge) = match self.next()? {
                Some(Event::MappingEnd) => return Ok(Value::Map(map)),
                Some(event) => {
                    let is_merge = is_merge_key(&event);
                    (self.node(event, depth + 1)?, is_merge)
                }
                None => return Err(Broken::at(self.line, "the map does not end")),
            };
            let Some(event) = self.next()? else {
                return Err(Broken::at(self.line, "the map does not end"));
            };
            let is_alias = matches!(event, Event::Alias(_));
            let value = self.node(event, depth + 1)?;
            match key.value {
                Value::Text(_) if is_merge => merge(&mut map, value, is_alias)?,
                Value::Text(text) | Value::Number(text) => {
                    map.insert(text, value);
                }
                Value::Bool(flag) => {
                    map.insert(flag.to_string(), value);
                }
                Value::Null | Value::List(_) | Value::Map(_) => {
                    let message = format!("{} cannot be a key", key.value.kind());
                    return Err(Broken::at(key.line, message));
                }
            }
        }
    }
}

/// Whether a key is `<<` as go-yaml takes it: in quotes, or through an alias, it is a key like any other.
fn is_merge_key(event: &Event<'_>) -> bool {
    let Event::Scalar(text, style, _, tag) = event else {
        return false;
    };
    text == "<<"
        && match tag.as_deref() {
            Some(tag) => own_tag(tag) == "merge",
            None => *style == ScalarStyle::Plain,
        }
}

/// Puts what a merge key (`<<`) brings where it stands: over what comes before it, under what comes after, and of a list
/// the earlier maps over the later ones. A list is taken only where it is written out.
fn merge(map: &mut BTreeMap<String, Node>, from: Node, is_alias: bool) -> Result<(), Broken> {
    let Node { line, value } = from;
    let maps = match value {
        Value::List(items) if !is_alias => items,
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_)) => vec![Node { line, value }],
    };
    for Node { line, value } in maps.into_iter().rev() {
        let Value::Map(other) = value else {
            return Err(Broken::at(
                line,
                "map merge requires map or sequence of maps as the value",
            ));
        };
        map.extend(other);
    }
    Ok(())
}

/// A tag of YAML itself without its prefix: `str` of `!!str`; empty for any other, which makes a scalar text.
fn own_tag(tag: &Tag) -> &str {
    if tag.handle() == "tag:yaml.org,2002:" {
        tag.suffix()
    } else {
        ""
    }
}

/// A scalar, quoted or not, that says what it is.
fn tagged(text: &str, tag: &str, line: u64) -> Result<Value, Broken> {
    let value = resolve(text);
    let fits = match &value {
        Value::Bool(_) => tag == "bool",
        Value::Null => tag == "null",
        Value::Number(_) if tag == "int" => {
            text.starts_with("0x") || !text.contains(['.', 'e', 'E'])
        }
        Value::Number(_) => tag == "float",
        Value::Text(_) | Value::List(_) | Value::Map(_) => false,
    };
    if fits {
        Ok(value)
    } else {
        let kind = value.kind();
        Err(Broken::at(line, format!("cannot decode {kind} as !!{tag}")))
    }
}

fn line_of(span: &Span) -> u64 {
    u64::try_from(span.start.line()).unwrap_or(u64::MAX)
}

fn syntax(error: &ScanError) -> Broken {
    let line = u64::try_from(error.marker().line()).unwrap_or(u64::MAX);
    let words = super::read::without_values(&error.kind().to_string());
    Broken::at(line, format!("it is no YAML: {words}"))
}

fn binary(text: &str, line: u64) -> Result<Value, Broken> {
    let text: String = text.split_whitespace().collect();
    let bytes = BASE64.decode(text).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Value::Text)
        .ok_or_else(|| Broken::at(line, "!!binary value contains invalid base64 data"))
}

/// What a plain scalar is, by the rules of YAML 1.1 as Go's `yaml.v2` has them.
fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    if is_number(text) {
        Value::Number(text.to_owned())
    } else {
        Value::Text(text.to_owned())
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let plain = unsigned.replace('_', "");
    let digits = |rest: &str, base: u32| !rest.is_empty() && rest.chars().all(|c| c.is_digit(base));
    let lower = plain.to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            return digits(rest, base);
        }
    }
    let is_decimal = plain
        .chars()
        .all(|c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
    is_decimal && plain.chars().any(|c| c.is_ascii_digit()) && plain.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
