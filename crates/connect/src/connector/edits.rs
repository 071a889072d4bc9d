//! What is written down: chosen sources, addresses, opened files, when what was open, and what the window remembers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pilothouse_api::dto::{
    AddressRequest, AddressesRequest, ApiError, Code, FileRequest, HeaderView, MemoryRequest,
    MemoryView, NamespacesRequest, ProblemView, SourceRequest,
};
use pilothouse_engine::SourceKind;
use pilothouse_kube::Kubeconfigs;
use pilothouse_settings::{
    Auth, ContextKey, EditError, Failure, Location, Secret, ServiceAddress, SettingsFile,
    SourceSettings, StateFile, Theme, TraceKind,
};

use super::chooser::host_of;
use super::{Named, Shared};
use crate::discovery::{Where, read_id};
use crate::sign_in::secret_key;

/// Largest state that a page may keep, in bytes.
const LARGEST_PAGE: usize = 256 << 10;

pub(super) fn choose_source(shared: &Shared, request: &SourceRequest) -> Result<(), ApiError> {
    let (named, _) = shared.named(&request.context)?;
    let key = key_of(&named)?;
    let kind = match request.source.as_str() {
        "metrics" => SourceKind::Metrics,
        "traces" => SourceKind::Traces,
        other => return Err(bad(format!("`{other}` is neither metrics nor traces"), "")),
    };
    let source = match (&request.candidate, &request.address) {
        (Some(candidate), None) => of_candidate(candidate)?,
        (None, Some(address)) => of_address(shared, &key, kind, address)?,
        (Some(candidate), Some(address)) => {
            let there = of_candidate(candidate)?;
            SourceSettings {
                kind: there.kind,
                location: there.location,
                ..signed_in(shared, &key, kind, address)?
            }
        }
        (None, None) => {
            return Err(bad("name a candidate or an address".to_owned(), ""));
        }
    };
    edit(shared, |draft| match kind {
        SourceKind::Traces => draft.set_context_traces(&key, std::slice::from_ref(&source)),
        SourceKind::Metrics | SourceKind::ControlPlane => {
            draft.set_context_metrics(&key, Some(&source));
        }
    })
}

