//! The table of odd files in `cases.txt`, by what comes of each without a network. The acceptance tests run kubectl beside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;
use crate::age::tests::still;
use crate::connect::prepare;
use crate::login::{Authorization, identity};
use crate::pem::tests::{CERTIFICATE, KEY};

const CASES: &str = include_str!("cases.txt");

struct Case<'t> {
    name: &'t str,
    expect: &'t str,
    file: String,
}

fn cases() -> impl Iterator<Item = Case<'static>> {
    let (_, cases) = CASES.split_once("\n=== ").unwrap();
    cases.split("\n=== ").map(|text| {
        let (name, text) = text.split_once('\n').unwrap();
        let (expect, file) = text.split_once("\n---\n").unwrap();
        let file = file.trim_end_matches('\n');
        let file = match file.strip_prefix("cluster ") {
            None if file.is_empty() => String::new(),
            None => format!("{file}\n"),
            Some(parts) => {
                let (cluster, user) = parts.split_once("\nuser ").unwrap();
                format!(
                    "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
                     clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
                )
            }
        };
        Case { name, expect, file }
    })
}

fn folder() -> Folder {
    let encrypted = KEY.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    Folder::new(&[
        ("ca.pem", CERTIFICATE),
        ("jane.pem", CERTIFICATE),
        ("jane.key", KEY),
        ("encrypted.key", &encrypted),
        ("token", "from-file\n"),
        ("blank", " \n"),
    ])
}

/// What comes of the file, in the words of the table.
async fn outcome(folder: &Folder) -> String {
    let path = folder.path("config");
    let options = ConnectOptions {
        kubeconfig: vec![path.clone()],
        ..ConnectOptions::default()
    };
    let (_, facts) = match prepare(&options, &still()) {
        Ok(prepared) => prepared,
        Err(error) => return format!("fails {} {}", error.message, error.hint),
    };
    if facts.server == DEFAULT_SERVER {
        return "default".to_owned();
    }
    let configs = Kubeconfigs::load(&[path], &ConfigEnvironment::default()).unwrap();
    let chosen = configs.choose(None).unwrap();
    let server = Server::parse(&chosen.cluster.server).unwrap();
    let identity = identity(&chosen.user, &server, &still()).unwrap();
    let mut shown = Vec::new();
    if identity.certificate.is_some() {
        shown.push("cert".to_owned());
    }
    match &identity.authorization {
        Authorization::None => {}
        Authorization::Header(header) => shown.push(header.to_str().unwrap().to_owned()),
        Authorization::File(file) => shown.push(file.header().await.to_str().unwrap().to_owned()),
        Authorization::Plugin(_) => shown.push("plugin".to_owned()),
    }
    for (name, value) in &identity.impersonation {
        shown.push(format!("{name}={}", value.to_str().unwrap()));
    }
    if shown.is_empty() {
        shown.push("nobody".to_owned());
    }
    format!("connects {}", shown.join(" "))
}

#[tokio::test]
async fn odd_files_come_to_what_kubectl_makes_of_them() {
    let folder = folder();
    let mut n_cases = 0;
    for case in cases() {
        n_cases += 1;
        let text = case
            .file
            .replace("@URL@", "https://127.0.0.1:7443")
            .replace("@USERINFO@", "https://jane:p@127.0.0.1:7443")
            .replace("@HTTP@", "http://127.0.0.1:7080")
            .replace("@HOST@", "127.0.0.1:7080")
            .replace("@CA@", &BASE64.encode(CERTIFICATE));
        fs::write(folder.path("config"), text).unwrap();
        let (is_refused, expect) = match case.expect.strip_prefix("refused ") {
            Some(expect) => (true, expect.split_once(": ").unwrap().0),
            None => (false, case.expect),
        };
        let configs = Kubeconfigs::load(&[folder.path("config")], &ConfigEnvironment::default());
        let problem = configs.unwrap().files().remove(0).problem;
        assert_eq!(problem.is_some(), is_refused, "{}: {problem:?}", case.name);
        let outcome = outcome(&folder).await;
        match expect.strip_prefix("fails ") {
            Some(words) => assert!(
                outcome.starts_with("fails ") && outcome.contains(words),
                "{}: {outcome}",
                case.name
            ),
            None => assert_eq!(outcome, expect, "{}", case.name),
        }
    }
    assert!(n_cases >= 60, "{n_cases}");
}
