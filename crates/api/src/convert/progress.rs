//! The progress of an applied change.

use pilothouse_core::model::Moment;
use pilothouse_core::traffic::{Band, Phase, WINDOWS_NEEDED};
use pilothouse_engine::ShiftWatch;

use super::{rfc3339, split_id_text};
use crate::dto::{BandView, ProgressPoint, ProgressView};

pub(crate) fn progress_view(context: &str, watch: &ShiftWatch, now: Moment) -> ProgressView {
    let judge = &watch.convergence;
    let n: f64 = watch.counted.iter().filter_map(|d| d.requests).sum();
    let bands = watch
        .names
        .iter()
        .zip(&judge.targets)
        .enumerate()
        .map(|(i, (name, &target))| {
            let band = Band::around(target, n);
            let observed = watch.counted.get(i).and_then(|d| d.ratio);
            BandView {
                destination: name.clone(),
                target,
                low: band.low,
                high: band.high,
                observed,
                requests: n,
            }
        });
    let curve = watch.curve.iter().map(|(at, point)| ProgressPoint {
        t_s: at.since(judge.applied_at).as_seconds(),
        observed: point.ratio,
        interval: point.interval.map(|i| [i.low, i.high]),
    });
    ProgressView {
        entry_id: watch.entry.clone(),
        split_id: split_id_text(context, &watch.split),
        phase: phase(judge.phase).to_owned(),
        applied_at: rfc3339(judge.applied_at),
        elapsed_s: judge
            .ended_at
            .unwrap_or(now)
            .since(judge.applied_at)
            .as_seconds(),
        watched: watch.names.get(watch.watched).cloned().unwrap_or_default(),
        bands: bands.collect(),
        windows_in_band: judge.in_a_row,
        windows_needed: WINDOWS_NEEDED,
        stall_after_s: judge.stall_after().as_seconds(),
        curve: curve.collect(),
        message: message(watch, now),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Converging => "converging",
        Phase::Converged => "converged",
        Phase::Stalled => "stalled",
        Phase::TooLittleTraffic => "too_little_traffic",
        Phase::Blind => "blind",
        Phase::Incomparable => "incomparable",
        Phase::Undone => "undone",
        Phase::Superseded => "superseded",
    }
}

fn message(watch: &ShiftWatch, now: Moment) -> String {
    let judge = &watch.convergence;
    if let Some(reason) = &watch.incomparable {
        return reason.to_string();
    }
    let later = judge.enough_at().filter(|at| *at > now).map(|at| {
        let seconds = at.since(now).as_seconds();
        let span = if seconds < 90.0 {
            format!("{seconds:.0} s")
        } else {
            format!("{:.0} min", seconds / 60.0)
        };
        format!("; at this rate there will be enough requests to tell in {span}")
    });
    let said = match judge.phase {
        Phase::Converging => "counting requests that came after the change",
        Phase::Converged => "the observed share is in the band of the declared one",
        Phase::Stalled => {
            "the observed share does not follow: look for another route of the same host, sticky sessions, TCP, a subset \
             without pods, or a proxy that was not updated"
        }
        Phase::TooLittleTraffic => "too little traffic to tell yet",
        Phase::Blind => "no metrics: the observed share is not known",
        Phase::Incomparable => "the observed share cannot be compared with the declared one",
        Phase::Undone => "taken back",
        Phase::Superseded => "the weights were changed again since",
    };
    format!("{said}{}", later.unwrap_or_default())
}
