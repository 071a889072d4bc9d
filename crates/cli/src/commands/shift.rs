//! `split set` and `split undo`: plan, dry run, confirmation, apply.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use pilothouse_api::Api;
use pilothouse_api::dto::{
    ApplyRequest, ArmRequest, DryRunView, JournalEntryView, PlanIdRequest, PlanRequest, PlanView,
    SplitView, UndoRequest, WeightRequest,
};
use serde::Serialize;

use super::graph::point_out;
use super::split::names;
use crate::args::{SplitSetArgs, SplitUndoArgs, TableOrJson};
use crate::failure::{Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct Done<'a> {
    plan: &'a PlanView,
    dry_run: Option<DryRunView>,
    entry: Option<JournalEntryView>,
}

struct How<'a> {
    dry_run: bool,
    yes: bool,
    read_only: bool,
    reason: &'a str,
    format: TableOrJson,
}

/// Shifts weights.
pub(crate) async fn set(api: &Api, args: &SplitSetArgs, read_only: bool) -> Result<Exit, Failure> {
    api.load().await;
    let split = the_split(api, &args.which, args.route)?;
    let weights = args
        .weights
        .iter()
        .map(|text| parse_weight(text))
        .collect::<Result<_, _>>()?;
    let plan = api
        .plan_shift(&PlanRequest {
            split_id: split.id,
            weights,
        })
        .await?;
    if args
        .resource_version
        .as_ref()
        .is_some_and(|seen| *seen != plan.resource_version)
    {
        let now = &plan.resource_version;
        return Err(Failure::with_exit(
            75,
            format!("nothing was written: the object is at resourceVersion {now}"),
        )
        .with_hint("somebody changed it since; look at it again with `pilothousectl split get`"));
    }
    if args.diff {
        match args.output {
            TableOrJson::Json => output::json(&Done {
                plan: &plan,
                dry_run: None,
                entry: None,
            })?,
            TableOrJson::Table => print_diff(&plan)?,
        }
        point_out(&plan.findings);
        return Ok(Exit(u8::from(!plan.changes.is_empty())));
    }
    let how = How {
        dry_run: args.dry_run,
        yes: args.yes,
        read_only,
        reason: &args.reason,
        format: args.output,
    };
    carry_out(api, &plan, &how).await
}

/// Takes a change back.
pub(crate) async fn undo(
    api: &Api,
    args: &SplitUndoArgs,
    read_only: bool,
) -> Result<Exit, Failure> {
    if let [_, _, ..] = api.workspace().contexts().as_slice() {
        let message = "a change is taken back in one context: name one --context";
        return Err(Failure::usage(message));
    }
    api.load().await;
    if let Some(failure) = unreadable(api) {
        return Err(failure);
    }
    let plan = api
        .plan_undo(&UndoRequest {
            context: None,
            entry_id: args.entry.clone(),
        })
        .await?;
    let how = How {
        dry_run: args.dry_run,
        yes: args.yes,
        read_only,
        reason: &args.reason,
        format: args.output,
    };
    carry_out(api, &plan, &how).await
}

async fn carry_out(api: &Api, plan: &PlanView, how: &How<'_>) -> Result<Exit, Failure> {
    if plan.changes.is_empty() {
        if how.format == TableOrJson::Json {
            output::json(&Done {
                plan,
                dry_run: None,
                entry: None,
            })?;
        } else {
            output::text("nothing to do: the weights are already so")?;
        }
        return Ok(Exit::OK);
    }
    let tried = api
        .dry_run(&PlanIdRequest {
            plan_id: plan.plan_id.clone(),
        })
        .await?;
    if how.format == TableOrJson::Table {
        print_plan(plan, &tried)?;
    }
    if how.dry_run {
        if how.format == TableOrJson::Json {
            output::json(&Done {
                plan,
                dry_run: Some(tried),
                entry: None,
            })?;
        }
        return Ok(Exit::OK);
    }
    if how.read_only {
        return Err(Failure::with_exit(77, "nothing was written: --read-only"));
    }
    confirm(api, &plan.context, how.yes).await?;
    let entry = api
        .apply(&ApplyRequest {
            plan_id: plan.plan_id.clone(),
            reason: how.reason.to_owned(),
        })
        .await?;
    if how.format == TableOrJson::Json {
        output::json(&Done {
            plan,
            dry_run: Some(tried),
            entry: Some(entry),
        })?;
    } else {
        let version = entry.resource_version_after.as_deref().unwrap_or("unknown");
        output::text(&format!(
            "applied: {} (resourceVersion {version}, journal {})",
            entry.summary, entry.entry_id
        ))?;
        if !entry.message.is_empty() {
            output::text(&format!("warning: {}", entry.message))?;
        }
    }
    Ok(Exit::OK)
}

