//! A check (record 6) with its overflow records (4): one payment and what it is for.

use chrono::{Datelike, NaiveDate};

use crate::{
    Account, Adjustment, Currency, Direction, Effect, Figure, Finding, FindingCode, Limits, Location, Method, Money, MoneyError,
    Party, Payment, Reference, Remittance, RemittanceLine, Severity, SharedParty, Text, money, x12::output::Output,
};

use super::{
    choose::section_of,
    layout::{Columns, Layout, Name, Section},
    row::Row,
};

/// What a check needs to know of its file and lockbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'s> {
    pub layout: &'s Layout,
    pub currency: Currency,
    /// Deposit date.
    pub date: Option<NaiveDate>,
    /// Whose lockbox it is, and with which bank.
    pub owner: &'s SharedParty<'static>,
    pub limits: &'s Limits,
}

/// Reads a check. Gives its amount; nothing when it cannot be read.
pub(super) fn read<'w>(check: &Row<'w>, details: &[Row<'w>], setting: &Setting<'_>, out: &mut Output<'w>) -> Option<i64> {
    let columns = setting.layout.section(Section::Check);
    let span = columns.of(Name::Amount);
    let minor = match check.amount(span).unwrap_or(Err(MoneyError::Empty)) {
        Ok(minor) => minor,
        Err(fault) => {
            let message = "the amount of the check cannot be read".to_owned();
            let expected = money::expected(&fault, "cents, digits alone");
            out.finding(check.finding(span, FindingCode::BadAmount, Effect::RecordSetAside, message, expected));
            return None;
        }
    };
    if minor < 0 {
        let message = "the amount of the check is negative".to_owned();
        out.finding(check.finding(span, FindingCode::OddSign, Effect::RecordSetAside, message, "an amount above zero"));
        return Some(minor);
    }
    if check.is_foreign() {
        let message = "the text is not UTF-8 and was read as Windows-1252".to_owned();
        let finding = check.finding(columns.of(Name::Remitter), FindingCode::NotUtf8, Effect::Noted, message, "UTF-8 text");
        out.finding(finding);
    }
    let amount = Money::new(minor, setting.currency);
    let mut payment = payment(check, columns, amount, setting, out);
    let mut lines = Lines { setting, lines: Vec::with_capacity(details.len()), keyed: None, sequence: 0, full: false };
    lines.items(check, columns, out);
    for row in details {
        lines.take(row, out);
    }
    lines.check_last(details, out);
    payment.text = lines.keyed.take().filter(|text| !text.is_empty());
    let lines = lines.lines;
    check_sum(check, &lines, amount, out);
    if !lines.is_empty() {
        let remittance = Box::write(
            Box::new_uninit(),
            Remittance {
                seq: 0,
                total: Some(amount),
                date: setting.date,
                payer: payment.payer.clone(),
                payee: payment.payee.clone(),
                trace: payment.trace.clone(),
                lines,
                text: payment.text.clone(),
                references: Vec::new(),
                location: payment.location,
                exchange: None,
            },
        );
        payment.remittance = Some(out.remittance(remittance));
    }
    if minor > 0 {
        out.payment(payment);
    } else {
        let message = "the check moves no money, so it is no payment".to_owned();
        let finding = check.finding(span, FindingCode::BadAmount, Effect::Noted, message, "an amount above zero");
        out.finding(Finding { severity: Severity::Info, ..finding });
    }
    Some(minor)
}

fn payment<'w>(
    check: &Row<'w>,
    columns: &Columns,
    amount: Money,
    setting: &Setting<'_>,
    out: &mut Output<'w>,
) -> Box<Payment<'w>> {
    let mut references = Vec::with_capacity(3);
    for (qualifier, name) in [("BATCH", Name::Batch), ("ITEM", Name::Item)] {
        if let Some(value) = check.text(columns.of(name)) {
            references.push(Reference { qualifier: Text::Borrowed(qualifier), value });
        }
    }
    let dated = columns.of(Name::Date);
    match check.date(dated) {
        None => {}
        Some(Ok(date)) => {
            references.push(Reference { qualifier: Text::Borrowed("DATED"), value: Text::Owned(iso(date)) });
        }
        Some(Err(())) => {
            let message = "the date of the check is no date".to_owned();
            out.finding(check.finding(dated, FindingCode::BadDate, Effect::Noted, message, "a date of six digits"));
        }
    }
    let mut payee: SharedParty<'w> = setting.owner.clone();
    if let Some(name) = check.text(columns.of(Name::Payee)) {
        payee.name = Some(name);
    }
    Box::write(
        Box::new_uninit(),
        Payment {
            seq: 0,
            method: Method::Check,
            direction: Direction::Credit,
            amount,
            value_date: setting.date,
            payer: Party {
                name: check.text(columns.of(Name::Remitter)),
                id: check.text(columns.of(Name::Customer)),
                bank: check.text(columns.of(Name::Routing)),
                account: check.text(columns.of(Name::Account)).map(Account::new),
            }
            .into(),
            payee,
            trace: check.text(columns.of(Name::Check)),
            references,
            text: None,
            remittance: None,
            location: check.location(),
            exchange: None,
        },
    )
}

