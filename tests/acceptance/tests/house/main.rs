//! The rules of the house, as tests: arrows between crates, what core may not know, sizes of files, arrows of the
//! frontend, what we depend on, what the window may do. ARCHITECTURE.md says why.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod desktop;
#[cfg(test)]
mod rules;
