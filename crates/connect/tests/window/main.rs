//! What a window does with contexts, over the connector and the workspace.

#[cfg(test)]
mod choices;
#[cfg(test)]
mod early;
#[cfg(test)]
mod offers;
