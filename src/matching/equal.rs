//! Items that alone take an amount, whoever owes them: what a payment may be for when nothing else tells.
//!
//! An amount to the cent is rare in a ledger. Beside a number with a slip, a part of a number or a name that resembles, it tells which item is meant.

use rust_decimal::Decimal;

use super::amount::Scale;
use super::candidate::{Finder, Hit, Level};
use super::claim::Claim;
use super::slip::{self, Written};
use super::snapshot::Slot;
use crate::normalise;
use crate::rules::StepKind;

/// Items of one amount that are looked at: an amount that more items share tells nothing.
const EQUAL_MAX: usize = 32;
/// Items of one amount among which a number with a slip is still told.
pub(super) const RARE_MAX: usize = 3;

/// Open items that one slip in a number of a dense sequence may lead to.
pub(super) const NEIGHBOURS: usize = 20;

/// Open items of the sellers that are open for the cash, or for so much more that the discount of their terms leaves it; in id order.
pub(super) fn taking(cash_minor: i64, scale: &Scale<'_>, finder: &Finder<'_>) -> Vec<Slot> {
    if cash_minor <= 0 {
        return Vec::new();
    }
    let items = &finder.snapshot.items;
    let mut amounts = vec![cash_minor];
    for percent in items.discount_percents() {
        let share = Decimal::ONE - percent / Decimal::ONE_HUNDRED;
        let gross = Decimal::from(cash_minor).checked_div(share).and_then(|gross| i64::try_from(gross.round()).ok());
        amounts.extend(gross.iter().flat_map(|gross| gross.saturating_sub(1)..=gross.saturating_add(1)));
    }
    amounts.sort_unstable();
    amounts.dedup();
    let mut found = Vec::new();
    for (seller, amount) in finder.sellers.iter().flat_map(|seller| amounts.iter().map(move |amount| (*seller, *amount))) {
        let equal = items.with_amount(seller, finder.currency, amount);
        if equal.len() <= EQUAL_MAX {
            let takes = |slot: &Slot| amount == cash_minor || amount - scale.discount(*slot) == cash_minor;
            found.extend(equal.iter().copied().filter(|slot| slip::exists(*slot, finder) && takes(slot)));
        }
    }
    found.sort_unstable_by_key(|slot| items.id[*slot as usize]);
    found.dedup();
    found
}

/// Items of anybody that a claim may mean: its number but for one slip, a part of it, or a piece of it, and open for what the claim says.
pub(super) fn hits(claim: &Claim, scale: &Scale<'_>, finder: &mut Finder<'_>) -> Vec<Hit> {
    let tries = finder.tries(StepKind::FuzzyReferences);
    let Some(net) = claim.net_minor.filter(|net| tries && *net > 0) else { return Vec::new() };
    let items = &finder.snapshot.items;
    let mut slots = taking(net, scale, finder);
    if let Some(gross) = claim.gross_minor.filter(|gross| *gross > net) {
        for seller in &finder.sellers {
            let equal = items.with_amount(*seller, finder.currency, gross);
            slots.extend(equal.iter().copied().filter(|slot| equal.len() <= EQUAL_MAX && slip::exists(*slot, finder)));
        }
        slots.sort_unstable();
        slots.dedup();
    }
    if slots.is_empty() {
        return Vec::new();
    }
    let written: Vec<Written<'_>> = claim.mentions.iter().map(|mention| Written::new(&mention.reference)).collect();
    let mut found: Vec<(Level, Slot)> = Vec::new();
    for slot in slots.iter().copied() {
        let level = written.iter().filter_map(|written| resembles(written, slot, slots.len(), finder)).min();
        found.extend(level.map(|level| (level, slot)));
    }
    found.sort_by_key(|(level, slot)| (*level, items.id[*slot as usize]));
    found.into_iter().map(|(level, slot)| Hit { slot, level, standing: finder.standing(slot), mention: 0, open: true }).collect()
}

/// How what is written may be the number of an item that has the amount, one of `equal` such items.
pub(super) fn resembles(written: &Written<'_>, slot: Slot, equal: usize, finder: &Finder<'_>) -> Option<Level> {
    let items = &finder.snapshot.items;
    let core = written.reference.core();
    let letters = written.reference.prefix();
    let same_letters = letters.is_empty() || items.folded(slot).starts_with(letters);
    let alone = equal == 1 && same_letters && written.reference.parts() == 1 && normalise::digits(core) >= PART_DIGITS_MIN;
    if alone && items.part(slot) == Some(core) {
        return Some(Level::Part);
    }
    written.slip(slot, items).filter(|level| *level <= Level::OneEdit && equal <= RARE_MAX)
}

/// Digits of a part of a number that, beside the amount, names an item of anybody.
const PART_DIGITS_MIN: usize = 2;
