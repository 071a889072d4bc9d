use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use pilothouse_core::model::SourceKind;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::*;
use crate::http::Client;
use crate::options::{ClientCertificate, Options};
use crate::place::Place;

const BACKEND: Backend = Backend {
    source: SourceKind::Metrics,
    product: "Prometheus",
};

/// A CA of a test, in a folder of its own.
struct Ca {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Ca {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let ca = Self {
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(params, key),
            certificate,
        };
        ca.file("ca.pem", &ca.certificate.pem());
        ca
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn pem(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A certificate and key of this CA as files.
    fn client(&self) -> ClientCertificate {
        let (certificate, key) = self.sign("anna");
        ClientCertificate {
            certificate: self.file("client.pem", &certificate.pem()),
            key: self.file("client.key", &key.serialize_pem()),
        }
    }

    /// Serves one connection on loopback with a certificate of this CA.
    fn serve(&self, wants_client: bool) -> (String, JoinHandle<bool>) {
        install_crypto();
        let (certificate, key) = self.sign("localhost");
        let builder = ServerConfig::builder();
        let builder = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let served = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let session = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(session, socket);
            let was_asked = stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0);
            was_asked
                && stream
                    .write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                    )
                    .is_ok()
        });
        (url, served)
    }
}

fn client(url: &str, tls: Tls) -> Result<Client, SourceError> {
    let options = Options {
        tls,
        ..Options::default()
    };
    Client::at(BACKEND, Place::Address(url.to_owned()), &options, 1)
}

#[tokio::test]
async fn a_server_with_a_ca_of_its_own_is_trusted_by_that_ca_alone() {
    let (ours, another) = (Ca::new(), Ca::new());
    let (url, served) = ours.serve(false);
    let tls = Tls {
        ca: Some(ours.pem()),
        client: None,
    };
    let answer = client(&url, tls).unwrap().get(&["x"], &[]).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(served.join().unwrap());

    let (url, served) = ours.serve(false);
    let tls = Tls {
        ca: Some(another.pem()),
        client: None,
    };
    let error = client(&url, tls)
        .unwrap()
        .get(&["x"], &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(
        error.hint.contains("give its CA as a PEM file"),
        "{error:?}"
    );
    assert!(!served.join().unwrap(), "nothing may be asked of it");
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
    let ca = Ca::new();
    let (url, served) = ca.serve(true);
    let tls = Tls {
        ca: Some(ca.pem()),
        client: Some(ca.client()),
    };
    let answer = client(&url, tls).unwrap().get(&["x"], &[]).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(served.join().unwrap());

    let (url, served) = ca.serve(true);
    let tls = Tls {
        ca: Some(ca.pem()),
        client: None,
    };
    let error = client(&url, tls)
        .unwrap()
        .get(&["x"], &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(error.hint.contains("client certificate"), "{error:?}");
    assert!(!served.join().unwrap());
}

#[test]
fn files_that_are_none_are_named_and_not_shown() {
    let ca = Ca::new();
    let good = ca.client();
    let junk = ca.file("junk.pem", "canary-7f3a");
    let absent = ca.folder.path().join("absent.pem");
    let with_client = |certificate: &PathBuf, key: &PathBuf| Tls {
        ca: Some(ca.pem()),
        client: Some(ClientCertificate {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
    };
    let with_ca = |path: &PathBuf| Tls {
        ca: Some(path.clone()),
        client: None,
    };
    for (tls, what) in [
        (with_ca(&junk), "junk.pem holds no certificate"),
        (with_ca(&absent), "absent.pem cannot be read"),
        (with_client(&absent, &good.key), "absent.pem cannot be read"),
        (
            with_client(&good.certificate, &junk),
            "no certificate with its key",
        ),
        (with_client(&junk, &good.key), "no certificate with its key"),
    ] {
        let error = client("https://localhost", tls.clone()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{what}");
        assert!(error.message.contains(what), "{what}: {error}");
        assert!(!error.hint.is_empty());
        assert!(!format!("{error:?}").contains("canary-7f3a"));
        // Without TLS they are not looked at.
        assert!(client("http://localhost", tls).is_ok());
    }
}
