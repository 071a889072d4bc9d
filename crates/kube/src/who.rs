//! As whom the server sees us, and what it runs.

use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

use crate::failure::{CallError, Doing, failed, prefixed};
use crate::source::KubeSource;

/// The user as the server sees us after authentication and impersonation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Who {
    /// User name.
    pub user: String,
    /// Stable id; empty if the authenticator gives none.
    pub uid: String,
    /// Groups, in the server's order.
    pub groups: Vec<String>,
    /// Further attributes of the authenticator. May tell more about a person than a report should: not part of reports.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// What the API server is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ServerVersion {
    /// `v1.36.2`, with the distribution's suffix where there is one: `v1.31.4-gke.1183000`.
    pub git_version: String,
    /// `linux/amd64`; empty if it does not say.
    pub platform: String,
    /// Distribution by the version's suffix (`eks`, `gke`, `k3s`, `rke2`); `None` if it says nothing.
    pub distribution: Option<String>,
}

#[derive(Deserialize)]
struct WireReview {
    status: WireStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStatus {
    user_info: WireUser,
}

#[derive(Deserialize)]
struct WireUser {
    username: Option<String>,
    uid: Option<String>,
    groups: Option<Vec<String>>,
    extra: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVersion {
    git_version: String,
    #[serde(default)]
    platform: String,
}

impl KubeSource {
    /// Who we are to the server; `None` if it is too old to say (before 1.27) or does not tell.
    ///
    /// # Errors
    ///
    /// As for any read; a review that is forbidden or absent is no error.
    pub async fn whoami(&self) -> Result<Option<Who>, SourceError> {
        let doing = question("ask who we are");
        for version in ["v1", "v1beta1"] {
            let api = format!("authentication.k8s.io/{version}");
            let review = json!({"apiVersion": api, "kind": "SelfSubjectReview"});
            let path = format!("/apis/{api}/selfsubjectreviews");
            match self.review(&path, &review).await {
                Ok(value) => {
                    let wire: WireReview = serde_json::from_value(value)
                        .map_err(|error| unreadable(&error, &doing))?;
                    return Ok(Who::of(wire.status.user_info));
                }
                Err(CallError::Refused(refusal)) if refusal.status == 404 => {}
                Err(CallError::Refused(refusal)) if refusal.status == 403 => return Ok(None),
                Err(error) => return Err(error.of_read(&doing)),
            }
        }
        Ok(None)
    }

    /// What the server runs; `None` if it hides it.
    ///
    /// # Errors
    ///
    /// As for any read; a version that is forbidden or absent is no error.
    pub async fn version(&self) -> Result<Option<ServerVersion>, SourceError> {
        let doing = question("ask the server's version");
        match self.read("/version").await {
            Ok(reply) => {
                let wire: WireVersion = serde_json::from_slice(&reply.body)
                    .map_err(|error| unreadable(&error, &doing))?;
                Ok(Some(ServerVersion {
                    distribution: distribution(&wire.git_version),
                    git_version: wire.git_version,
                    platform: wire.platform,
                }))
            }
            Err(CallError::Refused(refusal)) if matches!(refusal.status, 403 | 404) => Ok(None),
            Err(error) => Err(error.of_read(&doing)),
        }
    }

