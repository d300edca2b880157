//! X12 remittance segments inside BAI2 text: they are read by the reader of bare 820 sets, and every place is led back to the file.

use crate::{
    Currency, Effect, Figure, Finding, Limits, Location, Money, Record as Read, Remittance, RemittanceLine, SharedParty, Text,
    owned::position_in,
    x12::{Bare, Delimiters, Excerpt, Stretch as InPlace, machine::Machine},
};

use super::{
    record::{Field, Record},
    text::{Stretch, is_segment},
};

/// Where a stretch of the set came from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// Position in the set.
    at: usize,
    /// Position in the window.
    start: usize,
    length: usize,
    piece: usize,
}

/// What the segments said.
#[derive(Debug, Default)]
pub(super) struct Advice<'w> {
    /// Its lines; the parties and the trace are those of the payment.
    pub remittance: Option<Remittance<'w>>,
    pub findings: Vec<Finding>,
}

/// Reads sets made of segments. The machine behind it is kept: making one costs more than reading a few lines.
#[derive(Debug, Default)]
pub(super) struct Advisor {
    /// Room for the stretches of a record.
    pub segments: Vec<Stretch>,
    excerpt: Excerpt,
    machine: Option<(Delimiters, Machine)>,
    /// Bytes that the machine has read.
    fed: u64,
    set: Vec<u8>,
    origins: Vec<Origin>,
}

impl Advisor {
    /// Reads the stretches of segments in the text of a record; `amount` is what the record pays.
    pub fn read<'w>(
        &mut self,
        record: &Record<'w, '_>,
        segments: &[Stretch],
        amount: Money,
        paid: Field,
        limits: &Limits,
    ) -> Advice<'w> {
        let delimiters = delimiters(record, segments);
        if let Some(lines) = self.read_in_place(record, segments, amount, delimiters, limits) {
            let remittance = Some(Remittance { lines, ..nothing(record) });
            return Advice { remittance, findings: Vec::new() };
        }
        self.write_set(record, segments, amount, delimiters);
        let (mut machine, fed) = match self.machine.take() {
            Some((known, machine)) if known == delimiters => (machine, self.fed),
            _ => (Machine::new(limits, Some(Bare::Sets(delimiters))), 0),
        };
        let mut advice = Advice::default();
        let place = |location: Location| {
            let byte = location.byte.saturating_sub(fed);
            lead_back(record, &self.origins, paid, Location { byte, ..location })
        };
        let consumed = machine.run(&self.set, false, &mut |read: Read<'_>| match read {
            Read::Remittance(remittance) => {
                let mut remittance = remittance.with_texts(&mut |text| text_of(record, &self.set, &self.origins, text));
                for line in &mut remittance.lines {
                    line.location = place(line.location);
                }
                advice.remittance = Some(remittance);
            }
            Read::Finding(finding) => advice.findings.push(Finding {
                message: finding.message.replace("BPR02", "the amount of the 16"),
                location: place(finding.location),
                effect: finding.effect.min(Effect::RecordSetAside),
                ..finding
            }),
            _ => {}
        });
        // After anything odd the next set begins with a machine of its own.
        if consumed == self.set.len() && advice.findings.is_empty() {
            self.machine = Some((delimiters, machine));
            self.fed = fed.wrapping_add(consumed as u64);
        }
        advice
    }

    /// The lines of segments that stand whole on their 88s and that there is nothing to say about, as is usual.
    fn read_in_place<'w>(
        &mut self,
        record: &Record<'w, '_>,
        segments: &[Stretch],
        amount: Money,
        delimiters: Delimiters,
        limits: &Limits,
    ) -> Option<Vec<RemittanceLine<'w>>> {
        let (text, base) = record.whole_text()?;
        self.excerpt.clear();
        for (index, (start, end, piece)) in segments.iter().enumerate() {
            let stretch = record.bytes(*start, *end).trim_ascii();
            let next = segments.get(index.wrapping_add(1)).map(|(start, end, _)| record.bytes(*start, *end).trim_ascii());
            let ended = stretch.last() == Some(&delimiters.terminator.last()) || next.is_none_or(is_segment);
            let from = start.wrapping_add(record.leading_blanks(*start, *end)).checked_sub(record.head.start)?;
            let place = record.location_at(*start, *piece);
            let stretch = InPlace {
                from,
                to: from.saturating_add(stretch.len()),
                line: place.line.and_then(|line| u32::try_from(line).ok())?,
                ordinal: place.segment?,
            };
            let short = stretch.to.saturating_sub(from) <= limits.segment_bytes_max;
            if !ended || !short || !self.excerpt.take(text.as_bytes(), stretch, delimiters) {
                return None;
            }
        }
        self.excerpt.read(text, base, &delimiters, amount, limits)
    }

    /// Writes one 820 set of the stretches, with the payment's amount in its BPR.
    fn write_set(&mut self, record: &Record<'_, '_>, segments: &[Stretch], amount: Money, delimiters: Delimiters) {
        let Self { set, origins, .. } = self;
        set.clear();
        origins.clear();
        let Delimiters { element, .. } = delimiters;
        let terminator = delimiters.terminator.last();
        let segment = |set: &mut Vec<u8>, elements: &[&[u8]]| {
            for (index, text) in elements.iter().enumerate() {
                if index > 0 {
                    set.push(element);
                }
                set.extend_from_slice(text);
            }
            set.push(terminator);
        };
        segment(set, &[b"ST", b"820", b"0001"]);
        let decimal = Figure::decimal(i128::from(amount.minor), amount.currency.exponent());
        segment(set, &[b"BPR", b"I", decimal.as_str().as_bytes(), b"C", b"ACH"]);
        if amount.currency != Currency::USD {
            segment(set, &[b"CUR", b"PR", amount.currency.as_str().as_bytes()]);
        }
        segment(set, &[b"ENT", b"1"]);
        for (index, (start, end, piece)) in segments.iter().enumerate() {
            let text = record.bytes(*start, *end).trim_ascii();
            let start = start.wrapping_add(record.leading_blanks(*start, *end));
            origins.push(Origin { at: set.len(), start, length: text.len(), piece: *piece });
            set.extend_from_slice(text);
            let next = segments.get(index.wrapping_add(1)).map(|(start, end, _)| record.bytes(*start, *end).trim_ascii());
            if next.is_none_or(is_segment) && text.last() != Some(&terminator) {
                set.push(terminator);
            }
        }
        let count = Figure::count(memchr::memchr_iter(terminator, set).count().wrapping_add(1) as u64);
        segment(set, &[b"SE", count.as_str().as_bytes(), b"0001"]);
    }
}

