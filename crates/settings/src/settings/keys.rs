//! Every key of `settings.toml` in one table. The reader takes types, ranges and choices from here, `docs/SETTINGS.md` is
//! made from it, and what is not in it is an unknown key: the three cannot disagree.

use std::fmt;

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands; `NAME` is a name that the person chooses. A repeated table (`[[class]]`) is not marked.
    pub path: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds without it, as it would be written; empty if nothing.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub meaning: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// A number between these, both included.
    Number(f64, f64),
    /// A whole number between these, both included.
    Whole(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// Any text of one line.
    Text,
    /// A list of texts.
    Texts,
    /// A path; relative ones count from the folder of the settings, `~/` is the home directory.
    Path,
    /// A list of paths.
    Paths,
    /// A word of the palette or `#rrggbb`.
    Colour,
    /// `http://` or `https://`, without user, password, query or fragment.
    Address,
    /// `namespace/name:port`; the port by number or by name.
    Service,
    /// A table of header names and values.
    Headers,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(least, most) => write!(f, "number, {least} to {most}"),
            Self::Whole(least, most) => write!(f, "whole number, {least} to {most}"),
            Self::Choice(words) => {
                let quoted: Vec<String> =
                    words.iter().map(|word| format!("`\"{word}\"`")).collect();
                f.write_str(&quoted.join(", "))
            }
            Self::Flag => f.write_str("`true` or `false`"),
            Self::Text => f.write_str("text"),
            Self::Texts => f.write_str("list of texts"),
            Self::Path => f.write_str("path"),
            Self::Paths => f.write_str("list of paths"),
            Self::Colour => write!(f, "`\"#rrggbb\"` or {}", Self::Choice(&PALETTE)),
            Self::Address => f.write_str("`\"http://…\"` or `\"https://…\"`"),
            Self::Service => f.write_str("`\"namespace/name:port\"`"),
            Self::Headers => f.write_str("table of names and values"),
        }
    }
}

/// Words for colours; the window has a token of each for both themes.
pub(super) const PALETTE: [&str; 8] = [
    "amber", "blue", "green", "grey", "pink", "red", "teal", "violet",
];

const fn key(
    path: &'static str,
    takes: Takes,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        path,
        takes,
        default,
        meaning,
    }
}

