//! Whether this money came before: reported twice, or paid twice.

use super::limits::ALIKE_MAX;
use super::snapshot::{Seen, Snapshot};
use crate::domain::{Payment, PaymentId, PaymentState, Remittance};
use crate::rules::RuleSet;

/// An earlier payment that looks like this one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) of: PaymentId,
    pub(super) why: String,
    pub(super) theirs: String,
}

/// Days between two reports of the same money: statements of several days, intraday and prior day.
const SAME_MONEY_DAYS: u64 = 7;

/// The payment this one repeats. Of two that wait, the one with the smaller id stays good; one that has posted counts whatever its id,
/// because a file that is slow to record, or held and released later, has the smaller ids and comes second all the same.
pub(super) fn find(
    payment: &Payment,
    remittance: Option<&Remittance>,
    snapshot: &Snapshot,
    rules: &RuleSet,
) -> Option<Duplicate> {
    let seen = Seen::new(payment, remittance);
    let earlier = snapshot.recent.alike(&seen, ALIKE_MAX);
    let days = u64::from(rules.engine.visibility.duplicate_days);
    earlier
        .into_iter()
        .filter(|other| other.id < seen.id || other.state == PaymentState::Posted)
        .filter(|other| other.seller.zip(seen.seller).is_none_or(|(theirs, ours)| theirs == ours))
        .filter(|other| other.state != PaymentState::Void)
        .filter(|other| !snapshot.are_apart(seen.id, other.id))
        .find_map(|other| same(&seen, other, days).map(|why| Duplicate { of: other.id, why, theirs: other.trace.clone() }))
}

/// An earlier payment of the same payer and amount that waits for a person: a payment that names nothing may be the same debt paid twice.
pub(super) fn undecided(payment: &Payment, snapshot: &Snapshot, rules: &RuleSet) -> Option<PaymentId> {
    let seen = Seen::new(payment, None);
    let days = u64::from(rules.engine.visibility.duplicate_days);
    let near = |other: &&Seen| {
        let apart = seen.value_date.signed_duration_since(other.value_date).num_days().unsigned_abs();
        apart <= days && same_payer(&seen, other) != Some(false) && !snapshot.are_apart(seen.id, other.id)
    };
    let of_seller = |other: &&Seen| other.seller.zip(seen.seller).is_none_or(|(theirs, ours)| theirs == ours);
    snapshot.recent.undecided(&seen, ALIKE_MAX).into_iter().filter(of_seller).find(near).map(|other| other.id)
}

/// Why two payments of equal amount and currency are the same money or the same debt paid twice.
fn same(this: &Seen, other: &Seen, days: u64) -> Option<String> {
    let apart = this.value_date.signed_duration_since(other.value_date).num_days().unsigned_abs();
    let same_payer = same_payer(this, other);
    let same_trace = !this.trace.is_empty() && this.trace == other.trace;
    let both_traced = !this.trace.is_empty() && !other.trace.is_empty();
    let same_references = this.references != 0 && this.references == other.references;
    let other_references = this.references != 0 && other.references != 0 && !same_references;
    let other_file = this.file != other.file;
    if other.state == PaymentState::Returned {
        // Who names the same items again after the bank took the money back may have paid anew, or the bank may have tried again.
        let again = same_references && same_payer == Some(true) && apart <= days;
        return again.then(|| "same payer, amount and references as a payment that the bank took back".to_owned());
    }
    if same_trace && apart <= SAME_MONEY_DAYS && same_payer != Some(false) && !other_references && (other_file || same_references)
    {
        return Some("same trace, amount and currency".to_owned());
    }
    if same_references && same_payer == Some(true) && apart <= days {
        return Some(format!("same payer, amount and references {apart} days apart"));
    }
    // A second report without a trace of its own; two traces are two payments, and in one file two records are two.
    if other_file && apart == 0 && same_payer == Some(true) && !both_traced && !other_references {
        return Some("same payer, amount and day from another file, and no trace tells them apart".to_owned());
    }
    None
}

/// Whether two payments have one payer; `None` when nothing can be compared.
fn same_payer(this: &Seen, other: &Seen) -> Option<bool> {
    let accounts = this.account.as_ref().zip(other.account.as_ref()).map(|(a, b)| a == b);
    let ids = (!this.payer_id.is_empty() && !other.payer_id.is_empty()).then(|| this.payer_id == other.payer_id);
    // A name may be cut: the shorter one must be how the longer begins.
    let names = (!this.name.is_empty() && !other.name.is_empty())
        .then(|| this.name.starts_with(&other.name) || other.name.starts_with(&this.name));
    match (accounts, ids, names) {
        (Some(true), _, _) | (_, Some(true), _) | (None, None, Some(true)) => Some(true),
        (None, None, None) => None,
        (Some(false), None, Some(true)) => None,
        _ => Some(false),
    }
}
