//! Processes that run beside a test: they end with it, however it ends.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// How long a process may take to say its first word.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running process; killed when dropped, and by the kernel when the thread that started it ends.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    complaints: Arc<Mutex<String>>,
}

impl Daemon {
    /// Starts it. Its standard output is read by [`Daemon::line`].
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut guarded = Command::new("setpriv");
        guarded
            .args(["--pdeathsig", "KILL", "--"])
            .arg(command.get_program())
            .args(command.get_args());
        guarded.env_clear();
        for (variable, value) in command.get_envs() {
            guarded.envs(value.map(|value| (variable, value)));
        }
        if let Some(folder) = command.get_current_dir() {
            guarded.current_dir(folder);
        }
        guarded
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = guarded
            .spawn()
            .with_context(|| format!("starting {name} through setpriv"))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let stderr = child.stderr.take().context("no stderr")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let read = BufReader::new(stdout).lines().map_while(Result::ok);
            read.take_while(|line| sender.send(line.clone()).is_ok())
                .for_each(drop);
        });
        let complaints = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&complaints);
        thread::spawn(move || keep(stderr, &kept));
        Ok(Self {
            child,
            lines,
            complaints,
        })
    }

    /// The next line of its standard output.
    ///
    /// # Errors
    /// If it says none for 20 s or ends; what it wrote to standard error is in the message.
    pub fn line(&self) -> Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.with_context(|| format!("no line came; stderr: {}", self.stderr()))
    }

    /// What it wrote to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn keep(from: impl Read, into: &Mutex<String>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        let mut text = into.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&line);
        text.push('\n');
    }
}

/// A free port on 127.0.0.1, below those that the kernel gives to outgoing connections.
///
/// # Errors
/// If none is free.
pub fn free_port() -> Result<u16> {
    let offset = u16::try_from(std::process::id() % 1_000)?;
    let candidates = (0..1_000_u16).map(|k| 10_000 + (k + offset) % 1_000);
    for port in candidates {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of 10000..11000 is free on 127.0.0.1")
}
