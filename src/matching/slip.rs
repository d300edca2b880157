//! References with a slip: looked for among the payer's own items only, and only where the amount agrees.
//!
//! In a dense sequence one wrong digit lands on a neighbour more often than not, so a slip is never searched for in the whole ledger.

use super::amount::Scale;
use super::candidate::{Finder, Hit, Level};
use super::claim::Claim;
use super::limits::{CANDIDATES_MAX, OWN_ITEMS_MAX};
use super::snapshot::{Items, Slot};
use crate::domain::ItemStatus;
use crate::normalise::{self, Edits, Reference};
use crate::rules::StepKind;

/// Items of these customers that a claim with a slip may mean: by edits, by a cut reference, or by the amount alone.
pub(super) fn hits(claim: &Claim, owners: &[u32], scale: &Scale<'_>, finder: &mut Finder<'_>) -> Vec<Hit> {
    let items = &finder.snapshot.items;
    let own: usize = owners.iter().map(|owner| items.open_of(*owner).len()).sum();
    if own > OWN_ITEMS_MAX {
        return Vec::new();
    }
    let written: Vec<Written<'_>> = match finder.tries(StepKind::FuzzyReferences) {
        true => claim.mentions.iter().map(|mention| Written::new(&mention.reference)).collect(),
        false => Vec::new(),
    };
    let mut found: Vec<(Level, Slot)> = Vec::new();
    for slot in owners.iter().flat_map(|owner| items.open_of(*owner)).copied() {
        let at = slot as usize;
        if items.status[at] != ItemStatus::Open || !exists(slot, finder) {
            continue;
        }
        let level = written.iter().filter_map(|written| written.slip(slot, items)).min();
        let amount_alone =
            [claim.net_minor, claim.gross_minor].contains(&Some(items.open_minor[at])).then_some(Level::AmountOnly);
        // Few numbers are near, and so few amounts have to be judged.
        let Some(level) = level.or(amount_alone) else { continue };
        // What the payer says is open agrees too, however much less it pays.
        let gross = claim.gross_minor == Some(items.open_minor[at]);
        // A payer that wrote no amount may have paid less, or more besides; what it wrote must then be near.
        let unsaid = claim.net_is_ours && level <= Level::OneEdit;
        if gross || unsaid || claim.net_minor.is_none_or(|net| scale.fit(slot, claim, net).kind.agrees()) {
            found.push((level, slot));
        }
    }
    found.sort_by_key(|(level, slot)| (*level, items.id[*slot as usize]));
    // The amount alone is a suggestion for whoever has nothing better.
    if found.first().is_some_and(|(level, _)| *level < Level::AmountOnly) {
        found.retain(|(level, _)| *level < Level::AmountOnly);
    }
    found.truncate(CANDIDATES_MAX);
    found.into_iter().map(|(level, slot)| Hit { slot, level, standing: finder.standing(slot), mention: 0, open: true }).collect()
}

/// How near a word of a text is to numbers of open items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Near {
    /// One slip away from one of them.
    OneSlip,
    /// A beginning or an end of so many of them.
    Piece { items: usize },
}

/// How near a word of a text is to the numbers of open items of these customers, where it is near at all. The comparisons count like all others; once
/// there were too many, nothing is near any more.
pub(super) fn resembling(reference: &Reference, owners: Vec<u32>, finder: &mut Finder<'_>) -> Option<Near> {
    if !finder.tries(StepKind::FuzzyReferences) {
        return None;
    }
    let items = &finder.snapshot.items;
    let written = Written::new(reference);
    let mut cut = 0usize;
    let own = owners.into_iter().flat_map(|owner| items.open_of(owner)).copied().take(OWN_ITEMS_MAX - 1);
    for slot in own {
        if !finder.may_compare() {
            break;
        }
        match written.slip(slot, items).filter(|level| *level <= Level::OneEdit && exists(slot, finder)) {
            Some(Level::OneEdit) => return Some(Near::OneSlip),
            Some(_) => cut += 1,
            None => {}
        }
    }
    (cut > 0).then_some(Near::Piece { items: cut })
}

