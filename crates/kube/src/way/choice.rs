//! The proxy first, a forwarded port where the proxy does not do.

use std::sync::atomic::{AtomicBool, Ordering};

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{Answer, HttpCall, HttpReply, HttpWay};

use super::forward::ForwardWay;
use super::proxy::ProxyWay;

/// Two ways to one target.
pub(super) struct ChosenWay {
    proxy: ProxyWay,
    forward: ForwardWay,
    /// The forwarded port answered where the proxy did not.
    forwards: AtomicBool,
}

impl ChosenWay {
    pub(super) const fn new(proxy: ProxyWay, forward: ForwardWay) -> Self {
        Self {
            proxy,
            forward,
            forwards: AtomicBool::new(false),
        }
    }

    async fn send(&self, call: HttpCall) -> Result<HttpReply, SourceError> {
        if ProxyWay::swallows(&call) {
            let reply = self.forward.call(call).await?;
            self.forwards.store(true, Ordering::Relaxed);
            return Ok(reply);
        }
        if self.forwards.load(Ordering::Relaxed) {
            return self.forward.call(call).await;
        }
        let reply = self.proxy.call(call.clone()).await?;
        // 404: the proxy reads Endpoints only; the slices may know better. 503: the API server's network may not reach
        // pods; the kubelet does.
        if !(reply.from_the_way && matches!(reply.status, 403 | 404 | 503)) {
            return Ok(reply);
        }
        match self.forward.call(call).await {
            Ok(forwarded) => {
                self.forwards.store(true, Ordering::Relaxed);
                Ok(forwarded)
            }
            // Whoever reads the proxy's refusal learns of both ways, see `HttpReply::refusal`.
            Err(error) => {
                tracing::debug!(way = self.forward.shown(), %error, "no other way");
                Ok(reply)
            }
        }
    }
}

impl HttpWay for ChosenWay {
    fn shown(&self) -> &str {
        if self.forwards.load(Ordering::Relaxed) {
            self.forward.shown()
        } else {
            self.proxy.shown()
        }
    }

    fn call(&self, call: HttpCall) -> Answer<'_, HttpReply> {
        Box::pin(self.send(call))
    }
}
