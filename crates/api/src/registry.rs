//! The table of commands: their names, and one door for shells that speak JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::Api;
use crate::convert::{bad_request, not_found};
use crate::dto::ApiError;

/// Every command that a shell offers to a window, but for `subscribe`, which streams.
pub const COMMANDS: [&str; 15] = [
    "session",
    "latest",
    "refresh",
    "set_window",
    "arm",
    "disarm",
    "plan_shift",
    "dry_run",
    "apply",
    "plan_undo",
    "journal",
    "trace_services",
    "trace_operations",
    "find_traces",
    "trace",
];

/// Runs a command by name: `request` is its request's JSON (`null` or `{}` for commands without one).
///
/// # Errors
/// `not_found` for an unknown command, `bad_request` for a request of the wrong shape, else the command's own error.
pub async fn dispatch(api: &Api, command: &str, request: Value) -> Result<Value, ApiError> {
    match command {
        "session" => answer(api.session()),
        "latest" => answer(api.latest()),
        "refresh" => {
            api.refresh();
            Ok(Value::Null)
        }
        "set_window" => answer(api.set_window(&read(request)?)?),
        "arm" => answer(api.arm(&read(request)?)?),
        "disarm" => answer(api.disarm()),
        "plan_shift" => answer(api.plan_shift(&read(request)?).await?),
        "dry_run" => answer(api.dry_run(&read(request)?).await?),
        "apply" => answer(api.apply(&read(request)?).await?),
        "plan_undo" => answer(api.plan_undo(&read(request)?).await?),
        "journal" => answer(api.journal()),
        "trace_services" => answer(api.trace_services().await?),
        "trace_operations" => answer(api.trace_operations(&read(request)?).await?),
        "find_traces" => answer(api.find_traces(&read(request)?).await?),
        "trace" => answer(api.trace(&read(request)?).await?),
        other => Err(not_found(format!("there is no command `{other}`"))),
    }
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, ApiError> {
    serde_json::from_value(request)
        .map_err(|error| bad_request(format!("the request has the wrong shape: {error}")))
}

fn answer<T: Serialize>(view: T) -> Result<Value, ApiError> {
    serde_json::to_value(view)
        .map_err(|error| bad_request(format!("the answer cannot be written as JSON: {error}")))
}
