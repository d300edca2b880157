//! Applying: many payments at once, each for itself. A stale payment changes nothing and its neighbours go on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::{
    AboveAuthority, DeductionRoute, Mandate,
    breakers::{self, GivenAway},
    caps::Codes,
    journal, match_key,
};
use crate::{
    audit,
    domain::{
        ApplicationId, Currency, CustomerId, DecisionId, ItemStatus, LineAdjustmentKind, Money, OpenItem, OpenItemId, Payment,
        PaymentId, PaymentState, Proposal, ProposalLine,
    },
    rules::Power,
    store::{
        Application, ApplicationKind, AuditEvent, ItemChange, JournalEntry, Kind, NewDeduction, NewMessage, PaymentChange, Tx,
    },
};

/// What is to be applied to one payment, decided on one version of it.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    pub payment: PaymentId,
    pub version: i64,
    /// Its cash, what it keeps on account and what it leaves unapplied must be what is unapplied now.
    pub proposal: &'a Proposal,
    pub decision: Option<DecisionId>,
    /// Cash that the payer asked back; 0 for none.
    pub refund_minor: i64,
    pub note: Option<&'a str>,
    /// Whose items they were when it was decided; an item that is of somebody else by now asks for another decision.
    pub owners: &'a [(OpenItemId, CustomerId)],
}

/// What became of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostOutcome {
    /// Money moved.
    Posted { entry: i64, unapplied_minor: i64 },
    /// Payment or items are not what they were: decide again.
    Stale(String),
    /// The role may not do that: a recommendation for somebody who may.
    AboveAuthority(AboveAuthority),
    /// The proposal contradicts itself, or a circuit breaker stops the machine; deciding again would not help.
    Refused(String),
}

/// Applies postings in order. Nothing of a posting that is not `Posted` is written.
pub async fn apply(tx: &mut Tx, mandate: &Mandate<'_>, postings: &[Posting<'_>]) -> anyhow::Result<Vec<PostOutcome>> {
    let mut batch = Batch::load(tx, mandate, postings).await?;
    let gives: Vec<_> = postings.iter().flat_map(|posting| batch.gives(posting)).collect();
    if breakers::limit(mandate, &gives) {
        batch.given_away = breakers::given_away(tx, mandate.day).await?;
    }
    let mut outcomes: Vec<_> = postings.iter().map(|posting| batch.examine(mandate, posting).err()).collect();
    let passed: Vec<_> =
        postings.iter().zip(&outcomes).filter(|(_, refused)| refused.is_none()).map(|(posting, _)| posting).collect();
    let mut posted = batch.write(tx, mandate, &passed).await?.into_iter();
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
        *outcome = posted.next();
    }
    let outcomes: Option<Vec<_>> = outcomes.into_iter().collect();
    outcomes.ok_or_else(|| anyhow::anyhow!("a posting was neither posted nor refused"))
}

/// The locked rows, moving along with each posting that passes.
struct Batch {
    payments: HashMap<PaymentId, Payment>,
    /// Those that may be the same money as another; a person has to say so first.
    doubtful: BTreeSet<PaymentId>,
    items: HashMap<OpenItemId, OpenItem>,
    granted: HashMap<OpenItemId, Granted>,
    /// What was refunded before of the payments that are to be refunded.
    refunded: HashMap<PaymentId, i64>,
    /// What stands of whoever acts on the payments, so that nobody places in several steps what is above the limit in one.
    placed: HashMap<PaymentId, Placed>,
    codes: Codes,
    /// What the machine gave away so far, and gives away in this batch; read only where a breaker limits it.
    given_away: Vec<GivenAway>,
    /// What each item goes down by in all.
    closes: HashMap<OpenItemId, i64>,
    changes: HashMap<PaymentId, PaymentChange>,
    /// Keys of the exceptions that are settled because nothing of their payment is left.
    settled: Vec<String>,
}

/// What was granted on an item so far, so that nobody exceeds a limit in several steps.
#[derive(Clone, Copy, Default)]
struct Granted {
    write_off: i64,
    deduction: i64,
    discount: i64,
}

/// Cash to the items of each customer, and kept on its account, whatever its sign.
type Placed = BTreeMap<Option<CustomerId>, i64>;

