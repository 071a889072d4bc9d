//! `split set`, `undo` and `history`: no write without a plan, and none that was not asked for.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use serde_json::{Value, json};

const REVIEWS: &str = "VirtualService/reviews.shop";

/// Weights in order, as another process reads them.
fn weights(ctl: &Ctl, which: &str) -> Result<Vec<i64>> {
    let view = ctl
        .line(&format!("--demo split get {which} -o json"))?
        .exits(0)?
        .json()?;
    let destinations = view["splits"][0]["destinations"]
        .as_array()
        .context("no destinations")?
        .clone();
    Ok(destinations
        .iter()
        .filter_map(|destination| destination["weight"].as_i64())
        .collect())
}

fn history(ctl: &Ctl) -> Result<Vec<Value>> {
    let view = ctl.line("--demo split history -o json")?.exits(0)?.json()?;
    view["entries"].as_array().cloned().context("no entries")
}

/// A run that must leave the mesh and the journal as they were.
fn leaves_everything(ctl: &Ctl, arguments: &str, exit: i32, words: &str) -> Result<()> {
    let answer = ctl.line(&format!("--demo {arguments}"))?.exits(exit)?;
    let said = format!("{}{}", answer.stdout, answer.stderr);
    ensure!(said.contains(words), "{words:?} was expected of {answer}");
    assert_eq!(weights(ctl, REVIEWS)?, [90, 10, 0], "{answer}");
    let written = history(ctl)?
        .iter()
        .filter(|entry| entry["outcome"] == "applied")
        .count();
    assert_eq!(written, 0, "{answer}");
    Ok(())
}

#[test]
fn a_diff_exits_like_diff() -> Result<()> {
    let ctl = Ctl::new()?;
    leaves_everything(
        &ctl,
        &format!("split set {REVIEWS} v1=50 v2=50 --diff"),
        1,
        "+",
    )?;
    leaves_everything(
        &ctl,
        &format!("split set {REVIEWS} v1=90 v2=10 --diff"),
        0,
        "",
    )?;
    let diff = ctl
        .line(&format!("--demo split set {REVIEWS} v1=50 v2=50 --diff"))?
        .exits(1)?
        .stdout;
    let changed: Vec<String> = diff
        .lines()
        .filter_map(|line| Some((line.chars().next()?, line.get(1..)?)))
        .filter(|(sign, _)| matches!(sign, '+' | '-'))
        .map(|(sign, text)| format!("{sign}{}", text.trim()))
        .collect();
    assert_eq!(
        changed,
        ["-weight: 90", "+weight: 50", "-weight: 10", "+weight: 50"],
        "{diff}"
    );
    Ok(())
}

#[test]
fn a_diff_comes_as_json_too_and_unknown_entries_are_named() -> Result<()> {
    let ctl = Ctl::new()?;
    let view = ctl
        .line(&format!(
            "--demo split set {REVIEWS} v1=50 v2=50 --diff -o json"
        ))?
        .exits(1)?
        .json()?;
    assert_eq!(view["plan"]["changes"][1]["after"], 50);
    ctl.line("--demo split undo nonsense --yes")?
        .exits(1)?
        .complains("no entry `nonsense`")?;
    Ok(())
}

#[test]
fn nothing_is_written_unless_it_was_asked_for() -> Result<()> {
    let ctl = Ctl::new()?;
    let set = format!("split set {REVIEWS} v1=50 v2=50");
    leaves_everything(&ctl, &format!("{set} --dry-run"), 0, "dry run")?;
    leaves_everything(&ctl, &format!("{set} --dry-run --yes"), 0, "dry run")?;
    leaves_everything(&ctl, &format!("{set} --diff --yes"), 1, "weight: 50")?;
    leaves_everything(&ctl, &set, 64, "--yes")?;
    leaves_everything(&ctl, &format!("{set} --yes --read-only"), 77, "read-only")?;
    leaves_everything(&ctl, &format!("--read-only {set} --yes"), 77, "read-only")?;
    leaves_everything(
        &ctl,
        &format!("{set} --resource-version 1 --yes"),
        75,
        "resourceVersion",
    )?;
    let staged = ctl
        .line(&format!("--demo {set} --dry-run -o json"))?
        .exits(0)?
        .json()?;
    assert_eq!(staged["dry_run"]["ok"], true);
    assert_eq!(staged["dry_run"]["mutations"], json!([]));
    assert_eq!(staged["entry"], Value::Null);
    Ok(())
}

