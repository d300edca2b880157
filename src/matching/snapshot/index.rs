//! Hash index from a text key to the slots of open items.
//!
//! Keys are 64-bit hashes of (kind, scope, text); whoever reads a posting compares the text itself, so a collision costs a comparison and never a
//! wrong hit. A million items with three keys each take about 100 MB less than with owned strings.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// What kind of key a posting answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::matching) enum Kind {
    /// Folded, core and scanner forms of the item's own number.
    Number = 1,
    /// One part of a number written in parts.
    Part = 2,
    PurchaseOrder = 3,
    BillOfLading = 4,
    Pro = 5,
    /// Open amount of one customer's items.
    Amount = 6,
    /// Trace and amount of a payment or an advice.
    Trace = 7,
    /// Last characters of a trace.
    TraceTail = 8,
    /// Amount, payer and references of a payment.
    Fingerprint = 9,
    /// Amount, account and day of a payment.
    SameDay = 10,
    /// Currency and total.
    Total = 11,
    /// Trace alone: what ties an advice to its cash.
    AdviceTrace = 12,
}

/// Slots by hashed key.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Index {
    postings: HashMap<u64, Postings, BuildHasherDefault<Hashed>>,
}

#[derive(Clone, Debug)]
enum Postings {
    One(u32),
    Many(Vec<u32>),
}

impl Index {
    /// Slots filed under the key, in no particular order.
    pub(in crate::matching) fn get(&self, key: u64) -> &[u32] {
        match self.postings.get(&key) {
            None => &[],
            Some(Postings::One(slot)) => std::slice::from_ref(slot),
            Some(Postings::Many(slots)) => slots,
        }
    }

    /// Files a slot; filing it twice under one key is harmless.
    pub(in crate::matching) fn insert(&mut self, key: u64, slot: u32) {
        match self.postings.entry(key) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Postings::One(slot));
            }
            std::collections::hash_map::Entry::Occupied(mut entry) => match entry.get_mut() {
                Postings::One(first) if *first == slot => {}
                Postings::One(first) => {
                    let both = vec![*first, slot];
                    entry.insert(Postings::Many(both));
                }
                // The last slot is compared first because equal keys of one item come in a row.
                Postings::Many(slots) if slots.last() == Some(&slot) => {}
                Postings::Many(slots) => slots.push(slot),
            },
        }
    }

    /// Takes a slot out again.
    pub(in crate::matching) fn remove(&mut self, key: u64, slot: u32) {
        let std::collections::hash_map::Entry::Occupied(mut entry) = self.postings.entry(key) else { return };
        let empty = match entry.get_mut() {
            Postings::One(first) => *first == slot,
            Postings::Many(slots) => {
                slots.retain(|other| *other != slot);
                slots.is_empty()
            }
        };
        if empty {
            entry.remove();
        }
    }
}

/// Hash of a key text within a scope (seller, or customer for amounts).
pub(in crate::matching) fn key(kind: Kind, scope: u32, text: &[u8]) -> u64 {
    let mut state = mix(kind as u64, u64::from(scope));
    for chunk in text.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    mix(state, text.len() as u64)
}

fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd6e8_feb8_6659_fd93_a5a5_8c1f_7e4b_91ad);
    (product as u64) ^ ((product >> 64) as u64).rotate_left(29)
}

/// A key with a number that belongs to it.
pub(in crate::matching) fn with_number(key: u64, number: i64) -> u64 {
    mix(key, number as u64)
}

/// A set of items.
pub(in crate::matching) type Slots = HashSet<u32, BuildHasherDefault<Hashed>>;

/// For keys that are hashes already, and for numbers that we gave ourselves: nobody outside chooses them, so they need no secret.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::matching) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = mix(self.0, value.into());
    }

    fn write_i64(&mut self, value: i64) {
        self.0 = mix(self.0, value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filed_is_found_until_taken_out() {
        let mut index = Index::default();
        let number = key(Kind::Number, 1, b"10443");
        for slot in [7, 9, 9, 11] {
            index.insert(number, slot);
        }
        assert_eq!(index.get(number), [7, 9, 11]);
        for slot in [9, 7, 11] {
            index.remove(number, slot);
        }
        assert!(index.get(number).is_empty());
    }

    #[test]
    fn scope_kind_and_length_are_part_of_the_key() {
        let base = key(Kind::Number, 1, b"10443");
        for other in [key(Kind::Number, 2, b"10443"), key(Kind::Pro, 1, b"10443"), key(Kind::Number, 1, b"10443\0")] {
            assert_ne!(base, other);
        }
    }
}
