//! Decides one payment: from what the payer says to what the rules let happen, in one pass that writes its own evidence.

use chrono::NaiveDate;

use super::amount::Scale;
use super::draft::Draft;
use super::equal;
use super::hypothesis;
use super::named::{self, Named};
use super::payer::{self, PayerView};
use super::snapshot::Snapshot;
use super::trail::{Trail, evidence, figure};
use super::{candidate::Finder, claim, confidence, duplicate, limits, link, text, verdict};
use crate::domain::{Decision, Evidence, Outcome, Payment, PaymentState, Permits, Proposal, Reason, Remittance};
use crate::normalise::Reference;
use crate::rules::{Fact, FactSet, RuleSet, StepKind};

/// What is decided about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub payment: &'a Payment,
    /// The advice that came with it or was linked to it.
    pub remittance: Option<&'a Remittance>,
    /// The business day.
    pub today: NaiveDate,
    /// What may post besides what always may.
    pub permits: &'a Permits,
}

/// A payer's date further away from the day on which the money came than this is a slip, or an attempt at a discount that is long over.
const PLAUSIBLE_DAYS: u64 = 14;

impl Case<'_> {
    /// The day from which terms are judged, however late that is done: when the money was good, or when it came where that cannot be.
    pub(super) fn paid(&self) -> NaiveDate {
        let Payment { value_date, business_day, .. } = *self.payment;
        let away = value_date.signed_duration_since(business_day).num_days().unsigned_abs();
        if away <= PLAUSIBLE_DAYS { value_date } else { business_day }
    }
}

/// Decides what a payment pays. The same case, snapshot and rules give the same bytes, however the snapshot was fed.
pub fn decide(case: &Case<'_>, snapshot: &Snapshot, rules: &RuleSet) -> Decision {
    let mut trail = Trail::default();
    if let Some((reason, why)) = not_live(case.payment) {
        trail.note("veto", why.clone());
        return held(case, rules, trail, reason, why);
    }
    let payer = who_paid(case, snapshot, rules, &mut trail);
    let tied = note_link(case, &mut trail);
    let mut state = State { facts: FactSet::EMPTY, blocks: Vec::new(), bound: None, tied, chance_ppm: None };
    check_duplicate(case, snapshot, rules, &mut state, &mut trail);
    let mut finder = Finder::new(snapshot, rules, &payer, case.payment, case.today);
    let claims = read_claims(case, &mut finder, &mut trail);
    if let Some(bound) = claims.bound.clone() {
        trail.note("reference", bound.clone());
        return held(case, rules, trail, Reason::Ambiguous, format!("a bound of the search was met: {bound}"));
    }
    state.bound = finder.bound();
    let found = if claims.claims.is_empty() {
        hypothesis::explain(case, &mut finder, &mut state, &mut trail)
    } else {
        named::explain(case, &claims, &mut finder, &mut state, &mut trail)
    };
    conclude(case, found, state, &finder, trail)
}

/// Who paid is said by the cash. An advice is asked only where the cash does not tell: else whoever may drop an advice could name itself the payer of
/// other people's money.
fn who_paid(case: &Case<'_>, snapshot: &Snapshot, rules: &RuleSet, trail: &mut Trail) -> PayerView {
    let mut search = payer::Search::new(snapshot, rules);
    search.ask(&case.payment.payer);
    case.payment.text.iter().for_each(|text| search.read(text));
    search.cash_is_asked();
    if let Some(remittance) = case.remittance.filter(|_| !search.is_identified()) {
        search.ask(&remittance.payer);
        remittance.text.iter().for_each(|text| search.read(text));
    }
    search.finish(trail)
}

/// What is established and what stands against posting, so far.
#[derive(Debug)]
pub(super) struct State {
    pub(super) facts: FactSet,
    /// What keeps the payment from posting whatever the rules say; the first is what a person is told.
    pub(super) blocks: Vec<(Reason, String)>,
    /// A bound of the search that was met.
    pub(super) bound: Option<String>,
    pub(super) tied: Tied,
    /// Chance of a coincidence in millionths, where nothing was named.
    pub(super) chance_ppm: Option<i64>,
}

