//! Asking at an address: TLS, redirects that stay on their origin, bodies read with a cap.

use std::path::Path;
use std::sync::Once;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Certificate, Identity, Method};

use super::address::BaseAddress;
use super::failure::{self, Target};
use super::{Answer, Backend, Parameters};
use crate::options::Tls;

/// Redirects followed before giving up.
const MAX_HOPS: usize = 5;

/// A server at an address.
pub(super) struct Direct {
    http: reqwest::Client,
    base: BaseAddress,
}

impl Direct {
    /// # Errors
    /// `BadConfiguration` if the certificates cannot be used.
    pub(super) fn new(backend: Backend, base: BaseAddress, tls: &Tls) -> Result<Self, SourceError> {
        install_crypto();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("pilothouse/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .gzip(true);
        let wrong = |what: &str, hint: &str| {
            SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!("preparing TLS for {}: {what}", base.shown()),
            )
            .with_hint(hint)
        };
        if !base.is_https() {
            // Plain HTTP must work on a machine without any CA certificates, and need not read them.
            builder = builder.tls_certs_only(std::iter::empty());
        } else if let Some(path) = &tls.ca {
            let certificates = certificates(path)
                .map_err(|what| wrong(&what, "give a PEM file with the CA's certificates"))?;
            builder = builder.tls_certs_only(certificates);
        }
        if let (true, Some(client)) = (base.is_https(), &tls.client) {
            let identity = identity(&client.certificate, &client.key).map_err(|what| {
                wrong(
                    &what,
                    "give PEM files with the client's certificate and its key",
                )
            })?;
            builder = builder.identity(identity);
        }
        let http = builder.build().map_err(|error| {
            wrong(
                &failure::root_cause(&error),
                "check that this machine has CA certificates (package ca-certificates), or give the CA's own",
            )
        })?;
        Ok(Self { http, base })
    }

    /// The address without credentials.
    pub(super) fn shown(&self) -> &str {
        self.base.shown()
    }

    /// How a question below the base path is named in messages.
    pub(super) fn target(&self, backend: Backend, path: &[&str], has_credentials: bool) -> Target {
        Target::new(backend, &self.base.join(path), has_credentials)
    }

    /// Sends a question. Any answer is `Ok`, whatever its status; a redirect to another origin is not.
    pub(super) async fn exchange(
        &self,
        path: &[&str],
        parameters: Parameters<'_>,
        headers: &HeaderMap,
        max_body_bytes: usize,
        target: &Target,
    ) -> Result<Answer, SourceError> {
        let mut url = self.base.join(path);
        let method = match parameters {
            Parameters::Query(query) => {
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                Method::GET
            }
            Parameters::Form(_) => Method::POST,
        };
        for _ in 0..=MAX_HOPS {
            let request = self.http.request(method.clone(), url.clone());
            let mut request = request.headers(headers.clone());
            if let Parameters::Form(form) = parameters {
                request = request.form(form);
            }
            let response = request.send().await.map_err(|e| target.not_sent(&e))?;
            let status = response.status();
            if !status.is_redirection() {
                return read(response, max_body_bytes, target).await;
            }
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|text| url.join(text).ok());
            // Only 307 and 308 ask for the same method again; the older ones turn a form into a bare GET.
            let repeatable = method == Method::GET || matches!(status.as_u16(), 307 | 308);
            match location {
                Some(next) if repeatable && self.base.same_origin(&next) => {
                    url = self.base.with_credentials(next);
                }
                next => return Err(target.redirected(status.as_u16(), next.as_ref())),
            }
        }
        Err(target.redirected_too_often())
    }
}

async fn read(
    mut response: reqwest::Response,
    max_body_bytes: usize,
    target: &Target,
) -> Result<Answer, SourceError> {
    let status = response.status().as_u16();
    let content_type = response
        .headers()
        .get(reqwest::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let mut body = Vec::new();
    // Chunks come out of the decompressor: a small compressed body cannot become an endless one.
    while let Some(chunk) = response.chunk().await.map_err(|e| target.broke_off(&e))? {
        if body.len().saturating_add(chunk.len()) > max_body_bytes {
            return Err(target.too_large(max_body_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer::new(target.clone(), status, content_type, body))
}

/// The certificates of a PEM file. Messages name the file, never what is in it.
fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let certificates = Certificate::from_pem_bundle(&contents(path)?)
        .map_err(|_| format!("{} is no PEM file", path.display()))?;
    if certificates.is_empty() {
        return Err(format!("{} holds no certificate", path.display()));
    }
    Ok(certificates)
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, String> {
    let mut pem = contents(certificate)?;
    if certificate != key {
        pem.push(b'\n');
        pem.extend(contents(key)?);
    }
    Identity::from_pem(&pem).map_err(|_| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("{certificate} and {key} hold no certificate with its key")
    })
}

fn contents(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Names ring as the process's TLS provider. An earlier choice, by us or by the program, stays.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("a TLS provider was already installed");
        }
    });
}

#[cfg(test)]
mod tests;
