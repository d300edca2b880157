//! The advice of one payment, from BPR (or BPS) to its last ADX, as an 820 has it once and an 823 once per check.
//!
//! The header stands here; the lines (RMR and ADX) are in [`lines`], the rules of what must add up in [`balance`]. Which sets there are,
//! and what encloses an advice, is left to their readers.

mod balance;
mod begin;
mod check;
mod excerpt;
mod lines;

use chrono::NaiveDate;

use crate::{
    Currency, Direction, Effect, Finding, FindingCode, Location, Method, Money, Payment, Reference, Remittance, Severity,
    SharedParty, Text,
};

pub(super) use self::check::Setting;
pub(crate) use self::excerpt::{Excerpt, Stretch};
use self::{
    begin::{Handling, Header},
    lines::Lines,
};
use super::{
    id::SegmentId,
    output::Output,
    segment::{Segment, shown},
    set::Set,
};

/// Rarer segments of an advice that carry nothing its records keep.
const KNOWN: &[&[u8]] = &[
    b"RDM", b"SAC", b"TXI", b"SLN", b"TXP", b"DED", b"LX", b"G53", b"AIN", b"PEN", b"INV", b"N9", b"RYL", b"AMT", b"QTY", b"DMG",
    b"HD", b"MOA",
];

/// Everyday segments of an advice that carry nothing its records keep.
#[inline(always)]
fn says_nothing(id: SegmentId) -> bool {
    let address = matches!(id, SegmentId::N2 | SegmentId::N3 | SegmentId::N4 | SegmentId::PER);
    address || matches!(id, SegmentId::ST | SegmentId::SE | SegmentId::CUR | SegmentId::IT1)
}

/// What has been read of the set so far. The payment is filled where it will stay; moving large records costs as much as reading them.
pub(super) struct Advice<'w> {
    /// Set identifier, for messages.
    set: &'static str,
    currency: Currency,
    header: Option<Header>,
    payment: Box<Payment<'w>>,
    /// The N1 loops that have named a party.
    named: Named,
    reassociation: bool,
    notes: Vec<Text<'w>>,
    dated: Option<NaiveDate>,
    lines: Lines<'w>,
}

/// Which parties an N1 loop has named: PR before RM, and the first of each.
#[derive(Clone, Copy, Default)]
struct Named {
    payer: bool,
    remitter: bool,
    payee: bool,
}

/// A payment with nothing in it.
const BLANK: Payment<'static> = Payment {
    exchange: None,
    seq: 0,
    method: Method::Other,
    direction: Direction::Credit,
    amount: Money::zero(Currency::USD),
    value_date: None,
    payer: SharedParty::NOBODY,
    payee: SharedParty::NOBODY,
    trace: None,
    references: Vec::new(),
    text: None,
    remittance: None,
    location: Location {
        byte: 0,
        line: None,
        segment: None,
        tag: None,
        element: None,
        repeat: None,
        component: None,
        sheet: None,
    },
};

impl<'w> Advice<'w> {
    /// The advice that is the whole of a set.
    pub fn of_set(set: &Set<'w, '_>, out: &mut Output<'w>) -> Self {
        let currency = currency(set, out);
        // Few advices have less than three segments per line; the others grow once.
        Self::new("820", currency, Lines::new(set.limits, set.segment_count() / 3, currency))
    }

    fn new(set: &'static str, currency: Currency, lines: Lines<'w>) -> Self {
        Self {
            set,
            currency,
            header: None,
            payment: Box::new(BLANK),
            named: Named::default(),
            reassociation: false,
            notes: Vec::new(),
            dated: None,
            lines,
        }
    }

    /// Takes all segments of a set.
    pub fn take_all(&mut self, set: &Set<'w, '_>, out: &mut Output<'w>) {
        for segment in set.segments() {
            self.take(&segment, out);
        }
    }

