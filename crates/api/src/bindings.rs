//! TypeScript of the commands and of every DTO that they carry, as one generated file.
//!
//! `cargo run -p pilothouse-api --example bindings` writes it; a test fails while the committed file differs. What is in it
//! follows from the table of commands alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ts_rs::{Config, TS, TypeVisitor};

use crate::dto;
use crate::registry::{COMMANDS, Command};

/// Where the generated file stands, from the repository's root.
pub const PATH: &str = "frontend/src/backend/bindings.ts";

const HEAD: &str = "// Generated from the table of commands (crates/api/src/commands.in.rs) and crates/api/src/dto by `make bindings`.
// Do not edit.
";

/// The text of the generated file.
#[must_use]
pub fn typescript() -> String {
    typescript_of(COMMANDS)
}

pub(crate) fn typescript_of(table: &[Command]) -> String {
    let mut declarations = Declarations::default();
    declarations.name_of::<dto::ApiError>();
    let mut calls = String::new();
    let mut streams = String::new();
    for command in table {
        let name = command.name;
        let mut name_of = |dto: Option<fn(&mut Declarations) -> String>| {
            dto.map_or_else(|| "null".to_owned(), |dto| dto(&mut declarations))
        };
        let request = name_of(command.request);
        let answer = name_of(command.answer);
        let out = if command.streams() {
            &mut streams
        } else {
            &mut calls
        };
        comment(out, command.doc);
        let _always_ok = writeln!(out, "  {name}: {{ request: {request}; answer: {answer} }};");
    }
    let mut out = String::from(HEAD);
    out.push_str("\n/** Every command; `null` as request means that it takes none, as answer that it gives none. */\n");
    let _always_ok = write!(out, "export interface Commands {{\n{calls}}}\n");
    out.push_str("\n/** Every command that answers again and again. */\n");
    let _always_ok = write!(out, "export interface Streams {{\n{streams}}}\n");
    for declaration in declarations.found.values() {
        let _always_ok = write!(out, "\nexport {declaration}\n");
    }
    out
}

fn comment(out: &mut String, lines: &[&str]) {
    let text: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let _always_ok = match text.as_slice() {
        [line] => writeln!(out, "  /** {line} */"),
        lines => writeln!(out, "  /**\n   * {}\n   */", lines.join("\n   * ")),
    };
}

/// Declarations of the DTOs that were named so far, by name.
#[derive(Default)]
pub(crate) struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl Declarations {
    /// The name of a DTO, which is declared with all that it is made of.
    pub(crate) fn name_of<T: TS + 'static>(&mut self) -> String {
        self.visit::<T>();
        T::name(&self.config)
    }
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Numbers, texts, lists and maps have no declaration of their own.
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if !self.found.contains_key(&name) {
            self.found.insert(name, T::decl(&self.config));
            T::visit_dependencies(self);
        }
    }
}
