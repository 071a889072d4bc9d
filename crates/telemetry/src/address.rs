//! How flags and settings name a trace backend.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::TraceSource;

use crate::{FileTraces, JaegerSource, Options};

/// A trace backend, written `jaeger=URL` or `file=PATH`.
///
/// ```
/// use pilothouse_telemetry::TraceAddress;
///
/// let address: TraceAddress = "file=saved.json".parse().unwrap();
/// assert_eq!(address, TraceAddress::File("saved.json".into()));
/// assert!("saved.json".parse::<TraceAddress>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceAddress {
    /// Jaeger's HTTP API.
    Jaeger(String),
    /// Traces saved from any backend.
    File(PathBuf),
}

/// A text that names no trace backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no trace source: write jaeger=URL or file=PATH")]
pub struct UnknownTraceAddress(String);

impl FromStr for TraceAddress {
    type Err = UnknownTraceAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("jaeger", url)) => Ok(Self::Jaeger(url.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => Err(UnknownTraceAddress(text.to_owned())),
        }
    }
}

impl TraceAddress {
    /// The source behind the address. A file is read at once, which takes seconds if it is large.
    ///
    /// # Errors
    /// As [`JaegerSource::new`] and [`FileTraces::open`].
    pub fn open(&self, options: Options) -> Result<Arc<dyn TraceSource>, SourceError> {
        Ok(match self {
            Self::Jaeger(url) => Arc::new(JaegerSource::new(url, options)?),
            Self::File(path) => Arc::new(FileTraces::open(path)?),
        })
    }
}
