//! The same money in several files counts once: its further records are void, and so is a sum whose items are known.
//!
//! Which records are the same money is found in `matching` or said by a person; here their receipts are undone, so that per file the
//! books still show what came in and why it does not count.

use anyhow::Context;

use super::{
    Mandate, Refusal,
    journal::{CASH, UNAPPLIED, transfer},
    match_key,
    reverse::{change, entry_of, is_live, tell},
};
use crate::{
    audit,
    domain::{Money, Payment, PaymentId, PaymentState},
    rules::Power,
    store::{AuditEvent, Kind, Tx},
};

/// A record and the payment that counts in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Further<'a> {
    pub record: PaymentId,
    pub counts: PaymentId,
    pub why: &'a str,
}

/// Voids further records of payments that count, and lets each payment keep what its record knew more. Gives the payments that know more
/// than before and wait for a decision.
pub async fn join_records(tx: &mut Tx, mandate: &Mandate<'_>, further: &[Further<'_>]) -> anyhow::Result<Vec<PaymentId>> {
    let ids: Vec<_> = further.iter().flat_map(|further| [further.record, further.counts]).collect();
    let locked = tx.lock_payments(&ids).await?;
    let find = |id: PaymentId| locked.binary_search_by_key(&id, |payment| payment.id).ok().map(|place| &locked[place]);
    let mut records = Vec::with_capacity(further.len());
    for one in further {
        let record = find(one.record).with_context(|| format!("payment {} does not exist", one.record))?;
        anyhow::ensure!(is_untouched(record), "payment {} moved before it was found to be the same money", record.id);
        records.push(record);
    }
    void(tx, mandate, &records).await?;
    let pairs: Vec<_> = further.iter().map(|one| (one.record, one.counts)).collect();
    tx.note_duplicates(&pairs).await?;
    let mut richer = Vec::new();
    for (one, record) in further.iter().zip(records) {
        let waits = |counts: &&Payment| matches!(counts.state, PaymentState::Received | PaymentState::Exception);
        let Some(counts) = find(one.counts).filter(waits) else { continue };
        let mut knows_more = tx.complete_payment(counts.id, record.id).await?;
        if let Some(remittance) = record.remittance {
            knows_more |= tx.move_remittance(remittance, record.id, counts.id).await?;
        }
        if knows_more && counts.state == PaymentState::Exception {
            richer.push(counts.id);
        }
    }
    let events = further.iter().map(|one| AuditEvent {
        actor: mandate.actor.to_owned(),
        action: "same_money".to_owned(),
        subject: one.record.to_string(),
        detail: format!("another source of {}: {}", one.counts, one.why),
    });
    audit::record(tx, &events.collect::<Vec<_>>()).await?;
    Ok(richer)
}

/// Voids a line that is the sum of payments which count themselves. False when something of the line was moved already: then a person
/// must say whether it is that sum.
pub async fn explain_sum(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    line: PaymentId,
    parts: &[PaymentId],
    why: &str,
) -> anyhow::Result<bool> {
    let mut ids = parts.to_vec();
    ids.push(line);
    let mut locked = tx.lock_payments(&ids).await?;
    let place = locked.iter().position(|payment| payment.id == line).with_context(|| format!("payment {line} does not exist"))?;
    let sum = locked.swap_remove(place);
    if !is_untouched(&sum) || !tx.standing_applications(line).await?.is_empty() {
        return Ok(false);
    }
    let total: i128 = locked.iter().map(|part| i128::from(part.amount_minor)).sum();
    let one_currency = locked.iter().all(|part| part.currency == sum.currency);
    let counting = tx.counting_parts(parts, line).await?;
    if counting != parts.len() || total != i128::from(sum.amount_minor) || !one_currency {
        let asked = Money::new(sum.amount_minor, sum.currency);
        return Err(Refusal(format!("payment {line} is {asked}; those named do not add up to it, or do not all count")).into());
    }
    if mandate.person {
        mandate.ask(Power::Apply, sum.currency, sum.amount_minor, None)?;
    }
    void(tx, mandate, &[&sum]).await?;
    anyhow::ensure!(tx.note_parts(parts, line).await? == parts.len() as u64, "a part of {line} belongs to another sum already");
    tx.clear_exceptions(&[match_key(line)], "its items are known", mandate.actor).await?;
    tell(tx, mandate, "explain_sum", line, format!("{} items: {why}", parts.len())).await?;
    Ok(true)
}

/// A return that another file told of before: the payment was taken back then.
pub async fn note_return_told(tx: &mut Tx, mandate: &Mandate<'_>, bank_return: i64, payment: PaymentId) -> anyhow::Result<()> {
    tx.settle_bank_return(bank_return, Some(payment), "void").await?;
    tell(tx, mandate, "same_return", payment, format!("bank return {bank_return} was told by another file before")).await
}

/// Undoes the receipt of records that do not count.
async fn void(tx: &mut Tx, mandate: &Mandate<'_>, records: &[&Payment]) -> anyhow::Result<()> {
    let ids = tx.reserve(Kind::JournalEntry, records.len()).await?;
    let (mut entries, mut changes) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
    for (record, entry) in records.iter().zip(ids) {
        let lines = transfer(UNAPPLIED, CASH, record.currency, record.seller, record.amount_minor)?;
        entries.push(entry_of(mandate, entry, format!("void:{}", record.id), "void", record.id, lines));
        changes.push(change(record, record.unapplied_minor, PaymentState::Void, mandate.touches()));
    }
    tx.record_entries(&entries).await?;
    tx.change_payments(&changes).await
}

/// Live, and nothing of it was moved.
fn is_untouched(payment: &Payment) -> bool {
    is_live(payment.state) && payment.state != PaymentState::Posted && payment.unapplied_minor == payment.amount_minor
}
