//! What the engine knows at the moment it decides: open items, customers, payments seen lately and advices that wait for cash.
//!
//! A snapshot is filled once and then kept up to date in place: an item opened, paid or reversed costs a few index entries, never a rebuild.
//! It knows no database; whoever feeds it remembers how far it got. Answers never depend on the order in which it was fed.

mod customers;
mod index;
mod items;
mod learned;
mod recent;
mod spoken_for;
mod waiting;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use crate::domain::{
    Customer, CustomerId, Lesson, OpenItem, OpenItemId, Payment, PaymentId, PaymentState, Proposal, Relation, Remittance,
    RemittanceId, Revocation,
};

pub(super) use customers::Customers;
pub(super) use index::{Hashed, Kind, Slots};
pub(super) use items::{Items, Slot};
pub use learned::{FactState, LearnedFact};
pub(super) use learned::{Owner, signs};
pub(super) use recent::{Recent, Seen, folded_trace};
pub(super) use waiting::{Waiting, tail};

/// Everything a decision may stand on besides the payment itself.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(super) items: Items,
    pub(super) customers: Customers,
    pub(super) recent: Recent,
    pub(super) waiting: Waiting,
    /// Pairs of payments that a person said are not the same money.
    apart: HashSet<(PaymentId, PaymentId)>,
    /// Advices that a person took off payments.
    advices_apart: HashSet<(RemittanceId, PaymentId)>,
    pub(super) learned: learned::Learned,
    /// Numbers that payments name which nobody has decided.
    pub(super) spoken_for: spoken_for::SpokenFor,
}