/// All of them, in the order of the page.
pub const KEYS: &[Key] = &[
    key(
        "appearance.theme",
        Takes::Choice(&["system", "dark", "light"]),
        "\"system\"",
        "Colours of the window; `system` follows the desktop.",
    ),
    key(
        "appearance.zoom",
        Takes::Number(0.5, 3.0),
        "1.0",
        "Size of everything in the window.",
    ),
    key(
        "refresh.tick_s",
        Takes::Whole(2, 600),
        "10",
        "Seconds between two questions to the metrics.",
    ),
    key(
        "refresh.window_s",
        Takes::Whole(15, 86_400),
        "60",
        "Seconds over which rates are taken; one window for all numbers on screen.",
    ),
    key(
        "health.error_degraded",
        Takes::Number(0.0, 1.0),
        "0.01",
        "Share of failed requests (0.01 = 1 %) from which something is degraded.",
    ),
    key(
        "health.error_failing",
        Takes::Number(0.0, 1.0),
        "0.05",
        "Share of failed requests above which it is failing; not below `error_degraded`.",
    ),
    key(
        "health.latency_degraded_ms",
        Takes::Number(0.0, 3_600_000.0),
        "",
        "Milliseconds of the 95th percentile from which something is degraded; without it latency is not judged.",
    ),
    key(
        "health.latency_failing_ms",
        Takes::Number(0.0, 3_600_000.0),
        "",
        "Milliseconds of the 95th percentile above which it is failing; not below `latency_degraded_ms`.",
    ),
    key(
        "kubeconfig.files",
        Takes::Paths,
        "[]",
        "Kubeconfigs beside those that kubectl reads; \"Open a file…\" adds to them.",
    ),
    key(
        "class.name",
        Takes::Text,
        "",
        "Name of the class. That of a built-in class (below) changes this one.",
    ),
    key(
        "class.words",
        Takes::Texts,
        "[]",
        "A context belongs to the class if one of these is a word of its name; a number at the end of the word does not count (`prod2`).",
    ),
    key(
        "class.patterns",
        Takes::Texts,
        "[]",
        "Or if one of these matches the whole of its name, of its server's host or of its file's path: `*` stands for any text, `?` for one character, case does not count.",
    ),
    key(
        "class.colour",
        Takes::Colour,
        "",
        "Frame and chip of such a context.",
    ),
    key(
        "class.confirm",
        Takes::Choice(&["click", "name"]),
        "\"click\"",
        "What it takes to allow writes: a click, or typing the context's name.",
    ),
    key(
        "context.NAME.file",
        Takes::Path,
        "",
        "Holds only for the context of this kubeconfig; two files may use one name.",
    ),
    key(
        "context.NAME.class",
        Takes::Text,
        "",
        "Name of its class, whatever the patterns say.",
    ),
    key(
        "context.NAME.colour",
        Takes::Colour,
        "",
        "Its colour instead of the class's.",
    ),
    key(
        "context.NAME.namespaces",
        Takes::Texts,
        "",
        "Namespaces that are shown at first; empty means all.",
    ),
    key(
        "context.NAME.metrics.address",
        Takes::Address,
        "",
        "Where its metrics are, as reached from this machine, with the base path.",
    ),
    key(
        "context.NAME.metrics.service",
        Takes::Service,
        "",
        "Or the Service inside the cluster, reached through the API server.",
    ),
    key(
        "context.NAME.metrics.base_path",
        Takes::Text,
        "\"/\"",
        "Path before `/api/v1` at that Service, e.g. `/select/0/prometheus`.",
    ),
    key(
        "context.NAME.metrics.https",
        Takes::Flag,
        "false",
        "Whether that Service speaks TLS on this port.",
    ),
    key(
        "context.NAME.metrics.tenant",
        Takes::Text,
        "",
        "Sent as `X-Scope-OrgID` (Mimir, Loki, Tempo).",
    ),
    key(
        "context.NAME.metrics.headers",
        Takes::Headers,
        "{}",
        "More headers to send. Not for secrets: see `secret_header`.",
    ),
    key(
        "context.NAME.metrics.ca_file",
        Takes::Path,
        "",
        "PEM file of the authorities that its certificate is checked with, instead of the system's.",
    ),
    key(
        "context.NAME.metrics.client_cert_file",
        Takes::Path,
        "",
        "PEM file of a client certificate.",
    ),
    key(
        "context.NAME.metrics.client_key_file",
        Takes::Path,
        "",
        "PEM file of its key, if it is not in the same file.",
    ),
    key(
        "context.NAME.metrics.token_file",
        Takes::Path,
        "",
        "File with a token, read again whenever it changes.",
    ),
    key(
        "context.NAME.metrics.token_command",
        Takes::Texts,
        "",
        "Program and arguments that print a token; no shell takes part.",
    ),
    key(
        "context.NAME.metrics.secret",
        Takes::Choice(&["keychain"]),
        "",
        "The secret is in the system's keychain; the window asks for it once.",
    ),
    key(
        "context.NAME.metrics.user",
        Takes::Text,
        "",
        "User of basic authentication: the secret is then the password, not a bearer token.",
    ),
    key(
        "context.NAME.metrics.secret_header",
        Takes::Text,
        "\"Authorization\"",
        "Header that carries the secret as it is, for servers with one of their own (`X-Api-Key`).",
    ),
    key(
        "context.NAME.traces.kind",
        Takes::Choice(&["jaeger", "tempo", "zipkin"]),
        "",
        "Which API it speaks; found out by asking where it is not said.",
    ),
    key(
        "context.NAME.traces.address",
        Takes::Address,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.service",
        Takes::Service,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.base_path",
        Takes::Text,
        "\"/\"",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.https",
        Takes::Flag,
        "false",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.tenant",
        Takes::Text,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.headers",
        Takes::Headers,
        "{}",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.ca_file",
        Takes::Path,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.client_cert_file",
        Takes::Path,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.client_key_file",
        Takes::Path,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.token_file",
        Takes::Path,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.token_command",
        Takes::Texts,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.secret",
        Takes::Choice(&["keychain"]),
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.user",
        Takes::Text,
        "",
        "As of `metrics`.",
    ),
    key(
        "context.NAME.traces.secret_header",
        Takes::Text,
        "\"Authorization\"",
        "As of `metrics`.",
    ),
];

/// The key at `path`.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether some key stands below this table.
pub(super) fn is_table(path: &str) -> bool {
    let below = |key: &Key| {
        let rest = key.path.strip_prefix(path)?;
        rest.strip_prefix('.').map(|_| ())
    };
    KEYS.iter().any(|key| below(key).is_some())
}
