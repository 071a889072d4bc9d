//! HTTP/1.1 over a port-forward stream to a pod, in this process: no socket listens.
//!
//! One stream a request. Plain HTTP only: TLS to a pod would need a name to check its certificate by.

use std::convert::Infallible;
use std::future::pending;
use std::io::Read;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::read::GzDecoder;
use futures::FutureExt;
use futures::future::{Either, select};
use http::Request;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, HOST, HeaderValue};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer, HttpCall, HttpReply, HttpWay};
use tokio::io::DuplexStream;

use super::pod::{self, PodPort};
use super::proxy::build;
use super::reply;
use super::target::{Scheme, Target};
use crate::failure::{CallError, Refusal, client_error, failed};
use crate::transport::Transport;

/// A forwarded port of one target.
pub(super) struct ForwardWay {
    transport: Arc<Transport>,
    target: Target,
    shown: String,
    /// The pod that answered last.
    pod: Mutex<Option<PodPort>>,
}

/// Ends kube's task with the request, whatever became of it.
struct Stream(Portforwarder);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ForwardWay {
    pub(super) fn new(transport: Arc<Transport>, target: Target) -> Self {
        let shown = format!("{} through a forwarded port", target.text());
        Self {
            transport,
            target,
            shown,
            pod: Mutex::new(None),
        }
    }

    async fn send(&self, call: HttpCall) -> Result<HttpReply, SourceError> {
        if self.target.scheme == Scheme::Https {
            return Err(self.named(
                failed(SourceErrorKind::BadConfiguration, "it speaks TLS").with_hint(
                    "only the API server's proxy reaches it; or give the server's own address",
                ),
            ));
        }
        let path = self.target.path_on_target(&call.path)?;
        let mut request = build(&call, &path)?.map(|body| Full::new(Bytes::from(body)));
        self.set_own_headers(&mut request)?;
        let known = self.known();
        let result = match known {
            Some(pod) => match self.once(&pod, &request, call.max_body_bytes).await {
                // It may be gone: another pod stands in for it.
                Err(CallError::Refused(_) | CallError::Unsent(_)) => None,
                result => Some(result),
            },
            None => None,
        };
        let result = match result {
            Some(result) => result,
            None => {
                self.remember(None);
                let pod = pod::find(&self.transport, &self.target).await;
                let pod = pod.map_err(|error| self.named(error))?;
                let result = self.once(&pod, &request, call.max_body_bytes).await;
                if result.is_ok() {
                    self.remember(Some(pod));
                }
                result
            }
        };
        result.map_err(|error| self.failure(error))
    }

    async fn once(
        &self,
        pod: &PodPort,
        request: &Request<Full<Bytes>>,
        max_bytes: usize,
    ) -> Result<HttpReply, CallError> {
        let exchange = |client: kube::Client| async move {
            let pods = Api::<Pod>::namespaced(client, &self.target.namespace);
            let forwarder = pods.portforward(&pod.pod, &[pod.port]).await;
            let mut stream = Stream(forwarder.map_err(|error| upgrade_error(&error))?);
            let lost = || unreachable("the stream has no such port");
            let io = stream.0.take_stream(pod.port).ok_or_else(lost)?;
            let refused = stream.0.take_error(pod.port).ok_or_else(lost)?;
            let mut refused = pin!(refused.then(|text| async {
                match text {
                    Some(text) => text,
                    None => pending().await,
                }
            }));
            let talk = pin!(talk(io, request.clone(), max_bytes));
            let result = match select(talk, refused.as_mut()).await {
                Either::Left((result, _)) => result,
                Either::Right((text, _)) => return Err(unreachable(&text)),
            };
            // The kubelet's reason and the end of the stream arrive together.
            match (result, refused.now_or_never()) {
                (Err(CallError::Unsent(_)), Some(text)) => Err(unreachable(&text)),
                (result, _) => result,
            }
        };
        self.transport.exchange(exchange).await
    }

    fn set_own_headers(&self, request: &mut Request<Full<Bytes>>) -> Result<(), SourceError> {
        let Target {
            namespace,
            name,
            port,
            ..
        } = &self.target;
        // As a caller inside the cluster would name it; servers that check the name know this one.
        let host = HeaderValue::from_str(&match port.parse::<u16>() {
            Ok(port) => format!("{name}.{namespace}.svc:{port}"),
            Err(_) => format!("{name}.{namespace}.svc"),
        });
        let host = host.map_err(|_| failed(SourceErrorKind::BadConfiguration, "odd host name"))?;
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(())
    }

