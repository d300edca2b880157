//! Money comes in with a file that is not held, or when a held file is released.

use super::{
    Mandate,
    journal::{CASH, UNAPPLIED, transfer},
};
use crate::{
    audit,
    domain::{FileId, PaymentState},
    store::{AuditEvent, FileState, JournalEntry, Kind, Tx},
};

/// Books the live payments of a file: debit cash, credit unapplied, one entry per seller and currency.
///
/// A repeat books nothing: the keys of the entries name the file.
pub async fn receive(tx: &mut Tx, mandate: &Mandate<'_>, file: FileId) -> anyhow::Result<()> {
    let receipts = tx.receipts_of_file(file).await?;
    let ids = tx.reserve(Kind::JournalEntry, receipts.len()).await?;
    let mut entries = Vec::with_capacity(receipts.len());
    for ((seller, currency, amount_minor), id) in receipts.into_iter().zip(ids) {
        let owner = seller.map_or_else(|| "-".to_owned(), |seller| seller.to_string());
        let key = format!("receive:{file}:{currency}:{owner}");
        if tx.entry_exists(&key).await? {
            continue;
        }
        let lines = transfer(CASH, UNAPPLIED, currency, seller, amount_minor)?;
        let (day, actor) = (mandate.day, mandate.actor.to_owned());
        entries.push(JournalEntry { id, key, kind: "receive", day, actor, file: Some(file), payment: None, lines });
    }
    tx.record_entries(&entries).await
}

/// A person found that a held file is right after all: its payments are live from now on.
///
/// False when the file is not held (any more). The caller makes the match jobs in the same transaction.
pub async fn release_file(tx: &mut Tx, mandate: &Mandate<'_>, file: FileId, why: &str) -> anyhow::Result<bool> {
    if !tx.move_file(file, FileState::Held, FileState::Recorded, mandate.actor).await? {
        return Ok(false);
    }
    tx.move_payments_of_file(file, PaymentState::Held, PaymentState::Received).await?;
    tx.name_sellers_of_file(file).await?;
    tx.move_bank_returns_of_file(file, "held", "received").await?;
    tx.settle_held_remittances(file, false).await?;
    receive(tx, mandate, file).await?;
    note(tx, mandate, "file_released", file, why).await?;
    Ok(true)
}

/// A person found that a held file is wrong: none of its payments ever counts.
pub async fn reject_file(tx: &mut Tx, mandate: &Mandate<'_>, file: FileId, why: &str) -> anyhow::Result<bool> {
    if !tx.move_file(file, FileState::Held, FileState::Rejected, mandate.actor).await? {
        return Ok(false);
    }
    tx.move_payments_of_file(file, PaymentState::Held, PaymentState::Void).await?;
    tx.move_bank_returns_of_file(file, "held", "void").await?;
    tx.settle_held_remittances(file, true).await?;
    note(tx, mandate, "file_rejected", file, why).await?;
    Ok(true)
}

async fn note(tx: &mut Tx, mandate: &Mandate<'_>, action: &str, file: FileId, why: &str) -> anyhow::Result<()> {
    let event = AuditEvent {
        actor: mandate.actor.to_owned(),
        action: action.to_owned(),
        subject: file.to_string(),
        detail: why.to_owned(),
    };
    audit::record(tx, &[event]).await
}
