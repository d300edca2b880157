//! A person clears an exception. The request has a key: a repeat shows the first answer. A race is decided by version:
//! the loser is told who won and when. What is above the person's authority becomes a recommendation.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    AboveAuthority, Agreement, Mandate, PostOutcome, Posting, Refusal,
    advice::{link, unlink},
    apply,
    doubt::{apart, same},
    follow_up::{close, may_release, of_deductions},
    held_key, label, match_key,
    recommend::{PAYMENT_VERSION, RECOMMENDED_BY, RECOMMENDED_ROLE, recommend},
    reject_file,
    relation::{self, between_customers, concerned},
    release_file, return_key, return_of_key, reverse_application, reverse_payment,
    route::facts,
    take_back,
};
use crate::{
    audit,
    domain::{
        ApplicationId, CustomerId, ExceptionId, FileId, Level, LineAdjustment, LineAdjustmentKind, Money, OpenItemId, Payment,
        PaymentId, Proposal, ProposalLine, Reason, RemittanceId,
    },
    hex,
    store::{Answer, AuditEvent, Conflict, Exception, NewException, Tx, wants_retry},
};

/// What a person does about an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Cash, and what else closes them, to chosen items; a part may go on account.
    Apply {
        lines: Vec<ProposalLine>,
        #[serde(default)]
        on_account_minor: i64,
        #[serde(default)]
        customer: Option<CustomerId>,
        /// Why money of one customer pays items of another to whom no relation is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unrelated: Option<String>,
    },
    /// Keeps cash for later; all that is unapplied where no amount is given.
    OnAccount {
        amount_minor: Option<i64>,
        customer: Option<CustomerId>,
        /// Why money of one customer is kept for another to whom no relation is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unrelated: Option<String>,
    },
    /// Takes a short-paid part off an item and follows it up.
    Deduct { item: OpenItemId, amount_minor: i64, reason_code: String },
    /// Takes a part off an item that is not pursued.
    WriteOff { item: OpenItemId, amount_minor: i64, reason: String },
    /// Asks for cash to be sent back; all that is unapplied where no amount is given.
    RefundRequest { amount_minor: Option<i64> },
    /// Ties an advice to the payment it announces.
    LinkRemittance { remittance: RemittanceId, payment: PaymentId },
    /// Takes the advice off the payment: it announces something else.
    UnlinkRemittance { why: String },
    /// The payment is another record of the same money: of the payment named, or of what is in doubt where none is.
    MarkDuplicate { of: Option<PaymentId> },
    /// The payment is other money than those named, or than all that is in doubt where none is.
    NotDuplicate { of: Vec<PaymentId> },
    /// Undoes one application, or all of the payment.
    Reverse { application: Option<ApplicationId>, why: String },
    /// The posting that was drawn for the audit was right.
    Confirm,
    /// It was wrong; with `reverse` it is undone at once.
    Wrong {
        why: String,
        #[serde(default)]
        reverse: bool,
    },
    /// The bank return takes this payment back, which the engine could not tell by itself.
    ReturnedPayment { payment: PaymentId },
    /// The held file is right after all.
    ReleaseFile { why: String },
    /// The held file is wrong.
    RejectFile { why: String },
    /// Nothing is left to do.
    Close { note: String },
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    Done {
        /// The exception is closed; otherwise something is left to decide.
        closed: bool,
        answer: String,
        /// The engine should look at these payments again: make their match jobs in this transaction.
        match_again: Vec<PaymentId>,
        /// The payments of this file are live now: make their match jobs in this transaction.
        released: Option<FileId>,
    },
    /// The same request was made before; this was the answer.
    Replayed {
        answer: String,
        by: String,
        at: String,
        /// Nothing moved then: it was above the role's limit, and somebody who may was asked.
        recommended: bool,
    },
    /// Nothing moved: it is above the role's limit, and somebody who may is asked.
    Recommended { exception: ExceptionId, above: AboveAuthority },
}

/// Why a request had no effect. The transaction must be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("exception {0} does not exist")]
    NotFound(ExceptionId),
    #[error("{who} was faster: they changed this exception at {when}; look at it again")]
    Version { who: String, when: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Other(anyhow::Error),
}

impl From<anyhow::Error> for ResolveError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(Refusal(sentence)) => Self::Refused(sentence),
            Err(error) => Self::Other(error),
        }
    }
}

impl ResolveError {
    /// Whether the same request may succeed in another transaction.
    pub fn wants_retry(&self) -> bool {
        matches!(self, Self::Other(error) if wants_retry(error))
    }
}

