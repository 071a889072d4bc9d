//! From choosing a context to the first numbers on the graph: each request on the way with its begin and its length, and
//! how the whole compares with the slowest single answer that was there by then.
//!
//! usage: `KUBECONFIG=… PILOTHOUSE_HOME=… first_numbers CONTEXT [RUNS]`, against servers that run (`make bed`, or the
//! `clusters` example of the bed, whose settings go into `$PILOTHOUSE_HOME/config/settings.toml`).

use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilothouse_api::dto::{CheckState, OpenRequest};
use pilothouse_api::{Api, Subscription};
use pilothouse_connect::{Composition, Contexts, SourceArgs};
use tokio::time::{Instant, timeout};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

type Failed = Box<dyn std::error::Error>;

/// Nothing on the way takes longer on a bed that is up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Until the servers have closed the connections of the run before.
const REST: Duration = Duration::from_millis(200);

/// A request that was answered.
#[derive(Clone)]
struct Answered {
    what: String,
    at: Instant,
    took: Duration,
}

/// Hears every answer from the log.
#[derive(Clone, Default)]
struct Waterfall(Arc<Mutex<Vec<Answered>>>);

impl Waterfall {
    fn lock(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Waterfall {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.fields().field("took").is_some()
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        if let Some(took) = words.took {
            self.lock().push(Answered {
                what: words.what,
                at: Instant::now(),
                took,
            });
        }
    }
}

#[derive(Default)]
struct Words {
    what: String,
    took: Option<Duration>,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "took" => self.took = duration(&text),
            "method" | "path" | "backend" => {
                let _infallible = write!(self.what, "{} ", text.trim_matches('"'));
            }
            _ => {}
        }
    }
}

/// As [`Duration`] writes itself.
fn duration(text: &str) -> Option<Duration> {
    let units = [("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9), ("s", 1.0)];
    let (number, scale) = units
        .iter()
        .find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)))?;
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * scale))
}

/// One opening in a fresh workspace.
struct Run {
    began: Instant,
    whole: Duration,
    answered: Vec<Answered>,
}

impl Run {
    async fn of(context: &str, waterfall: &Waterfall) -> Result<Self, Failed> {
        waterfall.lock().clear();
        let contexts = Contexts::of_process(&SourceArgs::default());
        let (workspace, _) = Composition::default()
            .workspace(true, Some(contexts))
            .map_err(|error| error.message)?;
        let api = Api::new(workspace);
        let mut updates = Subscription::new(&api);
        let request = OpenRequest {
            context: context.to_owned(),
            beside: false,
        };
        let began = Instant::now();
        api.open_context(&request)
            .await
            .map_err(|error| error.message)?;
        loop {
            let update = timeout(PATIENCE, updates.next()).await?;
            let update = update.ok_or("the workspace is gone")?;
            if update.graph.edges.iter().any(|edge| edge.rate.is_some()) {
                break;
            }
            let mut checks = update.checks.iter();
            if checks.any(|check| check.state == CheckState::Failed) {
                return Err(format!("{context} could not be opened").into());
            }
        }
        Ok(Self {
            began,
            whole: began.elapsed(),
            answered: waterfall.lock().clone(),
        })
    }

    fn slowest(&self) -> Duration {
        let took = self.answered.iter().map(|one| one.took);
        took.max().unwrap_or_default()
    }

    fn ratio(&self) -> f64 {
        self.whole.as_secs_f64() / self.slowest().as_secs_f64()
    }

    fn write_waterfall(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        for one in &self.answered {
            let begin = one.at.duration_since(self.began).saturating_sub(one.took);
            let (begin, took) = (ms(begin), ms(one.took));
            writeln!(out, "{begin:>7.1} ms {took:>7.1} ms  {}", one.what)?;
        }
        Ok(())
    }
}

fn main() -> Result<(), Failed> {
    let mut words = std::env::args().skip(1);
    let context = words.next().ok_or("usage: first_numbers CONTEXT [RUNS]")?;
    let n_runs: usize = words.next().map_or(Ok(20), |runs| runs.parse())?;
    let waterfall = Waterfall::default();
    tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(waterfall.clone()),
    )?;
    let mut out = std::io::stdout();
    let mut runs = Vec::new();
    for _ in 0..n_runs {
        // With a runtime of its own, or requests of the run before would be counted.
        let runtime = tokio::runtime::Runtime::new()?;
        let run = runtime.block_on(Run::of(&context, &waterfall))?;
        runtime.shutdown_timeout(PATIENCE);
        std::thread::sleep(REST);
        let (whole, slowest, ratio) = (ms(run.whole), ms(run.slowest()), run.ratio());
        writeln!(
            out,
            "numbers after {whole:.1} ms, slowest answer {slowest:.1} ms, ratio {ratio:.2}"
        )?;
        runs.push(run);
    }
    if let Some(last) = runs.last() {
        last.write_waterfall(&mut out)?;
    }
    writeln!(
        out,
        "medians: numbers after {:.1} ms, slowest answer {:.1} ms, ratio {:.2}",
        median(runs.iter().map(|run| ms(run.whole))),
        median(runs.iter().map(|run| ms(run.slowest()))),
        median(runs.iter().map(Run::ratio)),
    )?;
    Ok(())
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
