//! The bed's child processes and its work folder: nothing of either outlives the bed.
//!
//! A child is started through `setpriv --pdeathsig KILL` (util-linux), so the kernel ends it when
//! the *thread* that started it ends. That thread is one of the bed's own ([`Processes`]): it lives
//! until the bed is dropped, whichever test thread asked, and ends with the process however that
//! dies. The work folder is removed by a `sh` that waits for the other end of a pipe to close,
//! which also happens however the process dies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::{env, io, process, thread};

use anyhow::{Context, Result, ensure};

use crate::clock;

/// The temporary folder of one bed: configurations, data and logs.
pub(crate) struct WorkFolder {
    path: PathBuf,
    /// Waits on its stdin; `None` when the folder is to be kept.
    sweeper: Option<Child>,
}

/// The running servers, in the order of their start.
pub(crate) struct Processes {
    work: PathBuf,
    /// `None` once stopped.
    starter: Option<(Sender<Order>, JoinHandle<()>)>,
    running: Mutex<Vec<Running>>,
}

/// How a server is started, the first time and again.
#[derive(Clone)]
struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

struct Running {
    launch: Launch,
    /// `None` after [`Processes::kill`].
    child: Option<Child>,
}

struct Order {
    command: Command,
    reply: Sender<io::Result<Child>>,
}

impl WorkFolder {
    pub(crate) fn create(keep: bool) -> Result<Self> {
        let unique = clock::since_epoch().subsec_micros();
        let path = env::temp_dir().join(format!("pilothouse-bed-{}-{unique}", process::id()));
        fs::create_dir_all(path.join("logs"))
            .with_context(|| format!("cannot create {}", path.display()))?;
        let sweeper = if keep { None } else { Some(sweep(&path)?) };
        Ok(Self { path, sweeper })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if let Some(mut sweeper) = self.sweeper.take() {
            // The end of its input is the sign to sweep.
            drop(sweeper.stdin.take());
            drop(sweeper.wait());
        }
    }
}

impl Processes {
    pub(crate) fn new(work: &Path) -> Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let thread = thread::Builder::new()
            .name("bed-starter".to_owned())
            .spawn(move || {
                for Order { mut command, reply } in inbox {
                    drop(reply.send(command.spawn()));
                }
            })?;
        let starter = Some((orders, thread));
        Ok(Self {
            work: work.to_owned(),
            starter,
            running: Mutex::default(),
        })
    }

    /// Starts a server in the work folder, its output in `logs/NAME.log`.
    pub(crate) fn start(
        &self,
        name: &str,
        program: &Path,
        arguments: &[String],
        variables: &[(&'static str, String)],
    ) -> Result<()> {
        let launch = Launch {
            name: name.to_owned(),
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            variables: variables.to_vec(),
        };
        let child = Some(self.spawn(&launch)?);
        self.lock().push(Running { launch, child });
        Ok(())
    }

    /// Ends one server, as a crash would.
    pub(crate) fn kill(&self, name: &str) -> Result<()> {
        let child = self.find(name, |running| running.child.take())?;
        end(&mut child.with_context(|| format!("{name} does not run"))?);
        Ok(())
    }

    /// Stops a server in its tracks (SIGSTOP), or lets it go on (SIGCONT).
    pub(crate) fn signal(&self, name: &str, signal: &str) -> Result<()> {
        let pid = self.find(name, |running| running.child.as_ref().map(Child::id))?;
        let pid = pid.with_context(|| format!("{name} does not run"))?;
        let status = Command::new("sh")
            .args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &pid.to_string()])
            .status()
            .context("cannot start sh")?;
        ensure!(status.success(), "no {signal} for {name}: {status}");
        Ok(())
    }

    /// Starts a killed server again.
    pub(crate) fn restart(&self, name: &str) -> Result<()> {
        let launch = self.find(name, |running| {
            running.child.is_none().then(|| running.launch.clone())
        })?;
        let child = self.spawn(&launch.with_context(|| format!("{name} still runs"))?)?;
        self.find(name, |running| running.child = Some(child))
    }

    /// An error naming the first server that has ended by itself, with the end of its log.
    pub(crate) fn check(&self) -> Result<()> {
        let ended = self
            .lock()
            .iter_mut()
            .find_map(|Running { launch, child }| {
                let status = child.as_mut()?.try_wait().ok()??;
                Some((launch.name.clone(), status))
            });
        let Some((name, status)) = ended else {
            return Ok(());
        };
        Err(self.epitaph(&name, status))
    }

    /// Name and process id of each that runs.
    pub(crate) fn pids(&self) -> Vec<(String, u32)> {
        let running = self.lock();
        let pid = |one: &Running| Some((one.launch.name.clone(), one.child.as_ref()?.id()));
        running.iter().filter_map(pid).collect()
    }

    pub(crate) fn stop(&mut self) {
        // Last started, first ended, so that none complains about those it needs. All data is
        // thrown away, which is why none is asked politely.
        for running in self.lock().drain(..).rev() {
            if let Some(mut child) = running.child {
                end(&mut child);
            }
        }
        if let Some((orders, thread)) = self.starter.take() {
            drop(orders);
            drop(thread.join());
        }
    }

    fn spawn(&self, launch: &Launch) -> Result<Child> {
        let Launch {
            name,
            program,
            arguments,
            variables,
        } = launch;
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log(name));
        let log = log.with_context(|| format!("cannot log {name}"))?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .envs(variables.iter().map(|(key, value)| (key, value)))
            .current_dir(&self.work)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let (orders, _) = self.starter.as_ref().context("the bed has stopped")?;
        let (reply, answer) = mpsc::channel();
        orders.send(Order { command, reply })?;
        let child = answer.recv()?;
        child.with_context(|| format!("cannot start {name} through setpriv (package util-linux)"))
    }

    fn find<T>(&self, name: &str, action: impl FnOnce(&mut Running) -> T) -> Result<T> {
        let mut all = self.lock();
        let found = all.iter_mut().find(|running| running.launch.name == name);
        found
            .map(action)
            .with_context(|| format!("no server {name}"))
    }

    fn epitaph(&self, name: &str, status: ExitStatus) -> anyhow::Error {
        let log = fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(15)..)
            .unwrap_or_default()
            .join("\n  ");
        anyhow::anyhow!("{name} ended with {status}; the end of its log:\n  {tail}")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.work.join("logs").join(format!("{name}.log"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Resident memory of these processes in MB, as the kernel counts it (shared pages each time).
pub(crate) fn memory_mb(pids: &[(String, u32)]) -> u64 {
    let kilobytes = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    pids.iter()
        .filter_map(|(_, pid)| kilobytes(pid))
        .sum::<u64>()
        / 1000
}

fn sweep(path: &Path) -> Result<Child> {
    // Servers killed a moment ago may still hold a file open: hence the second try.
    let script = r#"cat; rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "sweeper"]).arg(path);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C at the terminal must not end it before it has swept.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().context("cannot start sh")
}

fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}
