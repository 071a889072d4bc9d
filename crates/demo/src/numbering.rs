//! Which traces there are: number k belongs to second k since 1970, and its id tells k and nothing else.

use pilothouse_core::model::Moment;
use pilothouse_core::trace::TraceId;

use crate::random::{Dice, hash, mix, unmix};
use crate::world::{OperationIndex, World};

/// Traces of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbering {
    seed: u64,
}

/// One trace, before its walk.
pub(crate) struct Birth {
    pub(crate) number: u64,
    pub(crate) start_ns: u64,
    pub(crate) entry: OperationIndex,
    /// For its walk.
    pub(crate) dice: Dice,
}

impl Birth {
    pub(crate) fn moment(&self) -> Moment {
        Moment(i64::try_from(self.start_ns / 1_000_000).unwrap_or(i64::MAX))
    }
}

impl Numbering {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Number of the trace that begins within the second of this moment.
    pub(crate) fn number_at(at: Moment) -> u64 {
        u64::try_from(at.0.div_euclid(1_000)).unwrap_or(0)
    }

    /// When it begins and what it asks for; `None` beyond the end of time.
    pub(crate) fn birth(self, world: &World, number: u64) -> Option<Birth> {
        let mut dice = Dice::new(hash(&[self.seed, number, 0x62]));
        let within = dice.bits() % 1_000_000_000;
        let start_ns = number.checked_mul(1_000_000_000)?.checked_add(within)?;
        let entry = dice.pick(world.entries.iter().map(|entry| entry.rate))?;
        Some(Birth {
            number,
            start_ns,
            entry: world.entries.get(entry)?.operation,
            dice,
        })
    }

    pub(crate) fn id(self, number: u64) -> TraceId {
        let high = mix(number ^ self.mask());
        TraceId((u128::from(high) << 64) | u128::from(self.check(number)))
    }

    /// The number of the trace of this id; `None` if we never gave it.
    pub(crate) fn number(self, id: TraceId) -> Option<u64> {
        let high = u64::try_from(id.0 >> 64).ok()?;
        let number = unmix(high) ^ self.mask();
        (self.id(number) == id).then_some(number)
    }

    fn mask(self) -> u64 {
        hash(&[self.seed, 0x6d])
    }

    fn check(self, number: u64) -> u64 {
        hash(&[self.seed, number, 0x63])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Numbering;
    use pilothouse_core::trace::TraceId;

    proptest! {
        #[test]
        fn an_id_tells_its_number(seed: u64, number: u64) {
            let numbering = Numbering::new(seed);
            prop_assert_eq!(numbering.number(numbering.id(number)), Some(number));
        }

        #[test]
        fn an_id_that_we_did_not_give_has_no_number(seed: u64, id: u128) {
            prop_assert_eq!(Numbering::new(seed).number(TraceId(id)), None);
        }
    }
}
