//! An HTTP server of plain threads that answers as it is told, also wrongly, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A peer that is silent for this long is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Whole {
        /// Status code.
        status: u16,
        /// `Content-Type`.
        content_type: String,
        /// Body.
        body: Vec<u8>,
    },
    /// The head promises more body than comes before the connection closes.
    Cut(String),
    /// 200 and JSON that never ends.
    Endless,
    /// 200 and a body that does not begin, as a watch answers while nothing happens.
    Quiet,
    /// Nothing, for as long as the peer waits.
    Silence,
}

/// A running fake server on 127.0.0.1; ends when dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Request {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known == name)?;
        Some(value)
    }

    /// A parameter of the query or of a form in the body, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self
            .target
            .split_once('?')
            .map(|(_, query)| query.to_owned());
        let form = String::from_utf8_lossy(&self.body).into_owned();
        let pairs = [query.unwrap_or_default(), form].join("&");
        let found = pairs
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name);
        found.map(|(_, value)| decode(value))
    }

    /// Whether this could change something on a Kubernetes API server. Reviews of one's own rights are posted and change
    /// nothing; neither does a dry run.
    #[must_use]
    pub fn writes(&self) -> bool {
        let review = self.path().starts_with("/apis/auth");
        self.method != "GET" && !review && self.parameter("dryRun").is_none()
    }
}

impl Reply {
    /// JSON with this status.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// Text of this type with this status.
    #[must_use]
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self::Whole {
            status,
            content_type: content_type.to_owned(),
            body: body.as_bytes().to_vec(),
        }
    }
}

impl Fake {
    /// Starts it. `answer` is called for each request, from several threads.
    ///
    /// # Errors
    /// If no port can be bound.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a fake server")?;
        let address = listener.local_addr()?;
        let (seen, stop) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(AtomicBool::new(false)),
        );
        let (log, ended) = (Arc::clone(&seen), Arc::clone(&stop));
        let answer = Arc::new(answer);
        let thread = thread::spawn(move || {
            for peer in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let (log, answer, ended) =
                    (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&ended));
                // A peer that breaks off harms nobody.
                thread::spawn(move || drop(serve(peer, &log, &*answer, &ended)));
            }
        });
        Ok(Self {
            address,
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// Its base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The requests that could have changed something.
    #[must_use]
    pub fn writes(&self) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(Request::writes)
            .collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(
    peer: TcpStream,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Reply,
    ended: &AtomicBool,
) -> Result<()> {
    peer.set_read_timeout(Some(PATIENCE))?;
    peer.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(peer);
    let request = receive(&mut reader)?;
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    let reply = answer(&request);
    let mut peer = reader.into_inner();
    let head = |status: u16, content_type: &str, length: Option<usize>| {
        let length = length
            .map(|n| format!("content-length: {n}\r\n"))
            .unwrap_or_default();
        format!(
            "HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\n{length}connection: close\r\n\r\n"
        )
    };
    match reply {
        Reply::Whole {
            status,
            content_type,
            body,
        } => {
            peer.write_all(head(status, &content_type, Some(body.len())).as_bytes())?;
            peer.write_all(&body)?;
        }
        Reply::Cut(body) => {
            peer.write_all(head(200, "application/json", Some(body.len() + 1_000)).as_bytes())?;
            peer.write_all(body.as_bytes())?;
        }
        Reply::Endless => {
            peer.write_all(head(200, "application/json", None).as_bytes())?;
            peer.write_all(br#"{"status":"success","data":{"resultType":"vector","result":["#)?;
            let chunk = br#"{"metric":{"source_workload":"a"},"value":[1,"1"]},"#.repeat(1_000);
            while !ended.load(Ordering::SeqCst) {
                peer.write_all(&chunk)?;
            }
        }
        // The peer's own end is the end of the wait.
        Reply::Quiet => {
            peer.write_all(head(200, "application/json", None).as_bytes())?;
            let _the_end = peer.read(&mut [0; 16])?;
        }
        Reply::Silence => {
            let _the_end = peer.read(&mut [0; 16])?;
        }
    }
    Ok(())
}

fn receive(reader: &mut BufReader<TcpStream>) -> Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let mut next = || words.next().map(str::to_owned).context("no request line");
    let mut request = Request {
        method: next()?,
        target: next()?,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse()?;
        }
        request.headers.push((name, value));
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(request)
}

/// Undoes the encoding of a form.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| char::from(digit.unwrap_or(b'0')).to_digit(16).unwrap_or(0);
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => u8::try_from(hex(rest.next()) * 16 + hex(rest.next())).unwrap_or(b'?'),
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
