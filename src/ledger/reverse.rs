//! Undoing: applications are reversed by their mirror image, items open again, and the cash is unapplied again.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::json;

use super::{
    Mandate, Refusal,
    caps::Codes,
    journal::{self, CASH, UNAPPLIED, transfer},
    label, match_key,
};
use crate::{
    audit,
    domain::{ApplicationId, Currency, CustomerId, Money, OpenItemId, Payment, PaymentId, PaymentState},
    rules::Power,
    store::{Application, ApplicationKind, AuditEvent, ItemChange, JournalEntry, Kind, NewMessage, PaymentChange, Tx},
};

/// Refuses with a sentence when a condition does not hold.
macro_rules! require {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return Err(Refusal(format!($($sentence)+)).into());
        }
    };
}

/// Kind of the entry that undoes what a returned payment had paid: the engine was not wrong, the bank took the money back.
const RETURN_UNDOES: &str = "return_undoes";

/// What was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    pub payment: PaymentId,
    /// Cash that is unapplied again, before the bank took anything back.
    pub cash_minor: i64,
    pub applications: usize,
}

/// Undoes one application, within the limits of whoever acts ([`AboveAuthority`](super::AboveAuthority) otherwise). The payment waits for a person then: raise its exception in the same transaction.
pub async fn reverse_application(tx: &mut Tx, mandate: &Mandate<'_>, id: ApplicationId, why: &str) -> anyhow::Result<Reversed> {
    let application = tx.application(id).await?.with_context(|| format!("application {id} does not exist"))?;
    let payment = lock(tx, application.payment).await?;
    let standing = tx.standing_applications(payment.id).await?;
    let Some(application) = standing.into_iter().find(|standing| standing.id == id) else {
        return Err(Refusal(format!("application {id} was reversed before; nothing is left to undo")).into());
    };
    require!(application.kind != ApplicationKind::Return, "application {id} is a bank return; only the bank can undo it");
    ask_to_undo(tx, mandate, &payment, std::slice::from_ref(&application)).await?;
    undo(tx, mandate, &payment, vec![application], "reverse", why).await
}

/// Undoes everything that was applied of a payment. It waits for a person then: raise its exception in the same transaction.
pub async fn reverse_payment(tx: &mut Tx, mandate: &Mandate<'_>, id: PaymentId, why: &str) -> anyhow::Result<Reversed> {
    let payment = lock(tx, id).await?;
    require!(is_live(payment.state), "payment {id} is {}; there is nothing to reverse", payment.state.as_str());
    let mut standing = tx.standing_applications(id).await?;
    standing.retain(|application| application.kind != ApplicationKind::Return);
    require!(!standing.is_empty(), "nothing of payment {id} is applied; there is nothing to reverse");
    ask_to_undo(tx, mandate, &payment, &standing).await?;
    undo(tx, mandate, &payment, standing, "reverse", why).await
}

