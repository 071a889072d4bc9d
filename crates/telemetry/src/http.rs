//! The one HTTP client: GET and form POST with a deadline, a size cap, credentials that never show, and failures in the
//! words of `pilothouse_core::model`.
//!
//! Owns everything that is the same for each backend: the two roads ([`direct`] and [`way`]), who asks ([`sign_in`]), the
//! bytes of an answer and what its status and its look mean ([`Answer`]), and the hints ([`failure`]). Does not know any
//! backend's JSON, does not retry (the engine does; a newer token is the exception) and does not use the system's proxy
//! settings.

mod address;
mod answer;
mod direct;
mod failure;
mod sign_in;
mod way;

use std::fmt;
use std::time::Duration;

use pilothouse_core::model::{SourceError, SourceKind};
use reqwest::header::HeaderMap;
use tokio::sync::Semaphore;

use address::BaseAddress;
pub(crate) use address::after_userinfo;
pub(crate) use answer::{Answer, offload};

use crate::options::Options;
use crate::place::Place;
use direct::Direct;
use failure::Target;
use sign_in::SignIn;
use way::Lent;

/// A backend's name in messages and what kind of source it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pub(crate) source: SourceKind,
    pub(crate) product: &'static str,
}

/// What goes with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameters<'a> {
    /// GET, in the query string.
    Query(&'a [(&'a str, String)]),
    /// POST, as a form: no limit on the length, nothing in the server's access log.
    Form(&'a [(&'a str, String)]),
}

/// How requests travel.
enum Road {
    Direct(Direct),
    Lent(Lent),
}

/// A client for one backend at one place.
pub(crate) struct Client {
    road: Road,
    sign_in: SignIn,
    backend: Backend,
    deadline: Duration,
    max_body_bytes: usize,
    slots: Semaphore,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with at most `in_flight` requests at a time. Opens no connection.
    ///
    /// # Errors
    /// `NotConfigured` and `BadConfiguration` about the place, the credentials and the certificates.
    pub(crate) fn at(
        backend: Backend,
        place: Place,
        options: &Options,
        in_flight: usize,
    ) -> Result<Self, SourceError> {
        let (road, sign_in) = match place {
            Place::Address(url) => {
                let base = BaseAddress::parse(&url, backend)?;
                let has_user = base.has_credentials();
                let sign_in = SignIn::new(backend, base.shown(), has_user, options)?;
                let direct = Direct::new(backend, base, &options.tls)?;
                (Road::Direct(direct), sign_in)
            }
            Place::Way { way, base_path } => {
                let lent = Lent::new(backend, way, &base_path, &options.tls)?;
                let sign_in = SignIn::new(backend, lent.shown(), false, options)?;
                (Road::Lent(lent), sign_in)
            }
        };
        Ok(Self {
            road,
            sign_in,
            backend,
            deadline: options.deadline,
            max_body_bytes: options.max_body_bytes,
            slots: Semaphore::new(in_flight.max(1)),
        })
    }

    /// The address without credentials, or the way.
    pub(crate) fn address(&self) -> &str {
        match &self.road {
            Road::Direct(direct) => direct.shown(),
            Road::Lent(lent) => lent.shown(),
        }
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// GET of a path below the base address; segments are escaped here.
    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Answer, SourceError> {
        self.call(path, Parameters::Query(query)).await
    }

    /// POST of a form to a path below the base address.
    pub(crate) async fn post_form(
        &self,
        path: &[&str],
        form: &[(&str, String)],
    ) -> Result<Answer, SourceError> {
        self.call(path, Parameters::Form(form)).await
    }

    /// Any answer, whatever its status, is `Ok`: [`Answer`] tells what it means. A 401 is asked about once more if there
    /// is a newer token.
    async fn call(&self, path: &[&str], parameters: Parameters<'_>) -> Result<Answer, SourceError> {
        let has_credentials = self.sign_in.has_credentials();
        let target = match &self.road {
            Road::Direct(direct) => direct.target(self.backend, path, has_credentials),
            Road::Lent(lent) => lent.target(self.backend, path, has_credentials),
        };
        let mut headers = self.sign_in.headers(&target).await?;
        let mut answer = self.once(path, parameters, &headers, &target).await?;
        if answer.status() == 401
            && let Some(newer) = self.sign_in.after_refusal(&headers, &target).await?
        {
            headers = newer;
            answer = self.once(path, parameters, &headers, &target).await?;
        }
        if answer.status() != 401 {
            self.sign_in.accepted(&headers);
        }
        Ok(answer)
    }

    async fn once(
        &self,
        path: &[&str],
        parameters: Parameters<'_>,
        headers: &HeaderMap,
        target: &Target,
    ) -> Result<Answer, SourceError> {
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(target.closed());
        };
        let cap = self.max_body_bytes;
        let exchange = async {
            match &self.road {
                Road::Direct(direct) => {
                    direct
                        .exchange(path, parameters, headers, cap, target)
                        .await
                }
                Road::Lent(lent) => lent.exchange(path, parameters, headers, cap, target).await,
            }
        };
        let began = tokio::time::Instant::now();
        let result = tokio::time::timeout(self.deadline, exchange)
            .await
            .unwrap_or_else(|_| Err(target.timed_out(self.deadline)));
        let (backend, took) = (self.backend.product, began.elapsed());
        let (path, ok) = (path.join("/"), result.is_ok());
        tracing::debug!(backend, path, ?took, ok, "asked a server");
        result
    }
}

#[cfg(test)]
mod tests;
