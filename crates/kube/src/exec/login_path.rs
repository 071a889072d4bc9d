//! The PATH that the user's login shell has, for a window that was not started from one.
//!
//! A desktop starts programs with a short PATH; what the user added in the files of the shell is missing, and with it
//! most credential plugins. The shell is asked once per process, when a program is first missing, and the answer is
//! handed to child processes; this process's own environment stays as it is.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;

/// Shells that ask something or wait for a network are not waited for.
const LIMIT: Duration = Duration::from_secs(5);

/// Between these stands the answer: the files of a shell print what they like.
const MARK: &str = "__pilothouse_path__";

static KNOWN: OnceLock<Option<OsString>> = OnceLock::new();
static ASKING: Mutex<()> = Mutex::const_new(());

/// The answer, if the shell was asked already. Never waits.
#[must_use]
pub fn known_login_path() -> Option<&'static OsStr> {
    KNOWN.get().and_then(Option::as_deref)
}

/// Asks the user's shell (`SHELL`) for its PATH, for 5 s at most; later calls answer at once. `None` if it does not
/// say. A chooser calls this in the background and then lists its contexts again.
pub async fn login_path(shell: &Path) -> Option<&'static OsStr> {
    let _asking = ASKING.lock().await;
    if KNOWN.get().is_none() {
        let answer = ask(shell).await;
        tracing::debug!(shell = %shell.display(), found = answer.is_some(), "asked the login shell for its PATH");
        let _known = KNOWN.set(answer);
    }
    known_login_path()
}

/// Asks this shell.
async fn ask(shell: &Path) -> Option<OsString> {
    answer(question(shell)).await
}

/// How this shell is asked.
fn question(shell: &Path) -> Command {
    // In fish PATH is a list, and printed with spaces if it is not told otherwise.
    let print = if shell.file_name().is_some_and(|name| name == "fish") {
        format!("printf '{MARK}%s{MARK}' (string join : -- $PATH)")
    } else {
        format!("printf '{MARK}%s{MARK}' \"$PATH\"")
    };
    let mut command = Command::new(shell);
    command.args(["-l", "-i", "-c", &print]);
    // Else oh-my-zsh may stop to update itself.
    command.env("DISABLE_AUTO_UPDATE", "true");
    command
}

async fn answer(mut command: Command) -> Option<OsString> {
    let child = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, child).await.ok()?.ok()?;
    between_marks(&output.stdout)
}

fn between_marks(printed: &[u8]) -> Option<OsString> {
    let printed = String::from_utf8_lossy(printed);
    let path = printed.split(MARK).nth(1)?;
    (!path.is_empty()).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_the_path() {
        let greeting = format!("Welcome!\n{MARK}/a:/b{MARK}bye");
        assert_eq!(
            between_marks(greeting.as_bytes()).as_deref(),
            Some(OsStr::new("/a:/b"))
        );
        for nothing in ["", "/a:/b", MARK] {
            assert_eq!(between_marks(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn each_shell_is_asked_in_its_own_words() {
        let asked = |shell: &str| {
            let command = question(Path::new(shell));
            let arguments: Vec<_> = command.as_std().get_args().map(OsStr::to_owned).collect();
            arguments.join(OsStr::new(" ")).into_string().unwrap()
        };
        assert!(asked("/usr/bin/fish").contains("string join : -- $PATH"));
        for shell in ["/bin/zsh", "/bin/bash"] {
            assert!(
                asked(shell).starts_with("-l -i -c printf") && asked(shell).contains("\"$PATH\"")
            );
        }
    }

    #[tokio::test]
    #[cfg(unix)]
    async fn a_shell_answers_its_path_without_a_terminal() {
        let path = ask(Path::new("/bin/sh")).await.unwrap();
        assert!(std::env::split_paths(&path).any(|folder| folder.ends_with("bin")));
        assert_eq!(ask(Path::new("/no/such/shell")).await, None);
        let sh = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            answer(command)
        };
        // stdin is closed, so that this ends at once; what goes to stderr is dropped.
        let script = format!("cat; echo noise; echo oops >&2; printf '{MARK}/a{MARK}'");
        assert_eq!(sh(&script).await.as_deref(), Some(OsStr::new("/a")));
        assert_eq!(sh("exit 1").await, None);
    }

    #[tokio::test(start_paused = true)]
    #[cfg(unix)]
    async fn a_shell_that_hangs_is_not_waited_for() {
        let mut command = Command::new("sleep");
        command.arg("600");
        assert_eq!(answer(command).await, None);
    }
}
