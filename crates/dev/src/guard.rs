//! Who may talk to us: only pages of our own origin that hold the token. A foreign `Host` is DNS rebinding, a foreign
//! `Origin` is another page in the same browser.

use axum::http::{HeaderMap, StatusCode, header};

/// What a request must show.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    authority: String,
    token: String,
}

impl Guard {
    /// A guard for a server at this authority (`127.0.0.1:PORT`).
    pub(crate) fn new(authority: String, token: String) -> Self {
        Self { authority, token }
    }

    /// Lets a request for a file pass.
    pub(crate) fn file(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        if text(headers, header::HOST) == Some(self.authority.as_str()) {
            Ok(())
        } else {
            Err(StatusCode::MISDIRECTED_REQUEST)
        }
    }

    /// Lets a command pass.
    pub(crate) fn command(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        self.file(headers)?;
        let own = format!("http://{}", self.authority);
        if text(headers, header::ORIGIN).is_some_and(|origin| origin != own) {
            return Err(StatusCode::FORBIDDEN);
        }
        let shown =
            text(headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if shown == Some(self.token.as_str()) {
            Ok(())
        } else {
            Err(StatusCode::UNAUTHORIZED)
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_our_own_page_with_the_token_may_command() {
        let guard = Guard::new("127.0.0.1:4000".to_owned(), "secret".to_owned());
        let host = (header::HOST, "127.0.0.1:4000");
        let token = (header::AUTHORIZATION, "Bearer secret");
        let foreign_origin = (header::ORIGIN, "http://evil.test");
        assert_eq!(
            guard.command(&headers(&[host.clone(), token.clone()])),
            Ok(())
        );
        assert_eq!(
            guard.command(&headers(std::slice::from_ref(&host))),
            Err(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(
            guard.command(&headers(&[host, token.clone(), foreign_origin])),
            Err(StatusCode::FORBIDDEN)
        );
        let rebound = (header::HOST, "evil.test:4000");
        assert_eq!(
            guard.command(&headers(&[rebound, token])),
            Err(StatusCode::MISDIRECTED_REQUEST)
        );
    }
}