/// Arms writes: by --yes, or by typing the context's name at a terminal.
async fn confirm(api: &Api, context: &str, yes: bool) -> Result<(), Failure> {
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(
                "nothing was written: without a terminal --yes is needed",
            ));
        }
        let question = format!("Apply to `{context}`? Type its name: ");
        write!(std::io::stderr(), "{}", output::lines(&question))?;
        // Off the task that also waits for Ctrl-C.
        let answer = tokio::task::spawn_blocking(|| {
            let mut typed = String::new();
            std::io::stdin().lock().read_line(&mut typed).map(|_| typed)
        });
        let typed = answer.await.map_err(std::io::Error::other)??;
        if typed.trim() != context {
            return Err(Failure::other("nothing was written: the name is another"));
        }
    }
    api.arm(&ArmRequest {
        context: Some(context.to_owned()),
        typed_name: Some(context.to_owned()),
    })?;
    Ok(())
}

fn the_split(api: &Api, which: &str, route: Option<u32>) -> Result<SplitView, Failure> {
    let all = api.all_splits().splits;
    let mut meant: Vec<SplitView> = all
        .into_iter()
        .filter(|split| names(split, which))
        .collect();
    if let Some(route) = route {
        meant.retain(|split| split.route == route);
    } else if meant.len() > 1 {
        // The only entry that divides traffic is meant, if there is only one.
        let dividing = meant
            .iter()
            .filter(|split| split.destinations.len() > 1)
            .count();
        if dividing == 1 {
            meant.retain(|split| split.destinations.len() > 1);
        }
    }
    match meant.len() {
        1 => meant.pop().ok_or_else(|| Failure::other("no split")),
        0 => Err(no_split(api, which)),
        _ => {
            let ids: Vec<&str> = meant.iter().map(|split| split.id.as_str()).collect();
            Err(Failure::usage(format!(
                "`{which}` names several route entries: {}",
                ids.join(", ")
            ))
            .with_hint("say which with --route, or write KIND/NAME.NAMESPACE"))
        }
    }
}

/// If the control plane failed, that is the reason, not the name.
fn no_split(api: &Api, which: &str) -> Failure {
    unreadable(api).unwrap_or_else(|| {
        Failure::other(format!("there is no split `{which}`"))
            .with_hint("`pilothousectl split get` lists all")
    })
}

/// Why the control plane cannot be read, if it cannot: without it no change can be planned.
fn unreadable(api: &Api) -> Option<Failure> {
    let sources = api.sources();
    let control_plane = sources.into_iter().find(|s| s.name == "control-plane")?;
    let state = control_plane.state.as_str();
    let error = control_plane
        .error
        .filter(|_| matches!(state, "failed" | "forbidden" | "absent"))?;
    let exit = if state == "forbidden" { 77 } else { 69 };
    let message = format!("the control plane cannot be read: {}", error.message);
    Some(Failure::with_exit(exit, message).with_hint(error.hint))
}

fn parse_weight(text: &str) -> Result<WeightRequest, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "`{text}` is no weight: write DESTINATION=WHOLE NUMBER, e.g. v1=90"
        ))
    };
    let named = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    let (destination, weight) = named.ok_or_else(wrong)?;
    let weight = weight.parse().map_err(|_| wrong())?;
    Ok(WeightRequest {
        destination: destination.to_owned(),
        weight,
    })
}

fn print_diff(plan: &PlanView) -> Result<(), Failure> {
    let sign = |kind: &str| match kind {
        "removed" => "-",
        "added" => "+",
        _ => " ",
    };
    let lines: Vec<String> = plan
        .diff
        .iter()
        .map(|line| format!("{}{}\n", sign(&line.kind), line.text))
        .collect();
    output::text(&lines.concat())
}

fn print_plan(plan: &PlanView, tried: &DryRunView) -> Result<(), Failure> {
    output::text(&format!("{}: {}", plan.split_id, plan.summary))?;
    print_diff(plan)?;
    for finding in &plan.findings {
        output::text(&format!(
            "{}: {}: {}",
            finding.severity, finding.code, finding.message
        ))?;
    }
    for warning in &tried.warnings {
        output::text(&format!("server warning: {warning}"))?;
    }
    output::text(&format!("server dry run: ok in {:.0} ms", tried.elapsed_ms))
}
