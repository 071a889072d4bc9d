//! One picture of all open contexts: the snapshot of one as it is, the snapshots of several folded into one graph.

use std::sync::Arc;

use pilothouse_core::graph::{ClusterPart, FetchedRows, MeshGraph, PartMetrics, fold_clusters};
use pilothouse_core::layout::Layout;
use pilothouse_core::model::Object;
use pilothouse_engine::{Engine, Snapshot};

use super::Member;

/// All open contexts at one moment.
pub(crate) struct Picture {
    /// Grows with every picture, whichever context changed.
    pub(crate) generation: u64,
    /// Tells layouts apart: which contexts it is of, and its version among those.
    pub(crate) layout_key: (u64, u64),
    pub(crate) graph: Arc<MeshGraph>,
    pub(crate) layout: Arc<Layout>,
    /// Each open context with its own snapshot; the stand-in alone while none is open.
    pub(crate) parts: Vec<Pictured>,
}

/// One context in a picture.
pub(crate) struct Pictured {
    pub(crate) context: String,
    pub(crate) cluster: Option<String>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) snapshot: Arc<Snapshot>,
}

/// Composes, and remembers what the next picture follows from.
#[derive(Default)]
pub(super) struct Composer {
    generation: u64,
    /// Counts changes of which contexts are open.
    epoch: u64,
    last: Option<Arc<Picture>>,
    /// Where the cards of several contexts stood in an earlier run.
    earlier: Option<Layout>,
}

impl Composer {
    /// Other contexts are open now: cards are arranged anew, or stand where they stood in an earlier run.
    pub(super) fn members_changed(&mut self, earlier: Option<Layout>) {
        self.epoch += 1;
        self.last = None;
        self.earlier = earlier;
    }

    /// The layout of several contexts at once, if it was made.
    pub(super) fn united_layout(&self) -> Option<Arc<Layout>> {
        let last = self.last.as_ref()?;
        (last.parts.len() > 1).then(|| Arc::clone(&last.layout))
    }

    /// The picture as of now; the last one if no context has published since.
    pub(super) fn compose(
        &mut self,
        members: &[Arc<Member>],
        nobody: &Arc<Engine>,
    ) -> Arc<Picture> {
        let parts = pictured(members, nobody);
        if let Some(last) = &self.last
            && is_same(&last.parts, &parts)
        {
            return Arc::clone(last);
        }
        let (graph, layout) = match (parts.as_slice(), members) {
            ([only], _) => (
                Arc::clone(&only.snapshot.graph),
                Arc::clone(&only.snapshot.layout),
            ),
            (several, members) => self.united(several, members, &nobody.snapshot()),
        };
        self.generation += 1;
        let picture = Arc::new(Picture {
            generation: self.generation,
            layout_key: (self.epoch, layout.version),
            graph,
            layout,
            parts,
        });
        self.last = Some(Arc::clone(&picture));
        picture
    }

    fn united(
        &self,
        parts: &[Pictured],
        members: &[Arc<Member>],
        nobody: &Arc<Snapshot>,
    ) -> (Arc<MeshGraph>, Arc<Layout>) {
        let nothing = FetchedRows::default();
        let known = parts.iter().map(|part| {
            let rows = part.snapshot.answers.as_deref().unwrap_or(&nothing);
            (rows, part.snapshot.objects.as_slice())
        });
        let united = cluster_parts(members, known);
        // Numbers of all contexts are shown as of the newest tick among them.
        let newest = parts.iter().max_by_key(|part| part.snapshot.taken_at);
        let request = newest
            .map_or(nobody, |part| &part.snapshot)
            .graph
            .request
            .clone();
        let before = self.last.as_ref().map(|last| Arc::clone(&last.layout));
        let graph = fold_clusters(&request, &united);
        let earlier = self.earlier.as_ref();
        let layout = match (
            before,
            earlier.filter(|layout| layout.knows_most_of(&graph)),
        ) {
            (Some(layout), _) => layout.follow_at(&graph, request.at),
            (None, Some(earlier)) => earlier.follow_at(&graph, request.at),
            (None, None) => Layout::default().tidied(&graph),
        };
        (Arc::new(graph), Arc::new(layout))
    }
}

/// What each open context brings into one graph: its answers and its objects. Contexts of one metrics server bring its
/// answers once.
pub(crate) fn cluster_parts<'a>(
    members: &'a [Arc<Member>],
    known: impl Iterator<Item = (&'a FetchedRows, &'a [Object])>,
) -> Vec<ClusterPart<'a>> {
    let parts = members.iter().zip(known).enumerate();
    parts
        .map(|(i, (member, (rows, objects)))| ClusterPart {
            context: &member.context,
            cluster: member.cluster(),
            metrics: asked_before(members, i, member)
                .map_or(PartMetrics::Own(rows), PartMetrics::SharedWith),
            objects,
        })
        .collect()
}

/// The context before this one that asks the same metrics server, if there is one.
fn asked_before<'a>(members: &'a [Arc<Member>], i: usize, member: &Member) -> Option<&'a str> {
    let server = member.metrics_server.as_ref()?;
    let earlier = members.iter().take(i);
    let same = |other: &&Arc<Member>| other.metrics_server.as_ref() == Some(server);
    earlier
        .clone()
        .find(same)
        .map(|other| other.context.as_str())
}

fn pictured(members: &[Arc<Member>], nobody: &Arc<Engine>) -> Vec<Pictured> {
    let of_member = |member: &Arc<Member>| Pictured {
        context: member.context.clone(),
        cluster: member.cluster().map(str::to_owned),
        engine: Arc::clone(&member.engine),
        snapshot: member.engine.snapshot(),
    };
    if members.is_empty() {
        return vec![Pictured {
            context: String::new(),
            cluster: None,
            engine: Arc::clone(nobody),
            snapshot: nobody.snapshot(),
        }];
    }
    members.iter().map(of_member).collect()
}

fn is_same(before: &[Pictured], now: &[Pictured]) -> bool {
    let same = |(a, b): (&Pictured, &Pictured)| {
        Arc::ptr_eq(&a.snapshot, &b.snapshot) && a.cluster == b.cluster
    };
    before.len() == now.len() && before.iter().zip(now).all(same)
}
