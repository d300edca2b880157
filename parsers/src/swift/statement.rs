//! One statement from field 20 to its end: whose account, which balances, and whether opening balance and entries give the closing one.

use std::sync::Arc;

use crate::{
    Account, Balance, Currency, Effect, Figure, Finding, FindingCode, Location, Money, Party, Severity, SharedParty, Text,
    x12::{
        output::{Claim, Output},
        segment::decode,
        value::count,
    },
};

use super::{
    entry::Mark,
    field::Field,
    value::{Day, amount, day},
};

/// What has been read of the statement in hand.
#[derive(Debug)]
pub(super) struct Statement {
    /// Where it begins.
    pub location: Location,
    /// Field 25: the number of the account.
    pub account: Option<String>,
    /// Bank and number, for all entries to share.
    pub own: SharedParty<'static>,
    pub currency: Option<Currency>,
    opening: Option<i64>,
    movement: i128,
    /// Number and sum of debits and credits as they are booked.
    debits: (u64, i128),
    credits: (u64, i128),
    /// The closing balance was read.
    pub closed: bool,
    /// Fields 34F, 90D or 90C: an interim report, which has no balances to prove.
    pub interim: bool,
    summed: bool,
    pub entries: u32,
}

/// A page that ended with 62M: the next begins with the same amount.
#[derive(Debug)]
pub(super) struct Page {
    account: Option<String>,
    balance: Money,
}

/// A balance as written.
struct Stated {
    money: Money,
    day: Day,
}

impl Statement {
    pub fn new(location: Location) -> Self {
        Self {
            location,
            account: None,
            own: SharedParty::NOBODY,
            currency: None,
            opening: None,
            movement: 0,
            debits: (0, 0),
            credits: (0, 0),
            closed: false,
            interim: false,
            summed: false,
            entries: 0,
        }
    }

    /// Whether anything says that this is a full statement, whose balances must be there.
    pub fn has_opening(&self) -> bool {
        self.opening.is_some()
    }

    /// Field 25: `bank/account`, an IBAN, or a number, each with or without its currency.
    pub fn take_account(&mut self, field: &Field<'_>) {
        let text = decode(field.first_line());
        let (bank, number) = match text.split_once('/') {
            Some((bank, number)) if !bank.is_empty() => (Some(Text::Owned(bank.trim().to_owned())), number),
            _ => (None, text.trim_start_matches('/')),
        };
        let number = number.trim();
        let (number, currency) = split_currency(number);
        self.currency = self.currency.or(currency);
        self.account = Some(number.to_owned()).filter(|number| !number.is_empty());
        let account = self.account.clone().map(|number| Account::new(Text::Owned(number)));
        self.own = SharedParty::Shared(Arc::new(Party { bank, account, ..Party::default() }));
    }

    /// Fields 60F and 60M.
    pub fn take_opening(&mut self, field: &Field<'_>, page: bool, before: Option<Page>, out: &mut Output<'_>) {
        let Some(stated) = self.balance(field, Effect::FileHeld, out) else { return };
        self.currency = Some(stated.money.currency);
        self.opening = Some(stated.money.minor);
        if let Some(before) =
            before.filter(|before| page && before.account == self.account && !before.balance_differs_in_kind(&stated))
        {
            let exponent = stated.money.currency.exponent();
            let sides = (decimal(stated.money.minor.into(), exponent), decimal(before.balance.minor.into(), exponent));
            let claim = Claim {
                code: FindingCode::ControlTotalMismatch,
                what: "the closing balance of the page before",
                location: field.location(),
            };
            out.compare("60M", "account", sides, before.balance == stated.money, claim);
        }
        self.push(if page { "opening_page" } else { "opening_booked" }, &stated, field, out);
    }

    /// Counts a movement. One that is set aside counts too: the bank booked it.
    pub fn count(&mut self, mark: Mark, minor: i64) {
        let signed = mark.signed(minor);
        self.movement = self.movement.saturating_add(signed);
        let side = if signed < 0 { &mut self.debits } else { &mut self.credits };
        if mark != Mark::Expected {
            side.0 = side.0.saturating_add(1);
            side.1 = side.1.saturating_add(signed.abs());
        }
    }

