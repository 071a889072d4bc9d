//! What stands between a client and an API server in a company's network: an HTTP proxy, and a
//! gate that lets through, answers with a web page, or falls silent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::{self, Connection};
use crate::listen::Listener;
use crate::pki::Identity;
use crate::tls;

/// What the page of [`Passage::Page`] says.
const PAGE: &str = "<!doctype html><html><head><title>Sign in</title></head>\
    <body><h1>502 Bad Gateway</h1><p>The upstream is not reachable.</p></body></html>";

/// An HTTP proxy that knows CONNECT alone. Whatever host it is asked for, it connects to one port
/// of this machine: a client that gives a host that nobody can resolve has proven that it asked.
pub struct ConnectProxy {
    listener: Listener,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A port that stands for an API server's, with a gate keeper.
pub struct Gate {
    listener: Listener,
    state: Arc<Mutex<GateState>>,
}

/// What a [`Gate`] does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Bytes go to the server and back, TLS and all.
    Open,
    /// A web page (502, `text/html`) for every request, over TLS that the cluster's authority
    /// vouches for.
    Page,
    /// Connections are closed at once.
    Shut,
    /// Connections are taken and nothing is ever answered.
    Silent,
}

struct GateState {
    passage: Passage,
    /// Both ends of each connection, to cut it when the passage changes.
    open: Vec<TcpStream>,
}

impl ConnectProxy {
    /// Listens on a free port and leads to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: u16) -> Result<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let listener =
            Listener::start("connect-proxy", move |stream| tunnel(stream, target, &seen))?;
        Ok(Self { listener, asked })
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// `host:port` of each CONNECT so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

impl Gate {
    pub(crate) fn start(target: u16, identity: &Identity) -> Result<Self> {
        let tls = Arc::new(tls::server(identity, None)?);
        let state = Arc::new(Mutex::new(GateState {
            passage: Passage::Open,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let listener = Listener::start("gate", move |stream| pass(stream, target, &tls, &shared))?;
        Ok(Self { listener, state })
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Changes what happens from now on; connections of before are cut.
    pub fn set(&self, passage: Passage) {
        let mut state = lock(&self.state);
        state.passage = passage;
        for stream in state.open.drain(..) {
            // One that has ended already is as good as cut.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn tunnel(stream: TcpStream, target: u16, asked: &Mutex<Vec<String>>) -> Result<()> {
    let mut client = Connection::new(stream.try_clone()?);
    let request = client.receive()?.context("no request")?;
    if request.method != "CONNECT" {
        client.write(&http::response(405, &[], b""))?;
        return Ok(());
    }
    lock(asked).push(request.target);
    let server = TcpStream::connect(("127.0.0.1", target))?;
    client.write(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    splice(stream, server)?;
    Ok(())
}

fn pass(
    stream: TcpStream,
    target: u16,
    tls: &Arc<ServerConfig>,
    state: &Mutex<GateState>,
) -> Result<()> {
    let passage = {
        let mut state = lock(state);
        state.open.push(stream.try_clone()?);
        state.passage
    };
    match passage {
        Passage::Shut => stream.shutdown(Shutdown::Both)?,
        Passage::Silent => {
            // Until the client gives up or the passage changes.
            io::copy(&mut &stream, &mut io::sink())?;
        }
        Passage::Page => {
            let session = ServerConnection::new(Arc::clone(tls))?;
            let mut client = Connection::new(StreamOwned::new(session, stream));
            while client.receive()?.is_some() {
                let html = [("content-type", "text/html; charset=utf-8")];
                client.write(&http::response(502, &html, PAGE.as_bytes()))?;
            }
        }
        Passage::Open => {
            // Closed by hand: `open` has another handle of it.
            let server = TcpStream::connect(("127.0.0.1", target))
                .inspect_err(|_| drop(stream.shutdown(Shutdown::Both)))?;
            lock(state).open.push(server.try_clone()?);
            splice(stream, server)?;
        }
    }
    Ok(())
}

/// Both directions until both have ended.
fn splice(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let upstream = thread::spawn(move || copy(from_client, to_server));
    let downstream = copy(server, client);
    drop(upstream.join());
    downstream
}

fn copy(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return to.shutdown(Shutdown::Write);
        }
        to.write_all(buffer.get(..n).unwrap_or_default())?;
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
