//! References with a slip: looked for among the payer's own items only, and only where the amount agrees.
//!
//! In a dense sequence one wrong digit lands on a neighbour more often than not, so a slip is never searched for in the whole ledger.

use super::amount::Scale;
use super::candidate::{Finder, Hit, Level};
use super::claim::Claim;
use super::limits::{CANDIDATES_MAX, OWN_ITEMS_MAX};
use super::snapshot::Slot;
use crate::domain::ItemStatus;
use crate::normalise::{self, Reference};

/// Items of these customers that a claim with a slip may mean: by edits, by a cut reference, or by the amount alone.
pub(super) fn hits(claim: &Claim, owners: &[u32], scale: &Scale<'_>, finder: &mut Finder<'_>) -> Vec<Hit> {
    let items = &finder.snapshot.items;
    let own: usize = owners.iter().map(|owner| items.open_of(*owner).len()).sum();
    if own > OWN_ITEMS_MAX {
        return Vec::new();
    }
    let mut found: Vec<(Level, Slot)> = Vec::new();
    for slot in owners.iter().flat_map(|owner| items.open_of(*owner)).copied() {
        let at = slot as usize;
        let exists = items.status[at] == ItemStatus::Open
            && items.entered_date[at] <= finder.today
            && items.currency[at] == finder.currency
            && finder.sellers.contains(&items.seller[at]);
        // What the payer says is open agrees too, however much less it pays.
        let agrees = claim.gross_minor == Some(items.open_minor[at])
            || claim.net_minor.is_none_or(|net| scale.fit(slot, claim, net).kind.agrees());
        if !exists || !agrees {
            continue;
        }
        let level =
            claim.mentions.iter().filter_map(|mention| slip(&mention.reference, items.number(slot), items.folded(slot))).min();
        let amount_alone =
            [claim.net_minor, claim.gross_minor].contains(&Some(items.open_minor[at])).then_some(Level::AmountOnly);
        found.extend(level.or(amount_alone).map(|level| (level, slot)));
    }
    found.sort_by_key(|(level, slot)| (*level, items.id[*slot as usize]));
    // The amount alone is a suggestion for whoever has nothing better.
    if found.first().is_some_and(|(level, _)| *level < Level::AmountOnly) {
        found.retain(|(level, _)| *level < Level::AmountOnly);
    }
    found.truncate(CANDIDATES_MAX);
    found.into_iter().map(|(level, slot)| Hit { slot, level, standing: finder.standing(slot), mention: 0, open: true }).collect()
}

/// Whether a word of a text is the number of an open item of these customers but for a slip.
pub(super) fn resembles(reference: &Reference, owners: impl Iterator<Item = u32>, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let mut left = OWN_ITEMS_MAX;
    owners.flat_map(|owner| items.open_of(owner)).any(|slot| {
        left = left.saturating_sub(1);
        left > 0
            && items.entered_date[*slot as usize] <= finder.today
            && items.currency[*slot as usize] == finder.currency
            && finder.sellers.contains(&items.seller[*slot as usize])
            && slip(reference, items.number(*slot), items.folded(*slot)).is_some_and(|level| level <= Level::OneEdit)
    })
}

/// Whether what is written, an item's number at `level`, is so much farther from that of `rival` that a slip cannot have led to it.
pub(super) fn tells_apart(reference: &Reference, level: Level, rival: Slot, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let (number, folded) = (items.number(rival), items.folded(rival));
    let slips = match level {
        // A scanner's confusions are no slips: the forms that make them equal are compared.
        Level::Scanned => 0,
        Level::Cut => {
            let whole = reference.folded.as_str();
            return !folded.starts_with(whole) && !folded.ends_with(whole);
        }
        Level::OneEdit => 1,
        Level::TwoEdits => 2,
        _ => return true,
    };
    let apart = |theirs: &str, ours: &str| strsim::osa_distance(&normalise::ocr_class(theirs), &normalise::ocr_class(ours));
    let parts = normalise::parts(number);
    let part = super::snapshot::distinctive_part(&parts).map(normalise::core);
    let theirs = reference.core();
    [Some(apart(theirs, normalise::core(folded))), Some(apart(&reference.folded, folded)), part.map(|part| apart(theirs, part))]
        .into_iter()
        .flatten()
        .all(|edits| edits >= slips + SLIPS_AHEAD)
}

/// Slips by which a number must be nearer than another of the same amount.
const SLIPS_AHEAD: usize = 2;

/// How a reference may be a number with a slip.
fn slip(reference: &Reference, number: &str, folded: &str) -> Option<Level> {
    let (theirs, ours) = (reference.core(), normalise::core(folded));
    if theirs.len() < 3 || ours.len() < 3 {
        return None;
    }
    // Other letters are another number, unless a scanner made them.
    let (letters, own) = (reference.prefix(), normalise::prefix(folded));
    let scanned = || normalise::ocr_class(&reference.folded) == normalise::ocr_class(folded);
    if !letters.is_empty() && !own.is_empty() && !letters.ends_with(own) && !own.ends_with(letters) && !scanned() {
        return None;
    }
    let whole = reference.folded.as_str();
    if whole.len() >= 4
        && whole.len() < folded.len()
        && (folded.starts_with(whole) || folded.ends_with(whole))
        && normalise::digits(whole) >= 3
    {
        return Some(Level::Cut);
    }
    let allowed = if theirs.len().min(ours.len()) < 5 { 1 } else { 2 };
    let parts = normalise::parts(number);
    let part = super::snapshot::distinctive_part(&parts).map(normalise::core).filter(|part| part.len() >= 4);
    let edits = [Some((theirs, ours)), Some((whole, folded)), part.map(|part| (theirs, part))]
        .into_iter()
        .flatten()
        .filter(|(a, b)| a.len().abs_diff(b.len()) <= allowed)
        .map(|(a, b)| strsim::osa_distance(a, b))
        .min()?;
    match edits {
        0 | 1 => Some(Level::OneEdit),
        2 if allowed == 2 => Some(Level::TwoEdits),
        _ => None,
    }
}
