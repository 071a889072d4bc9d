//! Two clusters side by side: who gets in, by which way, and what becomes of it when a server
//! stops, is replaced, or hides behind something else. The real kubectl is the judge.

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use pilothouse_bed::{Cluster, ConnectProxy, Login, Passage, Servers, Way};
    use serde_json::{Value, json};

    const SOON: Duration = Duration::from_secs(30);

    #[test]
    fn each_cluster_knows_its_own_users_and_no_other() -> Result<()> {
        let servers = Servers::new()?;
        let [mut east, west] = servers.clusters(["east", "west"])?;

        every_login(&servers, &east)?;
        what_is_right_for_one_is_wrong_for_the_other(&servers, &east, &west)?;
        rights(&servers, &east)?;
        a_token_is_revoked_in_the_middle_of_a_session(&servers, &east)?;
        every_way(&servers, &east)?;
        a_proxy_is_asked(&servers, &east)?;
        a_gate_changes_its_mind(&servers, &east)?;
        a_suspended_server_is_silent(&servers, &east)?;
        another_authority(&servers, &mut east)?;
        Ok(())
    }

    /// Either the user that the server saw, or a part of what kubectl says.
    fn whoami(servers: &Servers, kubeconfig: &Path) -> Result<Result<String, String>> {
        let arguments = ["auth", "whoami", "--output=json", "--request-timeout=5s"];
        let output = servers.kubectl(kubeconfig, &arguments)?;
        if !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let review: Value = serde_json::from_slice(&output.stdout)?;
        let user = review.pointer("/status/userInfo/username");
        let user = user.and_then(Value::as_str).context("no user name")?;
        Ok(Ok(user.to_owned()))
    }

    fn check(
        servers: &Servers,
        cluster: &Cluster,
        (way, login): (Way, Login),
        expect: Result<&str, &str>,
    ) -> Result<()> {
        let kubeconfig = cluster.kubeconfig(servers, way, login)?;
        let got = whoami(servers, &kubeconfig)?;
        let same = match (&got, expect) {
            (Ok(user), Ok(expect)) => user == expect,
            (Err(reason), Err(expect)) => reason.contains(expect),
            _ => false,
        };
        ensure!(same, "{way:?}, {login:?}: {got:?}, expected {expect:?}");
        Ok(())
    }

    fn every_login(servers: &Servers, cluster: &Cluster) -> Result<()> {
        for login in Login::ALL {
            let expect = match login {
                Login::Token | Login::TokenFile | Login::ExecPlugin | Login::Impersonation => {
                    Ok("viewer")
                }
                Login::ServiceAccount => Ok("system:serviceaccount:bookinfo:pilot"),
                Login::Certificate | Login::CertificateFiles => Ok("carol"),
                Login::OneNamespace => Ok("narrow"),
                // A client that is not believed is an unknown one, whatever it brought.
                Login::ExpiredCertificate | Login::ForeignCertificate | Login::Stranger => {
                    Err("Unauthorized")
                }
                Login::ForbiddenImpersonation => Err("do not have permission"),
                // kubectl asks for a name and a password, and there is nobody to answer.
                Login::Anonymous => Err("EOF"),
            };
            check(servers, cluster, (Way::Authority, login), expect)?;
        }
        Ok(())
    }

    fn what_is_right_for_one_is_wrong_for_the_other(
        servers: &Servers,
        east: &Cluster,
        west: &Cluster,
    ) -> Result<()> {
        for login in [Login::Token, Login::ServiceAccount, Login::Certificate] {
            let user = east.credentials(servers, login)?;
            let file = format!("of-east-{login:?}");
            let kubeconfig = west.write_kubeconfig(&file, &west.server(Way::Authority)?, &user)?;
            let reason = whoami(servers, &kubeconfig)?
                .err()
                .context("west let it in")?;
            assert!(reason.contains("Unauthorized"), "{login:?}: {reason}");
        }
        Ok(())
    }

    fn rights(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let may = |login, arguments: &[&str]| -> Result<String> {
            let kubeconfig = cluster.kubeconfig(servers, Way::Authority, login)?;
            let arguments = [&["auth", "can-i"], arguments].concat();
            let output = servers.kubectl(&kubeconfig, &arguments)?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let here = ["list", "virtualservices.networking.istio.io"];
        let everywhere = [&here[..], &["--all-namespaces"]].concat();
        assert_eq!(may(Login::Token, &everywhere)?, "yes");
        assert_eq!(may(Login::Certificate, &everywhere)?, "yes");
        assert_eq!(may(Login::OneNamespace, &here)?, "yes");
        assert_eq!(may(Login::OneNamespace, &everywhere)?, "no");
        assert_eq!(may(Login::Token, &["patch", "services"])?, "no");
        Ok(())
    }

    fn a_token_is_revoked_in_the_middle_of_a_session(
        servers: &Servers,
        cluster: &Cluster,
    ) -> Result<()> {
        let way = (Way::Authority, Login::ServiceAccount);
        let session = cluster.kubeconfig(servers, way.0, way.1)?;
        cluster.revoke_service_account_tokens()?;
        servers.wait_until("the end of the session", SOON, || {
            let refused = whoami(servers, &session)?.err().context("still let in")?;
            ensure!(refused.contains("Unauthorized"), "{refused}");
            Ok(Some(()))
        })?;
        let user = Ok("system:serviceaccount:bookinfo:pilot");
        check(servers, cluster, way, user)
    }

    fn every_way(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let unknown = "certificate signed by unknown authority";
        for (way, expect) in [
            (Way::AuthorityFile, Ok("viewer")),
            (Way::UnknownAuthority, Err(unknown)),
            (Way::WrongAuthority, Err(unknown)),
            (Way::Insecure, Ok("viewer")),
            (Way::WrongName, Err("certificate is valid for")),
            (Way::ServerName, Ok("viewer")),
        ] {
            check(servers, cluster, (way, Login::Token), expect)?;
        }
        Ok(())
    }

    fn a_proxy_is_asked(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let proxy = ConnectProxy::start(cluster.port())?;
        let port = proxy.port();
        check(
            servers,
            cluster,
            (Way::Proxy(port), Login::Token),
            Ok("viewer"),
        )?;
        let host = format!("{}:6443", cluster.internal_host());
        let asked = proxy.asked();
        assert!(
            !asked.is_empty() && asked.iter().all(|one| *one == host),
            "{asked:?}"
        );
        drop(proxy);
        check(
            servers,
            cluster,
            (Way::Proxy(port), Login::Token),
            Err("refused"),
        )
    }

    fn a_gate_changes_its_mind(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let gate = cluster.gate()?;
        let way = (Way::Gate(gate.port()), Login::Token);
        check(servers, cluster, way, Ok("viewer"))?;
        gate.set(Passage::Page);
        check(servers, cluster, way, Err("502"))?;
        gate.set(Passage::Shut);
        check(servers, cluster, way, Err("EOF"))?;
        gate.set(Passage::Silent);
        check(servers, cluster, way, Err("exceeded"))?;
        gate.set(Passage::Open);
        check(servers, cluster, way, Ok("viewer"))
    }

    fn a_suspended_server_is_silent(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let way = (Way::Authority, Login::Token);
        servers.suspend(&cluster.api_server())?;
        check(servers, cluster, way, Err("exceeded"))?;
        servers.resume(&cluster.api_server())?;
        servers.await_api_server(cluster)?;
        check(servers, cluster, way, Ok("viewer"))
    }

    /// The same address, objects and tokens, and nothing that was signed before.
    fn another_authority(servers: &Servers, cluster: &mut Cluster) -> Result<()> {
        let old = [Login::Token, Login::Certificate]
            .map(|login| cluster.kubeconfig(servers, Way::Authority, login));
        let old_certificate = cluster.credentials(servers, Login::Certificate)?;
        servers.replace_authority(cluster)?;
        for kubeconfig in old {
            let reason = whoami(servers, &kubeconfig?)?
                .err()
                .context("still believed")?;
            assert!(reason.contains("unknown authority"), "{reason}");
        }
        let server = cluster.server(Way::Authority)?;
        let kubeconfig = cluster.write_kubeconfig("old-certificate", &server, &old_certificate)?;
        let reason = whoami(servers, &kubeconfig)?
            .err()
            .context("still let in")?;
        assert!(reason.contains("Unauthorized"), "{reason}");
        for (login, expect) in [(Login::Token, "viewer"), (Login::Certificate, "carol")] {
            check(servers, cluster, (Way::Authority, login), Ok(expect))?;
        }
        Ok(())
    }

    /// Deployments get pods with addresses, Services get both kinds of endpoints, namespaces end.
    #[test]
    fn pods_and_endpoints_are_kept_by_those_who_keep_them_in_a_real_cluster() -> Result<()> {
        let servers = Servers::new()?;
        let [cluster] = servers.clusters(["east"])?;
        servers.start_controllers(&cluster)?;
        servers.start_pods(&cluster, &[])?;
        let kube = cluster.kube();
        kube.apply_yaml(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews}
spec:
  replicas: 2
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews}}
    spec: {containers: [{name: app, image: none}]}
