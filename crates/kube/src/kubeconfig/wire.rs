//! From the tree of a file to its entries.
//!
//! Follows the JSON decoder of client-go: names of fields are exact, unknown ones are skipped, null is nothing given
//! wherever it stands, and no type is turned into another. Where that decoder gives up on the file, only the entry that
//! holds the wrong value is broken here, and the file notes that kubectl refuses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::node::{Broken, Node, Value};
use super::types::{Cluster, Context, Exec, Provider, User};

/// Base64 as Go's `StdEncoding` reads it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The extension of a cluster that credential plugins are told.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// An entry of a list, by its name.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    pub(crate) name: String,
    /// Where the entry begins.
    pub(crate) line: u64,
    /// What it says, or why it cannot be used.
    pub(crate) body: Result<T, Broken>,
}

/// The entries of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    pub(crate) clusters: Vec<Named<Cluster>>,
    pub(crate) users: Vec<Named<User>>,
    pub(crate) contexts: Vec<Named<Context>>,
    pub(crate) current_context: String,
    /// Why kubectl does not take this file; empty if it does.
    pub(crate) refused: Vec<Broken>,
}

/// The entries of a document whose paths are relative to this folder.
pub(crate) fn entries(document: &Node, base: &Path) -> Result<Entries, Broken> {
    let fields = Fields::of(document, "the file")?;
    let mut refused = Vec::new();
    for (field, known) in [("kind", "Config"), ("apiVersion", "v1")] {
        match fields.text(field) {
            Ok(text) if text.is_empty() || text == known => {}
            Ok(text) => refused.push(Broken::at(
                fields.line_of(field),
                format!("`{field}` is `{text}`, not `{known}`"),
            )),
            Err(broken) => refused.push(broken),
        }
    }
    refused.extend(fields.check_ignored().err());
    let clusters = fields.named("clusters", "cluster", &mut refused, |body| {
        cluster(body, base)
    });
    let users = fields.named("users", "user", &mut refused, |body| user(body, base));
    let contexts = fields.named("contexts", "context", &mut refused, context);
    let current_context = fields.text("current-context").unwrap_or_else(|broken| {
        refused.push(broken);
        String::new()
    });
    Ok(Entries {
        clusters,
        users,
        contexts,
        current_context,
        refused,
    })
}

fn context(body: &Fields<'_>) -> Result<Context, Broken> {
    Ok(Context {
        cluster: body.text("cluster")?,
        user: body.text("user")?,
        namespace: body.text("namespace")?,
    })
}

fn cluster(body: &Fields<'_>, base: &Path) -> Result<Cluster, Broken> {
    let mut exec_extension = None;
    for extension in body.list("extensions")? {
        let extension = Fields::of(extension, "an extension")?;
        if extension.text("name")? == EXEC_EXTENSION {
            exec_extension = extension.get("extension").map(Node::to_json);
        }
    }
    Ok(Cluster {
        server: body.text("server")?,
        tls_server_name: body.text("tls-server-name")?,
        insecure_skip_tls_verify: body.flag("insecure-skip-tls-verify")?,
        certificate_authority: body.path("certificate-authority", base)?,
        certificate_authority_data: body.bytes("certificate-authority-data")?,
        proxy_url: body.text("proxy-url")?,
        disable_compression: body.flag("disable-compression")?,
        exec_extension,
    })
}

fn user(body: &Fields<'_>, base: &Path) -> Result<User, Broken> {
    let mut impersonate_extra = BTreeMap::new();
    for (key, values) in body.map("as-user-extra")?.into_iter().flatten() {
        impersonate_extra.insert(key.clone(), texts(values, "as-user-extra")?);
    }
    Ok(User {
        client_certificate: body.path("client-certificate", base)?,
        client_certificate_data: body.bytes("client-certificate-data")?,
        client_key: body.path("client-key", base)?,
        client_key_data: body.bytes("client-key-data")?,
        token: body.text("token")?,
        token_file: body.path("tokenFile", base)?,
        impersonate: body.text("as")?,
        impersonate_uid: body.text("as-uid")?,
        impersonate_groups: body.texts("as-groups")?,
        impersonate_extra,
        username: body.text("username")?,
        password: body.text("password")?,
        provider: body.given("auth-provider").map(provider).transpose()?,
        exec: body
            .given("exec")
            .map(|node| exec(node, base))
            .transpose()?,
    })
}

fn provider(node: &Node) -> Result<Provider, Broken> {
    let fields = Fields::of(node, "`auth-provider`")?;
    let mut config = BTreeMap::new();
    for (key, value) in fields.map("config")?.into_iter().flatten() {
        config.insert(key.clone(), text(value, "config")?);
    }
    Ok(Provider {
        name: fields.text("name")?,
        config,
    })
}

fn exec(node: &Node, base: &Path) -> Result<Exec, Broken> {
    let fields = Fields::of(node, "`exec`")?;
    let mut env = Vec::new();
    for variable in fields.list("env")? {
        let variable = Fields::of(variable, "a variable of `env`")?;
        env.push((variable.text("name")?, variable.text("value")?));
    }
    let mut command = fields.text("command")?;
    // A bare name is looked up on the PATH.
    if command.contains(std::path::MAIN_SEPARATOR) {
        command = absolute(&command, base);
    }
    let api_version = fields.text("apiVersion")?;
    let mut interactive_mode = fields.text("interactiveMode")?;
    let is_old = matches!(
        api_version.as_str(),
        "client.authentication.k8s.io/v1beta1" | "client.authentication.k8s.io/v1alpha1"
    );
    if interactive_mode.is_empty() && is_old {
        "IfAvailable".clone_into(&mut interactive_mode);
    }
    Ok(Exec {
        command,
        args: fields.texts("args")?,
        env,
        api_version,
        install_hint: fields.text("installHint")?,
        provide_cluster_info: fields.flag("provideClusterInfo")?,
        interactive_mode,
    })
}