/// A date as `2026-01-12`; formatting is the greater part of reading a short record.
fn iso(date: NaiveDate) -> String {
    let Ok(year @ 0..=9999) = u32::try_from(date.year()) else { return date.to_string() };
    // A remainder of ten is a digit.
    let digit = |number: u32| b'0'.wrapping_add((number % 10) as u8);
    let (month, day) = (date.month(), date.day());
    let [a, b, c, d] = [year / 1000, year / 100, year / 10, year].map(digit);
    let [e, f, g, h] = [month / 10, month, day / 10, day].map(digit);
    let text = [a, b, c, d, b'-', e, f, b'-', g, h];
    std::str::from_utf8(&text).map_or_else(|_| date.to_string(), str::to_owned)
}

/// A line with nothing in it.
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

/// The lines of one check as they are read.
struct Lines<'w, 's> {
    setting: &'s Setting<'s>,
    lines: Vec<RemittanceLine<'w>>,
    keyed: Option<Text<'w>>,
    /// Sequence number of the last 4.
    sequence: i64,
    full: bool,
}

impl<'w> Lines<'w, '_> {
    fn take(&mut self, row: &Row<'w>, out: &mut Output<'w>) {
        let layout = self.setting.layout;
        let section = section_of(layout, row).unwrap_or(Section::Detail);
        self.check_sequence(row, out);
        if section == Section::Keyed {
            let piece = row.text_with_blanks(layout.section(section).of(Name::Text));
            self.keyed = Some(match self.keyed.take() {
                None => match piece {
                    Text::Borrowed(text) => Text::Borrowed(text.trim_ascii_end()),
                    Text::Owned(text) => Text::Owned(text.trim_ascii_end().to_owned()),
                },
                Some(before) => Text::Owned(format!("{before}{}", piece.trim_ascii_end())),
            });
            return;
        }
        self.items(row, layout.section(section), out);
    }

    /// The items of a record that name a reference.
    fn items(&mut self, row: &Row<'w>, columns: &Columns, out: &mut Output<'w>) {
        for item in 0..columns.items() {
            if self.lines.len() >= self.setting.limits.remittance_lines_max {
                self.too_many(row, out);
                return;
            }
            if columns.item(item, Name::Reference).to > 0 {
                self.item(row, columns, item, out);
            }
        }
    }

    /// A line is filled where it will stay: lines are large, and moving one costs as much as reading it.
    fn item(&mut self, row: &Row<'w>, columns: &Columns, item: usize, out: &mut Output<'w>) {
        let span = |name| columns.item(item, name);
        let currency = self.setting.currency;
        let mut bad = false;
        let mut any_amount = |name: Name| match row.amount(span(name))? {
            Ok(minor) => Some(Money::new(minor, currency)),
            Err(fault) => {
                let message = "an amount of the invoice line cannot be read; the line is set aside".to_owned();
                let expected = money::expected(&fault, "cents, digits alone");
                out.finding(row.finding(span(name), FindingCode::BadAmount, Effect::RecordSetAside, message, expected));
                bad = true;
                None
            }
        };
        let mut amount = |name: Name| {
            let plain = row.ten_digits(span(name)).map(|minor| Money::new(minor, currency));
            plain.or_else(|| any_amount(name))
        };
        let (net, gross, discount) = (amount(Name::Paid), amount(Name::Gross), amount(Name::Discount));
        let deduction = amount(Name::Deduction).filter(|deduction| deduction.minor != 0);
        let reference = reference(row, columns, item);
        if bad || (reference.is_empty() && net.is_none()) {
            return;
        }
        let date = span(Name::Date);
        let dated = row.date(date);
        if dated == Some(Err(())) {
            let message = "the invoice date is no date".to_owned();
            out.finding(row.finding(date, FindingCode::BadDate, Effect::Noted, message, "a date of six digits"));
        }
        self.lines.push(BLANK);
        let Some(line) = self.lines.last_mut() else { return };
        (line.net, line.gross, line.discount, line.reference) = (net, gross, discount, reference);
        line.date = dated.and_then(Result::ok);
        line.qualifier = row.text(span(Name::Qualifier)).unwrap_or_default();
        line.po = row.text(span(Name::PurchaseOrder));
        line.location = row.location();
        if let Some(taken) = deduction {
            line.adjustments.push(Adjustment {
                amount: Money::new(taken.minor.saturating_neg(), currency),
                reason: row.text(span(Name::Reason)).unwrap_or_default(),
                reference: None,
            });
        }
        out_of_balance(row, line, out);
    }

    /// 01 to 99 and again from 01.
    fn check_sequence(&mut self, row: &Row<'w>, out: &mut Output<'w>) {
        let span = self.setting.layout.section(Section::Detail).of(Name::Sequence);
        let Some(Ok(found)) = row.amount(span) else { return };
        let expected = self.sequence.checked_rem(99).unwrap_or(0).saturating_add(1);
        // A second check numbering may run on to 00 after 99.
        if found != expected && !(found == 0 && self.sequence == 99) {
            let message = format!("the invoice line has number {found} and not {expected}; one may be missing");
            out.finding(row.finding(span, FindingCode::BadText, Effect::Noted, message, &format!("{expected:02}")));
        }
        self.sequence = found;
    }

    fn check_last(&self, details: &[Row<'w>], out: &mut Output<'w>) {
        let span = self.setting.layout.section(Section::Detail).of(Name::Last);
        let Some(row) = details.last().filter(|_| span.to > 0) else { return };
        if row.value(span) != b"9" {
            let message = "the last invoice line of the check does not say that it is the last; one may be missing".to_owned();
            out.finding(row.finding(span, FindingCode::MissingElement, Effect::Noted, message, "9"));
        }
    }

    /// Stops a file that hangs everything on one check.
    #[cold]
    fn too_many(&mut self, row: &Row<'w>, out: &mut Output<'w>) {
        if !std::mem::replace(&mut self.full, true) {
            let max = self.setting.limits.remittance_lines_max;
            let span = self.setting.layout.section(Section::Detail).of(Name::Sequence);
            let message = "the check has more invoice lines than allowed; the rest is left out".to_owned();
            out.finding(row.finding(span, FindingCode::LimitReached, Effect::FileHeld, message, &format!("at most {max} lines")));
        }
    }
}

