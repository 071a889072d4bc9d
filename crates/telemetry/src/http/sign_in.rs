//! Who asks, as headers: fixed ones, and those whose value is fetched anew.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pilothouse_core::model::{SourceError, SourceErrorKind};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::Backend;
use super::failure::Target;
use crate::options::{Credentials, Options, Secret};
use crate::token_command::{TokenCommand, TokenProblem, bearer};

/// What the client writes itself; another value would break the request.
const OURS: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
];

/// The headers of a client. Has no `Debug`: there is nothing in it to show.
pub(super) struct SignIn {
    /// The same in each request; sensitive, each of them.
    headers: HeaderMap,
    token: Token,
    has_credentials: bool,
}

/// Where the `Authorization` header comes from, unless it is fixed or absent.
enum Token {
    Fixed,
    File(PathBuf),
    Command(TokenCommand),
}

impl SignIn {
    /// # Errors
    /// `BadConfiguration` if the credentials cannot be sent, or are given twice.
    pub(super) fn new(
        backend: Backend,
        at: &str,
        address_has_user: bool,
        options: &Options,
    ) -> Result<Self, SourceError> {
        let wrong = |(what, hint): (String, &str)| {
            SourceError::new(
                backend.source,
                SourceErrorKind::BadConfiguration,
                format!("credentials for {} at {at}: {what}", backend.product),
            )
            .with_hint(hint)
        };
        let mut headers = extra_headers(&options.headers).map_err(wrong)?;
        let by_header = headers.contains_key(AUTHORIZATION);
        let mut token = Token::Fixed;
        let by_options = match &options.credentials {
            Credentials::None => false,
            Credentials::Bearer(secret) => {
                let value =
                    bearer(secret.expose().as_bytes()).ok_or_else(|| wrong(unsendable()))?;
                headers.insert(AUTHORIZATION, value);
                true
            }
            Credentials::Basic { user, password } => {
                headers.insert(AUTHORIZATION, basic(user, password).map_err(wrong)?);
                true
            }
            Credentials::BearerFile(path) => {
                token = Token::File(path.clone());
                true
            }
            Credentials::BearerCommand(command) => {
                token = Token::Command(command.clone());
                true
            }
        };
        match (address_has_user, by_options, by_header) {
            (true, true, _) => Err(wrong((
                "both a token or user and a user in the address are given".to_owned(),
                "take one of the two away",
            ))),
            (true, _, true) | (_, true, true) => Err(wrong((
                "both a header Authorization and a token or user are given".to_owned(),
                "take one of the two away",
            ))),
            _ => Ok(Self {
                headers,
                token,
                has_credentials: address_has_user || by_options || by_header,
            }),
        }
    }

    pub(super) const fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// All headers of the next request.
    ///
    /// # Errors
    /// Why there is no token.
    pub(super) async fn headers(&self, target: &Target) -> Result<HeaderMap, SourceError> {
        let value = match &self.token {
            Token::Fixed => return Ok(self.headers.clone()),
            Token::File(path) => read_token(path.clone()).await,
            Token::Command(command) => command.header().await,
        };
        Ok(self.with_token(value.map_err(|problem| failed(target, problem))?))
    }

    /// Headers to ask once more with, after a 401; `None` if these are the best there are.
    ///
    /// # Errors
    /// Why there is no other token.
    pub(super) async fn after_refusal(
        &self,
        refused: &HeaderMap,
        target: &Target,
    ) -> Result<Option<HeaderMap>, SourceError> {
        let Some(refused) = refused.get(AUTHORIZATION) else {
            return Ok(None);
        };
        let value = match &self.token {
            Token::Fixed => return Ok(None),
            // It may have been renewed while the request was under way.
            Token::File(path) => read_token(path.clone())
                .await
                .map(|value| (value != *refused).then_some(value)),
            Token::Command(command) => command.after_refusal(refused).await,
        };
        let value = value.map_err(|problem| failed(target, problem))?;
        Ok(value.map(|value| self.with_token(value)))
    }

    /// The server did not refuse these.
    pub(super) fn accepted(&self, headers: &HeaderMap) {
        if let (Token::Command(command), Some(value)) = (&self.token, headers.get(AUTHORIZATION)) {
            command.accepted(value);
        }
    }

    fn with_token(&self, value: HeaderValue) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(AUTHORIZATION, value);
        headers
    }
}

fn failed(target: &Target, problem: TokenProblem) -> SourceError {
    target
        .fail(problem.kind, &problem.message)
        .with_hint(problem.hint)
}

fn extra_headers(given: &[(String, Secret)]) -> Result<HeaderMap, (String, &'static str)> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let Ok(parsed) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            return Err((
                "a header's name holds characters that it may not".to_owned(),
                "write the name and the value apart, e.g. X-Scope-OrgID and shop",
            ));
        };
        if OURS.contains(&parsed.as_str()) {
            return Err((
                format!("the header {parsed} cannot be given"),
                "take it away: the client writes it itself",
            ));
        }
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
            (
                format!("the header {parsed} holds characters that a header cannot carry"),
                "check that the value was copied whole and without line breaks",
            )
        })?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    Ok(headers)
}

fn basic(user: &str, password: &Secret) -> Result<HeaderValue, (String, &'static str)> {
    if user.contains(':') {
        return Err((
            "the user's name holds a colon, which basic authentication cannot carry".to_owned(),
            "check the user's name",
        ));
    }
    let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| unsendable())?;
    value.set_sensitive(true);
    Ok(value)
}

fn unsendable() -> (String, &'static str) {
    (
        "the token holds characters that a header cannot carry".to_owned(),
        "check that the token was copied whole and without line breaks",
    )
}

/// The token in a file, as a header. Read off the async threads: the file may lie on a network.
async fn read_token(path: PathBuf) -> Result<HeaderValue, TokenProblem> {
    let task = tokio::task::spawn_blocking(move || token_in(&path));
    task.await.unwrap_or_else(|error| {
        Err(TokenProblem {
            kind: SourceErrorKind::BadConfiguration,
            message: format!("reading the token file was given up: {error}"),
            hint: String::new(),
        })
    })
}

fn token_in(path: &Path) -> Result<HeaderValue, TokenProblem> {
    let problem = |what: String| TokenProblem {
        kind: SourceErrorKind::BadConfiguration,
        message: format!("the token file {} {what}", path.display()),
        hint: "give a file that holds the bare token".to_owned(),
    };
    let text = std::fs::read(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(problem("is empty".to_owned()));
    }
    bearer(text).ok_or_else(|| problem("holds something that is no token".to_owned()))
}

#[cfg(test)]
mod tests;
