//! What the workspace needs from whoever knows files, clusters and servers: the port behind choosing and opening.

use std::future::Future;
use std::pin::Pin;

use pilothouse_engine::{Clock, EngineConfig, Layout, Sources};

use crate::dto::{
    AddressesRequest, ApiError, CheckView, ChooserView, FileRequest, MemoryRequest, MemoryView,
    NamespacesRequest, SourceRequest,
};

/// An answer that takes its time.
pub type Connecting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything that an engine over one context is opened with.
pub struct Opened {
    /// Settings of the engine; its context is the id that was asked for.
    pub config: EngineConfig,
    /// What it asks.
    pub sources: Sources,
    /// Its clock.
    pub clock: Clock,
    /// Istio's id of the cluster, where known.
    pub cluster: Option<String>,
    /// What tells the metrics server apart from others: contexts of one server are asked once. `None` without metrics.
    pub metrics_server: Option<String>,
}

/// Sources before everything was answered: numbers need not wait for the last question.
pub enum Offer {
    /// The likeliest ones. Their metrics server has not answered, so nothing of them is shown yet.
    Likely(Opened),
    /// Those that are taken. What is still asked changes nothing about them, but may add Istio's id of the cluster: then
    /// they are offered once more.
    Taken(Opened),
}

/// Knows what can be opened, looks at it, and opens it. What is marked as blocking reads or writes files or the keychain:
/// call it where that is allowed.
pub trait Connector: Send + Sync {
    /// Everything that can be chosen. Blocking; no network, no plugin.
    fn chooser(&self) -> ChooserView;

    /// Counts changes of what [`Connector::chooser`] would answer. Blocking, cheap: called every other second while a
    /// window is open.
    fn revision(&self) -> u32;

    /// Looks at a context and opens its sources. `tell` hears of every step, `offer` of sources as soon as there are any;
    /// the last word is the answer. Dropping the future stops everything, a credential plugin included.
    fn connect<'a>(
        &'a self,
        context: &'a str,
        tell: &'a (dyn Fn(CheckView) + Send + Sync),
        offer: &'a (dyn Fn(Offer) + Send + Sync),
    ) -> Connecting<'a, Result<Opened, ApiError>>;

    /// Remembers another source for a context. Blocking.
    ///
    /// # Errors
    /// If it makes no sense, or cannot be kept.
    fn choose_source(&self, request: &SourceRequest) -> Result<(), ApiError>;

    /// Remembers the namespaces that a context opens with. Blocking.
    ///
    /// # Errors
    /// If they make no sense, or cannot be kept.
    fn choose_namespaces(&self, request: &NamespacesRequest) -> Result<(), ApiError>;

    /// Remembers metrics and traces by address and gives the id of that place. Blocking.
    ///
    /// # Errors
    /// If they make no sense, or cannot be kept.
    fn add_addresses(&self, request: &AddressesRequest) -> Result<String, ApiError>;

    /// Reads one more kubeconfig from now on. Blocking.
    ///
    /// # Errors
    /// If it cannot be read, or not be remembered.
    fn add_kubeconfig(&self, request: &FileRequest) -> Result<(), ApiError>;

    /// Notes that a context was opened, or why it was not. Blocking.
    fn note(&self, context: &str, outcome: Result<(), &ApiError>);

    /// Where the cards of the picture of these contexts stood last. Blocking.
    fn positions(&self, contexts: &[String]) -> Option<Layout>;

    /// Remembers where they stand. Blocking. What cannot be written is lost, as it would be without us.
    fn keep_positions(&self, contexts: &[String], layout: &Layout);

    /// What the window remembers. Blocking.
    fn memory(&self) -> MemoryView;

    /// Keeps it. Blocking.
    ///
    /// # Errors
    /// If it is too large or cannot be written.
    fn remember(&self, request: &MemoryRequest) -> Result<(), ApiError>;
}
