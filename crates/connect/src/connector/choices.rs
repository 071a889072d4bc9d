//! What the settings of a context say about its sources, with secrets fetched once.

use pilothouse_engine::{SourceError, SourceKind};
use pilothouse_settings::{Auth, ContextKey, ContextSettings, Location, SourceSettings};
use pilothouse_telemetry::Options;

use super::Shared;
use crate::discovery::{Candidate, Rank, Where};
use crate::look::Choices;
use crate::sign_in;

type Prepared = (Option<Where>, Result<Options, SourceError>);

/// The sources that the operator chose for a context, and what goes with every request there.
pub(super) struct ContextChoices {
    metrics: Option<Prepared>,
    traces: Vec<Prepared>,
}

impl ContextChoices {
    /// Reads them; blocking, for the keychain may be asked.
    pub(super) fn prepare(shared: &Shared, key: &ContextKey, own: &ContextSettings) -> Self {
        let needs_secret = |source: &SourceSettings| source.auth == Auth::Keychain;
        let any = own.metrics.iter().chain(&own.traces).any(needs_secret);
        let secrets = any.then(|| shared.secrets()).flatten();
        let prepare = |settings: &SourceSettings, kind, index| {
            let options = sign_in::options(settings, secrets.as_deref(), key, kind, index);
            (settings.location.as_ref().map(place), options)
        };
        let by_flag = shared.args.prometheus.as_ref().map(|url| {
            let place = Where::Address(url.clone());
            (Some(place), Ok(Options::default()))
        });
        Self {
            metrics: by_flag.or_else(|| {
                let settings = own.metrics.as_ref()?;
                Some(prepare(settings, SourceKind::Metrics, 0))
            }),
            traces: own
                .traces
                .iter()
                .enumerate()
                .map(|(i, settings)| prepare(settings, SourceKind::Traces, i))
                .collect(),
        }
    }
}

impl Choices for ContextChoices {
    fn metrics(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)> {
        joined(self.metrics.iter(), found)
    }

    fn traces(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)> {
        joined(self.traces.iter(), found)
    }
}

/// The chosen place first; its sign-in goes to no other place. A sign-in without a place is meant for what is found.
fn joined<'a>(
    chosen: impl Iterator<Item = &'a Prepared>,
    found: Vec<Candidate>,
) -> Vec<(Candidate, Result<Options, SourceError>)> {
    let mut all = Vec::new();
    let mut for_found = None;
    for (place, options) in chosen {
        match place {
            Some(place) => {
                let candidate = Candidate {
                    place: place.clone(),
                    rank: Rank::Chosen,
                    found_by: "named in the settings of this context".to_owned(),
                };
                all.push((candidate, options.clone()));
            }
            None => for_found = Some(options.clone()),
        }
    }
    for candidate in found {
        let is_named = all.iter().any(|(one, _)| one.place == candidate.place);
        if is_named {
            continue;
        }
        // Addresses outside the cluster that somebody else wrote down get no secret of ours.
        let is_inside = matches!(candidate.place, Where::Service { .. });
        let options = for_found
            .clone()
            .filter(|_| is_inside)
            .unwrap_or_else(|| Ok(Options::default()));
        all.push((candidate, options));
    }
    all
}

fn place(location: &Location) -> Where {
    match location {
        Location::Address(url) => Where::Address(url.clone()),
        Location::Service(service) => Where::Service {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
            port: service.port.clone(),
            https: false,
            base_path: service.base_path.trim_end_matches('/').to_owned(),
        },
    }
}
