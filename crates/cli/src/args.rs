//! The command line, as declared to clap.

use clap::{Args, Parser, Subcommand, ValueEnum};
use pilothouse_api::parse_duration;
use pilothouse_connect::SourceArgs;

/// Pilothouse without a window: the live graph, weight shifts and traces of a service mesh.
#[derive(Debug, Parser)]
#[command(name = "pilothousectl", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every source: what answers, how fresh, what is wrong.
    Check(Format),
    /// The service graph with request rate, error ratio and latency.
    Graph(Box<GraphArgs>),
    /// Request rate, error ratio and latency of each canonical service.
    Services(RedArgs),
    /// The same of each call between two canonical services.
    Edges(RedArgs),
    /// Weighted routes: declared beside observed; shift and undo.
    #[command(subcommand)]
    Split(SplitCommand),
    /// Find and show traces.
    #[command(subcommand)]
    Traces(TracesCommand),
    /// Validate Istio and Gateway API objects locally.
    Validate(ValidateArgs),
    /// Run the demo mesh for others.
    Demo(DemoArgs),
    /// What was chosen, for the window and the command line alike.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Open the desktop app, at the place of a link if one is given.
    Ui {
        /// `pilothouse://CONTEXT/node|edge|split|trace/ID`, as the window copies it with the key L.
        link: Option<String>,
    },
    /// Paths and versions.
    Info(Format),
    /// Versions.
    Version(Format),
    /// A completion script.
    Completion {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder, for packages.
    #[command(hide = true)]
    Man {
        /// An existing folder.
        folder: std::path::PathBuf,
    },
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// The file and what is wrong with it.
    Show(Format),
    /// Every key: what it takes, what holds without it, what it means.
    Keys(Format),
    /// Writes a key; comments, order and unknown keys stay.
    Set {
        /// `refresh.tick_s`, `context."prod-eu".class`.
        key: String,
        /// TOML; what is not is a text.
        value: String,
    },
    /// Takes a key out.
    Unset {
        /// The key.
        key: String,
    },
}

/// Output of commands that print tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableOrJson {
    /// Columns.
    Table,
    /// Stable JSON.
    Json,
}

/// `-o`.
#[derive(Debug, Args)]
pub(crate) struct Format {
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// Identity of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphKind {
    /// Workloads.
    Workload,
    /// Canonical services.
    App,
    /// Canonical services by revision.
    VersionedApp,
    /// Services.
    Service,
}

/// Output of `graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphOutput {
    /// Edges as columns.
    Table,
    /// Stable JSON.
    Json,
    /// Graphviz.
    Dot,
}

/// Flags of `graph`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct GraphArgs {
    /// Identity of nodes.
    #[arg(long = "type", value_enum, default_value_t = GraphKind::App)]
    pub(crate) kind: GraphKind,
    /// Service nodes between callers and workloads.
    #[arg(long)]
    pub(crate) service_nodes: bool,
    /// Window of every rate; else that of the settings, 1m unless it was changed.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) window: Option<i64>,
    /// Moment of the numbers, RFC 3339; else now.
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<String>,
    /// HTTP: requests, none.
    #[arg(long, default_value = "requests")]
    pub(crate) http: String,
    /// gRPC: requests, sent, received, total, none.
    #[arg(long, default_value = "requests")]
    pub(crate) grpc: String,
    /// TCP: sent, received, total, none.
    #[arg(long, default_value = "sent")]
    pub(crate) tcp: String,
    /// Edges without traffic, too.
    #[arg(long)]
    pub(crate) idle_edges: bool,
    /// Declared nodes without traffic, too.
    #[arg(long)]
    pub(crate) idle_nodes: bool,
    /// Ambient reporters: none, waypoint, ztunnel, total.
    #[arg(long, default_value = "none")]
    pub(crate) ambient: String,
    /// Latencies: avg, p50, p95, p99; or none. Quantiles are the dearest thing to ask of a large mesh's Prometheus.
    #[arg(long, value_delimiter = ',', default_value = "p95")]
    pub(crate) latency: Vec<String>,
    /// The share of mutual TLS in the table; JSON always has it.
    #[arg(long)]
    pub(crate) mtls: bool,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = GraphOutput::Table)]
    pub(crate) output: GraphOutput,
}

