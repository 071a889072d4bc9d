//! How flags and settings name a trace backend, and which adapter reads it.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{TraceKind, TraceSource};

use crate::unknown::UnknownTraces;
use crate::{FileTraces, JaegerSource, Options, Place, TempoSource, ZipkinSource};

/// The source at a place; of which kind is found out when it is first asked, if that is not said.
///
/// # Errors
/// As [`JaegerSource::at`].
pub fn open_traces(
    kind: Option<TraceKind>,
    place: Place,
    options: Options,
) -> Result<Arc<dyn TraceSource>, SourceError> {
    Ok(match kind {
        Some(TraceKind::Jaeger) => Arc::new(JaegerSource::at(place, options)?),
        Some(TraceKind::Tempo) => Arc::new(TempoSource::at(place, &options)?),
        Some(TraceKind::Zipkin) => Arc::new(ZipkinSource::at(place, &options)?),
        None => Arc::new(UnknownTraces::at(place, options)),
    })
}

/// A trace backend, written `jaeger=URL`, `tempo=URL`, `zipkin=URL` or `file=PATH`.
///
/// ```
/// use pilothouse_telemetry::{TraceAddress, TraceKind};
///
/// let address: TraceAddress = "file=saved.json".parse().unwrap();
/// assert_eq!(address, TraceAddress::File("saved.json".into()));
/// let address: TraceAddress = "tempo=http://tempo:3200".parse().unwrap();
/// let wanted = TraceAddress::Server(TraceKind::Tempo, "http://tempo:3200".to_owned());
/// assert_eq!(address, wanted);
/// assert!("saved.json".parse::<TraceAddress>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceAddress {
    /// A server at this base address.
    Server(TraceKind, String),
    /// Traces saved from any backend.
    File(PathBuf),
}

/// A text that names no trace backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no trace source: write jaeger=URL, tempo=URL, zipkin=URL or file=PATH")]
pub struct UnknownTraceAddress(String);

impl FromStr for TraceAddress {
    type Err = UnknownTraceAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownTraceAddress(text.to_owned());
        match text.split_once('=').ok_or_else(unknown)? {
            ("file", path) => Ok(Self::File(path.into())),
            (word, url) => {
                let kind = TraceKind::of_word(word).ok_or_else(unknown)?;
                Ok(Self::Server(kind, url.to_owned()))
            }
        }
    }
}

impl TraceAddress {
    /// The source behind the address. A file is read at once, which takes seconds if it is large.
    ///
    /// # Errors
    /// As [`open_traces`] and [`FileTraces::open`].
    pub fn open(&self, options: Options) -> Result<Arc<dyn TraceSource>, SourceError> {
        match self {
            Self::Server(kind, url) => {
                open_traces(Some(*kind), Place::Address(url.clone()), options)
            }
            Self::File(path) => Ok(Arc::new(FileTraces::open(path)?)),
        }
    }
}
