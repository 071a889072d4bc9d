//! The trace sources of the contexts that are meant, asked at the same time: a failure of one hides no answer of another.

use std::sync::Arc;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::TraceSource;
use pilothouse_engine::Engine;
use tokio::task::JoinSet;

use super::super::Api;
use crate::convert::{from_source, not_configured};
use crate::dto::{ApiError, ContextFailureView};

/// The trace source of a context.
pub(super) struct Backend {
    pub(super) engine: Arc<Engine>,
    source: Arc<dyn TraceSource>,
}

impl Backend {
    pub(super) fn source(&self) -> &dyn TraceSource {
        &*self.source
    }

    /// Passes an answer of the trace source on, and notes in its status how it went.
    pub(super) fn noted<T>(&self, answer: Result<T, SourceError>) -> Result<T, SourceError> {
        self.engine
            .note_traces(answer.as_ref().map(|_| ()).map_err(Clone::clone));
        answer
    }
}

/// What the trace sources answered, each with its context; in the order in which the contexts were opened.
pub(super) struct Answers<T> {
    pub(super) answers: Vec<(String, T)>,
    /// Sources that should have answered and did not.
    failures: Vec<(String, SourceError)>,
    n_asked: usize,
}

/// Answers with their contexts, and whose are missing.
type Known<T> = (Vec<(String, T)>, Vec<ContextFailureView>);

impl Api {
    /// Asks the trace sources of these contexts; without a name those of all that are open.
    ///
    /// # Errors
    /// If a named context is not open, or none is.
    pub(super) async fn ask_traces<T, F>(
        &self,
        contexts: &[String],
        ask: impl Fn(Backend) -> F,
    ) -> Result<Answers<T>, ApiError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SourceError>> + Send + 'static,
    {
        let engines = self.engines_of(contexts)?;
        let n_asked = engines.len();
        let mut asking = JoinSet::new();
        for (i, engine) in engines.into_iter().enumerate() {
            let context = engine.config().context.clone();
            let source = engine.sources().traces.clone();
            let answer = source.map(|source| ask(Backend { engine, source }));
            asking.spawn(async move {
                let answer = match answer {
                    Ok(answer) => answer.await,
                    Err(none) => Err(none),
                };
                (i, context, answer)
            });
        }
        let mut all = asking.join_all().await;
        all.sort_by_key(|(i, ..)| *i);
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        for (_, context, answer) in all {
            match answer {
                Ok(answer) => answers.push((context, answer)),
                Err(error) => failures.push((context, error)),
            }
        }
        Ok(Answers {
            answers,
            failures,
            n_asked,
        })
    }

    fn engines_of(&self, contexts: &[String]) -> Result<Vec<Arc<Engine>>, ApiError> {
        if !contexts.is_empty() {
            let named = contexts.iter();
            return named
                .map(|context| self.workspace().engine_of(Some(context)))
                .collect();
        }
        let members = self.workspace().members();
        if members.is_empty() {
            return Err(nobody());
        }
        Ok(members.iter().map(|m| Arc::clone(&m.engine)).collect())
    }
}

impl<T> Answers<T> {
    /// The answers, and whose are missing.
    ///
    /// # Errors
    /// If nobody answered: why the first one that has a trace source did not.
    pub(super) fn or_failure(mut self) -> Result<Known<T>, ApiError> {
        if self.answers.is_empty() {
            return Err(self.first_failure().unwrap_or_else(nobody));
        }
        // Where none is configured, nothing is missing.
        self.failures.retain(|(_, error)| !is_absent(error));
        let failures = self.failures.iter().map(|(context, error)| {
            let context = context.clone();
            let error = from_source(error);
            ContextFailureView { context, error }
        });
        Ok((self.answers, failures.collect()))
    }

    /// Why not everything is known, if that is so; of several contexts with the name of the one that failed.
    pub(super) fn first_failure(&self) -> Option<ApiError> {
        let mut failures = self.failures.iter();
        let failed = failures.clone().find(|(_, error)| !is_absent(error));
        let absent = || self.answers.is_empty().then(|| failures.next()).flatten();
        let (context, error) = failed.or_else(absent)?;
        let error = from_source(error);
        Some(match self.n_asked {
            0 | 1 => error,
            _ => ApiError {
                message: format!("{context}: {}", error.message),
                ..error
            },
        })
    }
}

fn is_absent(error: &SourceError) -> bool {
    matches!(
        error.kind,
        SourceErrorKind::NotConfigured | SourceErrorKind::SwitchedOff
    )
}

fn nobody() -> ApiError {
    not_configured("no context is open", "open one first")
}
