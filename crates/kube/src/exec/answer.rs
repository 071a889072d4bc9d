//! What a plugin prints: an `ExecCredential`, as JSON or YAML.

use jiff::Timestamp;
use pilothouse_core::model::Moment;

use crate::kubeconfig::node::{self, Broken};
use crate::kubeconfig::wire::Fields;
use crate::login::{ClientCertificate, paired};

/// What a plugin answered. Holds secrets: neither `Debug` nor serialisable.
pub(crate) struct Credential {
    pub(crate) token: Option<String>,
    pub(crate) certificate: Option<ClientCertificate>,
    /// When it stops being good; `None` if the plugin does not say.
    pub(crate) expires: Option<Moment>,
}

/// Reads an answer, which must be of the version that was asked for. The reason says nothing of the content.
pub(super) fn read(stdout: &[u8], version: &str) -> Result<Credential, String> {
    let unreadable = |_: Broken| "answered something that is no ExecCredential".to_owned();
    let text = String::from_utf8_lossy(stdout);
    if text.trim().is_empty() {
        return Err("answered nothing".to_owned());
    }
    let document = node::first_document(&text).map_err(unreadable)?;
    let fields = Fields::of(&document, "the answer").map_err(unreadable)?;
    if fields.text("kind").map_err(unreadable)? != "ExecCredential" {
        return Err("answered something that is no ExecCredential".to_owned());
    }
    let answered = fields.text("apiVersion").map_err(unreadable)?;
    if answered != version {
        return Err(format!(
            "is configured to use API version {version}, plugin returned version {answered}"
        ));
    }
    let status = fields
        .get("status")
        .filter(|status| status.value != node::Value::Null)
        .ok_or("didn't return a status field")?;
    let status = Fields::of(status, "the status").map_err(unreadable)?;
    let text = |name: &str| status.text(name).map_err(unreadable);
    let expires = match text("expirationTimestamp")?.as_str() {
        "" => None,
        text => {
            let timestamp: Timestamp = text.parse().map_err(|_| {
                "answered an expirationTimestamp that is no RFC 3339 timestamp".to_owned()
            })?;
            Some(Moment(timestamp.as_millisecond()))
        }
    };
    let token = text("token")?;
    let (certificate, key) = (text("clientCertificateData")?, text("clientKeyData")?);
    let certificate = match (certificate.is_empty(), key.is_empty()) {
        (true, true) => None,
        (false, false) => {
            let pair = paired(certificate.as_bytes(), key.as_bytes());
            Some(pair.map_err(|why| format!("answered a certificate that cannot be used: {why}"))?)
        }
        _ => return Err("returned only certificate or key, not both".to_owned()),
    };
    if token.is_empty() && certificate.is_none() {
        return Err("didn't return a token or cert/key pair".to_owned());
    }
    Ok(Credential {
        token: (!token.is_empty()).then_some(token),
        certificate,
        expires,
    })
}

#[cfg(test)]
mod tests;