/// Flags of `services` and `edges`.
#[derive(Debug, Args)]
pub(crate) struct RedArgs {
    /// Window of every rate; else that of the settings, 1m unless it was changed.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) window: Option<i64>,
    /// Moment of the numbers, RFC 3339; else now.
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<String>,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// Output of `split get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitOutput {
    /// Columns.
    Table,
    /// Stable JSON.
    Json,
    /// The same as YAML.
    Yaml,
}

/// `split …`.
#[derive(Debug, Subcommand)]
pub(crate) enum SplitCommand {
    /// Every split: declared weights, effective and observed share, owner, findings.
    Get {
        /// A host, or KIND/NAME[.NAMESPACE].
        which: Option<String>,
        /// Window of the observed share; else that of the settings, 1m unless it was changed.
        #[arg(long, value_parser = parse_duration)]
        window: Option<i64>,
        /// Output.
        #[arg(short, long, value_enum, default_value_t = SplitOutput::Table)]
        output: SplitOutput,
    },
    /// Shift weights: plan, server dry run, apply with preconditions, journal.
    Set(SplitSetArgs),
    /// Take the last change back (or the one named), keeping later edits of others.
    Undo(SplitUndoArgs),
    /// The journal, newest first.
    History(Format),
}

/// Flags of `split set`.
#[derive(Debug, Args)]
pub(crate) struct SplitSetArgs {
    /// KIND/NAME[.NAMESPACE], e.g. VirtualService/reviews.shop.
    pub(crate) which: String,
    /// DESTINATION=WEIGHT, destination being a subset, a host, or #1, #2 by position.
    #[arg(required = true, value_name = "DEST=WEIGHT")]
    pub(crate) weights: Vec<String>,
    /// Index of the route entry; needed if several divide traffic.
    #[arg(long)]
    pub(crate) route: Option<u32>,
    /// Refuse (75) unless the object is at this resourceVersion: the one that you looked at.
    #[arg(long, value_name = "VERSION")]
    pub(crate) resource_version: Option<String>,
    /// Stop after the server's dry run.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the diff and stop: exit 0 if equal, 1 if not.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Do not ask. Needed without a terminal.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// Flags of `split undo`.
#[derive(Debug, Args)]
pub(crate) struct SplitUndoArgs {
    /// Journal entry; else the last one that can be taken back.
    pub(crate) entry: Option<String>,
    /// Stop after the server's dry run.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Do not ask. Needed without a terminal.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// `traces …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TracesCommand {
    /// Traces that match, newest first.
    Find(Box<TracesFindArgs>),
    /// One trace, by id or from a file.
    Show(TracesShowArgs),
}

/// Flags of `traces find`.
#[derive(Debug, Args)]
pub(crate) struct TracesFindArgs {
    /// Service as the backend knows it.
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// Operation.
    #[arg(long)]
    pub(crate) operation: Option<String>,
    /// Only traces with an erroring span.
    #[arg(long)]
    pub(crate) error: bool,
    /// Shortest duration of the whole trace.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) min_duration: Option<i64>,
    /// Longest duration of the whole trace.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) max_duration: Option<i64>,
    /// An attribute that some span carries, KEY=VALUE.
    #[arg(long = "tag", value_name = "K=V")]
    pub(crate) tags: Vec<String>,
    /// How far back; else 1h, and everything of a file.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) since: Option<i64>,
    /// At most this many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1500))]
    pub(crate) limit: u32,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// Output of `traces show`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceOutput {
    /// A tree of spans.
    Tree,
    /// Stable JSON.
    Json,
    /// OTLP JSON, as recorded.
    Otlp,
}

/// Flags of `traces show`.
#[derive(Debug, Args)]
pub(crate) struct TracesShowArgs {
    /// A trace id, or a file of Jaeger, OTLP, Tempo or Zipkin JSON.
    pub(crate) trace: String,
    /// Mark the critical path in the tree.
    #[arg(long)]
    pub(crate) critical_path: bool,
    /// Leave clocks as recorded.
    #[arg(long)]
    pub(crate) raw_clock: bool,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TraceOutput::Tree)]
    pub(crate) output: TraceOutput,
}

/// Flags of `validate`.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// A file of YAML or JSON; - is stdin.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) filename: String,
    /// Output.
    #[arg(short, long, value_enum, default_value_t = TableOrJson::Table)]
    pub(crate) output: TableOrJson,
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Serve the metrics for a Prometheus to scrape, e.g. 127.0.0.1:9300; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_listen: std::net::SocketAddr,
}
