//! The contract of the command line, on the demo mesh: what scripts and people on call may rely on.
//!
//! Every test has a home of its own, so that the journal and the demo's edits of one are not seen by another.

#[cfg(test)]
mod connect;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod shifts;
#[cfg(test)]
mod splits;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod ui;
