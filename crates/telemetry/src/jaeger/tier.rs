//! What a server at an address can do: looked at, never assumed from a version.

use pilothouse_core::model::SourceError;
use serde::Deserialize;

use super::wire;
use crate::http::{Answer, Client};

/// Which APIs answer. At least one of `v3` and `v1` is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tier {
    /// `/api/v3/…`.
    pub(super) v3: bool,
    /// `/api/v3/trace-summaries`; since then v3 also searches by attributes.
    pub(super) summaries: bool,
    /// `/api/traces` as a search; gone from the newest versions.
    pub(super) v1: bool,
}

impl Tier {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self {
                summaries: true, ..
            } => "v3 with summaries",
            Self { v3: true, .. } => "v3",
            Self { .. } => "v1",
        }
    }
}

/// Looks what answers.
///
/// # Errors
/// Any failure of the way and any refusal; `BadAnswer` or `NotFound` if neither API is there.
pub(super) async fn detect(client: &Client) -> Result<Tier, SourceError> {
    let v3_services = client.get(&["api", "v3", "services"], &[]).await?;
    let v3 = is_there(&v3_services, |a| wire::read_services_v3(a).is_ok())?;
    let v1_services = client.get(&["api", "services"], &[]).await?;
    let v1 = is_there(&v1_services, |a| wire::read_names_v1(a).is_ok())?;
    if !v3 && !v1 {
        return Err(if v1_services.is_success() {
            v1_services.not_json()
        } else {
            v1_services.failure()
        });
    }
    let summaries = v3 && has_summaries(client).await?;
    Ok(Tier { v3, summaries, v1 })
}

/// An answer that is no refusal is looked at. A server that refuses (401, 5xx) may well have this API.
fn is_there(answer: &Answer, fits: impl Fn(&Answer) -> bool) -> Result<bool, SourceError> {
    if answer.is_refusal() {
        return Err(answer.failure());
    }
    Ok(answer.is_success() && fits(answer))
}

/// Asks for summaries of nothing. The route is there if it answers in Jaeger's JSON, be it an error.
async fn has_summaries(client: &Client) -> Result<bool, SourceError> {
    let query = [
        ("query.serviceName", "-".to_owned()),
        ("query.startTimeMin", "1970-01-01T00:00:00Z".to_owned()),
        ("query.startTimeMax", "1970-01-01T00:00:01Z".to_owned()),
        ("query.searchDepth", "1".to_owned()),
    ];
    let answer = client
        .get(&["api", "v3", "trace-summaries"], &query)
        .await?;
    Ok(answer.looks_like_json()
        && (wire::read_summaries(&answer).is_ok() || wire::says_error(&answer)))
}

/// Names of the services, sorted.
pub(super) async fn services(client: &Client, tier: Tier) -> Result<Vec<String>, SourceError> {
    if tier.v3 {
        wire::read_services_v3(&client.get(&["api", "v3", "services"], &[]).await?)
    } else {
        wire::read_names_v1(&client.get(&["api", "services"], &[]).await?)
    }
}

#[derive(Deserialize)]
struct PageVersion {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

/// The version, which no API tells: Jaeger writes it into its page, as `JAEGER_VERSION = {…};`.
pub(super) async fn version(client: &Client) -> Option<String> {
    let page = client.get(&[], &[]).await.ok()?;
    version_in(&String::from_utf8_lossy(page.body()))
}

fn version_in(page: &str) -> Option<String> {
    let (_, after) = page.split_once("JAEGER_VERSION = ")?;
    let mut values = serde_json::Deserializer::from_str(after).into_iter::<PageVersion>();
    let version = values.next()?.ok()?.git_version;
    let known = !version.is_empty() && version.len() < 64 && version != "unknown";
    known.then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_page() {
        let page =
            |text: &str| format!("<html><script>JAEGER_CONFIG = X;\nJAEGER_VERSION = {text};");
        for (text, expected) in [
            (
                r#"{"gitCommit":"a","gitVersion":"v2.17.0","buildDate":""}"#,
                Some("v2.17.0"),
            ),
            (r#"{"gitCommit":"","gitVersion":"","buildDate":""}"#, None),
            ("DEFAULT_VERSION", None),
            ("{\"gitVersion\":", None),
        ] {
            assert_eq!(version_in(&page(text)).as_deref(), expected, "{text}");
        }
        assert_eq!(version_in("<html>"), None);
    }
}
