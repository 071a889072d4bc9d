//! The cards of the chooser, from files alone.

use std::path::Path;

use pilothouse_api::dto::{
    ApiError, AuthView, CheckFailureView, ChooserView, ContextKind, ContextView,
    KubeconfigFileView, LastFailureView, PluginView, ProblemView,
};
use pilothouse_api::rfc3339;
use pilothouse_kube::{AuthKind, ContextEntry, EntryProblem, InteractiveMode, Kubeconfigs};
use pilothouse_settings::{ContextKey, ContextSettings, Location, Problem, Settings, State};
use tokio::time::Instant;

use super::Shared;
use super::classed::Classed;
use crate::look::board::{Board, milliseconds};

/// Id of the demo mesh.
pub(super) const DEMO: &str = "demo";

/// Everything that can be chosen.
pub(super) fn view(shared: &Shared) -> ChooserView {
    let since = Instant::now();
    let (settings, mut problems) = shared.settings();
    let (state, more) = shared.state();
    problems.extend(more);
    let mut problems: Vec<ProblemView> = problems.iter().map(|p| problem(p, shared)).collect();
    let (files, environment) = shared.kubeconfig_files(&settings);
    let mut contexts = Vec::new();
    let mut file_views = Vec::new();
    match Kubeconfigs::load(&files, &environment) {
        Ok(configs) => {
            for file in configs.files() {
                file_views.push(KubeconfigFileView {
                    path: shown(&file.path, shared),
                    contexts: u32::try_from(file.n_contexts).unwrap_or(u32::MAX),
                    problem: file.problem.as_ref().map(|p| entry_problem(p, shared)),
                });
            }
            for entry in configs.contexts() {
                contexts.push(of_entry(&entry, shared, &settings, &state));
            }
        }
        // No kubeconfig at all is how most people start; a file that was named and is not there is a problem.
        Err(error) if error.kind == pilothouse_engine::SourceErrorKind::NotConfigured => {}
        Err(error) => problems.push(ProblemView {
            message: error.message,
            file: String::new(),
            line: None,
        }),
    }
    for own in settings.contexts.iter().filter(|own| is_addresses(own)) {
        if contexts.iter().all(|known| known.id != own.name) {
            contexts.push(of_addresses(own, &settings, &state));
        }
    }
    contexts.push(demo(&state));
    let last = state
        .open
        .first()
        .and_then(|key| id_of(key, &contexts, shared));
    ChooserView {
        contexts,
        files: file_views,
        problems,
        read_ms: milliseconds(since),
        last,
        folder: shared
            .folders
            .state
            .as_ref()
            .map(|folder| shown(folder, shared)),
    }
}

/// Whether the settings of a context name a place without an API server.
pub(super) fn is_addresses(own: &ContextSettings) -> bool {
    let is_address = |location: &Option<Location>| matches!(location, Some(Location::Address(_)));
    own.file.is_none()
        && (own
            .metrics
            .iter()
            .any(|source| is_address(&source.location))
            || own.traces.iter().any(|source| is_address(&source.location)))
}

fn id_of(key: &ContextKey, contexts: &[ContextView], shared: &Shared) -> Option<String> {
    let file = key.file.as_deref().map(|file| shown(file, shared));
    let same = |context: &&ContextView| {
        context.file == file && (context.name == key.name || context.id == key.name)
    };
    contexts.iter().find(same).map(|context| context.id.clone())
}

fn of_entry(
    entry: &ContextEntry,
    shared: &Shared,
    settings: &Settings,
    state: &State,
) -> ContextView {
    let key = ContextKey::new(entry.name.clone(), Some(entry.file.clone()));
    let host = entry.server.as_deref().map(host_of);
    let class = Classed::of(settings, &key, host);
    let elsewhere = |file: &Option<std::path::PathBuf>| {
        let file = file.as_ref().filter(|file| **file != entry.file);
        file.map(|file| shown(file, shared))
    };
    let mut warnings = Vec::new();
    if entry.insecure_skip_tls_verify {
        warnings
            .push("the server's certificate is not checked (insecure-skip-tls-verify)".to_owned());
    }
    if let Some(user) = &entry.impersonates {
        warnings.push(format!("acts as {user} (impersonation)"));
    }
    let (last_used, last_failure) = remembered(state, &key);
    ContextView {
        id: entry.selector.clone(),
        kind: ContextKind::Kubeconfig,
        name: entry.name.clone(),
        class: class.class.as_str().to_owned(),
        class_label: class.label,
        colour: class.colour,
        server: entry.server.clone(),
        file: Some(shown(&entry.file, shared)),
        cluster_file: elsewhere(&entry.cluster_file),
        user_file: elsewhere(&entry.user_file),
        namespace: entry.namespace.clone(),
        auth: auth(entry),
        is_current: entry.is_current,
        is_open: false,
        last_used,
        last_failure,
        problem: entry.problem.as_ref().map(|p| entry_problem(p, shared)),
        notes: entry.notes.clone(),
        warnings,
    }
}