/// What ties an advice to the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tied {
    /// Nothing else has this total.
    ByTotal,
    /// Total and payer, which several payments may share.
    ByPayer,
    /// It came with the payment, names its number, or a person said so.
    Surely,
}

impl State {
    pub(super) fn block(&mut self, reason: Reason, why: impl Into<String>) {
        self.blocks.push((reason, why.into()));
    }
}

/// Complete explanations, best first.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) drafts: Vec<Draft>,
    /// Named items were looked for, and this is whose they are.
    pub(super) named: Named,
}

/// Why a payment is not to be decided at all.
fn not_live(payment: &Payment) -> Option<(Reason, String)> {
    match payment.state {
        PaymentState::Held => Some((Reason::FileHeld, "the file of this payment is held".to_owned())),
        PaymentState::Returned => Some((Reason::PaymentReturned, "the bank took this payment back".to_owned())),
        PaymentState::Void => {
            Some((Reason::DuplicatePayment, "this payment is void: another record of the same money is live".to_owned()))
        }
        PaymentState::Received | PaymentState::Posted | PaymentState::Exception => (payment.unapplied_minor < 0
            || payment.unapplied_minor > payment.amount_minor)
            .then(|| (Reason::RemittanceOutOfBalance, "more of this payment was used than came in".to_owned())),
    }
}

fn held(case: &Case<'_>, rules: &RuleSet, trail: Trail, reason: Reason, why: String) -> Decision {
    let proposal = Proposal { unapplied_minor: case.payment.unapplied_minor, rule: "engine".to_owned(), ..Proposal::default() };
    let amount = figure(case.payment.unapplied_minor, case.payment.currency);
    Decision {
        outcome: Outcome::Hold { reason },
        proposals: vec![proposal],
        evidence: Evidence {
            rule_set: rules.hash.clone(),
            steps: trail.steps,
            equation: format!("{amount} = {amount} unapplied"),
            why_not: Some(why),
            lacked: Some(verdict::by_engine()),
            ..Evidence::default()
        },
    }
}

/// An advice that came apart says here what ties it to the cash.
fn note_link(case: &Case<'_>, trail: &mut Trail) -> Tied {
    let Some(remittance) = case.remittance.filter(|remittance| remittance.source.file != case.payment.source.file) else {
        return Tied::Surely;
    };
    let Some((found, _)) = link::ties(case.payment, remittance) else {
        trail.note("link", "the advice came apart from its cash and was linked by a person");
        return Tied::Surely;
    };
    let ties = |field: &str| found.iter().any(|item| item.field == field && item.points_milli > 0);
    let tied = match (ties("trace"), ties("payer_account") || ties("payer_name")) {
        (true, _) => Tied::Surely,
        (false, true) => Tied::ByPayer,
        (false, false) => Tied::ByTotal,
    };
    trail.note_with("link", None, "the advice came apart from its cash", found);
    tied
}

fn check_duplicate(case: &Case<'_>, snapshot: &Snapshot, rules: &RuleSet, state: &mut State, trail: &mut Trail) {
    match duplicate::find(case.payment, case.remittance, snapshot, rules) {
        None => {
            state.facts.insert(Fact::NotDuplicate);
            trail.note("duplicate", "no earlier payment looks the same");
        }
        Some(other) => {
            let ours = case.payment.trace.as_deref().unwrap_or_default();
            let byte = Some(case.payment.source.location.byte);
            let found = vec![
                evidence("payment", ours, &other.theirs, "equal", 0, byte),
                evidence(Evidence::REPEATS, &case.payment.id.to_string(), &other.of.to_string(), "equal", 0, byte),
            ];
            let text = format!("it repeats payment {}: {}", other.of, other.why);
            trail.note_with("duplicate", None, text.clone(), found);
            state.block(Reason::DuplicatePayment, text);
        }
    }
}