#[test]
fn senseless_weights_are_refused_with_the_reason() -> Result<()> {
    let ctl = Ctl::new()?;
    let refused = [
        ("v1=-5 v2=105", 1, "-5"),
        ("v1=0 v2=0 v3=0", 1, "zero"),
        ("v1=9223372036854775807", 1, "9223372036854775807"),
        ("v4=100", 64, "v4"),
        ("v1=50 v1=40", 64, "v1"),
        ("#9=100", 64, "#9"),
        ("v1", 64, "v1"),
        ("v1=half", 64, "half"),
        ("v1=10.5", 64, "10.5"),
        ("v1=99999999999999999999", 64, "99999999999999999999"),
        ("=5", 64, "=5"),
        ("", 64, "DEST=WEIGHT"),
    ];
    for (weights, exit, reason) in refused {
        leaves_everything(
            &ctl,
            &format!("split set {REVIEWS} {weights} --yes"),
            exit,
            reason,
        )?;
    }
    for (which, exit) in [("VirtualService/nothing.shop", 1), ("reviews.nowhere", 1)] {
        leaves_everything(
            &ctl,
            &format!("split set {which} v1=50 v2=50 --yes"),
            exit,
            which,
        )?;
    }
    Ok(())
}

#[test]
fn a_shift_is_seen_by_the_next_process_and_taken_back_once() -> Result<()> {
    let ctl = Ctl::new()?;
    assert_eq!(weights(&ctl, REVIEWS)?, [90, 10, 0]);
    assert_eq!(history(&ctl)?.len(), 0);
    ctl.line("--demo split undo --yes")?
        .exits(1)?
        .complains("nothing to undo")?;

    let set = ctl.run(&[
        "--demo",
        "split",
        "set",
        REVIEWS,
        "v1=50",
        "v2=50",
        "--yes",
        "--reason",
        "canary is good",
        "-o",
        "json",
    ])?;
    let done = set.exits(0)?.json()?;
    assert_eq!(done["entry"]["outcome"], "applied");
    assert_eq!(done["dry_run"]["ok"], true);
    let (before, after) = (
        &done["entry"]["resource_version_before"],
        &done["entry"]["resource_version_after"],
    );
    ensure!(
        before.is_string() && after.is_string() && before != after,
        "{done}"
    );
    let change =
        |name: &str, before: i64| json!({"destination": name, "before": before, "after": 50});
    let mut changes = done["entry"]["changes"]
        .as_array()
        .context("no changes")?
        .clone();
    for change in &mut changes {
        change.as_object_mut().context("no object")?.remove("path");
    }
    assert_eq!(changes, [change("v1", 90), change("v2", 10)]);
    assert_eq!(weights(&ctl, REVIEWS)?, [50, 50, 0]);

    let entries = history(&ctl)?;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["reason"], "canary is good");
    assert_eq!(entries[0]["undoable"], true);
    ctl.line("--demo split history")?
        .exits(0)?
        .says("canary is good")?;

    ctl.line("--demo split undo")?
        .exits(64)?
        .complains("--yes")?;
    ctl.line("--demo split undo --yes --read-only")?.exits(77)?;
    ctl.line("--demo split undo --dry-run")?.exits(0)?;
    assert_eq!(weights(&ctl, REVIEWS)?, [50, 50, 0]);
    ctl.line("--demo split undo --yes")?
        .exits(0)?
        .says("applied")?;
    assert_eq!(weights(&ctl, REVIEWS)?, [90, 10, 0]);
    ctl.line("--demo split undo --yes")?
        .exits(1)?
        .complains("nothing to undo")?;
    assert_eq!(weights(&ctl, REVIEWS)?, [90, 10, 0]);

    let entries = history(&ctl)?;
    let kinds: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["undo", "apply"], "newest first");
    assert_eq!(entries[1]["undoable"], false, "it was taken back");
    Ok(())
}

