//! 810 Invoice: what a customer owes, or a credit memo, with the terms and references by which it will be paid.
//!
//! The claimed total (TDS01) is the invoice. Its lines, allowances, charges and taxes are added up beside it, and a difference is told.

use rust_decimal::Decimal;

use crate::{Currency, Effect, Figure, FindingCode, Invoice, InvoicePurpose, Money, Text};

use super::{
    bill::{self, Bill, Roles, SetClaim, missing_segment, repeated_segment},
    footing::{self, Footing},
    output::Output,
    segment::Segment,
    set::Set,
    terms::{BasisDates, TermsReader},
    value,
};

/// Who owes: bill-to, buyer, sold-to, payer; a ship-to only when no other is named.
const DEBTOR: Roles = &["BT", "BY", "SO", "PR", "ST"];
/// Whose receivable it is: seller, supplier, vendor, issuer, payee, remit-to.
const SELLER: Roles = &["SE", "SU", "VN", "II", "PE", "RI", "RE"];

/// Reads one 810.
pub(crate) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let currency = bill::currency(set, b"CUR", 2, b"IT1", out);
    let mut reader = Reader::new(currency);
    for segment in set.segments() {
        reader.segment(&segment, out);
    }
    reader.finish(set, out);
}

/// Where in the set the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Lines,
    Summary,
}

struct Reader<'w, 's> {
    currency: Currency,
    part: Part,
    big: Option<Segment<'w, 's>>,
    tds: Option<Segment<'w, 's>>,
    ctt: Option<Segment<'w, 's>>,
    bill: Bill<'w>,
    terms: TermsReader<'w, 's>,
    dates: BasisDates,
    footing: Footing<'w, 's>,
}

impl<'w, 's> Reader<'w, 's> {
    fn new(currency: Currency) -> Self {
        Self {
            currency,
            part: Part::Header,
            big: None,
            tds: None,
            ctt: None,
            bill: Bill::new(DEBTOR, SELLER),
            terms: TermsReader::default(),
            dates: BasisDates::default(),
            footing: Footing::new(currency),
        }
    }

    fn segment(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if self.part == Part::Header && self.bill.take_party(segment) {
            return;
        }
        match segment.tag() {
            b"SAC" => return self.footing.take_allowance(segment, self.part != Part::Lines, out),
            b"TXI" => return self.footing.take_tax(segment, self.part != Part::Lines, out),
            _ => self.footing.leave_allowance(),
        }
        match segment.tag() {
            b"BIG" => keep_one(&mut self.big, segment, out),
            b"IT1" => self.line(segment, out),
            b"TDS" => {
                self.part = Part::Summary;
                self.footing.close_line();
                keep_one(&mut self.tds, segment, out);
            }
            b"CTT" => keep_one(&mut self.ctt, segment, out),
            b"CTP" if self.part == Part::Lines => self.footing.take_price(segment, out),
            b"ITD" if self.part == Part::Header => self.terms.take(segment),
            b"DTM" if self.part == Part::Header => {
                let date = segment.date(2, Effect::Noted, out);
                self.dates.take(segment.value(1), date);
            }
            b"REF" if self.part == Part::Lines => self.line_reference(segment, out),
            b"REF" | b"N9" if self.part == Part::Header => {
                self.bill.reference(segment.text_or_empty(1), segment.text(2), segment.location(), out);
            }
            b"CAD" => self.bill.reference(segment.text_or_empty(7), segment.text(8), segment.location(), out),
            b"CUR" if self.part == Part::Lines => self.line_currency(segment, out),
            _ => {}
        }
    }

    /// IT1: its price, and the purchase order among its pairs of qualifier and number.
    fn line(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        self.part = Part::Lines;
        self.footing.take_line(segment, out);
        for n in (6..segment.elements().min(25)).step_by(2) {
            if segment.value(n) == b"PO" {
                self.bill.reference(Text::Borrowed("PO"), segment.text(n.saturating_add(1)), segment.location(), out);
            }
        }
    }

    /// References of lines stay with the lines, except those by which the bill may be paid.
    fn line_reference(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if matches!(segment.value(1), b"PO" | b"BM" | b"CN") {
            self.bill.reference(segment.text_or_empty(1), segment.text(2), segment.location(), out);
        }
    }

    fn line_currency(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let named = segment.text(2).and_then(|code| Currency::parse(&code));
        if named != Some(self.currency) && segment.has(2) {
            let message = format!("a line is in another currency than the invoice ({})", self.currency);
            out.finding(segment.finding(2, FindingCode::BadCode, Effect::RecordSetAside, message, self.currency.as_str()));
        }
    }

