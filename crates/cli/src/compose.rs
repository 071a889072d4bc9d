//! Flags to an api: what the command line adds to the one composition is that a demo mesh remembers its edits.

use std::io::Write as _;
use std::path::Path;

use pilothouse_api::Api;
use pilothouse_api::dto::CheckView;
use pilothouse_connect::{
    Composition, ConnectError, Contexts, DemoMemory, Need, SavedDemo, SourceArgs,
};
use pilothouse_engine::{Clock, system_clock};

use crate::failure::Failure;
use crate::output;

/// The api over the sources that the flags name, and what the command needs beside.
pub(crate) async fn api(args: &SourceArgs, need: Need) -> Result<Api, Failure> {
    over(compose(args, system_clock(), need).await?).map(|(api, _)| api)
}

/// The api as of a moment: the demo mesh has a clock of its own for that, so that its answers are those of then; real
/// sources keep the time of day and are asked about that moment.
pub(crate) async fn api_at(args: &SourceArgs, at: Option<&str>) -> Result<Api, Failure> {
    match at {
        Some(at) if args.demo => {
            let clock = pilothouse_api::clock_at(at)?;
            over(compose(args, clock, Need::Metrics).await?).map(|(api, _)| api)
        }
        _ => api(args, Need::Metrics).await,
    }
}

/// The api with the demo mesh whose edits must be kept afterwards.
pub(crate) async fn api_and_demo(args: &SourceArgs) -> Result<(Api, Option<SavedDemo>), Failure> {
    over(compose(args, system_clock(), Need::Metrics).await?)
}

/// The api with everything that was asked on the way to it.
pub(crate) async fn api_and_looks(args: &SourceArgs) -> Result<(Api, Vec<CheckView>), Failure> {
    let mut composition = compose(args, system_clock(), Need::Everything).await?;
    let looks = std::mem::take(&mut composition.looks);
    over(composition).map(|(api, _)| (api, looks))
}

/// The api over one file of traces.
pub(crate) fn api_of_file(path: &str) -> Result<Api, Failure> {
    let (api, _) = over(pilothouse_connect::trace_file(Path::new(path))?)?;
    Ok(api)
}

async fn compose(args: &SourceArgs, clock: Clock, need: Need) -> Result<Composition, Failure> {
    let contexts = Contexts::of_process(args);
    let composition = contexts.open_named(clock, DemoMemory::Kept, need).await?;
    for problem in &composition.problems {
        let text = output::lines(&format!("pilothousectl: settings: {problem}"));
        let _best_effort = writeln!(std::io::stderr(), "{text}");
    }
    Ok(composition)
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
