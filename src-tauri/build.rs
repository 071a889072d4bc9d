//! Makes one permission of the api's table of commands: the window may call those, and nothing else.

use std::fs;
use std::path::PathBuf;

/// The names of the table; how it becomes commands is told in `crates/api/src/registry/rows.rs`.
macro_rules! commands {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $($how:ident)+ ($($request:ident)?) $(-> $answer:ident $(<$view:tt>)?)?;
    )+) => {
        &[$(stringify!($name)),+]
    };
}

const COMMANDS: &[&str] = include!("../crates/api/src/commands.in.rs");

fn main() {
    if let Err(error) = build() {
        println!("cargo::error=tauri: {error}");
    }
}

fn build() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::var("OUT_DIR")?).join("permissions");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("commands.toml"), permission())?;
    // A pattern, which must outlive the build: what means something in a pattern stands for itself here.
    let pattern = format!(
        "{}/*.toml",
        folder.display().to_string().replace(['[', ']', '*'], "?")
    );
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern(pattern.leak());
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    tauri_build::try_build(attributes).map_err(|error| format!("{error:#}").into())
}

/// The permission that `tauri.conf.json` gives to the window.
fn permission() -> String {
    format!(
        "[[permission]]\nidentifier = \"every-command\"\ndescription = \"The commands of the api.\"\n\
         commands.allow = {COMMANDS:?}\n"
    )
}
