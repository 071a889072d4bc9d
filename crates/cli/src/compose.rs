//! Flags to an api: what the command line adds to the one composition is that a demo mesh remembers its edits.

use std::path::Path;

use pilothouse_api::Api;
use pilothouse_connect::{Composition, ConnectError, DemoMemory, SavedDemo, SourceArgs};
use pilothouse_engine::{Clock, system_clock};

use crate::failure::Failure;

/// The api over the sources that the flags name.
pub(crate) fn api(args: &SourceArgs) -> Result<Api, Failure> {
    api_and_demo(args).map(|(api, _)| api)
}

/// The api as of a moment: the demo mesh has a clock of its own for that, so that its answers are those of then; real
/// sources keep the time of day and are asked about that moment.
pub(crate) fn api_at(args: &SourceArgs, at: Option<&str>) -> Result<Api, Failure> {
    match at {
        Some(at) if args.demo => opened(args, pilothouse_api::clock_at(at)?).map(|(api, _)| api),
        _ => api(args),
    }
}

/// The same, with the demo mesh whose edits must be kept afterwards.
pub(crate) fn api_and_demo(args: &SourceArgs) -> Result<(Api, Option<SavedDemo>), Failure> {
    opened(args, system_clock())
}

/// The api over one file of traces.
pub(crate) fn api_of_file(path: &str) -> Result<Api, Failure> {
    let (api, _) = over(pilothouse_connect::trace_file(Path::new(path))?)?;
    Ok(api)
}

fn opened(args: &SourceArgs, clock: Clock) -> Result<(Api, Option<SavedDemo>), Failure> {
    over(pilothouse_connect::compose(args, clock, DemoMemory::Kept)?)
}

fn over(composition: Composition) -> Result<(Api, Option<SavedDemo>), Failure> {
    let (workspace, demo) = composition.workspace(false, None)?;
    Ok((Api::new(workspace), demo))
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let failure = match &error {
            ConnectError::Traces(_) => Self::usage(error.to_string()),
            ConnectError::BadData { .. } => Self::bad_data(error.to_string()),
            ConnectError::Io { .. } => Self::other(error.to_string()),
        };
        failure.with_hint(error.hint())
    }
}
