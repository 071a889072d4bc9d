//! `split get`: declared beside observed, by any name that people use.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use serde_json::Value;

fn splits(ctl: &Ctl, which: &str) -> Result<Vec<Value>> {
    let view = ctl
        .line(&format!("--demo split get {which} -o json"))?
        .exits(0)?
        .json()?;
    view["splits"].as_array().cloned().context("no splits")
}

#[test]
fn a_split_is_found_by_host_and_by_name() -> Result<()> {
    let ctl = Ctl::new()?;
    let all = splits(&ctl, "")?;
    let names = |found: &[Value]| -> Vec<String> {
        found
            .iter()
            .map(|split| format!("{}/{}.{}", split["kind"], split["name"], split["namespace"]))
            .collect()
    };
    let reviews = r#""VirtualService"/"reviews"."shop""#;
    let checkout = r#""HTTPRoute"/"checkout"."shop""#;
    for expect in [reviews, checkout] {
        ensure!(
            names(&all).iter().any(|name| name == expect),
            "{expect} is not in {:?}",
            names(&all)
        );
    }
    for which in [
        "reviews",
        "reviews.shop",
        "reviews.shop.svc.cluster.local",
        "VirtualService/reviews",
        "VirtualService/reviews.shop",
        "virtualservice/reviews.shop",
        "vs/reviews.shop",
    ] {
        assert_eq!(names(&splits(&ctl, which)?), [reviews], "{which}");
    }
    for which in ["checkout", "HTTPRoute/checkout", "httproute/checkout.shop"] {
        assert_eq!(names(&splits(&ctl, which)?), [checkout], "{which}");
    }
    for which in [
        "nothing-here",
        "VirtualService/reviews.elsewhere",
        "HTTPRoute/reviews",
    ] {
        ctl.line(&format!("--demo split get {which}"))?
            .exits(1)?
            .complains(which)?
            .complains("hint:")?;
    }
    Ok(())
}

#[test]
fn declared_weights_stand_beside_observed_shares() -> Result<()> {
    let found = splits(&Ctl::new()?, "VirtualService/reviews.shop")?;
    let split = found.first().context("no split")?;
    assert_eq!(split["in_force"], true);
    assert_eq!(split["overridden_by"], Value::Null);
    assert_eq!(split["route"], 0);
    assert_eq!(
        split["hosts"],
        serde_json::json!(["reviews.shop.svc.cluster.local"])
    );
    let destinations = split["destinations"]
        .as_array()
        .context("no destinations")?;
    for (destination, (subset, weight)) in
        destinations.iter().zip([("v1", 90), ("v2", 10), ("v3", 0)])
    {
        assert_eq!(destination["subset"], subset);
        assert_eq!(destination["weight"], weight);
        assert_eq!(destination["effective_ratio"], f64::from(weight) / 100.0);
    }
    for destination in &destinations[..2] {
        let number = |key: &str| {
            destination[key]
                .as_f64()
                .with_context(|| format!("{key} of {destination}"))
        };
        let observed = number("observed_ratio")?;
        let interval: Vec<f64> = destination["interval"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_f64)
            .collect();
        let [low, high] = interval[..] else {
            anyhow::bail!("no interval in {destination}")
        };
        ensure!(low <= observed && observed <= high, "{destination}");
        // Six standard errors of some 38,000 requests in the minute.
        ensure!(
            (observed - number("effective_ratio")?).abs() < 0.02,
            "{destination}"
        );
        ensure!(
            number("requests")? > 100.0 && number("rate")? > 1.0,
            "{destination}"
        );
        ensure!(number("error_ratio")? < 0.05, "{destination}");
        ensure!(
            destination["ready_endpoints"].as_u64() > Some(0),
            "{destination}"
        );
    }
    Ok(())
}

#[test]
fn splits_come_as_table_json_and_yaml() -> Result<()> {
    let ctl = Ctl::new()?;
    let table = ctl.line("--demo split get")?.exits(0)?;
    table
        .says("OBJECT")?
        .says("VirtualService/reviews.shop")?
        .says("HTTPRoute/checkout.shop")?;
    let yaml = ctl
        .line("--demo split get reviews -o yaml")?
        .exits(0)?
        .says("splits:")?
        .says("weight: 90")?;
    // YAML, not JSON under another name.
    ensure!(!yaml.stdout.trim_start().starts_with('{'), "{yaml}");
    Ok(())
}

#[test]
fn the_owner_of_an_object_is_named() -> Result<()> {
    let ctl = Ctl::new()?;
    let answer = ctl.line("--demo split set VirtualService/payment-api.payments #1=100 --diff")?;
    ensure!([0, 1].contains(&answer.exit), "{answer}");
    let found = splits(&ctl, "")?;
    for split in &found {
        ensure!(split["owner"]["tool"].is_string(), "{split}");
        ensure!(split["findings"].is_array(), "{split}");
    }
    Ok(())
}
