//! Field 61 Statement Line: one movement, subfield by subfield, as banks write it and not only as the book has it.

use chrono::NaiveDate;

use crate::{Currency, Effect, FindingCode, MoneyError, Severity, money, near};

use super::{
    field::{Field, lines},
    value::{Day, Days, amount},
};
use crate::x12::output::Output;

/// Debit/Credit Mark (subfield 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// C: money came in.
    Credit,
    /// D: money went out.
    Debit,
    /// RC: a credit was taken back.
    ReversedCredit,
    /// RD: a debit was taken back.
    ReversedDebit,
    /// EC, ED: announced, not booked.
    Expected,
}

impl Mark {
    /// The sign of the movement on the account.
    pub fn signed(self, minor: i64) -> i128 {
        match self {
            Self::Credit | Self::ReversedDebit => i128::from(minor),
            Self::Debit | Self::ReversedCredit => i128::from(minor).saturating_neg(),
            Self::Expected => 0,
        }
    }
}

/// One statement line. Its texts are cut to their content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'w> {
    /// Subfield 1, Value Date.
    pub value_date: Option<NaiveDate>,
    /// Subfield 3.
    pub mark: Option<Mark>,
    /// Subfield 5, in minor units; nothing when it is no amount.
    pub amount: Option<i64>,
    /// Subfield 6, Transaction Type Identification Code: one letter and three characters.
    pub code: &'w [u8],
    /// Subfield 7, Reference for the Account Owner.
    pub owner: &'w [u8],
    /// Subfield 8, Reference of the Account Servicing Institution.
    pub bank: &'w [u8],
    /// What stands behind an over-long reference; some banks write the name there.
    pub tail: &'w [u8],
    /// Subfield 9, Supplementary Details, with everything that follows it.
    pub supplement: &'w [u8],
}

/// Reads field 61. What is wrong sets the entry aside; the amount is read all the same where it can be, for the balance.
pub(super) fn read<'w>(field: &Field<'w>, currency: Option<Currency>, days: &mut Days, out: &mut Output<'_>) -> Entry<'w> {
    let line = field.whole_first_line();
    let mut cursor = Cursor { rest: line, supplement: after(field.content, line) };
    let value_date = value_date(field, &mut cursor, days, out);
    skip_entry_date(&mut cursor);
    let mark = mark(field, &mut cursor, out);
    // Subfield 4, Funds Code: one letter before the amount.
    if mark.is_some() && matches!(cursor.rest, [b'A'..=b'Z'] | [b'A'..=b'Z', b'0'..=b'9' | b',' | b' ', ..]) {
        cursor.take(1);
    }
    let amount = if mark.is_some() { money(field, &mut cursor, currency, out) } else { None };
    cursor.skip_blanks();
    let code = cursor.take(4.min(cursor.rest.len()));
    let (owner, tail, bank) = references(cursor.rest);
    if mark.is_some() && amount.is_some() && code.len() < 4 {
        out.finding(field.finding(
            code,
            6,
            FindingCode::MissingElement,
            Effect::Noted,
            "subfield 6 of the statement line, the transaction type, is missing or cut off",
            "a letter and three characters such as NTRF",
        ));
    }
    Entry { value_date, mark, amount, code, owner, bank, tail, supplement: cursor.supplement.trim_ascii() }
}

/// What is left of the first line, and the lines after it.
struct Cursor<'w> {
    rest: &'w [u8],
    supplement: &'w [u8],
}

impl<'w> Cursor<'w> {
    fn take(&mut self, bytes: usize) -> &'w [u8] {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'w [u8] {
        let length = self.rest.iter().position(|byte| !wanted(*byte)).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Blanks between subfields; a line that breaks between them goes on with the next.
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.is_empty()
            && let Some(next) = lines(self.supplement).find(|line| !line.trim_ascii().is_empty())
            && next.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b',')
        {
            self.rest = next;
            self.supplement = after(self.supplement, next);
        }
    }
}