---
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: passing}
",
        )?;
        let n_addresses = |path: &str, list: &str| -> Result<Option<usize>> {
            let object = kube.get(path)?;
            Ok(object.pointer(list).and_then(Value::as_array).map(Vec::len))
        };
        servers.wait_until("two Endpoints", SOON, || {
            let path = "/api/v1/namespaces/bookinfo/endpoints/reviews";
            Ok((n_addresses(path, "/subsets/0/addresses")? == Some(2)).then_some(()))
        })?;
        servers.wait_until("two endpoints in a slice", SOON, || {
            let path = "/apis/discovery.k8s.io/v1/namespaces/bookinfo/endpointslices?\
                labelSelector=kubernetes.io/service-name%3Dreviews";
            Ok((n_addresses(path, "/items/0/endpoints")? == Some(2)).then_some(()))
        })?;
        kube.delete("/api/v1/namespaces/passing")?;
        servers.wait_until("the end of the namespace", SOON, || {
            let answer = kube.call("GET", "/api/v1/namespaces/passing", "", &[])?;
            Ok((answer.status == 404).then_some(()))
        })?;
        let owned = kube.get("/api/v1/namespaces/bookinfo/pods?labelSelector=app%3Dreviews")?;
        let owner = owned.pointer("/items/0/metadata/ownerReferences/0/kind");
        assert_eq!(owner, Some(&json!("ReplicaSet")));
        Ok(())
    }
}