impl Snapshot {
    /// A snapshot of a ledger.
    pub fn new<'a>(
        customers: impl IntoIterator<Item = &'a Customer>,
        relations: impl IntoIterator<Item = &'a Relation>,
        items: impl IntoIterator<Item = &'a OpenItem>,
    ) -> Self {
        let mut snapshot = Self::default();
        customers.into_iter().for_each(|customer| snapshot.upsert_customer(customer));
        relations.into_iter().for_each(|relation| snapshot.upsert_relation(relation));
        items.into_iter().for_each(|item| snapshot.upsert_item(item));
        snapshot
    }

    /// Adds an item or brings it up to date: opened, paid in part, closed, reopened, cancelled.
    pub fn upsert_item(&mut self, item: &OpenItem) {
        let customer = self.customers.number(item.customer);
        self.items.upsert(item, customer);
    }

    /// Takes off the items what a proposal closes of them, so that the next decision sees what this one took.
    pub fn settle(&mut self, proposal: &Proposal, day: NaiveDate) {
        for line in &proposal.lines {
            if let Some(closes_minor) = line.closes_minor() {
                self.items.settle(line.item, closes_minor, day);
            }
        }
    }

    /// Adds a customer or brings its names, accounts and parent up to date.
    pub fn upsert_customer(&mut self, customer: &Customer) {
        self.customers.upsert(customer);
    }

    /// Adds a dated relation between a payer and a customer it may pay for.
    pub fn upsert_relation(&mut self, relation: &Relation) {
        self.customers.relate(relation);
    }

    /// Remembers a payment for the detection of duplicates and for advices that come later. Seeing it again brings its state up to date.
    pub fn saw_payment(&mut self, payment: &Payment, remittance: Option<&Remittance>) {
        self.recent.upsert(Seen::new(payment, remittance));
        match payment.state {
            PaymentState::Received | PaymentState::Exception => self.spoken_for.saw(payment, remittance),
            _ => self.spoken_for.forget(payment.id),
        }
    }

    /// Remembers which payments are not the same money, whatever they look like; the pairs replace those known before.
    pub fn tell_apart(&mut self, pairs: impl IntoIterator<Item = (PaymentId, PaymentId)>) {
        self.apart = pairs.into_iter().collect();
    }

    pub(super) fn are_apart(&self, one: PaymentId, other: PaymentId) -> bool {
        self.apart.contains(&(one, other)) || self.apart.contains(&(other, one))
    }

    /// Remembers which advices do not belong to which payments; the pairs replace those known before.
    pub fn tell_advices_apart(&mut self, pairs: impl IntoIterator<Item = (RemittanceId, PaymentId)>) {
        self.advices_apart = pairs.into_iter().collect();
    }

    pub(super) fn may_be_tied(&self, remittance: RemittanceId, payment: PaymentId) -> bool {
        !self.advices_apart.contains(&(remittance, payment))
    }

    /// The cash of a payment stands on these items: whoever owns them pays from this account, under this id and name. Calling it again replaces what
    /// the payment taught before; without items it teaches nothing any more.
    pub fn learn(&mut self, payment: &Payment, remittance: Option<&Remittance>, lessons: &[Lesson]) {
        let mut owners = BTreeMap::new();
        for lesson in lessons {
            let Some(slot) = self.items.slot(lesson.item) else { continue };
            let newest = owners.entry(self.items.customer[slot as usize]).or_default();
            *newest = lesson.by_person.max(*newest);
        }
        let payers: Vec<_> = std::iter::once(&payment.payer).chain(remittance.map(|remittance| &remittance.payer)).collect();
        self.learned.teach(payment.id, &payers, owners.into_iter().collect());
    }

    /// All that people revoked of what the ledger teaches, oldest first; it takes the place of what was known of that before.
    pub fn revoke(&mut self, revocations: &[Revocation]) {
        let mut revoked: HashMap<learned::Sign, BTreeMap<u32, learned::Revoked>> = HashMap::new();
        for Revocation { kind, sign, customer, for_good, until } in revocations {
            let sign = learned::Sign { kind: *kind, text: sign.clone() };
            let told = revoked.entry(sign).or_default().entry(self.customers.number(*customer)).or_default();
            told.times += 1;
            told.for_good |= for_good;
            told.until = told.until.max(Some(*until));
        }
        self.learned.revoke(revoked);
    }

    /// What the ledger has taught, and what was revoked of it, by customer.
    pub fn learned_facts(&self) -> Vec<LearnedFact> {
        let customers = &self.customers;
        let mut facts = self.learned.facts(|a, b| customers.root(a) == customers.root(b), |number| customers.id(number));
        facts.iter_mut().for_each(|fact| fact.payments.sort_unstable());
        facts.sort_by(|a, b| (a.customer, a.kind, &a.sign).cmp(&(b.customer, b.kind, &b.sign)));
        facts
    }

    /// Forgets a payment, for instance because its file was rejected.
    pub fn forget_payment(&mut self, id: PaymentId) {
        self.recent.forget(id);
        self.spoken_for.forget(id);
    }

    /// An advice that waits for its cash.
    pub fn add_waiting_remittance(&mut self, remittance: Remittance) {
        self.waiting.upsert(remittance);
    }

    /// The advice was linked or rejected.
    pub fn forget_waiting_remittance(&mut self, id: RemittanceId) {
        self.waiting.forget(id);
    }

    /// A waiting advice.
    pub fn waiting_remittance(&self, id: RemittanceId) -> Option<&Remittance> {
        self.waiting.get(id)
    }

    /// How many items it holds, open and recently closed.
    pub fn items_len(&self) -> usize {
        self.items.len()
    }

    /// What is still open of an item, when the snapshot knows the item.
    pub fn open_minor(&self, id: OpenItemId) -> Option<i64> {
        self.items.slot(id).map(|slot| self.items.open_minor[slot as usize])
    }

    /// Whose item it is, when the snapshot knows the item.
    pub fn owner(&self, id: OpenItemId) -> Option<CustomerId> {
        self.items.slot(id).map(|slot| self.customers.id(self.items.customer[slot as usize]))
    }

    /// The number of an item as the ledger writes it.
    pub fn item_number(&self, id: OpenItemId) -> Option<&str> {
        self.items.slot(id).map(|slot| self.items.number(slot))
    }

    /// The code of a customer.
    pub fn customer_code(&self, id: CustomerId) -> Option<&str> {
        self.customers.find(id).map(|number| self.customers.code(number))
    }
}
