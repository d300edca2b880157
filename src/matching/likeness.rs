//! How a name as written is like a customer's, where it is not the same.

use super::limits::NAMES_MAX;
use super::snapshot::Customers;
use crate::normalise::{Edits, Name};
use crate::rules::IdentifyBy;

/// How a name as written is like a customer's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Likeness<'n> {
    /// This is one of its names.
    Exact(&'n Name),
    Cut,
    Misspelt,
    Alike,
}

impl Likeness<'_> {
    /// The way of the rules that a customer is found in.
    pub(super) fn way(self, number: u32, customers: &Customers) -> IdentifyBy {
        match self {
            Self::Exact(name) => {
                let own = customers.names(number).first().is_some_and(|own| own.stem == name.stem);
                if own { IdentifyBy::Name } else { IdentifyBy::Alias }
            }
            Self::Cut => IdentifyBy::NameCut,
            Self::Misspelt | Self::Alike => IdentifyBy::NameSimilar,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Cut => "cut",
            Self::Misspelt => "misspelt",
            Self::Alike => "alike",
        }
    }
}

/// The customers whose long name differs from what is written, from the end of it, or where a bank cut it from its beginning, by a slip or two: one,
/// where no other comes near.
pub(super) fn misspelt(leads: &[(Name, bool)], customers: &Customers) -> Vec<u32> {
    for (name, cut) in leads {
        if name.stem.len() < MISSPELT_LENGTH_MIN {
            break;
        }
        let (stem, compact) = (Edits::of(&name.stem), Edits::of(&name.compact));
        let apart = |written: &Edits<'_>, length: usize, ours: &str| {
            (length.abs_diff(ours.len()) <= MISSPELT_RIVAL).then(|| written.within(ours, MISSPELT_RIVAL)).flatten()
        };
        // A slip may have made the beginning a character longer or shorter.
        let length = name.compact.len();
        let beginnings = |ours: &Name| {
            let cuts = (*cut).then_some(length - 1..=length + 1).into_iter().flatten();
            cuts.filter_map(|end| compact.within(ours.compact.get(..end)?, MISSPELT_EDITS)).min()
        };
        let mut near: Vec<(usize, u32)> = Vec::new();
        for number in customers.sharing_a_word(name, NAMES_MAX) {
            let away = |ours: &Name| {
                let stems = apart(&stem, name.stem.len(), &ours.stem);
                stems.into_iter().chain(apart(&compact, length, &ours.compact)).chain(beginnings(ours)).min()
            };
            let nearest = customers.names(number).iter().filter_map(away).min();
            near.extend(nearest.map(|edits| (edits, number)));
        }
        near.sort_unstable();
        if let Some((least, _)) = near.first().copied() {
            // Another name is a rival where few slips more lead to it.
            near.retain(|(edits, _)| *edits <= least + MISSPELT_AHEAD);
            let few = least <= MISSPELT_EDITS && near.len() <= ALIKE_MAX;
            return if few { near.into_iter().map(|(_, number)| number).collect() } else { Vec::new() };
        }
    }
    Vec::new()
}

/// Share of the letters of two names that answer each other where one resembles the other.
pub(super) const ALIKE_MILLI: u32 = 850;
/// The same where it is one name with words shortened.
pub(super) const SHORTENED_MILLI: u32 = 900;
/// Customers that may share a name with words shortened.
pub(super) const ALIKE_MAX: usize = 4;

/// Shorter names have neighbours by chance.
const MISSPELT_LENGTH_MIN: usize = 12;
/// Slips in a name that is still the name.
const MISSPELT_EDITS: usize = 2;
/// Slips up to which other names are looked at.
const MISSPELT_RIVAL: usize = 4;
/// Slips by which a name must be nearer than another.
const MISSPELT_AHEAD: usize = 2;
