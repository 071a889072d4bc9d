//! Asking through a way that somebody else provides: the same questions, without an address.
//!
//! Owns how a question becomes an [`HttpCall`]. Does not know how the way works.

use std::sync::Arc;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::{HttpCall, HttpWay};
use reqwest::Url;
use reqwest::header::HeaderMap;

use super::failure::Target;
use super::{Answer, Backend, Parameters};
use crate::options::Tls;

/// A way, and where the API begins at its end.
pub(super) struct Lent {
    way: Arc<dyn HttpWay>,
    /// Escapes paths and queries; its host is never asked.
    root: Url,
    shown: String,
}

impl Lent {
    /// # Errors
    /// `BadConfiguration` if the base path is none, or if there are certificates, which would be left out.
    pub(super) fn new(
        backend: Backend,
        way: Arc<dyn HttpWay>,
        base_path: &str,
        tls: &Tls,
    ) -> Result<Self, SourceError> {
        let path = base_path.trim().trim_matches('/');
        let wrong = || {
            SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!(
                    "`{base_path}` cannot be the base path of {} at {}",
                    backend.product,
                    way.shown()
                ),
            )
            .with_hint("give only the path up to where the API begins, e.g. /prometheus")
        };
        if path.contains(['?', '#', '@']) || path.contains("://") {
            return Err(wrong());
        }
        if tls.ca.is_some() || tls.client.is_some() {
            return Err(SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!(
                    "certificates cannot be used for {} at {}",
                    backend.product,
                    way.shown()
                ),
            )
            .with_hint("take them away, or give the server's own address"));
        }
        let root = Url::parse(&format!("http://way/{path}")).map_err(|_| wrong())?;
        let shown = match root.path() {
            "/" => way.shown().to_owned(),
            path => format!("{}, {path}", way.shown()),
        };
        Ok(Self { way, root, shown })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// How a question below the base path is named in messages.
    pub(super) fn target(&self, backend: Backend, path: &[&str], has_credentials: bool) -> Target {
        let at = format!("{}, {}", self.way.shown(), self.join(path).path());
        Target::named(backend, at, has_credentials)
    }

    /// Sends a question. Any answer of the server is `Ok`, whatever its status; a refusal by the way is not.
    pub(super) async fn exchange(
        &self,
        path: &[&str],
        parameters: Parameters<'_>,
        headers: &HeaderMap,
        max_body_bytes: usize,
        target: &Target,
    ) -> Result<Answer, SourceError> {
        let mut call = self.question(path, parameters);
        call.max_body_bytes = max_body_bytes;
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            call.headers.push((name.as_str().to_owned(), value));
        }
        let sent = self.way.call(call).await;
        let reply = sent.map_err(|error| {
            // Told as a failure of what was asked: the way serves several sources.
            target
                .fail(error.kind, &error.message)
                .with_hint(error.hint)
        })?;
        if let Some(refusal) = target.refusal(&reply) {
            return Err(refusal);
        }
        if reply.body.len() > max_body_bytes {
            return Err(target.too_large(max_body_bytes));
        }
        if matches!(reply.status, 300..=399) {
            return Err(target.redirected_on_a_way(reply.status));
        }
        Ok(Answer::new(
            target.clone(),
            reply.status,
            reply.content_type,
            reply.body,
        ))
    }

    fn question(&self, path: &[&str], parameters: Parameters<'_>) -> HttpCall {
        let mut url = self.join(path);
        let (Parameters::Query(pairs) | Parameters::Form(pairs)) = parameters;
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let encoded = url.query().unwrap_or_default();
        match parameters {
            Parameters::Query(_) => HttpCall {
                path: url.query().map_or_else(
                    || url.path().to_owned(),
                    |query| format!("{}?{query}", url.path()),
                ),
                ..HttpCall::default()
            },
            Parameters::Form(_) => HttpCall {
                post: true,
                path: url.path().to_owned(),
                headers: vec![(
                    "content-type".to_owned(),
                    "application/x-www-form-urlencoded".to_owned(),
                )],
                body: encoded.as_bytes().to_vec(),
                ..HttpCall::default()
            },
        }
    }

    fn join(&self, path: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

#[cfg(test)]
mod tests;
