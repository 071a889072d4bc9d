//! The permissions that are embedded in the app are those of the table.

use pilothouse_api::COMMANDS;
use tauri::Wry;
use tauri::ipc::Origin;

/// Whether the window of this label may call a command, as Tauri decides it.
fn may_call(window: &str, command: &str, origin: &Origin) -> bool {
    let mut context = crate::context::<Wry>();
    let authority = context.runtime_authority_mut();
    authority
        .resolve_access(command, window, window, origin)
        .is_some()
}

#[test]
fn the_window_may_call_every_command() {
    for command in COMMANDS {
        let name = command.name();
        assert!(may_call("main", name, &Origin::Local), "{name}");
    }
}

#[test]
fn nothing_else_may_be_called_and_by_nobody_else() {
    for unknown in [
        "",
        "no_such_command",
        "plugin:event|listen",
        "plugin:webview|set_webview_zoom",
        "plugin:window|set_title",
        "every-command",
    ] {
        assert!(!may_call("main", unknown, &Origin::Local), "{unknown:?}");
    }
    let outside = Origin::Remote {
        url: "https://example.com/".parse().unwrap(),
    };
    for command in COMMANDS {
        let name = command.name();
        assert!(!may_call("main", name, &outside), "{name} from outside");
        assert!(!may_call("other", name, &Origin::Local), "{name} elsewhere");
    }
}