#[test]
fn the_version_that_was_looked_at_lets_the_write_pass() -> Result<()> {
    let ctl = Ctl::new()?;
    let set = format!("--demo split set {REVIEWS} v1=80 v2=20");
    let seen = ctl
        .line(&format!("{set} --dry-run -o json"))?
        .exits(0)?
        .json()?;
    let version = seen["plan"]["resource_version"]
        .as_str()
        .context("no version")?
        .to_owned();
    ctl.line(&format!("{set} --yes --resource-version {version}"))?
        .exits(0)?;
    assert_eq!(weights(&ctl, REVIEWS)?, [80, 20, 0]);
    let again =
        format!("--demo split set {REVIEWS} v1=70 v2=30 --yes --resource-version {version}");
    ctl.line(&again)?.exits(75)?.complains("split get")?;
    assert_eq!(weights(&ctl, REVIEWS)?, [80, 20, 0]);
    Ok(())
}

#[test]
fn asking_for_what_is_there_writes_nothing() -> Result<()> {
    let ctl = Ctl::new()?;
    ctl.line(&format!("--demo split set {REVIEWS} v1=90 v2=10 --yes"))?
        .exits(0)?
        .says("nothing to do")?;
    assert_eq!(history(&ctl)?.len(), 0);
    Ok(())
}

#[test]
fn undo_never_takes_back_what_somebody_wrote_later() -> Result<()> {
    let ctl = Ctl::new()?;
    let set = |weights: &str| {
        ctl.line(&format!(
            "--demo split set {REVIEWS} {weights} --yes -o json"
        ))?
        .exits(0)?
        .json()
    };
    let first = set("v1=70 v2=30")?["entry"]["entry_id"]
        .as_str()
        .context("no id")?
        .to_owned();
    set("v1=40 v2=60")?;
    let answer = ctl
        .line(&format!("--demo split undo {first} --yes"))?
        .exits(75)?;
    answer.complains("30")?.complains("60")?;
    assert_eq!(weights(&ctl, REVIEWS)?, [40, 60, 0]);
    ctl.line("--demo split undo --yes")?.exits(0)?;
    assert_eq!(weights(&ctl, REVIEWS)?, [70, 30, 0]);
    ctl.line(&format!("--demo split undo {first} --yes"))?
        .exits(0)?;
    assert_eq!(weights(&ctl, REVIEWS)?, [90, 10, 0]);
    ctl.line("--demo split undo no-such-entry --yes")?
        .exits(1)?;
    Ok(())
}

#[test]
fn a_gateway_api_route_is_shifted_and_taken_back_alike() -> Result<()> {
    let ctl = Ctl::new()?;
    let checkout = "HTTPRoute/checkout.shop";
    assert_eq!(weights(&ctl, checkout)?, [95, 5]);
    ctl.line(&format!(
        "--demo split set {checkout} checkout-v1=60 checkout-v2=40 --yes"
    ))?
    .exits(0)?;
    assert_eq!(weights(&ctl, checkout)?, [60, 40]);
    assert_eq!(weights(&ctl, REVIEWS)?, [90, 10, 0]);
    ctl.line("--demo split undo --yes")?.exits(0)?;
    assert_eq!(weights(&ctl, checkout)?, [95, 5]);
    Ok(())
}

#[test]
fn each_demo_mesh_has_its_own_edits() -> Result<()> {
    let ctl = Ctl::new()?;
    ctl.line(&format!("--demo split set {REVIEWS} v1=50 v2=50 --yes"))?
        .exits(0)?;
    assert_eq!(weights(&ctl, &format!("{REVIEWS} --seed 9"))?, [90, 10, 0]);
    assert_eq!(weights(&ctl, REVIEWS)?, [50, 50, 0]);
    ctl.line("--demo --seed 9 split undo --yes")?.exits(1)?;
    Ok(())
}
