//! A number for a set of labels, the same in every run and on every machine: rows are put in one order by it, because
//! sums of floats depend on the order. Comparing numbers is much quicker than comparing twenty labels.

use crate::ports::Labels;

/// An odd number whose bits look random: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Equal labels, equal fingerprints. Different labels may share one, seldom.
pub(super) fn fingerprint(labels: &Labels) -> u64 {
    labels.iter().fold(0, |state, (name, value)| {
        mix(mix(state, name.as_bytes()), value.as_bytes())
    })
}

/// Eight bytes at a time; the length tells `ab` + `c` from `a` + `bc`.
fn mix(state: u64, text: &[u8]) -> u64 {
    let step = |state: u64, word: u64| (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = text.as_chunks::<8>();
    let state = words
        .iter()
        .fold(state, |state, word| step(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    step(
        step(state, u64::from_le_bytes(last)),
        u64::try_from(text.len()).unwrap_or(u64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> u64 {
        let labels = pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        fingerprint(&labels.collect())
    }

    #[test]
    fn depends_on_names_values_and_where_they_end() {
        let all = [
            of(&[]),
            of(&[("a", "")]),
            of(&[("a", "b")]),
            of(&[("ab", "")]),
            of(&[("a", "b"), ("c", "d")]),
            of(&[("a", "d"), ("c", "b")]),
            of(&[("a", "12345678")]),
            of(&[("a", "12345678\0")]),
            of(&[("a", "123456789")]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at} equals an earlier one");
        }
    }

    #[test]
    fn stays_the_same_for_ever() {
        assert_eq!(of(&[("reporter", "source")]), 3_843_012_576_189_307_662);
    }
}
