//! The lines of an advice: open items (RMR) with what hangs on them, and adjustments that hang on none (outer ADX).
//!
//! Position decides: an ADX after an RMR belongs to it until the next RMR, ENT or NM1; any other stands for itself.

use chrono::NaiveDate;

use crate::{Adjustment, Currency, Effect, Finding, FindingCode, Limits, Location, Money, RemittanceLine, Severity, Text};

use super::super::{
    id::SegmentId,
    output::Output,
    segment::{Segment, Stretch, plain_text},
};

/// Lines read so far.
pub(super) struct Lines<'w> {
    currency: Currency,
    lines: Vec<RemittanceLine<'w>>,
    lines_max: usize,
    /// The last line is an RMR that still takes what follows.
    open: bool,
    /// Further elements of the open RMR that its own balance needs.
    interest: Option<i64>,
    /// The last line takes references because it is an outer adjustment.
    outer_open: bool,
    begun: bool,
    entity_seen: bool,
    /// A line was left out because there were too many.
    full: bool,
    sums: Sums,
}

/// What the lines add up to.
#[derive(Default)]
pub(super) struct Sums {
    /// Sum of RMR04 and outer ADX01.
    pub total: i128,
    /// Lines with an amount.
    pub amounts: usize,
    /// Open items that name no amount.
    pub amounts_missing: usize,
    /// Lines whose own elements do not add up.
    pub unbalanced: Vec<Finding>,
}

impl<'w> Lines<'w> {
    /// No lines yet, and room for as many as are expected.
    pub fn new(limits: &Limits, expected: usize, currency: Currency) -> Self {
        Self {
            currency,
            lines: Vec::with_capacity(expected.min(limits.remittance_lines_max)),
            lines_max: limits.remittance_lines_max,
            open: false,
            interest: None,
            outer_open: false,
            begun: false,
            entity_seen: false,
            full: false,
            sums: Sums::default(),
        }
    }

    /// RMR may stand without ENT, and nothing is said of it.
    pub fn need_no_entity(&mut self) {
        self.entity_seen = true;
    }

    /// Whether the detail has begun.
    pub fn begun(&self) -> bool {
        self.begun
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Gives the lines away.
    pub fn take_all(&mut self) -> Vec<RemittanceLine<'w>> {
        std::mem::take(&mut self.lines)
    }

    /// ENT or NM1: the line before it ends.
    pub fn entity(&mut self) {
        self.close();
        self.begun = true;
        self.entity_seen = true;
    }

    /// Takes a segment of the detail: RMR, REF, DTM or ADX.
    pub fn take(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        match segment.id() {
            SegmentId::RMR => self.open_item(segment, out),
            SegmentId::REF => self.reference(segment),
            SegmentId::DTM => {
                let date = segment.date(2, Effect::Noted, out);
                self.dated(segment.value(1), date);
            }
            _ => self.adjustment(segment, out),
        }
    }

    /// RMR.
    pub fn open_item(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        self.close();
        if !self.entity_seen {
            self.entity_seen = true;
            out.finding(Finding {
                code: FindingCode::MissingLoop,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "RMR stands without ENT before it".to_owned(),
                expected: "ENT".to_owned(),
                found: "RMR".to_owned(),
                location: segment.location(),
            });
        }
        self.begun = true;
        if self.lines.len() >= self.lines_max {
            self.too_many(segment, out);
            return;
        }
        self.lines.push(BLANK);
        let Some(line) = self.lines.last_mut() else { return };
        let [qualifier, reference, action, net, gross, discount, reason] = segment.stretches();
        match segment.set_text() {
            Some(text) => fill_item(line, [qualifier, reference, action], |stretch| plain_text(text, stretch)),
            None => fill_item(line, [qualifier, reference, action], |stretch| segment.text_in(stretch)),
        }
        line.location = segment.location_of_tag(SegmentId::RMR);
        if line.qualifier.is_empty() != line.reference.is_empty() {
            let missing = if line.reference.is_empty() { 2 } else { 1 };
            segment.missing(missing, "RMR01 and RMR02 together", Effect::Noted, out);
        }
        let (currency, aside) = (self.currency, Effect::RecordSetAside);
        line.net = segment.amount_in(net, 4, currency, aside, out);
        // Without a discount both are the same, and mostly they are written alike.
        let is_net = line.net.is_some() && segment.are_alike(net, gross);
        line.gross = if is_net { line.net } else { segment.amount_in(gross, 5, currency, aside, out) };
        line.discount = segment.amount_in(discount, 6, currency, aside, out);
        match line.net {
            Some(net) => {
                // No number of lines brings 128 bits to their end.
                self.sums.amounts = self.sums.amounts.wrapping_add(1);
                self.sums.total = self.sums.total.wrapping_add(i128::from(net.minor));
            }
            None => self.sums.amounts_missing = self.sums.amounts_missing.wrapping_add(1),
        }
        self.open = true;
        if segment.holds(reason) {
            self.interest_or_charge(segment, out);
        }
    }

