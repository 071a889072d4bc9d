//! The engine over scripted sources: freshness, partial failure, two-phase writes, convergence, undo.

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble;
