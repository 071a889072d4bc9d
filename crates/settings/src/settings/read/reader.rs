//! One table of the document at a time: typed values out of it, problems about it.

use std::path::{Path, PathBuf};

use toml_edit::{Array, Item, Key as TomlKey, TableLike, Value};

use super::secrets;
use crate::folders::Environment;
use crate::problem::{Place, Problem, ProblemKind};
use crate::settings::colour::Colour;
use crate::settings::keys::{self, Takes};

/// A table, with its path in the table of keys and as the person wrote it.
pub(super) struct Section<'a> {
    pub(super) schema: String,
    shown: String,
    pub(super) table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a dyn TableLike) -> Self {
        Self {
            schema: String::new(),
            shown: String::new(),
            table,
        }
    }

    pub(super) fn item(&self, name: &str) -> Option<&'a Item> {
        self.table.get(name).filter(|item| !item.is_none())
    }

    fn schema_of(&self, name: &str) -> String {
        join(&self.schema, name)
    }

    fn shown_of(&self, name: &str) -> String {
        join(&self.shown, &TomlKey::new(name).display_repr())
    }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    file: &'a Path,
    environment: &'a Environment,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, file: &'a Path, environment: &'a Environment) -> Self {
        Self {
            text,
            file,
            environment,
            problems: Vec::new(),
        }
    }

    /// The table under this name, unknown keys in it named.
    pub(super) fn section<'t>(&mut self, parent: &Section<'t>, name: &str) -> Option<Section<'t>> {
        self.table(parent, name, &parent.schema_of(name))
    }

    /// A table whose name the person chose.
    pub(super) fn named_section<'t>(
        &mut self,
        parent: &Section<'t>,
        name: &str,
    ) -> Option<Section<'t>> {
        self.table(parent, name, &parent.schema_of("NAME"))
    }

    /// A table whose keys are all the person's own.
    pub(super) fn plain_table<'t>(
        &mut self,
        parent: &Section<'t>,
        name: &str,
    ) -> Option<Section<'t>> {
        let section = self.table_of(parent, name, &parent.schema_of(name))?;
        Some(section)
    }

    fn table<'t>(&mut self, parent: &Section<'t>, name: &str, schema: &str) -> Option<Section<'t>> {
        let section = self.table_of(parent, name, schema)?;
        self.name_unknown_keys(&section);
        Some(section)
    }

    fn table_of<'t>(
        &mut self,
        parent: &Section<'t>,
        name: &str,
        schema: &str,
    ) -> Option<Section<'t>> {
        let item = parent.item(name)?;
        let Some(table) = item.as_table_like() else {
            self.wrong_type(parent, name, "a table");
            return None;
        };
        Some(Section {
            schema: schema.to_owned(),
            shown: parent.shown_of(name),
            table,
        })
    }

    /// One table or a list of them, whichever way it is written.
    pub(super) fn sections<'t>(&mut self, parent: &Section<'t>, name: &str) -> Vec<Section<'t>> {
        let Some(item) = parent.item(name) else {
            return Vec::new();
        };
        let mut tables: Vec<&'t dyn TableLike> = Vec::new();
        if let Some(table) = item.as_table_like() {
            tables.push(table);
        } else if let Some(all) = item.as_array_of_tables() {
            tables.extend(all.iter().map(|table| table as &dyn TableLike));
        } else if let Some(all) = item.as_array().and_then(inline_tables) {
            tables.extend(all);
        } else {
            self.wrong_type(parent, name, "a table or a list of tables");
        }
        let sections: Vec<Section<'t>> = tables
            .into_iter()
            .map(|table| Section {
                schema: parent.schema_of(name),
                shown: parent.shown_of(name),
                table,
            })
            .collect();
        for section in &sections {
            self.name_unknown_keys(section);
        }
        sections
    }

    pub(super) fn name_unknown_keys(&mut self, section: &Section<'_>) {
        // Under `context` every key is a name.
        if section.schema == "context" {
            return;
        }
        for (name, item) in section.table.iter() {
            let schema = section.schema_of(name);
            if keys::find(&schema).is_some() || keys::is_table(&schema) {
                continue;
            }
            if secrets::is_telling(name) && !item.is_table_like() && !item.is_array_of_tables() {
                self.secret_in_file(section, name);
            } else {
                let hint = "it is kept; docs/SETTINGS.md lists the keys";
                self.problem(
                    ProblemKind::UnknownKey,
                    section,
                    name,
                    "nobody reads this key",
                    hint,
                );
                self.name_secrets_below(section, name);
            }
        }
    }

    /// A secret is one in a table that nobody reads as well.
    fn name_secrets_below(&mut self, parent: &Section<'_>, name: &str) {
        let Some(table) = parent.item(name).and_then(Item::as_table_like) else {
            return;
        };
        let section = Section {
            schema: parent.schema_of(name),
            shown: parent.shown_of(name),
            table,
        };
        for (name, item) in table.iter() {
            if item.is_table_like() {
                self.name_secrets_below(&section, name);
            } else if secrets::is_telling(name) {
                self.secret_in_file(&section, name);
            }
        }
    }

    pub(super) fn text(&mut self, section: &Section<'_>, name: &str) -> Option<String> {
        let item = section.item(name)?;
        let Some(text) = item.as_str() else {
            self.wrong_type(section, name, "text in quotes");
            return None;
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            self.not_allowed(section, name, "the text must not be empty and has one line");
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn texts(&mut self, section: &Section<'_>, name: &str) -> Option<Vec<String>> {
        let item = section.item(name)?;
        let texts = item.as_array().and_then(|array| {
            let text = |value: &Value| Some(value.as_str()?.to_owned());
            array.iter().map(text).collect()
        });
        if texts.is_none() {
            self.wrong_type(section, name, "a list of texts in quotes");
        }
        texts
    }

    /// One of the words that the key takes.
    pub(super) fn choice<'t>(&mut self, section: &Section<'t>, name: &str) -> Option<&'t str> {
        let item = section.item(name)?;
        let takes = keys::find(&section.schema_of(name)).map(|key| key.takes);
        let Some(Takes::Choice(words)) = takes else {
            return None;
        };
        match item.as_str() {
            Some(word) if words.contains(&word) => Some(word),
            Some(_) => {
                self.not_allowed(section, name, format!("it is one of {}", words.join(", ")));
                None
            }
            None => {
                self.wrong_type(section, name, &format!("one of {}", words.join(", ")));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, section: &Section<'_>, name: &str) -> Option<bool> {
        let item = section.item(name)?;
        let flag = item.as_bool();
        if flag.is_none() {
            self.wrong_type(section, name, "true or false");
        }
        flag
    }

    pub(super) fn number(&mut self, section: &Section<'_>, name: &str) -> Option<f64> {
        let item = section.item(name)?;
        let takes = keys::find(&section.schema_of(name)).map(|key| key.takes);
        let Some(Takes::Number(least, most)) = takes else {
            return None;
        };
        let whole = || {
            item.as_integer()
                .and_then(|whole| i32::try_from(whole).ok())
        };
        let Some(number) = item.as_float().or_else(|| whole().map(f64::from)) else {
            self.wrong_type(section, name, &format!("a number from {least} to {most}"));
            return None;
        };
        // A number that is none (`nan`) lies in no range.
        if !(least..=most).contains(&number) {
            self.not_allowed(
                section,
                name,
                format!("{number} is not between {least} and {most}"),
            );
            return None;
        }
        Some(number)
    }

    pub(super) fn whole(&mut self, section: &Section<'_>, name: &str) -> Option<i64> {
        let item = section.item(name)?;
        let takes = keys::find(&section.schema_of(name)).map(|key| key.takes);
        let Some(Takes::Whole(least, most)) = takes else {
            return None;
        };
        let Some(number) = item.as_integer() else {
            self.wrong_type(
                section,
                name,
                &format!("a whole number from {least} to {most}"),
            );
            return None;
        };
        if !(least..=most).contains(&number) {
            self.not_allowed(
                section,
                name,
                format!("{number} is not between {least} and {most}"),
            );
            return None;
        }
        Some(number)
    }

    pub(super) fn colour(&mut self, section: &Section<'_>, name: &str) -> Option<Colour> {
        let colour = Colour::new(&self.text(section, name)?);
        if colour.is_none() {
            self.not_allowed(section, name, format!("a colour is {}", Takes::Colour));
        }
        colour
    }

    pub(super) fn path(&mut self, section: &Section<'_>, name: &str) -> Option<PathBuf> {
        let path = self.text(section, name)?;
        Some(self.resolve(&path))
    }

    pub(super) fn paths(&mut self, section: &Section<'_>, name: &str) -> Option<Vec<PathBuf>> {
        let paths = self.texts(section, name)?;
        if paths.iter().any(String::is_empty) {
            self.not_allowed(
                section,
                name,
                "an empty path names no file, so it does not count",
            );
        }
        let named = paths.iter().filter(|path| !path.is_empty());
        Some(named.map(|path| self.resolve(path)).collect())
    }

    /// The file that a path means.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let base = self.file.parent().unwrap_or(Path::new(""));
        self.environment.resolve(base, path)
    }

    pub(super) fn wrong_type(&mut self, section: &Section<'_>, name: &str, wanted: &str) {
        let message = match section.item(name) {
            Some(item) => format!("this takes {wanted}, not {}", type_of(item)),
            None => format!("this takes {wanted}"),
        };
        self.problem(
            ProblemKind::WrongType,
            section,
            name,
            message,
            "the default holds",
        );
    }

    pub(super) fn not_allowed(
        &mut self,
        section: &Section<'_>,
        name: &str,
        message: impl Into<String>,
    ) {
        self.problem(ProblemKind::NotAllowed, section, name, message, "");
    }

    pub(super) fn missing(&mut self, section: &Section<'_>, name: &str) {
        let message = format!("`{name}` is missing, so this table does not count");
        self.problem(ProblemKind::NotAllowed, section, name, message, "");
    }

    pub(super) fn secret_in_file(&mut self, section: &Section<'_>, name: &str) {
        let message = "a secret in this file is not used";
        let hint = "delete the line and write `secret = \"keychain\"`, `token_file = \"…\"` or `token_command = […]`; \
                    whoever could read the file may know the secret";
        self.problem(ProblemKind::SecretInFile, section, name, message, hint);
    }

    pub(super) fn problem(
        &mut self,
        kind: ProblemKind,
        section: &Section<'_>,
        name: &str,
        message: impl Into<String>,
        hint: &str,
    ) {
        let key = section.table.get_key_value(name);
        let span = key.and_then(|(key, item)| key.span().or_else(|| item.span()));
        let place = span.map(|span| Place::in_text(self.text, span.start));
        let problem = Problem::new(kind, self.file, message)
            .at(place)
            .of_key(section.shown_of(name))
            .with_hint(hint);
        self.problems.push(problem);
    }
}

fn inline_tables(array: &Array) -> Option<Vec<&dyn TableLike>> {
    let table = |value| Value::as_inline_table(value).map(|table| table as &dyn TableLike);
    array.iter().map(table).collect()
}

fn type_of(item: &Item) -> &'static str {
    match item.type_name() {
        "string" => "text",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        "array of tables" => "a list of tables",
        _ => "a table",
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