/// What an action did to the world, before the exception itself is settled.
#[derive(Default)]
pub(super) struct Effect {
    pub(super) answer: String,
    /// Nothing is left to decide about what the exception asks.
    pub(super) settled: bool,
    pub(super) match_again: Vec<PaymentId>,
    pub(super) released: Option<FileId>,
    /// Something above the limit; then nothing else happened.
    pub(super) above: Option<AboveAuthority>,
}

/// Does what a person decided, once. `seen` is the version of the exception the person looked at.
pub async fn resolve(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    id: ExceptionId,
    seen: Option<i64>,
    action: &Action,
    key: &str,
) -> Result<Resolution, ResolveError> {
    let exception = tx.lock_exception(id).await?.ok_or(ResolveError::NotFound(id))?;
    let mut kept = Answer {
        exception: id,
        action_hash: hash(action)?,
        by: mandate.actor.to_owned(),
        at: tx.stamp().to_owned(),
        answer: String::new(),
        recommended: false,
    };
    if let Some(first) = tx.first_answer(key).await? {
        return replay(first, &kept, key);
    }
    if !exception.open || seen.is_some_and(|version| version != exception.version) {
        return Err(ResolveError::Version { who: exception.changed_by, when: exception.changed_at });
    }
    if !mandate.policy.may_decide(mandate.role) {
        return Err(ResolveError::Refused(format!("the role {} may look at exceptions and not decide them", mandate.role)));
    }
    label::answers(&exception, action)?;
    still_as_asked(tx, &exception, action).await?;
    let mandate = &Mandate { agreed: agreement(mandate, &exception, action)?, ..*mandate };
    let effect = act(tx, mandate, &exception, action).await.or_else(above)?;
    if let Some(above) = effect.above {
        let asked = recommend(tx, mandate, &exception, action, above).await?;
        kept.answer = format!("recommended as {asked}: above the limit of {}", mandate.role);
        kept.recommended = true;
        tx.keep_answer(key, &kept).await?;
        return Ok(Resolution::Recommended { exception: asked, above });
    }
    label::of_proposal(tx, mandate, &exception, action).await?;
    settle(tx, mandate, &exception, action, &effect, key).await?;
    kept.answer.clone_from(&effect.answer);
    tx.keep_answer(key, &kept).await?;
    let Effect { answer, settled: closed, match_again, released, .. } = effect;
    Ok(Resolution::Done { closed, answer, match_again, released })
}

/// The first answer again; a key that named something else is refused, because it would pass for an answer to this.
fn replay(first: Answer, asked: &Answer, key: &str) -> Result<Resolution, ResolveError> {
    if (first.exception, &first.action_hash) != (asked.exception, &asked.action_hash) {
        return Err(ResolveError::Refused(format!(
            "the key {key:?} was used by {} at {} for another request, about {}; give this request its own key",
            first.by, first.at, first.exception
        )));
    }
    let Answer { answer, by, at, recommended, .. } = first;
    Ok(Resolution::Replayed { answer, by, at, recommended })
}

fn hash(action: &Action) -> anyhow::Result<String> {
    Ok(hex::encode(&Sha256::digest(serde_json::to_vec(action).context("writing an action")?)))
}

/// A recommendation is granted for the payment as it was: what was done meanwhile may be the very thing that was asked.
async fn still_as_asked(tx: &mut Tx, exception: &Exception, action: &Action) -> Result<(), ResolveError> {
    let asked = exception.details.get(PAYMENT_VERSION).and_then(serde_json::Value::as_i64);
    let (Some(payment), Some(asked)) = (exception.payment, asked) else { return Ok(()) };
    if matches!(action, Action::Close { .. }) || locked(tx, payment).await?.version == asked {
        return Ok(());
    }
    Err(ResolveError::Refused(format!(
        "payment {payment} was changed after {} was raised; close it with a note, and decide where the payment stands now",
        exception.id
    )))
}

/// Who recommended this very action, where the exception is about a recommendation. It takes a second person to grant one.
fn agreement<'a>(
    mandate: &Mandate<'_>,
    exception: &'a Exception,
    action: &Action,
) -> Result<Option<Agreement<'a>>, ResolveError> {
    let text = |name: &str| exception.details.get(name).and_then(serde_json::Value::as_str);
    let is_it = exception.reason == Reason::AboveAuthority
        && exception.details.get("action") == Some(&serde_json::to_value(action).context("writing an action")?);
    let Some(actor) = text(RECOMMENDED_BY).filter(|_| is_it) else { return Ok(None) };
    if actor == mandate.actor {
        let sentence =
            format!("you recommended {} yourself; somebody else has to decide it, or close it with a note", exception.id);
        return Err(ResolveError::Refused(sentence));
    }
    Ok(text(RECOMMENDED_ROLE).map(|role| Agreement { actor, role }))
}