fn of_addresses(own: &ContextSettings, settings: &Settings, state: &State) -> ContextView {
    let key = ContextKey::new(own.name.clone(), None);
    let class = Classed::of(settings, &key, None);
    let (last_used, last_failure) = remembered(state, &key);
    let sources = own.metrics.iter().chain(&own.traces);
    let urls: Vec<String> = sources
        .filter_map(|source| match &source.location {
            Some(Location::Address(url)) => Some(url.clone()),
            Some(Location::Service(_)) | None => None,
        })
        .collect();
    ContextView {
        kind: ContextKind::Addresses,
        server: Some(urls.join(", ")),
        class: class.class.as_str().to_owned(),
        class_label: class.label,
        colour: class.colour,
        last_used,
        last_failure,
        ..blank(&own.name, &own.name)
    }
}

fn demo(state: &State) -> ContextView {
    let (last_used, _) = remembered(state, &ContextKey::new(DEMO, None));
    ContextView {
        kind: ContextKind::Demo,
        class: "demo".to_owned(),
        class_label: "demo".to_owned(),
        colour: Some("pink".to_owned()),
        last_used,
        ..blank(DEMO, "Demo mesh")
    }
}

fn blank(id: &str, name: &str) -> ContextView {
    ContextView {
        id: id.to_owned(),
        kind: ContextKind::Demo,
        name: name.to_owned(),
        class: "normal".to_owned(),
        class_label: String::new(),
        colour: None,
        server: None,
        file: None,
        cluster_file: None,
        user_file: None,
        namespace: None,
        auth: AuthView {
            kind: "none".to_owned(),
            ..AuthView::default()
        },
        is_current: false,
        is_open: false,
        last_used: None,
        last_failure: None,
        problem: None,
        notes: Vec::new(),
        warnings: Vec::new(),
    }
}

fn remembered(state: &State, key: &ContextKey) -> (Option<String>, Option<LastFailureView>) {
    let known = state.context(key);
    let used = known.and_then(|known| known.last_used).map(rfc3339);
    let failure = known.and_then(|known| known.last_failure.as_ref());
    let failure = failure.map(|failure| LastFailureView {
        at: rfc3339(failure.at),
        message: failure.message.clone(),
    });
    (used, failure)
}

fn auth(entry: &ContextEntry) -> AuthView {
    let (kind, text) = match &entry.auth {
        AuthKind::None => ("none", "nothing is given".to_owned()),
        AuthKind::Token => ("token", "token in the file".to_owned()),
        AuthKind::TokenFile => ("token_file", "token of a file".to_owned()),
        AuthKind::ClientCertificate => ("client_certificate", "client certificate".to_owned()),
        AuthKind::Basic => ("basic", "user name and password".to_owned()),
        AuthKind::Exec(program) => ("plugin", format!("plugin {program}")),
        AuthKind::Provider(name) => ("provider", format!("auth provider {name}")),
    };
    let plugin = entry.plugin.as_ref().map(|plugin| PluginView {
        command: plugin.command.clone(),
        found: plugin.found.as_ref().map(|path| path.display().to_string()),
        looked_in: plugin
            .looked_in
            .iter()
            .map(|folder| folder.display().to_string())
            .collect(),
        install_hint: plugin.install_hint.clone(),
        denied: plugin.policy_denied.clone().or_else(|| {
            (plugin.interactive == Some(InteractiveMode::Always))
                .then(|| "it asks something on a terminal, which a window has not".to_owned())
        }),
    });
    AuthView {
        kind: kind.to_owned(),
        text,
        plugin,
        expires: entry.certificate_expires.map(|at| at.to_string()),
    }
}

/// Adds to a failure what the chooser knows of a missing plugin: where was looked, and how to install it.
pub(super) fn explain_plugin(board: &Board<'_>, entry: &ContextEntry, failure: &ApiError) {
    let Some(plugin) = entry
        .plugin
        .as_ref()
        .filter(|plugin| plugin.found.is_none())
    else {
        return;
    };
    let install = plugin.install_hint.clone().unwrap_or_default();
    // A hint of one line is most often the command itself.
    let is_command = !install.trim().contains('\n') && !install.trim().is_empty();
    board.failed(CheckFailureView {
        asked: format!(
            "a token from the plugin that the file names: {}",
            plugin.command
        ),
        happened: failure.message.clone(),
        helps: if install.is_empty() {
            failure.hint.clone()
        } else {
            "Install the plugin, then check again. Its file says how:".to_owned()
        },
        command: if is_command {
            install.trim().to_owned()
        } else {
            install
        },
        looked_in: plugin
            .looked_in
            .iter()
            .map(|folder| folder.display().to_string())
            .collect(),
        stopped_at: "sign-in".to_owned(),
    });
}

fn problem(problem: &Problem, shared: &Shared) -> ProblemView {
    ProblemView {
        message: problem.to_string(),
        file: shown(&problem.file, shared),
        line: problem
            .place
            .as_ref()
            .and_then(|place| u32::try_from(place.line).ok()),
    }
}

fn entry_problem(problem: &EntryProblem, shared: &Shared) -> ProblemView {
    ProblemView {
        message: problem.message.clone(),
        file: shown(&problem.file, shared),
        line: problem.line.and_then(|line| u32::try_from(line).ok()),
    }
}

/// A path with the home folder as `~`.
fn shown(path: &Path, shared: &Shared) -> String {
    let home = shared.environment.home.as_deref();
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

/// The host of a URL.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    }
}