    /// Fields 62F and 62M: the proof. Gives the page that the next one must continue.
    pub fn take_closing(&mut self, field: &Field<'_>, page: bool, out: &mut Output<'_>) -> Option<Page> {
        if self.closed {
            out.finding(misplaced(field, "a second closing balance stands in the statement"));
        }
        self.closed = true;
        let stated = self.balance(field, Effect::FileHeld, out)?;
        let currency = stated.money.currency;
        let name = if page { "62M" } else { "62F" };
        if self.opening.is_some() && self.currency.is_some_and(|opening| opening != currency) {
            let message = "the closing balance is in another currency than the opening balance";
            out.finding(field.finding(
                field.first_line(),
                1,
                FindingCode::ControlTotalMismatch,
                Effect::FileHeld,
                message,
                self.currency.map_or(String::new(), |currency| currency.to_string()).as_str(),
            ));
        } else if let Some(opening) = self.opening {
            let computed = i128::from(opening).saturating_add(self.movement);
            let sides = (decimal(stated.money.minor.into(), currency.exponent()), decimal(computed, currency.exponent()));
            let claim = Claim {
                code: FindingCode::ControlTotalMismatch,
                what: "opening balance and entries together",
                location: field.location(),
            };
            out.compare(name, "account", sides, computed == i128::from(stated.money.minor), claim);
        } else {
            let message = "the statement has no opening balance, so its closing balance proves nothing";
            out.finding(field.finding(&[], 1, FindingCode::MissingSegment, Effect::FileHeld, message, "field 60F or 60M"));
        }
        self.push(if page { "closing_page" } else { "closing_booked" }, &stated, field, out);
        page.then(|| Page { account: self.account.clone(), balance: stated.money })
    }

    /// Fields 64 and 65: told, and not proven.
    pub fn take_other_balance(&mut self, field: &Field<'_>, kind: &str, out: &mut Output<'_>) {
        if let Some(stated) = self.balance(field, Effect::Noted, out) {
            self.push(kind, &stated, field, out);
        }
    }

    /// Field 34F Floor Limit Indicator: the currency of an interim report.
    pub fn take_floor_limit(&mut self, field: &Field<'_>) {
        self.interim = true;
        if self.currency.is_none() {
            self.currency = std::str::from_utf8(field.first_line().get(..3).unwrap_or_default()).ok().and_then(Currency::parse);
        }
    }

    /// Fields 90D and 90C Number and Sum of Entries.
    pub fn take_sum(&mut self, field: &Field<'_>, debits: bool, out: &mut Output<'_>) {
        (self.interim, self.summed) = (self.interim || self.opening.is_none(), true);
        let line = field.first_line();
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = line.split_at_checked(digits).unwrap_or((line, &[]));
        let (code, sum) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        let currency = std::str::from_utf8(code).ok().and_then(Currency::parse);
        let (Some(claimed), Some(currency)) = (count(number), currency) else {
            let message = "the number and sum of entries cannot be read";
            out.finding(field.finding(line, 1, FindingCode::BadAmount, Effect::FileHeld, message, "number, currency, amount"));
            return;
        };
        let (entries, total) = if debits { self.debits } else { self.credits };
        let (counts, sums) = if debits { ("90D", "90D sum") } else { ("90C", "90C sum") };
        let claim = |what, code| Claim { code, what, location: field.location() };
        let what = if debits { "the number of debit entries" } else { "the number of credit entries" };
        let sides = (Figure::count(claimed), Figure::count(entries));
        out.compare(counts, "account", sides, claimed == entries, claim(what, FindingCode::ControlCountMismatch));
        match amount(sum, currency) {
            Ok(minor) => {
                let sides = (decimal(minor.into(), currency.exponent()), decimal(total, currency.exponent()));
                let what = if debits { "the sum of the debit entries" } else { "the sum of the credit entries" };
                let ok = i128::from(minor) == total;
                out.compare(sums, "account", sides, ok, claim(what, FindingCode::ControlTotalMismatch));
            }
            Err(_) => {
                let message = "the sum of entries is no amount";
                out.finding(field.finding(
                    sum,
                    3,
                    FindingCode::BadAmount,
                    Effect::FileHeld,
                    message,
                    "digits with a decimal comma",
                ));
            }
        }
    }

