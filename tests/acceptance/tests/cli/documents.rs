//! `validate`: manifests without a cluster.

use anyhow::{Result, ensure};
use pilothouse_acceptance::Ctl;

const ROUTE: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
  - route:
    - {destination: {host: reviews, subset: v1}, weight: FIRST}
    - {destination: {host: reviews, subset: v2}, weight: SECOND}
";
const RULE: &str = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
";

fn route(first: i64, second: i64) -> String {
    ROUTE
        .replace("FIRST", &first.to_string())
        .replace("SECOND", &second.to_string())
}

#[test]
fn a_good_manifest_is_accepted() -> Result<()> {
    let ctl = Ctl::new()?;
    let both = format!("{}---{RULE}", route(90, 10));
    let file = ctl.file("good.yaml", &both)?;
    let view = ctl
        .line(&format!("validate -f {file} -o json"))?
        .exits(0)?
        .json()?;
    assert_eq!(view["verdict"], "accept");
    assert_eq!(view["findings"], serde_json::json!([]));
    ctl.line(&format!("validate -f {file}"))?
        .exits(0)?
        .says("accept")?;
    let piped = ctl.run_with_input(&["validate", "-f", "-"], both.as_bytes())?;
    piped.exits(0)?.says("accept")?;
    Ok(())
}

#[test]
fn a_bad_manifest_is_rejected_with_place_and_reason() -> Result<()> {
    let ctl = Ctl::new()?;
    for (name, text) in [
        ("negative.yaml", route(-5, 105)),
        ("zero.yaml", route(0, 0)),
    ] {
        let file = ctl.file(name, format!("{text}---{RULE}"))?;
        let view = ctl
            .line(&format!("validate -f {file} -o json"))?
            .exits(65)?
            .json()?;
        assert_eq!(view["verdict"], "reject", "{name}");
        let finding = &view["findings"][0];
        assert_eq!(finding["severity"], "error", "worst first: {view}");
        for key in ["code", "message", "path"] {
            ensure!(
                finding[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {finding}"
            );
        }
        ctl.line(&format!("validate -f {file}"))?
            .exits(65)?
            .says("reject")?
            .says("weight")?;
    }
    Ok(())
}

#[test]
fn what_cannot_be_read_is_bad_data_and_named() -> Result<()> {
    let ctl = Ctl::new()?;
    let level = |k: i32| {
        format!(
            "a{k}: &a{k} [{}*a{}]\n",
            format!("*a{}, ", k - 1).repeat(8),
            k - 1
        )
    };
    let bomb = format!(
        "a0: &a0 [x, x, x]\n{}",
        (1..30).map(level).collect::<String>()
    );
    let unreadable = [
        ("not.yaml", b"a: [1, 2\nb: }".to_vec()),
        ("text.yaml", b"just a sentence".to_vec()),
        ("binary.yaml", (0..=255_u8).cycle().take(4_096).collect()),
        ("empty.yaml", Vec::new()),
        ("comment.yaml", b"# nothing\n---\n".to_vec()),
        ("kindless.yaml", b"spec: {hosts: [reviews]}".to_vec()),
        ("bomb.yaml", bomb.into_bytes()),
        ("deep.yaml", b"[".repeat(100_000)),
    ];
    for (name, content) in unreadable {
        let file = ctl.file(name, content)?;
        let answer = ctl.line(&format!("validate -f {file}"))?.exits(65)?;
        ensure!(!answer.stderr.is_empty(), "no reason: {answer}");
    }
    std::fs::create_dir(ctl.home().join("folder.yaml"))?;
    ctl.line("validate -f folder.yaml")?
        .exits(65)?
        .complains("folder.yaml")?;
    ctl.line("validate -f missing.yaml")?
        .exits(65)?
        .complains("missing.yaml")?;
    ctl.line("validate")?.exits(64)?;
    Ok(())
}
