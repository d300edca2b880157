//! 812 Credit/Debit Adjustment: a customer announces what it will deduct, or what it grants, and why.
//!
//! No money moves with it and none is announced, so it is a remittance that names neither a total nor what is paid for a line: each
//! CDD is a line with action `AJ` (element 482) and one adjustment. The deduction comes later, in a remittance that names the number of
//! the 812 (BCD02) or the invoice (BCD07). Amounts that reduce what we receive are negative, as everywhere.

use crate::{Adjustment, Currency, Effect, Finding, FindingCode, Location, Money, Remittance, RemittanceLine, Text};

use super::{
    bill::{self, Bill, Roles, SetClaim, missing_segment, repeated_segment},
    output::Output,
    segment::Segment,
    set::Set,
};

/// Who announces: the one who owes us.
const CUSTOMER: Roles = &["BT", "BY", "SO", "PR", "ST"];
/// Whose receivable it is.
const SELLER: Roles = &["SE", "SU", "VN", "II", "PE", "RI", "RE"];
/// The payment action of an adjustment.
const ADJUSTMENT: Text<'static> = Text::Borrowed("AJ");

/// Reads one 812.
pub(super) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let currency = bill::currency(set, b"CUR", 2, b"CDD", out);
    let mut reader = Reader {
        currency,
        lines_max: set.limits.remittance_lines_max,
        bcd: None,
        bill: Bill::new(CUSTOMER, SELLER),
        lines: Vec::new(),
        amounts: Vec::new(),
        unpriced: false,
    };
    for segment in set.segments() {
        reader.segment(&segment, out);
    }
    reader.finish(set, out);
}

struct Reader<'w, 's> {
    currency: Currency,
    lines_max: usize,
    bcd: Option<Segment<'w, 's>>,
    bill: Bill<'w>,
    lines: Vec<RemittanceLine<'w>>,
    /// Signed CDD04 of the lines that have one, in minor units.
    amounts: Vec<i64>,
    /// A line gives a quantity and no amount.
    unpriced: bool,
}

impl<'w, 's> Reader<'w, 's> {
    fn segment(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let in_header = self.lines.is_empty();
        if in_header && self.bill.take_party(segment) {
            return;
        }
        match segment.tag() {
            b"BCD" if self.bcd.is_some() => repeated_segment(segment, out),
            b"BCD" => self.bcd = Some(*segment),
            b"CDD" => self.detail(segment, out),
            b"N9" | b"REF" if in_header => {
                self.bill.reference(segment.text_or_empty(1), segment.text(2), segment.location(), out);
            }
            b"N9" | b"REF" => self.line_reference(segment),
            _ => {}
        }
    }

    /// CDD: reason (CDD01), credit or debit (CDD02), amount (CDD04).
    fn detail(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if self.lines.len() >= self.lines_max {
            let message = "the adjustment has more lines than allowed".to_owned();
            let expected = format!("at most {} lines", self.lines_max);
            let finding = segment.finding(1, FindingCode::LimitReached, Effect::RecordSetAside, message, &expected);
            return out.finding(Finding { location: segment.location(), ..finding });
        }
        if !segment.has(1) {
            segment.missing(1, "an adjustment reason code", Effect::Noted, out);
        }
        let amount = self.signed(segment, 4, 2, out);
        match amount {
            Some(amount) => self.amounts.push(amount.minor),
            None => self.unpriced = true,
        }
        if amount.is_none() && !segment.has(7) {
            segment.missing(4, "an amount, or a quantity in CDD07", Effect::RecordSetAside, out);
        }
        let line = line(amount, segment.text_or_empty(1), segment.location());
        self.lines.push(line);
    }

    /// The amount in element `n`, negative when element `flag` says that we are debited.
    fn signed(&self, segment: &Segment<'w, 's>, n: usize, flag: usize, out: &mut Output<'w>) -> Option<Money> {
        let amount = segment.implied(n, 2, self.currency, Effect::RecordSetAside, out)?;
        match segment.value(flag) {
            b"C" => Some(amount),
            b"D" => Some(Money::new(amount.minor.saturating_neg(), amount.currency)),
            _ => {
                let message = format!("{} says neither credit nor debit", segment.name(flag));
                let code = if segment.has(flag) { FindingCode::BadCode } else { FindingCode::MissingElement };
                out.finding(segment.finding(flag, code, Effect::RecordSetAside, message, "C or D"));
                None
            }
        }
    }