impl Batch {
    /// Locks payments and then items, each in order of id, so that two batches never wait for each other in a circle.
    async fn load(tx: &mut Tx, mandate: &Mandate<'_>, postings: &[Posting<'_>]) -> anyhow::Result<Self> {
        let ids: Vec<_> = postings.iter().map(|posting| posting.payment).collect();
        let lines = || postings.iter().flat_map(|posting| &posting.proposal.lines);
        let items: Vec<_> = lines().map(|line| line.item).collect();
        let adjusted: Vec<_> = lines().filter(|line| !line.adjustments.is_empty()).map(|line| line.item).collect();
        let payments: HashMap<_, _> = tx.lock_payments(&ids).await?.into_iter().map(|payment| (payment.id, payment)).collect();
        let doubtful = tx.doubtful(&ids).await?;
        let items: HashMap<_, _> = tx.lock_open_items(&items).await?.into_iter().map(|item| (item.id, item)).collect();
        let payers = payments.values().filter_map(|payment| payment.payer.customer);
        let customers = postings.iter().filter_map(|posting| posting.proposal.customer).chain(payers);
        let codes = Codes::of(tx, mandate, customers.chain(items.values().map(|item| item.customer))).await?;
        let granted = tx.granted_on_items(&adjusted).await?.into_iter();
        let granted =
            granted.map(|(item, write_off, deduction, discount)| (item, Granted { write_off, deduction, discount })).collect();
        let mut refunded = HashMap::new();
        for posting in postings.iter().filter(|posting| posting.refund_minor != 0) {
            let standing = tx.standing_applications(posting.payment).await?;
            let before = standing.iter().filter(|application| application.kind == ApplicationKind::Refund);
            refunded.insert(posting.payment, before.fold(0_i64, |sum, application| sum.saturating_add(application.cash_minor)));
        }
        Ok(Self {
            placed: if mandate.person { placed(tx, mandate, &ids).await? } else { HashMap::new() },
            payments,
            doubtful,
            items,
            granted,
            refunded,
            codes,
            given_away: Vec::new(),
            closes: HashMap::new(),
            changes: HashMap::new(),
            settled: Vec::new(),
        })
    }

    /// Whether the posting may be written now; if so the rows in memory move as the database will.
    fn examine(&mut self, mandate: &Mandate<'_>, posting: &Posting<'_>) -> Result<(), PostOutcome> {
        let Some(payment) = self.payments.get(&posting.payment) else {
            return Err(PostOutcome::Refused(format!("payment {} does not exist", posting.payment)));
        };
        if self.changes.contains_key(&posting.payment) {
            return Err(PostOutcome::Stale(format!("payment {} was posted in the same batch", posting.payment)));
        }
        if self.doubtful.contains(&posting.payment) {
            return Err(PostOutcome::Refused(format!(
                "payment {} may be the same money as another; say first whether it is: mark-duplicate or not-duplicate",
                posting.payment
            )));
        }
        let left = unapplied_after(payment, posting)?;
        for (id, owner) in posting.owners {
            if let Some(item) = self.items.get(id).filter(|item| item.customer != *owner) {
                return Err(PostOutcome::Stale(format!("item {} is of another customer now", item.number)));
            }
        }
        let (currency, person) = (payment.currency, mandate.person);
        may_move(payment, posting, person)?;
        let mut moves: HashMap<OpenItemId, (i64, Granted)> = HashMap::new();
        let mut cash = self.placed.get(&posting.payment).cloned().unwrap_or_default();
        let mut applied = BTreeMap::<Currency, i64>::new();
        for line in &posting.proposal.lines {
            let closes = self.closes(mandate, payment, line, moves.get(&line.item).map_or(0, |(sum, _)| *sum))?;
            add(&mut cash, self.items.get(&line.item).map(|item| item.customer), line.cash_minor);
            if let Some(foreign) = self.items.get(&line.item).map(|item| item.currency).filter(|theirs| *theirs != currency) {
                let sum = applied.entry(foreign).or_default();
                *sum = sum.saturating_add(line.applied_minor.saturating_abs());
            }
            let entry = moves.entry(line.item).or_insert_with(|| (0, self.granted.get(&line.item).copied().unwrap_or_default()));
            entry.0 = entry.0.saturating_add(closes);
            entry.1.add(line);
            self.within_limits(mandate, line, entry.1)?;
        }
        add(&mut cash, posting.proposal.customer.or(payment.payer.customer), posting.proposal.on_account_minor);
        allowed(mandate, Power::Apply, currency, cash.values().fold(0, |sum, cash| sum.saturating_add(*cash)), None)?;
        for (customer, cash) in cash {
            allowed(mandate, Power::Apply, currency, cash, self.codes.get(customer))?;
        }
        // A rate is a claim too: little cash must not close an item beyond the limit in the item's own currency.
        for (foreign, sum) in applied {
            allowed(mandate, Power::Apply, foreign, sum, None)?;
        }
        if posting.refund_minor != 0 {
            let before = self.refunded.get(&posting.payment).copied().unwrap_or_default();
            let customer = self.codes.get(posting.proposal.customer.or(payment.payer.customer));
            allowed(mandate, Power::Refund, currency, before.saturating_add(posting.refund_minor), customer)?;
        }
        let gives = self.gives(posting);
        breakers::ask(mandate, &self.given_away, &gives).map_err(PostOutcome::Refused)?;
        breakers::add(&mut self.given_away, &gives);
        for (item, (closes, granted)) in moves {
            if let Some(row) = self.items.get_mut(&item) {
                row.open_minor -= closes;
            }
            *self.closes.entry(item).or_default() += closes;
            self.granted.insert(item, granted);
        }
        self.pass(mandate, posting, left);
        Ok(())
    }

    /// What a line takes off its item, after what earlier lines of the same posting took off.
    fn closes(&self, mandate: &Mandate<'_>, payment: &Payment, line: &ProposalLine, before: i64) -> Result<i64, PostOutcome> {
        let Some(item) = self.items.get(&line.item) else {
            return Err(PostOutcome::Refused(format!("open item {} does not exist", line.item)));
        };
        let currency = payment.currency;
        if payment.seller.is_some_and(|seller| seller != item.seller) {
            // The journal knows no money that one seller owes another.
            let sentence =
                format!("item {} is of another seller than payment {}; its cash cannot pay it", item.number, payment.id);
            return Err(PostOutcome::Refused(sentence));
        }
        if !mandate.person && item.currency != currency && line.applied_minor == line.cash_minor {
            return Err(PostOutcome::Stale(format!("item {} is in {} now", item.number, item.currency)));
        }
        if item.currency == currency && line.applied_minor != line.cash_minor {
            let (applied, cash) = (Money::new(line.applied_minor, currency), Money::new(line.cash_minor, currency));
            return Err(PostOutcome::Refused(format!("item {}: {applied} applied, but {cash} in cash", item.number)));
        }
        let Some(closes) = line.closes_minor().filter(|closes| *closes != 0) else {
            return Err(PostOutcome::Refused(format!("item {}: the line changes nothing", item.number)));
        };
        if item.status == ItemStatus::Cancelled {
            return Err(PostOutcome::Stale(format!("item {} was cancelled", item.number)));
        }
        let open = item.open_minor - before;
        let fits = if open >= 0 { (1..=open).contains(&closes) } else { (open..=-1).contains(&closes) };
        if !fits {
            let (open, closes) = (Money::new(open, item.currency), Money::new(closes, item.currency));
            return Err(PostOutcome::Stale(format!("item {} has {open} open and {closes} was to be closed", item.number)));
        }
        Ok(closes)
    }

    fn within_limits(&self, mandate: &Mandate<'_>, line: &ProposalLine, granted: Granted) -> Result<(), PostOutcome> {
        let Some(item) = self.items.get(&line.item) else { return Ok(()) };
        for adjustment in &line.adjustments {
            let sum = match adjustment.kind {
                LineAdjustmentKind::Discount => granted.discount,
                LineAdjustmentKind::Deduction => granted.deduction,
                LineAdjustmentKind::WriteOff => granted.write_off,
            };
            allowed(mandate, power_of(adjustment.kind), item.currency, sum, self.codes.get(Some(item.customer)))?;
        }
        Ok(())
    }

    /// What a posting gives away, by power and currency.
    fn gives(&self, posting: &Posting<'_>) -> Vec<(Power, Currency, i64)> {
        let mut gives: Vec<(Power, Currency, i64)> = Vec::new();
        for line in &posting.proposal.lines {
            let Some(currency) = self.items.get(&line.item).map(|item| item.currency) else { continue };
            for part in &line.adjustments {
                let (power, amount) = (power_of(part.kind), part.amount_minor.saturating_abs());
                match gives.iter_mut().find(|(known, of, _)| (*known, *of) == (power, currency)) {
                    Some((_, _, sum)) => *sum = sum.saturating_add(amount),
                    None => gives.push((power, currency, amount)),
                }
            }
        }
        gives
    }

    fn pass(&mut self, mandate: &Mandate<'_>, posting: &Posting<'_>, unapplied_minor: i64) {
        let Some(payment) = self.payments.get(&posting.payment) else { return };
        let state = PaymentState::with_left(unapplied_minor);
        let change = PaymentChange {
            id: payment.id,
            version: payment.version,
            unapplied_minor,
            state,
            customer: posting.proposal.customer,
            touches: mandate.touches(),
        };
        if payment.state == PaymentState::Exception && state == PaymentState::Posted {
            self.settled.push(match_key(payment.id));
        }
        self.changes.insert(payment.id, change);
    }

    /// Writes what passed: applications, journal, deductions, running amounts, event and audit, each in few statements.
    async fn write(&self, tx: &mut Tx, mandate: &Mandate<'_>, passed: &[&Posting<'_>]) -> anyhow::Result<Vec<PostOutcome>> {
        if passed.is_empty() {
            return Ok(Vec::new());
        }
        let entry_ids = tx.reserve(Kind::JournalEntry, passed.len()).await?;
        let count = passed.iter().map(|posting| rows_of(posting)).sum();
        let mut ids = tx.reserve(Kind::Application, count).await?.into_iter().map(ApplicationId);
        let (mut entries, mut applications, mut deductions) = (Vec::new(), Vec::new(), Vec::new());
        for (posting, entry) in passed.iter().zip(&entry_ids) {
            let Some(payment) = self.payments.get(&posting.payment) else { continue };
            let made = self.applications(mandate, payment, posting, *entry, &mut ids);
            deductions.extend(self.deductions(mandate, posting, &made));
            entries.push(JournalEntry {
                id: *entry,
                key: format!("post:{}v{}", posting.payment, posting.version),
                kind: "post",
                day: mandate.day,
                actor: mandate.actor.to_owned(),
                file: None,
                payment: Some(posting.payment),
                lines: journal::lines(payment.currency, payment.seller, &made)?,
            });
            applications.extend(made);
        }
        tx.record_entries(&entries).await?;
        tx.record_applications(&applications).await?;
        let ids = tx.reserve(Kind::Deduction, deductions.len()).await?;
        for (deduction, id) in deductions.iter_mut().zip(ids) {
            deduction.id = id;
        }
        tx.record_deductions(&deductions).await?;
        self.write_amounts(tx, mandate).await?;
        tx.clear_exceptions(&self.settled, "posted", mandate.actor).await?;
        self.tell(tx, mandate, passed, &applications, &entry_ids).await?;
        let left = |id| self.changes.get(id).map_or(0, |change| change.unapplied_minor);
        let posted = passed.iter().zip(entry_ids);
        Ok(posted.map(|(posting, entry)| PostOutcome::Posted { entry, unapplied_minor: left(&posting.payment) }).collect())
    }

    async fn write_amounts(&self, tx: &mut Tx, mandate: &Mandate<'_>) -> anyhow::Result<()> {
        let mut changes: Vec<_> = self.changes.values().cloned().collect();
        changes.sort_by_key(|change| change.id);
        tx.change_payments(&changes).await?;
        let moved = self.closes.iter().filter(|(_, closes)| **closes != 0);
        let mut settled: Vec<_> =
            moved.map(|(id, closes)| ItemChange { id: *id, closes_minor: *closes, day: mandate.day }).collect();
        settled.sort_by_key(|change| change.id);
        tx.settle_items(&settled).await
    }

    fn applications(
        &self,
        mandate: &Mandate<'_>,
        payment: &Payment,
        posting: &Posting<'_>,
        entry: i64,
        ids: &mut impl Iterator<Item = ApplicationId>,
    ) -> Vec<Application> {
        let blank = Application {
            id: ApplicationId(0),
            payment: payment.id,
            kind: ApplicationKind::Item,
            item: None,
            customer: posting.proposal.customer,
            cash_minor: 0,
            applied_minor: 0,
            discount_minor: 0,
            deduction_minor: 0,
            write_off_minor: 0,
            currency: payment.currency,
            reason: String::new(),
            remittance_line: None,
            decision: posting.decision,
            entry,
            actor: mandate.actor.to_owned(),
            day: mandate.day,
            note: posting.note.map(str::to_owned),
            reverses: None,
        };
        let kept =
            [(ApplicationKind::OnAccount, posting.proposal.on_account_minor), (ApplicationKind::Refund, posting.refund_minor)];
        let kept = kept.into_iter().filter(|(_, cash)| *cash != 0);
        let kept = kept.map(|(kind, cash)| Application { kind, cash_minor: cash, applied_minor: cash, ..blank.clone() });
        let lines = posting.proposal.lines.iter().map(|line| self.application(&blank, line));
        lines.chain(kept).zip(ids).map(|(application, id)| Application { id, ..application }).collect()
    }

    fn application(&self, blank: &Application, line: &ProposalLine) -> Application {
        let sum = |kind| line.adjustments.iter().filter(|part| part.kind == kind).map(|part| part.amount_minor).sum();
        let mut reasons: Vec<_> =
            line.adjustments.iter().map(|part| part.reason.as_str()).filter(|reason| !reason.is_empty()).collect();
        reasons.dedup();
        let item = self.items.get(&line.item);
        Application {
            item: Some(line.item),
            customer: item.map(|item| item.customer).or(blank.customer),
            currency: item.map_or(blank.currency, |item| item.currency),
            cash_minor: line.cash_minor,
            applied_minor: line.applied_minor,
            discount_minor: sum(LineAdjustmentKind::Discount),
            deduction_minor: sum(LineAdjustmentKind::Deduction),
            write_off_minor: sum(LineAdjustmentKind::WriteOff),
            reason: reasons.join("+"),
            remittance_line: line.line.and_then(|line| u32::try_from(line).ok()),
            ..blank.clone()
        }
    }

    fn deductions(&self, mandate: &Mandate<'_>, posting: &Posting<'_>, made: &[Application]) -> Vec<NewDeduction> {
        let mut deductions = Vec::new();
        for (line, application) in posting.proposal.lines.iter().zip(made) {
            for part in line.adjustments.iter().filter(|part| part.kind == LineAdjustmentKind::Deduction) {
                let DeductionRoute { queue, gl } = mandate.policy.deduction(&part.reason);
                deductions.push(NewDeduction {
                    id: 0,
                    application: application.id,
                    payment: posting.payment,
                    item: line.item,
                    customer: application.customer,
                    currency: application.currency,
                    amount_minor: part.amount_minor,
                    reason_code: part.reason.clone(),
                    queue,
                    gl,
                });
            }
        }
        deductions
    }

    /// One event and one audit row for the machine's batch; one audit row per payment for a person.
    async fn tell(
        &self,
        tx: &mut Tx,
        mandate: &Mandate<'_>,
        passed: &[&Posting<'_>],
        applications: &[Application],
        entries: &[i64],
    ) -> anyhow::Result<()> {
        let told = |application: &Application| {
            let item = application.item.and_then(|id| self.items.get(&id));
            json!({
                "payment": application.payment, "kind": application.kind.as_str(), "item": application.item,
                "invoice_number": item.map(|item| &item.number), "cash_minor": application.cash_minor,
                "applied_minor": application.applied_minor, "discount_minor": application.discount_minor,
                "deduction_minor": application.deduction_minor, "write_off_minor": application.write_off_minor,
                "currency": application.currency.to_string(), "reason": application.reason,
            })
        };
        let detail = json!({ "applications": applications.iter().map(told).collect::<Vec<_>>() });
        let first = entries.first().copied().unwrap_or_default();
        let message =
            NewMessage { key: format!("applied:{first}"), topic: "payment.applied".to_owned(), payload: detail.clone() };
        tx.push_outbox(&[message]).await?;
        let subject = match passed {
            [one] => one.payment.to_string(),
            many => format!("{} payments from {}", many.len(), many.first().map_or(PaymentId(0), |posting| posting.payment)),
        };
        let event =
            AuditEvent { actor: mandate.actor.to_owned(), action: "post".to_owned(), subject, detail: detail.to_string() };
        audit::record(tx, &[event]).await
    }
}

