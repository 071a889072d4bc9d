//! From the settings of a source, and the keychain, to what goes with its requests.

use std::path::PathBuf;

use pilothouse_engine::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_settings::{Auth, ContextKey, Purpose, SecretKey, Secrets, SourceSettings};
use pilothouse_telemetry::{ClientCertificate, Credentials, Options, Secret, Tls, TokenCommand};

use crate::args::{Header, PROMETHEUS_TOKEN, SourceArgs, TRACES_TOKEN};

/// Header that names a tenant of Mimir, Cortex, Loki and Tempo.
const TENANT: &str = "X-Scope-OrgID";

/// What goes with the requests of this source. Blocking: it may ask the keychain.
pub(crate) fn options(
    settings: &SourceSettings,
    secrets: Option<&Secrets>,
    context: &ContextKey,
    source: SourceKind,
    index: usize,
) -> Result<Options, SourceError> {
    let mut options = Options::default();
    let plain = settings.headers.iter();
    options.headers = plain
        .map(|(name, value)| (name.clone(), Secret::new(value)))
        .collect();
    if let Some(tenant) = &settings.tenant {
        options
            .headers
            .push((TENANT.to_owned(), Secret::new(tenant)));
    }
    options.tls = Tls {
        ca: settings.ca_file.clone(),
        client: settings
            .client_cert_file
            .as_ref()
            .map(|certificate| ClientCertificate {
                certificate: certificate.clone(),
                key: settings
                    .client_key_file
                    .clone()
                    .unwrap_or_else(|| certificate.clone()),
            }),
    };
    options.credentials = match &settings.auth {
        Auth::None => Credentials::None,
        Auth::TokenFile(file) => Credentials::BearerFile(file.clone()),
        Auth::TokenCommand(words) => match words.split_first() {
            Some((program, arguments)) => {
                Credentials::BearerCommand(TokenCommand::new(program, arguments))
            }
            None => Credentials::None,
        },
        Auth::Keychain => {
            let secret = from_keychain(secrets, context, source, index)?;
            match (&settings.secret_header, &settings.user) {
                (Some(header), _) => {
                    options.headers.push((header.clone(), secret));
                    Credentials::None
                }
                (None, Some(user)) => Credentials::Basic {
                    user: user.clone(),
                    password: secret,
                },
                (None, None) => Credentials::Bearer(secret),
            }
        }
    };
    Ok(options)
}

/// What goes with the requests to the server that `--prometheus` names.
pub(crate) fn of_metrics_flags(args: &SourceArgs) -> Options {
    of_flags(
        args.prometheus_token_file.as_ref(),
        PROMETHEUS_TOKEN,
        &args.prometheus_headers,
        args.prometheus_ca.as_ref(),
    )
}

/// What goes with the requests to the server that `--traces` names.
pub(crate) fn of_trace_flags(args: &SourceArgs) -> Options {
    of_flags(
        args.traces_token_file.as_ref(),
        TRACES_TOKEN,
        &args.traces_headers,
        args.traces_ca.as_ref(),
    )
}

fn of_flags(
    token_file: Option<&PathBuf>,
    token: &str,
    headers: &[Header],
    ca: Option<&PathBuf>,
) -> Options {
    let token = std::env::var(token).ok().filter(|token| !token.is_empty());
    Options {
        credentials: match (token_file, token) {
            (Some(file), _) => Credentials::BearerFile(file.clone()),
            (None, Some(token)) => Credentials::Bearer(Secret::new(&token)),
            (None, None) => Credentials::None,
        },
        headers: headers
            .iter()
            .map(|header| (header.name.clone(), Secret::new(&header.value)))
            .collect(),
        tls: Tls {
            ca: ca.cloned(),
            client: None,
        },
        ..Options::default()
    }
}

/// The entry of the keychain for a source of a context.
pub(crate) fn secret_key(context: &ContextKey, source: SourceKind, index: usize) -> SecretKey {
    let purpose = if source == SourceKind::Traces {
        Purpose::Traces
    } else {
        Purpose::Metrics
    };
    SecretKey {
        index,
        ..SecretKey::new(context.clone(), purpose)
    }
}

fn from_keychain(
    secrets: Option<&Secrets>,
    context: &ContextKey,
    source: SourceKind,
    index: usize,
) -> Result<Secret, SourceError> {
    let wrong = |message: String, hint: &str| {
        SourceError::new(source, SourceErrorKind::BadConfiguration, message).with_hint(hint)
    };
    let key = secret_key(context, source, index);
    let found = secrets.map(|secrets| secrets.get(&key));
    match found {
        Some(Ok(Some(secret))) => Ok(Secret::new(secret.expose())),
        Some(Ok(None)) | None => Err(wrong(
            "the keychain holds no secret for this source".to_owned(),
            "give the token again",
        )),
        Some(Err(error)) => Err(wrong(
            format!("asking the keychain: {error}"),
            "unlock the keychain, or name a token_file or token_command in the settings",
        )),
    }
}
