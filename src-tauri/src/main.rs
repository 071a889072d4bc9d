//! The desktop app.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match pilothouse_app::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _best_effort = writeln!(std::io::stderr(), "pilothouse: {error:#}");
            ExitCode::FAILURE
        }
    }
}
