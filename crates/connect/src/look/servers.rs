//! Asks every candidate at the same time, and opens the one that is taken.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use pilothouse_api::dto::{ActionView, CandidateView, LineState};
use pilothouse_engine::{SourceError, SourceKind};
use pilothouse_telemetry::{MetricsSurvey, Place, TracesSurvey, survey_metrics, survey_traces};
use tokio::task::JoinSet;

use super::board::{Board, Line, in_milliseconds};
use super::candidate::{Asked, Surveying, Timed, Way, timed};
use crate::choice::{self, MetricsFacts, Verdict};
use crate::discovery::Rank;

/// A source that was taken.
pub(super) struct Taken<P> {
    pub(super) way: Way,
    pub(super) probe: P,
}

/// Probes all candidates for metrics and takes one. `own` are the cluster's namespaces, where known; `begun` asks the
/// chosen one.
pub(super) async fn metrics(
    board: &Board<'_>,
    mut asked: Vec<Asked>,
    own: Option<&BTreeSet<String>>,
    begun: Option<Surveying>,
) -> Option<Taken<MetricsSurvey>> {
    let since = board.asking("metrics");
    show_asked(board, "metrics", &asked);
    let answers = ask_all(board, "metrics", &asked, |one, place| {
        let is_chosen = one.candidate.rank == Rank::Chosen;
        match begun.clone().filter(|_| is_chosen) {
            Some(begun) => begun.survey.left_future(),
            None => timed(survey_metrics(place, one.options.clone())).right_future(),
        }
    })
    .await;
    for (one, answer) in asked.iter_mut().zip(&answers) {
        if let Ok(MetricsSurvey {
            base_path: Some(base),
            ..
        }) = answer
        {
            one.is_found_below(base);
        }
    }
    let facts: Vec<Result<MetricsFacts, SourceError>> = answers
        .iter()
        .map(|answer| answer.as_ref().map(facts_of).map_err(Clone::clone))
        .collect();
    let judged: Vec<(Rank, Verdict, u64)> = asked
        .iter()
        .zip(&facts)
        .map(|(one, facts)| {
            let series = facts.as_ref().ok().and_then(|f| f.series).unwrap_or(0);
            (
                one.candidate.rank,
                choice::judge_metrics(facts, own),
                series,
            )
        })
        .collect();
    let chosen = choice::choose(&judged);
    show_verdicts(board, "metrics", &asked, &judged, chosen, &facts);
    let line = metrics_line(&asked, &judged, chosen, &facts, own);
    board.answer("metrics", since, line);
    take(asked, answers, chosen)
}

/// Probes all candidates for traces and takes the likeliest that answers.
pub(super) async fn traces(
    board: &Board<'_>,
    mut asked: Vec<Asked>,
) -> Option<Taken<TracesSurvey>> {
    let since = board.asking("traces");
    show_asked(board, "traces", &asked);
    let answers = ask_all(board, "traces", &asked, |one, place| {
        let kind = one.candidate.kind;
        timed(survey_traces(place, one.options.clone(), kind))
    })
    .await;
    for (one, answer) in asked.iter_mut().zip(&answers) {
        let Ok(survey) = answer else { continue };
        one.candidate.kind = Some(survey.kind);
        if let Some(base) = &survey.base_path {
            one.is_found_below(base);
        }
    }
    let judged: Vec<(Rank, Verdict, u64)> = asked
        .iter()
        .zip(&answers)
        .map(|(one, answer)| {
            let verdict = answer.as_ref().map_or_else(choice::refused, traces_verdict);
            let services = answer.as_ref().map_or(0, |survey| survey.services);
            (
                one.candidate.rank,
                verdict,
                u64::try_from(services).unwrap_or(u64::MAX),
            )
        })
        .collect();
    let chosen = choice::choose(&judged);
    let products: Vec<Result<MetricsFacts, SourceError>> = answers
        .iter()
        .map(|answer| {
            let product = answer
                .as_ref()
                .map(|probe| product(&probe.product, probe.version.as_deref()));
            product
                .map(|product| MetricsFacts {
                    product,
                    ..MetricsFacts::default()
                })
                .map_err(Clone::clone)
        })
        .collect();
    show_verdicts(board, "traces", &asked, &judged, chosen, &products);
    let line = match chosen.and_then(|i| Some((asked.get(i)?, judged.get(i)?, products.get(i)?))) {
        Some((one, (rank, verdict, _), Ok(product))) => {
            let because = choice::because(asked.len(), &one.candidate.found_by, verdict, *rank);
            Line::ok(format!(
                "{} at {}",
                product.product,
                one.candidate.place.shown()
            ))
            .detail(because)
            .action("address", "Other address…", None)
        }
        _ => nothing_taken("traces", &asked),
    };
    board.answer("traces", since, line);
    take(asked, answers, chosen)
}

