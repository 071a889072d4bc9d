//! A set of servers that a test puts together itself: clusters, metric servers, proxies.
//!
//! [`crate::Bed`] is one whole mesh. Questions of another kind (which cluster, which user, which
//! of four metric servers) need more of one thing and nothing of the rest: there a test takes
//! [`Servers`] and starts what it needs. Everything ends when it is dropped, as with a bed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bed::wait_until;
use crate::cache;
use crate::ports::Ports;
use crate::process::{self, Processes, WorkFolder};
use crate::programs::Program;
use crate::start::PATIENCE;

/// Servers that run, and the folder and ports that they share.
pub struct Servers {
    // In the order in which they are dropped.
    pub(crate) processes: Processes,
    work: WorkFolder,
    ports: Mutex<Ports>,
}

impl Servers {
    /// An empty set.
    ///
    /// # Errors
    /// A tool that is missing, by its Debian package; no free ports.
    pub fn new() -> Result<Self> {
        cache::need_tools()?;
        let ports = Ports::reserve()?;
        let work = WorkFolder::create(false)?;
        Ok(Self {
            processes: Processes::new(work.path())?,
            work,
            ports: Mutex::new(ports),
        })
    }

    /// The folder of configurations, data and logs.
    #[must_use]
    pub fn work_folder(&self) -> &Path {
        self.work.path()
    }

    /// Ends a server as a crash would; [`Servers::pids`] has the names.
    ///
    /// # Errors
    /// When no such server runs.
    pub fn kill(&self, server: &str) -> Result<()> {
        self.processes.kill(server)
    }

    /// Starts a killed server again, with the same ports and what it keeps on disk. Does not wait
    /// until it is ready.
    ///
    /// # Errors
    /// When it still runs or cannot be started.
    pub fn restart(&self, server: &str) -> Result<()> {
        self.processes.restart(server)
    }

    /// Stops a server in its tracks: it takes connections and answers nothing until
    /// [`Servers::resume`].
    ///
    /// # Errors
    /// When no such server runs.
    pub fn suspend(&self, server: &str) -> Result<()> {
        self.processes.signal(server, "STOP")
    }

    /// Lets a suspended server go on.
    ///
    /// # Errors
    /// When no such server runs.
    pub fn resume(&self, server: &str) -> Result<()> {
        self.processes.signal(server, "CONT")
    }

    /// Name and process id of each server.
    #[must_use]
    pub fn pids(&self) -> Vec<(String, u32)> {
        self.processes.pids()
    }

    /// Resident memory of one server in MB, `None` when it does not run.
    #[must_use]
    pub fn memory_mb(&self, server: &str) -> Option<u64> {
        let pid = self.pids().into_iter().find(|(name, _)| name == server)?;
        Some(process::memory_mb(&[pid]))
    }

    /// Looks again and again until `check` gives something, at most for `deadline`.
    ///
    /// # Errors
    /// When time is up, with what `check` said last; at once when a server has ended.
    pub fn wait_until<T>(
        &self,
        what: &str,
        deadline: Duration,
        check: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        wait_until(&self.processes, what, deadline, check)
    }

    /// Runs the real kubectl to its end, with a home of its own and nothing of the caller's
    /// environment but the PATH.
    ///
    /// # Errors
    /// When it cannot be built or started; its exit status is in the output.
    pub fn kubectl(&self, kubeconfig: &Path, arguments: &[&str]) -> Result<Output> {
        let mut command = self.kubectl_command()?;
        command
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .output()
            .context("cannot start kubectl")
    }

    /// The real kubectl, to be given arguments and an environment.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn kubectl_command(&self) -> Result<Command> {
        let mut command = Command::new(Program::Kubectl.find()?);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.work_folder());
        Ok(command)
    }

    /// Writes a shell script that can be run, such as an exec plugin, and returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn script(&self, name: &str, body: &str) -> Result<PathBuf> {
        let text = self.work_folder().join(format!("{name}.text"));
        let path = self.work_folder().join(name);
        std::fs::write(&text, format!("#!/bin/sh\n{body}\n"))?;
        // Another process writes it: while one of ours is being started, it might still hold a
        // file open that we wrote, and Linux runs no file that is open for writing.
        let status = Command::new("install")
            .args(["-m", "755"])
            .args([&text, &path])
            .status()
            .context("cannot start install (coreutils)")?;
        ensure!(status.success(), "install: {status}");
        Ok(path)
    }

    pub(crate) fn take_port(&self) -> Result<u16> {
        self.ports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn wait<T>(
        &self,
        what: &str,
        check: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        self.wait_until(what, PATIENCE, check)
    }
}
