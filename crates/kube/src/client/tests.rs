use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::UnixTime;

use kube::client::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::pem::tests::{CERTIFICATE, KEY};

/// Of X.509 version 1, with the key of [`CERTIFICATE`] (`openssl x509 -req -signkey`).
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIHaMIGNAhQI/u6mZI0ieVBHwYqrvzaVIvQ52jAFBgMrZXAwDzENMAsGA1UEAwwE\n\
amFuZTAgFw0yNjExMjgwNTI5MDdaGA8yMTI2MTEwNDA1MjkwN1owDzENMAsGA1UE\n\
AwwEamFuZTAqMAUGAytlcAMhAHHJvnWMfN8CT2TbWDH8aPgSNaNFDiOLGRisjcEz\n\
0nI9MAUGAytlcANBACLTx4qBuYZ56UTMFlo4mwf5ZD6efqFfaTT5HXyxHqwxsIL/\n\
2JWyZMx5hq/AuOFjI7HbA0VtciqM34nYSqOt7wc=\n\
-----END CERTIFICATE-----\n";

/// Of an authority that is the server 127.0.0.1 itself, with the same key (`openssl req -x509`).
const SELF_SIGNED: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBSTCB/KADAgECAhRdKVstl7oltuDeoU9fMpXk7l/3SjAFBgMrZXAwETEPMA0G\n\
A1UEAwwGc2VydmVyMCAXDTI2MTEyODA1MjkwN1oYDzIxMjYxMTA0MDUyOTA3WjAR\n\
MQ8wDQYDVQQDDAZzZXJ2ZXIwKjAFBgMrZXADIQBxyb51jHzfAk9k21gx/Gj4EjWj\n\
RQ4jixkYrI3BM9JyPaNkMGIwHQYDVR0OBBYEFDktvUICXQOk1g5kHCOwJQbOTcAV\n\
MB8GA1UdIwQYMBaAFDktvUICXQOk1g5kHCOwJQbOTcAVMA8GA1UdEwEB/wQFMAMB\n\
Af8wDwYDVR0RBAgwBocEfwAAATAFBgMrZXADQQBQ25vMip4I3RjqKAyFY5k5uNPM\n\
LFZVfxzKDhuuB8GsdBY/ZO8CAdSUqIqX5fw1r90FkAO5NId8RRLzvTxkTsEH\n\
-----END CERTIFICATE-----\n";

/// Another key.
const OTHER_KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VwBCIEIMvX/7LsL1YZ0NqP5EQzg3Vr8/SM67Ed40h6LyUAn4I/\n\
-----END PRIVATE KEY-----\n";

fn pair(chain: &str, key: &str) -> ClientCertificate {
    ClientCertificate {
        chain: chain.to_owned(),
        key: key.to_owned(),
    }
}

#[test]
fn a_client_certificate_fits_its_key_whatever_its_version() {
    for chain in [CERTIFICATE, VERSION_1] {
        let certified = certified(&pair(chain, KEY)).unwrap();
        assert_eq!(certified.cert.len(), 1);
    }
    let why = certified(&pair(CERTIFICATE, OTHER_KEY)).unwrap_err();
    assert!(
        why.contains("private key does not match public key"),
        "{why}"
    );
    let junk = pem::write("PRIVATE KEY", b"junk");
    let why = certified(&pair(CERTIFICATE, &junk)).unwrap_err();
    assert!(why.contains("failed to parse private key"), "{why}");
}

#[test]
fn a_server_may_show_the_certificate_that_is_trusted_itself() {
    let der = |pem: &str| pem::certificates(pem.as_bytes()).remove(0);
    let (shown, other) = (der(SELF_SIGNED), der(CERTIFICATE));
    let (from, until) = pem::validity(&shown).unwrap();
    let at = |second: i64| {
        let second = u64::try_from(second).unwrap();
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(second))
    };
    let verify = |root: &[u8], name: &str, second: i64| {
        let verifier: Arc<dyn ServerCertVerifier> = verifier::of(&[root.to_vec()]).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let shown = CertificateDer::from(shown.as_slice());
        verifier
            .verify_server_cert(&shown, &[], &name, &[], at(second))
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let now = from.as_second() + 60;
    assert_eq!(verify(&shown, "127.0.0.1", now), Ok(()));
    let refused = [
        verify(&other, "127.0.0.1", now),
        verify(&shown, "127.0.0.2", now),
        verify(&shown, "127.0.0.1", from.as_second() - 1),
        verify(&shown, "127.0.0.1", until.as_second() + 1),
    ];
    for result in refused {
        assert!(result.is_err());
    }
    assert!(verifier::of(&[]).is_err());
}

/// Over a real connection: the header is the client's own, so that whatever is sent with it is sent by the same person.
#[tokio::test]
async fn a_client_shows_its_header_with_every_request() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/k8s", listener.local_addr().unwrap());
    let mut header = HeaderValue::from_static("Bearer t");
    header.set_sensitive(true);
    let config = Config::new(url.parse().unwrap());
    let client = build(&config, None, Access::Header(header)).unwrap();
    let server = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        }
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        connection.write_all(answer).await.unwrap();
        String::from_utf8(request).unwrap().to_ascii_lowercase()
    };
    let request = Request::get("/version").body(Body::empty()).unwrap();
    let (asked, answer) = futures::join!(server, client.send(request));
    assert_eq!(answer.unwrap().status(), 204);
    assert!(asked.starts_with("get /k8s/version http/1.1"), "{asked}");
    assert!(asked.contains("authorization: bearer t\r\n"), "{asked}");
}