/// What the ledger found to be above the limit before it moved anything is an effect too: somebody is asked.
fn above(error: ResolveError) -> Result<Effect, ResolveError> {
    let ResolveError::Other(error) = error else { return Err(error) };
    Ok(Effect { above: Some(error.downcast::<AboveAuthority>()?), ..Effect::default() })
}

/// Closes the exception, or marks it as worked on, and tells the audit.
async fn settle(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    action: &Action,
    effect: &Effect,
    key: &str,
) -> Result<(), ResolveError> {
    // Posting the last cent settles the exception of a payment by itself; then there is nothing left to close.
    let current = tx.lock_exception(exception.id).await?.ok_or(ResolveError::NotFound(exception.id))?;
    let held = if effect.settled && current.open {
        tx.close_exception(current.id, current.version, &effect.answer, key, mandate.actor).await?
    } else if current.open {
        tx.touch_exception(current.id, current.version, mandate.actor).await?
    } else {
        true
    };
    if !held {
        return Err(ResolveError::Other(Conflict("the exception".to_owned()).into()));
    }
    let mut detail = json!({ "request": key, "action": action, "answer": effect.answer });
    if let Some(agreed) = mandate.agreed {
        detail[RECOMMENDED_BY] = json!(agreed.actor);
    }
    let detail = detail.to_string();
    let event =
        AuditEvent { actor: mandate.actor.to_owned(), action: "resolve".to_owned(), subject: exception.id.to_string(), detail };
    Ok(audit::record(tx, &[event]).await?)
}

async fn act(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, action: &Action) -> Result<Effect, ResolveError> {
    match action {
        Action::Apply { lines, on_account_minor, customer, unrelated } => {
            let proposal = proposal(lines.clone(), *on_account_minor, *customer);
            post(tx, mandate, exception, proposal, 0, unrelated.as_deref()).await
        }
        Action::OnAccount { amount_minor, customer, unrelated } => {
            let amount = amount_or_rest(tx, exception, *amount_minor).await?;
            post(tx, mandate, exception, proposal(Vec::new(), amount, *customer), 0, unrelated.as_deref()).await
        }
        Action::RefundRequest { amount_minor } => {
            let amount = amount_or_rest(tx, exception, *amount_minor).await?;
            post(tx, mandate, exception, Proposal::default(), amount, None).await
        }
        Action::Deduct { item, amount_minor, reason_code } => {
            known(mandate, reason_code)?;
            take_off(tx, mandate, exception, grant(*item, LineAdjustmentKind::Deduction, *amount_minor, reason_code)).await
        }
        Action::WriteOff { item, amount_minor, reason } => {
            take_off(tx, mandate, exception, grant(*item, LineAdjustmentKind::WriteOff, *amount_minor, reason)).await
        }
        Action::LinkRemittance { remittance, payment } => link(tx, mandate, *remittance, *payment).await,
        Action::UnlinkRemittance { why } => unlink(tx, mandate, exception, why).await,
        Action::MarkDuplicate { of } => same(tx, mandate, exception, *of).await,
        Action::NotDuplicate { of } => apart(tx, mandate, exception, of).await,
        Action::Reverse { application, why } => reverse(tx, mandate, exception, *application, why).await,
        Action::Confirm => label::confirm(tx, mandate, exception).await,
        Action::Wrong { why, reverse: at_once } => {
            let reversed = match at_once {
                true => Some(reverse(tx, mandate, exception, None, why).await?),
                false => None,
            };
            label::wrong(tx, mandate, exception, why, reversed).await
        }
        Action::ReturnedPayment { payment } => returned(tx, mandate, exception, *payment).await,
        Action::ReleaseFile { why } => {
            let file = file_of(exception)?;
            may_release(tx, mandate, file).await?;
            if !release_file(tx, mandate, file, why).await? {
                return Err(ResolveError::Refused(format!("file {file} is not held")));
            }
            clear_held(tx, mandate, exception, file).await?;
            Ok(Effect {
                answer: format!("file {file} released: {why}"),
                settled: true,
                released: Some(file),
                ..Effect::default()
            })
        }
        Action::RejectFile { why } => {
            let file = file_of(exception)?;
            if !reject_file(tx, mandate, file, why).await? {
                return Err(ResolveError::Refused(format!("file {file} is not held")));
            }
            clear_held(tx, mandate, exception, file).await?;
            Ok(Effect { answer: format!("file {file} rejected: {why}"), settled: true, ..Effect::default() })
        }
        Action::Close { note } => close(tx, mandate, exception, note).await,
    }
}

