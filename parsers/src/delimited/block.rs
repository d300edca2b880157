//! The payment or advice in hand: its lines, and what they come to. A finding that sets it aside does so until it is closed.

use super::{cells::Cells, field::Field};
use crate::{
    Adjustment, Control, Currency, Effect, Figure, Finding, FindingCode, Limits, Location, Money, Payment, Reference, Remittance,
    RemittanceLine, Severity, SharedParty, x12::output::Output,
};

/// A payment with the lines below it, or an advice. Memory is bounded by one of them.
#[derive(Debug)]
pub(super) struct Block {
    /// What the rows of an advice have in common.
    pub key: Vec<Option<String>>,
    pub currency: Option<Currency>,
    /// The payment, unless the block is an advice or could not be read.
    pub payment: Option<Payment<'static>>,
    pub remittance: Remittance<'static>,
    /// It begins with a row that could not be read, so that its key is not to be trusted.
    pub torn: bool,
    /// Its total row has been seen.
    pub totalled: bool,
    /// Where its total stands.
    total_at: Option<Location>,
    sum: i128,
    amounts: usize,
    amounts_missing: usize,
    bytes: usize,
    full: bool,
}

impl Block {
    pub fn new(key: Vec<Option<String>>, currency: Option<Currency>, location: Location) -> Self {
        let remittance = Remittance {
            seq: 0,
            total: None,
            date: None,
            payer: SharedParty::default(),
            payee: SharedParty::default(),
            trace: None,
            lines: Vec::new(),
            text: None,
            references: Vec::new(),
            location,
            exchange: None,
        };
        Self {
            key,
            currency,
            payment: None,
            remittance,
            torn: false,
            totalled: false,
            total_at: None,
            sum: 0,
            amounts: 0,
            amounts_missing: 0,
            bytes: 0,
            full: false,
        }
    }

    /// Whether a row of an advice belongs to this one: payers often fill the common columns in the first row only.
    pub fn takes(&self, key: &[Option<String>]) -> bool {
        !self.totalled && (self.key == key || key.iter().all(Option::is_none))
    }

    /// The amount the block names for the whole payment.
    pub fn total(&mut self, total: Money, location: Location) {
        self.remittance.total = Some(total);
        self.total_at = Some(location);
    }

    /// Takes a line: an item, an adjustment, or only text.
    pub fn line(&mut self, cells: &Cells<'_>, currency: Currency, limits: &Limits, out: &mut Output<'static>) {
        if self.remittance.payer.name.is_none() {
            self.remittance.payer.name = cells.text(Field::Payer).map(Into::into);
        }
        if self.is_full(cells, limits, out) {
            return;
        }
        let reference = cells.text(Field::Invoice);
        let mut amount = |field| match cells.amount(field, currency) {
            Ok(amount) => amount.map(|amount| Money::new(for_advice(amount), currency)),
            Err(finding) => {
                out.finding(*finding);
                None
            }
        };
        let (gross, discount) = (amount(Field::Gross), amount(Field::Discount));
        let (deduction, net) = (amount(Field::Deduction), amount(Field::Net));
        if let Some(text) = cells.text(Field::Text) {
            match &mut self.remittance.text {
                Some(held) => held.to_mut().extend([" ", &text]),
                held => *held = Some(text.into()),
            }
        }
        if reference.is_none() && [gross, discount, deduction, net].iter().all(Option::is_none) {
            return;
        }
        match net {
            Some(net) => {
                self.sum = self.sum.saturating_add(i128::from(net.minor));
                self.amounts = self.amounts.saturating_add(1);
            }
            None => self.amounts_missing = self.amounts_missing.saturating_add(1),
        }
        let date = cells.date(Field::InvoiceDate).unwrap_or_else(|finding| {
            // The date of an item only helps to find it.
            out.finding(Finding { effect: Effect::Noted, severity: Severity::Warning, ..*finding });
            None
        });
        let qualifier = cells.text(Field::Qualifier).or_else(|| cells.mapping.sheet.values.qualifier.clone());
        let mut line = RemittanceLine {
            reference: reference.unwrap_or_default().into(),
            qualifier: qualifier.unwrap_or_else(|| "IV".to_owned()).into(),
            action: None,
            gross,
            discount,
            adjustments: Vec::new(),
            net,
            date,
            po: cells.text(Field::Po).map(Into::into),
            references: Vec::new(),
            location: cells.place,
        };
        adjust(&mut line, deduction, cells, out);
        self.remittance.lines.push(line);
    }

    /// Whether the block has as much as it may hold; said once.
    fn is_full(&mut self, cells: &Cells<'_>, limits: &Limits, out: &mut Output<'static>) -> bool {
        self.bytes = self.bytes.saturating_add(cells.row.len());
        let many = self.remittance.lines.len() >= limits.remittance_lines_max;
        if (many || self.bytes > limits.transaction_bytes_max) && !std::mem::replace(&mut self.full, true) {
            let finding = Finding {
                code: FindingCode::LimitReached,
                severity: Severity::Error,
                effect: Effect::RecordSetAside,
                message: "the remittance has more lines than allowed".to_owned(),
                expected: format!("at most {} lines and {} bytes", limits.remittance_lines_max, limits.transaction_bytes_max),
                found: format!("{} lines", self.remittance.lines.len().saturating_add(1)),
                location: cells.place,
            };
            out.finding(finding);
            self.remittance.lines = Vec::new();
        }
        self.full
    }

