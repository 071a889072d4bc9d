//! TypeScript declarations of the DTOs, as one generated file.
//!
//! `cargo run -p pilothouse-api --example bindings` writes it; a test fails while the committed file differs.

use ts_rs::TS;

use crate::dto;

/// Where the generated file stands, from the repository's root.
pub const PATH: &str = "frontend/src/backend/bindings.ts";

/// The text of the generated file.
#[must_use]
pub fn typescript() -> String {
    let config = ts_rs::Config::default();
    let mut out =
        String::from("// Generated from crates/api/src/dto by `make bindings`. Do not edit.\n");
    macro_rules! declare {
        ($($name:ident),+ $(,)?) => {
            $(
                out.push_str("\nexport ");
                out.push_str(&<dto::$name as TS>::decl(&config));
                out.push('\n');
            )+
        };
    }
    declare!(
        Code,
        ApiError,
        TrafficView,
        LatencyView,
        NodeView,
        CodeShareView,
        EdgeView,
        FindingView,
        SourceFault,
        SourceView,
        QueryView,
        GraphView,
        RectView,
        LayoutView,
        WritesView,
        SessionView,
        WindowRequest,
        ArmRequest,
        OwnerView,
        DestinationView,
        SplitView,
        SplitsView,
        WeightRequest,
        PlanRequest,
        PlanIdRequest,
        ApplyRequest,
        UndoRequest,
        ChangeView,
        DiffLine,
        OpView,
        PredictionView,
        DryRunView,
        PlanView,
        BandView,
        ProgressPoint,
        ProgressView,
        JournalEntryView,
        JournalView,
        TraceSearchRequest,
        TraceServiceView,
        TraceRowView,
        TraceListView,
        ServicesView,
        OperationsRequest,
        TraceIdRequest,
        SpanEventView,
        SpanView,
        PathSectionView,
        ServiceShareView,
        CallView,
        TraceView,
        Update,
    );
    out
}