impl Granted {
    fn add(&mut self, line: &ProposalLine) {
        for part in &line.adjustments {
            let sum = match part.kind {
                LineAdjustmentKind::Discount => &mut self.discount,
                LineAdjustmentKind::Deduction => &mut self.deduction,
                LineAdjustmentKind::WriteOff => &mut self.write_off,
            };
            *sum = sum.saturating_add(part.amount_minor);
        }
    }
}

const fn power_of(kind: LineAdjustmentKind) -> Power {
    match kind {
        LineAdjustmentKind::Discount => Power::Discount,
        LineAdjustmentKind::Deduction => Power::Deduct,
        LineAdjustmentKind::WriteOff => Power::WriteOff,
    }
}

/// What stays unapplied. The parts of the proposal must be exactly what is unapplied now: no cent more, none less.
fn unapplied_after(payment: &Payment, posting: &Posting<'_>) -> Result<i64, PostOutcome> {
    let proposal = posting.proposal;
    let parts = proposal.lines.iter().map(|line| line.cash_minor).chain([proposal.on_account_minor, posting.refund_minor]);
    let moved: i128 = parts.map(i128::from).sum();
    if proposal.on_account_minor < 0 || posting.refund_minor < 0 || proposal.unapplied_minor < 0 {
        return Err(PostOutcome::Refused("what is kept, refunded or left must not be negative".to_owned()));
    }
    let to_items: i128 = proposal.lines.iter().map(|line| i128::from(line.cash_minor)).sum();
    if to_items < 0 {
        // Otherwise a credit memo could be turned into cash that nobody paid.
        let more = amount(-to_items, payment.currency);
        let sentence = format!("payment {}: the credit memos used are worth {more} more than the invoices they pay", payment.id);
        return Err(PostOutcome::Refused(sentence));
    }
    if payment.version != posting.version {
        return Err(PostOutcome::Stale(format!(
            "payment {} is at version {}, not {}",
            payment.id, payment.version, posting.version
        )));
    }
    if moved + i128::from(proposal.unapplied_minor) != i128::from(payment.unapplied_minor) {
        let money = |minor: i128| amount(minor, payment.currency);
        return Err(PostOutcome::Refused(format!(
            "payment {} has {} to apply; the proposal moves {} and leaves {}",
            payment.id,
            money(payment.unapplied_minor.into()),
            money(moved),
            money(proposal.unapplied_minor.into())
        )));
    }
    Ok(proposal.unapplied_minor)
}

