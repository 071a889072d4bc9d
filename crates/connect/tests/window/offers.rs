//! A context is open as soon as its metrics are known; what was begun over a wrong guess is never seen.

use std::sync::Arc;

use pilothouse_api::dto::{
    AddressesRequest, ApiError, CheckState, CheckView, ChooserView, FileRequest, MemoryRequest,
    MemoryView, NamespacesRequest, OpenRequest, SourceRequest, Update,
};
use pilothouse_api::{Api, Connecting, Connector, Offer, Opened, Subscription, Workspace};
use pilothouse_demo::{DemoConfig, DemoMesh};
use pilothouse_engine::{Class, EngineConfig, Layout, Sources, system_clock};
use tokio::sync::Notify;

/// A look that guesses one server, takes another or the same, and then goes on asking until it is told to end.
struct Guesses {
    likely: Option<&'static str>,
    taken: Option<&'static str>,
    go_on: Notify,
    end: Notify,
}

/// Opened over the demo mesh; `server` is told by the session as its cluster.
fn over(server: &str) -> Opened {
    let mesh = DemoMesh::new(DemoConfig::new(1, system_clock()));
    Opened {
        config: EngineConfig::new("east", Class::Normal),
        sources: Sources {
            control_plane: Ok(mesh.control_plane()),
            metrics: Ok(mesh.metrics()),
            traces: Ok(mesh.traces()),
            findings: Vec::new(),
        },
        clock: system_clock(),
        cluster: Some(server.to_owned()),
        metrics_server: Some(server.to_owned()),
    }
}

impl Connector for Guesses {
    fn connect<'a>(
        &'a self,
        _context: &'a str,
        _tell: &'a (dyn Fn(CheckView) + Send + Sync),
        offer: &'a (dyn Fn(Offer) + Send + Sync),
    ) -> Connecting<'a, Result<Opened, ApiError>> {
        Box::pin(async move {
            if let Some(likely) = self.likely {
                offer(Offer::Likely(over(likely)));
            }
            self.go_on.notified().await;
            if let Some(taken) = self.taken {
                offer(Offer::Taken(over(taken)));
            }
            self.end.notified().await;
            Ok(over("at the end"))
        })
    }

    fn chooser(&self) -> ChooserView {
        ChooserView::default()
    }

    fn revision(&self) -> u32 {
        0
    }

    fn choose_source(&self, _: &SourceRequest) -> Result<(), ApiError> {
        Ok(())
    }

    fn choose_namespaces(&self, _: &NamespacesRequest) -> Result<(), ApiError> {
        Ok(())
    }

    fn add_addresses(&self, _: &AddressesRequest) -> Result<String, ApiError> {
        Ok(String::new())
    }

    fn add_kubeconfig(&self, _: &FileRequest) -> Result<(), ApiError> {
        Ok(())
    }

    fn note(&self, _: &str, _: Result<(), &ApiError>) {}

    fn positions(&self, _: &[String]) -> Option<Layout> {
        None
    }

    fn keep_positions(&self, _: &[String], _: &Layout) {}

    fn memory(&self) -> MemoryView {
        MemoryView::default()
    }

    fn remember(&self, _: &MemoryRequest) -> Result<(), ApiError> {
        Ok(())
    }
}

async fn opening(guesses: Guesses) -> (Arc<Guesses>, Api, Subscription) {
    let guesses = Arc::new(guesses);
    let connector: Arc<dyn Connector> = Arc::<Guesses>::clone(&guesses);
    let api = Api::new(Workspace::empty(Some(connector)).unwrap());
    let request = OpenRequest {
        context: "east".to_owned(),
        beside: false,
    };
    api.open_context(&request).await.unwrap();
    let updates = Subscription::new(&api);
    (guesses, api, updates)
}

async fn first_open(updates: &mut Subscription) -> Update {
    loop {
        let update = updates.next().await.unwrap();
        if !update.sessions.is_empty() {
            return update;
        }
    }
}

fn guesses(likely: Option<&'static str>, taken: Option<&'static str>) -> Guesses {
    Guesses {
        likely,
        taken,
        go_on: Notify::new(),
        end: Notify::new(),
    }
}

#[tokio::test]
async fn it_is_open_before_the_last_question_is_answered() {
    for likely in [None, Some("taken"), Some("wrong")] {
        let (guesses, _api, mut updates) = opening(guesses(likely, Some("taken"))).await;
        guesses.go_on.notify_one();
        let update = first_open(&mut updates).await;
        assert_eq!(
            update.session.cluster.as_deref(),
            Some("taken"),
            "{likely:?}"
        );
        assert_eq!(update.checks[0].state, CheckState::Running);
        guesses.end.notify_one();
        let mut update = update;
        while update.checks[0].state == CheckState::Running {
            update = updates.next().await.unwrap();
        }
        // What the look ends with is what is open already.
        assert_eq!(update.session.cluster.as_deref(), Some("taken"));
    }
}

#[tokio::test]
async fn a_likely_server_is_not_shown_and_a_look_without_offers_opens_at_its_end() {
    let (guesses, api, mut updates) = opening(guesses(Some("wrong"), None)).await;
    guesses.go_on.notify_one();
    assert!(updates.next().await.unwrap().sessions.is_empty());
    guesses.end.notify_one();
    let update = first_open(&mut updates).await;
    assert_eq!(update.session.cluster.as_deref(), Some("at the end"));
    assert_eq!(api.session().context, "east");
}

#[tokio::test]
async fn a_look_that_was_not_meant_to_open_opens_nothing() {
    let guesses = Arc::new(guesses(Some("taken"), Some("taken")));
    let connector: Arc<dyn Connector> = Arc::<Guesses>::clone(&guesses);
    let api = Api::new(Workspace::empty(Some(connector)).unwrap());
    let request = pilothouse_api::dto::ContextRequest {
        context: "east".to_owned(),
    };
    api.check_context(&request).unwrap();
    let mut updates = Subscription::new(&api);
    guesses.go_on.notify_one();
    guesses.end.notify_one();
    loop {
        let update = updates.next().await.unwrap();
        assert!(update.sessions.is_empty());
        if update.checks[0].state == CheckState::Done {
            return;
        }
    }
}
