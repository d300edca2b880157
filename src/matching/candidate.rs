//! Which items a reference may name.
//!
//! Levels run from the item's number as written to forms that dropped more and more, then to order, bill of lading and PRO. A reference is never
//! searched for inside a number: `1` is not INV-1001.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use chrono::{Days, NaiveDate};

use super::claim::{Claim, Mention};
use super::limits::{CANDIDATES_MAX, COMPARISONS_MAX, LETTER_BY_LETTER};
use super::payer::{PayerView, Pointed, Standing};
use super::snapshot::{Hashed, Kind, Slot, Snapshot};
use crate::domain::{Currency, ItemStatus, Payment, PaymentId, SellerId};
use crate::normalise::{self, Reference};
use crate::rules::{Fact, RuleSet, StepKind, View};

/// How a reference answers an item, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    /// Character for character.
    Exact,
    /// But for case and separators.
    Folded,
    /// Without prefix and leading zeros.
    Core,
    /// A part of the number, or the number among other words.
    Part,
    PurchaseOrder,
    BillOfLading,
    Pro,
    /// Written as an ending or inside a range.
    Range,
    /// But for characters that scanners confuse.
    Scanned,
    /// A beginning or an end of the number.
    Cut,
    OneEdit,
    TwoEdits,
    /// The reference names nothing, and one item has the amount.
    AmountOnly,
}

impl Level {
    pub(super) const ALL: [Self; 13] = [
        Self::Exact,
        Self::Folded,
        Self::Core,
        Self::Part,
        Self::PurchaseOrder,
        Self::BillOfLading,
        Self::Pro,
        Self::Range,
        Self::Scanned,
        Self::Cut,
        Self::OneEdit,
        Self::TwoEdits,
        Self::AmountOnly,
    ];

    pub(super) const fn points_milli(self) -> i64 {
        match self {
            Self::Exact => 9_000,
            Self::Folded => 8_500,
            Self::Core => 6_500,
            Self::Part => 5_000,
            Self::PurchaseOrder | Self::BillOfLading | Self::Pro => 5_500,
            Self::Range => 5_000,
            Self::Scanned => 4_000,
            Self::Cut | Self::OneEdit => 3_500,
            // A second slip is as rare as the first.
            Self::TwoEdits => 500,
            Self::AmountOnly => -2_000,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Folded => "folded",
            Self::Core => "core",
            Self::Part => "part",
            Self::PurchaseOrder => "po",
            Self::BillOfLading => "bol",
            Self::Pro => "pro",
            Self::Range => "range",
            Self::Scanned => "scanned",
            Self::Cut => "cut",
            Self::OneEdit => "one_edit",
            Self::TwoEdits => "two_edits",
            Self::AmountOnly => "amount_only",
        }
    }

    pub(super) const fn fact(self) -> Fact {
        match self {
            Self::Exact => Fact::ReferenceExact,
            Self::Folded => Fact::ReferenceFolded,
            Self::Core => Fact::ReferenceCore,
            Self::Part => Fact::ReferencePart,
            Self::PurchaseOrder | Self::BillOfLading | Self::Pro => Fact::ReferenceCross,
            Self::Range => Fact::ReferenceRange,
            Self::Scanned => Fact::ReferenceScanned,
            Self::Cut | Self::OneEdit | Self::TwoEdits => Fact::ReferenceFuzzy,
            Self::AmountOnly => Fact::OneItemEqual,
        }
    }

    /// An order, bill of lading or PRO may stand for several items.
    pub(super) const fn names_several(self) -> bool {
        matches!(self, Self::PurchaseOrder | Self::BillOfLading | Self::Pro)
    }

    /// Strong enough that a closed item behind it blocks posting elsewhere.
    pub(super) const fn blocks_when_closed(self) -> bool {
        matches!(self, Self::Exact | Self::Folded)
    }
}

/// An item that a reference may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) slot: Slot,
    pub(super) level: Level,
    pub(super) standing: Standing,
    /// Which of the claim's mentions found it.
    pub(super) mention: usize,
    pub(super) open: bool,
}

/// What the references of one claim found.
#[derive(Clone, Debug, Default)]
pub(super) struct Hits {
    /// By level, then by how the payer stands to the owner, then by item id.
    pub(super) hits: Vec<Hit>,
    /// The bound that was met, where one was.
    pub(super) bound: Option<String>,
    /// Items in another currency that a reference names; they are no candidates.
    pub(super) other_currency: Vec<Slot>,
}

