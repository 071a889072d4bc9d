//! A row is all that a command needs besides its method.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use super::{COMMANDS, Command, run_one};
use crate::api::Api;
use crate::bindings::typescript_of;
use crate::convert::not_found;
use crate::dto::{ApiError, Code, OperationsRequest, ServicesView};
use crate::workspace::Workspace;

/// Methods of commands that no shell has heard of.
trait Extra {
    fn thread(&self) -> ServicesView;
    fn echo(&self, request: &OperationsRequest) -> Result<ServicesView, ApiError>;
    async fn echo_later(&self, request: &OperationsRequest) -> Result<ServicesView, ApiError>;
    fn breaks(&self);
    fn check(&self) -> Result<(), ApiError>;
}

impl Extra for Api {
    fn thread(&self) -> ServicesView {
        ServicesView {
            names: vec![format!("{:?}", thread::current().id())],
            failures: Vec::new(),
        }
    }

    fn echo(&self, request: &OperationsRequest) -> Result<ServicesView, ApiError> {
        let names = vec![request.service.clone()];
        match request.service.as_str() {
            "nobody" => Err(not_found("nobody is not here")),
            _ => Ok(ServicesView {
                names,
                failures: Vec::new(),
            }),
        }
    }

    async fn echo_later(&self, request: &OperationsRequest) -> Result<ServicesView, ApiError> {
        // Needs the runtime's clock, wherever it runs.
        let at_once = std::time::Duration::ZERO;
        tokio::time::timeout(at_once, async {}).await.unwrap();
        self.echo(request)
    }

    fn breaks(&self) {
        panic!("on purpose");
    }

    fn check(&self) -> Result<(), ApiError> {
        Ok(())
    }
}

/// The same methods under other names, as the table tells where they run.
trait Apart: Extra {
    fn thread_apart(&self) -> ServicesView {
        self.thread()
    }
    async fn echo_apart(&self, request: &OperationsRequest) -> Result<ServicesView, ApiError> {
        self.echo_later(request).await
    }
}

impl Apart for Api {}

static TABLE: &[Command] = commands! {
    /// News.
    news: stream fn() -> SourceView;
    /// The thread that it runs on.
    thread: fn() -> ServicesView;
    /// The same, where it may block.
    ///
    /// In two paragraphs.
    thread_apart: blocking fn() -> ServicesView;
    /// What was asked.
    echo: fn(OperationsRequest) -> Result<ServicesView>;
    /// The same later.
    echo_later: async fn(OperationsRequest) -> Result<ServicesView>;
    /// The same where it may block.
    echo_apart: blocking async fn(OperationsRequest) -> Result<ServicesView>;
    /// Breaks off.
    breaks: blocking fn();
    /// Only tells whether it can.
    check: fn() -> Result<()>;
};

fn api() -> Api {
    Api::new(Workspace::empty(None).unwrap())
}

async fn answer(command: &str, request: Value) -> Result<Value, ApiError> {
    let text = run_one(TABLE, &api(), command, request).await?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_row_makes_a_method_a_command() {
    for command in ["echo", "echo_later", "echo_apart"] {
        let request = json!({ "service": "reviews" });
        let expect = json!({ "names": ["reviews"], "failures": [] });
        assert_eq!(answer(command, request).await.unwrap(), expect, "{command}");

        let refused = answer(command, json!({ "service": "nobody" })).await;
        let error = refused.unwrap_err();
        assert_eq!(error.code, Code::NotFound, "{command}");
        assert_eq!(error.message, "nobody is not here", "{command}");

        for misshapen in [json!({}), json!(null), json!({ "service": 1 })] {
            let error = answer(command, misshapen).await.unwrap_err();
            assert_eq!(error.code, Code::BadRequest, "{command}");
        }
    }
    for request in [json!(null), json!({}), json!("of no interest")] {
        assert_eq!(answer("check", request).await.unwrap(), Value::Null);
    }
}

#[test]
fn a_row_is_in_the_typescript_with_all_that_it_carries() {
    let text = typescript_of(TABLE);
    for line in [
        "  /** The thread that it runs on. */\n  thread: { request: null; answer: ServicesView };\n",
        "  /**\n   * The same, where it may block.\n   * \n   * In two paragraphs.\n   */\n  thread_apart: ",
        "  echo_apart: { request: OperationsRequest; answer: ServicesView };\n",
        "  check: { request: null; answer: null };\n",
        "export interface Streams {\n  /** News. */\n  news: { request: null; answer: SourceView };\n}\n",
        "\nexport type OperationsRequest = ",
        // Not in the table: part of what the stream carries, and of every failure.
        "\nexport type SourceFault = ",
        "\nexport type Code = ",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    assert!(!text.contains("TraceView"), "nobody asked for it:\n{text}");
}

#[tokio::test]
async fn what_may_block_has_a_thread_of_its_own() {
    let here = json!({ "names": [format!("{:?}", thread::current().id())], "failures": [] });
    assert_eq!(answer("thread", Value::Null).await.unwrap(), here);
    assert_ne!(answer("thread_apart", Value::Null).await.unwrap(), here);
}

#[tokio::test]
async fn a_command_that_breaks_off_is_a_failure_of_ours() {
    let error = answer("breaks", Value::Null).await.unwrap_err();
    assert_eq!(error.code, Code::Internal);
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let error = answer("news", Value::Null).await.unwrap_err();
    assert_eq!(error.code, Code::BadRequest);
    let error = answer("session", Value::Null).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound, "this table has no such row");
}

#[test]
fn every_name_is_there_once() {
    let names: BTreeSet<_> = COMMANDS.iter().map(Command::name).collect();
    assert_eq!(names.len(), COMMANDS.len());
    let streams: Vec<_> = COMMANDS.iter().filter(|row| row.streams()).collect();
    assert!(streams.len() < names.len());
}
