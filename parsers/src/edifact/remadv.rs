//! REMADV Remittance Advice: what a payment is for. The payment itself comes apart, from the bank.
//!
//! Position decides: what stands before the first DOC is about the whole advice, what follows a DOC about that document, and what follows UNS
//! about the whole again.

mod line;

use chrono::NaiveDate;

use crate::{
    Currency, Effect, Finding, FindingCode, Location, Money, Reference, Remittance, Severity, Text, x12::output::Output,
};

use self::line::Lines;
use super::{
    message::{Claim, Message, amount, repeated},
    party::{Roles, Side},
    segment::{Element, Segment},
};

/// Who pays: payer, ordering customer, buyer, invoicee; the sender of the message where none is named.
const PAYER: Roles = &["PR", "OY", "BY", "IV", "MS"];
/// Who is paid: payee, beneficiary, supplier, seller, issuer of the invoice; else the recipient of the message.
const PAYEE: Roles = &["PE", "BE", "SU", "SE", "II", "MR"];
/// Banks of the two: ordering and paying bank, receiving and beneficiary's bank.
const PAYER_BANK: Roles = &["OR", "PB", "OB"];
const PAYEE_BANK: Roles = &["RB", "BF", "RH"];

/// Numbers that tie the advice to the money: cheque, payment reference, payment order, transaction.
const TRACES: &[&str] = &["CK", "PQ", "AEK", "TN"];
/// When the money moves: payment, value and execution date, due date, and the date of the advice.
const DATES: &[&str] = &["138", "209", "203", "140", "137"];
/// The total of the payment (5025), the best first: amount remitted, amount paid, totals by other names, amount due.
const TOTALS: &[&str] = &["MOA+12", "MOA+11", "MOA+128", "MOA+86", "MOA+39", "MOA+9"];

/// Segments that carry nothing a remittance keeps.
const KNOWN: &[&str] = &[
    "AGR", "AUT", "BUS", "CNT", "COM", "CTA", "CUX", "EFI", "GEI", "GIS", "IMD", "INP", "LIN", "LOC", "PAI", "PAT", "PCD", "PIA",
    "PYT", "QTY", "TAX",
];

/// Reads one REMADV.
pub(super) fn read<'w>(message: &Message<'w, '_>, out: &mut Output<'w>) {
    // Currency type 11 is the payment currency.
    let currency = message.currency("11", "DOC", out);
    let mut advice = Advice::new(message, currency);
    for segment in message.body() {
        advice.take(&segment, out);
    }
    advice.finish(message, out);
}

/// Where in the message the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Documents,
    Summary,
}

struct Advice<'w> {
    currency: Option<Currency>,
    part: Part,
    bgm: Option<Segment<'w>>,
    payer: Side<'w>,
    payee: Side<'w>,
    references: Vec<Reference<'w>>,
    trace: Option<(usize, Text<'w>)>,
    date: Option<(usize, NaiveDate)>,
    total: Option<(usize, Money, Location)>,
    notes: String,
    lines: Lines<'w>,
}

impl<'w> Advice<'w> {
    fn new(message: &Message<'w, '_>, currency: Option<Currency>) -> Self {
        Self {
            currency,
            part: Part::Header,
            bgm: None,
            payer: Side::new(PAYER, PAYER_BANK),
            payee: Side::new(PAYEE, PAYEE_BANK),
            references: Vec::new(),
            trace: None,
            date: None,
            total: None,
            notes: String::new(),
            lines: Lines::new(currency, message.limits.remittance_lines_max),
        }
    }

    fn take(&mut self, segment: &Segment<'w>, out: &mut Output<'w>) {
        let tag = segment.tag();
        match tag.as_str() {
            "UNS" => {
                self.lines.close(out);
                self.part = Part::Summary;
            }
            "DOC" => {
                self.part = Part::Documents;
                self.lines.open(segment, out);
            }
            "FTX" => self.take_note(segment),
            _ if self.part == Part::Documents => {
                if !self.lines.take(segment, out) && !KNOWN.contains(&tag.as_str()) {
                    unknown(segment, out);
                }
            }
            "BGM" if self.bgm.is_some() => repeated(segment, out),
            "BGM" => self.begin(segment, out),
            "NAD" => {
                self.payer.take_party(segment);
                self.payee.take_party(segment);
            }
            "FII" => {
                self.payer.take_bank(segment);
                self.payee.take_bank(segment);
            }
            "DTM" => segment.repeats(1).for_each(|element| self.take_date(&element, out)),
            "RFF" => segment.repeats(1).for_each(|element| self.take_reference(&element)),
            "MOA" => segment.repeats(1).for_each(|element| self.take_total(&element, out)),
            tag if KNOWN.contains(&tag) => {}
            _ => unknown(segment, out),
        }
    }