/// A file may be decided from another exception about it; then the one that asked for the decision is settled too.
async fn clear_held(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, file: FileId) -> anyhow::Result<()> {
    let key = held_key(file);
    if exception.key != key {
        tx.clear_exceptions(&[key], &format!("decided with {}", exception.id), mandate.actor).await?;
    }
    Ok(())
}

/// A deduction is followed up by its code; one that the rules do not know would end where nobody looks for it.
fn known(mandate: &Mandate<'_>, code: &str) -> Result<(), ResolveError> {
    const SHOWN: usize = 6;
    if mandate.policy.knows_reason_code(code) {
        return Ok(());
    }
    let codes = mandate.policy.reason_codes();
    let some = codes.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    Err(ResolveError::Refused(format!("the rules know no reason code {code:?}; they know {} codes, such as {some}", codes.len())))
}

fn proposal(lines: Vec<ProposalLine>, on_account_minor: i64, customer: Option<CustomerId>) -> Proposal {
    Proposal { customer, lines, on_account_minor, rule: "person".to_owned(), ..Proposal::default() }
}

fn grant(item: OpenItemId, kind: LineAdjustmentKind, amount_minor: i64, reason: &str) -> ProposalLine {
    let adjustments = vec![LineAdjustment { kind, amount_minor, reason: reason.to_owned() }];
    ProposalLine { item, applied_minor: 0, cash_minor: 0, adjustments, line: None }
}

/// Takes a part off an item that cash of the payment stands on.
async fn take_off(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, line: ProposalLine) -> Result<Effect, ResolveError> {
    let payment = locked(tx, payment_of(exception)?).await?;
    concerned(tx, &payment, line.item).await?;
    post(tx, mandate, exception, proposal(vec![line], 0, None), 0, None).await
}

/// Posts for a person. What the proposal does not name stays unapplied.
async fn post(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    mut proposal: Proposal,
    refund_minor: i64,
    unrelated: Option<&str>,
) -> Result<Effect, ResolveError> {
    let payment = locked(tx, payment_of(exception)?).await?;
    let relations = between_customers(tx, mandate, exception, &payment, &mut proposal, unrelated).await?;
    let mut moved = proposal.lines.iter().map(|line| line.cash_minor).chain([proposal.on_account_minor, refund_minor]);
    let moved = moved.try_fold(0_i64, i64::checked_add).and_then(|moved| payment.unapplied_minor.checked_sub(moved));
    proposal.unapplied_minor = moved.filter(|left| *left >= 0).ok_or_else(|| {
        let left = Money::new(payment.unapplied_minor, payment.currency);
        ResolveError::Refused(format!("payment {} has {left} to apply; more was to be moved", payment.id))
    })?;
    proposal.customer = proposal.customer.or(exception.customer);
    let decision = tx.latest_decision(payment.id).await?.map(|decision| decision.id);
    let posting = Posting {
        payment: payment.id,
        version: payment.version,
        proposal: &proposal,
        decision,
        refund_minor,
        note: None,
        owners: &[],
    };
    match apply(tx, mandate, &[posting]).await?.pop() {
        Some(PostOutcome::Posted { unapplied_minor, .. }) => {
            relation::note(tx, mandate, &payment, &relations).await?;
            of_deductions(tx, mandate, exception, payment.id, &proposal.lines).await?;
            let about_all = asks_about_all(tx, exception, payment.id).await?;
            let left = Money::new(unapplied_minor, payment.currency);
            let answer = format!("payment {} posted; {left} left unapplied", payment.id);
            Ok(Effect { answer, settled: unapplied_minor == 0 || !about_all, ..Effect::default() })
        }
        Some(PostOutcome::AboveAuthority(above)) => Ok(Effect { above: Some(above), ..Effect::default() }),
        Some(PostOutcome::Stale(what) | PostOutcome::Refused(what)) => Err(ResolveError::Refused(what)),
        None => Err(ResolveError::Refused("nothing was to be posted".to_owned())),
    }
}

/// Whether the exception stands for all cash of the payment that waits; the last one about a payment always does, because what waits
/// must never wait unseen.
pub(super) async fn asks_about_all(tx: &mut Tx, exception: &Exception, payment: PaymentId) -> anyhow::Result<bool> {
    let all = exception.key == match_key(payment) || exception.reason == Reason::Overpaid;
    Ok(all || (exception.open && tx.count_open_exceptions_of(payment).await? <= 1))
}

