//! Free loopback ports for servers that must be told their port before they start.
//!
//! A bed owns a block of [`BLOCK`] ports below the kernel's ephemeral range, so that no outgoing
//! connection takes one between the choice and the server's bind. The first port of the block is
//! the lock: it stays bound as long as the bed lives, so two beds never share a block.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

const BLOCK: u16 = 48;
/// Linux gives outgoing connections ports from 32768 up.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// A block of ports; ends with the bed.
pub(crate) struct Ports {
    _lock: TcpListener,
    next: u16,
    end: u16,
}

impl Ports {
    /// Finds a block whose ports are all free.
    pub(crate) fn reserve() -> Result<Self> {
        let n_blocks = (RANGE.end - RANGE.start) / BLOCK;
        // Beds that start at the same time begin their search at different blocks.
        let offset = u16::try_from(std::process::id() % u32::from(n_blocks))?;
        (0..n_blocks)
            .map(|k| RANGE.start + (k + offset) % n_blocks * BLOCK)
            .find_map(Self::claim)
            .context("no block of free ports on 127.0.0.1: are many beds running?")
    }

    /// The next port of the block.
    pub(crate) fn take(&mut self) -> Result<u16> {
        anyhow::ensure!(
            self.next < self.end,
            "the bed needs more than {BLOCK} ports"
        );
        self.next += 1;
        Ok(self.next - 1)
    }

    fn claim(first: u16) -> Option<Self> {
        let lock = bind(first)?;
        let end = first + BLOCK;
        // All are bound at once and let go together.
        let free: Option<Vec<_>> = (first + 1..end).map(bind).collect();
        free.map(|_| Self {
            _lock: lock,
            next: first + 1,
            end,
        })
    }
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BLOCK, Ports};

    #[test]
    fn two_beds_never_get_the_same_port() {
        let mut blocks = [Ports::reserve().unwrap(), Ports::reserve().unwrap()];
        let taken: BTreeSet<u16> = blocks
            .iter_mut()
            .flat_map(|ports| [ports.take().unwrap(), ports.take().unwrap()])
            .collect();
        assert_eq!(taken.len(), 4);
    }

    #[test]
    fn a_block_ends() {
        let mut ports = Ports::reserve().unwrap();
        for _ in 1..BLOCK {
            ports.take().unwrap();
        }
        assert!(ports.take().is_err());
    }
}
