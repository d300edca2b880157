//! What the ledger has shown: from which accounts, under which ids and names the owners of paid items pay.
//!
//! A fact is the number of payments whose cash stands on items of one customer. Taking a payment back takes its facts back, so that the same
//! ledger always gives the same knowledge, in whatever order it was read.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Payer, PaymentId};
use crate::normalise::{self, Name};

/// What a payer is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::matching) enum Sign {
    Account(String),
    Id(String),
    Name(String),
}

/// Payments by sign and by the customer whose items they paid.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Learned {
    counts: HashMap<Sign, BTreeMap<u32, u32>>,
    /// What each payment taught, to be taken back.
    taught: HashMap<PaymentId, (Vec<Sign>, Vec<u32>)>,
}

/// Payments that make a sign a fact.
const PAYMENTS_MIN: u32 = 3;
/// Payments for one family that outweigh one for somebody else, which may have been a mistake.
const FAMILY_PAYMENTS_PER_STRAY: u64 = 20;
/// Names shorter than this are words.
const NAME_CHARS_MIN: usize = 6;

impl Learned {
    /// The payment paid items of these customers; none when nothing of it is applied any more.
    pub(in crate::matching) fn teach(&mut self, payment: PaymentId, payers: &[&Payer], owners: &[u32]) {
        if let Some((signs, known)) = self.taught.remove(&payment) {
            signs.iter().for_each(|sign| self.count(sign, &known, false));
        }
        if owners.is_empty() {
            return;
        }
        let mut signs: Vec<Sign> = payers
            .iter()
            .flat_map(|payer| signs(payer, payer.name.as_deref().map(Name::new).as_ref()).collect::<Vec<_>>())
            .collect();
        let mut once: Vec<Sign> = Vec::new();
        signs.retain(|sign| {
            let new = !once.contains(sign);
            once.push(sign.clone());
            new
        });
        signs.iter().for_each(|sign| self.count(sign, owners, true));
        self.taught.insert(payment, (signs, owners.to_vec()));
    }

    /// The customers whose items were paid under a sign, with the number of payments; nothing until it is a fact, and nothing when the sign has paid
    /// for customers that are not `kin`.
    pub(in crate::matching) fn owners(&self, sign: &Sign, kin: impl Fn(u32, u32) -> bool) -> Vec<(u32, u32)> {
        let Some(counts) = self.counts.get(sign) else { return Vec::new() };
        let Some((most, _)) = counts.iter().max_by_key(|(owner, count)| (**count, std::cmp::Reverse(**owner))) else {
            return Vec::new();
        };
        let total: u32 = counts.values().sum();
        let family: u32 = counts.iter().filter(|(owner, _)| *owner == most || kin(**owner, *most)).map(|(_, count)| count).sum();
        if u64::from(total - family) * FAMILY_PAYMENTS_PER_STRAY > u64::from(family) {
            return Vec::new();
        }
        counts
            .iter()
            .filter(|(owner, count)| **count >= PAYMENTS_MIN && (*owner == most || kin(**owner, *most)))
            .map(|(owner, count)| (*owner, *count))
            .collect()
    }

    fn count(&mut self, sign: &Sign, owners: &[u32], more: bool) {
        let counts = self.counts.entry(sign.clone()).or_default();
        for owner in owners {
            let count = counts.entry(*owner).or_default();
            *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
            if *count == 0 {
                counts.remove(owner);
            }
        }
        if counts.is_empty() {
            self.counts.remove(sign);
        }
    }
}

/// Everything a payer may be recognised by; `name` is its name, read.
pub(in crate::matching) fn signs(payer: &Payer, name: Option<&Name>) -> impl Iterator<Item = Sign> {
    let account = payer.account.as_ref().map(|account| Sign::Account(account.0.clone()));
    let id = payer.id.as_deref().map(normalise::fold).filter(|id| !id.is_empty()).map(Sign::Id);
    let name = name.map(|name| &name.compact).filter(|name| name.len() >= NAME_CHARS_MIN);
    account.into_iter().chain(id).chain(name.cloned().map(Sign::Name))
}
