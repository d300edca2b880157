//! Ties an advice to its cash when they came apart. Either may come first; either may look for the other.

use chrono::NaiveDate;

use super::limits::ALIKE_MAX;
use super::snapshot::{Seen, Snapshot, folded_trace, tail};
use super::trail::evidence;
use crate::domain::{EvidenceItem, Payment, PaymentId, PaymentState, Remittance, RemittanceId};
use crate::normalise::{self, Name};

/// A link between an advice and a payment, with what it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<T> {
    pub to: T,
    pub evidence: Vec<EvidenceItem>,
    pub points_milli: i64,
}

/// Days an advice may be away from its cash.
const APART_DAYS: u64 = 14;
/// Points a link needs.
const POINTS_MIN: i64 = 6_000;
/// Level of a trace that the advice's sender made up.
const OWN_NUMBER: &str = "own_number";
/// Points of being the only one with the trace or the total.
const ALONE: i64 = 2_000;
/// What the best link must be ahead of the second.
const MARGIN_MIN: i64 = 2_000;

/// The waiting advice that belongs to a payment; `None` when none does, or when two do equally well.
pub fn link(payment: &Payment, snapshot: &Snapshot) -> Option<Link<RemittanceId>> {
    if payment.remittance.is_some() {
        return None;
    }
    let seen = Seen::new(payment, None);
    let alike = snapshot.waiting.alike(payment.trace.as_deref(), payment.currency, payment.amount_minor, ALIKE_MAX);
    best(
        alike
            .into_iter()
            .filter(|remittance| snapshot.may_be_tied(remittance.id, payment.id))
            .filter_map(|remittance| weigh(&seen, remittance).map(|(evidence, points)| (remittance.id, evidence, points))),
    )
}

/// The payment without advice that a remittance belongs to; `None` when none does, or when two do equally well.
pub fn link_remittance(remittance: &Remittance, snapshot: &Snapshot) -> Option<Link<PaymentId>> {
    if remittance.payment.is_some() {
        return None;
    }
    let alike = snapshot.recent.without_advice(remittance, ALIKE_MAX).into_iter();
    // A held payment takes its advice when its file is released: then the payment looks for the advice.
    let open = alike.filter(|seen| matches!(seen.state, PaymentState::Received | PaymentState::Exception));
    let open = open.filter(|seen| snapshot.may_be_tied(remittance.id, seen.id));
    best(open.filter_map(|seen| weigh(seen, remittance).map(|(evidence, points)| (seen.id, evidence, points))))
}

/// What ties a payment and an advice that came apart, for the trail of a decision.
pub(super) fn ties(payment: &Payment, remittance: &Remittance) -> Option<(Vec<EvidenceItem>, i64)> {
    weigh(&Seen::new(payment, None), remittance)
}

fn best<T: Ord + Copy>(candidates: impl Iterator<Item = (T, Vec<EvidenceItem>, i64)>) -> Option<Link<T>> {
    let mut ranked: Vec<_> = candidates.collect();
    ranked.sort_by_key(|(to, _, points)| (std::cmp::Reverse(*points), *to));
    let rival = ranked.get(1).map_or(i64::MIN / 2, |(_, _, points)| *points);
    let alone = ranked.len() == 1;
    let (to, evidence, points_milli) = ranked.into_iter().next()?;
    // Nothing else has this total, to the cent: who pays for whom is then the matching's question. A number that the sender of the advice made up
    // itself says that nobody meant to tie the two by number, and then a total alone is too little.
    let alone = alone && !evidence.iter().any(|item| item.level == OWN_NUMBER);
    let points_milli = points_milli + if alone { ALONE } else { 0 };
    (points_milli >= POINTS_MIN && points_milli - rival >= MARGIN_MIN).then_some(Link { to, evidence, points_milli })
}

/// Evidence that a payment and an advice belong together; `None` when something speaks against it.
fn weigh(payment: &Seen, remittance: &Remittance) -> Option<(Vec<EvidenceItem>, i64)> {
    let sellers_differ = payment.seller.zip(remittance.seller).is_some_and(|(a, b)| a != b);
    if sellers_differ || payment.currency != remittance.currency || !near(payment.value_date, remittance.date) {
        return None;
    }
    let mut found = Vec::new();
    by_trace(payment, remittance, &mut found)?;
    // A payment that names items itself takes another advice only by its trace: equal amounts of one customer are common.
    if payment.references != 0 && found.iter().all(|item| item.level == OWN_NUMBER) {
        return None;
    }
    by_total(payment, remittance, &mut found)?;
    by_payer(payment, remittance, &mut found);
    let points = found.iter().map(|item: &EvidenceItem| item.points_milli).sum();
    Some((found, points))
}

fn by_trace(payment: &Seen, remittance: &Remittance, found: &mut Vec<EvidenceItem>) -> Option<()> {
    let theirs = folded_trace(remittance.trace.as_deref());
    if theirs.is_empty() || payment.trace.is_empty() {
        return Some(());
    }
    let whole = normalise::fold(remittance.trace.as_deref().unwrap_or_default());
    let one_ends_the_other = payment.whole_trace.ends_with(&whole) || whole.ends_with(&payment.whole_trace);
    let (level, points) = if theirs == payment.trace {
        ("exact", 6_000)
    } else if one_ends_the_other && tail(&whole).is_some() && tail(&payment.whole_trace).is_some() {
        ("tail", 4_000)
    } else if remittance.numbers_itself() {
        (OWN_NUMBER, 0)
    } else {
        return None;
    };
    found.push(evidence("trace", &theirs, &payment.trace, level, points, Some(remittance.source.location.byte)));
    Some(())
}

/// The total must agree where the advice names one; a sum of its lines supports it but may lack lines.
fn by_total(payment: &Seen, remittance: &Remittance, found: &mut Vec<EvidenceItem>) -> Option<()> {
    let lines = remittance
        .lines
        .iter()
        .try_fold(0i64, |sum, line| sum.checked_add(line.net_minor?))
        .filter(|_| !remittance.lines.is_empty());
    let ours = super::trail::figure(payment.amount_minor, payment.currency);
    let byte = Some(remittance.source.location.byte);
    match (remittance.total_minor.filter(|total| *total != 0), lines) {
        (Some(total), _) if total == payment.amount_minor => found.push(evidence("total", &ours, &ours, "exact", 4_000, byte)),
        (Some(_), _) => return None,
        (None, Some(sum)) if sum == payment.amount_minor => {
            found.push(evidence("total", &ours, &ours, "sum_of_lines", 4_000, byte))
        }
        (None, _) => {}
    }
    Some(())
}

fn by_payer(payment: &Seen, remittance: &Remittance, found: &mut Vec<EvidenceItem>) {
    let written = remittance.payer.name.as_deref().unwrap_or_default();
    let theirs = Name::new(written);
    let byte = Some(remittance.source.location.byte);
    let same_account = payment.account.is_some() && payment.account == remittance.payer.account;
    if same_account {
        found.push(evidence("payer_account", "", "", "exact", 4_000, byte));
    }
    if theirs.compact.len() >= 4 && !payment.name.is_empty() {
        let cut = theirs.compact.starts_with(&payment.name) || payment.name.starts_with(&theirs.compact);
        if theirs.compact == payment.name || (cut && payment.name.len() >= 8) {
            found.push(evidence("payer_name", written, &payment.name, if cut { "cut" } else { "exact" }, 3_000, byte));
        }
    }
}

fn near(paid: NaiveDate, advised: Option<NaiveDate>) -> bool {
    advised.is_none_or(|advised| paid.signed_duration_since(advised).num_days().unsigned_abs() <= APART_DAYS)
}
