//! The document while it is changed: one setter for each thing that a shell lets people choose. Comments, order and
//! unknown keys stay where they are.

use std::path::{Path, PathBuf};

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, Key, Table, TableLike, Value,
};

use crate::context_key::ContextKey;
use crate::folders::Environment;
use crate::problem::{Problem, ProblemKind};
use crate::settings::context::{Auth, Location, SourceSettings, fit};
use crate::settings::{Colour, Theme};

/// Settings being changed. What cannot be written is remembered and refused at the end.
#[derive(Debug)]
pub struct Draft {
    document: DocumentMut,
    file: PathBuf,
    environment: Environment,
    refused: Option<Box<Problem>>,
}

impl Draft {
    pub(super) fn new(document: DocumentMut, file: &Path, environment: &Environment) -> Self {
        Self {
            document,
            file: file.to_owned(),
            environment: environment.clone(),
            refused: None,
        }
    }

    pub(super) fn finish(self) -> Result<String, Box<Problem>> {
        match self.refused {
            Some(problem) => Err(problem),
            None => Ok(self.document.to_string()),
        }
    }

    /// Chooses the colours of the window.
    pub fn set_theme(&mut self, theme: Theme) {
        self.set("appearance", "theme", theme.as_str().into());
    }

    /// Chooses the size of everything in the window.
    pub fn set_zoom(&mut self, zoom: f64) {
        self.set("appearance", "zoom", zoom.into());
    }

    /// Chooses the seconds between two questions to the metrics.
    pub fn set_tick_s(&mut self, seconds: u32) {
        self.set("refresh", "tick_s", i64::from(seconds).into());
    }

    /// Chooses the seconds over which rates are taken.
    pub fn set_window_s(&mut self, seconds: u32) {
        self.set("refresh", "window_s", i64::from(seconds).into());
    }

    /// Adds a kubeconfig at the end, unless it is there.
    pub fn add_kubeconfig_file(&mut self, file: &Path) {
        let Some(text) = self.path_text(file) else {
            return;
        };
        let there = self.kubeconfig_files().any(|(_, path)| path == file);
        if there {
            return;
        }
        let Some(table) = self.section("kubeconfig") else {
            return;
        };
        match table.get_mut("files").and_then(Item::as_array_mut) {
            Some(files) => files.push(text),
            None => put(table, "files", Array::from_iter([text]).into()),
        }
    }

    /// Takes a kubeconfig out of the list.
    pub fn remove_kubeconfig_file(&mut self, file: &Path) {
        let gone: Vec<usize> = self
            .kubeconfig_files()
            .filter_map(|(at, path)| (path == file).then_some(at))
            .collect();
        let files = self
            .document
            .get_mut("kubeconfig")
            .and_then(|section| section.get_mut("files"));
        if let Some(files) = files.and_then(Item::as_array_mut) {
            for at in gone.into_iter().rev() {
                files.remove(at);
            }
        }
    }

    /// Chooses the class of a context by name; `None` leaves it to the patterns.
    pub fn set_context_class(&mut self, context: &ContextKey, class: Option<&str>) {
        self.set_of_context(context, "class", class.map(Value::from));
    }

    /// Chooses the colour of a context; `None` is that of its class.
    pub fn set_context_colour(&mut self, context: &ContextKey, colour: Option<&Colour>) {
        self.set_of_context(
            context,
            "colour",
            colour.map(|colour| colour.as_str().into()),
        );
    }

    /// Chooses the namespaces shown at first: empty is all, `None` leaves it open.
    pub fn set_context_namespaces(&mut self, context: &ContextKey, namespaces: Option<&[String]>) {
        let list =
            namespaces.map(|names| Array::from_iter(names.iter().map(String::as_str)).into());
        self.set_of_context(context, "namespaces", list);
    }

    /// Chooses the metrics of a context; `None` has them looked for.
    pub fn set_context_metrics(&mut self, context: &ContextKey, source: Option<&SourceSettings>) {
        self.set_sources(context, "metrics", source.as_slice());
    }

    /// Chooses the sources of traces of a context; none has them looked for.
    pub fn set_context_traces(&mut self, context: &ContextKey, sources: &[SourceSettings]) {
        let sources: Vec<&SourceSettings> = sources.iter().collect();
        self.set_sources(context, "traces", &sources);
    }

    /// Writes any key, as a command line names it: `refresh.tick_s`, `context."prod-eu".class`. The value is TOML; what is
    /// not is a text. `None` takes the key out. Whether the key is known and takes the value is seen when the result is
    /// read.
    pub fn set_key(&mut self, dotted: &str, value: Option<&str>) {
        let Ok(path) = Key::parse(dotted) else {
            self.refuse(
                dotted,
                "this is not written as a key: SECTION.KEY, or context.\"NAME\".KEY",
            );
            return;
        };
        let Some((last, sections)) = path.split_last() else {
            return;
        };
        let mut table: &mut dyn TableLike = self.document.as_table_mut();
        for section in sections {
            let name = section.get();
            if value.is_none() && table.get(name).is_none() {
                return;
            }
            let is_other = table.get(name).is_some_and(|item| !item.is_table_like());
            let next = if is_other {
                None
            } else {
                child(table, name, false)
            };
            let Some(next) = next else {
                self.refuse(dotted, "a list of tables is changed in the file itself");
                return;
            };
            table = next;
        }
        let value = value.map(|text| text.parse::<Value>().unwrap_or_else(|_| text.into()));
        set_or_remove(table, last.get(), value);
    }