/// The bank took a payment back: what it paid is open again, and the cash is gone. The bank's word is enough for the engine; a person
/// who names the payment needs the powers of undoing ([`AboveAuthority`](super::AboveAuthority) otherwise). What the bank leaves of the
/// payment waits for a person then: raise its exception in the same transaction.
pub async fn take_back(tx: &mut Tx, mandate: &Mandate<'_>, bank_return: i64, id: PaymentId) -> anyhow::Result<Reversed> {
    let taken = tx.bank_return(bank_return).await?.with_context(|| format!("bank return {bank_return} does not exist"))?;
    require!(taken.state != "posted", "bank return {bank_return} was taken into account before");
    require!(taken.amount_minor > 0, "bank return {bank_return} ({}) takes no money back", taken.code);
    require!(taken.state != "held" && taken.state != "void", "the file of bank return {bank_return} is held or rejected");
    let payment = lock(tx, id).await?;
    require!(is_live(payment.state), "payment {id} is {}; the bank cannot take it back", payment.state.as_str());
    // If it is another record of money that was applied elsewhere, the bank takes that back and not this.
    require!(
        tx.doubtful(&[id]).await?.is_empty(),
        "payment {id} may be the same money as another; say first whether it is (mark-duplicate or not-duplicate), then name it with returned-payment"
    );
    require!(taken.currency == payment.currency, "payment {id} is in {}, its return in {}", payment.currency, taken.currency);
    let mut standing = tx.standing_applications(id).await?;
    let gone: i64 =
        standing.iter().filter(|application| application.kind == ApplicationKind::Return).map(|back| back.cash_minor).sum();
    require!(
        taken.amount_minor <= payment.amount_minor - gone,
        "the bank takes back {} of payment {id}, of which only {} is left",
        Money::new(taken.amount_minor, payment.currency),
        Money::new(payment.amount_minor - gone, payment.currency)
    );
    standing.retain(|application| application.kind != ApplicationKind::Return);
    if mandate.person {
        mandate.ask(Power::Apply, payment.currency, taken.amount_minor, None)?;
        ask_to_undo(tx, mandate, &payment, &standing).await?;
    }
    let why = format!("bank return {}", taken.code).trim_end().to_owned();
    let reversed = undo(tx, mandate, &payment, standing, RETURN_UNDOES, &why).await?;
    let payment = lock(tx, id).await?;
    let (entry, application) = (tx.reserve_one(Kind::JournalEntry).await?, tx.reserve_one(Kind::Application).await?);
    let back = returned(mandate, &payment, ApplicationId(application), entry, taken.amount_minor, why);
    let lines = journal::lines(payment.currency, payment.seller, std::slice::from_ref(&back))?;
    tx.record_entries(&[entry_of(mandate, entry, format!("return:{bank_return}"), "return", id, lines)]).await?;
    tx.record_applications(&[back]).await?;
    let unapplied_minor = payment.unapplied_minor - taken.amount_minor;
    let state = PaymentState::taken_back(unapplied_minor);
    tx.change_payments(&[change(&payment, unapplied_minor, state, 0)]).await?;
    tx.settle_bank_return(bank_return, Some(id), "posted").await?;
    if unapplied_minor == 0 {
        tx.clear_exceptions(&[match_key(id)], "the bank took it back", mandate.actor).await?;
    }
    let detail = format!("bank return {bank_return} ({})", taken.code);
    tell(tx, mandate, "take_back", id, detail).await?;
    Ok(reversed)
}

/// A person found that a payment is another record of the same money as `of`: it never counted, and its receipt is undone. What it knew
/// more (payer, text, advice) goes to `of`; true when that waits for a decision and is worth another look.
///
/// `of` counts in its place, and so it must be live and the same money. Nothing is written when the amount is
/// [`AboveAuthority`](super::AboveAuthority).
pub async fn mark_duplicate(tx: &mut Tx, mandate: &Mandate<'_>, id: PaymentId, of: PaymentId) -> anyhow::Result<bool> {
    require!(id != of, "payment {id} cannot be a duplicate of itself; name the payment that counts");
    let mut pair = tx.lock_payments(&[id, of]).await?;
    let payment = pair.iter().position(|payment| payment.id == id).map(|place| pair.swap_remove(place));
    let payment = payment.with_context(|| format!("payment {id} does not exist"))?;
    let Some(counts) = pair.pop() else {
        return Err(Refusal(format!("payment {of} does not exist; name the payment that counts in place of {id}")).into());
    };
    require!(is_live(payment.state), "payment {id} is {}; it does not count any more", payment.state.as_str());
    same_money(&payment, &counts)?;
    let standing = tx.standing_applications(id).await?;
    require!(standing.is_empty(), "payment {id} is applied in part; reverse it first, then mark it as a duplicate");
    if let Some(other) = tx.duplicate_of_payment(id).await? {
        return Err(Refusal(format!("payment {id} counts in place of its duplicate {other}, and so it stays")).into());
    }
    mandate.ask(Power::Apply, payment.currency, payment.amount_minor, None)?;
    let entry = tx.reserve_one(Kind::JournalEntry).await?;
    let lines = transfer(UNAPPLIED, CASH, payment.currency, payment.seller, payment.amount_minor)?;
    tx.record_entries(&[entry_of(mandate, entry, format!("void:{id}"), "void", id, lines)]).await?;
    tx.change_payments(&[change(&payment, payment.unapplied_minor, PaymentState::Void, mandate.touches())]).await?;
    tx.note_duplicates(&[(id, of)]).await?;
    let mut knows_more = tx.complete_payment(of, id).await?;
    if let Some(remittance) = payment.remittance {
        knows_more |= tx.move_remittance(remittance, id, of).await?;
    }
    tell(tx, mandate, "mark_duplicate", id, format!("duplicate of {of}")).await?;
    Ok(knows_more && counts.state == PaymentState::Exception)
}

