//! Which of the servers that answered is taken, and why: pure, by what they said.
//!
//! Metrics: what the operator chose is taken whatever it says. Else of those that know `istio_requests_total` and hold
//! this cluster's namespaces, the one that hints speak for most, and of equals the one with more series. A server that
//! holds another mesh's metrics is not taken by itself.

use std::collections::BTreeSet;

use pilothouse_api::dto::LineState;
use pilothouse_engine::{SourceError, SourceErrorKind};

use crate::discovery::Rank;

/// What a probe of metrics said, as far as choosing needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetricsFacts {
    /// `Prometheus 3.1.0`.
    pub(crate) product: String,
    /// Series of `istio_requests_total`; `None` if it could not be counted.
    pub(crate) series: Option<u64>,
    /// Age of the newest of them, seconds.
    pub(crate) age_s: Option<f64>,
    /// Namespaces of the services that they are about.
    pub(crate) namespaces: BTreeSet<String>,
}

/// How a candidate fared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) state: LineState,
    /// Why it may be taken or not, one sentence.
    pub(crate) why: String,
    /// Whether it may be taken by itself.
    pub(crate) is_eligible: bool,
    /// Whether a token or a tenant would help.
    pub(crate) wants_sign_in: bool,
}

/// What one answer is worth. `own` are the namespaces of the cluster, where they are known.
pub(crate) fn judge_metrics(
    answer: &Result<MetricsFacts, SourceError>,
    own: Option<&BTreeSet<String>>,
) -> Verdict {
    let facts = match answer {
        Ok(facts) => facts,
        Err(error) => return refused(error),
    };
    match facts.series {
        Some(0) => Verdict {
            state: LineState::Note,
            why: format!("{} answers, but has no istio_requests_total", facts.product),
            is_eligible: false,
            wants_sign_in: false,
        },
        None => Verdict {
            state: LineState::Note,
            why: format!(
                "{} answers, but its series could not be counted",
                facts.product
            ),
            is_eligible: true,
            wants_sign_in: false,
        },
        Some(series) => {
            let foreign = own.is_some_and(|own| {
                !own.is_empty()
                    && !facts.namespaces.is_empty()
                    && own.is_disjoint(&facts.namespaces)
            });
            let age = facts
                .age_s
                .map(|age| format!(", the newest {age:.0} s old"))
                .unwrap_or_default();
            if foreign {
                let names: Vec<&str> = facts
                    .namespaces
                    .iter()
                    .take(3)
                    .map(String::as_str)
                    .collect();
                return Verdict {
                    state: LineState::Note,
                    why: format!(
                        "has metrics of another mesh: none of its namespaces ({}) is in this cluster",
                        names.join(", ")
                    ),
                    is_eligible: false,
                    wants_sign_in: false,
                };
            }
            Verdict {
                state: LineState::Ok,
                why: format!("knows istio_requests_total ({series} series{age})"),
                is_eligible: true,
                wants_sign_in: false,
            }
        }
    }
}

/// The index of the candidate that is taken. Each has its rank, its verdict and its number of series.
pub(crate) fn choose(candidates: &[(Rank, Verdict, u64)]) -> Option<usize> {
    // Of several that the operator named, the first that answers; if none does, the first says why.
    let is_chosen = |(rank, _, _): &(Rank, Verdict, u64)| *rank == Rank::Chosen;
    let answers = |one: &(Rank, Verdict, u64)| {
        is_chosen(one) && !matches!(one.1.state, LineState::Failed | LineState::Forbidden)
    };
    let mut named = candidates.iter();
    let answering = candidates.iter().position(answers);
    if let Some(chosen) = answering.or_else(|| named.position(is_chosen)) {
        return Some(chosen);
    }
    let eligible = candidates
        .iter()
        .enumerate()
        .filter(|(_, (_, verdict, _))| verdict.is_eligible);
    eligible
        .min_by_key(|(i, (rank, verdict, series))| {
            let unsure = verdict.state != LineState::Ok;
            (unsure, *rank, std::cmp::Reverse(*series), *i)
        })
        .map(|(i, _)| i)
}

/// The sentence that says so: `3 found, this one because it is named in Kiali's settings and knows …`.
pub(crate) fn because(found: usize, found_by: &str, verdict: &Verdict, rank: Rank) -> String {
    let reason = if rank == Rank::Chosen {
        "you chose it".to_owned()
    } else {
        format!("it is {found_by}")
    };
    let and = if verdict.is_eligible || rank == Rank::Chosen {
        format!(" and {}", verdict.why)
    } else {
        String::new()
    };
    let how_many = if found == 1 {
        "the only one found".to_owned()
    } else {
        format!("{found} found, this one")
    };
    format!("{how_many}: {reason}{and}")
}

