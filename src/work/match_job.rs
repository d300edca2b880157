//! T3: payments are decided on a fresh snapshot and posted, or become work for a person, in one transaction for a chunk.

use std::collections::{HashMap, hash_map::Entry};

use anyhow::Context;
use serde_json::json;

use super::{
    engine::{ENGINE, Engine},
    exceptions::Raiser,
    matcher::{Matcher, remittances_of},
};
use crate::{
    certificate::drawn,
    domain::{
        CustomerId, Decision, DecisionId, Evidence, EvidenceItem, FileId, Lesson, OpenItemId, Outcome, Payment, PaymentId,
        PaymentState, Reason, Remittance,
    },
    failpoint,
    ledger::{self, DECISION, Hold, PostOutcome, Posting, audit_key, match_key, waiting_key},
    matching::{self, Case, Snapshot},
    store::{Conflict, Inputs, Job, KnownRows, NewDecision, NewException, Tx},
};

/// A payment with everything that was decided about it.
struct Decided {
    payment: Payment,
    decision: Decision,
    /// What the payment's row said before anything was linked.
    version: i64,
    inputs: Inputs,
    /// Whose items the first proposal pays, as the snapshot knew them.
    owners: Vec<(OpenItemId, CustomerId)>,
}

/// How often the engine has looked at a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As if for the first time: everything that is decided counts.
    First,
    /// More is known since; what says nothing new is left as it is.
    Again,
}

impl Engine {
    /// Decides the payments of a chunk.
    pub(super) async fn match_job(&self, tx: &mut Tx, matcher: &mut Matcher, job: &Job) -> anyhow::Result<()> {
        if job.payload["held_after"].is_i64() {
            return self.second_look(tx, matcher, job).await;
        }
        if job.payload["payments"].is_array() {
            let ids: Vec<PaymentId> =
                serde_json::from_value(job.payload["payments"].clone()).context("payments to match again")?;
            let again = tx.payments(&ids).await?.into_iter().filter(|payment| payment.state == PaymentState::Exception).collect();
            return self.decide_and_post(tx, matcher, again, Look::First).await;
        }
        let number = |name: &str| job.payload[name].as_i64().with_context(|| format!("a match job names its {name}"));
        let (file, first, end) = (FileId(number("file")?), u32::try_from(number("first")?)?, u32::try_from(number("end")?)?);
        let payments = tx.payments_of_file(file, first, end).await?;
        let waiting: Vec<_> = payments.into_iter().filter(|payment| payment.state == PaymentState::Received).collect();
        self.decide_and_post(tx, matcher, waiting, Look::First).await?;
        self.look_for_returns(tx, file, first).await
    }

    /// Looks for the payments that advices of a file announce; an advice that finds none becomes an exception.
    pub(super) async fn link_job(&self, tx: &mut Tx, matcher: &mut Matcher, job: &Job) -> anyhow::Result<()> {
        let file = FileId(job.payload["file"].as_i64().context("a link job names its file")?);
        let remittances = tx.remittances_of_file(file).await?;
        let waiting: Vec<_> = remittances.into_iter().filter(|advice| advice.payment.is_none() && is_waiting(advice)).collect();
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let snapshot = matcher.refresh(tx).await?;
        let (mut pairs, mut lonely) = (Vec::new(), Vec::new());
        for remittance in &waiting {
            match matching::link_remittance(remittance, snapshot) {
                Some(link) if !pairs.iter().any(|(_, payment)| *payment == link.to) => pairs.push((remittance.id, link.to)),
                _ => lonely.push(remittance),
            }
        }
        if !pairs.is_empty() {
            matcher.begin();
            tx.link_remittances(&pairs).await?;
            let payments: Vec<_> = pairs.iter().map(|(_, payment)| *payment).collect();
            let payments = tx.payments(&payments).await?;
            self.decide_and_post(tx, matcher, payments, Look::First).await?;
        }
        // Another process may have found the cash of one meanwhile; it clears the exception only once that is there.
        let ids: Vec<_> = lonely.iter().map(|remittance| remittance.id).collect();
        let still = tx.lock_waiting_remittances(&ids).await?;
        let lonely = lonely.into_iter().filter(|remittance| still.contains(&remittance.id));
        let lonely: Vec<_> = lonely.map(|remittance| raiser.waiting(remittance)).collect();
        tx.raise_exceptions(&lonely, ENGINE).await?;
        Ok(())
    }