fn value_date(field: &Field<'_>, cursor: &mut Cursor<'_>, days: &mut Days, out: &mut Output<'_>) -> Option<NaiveDate> {
    let text = cursor.take(6.min(cursor.rest.len()));
    let found = days.day(text);
    match found {
        Day::Exact(_) => {}
        Day::Clamped(date) => out.finding(field.finding(
            text,
            1,
            FindingCode::BadDate,
            Effect::Noted,
            &format!("the month of the value date has no such day; {date} was taken"),
            "YYMMDD",
        )),
        Day::None => out.finding(field.finding(
            text,
            1,
            FindingCode::BadDate,
            Effect::RecordSetAside,
            "subfield 1 of the statement line is no value date",
            "YYMMDD",
        )),
    }
    found.date()
}

/// Subfield 2, Entry Date MMDD, or blanks in its place. Nothing here needs it.
fn skip_entry_date(cursor: &mut Cursor<'_>) {
    if cursor.rest.get(..4).is_some_and(|text| text.iter().all(u8::is_ascii_digit)) {
        cursor.take(4);
    }
    cursor.take_while(|byte| byte == b' ');
}

fn mark(field: &Field<'_>, cursor: &mut Cursor<'_>, out: &mut Output<'_>) -> Option<Mark> {
    let (mark, length) = match cursor.rest {
        [b'R', b'C', ..] => (Mark::ReversedCredit, 2),
        [b'R', b'D', ..] => (Mark::ReversedDebit, 2),
        [b'E', b'C' | b'D', ..] => (Mark::Expected, 2),
        [b'C', ..] => (Mark::Credit, 1),
        [b'D', ..] => (Mark::Debit, 1),
        rest => {
            let found = rest.get(..2).unwrap_or(rest);
            let message = "subfield 3 of the statement line is no debit/credit mark";
            let effect = Effect::RecordSetAside;
            out.finding(field.finding(found, 3, FindingCode::BadCode, effect, message, "C, D, RC or RD"));
            return None;
        }
    };
    cursor.take(length);
    Some(mark)
}

fn money(field: &Field<'_>, cursor: &mut Cursor<'_>, currency: Option<Currency>, out: &mut Output<'_>) -> Option<i64> {
    cursor.skip_blanks();
    let text = cursor.take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'));
    let Some(currency) = currency else {
        let message = "no balance or floor limit before the statement line names a currency";
        out.finding(field.finding(text, 5, FindingCode::MissingSegment, Effect::RecordSetAside, message, "field 60F or 34F"));
        return None;
    };
    match amount(text, currency) {
        Ok(minor) => Some(minor),
        Err(fault) => {
            let message = match fault {
                MoneyError::TooManyDecimals { .. } | MoneyError::TooLarge => format!("subfield 5, the amount: {fault}"),
                _ => "subfield 5 of the statement line is no amount".to_owned(),
            };
            let found = if text.is_empty() { cursor.rest.get(..8).unwrap_or(cursor.rest) } else { text };
            let expected = money::expected(&fault, "digits with a decimal comma");
            let mut finding = field.finding(found, 5, FindingCode::BadAmount, Effect::RecordSetAside, &message, expected);
            finding.severity = Severity::Error;
            out.finding(finding);
            None
        }
    }
}

/// Subfields 7 and 8, and what stands behind a blank-padded subfield 7.
fn references(rest: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (owner, bank) = match double_slash(rest) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at.saturating_add(2)..).unwrap_or_default()),
        None => (rest, &[][..]),
    };
    let padded = owner.get(16..).filter(|tail| owner.get(15) == Some(&b' ') || tail.first() == Some(&b' '));
    match padded {
        Some(tail) if !tail.trim_ascii().is_empty() => {
            (owner.get(..16).unwrap_or(owner).trim_ascii(), tail.trim_ascii(), bank.trim_ascii())
        }
        _ => (owner.trim_ascii(), &[], bank.trim_ascii()),
    }
}

/// Where two slashes stand first.
fn double_slash(bytes: &[u8]) -> Option<usize> {
    let mut from: usize = 0;
    loop {
        let at = from.saturating_add(near::position(bytes.get(from..)?, b'/')?);
        from = at.saturating_add(1);
        if bytes.get(from) == Some(&b'/') {
            return Some(at);
        }
    }
}

/// What follows `part` in `whole`, a slice of it.
fn after<'w>(whole: &'w [u8], part: &[u8]) -> &'w [u8] {
    let offset = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    whole.get(offset.saturating_add(part.len())..).unwrap_or_default()
}
