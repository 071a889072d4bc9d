//! What the cases are asked in front of: the API server, a proxy to it, `kubectl proxy`, plugins and files.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_acceptance::{Daemon, wait_until};
use pilothouse_bed::{Cluster, ConnectProxy, Login, Program, Servers, Validity, Way};
use pilothouse_engine::system_clock;
use pilothouse_kube::{
    ConfigEnvironment, ConnectOptions, KubeSource, Kubeconfigs, ProxyEnvironment,
};
use serde_json::json;
use tokio::runtime::Runtime;

use super::case::Case;
use super::outcome::Outcome;

/// No client may take longer: none of the cases waits for anything but a plugin of a second.
const WATCHDOG: Duration = Duration::from_secs(30);

/// Where plugins are found in a case that says nothing else.
const PATH: &str = "/usr/bin:/bin";

/// The servers, and what the cases' placeholders stand for.
pub(super) struct Scene<'a> {
    kubectl: PathBuf,
    shared: PathBuf,
    rooms: PathBuf,
    words: Vec<(&'static str, String)>,
    runtime: Runtime,
    _proxy: ConnectProxy,
    _http: Mutex<Daemon>,
    _servers: &'a Servers,
}

/// The folder of one case.
pub(super) struct Room {
    folder: PathBuf,
    kubeconfig: Option<String>,
    context: Option<String>,
    environment: Vec<(String, String)>,
}

impl<'a> Scene<'a> {
    pub(super) fn set(servers: &'a Servers, cluster: &Cluster) -> Result<Self> {
        let kubectl = Program::Kubectl.find()?;
        let shared = servers.work_folder().join("shared");
        fs::create_dir_all(shared.join("bin"))?;
        let carol = cluster.client_certificate("carol", Some("mesh-viewers"), Validity::Good)?;
        let expired = cluster.client_certificate("carol", None, Validity::Expired)?;
        let foreign = cluster.credentials(servers, Login::ForeignCertificate)?;
        let other = cluster.server(Way::WrongAuthority)?;
        let given = |value: &serde_json::Value, name: &str| {
            let text = value[name].as_str().map(str::to_owned);
            text.with_context(|| format!("no {name}"))
        };
        let authority = cluster.authority_pem();
        let other = given(&other, "certificate-authority-data")?;
        let both = String::from_utf8(STANDARD.decode(&other)?)? + &authority;
        let jane = cluster.client_certificate("jane", None, Validity::Good)?;
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (name, text) in [
            ("ca.pem", authority.as_str()),
            ("both.pem", &both),
            ("carol.pem", &carol.certificate),
            ("carol.key", &carol.key),
            ("jane.pem", &jane.certificate),
            ("jane.key", &jane.key),
            ("encrypted.key", encrypted),
            ("blank", " \n"),
        ] {
            fs::write(shared.join(name), text)?;
        }
        let token = cluster.token("viewer");
        for (name, body) in plugins(cluster, &token, &carol) {
            let script = servers.script(name, &body)?;
            symlink(&script, shared.join(name))?;
            if name == "plugin-viewer" {
                symlink(&script, shared.join("bin").join(name))?;
                fs::remove_file(shared.join(name))?;
            }
        }
        let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let proxy = ConnectProxy::start(cluster.port())?;
        let admin = json!({"token": cluster.token("admin")});
        let admin = cluster.write_kubeconfig("proxy", &cluster.server(Way::Authority)?, &admin)?;
        let mut command = Command::new(&kubectl);
        command
            .args(["proxy", "--port=0", "--kubeconfig"])
            .arg(&admin)
            .env("HOME", servers.work_folder());
        let http = Daemon::start(&command)?;
        let line = http.line()?;
        let http_port = line.rsplit(':').next().map(str::trim).unwrap_or_default();
        http_port
            .parse::<u16>()
            .with_context(|| format!("no port: {line}"))?;
        let url = format!("https://127.0.0.1:{}", cluster.port());
        let ca = STANDARD.encode(&authority);
        let lines: Vec<String> = ca
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let server = json!({"server": url, "certificate-authority-data": ca});
        let words = vec![
            ("@CLUSTER@", server.to_string()),
            ("@URL@", url),
            (
                "@USERINFO@",
                format!("https://jane:p@127.0.0.1:{}", cluster.port()),
            ),
            ("@PORT@", cluster.port().to_string()),
            ("@HTTP@", format!("http://127.0.0.1:{http_port}")),
            ("@HOST@", format!("127.0.0.1:{http_port}")),
            ("@HTTP_PORT@", http_port.to_owned()),
            ("@CLOSED@", closed.to_string()),
            ("@PROXY@", proxy.port().to_string()),
            ("@CA@", ca),
            ("@CA_IN_LINES@", lines.join("\n      ")),
            ("@OTHER_CA@", other),
            ("@CERT@", STANDARD.encode(&carol.certificate)),
            ("@KEY@", STANDARD.encode(&carol.key)),
            ("@EXPIRED_CERT@", STANDARD.encode(&expired.certificate)),
            ("@EXPIRED_KEY@", STANDARD.encode(&expired.key)),
            (
                "@FOREIGN_CERT@",
                given(&foreign, "client-certificate-data")?,
            ),
            ("@FOREIGN_KEY@", given(&foreign, "client-key-data")?),
            ("@TOKEN@", token),
            ("@DEPUTY@", cluster.token("deputy")),
            ("@STRANGER@", cluster.token("stranger")),
            ("@BOM@", "\u{feff}".to_owned()),
            ("@CR@", "\r".to_owned()),
            ("@BELL@", "\u{7}".to_owned()),
        ];
        Ok(Self {
            kubectl,
            rooms: servers.work_folder().join("rooms"),
            shared,
            words,
            runtime: Runtime::new()?,
            _proxy: proxy,
            _http: Mutex::new(http),
            _servers: servers,
        })
    }

