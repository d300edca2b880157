//! Numbers that payments name which nobody has decided: items under them are open on paper, and most of them are paid already.
//!
//! Whoever pays everything that is due leaves them out, so a sum that does is tried, too. No more follows from it: they stay open until a person books.
//! Numbers are kept as they are written, and looked up when they are asked for, so that it does not matter which came first, payment or item.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use super::index::{Hashed, Kind, key};
use super::items::{Items, Slot};
use crate::domain::{Payment, PaymentId, Remittance, SellerId};
use crate::normalise;

/// A payment, and the seller that it pays where that is known.
type Naming = (PaymentId, Option<SellerId>);

/// Folded numbers by the payment that names them, and the payments that name a number.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct SpokenFor {
    by_payment: HashMap<PaymentId, (Option<SellerId>, Vec<u64>)>,
    payments: HashMap<u64, BTreeSet<Naming>, BuildHasherDefault<Hashed>>,
}

impl SpokenFor {
    /// Whether a payment that came before this one, and that nobody has decided, names the item.
    pub(in crate::matching) fn has(&self, slot: Slot, before: PaymentId, items: &Items) -> bool {
        let seller = items.seller[slot as usize];
        let of_seller = |(_, of): &Naming| of.is_none_or(|of| of == seller);
        let payments = self.payments.get(&number_key(items.folded(slot)));
        payments.is_some_and(|payments| payments.range(..(before, None)).any(of_seller))
    }

    /// A payment that nobody has decided.
    pub(super) fn saw(&mut self, payment: &Payment, remittance: Option<&Remittance>) {
        self.forget(payment.id);
        let lines = remittance.iter().flat_map(|remittance| &remittance.lines).map(|line| normalise::fold(&line.reference));
        let texts = [payment.text.as_deref(), remittance.and_then(|remittance| remittance.text.as_deref())];
        let words = texts.into_iter().flatten().flat_map(str::split_whitespace).flat_map(|word| word.split([',', ';', '&', '+']));
        let words = words.take(WORDS_MAX).map(normalise::fold);
        let named = lines.take(WORDS_MAX).chain(words).filter(|folded| normalise::digits(folded) >= DIGITS_MIN);
        let mut named: Vec<u64> = named.map(|folded| number_key(&folded)).collect();
        named.sort_unstable();
        named.dedup();
        for number in &named {
            self.payments.entry(*number).or_default().insert((payment.id, payment.seller));
        }
        if !named.is_empty() {
            self.by_payment.insert(payment.id, (payment.seller, named));
        }
    }

    pub(super) fn forget(&mut self, id: PaymentId) {
        let Some((seller, named)) = self.by_payment.remove(&id) else { return };
        for number in named {
            if let Some(payments) = self.payments.get_mut(&number) {
                payments.remove(&(id, seller));
                if payments.is_empty() {
                    self.payments.remove(&number);
                }
            }
        }
    }
}

fn number_key(folded: &str) -> u64 {
    key(Kind::Number, 0, folded.as_bytes())
}

/// Words of texts, and lines, that are kept.
const WORDS_MAX: usize = 400;
/// Digits of a word that may be a number of ours.
const DIGITS_MIN: usize = 4;