/// Whether a reference taken for a slip may be the number of an invoice that is not known yet: money often comes before its invoice.
pub(super) fn may_be_next(reference: &Reference, slot: Slot, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let beyond = items.beyond_newest(items.seller[slot as usize], &reference.folded, finder.today);
    beyond.is_some_and(|beyond| beyond <= NEXT_MAX)
}

/// Numbers that a seller may have given since the last that is known.
const NEXT_MAX: u64 = 200;

/// Whether the item exists on the day, in the currency and for the sellers of the payment.
pub(super) fn exists(slot: Slot, finder: &Finder<'_>) -> bool {
    let (items, at) = (&finder.snapshot.items, slot as usize);
    items.entered_date[at] <= finder.today && items.currency[at] == finder.currency && finder.sellers.contains(&items.seller[at])
}

/// Whether what is written, an item's number at `level`, is so much farther from that of `rival` that a slip cannot have led to it.
pub(super) fn tells_apart(reference: &Reference, level: Level, rival: Slot, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let folded = items.folded(rival);
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
    let apart = |theirs: &str, ours: &str| Edits::of(&normalise::ocr_class(theirs)).to(&normalise::ocr_class(ours));
    let part = items.part(rival);
    let theirs = reference.core();
    [Some(apart(theirs, normalise::core(folded))), Some(apart(&reference.folded, folded)), part.map(|part| apart(theirs, part))]
        .into_iter()
        .flatten()
        .all(|edits| edits >= slips + SLIPS_AHEAD)
}

/// Slips by which a number must be nearer than another of the same amount.
const SLIPS_AHEAD: usize = 2;

/// A reference that many numbers are compared with.
pub(super) struct Written<'r> {
    pub(super) reference: &'r Reference,
    core: Edits<'r>,
    whole: Edits<'r>,
}

impl<'r> Written<'r> {
    pub(super) fn new(reference: &'r Reference) -> Self {
        Self { reference, core: Edits::of(reference.core()), whole: Edits::of(&reference.folded) }
    }

    /// How the reference may be the number of an item with a slip.
    pub(super) fn slip(&self, slot: Slot, items: &Items) -> Option<Level> {
        let (theirs, whole) = (self.reference.core(), self.reference.folded.as_str());
        let folded = items.folded(slot);
        let (own, ours) = (normalise::prefix(folded), normalise::core(folded));
        // Other letters are another number, unless a scanner made them.
        let letters = self.reference.prefix();
        let scanned = || normalise::same_ocr_class(whole, folded);
        if !letters.is_empty() && !own.is_empty() && !letters.ends_with(own) && !own.ends_with(letters) && !scanned() {
            return None;
        }
        if whole.len() >= 4
            && whole.len() < folded.len()
            && (folded.starts_with(whole) || folded.ends_with(whole))
            && normalise::digits(whole) >= 3
        {
            return Some(Level::Cut);
        }
        if theirs.len() < 3 || ours.len() < 3 {
            return None;
        }
        let allowed = if theirs.len().min(ours.len()) < 5 { 1 } else { 2 };
        let near = |edits: &Edits<'_>, theirs: &str, ours: &str| {
            (theirs.len().abs_diff(ours.len()) <= allowed).then(|| edits.within(ours, allowed)).flatten()
        };
        let part = items.part(slot).filter(|part| part.len() >= 4);
        let edits = [
            near(&self.core, theirs, ours),
            near(&self.whole, whole, folded),
            part.and_then(|part| near(&self.core, theirs, part)),
        ];
        match edits.into_iter().flatten().min()? {
            0 | 1 => Some(Level::OneEdit),
            _ => Some(Level::TwoEdits),
        }
    }
}