    /// Writes the files of a case into a folder of its own, where the shared ones are, too.
    pub(super) fn room(&self, number: usize, case: &Case) -> Result<Room> {
        let name = format!("case-{number}");
        let folder = self.rooms.join(&name);
        fs::create_dir_all(&folder)?;
        let filled = |text: &str| {
            let mut text = text
                .replace("@DIR@", &folder.display().to_string())
                .replace("@NAME@", &name);
            for (word, value) in &self.words {
                text = text.replace(word, value);
            }
            text
        };
        for (path, text) in &case.files {
            let path = if path.is_empty() { "config" } else { path };
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            fs::write(path, filled(text))?;
        }
        for shared in fs::read_dir(&self.shared)? {
            let shared = shared?;
            let here = folder.join(shared.file_name());
            if !here.exists() {
                symlink(shared.path(), here)?;
            }
        }
        // A token file that a case does not bring is that of the unit tests.
        if !folder.join("token").exists() {
            fs::write(folder.join("token"), "from-file\n")?;
        }
        let environment: Vec<_> = case
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), filled(value)))
            .collect();
        let by_environment = environment
            .iter()
            .any(|(name, _)| name == "KUBECONFIG" || name == "HOME");
        let named = case.kubeconfig.as_deref().map(filled);
        let usual = (!by_environment).then(|| folder.join("config").display().to_string());
        Ok(Room {
            kubeconfig: named.or(usual),
            context: case.context.clone(),
            environment: self.environment(&folder, environment),
            folder,
        })
    }

    /// What both see of the environment: nothing of this process's.
    fn environment(&self, folder: &Path, own: Vec<(String, String)>) -> Vec<(String, String)> {
        let closed = self.words.iter().find(|(word, _)| *word == "@CLOSED@");
        let closed = closed.map(|(_, port)| port.as_str()).unwrap_or_default();
        let mut environment = own;
        for (name, value) in [
            ("HOME", folder.display().to_string()),
            ("PATH", PATH.to_owned()),
            // Where a cluster without a server is: nowhere, whatever runs on this machine.
            ("KUBERNETES_MASTER", format!("http://127.0.0.1:{closed}")),
        ] {
            if !environment.iter().any(|(own, _)| own == name) {
                environment.push((name.to_owned(), value));
            }
        }
        environment
    }

    /// What comes of it, and in which words.
    pub(super) fn ask_kubectl(&self, room: &Room) -> Result<(Outcome, String)> {
        let arguments = ["auth", "whoami", "--output=json", "--request-timeout=10s"];
        let (code, stdout, stderr) = self.kubectl(room, &arguments)?;
        if code == 0 {
            let review = serde_json::from_str(&stdout)?;
            let outcome = Outcome::of_review(&review).context("a review without a user")?;
            return Ok((outcome, stderr));
        }
        // It asks for a name on stdout.
        let words = format!("{} {}", stderr.trim(), stdout.trim());
        Ok((Outcome::of_complaint(&words), words))
    }

    /// The current context; `None` if it refuses a file, and empty if there is none.
    pub(super) fn current_context_of_kubectl(&self, room: &Room) -> Result<Option<String>> {
        let (code, stdout, stderr) = self.kubectl(room, &["config", "current-context"])?;
        Ok(match code {
            0 => Some(stdout.trim_end_matches('\n').to_owned()),
            _ if stderr.contains("current-context is not set") => Some(String::new()),
            _ => None,
        })
    }

    fn kubectl(&self, room: &Room, arguments: &[&str]) -> Result<(i32, String, String)> {
        let mut command = Command::new(&self.kubectl);
        command
            .env_clear()
            .envs(room.environment.iter().cloned())
            .current_dir(&room.folder)
            .args(arguments);
        if let Some(file) = &room.kubeconfig {
            command.args(["--kubeconfig", file]);
        }
        if let Some(context) = &room.context {
            command.args(["--context", context]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start kubectl")?;
        let ended = wait_until("the end of kubectl", WATCHDOG, || Ok(child.try_wait()?));
        if ended.is_err() {
            child.kill()?;
        }
        let (mut stdout, mut stderr) = (String::new(), String::new());
        child
            .stdout
            .take()
            .context("no stdout")?
            .read_to_string(&mut stdout)?;
        child
            .stderr
            .take()
            .context("no stderr")?
            .read_to_string(&mut stderr)?;
        ensure!(ended.is_ok(), "kubectl does not end: {stdout} {stderr}");
        Ok((ended?.code().unwrap_or(-1), stdout, stderr))
    }

    /// What comes of it with us, and in which words.
    pub(super) fn ask_us(&self, room: &Room) -> (Outcome, String) {
        let options = ConnectOptions {
            kubeconfig: room.explicit(),
            environment: room.config_environment(),
            context: room.context.clone(),
            request_timeout: Duration::from_secs(10),
            ..ConnectOptions::default()
        };
        let answer = KubeSource::connect(options, system_clock())
            .and_then(|source| self.runtime.block_on(source.whoami()));
        match answer {
            Ok(who) => (Outcome::of_who(who), String::new()),
            Err(error) => {
                let words = format!("{:?}: {} ({})", error.kind, error.message, error.hint);
                (Outcome::of_error(&error), words)
            }
        }
    }
}

impl Room {
    /// What the library takes for the current context; empty if there is none.
    pub(super) fn current_context(&self) -> String {
        let configs = Kubeconfigs::load(&self.explicit(), &self.config_environment());
        let current = configs
            .ok()
            .and_then(|configs| configs.current_context().map(str::to_owned));
        current.unwrap_or_default()
    }

    fn explicit(&self) -> Vec<PathBuf> {
        self.kubeconfig.iter().map(PathBuf::from).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let mut all = self.environment.iter();
        all.find(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
    }

    fn config_environment(&self) -> ConfigEnvironment {
        ConfigEnvironment {
            kubeconfig: self.variable("KUBECONFIG").map(Into::into),
            home: self.variable("HOME").map(PathBuf::from),
            proxies: ProxyEnvironment::read(|name| self.variable(name)),
            path: self.variable("PATH").map(Into::into),
            master: self.variable("KUBERNETES_MASTER"),
            ..ConfigEnvironment::default()
        }
    }
}

/// Name and script of every credential plugin.
fn plugins(
    cluster: &Cluster,
    token: &str,
    carol: &pilothouse_bed::Identity,
) -> Vec<(&'static str, String)> {
    let credential = |version: &str, status: serde_json::Value| {
        let version = format!("client.authentication.k8s.io/{version}");
        json!({"apiVersion": version, "kind": "ExecCredential", "status": status}).to_string()
    };
    let v1 = |status| credential("v1", status);
    let says = |text: String| format!("cat <<'END'\n{text}\nEND");
    let viewer = says(v1(json!({"token": token})));
    let only_if = |test: &str| format!("{test} || {{ echo not so >&2; exit 1; }}\n{viewer}");
    let certificate = json!({
        "clientCertificateData": carol.certificate, "clientKeyData": carol.key,
    });
    let holds = |part: &str| {
        format!("case \"$KUBERNETES_EXEC_INFO\" in *'{part}'*) true;; *) false;; esac")
    };
    let server = holds(&format!(
        "\"server\":\"https://127.0.0.1:{}\"",
        cluster.port()
    ));
    let config = holds("\"config\":{\"audience\":\"shop\"}");
    let told = format!("({server}) && ({config})");
    vec![
        ("plugin", viewer.clone()),
        ("plugin-viewer", viewer.clone()),
        ("plugin-t", says(v1(json!({"token": "t"})))),
        (
            "plugin-beta",
            says(credential("v1beta1", json!({"token": token}))),
        ),
        ("plugin-slow", format!("sleep 1\n{viewer}")),
        ("plugin-rubbish", "echo Welcome to the login".to_owned()),
        ("plugin-quiet", "true".to_owned()),
        ("plugin-fails", "echo no session >&2; exit 3".to_owned()),
        (
            "plugin-expired",
            says(v1(
                json!({"token": token, "expirationTimestamp": "2020-01-01T00:00:00Z"}),
            )),
        ),
        (
            "plugin-worthless",
            says(v1(json!({"token": cluster.token("stranger")}))),
        ),
        (
            "plugin-moment",
            says(v1(
                json!({"token": token, "expirationTimestamp": "tomorrow"}),
            )),
        ),
        ("plugin-certificate", says(v1(certificate))),
        (
            "plugin-half",
            says(v1(json!({"clientCertificateData": carol.certificate}))),
        ),
        (
            "plugin-no-status",
            says(
                json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"})
                    .to_string(),
            ),
        ),
        ("plugin-no-token", says(v1(json!({})))),
        (
            "plugin-if-not-interactive",
            only_if(
                "case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":false'*) true;; *) false;; esac",
            ),
        ),
        ("plugin-if-told", only_if(&told)),
        (
            "plugin-if-asked",
            only_if("[ \"$1\" = 'get token' ] && [ \"$2\" = '$HOME' ] && [ \"$REGION\" = north ]"),
        ),
    ]
}
