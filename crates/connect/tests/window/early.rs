//! Numbers of a server that was chosen wait for nothing but that server and the API server's word that we may come in.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use pilothouse_api::dto::{CheckLineView, CheckState, LineState, OpenRequest, Update};
use pilothouse_api::{Api, Subscription, Workspace};
use pilothouse_connect::{Composition, Contexts, Folders, SourceArgs};

const LET_GO: &str = "let go";

/// Answers each question when its time has come. Lasts as long as the test process.
#[derive(Default)]
struct Server {
    /// Paths as they were asked for, and where it was let go.
    asked: Mutex<Vec<String>>,
    is_held: Mutex<bool>,
    changed: Condvar,
}

impl Server {
    /// The address of a server that answers so: status and body, by path and form.
    fn start(self: &Arc<Self>, answer: fn(&str, &str) -> (bool, u16, String)) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, stream) = (Arc::clone(&server), stream.unwrap());
                thread::spawn(move || server.serve(stream, answer));
            }
        });
        url
    }

    fn serve(&self, mut stream: TcpStream, answer: fn(&str, &str) -> (bool, u16, String)) {
        let (path, body) = read(&mut stream);
        self.asked.lock().unwrap().push(path.clone());
        let (waits, status, body) = answer(&path, &body);
        if waits {
            let held = self.is_held.lock().unwrap();
            drop(self.changed.wait_while(held, |held| *held).unwrap());
        }
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        // Whoever was not willing to wait is gone.
        let _gone = stream.write_all((head + &body).as_bytes());
    }

    fn hold(&self) {
        *self.is_held.lock().unwrap() = true;
    }

    fn let_go(&self) {
        self.asked.lock().unwrap().push(LET_GO.to_owned());
        *self.is_held.lock().unwrap() = false;
        self.changed.notify_all();
    }

    /// When this was first asked for, among everything that was.
    fn place_of(&self, path: &str) -> Option<usize> {
        let asked = self.asked.lock().unwrap();
        asked.iter().position(|one| one.contains(path))
    }
}

/// The path and the body of a request.
fn read(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n_read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..n_read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(n_read > 0, "{text}");
            continue;
        };
        let lower = head.to_lowercase();
        let length = lower.split("content-length: ").nth(1);
        let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if body.len() >= length || n_read == 0 {
            let path = head.split(' ').nth(1).unwrap_or_default();
            return (path.to_owned(), body.to_owned());
        }
    }
}

/// An API server that says who we are at once, and what is in it when its time has come.
fn api_server(path: &str, _: &str) -> (bool, u16, String) {
    let deployments = r#"{"items": [{
        "metadata": {"name": "istiod", "namespace": "istio-system"},
        "spec": {"template": {"spec": {"containers": [{
            "name": "discovery", "env": [{"name": "CLUSTER_ID", "value": "east-1"}]
        }]}}}
    }]}"#;
    match path.split('?').next().unwrap_or_default() {
        "/version" => (false, 200, r#"{"gitVersion": "v1.36.0"}"#.to_owned()),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            let who = r#"{"status": {"userInfo": {"username": "anna"}}}"#;
            (false, 201, who.to_owned())
        }
        "/apis/apps/v1/deployments" => (true, 200, deployments.to_owned()),
        _ => (true, 404, "{}".to_owned()),
    }
}

/// One that says nothing before its time has come, as behind a login that takes long.
fn locked(path: &str, form: &str) -> (bool, u16, String) {
    let (_, status, body) = api_server(path, form);
    (true, status, body)
}

fn vector(rows: &str) -> String {
    let body = r#"{"status": "success", "data": {"resultType": "vector", "result": [ROWS]}}"#;
    body.replace("ROWS", rows)
}

/// One call of one mesh.
fn prometheus(path: &str, form: &str) -> (bool, u16, String) {
    let call = r#"{"metric": {
        "reporter": "destination", "request_protocol": "http", "response_code": "200",
        "source_workload": "web", "source_workload_namespace": "shop",
        "source_canonical_service": "web", "source_canonical_revision": "v1",
        "destination_workload": "cart", "destination_workload_namespace": "shop",
        "destination_canonical_service": "cart", "destination_canonical_revision": "v1",
        "destination_service": "cart.shop.svc.cluster.local",
        "destination_service_name": "cart", "destination_service_namespace": "shop"
    }, "value": [1, "2"]}"#;
    let body = match path {
        "/api/v1/status/buildinfo" => {
            r#"{"status": "success", "data": {"version": "3.1.0"}}"#.to_owned()
        }
        _ if form.contains("istio_requests_total") => vector(call),
        _ => vector(""),
    };
    (false, 200, body)
}

/// The same behind a door.
fn closed(_: &str, _: &str) -> (bool, u16, String) {
    (false, 401, "who are you?".to_owned())
}

/// One that keeps everybody waiting.
fn silent(_: &str, _: &str) -> (bool, u16, String) {
    (true, 200, "{}".to_owned())
}

