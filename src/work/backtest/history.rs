//! The ledger as it was: a snapshot that moves forward through the decisions that were made.
//!
//! Each decision kept how much of the store it knew. Up to there, items, customers and payments are taken as they said then; open amounts,
//! states and what was learned follow from the applications that the journal had by then. What decisions of one transaction took from each
//! other counts as they decided it, as it did when they were made.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use chrono::NaiveDate;

use crate::{
    domain::{
        ApplicationId, Customer, CustomerId, ItemStatus, Lesson, OpenItem, OpenItemId, Payment, PaymentId, PaymentState,
        Remittance, RemittanceId, Revocation,
    },
    matching::Snapshot,
    store::{ApplicationKind, Inputs, KnownRows, Move, Past, PastDecision, PastItem, PastPayment, Tx},
};

/// What a row says now and what it said before, oldest first, each with the id of the change that ended it.
struct Ages<T> {
    now: T,
    before: Vec<(i64, T)>,
}

impl<T> Ages<T> {
    const fn of(now: T) -> Self {
        Self { now, before: Vec::new() }
    }

    /// What it said when the changes up to `past` had happened.
    fn at(&self, past: i64) -> &T {
        self.before.iter().find(|(ended, _)| *ended > past).map_or(&self.now, |(_, before)| before)
    }
}

/// What the journal says of an item so far.
#[derive(Clone, Copy, Default)]
struct Closed {
    minor: i64,
    on: Option<NaiveDate>,
}

/// What the journal says of a payment so far.
#[derive(Clone, Default)]
struct Used {
    cash_minor: i64,
    returned_minor: i64,
    void: bool,
    /// What stands on items.
    items: Vec<(ApplicationId, Lesson)>,
}

/// A row that was changed in place.
#[derive(Clone, Copy)]
enum Changed {
    Item(OpenItemId),
    Customer(CustomerId),
    Payment(PaymentId),
}

/// The past of a ledger, moving forward.
pub struct History {
    snapshot: Snapshot,
    items: BTreeMap<OpenItemId, Ages<PastItem>>,
    customers: BTreeMap<CustomerId, Ages<Customer>>,
    payments: BTreeMap<PaymentId, Payment>,
    payments_before: HashMap<PaymentId, Vec<(i64, PastPayment)>>,
    remittances: HashMap<RemittanceId, Remittance>,
    /// The advice of each payment, as the newest decision had it.
    advice: HashMap<PaymentId, Option<RemittanceId>>,
    moves: std::iter::Peekable<std::vec::IntoIter<Move>>,
    voided: std::iter::Peekable<std::vec::IntoIter<(i64, PaymentId)>>,
    /// Payments that counted once and do not now.
    voided_ever: BTreeSet<PaymentId>,
    /// Changes of rows, with what was changed.
    changes: std::iter::Peekable<std::vec::IntoIter<(i64, Changed)>>,
    apart: Vec<(String, PaymentId, PaymentId)>,
    /// What people revoked, by the number of each revocation.
    revocations: Vec<(i64, Revocation)>,
    closed: HashMap<OpenItemId, Closed>,
    used: HashMap<PaymentId, Used>,
    known: KnownRows,
    at: String,
    /// What the decisions of the transaction in hand changed in the snapshot only.
    items_taken: BTreeSet<OpenItemId>,
    payments_decided: BTreeSet<PaymentId>,
}

impl History {
    /// Reads the whole ledger; nothing of it is known yet.
    pub async fn read(tx: &mut Tx, moves: Vec<Move>) -> anyhow::Result<Self> {
        let items = tx.items_with_settled().await?.into_iter().map(|item| (item.item.id, Ages::of(item))).collect();
        let customers = tx.customers_changed_since(0).await?.0.into_iter();
        let payments = tx.payments_changed_since(0).await?.0.into_iter().map(|payment| (payment.id, payment)).collect();
        let remittances = tx.remittances_changed_since(0).await?.0.into_iter().map(|advice| (advice.id, advice)).collect();
        let voided = tx.voided().await?;
        let mut history = Self {
            snapshot: Snapshot::default(),
            items,
            customers: customers.map(|customer| (customer.id, Ages::of(customer))).collect(),
            payments,
            payments_before: HashMap::new(),
            remittances,
            advice: HashMap::new(),
            moves: moves.into_iter().peekable(),
            voided_ever: voided.iter().map(|(_, payment)| *payment).collect(),
            voided: voided.into_iter().peekable(),
            changes: Vec::new().into_iter().peekable(),
            apart: tx.told_apart_at().await?,
            revocations: tx.numbered_revocations().await?,
            closed: HashMap::new(),
            used: HashMap::new(),
            known: KnownRows::default(),
            at: String::new(),
            items_taken: BTreeSet::new(),
            payments_decided: BTreeSet::new(),
        };
        let changes: Vec<_> = tx.past().await?.into_iter().map(|(id, past)| (id, history.remember(id, past))).collect();
        history.changes = changes.into_iter().peekable();
        tx.relations().await?.iter().for_each(|relation| history.snapshot.upsert_relation(relation));
        Ok(history)
    }