    /// RMR07 and RMR08: reason and amount of interest, a late charge or an adjustment of the line; both or neither.
    fn interest_or_charge(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        let reason = segment.text(7);
        let amount = segment.amount(8, self.currency, Effect::RecordSetAside, out);
        if reason.is_none() && amount.is_none() {
            return;
        }
        if reason.is_none() || !segment.has(8) {
            segment.missing(if reason.is_none() { 7 } else { 8 }, "RMR07 and RMR08 together", Effect::Noted, out);
        }
        self.interest = amount.map(|amount| amount.minor);
        let amount = amount.unwrap_or(Money::zero(self.currency));
        if let Some(line) = self.lines.last_mut() {
            line.adjustments.push(Adjustment { amount, reason: reason.unwrap_or_default(), reference: None });
        }
    }

    /// ADX.
    pub fn adjustment(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        let [amount, reason, number_qualifier, number] = segment.stretches();
        let aside = Effect::RecordSetAside;
        let Some(amount) = segment.required_amount_in(amount, 1, self.currency, aside, out) else { return };
        let reason = segment.text_in(reason);
        if reason.is_none() {
            segment.missing(2, "an adjustment reason code", Effect::Noted, out);
        }
        let adjustment = Adjustment { amount, reason: reason.unwrap_or_default(), reference: segment.text_in(number) };
        if self.open
            && let Some(line) = self.lines.last_mut()
        {
            line.adjustments.push(adjustment);
            return;
        }
        self.begun = true;
        self.sums.amounts = self.sums.amounts.saturating_add(1);
        self.sums.total = self.sums.total.saturating_add(i128::from(amount.minor));
        if self.lines.len() >= self.lines_max {
            self.too_many(segment, out);
            return;
        }
        self.lines.push(RemittanceLine {
            reference: adjustment.reference.clone().unwrap_or_default(),
            qualifier: segment.text_in(number_qualifier).unwrap_or_default(),
            action: None,
            gross: None,
            discount: None,
            adjustments: vec![adjustment],
            net: Some(amount),
            date: None,
            po: None,
            references: Vec::new(),
            location: segment.location(),
        });
        self.outer_open = true;
    }

    /// REF in the detail: it belongs to the line before it.
    pub fn reference(&mut self, segment: &Segment<'w, '_>) {
        if !(self.open || self.outer_open) {
            return;
        }
        let Some(line) = self.lines.last_mut() else { return };
        let [qualifier, number] = segment.stretches();
        let is_order = line.po.is_none() && segment.value_in(qualifier) == b"PO";
        if is_order {
            line.po = match segment.set_text() {
                Some(text) => plain_text(text, number),
                None => segment.text_in(number),
            };
        } else {
            line.references.extend(super::reference(segment));
        }
    }

    /// DTM after the header: 003 is the invoice date.
    pub fn dated(&mut self, qualifier: &[u8], date: Option<NaiveDate>) {
        if qualifier == b"003"
            && (self.open || self.outer_open)
            && let Some(line) = self.lines.last_mut()
        {
            line.date = line.date.or(date);
        }
    }