/// The fields of a map; null has none.
pub(crate) struct Fields<'n> {
    map: Option<&'n BTreeMap<String, Node>>,
    line: u64,
}

impl<'n> Fields<'n> {
    pub(crate) fn of(node: &'n Node, what: &str) -> Result<Self, Broken> {
        let map = match &node.value {
            Value::Map(map) => Some(map),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                return Err(wrong(node, what, "a map"));
            }
        };
        Ok(Self {
            map,
            line: node.line,
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.map?.get(name)
    }

    /// A field that is there and not null.
    fn given(&self, name: &str) -> Option<&'n Node> {
        self.get(name)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    fn line_of(&self, name: &str) -> u64 {
        self.get(name).map_or(self.line, |node| node.line)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Broken> {
        self.get(name)
            .map_or_else(|| Ok(String::new()), |node| text(node, name))
    }

    fn flag(&self, name: &str) -> Result<bool, Broken> {
        match self.get(name) {
            None => Ok(false),
            Some(node) => match node.value {
                Value::Bool(flag) => Ok(flag),
                Value::Null => Ok(false),
                Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                    Err(wrong(node, &quoted(name), "true or false"))
                }
            },
        }
    }

    fn path(&self, name: &str, base: &Path) -> Result<String, Broken> {
        let path = self.text(name)?;
        Ok(if path.is_empty() {
            path
        } else {
            absolute(&path, base)
        })
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Broken> {
        let mut encoded = self.text(name)?;
        encoded.retain(|char| !matches!(char, '\r' | '\n'));
        BASE64
            .decode(encoded)
            .map_err(|_| Broken::at(self.line_of(name), format!("`{name}` is no base64")))
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'n [Node], Broken> {
        self.get(name).map_or(Ok(&[]), |node| list(node, name))
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Broken> {
        self.get(name)
            .map_or_else(|| Ok(Vec::new()), |node| texts(node, name))
    }

    fn map(&self, name: &str) -> Result<Option<&'n BTreeMap<String, Node>>, Broken> {
        let Some(node) = self.get(name) else {
            return Ok(None);
        };
        Ok(Fields::of(node, &quoted(name))?.map)
    }

    /// The entries of a list of names; those that are wrong are noted.
    fn named<T>(
        &self,
        list: &str,
        inner: &str,
        refused: &mut Vec<Broken>,
        read: impl Fn(&Fields<'_>) -> Result<T, Broken>,
    ) -> Vec<Named<T>> {
        let items = self.list(list).unwrap_or_else(|broken| {
            refused.push(broken);
            &[]
        });
        let mut names = BTreeSet::new();
        let mut entries = Vec::new();
        for item in items {
            let (name, body) = entry(item, inner, &read);
            if let Err(broken) = &body {
                refused.push(broken.clone());
            }
            if !names.insert(name.clone()) {
                let message = format!("`{list}` has the name `{name}` twice");
                refused.push(Broken::at(item.line, message));
            }
            entries.push(Named {
                name,
                line: item.line,
                body,
            });
        }
        entries
    }

    /// Fields that nobody uses and kubectl checks all the same.
    fn check_ignored(&self) -> Result<(), Broken> {
        self.list("extensions")?;
        if let Some(preferences) = self.get("preferences") {
            let preferences = Fields::of(preferences, "`preferences`")?;
            preferences.flag("colors")?;
            preferences.list("extensions")?;
        }
        Ok(())
    }
}

fn entry<T>(
    item: &Node,
    inner: &str,
    read: impl Fn(&Fields<'_>) -> Result<T, Broken>,
) -> (String, Result<T, Broken>) {
    let fields = match Fields::of(item, &format!("an entry with a {inner}")) {
        Ok(fields) => fields,
        Err(broken) => return (String::new(), Err(broken)),
    };
    let body = || match fields.get(inner) {
        Some(node) => read(&Fields::of(node, &quoted(inner))?),
        None => read(&Fields {
            map: None,
            line: item.line,
        }),
    };
    match fields.text("name") {
        Ok(name) => (name, body()),
        // The name as it is written tells the entry apart, though kubectl would not take it for one.
        Err(broken) => {
            let written = match fields.get("name").map(|node| &node.value) {
                Some(Value::Number(text)) => text.clone(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => String::new(),
            };
            (written, Err(broken))
        }
    }
}

fn text(node: &Node, name: &str) -> Result<String, Broken> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
            Err(wrong(node, &quoted(name), "text"))
        }
    }
}

fn list<'n>(node: &'n Node, name: &str) -> Result<&'n [Node], Broken> {
    match &node.value {
        Value::List(items) => Ok(items),
        Value::Null => Ok(&[]),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            Err(wrong(node, &quoted(name), "a list"))
        }
    }
}

fn texts(node: &Node, name: &str) -> Result<Vec<String>, Broken> {
    let items = list(node, name)?.iter();
    items.map(|item| text(item, name)).collect()
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

fn wrong(node: &Node, what: &str, expected: &str) -> Broken {
    let message = format!("{what} must be {expected}, not {}", node.value.kind());
    Broken::at(node.line, message)
}

/// A path of a file, relative to the file's folder.
fn absolute(path: &str, base: &Path) -> String {
    if Path::new(path).is_absolute() {
        return path.to_owned();
    }
    clean(&base.join(path)).to_string_lossy().into_owned()
}

/// A path without `.` and `..`, by its text alone, as Go's `filepath.Clean`.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir) => {}
                _ => cleaned.push(part),
            },
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => cleaned.push(part),
        }
    }
    cleaned
}