fn traces_verdict(probe: &TracesSurvey) -> Verdict {
    let services = match probe.services {
        0 => ", but holds no spans yet".to_owned(),
        n => format!(" and knows {n} services"),
    };
    Verdict {
        state: if probe.services == 0 {
            LineState::Note
        } else {
            LineState::Ok
        },
        why: format!(
            "{} answers{services}",
            product(&probe.product, probe.version.as_deref())
        ),
        is_eligible: true,
        wants_sign_in: false,
    }
}

fn facts_of(probe: &MetricsSurvey) -> MetricsFacts {
    MetricsFacts {
        product: product(&probe.product, probe.version.as_deref()),
        series: probe.series,
        age_s: probe.age_s,
        namespaces: probe.namespaces.clone(),
    }
}

fn product(name: &str, version: Option<&str>) -> String {
    match version.filter(|version| !version.is_empty()) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// All at the same time; each answer is told as it comes, in the order of the candidates.
async fn ask_all<P, F>(
    board: &Board<'_>,
    line: &str,
    asked: &[Asked],
    probe: impl Fn(&Asked, Place) -> F,
) -> Vec<Result<P, SourceError>>
where
    P: Send + 'static,
    F: Future<Output = Timed<P>> + Send + 'static,
{
    let mut asking = JoinSet::new();
    let mut answers: Vec<Option<Result<P, SourceError>>> = Vec::new();
    answers.resize_with(asked.len(), || None);
    for (i, one) in asked.iter().enumerate() {
        match &one.place {
            Ok(place) => {
                let answer = probe(one, place.clone());
                asking.spawn(async move { (i, answer.await) });
            }
            Err(error) => {
                if let Some(slot) = answers.get_mut(i) {
                    *slot = Some(Err(error.clone()));
                }
            }
        }
    }
    while let Some(done) = asking.join_next().await {
        let Ok((i, (answer, took))) = done else {
            continue;
        };
        board.line(line, |line| {
            if let Some(view) = line.candidates.get_mut(i) {
                view.elapsed_ms = Some(in_milliseconds(took));
                view.state = match &answer {
                    Ok(_) => LineState::Ok,
                    Err(error) => choice::refused(error).state,
                };
            }
        });
        if let Some(slot) = answers.get_mut(i) {
            *slot = Some(answer);
        }
    }
    let broke_off = || {
        let kind = pilothouse_engine::SourceErrorKind::ServerError;
        Err(SourceError::new(
            SourceKind::Metrics,
            kind,
            "the probe broke off",
        ))
    };
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(broke_off))
        .collect()
}

fn show_asked(board: &Board<'_>, line: &str, asked: &[Asked]) {
    board.line(line, |line| {
        line.candidates = asked
            .iter()
            .map(|one| CandidateView {
                id: one.candidate.id(),
                shown: one.candidate.place.shown(),
                chosen: false,
                state: LineState::Asking,
                product: String::new(),
                found_by: one.candidate.found_by.clone(),
                why: String::new(),
                elapsed_ms: None,
                action: None,
            })
            .collect();
    });
}

