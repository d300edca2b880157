//! Whether an advice that came apart may belong to another payment than the one it was tied to.

use super::candidate::Finder;
use super::decide::{Case, State, Tied};
use super::draft::Draft;
use super::snapshot::Slot;
use super::trail::Trail;
use crate::domain::Reason;
use crate::rules::{Fact, FactSet};

/// An advice that no number ties to this cash may belong to another payment: when nothing but the total does and the cash says who paid, and when the
/// payer owes the same amount once more.
pub(super) fn doubt(case: &Case<'_>, drafts: &[Draft], finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    if state.tied == Tied::Surely {
        return;
    }
    if state.tied == Tied::ByTotal && case.payment.payer.name.is_some() && !is_of_payer(drafts, finder) {
        let text = "nothing but its total ties the advice to this payment, which names another payer";
        trail.note("link", text);
        return state.block(Reason::Ambiguous, text);
    }
    let Some(lines) = drafts.first().map(|draft| draft.proposal.lines.as_slice()) else { return };
    let items = &finder.snapshot.items;
    let named = |slot: Slot| lines.iter().any(|line| line.item == items.id[slot as usize]);
    // Each item could be another one of the same amount: then another payment may be as large.
    let owed_again = lines.iter().filter_map(|line| items.slot(line.item)).all(|slot| {
        let at = slot as usize;
        let equal = items.with_open_amount(items.customer[at], items.seller[at], items.currency[at], items.open_minor[at]);
        equal.iter().any(|other| !named(*other))
    });
    if owed_again && !lines.is_empty() {
        let text = "the payer owes this amount more than once, and no number ties the advice to this payment";
        trail.note("link", text);
        state.block(Reason::Ambiguous, text);
    }
}

/// Whether the cash by itself says who paid, all items named are that customer's to pay, and their amounts agree with the cash: then the advice is the
/// payer's, however the two write its name.
fn is_of_payer(drafts: &[Draft], finder: &Finder<'_>) -> bool {
    let may_pay = |owner: &u32| finder.payer.cash_may_pay(*owner, finder.snapshot, finder.rules, finder.today);
    drafts.first().is_some_and(|draft| {
        let agrees = |line: &FactSet| !line.has(Fact::AmountShort) && !line.has(Fact::AmountOver);
        !draft.customers.is_empty()
            && draft.customers.iter().all(may_pay)
            && draft.lines.iter().all(agrees)
            && draft.proposal.unapplied_minor == 0
    })
}
