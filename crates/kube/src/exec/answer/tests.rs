use super::*;
use crate::pem::tests::{CERTIFICATE, KEY};

const V1: &str = "client.authentication.k8s.io/v1";

fn answer(status: &str) -> Result<Credential, String> {
    let text = format!(r#"{{"kind": "ExecCredential", "apiVersion": "{V1}", "status": {status}}}"#);
    read(text.as_bytes(), V1)
}

#[test]
fn a_credential_is_a_token_or_a_certificate_or_both() {
    let token = answer(r#"{"token": "t", "expirationTimestamp": "2026-01-02T03:04:05Z"}"#);
    let token = token.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(token.token.as_deref(), Some("t"));
    assert_eq!(token.expires.unwrap(), Moment(1_767_323_045_000));
    let (certificate, key) = (CERTIFICATE.replace('\n', "\\n"), KEY.replace('\n', "\\n"));
    let pair = answer(&format!(
        r#"{{"clientCertificateData": "{certificate}", "clientKeyData": "{key}"}}"#
    ));
    let pair = pair.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(pair.certificate.unwrap().chain, CERTIFICATE);
    // As kubectl: YAML is as good.
    let yaml = format!("kind: ExecCredential\napiVersion: {V1}\nstatus:\n  token: t\n");
    assert!(read(yaml.as_bytes(), V1).is_ok());
}

#[test]
fn what_is_no_credential_is_named_and_not_quoted() {
    let status = [
        ("null", "didn't return a status field"),
        ("{}", "didn't return a token or cert/key pair"),
        (r#"{"token": ""}"#, "didn't return a token or cert/key pair"),
        (
            r#"{"token": "s3cret", "expirationTimestamp": "soon"}"#,
            "expirationTimestamp",
        ),
        (
            r#"{"clientCertificateData": "s3cret"}"#,
            "only certificate or key, not both",
        ),
        (
            r#"{"clientCertificateData": "s3cret", "clientKeyData": "s3cret"}"#,
            "certificate that cannot be used",
        ),
        (r#"{"token": ["s3cret"]}"#, "no ExecCredential"),
    ];
    for (status, words) in status {
        let why = answer(status).map(|_| ()).unwrap_err();
        assert!(why.contains(words) && !why.contains("s3cret"), "{why}");
    }
    let version =
        "is configured to use API version client.authentication.k8s.io/v1, plugin returned version";
    let texts = [
        (" \n", "answered nothing"),
        ("token: s3cret", "no ExecCredential"),
        ("{{{ s3cret", "no ExecCredential"),
        ("[s3cret]", "no ExecCredential"),
        ("kind: ExecCredential\nstatus: {token: s3cret}", version),
        (
            "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1beta1\nstatus: {token: s3cret}",
            version,
        ),
    ];
    for (text, words) in texts {
        let why = read(text.as_bytes(), V1).map(|_| ()).unwrap_err();
        assert!(why.contains(words) && !why.contains("s3cret"), "{why}");
    }
}
