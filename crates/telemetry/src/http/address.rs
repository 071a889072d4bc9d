//! The base address of a backend: checked once, shown without credentials, joined without losing its path.

use std::fmt;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use reqwest::Url;

use super::Backend;

/// A base address such as `http://user:password@host:9090/prometheus`.
#[derive(Clone)]
pub(crate) struct BaseAddress {
    /// With the user and the password; reqwest turns them into a header and takes them out of what it sends.
    url: Url,
    /// Without them and without a final slash: the only form that leaves this module as text.
    shown: String,
}

impl fmt::Debug for BaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl BaseAddress {
    /// Reads what an operator typed.
    ///
    /// # Errors
    /// `NotConfigured` if it is empty, `BadConfiguration` if it is no base address of an HTTP server. Messages show
    /// nothing that could be a password, also where the text cannot be taken apart.
    pub(crate) fn parse(text: &str, backend: Backend) -> Result<Self, SourceError> {
        let text = text.trim();
        let product = backend.product;
        if text.is_empty() {
            return Err(SourceError::new(
                backend.source,
                SourceErrorKind::NotConfigured,
                format!("no address for {product} is given"),
            )
            .with_hint(format!(
                "give the base address of {product}, e.g. http://host:port"
            )));
        }
        let tail = after_userinfo(text);
        let wrong = |what: &str, hint: String| {
            SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!("`{tail}` cannot be the address of {product}: {what}"),
            )
            .with_hint(hint)
        };
        let with_scheme = || format!("write it as http://{tail} or https://{tail}");
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(_) if !text.contains("://") => {
                return Err(wrong(
                    "it does not begin with http:// or https://",
                    with_scheme(),
                ));
            }
            Err(error) => {
                return Err(wrong(
                    &error.to_string(),
                    "escape special characters of a user or password as %XX".to_owned(),
                ));
            }
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(
                "it does not begin with http:// or https://",
                with_scheme(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "it has a query or a fragment",
                "give only the base address, up to where the API begins".to_owned(),
            ));
        }
        if url.path().contains('@') {
            return Err(wrong(
                "its path holds an @",
                "escape special characters of a user or password as %XX".to_owned(),
            ));
        }
        let mut bare = url.clone();
        // Neither can fail for a URL with a host, and http URLs have one.
        if bare.set_username("").is_err() || bare.set_password(None).is_err() {
            return Err(wrong("it has no host", with_scheme()));
        }
        let shown = bare.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, shown })
    }

    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn has_credentials(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// The address of a path below the base; each segment is escaped.
    pub(crate) fn join(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Scheme, host and port are the base's: credentials may go there.
    pub(crate) fn same_origin(&self, other: &Url) -> bool {
        self.url.origin() == other.origin()
    }

    /// `url`, which must have the same origin, with the base's credentials.
    pub(crate) fn with_credentials(&self, mut url: Url) -> Url {
        let set = url
            .set_username(self.url.username())
            .and_then(|()| url.set_password(self.url.password()));
        if set.is_err() {
            tracing::debug!("an address without a host cannot carry credentials");
        }
        url
    }
}

/// The part after the last `@`: a password may hold any character, so nothing before it is shown. Cut where a query may
/// begin, since tokens stand there too.
pub(crate) fn after_userinfo(text: &str) -> &str {
    let tail = text.rsplit_once('@').map_or_else(
        || text.split_once("://").map_or(text, |(_, rest)| rest),
        |(_, tail)| tail,
    );
    tail.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pilothouse_core::model::SourceKind;

    use super::*;

    const BACKEND: Backend = Backend {
        source: SourceKind::Metrics,
        product: "Prometheus",
    };

    #[test]
    fn a_base_path_is_kept_and_segments_are_escaped() {
        for (base, path, expected) in [
            ("http://h:9090", &["api", "v1"][..], "http://h:9090/api/v1"),
            (
                "http://h/prometheus",
                &["api", "v1"],
                "http://h/prometheus/api/v1",
            ),
            (
                " http://h/prometheus/ ",
                &["api"],
                "http://h/prometheus/api",
            ),
            ("http://h", &["a/b c", "d?"], "http://h/a%2Fb%20c/d%3F"),
            ("https://[::1]:1", &["x"], "https://[::1]:1/x"),
        ] {
            let address = BaseAddress::parse(base, BACKEND).unwrap();
            assert_eq!(address.join(path).as_str(), expected, "{base}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let address = BaseAddress::parse("http://anna:s3cret@h/p/", BACKEND).unwrap();
        assert_eq!(address.shown(), "http://h/p");
        assert_eq!(format!("{address:?}"), "http://h/p");
        assert!(address.has_credentials());
    }

    #[test]
    fn a_wrong_address_says_what_to_write_and_hides_the_password() {
        let cases = [
            ("", SourceErrorKind::NotConfigured, "base address"),
            (
                "localhost:9090",
                SourceErrorKind::BadConfiguration,
                "http://localhost:9090",
            ),
            (
                "prometheus.example",
                SourceErrorKind::BadConfiguration,
                "http://prometheus.example",
            ),
            ("ftp://h", SourceErrorKind::BadConfiguration, "http://"),
            ("http://h:99999", SourceErrorKind::BadConfiguration, "%XX"),
            (
                "http://h/graph?g0.expr=up",
                SourceErrorKind::BadConfiguration,
                "base address",
            ),
            (
                "http://h/?token=s3cret",
                SourceErrorKind::BadConfiguration,
                "base address",
            ),
            (
                "anna:s3cret@h:9090",
                SourceErrorKind::BadConfiguration,
                "http://h:9090",
            ),
            (
                "http://anna:s3c/ret@h",
                SourceErrorKind::BadConfiguration,
                "%XX",
            ),
            (
                "http://anna:1/s3cret@h",
                SourceErrorKind::BadConfiguration,
                "%XX",
            ),
            (
                "http://anna:s3@cret?@h:x",
                SourceErrorKind::BadConfiguration,
                "base address",
            ),
        ];
        for (text, kind, hint) in cases {
            let error = BaseAddress::parse(text, BACKEND).unwrap_err();
            assert_eq!(error.kind, kind, "{text}");
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
            let all = format!("{error:?}");
            assert!(
                !all.contains("s3c") && !all.contains("anna"),
                "{text}: {all}"
            );
        }
    }

    #[test]
    fn credentials_stay_on_their_origin() {
        let base = BaseAddress::parse("http://anna:pw@h:1/p", BACKEND).unwrap();
        let same = Url::parse("http://h:1/other").unwrap();
        assert!(base.same_origin(&same));
        assert_eq!(base.with_credentials(same).password(), Some("pw"));
        for other in ["http://h:2/p", "https://h:1/p", "http://g:1/p"] {
            assert!(!base.same_origin(&Url::parse(other).unwrap()), "{other}");
        }
    }
}
