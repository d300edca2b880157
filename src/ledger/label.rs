//! What people's answers say about the engine's decisions. A label is written in the transaction of the answer.

use super::{
    Mandate,
    resolve::{Action, Effect, ResolveError, locked, payment_of},
    route::facts,
};
use crate::{
    domain::{DecisionId, LabelSource, Level, Outcome, Proposal, ProposalLine, Reason},
    store::{Application, Exception, NewException, NewLabel, Tx},
};

/// Field of the details of an audit that names the decision.
pub const DECISION: &str = "decision";

/// Key of the exception that asks whether a posting was right.
pub fn audit_key(decision: DecisionId) -> String {
    format!("audit:{}", decision.0)
}

/// An audit is answered, and nothing else is done with it: what is skipped or settled in passing would make the sample a choice.
pub(super) fn answers(exception: &Exception, action: &Action) -> Result<(), ResolveError> {
    let answer = matches!(action, Action::Confirm | Action::Wrong { .. });
    match (exception.reason == Reason::AuditSample, answer) {
        (true, false) if !matches!(action, Action::Reverse { application: None, .. }) => {
            let id = exception.id;
            Err(ResolveError::Refused(format!("{id} asks whether a posting was right; answer with confirm, wrong or reverse")))
        }
        // Whoever may grants what somebody answered an audit with.
        (false, true) if exception.details.get(DECISION).is_none() => {
            let id = exception.id;
            Err(ResolveError::Refused(format!("{id} is no audit of a posting; confirm and wrong answer only those")))
        }
        _ => Ok(()),
    }
}

/// The posting was right.
pub(super) async fn confirm(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception) -> Result<Effect, ResolveError> {
    audited(tx, mandate, exception, false).await?;
    Ok(Effect { answer: "confirmed: the posting was right".to_owned(), settled: true, ..Effect::default() })
}

/// The posting was wrong. Somebody is asked to undo it, unless that was done at once.
pub(super) async fn wrong(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    why: &str,
    reversed: Option<Effect>,
) -> Result<Effect, ResolveError> {
    audited(tx, mandate, exception, true).await?;
    if let Some(reversed) = reversed {
        return Ok(Effect { answer: format!("wrong; {}", reversed.answer), settled: true, ..reversed });
    }
    let payment = locked(tx, payment_of(exception)?).await?;
    let message = format!("an audit found the posting wrong: {why}");
    let amount = (payment.amount_minor, payment.currency);
    let about = (exception.seller, exception.customer);
    let route = mandate.policy.route(&facts(tx, about, Level::Payment, Reason::Ambiguous, amount).await?);
    let key = format!("payment:{}:question", payment.id.0);
    let mut asked = NewException::new(key, Level::Payment, Reason::Ambiguous, route, message);
    (asked.file, asked.payment, asked.seller, asked.customer) =
        (exception.file, exception.payment, exception.seller, exception.customer);
    asked.amount = Some(amount);
    let raised = tx.raise_exceptions(&[asked], mandate.actor).await?;
    let raised = raised.first().map(ToString::to_string).unwrap_or_default();
    Ok(Effect { answer: format!("wrong; {raised} asks to undo it"), settled: true, ..Effect::default() })
}

async fn audited(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, wrong: bool) -> Result<(), ResolveError> {
    let decision = exception.details.get(DECISION).and_then(serde_json::Value::as_i64).map(DecisionId);
    let decision = decision.ok_or_else(|| ResolveError::Refused(format!("{} names no decision", exception.id)))?;
    let label = NewLabel { decision, source: LabelSource::Audit, wrong };
    Ok(tx.record_labels(&[label], mandate.actor, mandate.day).await?)
}

/// What the engine applied was undone. An audit of it needs no answer any more.
pub(super) async fn of_reversal(tx: &mut Tx, mandate: &Mandate<'_>, undone: &[Application]) -> anyhow::Result<()> {
    let by_engine = undone.iter().filter(|application| application.actor == super::ENGINE);
    let mut decisions: Vec<_> = by_engine.filter_map(|application| application.decision).collect();
    decisions.sort_unstable();
    decisions.dedup();
    if decisions.is_empty() {
        return Ok(());
    }
    let labels: Vec<_> =
        decisions.iter().map(|decision| NewLabel { decision: *decision, source: LabelSource::Reversal, wrong: true }).collect();
    tx.record_labels(&labels, mandate.actor, mandate.day).await?;
    let audits: Vec<_> = decisions.into_iter().map(audit_key).collect();
    tx.clear_exceptions(&audits, "undone: the posting was wrong", mandate.actor).await?;
    Ok(())
}

/// A proposal that waited for a certificate alone was accepted as it stood, or something else was done with the money.
pub(super) async fn of_proposal(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    action: &Action,
) -> Result<(), ResolveError> {
    let Some(payment) = exception.payment.filter(|_| mandate.person) else { return Ok(()) };
    let given: &[ProposalLine] = match action {
        Action::Apply { lines, on_account_minor: 0, .. } => lines,
        Action::Apply { .. } | Action::OnAccount { .. } | Action::RefundRequest { .. } | Action::MarkDuplicate { .. } => &[],
        _ => return Ok(()),
    };
    let Some(stored) = tx.latest_decision(payment).await? else { return Ok(()) };
    if stored.decision.outcome != (Outcome::Hold { reason: Reason::NotCertified }) {
        return Ok(());
    }
    let wrong = !stored.decision.proposals.first().is_some_and(|proposal| same(proposal, given));
    let label = NewLabel { decision: stored.id, source: LabelSource::Queue, wrong };
    Ok(tx.record_labels(&[label], mandate.actor, mandate.day).await?)
}

/// Whether the same items get the same, whatever the order.
fn same(proposal: &Proposal, given: &[ProposalLine]) -> bool {
    let sorted = |lines: &[ProposalLine]| {
        let mut lines: Vec<ProposalLine> = lines.iter().map(|line| ProposalLine { line: None, ..line.clone() }).collect();
        lines.sort_by_key(|line| line.item);
        lines
    };
    sorted(&proposal.lines) == sorted(given)
}
