//! Traces of a file: saved from Jaeger, Tempo, Zipkin or a collector, opened without any server.
//!
//! Owns reading the file up to a cap and answering the port from memory. Does not watch the file, does not write it and
//! does not care for its name: [`crate::formats`] tells formats by their look.
//!
//! ```
//! use pilothouse_telemetry::FileTraces;
//!
//! let json = br#"{"data":[{"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":"GET /",
//!     "startTime":1,"duration":2,"processID":"p"}],"processes":{"p":{"serviceName":"shop"}}}]}"#;
//! let traces = FileTraces::from_bytes("incident.json", json)?;
//! assert_eq!(traces.len(), 1);
//! # Ok::<(), pilothouse_core::model::SourceError>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId, TraceSummary, summarize};

use crate::filter::{Gathered, spans_fit, summary_fits};
use crate::formats::parse_traces;

/// Largest file that is read. A trace of 200,000 spans is about half of it.
const MAX_BYTES: u64 = 512 << 20;

/// Traces in memory, as a source.
#[derive(Debug)]
pub struct FileTraces {
    name: String,
    traces: Vec<(TraceSummary, Trace)>,
}

impl FileTraces {
    /// Reads a file. Blocks: large files take seconds.
    ///
    /// # Errors
    /// `BadConfiguration` if the path leads nowhere, `Forbidden` as the file system says, `TooLarge` above 512 MiB, `BadAnswer` if it holds no traces
    /// that can be read.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::open_capped(path, MAX_BYTES)
    }

    fn open_capped(path: &Path, cap: u64) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // A byte more than allowed tells a full file from one that is too large, also where the length is unknown.
            file.take(cap.saturating_add(1)).read_to_end(&mut bytes)
        });
        let n_read = read.map_err(|error| unreadable(&name, &error))?;
        if n_read as u64 > cap {
            return Err(failure(
                SourceErrorKind::TooLarge,
                format!("reading {name}: the file is larger than the {cap} bytes that are read"),
            )
            .with_hint("save fewer traces into one file"));
        }
        Self::from_bytes(&name, &bytes)
    }

    /// Traces from bytes that are already there; `name` stands in messages.
    ///
    /// # Errors
    /// `BadAnswer` if they are not traces in a known format.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, SourceError> {
        let traces = parse_traces(bytes).map_err(|error| {
            failure(SourceErrorKind::BadAnswer, format!("{name}: {error}"))
                .with_hint("give a file saved from Jaeger, Tempo or Zipkin, or OTLP as JSON")
        })?;
        let traces = traces
            .into_iter()
            .map(|trace| (summarize(&trace), trace))
            .collect();
        Ok(Self {
            name: name.to_owned(),
            traces,
        })
    }

    /// Number of traces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.traces.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    fn look(&self) -> Probe {
        let n_spans: usize = self.traces.iter().map(|(_, trace)| trace.spans.len()).sum();
        let mut facts = BTreeMap::from([
            ("traces".to_owned(), self.traces.len().to_string()),
            ("spans".to_owned(), n_spans.to_string()),
            (
                "services".to_owned(),
                self.names(|_| true, |span| &span.service).len().to_string(),
            ),
        ]);
        // A search has an interval: without these, nobody could know which one to give for an old file.
        let starts = || self.traces.iter().map(|(summary, _)| summary.start_ns);
        for (fact, start) in [
            ("first_start", starts().min()),
            ("last_start", starts().max()),
        ] {
            let moment = start.and_then(|ns| Timestamp::from_nanosecond(i128::from(ns)).ok());
            if let Some(moment) = moment {
                facts.insert(fact.to_owned(), moment.to_string());
            }
        }
        Probe {
            product: "file".to_owned(),
            version: None,
            api: None,
            address: self.name.clone(),
            facts,
            clock: None,
        }
    }

    fn names<'a>(
        &'a self,
        of: impl Fn(&pilothouse_core::trace::Span) -> bool,
        name: impl Fn(&'a pilothouse_core::trace::Span) -> &'a String,
    ) -> Vec<String> {
        let spans = self.traces.iter().flat_map(|(_, trace)| &trace.spans);
        let names: BTreeSet<&String> = spans.filter(|span| of(span)).map(name).collect();
        names.into_iter().cloned().collect()
    }

    fn search(&self, search: &TraceSearch) -> TracesFound {
        let mut gathered = Gathered::new(false);
        let fitting = self
            .traces
            .iter()
            .filter(|(summary, trace)| summary_fits(search, summary) && spans_fit(search, trace));
        gathered.extend(fitting.map(|(summary, _)| summary.clone()));
        gathered.finish(search.limit)
    }
}

impl TraceSource for FileTraces {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async { Ok(self.look()) })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(self.names(|_| true, |span| &span.service)) })
    }

    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(
            async move { Ok(self.names(|span| span.service == service, |span| &span.operation)) },
        )
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async move { Ok(self.search(search)) })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        let found = self.traces.iter().find(|(summary, _)| summary.id == id);
        Box::pin(async move { Ok(found.map(|(_, trace)| trace.clone())) })
    }
}

fn failure(kind: SourceErrorKind, message: String) -> SourceError {
    SourceError::new(SourceKind::Traces, kind, message)
}

fn unreadable(name: &str, error: &io::Error) -> SourceError {
    let message = format!("reading {name}: {error}");
    // A path that leads nowhere is a wrong flag, not a trace that is missing: `NotFound` would say the latter.
    if error.kind() == io::ErrorKind::NotFound {
        failure(SourceErrorKind::BadConfiguration, message).with_hint("check the path")
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        failure(SourceErrorKind::Forbidden, message).with_hint("check who may read the file")
    } else {
        failure(SourceErrorKind::BadConfiguration, message).with_hint("give the path of a file")
    }
}

#[cfg(test)]
mod tests;
