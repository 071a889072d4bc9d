//! Local validation of manifests, for shells.

use pilothouse_core::model::Severity;
use pilothouse_core::traffic;
use serde::Serialize;
use serde_json::Value;

use crate::convert::finding_view;
use crate::dto::{ApiError, Code, FindingView};

/// Verdict over all documents of an input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidateView {
    /// `accept` or `reject`.
    pub verdict: String,
    /// Findings, worst first.
    pub findings: Vec<FindingView>,
}

/// Most bytes of YAML that are read.
const LARGEST_INPUT: usize = 16 << 20;

/// Validates Istio and Gateway API objects given as YAML or JSON, one or several documents, without a cluster.
///
/// # Errors
/// [`Code::BadData`] if the text cannot be read as YAML or holds no document.
pub fn validate_text(text: &str) -> Result<ValidateView, ApiError> {
    let documents = read_documents(text)?;
    let mut findings: Vec<_> = traffic::validate_documents(&documents);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let rejected = findings.iter().any(|f| f.severity == Severity::Error);
    Ok(ValidateView {
        verdict: if rejected { "reject" } else { "accept" }.to_owned(),
        findings: findings.iter().map(finding_view).collect(),
    })
}

fn read_documents(text: &str) -> Result<Vec<Value>, ApiError> {
    if text.len() > LARGEST_INPUT {
        return Err(bad_data("the input is larger than 16 MiB", String::new()));
    }
    // The size is capped above, and aliases keep the parser's own limits: a whole cluster's routes may come at once.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: LARGEST_INPUT,
            max_nodes: LARGEST_INPUT,
            max_documents: LARGEST_INPUT,
        },
    };
    let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(text, options);
    let documents =
        read.map_err(|error| bad_data("the input cannot be read as YAML", error.to_string()))?;
    let documents: Vec<Value> = documents
        .into_iter()
        .filter(|d| !d.is_null())
        .flat_map(unlist)
        .collect();
    if documents.is_empty() {
        return Err(bad_data("the input holds no document", String::new()));
    }
    match documents
        .iter()
        .find(|d| !d.is_object() || d.get("kind").and_then(Value::as_str).is_none())
    {
        Some(_) => Err(bad_data(
            "the input holds something that is no Kubernetes object (no `kind`)",
            String::new(),
        )),
        None => Ok(documents),
    }
}

/// The items of a `kind: List`, or the document itself.
fn unlist(document: Value) -> Vec<Value> {
    let is_list = document
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"));
    match document.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items.clone(),
        _ => vec![document],
    }
}

fn bad_data(message: &str, detail: String) -> ApiError {
    let hint =
        "give a YAML or JSON manifest of VirtualService, DestinationRule or HTTPRoute objects"
            .to_owned();
    ApiError {
        code: Code::BadData,
        message: message.to_owned(),
        detail,
        hint,
    }
}

/// Any answer as YAML.
///
/// # Errors
/// [`Code::Internal`] if it cannot be written.
pub fn yaml(value: &impl Serialize) -> Result<String, ApiError> {
    serde_saphyr::to_string(value).map_err(|error| ApiError {
        code: Code::Internal,
        message: "the answer cannot be written as YAML".to_owned(),
        detail: error.to_string(),
        hint: String::new(),
    })
}