    fn finish(mut self, set: &Set<'w, 's>, out: &mut Output<'w>) {
        self.footing.close_line();
        self.bill.close_party();
        let Some(big) = self.big else { return out.finding(missing_segment(set, "BIG", "the invoice has no BIG")) };
        let Some(tds) = self.tds else { return out.finding(missing_segment(set, "TDS", "the invoice has no total (TDS)")) };
        let number = big.text(2);
        if number.is_none() {
            big.missing(2, "the invoice number", Effect::RecordSetAside, out);
        }
        if !big.has(1) {
            big.missing(1, "the invoice date", Effect::RecordSetAside, out);
        }
        let date = big.date(1, Effect::RecordSetAside, out);
        if !tds.has(1) {
            tds.missing(1, "the invoice total", Effect::RecordSetAside, out);
        }
        let total = tds.implied(1, 2, self.currency, Effect::RecordSetAside, out);
        let (Some(number), Some(total)) = (number, total) else { return };
        self.dates.invoice = date;
        let purpose = purpose(&big, out);
        self.order_references(&big, purpose, out);
        let bill_to = self.bill.debtor(&["ST"], out);
        let (mut terms, due_date) = self.terms.settle(&self.dates, self.currency, out);
        let (kind, amount) = bill::signed(&tds, 1, total, is_credit(&big), out);
        self.discount_of_total(&tds, total, &mut terms, out);
        self.check(&tds, total, out);
        out.invoice(Invoice {
            number,
            kind,
            purpose,
            date,
            due_date,
            amount,
            bill_to,
            seller: self.bill.seller(),
            po: self.bill.po,
            bol: self.bill.bol,
            pro: self.bill.pro,
            terms,
            references: self.bill.references,
            location: set.location(),
            exchange: None,
        });
    }

    /// BIG04 is the order; BIG10 names the invoice that a credit or a replacement is about.
    fn order_references(&mut self, big: &Segment<'w, 's>, purpose: InvoicePurpose, out: &mut Output<'w>) {
        if let Some(order) = big.text(4) {
            self.bill.po = Some(order);
        }
        if is_credit(big) || purpose != InvoicePurpose::Original {
            self.bill.reference(Text::Borrowed("OI"), big.text(10), big.location(), out);
        }
    }

    /// TDS02 and TDS04: what the discount is taken from, and the discount.
    fn discount_of_total(&self, tds: &Segment<'w, 's>, total: Money, terms: &mut crate::Terms, out: &mut Output<'w>) {
        let base = tds.implied(2, 2, self.currency, Effect::Noted, out);
        terms.discount_base = base.filter(|base| *base != total);
        let amount = tds.implied(4, 2, self.currency, Effect::Noted, out);
        terms.discount_amount = terms.discount_amount.or(amount.filter(|amount| amount.minor != 0));
    }

    /// Compares the total and the counts with the lines.
    fn check(&self, tds: &Segment<'w, 's>, total: Money, out: &mut Output<'w>) {
        let claimed = i128::from(total.minor);
        let computed = self.footing.total(claimed);
        let foots = claimed == computed;
        if foots && self.footing.lines > 0 || self.footing.is_complete() {
            let (code, effect) = footing::judge(claimed, computed);
            let what = "the sum of lines, allowances, charges and taxes";
            let (claimed, computed) = (bill::figure(claimed, self.currency), bill::figure(computed, self.currency));
            SetClaim { name: "TDS01", claimed, computed, what, code, effect, location: tds.location_of(1) }.check(out);
        }
        let Some(ctt) = self.ctt else { return };
        if let Some(count) = ctt.count(1, Effect::Noted, out) {
            // A wrong count alone is a slip; together with a total that does not foot, lines may be missing.
            let effect = if foots { Effect::Noted } else { Effect::RecordSetAside };
            let (claimed, computed) = (Figure::count(count), Figure::count(self.footing.lines));
            let what = "the number of IT1 segments";
            let code = FindingCode::ControlCountMismatch;
            SetClaim { name: "CTT01", claimed, computed, what, code, effect, location: ctt.location_of(1) }.check(out);
        }
        let hash = ctt.decimal(2, Effect::Noted, out);
        if let (Some(hash), Some(quantity)) = (hash, self.footing.quantity) {
            hash_claim(&ctt, hash, quantity).check(out);
        }
    }
}

fn hash_claim(ctt: &Segment<'_, '_>, hash: Decimal, quantity: Decimal) -> SetClaim<'static> {
    SetClaim {
        name: "CTT02",
        claimed: Figure::from(footing::plain(hash)),
        computed: Figure::from(footing::plain(quantity)),
        what: "the sum of IT102",
        code: FindingCode::ControlTotalMismatch,
        effect: Effect::Noted,
        location: ctt.location_of(2),
    }
}

fn keep_one<'w, 's>(slot: &mut Option<Segment<'w, 's>>, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
    if slot.is_some() {
        repeated_segment(segment, out);
    } else {
        *slot = Some(*segment);
    }
}

/// BIG07: credit memo (CR) and credit invoice (CN).
fn is_credit(big: &Segment<'_, '_>) -> bool {
    matches!(big.value(7), b"CR" | b"CN")
}

/// BIG08. What is no known purpose is read as an original and told.
fn purpose<'w>(big: &Segment<'w, '_>, out: &mut Output<'w>) -> InvoicePurpose {
    let code = big.value(8);
    match value::count(code) {
        _ if code.is_empty() => InvoicePurpose::Original,
        Some(0) => InvoicePurpose::Original,
        Some(1 | 3) => InvoicePurpose::Cancel,
        Some(4 | 5 | 18) => InvoicePurpose::Replace,
        Some(7 | 22) => InvoicePurpose::Duplicate,
        _ => {
            let message = "the purpose of the invoice is not known; it was read as an original".to_owned();
            out.finding(big.finding(8, FindingCode::BadCode, Effect::Noted, message, "00, 01, 05 or 07"));
            InvoicePurpose::Original
        }
    }
}
