//! The facade: one method per thing that a shell may ask. Questions of one room stand together in a file below.

mod changes;
mod connections;
mod links;
mod query;
mod traces;

pub use query::{GraphQuery, clock_at};

use std::sync::Arc;

use pilothouse_core::graph::{self, MeshGraph};
use pilothouse_core::model::TimeSpan;
use pilothouse_engine::{Engine, GraphAnswers, ShiftWatch};
use tokio::task::{JoinSet, spawn_blocking};

use crate::convert::{
    bad_request, graph_view, internal, layout_view, progress_view, query_view, session_view,
    source_views, split_views, splits_view,
};
use crate::dto::{ApiError, GraphView, SessionView, SourceView, SplitsView, Update, WindowRequest};
use crate::workspace::{Member, Picture, Pictured, Workspace, cluster_parts};

/// The facade over the open contexts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    workspace: Arc<Workspace>,
}

impl Api {
    /// A facade over this workspace.
    #[must_use]
    pub fn new(workspace: Arc<Workspace>) -> Self {
        Self { workspace }
    }

    /// The open contexts.
    #[must_use]
    pub fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// The engine of the first open context, for shells that load it by hand.
    #[must_use]
    pub fn engine(&self) -> Arc<Engine> {
        self.workspace.first()
    }

    /// Objects, metrics and versions of every open context once, all at the same time; then the snapshots are there to
    /// read.
    pub async fn load(&self) {
        self.each(|engine| async move { engine.load().await }).await;
    }

    /// Lists the objects of every open context once.
    pub async fn load_objects(&self) {
        self.each(|engine| async move { engine.load_objects().await })
            .await;
    }

    async fn each<F>(&self, work: impl Fn(Arc<Engine>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut working = JoinSet::new();
        for member in self.workspace.members() {
            working.spawn(work(Arc::clone(&member.engine)));
        }
        working.join_all().await;
    }

    /// The newest state, whole, with positions.
    #[must_use]
    pub fn latest(&self) -> Update {
        self.update(None).0
    }

    /// An update for a reader that has the layout with this key already, and the key of the layout in it.
    pub(crate) fn update(&self, known_layout: Option<(u64, u64)>) -> (Update, (u64, u64)) {
        let picture = self.workspace.picture();
        let splits = splits_view(&picture.parts, &picture.graph);
        let of_part = |part: &Pictured| part.engine.changes().watches();
        let watches: Vec<_> = picture.parts.iter().map(of_part).collect();
        let open = |watch: &&ShiftWatch| watch.convergence.phase.open();
        let of_watches = watches.iter().flat_map(|watches| watches.iter());
        let of_watches = of_watches.filter(open).filter_map(|w| w.asked.as_ref());
        let of_graphs = picture.parts.iter();
        let of_graphs = of_graphs.flat_map(|part| part.snapshot.queries.iter());
        let graph = graph_view(
            picture.generation,
            &picture.graph,
            of_graphs.chain(of_watches).map(query_view),
            sources_of(&picture),
            &splits.splits,
        );
        let layout_is_news = known_layout != Some(picture.layout_key);
        let sessions: Vec<SessionView> = picture.parts.iter().map(session_of).collect();
        let session = sessions.first().cloned();
        let update = Update {
            graph,
            layout: layout_is_news.then(|| layout_view(&picture.layout)),
            splits,
            progress: picture
                .parts
                .iter()
                .zip(&watches)
                .flat_map(|(part, watches)| {
                    let now = part.engine.now();
                    let views = watches.iter();
                    views.map(move |watch| progress_view(&part.context, watch, now))
                })
                .collect(),
            session: session.unwrap_or_else(|| self.session()),
            sessions: sessions.into_iter().filter(SessionView::is_open).collect(),
            checks: self.workspace.checks(),
            chooser_revision: self.workspace.chooser_revision(),
            link: self.link(),
        };
        (update, picture.layout_key)
    }

    /// Where we are and whether we may write: in the first open context.
    #[must_use]
    pub fn session(&self) -> SessionView {
        let first = self.workspace.members().into_iter().next();
        let cluster = first.as_ref().and_then(|member| member.cluster());
        session_view(&self.workspace.first(), cluster)
    }

    pub(crate) fn session_of(&self, context: &str) -> SessionView {
        let members = self.workspace.members();
        let member = members.iter().find(|member| member.context == context);
        member.map_or_else(
            || self.session(),
            |member| session_view(&member.engine, member.cluster()),
        )
    }

    /// Every source as of now.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceView> {
        let members = self.workspace.members();
        let mut engines: Vec<Arc<Engine>> = members.iter().map(|m| Arc::clone(&m.engine)).collect();
        if engines.is_empty() {
            engines.push(self.workspace.first());
        }
        let of_engine = |engine: &Arc<Engine>| {
            let context = &engine.config().context;
            source_views(
                context,
                &engine.statuses(),
                engine.now(),
                engine.fresh_for(),
            )
        };
        engines.iter().flat_map(of_engine).collect()
    }

