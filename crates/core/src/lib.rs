//! The pure heart of Pilothouse: everything that decides, nothing that talks.
//!
//! Data goes one way: adapters implement the [`ports`], the engine asks them and folds the answers here, readers get
//! the values. Nothing in this crate reads a clock, the environment, a file or the network: time, identifiers and
//! randomness are arguments. A function never fails on odd input; it gives a value and [`model::Finding`]s, or an
//! explicit unknown (`None`). Unknown is never zero.
//!
//! Reading order: [`model`] (the words), [`ports`] (what a source must answer), [`graph`] and [`layout`] (the live
//! picture), [`traffic`] (splits, plans, patches), [`trace`] (trees, critical paths), [`stats`] and [`promql`].

pub mod model;
pub mod ports;

pub mod graph;
pub mod layout;
pub mod promql;
pub mod stats;
pub mod trace;
pub mod traffic;
