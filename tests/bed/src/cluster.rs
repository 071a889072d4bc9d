//! A cluster: an API server with its etcd, certificates and users, and who keeps its pods.
//!
//! Each has an authority of its own and users of its own (`manifests/logins.yaml`), so that what
//! is right for one cluster is wrong for the next.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::kube::Kube;
use crate::mesh::{INGRESS_NAMESPACE, NAMESPACE};
use crate::pki::{Authority, Identity, Validity};
use crate::programs::Program;
use crate::proxies::Gate;
use crate::servers::Servers;
use crate::{cache, control, install, objects};

const LOGINS: &str = include_str!("../manifests/logins.yaml");

/// A name in the API server's certificate that is not in the address that one connects to.
pub(crate) const CERTIFIED_NAME: &str = "kubernetes.default.svc";

/// Not `localhost`: to connect by that name takes `tls-server-name`.
const SERVER_NAMES: [&str; 3] = ["127.0.0.1", CERTIFIED_NAME, "*.bed.internal"];

/// One API server, with Istio's and Gateway API's definitions, the namespaces `bookinfo` and
/// `istio-system`, RBAC on and the users of [`crate::Login`].
pub struct Cluster {
    name: String,
    port: u16,
    folder: PathBuf,
    pub(crate) authority: Authority,
    kube: Kube,
}

impl Cluster {
    /// The name that it was started with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The API server's name among the [`Servers`].
    #[must_use]
    pub fn api_server(&self) -> String {
        format!("{}-kube-apiserver", self.name)
    }

    /// Where the API server listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A host that is in the certificate and that nobody resolves.
    #[must_use]
    pub fn internal_host(&self) -> String {
        format!("{}.bed.internal", self.name)
    }

    /// The client of who may do everything.
    #[must_use]
    pub fn kube(&self) -> &Kube {
        &self.kube
    }

    /// The static token of a user: `admin`, `viewer`, `narrow` or `deputy`.
    #[must_use]
    pub fn token(&self, user: &str) -> String {
        format!("{}-{user}-token", self.name)
    }

    /// The authority's certificate as PEM.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// A client certificate of this cluster for any user.
    ///
    /// # Errors
    /// A name that no certificate can bear.
    pub fn client_certificate(
        &self,
        user: &str,
        group: Option<&str>,
        validity: Validity,
    ) -> Result<Identity> {
        self.authority.client(user, group, validity)
    }