/// Two records are of the same money only when seller, currency and amount agree, and one of them goes on counting.
fn same_money(payment: &Payment, counts: &Payment) -> anyhow::Result<()> {
    let (id, of) = (payment.id, counts.id);
    let state = counts.state;
    require!(!matches!(state, PaymentState::Held | PaymentState::Void), "payment {of} is {} and does not count", state.as_str());
    let (ours, theirs) = (Money::new(payment.amount_minor, payment.currency), Money::new(counts.amount_minor, counts.currency));
    require!(ours == theirs, "payment {id} is {ours}, payment {of} {theirs}; they are not the same money");
    let sellers_differ = payment.seller.zip(counts.seller).is_some_and(|(ours, theirs)| ours != theirs);
    require!(!sellers_differ, "payments {id} and {of} are of different sellers; they are not the same money");
    Ok(())
}

async fn lock(tx: &mut Tx, id: PaymentId) -> anyhow::Result<Payment> {
    tx.lock_payments(&[id]).await?.pop().with_context(|| format!("payment {id} does not exist"))
}

pub(super) const fn is_live(state: PaymentState) -> bool {
    matches!(state, PaymentState::Received | PaymentState::Exception | PaymentState::Posted)
}

/// Undoing needs the powers of doing: each part that is undone counts, whatever its sign, and the parts add up. The oldest
/// application gives the age.
async fn ask_to_undo(tx: &mut Tx, mandate: &Mandate<'_>, payment: &Payment, standing: &[Application]) -> anyhow::Result<()> {
    let codes = Codes::of(tx, mandate, standing.iter().filter_map(|application| application.customer)).await?;
    let cash_minor = standing.iter().fold(0_i64, |sum, application| sum.saturating_add(application.cash_minor));
    let mut oldest: Vec<_> = standing.iter().map(|application| (application.day, application.customer)).collect();
    oldest.sort();
    for (since, customer) in oldest {
        mandate.ask_age(since, (cash_minor, payment.currency), codes.get(customer))?;
    }
    let mut parts: BTreeMap<(Power, Currency, Option<CustomerId>), i64> = BTreeMap::new();
    for application in standing {
        let cash = if application.kind == ApplicationKind::Refund { Power::Refund } else { Power::Apply };
        let across = if application.currency == payment.currency { 0 } else { application.applied_minor };
        for (power, currency, amount_minor) in [
            (cash, payment.currency, application.cash_minor),
            (Power::Apply, application.currency, across),
            (Power::Discount, application.currency, application.discount_minor),
            (Power::Deduct, application.currency, application.deduction_minor),
            (Power::WriteOff, application.currency, application.write_off_minor),
        ] {
            for customer in [None, application.customer] {
                let sum = parts.entry((power, currency, customer)).or_default();
                *sum = sum.saturating_add(amount_minor.saturating_abs());
                if application.customer.is_none() {
                    break;
                }
            }
        }
    }
    for ((power, currency, customer), amount_minor) in parts {
        mandate.ask(power, currency, amount_minor, codes.get(customer))?;
    }
    Ok(())
}