    pub(super) async fn decide_and_post(
        &self,
        tx: &mut Tx,
        matcher: &mut Matcher,
        mut payments: Vec<Payment>,
        look: Look,
    ) -> anyhow::Result<()> {
        // A sum waits for its items; what may be the same money as another waits for a person.
        let ids: Vec<_> = payments.iter().map(|payment| payment.id).collect();
        let mut waiting = tx.waiting_sums(&ids).await?;
        waiting.extend(tx.doubtful(&ids).await?);
        payments.retain(|payment| !waiting.contains(&payment.id));
        if payments.is_empty() {
            return Ok(());
        }
        // Asked before the snapshot looks: it may know a little more than was noted, never less.
        let known = tx.known_rows().await?;
        matcher.refresh(tx).await?;
        matcher.begin();
        let decided = self.decide(tx, matcher.snapshot(), payments, known, look).await?;
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let untouched = self.post(tx, &raiser, &decided).await?;
        // The snapshot took them as paid when the engine decided; the ledger did not let it.
        tx.open_items(&untouched).await?.iter().for_each(|item| matcher.snapshot().upsert_item(item));
        Ok(())
    }

    /// Decides payment by payment; each sees what those before it took.
    async fn decide(
        &self,
        tx: &mut Tx,
        snapshot: &mut Snapshot,
        payments: Vec<Payment>,
        known: KnownRows,
        look: Look,
    ) -> anyhow::Result<Vec<Decided>> {
        let mut remittances = remittances_of(tx, &payments).await?;
        let permits = self.permits(tx).await?;
        let mut links = Vec::new();
        let mut decided = Vec::with_capacity(payments.len());
        for mut payment in payments {
            let version = payment.version;
            forget_guess(&mut payment);
            if look == Look::First
                && let Some(remittance) = take_waiting(snapshot, &mut payment)
            {
                links.push((remittance.id, payment.id));
                // Linking changes the row, so the version goes up by one.
                payment.version += 1;
                remittances.insert(payment.id, remittance);
            }
            let remittance = remittances.get(&payment.id);
            let case = Case { payment: &payment, remittance, today: self.clock.today(), permits: &permits };
            let decision = matching::decide(&case, snapshot, &self.rules);
            if look == Look::Again && !self.is_news(tx, payment.id, &decision).await? {
                continue;
            }
            follow(snapshot, &case, &decision);
            let inputs = Inputs { known, remittance: payment.remittance, unapplied_minor: payment.unapplied_minor };
            let lines = decision.proposals.iter().take(1).flat_map(|best| &best.lines);
            let owners = lines.filter_map(|line| Some((line.item, snapshot.owner(line.item)?))).collect();
            decided.push(Decided { payment, decision, version, inputs, owners });
        }
        if !links.is_empty() {
            tx.link_remittances(&links).await?;
            let keys: Vec<_> = links.iter().map(|(remittance, _)| waiting_key(*remittance)).collect();
            tx.clear_exceptions(&keys, "its payment came", ENGINE).await?;
        }
        Ok(decided)
    }