    /// The message ended, or the file. `ended` says that an end mark stood there.
    pub fn finish(&self, ended: bool, at: Location, out: &mut Output<'_>) {
        if self.account.is_none() {
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the statement names no account".to_owned(),
                expected: "field 25".to_owned(),
                found: String::new(),
                location: self.location,
            });
        }
        let complete = self.closed || (self.interim && !self.has_opening() && (self.summed || ended));
        if complete {
            return;
        }
        let what = if self.interim && !self.has_opening() { "field 90D, 90C or the end mark" } else { "field 62F or 62M" };
        out.finding(Finding {
            code: FindingCode::MissingTrailer,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: format!("the statement that begins in line {} has no end", self.location.line.unwrap_or(0)),
            expected: what.to_owned(),
            found: format!("{} entries and no closing balance", self.entries),
            location: at,
        });
    }

    /// Mark, date, currency and amount of a balance field.
    fn balance(&self, field: &Field<'_>, effect: Effect, out: &mut Output<'_>) -> Option<Stated> {
        let line = field.first_line();
        let bad = |part: &[u8], element, code, message: &str, expected: &str| {
            field.finding(part, element, code, effect, message, expected)
        };
        let (mark, rest) = line.split_at_checked(1).unwrap_or((line, &[]));
        let (date, rest) = rest.split_at_checked(6).unwrap_or((rest, &[]));
        let (code, text) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        if !matches!(mark, b"C" | b"D") {
            out.finding(bad(mark, 1, FindingCode::BadCode, "the balance is neither credit nor debit", "C or D"));
            return None;
        }
        let Some(currency) = std::str::from_utf8(code).ok().and_then(Currency::parse) else {
            out.finding(bad(code, 3, FindingCode::BadCode, "the balance names no currency", "an ISO 4217 code"));
            return None;
        };
        let minor = match amount(text.trim_ascii(), currency) {
            Ok(minor) => minor,
            Err(_) => {
                out.finding(bad(text, 4, FindingCode::BadAmount, "the balance is no amount", "digits with a decimal comma"));
                return None;
            }
        };
        let day = day(date);
        if !matches!(day, Day::Exact(_)) {
            let message = "the date of the balance does not exist";
            out.finding(field.finding(date, 2, FindingCode::BadDate, Effect::Noted, message, "YYMMDD"));
        }
        let minor = if mark == b"D" { minor.saturating_neg() } else { minor };
        Some(Stated { money: Money::new(minor, currency), day })
    }

    fn push(&self, kind: &str, stated: &Stated, field: &Field<'_>, out: &mut Output<'_>) {
        let account = self.account.as_deref().unwrap_or_default();
        out.balance(Balance {
            account_last4: Account::new(account.into()).last4(),
            kind: kind.to_owned(),
            amount: stated.money,
            date: stated.day.date(),
            location: field.location(),
        });
    }
}

impl Page {
    /// Another currency is another account, even under the same number.
    fn balance_differs_in_kind(&self, stated: &Stated) -> bool {
        self.balance.currency != stated.money.currency
    }
}

/// A currency written behind the number, where the number ends in a digit.
fn split_currency(number: &str) -> (&str, Option<Currency>) {
    let parts = number.len().checked_sub(3).and_then(|at| number.split_at_checked(at));
    match parts {
        Some((bare, code))
            if bare.ends_with(|c: char| c.is_ascii_digit()) && code.bytes().all(|byte| byte.is_ascii_uppercase()) =>
        {
            (bare, Currency::parse(code))
        }
        _ => (number, None),
    }
}

/// A field where the statement allows none.
pub(super) fn misplaced(field: &Field<'_>, message: &str) -> Finding {
    field.finding(&[], 1, FindingCode::BadEnvelope, Effect::FileHeld, message, "entries between opening and closing balance")
}

fn decimal(minor: i128, exponent: u32) -> Figure {
    Figure::decimal(minor, exponent)
}