    /// Takes a segment of the advice.
    #[inline(always)]
    pub fn take(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        match segment.id() {
            SegmentId::RMR => self.lines.open_item(segment, out),
            SegmentId::REF => self.take_reference(segment),
            SegmentId::DTM => self.take_date(segment, out),
            SegmentId::ADX => self.lines.adjustment(segment, out),
            SegmentId::ENT | SegmentId::NM1 => self.lines.entity(),
            SegmentId::N1 => self.take_party(segment),
            SegmentId::BPR => self.take_header(segment, out),
            SegmentId::TRN => self.take_trace(segment, out),
            SegmentId::NTE => self.take_note(segment),
            id if says_nothing(id) => {}
            _ if KNOWN.contains(&segment.tag()) => {}
            _ => out.finding(Finding {
                code: FindingCode::UnknownSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: format!("the segment does not belong in an {}", self.set),
                expected: format!("a segment of the {}", self.set),
                found: shown(segment.tag()),
                location: segment.location(),
            }),
        }
    }

    /// TRN01 3 is the number that ties the advice to the bank entry; it goes before 1, the current trace.
    fn take_trace(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        let [kind, number] = segment.stretches();
        let number = segment.text_in(number);
        if number.is_none() {
            segment.missing(2, "a trace number", Effect::Noted, out);
        }
        let reassociation = segment.value_in(kind) == b"3";
        if self.payment.trace.is_none() || (reassociation && !self.reassociation) {
            self.payment.trace = number;
            self.reassociation = reassociation;
        }
    }

    fn take_party(&mut self, segment: &Segment<'w, '_>) {
        if self.lines.begun() {
            return;
        }
        let named = &mut self.named;
        let [entity, name, _, id] = segment.stretches();
        let party = match segment.value_in(entity) {
            b"PR" if !std::mem::replace(&mut named.payer, true) => &mut self.payment.payer,
            b"RM" if !named.payer && !std::mem::replace(&mut named.remitter, true) => &mut self.payment.payer,
            b"PE" if !std::mem::replace(&mut named.payee, true) => &mut self.payment.payee,
            _ => return,
        };
        party.name = segment.text_in(name);
        if let Some(id) = segment.text_in(id) {
            party.id = Some(id);
        }
    }

    fn take_reference(&mut self, segment: &Segment<'w, '_>) {
        if self.lines.begun() {
            self.lines.reference(segment);
        } else if let Some(reference) = reference(segment) {
            self.payment.references.push(reference);
        }
    }

    fn take_date(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        let [qualifier, date] = segment.stretches();
        let date = segment.date_in(date, 2, Effect::Noted, out);
        let qualifier = segment.value_in(qualifier);
        if self.lines.begun() {
            self.lines.dated(qualifier, date);
        } else if self.dated.is_none() || matches!(qualifier, b"020" | b"234") {
            self.dated = date.or(self.dated);
        }
    }

    fn take_note(&mut self, segment: &Segment<'w, '_>) {
        // A text may be cut at a blank; the blank belongs to it until the pieces are joined.
        if let Some(text) = segment.text_with_blanks(2) {
            let follows = segment.value(1) == b"ADD";
            if !follows && !self.notes.is_empty() {
                self.notes.push(Text::Borrowed(" "));
            }
            self.notes.push(text);
        }
    }