    /// Posts what may be posted and raises the rest. Gives the items of proposals that the ledger refused.
    async fn post(&self, tx: &mut Tx, raiser: &Raiser<'_>, decided: &[Decided]) -> anyhow::Result<Vec<OpenItemId>> {
        let day = self.clock.today();
        let rows: Vec<_> = decided
            .iter()
            .map(|one| NewDecision {
                payment: one.payment.id,
                version: one.version,
                decision: &one.decision,
                inputs: &one.inputs,
            })
            .collect();
        let ids = tx.record_decisions(&rows, day).await?;
        let mandate = self.mandate();
        let posting: Vec<_> = decided.iter().zip(&ids).filter(|(one, _)| one.decision.posts()).collect();
        let postings: Vec<_> = posting.iter().filter_map(|(one, id)| posting_of(one, **id)).collect();
        let outcomes = ledger::apply(tx, &mandate, &postings).await?;
        let mut exceptions = Vec::new();
        let mut holds = Vec::new();
        let mut cleared = Vec::new();
        let mut above: HashMap<_, _> = HashMap::new();
        let mut untouched = Vec::new();
        let mut posted = Vec::new();
        for ((one, decision), outcome) in posting.iter().zip(outcomes) {
            match outcome {
                PostOutcome::Posted { .. } => {
                    cleared.push(match_key(one.payment.id));
                    exceptions.extend(follow_ups(raiser, one));
                    posted.push((*one, **decision));
                }
                PostOutcome::Stale(why) => return Err(Conflict(why).into()),
                refused => {
                    above.insert(one.payment.id, refusal(&refused));
                    untouched.extend(one.decision.proposals.iter().take(1).flat_map(|best| &best.lines).map(|line| line.item));
                }
            }
        }
        for one in decided {
            let (reason, message) = match (&one.decision.outcome, above.remove(&one.payment.id)) {
                (_, Some(message)) => (Reason::AboveAuthority, message),
                (Outcome::Hold { reason }, None) => (*reason, hold_message(one, *reason)),
                _ => continue,
            };
            holds.push(Hold { payment: one.payment.id, version: one.payment.version, customer: customer(&one.decision) });
            let mut exception = raiser.payment(&with_customer(one), reason, match_key(one.payment.id), message);
            // Who clears it must not be led by rules that are only tried.
            let evidence = Evidence { shadow: None, ..one.decision.evidence.clone() };
            exception.details = json!({ "proposals": one.decision.proposals, "evidence": evidence });
            exceptions.push(exception);
        }
        exceptions.extend(self.draw(tx, raiser, &posted).await?);
        ledger::hold(tx, &holds).await?;
        tx.clear_exceptions(&cleared, "posted by the engine", ENGINE).await?;
        tx.raise_exceptions(&exceptions, ENGINE).await?;
        failpoint::pass("apply_before_commit");
        Ok(untouched)
    }

    /// Draws postings for the audit. A payment is named by its file and place, so that the same files draw the same payments.
    async fn draw(
        &self,
        tx: &mut Tx,
        raiser: &Raiser<'_>,
        posted: &[(&Decided, DecisionId)],
    ) -> anyhow::Result<Vec<NewException>> {
        let share = u32::try_from(self.rules.certificate.audit.share.ppm())?;
        let mut names: HashMap<FileId, String> = HashMap::new();
        let (mut draws, mut exceptions) = (Vec::new(), Vec::new());
        for (one, decision) in posted {
            let file = one.payment.source.file;
            let file = match names.entry(file) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(tx.file(file).await?.map(|file| file.sha256).unwrap_or_default()),
            };
            let name = format!("{file}:{}", one.payment.seq);
            if one.decision.evidence.confidence.is_none() || !drawn(self.audit_seed.as_bytes(), &name, share) {
                continue;
            }
            let message = format!("{}: posted, and drawn for the audit; is it right?", one.decision.evidence.equation);
            let mut exception = raiser.payment(&with_customer(one), Reason::AuditSample, audit_key(*decision), message);
            exception.details = json!({ "proposals": one.decision.proposals, "posted": true, DECISION: decision });
            exceptions.push(exception);
            draws.push((*decision, one.payment.id));
        }
        tx.note_draws(&draws, self.clock.today()).await?;
        Ok(exceptions)
    }
}

/// Who a payment is from is known once something of it is applied. Until then it is what the engine guessed when it held the payment, and a guess
/// must not outlive the look that made it.
pub(super) const fn forget_guess(payment: &mut Payment) {
    if payment.unapplied_minor == payment.amount_minor {
        payment.payer.customer = None;
    }
}

