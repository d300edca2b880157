//! 210 Motor Carrier Freight Details and Invoice: what a shipper, consignee or payer owes a carrier.
//!
//! The net amount due (B307) is the debt. It must be the total of L3; the charges of the lines (L104) are added up beside it.

use chrono::NaiveDate;

use crate::{Currency, Effect, FindingCode, Invoice, InvoicePurpose, Money, Party, Text};

use super::{
    bill::{self, Bill, Roles, SetClaim, missing_segment, repeated_segment},
    output::Output,
    segment::Segment,
    set::Set,
    terms::{BasisDates, TermsReader},
};

/// Who owes: bill-to, else payer, else the one whom the method of payment (B304) names.
const DEBTOR: Roles = &["BT", "PR"];
const DEBTOR_COLLECT: Roles = &["BT", "PR", "CN"];
const DEBTOR_PREPAID: Roles = &["BT", "PR", "SH"];
/// Whose receivable it is: the carrier, else the remit-to.
const SELLER: Roles = &["CA", "RE", "RI"];

/// Reads one 210.
pub(crate) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let currency = bill::currency(set, b"C3", 1, b"LX", out);
    let mut reader = Reader::new(currency);
    for segment in set.segments() {
        reader.segment(&segment, out);
    }
    reader.finish(set, out);
}

struct Reader<'w, 's> {
    currency: Currency,
    /// Before the first stop (S5) and the first line (LX).
    in_header: bool,
    b3: Option<Segment<'w, 's>>,
    l3: Option<Segment<'w, 's>>,
    bill: Bill<'w>,
    terms: TermsReader<'w, 's>,
    dates: BasisDates,
    /// Sum of L104, in minor units.
    charges: i128,
    charged: bool,
    /// A reference with qualifier CM was seen.
    credit_marked: bool,
}

impl<'w, 's> Reader<'w, 's> {
    fn new(currency: Currency) -> Self {
        Self {
            currency,
            in_header: true,
            b3: None,
            l3: None,
            bill: Bill::new(DEBTOR, SELLER),
            terms: TermsReader::default(),
            dates: BasisDates::default(),
            charges: 0,
            charged: false,
            credit_marked: false,
        }
    }

    fn segment(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if matches!(segment.tag(), b"LX" | b"S5") {
            self.bill.close_party();
            self.in_header = false;
        }
        if self.in_header && self.bill.take_party(segment) {
            return;
        }
        match segment.tag() {
            b"B3" => self.begin(segment, out),
            b"ITD" if self.in_header => self.terms.take(segment),
            b"N9" => self.reference(segment, 1, 2, out),
            b"L11" => self.reference(segment, 2, 1, out),
            b"R3" if self.in_header => {
                self.bill.reference(Text::Borrowed("CN"), segment.text(6), segment.location(), out);
            }
            b"G62" if self.in_header => {
                let date = segment.date(2, Effect::Noted, out);
                self.dates.take(segment.value(1), date);
            }
            b"L1" => self.charge(segment, out),
            b"L3" if self.l3.is_some() => repeated_segment(segment, out),
            b"L3" => self.l3 = Some(*segment),
            _ => {}
        }
    }

    /// B3. Its method of payment says who owes when the bill names no bill-to.
    fn begin(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if self.b3.is_some() {
            return repeated_segment(segment, out);
        }
        self.b3 = Some(*segment);
        match segment.value(4) {
            b"CC" => self.bill.set_debtor_roles(DEBTOR_COLLECT),
            b"PP" | b"PC" => self.bill.set_debtor_roles(DEBTOR_PREPAID),
            _ => {}
        }
    }

    /// N9 has qualifier and value, L11 value and qualifier. Those of lines count only when the bill may be paid by them.
    fn reference(&mut self, segment: &Segment<'w, 's>, qualifier: usize, value: usize, out: &mut Output<'w>) {
        let code = segment.value(qualifier);
        self.credit_marked |= self.in_header && code == b"CM";
        if self.in_header || matches!(code, b"PO" | b"BM") {
            self.bill.reference(segment.text_or_empty(qualifier), segment.text(value), segment.location(), out);
        }
    }

    /// L1: a charge (L104); discounts are negative.
    fn charge(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if let Some(charge) = segment.implied(4, 2, self.currency, Effect::RecordSetAside, out) {
            self.charges = self.charges.saturating_add(i128::from(charge.minor));
            self.charged = true;
        }
    }

