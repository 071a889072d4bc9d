//! The apps: each an HTTP server behind its Envoy that works a little, calls others and answers.
//!
//! They are threads of the bed's process, so that their call ledger needs no transport and a test
//! can change how one behaves ([`Behaviour`]). They pass trace headers on, as a real app must for
//! its sidecars' spans to become one trace.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::calls::{Edge, Ledger};
use crate::http::{self, Connection};
use crate::listen::Listener;
use crate::mesh::Workload;

/// Trace context, Envoy's request id, and the header that bookinfo routes users by.
const PASSED_ON: [&str; 6] = [
    "x-request-id",
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "end-user",
];

/// How an app behaves from now on.
#[derive(Debug)]
pub(crate) struct Behaviour {
    work_us: AtomicU64,
    failures_ppm: AtomicU32,
}

/// A running app. Dropped, it takes no more connections; those it has end with its Envoy.
pub(crate) struct App {
    pub(crate) workload: &'static Workload,
    pub(crate) port: u16,
    pub(crate) behaviour: Arc<Behaviour>,
    _listener: Listener,
}

/// A caller's way through its own Envoy.
pub(crate) struct Outbound {
    source: &'static str,
    port: u16,
    connection: Option<Connection<TcpStream>>,
    ledger: Ledger,
}

impl App {
    /// Binds a port and serves. Calls go to the Envoy at `outbound`.
    pub(crate) fn start(
        workload: &'static Workload,
        outbound: u16,
        ledger: &Ledger,
    ) -> Result<Self> {
        let behaviour = Arc::new(Behaviour::of(workload));
        let (shared, ledger) = (Arc::clone(&behaviour), ledger.clone());
        let listener = Listener::start(workload.name, move |stream| {
            // A connection that cannot be served is closed, which Envoy reports as its 503.
            let outbound = Outbound::new(workload.name, outbound, &ledger);
            serve(stream, workload, &shared, outbound)
        })?;
        Ok(Self {
            workload,
            port: listener.port(),
            behaviour,
            _listener: listener,
        })
    }
}

impl Behaviour {
    fn of(workload: &Workload) -> Self {
        let behaviour = Self {
            work_us: AtomicU64::new(0),
            failures_ppm: AtomicU32::new(0),
        };
        behaviour.set_work(Duration::from_secs_f64(workload.work_ms / 1000.0));
        behaviour.set_failure_ratio(workload.failure_ratio);
        behaviour
    }

    pub(crate) fn set_work(&self, mean: Duration) {
        let micros = u64::try_from(mean.as_micros()).unwrap_or(u64::MAX);
        self.work_us.store(micros, Ordering::Relaxed);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the clamped product lies in 0..=1e6"
    )]
    pub(crate) fn set_failure_ratio(&self, ratio: f64) {
        self.failures_ppm
            .store((ratio.clamp(0.0, 1.0) * 1e6) as u32, Ordering::Relaxed);
    }

    /// Works, and says whether the request succeeds.
    fn work(&self, random: &mut Random) -> bool {
        let mean = Duration::from_micros(self.work_us.load(Ordering::Relaxed));
        let exponential = -(1.0 - random.unit()).ln();
        // This sleep is the app's work, not a wait for something else.
        thread::sleep(mean.mul_f64(exponential));
        random.unit() * 1e6 >= f64::from(self.failures_ppm.load(Ordering::Relaxed))
    }
}

impl Outbound {
    pub(crate) fn new(source: &'static str, port: u16, ledger: &Ledger) -> Self {
        Self {
            source,
            port,
            connection: None,
            ledger: ledger.clone(),
        }
    }

    /// Calls a Service and records the call; the status, or an error when none came.
    pub(crate) fn call(
        &mut self,
        service: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<u16> {
        let headers = [&[("host", service)], headers].concat();
        let request = http::request("GET", target, &headers, &[]);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => http::connect(self.port)?,
        };
        let answer = connection.exchange(&request);
        let status = answer.as_ref().map_or(0, |response| response.status);
        let peer = answer
            .as_ref()
            .ok()
            .and_then(|response| response.header("x-peer-workload"));
        let edge = Edge {
            source: self.source.to_owned(),
            service: service.to_owned(),
            destination: peer.map(str::to_owned),
        };
        self.ledger.record(edge, status);
        if answer?.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(status)
    }
}

fn serve(
    stream: TcpStream,
    workload: &Workload,
    behaviour: &Behaviour,
    mut outbound: Outbound,
) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream);
    let mut random = Random::default();
    while let Some(request) = connection.receive()? {
        let succeeds = behaviour.work(&mut random);
        let passed: Vec<(&str, &str)> = PASSED_ON
            .iter()
            .filter_map(|name| http::find(&request.headers, name).map(|value| (*name, value)))
            .collect();
        let called: Vec<_> = workload
            .calls
            .iter()
            .map(|service| {
                // No status at all: this app's Envoy is gone. Bookinfo shows the page without.
                let status = outbound
                    .call(service, &request.target, &passed)
                    .unwrap_or(0);
                json!({"service": service, "status": status})
            })
            .collect();
        let body = json!({"app": workload.app, "version": workload.version, "called": called});
        let status = if succeeds { 200 } else { 500 };
        let headers = [("content-type", "application/json")];
        connection.write(&http::response(
            status,
            &headers,
            body.to_string().as_bytes(),
        ))?;
    }
    Ok(())
}

/// Pseudo-random numbers (`SplitMix64`, Steele et al. 2014), one sequence per connection.
struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        static SEED: AtomicU64 = AtomicU64::new(0);
        Self(SEED.fetch_add(0x2545_F491_4F6C_DD1D, Ordering::Relaxed))
    }
}

impl Random {
    /// In 0..1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        f64::from(u32::try_from(z >> 32).unwrap_or_default()) / 4_294_967_296.0
    }
}
