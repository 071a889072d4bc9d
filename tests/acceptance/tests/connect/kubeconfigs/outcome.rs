//! What came of a kubeconfig, in classes that both sides' words are sorted into.

use pilothouse_engine::{SourceError, SourceErrorKind};
use pilothouse_kube::Who;
use serde_json::Value;

/// See the head of `cases.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Connects(Seen),
    Silent,
    Nobody,
    Configuration,
    Plugin,
    Unauthorized,
    Certificate,
    Unreachable,
    Stranger,
    /// Words that nobody sorted: equal to nothing that is expected.
    Unsorted,
}

/// The user that the server saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    user: String,
    uid: String,
    groups: Vec<String>,
    /// Those of the credential itself (its id, or a certificate's) differ from call to call or say nothing of the user.
    extra: Vec<(String, Vec<String>)>,
}

impl Outcome {
    /// In the words of the table.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Connects(seen) => return format!("connects {}", seen.user),
            Self::Silent => "silent",
            Self::Nobody => "nobody",
            Self::Configuration => "configuration",
            Self::Plugin => "plugin",
            Self::Unauthorized => "unauthorized",
            Self::Certificate => "certificate",
            Self::Unreachable => "unreachable",
            Self::Stranger => "stranger",
            Self::Unsorted => "unsorted",
        }
        .to_owned()
    }

    /// What `kubectl auth whoami --output=json` printed.
    pub(super) fn of_review(review: &Value) -> Option<Self> {
        let user = review.pointer("/status/userInfo")?;
        let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        let texts = |list: &Value| -> Vec<String> {
            let list = list.as_array().into_iter().flatten();
            list.filter_map(|one| one.as_str().map(str::to_owned))
                .collect()
        };
        let extra = user["extra"].as_object().into_iter().flatten();
        Some(Self::Connects(Seen::sorted(
            text("username"),
            text("uid"),
            texts(&user["groups"]),
            extra.map(|(key, values)| (key.clone(), texts(values))),
        )))
    }

    /// kubectl's complaint.
    pub(super) fn of_complaint(words: &str) -> Self {
        let sorted: [(Self, &[&str]); 8] = [
            (
                Self::Silent,
                &["do not have permission", "API is not enabled"],
            ),
            (Self::Nobody, &["Please enter Username"]),
            (
                Self::Plugin,
                &["getting credentials: ", "No valid id-token"],
            ),
            (Self::Unauthorized, &["Unauthorized", "provide credentials"]),
            (
                Self::Certificate,
                &["x509:", "failed to verify certificate"],
            ),
            (
                Self::Stranger,
                &["rejected our request for an unknown reason"],
            ),
            (
                Self::Unreachable,
                &[
                    "was refused",
                    "connection refused",
                    "no such host",
                    "server misbehaving",
                    "proxyconnect",
                    "socks connect",
                    "HTTP response to HTTPS client",
                    "Temporary failure in name resolution",
                ],
            ),
            (
                Self::Configuration,
                &[
                    "loading config file",
                    "invalid configuration",
                    "Error in configuration",
                    "invalid header field value",
                    "yaml:",
                    "json parse error",
                    "unable to load root certificates",
                    "read certificate-authority",
                    "no such file or directory",
                    "is a directory",
                    "tls: ",
                    "not allowed",
                    "only one is allowed",
                    "but not both",
                    "auth plugin has been removed",
                    "no Auth Provider found",
                    "Must provide idp-issuer-url",
                    "authProvider cannot be",
                    "exec plugin: invalid apiVersion",
                    "unsupported protocol scheme",
                    "host must be a URL",
                    "invalid URL",
                    "parse \"",
                    "does not exist",
                    "read empty token",
                    "without impersonating a user",
                    "both specified for",
                    "must be specified for",
                    "invalid interactiveMode",
                    "invalid 'proxy-url'",
                ],
            ),
        ];
        let found = sorted
            .into_iter()
            .find(|(_, needles)| needles.iter().any(|needle| words.contains(needle)));
        found.map_or(Self::Unsorted, |(outcome, _)| outcome)
    }

    /// What the library answered.
    pub(super) fn of_who(who: Option<Who>) -> Self {
        let Some(who) = who else {
            return Self::Silent;
        };
        Self::Connects(Seen::sorted(
            who.user,
            who.uid,
            who.groups,
            who.extra.into_iter(),
        ))
    }

    /// The library's failure.
    pub(super) fn of_error(error: &SourceError) -> Self {
        let says = |words: &str| error.message.contains(words);
        match error.kind {
            _ if says("nothing says who logs in") => Self::Nobody,
            _ if says("has been removed") => Self::Configuration,
            _ if says("credential plugin") || says("id-token") => Self::Plugin,
            SourceErrorKind::NotConfigured | SourceErrorKind::BadConfiguration => {
                Self::Configuration
            }
            SourceErrorKind::Unauthorized => Self::Unauthorized,
            SourceErrorKind::Unreachable if says("certificate") => Self::Certificate,
            SourceErrorKind::Unreachable | SourceErrorKind::TimedOut => Self::Unreachable,
            SourceErrorKind::BadAnswer | SourceErrorKind::ServerError => Self::Stranger,
            SourceErrorKind::SwitchedOff
            | SourceErrorKind::Forbidden
            | SourceErrorKind::NotFound
            | SourceErrorKind::Conflict
            | SourceErrorKind::Rejected
            | SourceErrorKind::TooLarge => Self::Unsorted,
        }
    }
}

impl Seen {
    fn sorted(
        user: String,
        uid: String,
        mut groups: Vec<String>,
        extra: impl Iterator<Item = (String, Vec<String>)>,
    ) -> Self {
        groups.sort();
        let mut extra: Vec<_> = extra
            .filter(|(key, _)| !key.starts_with("authentication.kubernetes.io/"))
            .collect();
        extra.sort();
        Self {
            user,
            uid,
            groups,
            extra,
        }
    }
}
