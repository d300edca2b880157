//! What a person took off an item is followed up like what the engine took off, and is let go only within limits of authority.

use super::{
    Mandate,
    caps::Codes,
    resolve::{Effect, ResolveError, asks_about_all, locked},
    return_of_key,
    route::facts,
};
use crate::{
    domain::{ExceptionId, FileId, Level, LineAdjustmentKind, Money, PaymentId, PaymentState, ProposalLine, Reason},
    ledger::held_key,
    rules::Power,
    store::{ApplicationKind, Exception, FileState, NewException, Tx},
};

/// Asks somebody to validate each deduction that was just taken.
pub(super) async fn of_deductions(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    payment: PaymentId,
    lines: &[ProposalLine],
) -> anyhow::Result<()> {
    let mut asked = Vec::new();
    let ids: Vec<_> = lines.iter().map(|line| line.item).collect();
    let items = tx.open_items(&ids).await?;
    for line in lines {
        let deducted = line.adjustments.iter().filter(|part| part.kind == LineAdjustmentKind::Deduction);
        let Some(item) = items.iter().find(|item| item.id == line.item) else { continue };
        for part in deducted {
            let amount = (part.amount_minor, item.currency);
            let about = (Some(item.seller), Some(item.customer));
            let mut facts = facts(tx, about, Level::Payment, Reason::DeductionToValidate, amount).await?;
            facts.reason_code = Some(part.reason.clone());
            let message = format!(
                "{} took {} off {} under code {}: gather the evidence",
                mandate.actor,
                Money::new(part.amount_minor, item.currency),
                item.number,
                part.reason
            );
            let key = format!("payment:{}:{}:{}", payment.0, Reason::DeductionToValidate, line.item.0);
            let mut new =
                NewException::new(key, Level::Payment, Reason::DeductionToValidate, mandate.policy.route(&facts), message);
            (new.payment, new.open_item, new.file) = (Some(payment), Some(item.id), exception.file);
            (new.seller, new.customer, new.amount) = (Some(item.seller), Some(item.customer), Some(amount));
            asked.retain(|known: &NewException| known.key != new.key);
            asked.push(new);
        }
    }
    tx.raise_exceptions(&asked, mandate.actor).await?;
    Ok(())
}

/// An exception may be closed without a deed only when no money waits behind it, and what is let go with it is within limits.
pub(super) async fn close(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, note: &str) -> Result<Effect, ResolveError> {
    if let Some(root) = recommended(tx, mandate, exception).await? {
        let effect = Box::pin(close(tx, mandate, &root, note)).await?;
        if root.open {
            tx.clear_exceptions(&[root.key], &format!("decided with {}", exception.id), mandate.actor).await?;
        }
        return Ok(effect);
    }
    stands_still(tx, exception).await?;
    if let Some(payment) = exception.payment {
        let row = locked(tx, payment).await?;
        let asks = asks_about_all(tx, exception, payment).await?;
        if asks && row.state == PaymentState::Exception && row.unapplied_minor > 0 {
            let left = Money::new(row.unapplied_minor, row.currency);
            return Err(ResolveError::Refused(format!(
                "{left} of payment {payment} wait for a decision: apply them, keep them on account or refund them"
            )));
        }
    }
    if lets_go(tx, mandate, exception).await? && note.trim().is_empty() {
        return Err(ResolveError::Refused(format!(
            "to close {} lets money go ({}); say why with --note",
            exception.id,
            exception.reason.title().to_lowercase()
        )));
    }
    let note = if note.trim().is_empty() { "no reason given" } else { note };
    tx.note_exception(exception.id, mandate.actor, note).await?;
    Ok(Effect { answer: format!("closed: {note}"), settled: true, ..Effect::default() })
}

/// The exception that somebody recommended to close, where that is granted now.
async fn recommended(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception) -> Result<Option<Exception>, ResolveError> {
    let root = exception.details.get("for").and_then(serde_json::Value::as_i64).filter(|_| mandate.agreed.is_some());
    match root.map(ExceptionId).filter(|root| *root != exception.id) {
        Some(root) => Ok(tx.lock_exception(root).await?),
        None => Ok(None),
    }
}

/// A file of which something could not be read is told about in the same way as one that is held; of that, only notice can be taken.
async fn stands_still(tx: &mut Tx, exception: &Exception) -> Result<(), ResolveError> {
    if exception.level != Level::File || exception.reason != Reason::FileHeld {
        return Ok(());
    }
    let state = match exception.file.filter(|file| exception.key == held_key(*file)) {
        Some(file) => tx.file(file).await?.map(|file| file.state),
        None => Some(FileState::Held),
    };
    if state == Some(FileState::Held) {
        return Err(ResolveError::Refused("it stands still until somebody decides: release, reject or retry it".to_owned()));
    }
    Ok(())
}

/// Whether closing lets money go: a deduction or a discount that is not charged back, or money that the bank took and nobody tied to its
/// payment. Then it takes the authority to grant it ([`AboveAuthority`](super::AboveAuthority) otherwise).
async fn lets_go(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception) -> anyhow::Result<bool> {
    let power = match exception.reason {
        Reason::DeductionToValidate => Power::Deduct,
        Reason::UnearnedDiscount => Power::Discount,
        Reason::PaymentReturned => return untied(tx, mandate, exception).await,
        _ => return Ok(false),
    };
    let Some(payment) = exception.payment else { return Ok(false) };
    let mut standing = tx.standing_applications(payment).await?;
    standing.retain(|one| one.kind == ApplicationKind::Item && exception.open_item.is_none_or(|item| one.item == Some(item)));
    let codes = Codes::of(tx, mandate, standing.iter().filter_map(|one| one.customer)).await?;
    let mut granted: std::collections::BTreeMap<_, i64> = std::collections::BTreeMap::new();
    for one in &standing {
        let part = if power == Power::Deduct { one.deduction_minor } else { one.discount_minor };
        let sum = granted.entry((one.item, one.currency, one.customer)).or_default();
        *sum = sum.saturating_add(part);
    }
    for ((_, currency, customer), sum) in &granted {
        mandate.ask(power, *currency, *sum, codes.get(*customer))?;
    }
    Ok(granted.values().any(|sum| *sum != 0))
}

/// Money that the bank took back and that still counts here, because nobody said which payment it was.
async fn untied(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception) -> anyhow::Result<bool> {
    let Some(id) = return_of_key(&exception.key) else { return Ok(false) };
    let Some(taken) = tx.bank_return(id).await?.filter(|taken| taken.amount_minor > 0) else { return Ok(false) };
    if taken.state == "received" || taken.state == "exception" {
        mandate.ask(Power::Apply, taken.currency, taken.amount_minor, None)?;
    }
    Ok(true)
}

/// Letting a held file count moves what it says: payments, returns and invoices each within the limit of whoever lets it.
pub(super) async fn may_release(tx: &mut Tx, mandate: &Mandate<'_>, file: FileId) -> anyhow::Result<()> {
    for (currency, amount_minor) in tx.file_totals(file).await? {
        mandate.ask(Power::Apply, currency, amount_minor, None)?;
    }
    Ok(())
}