    fn set_sources(&mut self, context: &ContextKey, name: &str, sources: &[&SourceSettings]) {
        let mut written = Vec::new();
        for source in sources {
            let Some(entries) = self.entries(source) else {
                return;
            };
            written.push(entries);
        }
        if written.is_empty() && self.context_table_name(context).is_none() {
            return;
        }
        let Some(table) = self.context_table(context) else {
            return;
        };
        // The list keeps its tables in place, with what we do not know in them.
        let mut old = table.get(name).map(tables).unwrap_or_default().into_iter();
        let mut new = Vec::new();
        for entries in written {
            let mut source = old.next().unwrap_or_default();
            for (key, value) in entries {
                set_or_remove(&mut source, key, value);
            }
            new.push(source);
        }
        let was_list = table.get(name).is_some_and(|item| !item.is_table_like());
        let was_value = table.get(name).is_some_and(Item::is_value);
        let mut item = match new.len() {
            0 => {
                table.remove(name);
                return;
            }
            1 if !was_list => Item::Table(new.into_iter().next().unwrap_or_default()),
            _ => {
                // Written as `[[…]]`, whatever the one table was before.
                let full = |mut source: Table| {
                    source.set_dotted(false);
                    source
                };
                let list: ArrayOfTables = new.into_iter().map(full).collect();
                Item::ArrayOfTables(list)
            }
        };
        // What was written in one line stays so; inside a table of one line it has to.
        if was_value {
            item.make_value();
        }
        replace(table, name, item);
    }

