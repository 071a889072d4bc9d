//! What the window calls, handed on to the api by name. Tauri has checked the permission before it comes here.

use pilothouse_api::{Api, COMMANDS, dispatch};
use tauri::ipc::{Invoke, InvokeBody, InvokeError, InvokeHandler, Response};
use tauri::{Manager as _, Runtime};

use crate::stream;

/// The handler of every call. It runs on the window's main thread and only starts the command, on the async runtime.
pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    let streams: Box<InvokeHandler<R>> = Box::new(tauri::generate_handler![stream::subscribe]);
    move |invoke| {
        let command = invoke.message.command().to_owned();
        if streams_it(&command) {
            return streams(invoke);
        }
        let Invoke {
            message, resolver, ..
        } = invoke;
        let request = match message.payload() {
            InvokeBody::Json(arguments) => arguments.get("request").cloned(),
            InvokeBody::Raw(_) => None,
        };
        let api = message.webview_ref().state::<Api>().inner().clone();
        resolver.respond_async(async move {
            dispatch(&api, &command, request.unwrap_or_default())
                .await
                .map(Response::new)
                .map_err(InvokeError::from)
        });
        true
    }
}

fn streams_it(command: &str) -> bool {
    COMMANDS
        .iter()
        .any(|row| row.name() == command && row.streams())
}