    /// Ends an advice that a BPR began: a payment, a remittance, or both.
    #[inline(always)]
    pub fn finish(mut self, set: &Set<'w, '_>, out: &mut Output<'w>) {
        let Some(header) = self.header else {
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Error,
                effect: Effect::RecordSetAside,
                message: "the set has no BPR".to_owned(),
                expected: "BPR".to_owned(),
                found: String::new(),
                location: set.location(),
            });
            return;
        };
        let sums = self.lines.finish();
        let Some(amount) = header.amount else { return };
        let total = balance::check(&header, "set", amount, &sums, out);
        if out.is_set_aside() || header.handling == Handling::Prenote {
            return;
        }
        self.push(header, amount, total, out);
    }

    /// RMR may stand without ENT, and nothing is said of it.
    pub fn need_no_entity(&mut self) {
        self.lines.need_no_entity();
    }

    /// Whether a BPR began it.
    pub fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Ends an advice without BPR: a remittance that names no total, when it says anything at all.
    pub fn finish_without_header(mut self, set: &Set<'w, '_>, out: &mut Output<'w>) {
        self.lines.finish().unbalanced.into_iter().for_each(|finding| out.finding(finding));
        let Payment { payer, payee, trace, references, .. } = *self.payment;
        let (lines, text) = (self.lines.take_all(), join(self.notes));
        let says_nothing = lines.is_empty() && text.is_none() && trace.is_none() && references.is_empty();
        if out.is_set_aside() || says_nothing {
            return;
        }
        out.remittance(Remittance {
            seq: 0,
            total: None,
            date: self.dated,
            payer,
            payee,
            trace,
            lines,
            text,
            references,
            location: set.location(),
            exchange: None,
        });
    }

    /// Ends a check: a payment, and a remittance when it says what for. Nothing of it is taken when it is set aside.
    pub fn finish_check(mut self, setting: &Setting<'w>, out: &mut Output<'w>) {
        let sums = self.lines.finish();
        let Some((header, amount)) = self.header.and_then(|header| Some((header, header.amount?))) else { return };
        let total = balance::check(&header, "payment", amount, &sums, out);
        let is_blank = amount.minor == 0 && self.lines.is_empty() && self.notes.is_empty();
        if out.is_set_aside() || is_blank {
            return;
        }
        self.payment.settle(setting);
        self.push(header, amount, total, out);
    }

    #[inline(always)]
    fn push(mut self, header: Header, amount: Money, total: Option<Money>, out: &mut Output<'w>) {
        let payment = &mut self.payment;
        let pays = header.handling == Handling::Pays && header.moves && amount.minor > 0;
        payment.text = join(std::mem::take(&mut self.notes));
        let lines = self.lines.take_all();
        if !pays || !lines.is_empty() {
            let remittance = Remittance {
                seq: 0,
                total,
                date: payment.value_date.or(self.dated),
                payer: payment.payer.clone(),
                payee: payment.payee.clone(),
                trace: payment.trace.clone(),
                lines,
                text: payment.text.clone(),
                references: if pays { Vec::new() } else { std::mem::take(&mut payment.references) },
                location: payment.location,
                exchange: None,
            };
            payment.remittance = Some(out.remittance(remittance));
        }
        if pays {
            out.payment(self.payment);
        }
    }
}

/// CUR02 of the header, else the currency of the caller.
fn currency<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) -> Currency {
    // Of the header only what ends it and what may be a CUR with blanks behind its tag is looked at closer.
    let passed = |id| says_nothing(id) && id != SegmentId::CUR || matches!(id, SegmentId::BPR | SegmentId::TRN | SegmentId::REF);
    let mut header = set.segments_unless(passed);
    let found = header.find(|segment| matches!(segment.id(), SegmentId::CUR | SegmentId::N1 | SegmentId::ENT | SegmentId::RMR));
    let Some(segment) = found.filter(|segment| segment.id() == SegmentId::CUR) else { return set.currency };
    match segment.text(2).and_then(|code| Currency::parse(&code)) {
        Some(currency) => currency,
        None => {
            let message = "CUR02 is no currency, so no amount of the set has a meaning".to_owned();
            out.finding(segment.finding(2, FindingCode::BadCode, Effect::RecordSetAside, message, "an ISO 4217 code"));
            set.currency
        }
    }
}

/// REF: qualifier and number, or the description where there is no number.
fn reference<'w>(segment: &Segment<'w, '_>) -> Option<Reference<'w>> {
    let [qualifier, number, description] = segment.stretches();
    let value = segment.text_in(number).or_else(|| segment.text_in(description))?;
    Some(Reference { qualifier: segment.text_in(qualifier).unwrap_or_default(), value })
}

/// Joins pieces of text with nothing between them.
fn join(mut pieces: Vec<Text<'_>>) -> Option<Text<'_>> {
    let text = match pieces.len() {
        0 => return None,
        1 => pieces.pop()?,
        _ => Text::Owned(pieces.concat()),
    };
    match text {
        Text::Borrowed(text) => Some(Text::Borrowed(text.trim_ascii_end())),
        Text::Owned(text) => Some(Text::Owned(text.trim_ascii_end().to_owned())),
    }
    .filter(|text| !text.is_empty())
}
