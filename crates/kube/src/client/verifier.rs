//! Trust in the authorities of a kubeconfig, and in a server that shows one of them.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::pem;

/// A verifier that trusts these certificates (DER) and no others.
pub(super) fn of(roots: &[Vec<u8>]) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut store = RootCertStore::empty();
    let certificates: Vec<CertificateDer<'static>> =
        roots.iter().cloned().map(CertificateDer::from).collect();
    store.add_parsable_certificates(certificates.clone());
    if store.is_empty() {
        return Err("the certificate-authority holds no certificate that can be used".to_owned());
    }
    let provider = Arc::new(default_provider());
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(Trust {
        chain,
        roots: certificates,
    }))
}

#[derive(Debug)]
struct Trust {
    chain: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let refused = match self.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        // As Go: what is trusted itself needs nobody to vouch for it, but it must be of that server, and of today.
        let is_trusted = self
            .roots
            .iter()
            .any(|root| root.as_ref() == end_entity.as_ref());
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let is_valid = pem::validity(end_entity)
            .is_some_and(|(from, until)| from.as_second() <= now && now <= until.as_second());
        if !(is_trusted && is_valid) {
            return Err(refused);
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