    fn remember(&mut self, id: i64, past: Past) -> Changed {
        let changed = match &past {
            Past::Item(item) => Changed::Item(item.item.id),
            Past::Customer(customer) => Changed::Customer(customer.id),
            Past::Payment(payment) => Changed::Payment(payment.id),
        };
        match past {
            Past::Item(item) => {
                if let Some(ages) = self.items.get_mut(&item.item.id) {
                    ages.before.push((id, item));
                }
            }
            Past::Customer(customer) => {
                if let Some(ages) = self.customers.get_mut(&customer.id) {
                    ages.before.push((id, customer));
                }
            }
            Past::Payment(payment) => self.payments_before.entry(payment.id).or_default().push((id, payment)),
        }
        changed
    }

    /// Moves on to what a decision knew. Decisions come in the order in which they were made.
    pub fn advance(&mut self, decision: &PastDecision, inputs: &Inputs) {
        let to = inputs.known;
        if (to, decision.at.as_str()) == (self.known, self.at.as_str()) {
            return;
        }
        let (from, to) = (self.known, later(self.known, to));
        self.known = to;
        self.at.clone_from(&decision.at);
        let (mut items, mut payments) = (std::mem::take(&mut self.items_taken), std::mem::take(&mut self.payments_decided));
        while let Some(moved) = self.moves.next_if(|moved| moved.entry <= to.entries) {
            payments.insert(moved.payment);
            items.extend(moved.item);
            self.book(&moved);
        }
        while let Some((_, payment)) = self.voided.next_if(|(entry, _)| *entry <= to.entries) {
            self.used.entry(payment).or_default().void = true;
            payments.insert(payment);
        }
        let mut customers: BTreeSet<_> = new(&self.customers, CustomerId(from.customers), CustomerId(to.customers));
        items.extend(new(&self.items, OpenItemId(from.items), OpenItemId(to.items)));
        payments.extend(new(&self.payments, PaymentId(from.payments), PaymentId(to.payments)));
        while let Some((_, changed)) = self.changes.next_if(|(id, _)| *id <= to.past) {
            match changed {
                Changed::Item(id) => drop(items.insert(id)),
                Changed::Customer(id) => drop(customers.insert(id)),
                Changed::Payment(id) => drop(payments.insert(id)),
            }
        }
        for id in customers.into_iter().filter(|id| id.0 <= to.customers) {
            if let Some(ages) = self.customers.get(&id) {
                self.snapshot.upsert_customer(ages.at(to.past));
            }
        }
        for id in items {
            if let Some(item) = self.item(id) {
                self.snapshot.upsert_item(&item);
            }
        }
        let apart = self.apart.iter().filter(|(at, _, _)| *at <= self.at).map(|(_, one, other)| (*one, *other));
        self.snapshot.tell_apart(apart);
        if from.revocations != to.revocations {
            let told = self.revocations.iter().filter(|(number, _)| *number <= to.revocations);
            self.snapshot.revoke(&told.map(|(_, revocation)| revocation.clone()).collect::<Vec<_>>());
        }
        for id in payments {
            self.show(id);
        }
    }

    /// What a decision was about, as it was then.
    pub fn subject(&self, decision: &PastDecision, inputs: &Inputs) -> Option<(Payment, Option<&Remittance>)> {
        let mut payment = self.payment(decision.payment)?;
        payment.remittance = inputs.remittance;
        payment.unapplied_minor = inputs.unapplied_minor;
        Some((payment, inputs.remittance.and_then(|id| self.remittances.get(&id))))
    }

    /// The snapshot on which the case was decided.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Leaves in the snapshot what the decision did to it when it was made.
    pub fn decided(&mut self, decision: &PastDecision, inputs: &Inputs) {
        self.advice.insert(decision.payment, inputs.remittance);
        self.payments_decided.insert(decision.payment);
        let Some((payment, _)) = self.subject(decision, inputs) else { return };
        let remittance = inputs.remittance.and_then(|id| self.remittances.get(&id));
        if !matches!(decision.outcome, crate::domain::Outcome::Hold { .. }) {
            let lessons: Vec<_> = decision.proposal.lines.iter().map(|line| Lesson::of_engine(line.item)).collect();
            self.snapshot.settle(&decision.proposal, decision.business_day);
            self.snapshot.learn(&payment, remittance, &lessons);
            self.items_taken.extend(lessons.iter().map(|lesson| lesson.item));
        }
        let left = decision.outcome.posts().then_some(decision.proposal.unapplied_minor);
        let state = left.map_or(PaymentState::Exception, PaymentState::with_left);
        self.snapshot.saw_payment(&Payment { state, ..payment }, remittance);
    }

