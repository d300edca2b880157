//! Record 03: the account, and groups of type code, amount, item count and funds type.
//!
//! Groups have no fixed number of fields, and 88s cut them anywhere; empty fields where a type code is due are end marks written `,/`.

use chrono::NaiveDate;

use crate::{Account as Secret, Balance, Currency, Effect, FindingCode, Money, money, x12::output::Output};

use super::{
    amount, codes,
    codes::Meaning,
    record::{Field, Fields, Record},
};

/// What the groups need to know of their account and group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'s> {
    pub number: &'s str,
    pub currency: Currency,
    pub as_of: Option<NaiveDate>,
    /// The group is a test or takes back an earlier one: its balances are nobody's.
    pub silent: bool,
}

/// What 03 says about an account.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// Sum of all amounts.
    pub sum: i128,
    /// Amounts that could not be read.
    pub unreadable: u32,
    /// Codes 010, 015, 100 and 400, where given.
    pub opening: Option<i64>,
    pub closing: Option<i64>,
    pub credits: Option<(i64, Field)>,
    pub debits: Option<(i64, Field)>,
}

/// Reads the groups.
pub(super) fn read<'w>(
    record: &Record<'w, '_>,
    fields: &mut Fields<'w, '_>,
    account: &Setting<'_>,
    out: &mut Output<'w>,
) -> Summary {
    let mut summary = Summary::default();
    let mut ahead = None;
    while let Some(code) = ahead.take().or_else(|| fields.next()) {
        if !record.value(code).is_empty() {
            ahead = read_group(record, code, fields, account, &mut summary, out);
        }
    }
    summary
}

/// Reads one group; gives back a field that turned out to begin the next one.
fn read_group<'w>(
    record: &Record<'w, '_>,
    code_field: Field,
    fields: &mut Fields<'w, '_>,
    account: &Setting<'_>,
    summary: &mut Summary,
    out: &mut Output<'w>,
) -> Option<Field> {
    let code = codes::number(record.value(code_field));
    if code.is_none() {
        let message = "a type code of three digits is due here".to_owned();
        out.finding(record.finding(code_field, FindingCode::BadCode, Effect::RecordSetAside, message, "a type code such as 010"));
        summary.unreadable = summary.unreadable.saturating_add(1);
        return None;
    }
    let mut field = fields.next()?;
    if record.value(field).is_empty() && field.last {
        // A trailing empty field may be the end mark alone: then the amount opens the next 88.
        let mut look = *fields;
        let next = look.next()?;
        if codes::number(record.value(next)).is_none() && !record.value(next).is_empty() {
            *fields = look;
            field = next;
        }
    }
    let text = record.value(field);
    if !text.is_empty() {
        match amount::read(text, account.currency) {
            Ok((minor, _)) => keep(code_field, code.unwrap_or(0), (minor, field), record, account, summary, out),
            Err(error) => {
                let message =
                    format!("the amount of type {} is none: {error}", String::from_utf8_lossy(record.value(code_field)));
                out.finding(record.finding(
                    field,
                    FindingCode::BadAmount,
                    Effect::RecordSetAside,
                    message,
                    money::expected(&error, "digits with an optional sign"),
                ));
                summary.unreadable = summary.unreadable.saturating_add(1);
            }
        }
    }
    let _item_count = fields.next()?;
    let funds = fields.next()?;
    skip_funds(record, funds, fields, out)
}

/// Passes over what a funds type brings along; gives back a field that is no funds type but the next type code.
fn skip_funds<'w>(record: &Record<'w, '_>, funds: Field, fields: &mut Fields<'w, '_>, out: &mut Output<'w>) -> Option<Field> {
    let more = match record.value(funds) {
        b"" | b"0" | b"1" | b"2" | b"Z" => 0,
        b"V" => 2,
        b"S" => 3,
        b"D" => {
            let count = fields.next().and_then(|count| crate::x12::value::count(record.value(count)));
            count.unwrap_or(0).saturating_mul(2)
        }
        value if codes::number(value).is_some() => return Some(funds),
        _ => {
            let message = "the funds type is not one of 0, 1, 2, S, V, D and Z".to_owned();
            out.finding(record.finding(funds, FindingCode::BadCode, Effect::Noted, message, "0, 1, 2, S, V, D or Z"));
            0
        }
    };
    for _ in 0..more {
        fields.next()?;
    }
    None
}

fn keep(
    code_field: Field,
    code: u16,
    (minor, field): (i64, Field),
    record: &Record<'_, '_>,
    account: &Setting<'_>,
    summary: &mut Summary,
    out: &mut Output<'_>,
) {
    summary.sum = summary.sum.saturating_add(i128::from(minor));
    match code {
        10 => summary.opening = Some(minor),
        15 => summary.closing = Some(minor),
        100 => summary.credits = Some((minor, field)),
        400 => summary.debits = Some((minor, field)),
        _ => {}
    }
    if codes::known(code).is_none() {
        let message = format!("type code {code:03} is not in the table; it was judged by its range");
        out.finding(record.finding(code_field, FindingCode::BadCode, Effect::Noted, message, "a BAI type code"));
    }
    if codes::meaning(code) == Meaning::Status && !account.silent {
        out.balance(Balance {
            account_last4: Secret::new(account.number.into()).last4(),
            kind: codes::known(code).map_or_else(|| format!("status_{code:03}"), |row| row.name.to_owned()),
            amount: Money::new(minor, account.currency),
            date: account.as_of,
            location: record.location_of(code_field),
        });
    }
}
