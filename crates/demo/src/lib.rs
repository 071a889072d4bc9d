//! The embedded mesh: a simulated shop behind the same ports as real sources.
//!
//! Nothing runs in here. Objects change when somebody patches them; everything else is a function of the seed, the moment
//! asked about and the objects in force then: the same question gets the same answer, today and tomorrow, in this process
//! and the next. No clock, no randomness, no tasks, no network.
//!
//! ```text
//! seed -> world (shop, generate) -> objects -> timeline (objects over time) <- store (list, watch, patch)
//!                  |                               |
//!                  +---------> routing <-----------+      what becomes of each call by the objects in force
//!                                 |
//!                               solve                     who calls whom how often, how it ends, how long it takes
//!                  rhythm         |
//!              (swing, bursts) -> simulation
//!                                 |-> metrics, exposition rates and counters: base rate x time in each regime
//!                                 +-> walk -> spans       single requests by the same shares and latencies
//! ```
//!
//! Reading order: `world`, `shop`, `routing`, `solve`, `rhythm`, `simulation`; then `metrics`, `walk`, `store`. Route
//! semantics are not here but in [`pilothouse_core::traffic`]. Not simulated: mirrored traffic, circuit breakers, locality,
//! sticky sessions, ambient mode.

mod admission;
mod attempts;
mod exposition;
mod flow;
mod generate;
mod labels;
mod latency;
mod mesh;
mod metrics;
mod numbering;
mod objects;
mod random;
mod rhythm;
mod routing;
mod samples;
mod shop;
mod simulation;
mod solve;
mod spans;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timeline;
mod traces;
mod walk;
mod world;

pub use mesh::{DemoConfig, DemoMesh};
pub use pilothouse_core::ports::Clock;
pub use timeline::Edit;