    /// Ends the last line and gives the sums.
    pub fn finish(&mut self) -> Sums {
        self.close();
        std::mem::take(&mut self.sums)
    }

    /// The set has more lines than allowed and is set aside; said once.
    #[cold]
    fn too_many(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        if !std::mem::replace(&mut self.full, true) {
            let message = "the remittance has more lines than allowed".to_owned();
            let expected = format!("at most {} lines", self.lines_max);
            let finding = segment.finding(1, FindingCode::LimitReached, Effect::RecordSetAside, message, &expected);
            out.finding(Finding { location: segment.location(), ..finding });
        }
    }

    /// Ends the open line: gross, discount and adjustments must give the net.
    #[inline(always)]
    fn close(&mut self) {
        self.outer_open = false;
        if !std::mem::take(&mut self.open) {
            return;
        }
        let interest = self.interest.take();
        let Some(line) = self.lines.last_mut() else { return };
        let (Some(net), Some(gross)) = (line.net, line.gross) else { return };
        let taken = line.discount.map_or(0, |discount| discount.minor);
        if line.adjustments.is_empty() && gross.minor.checked_sub(taken) == Some(net.minor) {
            return;
        }
        self.sums.unbalanced.extend(unbalanced(line, net, gross, interest));
    }
}

/// A line with nothing in it. Lines are filled where they will stay: they are large, and moving one costs as much as reading it.
const BLANK: RemittanceLine<'static> = RemittanceLine {
    reference: Text::Borrowed(""),
    qualifier: Text::Borrowed(""),
    action: None,
    gross: None,
    discount: None,
    adjustments: Vec::new(),
    net: None,
    date: None,
    po: None,
    references: Vec::new(),
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

/// The texts of an RMR; `text` gives its elements as text.
#[inline(always)]
fn fill_item<'w>(line: &mut RemittanceLine<'w>, elements: [Stretch; 3], text: impl Fn(Stretch) -> Option<Text<'w>>) {
    let [qualifier, reference, action] = elements;
    if let Some(reference) = text(reference) {
        line.reference = reference;
    }
    if let Some(qualifier) = text(qualifier) {
        line.qualifier = qualifier;
    }
    line.action = text(action);
}

/// Whether the line's own elements give its net; RMR08 counts with either sign or not at all, as senders do.
fn unbalanced(line: &mut RemittanceLine<'_>, net: Money, gross: Money, interest: Option<i64>) -> Option<Finding> {
    let discount = line.discount.map_or(0, |discount| i128::from(discount.minor));
    let all: i128 = line.adjustments.iter().map(|adjustment| i128::from(adjustment.amount.minor)).sum();
    let interest = interest.map_or(0, i128::from);
    let inner = all.saturating_sub(interest);
    let (net, gross) = (i128::from(net.minor), i128::from(gross.minor));
    let computed = gross.saturating_sub(discount).saturating_add(inner);
    let gap = net.saturating_sub(computed);
    if gap == 0 || gap == interest || gap == interest.saturating_neg() {
        return None;
    }
    if let Some(taken) = &mut line.discount
        && discount < 0
        && gap == discount.saturating_mul(2)
    {
        // The discount was written as what it takes away.
        taken.minor = taken.minor.saturating_neg();
        return None;
    }
    let exponent = line.net.map_or(2, |net| net.currency.exponent());
    let figure = |minor| crate::Figure::decimal(minor, exponent);
    Some(Finding {
        code: FindingCode::LineOutOfBalance,
        severity: Severity::Warning,
        effect: Effect::Noted,
        message: format!(
            "RMR05 {} less RMR06 {} plus adjustments {} is not RMR04",
            figure(gross),
            figure(discount),
            figure(inner)
        ),
        expected: figure(computed).as_str().to_owned(),
        found: figure(net).as_str().to_owned(),
        location: crate::Location { element: Some(4), ..line.location },
    })
}
