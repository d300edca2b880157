//! Open items as a struct of arrays: the engine reads a few columns of many items, never many columns of all.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::ops::Range;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::index::{Hashed, Index, Kind, key};
use crate::domain::{Currency, ItemKind, ItemStatus, OpenItem, OpenItemId, SellerId, TermsOfPayment};
use crate::normalise::{self, Reference};

/// Internal number of an item: its row in every column.
pub(in crate::matching) type Slot = u32;

/// Columns and indexes of all items the engine may see.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Items {
    slots: HashMap<OpenItemId, Slot, BuildHasherDefault<Hashed>>,
    pub(in crate::matching) id: Vec<OpenItemId>,
    pub(in crate::matching) seller: Vec<SellerId>,
    /// Internal number of the customer.
    pub(in crate::matching) customer: Vec<u32>,
    pub(in crate::matching) kind: Vec<ItemKind>,
    pub(in crate::matching) status: Vec<ItemStatus>,
    pub(in crate::matching) currency: Vec<Currency>,
    pub(in crate::matching) amount_minor: Vec<i64>,
    pub(in crate::matching) open_minor: Vec<i64>,
    pub(in crate::matching) exempt_minor: Vec<i64>,
    pub(in crate::matching) issue_date: Vec<NaiveDate>,
    pub(in crate::matching) entered_date: Vec<NaiveDate>,
    pub(in crate::matching) due_date: Vec<NaiveDate>,
    pub(in crate::matching) closed_date: Vec<Option<NaiveDate>>,
    terms: Vec<u32>,
    terms_table: Vec<TermsOfPayment>,
    written: Vec<Written>,
    texts: String,
    index: Index,
    /// Open items by customer.
    open_of: Vec<Vec<Slot>>,
    pub(in crate::matching) sellers: Vec<SellerId>,
    /// How many numbers of a seller begin with these letters.
    prefixes: HashMap<SellerId, HashMap<String, u32>>,
    /// Numbers of a seller with so many characters after these letters.
    forms: HashMap<(SellerId, String, usize), Form>,
}

/// Numbers of one form.
#[derive(Clone, Debug, Default)]
struct Form {
    /// How many there are.
    count: u32,
    /// The largest by the day it was entered.
    newest: BTreeMap<NaiveDate, u64>,
}

/// The digits of a folded number as one number; nothing where they are too many.
fn digits_of(folded: &str) -> Option<u64> {
    let digits = folded.bytes().filter(u8::is_ascii_digit);
    digits.map(|digit| u64::from(digit - b'0')).try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(digit))
}

fn form(seller: SellerId, folded: &str) -> (SellerId, String, usize) {
    let letters = normalise::prefix(folded);
    (seller, letters.to_owned(), folded.len() - letters.len())
}

/// Where the texts of an item stand among all texts, one after the other. A million items take 30 MB less than with a place for each text.
#[derive(Clone, Copy, Debug)]
struct Written {
    start: u32,
    number: u16,
    /// [`SAME`] where the number is folded already, as most are.
    folded: u16,
    /// Place and length, within the folded number, of the core of the part that people write alone; [`SAME`] where the number has one part.
    part: (u16, u16),
    po: u16,
    bol: u16,
    pro: u16,
}

/// No length of its own.
const SAME: u16 = u16::MAX;
/// Bytes kept of a text; one that is longer is no number.
const TEXT_BYTES_MAX: usize = u16::MAX as usize - 1;

impl Written {
    /// No texts at all.
    const NOTHING: Self = Self { start: 0, number: 0, folded: SAME, part: (SAME, 0), po: 0, bol: 0, pro: 0 };

    fn at(self, lengths_before: &[u16], length: u16) -> Range<usize> {
        let before = lengths_before.iter().map(|length| usize::from(*length)).sum::<usize>();
        let start = self.start as usize + before;
        start..start + usize::from(length)
    }

    fn own_folded(self) -> u16 {
        if self.folded == SAME { 0 } else { self.folded }
    }

    fn number(self) -> Range<usize> {
        self.at(&[], self.number)
    }

    fn folded(self) -> Range<usize> {
        if self.folded == SAME { self.number() } else { self.at(&[self.number], self.folded) }
    }

    fn part(self) -> Option<Range<usize>> {
        let start = self.folded().start + usize::from(self.part.0);
        (self.part.0 != SAME).then(|| start..start + usize::from(self.part.1))
    }

    fn po(self) -> Range<usize> {
        self.at(&[self.number, self.own_folded()], self.po)
    }

