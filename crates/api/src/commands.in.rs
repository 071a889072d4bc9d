// Every command: the one list from which the registry, the handler and the permissions of the desktop shell, the browser
// shell and the TypeScript interface are made. A new command is a row here and a method of `Api`; then `make bindings`.
//
//     /// What it does, for the readers of the TypeScript too.
//     name: HOW(Request) -> Answer;
//
// - `name` is the method of `Api` and the name on the wire.
// - HOW is `fn` or `async fn`, as the method is, with `blocking` before it if the method reads or writes files, waits for
//   a lock of another process, or computes for more than a few milliseconds: it then gets a thread of its own. No command
//   runs on the window's main thread. `stream fn` is written by hand in both shells: it answers more than once.
// - Request and Answer are types of `dto`; `Result<Answer>` if the method can fail. Both may be left out.
//
// Two macros read this file: `commands!` in registry/rows.rs and a small one in src-tauri/build.rs.
commands! {
    /// Every update from now on: the newest state after each change.
    subscribe: stream fn() -> Update;

    /// Where we are and whether we may write.
    session: fn() -> SessionView;
    /// The newest state, whole, with positions.
    latest: blocking fn() -> Update;
    /// Asks every source now instead of at the next tick.
    refresh: fn();
    /// Changes the window of every rate.
    set_window: fn(WindowRequest) -> Result<SessionView>;

    /// Unlocks writes to one context for a while.
    arm: fn(ArmRequest) -> Result<SessionView>;
    /// Locks writes to one context, or to all.
    disarm: fn(DisarmRequest) -> Result<SessionView>;
    /// Stages a shift: nothing is written.
    plan_shift: async fn(PlanRequest) -> Result<PlanView>;
    /// Lets the server try a plan: nothing is written.
    dry_run: async fn(PlanIdRequest) -> Result<DryRunView>;
    /// Carries a plan out.
    apply: blocking async fn(ApplyRequest) -> Result<JournalEntryView>;
    /// Stages the inverse of a journal entry: nothing is written.
    plan_undo: blocking async fn(UndoRequest) -> Result<PlanView>;
    /// The journal of this context, newest first.
    journal: blocking fn() -> JournalView;

    /// Everything that can be chosen: contexts, addresses, the demo mesh. Contacts nobody.
    chooser: blocking fn() -> Result<ChooserView>;
    /// Begins to look at a context; its steps come with the updates.
    check_context: fn(ContextRequest) -> Result<CheckView>;
    /// Stops looking at a context; a credential plugin that is waited for is ended.
    cancel_check: fn(ContextRequest);
    /// Opens a context, which is looked at first if it was not.
    open_context: async fn(OpenRequest) -> Result<SessionView>;
    /// Closes a context.
    close_context: blocking fn(ContextRequest) -> SessionView;
    /// Signs in to an open context again: a credential plugin runs anew, a token file is read anew.
    log_in_again: fn(ContextRequest) -> Result<()>;
    /// Takes other namespaces for a context, and looks at it again; one that is open is reopened.
    choose_namespaces: blocking async fn(NamespacesRequest) -> Result<()>;
    /// Takes another metrics or trace source for a context, and looks at it again; one that is open is reopened.
    choose_source: blocking async fn(SourceRequest) -> Result<()>;
    /// Metrics and traces by address, without an API server: the id of that place.
    add_addresses: blocking fn(AddressesRequest) -> Result<ContextRequest>;
    /// Reads one more kubeconfig from now on.
    add_kubeconfig: blocking fn(FileRequest) -> Result<ChooserView>;
    /// What was asked of a context and answered, as text without secrets.
    connection_report: fn(ContextRequest) -> Result<TextView>;
    /// What the window remembers between two starts.
    memory: blocking fn() -> MemoryView;
    /// Keeps it.
    remember: blocking fn(MemoryRequest) -> Result<()>;

    /// Follows a link: the next update tells where it leads. Opens and contacts nothing.
    follow_link: fn(LinkTextRequest) -> Result<()>;
    /// The link to a place, to copy.
    link_to: fn(LinkRequest) -> Result<TextView>;
    /// The link was followed or given up: updates no longer tell it.
    end_link: fn(LinkEndRequest);

    /// Services that have traces.
    trace_services: async fn(TracesOfRequest) -> Result<ServicesView>;
    /// Operations of a service.
    trace_operations: async fn(OperationsRequest) -> Result<ServicesView>;
    /// Traces that match, newest first.
    find_traces: blocking async fn(TraceSearchRequest) -> Result<TraceListView>;
    /// One trace, analysed.
    trace: blocking async fn(TraceIdRequest) -> Result<TraceView>;
}
