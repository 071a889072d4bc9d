//! What crosses the border to a shell: the JSON of the command line and the types of the frontend.
//!
//! These shapes are stable: fields are only ever added. Names are in snake case; an unknown number is `null`, never 0;
//! rates are per second (bytes per second for tcp), ratios in 0..=1, moments RFC 3339. TypeScript declarations are
//! generated from here ([`crate::bindings`]).

mod connection;
mod error;
mod graph;
mod link;
mod session;
mod splits;
mod traces;
mod update;

pub use connection::{
    ActionView, AddressRequest, AddressesRequest, AuthView, CandidateView, CheckFailureView,
    CheckLineView, CheckState, CheckView, ChooserView, ContextKind, ContextRequest, ContextView,
    FileRequest, HeaderView, KubeconfigFileView, LastFailureView, LineState, MemoryRequest,
    MemoryView, NamespacesRequest, OpenRequest, PluginView, ProblemView, SourceRequest, TextView,
    WaitingView,
};
pub use error::{ApiError, Code};
pub use graph::{
    CodeShareView, EdgeView, FindingView, GraphView, LatencyView, LayoutView, NodeView, QueryView,
    RectView, SourceFault, SourceView, TrafficView,
};
pub use link::{LinkEndRequest, LinkPlace, LinkRequest, LinkTextRequest, LinkView};
pub use session::{ArmRequest, DisarmRequest, RightView, SessionView, WindowRequest, WritesView};
pub use splits::{
    ApplyRequest, BandView, ChangeView, DestinationView, DiffLine, DryRunView, JournalEntryView,
    JournalView, OpView, OwnerView, PlanIdRequest, PlanRequest, PlanView, PredictionView,
    ProgressPoint, ProgressView, SplitView, SplitsView, UndoRequest, WeightRequest,
};
pub use traces::{
    CallView, ContextFailureView, OperationsRequest, PathSectionView, ServiceShareView,
    ServicesView, SpanEventView, SpanView, TraceIdRequest, TraceListView, TraceRowView,
    TraceSearchRequest, TraceServiceView, TraceView, TracesOfRequest,
};
pub use update::Update;
