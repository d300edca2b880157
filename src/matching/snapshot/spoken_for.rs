//! Items that payments name which wait for a person: they are open on paper, and most of them are paid already.
//!
//! Whoever pays everything that is due leaves them out, so a sum that does is tried, too. No more follows from it: they stay open until a person books.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::index::{Hashed, Kind};
use super::items::{Items, Slot};
use crate::domain::{Payment, PaymentId, PaymentState, Remittance};
use crate::normalise;

/// Items by the payment that names them, and how many payments name an item.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct SpokenFor {
    by_payment: HashMap<PaymentId, Vec<Slot>>,
    payments: HashMap<Slot, u32, BuildHasherDefault<Hashed>>,
}

impl SpokenFor {
    /// Whether a payment that waits names the item.
    pub(in crate::matching) fn has(&self, slot: Slot) -> bool {
        self.payments.contains_key(&slot)
    }

    pub(super) fn saw(&mut self, payment: &Payment, remittance: Option<&Remittance>, items: &Items) {
        self.forget(payment.id);
        if payment.state != PaymentState::Exception {
            return;
        }
        let sellers = payment.seller.map_or_else(|| items.sellers.clone(), |seller| vec![seller]);
        let lines = remittance.iter().flat_map(|remittance| &remittance.lines).map(|line| normalise::fold(&line.reference));
        let texts = [payment.text.as_deref(), remittance.and_then(|remittance| remittance.text.as_deref())];
        let words = texts.into_iter().flatten().flat_map(str::split_whitespace).flat_map(|word| word.split([',', ';', '&', '+']));
        let words = words.take(WORDS_MAX).map(normalise::fold);
        let mut named: Vec<Slot> = Vec::new();
        for folded in lines.chain(words).filter(|folded| normalise::digits(folded) >= DIGITS_MIN) {
            for seller in &sellers {
                let found = items.filed(Kind::Number, *seller, &folded).iter().copied();
                let is_meant = |slot: &Slot| items.is_open(*slot) && items.folded(*slot) == folded;
                named.extend(found.filter(is_meant));
            }
        }
        named.sort_unstable();
        named.dedup();
        for slot in &named {
            *self.payments.entry(*slot).or_default() += 1;
        }
        if !named.is_empty() {
            self.by_payment.insert(payment.id, named);
        }
    }

    pub(super) fn forget(&mut self, id: PaymentId) {
        for slot in self.by_payment.remove(&id).into_iter().flatten() {
            if let Some(count) = self.payments.get_mut(&slot) {
                *count -= 1;
                if *count == 0 {
                    self.payments.remove(&slot);
                }
            }
        }
    }
}

/// Words of texts that are looked up.
const WORDS_MAX: usize = 400;
/// Digits of a word that may be a number of ours.
const DIGITS_MIN: usize = 4;