    fn finish(mut self, set: &Set<'w, 's>, out: &mut Output<'w>) {
        self.bill.close_party();
        let Some(b3) = self.b3 else { return out.finding(missing_segment(set, "B3", "the freight bill has no B3")) };
        let number = b3.text(2);
        for (n, what) in [(2, "the carrier's invoice number"), (6, "the billing date"), (7, "the net amount due")] {
            if !b3.has(n) {
                b3.missing(n, what, Effect::RecordSetAside, out);
            }
        }
        let date = b3.date(6, Effect::RecordSetAside, out);
        let delivered = self.delivery(&b3, out);
        let total = b3.implied(7, 2, self.currency, Effect::RecordSetAside, out);
        let (Some(number), Some(total)) = (number, total) else { return };
        self.dates.invoice = date;
        self.dates.take(b"035", delivered);
        let purpose = purpose(&b3, out);
        let (kind, amount) = self.signed(&b3, total, out);
        let (terms, due_date) = self.terms.settle(&self.dates, self.currency, out);
        let bill_to = self.bill.debtor(&["SH", "CN"], out);
        self.check(&b3, total, out);
        let seller = seller(self.bill.seller(), &b3);
        out.invoice(Invoice {
            pro: Some(number.clone()),
            number,
            kind,
            purpose,
            date,
            due_date,
            amount,
            bill_to,
            seller,
            po: self.bill.po,
            bol: b3.text(3).or(self.bill.bol),
            terms,
            references: self.bill.references,
            location: set.location(),
            exchange: None,
        });
    }

    /// B309 is the day of delivery when B310 says so. One that is no date shows that the elements of B3 are shifted.
    fn delivery(&self, b3: &Segment<'w, 's>, out: &mut Output<'w>) -> Option<NaiveDate> {
        b3.date(9, Effect::RecordSetAside, out).filter(|_| b3.value(10) == b"035")
    }

    /// A bill with the reference CM and a negative total is a credit memo; a positive one only mentions a memo.
    fn signed(&self, b3: &Segment<'w, 's>, total: Money, out: &mut Output<'w>) -> (crate::InvoiceKind, Money) {
        if self.credit_marked && total.minor > 0 {
            let message = "a credit memo is referred to, but B307 is positive; it was read as an invoice".to_owned();
            out.finding(b3.finding(7, FindingCode::OddSign, Effect::Noted, message, "a negative amount for a credit memo"));
        }
        bill::signed(b3, 7, total, self.credit_marked && total.minor <= 0, out)
    }

    /// B307 = L305 = sum of L104. Two totals that differ leave open what is owed; charges that differ are told.
    fn check(&self, b3: &Segment<'w, 's>, total: Money, out: &mut Output<'w>) {
        let figure = |minor: i128| bill::figure(minor, self.currency);
        let claimed = i128::from(total.minor);
        let mut amount = |n: usize| {
            let money = self.l3.and_then(|l3| l3.implied(n, 2, self.currency, Effect::RecordSetAside, out));
            money.map(|money| i128::from(money.minor))
        };
        let [sum, advanced, prepaid] = [5, 6, 7].map(&mut amount);
        // Where the bill advances or prepays something, its charges may differ from what is due by just that.
        let apart = prepaid.unwrap_or(0).saturating_sub(advanced.unwrap_or(0));
        let before =
            |charges: i128| if charges.saturating_sub(apart) == claimed { claimed.saturating_add(apart) } else { claimed };
        if let (Some(l3), Some(sum)) = (self.l3, sum) {
            SetClaim {
                name: "L305",
                claimed: figure(sum),
                computed: figure(before(sum)),
                what: "the net amount due (B307)",
                code: FindingCode::OutOfBalance,
                effect: Effect::RecordSetAside,
                location: l3.location_of(5),
            }
            .check(out);
        }
        if self.charged {
            let owed = if before(self.charges) == self.charges { claimed } else { self.charges };
            SetClaim {
                name: "B307",
                claimed: figure(claimed),
                computed: figure(owed),
                what: "the sum of charges (L104)",
                code: FindingCode::OutOfBalance,
                effect: Effect::Noted,
                location: b3.location_of(7),
            }
            .check(out);
        }
    }
}

/// The carrier; where no party says an identification, the carrier code (B311) does.
fn seller<'w>(party: Party<'w>, b3: &Segment<'w, '_>) -> Party<'w> {
    let id = party.id.or_else(|| b3.text(11));
    Party { id, ..party }
}

/// Correction indicator (B308). A bill that adds to an earlier one is a debt of its own, with a finding that says so.
fn purpose<'w>(b3: &Segment<'w, '_>, out: &mut Output<'w>) -> InvoicePurpose {
    let (code, purpose, message) = match b3.value(8) {
        b"" => return InvoicePurpose::Original,
        b"CO" | b"RB" | b"BE" | b"RC" => (FindingCode::CorrectsEarlier, InvoicePurpose::Replace, "replaces an earlier bill"),
        b"CA" | b"BO" | b"CM" | b"CT" => (FindingCode::CorrectsEarlier, InvoicePurpose::Cancel, "cancels an earlier bill"),
        b"PD" => (FindingCode::CorrectsEarlier, InvoicePurpose::Duplicate, "repeats a bill that is past due"),
        b"AD" | b"AI" | b"AR" | b"BD" => {
            (FindingCode::CorrectsEarlier, InvoicePurpose::Original, "adds to an earlier bill, and was read as a debt of its own")
        }
        _ => (
            FindingCode::BadCode,
            InvoicePurpose::Original,
            "corrects something in a way we do not know, and was read as an original",
        ),
    };
    let message = format!("the freight bill {message} (B308)");
    out.finding(b3.finding(8, code, Effect::Noted, message, "no correction indicator, or CO, RB, CA, BD"));
    purpose
}
