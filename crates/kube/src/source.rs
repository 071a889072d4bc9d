//! The control plane port on a Kubernetes API server.
//!
//! Owns which version of a kind the server serves and how a list is paged; the write lives in [`crate::patch`], the
//! watch in [`crate::watch`].

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use pilothouse_core::model::{
    Finding, Object, ObjectKind, ObjectRef, SourceError, SourceErrorKind,
};
use pilothouse_core::ports::{
    Answer, Clock, ControlPlane, ControlPlaneIdentity, ObjectSink, Patched, WriteMode,
};
use pilothouse_core::traffic::PatchOp;
use serde_json::{Value, json};
use tokio::sync::watch as watch_channel;

use crate::connect::{self, ConnectOptions, ConnectionFacts};
use crate::failure::{CallError, Doing, failed, prefixed};
use crate::resource;
use crate::transport::{LoginState, Reply, Transport};
use crate::{patch, watch};

/// Items of one page of a list, as kubectl asks for.
const PAGE: usize = 500;

/// A Kubernetes API server as the control plane.
pub struct KubeSource {
    pub(crate) transport: Arc<Transport>,
    pub(crate) facts: ConnectionFacts,
    /// Empty = all.
    pub(crate) namespaces: Vec<String>,
    /// Versions that answered.
    served: Mutex<BTreeMap<ObjectKind, &'static str>>,
}

impl KubeSource {
    /// Prepares a connection: reads the kubeconfig files and nothing else. The first call logs in and connects. Credentials
    /// age by `clock`.
    ///
    /// # Errors
    ///
    /// `NotConfigured` if there is no kubeconfig, `BadConfiguration` if it cannot be used.
    pub fn connect(options: ConnectOptions, clock: Clock) -> Result<Self, SourceError> {
        let (connector, facts) = connect::prepare(&options, &clock)?;
        let renewal = connect::renewal(&options, facts.clone(), Clock::clone(&clock));
        let transport = Transport::new(connector, options.request_timeout, clock);
        let transport = transport.renewed_by(renewal);
        Ok(Self::new(transport, facts, options.namespaces))
    }

    pub(crate) fn new(
        transport: Transport,
        facts: ConnectionFacts,
        mut namespaces: Vec<String>,
    ) -> Self {
        namespaces.sort();
        namespaces.dedup();
        Self {
            transport: Arc::new(transport),
            facts,
            namespaces,
            served: Mutex::new(BTreeMap::new()),
        }
    }

    /// What the configuration says about the connection, without the network.
    #[must_use]
    pub const fn facts(&self) -> &ConnectionFacts {
        &self.facts
    }

