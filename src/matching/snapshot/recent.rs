//! Payments seen lately, so that the same money is not applied twice.

use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate};

use super::index::{Index, Kind, key, with_number};
use super::waiting::{remittance_keys, total_key, trace_keys};
use crate::domain::{AccountKey, Currency, FileId, Payment, PaymentId, PaymentState, Remittance, SellerId};
use crate::normalise::{self, Name};

/// What is remembered of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::matching) struct Seen {
    pub(in crate::matching) id: PaymentId,
    pub(in crate::matching) file: FileId,
    pub(in crate::matching) seller: Option<SellerId>,
    pub(in crate::matching) currency: Currency,
    pub(in crate::matching) amount_minor: i64,
    pub(in crate::matching) value_date: NaiveDate,
    pub(in crate::matching) account: Option<AccountKey>,
    pub(in crate::matching) payer_id: String,
    /// Compact form of the payer's name.
    pub(in crate::matching) name: String,
    /// Folded trace without leading zeros.
    pub(in crate::matching) trace: String,
    /// Folded trace with them: what its end is compared with.
    pub(in crate::matching) whole_trace: String,
    /// Hash of the references paid; 0 when there are none.
    pub(in crate::matching) references: u64,
    pub(in crate::matching) state: PaymentState,
    pub(in crate::matching) has_remittance: bool,
}

impl Seen {
    pub(in crate::matching) fn new(payment: &Payment, remittance: Option<&Remittance>) -> Self {
        Self {
            id: payment.id,
            file: payment.source.file,
            seller: payment.seller,
            currency: payment.currency,
            amount_minor: payment.amount_minor,
            value_date: payment.value_date,
            account: payment.payer.account.clone(),
            payer_id: normalise::fold(payment.payer.id.as_deref().unwrap_or_default()),
            name: Name::new(payment.payer.name.as_deref().unwrap_or_default()).compact,
            trace: folded_trace(payment.trace.as_deref()),
            whole_trace: normalise::fold(payment.trace.as_deref().unwrap_or_default()),
            references: references(payment, remittance),
            state: payment.state,
            has_remittance: remittance.is_some() || payment.remittance.is_some(),
        }
    }

    /// Keys under which an advice that came apart finds the payment; none once it has an advice or no longer waits, so that the many
    /// that are done never crowd out the one that waits.
    fn advice_keys(&self) -> Vec<u64> {
        if self.has_remittance || !self.waits() {
            return Vec::new();
        }
        let mut keys = trace_keys(&self.whole_trace);
        keys.push(total_key(self.currency, self.amount_minor));
        keys
    }

    /// Whether nobody has decided yet what it pays.
    const fn waits(&self) -> bool {
        matches!(self.state, PaymentState::Received | PaymentState::Exception)
    }

    /// Keys under which a payment is filed as long as its state is what it is.
    fn keys_of_state(&self) -> Vec<u64> {
        let mut keys = self.advice_keys();
        keys.extend(self.waits().then(|| self.undecided_key()));
        keys
    }

    fn undecided_key(&self) -> u64 {
        with_number(with_number(key(Kind::Undecided, 0, &[]), self.amount_minor), currency(self.currency))
    }

    fn keys(&self) -> [Option<u64>; 3] {
        let amount = |kind, text: &[u8]| with_number(with_number(key(kind, 0, text), self.amount_minor), currency(self.currency));
        let trace = (!self.trace.is_empty()).then(|| amount(Kind::Trace, self.trace.as_bytes()));
        let print = (self.references != 0).then(|| amount(Kind::Fingerprint, &self.references.to_le_bytes()));
        [trace, print, Some(amount(Kind::SameDay, &self.value_date.num_days_from_ce().to_le_bytes()))]
    }
}

/// The letters of a currency as a number.
fn currency(currency: Currency) -> i64 {
    currency.as_str().bytes().fold(0, |number, letter| number << 8 | i64::from(letter))
}

/// Payments seen lately, found by trace, by references and by day.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Recent {
    slots: HashMap<PaymentId, u32>,
    seen: Vec<Option<Seen>>,
    /// Places of forgotten payments, to be used again.
    free: Vec<u32>,
    index: Index,
}