/// The reference, with the rest of a long one behind it.
fn reference<'w>(row: &Row<'w>, columns: &Columns, item: usize) -> Text<'w> {
    let span = columns.item(item, Name::Reference);
    match row.text(columns.item(item, Name::ReferenceRest)) {
        None => row.text(span).unwrap_or_default(),
        Some(rest) => Text::Owned(format!("{}{rest}", row.text_with_blanks(span).trim_ascii_start())),
    }
}

/// Gross less discount less deduction is what is paid.
fn out_of_balance<'w>(row: &Row<'w>, line: &RemittanceLine<'w>, out: &mut Output<'w>) {
    let (Some(net), Some(gross)) = (line.net, line.gross) else { return };
    let discount = line.discount.map_or(0, |discount| i128::from(discount.minor));
    let adjusted: i128 = line.adjustments.iter().map(|adjustment| i128::from(adjustment.amount.minor)).sum();
    let computed = i128::from(gross.minor).saturating_sub(discount).saturating_add(adjusted);
    if computed != i128::from(net.minor) && line.qualifier != "ZZ" {
        let exponent = net.currency.exponent();
        let message = "gross less discount and deduction is not what is paid for the line".to_owned();
        out.finding(Finding {
            code: FindingCode::LineOutOfBalance,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message,
            expected: Figure::decimal(computed, exponent).as_str().to_owned(),
            found: Figure::decimal(i128::from(net.minor), exponent).as_str().to_owned(),
            location: row.location(),
        });
    }
}

/// The lines may come to less than the check, and the rest is on account; more cannot be.
fn check_sum<'w>(check: &Row<'w>, lines: &[RemittanceLine<'w>], amount: Money, out: &mut Output<'w>) {
    let sum: i128 = lines.iter().filter_map(|line| line.net).map(|net| i128::from(net.minor)).sum();
    if sum > i128::from(amount.minor) {
        let exponent = amount.currency.exponent();
        let (expected, found) = (Figure::decimal(i128::from(amount.minor), exponent), Figure::decimal(sum, exponent));
        out.finding(Finding {
            code: FindingCode::OutOfBalance,
            severity: Severity::Error,
            effect: Effect::Noted,
            message: format!("the invoice lines come to {found}, more than the check of {expected}"),
            expected: expected.as_str().to_owned(),
            found: found.as_str().to_owned(),
            location: check.location(),
        });
    }
}