    /// What the operator must see as long as the connection lives: an unchecked certificate, impersonation.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        self.facts.warnings()
    }

    /// Whether a login is going on, and how the last one ended. Begins with the first call, never before.
    #[must_use]
    pub fn login(&self) -> watch_channel::Receiver<LoginState> {
        self.transport.login()
    }

    /// Ends the credential plugin that runs, if one does; calls that wait for it fail, and no other one begins before
    /// [`Self::log_in_again`].
    pub fn cancel_login(&self) {
        self.transport.cancel_login();
    }

    /// Lets the next call log in again: reads the configuration and runs the credential plugin, whatever came of it
    /// before.
    pub fn log_in_again(&self) {
        self.transport.log_in_again();
    }

    /// Versions of a kind in the order to try them: the one that answered last first.
    pub(crate) fn versions(&self, kind: ObjectKind) -> Vec<&'static str> {
        let mut versions = resource::versions(kind).to_vec();
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(served) = served.get(&kind) {
            versions.sort_by_key(|version| version != served);
        }
        versions
    }

    /// Remembers that the server serves this version.
    pub(crate) fn note_served(&self, kind: ObjectKind, version: &'static str) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.insert(kind, version);
    }

    /// Where a list looks: namespaces, or one empty text for all of them.
    pub(crate) fn places(&self) -> Vec<&str> {
        if self.namespaces.is_empty() {
            vec![""]
        } else {
            self.namespaces.iter().map(String::as_str).collect()
        }
    }

    async fn list_all(&self, kind: ObjectKind) -> Result<Vec<Object>, SourceError> {
        let mut objects = Vec::new();
        for place in self.places() {
            if is_chosen_namespace(kind, place) {
                objects.extend(self.namespace(place).await?);
            } else {
                objects.extend(self.list_in(kind, place).await?);
            }
        }
        Ok(objects)
    }

    /// A namespace that was chosen; `None` if there is none. Who has rights in namespaces only may not read the namespace
    /// itself: then its name is all we know.
    pub(crate) async fn namespace(&self, name: &str) -> Result<Option<Object>, SourceError> {
        let reference = ObjectRef::new(ObjectKind::Namespace, "", name);
        match self.fetch(&reference).await {
            Err(error) if error.kind == SourceErrorKind::Forbidden => {
                let doc = json!({"metadata": {"name": name}});
                Ok(resource::object(ObjectKind::Namespace, "v1", doc))
            }
            answer => answer,
        }
    }

    async fn list_in(&self, kind: ObjectKind, namespace: &str) -> Result<Vec<Object>, SourceError> {
        let doing = Doing {
            verb: "list",
            kind: Some(kind),
            namespace,
            name: "",
        };
        for version in self.versions(kind) {
            let path = resource::list_path(kind, version, namespace);
            match self.pages(&path, "").await {
                Ok(docs) => {
                    self.note_served(kind, version);
                    let objects = docs.into_iter();
                    return Ok(objects
                        .filter_map(|doc| resource::object(kind, version, doc))
                        .collect());
                }
                Err(CallError::Refused(refusal)) if refusal.path_is_absent() => {}
                Err(error) => return Err(error.of_read(&doing)),
            }
        }
        if resource::is_custom(kind) {
            return Ok(Vec::new());
        }
        Err(not_kubernetes(&doing))
    }

    /// The items of all pages. A continuation that expired (410) starts over, once, without pages. `selector` is empty or
    /// a parameter, escaped, with `&` at its end.
    pub(crate) async fn pages(&self, path: &str, selector: &str) -> Result<Vec<Value>, CallError> {
        let mut items = Vec::new();
        let mut query = format!("limit={PAGE}");
        loop {
            let mut page = match self.read(&format!("{path}?{selector}{query}")).await {
                Ok(reply) => reply.json()?,
                Err(CallError::Refused(refusal)) if refusal.status == 410 && !query.is_empty() => {
                    items.clear();
                    query.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(more)) => items.extend(more),
                Some(Value::Null) => {}
                _ => return Err(CallError::Lost(no_list(path))),
            }
            let token = page.pointer("/metadata/continue").and_then(Value::as_str);
            match token.filter(|token| !token.is_empty()) {
                Some(token) => query = format!("limit={PAGE}&continue={}", escaped(token)),
                None => return Ok(items),
            }
        }
    }

    async fn fetch(&self, object: &ObjectRef) -> Result<Option<Object>, SourceError> {
        if !is_addressable(object) {
            return Ok(None);
        }
        let ObjectRef {
            kind,
            namespace,
            name,
        } = object;
        for version in self.versions(*kind) {
            let path = resource::object_path(*kind, version, namespace, name);
            match self.read(&path).await {
                Ok(reply) => {
                    let doing = Doing::on(object, "get");
                    let doc = reply.json().map_err(|error| error.of_read(&doing))?;
                    self.note_served(*kind, version);
                    return resource::object(*kind, version, doc)
                        .map(Some)
                        .ok_or_else(|| {
                            let error =
                                failed(SourceErrorKind::BadAnswer, "the answer is no object");
                            prefixed(error, &doing)
                        });
                }
                Err(CallError::Refused(refusal)) if refusal.path_is_absent() => {}
                Err(CallError::Refused(refusal)) if refusal.status == 404 => return Ok(None),
                Err(error) => return Err(error.of_read(&Doing::on(object, "get"))),
            }
        }
        Ok(None)
    }

    pub(crate) async fn read(&self, path: &str) -> Result<Reply, CallError> {
        let request = request(Method::GET, path, Vec::new())?;
        self.transport.call(request).await
    }

    async fn who(&self) -> Result<ControlPlaneIdentity, SourceError> {
        let version = self.read("/version");
        let question =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let review = self.review(path, &question);
        let (version, review) = join(version, review).await;
        let doing = Doing {
            verb: "ask the server's version",
            kind: None,
            namespace: "",
            name: "",
        };
        let version = match version {
            Ok(reply) => Some(reply.json().map_err(|error| error.of_read(&doing))?),
            // Locked-down clusters hide it; the server is there all the same.
            Err(CallError::Refused(refusal)) if matches!(refusal.status, 403 | 404) => None,
            Err(error) => return Err(error.of_read(&doing)),
        };
        let text = |value: &Option<Value>, pointer: &str| {
            let text = value.as_ref()?.pointer(pointer)?.as_str()?;
            Some(text.to_owned())
        };
        Ok(ControlPlaneIdentity {
            context: self.facts.context.clone(),
            server: self.facts.server.clone(),
            version: text(&version, "/gitVersion"),
            // Servers before 1.28 cannot say; a name that is not known is no reason to fail.
            user: text(&review.ok(), "/status/userInfo/username"),
        })
    }

    async fn may(&self, object: &ObjectRef) -> Result<bool, SourceError> {
        let attributes = json!({
            "verb": "patch",
            "group": resource::group(object.kind),
            "resource": resource::plural(object.kind),
            "namespace": object.namespace,
            "name": object.name,
        });
        let question = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let doing = Doing {
            verb: "ask for the right to patch",
            ..Doing::on(object, "patch")
        };
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = self.review(path, &question).await;
        let review = review.map_err(|error| error.of_read(&doing))?;
        review
            .pointer("/status/allowed")
            .and_then(Value::as_bool)
            .ok_or_else(|| {
                let error = failed(SourceErrorKind::BadAnswer, "the review has no verdict");
                prefixed(error, &doing)
            })
    }

    pub(crate) async fn review(&self, path: &str, question: &Value) -> Result<Value, CallError> {
        let mut request = request(Method::POST, path, question.to_string().into_bytes())?;
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        self.transport.call(request).await?.json()
    }
}