/// Two servers that each hold a part that the other lacks: namespaces of the one only, and of the other only.
pub(crate) fn halves<'a>(
    chosen: &'a BTreeSet<String>,
    other: &'a BTreeSet<String>,
    own: Option<&BTreeSet<String>>,
) -> Option<Vec<&'a str>> {
    let is_ours = |name: &&String| own.is_none_or(|own| own.contains(*name));
    let lacking: Vec<&str> = other
        .difference(chosen)
        .filter(is_ours)
        .map(String::as_str)
        .collect();
    (!lacking.is_empty()).then_some(lacking)
}

/// A probe that failed.
pub(crate) fn refused(error: &SourceError) -> Verdict {
    let is_refusal = matches!(
        error.kind,
        SourceErrorKind::Unauthorized | SourceErrorKind::Forbidden
    );
    Verdict {
        state: if is_refusal {
            LineState::Forbidden
        } else {
            LineState::Failed
        },
        why: match error.hint.as_str() {
            "" => error.message.clone(),
            hint => format!("{}; {hint}", error.message),
        },
        is_eligible: false,
        wants_sign_in: error.kind == SourceErrorKind::Unauthorized,
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_engine::SourceKind;

    use super::*;

    fn facts(series: u64, namespaces: &[&str]) -> Result<MetricsFacts, SourceError> {
        Ok(MetricsFacts {
            product: "Prometheus".to_owned(),
            series: Some(series),
            age_s: Some(6.0),
            namespaces: namespaces.iter().map(|n| (*n).to_owned()).collect(),
        })
    }

    fn chosen(ranks: &[Rank], answers: &[Result<MetricsFacts, SourceError>]) -> Option<usize> {
        let own = BTreeSet::from(["shop".to_owned(), "edge".to_owned()]);
        let judged: Vec<_> = ranks
            .iter()
            .zip(answers)
            .map(|(rank, answer)| {
                let series = answer.as_ref().ok().and_then(|f| f.series).unwrap_or(0);
                (*rank, judge_metrics(answer, Some(&own)), series)
            })
            .collect();
        choose(&judged)
    }

    fn down() -> Result<MetricsFacts, SourceError> {
        let kind = SourceErrorKind::Unreachable;
        Err(SourceError::new(SourceKind::Metrics, kind, "refused"))
    }

    #[test]
    fn hints_win_over_size_and_size_over_order() {
        let (kiali, label) = (Rank::Kiali, Rank::Label);
        let (small, large) = (facts(5, &["shop"]), facts(900, &["shop"]));
        assert_eq!(
            chosen(&[label, kiali], &[large.clone(), small.clone()]),
            Some(1)
        );
        assert_eq!(
            chosen(&[label, label], &[small.clone(), large.clone()]),
            Some(1)
        );
        assert_eq!(chosen(&[label, label], &[large.clone(), large]), Some(0));
        assert_eq!(chosen(&[kiali, label], &[down(), small]), Some(1));
    }

    #[test]
    fn an_empty_one_and_another_meshs_are_not_taken_by_themselves_but_by_the_operator() {
        let label = Rank::Label;
        assert_eq!(chosen(&[label], &[facts(0, &[])]), None);
        assert_eq!(chosen(&[label], &[facts(9, &["elsewhere"])]), None);
        assert_eq!(
            chosen(
                &[Rank::Chosen, label],
                &[facts(9, &["elsewhere"]), facts(9, &["shop"])]
            ),
            Some(0)
        );
        assert_eq!(
            chosen(
                &[Rank::Chosen, Rank::Chosen],
                &[down(), facts(9, &["shop"])]
            ),
            Some(1),
            "of several the first that answers"
        );
        assert_eq!(
            chosen(&[Rank::Chosen, label], &[down(), facts(9, &["shop"])]),
            Some(0),
            "what nobody named does not stand in for it"
        );
        assert_eq!(chosen(&[label], &[down()]), None);
        assert_eq!(chosen(&[], &[]), None);
    }

    #[test]
    fn a_refusal_says_what_to_do_and_wants_a_token_only_where_one_helps() {
        let refusal = |kind| {
            let error = SourceError::new(SourceKind::Metrics, kind, "HTTP 40x");
            refused(&error.with_hint("ask for a role"))
        };
        let unknown = refusal(SourceErrorKind::Unauthorized);
        assert_eq!(unknown.why, "HTTP 40x; ask for a role");
        assert!(unknown.wants_sign_in);
        // The cluster forbids the way: no token of the server's would open it.
        let forbidden = refusal(SourceErrorKind::Forbidden);
        assert_eq!(forbidden.state, LineState::Forbidden);
        assert!(!forbidden.wants_sign_in);
    }

    #[test]
    fn what_the_other_half_holds_is_named() {
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|n| (*n).to_owned())
                .collect::<BTreeSet<_>>()
        };
        let own = set(&["a", "b", "c"]);
        assert_eq!(
            halves(&set(&["a"]), &set(&["a", "b", "x"]), Some(&own)),
            Some(vec!["b"])
        );
        assert_eq!(halves(&set(&["a", "b"]), &set(&["b"]), Some(&own)), None);
    }
}
