//! INVOIC Invoice: what a customer owes, or a credit note, with the terms and references by which it will be paid.
//!
//! The total that the sender claims is the invoice. Lines, taxes and prepayments are added up beside it, and a difference is told.

mod terms;
mod totals;

use chrono::NaiveDate;

use crate::{
    Currency, Effect, Finding, FindingCode, Invoice, InvoiceKind, InvoicePurpose, Location, Money, Reference, Severity,
    x12::output::Output,
};

use self::{terms::TermsReader, totals::Totals};
use super::{
    document::{Kind, kind},
    message::{Message, repeated},
    party::{Roles, Side},
    segment::{Element, Segment},
};

/// Who owes: invoicee, payer, buyer, who ordered, the recipient of the message; the delivery party only when no other is named.
const DEBTOR: Roles = &["IV", "PR", "BY", "OB", "BT", "MR", "DP", "ST", "CN", "UC"];
/// Of these, the ones that are only guessed.
const DOUBTFUL: Roles = &["DP", "ST", "CN", "UC"];
/// Whose receivable it is: supplier, seller, issuer of the invoice, payee, the sender of the message.
const SELLER: Roles = &["SU", "SE", "II", "PE", "SR", "MS"];
const SELLER_BANK: Roles = &["RB", "BF", "RH"];

/// References kept for one invoice. Stops an invoice of a million references from filling memory and searches.
const REFERENCES_MAX: usize = 500;
/// References of parties and lines that are those of the invoice: order, despatch advice, delivery note, bill of lading, invoice.
const SHARED: &[&str] = &["ON", "AAK", "DQ", "BM", "IV", "OI"];

/// Reads one INVOIC.
pub(super) fn read<'w>(message: &Message<'w, '_>, out: &mut Output<'w>) {
    // Currency type 4 is the invoicing currency.
    let currency = message.currency("4", "LIN", out);
    let mut bill = Bill::new(currency);
    for segment in message.body() {
        bill.take(&segment, out);
    }
    bill.finish(message, out);
}

/// Where in the message the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Lines,
    Summary,
}

struct Bill<'w> {
    part: Part,
    /// Behind NAD references belong to the party.
    in_party: bool,
    bgm: Option<Segment<'w>>,
    date: Option<NaiveDate>,
    debtor: Side<'w>,
    seller: Side<'w>,
    references: Vec<Reference<'w>>,
    references_full: bool,
    terms: TermsReader<'w>,
    totals: Totals<'w>,
}

impl<'w> Bill<'w> {
    fn new(currency: Option<Currency>) -> Self {
        Self {
            part: Part::Header,
            in_party: false,
            bgm: None,
            date: None,
            debtor: Side::new(DEBTOR, &[]),
            seller: Side::new(SELLER, SELLER_BANK),
            references: Vec::new(),
            references_full: false,
            terms: TermsReader::new(currency),
            totals: Totals::new(currency),
        }
    }

    fn take(&mut self, segment: &Segment<'w>, out: &mut Output<'w>) {
        let tag = segment.tag();
        let tag = tag.as_str();
        if !matches!(tag, "RFF" | "CTA" | "COM" | "LOC" | "FII" | "DTM" | "DOC") {
            self.in_party = tag == "NAD";
        }
        if self.part == Part::Header && !matches!(tag, "DTM" | "PCD" | "MOA" | "FII" | "PAI") {
            self.terms.close();
        }
        match tag {
            "LIN" => {
                self.part = Part::Lines;
                self.totals.take_line();
            }
            "UNS" => {
                self.part = Part::Summary;
                self.totals.begin_summary();
            }
            "BGM" if self.bgm.is_some() => repeated(segment, out),
            "BGM" => self.bgm = Some(*segment),
            "RFF" => segment.repeats(1).for_each(|element| self.take_reference(&element, segment.location(), out)),
            "MOA" if self.part == Part::Header && self.terms.is_open() => self.terms.take_amount(segment, out),
            "MOA" => segment.repeats(1).for_each(|element| self.totals.take_amount(&element, out)),
            "TAX" | "ALC" => self.totals.begin_group(segment),
            "CNT" => self.totals.take_count(segment),
            _ if self.part != Part::Header => {}
            "DTM" => segment.repeats(1).for_each(|element| self.take_date(&element, out)),
            "NAD" => {
                self.debtor.take_party(segment);
                self.seller.take_party(segment);
            }
            "FII" => self.seller.take_bank(segment),
            "PAT" => self.terms.open(segment, out),
            "PCD" => self.terms.take_percent(segment, out),
            _ => {}
        }
    }

    fn take_date(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        match &*element.code(1) {
            // Document date, and what older messages write for it. A date that does not exist leaves the debt without one.
            "137" | "3" if self.date.is_none() && !self.terms.is_open() => {
                self.date = element.date(Effect::RecordSetAside, out);
            }
            _ => self.terms.take_date(element, out),
        }
    }

    fn take_reference(&mut self, element: &Element<'w>, location: Location, out: &mut Output<'w>) {
        let (qualifier, Some(value)) = (element.code(1), element.text(2)) else { return };
        let is_own = self.part == Part::Header && !self.in_party;
        if !is_own && !SHARED.contains(&&*qualifier) {
            return;
        }
        let reference = Reference { qualifier, value };
        if self.references_full || self.references.contains(&reference) {
            return;
        }
        if self.references.len() >= REFERENCES_MAX {
            self.references_full = true;
            out.finding(Finding {
                code: FindingCode::LimitReached,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "further references of the invoice are not kept".to_owned(),
                expected: format!("at most {REFERENCES_MAX} references"),
                found: String::new(),
                location,
            });
            return;
        }
        self.references.push(reference);
    }