impl Recent {
    pub(in crate::matching) fn upsert(&mut self, seen: Seen) {
        self.forget(seen.id);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.seen.push(None);
            u32::try_from(self.seen.len() - 1).expect("fewer than four billion payments fit in memory")
        });
        for key in seen.keys().into_iter().flatten().chain(seen.keys_of_state()) {
            self.index.insert(key, slot);
        }
        self.slots.insert(seen.id, slot);
        self.seen[slot as usize] = Some(seen);
    }

    pub(in crate::matching) fn forget(&mut self, id: PaymentId) {
        let Some(slot) = self.slots.remove(&id) else { return };
        if let Some(seen) = self.seen[slot as usize].take() {
            for key in seen.keys().into_iter().flatten().chain(seen.keys_of_state()) {
                self.index.remove(key, slot);
            }
        }
        self.free.push(slot);
    }

    /// Payments without advice that share trace, its end, or the total with an advice, each once, in id order, at most `most` by each.
    pub(in crate::matching) fn without_advice(&self, remittance: &Remittance, most: usize) -> Vec<&Seen> {
        let mut found: Vec<&Seen> = remittance_keys(remittance)
            .into_iter()
            .flat_map(|key| self.index.get(key).iter().take(most))
            .filter_map(|slot| self.seen[*slot as usize].as_ref())
            .filter(|seen| !seen.has_remittance)
            .collect();
        found.sort_by_key(|seen| seen.id);
        found.dedup_by_key(|seen| seen.id);
        found
    }

    /// Payments of the same amount and currency that came before and wait for a person, each once, in id order, at most `most`.
    pub(in crate::matching) fn undecided(&self, payment: &Seen, most: usize) -> Vec<&Seen> {
        let filed = self.index.get(payment.undecided_key()).iter().take(most);
        let mut found: Vec<&Seen> = filed
            .filter_map(|slot| self.seen[*slot as usize].as_ref())
            .filter(|seen| seen.id < payment.id && seen.amount_minor == payment.amount_minor && seen.currency == payment.currency)
            .collect();
        found.sort_by_key(|seen| seen.id);
        found
    }

    /// Payments that share amount and currency and at least trace, references or day, each once, in id order, at most `most`.
    pub(in crate::matching) fn alike(&self, payment: &Seen, most: usize) -> Vec<&Seen> {
        let mut found: Vec<&Seen> = payment
            .keys()
            .into_iter()
            .flatten()
            .flat_map(|key| self.index.get(key).iter().take(most))
            .filter_map(|slot| self.seen[*slot as usize].as_ref())
            .filter(|seen| {
                seen.id != payment.id && seen.amount_minor == payment.amount_minor && seen.currency == payment.currency
            })
            .collect();
        found.sort_by_key(|seen| seen.id);
        found.dedup_by_key(|seen| seen.id);
        found
    }
}

/// A trace as it can be compared: banks pad it with zeros and write separators.
pub(in crate::matching) fn folded_trace(trace: Option<&str>) -> String {
    normalise::fold(trace.unwrap_or_default()).trim_start_matches('0').to_owned()
}

/// Hash of the references a payment names, in any order; 0 when it names none.
fn references(payment: &Payment, remittance: Option<&Remittance>) -> u64 {
    let hash = |folded: String| (!folded.is_empty()).then(|| key(Kind::Fingerprint, 0, folded.as_bytes()));
    let lines = remittance.iter().flat_map(|remittance| &remittance.lines);
    let mut folded: Vec<u64> = lines.filter_map(|line| hash(normalise::fold(&line.reference))).collect();
    if folded.is_empty() {
        let texts = [payment.text.as_deref(), remittance.and_then(|remittance| remittance.text.as_deref())];
        folded = texts.into_iter().flatten().flat_map(numbers_in).filter_map(hash).collect();
    }
    folded.sort_unstable();
    folded.into_iter().reduce(|all, one| with_number(all, one as i64)).map_or(0, |all| all.max(1))
}

/// Words of a text with three digits or more.
fn numbers_in(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().take(256).filter(|word| normalise::digits(word) >= 3).map(normalise::fold)
}
