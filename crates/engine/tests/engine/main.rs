//! The engine over scripted sources: freshness, partial failure, two-phase writes, convergence, undo, and
//! clocks that jump.

#[cfg(test)]
mod clock;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble;