    fn known(&self) -> Option<PodPort> {
        let pod = self.pod.lock().unwrap_or_else(PoisonError::into_inner);
        pod.clone()
    }

    fn remember(&self, pod: Option<PodPort>) {
        *self.pod.lock().unwrap_or_else(PoisonError::into_inner) = pod;
    }

    fn named(&self, mut error: SourceError) -> SourceError {
        error.message = format!("cannot ask {}: {}", self.shown, error.message);
        error
    }

    fn failure(&self, error: CallError) -> SourceError {
        match error {
            CallError::Refused(refusal) => {
                let asking = format!("cannot reach {}", self.shown);
                let reply = reply::of_refusal(&refusal);
                let refused = reply.refusal(SourceKind::ControlPlane, &asking);
                refused.unwrap_or_else(|| failed(SourceErrorKind::BadAnswer, refusal.message))
            }
            CallError::Unsent(error) | CallError::Lost(error) => self.named(error),
        }
    }
}

impl HttpWay for ForwardWay {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn call(&self, call: HttpCall) -> Answer<'_, HttpReply> {
        Box::pin(self.send(call))
    }
}

/// One request and its whole answer on a stream.
async fn talk(
    io: DuplexStream,
    request: Request<Full<Bytes>>,
    max_bytes: usize,
) -> Result<HttpReply, CallError> {
    let shaken = http1::handshake(TokioIo::new(io)).await;
    let (mut sender, connection) = shaken.map_err(|error| broken(&error))?;
    let work = pin!(async {
        let sent = sender.send_request(request).await;
        let (parts, body) = sent.map_err(|error| broken(&error))?.into_parts();
        let body = reply::read_body(body, max_bytes, cut_off).await?;
        Ok::<_, CallError>((parts, body))
    });
    // The connection must be driven until the answer is read, also past its own end.
    let driver = pin!(async {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a forwarded connection broke");
        }
        pending::<Infallible>().await
    });
    let (parts, body) = match select(work, driver).await {
        Either::Left((done, _)) => done?,
        Either::Right((never, _)) => match never {},
    };
    let encoding = parts.headers.get(CONTENT_ENCODING);
    let body = match encoding.map(HeaderValue::as_bytes) {
        Some(name) if name.eq_ignore_ascii_case(b"gzip") => unzip(body, max_bytes).await?,
        _ => body,
    };
    Ok(HttpReply {
        status: parts.status.as_u16(),
        content_type: reply::content_type(&parts),
        body,
        from_the_way: false,
    })
}

/// Not on an async thread: megabytes take milliseconds.
async fn unzip(body: Vec<u8>, max_bytes: usize) -> Result<Vec<u8>, CallError> {
    let unzip = move || {
        let mut plain = Vec::new();
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        let mut reader = GzDecoder::new(body.as_slice()).take(limit.saturating_add(1));
        reader.read_to_end(&mut plain).map(|_| plain)
    };
    match tokio::task::spawn_blocking(unzip).await {
        Ok(Ok(plain)) if plain.len() > max_bytes => {
            Err(CallError::Lost(reply::too_large(max_bytes)))
        }
        Ok(Ok(plain)) => Ok(plain),
        Ok(Err(_)) | Err(_) => Err(CallError::Lost(failed(
            SourceErrorKind::BadAnswer,
            "the answer is said to be gzip and is not",
        ))),
    }
}

/// The request got no answer on this stream: another stream may do.
fn broken(error: &hyper::Error) -> CallError {
    unreachable(&format!("no HTTP answer from the pod: {error}"))
}

fn cut_off(error: &(dyn std::error::Error + 'static)) -> CallError {
    CallError::Lost(failed(
        SourceErrorKind::BadAnswer,
        format!("the answer of the pod was cut off: {error}"),
    ))
}

fn unreachable(why: &str) -> CallError {
    CallError::Unsent(
        failed(SourceErrorKind::Unreachable, why)
            .with_hint("check that the pod runs and listens on this port"),
    )
}

/// A refused upgrade without a `Status` still has its status code.
fn upgrade_error(error: &kube::Error) -> CallError {
    if let kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(
        code,
    )) = error
    {
        return CallError::Refused(Refusal::read(code.as_u16(), b""));
    }
    client_error(error)
}