impl ControlPlane for KubeSource {
    fn identity(&self) -> Answer<'_, ControlPlaneIdentity> {
        Box::pin(self.who())
    }

    fn list(&self, kind: ObjectKind) -> Answer<'_, Vec<Object>> {
        Box::pin(self.list_all(kind))
    }

    fn watch<'a>(
        &'a self,
        sink: &'a dyn ObjectSink,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(watch::watch(self, sink))
    }

    fn get<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, Option<Object>> {
        Box::pin(self.fetch(object))
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectRef,
        ops: &'a [PatchOp],
        mode: WriteMode,
    ) -> Answer<'a, Patched> {
        Box::pin(patch::patch(self, object, ops, mode))
    }

    fn log_in_again(&self) {
        Self::log_in_again(self);
    }

    fn may_patch<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, bool> {
        Box::pin(self.may(object))
    }
}

/// Whether this place of this kind is a namespace that was chosen, itself: it is asked for by name, since only those with
/// rights in the whole cluster may list namespaces.
pub(crate) const fn is_chosen_namespace(kind: ObjectKind, place: &str) -> bool {
    !resource::is_namespaced(kind) && !place.is_empty()
}

/// Whether a request can name this object at all; names come from command lines and links.
pub(crate) fn is_addressable(object: &ObjectRef) -> bool {
    let namespace_fits = if resource::is_namespaced(object.kind) {
        resource::is_path_safe(&object.namespace)
    } else {
        object.namespace.is_empty()
    };
    namespace_fits && resource::is_path_safe(&object.name)
}

/// A request; fails only if the path is no URI, which our own paths are.
pub(crate) fn request(
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, CallError> {
    let request = Request::builder().method(method).uri(path).body(body);
    request.map_err(|error| {
        let message = format!("cannot build the request: {error}");
        CallError::Unsent(failed(SourceErrorKind::BadConfiguration, message))
    })
}

/// Percent-encodes what may not stand in a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn no_list(path: &str) -> SourceError {
    failed(
        SourceErrorKind::BadAnswer,
        format!("the answer to {path} is no list"),
    )
    .with_hint("check that the server address of this context is a Kubernetes API server")
}

/// A server without Services is none.
pub(crate) fn not_kubernetes(doing: &Doing<'_>) -> SourceError {
    let error = failed(
        SourceErrorKind::NotFound,
        "the server does not know this resource",
    )
    .with_hint("check that the server address of this context is a Kubernetes API server");
    prefixed(error, doing)
}

#[cfg(test)]
mod tests;