/// A window that opens a context whose metrics are here, as the settings say it.
async fn opening(home: &Path, api_server: &str, metrics: &str) -> (Arc<Workspace>, Subscription) {
    let kubeconfig = home.join("kubeconfig");
    let text = format!(
        r#"{{"apiVersion": "v1", "kind": "Config", "current-context": "east",
            "clusters": [{{"name": "east", "cluster": {{"server": "{api_server}"}}}}],
            "users": [{{"name": "anna", "user": {{"token": "t"}}}}],
            "contexts": [{{"name": "east", "context": {{"cluster": "east", "user": "anna"}}}}]}}"#
    );
    std::fs::write(&kubeconfig, text).unwrap();
    std::fs::create_dir(home.join("config")).unwrap();
    let settings = format!("[context.east]\nmetrics = {{ {metrics} }}\n");
    std::fs::write(home.join("config/settings.toml"), settings).unwrap();
    let args = SourceArgs {
        kubeconfig: vec![kubeconfig],
        ..SourceArgs::default()
    };
    let contexts = Arc::new(Contexts::new(args, Folders::under(home)));
    let (workspace, _) = Composition::default()
        .workspace(true, Some(contexts))
        .unwrap();
    let api = Api::new(Arc::clone(&workspace));
    let request = OpenRequest {
        context: "east".to_owned(),
        beside: false,
    };
    api.open_context(&request).await.unwrap();
    (workspace, Subscription::new(&api))
}

fn at(address: &str) -> String {
    format!("address = \"{address}\"")
}

/// The first update of which this is true. None before it shows any call if `in_secret`.
async fn until(
    updates: &mut Subscription,
    is_wanted: impl Fn(&Update) -> bool,
    in_secret: bool,
) -> Update {
    loop {
        let update = updates.next().await.unwrap();
        if in_secret {
            assert_eq!(update.graph.edges.len(), 0);
        }
        if is_wanted(&update) {
            return update;
        }
    }
}

fn line<'a>(update: &'a Update, id: &str) -> &'a CheckLineView {
    let mut lines = update.checks[0].lines.iter();
    lines.find(|line| line.id == id).unwrap()
}

#[tokio::test]
async fn numbers_of_what_was_chosen_do_not_wait_for_what_else_is_in_the_cluster() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Arc::new(Server::default());
    cluster.hold();
    let metrics = at(&Arc::new(Server::default()).start(prometheus));
    let (_workspace, mut updates) =
        opening(home.path(), &cluster.start(api_server), &metrics).await;
    let shows_calls = |update: &Update| update.graph.edges.iter().any(|edge| edge.rate.is_some());
    let first = until(&mut updates, shows_calls, false).await;
    assert_eq!(first.checks[0].state, CheckState::Running);
    assert_eq!(first.session.cluster, None);
    assert_eq!(line(&first, "namespaces").state, LineState::Asking);

    cluster.let_go();
    let is_done = |update: &Update| update.checks[0].state == CheckState::Done;
    let last = until(&mut updates, is_done, false).await;
    assert_eq!(last.session.cluster.as_deref(), Some("east-1"));
    let metrics = line(&last, "metrics");
    let answer = &metrics.answer;
    assert!(answer.starts_with("Prometheus 3.1.0"), "{answer}");
    assert!(metrics.candidates[0].elapsed_ms.is_some());
}

#[tokio::test]
async fn what_was_chosen_and_refuses_is_opened_at_the_end_and_without_numbers() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Arc::new(Server::default());
    let metrics = at(&Arc::new(Server::default()).start(closed));
    let (_workspace, mut updates) =
        opening(home.path(), &cluster.start(api_server), &metrics).await;
    let is_done =
        |update: &Update| update.checks[0].state == CheckState::Done && !update.sessions.is_empty();
    let last = until(&mut updates, is_done, true).await;
    let mut sources = last.graph.sources.iter();
    let metrics = sources.find(|source| source.name == "metrics").unwrap();
    assert!(metrics.error.is_some(), "{metrics:?}");
}

/// The deadline of a question to the metrics would run out while a person signs in.
#[tokio::test]
async fn metrics_behind_the_api_server_are_asked_when_it_has_let_us_in() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Arc::new(Server::default());
    cluster.hold();
    let service = "service = \"shop/prometheus:9090\"";
    let (_workspace, mut updates) = opening(home.path(), &cluster.start(locked), service).await;
    while cluster.place_of("/api/v1/services").is_none() {
        tokio::task::yield_now().await;
    }
    cluster.let_go();
    let is_done = |update: &Update| update.checks[0].state == CheckState::Done;
    until(&mut updates, is_done, true).await;
    let proxied = cluster.place_of("prometheus:9090/proxy").unwrap();
    assert!(cluster.place_of(LET_GO).unwrap() < proxied);
}

#[tokio::test]
async fn rights_are_asked_for_though_the_metrics_keep_silent() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, metrics) = (Arc::new(Server::default()), Arc::new(Server::default()));
    metrics.hold();
    let metrics = at(&metrics.start(silent));
    let (_workspace, mut updates) =
        opening(home.path(), &cluster.start(api_server), &metrics).await;
    let knows_rights = |update: &Update| {
        let mut lines = update.checks[0].lines.iter();
        lines.any(|line| line.id == "rights" && line.elapsed_ms.is_some())
    };
    let update = until(&mut updates, knows_rights, true).await;
    assert_eq!(line(&update, "metrics").state, LineState::Asking);
}
