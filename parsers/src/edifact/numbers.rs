//! Whether the reference numbers of one interchange are all different, in little memory: numbers that count up need one range.

use std::collections::{BTreeMap, HashMap};

/// Ranges kept; beyond them repeats are no longer told. Stops an interchange of odd references from filling memory.
const RANGES_MAX: usize = 100_000;

/// References seen, as ranges of their trailing digits for each text in front of them.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    seen: HashMap<Box<str>, BTreeMap<u64, u64>>,
    ranges: usize,
}

impl Numbers {
    /// False when the reference was there before.
    pub fn insert(&mut self, reference: &str) -> bool {
        let digits = reference.bytes().rev().take_while(u8::is_ascii_digit).take(18).count();
        let (front, back) = reference.split_at(reference.len().saturating_sub(digits));
        // No digits at all is a number of its own behind all others.
        let number = back.parse().unwrap_or(u64::MAX);
        if self.ranges >= RANGES_MAX && !self.seen.contains_key(front) {
            return true;
        }
        let ranges = self.seen.entry(front.into()).or_default();
        let before = ranges.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return false;
        }
        if self.ranges >= RANGES_MAX {
            return true;
        }
        let after = number.checked_add(1).and_then(|next| ranges.remove(&next));
        let last = after.unwrap_or(number);
        self.ranges = self.ranges.saturating_sub(usize::from(after.is_some()));
        match before.filter(|(_, last)| last.checked_add(1) == Some(number)) {
            Some((first, _)) => ranges.insert(first, last),
            None => {
                self.ranges = self.ranges.saturating_add(1);
                ranges.insert(number, last)
            }
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_new_once() {
        let mut numbers = Numbers::default();
        for (reference, new) in [
            ("1", true),
            ("2", true),
            ("3", true),
            ("2", false),
            ("M1", true),
            ("M3", true),
            ("M2", true),
            ("M3", false),
            ("M", true),
            ("M", false),
            ("", true),
            ("", false),
            ("Ä9", true),
            ("18446744073709551615", true),
            ("18446744073709551615", false),
        ] {
            assert_eq!(numbers.insert(reference), new, "{reference}");
        }
        assert_eq!(numbers.seen["M"].len(), 2);
    }
}
