//! What the settings of a context say about its sources, with secrets fetched once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilothouse_engine::{SourceError, SourceKind, TraceKind, TraceSource};
use pilothouse_kube::KubeSource;
use pilothouse_settings::{Auth, ContextKey, ContextSettings, Location, SourceSettings};
use pilothouse_telemetry::{Options, PrometheusSource, TraceAddress, first_traces, open_traces};

use super::Shared;
use crate::args::SourceArgs;
use crate::discovery::{Candidate, Rank, Where};
use crate::look::{self, Choices};
use crate::sign_in;

/// A source of the settings or of the flags.
struct Prepared {
    place: Option<Where>,
    kind: Option<TraceKind>,
    options: Result<Options, SourceError>,
}

impl Prepared {
    fn is_at(&self, url: &str) -> bool {
        self.place == Some(Where::Address(url.trim_end_matches('/').to_owned()))
    }
}

/// The sources that the operator chose for a context, and what goes with every request there.
pub(super) struct ContextChoices {
    metrics: Option<Prepared>,
    traces: Vec<Prepared>,
    /// Traces in a file, for want of a server that is named before it.
    saved: Option<PathBuf>,
}

impl ContextChoices {
    /// Reads them; blocking, for the keychain may be asked.
    pub(super) fn prepare(shared: &Shared, key: &ContextKey, own: &ContextSettings) -> Self {
        let needs_secret = |source: &SourceSettings| source.auth == Auth::Keychain;
        let any = own.metrics.iter().chain(&own.traces).any(needs_secret);
        let secrets = any.then(|| shared.secrets()).flatten();
        let prepare = |settings: &SourceSettings, kind, index| {
            let place = settings.location.as_ref().map(place);
            let settings = match place {
                Some(_) => settings.clone(),
                None => without_secret(settings),
            };
            Prepared {
                place,
                kind: settings.kind,
                options: sign_in::options(&settings, secrets.as_deref(), key, kind, index),
            }
        };
        Self {
            metrics: own
                .metrics
                .as_ref()
                .map(|settings| prepare(settings, SourceKind::Metrics, 0)),
            traces: own
                .traces
                .iter()
                .enumerate()
                .map(|(i, settings)| prepare(settings, SourceKind::Traces, i))
                .collect(),
            saved: None,
        }
    }

    /// The same with what flags name in place of what the settings name. An address that both name keeps the sign-in that
    /// the settings have for it.
    pub(super) fn with_flags(mut self, args: &SourceArgs, traces: &[TraceAddress]) -> Self {
        if let Some(url) = &args.prometheus
            && !self.metrics.as_ref().is_some_and(|one| one.is_at(url))
        {
            self.metrics = Some(Prepared {
                place: Some(Where::Address(url.clone())),
                kind: None,
                options: Ok(sign_in::of_metrics_flags(args)),
            });
        }
        if traces.is_empty() {
            return self;
        }
        let known = std::mem::take(&mut self.traces);
        for address in traces {
            match address {
                TraceAddress::Server(kind, url) => {
                    let known = known.iter().find(|one| one.is_at(url));
                    let options = known.map(|known| known.options.clone());
                    self.traces.push(Prepared {
                        place: Some(Where::Address(url.clone())),
                        kind: Some(*kind),
                        options: options.unwrap_or_else(|| Ok(sign_in::of_trace_flags(args))),
                    });
                }
                // A file always answers: what is named after it is never asked.
                TraceAddress::File(path) => {
                    self.saved = Some(path.clone());
                    break;
                }
            }
        }
        self
    }

    /// The metrics that are named, opened at once, and where they are; `None` if they have to be looked for.
    pub(super) fn named_metrics(
        &self,
        kube: Option<&KubeSource>,
    ) -> Option<(Where, Result<PrometheusSource, SourceError>)> {
        let named = self.metrics.as_ref()?;
        let place = named.place.clone()?;
        let source = look::place_of(&place, kube)
            .and_then(|at| PrometheusSource::at(at, named.options.clone()?));
        Some((place, source))
    }

    /// The traces that are named, opened at once, the first that answers of several; `None` if they have to be looked for.
    pub(super) fn named_traces(
        &self,
        kube: Option<&KubeSource>,
    ) -> Option<Result<Arc<dyn TraceSource>, SourceError>> {
        let servers = self.traces.iter().filter_map(|named| {
            let place = look::place_of(named.place.as_ref()?, kube);
            Some(place.and_then(|at| open_traces(named.kind, at, named.options.clone()?)))
        });
        let saved = self.saved.iter();
        let saved = saved.map(|file| TraceAddress::File(file.clone()).open(Options::default()));
        first_traces(servers.chain(saved))
    }
}