    /// Splits of the newest snapshots.
    #[must_use]
    pub fn splits(&self) -> SplitsView {
        let picture = self.workspace.picture();
        splits_view(&picture.parts, &picture.graph)
    }

    /// Every route entry of the newest snapshots, those with a single destination too.
    #[must_use]
    pub fn all_splits(&self) -> SplitsView {
        let picture = self.workspace.picture();
        let mut splits: Vec<_> = split_views(&picture.parts, &picture.graph).collect();
        splits.sort_by(|a, b| a.id.cmp(&b.id));
        SplitsView { splits }
    }

    /// A graph by any request, over the objects loaded last.
    ///
    /// # Errors
    /// Only if folding broke off.
    pub async fn graph(&self, query: &GraphQuery) -> Result<(GraphView, MeshGraph), ApiError> {
        let members = self.workspace.members();
        let mut asking = JoinSet::new();
        for (i, member) in members.iter().enumerate() {
            let engine = Arc::clone(&member.engine);
            let request = query.request.clone();
            asking.spawn(async move { (i, engine.answers(&request).await) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(i, _)| *i);
        let request = query.request.clone();
        let folding = spawn_blocking(move || {
            let answers: Vec<GraphAnswers> = answers.into_iter().map(|(_, one)| one).collect();
            let mut graph = united(&request, &members, &answers);
            let doubts = answers.iter().flat_map(|one| one.doubts.iter().cloned());
            graph.findings.extend(doubts);
            (graph, answers)
        });
        let (graph, answers) = folding
            .await
            .map_err(|broken| internal(format!("folding the graph broke off: {broken}")))?;
        let splits = self.splits();
        let queries = answers.iter().flat_map(|one| one.queries.iter());
        let view = graph_view(
            self.workspace.picture().generation,
            &graph,
            queries.map(query_view),
            self.sources(),
            &splits.splits,
        );
        Ok((view, graph))
    }

    /// Asks for a tick of every context now.
    pub fn refresh(&self) {
        for member in self.workspace.members() {
            member.engine.refresh();
        }
    }

    /// Changes the window of every rate.
    ///
    /// # Errors
    /// If it is below 15 s or above a day.
    pub fn set_window(&self, request: &WindowRequest) -> Result<SessionView, ApiError> {
        if !(15.0..=86_400.0).contains(&request.window_s) {
            return Err(bad_request("a window lasts between 15 s and one day"));
        }
        for member in self.workspace.members() {
            member.engine.set_window(span_of_seconds(request.window_s));
        }
        Ok(self.session())
    }
}

fn session_of(part: &Pictured) -> SessionView {
    session_view(&part.engine, part.cluster.as_deref())
}

/// Every source as the snapshots know it: an update never mixes a newer state with older numbers.
fn sources_of(picture: &Picture) -> Vec<SourceView> {
    let of_part = |part: &Pictured| {
        let engine = &part.engine;
        let statuses = &part.snapshot.sources;
        source_views(&part.context, statuses, engine.now(), engine.fresh_for())
    };
    picture.parts.iter().flat_map(of_part).collect()
}

/// One context's graph as it is; several as one.
fn united(
    request: &graph::GraphRequest,
    members: &[Arc<Member>],
    answers: &[GraphAnswers],
) -> MeshGraph {
    if let [only] = answers {
        return graph::fold(request, &only.rows, &only.objects);
    }
    let known = answers
        .iter()
        .map(|one| (&*one.rows, one.objects.as_slice()));
    let parts = cluster_parts(members, known);
    graph::fold_clusters(request, &parts)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, which is what is meant"
)]
fn span_of_seconds(seconds: f64) -> TimeSpan {
    TimeSpan((seconds * 1000.0) as i64)
}
