//! One running window: a later start hands its link over and ends. On Linux the two meet on the session's D-Bus; without
//! one, every start has a window of its own. No socket of ours listens for it.

use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use pilothouse_api::Api;
use pilothouse_api::dto::LinkTextRequest;
use tauri::{AppHandle, Builder, Wry};

use crate::compose::Flags;
use crate::window;

/// The api of this process, once it is there: whoever calls earlier waits for it.
#[derive(Default)]
pub(crate) struct Running(OnceLock<Api>);

impl Running {
    pub(crate) fn is_up(&self, api: Api) {
        // It is set once.
        let _unchanged = self.0.set(api);
    }

    fn api(&self) -> &Api {
        self.0.wait()
    }
}

/// Adds what makes one window of several starts. The page gets no command of it.
pub(crate) fn one_window(
    flags: &Flags,
    running: &Arc<Running>,
    builder: Builder<Wry>,
) -> Builder<Wry> {
    let first = Arc::clone(running);
    let one = tauri_plugin_single_instance::init(move |app, words, _folder| {
        take_over(app, first.api(), words);
    });
    if flags.can_be_handed_over() {
        builder.plugin(one)
    } else {
        builder
    }
}

/// A later start: its link or its context is shown in this window, which comes to the front.
fn take_over(app: &AppHandle, api: &Api, words: Vec<String>) {
    match Flags::try_parse_from(words) {
        Ok(flags) => {
            let sources = flags.sources.given();
            match (flags.link, sources.context.first()) {
                (Some(link), _) => follow(api, link),
                (None, Some(context)) => follow_context(api, context),
                (None, None) if sources.demo => follow_context(api, "demo"),
                (None, None) => (),
            }
        }
        // It has read them itself before it came to us.
        Err(error) => tracing::warn!("what another start said cannot be read: {error}"),
    }
    window::to_front(app);
}

/// Follows a link. The window tells what is wrong with one that is refused.
pub(crate) fn follow(api: &Api, text: String) {
    if let Err(error) = api.follow_link(&LinkTextRequest { text }) {
        tracing::warn!("a link was not followed: {error}");
    }
}

fn follow_context(api: &Api, context: &str) {
    if let Err(error) = api.follow_context(context) {
        tracing::warn!("a context was not shown: {error}");
    }
}