    fn book(&mut self, moved: &Move) {
        let used = self.used.entry(moved.payment).or_default();
        used.cash_minor += moved.cash_minor;
        if moved.kind == ApplicationKind::Return {
            used.returned_minor += moved.cash_minor;
        }
        match (moved.reverses, moved.item) {
            (Some(undone), _) => used.items.retain(|(application, _)| *application != undone),
            (None, Some(item)) => {
                let by_person = (!moved.by_engine).then_some(moved.application);
                used.items.push((moved.application, Lesson { item, by_person }));
            }
            (None, None) => {}
        }
        if let Some(item) = moved.item {
            let closed = self.closed.entry(item).or_default();
            *closed = Closed { minor: closed.minor + moved.closes_minor, on: Some(moved.day) };
        }
    }

    /// An item as it was: nothing before it was there.
    fn item(&self, id: OpenItemId) -> Option<OpenItem> {
        let PastItem { item, settled_elsewhere_minor } =
            self.items.get(&id).filter(|_| id.0 <= self.known.items)?.at(self.known.past);
        let closed = self.closed.get(&id).copied().unwrap_or_default();
        let mut item = item.clone();
        item.open_minor = item.amount_minor - settled_elsewhere_minor - closed.minor;
        if item.status != ItemStatus::Cancelled {
            item.status = if item.open_minor == 0 { ItemStatus::Closed } else { ItemStatus::Open };
            // Its own day counts where it was closed elsewhere.
            let elsewhere = *settled_elsewhere_minor == item.amount_minor;
            item.closed_date = (item.open_minor == 0).then_some(if elsewhere { item.closed_date } else { closed.on }).flatten();
        }
        Some(item)
    }

    fn payment(&self, id: PaymentId) -> Option<Payment> {
        let mut payment = self.payments.get(&id).filter(|_| id.0 <= self.known.payments)?.clone();
        let before = self.payments_before.get(&id).and_then(|ages| ages.iter().find(|(ended, _)| *ended > self.known.past));
        if let Some((_, before)) = before {
            before.restore(&mut payment);
        }
        let nothing = Used::default();
        let used = self.used.get(&id).unwrap_or(&nothing);
        payment.unapplied_minor = payment.amount_minor - used.cash_minor;
        payment.state = match payment.state {
            // A held file, and one that was rejected: no money of it ever moved.
            PaymentState::Held => PaymentState::Held,
            PaymentState::Void if !self.voided_ever.contains(&id) => PaymentState::Void,
            _ if used.void => PaymentState::Void,
            _ if payment.unapplied_minor == 0 && used.returned_minor > 0 => PaymentState::Returned,
            _ if payment.unapplied_minor == 0 && used.cash_minor != 0 => PaymentState::Posted,
            _ => PaymentState::Received,
        };
        Some(payment)
    }

    /// Shows a payment to the snapshot as it is by now.
    fn show(&mut self, id: PaymentId) {
        let Some(payment) = self.payment(id) else { return };
        let own = || {
            payment
                .remittance
                .filter(|advice| self.remittances.get(advice).is_some_and(|advice| advice.source.file == payment.source.file))
        };
        let advice = self.advice.get(&id).copied().unwrap_or_else(own);
        let advice = advice.and_then(|advice| self.remittances.get(&advice));
        let payment = Payment { remittance: advice.map(|advice| advice.id), ..payment };
        let lessons: Vec<_> = self.used.get(&id).into_iter().flat_map(|used| &used.items).map(|(_, lesson)| *lesson).collect();
        self.snapshot.saw_payment(&payment, advice);
        self.snapshot.learn(&payment, advice, &lessons);
    }
}

/// What either knew: two processes may have decided at the same time.
fn later(one: KnownRows, other: KnownRows) -> KnownRows {
    KnownRows {
        items: one.items.max(other.items),
        customers: one.customers.max(other.customers),
        payments: one.payments.max(other.payments),
        entries: one.entries.max(other.entries),
        past: one.past.max(other.past),
        revocations: one.revocations.max(other.revocations),
    }
}

/// The ids after `from` up to `to`.
fn new<K: Ord + Copy, V>(rows: &BTreeMap<K, V>, from: K, to: K) -> BTreeSet<K> {
    rows.range((Bound::Excluded(from), Bound::Included(to.max(from)))).map(|(id, _)| *id).collect()
}
