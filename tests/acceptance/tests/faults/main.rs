//! Every way in which a source can fail, as an operator meets it: the source is named with what to do, the rest goes on,
//! the exit code says so, nothing is written, and what is unknown is never shown as 0.

#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod view;