/// A sum for a person; one beyond all amounts shows the largest that there is.
fn amount(minor: i128, currency: Currency) -> Money {
    Money::new(i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX }), currency)
}

/// Only live payments move; one that is posted is touched again only by a person, to grant a deduction or write-off.
fn may_move(payment: &Payment, posting: &Posting<'_>, person: bool) -> Result<(), PostOutcome> {
    let live = match payment.state {
        PaymentState::Received | PaymentState::Exception => true,
        PaymentState::Posted => person,
        PaymentState::Held | PaymentState::Returned | PaymentState::Void => false,
    };
    if !live {
        return Err(PostOutcome::Stale(format!("payment {} is {}", payment.id, payment.state.as_str())));
    }
    if rows_of(posting) == 0 {
        return Err(PostOutcome::Refused(format!("payment {}: nothing is to be moved", payment.id)));
    }
    Ok(())
}

fn allowed(
    mandate: &Mandate<'_>,
    power: Power,
    currency: Currency,
    amount_minor: i64,
    customer: Option<&str>,
) -> Result<(), PostOutcome> {
    mandate.ask(power, currency, amount_minor, customer).map_err(|error| match error.downcast::<AboveAuthority>() {
        Ok(above) => PostOutcome::AboveAuthority(above),
        Err(error) => PostOutcome::Refused(error.to_string()),
    })
}

fn add(placed: &mut Placed, customer: Option<CustomerId>, cash_minor: i64) {
    let sum = placed.entry(customer).or_default();
    *sum = sum.saturating_add(cash_minor.saturating_abs());
}

/// What whoever acts placed of these payments before, and what of it stands.
async fn placed(tx: &mut Tx, mandate: &Mandate<'_>, payments: &[PaymentId]) -> anyhow::Result<HashMap<PaymentId, Placed>> {
    let mut placed: HashMap<PaymentId, Placed> = HashMap::new();
    for payment in payments {
        for application in tx.standing_applications(*payment).await? {
            let is_kept = matches!(application.kind, ApplicationKind::Item | ApplicationKind::OnAccount);
            if is_kept && application.actor == mandate.actor {
                add(placed.entry(*payment).or_default(), application.customer, application.cash_minor);
            }
        }
    }
    Ok(placed)
}

/// How many applications a posting makes.
fn rows_of(posting: &Posting<'_>) -> usize {
    posting.proposal.lines.len() + usize::from(posting.proposal.on_account_minor != 0) + usize::from(posting.refund_minor != 0)
}