pub(super) fn choose_namespaces(
    shared: &Shared,
    request: &NamespacesRequest,
) -> Result<(), ApiError> {
    let (named, _) = shared.named(&request.context)?;
    let key = key_of(&named)?;
    let mut names: Vec<String> = Vec::new();
    for name in request.namespaces.iter().map(|name| name.trim()) {
        if !is_label(name) {
            return Err(bad(
                format!("`{name}` is no name of a namespace"),
                "small letters, digits and hyphens, at most 63",
            ));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    edit(shared, |draft| {
        draft.set_context_namespaces(&key, Some(&names));
    })
}

/// A DNS label, as names of namespaces are.
fn is_label(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(good)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

pub(super) fn add_addresses(
    shared: &Shared,
    request: &AddressesRequest,
) -> Result<String, ApiError> {
    let first = request.metrics.as_ref().or(request.traces.as_ref());
    let first = first.ok_or_else(|| bad("no address is given".to_owned(), "give at least one"))?;
    let name = host_of(first.url.trim()).to_owned();
    if name.is_empty() {
        return Err(bad(
            "the address names no host".to_owned(),
            "write it as http://host:port or https://host",
        ));
    }
    let key = ContextKey::new(name.clone(), None);
    let prepared = |address: &Option<AddressRequest>, kind| {
        let address = address.as_ref();
        let source = address.map(|address| of_address(shared, &key, kind, address));
        source.transpose()
    };
    let metrics = prepared(&request.metrics, SourceKind::Metrics)?;
    let traces = prepared(&request.traces, SourceKind::Traces)?;
    edit(shared, |draft| {
        draft.set_context_metrics(&key, metrics.as_ref());
        draft.set_context_traces(&key, traces.as_slice());
    })?;
    Ok(name)
}

pub(super) fn add_kubeconfig(shared: &Shared, request: &FileRequest) -> Result<(), ApiError> {
    let typed = request.path.trim();
    let path = match (typed.strip_prefix("~/"), &shared.environment.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    };
    if !path.is_absolute() {
        return Err(bad(
            format!("`{typed}` is no whole path"),
            "write it from the root, or from ~/",
        ));
    }
    let configs = Kubeconfigs::load(std::slice::from_ref(&path), &shared.environment)
        .map_err(|error| bad(error.message, &error.hint))?;
    if let Some(problem) = configs.files().into_iter().find_map(|file| file.problem) {
        return Err(bad(problem.message, "give a kubeconfig file"));
    }
    edit(shared, |draft| draft.add_kubeconfig_file(&path))
}

/// Writes down that a context was opened, or why not. What cannot be written is not worth a failure of its own.
pub(super) fn note(shared: &Shared, context: &str, outcome: Result<(), &ApiError>) {
    let key = shared.key_of_id(context);
    let Some(file) = StateFile::of(&shared.folders) else {
        return;
    };
    let now = (shared.clock)();
    let written = file.update(|state| {
        let known = state.context_mut(&key);
        match outcome {
            Ok(()) => {
                known.last_used = Some(now);
                known.last_failure = None;
                state.open.retain(|open| *open != key);
                state.open.insert(0, key.clone());
            }
            Err(error) => {
                known.last_failure = Some(Failure {
                    at: now,
                    code: code_word(error.code),
                    message: error.message.clone(),
                });
            }
        }
    });
    if let Err(error) = written {
        tracing::warn!(%error, "when a context was open could not be written down");
    }
}

pub(super) fn memory(shared: &Shared) -> MemoryView {
    let (settings, _) = shared.settings();
    let (state, problems) = shared.state();
    MemoryView {
        theme: settings.theme.as_str().to_owned(),
        zoom: settings.zoom,
        page: state.page.unwrap_or_default(),
        problem: problems.first().map(|problem| ProblemView {
            message: problem.to_string(),
            file: problem.file.display().to_string(),
            line: None,
        }),
    }
}

pub(super) fn remember(shared: &Shared, request: &MemoryRequest) -> Result<(), ApiError> {
    if let Some(word) = &request.theme {
        let theme = Theme::of_word(word)
            .ok_or_else(|| bad(format!("`{word}` is no theme"), "system, dark or light"))?;
        edit(shared, |draft| draft.set_theme(theme))?;
    }
    if let Some(zoom) = request.zoom {
        edit(shared, |draft| draft.set_zoom(zoom))?;
    }
    let Some(page) = &request.page else {
        return Ok(());
    };
    if page.len() > LARGEST_PAGE {
        return Err(bad(
            format!("the page wants to keep {} bytes", page.len()),
            "at most 256 KiB are kept",
        ));
    }
    let Some(file) = StateFile::of(&shared.folders) else {
        return Ok(());
    };
    let written = file.update(|state| state.page = Some(page.clone()));
    written.map(drop).map_err(|error| ApiError {
        code: Code::Internal,
        message: error.to_string(),
        detail: String::new(),
        hint: String::new(),
    })
}

pub(super) fn key_of(named: &Named) -> Result<ContextKey, ApiError> {
    match named {
        Named::Cluster(entry) => Ok(ContextKey::new(
            entry.name.clone(),
            Some(entry.file.clone()),
        )),
        Named::Addresses(key) => Ok(key.clone()),
        Named::Demo => Err(bad(
            "the demo mesh has its own sources".to_owned(),
            "choose a context",
        )),
    }
}

/// From [`crate::discovery::Candidate::id`].
fn of_candidate(id: &str) -> Result<SourceSettings, ApiError> {
    let unknown = || {
        bad(
            format!("there is no candidate `{id}`"),
            "check the context again",
        )
    };
    let (place, kind) = read_id(id).ok_or_else(unknown)?;
    let location = match place {
        Where::Address(url) => Location::Address(url),
        Where::Service {
            namespace,
            name,
            port,
            https,
            base_path,
        } => {
            let named = format!("{namespace}/{name}:{port}");
            let mut service = ServiceAddress::parse(&named).ok_or_else(unknown)?;
            service.https = https;
            if !base_path.is_empty() {
                service.base_path = base_path;
            }
            Location::Service(service)
        }
    };
    Ok(SourceSettings {
        kind,
        location: Some(location),
        ..SourceSettings::default()
    })
}

/// An address that a person gave: its secret goes to the keychain, the rest into the settings.
fn of_address(
    shared: &Shared,
    key: &ContextKey,
    kind: SourceKind,
    address: &AddressRequest,
) -> Result<SourceSettings, ApiError> {
    let url = address.url.trim();
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(bad(
            "the address does not begin with http:// or https://".to_owned(),
            "write it as http://host:port or https://host",
        ));
    }
    Ok(SourceSettings {
        location: Some(Location::Address(url.trim_end_matches('/').to_owned())),
        ..signed_in(shared, key, kind, address)?
    })
}

/// How to sign in somewhere, without the place.
fn signed_in(
    shared: &Shared,
    key: &ContextKey,
    kind: SourceKind,
    address: &AddressRequest,
) -> Result<SourceSettings, ApiError> {
    let secret = address.secret.as_ref().filter(|secret| !secret.is_empty());
    let auth = match (address.sign_in.as_str(), secret) {
        ("none" | "", _) => Auth::None,
        ("bearer" | "basic", Some(secret)) => {
            let secrets = shared.secrets().ok_or_else(|| {
                bad(
                    "no place for secrets could be opened".to_owned(),
                    "name a token_file or token_command in the settings",
                )
            })?;
            let secret = Secret::new(secret.clone());
            secrets
                .set(&secret_key(key, kind, 0), &secret)
                .map_err(|error| bad(error.to_string(), "unlock the keychain and try again"))?;
            Auth::Keychain
        }
        ("token_file", _) => Auth::TokenFile(whole_path(&address.token_file)?),
        ("token_command", _) => match address.token_command.first() {
            Some(program) if !program.trim().is_empty() => {
                Auth::TokenCommand(address.token_command.clone())
            }
            _ => return Err(bad("no program is named".to_owned(), "name one")),
        },
        ("bearer" | "basic", None) => {
            return Err(bad("no token or password is given".to_owned(), "type it"));
        }
        (other, _) => return Err(bad(format!("`{other}` is no way to sign in"), "")),
    };
    Ok(SourceSettings {
        kind: TraceKind::of_word(&address.kind).filter(|_| kind == SourceKind::Traces),
        tenant: Some(address.tenant.trim().to_owned()).filter(|tenant| !tenant.is_empty()),
        headers: headers(&address.headers)?,
        ca_file: optional_path(&address.ca_file)?,
        client_cert_file: optional_path(&address.client_cert_file)?,
        client_key_file: optional_path(&address.client_key_file)?,
        user: (address.sign_in == "basic").then(|| address.user.clone()),
        auth,
        ..SourceSettings::default()
    })
}

fn headers(given: &[HeaderView]) -> Result<BTreeMap<String, String>, ApiError> {
    let mut headers = BTreeMap::new();
    for header in given {
        let name = header.name.trim();
        // Whoever types these here means a secret, and the settings are a file.
        let is_secret = ["authorization", "cookie", "proxy-authorization"]
            .contains(&name.to_ascii_lowercase().as_str());
        if is_secret {
            return Err(bad(
                format!("the header `{name}` carries a secret, and headers are kept in a file"),
                "choose a way to sign in instead",
            ));
        }
        headers.insert(name.to_owned(), header.value.trim().to_owned());
    }
    Ok(headers)
}

fn optional_path(typed: &str) -> Result<Option<PathBuf>, ApiError> {
    match typed.trim() {
        "" => Ok(None),
        path => whole_path(path).map(Some),
    }
}

fn whole_path(typed: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(typed.trim());
    if path.is_absolute() {
        return Ok(path);
    }
    Err(bad(
        format!("`{}` is no whole path", typed.trim()),
        "write it from the root",
    ))
}

fn edit(shared: &Shared, change: impl Fn(&mut pilothouse_settings::Draft)) -> Result<(), ApiError> {
    let Some(file) = SettingsFile::of(&shared.folders) else {
        return Err(bad(
            "there is no folder for settings: neither HOME nor PILOTHOUSE_HOME is set".to_owned(),
            "set one of them",
        ));
    };
    file.edit(change).map(drop).map_err(|error| {
        let hint = match &error {
            EditError::Refused(problem) => problem.hint.clone(),
            EditError::Disk { .. } | EditError::Changing { .. } => String::new(),
        };
        bad(error.to_string(), &hint)
    })
}

fn code_word(code: Code) -> String {
    let word = serde_json::to_value(code).ok();
    word.and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn bad(message: String, hint: &str) -> ApiError {
    ApiError {
        code: Code::BadRequest,
        message,
        detail: String::new(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::{Candidate, Rank};

    #[test]
    fn a_chosen_candidate_is_remembered_whole() {
        let service = |https, base_path: &str| Where::Service {
            namespace: "m".to_owned(),
            name: "tempo".to_owned(),
            port: "3200".to_owned(),
            https,
            base_path: base_path.to_owned(),
        };
        let tempo = Some(TraceKind::Tempo);
        for (place, kind) in [
            (service(false, ""), None),
            (service(true, "/tempo/x"), tempo),
            (Where::Address("https://jaeger/ui".to_owned()), tempo),
            (Where::Address("http://prometheus:9090".to_owned()), None),
        ] {
            let candidate = Candidate {
                place,
                rank: Rank::Label,
                found_by: String::new(),
                kind,
            };
            let source = of_candidate(&candidate.id()).unwrap();
            let again = source.location.as_ref().map(super::super::choices::place);
            assert_eq!(again, Some(candidate.place.clone()));
            assert_eq!(source.kind, kind);
        }
        for odd in [
            "",
            "service",
            "service m",
            "moon m/n:1",
            "service m/n:1 as zip",
        ] {
            assert!(of_candidate(odd).is_err(), "{odd}");
        }
    }
}
