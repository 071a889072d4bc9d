//! The commands as data, and one door for shells that speak JSON.
//!
//! `commands.in.rs` is the list; a row of it becomes a [`Command`] by the macros of `rows`. Shells know no command by
//! name but those that stream: they pass on what the window asks for, by [`dispatch`].

use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::api::Api;
use crate::bindings::Declarations;
use crate::convert::{bad_request, not_found};
use crate::dto::{ApiError, Code};

#[macro_use]
mod rows;
#[cfg(test)]
mod tests;

/// Every command that a shell offers to a window.
pub static COMMANDS: &[Command] = include!("commands.in.rs");

/// One row of the table.
#[derive(Debug)]
pub struct Command {
    pub(crate) name: &'static str,
    /// Lines of its description, as written.
    pub(crate) doc: &'static [&'static str],
    pub(crate) request: Option<Dto>,
    pub(crate) answer: Option<Dto>,
    run: Run,
}

/// Declares a DTO with all that it is made of, and tells its name in TypeScript.
type Dto = fn(&mut Declarations) -> String;

/// A command under way: its answer as JSON text.
type Running = Pin<Box<dyn Future<Output = Result<String, ApiError>> + Send>>;

#[derive(Debug)]
enum Run {
    /// Takes a request, answers once.
    Call(fn(Api, Value) -> Running),
    /// Answers again and again: each shell has its own way to send it.
    Stream,
}

impl Command {
    /// The name that a window calls, in snake case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it answers more than once; [`dispatch`] does not run such a command, each shell does.
    #[must_use]
    pub const fn streams(&self) -> bool {
        matches!(self.run, Run::Stream)
    }
}

/// Runs a command by name and gives its answer as JSON text (`null` where it has none). `request` is its request's JSON;
/// commands without one do not look at it. Needs a tokio runtime: what may block gets a thread of its own there.
///
/// # Errors
/// `not_found` for an unknown command, `bad_request` for a request of the wrong shape or a command that streams, else the
/// command's own error.
pub async fn dispatch(api: &Api, command: &str, request: Value) -> Result<String, ApiError> {
    run_one(COMMANDS, api, command, request).await
}

async fn run_one(
    table: &[Command],
    api: &Api,
    command: &str,
    request: Value,
) -> Result<String, ApiError> {
    match table
        .iter()
        .find(|row| row.name == command)
        .map(|row| &row.run)
    {
        Some(Run::Call(run)) => run(api.clone(), request).await,
        Some(Run::Stream) => Err(bad_request(format!(
            "`{command}` streams: it has no single answer"
        ))),
        None => Err(not_found(format!("there is no command `{command}`"))),
    }
}

/// Runs a command where it may block, with the runtime at hand for what it awaits.
fn apart(work: impl Future<Output = Result<String, ApiError>> + Send + 'static) -> Running {
    Box::pin(async move {
        let runtime = Handle::current();
        spawn_blocking(move || runtime.block_on(work))
            .await
            .unwrap_or_else(|broken| Err(internal(format!("the command broke off: {broken}"))))
    })
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, ApiError> {
    serde_json::from_value(request)
        .map_err(|error| bad_request(format!("the request has the wrong shape: {error}")))
}

fn json<T: Serialize>(view: &T) -> Result<String, ApiError> {
    serde_json::to_string(view)
        .map_err(|error| internal(format!("the answer cannot be written as JSON: {error}")))
}

fn internal(message: String) -> ApiError {
    ApiError {
        code: Code::Internal,
        message,
        detail: String::new(),
        hint: String::new(),
    }
}
