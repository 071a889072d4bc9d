//! An API server on loopback with one pod whose port is forwarded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use kube::{Client, Config};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::age::tests::still;
use crate::mock::{facts, status};
use crate::source::KubeSource;
use crate::transport::{Connector, Transport};

/// What the pod's port does.
#[derive(Clone)]
pub(super) enum Port {
    /// The API server does not forward it.
    Forbidden,
    /// The kubelet says this on the error channel.
    Refuses(String),
    /// The pod answers these bytes and closes.
    Answers(Vec<u8>),
}

type Answer = dyn Fn(&str) -> (u16, Value) + Send + Sync;

struct Shared {
    answer: Box<Answer>,
    port: Port,
    heads: Mutex<Vec<String>>,
    forwarded: Mutex<Vec<String>>,
}

/// Stops with the test.
pub(super) struct Loopback {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Loopback {
    pub(super) async fn start(
        answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static,
        port: Port,
    ) -> Self {
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            port,
            heads: Mutex::default(),
            forwarded: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    pub(super) fn source(&self) -> KubeSource {
        let mut config = Config::new(self.address.parse().unwrap());
        // As `connect` has it: a target's 503 is an answer, not a reason to ask for half a minute.
        config.default_retry = false;
        let client = Client::try_from(config).unwrap();
        let transport = Transport::new(Connector::Fixed(client), Duration::from_secs(20), still());
        KubeSource::new(transport, facts(), Vec::new())
    }

    /// Heads of the requests to the API server.
    pub(super) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    /// Their first lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let first = |head: String| head.lines().next().unwrap_or_default().to_owned();
        self.heads().into_iter().map(first).collect()
    }

    /// What arrived at the pod.
    pub(super) fn forwarded(&self) -> Vec<String> {
        self.shared.forwarded.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut peeked = vec![0; 16 * 1024];
    let head = loop {
        let n = stream.peek(&mut peeked).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&peeked[..n]).into_owned();
        if n == 0 {
            return;
        }
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            break format!("{head}\r\n\r\n");
        }
        tokio::task::yield_now().await;
    };
    shared.heads.lock().unwrap().push(head.clone());
    let is_forward = head.contains("/portforward");
    if is_forward && !matches!(shared.port, Port::Forbidden) {
        return forward(stream, &shared).await;
    }
    let mut request = Vec::new();
    while body_of(&request).is_none() {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.unwrap();
        assert!(n > 0, "half a request");
        request.extend_from_slice(&chunk[..n]);
    }
    let (code, value) = if is_forward {
        (
            403,
            status(403, "Forbidden", "pods/portforward is forbidden"),
        )
    } else {
        (shared.answer)(head.lines().next().unwrap_or_default())
    };
    let body = value.to_string();
    let n = body.len();
    let answer = format!(
        "HTTP/1.1 {code} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {n}\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// The body of a whole request.
fn body_of(request: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let length = lines.find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    let length = length.map_or(0, |length| length.parse().unwrap());
    (body.len() >= length).then(|| body.to_owned())
}

#[expect(
    clippy::result_large_err,
    reason = "the callback's type is the library's"
)]
async fn forward(stream: TcpStream, shared: &Shared) {
    let accept = |_: &Request, mut response: Response| {
        let protocol = "v4.channel.k8s.io".parse().unwrap();
        response
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, accept)
        .await
        .unwrap();
    for channel in [0_u8, 1] {
        let [low, high] = 19090_u16.to_le_bytes();
        socket
            .send(Message::binary(vec![channel, low, high]))
            .await
            .unwrap();
    }
    let mut request = Vec::new();
    while body_of(&request).is_none() {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => request.extend_from_slice(&bytes[1..]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    shared.forwarded.lock().unwrap().push(text);
    match &shared.port {
        Port::Forbidden => {}
        Port::Refuses(text) => {
            let message = [&[1], text.as_bytes()].concat();
            let _sent = socket.send(Message::binary(message)).await;
        }
        Port::Answers(bytes) => {
            for chunk in bytes.chunks(1000) {
                let _sent = socket.send(Message::binary([&[0], chunk].concat())).await;
            }
        }
    }
    let _closed = socket.close(None).await;
}