    fn finish(self, message: &Message<'w, '_>, out: &mut Output<'w>) {
        let Some(bgm) = self.bgm else {
            out.finding(message.missing("BGM", "the invoice has no BGM"));
            return;
        };
        let Some(number) = bgm.text(2, 1) else {
            let what = "BGM names no number, so the invoice cannot be paid by it".to_owned();
            out.finding(bgm.element(2).finding(
                1,
                FindingCode::MissingElement,
                Effect::RecordSetAside,
                what,
                "a document number",
            ));
            return;
        };
        if self.date.is_none() && !out.is_set_aside() {
            out.finding(message.missing("DTM+137", "the invoice has no date"));
        }
        let credit = judge(&bgm, out);
        let Some((total, location)) = self.totals.settle(message, out) else { return };
        if out.is_set_aside() {
            return;
        }
        let (kind, amount) = signed(total, location, credit, out);
        if let Some((role, location)) = self.debtor.role().filter(|(role, _)| DOUBTFUL.contains(role)) {
            out.finding(inferred(role, location));
        }
        let (terms, due_date) = self.terms.settle(self.date, out);
        let first = |wanted: &str| self.references.iter().find(|held| held.qualifier == wanted).map(|held| held.value.clone());
        let purpose = purpose(&bgm, out);
        out.invoice(Invoice {
            number,
            kind,
            purpose,
            date: self.date,
            due_date,
            amount,
            bill_to: self.debtor.finish(),
            seller: self.seller.finish(),
            po: first("ON"),
            bol: first("BM"),
            pro: None,
            terms,
            references: self.references,
            location: message.location(),
            exchange: None,
        });
    }
}

/// What the document is (BGM 1001): true for a credit note. What is no debt at all is set aside.
fn judge(bgm: &Segment<'_>, out: &mut Output<'_>) -> bool {
    let element = bgm.element(1);
    let code = element.code(1);
    let corrects = |effect, message: &str| {
        element.finding(1, FindingCode::CorrectsEarlier, effect, message.to_owned(), "380, an invoice, or 381, a credit note")
    };
    match kind(&code) {
        Kind::CreditNote => return true,
        Kind::NoDebt => {
            let message = "the document is no invoice yet; nothing is owed by it".to_owned();
            out.finding(element.finding(1, FindingCode::BadCode, Effect::RecordSetAside, message, "380 or 381"));
        }
        Kind::DebitNote => out.finding(corrects(Effect::Noted, "a debit note asks for more than an earlier invoice did")),
        _ if code == "384" => out.finding(corrects(Effect::Noted, "the invoice takes the place of an earlier one")),
        Kind::Invoice => {}
        Kind::Order | Kind::Other => {
            let message = "the kind of document is not known; it was read as an invoice".to_owned();
            out.finding(element.finding(1, FindingCode::BadCode, Effect::Noted, message, "380, 381, 383 or 384"));
        }
    }
    false
}

/// What the sender wants done with the invoice (BGM 1225); a corrected invoice (384) stands in place of another.
fn purpose(bgm: &Segment<'_>, out: &mut Output<'_>) -> InvoicePurpose {
    let element = bgm.element(3);
    match &*element.code(1) {
        "" | "9" | "2" | "6" if bgm.code(1, 1) == "384" => InvoicePurpose::Replace,
        "" | "9" | "2" | "6" => InvoicePurpose::Original,
        "1" | "3" => InvoicePurpose::Cancel,
        "4" | "5" => InvoicePurpose::Replace,
        "7" | "31" | "43" => InvoicePurpose::Duplicate,
        _ => {
            let message = "the function of the message is not known; it was read as an original".to_owned();
            out.finding(element.finding(1, FindingCode::BadCode, Effect::Noted, message, "9, 1, 5 or 7"));
            InvoicePurpose::Original
        }
    }
}

/// A total and what it means. The code of a credit note says its sign; a negative invoice is a credit note.
fn signed(total: Money, location: Location, credit: bool, out: &mut Output<'_>) -> (InvoiceKind, Money) {
    if !credit && total.minor < 0 {
        out.finding(Finding {
            code: FindingCode::OddSign,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "the total of the invoice is negative; it was read as a credit note".to_owned(),
            expected: "a positive total".to_owned(),
            found: total.to_string(),
            location,
        });
    }
    if credit || total.minor < 0 {
        let minor = total.minor.saturating_abs().saturating_neg();
        return (InvoiceKind::CreditMemo, Money::new(minor, total.currency));
    }
    (InvoiceKind::Invoice, total)
}

fn inferred(role: &str, location: Location) -> Finding {
    Finding {
        code: FindingCode::InferredParty,
        severity: Severity::Info,
        effect: Effect::Noted,
        message: format!("no invoicee and no buyer is named; party {role} was taken as the one who owes"),
        expected: "NAD+IV or NAD+BY".to_owned(),
        found: role.to_owned(),
        location,
    }
}
