//! A candidate with the way to it, and how it is asked for metrics.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use pilothouse_engine::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_kube::{KubeSource, Scheme, Target};
use pilothouse_telemetry::{MetricsSurvey, Options, Place, answering_metrics};
use tokio::time::{Duration, Instant};

use crate::discovery::{Candidate, Where};

/// A candidate with the way to it.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) candidate: Candidate,
    pub(super) place: Result<Place, SourceError>,
    pub(super) options: Options,
}

/// Where a server is, what goes with every request, and what tells it apart from others.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) place: Place,
    pub(super) options: Options,
    pub(super) found_at: Where,
}

/// What a probe brought, and how long it took.
pub(super) type Timed<P> = (Result<P, SourceError>, Duration);

/// Metrics that are asked in two steps, each when somebody first waits for it.
#[derive(Clone)]
pub(super) struct Surveying {
    /// Whether anybody answers: where its API begins, if not where it was said to.
    pub(super) answers: Shared<BoxFuture<'static, Result<Option<String>, SourceError>>>,
    /// What it is, if anybody does.
    pub(super) survey: Shared<BoxFuture<'static, Timed<MetricsSurvey>>>,
}

impl Asked {
    /// `None` if it cannot be reached at all.
    pub(super) fn way(&self) -> Option<Way> {
        Some(Way {
            place: self.place.clone().ok()?,
            options: self.options.clone(),
            found_at: self.candidate.place.clone(),
        })
    }

    /// The way to ask it for metrics; `None` if it cannot be reached at all.
    pub(super) fn survey(&self) -> Option<Surveying> {
        let place = self.place.clone().ok()?;
        let answering = timed(answering_metrics(place, self.options.clone()));
        let answering = answering
            .map(|(answer, took)| (answer.map(Arc::new), took))
            .boxed()
            .shared();
        let answers = answering.clone().map(|(answer, _)| {
            let base = answer?.base_path().map(str::to_owned);
            Ok(base)
        });
        let survey = async {
            let (answering, first) = answering.await;
            let survey = async { Ok(answering?.survey().await) };
            let (survey, rest) = timed(survey.boxed()).await;
            (survey, first + rest)
        };
        Some(Surveying {
            answers: answers.boxed().shared(),
            survey: survey.boxed().shared(),
        })
    }

    /// The way to it, because it answers below this path.
    pub(super) fn way_below(mut self, base: Option<&str>) -> Option<Way> {
        if let Some(base) = base {
            self.is_found_below(base);
        }
        self.way()
    }

    pub(super) const fn is_behind_the_api_server(&self) -> bool {
        matches!(self.candidate.place, Where::Service { .. })
    }

    /// Its API begins elsewhere than was thought.
    pub(super) fn is_found_below(&mut self, base: &str) {
        self.candidate.place = self.candidate.place.with_base(base);
        if let Ok(place) = &mut self.place
            && let Some(found) = place.with_base(base)
        {
            *place = found;
        }
    }
}

/// The way to a candidate: by its address, or through the API server.
pub(crate) fn place_of(place: &Where, kube: Option<&KubeSource>) -> Result<Place, SourceError> {
    match (place, kube) {
        (Where::Address(url), _) => Ok(Place::Address(url.clone())),
        (
            Where::Service {
                namespace,
                name,
                port,
                https,
                base_path,
            },
            Some(kube),
        ) => {
            let mut target = Target::service(namespace, name, port);
            if *https {
                target.scheme = Scheme::Https;
            }
            Ok(Place::Way {
                way: kube.way_to(&target)?,
                base_path: base_path.clone(),
            })
        }
        (Where::Service { .. }, None) => Err(SourceError::new(
            SourceKind::Metrics,
            SourceErrorKind::BadConfiguration,
            "a service of a cluster can only be reached through its API server",
        )),
    }
}

/// With the time that it takes.
pub(super) async fn timed<P>(probe: impl Future<Output = Result<P, SourceError>>) -> Timed<P> {
    let since = Instant::now();
    let answer = probe.await;
    (answer, since.elapsed())
}