fn show_verdicts(
    board: &Board<'_>,
    line: &str,
    asked: &[Asked],
    judged: &[(Rank, Verdict, u64)],
    chosen: Option<usize>,
    facts: &[Result<MetricsFacts, SourceError>],
) {
    board.line(line, |line| {
        let all = line
            .candidates
            .iter_mut()
            .zip(asked)
            .zip(judged)
            .zip(facts)
            .enumerate();
        for (i, (((view, one), (_, verdict, _)), facts)) in all {
            view.id = one.candidate.id();
            view.shown = one.candidate.place.shown();
            view.chosen = chosen == Some(i);
            view.state = verdict.state;
            view.why.clone_from(&verdict.why);
            view.product = facts
                .as_ref()
                .map(|f| f.product.clone())
                .unwrap_or_default();
            if view.chosen {
                continue;
            }
            let answers = matches!(verdict.state, LineState::Ok | LineState::Note);
            let (id, label) = if answers {
                ("use", "Use this")
            } else if verdict.wants_sign_in {
                ("token", "Give a token…")
            } else {
                ("retry", "Try again")
            };
            view.action = Some(ActionView {
                id: id.to_owned(),
                label: label.to_owned(),
                text: None,
            });
        }
    });
}

fn metrics_line(
    asked: &[Asked],
    judged: &[(Rank, Verdict, u64)],
    chosen: Option<usize>,
    facts: &[Result<MetricsFacts, SourceError>],
    own: Option<&BTreeSet<String>>,
) -> Line {
    let taken = chosen.and_then(|i| Some((i, asked.get(i)?, judged.get(i)?, facts.get(i)?)));
    let Some((i, one, (rank, verdict, _), facts_of_it)) = taken else {
        return nothing_taken("metrics", asked);
    };
    let product = facts_of_it.as_ref().map_or_else(
        |_| "a server that does not answer".to_owned(),
        |f| f.product.clone(),
    );
    let because = choice::because(asked.len(), &one.candidate.found_by, verdict, *rank);
    let mut line = Line::new(
        verdict.state,
        format!("{product} at {}", one.candidate.place.shown()),
    )
    .detail(because)
    .action("address", "Other address…", None);
    let other_half = facts.iter().enumerate().find_map(|(j, other)| {
        let (other, mine) = (other.as_ref().ok()?, facts_of_it.as_ref().ok()?);
        let lacking = (i != j).then(|| choice::halves(&mine.namespaces, &other.namespaces, own))?;
        Some((asked.get(j)?.candidate.place.shown(), lacking?.join(", ")))
    });
    if let Some((place, lacking)) = other_half {
        line.state = LineState::Note;
        line.hint = format!(
            "{place} knows {lacking}, which this one does not: a server over both (Thanos, Mimir) would show all"
        );
    }
    line
}

fn nothing_taken(what: &str, asked: &[Asked]) -> Line {
    let answer = match asked.len() {
        0 => format!("no server of {what} was found"),
        1 => format!("1 candidate, which cannot be used for {what}"),
        n => format!("{n} candidates, none of which can be used for {what}"),
    };
    let hint = if what == "metrics" {
        "give its address (--prometheus URL on a command line); without metrics declared routes are shown, and no numbers"
    } else {
        "give its address (--traces KIND=URL on a command line), or go on without traces"
    };
    Line::new(LineState::Missing, answer)
        .hint(hint)
        .action("address", "Give an address…", None)
}

fn take<P>(
    asked: Vec<Asked>,
    answers: Vec<Result<P, SourceError>>,
    chosen: Option<usize>,
) -> Option<Taken<P>> {
    let (one, answer) = asked.into_iter().zip(answers).nth(chosen?)?;
    Some(Taken {
        way: one.way()?,
        probe: answer.ok()?,
    })
}

#[cfg(test)]
mod tests;
