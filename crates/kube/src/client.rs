//! From a configuration to a client that sends.
//!
//! Builds what `kube` would build, but for TLS, where Go and so kubectl take more: a client certificate of X.509 version
//! 1 (what `openssl x509 -req` makes), and a server that shows the very certificate that the kubeconfig trusts, though it
//! is one of an authority.
//!
//! Source: `ClientBuilder::try_from` of kube 5.0; `crypto/x509` of Go, which takes a certificate that is among the roots.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Uri};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::{Client, Config};
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::default_provider;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::decompression::DecompressionLayer;

use crate::login::{ClientCertificate, unescaped};
use crate::pem;
use crate::transport::Access;

mod verifier;

/// A client that shows this certificate if it is asked for one, and this header with every request.
pub(crate) fn build(
    config: &Config,
    certificate: Option<&ClientCertificate>,
    access: Access,
) -> Result<Client, String> {
    let tls = tls(config, certificate)?;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let Some(proxy) = config.proxy_url.clone() else {
        return over(http, &tls, config, access);
    };
    match proxy.scheme_str() {
        Some("socks5") => over(SocksV5::new(proxy, http), &tls, config, access),
        Some("https") => {
            let way = https(http, &tls, config)?;
            over(
                with_password(&proxy, Tunnel::new(proxy.clone(), way)),
                &tls,
                config,
                access,
            )
        }
        _ => over(
            with_password(&proxy, Tunnel::new(proxy.clone(), http)),
            &tls,
            config,
            access,
        ),
    }
}

/// The client on this way to the server.
fn over<C>(way: C, tls: &ClientConfig, config: &Config, access: Access) -> Result<Client, String>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: std::error::Error + Send + Sync + 'static,
{
    let mut way = TimeoutConnector::new(https(way, tls, config)?);
    way.set_connect_timeout(config.connect_timeout);
    way.set_read_timeout(config.read_timeout);
    way.set_write_timeout(config.write_timeout);
    let client: hyper_util::client::legacy::Client<_, Body> =
        Builder::new(TokioExecutor::new()).build(way);
    let authorized = service_fn(move |mut request: Request<Body>| {
        let (client, access) = (client.clone(), access.clone());
        async move {
            if let Some(header) = access.header().await {
                request.headers_mut().insert(AUTHORIZATION, header);
            }
            client.oneshot(request).await
        }
    });
    let headers = config
        .extra_headers_layer()
        .map_err(|error| error.to_string())?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .layer(headers)
        .map_err(BoxError::from)
        .service(authorized);
    Ok(ClientBuilder::new(service, "default").build())
}

fn https<C>(way: C, tls: &ClientConfig, config: &Config) -> Result<HttpsConnector<C>, String> {
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http();
    let builder = match &config.tls_server_name {
        None => builder,
        Some(name) => {
            let name = ServerName::try_from(name.clone())
                .map_err(|_| "its tls-server-name is no name of a server")?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
    };
    Ok(builder.enable_http1().wrap_connector(way))
}

/// Sends the password that stands in the proxy's address.
fn with_password<C>(proxy: &Uri, tunnel: Tunnel<C>) -> Tunnel<C> {
    let user_info = proxy
        .authority()
        .and_then(|authority| authority.as_str().rsplit_once('@'));
    let Some((user_info, _)) = user_info else {
        return tunnel;
    };
    let encoded = BASE64.encode(unescaped(user_info));
    match HeaderValue::from_str(&format!("Basic {encoded}")) {
        Ok(mut header) => {
            header.set_sensitive(true);
            tunnel.with_auth(header)
        }
        Err(_) => tunnel,
    }
}

fn tls(config: &Config, certificate: Option<&ClientCertificate>) -> Result<ClientConfig, String> {
    let mut tls = match &config.root_cert {
        Some(roots) if !config.accept_invalid_certs => trusting(roots)?,
        _ => config
            .rustls_client_config()
            .map_err(|error| error.to_string())?,
    };
    if let Some(certificate) = certificate {
        tls.client_auth_cert_resolver = Arc::new(Shown(Arc::new(certified(certificate)?)));
    }
    Ok(tls)
}

fn trusting(roots: &[Vec<u8>]) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let verifier = verifier::of(roots)?;
    let builder = builder.dangerous();
    Ok(builder
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn certified(certificate: &ClientCertificate) -> Result<CertifiedKey, String> {
    let chain = pem::certificates(certificate.chain.as_bytes());
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = pem::blocks(certificate.key.as_bytes());
    let key = key.into_iter().next().ok_or("the client key is missing")?;
    let key = match key.label.as_str() {
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(key.der.into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(key.der.into()),
        _ => PrivateKeyDer::Pkcs8(key.der.into()),
    };
    let key = any_supported_type(&key)
        .map_err(|error| format!("failed to parse private key: {error}"))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err("private key does not match public key of the client certificate".to_owned())
        }
        // Of version 1, or of a kind of key that does not say: the server will see.
        Ok(()) | Err(_) => Ok(certified),
    }
}

/// Shows the one certificate there is.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
