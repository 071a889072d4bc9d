use super::*;

/// Made for these tests (`openssl req -x509 -newkey ed25519`); ends as late as needs the long form of a time.
pub(crate) const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBNDCB56ADAgECAhR5STgvPM1pkCcGFhHVGUxgLms/fjAFBgMrZXAwDzENMAsG\n\
A1UEAwwEamFuZTAgFw0yNjExMjgwNTA2MDJaGA8yMTI2MTEwNDA1MDYwMlowDzEN\n\
MAsGA1UEAwwEamFuZTAqMAUGAytlcAMhAHHJvnWMfN8CT2TbWDH8aPgSNaNFDiOL\n\
GRisjcEz0nI9o1MwUTAdBgNVHQ4EFgQUOS29QgJdA6TWDmQcI7AlBs5NwBUwHwYD\n\
VR0jBBgwFoAUOS29QgJdA6TWDmQcI7AlBs5NwBUwDwYDVR0TAQH/BAUwAwEB/zAF\n\
BgMrZXADQQCiB4IBtXDEYz1RdI3oVqYaSFo8VGQ3qCpCHjuZTv7vNlFfE0YW8awG\n\
cJ0bkYQVsUbieeBBhUwcMNPm1EOECskI\n\
-----END CERTIFICATE-----\n";

/// The same with the short form.
const SHORT_TIME: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBMjCB5aADAgECAhRl7mFp44byyN8zNHjEnz/ShSptXDAFBgMrZXAwDzENMAsG\n\
A1UEAwwEamFuZTAeFw0yNjExMjgwNTA3NTdaFw0zNTAyMTQwNTA3NTdaMA8xDTAL\n\
BgNVBAMMBGphbmUwKjAFBgMrZXADIQBxyb51jHzfAk9k21gx/Gj4EjWjRQ4jixkY\n\
rI3BM9JyPaNTMFEwHQYDVR0OBBYEFDktvUICXQOk1g5kHCOwJQbOTcAVMB8GA1Ud\n\
IwQYMBaAFDktvUICXQOk1g5kHCOwJQbOTcAVMA8GA1UdEwEB/wQFMAMBAf8wBQYD\n\
K2VwA0EAd36WxJRRG0/d78SQPafZ+Drs3DGIwBFwwQOufNzd3mYxaY+1mfu89Wuv\n\
Mm0KSkp3Kolmx32o9v8Xtn32Jl4xAA==\n\
-----END CERTIFICATE-----\n";

/// The key of [`CERTIFICATE`].
pub(crate) const KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VwBCIEIHHtB+APwQ+Z3agJWMFd4/rUXcEq5/eha5O5kgYnihiP\n\
-----END PRIVATE KEY-----\n";

#[test]
fn the_end_of_a_certificate_is_read() {
    let cases = [
        (CERTIFICATE, "2126-11-04T05:06:02Z"),
        (SHORT_TIME, "2035-02-14T05:07:57Z"),
    ];
    for (pem, end) in cases {
        let [der] = certificates(pem.as_bytes()).try_into().unwrap();
        assert_eq!(expires(&der).unwrap().to_string(), end);
        // However it is cut off, it is no certificate, and no panic.
        for length in 0..der.len().min(100) {
            assert_eq!(expires(&der[..length]), None, "{length}");
        }
    }
}

#[test]
fn a_bundle_gives_its_certificates_and_skips_the_rest() {
    let windows = CERTIFICATE.replace('\n', "\r\n");
    let encrypted =
        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\naGk=\n-----END CERTIFICATE-----\n";
    let junk = "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n";
    let bundle = format!("# ours\n{CERTIFICATE}{KEY}{junk}{encrypted}{windows}-----BEGIN X");
    let found = certificates(bundle.as_bytes());
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], found[1]);
    assert_eq!(write("CERTIFICATE", &found[0]), CERTIFICATE);
    for nothing in ["", "hello", "-----BEGIN CERTIFICATE-----\naGVsbG8="] {
        assert!(certificates(nothing.as_bytes()).is_empty(), "{nothing}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let _expires = expires(&bytes);
        let _blocks = blocks(&bytes);
    }
}
