//! The one window: opened where it was closed, called after what it shows, as large as the person chose.

use pilothouse_api::Api;
use tauri::async_runtime::spawn;
use tauri::{AppHandle, Manager as _, WebviewWindow, WebviewWindowBuilder, WindowEvent, Wry};

use crate::place::{self, Keeper};

const LABEL: &str = "main";

/// Opens the window of the configuration.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let configured = app
        .config()
        .app
        .windows
        .iter()
        .find(|window| window.label == LABEL);
    let configured = configured.ok_or(tauri::Error::WindowNotFound)?;
    let keeper = Keeper::start();
    let mut builder = WebviewWindowBuilder::from_config(app, configured)?
        .on_document_title_changed(|window, title| told(window.set_title(&title)));
    if let Some(before) = keeper.before() {
        let screens = app.available_monitors()?;
        let screens: Vec<_> = screens.iter().map(place::Area::of).collect();
        let restored = place::restored(before, &screens);
        builder = builder
            .inner_size(restored.width, restored.height)
            .maximized(restored.maximised);
        if let Some((x, y)) = restored.position {
            builder = builder.position(x, y);
        }
    }
    let window = builder.build()?;
    keep_zoom(&window, &app.state::<Api>());
    keep_place(&window, keeper);
    Ok(())
}

/// Brings the window before all others.
pub(crate) fn to_front(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        told(window.unminimize());
        told(window.show());
        told(window.set_focus());
    }
}

fn keep_place(window: &WebviewWindow<Wry>, keeper: Keeper) {
    let seen = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { .. } = event {
            keeper.write();
        } else if let WindowEvent::Moved(_) | WindowEvent::Resized(_) = event
            && let Ok(place) = place::of(&seen)
        {
            keeper.note(place);
        }
    });
}

/// Carries out the size that the page asks for, from the remembered one on.
fn keep_zoom(window: &WebviewWindow<Wry>, api: &Api) {
    let mut zoom = api.zoom();
    let window = window.clone();
    spawn(async move {
        loop {
            let wanted = *zoom.borrow_and_update();
            told(window.set_zoom(wanted));
            if zoom.changed().await.is_err() {
                return;
            }
        }
    });
}

/// What the window system refuses is no reason to stop.
fn told(outcome: tauri::Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!("the window system refuses: {error}");
    }
}
