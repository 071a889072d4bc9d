//! Connecting to real clusters: every way to be let in, the ways to metric servers, rights, and what becomes of it all when
//! something breaks. Real API servers, kubectl, metric servers, controllers and kwok of the test bed.
//!
//! The servers of a room are started once and serve its steps one after the other.
//!
//! It needs the servers: `cargo run -p pilothouse-bed -- build all`. Without them it fails and says so.

#[cfg(test)]
mod clusters;
#[cfg(test)]
mod kubeconfigs;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod ways;
