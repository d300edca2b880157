//! What a payment that names nothing may be for when nothing adds up to it: proposals for a person, none of which ever posts.
//!
//! People use a credit and do not say so, leave a few cents out, or pay an item short. What needs the least of that comes first.

use super::amount::Scale;
use super::candidate::Finder;
use super::hypothesis::{Guess, Owed, proposal};
use super::limits::PROPOSALS_MAX;
use super::snapshot::Slot;

/// Points of one or two items less a credit, of an item but for a few cents, of an item with more than it takes, and of an item paid short.
mod points {
    pub(super) const LESS_CREDIT: i64 = 2_500;
    pub(super) const TWO_LESS_CREDIT: i64 = 1_500;
    pub(super) const SMALL: i64 = 2_000;
    pub(super) const SHORT: i64 = 500;
}

/// Guesses of what customers that owe this may have paid, a few of each kind.
pub(super) fn guesses(owing: &[Owed], amount: i64, scale: &Scale<'_>, finder: &Finder<'_>) -> Vec<Guess> {
    let mut found = Vec::new();
    for owed in owing.iter().take(CUSTOMERS_MAX) {
        let free: Vec<Slot> = owed.slots.iter().copied().filter(|slot| !finder.is_spoken_for(*slot)).collect();
        if free.len() <= ITEMS_MAX {
            less_credits(&free, amount, scale, &mut found);
            nearest(&free, amount, scale, &mut found);
        }
    }
    found
}

/// One item, or two, less one credit.
fn less_credits(slots: &[Slot], amount: i64, scale: &Scale<'_>, found: &mut Vec<Guess>) {
    let open = |slot: &Slot| scale.snapshot.items.open_minor[*slot as usize];
    for credit in slots.iter().filter(|slot| open(slot) < 0).take(CREDITS_MAX) {
        let target = amount.saturating_sub(open(credit));
        for (at, first) in slots.iter().enumerate().filter(|(_, slot)| open(slot) > 0) {
            let rest = target - open(first);
            if rest == 0 {
                found.push(proposal(vec![(*first, open(first)), (*credit, open(credit))], points::LESS_CREDIT));
            }
            if let Some(second) = slots[at + 1..].iter().find(|slot| rest > 0 && open(slot) == rest) {
                let taken = vec![(*first, open(first)), (*second, rest), (*credit, open(credit))];
                found.push(proposal(taken, points::TWO_LESS_CREDIT));
            }
        }
    }
}

/// Items that are open for a little more than came: those that lack least first.
fn nearest(slots: &[Slot], amount: i64, scale: &Scale<'_>, found: &mut Vec<Guess>) {
    let open = |slot: &Slot| scale.snapshot.items.open_minor[*slot as usize];
    let mut above: Vec<Slot> = slots.iter().copied().filter(|slot| open(slot) > amount).collect();
    above.sort_by_key(|slot| (open(slot), scale.snapshot.items.id[*slot as usize]));
    for slot in above.into_iter().take(PROPOSALS_MAX) {
        let net = open(&slot) - scale.discount(slot);
        let small = scale.is_small(slot, open(&slot) - amount) || net > amount && scale.is_small(slot, net - amount);
        // The larger the share that is missing, the less likely.
        let missing = (open(&slot) - amount).saturating_mul(1_000) / open(&slot).max(1);
        let points = if small { points::SMALL } else { points::SHORT - 2 * missing };
        found.push(proposal(vec![(slot, amount)], points));
    }
}

/// Customers whose items are looked at.
const CUSTOMERS_MAX: usize = 8;
/// Open items of a customer beyond which something always comes near.
const ITEMS_MAX: usize = 400;
/// Credits of a customer that are tried.
const CREDITS_MAX: usize = 16;
