//! The link that a window is to follow: the last one that came, until it is followed or given up.

use super::Workspace;
use crate::link::{Link, LinkError};

/// The last link.
#[derive(Default)]
pub(super) struct Links {
    serial: u32,
    last: Option<Result<Link, LinkError>>,
}

/// A link that came, or what was no link.
pub(crate) struct Followed {
    /// Counts links, from 1.
    pub(crate) serial: u32,
    pub(crate) link: Result<Link, LinkError>,
}

impl Workspace {
    /// Takes the place of a link that was not followed yet.
    pub(crate) fn follow(&self, link: Result<Link, LinkError>) {
        let mut state = self.lock();
        state.links.serial = state.links.serial.saturating_add(1);
        state.links.last = Some(link);
        drop(state);
        self.tell();
    }

    /// The link that is to be followed.
    pub(crate) fn followed(&self) -> Option<Followed> {
        let state = self.lock();
        let link = state.links.last.clone()?;
        Some(Followed {
            serial: state.links.serial,
            link,
        })
    }

    /// Forgets a link, unless a newer one has come.
    pub(crate) fn end_link(&self, serial: u32) {
        let mut state = self.lock();
        if state.links.serial == serial && state.links.last.take().is_some() {
            drop(state);
            self.tell();
        }
    }
}
