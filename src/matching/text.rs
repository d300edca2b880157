//! References in free text: lists, numbers cut by blanks, lists of endings (`10044/45/46`) and ranges (`123-125`).
//!
//! The ledger is the grammar: a run of words is a reference when an item answers it. Endings and ranges grow from the item found before them. Where a
//! text can be read in two ways both readings are returned, and the sum chooses. Words that name nothing are left alone, because text is full of
//! numbers that are none of ours.

use super::candidate::{Finder, Hit, Level};
use super::claim::{Claim, Claims, Mention};
use super::equal;
use super::limits::{REFERENCE_CHARS_MAX, TEXT_BYTES_MAX};
use super::slip::{self, Near, Written};
use super::snapshot::Slot;
use super::trail::{Trail, excerpt};
use crate::normalise;

/// Words looked at in one text.
const WORDS_MAX: usize = 400;
/// Words that one reference may be written in.
const WINDOW_MAX: usize = 5;
/// Items a range may stand for.
const RANGE_MAX: u64 = 200;
/// Digits of a number of several parts.
const COMPOSED_DIGITS_MIN: usize = 4;
/// Numbers of one customer that a beginning may still name.
const ALIKE_MAX: usize = 8;
/// Digits of an ending that replaces the last digits of the item before it.
const ENDING_MAX: usize = 6;

/// A run of letters and digits, and what stands before it.
#[derive(Clone, Copy, Debug)]
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    gap: &'t str,
}

/// Ways to read the texts of a payment, the one that reads most first; empty when nothing in them names an item.
pub(super) fn readings<'t>(texts: impl Iterator<Item = &'t str>, finder: &mut Finder<'_>, trail: &mut Trail) -> Vec<Claims> {
    for text in texts {
        let text = bounded(text, trail);
        let words = words(text);
        let mut readings: Vec<Claims> = Vec::new();
        for ranges in [true, false] {
            let mut reader = Reader {
                text,
                words: &words,
                finder,
                ranges,
                claims: Claims::default(),
                last: None,
                before: None,
                ranged: false,
            };
            reader.read();
            let (claims, ranged) = (reader.claims, reader.ranged);
            if !claims.claims.is_empty() {
                readings.push(claims);
            }
            if !ranged {
                break;
            }
        }
        if let Some(first) = readings.first() {
            trail.note("reference", format!("{} references were found in the text {:?}", first.claims.len(), excerpt(text)));
            return readings;
        }
    }
    Vec::new()
}

struct Reader<'r, 't, 'f> {
    text: &'t str,
    words: &'r [Word<'t>],
    finder: &'r mut Finder<'f>,
    /// Whether `a-b` is read as everything between.
    ranges: bool,
    claims: Claims,
    /// Item that the last reference names, where it is one.
    last: Option<Slot>,
    /// The last item that a reference named for certain.
    before: Option<Slot>,
    ranged: bool,
}