    /// N9 behind CDD belongs to the line.
    fn line_reference(&mut self, segment: &Segment<'w, 's>) {
        let (Some(line), Some(value)) = (self.lines.last_mut(), segment.text(2)) else { return };
        match segment.value(1) {
            b"PO" if line.po.is_none() => line.po = Some(value),
            b"IV" if line.reference.is_empty() => (line.qualifier, line.reference) = (segment.text_or_empty(1), value),
            _ => line.references.push(crate::Reference { qualifier: segment.text_or_empty(1), value }),
        }
    }

    fn finish(mut self, set: &Set<'w, 's>, out: &mut Output<'w>) {
        self.bill.close_party();
        let Some(bcd) = self.bcd else { return out.finding(missing_segment(set, "BCD", "the adjustment has no BCD")) };
        let Some(number) = bcd.text(2) else {
            return bcd.missing(2, "the number of the adjustment", Effect::RecordSetAside, out);
        };
        if !bcd.has(4) {
            bcd.missing(4, "the amount of the adjustment", Effect::RecordSetAside, out);
        }
        let date = bcd.date(1, Effect::Noted, out);
        let Some(total) = self.signed(&bcd, 4, 5, out) else { return };
        self.check(&bcd, total, out);
        if self.lines.is_empty() {
            self.lines.push(line(Some(total), Text::Borrowed(""), bcd.location()));
        }
        self.name_items(&bcd, &number, out);
        if out.is_set_aside() {
            return;
        }
        self.bill.reference(Text::Borrowed("VN"), bcd.text(8), bcd.location(), out);
        self.bill.reference(bcd.text_or_empty(13), bcd.text(14), bcd.location(), out);
        let payer = self.bill.debtor(&["ST"], out);
        out.remittance(Remittance {
            seq: 0,
            total: None,
            date,
            payer: payer.into(),
            payee: self.bill.seller().into(),
            trace: None,
            lines: self.lines,
            text: None,
            references: self.bill.references,
            location: set.location(),
            exchange: None,
        });
    }

    /// Every line names the adjustment, and the invoice or order of the header where it names none itself.
    fn name_items(&mut self, bcd: &Segment<'w, 's>, number: &Text<'w>, out: &mut Output<'w>) {
        let invoice = bcd.text(7).map(|value| (Text::Borrowed("IV"), value));
        let other = bcd.text(14).map(|value| (bcd.text_or_empty(13), value));
        let item = invoice.or(other);
        let order = bcd.text(10);
        let invoiced = bcd.date(6, Effect::Noted, out);
        for line in &mut self.lines {
            if let (true, Some((qualifier, reference))) = (line.reference.is_empty(), &item) {
                (line.qualifier, line.reference) = (qualifier.clone(), reference.clone());
                line.date = invoiced;
            }
            line.po = line.po.take().or_else(|| order.clone());
            line.adjustments.iter_mut().for_each(|adjustment| adjustment.reference = Some(number.clone()));
        }
    }

    /// BCD04 is the signed sum of CDD04, where every line has one.
    fn check(&self, bcd: &Segment<'w, 's>, total: Money, out: &mut Output<'w>) {
        if self.unpriced || self.amounts.is_empty() || out.is_set_aside() {
            return;
        }
        let sum = self.amounts.iter().map(|minor| i128::from(*minor)).sum::<i128>();
        SetClaim {
            name: "BCD04",
            claimed: bill::figure(i128::from(total.minor), self.currency),
            computed: bill::figure(sum, self.currency),
            what: "the signed sum of the lines (CDD04)",
            code: FindingCode::OutOfBalance,
            effect: Effect::Noted,
            location: bcd.location_of(4),
        }
        .check(out);
    }
}

fn line<'w>(amount: Option<Money>, reason: Text<'w>, location: Location) -> RemittanceLine<'w> {
    let adjustments = amount.map(|amount| Adjustment { amount, reason, reference: None });
    RemittanceLine {
        reference: Text::Borrowed(""),
        qualifier: Text::Borrowed(""),
        action: Some(ADJUSTMENT),
        gross: None,
        discount: None,
        adjustments: adjustments.into_iter().collect(),
        net: None,
        date: None,
        po: None,
        references: Vec::new(),
        location,
    }
}
