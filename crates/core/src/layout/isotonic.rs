//! Isotonic regression (pool adjacent violators): places in a fixed order, as near as possible to where each wants to be.

/// One thing to place on a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Where its beginning wants to be.
    pub(super) at: f64,
    /// How much it matters; positive.
    pub(super) weight: f64,
    /// Its length plus the gap that it keeps after it.
    pub(super) length: f64,
}

/// Beginnings in the given order that do not overlap, all within `from..=to` (where `to` bounds the end of the last
/// length), and with the least weighted squared distance to the wishes. If they do not fit, they start at `from` and
/// run over.
pub(super) fn place(wishes: &[Wish], from: f64, to: f64) -> Vec<f64> {
    // Taking away what stands before each turns "not overlapping" into "not descending".
    let mut before = 0.0;
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let mut pool = (wish.at - before, wish.weight, 1);
        before += wish.length;
        while let Some(&(mean, weight, count)) = pools.last() {
            if mean <= pool.0 {
                break;
            }
            let sum = weight + pool.1;
            pool = ((mean * weight + pool.0 * pool.1) / sum, sum, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let last = (to - before).max(from);
    let mut places = Vec::with_capacity(wishes.len());
    let mut offset = 0.0;
    let spread = pools
        .iter()
        .flat_map(|&(mean, _, count)| std::iter::repeat_n(mean.clamp(from, last), count));
    for (mean, wish) in spread.zip(wishes) {
        places.push(mean + offset);
        offset += wish.length;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wish(at: f64, length: f64) -> Wish {
        Wish {
            at,
            weight: 1.0,
            length,
        }
    }

    #[test]
    fn who_does_not_collide_gets_what_it_wants() {
        let wishes = [wish(0.0, 10.0), wish(25.0, 10.0), wish(50.0, 10.0)];
        assert_eq!(place(&wishes, 0.0, 100.0), [0.0, 25.0, 50.0]);
    }

    #[test]
    fn colliding_wishes_meet_in_the_middle() {
        let wishes = [wish(20.0, 10.0), wish(20.0, 10.0)];
        assert_eq!(place(&wishes, 0.0, 100.0), [15.0, 25.0]);
        assert_eq!(place(&wishes, 0.0, 30.0), [10.0, 20.0]);
        assert_eq!(place(&wishes, 0.0, 5.0), [0.0, 10.0]);
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_bounds_hold(
            wishes in prop::collection::vec((-100.0..100.0_f64, 0.1..5.0_f64, 1.0..20.0_f64), 0..20),
        ) {
            let wishes: Vec<Wish> = wishes
                .into_iter()
                .map(|(at, weight, length)| Wish { at, weight, length })
                .collect();
            let total: f64 = wishes.iter().map(|wish| wish.length).sum();
            let places = place(&wishes, -50.0, -50.0 + total + 30.0);
            prop_assert_eq!(places.len(), wishes.len());
            let ends: Vec<f64> =
                places.iter().zip(&wishes).map(|(place, wish)| place + wish.length).collect();
            for (end, next) in ends.iter().zip(places.iter().skip(1)) {
                prop_assert!(*end <= next + 1e-6);
            }
            prop_assert!(places.first().is_none_or(|first| *first >= -50.0));
            prop_assert!(ends.last().is_none_or(|last| *last <= total - 20.0 + 1e-6));
        }
    }
}