/// Writes the mirror image of applications of one payment. None of them may be undone already.
async fn undo(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    payment: &Payment,
    standing: Vec<Application>,
    kind: &'static str,
    why: &str,
) -> anyhow::Result<Reversed> {
    let cash_minor = standing.iter().map(|application| application.cash_minor).sum();
    let done = Reversed { payment: payment.id, cash_minor, applications: standing.len() };
    if standing.is_empty() {
        return Ok(done);
    }
    let unapplied_minor = payment.unapplied_minor.saturating_add(cash_minor);
    require!(
        (0..=payment.amount_minor).contains(&unapplied_minor),
        "payment {}: what is left would stand on a credit memo alone; reverse the whole payment",
        payment.id
    );
    let mut closes: BTreeMap<OpenItemId, i64> = BTreeMap::new();
    for application in &standing {
        if let (Some(item), Some(amount)) = (application.item, application.closes_minor()) {
            *closes.entry(item).or_default() -= amount;
        }
    }
    let items: Vec<_> = closes.keys().copied().collect();
    tx.lock_open_items(&items).await?;
    if kind != RETURN_UNDOES {
        label::of_reversal(tx, mandate, &standing).await?;
    }
    let entry = tx.reserve_one(Kind::JournalEntry).await?;
    let undone: Vec<_> = standing.iter().map(|application| application.id).collect();
    let ids = tx.reserve(Kind::Application, standing.len()).await?;
    let mirrors: Vec<_> = standing
        .into_iter()
        .zip(ids)
        .map(|(application, id)| mirror(mandate, application, ApplicationId(id), entry, why))
        .collect();
    let lines = journal::lines(payment.currency, payment.seller, &mirrors)?;
    let key = format!("reverse:{}v{}", payment.id, payment.version);
    tx.record_entries(&[entry_of(mandate, entry, key, kind, payment.id, lines)]).await?;
    tx.record_applications(&mirrors).await?;
    tx.reverse_deductions(&undone).await?;
    let moved = closes.into_iter().filter(|(_, closes_minor)| *closes_minor != 0);
    let reopened: Vec<_> = moved.map(|(id, closes_minor)| ItemChange { id, closes_minor, day: mandate.day }).collect();
    tx.settle_items(&reopened).await?;
    tx.change_payments(&[change(payment, unapplied_minor, PaymentState::Exception, mandate.touches())]).await?;
    let payload = json!({ "payment": payment.id, "applications": undone, "why": why });
    tx.push_outbox(&[NewMessage { key: format!("reversed:{entry}"), topic: "payment.reversed".to_owned(), payload }]).await?;
    let told = undone.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    tell(tx, mandate, "reverse", payment.id, format!("{why}: {told}")).await?;
    Ok(done)
}

fn mirror(mandate: &Mandate<'_>, application: Application, id: ApplicationId, entry: i64, why: &str) -> Application {
    Application {
        id,
        cash_minor: -application.cash_minor,
        applied_minor: -application.applied_minor,
        discount_minor: -application.discount_minor,
        deduction_minor: -application.deduction_minor,
        write_off_minor: -application.write_off_minor,
        entry,
        actor: mandate.actor.to_owned(),
        day: mandate.day,
        note: Some(why.to_owned()),
        reverses: Some(application.id),
        ..application
    }
}

fn returned(
    mandate: &Mandate<'_>,
    payment: &Payment,
    id: ApplicationId,
    entry: i64,
    cash_minor: i64,
    why: String,
) -> Application {
    Application {
        id,
        payment: payment.id,
        kind: ApplicationKind::Return,
        item: None,
        customer: payment.payer.customer,
        cash_minor,
        applied_minor: cash_minor,
        discount_minor: 0,
        deduction_minor: 0,
        write_off_minor: 0,
        currency: payment.currency,
        reason: why,
        remittance_line: None,
        decision: None,
        entry,
        actor: mandate.actor.to_owned(),
        day: mandate.day,
        note: None,
        reverses: None,
    }
}

pub(super) fn entry_of(
    mandate: &Mandate<'_>,
    id: i64,
    key: String,
    kind: &'static str,
    payment: PaymentId,
    lines: Vec<crate::store::JournalLine>,
) -> JournalEntry {
    JournalEntry { id, key, kind, day: mandate.day, actor: mandate.actor.to_owned(), file: None, payment: Some(payment), lines }
}

pub(super) const fn change(payment: &Payment, unapplied_minor: i64, state: PaymentState, touches: i64) -> PaymentChange {
    PaymentChange { id: payment.id, version: payment.version, unapplied_minor, state, customer: None, touches }
}

pub(super) async fn tell(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    action: &str,
    payment: PaymentId,
    detail: String,
) -> anyhow::Result<()> {
    let event = AuditEvent { actor: mandate.actor.to_owned(), action: action.to_owned(), subject: payment.to_string(), detail };
    audit::record(tx, &[event]).await
}