/// An advice that says nothing yet; the caller knows who pays what and when.
fn nothing<'w>(record: &Record<'w, '_>) -> Remittance<'w> {
    Remittance {
        seq: 0,
        total: None,
        date: None,
        payer: SharedParty::NOBODY,
        payee: SharedParty::NOBODY,
        trace: None,
        lines: Vec::new(),
        text: None,
        references: Vec::new(),
        location: record.location(),
        exchange: None,
    }
}

/// What separates the segments: the byte behind the first tag, and what the first complete segment ends with.
fn delimiters(record: &Record<'_, '_>, segments: &[Stretch]) -> Delimiters {
    let mut stretches = segments.iter().map(|(start, end, _)| record.bytes(*start, *end).trim_ascii());
    let element = stretches.clone().next().and_then(|first| first.get(3)).copied().unwrap_or(b'*');
    let terminator = stretches.find_map(|text| text.last().copied().filter(|last| matches!(last, b'\\' | b'~')));
    Delimiters { element, ..Delimiters::bare(terminator.unwrap_or(b'\\')) }
}

/// The text of the file that a text of the set was copied from; what was not copied in one piece becomes a text of its own.
fn text_of<'w>(record: &Record<'w, '_>, set: &[u8], origins: &[Origin], text: Text<'_>) -> Text<'w> {
    let stretch = || {
        let at = position_in(set, &text)?;
        let index = origins.partition_point(|origin| origin.at <= at).checked_sub(1)?;
        let origin = origins.get(index)?;
        let from = at.wrapping_sub(origin.at);
        let to = from.wrapping_add(text.len());
        let found = record.stretch(origin.start.wrapping_add(from), origin.start.wrapping_add(to));
        found.filter(|_| to <= origin.length)
    };
    stretch().map_or_else(|| Text::Owned(text.to_string()), Text::Borrowed)
}

/// The place in the file of a place in the set; what stands before the first stretch was made from the amount.
fn lead_back(record: &Record<'_, '_>, origins: &[Origin], paid: Field, location: Location) -> Location {
    let at = usize::try_from(location.byte).unwrap_or(usize::MAX);
    let index = origins.partition_point(|origin| origin.at <= at);
    match index.checked_sub(1).and_then(|index| origins.get(index)) {
        None => record.location_of(paid),
        Some(origin) => {
            // What was added behind the last stretch stands at its end.
            let position = origin.start.saturating_add(at.saturating_sub(origin.at).min(origin.length));
            Location { tag: location.tag, element: location.element, ..record.location_at(position, origin.piece) }
        }
    }
}
