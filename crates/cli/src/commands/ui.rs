//! `ui`: the desktop app, which is a program of its own. No shell stands between: words are handed over as they are.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pilothouse_api::Link;
use pilothouse_connect::SourceArgs;

use crate::failure::{Exit, Failure};

const PROGRAM: &str = if cfg!(windows) {
    "pilothouse.exe"
} else {
    "pilothouse"
};

/// Starts the desktop app and does not wait for its end: a window that runs already takes the link over.
pub(super) fn run(sources: &SourceArgs, link: Option<&str>) -> Result<Exit, Failure> {
    let words = words(sources, link)?;
    let program = desktop_app().ok_or_else(|| {
        Failure::other("the desktop app is not installed: there is no `pilothouse` beside this program or on PATH")
            .with_hint("install the package `pilothouse`, or put its program into a folder of PATH")
    })?;
    if cfg!(target_os = "linux") && !["DISPLAY", "WAYLAND_DISPLAY"].iter().any(is_set) {
        return Err(
            Failure::other("there is no display to open a window on").with_hint(
                "neither DISPLAY nor WAYLAND_DISPLAY is set; run this in a desktop session",
            ),
        );
    }
    let mut command = Command::new(&program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    // Ctrl-C in this terminal is not meant for the window.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .spawn()
        .map_err(|error| Failure::other(format!("starting {}: {error}", program.display())))?;
    Ok(Exit::OK)
}

/// The program of the desktop app: beside this one, else on PATH.
pub(super) fn desktop_app() -> Option<PathBuf> {
    let own = env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = beside.into_iter().chain(env::split_paths(&path));
    folders.find_map(|folder| {
        let program = folder.join(PROGRAM);
        (folder.is_absolute() && program.is_file()).then_some(program)
    })
}

/// What the desktop app is told. It takes the other flags itself: some of their values are better not handed on in words
/// that everybody on this machine can read.
fn words(sources: &SourceArgs, link: Option<&str>) -> Result<Vec<OsString>, Failure> {
    if sources.no_kubernetes || sources.prometheus.is_some() || !sources.traces.is_empty() {
        return Err(Failure::usage(
            "`ui` hands over a link, --demo, --context, --kubeconfig, -n and --read-only only",
        )
        .with_hint("start `pilothouse` itself with the flags or variables of other sources"));
    }
    let mut words: Vec<OsString> = Vec::new();
    if sources.demo {
        words.push("--demo".into());
        if sources.seed != 1 {
            words.push(format!("--seed={}", sources.seed).into());
        }
        words.extend(sources.services.map(|n| format!("--services={n}").into()));
    }
    if sources.read_only {
        words.push("--read-only".into());
    }
    let valued = |flag: &str, value: &std::ffi::OsStr| {
        let mut word = OsString::from(flag);
        word.push(value);
        word
    };
    words.extend(
        sources
            .kubeconfig
            .iter()
            .map(|file| valued("--kubeconfig=", file.as_os_str())),
    );
    words.extend(
        sources
            .context
            .iter()
            .map(|name| valued("--context=", name.as_ref())),
    );
    words.extend(
        sources
            .namespaces
            .iter()
            .map(|name| valued("--namespace=", name.as_ref())),
    );
    if let Some(link) = link {
        let link: Link = link
            .parse()
            .map_err(|error| Failure::usage(format!("`{link}`: {error}")))?;
        words.push(link.to_string().into());
    }
    Ok(words)
}

fn is_set(name: &&str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