async fn amount_or_rest(tx: &mut Tx, exception: &Exception, amount_minor: Option<i64>) -> Result<i64, ResolveError> {
    let payment = locked(tx, payment_of(exception)?).await?;
    let amount = amount_minor.unwrap_or(payment.unapplied_minor);
    if amount_minor.is_some_and(|amount| amount <= 0) {
        let asked = Money::new(amount, payment.currency);
        return Err(ResolveError::Refused(format!("{asked} cannot be moved; name an amount above zero")));
    }
    Ok(amount)
}

async fn reverse(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    application: Option<ApplicationId>,
    why: &str,
) -> Result<Effect, ResolveError> {
    let payment = payment_of(exception)?;
    let reversed = match application {
        Some(id) => {
            // Asked first, so that nobody is asked to allow what cannot be done.
            if let Some(other) = tx.application(id).await?.map(|found| found.payment).filter(|other| *other != payment) {
                return Err(ResolveError::Refused(format!("that application belongs to payment {other}, not {payment}")));
            }
            reverse_application(tx, mandate, id, why).await?
        }
        None => reverse_payment(tx, mandate, payment, why).await?,
    };
    let answer = format!("{} applications of payment {payment} reversed: {why}", reversed.applications);
    if exception.key == match_key(payment) {
        return Ok(Effect { answer, ..Effect::default() });
    }
    ask_again(tx, mandate, exception, payment, format!("Reversed: {why}")).await?;
    Ok(Effect { answer, settled: true, ..Effect::default() })
}

/// A person names the payment that a bank return takes back. Everything else is as when its trace had told.
async fn returned(tx: &mut Tx, mandate: &Mandate<'_>, exception: &Exception, id: PaymentId) -> Result<Effect, ResolveError> {
    let key = match exception.details.get("for").and_then(serde_json::Value::as_i64).map(ExceptionId) {
        // Somebody with less authority asked; the return is that of their exception.
        Some(asked) => tx.exception(asked).await?.map_or_else(String::new, |asked| asked.key),
        None => exception.key.clone(),
    };
    let bank_return = return_of_key(&key).ok_or_else(|| {
        ResolveError::Refused(format!("exception {} is about no bank return; reverse undoes what was applied", exception.id))
    })?;
    let before = locked(tx, id).await?;
    let undone = take_back(tx, mandate, bank_return, id).await?.applications;
    let payment = locked(tx, id).await?;
    if payment.unapplied_minor > 0 {
        let left = Money::new(payment.unapplied_minor, payment.currency);
        let about = Exception {
            seller: before.seller,
            customer: before.payer.customer,
            file: Some(before.source.file),
            ..exception.clone()
        };
        ask_again(tx, mandate, &about, id, format!("The bank took a part back; {left} are left")).await?;
    }
    if exception.key != key {
        tx.clear_exceptions(&[return_key(bank_return)], &format!("decided with {}", exception.id), mandate.actor).await?;
    }
    let answer = format!("payment {id} came back; {undone} applications were undone and their items are open again");
    Ok(Effect { answer, settled: true, ..Effect::default() })
}

/// Cash of a payment waits for a decision again, and so somebody must be asked.
async fn ask_again(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    payment: PaymentId,
    message: String,
) -> Result<(), ResolveError> {
    let row = locked(tx, payment).await?;
    let amount = (row.unapplied_minor, row.currency);
    // An audit and a recommendation are answered; what the cash is for is another question.
    let reason = match exception.reason {
        Reason::AuditSample | Reason::AboveAuthority => Reason::Ambiguous,
        reason => reason,
    };
    let about = (exception.seller, exception.customer);
    let route = mandate.policy.route(&facts(tx, about, Level::Payment, reason, amount).await?);
    let mut again = NewException::new(match_key(payment), Level::Payment, reason, route, message);
    (again.payment, again.file, again.seller, again.customer) =
        (Some(payment), exception.file, exception.seller, exception.customer);
    again.amount = Some(amount);
    tx.raise_exceptions(&[again], mandate.actor).await?;
    Ok(())
}

pub(super) fn payment_of(exception: &Exception) -> Result<PaymentId, ResolveError> {
    exception.payment.ok_or_else(|| ResolveError::Refused(format!("exception {} is about no payment", exception.id)))
}

fn file_of(exception: &Exception) -> Result<FileId, ResolveError> {
    exception.file.ok_or_else(|| ResolveError::Refused(format!("exception {} is about no file", exception.id)))
}

pub(super) async fn locked(tx: &mut Tx, id: PaymentId) -> Result<Payment, ResolveError> {
    let payment = tx.lock_payments(&[id]).await?.pop();
    payment.ok_or_else(|| ResolveError::Refused(format!("payment {id} does not exist")))
}