impl Reader<'_, '_, '_> {
    fn read(&mut self) {
        let mut at = 0;
        while at < self.words.len() {
            at += self.step(at);
        }
    }

    /// Reads at a word and says how many words that took.
    fn step(&mut self, at: usize) -> usize {
        let word = self.words[at];
        let whole = self.window(at);
        let written_with_letters = normalise::digits(word.text) == 0 && whole.is_some();
        if self.ranges
            && !written_with_letters
            && let Some(taken) = self.range(at)
        {
            return taken;
        }
        let ending = self.ending(at);
        match (whole, ending) {
            // A short run of digits after an item is an ending of its number rather than a number of its own; both are kept where both name something.
            (Some((1, slots, level)), Some(slot)) if level > Level::Folded => {
                let expanded = self.finder.snapshot.items.folded(slot).to_owned();
                self.add(&[&expanded, word.text], true);
                self.last = Some(slot);
                let _ = slots;
                1
            }
            (Some((taken, slots, _)), _) => {
                let raw = &self.text[word.start..self.words[at + taken - 1].end];
                self.add(&[raw], false);
                self.last = single(&slots);
                self.before = self.last.or(self.before);
                taken
            }
            (None, Some(slot)) => {
                let expanded = self.finder.snapshot.items.folded(slot).to_owned();
                self.add(&[&expanded], true);
                self.last = Some(slot);
                1
            }
            (None, None) if self.order(at) => 2,
            (None, None) => match self.composed(at) {
                Some(taken) => taken,
                None => {
                    self.weaker(at);
                    1
                }
            },
        }
    }

    /// The run of words from here that answers an item best: how many words, the items, the level.
    fn window(&mut self, at: usize) -> Option<(usize, Vec<Slot>, Level)> {
        let mut best: Option<(usize, Vec<Slot>, Level)> = None;
        for length in 1..=WINDOW_MAX.min(self.words.len() - at) {
            let last = self.words[at + length - 1];
            if length > 1 && separates(last.gap) {
                break;
            }
            let raw = &self.text[self.words[at].start..last.end];
            if raw.len() > REFERENCE_CHARS_MAX || normalise::digits(raw) < 3 {
                continue;
            }
            let found = self.finder.named(raw);
            let Some(level) = found.iter().map(|(_, level)| *level).min() else { continue };
            // Words before a number are no part of it unless the number is written with them.
            let starts_with_word = normalise::digits(self.words[at].text) == 0;
            if starts_with_word && level > Level::Folded {
                continue;
            }
            if best.as_ref().is_none_or(|(_, _, known)| level < *known) {
                let slots = found.into_iter().filter(|(_, other)| *other == level).map(|(slot, _)| slot).collect();
                best = Some((length, slots, level));
            }
        }
        best
    }

    /// The item whose number ends with these digits and otherwise equals that of the item before.
    fn ending(&mut self, at: usize) -> Option<Slot> {
        let word = self.words[at];
        let base = self.finder.snapshot.items.folded(self.last?).to_owned();
        let digits = word.text;
        if !normalise::is_plain_number(digits) || digits.len() >= base.len() || digits.len() > ENDING_MAX {
            return None;
        }
        let kept = base.get(..base.len() - digits.len()).filter(|_| base.is_ascii())?;
        let replaced = &base[kept.len()..];
        if !normalise::is_plain_number(replaced) || kept.is_empty() || replaced == digits {
            return None;
        }
        self.sibling(&format!("{kept}{digits}"))
    }

    /// An item with exactly this folded number that belongs to the customer of the item before.
    fn sibling(&mut self, folded: &str) -> Option<Slot> {
        let items = &self.finder.snapshot.items;
        let owner = items.customer[self.last? as usize];
        let found = self.finder.named(folded);
        found
            .into_iter()
            .find(|(slot, level)| *level <= Level::Folded && items.customer[*slot as usize] == owner)
            .map(|(slot, _)| slot)
    }

    /// `INV-123-127`, `123 THRU 127`: everything of the customer from the item before up to here.
    fn range(&mut self, at: usize) -> Option<usize> {
        let base = self.last?;
        let word = self.words[at];
        let joined = word.gap.trim() == "-" || word.gap.trim() == "–";
        // One word in any language may stand between the two ends.
        let (end_at, taken) = match joined {
            true => (at, 1),
            false if normalise::digits(word.text) == 0 && word.text.len() <= 7 && !separates(word.gap) => (at + 1, 2),
            false => return None,
        };
        let end = self.end_of_range(end_at, base)?;
        let slots = self.between(base, end)?;
        self.ranged = true;
        for slot in &slots {
            let folded = self.finder.snapshot.items.folded(*slot).to_owned();
            self.add(&[&folded], true);
        }
        self.last = slots.last().copied();
        let extra = self.window(end_at).map_or(1, |(length, _, _)| length);
        Some(taken - 1 + extra.max(1))
    }

    fn end_of_range(&mut self, at: usize, base: Slot) -> Option<Slot> {
        let word = self.words.get(at)?;
        if normalise::digits(word.text) == 0 && self.window(at).is_none() {
            return None;
        }
        let owner = self.finder.snapshot.items.customer[base as usize];
        let whole = self.window(at).and_then(|(_, slots, _)| {
            slots.into_iter().find(|slot| self.finder.snapshot.items.customer[*slot as usize] == owner)
        });
        self.ending(at).or(whole)
    }

    /// Items of one customer whose numbers lie between two numbers of one form, without the first.
    fn between(&mut self, first: Slot, last: Slot) -> Option<Vec<Slot>> {
        let items = &self.finder.snapshot.items;
        let (low, high) = (items.folded(first), items.folded(last));
        let digits = low.bytes().rev().take_while(u8::is_ascii_digit).count().min(15);
        let (stem, from) = low.split_at_checked(low.len() - digits)?;
        let (other, to) = high.split_at_checked(high.len().checked_sub(digits)?)?;
        let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
        if stem != other || low.len() != high.len() || to <= from || to - from > RANGE_MAX {
            return None;
        }
        let stem = stem.to_owned();
        let found: Vec<Slot> = (from + 1..=to).filter_map(|number| self.sibling(&format!("{stem}{number:0digits$}"))).collect();
        (!found.is_empty()).then_some(found)
    }

    /// An order or bill of lading whose letters are written before its digits: `PO-4711` is no invoice 4711.
    fn order(&mut self, at: usize) -> bool {
        let word = self.words[at];
        let Some(next) = self.words.get(at + 1).filter(|next| normalise::digits(word.text) == 0 && !separates(next.gap)) else {
            return false;
        };
        let raw = &self.text[word.start..next.end];
        let Some(mention) = Mention::new(raw, self.finder.rules).filter(|_| normalise::digits(raw) >= 3) else { return false };
        let claim = Claim { mentions: vec![mention], ..Claim::default() };
        let folded = normalise::fold(raw);
        let items = &self.finder.snapshot.items;
        let named = |slot: Slot| items.po(slot) == folded || items.bol(slot) == folded || items.pro(slot) == folded;
        let hits = self.finder.hits(&claim).hits;
        let meant = |hit: &Hit| hit.standing.is_pointed() || self.finder.equal.contains(&hit.slot);
        let own = hits.iter().any(|hit| hit.open && meant(hit) && named(hit.slot));
        if own {
            self.add(&[raw], false);
            self.last = None;
        }
        own
    }

    /// A number of several parts with a slip in it: its parts by themselves would name others.
    fn composed(&mut self, at: usize) -> Option<usize> {
        for length in (2..=WINDOW_MAX.min(self.words.len() - at)).rev() {
            let words = &self.words[at..at + length];
            let joined = words[1..].iter().all(|word| matches!(word.gap, "-" | "." | "/" | "_"));
            let raw = &self.text[words[0].start..words[length - 1].end];
            let digits = normalise::digits(raw);
            if !joined || digits < COMPOSED_DIGITS_MIN || raw.len() > REFERENCE_CHARS_MAX {
                continue;
            }
            let Some(mention) = Mention::new(raw, self.finder.rules) else { continue };
            let owners = self.owners();
            if slip::resembling(&mention.reference, owners, self.finder) == Some(Near::OneSlip) {
                self.add(&[raw], false);
                self.last = None;
                return Some(length);
            }
        }
        None
    }

    /// Customers whose numbers a word with a slip may be: those strongly pointed to, and the owner of what was named before.
    fn owners(&self) -> Vec<u32> {
        let items = &self.finder.snapshot.items;
        let pointed = self.finder.payer.strong().into_iter().map(|pointed| pointed.number);
        let mut owners: Vec<u32> = pointed.chain(self.before.map(|slot| items.customer[slot as usize])).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// A word that is part of a number, an order or a bill of lading of the payer's own, or a number with a slip; otherwise it is remembered as not understood.
    fn weaker(&mut self, at: usize) {
        let word = self.words[at].text;
        if normalise::digits(word) < 3 || word.len() > REFERENCE_CHARS_MAX {
            return;
        }
        let Some(mention) = Mention::new(word, self.finder.rules) else { return };
        let claim = Claim { mentions: vec![mention], ..Claim::default() };
        let hits = self.finder.hits(&claim).hits;
        let own = hits.iter().any(|hit| hit.open && (hit.standing.is_pointed() || self.finder.equal.contains(&hit.slot)));
        let (written, equal) = (Written::new(&claim.mentions[0].reference), &self.finder.equal);
        let alone = equal.iter().any(|slot| equal::resembles(&written, *slot, equal.len(), self.finder).is_some());
        // Where many numbers begin alike, a beginning names none of them.
        let names = |near: Near| match near {
            Near::OneSlip => true,
            Near::Piece { items } => items <= ALIKE_MAX,
        };
        let owners = self.owners();
        if own || alone || slip::resembling(&claim.mentions[0].reference, owners, self.finder).is_some_and(names) {
            self.add(&[word], false);
            self.last = None;
        } else {
            self.claims.unread.push(word.to_owned());
        }
    }

    /// Adds a claim, each item once. An expanded reference is never worth more than a range.
    fn add(&mut self, names: &[&str], expanded: bool) {
        let mentions: Vec<Mention> = names.iter().filter_map(|name| Mention::new(name, self.finder.rules)).collect();
        let Some(first) = mentions.first() else { return };
        let folded = &first.reference.folded;
        let known =
            self.claims.claims.iter().any(|claim| claim.mentions.first().is_some_and(|other| other.reference.folded == *folded));
        if !known {
            self.claims.claims.push(Claim { mentions, expanded, ..Claim::default() });
        }
    }
}

fn single(slots: &[Slot]) -> Option<Slot> {
    match slots {
        [one] => Some(*one),
        _ => None,
    }
}

/// Signs that stand between references and never inside one.
fn separates(gap: &str) -> bool {
    gap.contains([',', ';', '&', '+', '|', '(', ')', '\n'])
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut end_of_last = 0;
    let mut start = None;
    for (place, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(place),
            (false, Some(begun)) => {
                words.push(Word { text: &text[begun..place], start: begun, end: place, gap: &text[end_of_last..begun] });
                end_of_last = place;
                start = None;
            }
            _ => {}
        }
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    words
}

fn bounded<'t>(text: &'t str, trail: &mut Trail) -> &'t str {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    trail
        .note("reference", format!("the text has {} bytes; the first {TEXT_BYTES_MAX} were searched for references", text.len()));
    let end = (0..=TEXT_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}
