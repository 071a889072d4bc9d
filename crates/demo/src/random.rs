//! Randomness as a function: equal seeds give equal worlds, and any draw can be repeated without the ones before it.
//!
//! Not for secrets. Owns no state beyond one [`Dice`].

/// Increment of the Weyl sequence (the golden ratio in 64 bits).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes all bits of a number; a bijection, inverted by [`unmix`].
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Inverse of [`mix`]: what lets a trace id give back the number of its trace.
pub(crate) const fn unmix(mut z: u64) -> u64 {
    z = (z ^ (z >> 31) ^ (z >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    z = (z ^ (z >> 27) ^ (z >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    z ^ (z >> 30) ^ (z >> 60)
}

/// A number that depends on all parts and their order.
pub(crate) fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(STEP, |state, part| {
        mix(state ^ part.wrapping_mul(STEP)).wrapping_add(STEP)
    })
}

/// A number for a name (FNV-1a, mixed).
pub(crate) fn hash_text(text: &str) -> u64 {
    let plain = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(plain)
}

/// A sequence of draws that follows from its seed alone.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// Evenly in 0..1.
    pub(crate) fn share(&mut self) -> f64 {
        let high = u32::try_from(self.bits() >> 32).unwrap_or(0);
        f64::from(high) / 4_294_967_296.0
    }

    /// Whether something of this probability happens. Always draws, so that a changed probability moves no later draw.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Evenly in 0..n; 0 for an empty range.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let wide = u128::from(self.bits()) * u128::from(n);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// Evenly in low..high.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        (high - low).mul_add(self.share(), low)
    }

    /// Standard normal (Box-Muller, one of the pair).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }

    /// Index into weights by their shares; `None` if they are empty or all zero.
    pub(crate) fn pick(&mut self, weights: impl Iterator<Item = f64> + Clone) -> Option<usize> {
        let sum: f64 = weights.clone().sum();
        let mut rest = self.share() * sum;
        let mut last = None;
        for (index, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
            last = Some(index);
            rest -= weight;
            if rest < 0.0 {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, mix, unmix};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unmixing_gives_back_what_was_mixed(number: u64) {
            prop_assert_eq!(unmix(mix(number)), number);
            prop_assert_eq!(mix(unmix(number)), number);
        }
    }

    #[test]
    fn picks_follow_their_weights_and_never_take_a_zero() {
        let mut dice = Dice::new(7);
        let mut seen = [0_u32; 3];
        for _ in 0..20_000 {
            if let Some(index) = dice.pick([9.0, 0.0, 1.0].into_iter()) {
                seen[index] += 1;
            }
        }
        assert_eq!(seen[1], 0);
        assert!((1_800..2_200).contains(&seen[2]), "{seen:?}");
        assert_eq!(dice.pick([0.0, 0.0].into_iter()), None);
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut dice = Dice::new(1);
        let draws: Vec<f64> = (0..20_000).map(|_| dice.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