impl Choices for ContextChoices {
    fn metrics(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)> {
        joined(self.metrics.iter(), found)
    }

    fn traces(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)> {
        joined(self.traces.iter(), found)
    }

    fn saved_traces(&self) -> Option<&Path> {
        self.saved.as_deref().filter(|_| self.traces.is_empty())
    }
}

/// What may go to every server that is found: anybody who can label a Service in the cluster would get the secret.
fn without_secret(settings: &SourceSettings) -> SourceSettings {
    SourceSettings {
        auth: Auth::None,
        user: None,
        secret_header: None,
        ..settings.clone()
    }
}

/// The chosen place first; its sign-in goes to no other place. What stands in the settings without a place is meant for
/// what is found inside the cluster, but for a secret.
fn joined<'a>(
    chosen: impl Iterator<Item = &'a Prepared>,
    found: Vec<Candidate>,
) -> Vec<(Candidate, Result<Options, SourceError>)> {
    let mut all = Vec::new();
    let mut for_found = None;
    for Prepared {
        place,
        kind,
        options,
    } in chosen
    {
        match place {
            Some(place) => {
                let candidate = Candidate {
                    place: place.clone(),
                    rank: Rank::Chosen,
                    found_by: "named in the settings of this context".to_owned(),
                    kind: *kind,
                };
                all.push((candidate, options.clone()));
            }
            None => for_found = Some(options.clone()),
        }
    }
    for candidate in found {
        let is_named = all
            .iter()
            .any(|(one, _)| one.place.is_same_server(&candidate.place));
        if is_named {
            continue;
        }
        // Addresses outside the cluster that somebody else wrote down get nothing of ours.
        let is_inside = matches!(candidate.place, Where::Service { .. });
        let options = for_found
            .clone()
            .filter(|_| is_inside)
            .unwrap_or_else(|| Ok(Options::default()));
        all.push((candidate, options));
    }
    all
}

pub(super) fn place(location: &Location) -> Where {
    match location {
        Location::Address(url) => Where::Address(url.clone()),
        Location::Service(service) => Where::Service {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
            port: service.port.clone(),
            https: service.https,
            base_path: service.base_path.trim_end_matches('/').to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_settings::{Environment, Folders, Settings};
    use pilothouse_telemetry::Credentials;

    use super::*;
    use crate::connector::Contexts;

    fn service(name: &str) -> Candidate {
        Candidate {
            place: Where::Service {
                namespace: "m".to_owned(),
                name: name.to_owned(),
                port: "9090".to_owned(),
                https: false,
                base_path: String::new(),
            },
            rank: Rank::Label,
            found_by: "labelled".to_owned(),
            kind: None,
        }
    }

    /// What goes to each place of a context with these metrics in its settings, a token in a file among it.
    fn asked(metrics: &str) -> Vec<(String, bool, usize)> {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::under(home.path());
        let text =
            format!("[context.east]\nmetrics = {{ {metrics}, token_file = \"/run/token\" }}\n");
        let environment: &Environment = folders.environment();
        let file = home.path().join("settings.toml");
        let (settings, problems) = Settings::parse(&text, &file, environment);
        assert_eq!(problems, []);
        let args = SourceArgs {
            prometheus: Some("http://of-another-context".to_owned()),
            ..SourceArgs::default()
        };
        let contexts = Contexts::new(args, folders);
        let key = ContextKey::new("east", None);
        let own = settings.context(&key).unwrap();
        let choices = ContextChoices::prepare(&contexts.shared, &key, own);
        let outside = Candidate {
            place: Where::Address("https://elsewhere".to_owned()),
            ..service("x")
        };
        let all = choices.metrics(vec![service("prometheus"), outside]);
        all.into_iter()
            .map(|(candidate, options)| {
                let options = options.unwrap();
                let signs_in = !matches!(options.credentials, Credentials::None);
                (candidate.place.shown(), signs_in, options.headers.len())
            })
            .collect()
    }

    #[test]
    fn a_secret_goes_to_the_place_that_is_named_with_it_alone() {
        let named = asked(r#"address = "https://mimir", tenant = "shop""#);
        let wanted = [
            ("https://mimir".to_owned(), true, 1),
            ("m/prometheus:9090".to_owned(), false, 0),
            ("https://elsewhere".to_owned(), false, 0),
        ];
        assert_eq!(named, wanted);
    }

    #[test]
    fn a_tenant_without_a_place_is_for_what_is_found_in_the_cluster() {
        let found = asked(r#"tenant = "shop""#);
        let wanted = [
            ("m/prometheus:9090".to_owned(), false, 1),
            ("https://elsewhere".to_owned(), false, 0),
        ];
        assert_eq!(found, wanted);
    }
}