/// Looks references up for one payment.
pub(super) struct Finder<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RuleSet,
    /// The rules as they apply to the payer, where one customer is known to be it.
    view: View<'a>,
    pub(super) payer: &'a PayerView,
    pub(super) sellers: Vec<SellerId>,
    pub(super) currency: Currency,
    pub(super) today: NaiveDate,
    /// The payment that is decided.
    pub(super) payment: PaymentId,
    /// When the money came: who may pay for whom is judged by that day, however late it is decided.
    pub(super) came: NaiveDate,
    /// Items of anybody that alone take the cash; for the words of a text.
    pub(super) equal: Vec<Slot>,
    standings: HashMap<u32, Standing, BuildHasherDefault<Hashed>>,
    comparisons: u32,
}

impl<'a> Finder<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        rules: &'a RuleSet,
        payer: &'a PayerView,
        payment: &Payment,
        today: NaiveDate,
    ) -> Self {
        let Payment { id: payment, seller, currency, business_day: came, .. } = *payment;
        let sellers = seller.map_or_else(|| snapshot.items.sellers.clone(), |seller| vec![seller]);
        let known = match payer.strong().as_slice() {
            [one] => Some(snapshot.customers.code(one.number)),
            _ => None,
        };
        let view = rules.for_customer(known);
        let equal = Vec::new();
        let standings = HashMap::default();
        Self { snapshot, rules, view, payer, sellers, currency, today, payment, came, equal, standings, comparisons: 0 }
    }

    /// Whether the cascade has a way to find what the payer pays.
    pub(super) fn tries(&self, step: StepKind) -> bool {
        self.view.tries(step)
    }

    /// Whether an earlier payment that nobody has decided names the item.
    pub(super) fn is_spoken_for(&self, slot: Slot) -> bool {
        self.snapshot.spoken_for.has(slot, self.payment, &self.snapshot.items)
    }

    /// How the payer stands to the owner of an item.
    pub(super) fn standing(&mut self, slot: Slot) -> Standing {
        let owner = self.snapshot.items.customer[slot as usize];
        let (snapshot, rules, payer, came) = (self.snapshot, self.rules, self.payer, self.came);
        *self.standings.entry(owner).or_insert_with(|| payer.standing(owner, snapshot, rules, came).0)
    }

    /// What points to the payer through whom it may pay for the owner of an item.
    pub(super) fn pointed(&self, slot: Slot) -> Option<&'a Pointed> {
        let owner = self.snapshot.items.customer[slot as usize];
        self.payer.standing(owner, self.snapshot, self.rules, self.came).1
    }

    /// Whether one more number may be compared with a reference letter by letter, which costs as much as a few that are looked up.
    pub(super) fn may_compare(&mut self) -> bool {
        self.comparisons = self.comparisons.saturating_add(LETTER_BY_LETTER);
        self.comparisons <= COMPARISONS_MAX
    }

    /// The bound of comparisons, where it was met.
    pub(super) fn bound(&self) -> Option<String> {
        (self.comparisons > COMPARISONS_MAX)
            .then(|| format!("more than {COMPARISONS_MAX} items had to be compared with the references of this payment"))
    }

    /// Every item the references of a claim may name.
    pub(super) fn hits(&mut self, claim: &Claim) -> Hits {
        let mut found = Hits::default();
        let mut best: Vec<(Slot, Level, usize)> = Vec::new();
        for (index, mention) in claim.mentions.iter().enumerate() {
            self.look_up(mention, claim.expanded && index == 0, &mut |slot, level| best.push((slot, level, index)));
            found.bound = self.bound();
            if found.bound.is_some() {
                return found;
            }
        }
        // The best of each item.
        best.sort_unstable();
        best.dedup_by_key(|(slot, ..)| *slot);
        self.sift(best, &mut found);
        if found.hits.len() > CANDIDATES_MAX {
            let raw = claim.mentions.first().map_or("", |mention| mention.reference.raw.as_str());
            found.bound =
                Some(format!("{} items answer the reference {raw:?}; at most {CANDIDATES_MAX} are weighed", found.hits.len()));
            found.hits.truncate(CANDIDATES_MAX);
        }
        found
    }

    /// Keeps what exists on the day, in the currency, and what level and payer allow.
    fn sift(&mut self, best: Vec<(Slot, Level, usize)>, found: &mut Hits) {
        let items = &self.snapshot.items;
        let closed_after = self.today.checked_sub_days(Days::new(u64::from(self.rules.engine.visibility.closed_days)));
        for (slot, level, mention) in best {
            let at = slot as usize;
            let open = items.is_open(slot);
            let forgotten = !open && items.closed_date[at].zip(closed_after).is_some_and(|(closed, after)| closed < after);
            if items.entered_date[at] > self.today
                || forgotten
                || (items.status[at] == ItemStatus::Cancelled && level > Level::Folded)
            {
                continue;
            }
            if items.currency[at] != self.currency {
                found.other_currency.push(slot);
                continue;
            }
            let standing = self.standing(slot);
            found.hits.push(Hit { slot, level, standing, mention, open });
        }
        // A part of a number names an item only among the payer's own, or when it is long and nothing else answers.
        let known_payer = found.hits.iter().any(|hit| hit.level == Level::Part && hit.standing >= Standing::Resembles);
        let parts = found.hits.iter().filter(|hit| hit.level == Level::Part).count();
        found.hits.retain(|hit| {
            let own = hit.standing >= Standing::Resembles;
            hit.level != Level::Part || own || (!known_payer && parts <= 3 && hit.standing != Standing::Stranger)
        });
        found.hits.sort_by_key(|hit| (hit.level, std::cmp::Reverse(hit.standing), items.id[hit.slot as usize]));
        found.other_currency.sort_by_key(|slot| items.id[*slot as usize]);
    }

    /// Items that exist and whose own number a text writes, with the level; the payer's own where there are any.
    pub(super) fn named(&mut self, raw: &str) -> Vec<(Slot, Level)> {
        let reference = Reference::new(raw);
        let forms = Forms::of(&reference);
        let mut best: Vec<(Slot, Level)> = Vec::new();
        for at in 0..self.sellers.len() {
            self.by_number(&forms, self.sellers[at], None, &mut |slot, level| best.push((slot, level)));
        }
        best.sort_unstable();
        best.dedup_by_key(|(slot, _)| *slot);
        let items = &self.snapshot.items;
        let mut found: Vec<(Slot, Level, Standing)> = Vec::new();
        for (slot, level) in best {
            let at = slot as usize;
            if items.entered_date[at] <= self.today && items.currency[at] == self.currency && level <= Level::Core {
                found.push((slot, level, self.standing(slot)));
            }
        }
        if found.iter().any(|(_, _, standing)| standing.is_pointed()) {
            found.retain(|(_, _, standing)| standing.is_pointed());
        }
        // A stranger's item is named only by its full number.
        found.retain(|(_, level, standing)| *standing != Standing::Stranger || *level <= Level::Folded);
        found.sort_by_key(|(slot, level, _)| (*level, items.id[*slot as usize]));
        found.into_iter().map(|(slot, level, _)| (slot, level)).collect()
    }

    fn look_up(&mut self, mention: &Mention, expanded: bool, found: &mut dyn FnMut(Slot, Level)) {
        let reference = &mention.reference;
        let (forms, cleaned) = (Forms::of(reference), mention.cleaned.as_ref().map(Forms::of));
        let grams = grams(reference);
        for at in 0..self.sellers.len() {
            let seller = self.sellers[at];
            self.by_number(&forms, seller, expanded.then_some(Level::Range), found);
            if expanded {
                continue;
            }
            self.by_grams(reference, &grams, seller, found);
            if let Some(cleaned) = &cleaned {
                self.by_number(cleaned, seller, Some(Level::Core), found);
            }
            self.by_part(reference, seller, found);
            for cross in
                [(Kind::PurchaseOrder, Level::PurchaseOrder), (Kind::BillOfLading, Level::BillOfLading), (Kind::Pro, Level::Pro)]
            {
                self.by_cross(reference, &grams, seller, cross, found);
            }
        }
    }

    /// By the item's own number; `floor` is the best level that a reference cleaned by a rule may claim.
    fn by_number(&mut self, forms: &Forms<'_>, seller: SellerId, floor: Option<Level>, found: &mut dyn FnMut(Slot, Level)) {
        let items = &self.snapshot.items;
        let (folded, core) = (forms.reference.folded.as_str(), forms.reference.core());
        let scanned_core = &forms.scanned[forms.scanned.len() - core.len()..];
        let keys = [folded, core, &forms.without_zeros, &forms.scanned, scanned_core];
        for (at, key) in keys.iter().enumerate() {
            if key.is_empty() || keys[..at].contains(key) {
                continue;
            }
            for &slot in items.filed(Kind::Number, seller, key) {
                self.comparisons += 1;
                if let Some(level) = self.number_level(&forms.reference.raw, folded, &forms.without_zeros, slot) {
                    found(slot, floor.map_or(level, |floor| level.max(floor)));
                }
            }
        }
    }

    /// By a number among other words.
    fn by_grams(&mut self, reference: &Reference, grams: &[&str], seller: SellerId, found: &mut dyn FnMut(Slot, Level)) {
        let items = &self.snapshot.items;
        for gram in grams.iter().copied() {
            for key in [gram, normalise::core(gram)] {
                for &slot in items.filed(Kind::Number, seller, key) {
                    self.comparisons += 1;
                    let named = self.number_level(gram, gram, "", slot).filter(|level| *level <= Level::Core);
                    if let Some(level) = named.filter(|_| !self.prefix_of_other(reference.prefix(), slot)) {
                        // A whole long number among other words needs no help.
                        let whole = level <= Level::Folded && normalise::digits(gram) >= WHOLE_DIGITS_MIN;
                        found(slot, if whole { Level::Core } else { Level::Part });
                    }
                }
            }
        }
    }

    /// At which level a reference is the number of an item; equal hashes of different texts end here.
    fn number_level(&self, raw: &str, written: &str, without_zeros: &str, slot: Slot) -> Option<Level> {
        let items = &self.snapshot.items;
        let folded = items.folded(slot);
        if items.number(slot).trim() == raw {
            return Some(Level::Exact);
        }
        if folded == written {
            return Some(Level::Folded);
        }
        let (ours, theirs) = (normalise::core(folded), normalise::core(written));
        let same_core = !theirs.is_empty() && ours == theirs;
        let same_without_zeros =
            || !without_zeros.is_empty() && Reference::new(items.number(slot)).without_part_zeros() == without_zeros;
        if same_core || same_without_zeros() {
            return self.core_is_safe(written, slot).then_some(Level::Core);
        }
        let alike = normalise::same_ocr_class(folded, written) || (theirs.len() >= 4 && normalise::same_ocr_class(ours, theirs));
        alike.then_some(Level::Scanned)
    }

    /// A-00123 is not B-00123; and a core of one to three characters says little about a stranger's item.
    fn core_is_safe(&self, written: &str, slot: Slot) -> bool {
        let owner = self.snapshot.items.customer[slot as usize];
        let own = || self.payer.standing(owner, self.snapshot, self.rules, self.came).0 >= Standing::Resembles;
        !self.prefix_of_other(normalise::prefix(written), slot) && (normalise::core(written).len() >= 4 || own())
    }

    /// By the part of a number that people write alone.
    fn by_part(&mut self, reference: &Reference, seller: SellerId, found: &mut dyn FnMut(Slot, Level)) {
        let core = reference.core();
        if reference.parts() != 1 || normalise::digits(core) < 3 {
            return;
        }
        let items = &self.snapshot.items;
        for &slot in items.filed(Kind::Part, seller, core) {
            self.comparisons += 1;
            if items.part(slot) == Some(core) && !self.prefix_of_other(reference.prefix(), slot) {
                found(slot, Level::Part);
            }
        }
    }

    /// Whether the letters before the number say that it is another one. Words written before the item's own letters, and letters cut at the front, do not.
    fn prefix_of_other(&self, theirs: &str, slot: Slot) -> bool {
        let items = &self.snapshot.items;
        let ours = normalise::prefix(items.folded(slot));
        let compatible = theirs.is_empty() || theirs.ends_with(ours) && !ours.is_empty() || ours.ends_with(theirs);
        !compatible && (!ours.is_empty() || items.knows_prefix(items.seller[slot as usize], theirs))
    }

    /// By order, bill of lading or PRO. Such a number is unique only together with the partner.
    fn by_cross(
        &mut self,
        reference: &Reference,
        grams: &[&str],
        seller: SellerId,
        (kind, level): (Kind, Level),
        found: &mut dyn FnMut(Slot, Level),
    ) {
        let items = &self.snapshot.items;
        let ours = |slot: Slot| match kind {
            Kind::PurchaseOrder => items.po(slot),
            Kind::BillOfLading => items.bol(slot),
            _ => items.pro(slot),
        };
        for key in std::iter::once(reference.folded.as_str()).chain(grams.iter().copied()) {
            if normalise::digits(key) < 3 {
                continue;
            }
            for &slot in items.filed(kind, seller, key) {
                self.comparisons += 1;
                if ours(slot) == key {
                    found(slot, level);
                }
            }
        }
    }
}

/// Digits of a number that is told from dates and counts around it.
const WHOLE_DIGITS_MIN: usize = 6;

/// A reference with the forms under which numbers are filed.
struct Forms<'r> {
    reference: &'r Reference,
    without_zeros: Cow<'r, str>,
    scanned: Cow<'r, str>,
}

impl<'r> Forms<'r> {
    fn of(reference: &'r Reference) -> Self {
        Self { reference, without_zeros: reference.without_part_zeros(), scanned: normalise::ocr_class(&reference.folded) }
    }
}

/// Runs of neighbouring parts, shorter than the whole and with four digits or more: `INVOICE NO INV 010443` holds `INV010443`.
fn grams(reference: &Reference) -> Vec<&str> {
    let parts = reference.parts();
    let mut grams = Vec::new();
    for start in 0..parts {
        for end in start + 1..=parts {
            let gram = reference.joined(start, end);
            if end - start < parts && normalise::digits(gram) >= 4 && !grams.contains(&gram) {
                grams.push(gram);
            }
        }
    }
    grams
}
