//! Turns every command of the api into a permission, so that the window may call exactly those that its capability lists.

/// As in `pilothouse_api::COMMANDS`, plus the stream; a test holds the two lists together.
const COMMANDS: &[&str] = &[
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
    "subscribe",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) =
        tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
    {
        println!("cargo::error=tauri: {error:#}");
    }
}
