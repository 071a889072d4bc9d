//! Runs the command line as a user would, and never waits for ever.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{binary, wait};

/// No command may take longer than this, whatever its sources do.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// The command line with a state folder and a home of its own, so that no test sees the user's files or another test's.
#[derive(Debug)]
pub struct Ctl {
    binary: PathBuf,
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run of the command line answered.
#[derive(Debug)]
pub struct Answer {
    /// What was run.
    pub arguments: String,
    /// Exit code; -1 if a signal ended it.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Answer {
    /// Standard output as JSON.
    ///
    /// # Errors
    /// If it is none; the text and the complaints are in the message.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| self.to_string())
    }

    /// The same answer, if it ended with this exit code.
    ///
    /// # Errors
    /// If it did not; everything it said is in the message.
    pub fn exits(self, code: i32) -> Result<Self> {
        ensure!(self.exit == code, "exit {code} was expected of {self}");
        Ok(self)
    }

    /// The same answer, if standard error contains this.
    ///
    /// # Errors
    /// If it does not; everything it said is in the message.
    pub fn complains(self, words: &str) -> Result<Self> {
        ensure!(
            self.stderr.contains(words),
            "{words:?} was expected on the stderr of {self}"
        );
        Ok(self)
    }

    /// The same answer, if standard output contains this.
    ///
    /// # Errors
    /// If it does not; everything it said is in the message.
    pub fn says(self, words: &str) -> Result<Self> {
        ensure!(
            self.stdout.contains(words),
            "{words:?} was expected on the stdout of {self}"
        );
        Ok(self)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout: String = self.stdout.chars().take(4_000).collect();
        let Self {
            arguments,
            exit,
            stderr,
            took,
            ..
        } = self;
        write!(
            f,
            "`pilothousectl {arguments}` (exit {exit} after {took:?})\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}

impl Ctl {
    /// A fresh one.
    ///
    /// # Errors
    /// If the binary was not built.
    pub fn new() -> Result<Self> {
        let home = tempfile::tempdir().context("making a home folder")?;
        Ok(Self {
            binary: binary("pilothousectl")?,
            home,
            environment: Vec::new(),
        })
    }

    /// The same with a variable of the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its home folder, which is also the parent of its state folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the home folder and answers its path.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Result<String> {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// Runs it with these arguments and an empty standard input.
    ///
    /// # Errors
    /// If it cannot be started, panics, is still there after [`WATCHDOG`], or sends control characters.
    pub fn run(&self, arguments: &[&str]) -> Result<Answer> {
        self.run_with_input(arguments, &[])
    }

    /// [`Ctl::run`] with the arguments separated by spaces.
    ///
    /// # Errors
    /// As [`Ctl::run`].
    pub fn line(&self, arguments: &str) -> Result<Answer> {
        self.run(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    /// [`Ctl::run`] with this on standard input.
    ///
    /// # Errors
    /// As [`Ctl::run`].
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Result<Answer> {
        let begun = wait::now();
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting pilothousectl")?;
        let mut stdin = child.stdin.take().context("no stdin")?;
        let input = input.to_vec();
        // A command that does not read its input closes it: that is its right.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = read(child.stdout.take().context("no stdout")?);
        let stderr = read(child.stderr.take().context("no stderr")?);
        let exit = end_of(&mut child);
        let collect = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
        drop(writer.join());
        let answer = Answer {
            arguments: arguments.join(" "),
            exit: *exit.as_ref().unwrap_or(&-1),
            stdout: collect(stdout),
            stderr: collect(stderr),
            took: begun.elapsed(),
        };
        if let Err(error) = exit {
            bail!("{error:#}: {answer}");
        }
        ensure!(!answer.stderr.contains("panicked"), "a panic: {answer}");
        ensure!(
            !has_controls(&answer.stdout),
            "control characters on stdout: {:?}",
            answer.stdout
        );
        ensure!(
            !has_controls(&answer.stderr),
            "control characters on stderr: {:?}",
            answer.stderr
        );
        Ok(answer)
    }

    /// The command, to be started by the caller.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin");
        command.env("XDG_STATE_HOME", self.home.path().join("state"));
        command
            .envs(self.environment.iter().cloned())
            .current_dir(self.home.path());
        command
    }
}

/// Whatever a cluster's text holds, it must not steer the terminal.
fn has_controls(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The exit code; the watchdog kills what is still there.
fn end_of(child: &mut Child) -> Result<i32> {
    let ended = wait::wait_until("the end of the command", WATCHDOG, || Ok(child.try_wait()?));
    if ended.is_err() {
        child.kill().context("killing a command that hangs")?;
        child
            .wait()
            .context("waiting for a command that was killed")?;
    }
    Ok(ended?.code().unwrap_or(-1))
}
