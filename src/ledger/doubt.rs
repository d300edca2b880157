//! A person says whether two records are the same money. Nothing of a payment in doubt moves before.

use super::{
    Mandate, explain_sum, mark_duplicate, match_key,
    resolve::{Effect, ResolveError, locked, payment_of},
};
use crate::{
    domain::{Payment, PaymentId},
    store::{Exception, Tx},
};

/// Where nobody said more.
const BY_A_PERSON: &str = "a person said so";

/// The payment is another record of `of`, or its sum, or a part of it; without `of`, of what is in doubt.
pub(super) async fn same(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    of: Option<PaymentId>,
) -> Result<Effect, ResolveError> {
    let payment = locked(tx, payment_of(exception)?).await?;
    let others = match of {
        Some(of) => vec![of],
        None => in_question(tx, payment.id).await?,
    };
    if others.is_empty() {
        return Err(ResolveError::Refused(format!("name the payment that counts in place of {}", payment.id)));
    }
    let rows = tx.lock_payments(&others).await?;
    let mut equal = rows.iter().filter(|other| other.amount_minor == payment.amount_minor);
    match (equal.next(), equal.next(), rows.as_slice()) {
        (Some(_), Some(_), _) => {
            let named = others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(ResolveError::Refused(format!("{} may be any of {named}; name one with --of", payment.id)))
        }
        (None, _, [line]) if line.amount_minor > payment.amount_minor => parts_of(tx, mandate, &payment, line.id).await,
        (None, _, rows) if rows.len() > 1 => sum_of(tx, mandate, &payment, &others).await,
        (Some(counts), None, _) => duplicate_of(tx, mandate, payment.id, counts.id).await,
        _ => duplicate_of(tx, mandate, payment.id, others[0]).await,
    }
}

async fn duplicate_of(tx: &mut Tx, mandate: &Mandate<'_>, payment: PaymentId, of: PaymentId) -> Result<Effect, ResolveError> {
    let match_again = if mark_duplicate(tx, mandate, payment, of).await? { vec![of] } else { Vec::new() };
    tx.settle_doubts(payment, &[of], "same", mandate.actor).await?;
    tx.clear_exceptions(&[match_key(payment)], "duplicate", mandate.actor).await?;
    let answer = format!("payment {payment} is a duplicate of {of} and does not count");
    Ok(Effect { answer, settled: true, match_again, ..Effect::default() })
}

/// The payment is the sum of others, which count.
async fn sum_of(tx: &mut Tx, mandate: &Mandate<'_>, payment: &Payment, parts: &[PaymentId]) -> Result<Effect, ResolveError> {
    explain(tx, mandate, payment.id, parts).await?;
    tx.settle_doubts(payment.id, parts, "same", mandate.actor).await?;
    let answer = format!("payment {} is the sum of {} others and does not count", payment.id, parts.len());
    Ok(Effect { answer, settled: true, ..Effect::default() })
}

/// The payment is one of those that a line sums up: all of them count from now on, and the line does not.
async fn parts_of(tx: &mut Tx, mandate: &Mandate<'_>, payment: &Payment, line: PaymentId) -> Result<Effect, ResolveError> {
    let mut parts = tx.doubting(line).await?;
    if !parts.contains(&payment.id) {
        parts.push(payment.id);
    }
    explain(tx, mandate, line, &parts).await?;
    for part in &parts {
        tx.settle_doubts(*part, &[], "same", mandate.actor).await?;
    }
    let answer = format!("{line} is the sum of {} payments and does not count; the engine looks at them again", parts.len());
    Ok(Effect { answer, settled: false, match_again: parts, ..Effect::default() })
}

async fn explain(tx: &mut Tx, mandate: &Mandate<'_>, line: PaymentId, parts: &[PaymentId]) -> Result<(), ResolveError> {
    if explain_sum(tx, mandate, line, parts, BY_A_PERSON).await? {
        return Ok(());
    }
    Err(ResolveError::Refused(format!("something of {line} was moved already; reverse it first")))
}

/// The payment is other money: it is decided like any other from now on, and not asked about again.
pub(super) async fn apart(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    of: &[PaymentId],
) -> Result<Effect, ResolveError> {
    let payment = payment_of(exception)?;
    let open = open_doubts(tx, payment).await?;
    if of.is_empty() && open.is_empty() {
        return Err(ResolveError::Refused(format!("name the payment that {payment} is not, with --of")));
    }
    if tx.payments(of).await?.len() != of.len() {
        return Err(ResolveError::Refused("a payment that was named does not exist".to_owned()));
    }
    tx.settle_doubts(payment, of, "other", mandate.actor).await?;
    let named = open.iter().chain(of).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let answer = format!("payment {payment} is other money than {named}; the engine looks at it again");
    Ok(Effect { answer, settled: false, match_again: vec![payment], ..Effect::default() })
}

/// What the payment may be the same money as: the doubts about it, or the payment that the engine found it to repeat.
async fn in_question(tx: &mut Tx, payment: PaymentId) -> anyhow::Result<Vec<PaymentId>> {
    let doubts = open_doubts(tx, payment).await?;
    if !doubts.is_empty() {
        return Ok(doubts);
    }
    let decision = tx.latest_decision(payment).await?;
    Ok(decision.and_then(|stored| stored.decision.evidence.repeats()).into_iter().collect())
}

async fn open_doubts(tx: &mut Tx, payment: PaymentId) -> anyhow::Result<Vec<PaymentId>> {
    let doubts = tx.doubts_about(payment).await?;
    Ok(doubts.into_iter().filter(|doubt| doubt.state == "open").map(|doubt| doubt.other).collect())
}
