//! An operator at a window: folders of their own, kubeconfigs, and looks at contexts.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use pilothouse_api::dto::{ApiError, CandidateView, CheckLineView, CheckView, LineState};
use pilothouse_api::{Api, Connector, Offer, Opened, Workspace};
use pilothouse_connect::{Contexts, Folders, SourceArgs};
use pilothouse_kube::ConfigEnvironment;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What this operator opens contexts with.
pub(crate) struct Operator {
    home: TempDir,
    pub(crate) contexts: Arc<Contexts>,
    pub(crate) runtime: Runtime,
}

/// A look at a context, as far as it came.
pub(crate) struct Looked {
    pub(crate) view: CheckView,
    pub(crate) opened: Result<Opened, ApiError>,
}

impl Operator {
    /// With these kubeconfigs in `KUBECONFIG`.
    pub(crate) fn with(kubeconfigs: &[&Path]) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let environment = ConfigEnvironment {
            kubeconfig: Some(std::env::join_paths(kubeconfigs)?),
            home: Some(home.path().to_owned()),
            path: Some("/usr/bin:/bin".into()),
            ..ConfigEnvironment::default()
        };
        let folders = Folders::under(home.path());
        let contexts = Contexts::in_environment(SourceArgs::default(), folders, environment);
        Ok(Self {
            home,
            contexts: Arc::new(contexts),
            runtime: Runtime::new()?,
        })
    }

    /// The folder of settings, state and journal.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes `settings.toml`.
    pub(crate) fn settings(&self, text: &str) -> Result<()> {
        let folder = self.home().join("config");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("settings.toml"), text).context("writing the settings")
    }

    /// Looks at a context to the end.
    pub(crate) fn look(&self, context: &str) -> Result<Looked> {
        let last = Mutex::new(None);
        let tell = |view: CheckView| *last.lock().unwrap() = Some(view);
        // Loaded by hand: what is offered on the way is of no use.
        let offer = |_: Offer| ();
        let looking = self.contexts.connect(context, &tell, &offer);
        let opened = self.runtime.block_on(looking);
        let view = last.into_inner().unwrap().context("nothing was told")?;
        Ok(Looked { view, opened })
    }

    /// A workspace in which these contexts are open, whose engines are loaded by hand.
    pub(crate) fn open(&self, looks: Vec<Looked>) -> Result<Api> {
        // Named in full: it becomes a `dyn Connector`.
        let contexts = Arc::<Contexts>::clone(&self.contexts);
        let workspace = Workspace::empty(Some(contexts))
            .map_err(|error| anyhow::anyhow!("{}", error.message))?;
        for look in looks {
            let failed = |error: ApiError| anyhow::anyhow!("{}", error.message);
            let _guard = self.runtime.enter();
            workspace
                .add(look.opened.map_err(failed)?, false)
                .map_err(failed)?;
        }
        Ok(Api::new(workspace))
    }
}

impl Looked {
    /// A line of the report.
    pub(crate) fn line(&self, id: &str) -> Result<&CheckLineView> {
        let line = self.view.lines.iter().find(|line| line.id == id);
        line.with_context(|| format!("no line {id}: {:?}", self.view.failure))
    }

    /// The candidate whose name begins like this.
    pub(crate) fn candidate(&self, line: &str, shown: &str) -> Result<&CandidateView> {
        let line = self.line(line)?;
        let mut all = line.candidates.iter();
        all.find(|one| one.shown.starts_with(shown))
            .with_context(|| format!("no candidate {shown}: {line:#?}"))
    }

    /// A line in this state whose answer, detail and hint contain these words.
    pub(crate) fn says(&self, id: &str, state: LineState, words: &[&str]) -> Result<&Self> {
        let line = self.line(id)?;
        let text = format!("{} {} {}", line.answer, line.detail, line.hint);
        ensure!(
            line.state == state && words.iter().all(|part| text.contains(part)),
            "{state:?} with {words:?} was expected of {line:#?}"
        );
        Ok(self)
    }
}
