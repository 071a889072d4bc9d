//! A command that prints a bearer token: run when a token is needed, never in a loop.
//!
//! A command may open a browser or send a message to a telephone, so each run must have a reason:
//!
//! * the first request runs it, and whoever asks meanwhile waits for the same run;
//! * its token is kept until a server answers 401; then it runs once more;
//! * a token that was refused at once, and a command that failed or was given up, end it: it does not run again before
//!   somebody says so ([`TokenCommand::forget`]).

use std::ffi::OsString;
use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::model::SourceErrorKind;
use reqwest::header::HeaderValue;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;

/// Time for a run: long enough for a person to confirm a login.
const DEADLINE: Duration = Duration::from_secs(60);

/// More than this is no token.
const MAX_TOKEN_BYTES: u64 = 64 << 10;

/// A command that prints a bearer token to its standard output. It gets no terminal and no input, and what it writes
/// to standard error is not read. Clones share the token.
#[derive(Clone)]
pub struct TokenCommand {
    program: OsString,
    arguments: Vec<OsString>,
    path: Option<OsString>,
    deadline: Duration,
    state: Arc<Mutex<State>>,
}

/// Arguments may hold secrets.
impl fmt::Debug for TokenCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCommand")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

enum State {
    /// Not run yet.
    Unasked,
    Held {
        /// The `Authorization` header that the token makes.
        header: HeaderValue,
        /// It came after a refusal and no server has accepted it yet: another refusal is the last one.
        is_second_try: bool,
    },
    /// Not run again.
    Failed(TokenProblem),
}

/// Why there is no token.
#[derive(Clone)]
pub(crate) struct TokenProblem {
    pub(crate) kind: SourceErrorKind,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl TokenCommand {
    /// A program and its arguments; no shell is involved. The program is looked for on the PATH.
    #[must_use]
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            path: None,
            deadline: DEADLINE,
            state: Arc::new(Mutex::new(State::Unasked)),
        }
    }

    /// The PATH to find the program on and to run it with; a program started from a desktop has a shorter one than a
    /// terminal.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<OsString>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Lets the command run again: the person has signed in, or corrected what was wrong.
    pub async fn forget(&self) {
        *self.state.lock().await = State::Unasked;
    }

    /// The header to send.
    pub(crate) async fn header(&self) -> Result<HeaderValue, TokenProblem> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Held { header, .. } => Ok(header.clone()),
            State::Failed(problem) => Err(problem.clone()),
            State::Unasked => self.run(&mut state, false).await,
        }
    }

    /// Another header after a server refused this one; `None` if there is no sense in another.
    pub(crate) async fn after_refusal(
        &self,
        refused: &HeaderValue,
    ) -> Result<Option<HeaderValue>, TokenProblem> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Held { header, .. } if header != refused => return Ok(Some(header.clone())),
            State::Held {
                is_second_try: true,
                ..
            } => return Ok(None),
            State::Failed(problem) => return Err(problem.clone()),
            State::Held { .. } | State::Unasked => {}
        }
        let header = self.run(&mut state, true).await?;
        Ok((header != *refused).then_some(header))
    }

    /// A server took this header: the next refusal means that it has expired.
    pub(crate) fn accepted(&self, accepted: &HeaderValue) {
        // While the command runs, the header that is held is not good any more.
        if let Ok(mut state) = self.state.try_lock()
            && let State::Held {
                header,
                is_second_try,
            } = &mut *state
            && header == accepted
        {
            *is_second_try = false;
        }
    }

    async fn run(
        &self,
        state: &mut State,
        is_second_try: bool,
    ) -> Result<HeaderValue, TokenProblem> {
        // Stands if nobody waits for the end.
        *state = State::Failed(self.problem(
            SourceErrorKind::Unauthorized,
            "was given up before it ended",
            "connect again",
        ));
        let outcome = tokio::time::timeout(self.deadline, self.output())
            .await
            .unwrap_or_else(|_| {
                Err(self.problem(
                    SourceErrorKind::TimedOut,
                    &format!("printed no token within {} s", self.deadline.as_secs_f64()),
                    "run it in a terminal: it may be waiting for you to log in; then connect again",
                ))
            });
        *state = match &outcome {
            Ok(header) => State::Held {
                header: header.clone(),
                is_second_try,
            },
            Err(problem) => State::Failed(problem.clone()),
        };
        outcome
    }

    async fn output(&self) -> Result<HeaderValue, TokenProblem> {
        tracing::info!(program = ?self.program, "running the command that prints a token");
        let mut child = self.command().spawn().map_err(|error| {
            self.problem(
                SourceErrorKind::BadConfiguration,
                &format!("cannot be started: {error}"),
                "install it or put it on the PATH, then connect again",
            )
        })?;
        let mut text = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = stdout.take(MAX_TOKEN_BYTES + 1);
            let read = stdout.read_to_end(&mut text).await;
            read.map_err(|error| self.unreadable(&error))?;
        }
        if text.len() as u64 > MAX_TOKEN_BYTES {
            return Err(self.no_token());
        }
        let status = child
            .wait()
            .await
            .map_err(|error| self.unreadable(&error))?;
        if !status.success() {
            return Err(self.problem(
                SourceErrorKind::Unauthorized,
                &format!("failed ({status})"),
                "run it in a terminal to see why, then connect again",
            ));
        }
        bearer(text.trim_ascii()).ok_or_else(|| self.no_token())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        #[cfg(windows)]
        command.creation_flags(0x0800_0000); // CREATE_NO_WINDOW: no console flashes up.
        command
    }

    fn unreadable(&self, error: &std::io::Error) -> TokenProblem {
        self.problem(
            SourceErrorKind::Unauthorized,
            &format!("gave no answer: {error}"),
            "run it in a terminal to see why, then connect again",
        )
    }

    fn no_token(&self) -> TokenProblem {
        self.problem(
            SourceErrorKind::Unauthorized,
            "printed something that is no token",
            "it must print the bare token and nothing else",
        )
    }

    fn problem(&self, kind: SourceErrorKind, what: &str, hint: &str) -> TokenProblem {
        let program = self.program.to_string_lossy();
        TokenProblem {
            kind,
            message: format!("the command `{program}` for a token {what}"),
            hint: hint.to_owned(),
        }
    }
}

/// The `Authorization` header of a bearer token; `None` if it is empty or a header cannot carry it.
pub(crate) fn bearer(token: &[u8]) -> Option<HeaderValue> {
    if token.is_empty() {
        return None;
    }
    let mut header = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests;