    /// Hands the block over: its advice, and the payment that refers to it.
    pub fn close(mut self, out: &mut Output<'static>) {
        if out.take_set_aside() {
            return;
        }
        self.check_total(out);
        match self.payment.take() {
            None => drop(out.remittance(self.remittance)),
            Some(mut payment) => {
                if !self.remittance.lines.is_empty() {
                    let held = &mut self.remittance;
                    held.total = Some(payment.amount);
                    held.date = payment.value_date;
                    held.payer.clone_from(&payment.payer);
                    held.payee.clone_from(&payment.payee);
                    held.trace.clone_from(&payment.trace);
                    held.location = held.lines.first().map_or(held.location, |line| line.location);
                    payment.remittance = Some(out.remittance(self.remittance));
                } else if let Some(more) = self.remittance.text.take() {
                    payment.text = Some(payment.text.map_or(more.clone(), |text| format!("{text} {more}").into()));
                }
                out.payment(payment);
            }
        }
    }

    /// The lines beside the total. More money than lines is an everyday matter, because payers overpay and leave lines out; more
    /// lines than money is an error.
    fn check_total(&mut self, out: &mut Output<'static>) {
        let claimed = self.payment.as_ref().map(|payment| payment.amount).or(self.remittance.total);
        let (Some(claimed), Some(location)) = (claimed, self.total_at) else { return };
        let gap = i128::from(claimed.minor).saturating_sub(self.sum);
        if self.amounts == 0 || (self.amounts_missing > 0 && gap > 0) {
            return;
        }
        let figure = |minor| Figure::decimal(minor, claimed.currency.exponent());
        if gap != 0 {
            let (severity, message) = match gap {
                ..0 => (Severity::Error, format!("the lines come to {} more than the total", figure(gap.saturating_neg()))),
                _ => (Severity::Warning, format!("the total is {} more than the lines come to", figure(gap))),
            };
            out.finding(Finding {
                code: FindingCode::OutOfBalance,
                severity,
                effect: Effect::Noted,
                message,
                expected: figure(self.sum).to_string(),
                found: figure(i128::from(claimed.minor)).to_string(),
                location,
            });
        }
        let (claimed, computed) = (figure(i128::from(claimed.minor)), figure(self.sum));
        out.control(Control { name: "total", level: "advice", claimed, computed, ok: gap == 0, location });
    }
}

/// In an advice a credit lowers what is paid.
pub(super) fn for_advice(amount: super::amount::Amount) -> i64 {
    match amount.mark {
        Some(super::amount::Mark::Credit) => amount.minor.saturating_neg(),
        _ => amount.minor,
    }
}

/// Gross less discount and adjustments must give the net; a reason names what is missing between them.
fn adjust(line: &mut RemittanceLine<'static>, deduction: Option<Money>, cells: &Cells<'_>, out: &mut Output<'static>) {
    let reason = cells.text(Field::Reason);
    let minor = |money: Option<Money>| money.map_or(0, |money| i128::from(money.minor));
    let short = line
        .net
        .zip(line.gross)
        .map(|(net, gross)| i128::from(net.minor).saturating_sub(i128::from(gross.minor)).saturating_add(minor(line.discount)));
    if let (true, Some(net), Some(reason), None) = (line.qualifier == "ZZ", line.net, reason.as_ref(), deduction) {
        // An adjustment that stands for itself: it is all of the net.
        (line.gross, line.discount) = (None, None);
        line.adjustments.push(Adjustment { amount: net, reason: reason.clone().into(), reference: None });
        return;
    }
    let told = deduction.filter(|deduction| deduction.minor != 0);
    let amount = match (told, short) {
        // Payers write what they keep back with and without sign.
        (Some(told), Some(short)) if short.unsigned_abs() == i128::from(told.minor).unsigned_abs() => Some(short),
        (Some(told), _) => Some(i128::from(told.minor).saturating_neg()),
        (None, Some(short)) if short != 0 && reason.is_some() => Some(short),
        (None, _) => None,
    };
    let amount = amount.and_then(|amount| i64::try_from(amount).ok());
    let currency = line.net.or(line.gross).or(told).map(|money| money.currency);
    match (amount, currency, reason) {
        (Some(amount), Some(currency), reason) => {
            let reason = reason.unwrap_or_default().into();
            line.adjustments.push(Adjustment { amount: Money::new(amount, currency), reason, reference: None });
        }
        (_, _, Some(reason)) => line.references.push(Reference { qualifier: "reason".into(), value: reason.into() }),
        _ => {}
    }
    let explained = amount.map_or(0, i128::from);
    if let (Some(short), Some(net)) = (short.filter(|short| *short != explained), line.net) {
        let figure = |minor| Figure::decimal(minor, net.currency.exponent()).to_string();
        let expected = i128::from(net.minor).saturating_sub(short).saturating_add(explained);
        out.finding(Finding {
            severity: Severity::Warning,
            effect: Effect::Noted,
            ..*cells.wrong(
                Field::Net,
                FindingCode::LineOutOfBalance,
                "gross, discount and deduction do not give the net",
                &figure(expected),
            )
        });
    }
}