    fn bol(self) -> Range<usize> {
        self.at(&[self.number, self.own_folded(), self.po], self.bol)
    }

    fn pro(self) -> Range<usize> {
        self.at(&[self.number, self.own_folded(), self.po, self.bol], self.pro)
    }
}

impl Items {
    /// Brings an item up to date, or adds it. `customer` is the internal number of its customer.
    pub(in crate::matching) fn upsert(&mut self, item: &OpenItem, customer: u32) {
        let Some(&slot) = self.slots.get(&item.id) else { return self.append(item, customer) };
        let at = slot as usize;
        self.unfile_amount(slot);
        let renamed = self.number(slot) != item.number
            || self.seller[at] != item.seller
            || self.customer[at] != customer
            || [(self.po(slot), &item.po), (self.bol(slot), &item.bol), (self.pro(slot), &item.pro)]
                .iter()
                .any(|(known, text)| *known != normalise::fold(text.as_deref().unwrap_or_default()));
        if renamed {
            self.unfile_texts(slot);
            self.write_texts(at, item);
        }
        self.seller[at] = item.seller;
        self.customer[at] = customer;
        self.write_values(at, item);
        if renamed {
            self.file_texts(slot);
        }
        self.file_amount(slot);
    }

    /// Takes off an item what a posting closes of it.
    pub(in crate::matching) fn settle(&mut self, id: OpenItemId, closes_minor: i64, day: NaiveDate) {
        let Some(slot) = self.slot(id) else { return };
        let at = slot as usize;
        self.unfile_amount(slot);
        self.open_minor[at] = self.open_minor[at].saturating_sub(closes_minor);
        if self.open_minor[at] == 0 {
            self.status[at] = ItemStatus::Closed;
            self.closed_date[at] = Some(day);
        }
        self.file_amount(slot);
    }

    pub(in crate::matching) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(in crate::matching) fn slot(&self, id: OpenItemId) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    /// The number as our ERP writes it.
    pub(in crate::matching) fn number(&self, slot: Slot) -> &str {
        &self.texts[self.written[slot as usize].number()]
    }

    pub(in crate::matching) fn folded(&self, slot: Slot) -> &str {
        &self.texts[self.written[slot as usize].folded()]
    }

    /// Core of the part of the number that people write alone; `None` where the number has one part.
    pub(in crate::matching) fn part(&self, slot: Slot) -> Option<&str> {
        self.written[slot as usize].part().map(|part| &self.texts[part])
    }

    /// Purchase order, folded; empty when there is none.
    pub(in crate::matching) fn po(&self, slot: Slot) -> &str {
        &self.texts[self.written[slot as usize].po()]
    }

    pub(in crate::matching) fn bol(&self, slot: Slot) -> &str {
        &self.texts[self.written[slot as usize].bol()]
    }

    pub(in crate::matching) fn pro(&self, slot: Slot) -> &str {
        &self.texts[self.written[slot as usize].pro()]
    }

    pub(in crate::matching) fn terms(&self, slot: Slot) -> &TermsOfPayment {
        &self.terms_table[self.terms[slot as usize] as usize]
    }

    pub(in crate::matching) fn is_open(&self, slot: Slot) -> bool {
        self.status[slot as usize] == ItemStatus::Open && self.open_minor[slot as usize] != 0
    }

    /// Slots filed under a folded text of the kind, within one seller. The caller compares the text.
    pub(in crate::matching) fn filed(&self, kind: Kind, seller: SellerId, folded: &str) -> &[Slot] {
        self.index.get(key(kind, scope(seller), folded.as_bytes()))
    }

    /// Open items of one customer and seller with exactly this open amount.
    pub(in crate::matching) fn with_open_amount(
        &self,
        customer: u32,
        seller: SellerId,
        currency: Currency,
        open_minor: i64,
    ) -> &[Slot] {
        self.index.get(amount_key(customer, seller, currency, open_minor))
    }

    /// Open items of one seller with exactly this open amount, whoever owes them.
    pub(in crate::matching) fn with_amount(&self, seller: SellerId, currency: Currency, open_minor: i64) -> &[Slot] {
        self.index.get(any_amount_key(seller, currency, open_minor))
    }

    /// The discounts that terms of the ledger grant, in percent, each once.
    pub(in crate::matching) fn discount_percents(&self) -> Vec<Decimal> {
        let mut percents: Vec<Decimal> = self.terms_table.iter().filter_map(|terms| terms.discount_percent).collect();
        percents.sort_unstable();
        percents.dedup();
        percents
    }