/// Whether the items of a decision were found by what the payer named: of a posting all, since amounts alone would take money of long ago for any later
/// item; of a proposal some.
pub(super) fn names_items(decision: &Decision) -> bool {
    let told = decision.evidence.steps.iter().flat_map(|step| &step.evidence).filter(|item| item.field == "reference");
    let (found, missed): (Vec<&EvidenceItem>, Vec<&EvidenceItem>) = told.partition(|item| item.points_milli > 0);
    let lines = decision.proposals.first().map_or(0, |best| best.lines.len());
    !found.is_empty() && (!decision.posts() || missed.is_empty() && found.len() >= lines)
}

/// The advice that waited for this payment, which has it from now on.
pub(super) fn take_waiting(snapshot: &mut Snapshot, payment: &mut Payment) -> Option<Remittance> {
    let link = matching::link(payment, snapshot)?;
    let remittance = snapshot.waiting_remittance(link.to).cloned()?;
    snapshot.forget_waiting_remittance(link.to);
    payment.remittance = Some(link.to);
    Some(remittance)
}

/// The next decision sees what this one took, and learns from it.
pub(super) fn follow(snapshot: &mut Snapshot, case: &Case<'_>, decision: &Decision) {
    if let Some(proposal) = decision.proposals.first().filter(|_| decision.posts()) {
        snapshot.settle(proposal, case.today);
        let lessons: Vec<_> = proposal.lines.iter().map(|line| Lesson::of_engine(line.item)).collect();
        snapshot.learn(case.payment, case.remittance, &lessons);
    }
    // What is paid in full waits no more, long before the store is asked again.
    let left = decision.proposals.first().filter(|_| decision.posts()).map(|proposal| proposal.unapplied_minor);
    let state = left.map_or(PaymentState::Exception, PaymentState::with_left);
    snapshot.saw_payment(&Payment { state, ..case.payment.clone() }, case.remittance);
}

fn is_waiting(remittance: &Remittance) -> bool {
    remittance.state == crate::domain::RemittanceState::Waiting
}

fn posting_of<'a>(one: &'a Decided, decision: DecisionId) -> Option<Posting<'a>> {
    let proposal = one.decision.proposals.first()?;
    Some(Posting {
        payment: one.payment.id,
        version: one.payment.version,
        proposal,
        decision: Some(decision),
        refund_minor: 0,
        note: None,
        owners: &one.owners,
    })
}

/// Who pays, as far as the decision knows.
pub(super) fn customer(decision: &Decision) -> Option<CustomerId> {
    decision.proposals.first().and_then(|proposal| proposal.customer)
}

fn with_customer(one: &Decided) -> Payment {
    let mut payment = one.payment.clone();
    payment.payer.customer = payment.payer.customer.or(customer(&one.decision));
    payment
}

/// What posted but still needs a person, one exception for each reason.
fn follow_ups(raiser: &Raiser<'_>, one: &Decided) -> Vec<NewException> {
    let Outcome::PostWithFollowUp { reasons } = &one.decision.outcome else { return Vec::new() };
    let payment = with_customer(one);
    let follow_up = |reason: &Reason| {
        let message = format!("{}: posted, and {}", one.decision.evidence.equation, reason.title().to_lowercase());
        let mut exception = raiser.payment(&payment, *reason, format!("payment:{}:{reason}", payment.id.0), message);
        exception.details = json!({ "proposals": one.decision.proposals.first(), "posted": true });
        exception
    };
    reasons.iter().map(follow_up).collect()
}

fn hold_message(one: &Decided, reason: Reason) -> String {
    one.decision.evidence.why_not.clone().unwrap_or_else(|| reason.title().to_owned())
}

fn refusal(outcome: &PostOutcome) -> String {
    match outcome {
        PostOutcome::AboveAuthority(above) => format!("to {} is above the engine's limit of {}", above.what(), above.limit()),
        PostOutcome::Refused(why) | PostOutcome::Stale(why) => why.clone(),
        PostOutcome::Posted { .. } => String::new(),
    }
}
