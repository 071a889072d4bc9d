//! One line per command: the window's call is the api's method.
#![expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands arguments over by value"
)]

use pilothouse_api::Api;
use pilothouse_api::dto::{
    ApiError, ApplyRequest, ArmRequest, DryRunView, JournalEntryView, JournalView,
    OperationsRequest, PlanIdRequest, PlanRequest, PlanView, ServicesView, SessionView,
    TraceIdRequest, TraceListView, TraceSearchRequest, TraceView, UndoRequest, Update,
    WindowRequest,
};
use tauri::{State, command};

type Answer<T> = Result<T, ApiError>;

#[command]
pub(crate) fn session(api: State<'_, Api>) -> SessionView {
    api.session()
}

#[command]
pub(crate) fn latest(api: State<'_, Api>) -> Update {
    api.latest()
}

#[command]
pub(crate) fn refresh(api: State<'_, Api>) {
    api.refresh();
}

#[command]
pub(crate) fn set_window(api: State<'_, Api>, request: WindowRequest) -> Answer<SessionView> {
    api.set_window(&request)
}

#[command]
pub(crate) fn arm(api: State<'_, Api>, request: ArmRequest) -> Answer<SessionView> {
    api.arm(&request)
}

#[command]
pub(crate) fn disarm(api: State<'_, Api>) -> SessionView {
    api.disarm()
}

#[command]
pub(crate) async fn plan_shift(api: State<'_, Api>, request: PlanRequest) -> Answer<PlanView> {
    api.plan_shift(&request).await
}

#[command]
pub(crate) async fn dry_run(api: State<'_, Api>, request: PlanIdRequest) -> Answer<DryRunView> {
    api.dry_run(&request).await
}

#[command]
pub(crate) async fn apply(api: State<'_, Api>, request: ApplyRequest) -> Answer<JournalEntryView> {
    api.apply(&request).await
}

#[command]
pub(crate) async fn plan_undo(api: State<'_, Api>, request: UndoRequest) -> Answer<PlanView> {
    api.plan_undo(&request).await
}

#[command]
pub(crate) fn journal(api: State<'_, Api>) -> JournalView {
    api.journal()
}

#[command]
pub(crate) async fn trace_services(api: State<'_, Api>) -> Answer<ServicesView> {
    api.trace_services().await
}

#[command]
pub(crate) async fn trace_operations(
    api: State<'_, Api>,
    request: OperationsRequest,
) -> Answer<ServicesView> {
    api.trace_operations(&request).await
}

#[command]
pub(crate) async fn find_traces(
    api: State<'_, Api>,
    request: TraceSearchRequest,
) -> Answer<TraceListView> {
    api.find_traces(&request).await
}

#[command]
pub(crate) async fn trace(api: State<'_, Api>, request: TraceIdRequest) -> Answer<TraceView> {
    api.trace(&request).await
}
