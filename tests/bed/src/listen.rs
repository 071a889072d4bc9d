//! A local listener of the bed's own: one thread accepts, one serves each connection.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

use crate::namespace;

/// A running listener. Dropped, its port is closed; connections that it has go on.
pub(crate) struct Listener {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Binds a free port, where pods can be, and gives each connection to `serve`, in a thread. Where
    /// that fails the connection is closed, which is all that a peer can see of it.
    pub(crate) fn start(
        name: &str,
        serve: impl Fn(TcpStream) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let socket = TcpListener::bind((namespace::address(), 0))
            .with_context(|| format!("no port for {name}"))?;
        let port = socket.local_addr()?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let serve = Arc::new(serve);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                for stream in socket.incoming().flatten() {
                    if stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    let serve = Arc::clone(&serve);
                    thread::spawn(move || drop(serve(stream)));
                }
            })?;
        let thread = Some(thread);
        Ok(Self { port, stop, thread })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Accepting blocks: one more connection makes it look.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