/// The lines of the advice; where there are none, the references in its text and in the text of the payment; as far as the cascade has these ways.
fn read_claims(case: &Case<'_>, finder: &mut Finder<'_>, trail: &mut Trail) -> claim::Claims {
    let names_credit = |reference: &Reference| named::names_credit(reference, finder);
    let advice = case.remittance.filter(|_| finder.tries(StepKind::RemittanceLines));
    let mut claims = advice.map(|remittance| claim::read(remittance, finder.rules, &names_credit)).unwrap_or_default();
    if !claims.silent.is_empty() {
        trail.note("reference", format!("{} lines of the advice move nothing and are left out", claims.silent.len()));
    }
    if claims.claims.is_empty() && claims.bound.is_none() && finder.tries(StepKind::TextReferences) {
        let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
        finder.equal = equal::taking(case.payment.unapplied_minor, &scale, finder);
        let texts = [case.remittance.and_then(|remittance| remittance.text.as_deref()), case.payment.text.as_deref()];
        let mut readings = text::readings(texts.into_iter().flatten(), finder, trail);
        readings.iter_mut().for_each(|reading| take_the_rest(&mut reading.claims, case.payment.unapplied_minor));
        // The reading whose items take the cash to the cent; without one, the reading that invents least.
        let last = readings.len().saturating_sub(1);
        let best = readings.iter().take(last).position(|reading| named::adds_up(case, reading, finder)).unwrap_or(last);
        return readings.into_iter().nth(best).unwrap_or(claims);
    }
    take_the_rest(&mut claims.claims, case.payment.unapplied_minor);
    claims
}

/// A single claim without an amount is paid with what the others leave.
fn take_the_rest(claims: &mut [claim::Claim], amount_minor: i64) {
    let known = claims.iter().filter_map(|claim| claim.net_minor).fold(0i64, i64::saturating_add);
    let mut without = claims.iter_mut().filter(|claim| claim.net_minor.is_none());
    if let (Some(claim), None) = (without.next(), without.next()) {
        claim.net_minor = amount_minor.checked_sub(known).filter(|rest| *rest > 0);
        claim.net_is_ours = claim.net_minor.is_some();
    }
}

/// Asks the rules and writes the decision.
fn conclude(case: &Case<'_>, found: Found, mut state: State, finder: &Finder<'_>, mut trail: Trail) -> Decision {
    let mut judged = verdict::judge(&found, &mut state, case.payment.unapplied_minor, finder, &mut trail);
    let sure = confidence::of(&found, &state, case.payment, finder);
    let certificate = confidence::permit(&mut judged, sure.as_ref(), case.permits, &mut trail);
    let amount = figure(case.payment.unapplied_minor, finder.currency);
    let equation = found.drafts.first().map_or_else(|| format!("{amount} = {amount} unapplied"), |draft| draft.equation(finder));
    let mut proposals: Vec<Proposal> = found.drafts.into_iter().take(limits::PROPOSALS_MAX).map(|draft| draft.proposal).collect();
    if proposals.is_empty() {
        proposals.push(Proposal { unapplied_minor: case.payment.unapplied_minor, ..Proposal::default() });
    }
    proposals[0].rule = judged.rule;
    Decision {
        outcome: judged.outcome,
        proposals,
        evidence: Evidence {
            rule_set: finder.rules.hash.clone(),
            steps: trail.steps,
            equation,
            runner_up: judged.runner_up,
            why_not: judged.why_not,
            lacked: judged.lacked,
            confidence: sure,
            certificate,
            shadow: judged.shadow,
        },
    }
}

/// Whether anything but references says who paid.
pub(super) fn payer_is_known(payer: &PayerView) -> bool {
    !payer.strong().is_empty()
}
