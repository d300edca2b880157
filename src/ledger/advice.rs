//! A person ties an advice to the payment it announces, or takes it off again.

use super::{
    Mandate,
    resolve::{Effect, ResolveError, locked, payment_of},
    route::facts,
    waiting_key,
};
use crate::{
    domain::{Level, PaymentId, PaymentState, Reason, RemittanceId, RemittanceState},
    store::{Exception, NewException, Tx},
};

pub(super) async fn link(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    remittance: RemittanceId,
    payment: PaymentId,
) -> Result<Effect, ResolveError> {
    let advice = tx
        .remittance(remittance)
        .await?
        .ok_or_else(|| ResolveError::Refused(format!("remittance {remittance} does not exist")))?;
    let cash = locked(tx, payment).await?;
    if advice.currency != cash.currency {
        let sentence = format!("remittance {remittance} is in {}, payment {payment} in {}", advice.currency, cash.currency);
        return Err(ResolveError::Refused(sentence));
    }
    if !matches!(cash.state, PaymentState::Received | PaymentState::Exception) {
        let state = cash.state.as_str();
        return Err(ResolveError::Refused(format!("payment {payment} is {state} and takes no advice; reverse it first")));
    }
    if let Some(other) = cash.remittance {
        return Err(ResolveError::Refused(format!("payment {payment} has remittance {other} already")));
    }
    if let Some(other) = advice.payment {
        return Err(ResolveError::Refused(format!("remittance {remittance} belongs to payment {other} already")));
    }
    if advice.state != RemittanceState::Waiting {
        let state = advice.state.as_str();
        return Err(ResolveError::Refused(format!("remittance {remittance} is {state}; decide about its file first")));
    }
    tx.link_remittances(&[(remittance, payment)]).await?;
    tx.clear_exceptions(&[waiting_key(remittance)], "linked", mandate.actor).await?;
    let answer = format!("remittance {remittance} linked to payment {payment}; the engine looks at it again");
    Ok(Effect { answer, settled: false, match_again: vec![payment], ..Effect::default() })
}

/// The advice waits for other cash from now on, and nothing ties it to this payment again but a person.
pub(super) async fn unlink(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, why: &str) -> Result<Effect, ResolveError> {
    let payment = locked(tx, payment_of(exception)?).await?;
    let Some(id) = payment.remittance else {
        return Err(ResolveError::Refused(format!("payment {} has no remittance to take off", payment.id)));
    };
    if !matches!(payment.state, PaymentState::Received | PaymentState::Exception) {
        let state = payment.state.as_str();
        return Err(ResolveError::Refused(format!("payment {} is {state} and keeps its advice; reverse it first", payment.id)));
    }
    if !tx.standing_applications(payment.id).await?.is_empty() {
        let sentence = format!("something of payment {} is applied by its advice; reverse it first", payment.id);
        return Err(ResolveError::Refused(sentence));
    }
    let advice = tx.remittance(id).await?;
    let advice = advice.ok_or_else(|| ResolveError::Refused(format!("remittance {id} does not exist")))?;
    tx.unlink_remittance(id, payment.id, mandate.actor).await?;
    let amount = (advice.total_minor.unwrap_or(0), advice.currency);
    let reason = Reason::RemittanceWithoutPayment;
    let owner = (advice.seller, exception.customer);
    let route = mandate.policy.route(&facts(tx, owner, Level::Remittance, reason, amount).await?);
    let message = format!("{} took it off payment {}: {why}", mandate.actor, payment.id);
    let mut waiting = NewException::new(waiting_key(id), Level::Remittance, reason, route, message);
    (waiting.file, waiting.remittance, waiting.seller) = (Some(advice.source.file), Some(id), advice.seller);
    waiting.amount = advice.total_minor.map(|total| (total, advice.currency));
    let raised = tx.raise_exceptions(&[waiting], mandate.actor).await?;
    let raised = raised.first().map(ToString::to_string).unwrap_or_default();
    let answer = format!(
        "remittance {id} taken off payment {}: {why}; {raised} asks for its cash, and the engine looks at the payment again",
        payment.id
    );
    Ok(Effect { answer, settled: false, match_again: vec![payment.id], ..Effect::default() })
}