    /// Whether there is a Kubernetes API at all at this address: for servers that tell neither who we are nor their
    /// version, as every path does under which there is nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none. One that cannot be asked is none of this question's business.
    pub async fn has_an_api(&self) -> Result<(), SourceError> {
        match self.read("/api").await {
            Err(CallError::Refused(refusal)) if refusal.path_is_absent() => {
                let message = format!("there is no Kubernetes API at {}", self.facts.server);
                let hint = "check the path of the server address of this context: a gateway of several clusters may no \
                            longer know this one";
                Err(failed(SourceErrorKind::NotFound, message).with_hint(hint))
            }
            _ => Ok(()),
        }
    }
}

impl Who {
    /// Nothing without a name.
    fn of(wire: WireUser) -> Option<Self> {
        Some(Self {
            user: wire.username.filter(|name| !name.is_empty())?,
            uid: wire.uid.unwrap_or_default(),
            groups: wire.groups.unwrap_or_default(),
            extra: wire.extra.unwrap_or_default(),
        })
    }
}

/// `v1.31.4-gke.118` is gke, `v1.33.1+k3s1` is k3s; a release candidate is nothing.
fn distribution(git_version: &str) -> Option<String> {
    let (_, suffix) = git_version.split_once(['-', '+'])?;
    let known = ["eks", "gke", "k3s", "rke2", "aks"];
    known
        .iter()
        .find(|name| {
            suffix
                .split(['-', '+', '.'])
                .any(|part| part.starts_with(**name))
        })
        .map(|&name| name.to_owned())
}

/// A question that is about no object.
pub(crate) const fn question(verb: &'static str) -> Doing<'static> {
    Doing {
        verb,
        kind: None,
        namespace: "",
        name: "",
    }
}

/// An answer of another shape.
pub(crate) fn unreadable(error: &serde_json::Error, doing: &Doing<'_>) -> SourceError {
    let error = failed(
        SourceErrorKind::BadAnswer,
        format!("unreadable answer: {error}"),
    )
    .with_hint("check that the server address of this context is a Kubernetes API server");
    prefixed(error, doing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mock::{Canned, Seen, serve, serve_in_turn};

    #[tokio::test]
    async fn the_review_tells_user_and_groups_also_from_an_older_server() {
        let (source, _) = serve(&[], |seen: &Seen| {
            if seen.line.contains("/v1beta1/") {
                Canned::json(
                    201,
                    &json!({"status": {"userInfo": {"username": "ada", "groups": ["ops"], "extra": {"scopes": ["a"]}}}}),
                )
            } else {
                Canned::no_path()
            }
        });
        let who = source.whoami().await.unwrap().unwrap();
        assert_eq!((who.user.as_str(), who.uid.as_str()), ("ada", ""));
        assert_eq!(who.groups, ["ops"]);
        assert_eq!(who.extra["scopes"], ["a"]);
    }

    #[tokio::test]
    async fn a_server_that_does_not_say_is_unknown_and_a_broken_one_is_a_failure() {
        let (source, _) = serve(&[], |_| Canned::no_path());
        assert_eq!(source.whoami().await.unwrap(), None);
        assert_eq!(source.version().await.unwrap(), None);
        let (source, _) = serve_in_turn(vec![Canned::text(200, "<html>"), Canned::text(200, "{}")]);
        for kind in [SourceErrorKind::BadAnswer; 2] {
            assert_eq!(source.version().await.unwrap_err().kind, kind);
        }
    }

    #[tokio::test]
    async fn a_path_without_an_api_is_told_from_a_server_that_keeps_silent() {
        let (source, _) = serve(&[], |_| Canned::no_path());
        let error = source.has_an_api().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::NotFound);
        assert!(error.message.contains("no Kubernetes API"), "{error}");
        assert!(error.hint.contains("path"), "{}", error.hint);
        let (source, _) = serve(&[], |_| Canned::text(403, "no"));
        assert!(source.has_an_api().await.is_ok(), "it only keeps silent");
        let (source, _) = serve(&[], |_| Canned::ok(&json!({"versions": ["v1"]})));
        assert!(source.has_an_api().await.is_ok());
    }

    #[tokio::test]
    async fn the_distribution_is_read_off_the_version() {
        let cases = [
            ("v1.36.2", None),
            ("v1.36.0-rc.1", None),
            ("v1.31.4-gke.1183000", Some("gke")),
            ("v1.32.3-eks-bcf3d70", Some("eks")),
            ("v1.33.1+k3s1", Some("k3s")),
            ("v1.33.1+rke2r1", Some("rke2")),
        ];
        for (version, expected) in cases {
            let body = json!({"gitVersion": version, "platform": "linux/amd64"});
            let (source, _) = serve(&[], move |_| Canned::ok(&body));
            let found = source.version().await.unwrap().unwrap();
            assert_eq!(found.distribution.as_deref(), expected, "{version}");
            assert_eq!(found.platform, "linux/amd64");
        }
    }
}