    /// Every key of a source with its value, `None` for those to take away. `None` if a path is no text.
    fn entries(&mut self, source: &SourceSettings) -> Option<Vec<(&'static str, Option<Value>)>> {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let (address, service, base_path, https) = match &source.location {
            Some(Location::Address(address)) => (Some(address.as_str().into()), None, None, None),
            Some(Location::Service(service)) => {
                let path = service.base_path.as_str();
                (
                    None,
                    Some(service.to_string().into()),
                    (path != "/").then(|| path.into()),
                    service.https.then(|| true.into()),
                )
            }
            None => (None, None, None, None),
        };
        let (token_file, token_command, secret) = match &source.auth {
            Auth::None => (None, None, None),
            Auth::TokenFile(file) => (Some(self.path_value(file)?), None, None),
            Auth::TokenCommand(command) => {
                let words = Array::from_iter(command.iter().map(String::as_str));
                (None, Some(words.into()), None)
            }
            Auth::Keychain => (None, None, Some("keychain".into())),
        };
        let headers = (!source.headers.is_empty()).then(|| {
            let pairs = source.headers.iter();
            let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
            InlineTable::from_iter(pairs).into()
        });
        let mut path = |file: &Option<PathBuf>| match file {
            Some(file) => self.path_value(file).map(Some),
            None => Some(None),
        };
        Some(vec![
            ("kind", source.kind.map(|kind| kind.as_str().into())),
            ("address", address),
            ("service", service),
            ("base_path", base_path),
            ("https", https),
            ("tenant", text(&source.tenant)),
            ("headers", headers),
            ("ca_file", path(&source.ca_file)?),
            ("client_cert_file", path(&source.client_cert_file)?),
            ("client_key_file", path(&source.client_key_file)?),
            ("token_file", token_file),
            ("token_command", token_command),
            ("secret", secret),
            ("user", text(&source.user)),
            ("secret_header", text(&source.secret_header)),
        ])
    }

    fn set(&mut self, section: &str, key: &str, value: Value) {
        if let Some(table) = self.section(section) {
            put(table, key, value);
        }
    }

    fn set_of_context(&mut self, context: &ContextKey, key: &str, value: Option<Value>) {
        if value.is_none() && self.context_table_name(context).is_none() {
            return;
        }
        if let Some(table) = self.context_table(context) {
            set_or_remove(table, key, value);
        }
    }

    /// A table of the document, made if it is missing.
    fn section(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        if self
            .document
            .get(name)
            .is_some_and(|item| !item.is_table_like())
        {
            self.refuse(
                name,
                "this is not a table, so nothing can be written into it",
            );
            return None;
        }
        child(self.document.as_table_mut(), name, false)
    }

    /// The table of this context, made if it is missing, for its own kubeconfig alone.
    fn context_table(&mut self, context: &ContextKey) -> Option<&mut dyn TableLike> {
        if let Some(name) = self.context_table_name(context) {
            let all = self.document.get_mut("context")?.as_table_like_mut()?;
            return all.get_mut(&name)?.as_table_like_mut();
        }
        let file = match &context.file {
            Some(file) => Some(self.path_value(file)?),
            None => None,
        };
        if self
            .document
            .get("context")
            .is_some_and(|item| !item.is_table_like())
        {
            self.refuse(
                "context",
                "this is not a table, so nothing can be written into it",
            );
            return None;
        }
        let is_taken = |name: &str| {
            self.document
                .get("context")
                .is_some_and(|all| all.get(name).is_some())
        };
        let name = if is_taken(&context.name) {
            context.with_file().filter(|name| !is_taken(name))
        } else {
            Some(context.name.clone())
        };
        let Some(name) = name else {
            let key = format!("context.{}", context.name);
            self.refuse(
                &key,
                "this name stands for the context of another kubeconfig",
            );
            return None;
        };
        let all = child(self.document.as_table_mut(), "context", true)?;
        let table = child(all, &name, false)?;
        if let Some(file) = file {
            put(table, "file", file);
        }
        Some(table)
    }

    /// Name of the table that holds for this context, as [`crate::Settings::context`] would choose.
    fn context_table_name(&self, context: &ContextKey) -> Option<String> {
        let all = self.document.get("context")?.as_table_like()?;
        let mut hits = Vec::new();
        for (written, item) in all.iter() {
            let Some(table) = item.as_table_like() else {
                continue;
            };
            let file = table.get("file").and_then(Item::as_str);
            let file = file.map(|file| self.resolve(file));
            let name = if written.starts_with("~/") {
                self.resolve(written).display().to_string()
            } else {
                written.to_owned()
            };
            if let Some(fit) = fit(&name, file.as_deref(), context) {
                hits.push((fit, written.to_owned()));
            }
        }
        // The first of the best, as for reading.
        let best = hits.into_iter().rev().max_by_key(|(fit, _)| *fit)?;
        Some(best.1)
    }

    fn kubeconfig_files(&self) -> impl Iterator<Item = (usize, PathBuf)> {
        let files = self
            .document
            .get("kubeconfig")
            .and_then(|section| section.get("files"));
        let files = files
            .and_then(Item::as_array)
            .into_iter()
            .flatten()
            .enumerate();
        files.filter_map(|(at, file)| Some((at, self.resolve(file.as_str()?))))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        let base = self.file.parent().unwrap_or(Path::new(""));
        self.environment.resolve(base, path)
    }

    fn path_value(&mut self, path: &Path) -> Option<Value> {
        self.path_text(path).map(Value::from)
    }

    /// A path as it is written: with `~/` where it lies in the home directory, so that the file can move to another
    /// machine.
    fn path_text(&mut self, path: &Path) -> Option<String> {
        let home = self.environment.home().filter(|home| home.is_absolute());
        let in_home = home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
        let text = match &in_home {
            Some(rest) => rest.to_str().map(|rest| format!("~/{rest}")),
            None => path.to_str().map(str::to_owned),
        };
        if text.is_none() {
            self.refuse(
                "",
                format!("the path {} is not UTF-8, which TOML is", path.display()),
            );
        }
        text
    }

    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        if self.refused.is_none() {
            let problem = Problem::new(ProblemKind::NotAllowed, &self.file, message);
            self.refused = Some(Box::new(problem.of_key(key)));
        }
    }
}

/// The table under this name, made if it is missing; `None` if something else is there.
fn child<'t>(
    table: &'t mut dyn TableLike,
    name: &str,
    is_implicit: bool,
) -> Option<&'t mut dyn TableLike> {
    if table.get(name).is_none() {
        let mut new = Table::new();
        new.set_implicit(is_implicit);
        table.insert(name, Item::Table(new));
    }
    table.get_mut(name)?.as_table_like_mut()
}

/// Puts an item in the place of another; its key stays where it was.
fn replace(table: &mut dyn TableLike, name: &str, item: Item) {
    match (table.get_mut(name), item) {
        (Some(_), Item::Value(value)) => put(table, name, value),
        (Some(old), item) => *old = item,
        (None, item) => {
            table.insert(name, item);
        }
    }
}

fn set_or_remove(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    match value {
        Some(value) => put(table, key, value),
        None => {
            table.remove(key);
        }
    }
}

/// Sets a value; the white space and the comment around the old one stay.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(old) => *old = Item::Value(value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The tables of an item that holds one or a list.
fn tables(item: &Item) -> Vec<Table> {
    match item {
        Item::Table(table) => vec![table.clone()],
        Item::Value(Value::InlineTable(table)) => vec![table.clone().into_table()],
        Item::ArrayOfTables(all) => all.iter().cloned().collect(),
        Item::Value(Value::Array(all)) => {
            let inline = all.iter().filter_map(Value::as_inline_table);
            inline.map(|table| table.clone().into_table()).collect()
        }
        Item::None | Item::Value(_) => Vec::new(),
    }
}
