//! Hash index from a text key to the slots of open items.
//!
//! Keys are 64-bit hashes of (kind, scope, text); whoever reads a posting compares the text itself, so a collision costs a comparison and never a
//! wrong hit. A million items with three keys each take about 100 MB less than with owned strings.

use std::collections::{HashMap, HashSet, hash_map};
use std::hash::{BuildHasherDefault, Hash, Hasher};

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
    /// Currency and amount of a payment that waits for a person.
    Undecided = 13,
    /// Open amount of a seller's items, whoever owes them.
    OpenAmount = 14,
}

/// Slots by hashed key.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Index {
    /// The one slot of a key, or the place of its list marked with [`LIST`]: nearly all keys have one slot, and an entry takes 12 bytes.
    postings: HashMap<Key, u32, BuildHasherDefault<Hashed>>,
    lists: Vec<Vec<u32>>,
    /// Places of lists that are not in use.
    free: Vec<u32>,
}

/// Marks the place of a list.
const LIST: u32 = 1 << 31;

/// Halves of a key, so that an entry needs no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(u32, u32);

impl Key {
    const fn of(key: u64) -> Self {
        Self((key >> 32) as u32, key as u32)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0) << 32 | u64::from(self.1));
    }
}

impl Index {
    /// Slots filed under the key, in no particular order.
    pub(in crate::matching) fn get(&self, key: u64) -> &[u32] {
        match self.postings.get(&Key::of(key)) {
            None => &[],
            Some(place) if place & LIST != 0 => &self.lists[(place & !LIST) as usize],
            Some(slot) => std::slice::from_ref(slot),
        }
    }

    /// Files a slot; filing it twice under one key is harmless.
    pub(in crate::matching) fn insert(&mut self, key: u64, slot: u32) {
        assert!(slot & LIST == 0, "fewer than two billion items and payments fit in memory");
        match self.postings.entry(Key::of(key)) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(slot);
            }
            hash_map::Entry::Occupied(mut entry) => match *entry.get() {
                place if place & LIST != 0 => {
                    let slots = &mut self.lists[(place & !LIST) as usize];
                    // The last slot is compared first because equal keys of one item come in a row.
                    if slots.last() != Some(&slot) {
                        slots.push(slot);
                    }
                }
                first if first == slot => {}
                first => {
                    let at = self.free.pop().unwrap_or_else(|| {
                        self.lists.push(Vec::new());
                        u32::try_from(self.lists.len() - 1).expect("there are fewer lists than slots")
                    });
                    self.lists[at as usize] = vec![first, slot];
                    entry.insert(at | LIST);
                }
            },
        }
    }

    /// Takes a slot out again.
    pub(in crate::matching) fn remove(&mut self, key: u64, slot: u32) {
        let hash_map::Entry::Occupied(entry) = self.postings.entry(Key::of(key)) else { return };
        let place = *entry.get();
        if place & LIST != 0 {
            let slots = &mut self.lists[(place & !LIST) as usize];
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                *slots = Vec::new();
                self.free.push(place & !LIST);
                entry.remove();
            }
        } else if place == slot {
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
        index.insert(number, 3);
        assert_eq!(index.get(number), [3], "a key is filed anew");
        index.insert(key(Kind::Number, 1, b"10444"), 4);
        index.insert(key(Kind::Number, 1, b"10444"), 5);
        assert_eq!(index.lists.len(), 1, "the list is used again");
    }

    #[test]
    fn scope_kind_and_length_are_part_of_the_key() {
        let base = key(Kind::Number, 1, b"10443");
        for other in [key(Kind::Number, 2, b"10443"), key(Kind::Pro, 1, b"10443"), key(Kind::Number, 1, b"10443\0")] {
            assert_ne!(base, other);
        }
    }
}
