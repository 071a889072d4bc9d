//! `demo`: the embedded mesh for others: its metrics for a Prometheus to scrape.

use std::sync::Arc;
use std::time::Duration;

use pilothouse_demo::DemoMesh;
use pilothouse_engine::system_clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use pilothouse_connect::{SourceArgs, demo::remembered_mesh};

use crate::args::DemoArgs;
use crate::failure::{Exit, Failure};
use crate::output;

/// Longest request head that is read.
const LARGEST_HEAD: usize = 16 << 10;
/// A peer that says nothing for this long is hung up on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves `/metrics` until Ctrl-C. The address is printed once it is bound.
pub(crate) async fn run(sources: &SourceArgs, args: &DemoArgs) -> Result<Exit, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::other(format!("listening on {}: {error}", args.metrics_listen))
    };
    let listener = TcpListener::bind(args.metrics_listen)
        .await
        .map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let mesh = remembered_mesh(sources, system_clock())?;
    output::text(&format!("http://{address}/metrics"))?;
    loop {
        let (peer, _) = listener.accept().await.map_err(cannot)?;
        let mesh = Arc::clone(&mesh);
        tokio::spawn(async move {
            // A peer that breaks off harms nobody but itself.
            let _answered = timeout(PATIENCE, answer(peer, &mesh)).await;
        });
    }
}

async fn answer(mut peer: TcpStream, mesh: &DemoMesh) -> std::io::Result<()> {
    let head = read_head(&mut peer).await?;
    let wanted = head
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|path| path.split('?').next());
    let (status, body) = match wanted {
        Some("/metrics") => ("200 OK", mesh.exposition((system_clock())())),
        _ => ("404 Not Found", "only /metrics is here\n".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    peer.write_all(head.as_bytes()).await?;
    peer.write_all(body.as_bytes()).await?;
    peer.shutdown().await
}

async fn read_head(peer: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LARGEST_HEAD {
        let read = peer.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        head.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