    /// Open items of one customer, of all sellers.
    pub(in crate::matching) fn open_of(&self, customer: u32) -> &[Slot] {
        self.open_of.get(customer as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether the seller has numbers that begin with these letters.
    pub(in crate::matching) fn knows_prefix(&self, seller: SellerId, letters: &str) -> bool {
        self.prefixes.get(&seller).is_some_and(|known| known.contains_key(letters))
    }

    /// Whether a folded reference is written like the seller's numbers: the same letters before as many characters.
    pub(in crate::matching) fn knows_form(&self, seller: SellerId, folded: &str) -> bool {
        self.forms.contains_key(&form(seller, folded))
    }

    /// By how much a folded reference is beyond the largest number of its form that the seller had given on a day; nothing where it is not.
    pub(in crate::matching) fn beyond_newest(&self, seller: SellerId, folded: &str, day: NaiveDate) -> Option<u64> {
        let newest = self.forms.get(&form(seller, folded))?.newest.range(..=day).map(|(_, number)| *number).max()?;
        digits_of(folded)?.checked_sub(newest).filter(|beyond| *beyond > 0)
    }

    fn append(&mut self, item: &OpenItem, customer: u32) {
        let at = self.id.len();
        let slot = Slot::try_from(at).expect("fewer than two billion items fit in memory");
        self.slots.insert(item.id, slot);
        self.id.push(item.id);
        self.seller.push(item.seller);
        self.customer.push(customer);
        self.kind.push(item.kind);
        self.status.push(item.status);
        self.currency.push(item.currency);
        self.amount_minor.push(item.amount_minor);
        self.open_minor.push(item.open_minor);
        self.exempt_minor.push(item.discount_exempt_minor);
        self.issue_date.push(item.issue_date);
        self.entered_date.push(item.entered_date);
        self.due_date.push(item.due_date);
        self.closed_date.push(item.closed_date);
        let terms = self.intern_terms(&item.terms);
        self.terms.push(terms);
        self.written.push(Written::NOTHING);
        if !self.sellers.contains(&item.seller) {
            self.sellers.push(item.seller);
            self.sellers.sort_unstable();
        }
        self.write_texts(at, item);
        self.file_texts(slot);
        self.file_amount(slot);
    }

    fn write_values(&mut self, at: usize, item: &OpenItem) {
        self.kind[at] = item.kind;
        self.status[at] = item.status;
        self.currency[at] = item.currency;
        self.amount_minor[at] = item.amount_minor;
        self.open_minor[at] = item.open_minor;
        self.exempt_minor[at] = item.discount_exempt_minor;
        self.issue_date[at] = item.issue_date;
        self.entered_date[at] = item.entered_date;
        self.due_date[at] = item.due_date;
        self.closed_date[at] = item.closed_date;
        self.terms[at] = self.intern_terms(&item.terms);
    }

    fn write_texts(&mut self, at: usize, item: &OpenItem) {
        let Ok(start) = u32::try_from(self.texts.len()) else { return self.written[at] = Written::NOTHING };
        let forms = Reference::new(&item.number);
        let number = self.keep(&item.number);
        let folded = if forms.folded == item.number { SAME } else { self.keep(&forms.folded) };
        let part = forms.distinctive_part().map_or((SAME, 0), |part| {
            let core = normalise::core(&forms.folded[part.clone()]).len();
            let place = |bytes: usize| u16::try_from(bytes).ok().filter(|_| part.end <= TEXT_BYTES_MAX);
            place(part.end - core).zip(place(core)).unwrap_or((SAME, 0))
        });
        let [po, bol, pro] =
            [&item.po, &item.bol, &item.pro].map(|text| self.keep(&normalise::fold(text.as_deref().unwrap_or_default())));
        self.written[at] = Written { start, number, folded, part, po, bol, pro };
    }

    /// Ledgers have a handful of terms, so each is kept once.
    fn intern_terms(&mut self, terms: &TermsOfPayment) -> u32 {
        let at = self.terms_table.iter().rposition(|known| known == terms).unwrap_or_else(|| {
            self.terms_table.push(terms.clone());
            self.terms_table.len() - 1
        });
        u32::try_from(at).expect("there are no more terms than items")
    }

    /// Adds a text and says how long it is there; what is longer than a number can be is cut.
    fn keep(&mut self, text: &str) -> u16 {
        let end = (0..=text.len().min(TEXT_BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.texts.push_str(&text[..end]);
        u16::try_from(end).unwrap_or(SAME - 1)
    }

    fn file_texts(&mut self, slot: Slot) {
        for key in self.text_keys(slot) {
            self.index.insert(key, slot);
        }
        let letters = normalise::prefix(self.folded(slot)).to_owned();
        if !letters.is_empty() {
            *self.prefixes.entry(self.seller[slot as usize]).or_default().entry(letters).or_default() += 1;
        }
        let form = form(self.seller[slot as usize], self.folded(slot));
        let number = digits_of(self.folded(slot));
        let form = self.forms.entry(form).or_default();
        form.count += 1;
        if let Some(number) = number {
            let newest = form.newest.entry(self.entered_date[slot as usize]).or_default();
            *newest = number.max(*newest);
        }
    }

    fn unfile_texts(&mut self, slot: Slot) {
        for key in self.text_keys(slot) {
            self.index.remove(key, slot);
        }
        let letters = normalise::prefix(self.folded(slot)).to_owned();
        if let Some(known) = self.prefixes.get_mut(&self.seller[slot as usize])
            && let Some(count) = known.get_mut(&letters)
        {
            *count -= 1;
            if *count == 0 {
                known.remove(&letters);
            }
        }
        let form = form(self.seller[slot as usize], self.folded(slot));
        if let Some(known) = self.forms.get_mut(&form) {
            known.count -= 1;
            if known.count == 0 {
                self.forms.remove(&form);
            }
        }
    }

    /// Every key under which the texts of an item are filed, each once.
    fn text_keys(&self, slot: Slot) -> Vec<u64> {
        let scope = scope(self.seller[slot as usize]);
        let (number, folded) = (self.number(slot), self.folded(slot));
        let core = normalise::core(folded);
        let forms = Reference::new(number);
        let mut keys = Vec::with_capacity(8);
        let mut file = |kind, text: &str| {
            if !text.is_empty() {
                let key = key(kind, scope, text.as_bytes());
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        };
        file(Kind::Number, folded);
        file(Kind::Number, core);
        file(Kind::Number, &forms.without_part_zeros());
        file(Kind::Number, &normalise::ocr_class(folded));
        file(Kind::Number, &normalise::ocr_class(core));
        file(Kind::Part, self.part(slot).unwrap_or_default());
        file(Kind::PurchaseOrder, self.po(slot));
        file(Kind::BillOfLading, self.bol(slot));
        file(Kind::Pro, self.pro(slot));
        keys
    }

    fn file_amount(&mut self, slot: Slot) {
        let at = slot as usize;
        if self.is_open(slot) {
            let customer = self.customer[at];
            self.index.insert(amount_key(customer, self.seller[at], self.currency[at], self.open_minor[at]), slot);
            self.index.insert(any_amount_key(self.seller[at], self.currency[at], self.open_minor[at]), slot);
            if self.open_of.len() <= customer as usize {
                self.open_of.resize(customer as usize + 1, Vec::new());
            }
            self.open_of[customer as usize].push(slot);
        }
    }

    fn unfile_amount(&mut self, slot: Slot) {
        let at = slot as usize;
        if self.is_open(slot) {
            let customer = self.customer[at];
            self.index.remove(amount_key(customer, self.seller[at], self.currency[at], self.open_minor[at]), slot);
            self.index.remove(any_amount_key(self.seller[at], self.currency[at], self.open_minor[at]), slot);
            let own = &mut self.open_of[customer as usize];
            if let Some(place) = own.iter().position(|other| *other == slot) {
                own.swap_remove(place);
            }
        }
    }
}

fn scope(seller: SellerId) -> u32 {
    // Only a hash ingredient: sellers that share the low half cost a comparison.
    seller.0 as u32
}

fn amount_key(customer: u32, seller: SellerId, currency: Currency, open_minor: i64) -> u64 {
    key(Kind::Amount, customer, &amount_text(seller, currency, open_minor))
}

fn any_amount_key(seller: SellerId, currency: Currency, open_minor: i64) -> u64 {
    key(Kind::OpenAmount, 0, &amount_text(seller, currency, open_minor))
}

fn amount_text(seller: SellerId, currency: Currency, open_minor: i64) -> [u8; 19] {
    let mut text = [0; 19];
    text[..3].copy_from_slice(currency.as_str().as_bytes());
    text[3..11].copy_from_slice(&seller.0.to_le_bytes());
    text[11..].copy_from_slice(&open_minor.to_le_bytes());
    text
}