    /// A fresh token of the service account `pilot` (it may read like the viewer), good for an hour.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn service_account_token(&self) -> Result<String> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/pilot/token");
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        });
        let body = serde_json::to_vec(&request)?;
        let made = self
            .kube
            .call("POST", &path, "application/json", &body)?
            .ok()?;
        let token = made.pointer("/status/token").and_then(|it| it.as_str());
        Ok(token.context("a TokenRequest without a token")?.to_owned())
    }

    /// Makes the tokens of the service account `pilot` worthless: what expiry does in the middle of
    /// a session. The API server may believe one that it saw for 10 s more; new ones are good.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn revoke_service_account_tokens(&self) -> Result<()> {
        // A token is bound to the account's uid, which the next account of the name does not have.
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/pilot");
        self.kube.delete(&path)?;
        self.kube.apply_yaml(LOGINS)
    }

    /// A port that stands for the API server's, to shut it or to answer with a web page.
    ///
    /// # Errors
    /// When no port is free.
    pub fn gate(&self) -> Result<Gate> {
        let identity = self.authority.server(&SERVER_NAMES)?;
        Gate::start(self.port, &identity)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn client(&self) -> Result<Kube> {
        Kube::new(self.port, &self.folder.join("ca.crt"), self.token("admin"))
    }

    fn write_certificates(&self) -> Result<()> {
        self.authority.write_server(&self.folder, &SERVER_NAMES)?;
        let path = self.folder.join("ca.crt");
        fs::write(&path, self.authority.pem())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The lines of the token file; what is not here is answered with 401.
    fn tokens(&self) -> String {
        let users = [
            ("admin", "system:masters"),
            ("viewer", "mesh-viewers"),
            ("narrow", "narrow-people"),
            ("deputy", "deputies"),
        ];
        let users = users.map(|(user, group)| (self.token(user), user, group));
        // The tokens of the table of odd kubeconfigs in `crates/kube`; `tess` may act as anybody.
        let odd = [("t", "tess", "system:masters"), ("from-file", "fay", "odd")];
        let odd = odd.map(|(token, user, group)| (token.to_owned(), user, group));
        let lines = users.into_iter().chain(odd);
        lines
            .map(|(token, user, group)| format!("{token},{user},{user},\"{group}\"\n"))
            .collect()
    }
}

impl Servers {
    /// Starts clusters of these names side by side and comes back when all serve their definitions.
    ///
    /// # Errors
    /// Servers that cannot be built, that end or are not ready in time, with the end of their log.
    pub fn clusters<const N: usize>(&self, names: [&str; N]) -> Result<[Cluster; N]> {
        let program = Program::KubeApiserver.find()?;
        let definitions = install::definitions(&mut |_| ())?;
        let definitions = cache::files(&definitions)?;
        let clusters = names
            .iter()
            .map(|name| self.start_api_server(name, &program))
            .collect::<Result<Vec<_>>>()?;
        thread::scope(|scope| {
            let fillers: Vec<_> = clusters
                .iter()
                .map(|cluster| scope.spawn(|| self.fill(cluster, &definitions)))
                .collect();
            fillers.into_iter().try_for_each(|filler| {
                filler
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("filling a cluster panicked")))
            })
        })?;
        clusters
            .try_into()
            .ok()
            .context("as many clusters as names")
    }

    /// Replaces the API server by one whose certificates another authority signed: kubeconfigs,
    /// client certificates and service account tokens of before are worth nothing; static tokens
    /// and objects stay. A controller manager or a kwok of the cluster is not told.
    ///
    /// # Errors
    /// When it does not come up again.
    pub fn replace_authority(&self, cluster: &mut Cluster) -> Result<()> {
        self.kill(&cluster.api_server())?;
        cluster.authority = Authority::create(&format!("{}-ca", cluster.name))?;
        cluster.write_certificates()?;
        cluster.kube = cluster.client()?;
        self.restart(&cluster.api_server())?;
        self.await_api_server(cluster)
    }

    /// Waits until the API server of a cluster is ready, after a restart.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn await_api_server(&self, cluster: &Cluster) -> Result<()> {
        self.wait(&format!("{} to be ready", cluster.api_server()), || {
            let answer = cluster.kube.call("GET", "/readyz", "", &[])?;
            ensure!(
                answer.status == 200,
                "HTTP {}: {}",
                answer.status,
                answer.message()
            );
            Ok(Some(()))
        })
    }

    fn start_api_server(&self, name: &str, program: &Path) -> Result<Cluster> {
        let folder = self.work_folder().join(name);
        fs::create_dir(&folder)
            .with_context(|| format!("is there another cluster named {name}?"))?;
        let port = self.take_port()?;
        let authority = Authority::create(&format!("{name}-ca"))?;
        fs::write(folder.join("ca.crt"), authority.pem())?;
        let token = format!("{name}-admin-token");
        let cluster = Cluster {
            kube: Kube::new(port, &folder.join("ca.crt"), token)?,
            name: name.to_owned(),
            port,
            authority,
            folder,
        };
        cluster.write_certificates()?;
        fs::write(cluster.folder.join("tokens.csv"), cluster.tokens())?;
        let mut arguments = control::api_server_arguments(port, &format!("{name}/tokens.csv"));
        arguments.push(format!("--client-ca-file={name}/ca.crt"));
        let state = [("BED_STATE", cluster.folder.display().to_string())];
        self.processes
            .start(&cluster.api_server(), program, &arguments, &state)?;
        Ok(cluster)
    }

    fn fill(&self, cluster: &Cluster, definitions: &[PathBuf]) -> Result<()> {
        let kube = cluster.kube();
        self.await_api_server(cluster)?;
        let paths = control::create_definitions(kube, definitions)?;
        self.wait("resource definitions", || {
            for path in &paths {
                kube.get(path)?;
            }
            Ok(Some(()))
        })?;
        for name in [INGRESS_NAMESPACE, NAMESPACE] {
            kube.apply(&objects::namespace(name, name == NAMESPACE))?
                .ok()?;
        }
        kube.apply_yaml(objects::ACCESS)?;
        kube.apply_yaml(LOGINS)
    }
}
