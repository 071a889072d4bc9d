//! What a user entry shows to a server: headers, a client certificate, or a credential plugin to ask.
//!
//! Put together here and not by `kube`, whose precedence differs: a token file goes before a token, its newline is no
//! part of the token, a plugin runs only where nothing else is given, and nothing of it goes to a server over plain
//! HTTP, impersonation excepted.
//!
//! Sources: `getUserIdentificationPartialConfig` of `k8s.io/client-go/tools/clientcmd`, `HTTPWrappersForConfig` and
//! `TLSConfigFor` of `k8s.io/client-go/transport`, `UpdateTransportConfig` of its exec plugin, all 0.36.

mod provider;
mod token_file;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{HeaderName, HeaderValue};
use pilothouse_core::ports::Clock;

use crate::kubeconfig::{Exec, Server, User, read};
use crate::pem;
pub(crate) use token_file::TokenFile;

/// A client certificate and its key, both PEM. Holds a secret: not `Debug`.
#[derive(Clone)]
pub(crate) struct ClientCertificate {
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// Who we say we are.
pub(crate) struct Identity {
    pub(crate) authorization: Authorization,
    pub(crate) certificate: Option<ClientCertificate>,
    /// Sent with every request.
    pub(crate) impersonation: Vec<(HeaderName, HeaderValue)>,
}

/// Where the `Authorization` header comes from.
pub(crate) enum Authorization {
    None,
    Header(HeaderValue),
    File(TokenFile),
    /// What the plugin answers, and maybe a client certificate too.
    Plugin(Exec),
}

/// The identity of a user on a server, or what is wrong with the entry. Reads the files that it names.
pub(crate) fn identity(user: &User, server: &Server, clock: &Clock) -> Result<Identity, String> {
    let impersonation = impersonation(user)?;
    let (certificate, authorization) = if server.is_encrypted() {
        if !names_a_login(user) {
            return Err(NO_LOGIN.to_owned());
        }
        let certificate = certificate(user)?;
        let authorization = authorization(user, certificate.is_some(), clock)?;
        (certificate, authorization)
    } else {
        (None, Authorization::None)
    };
    // As Go's client: what stands in the address goes before everything else.
    let authorization = match &server.user_info {
        Some(user_info) => {
            let (name, password) = user_info.split_once(':').unwrap_or((user_info, ""));
            Authorization::Header(basic(&unescaped(name), &unescaped(password))?)
        }
        None => authorization,
    };
    Ok(Identity {
        authorization,
        certificate,
        impersonation,
    })
}

/// Whether anything says who logs in. If nothing does, kubectl asks for a name and a password.
pub(crate) const fn names_a_login(user: &User) -> bool {
    !(user.username.is_empty()
        && user.token.is_empty()
        && user.token_file.is_empty()
        && user.client_certificate.is_empty()
        && user.client_certificate_data.is_empty()
        && user.provider.is_none()
        && user.exec.is_none())
}

/// What to say then.
pub(crate) const NO_LOGIN: &str =
    "nothing says who logs in; kubectl would ask for a user name and a password in a terminal";

fn authorization(
    user: &User,
    has_certificate: bool,
    clock: &Clock,
) -> Result<Authorization, String> {
    let has_token = !user.token.is_empty() || !user.token_file.is_empty();
    let has_basic = !user.username.is_empty();
    if let Some(exec) = &user.exec {
        if !matches!(
            exec.api_version.as_str(),
            "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1"
        ) {
            return Err(format!(
                "exec plugin: invalid apiVersion \"{}\"",
                exec.api_version
            ));
        }
        if !(has_token || has_basic || has_certificate) {
            return Ok(Authorization::Plugin(exec.clone()));
        }
    }
    let provided = user.provider.as_ref();
    let provided = provided.map(|it| provider::token(it, clock()));
    let provided = provided.transpose()?;
    if has_basic && has_token {
        return Err("username/password or bearer token may be set, but not both".to_owned());
    }
    if !user.token_file.is_empty() {
        let fallback = match user.token.as_str() {
            "" => None,
            token => Some(bearer(token)?),
        };
        return TokenFile::open(user.token_file.as_ref(), fallback, clock).map(Authorization::File);
    }
    if has_token {
        return bearer(&user.token).map(Authorization::Header);
    }
    if has_basic {
        return basic(&user.username, &user.password).map(Authorization::Header);
    }
    match provided {
        Some(token) => bearer(&token?).map(Authorization::Header),
        None => Ok(Authorization::None),
    }
}

/// The client certificate with exactly what TLS needs of its files: the certificates and the first key.
fn certificate(user: &User) -> Result<Option<ClientCertificate>, String> {
    if user.client_certificate.is_empty() && user.client_certificate_data.is_empty() {
        return Ok(None);
    }
    let chain = data_or_file(&user.client_certificate_data, &user.client_certificate)?;
    let key = data_or_file(&user.client_key_data, &user.client_key)?;
    paired(&chain, &key).map(Some)
}

/// A certificate and key of two PEM texts.
pub(crate) fn paired(chain: &[u8], key: &[u8]) -> Result<ClientCertificate, String> {
    let certificates = pem::certificates(chain);
    if certificates.is_empty() {
        return Err("the client certificate is no PEM with a certificate".to_owned());
    }
    let chain = certificates
        .iter()
        .map(|der| pem::write("CERTIFICATE", der))
        .collect();
    let key = pem::blocks(key)
        .into_iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .ok_or("the client key is no PEM with a private key")?;
    if key.has_headers || key.label.starts_with("ENCRYPTED") {
        return Err(
            "the client key is encrypted, and nobody can be asked for its password; decrypt it, e.g. with \
             `openssl pkey`"
                .to_owned(),
        );
    }
    Ok(ClientCertificate {
        chain,
        key: pem::write(&key.label, &key.der),
    })
}

/// As client-go: data goes before a file.
pub(crate) fn data_or_file(data: &[u8], file: &str) -> Result<Vec<u8>, String> {
    if data.is_empty() && !file.is_empty() {
        return read::bytes(file.as_ref()).map_err(|error| format!("cannot read {file}: {error}"));
    }
    Ok(data.to_vec())
}

pub(crate) fn bearer(token: &str) -> Result<HeaderValue, String> {
    secret(&format!("Bearer {token}"), "the token")
}

fn basic(name: &str, password: &str) -> Result<HeaderValue, String> {
    let encoded = BASE64.encode(format!("{name}:{password}"));
    secret(&format!("Basic {encoded}"), "the password")
}

fn secret(text: &str, what: &str) -> Result<HeaderValue, String> {
    // As Go's client, which trims.
    let mut value = HeaderValue::from_bytes(text.trim_end_matches([' ', '\t']).as_bytes())
        .map_err(|_| format!("{what} holds a character that cannot be sent, maybe a newline"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A part of an address with its `%20` undone.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%'
            && let Some((digits, after)) = rest.split_at_checked(2)
            && let Ok(digits) = std::str::from_utf8(digits)
            && let Ok(byte) = u8::from_str_radix(digits, 16)
        {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn impersonation(user: &User) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    if user.impersonate.is_empty() {
        return Ok(Vec::new());
    }
    let value = |text: &str| {
        HeaderValue::from_bytes(text.as_bytes())
            .map_err(|_| "whom it acts as holds a character that cannot be sent".to_owned())
    };
    let name = HeaderName::from_static;
    let mut headers = vec![(name("impersonate-user"), value(&user.impersonate)?)];
    if !user.impersonate_uid.is_empty() {
        headers.push((name("impersonate-uid"), value(&user.impersonate_uid)?));
    }
    for group in &user.impersonate_groups {
        headers.push((name("impersonate-group"), value(group)?));
    }
    for (key, values) in &user.impersonate_extra {
        let name = format!("impersonate-extra-{}", escaped(key));
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("as-user-extra: `{key}` cannot be sent"))?;
        for text in values {
            headers.push((name.clone(), value(text)?));
        }
    }
    Ok(headers)
}

/// A key as the end of a header's name.
fn escaped(key: &str) -> String {
    let mut escaped = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'!'
            | b'#'
            | b'$'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