    /// BGM: the number of the advice, and what is to be done with it (1225).
    fn begin(&mut self, bgm: &Segment<'w>, out: &mut Output<'w>) {
        self.bgm = Some(*bgm);
        let function = bgm.element(3);
        let finding = |effect, message: &str| {
            function.finding(1, FindingCode::CorrectsEarlier, effect, message.to_owned(), "9, an original advice")
        };
        match &*function.code(1) {
            // Whether its cash was applied already, only a person can see.
            "1" => out.finding(finding(Effect::RecordSetAside, "the message cancels an advice that was sent before")),
            "4" | "5" => out.finding(finding(Effect::Noted, "the message takes the place of an advice that was sent before")),
            "7" | "31" | "43" => out.finding(finding(Effect::Noted, "the message repeats an advice that was sent before")),
            _ => {}
        }
    }

    fn take_date(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        let qualifier = element.code(1);
        let Some(rank) = DATES.iter().position(|listed| *listed == qualifier) else { return };
        if self.date.is_none_or(|(held, _)| rank < held)
            && let Some(date) = element.date(Effect::Noted, out)
        {
            self.date = Some((rank, date));
        }
    }

    fn take_reference(&mut self, element: &Element<'w>) {
        let (qualifier, Some(value)) = (element.code(1), element.text(2)) else { return };
        if let Some(rank) = TRACES.iter().position(|listed| *listed == qualifier)
            && self.trace.as_ref().is_none_or(|(held, _)| rank < *held)
        {
            self.trace = Some((rank, value.clone()));
        }
        self.references.push(Reference { qualifier, value });
    }

    /// MOA outside documents: the best of the totals. The same one twice with two amounts leaves the payment open.
    fn take_total(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        let name = element.name();
        let Some(rank) = TOTALS.iter().position(|listed| *listed == name) else { return };
        let Some(money) = amount(element, self.currency, out) else { return };
        match self.total {
            Some((held, other, _)) if held == rank && other != money && other.currency == money.currency => {
                let message = format!("{name} names {money} here and {other} before; which of the two is paid, nobody can know");
                let expected = other.to_string();
                out.finding(element.finding(2, FindingCode::OutOfBalance, Effect::RecordSetAside, message, &expected));
            }
            Some((held, ..)) if held <= rank => {}
            _ => self.total = Some((rank, money, element.location(2))),
        }
    }

    fn take_note(&mut self, ftx: &Segment<'w>) {
        if let Some(text) = ftx.joined(4, 1, 5) {
            if !self.notes.is_empty() {
                self.notes.push(' ');
            }
            self.notes.push_str(&text);
        }
    }

    fn finish(mut self, message: &Message<'w, '_>, out: &mut Output<'w>) {
        self.lines.close(out);
        let Some(bgm) = self.bgm else {
            out.finding(message.missing("BGM", "the remittance advice has no BGM"));
            return;
        };
        let total = self.total.map(|(_, total, _)| total);
        let lines = self.lines.finish(total);
        if let Some((rank, total, location)) = self.total {
            check_total(TOTALS.get(rank).copied().unwrap_or("MOA"), total, location, &lines, out);
        }
        if out.is_set_aside() {
            return;
        }
        let number = bgm.text(2, 1);
        let mut references = self.references;
        let trace = match (self.trace, number) {
            (Some((_, trace)), number) => {
                references.extend(number.map(|value| Reference { qualifier: Text::Borrowed("RA"), value }));
                Some(trace)
            }
            (None, number) => number,
        };
        out.remittance(Remittance {
            seq: 0,
            total,
            date: self.date.map(|(_, date)| date),
            payer: self.payer.finish().into(),
            payee: self.payee.finish().into(),
            trace,
            lines,
            text: (!self.notes.is_empty()).then_some(Text::Owned(self.notes)),
            references,
            location: message.location(),
            exchange: None,
        });
    }
}

/// The total against its lines. More in the lines than in the total is an error, less an everyday matter; lines without amounts prove nothing.
fn check_total(name: &'static str, total: Money, location: Location, lines: &[crate::RemittanceLine<'_>], out: &mut Output<'_>) {
    let (mut sum, mut amounts) = (0_i128, 0_usize);
    for net in lines.iter().filter_map(|line| line.net) {
        if net.currency != total.currency {
            return;
        }
        sum = sum.saturating_add(net.minor.into());
        amounts = amounts.saturating_add(1);
    }
    let missing = amounts < lines.len();
    let claimed = i128::from(total.minor);
    if amounts == 0 || (missing && claimed > sum) {
        return;
    }
    let claim = Claim::of_money(name, total, sum, "the sum of the documents", location);
    claim.check_as(if sum > claimed { Severity::Error } else { Severity::Warning }, out);
}

fn unknown(segment: &Segment<'_>, out: &mut Output<'_>) {
    let finding: Finding = segment.finding(
        FindingCode::UnknownSegment,
        Effect::Noted,
        "the segment does not belong in a REMADV".to_owned(),
        "a segment of the REMADV",
    );
    out.finding(finding);
}
