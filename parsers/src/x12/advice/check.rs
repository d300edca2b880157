//! A check in a lockbox (823): BPR, or BPS in releases up to 003050, and what the deposit around it says.
//!
//! A check is money received, whatever its handling code says; the account it is drawn on is that of its MICR line.

use crate::{Account, Currency, Direction, Effect, FindingCode, Limits, Money, Payment, Reference, Text};

use super::{
    super::{output::Output, segment::Segment},
    Advice,
    begin::{Handling, Header, method},
    lines::Lines,
};

/// Where in BPR or BPS the elements of a check stand.
struct Places {
    method: usize,
    flag: Option<usize>,
    payer_bank: usize,
    payer_account: usize,
    company: usize,
    payee_bank: usize,
    payee_account: usize,
    date: usize,
}

const BPR: Places = Places {
    method: 4,
    flag: Some(3),
    payer_bank: 7,
    payer_account: 9,
    company: 10,
    payee_bank: 13,
    payee_account: 15,
    date: 16,
};
const BPS: Places =
    Places { method: 1, flag: None, payer_bank: 5, payer_account: 6, company: 7, payee_bank: 10, payee_account: 11, date: 12 };

/// What deposit and batch say about all their checks.
#[derive(Clone, Debug, Default)]
pub(in crate::x12) struct Setting<'w> {
    /// Lockbox number (DEP01).
    pub lockbox: Option<Text<'w>>,
    /// Deposit number (DEP04).
    pub deposit: Option<Text<'w>>,
    /// Batch number (BAT03).
    pub batch: Option<Text<'w>>,
    /// Our bank (DEP06).
    pub bank: Option<Text<'w>>,
    /// Our account (DEP08).
    pub account: Option<Account<'w>>,
    /// Whose lockbox it is (N1 PE).
    pub payee: Option<Text<'w>>,
    /// Their identification (N104).
    pub payee_id: Option<Text<'w>>,
    /// When the money was deposited (DEP02, else BAT01).
    pub date: Option<chrono::NaiveDate>,
}

impl<'w> Advice<'w> {
    /// Begins a check with its BPR or BPS, and gives its amount.
    pub fn of_check(
        segment: &Segment<'w, '_>,
        currency: Currency,
        limits: &Limits,
        out: &mut Output<'w>,
    ) -> (Self, Option<Money>) {
        let mut advice = Self::new("823", currency, Lines::new(limits, 0, currency));
        advice.need_no_entity();
        let places = if segment.tag() == b"BPS" { BPS } else { BPR };
        let amount = segment.required_amount(2, currency, Effect::RecordSetAside, out);
        if amount.is_some_and(|amount| amount.minor < 0) {
            let message = format!("{} is negative, and no check is", segment.name(2));
            out.finding(segment.finding(2, FindingCode::BadAmount, Effect::RecordSetAside, message, "an amount of zero or more"));
        }
        if places.flag.is_some_and(|n| segment.value(n) == b"D") {
            let message = "BPR03 says debit; a check in a lockbox is money received and was read as credit".to_owned();
            out.finding(segment.finding(3, FindingCode::BadCode, Effect::Noted, message, "C"));
        }
        let payment = &mut *advice.payment;
        payment.method = if segment.has(places.method) {
            method(segment, segment.value(places.method), places.method, out)
        } else {
            crate::Method::Check
        };
        payment.direction = Direction::Credit;
        payment.amount = amount.unwrap_or(Money::zero(currency));
        payment.value_date = segment.date(places.date, Effect::Noted, out);
        payment.payer.bank = segment.text(places.payer_bank);
        payment.payer.account = segment.account(places.payer_account);
        payment.payer.id = segment.text(places.company);
        payment.payee.bank = segment.text(places.payee_bank);
        payment.payee.account = segment.account(places.payee_account);
        payment.location = segment.location();
        let amount_location = segment.location_of(2);
        advice.header = Some(Header { handling: Handling::Pays, amount, moves: true, amount_location });
        (advice, amount)
    }
}

impl<'w> Payment<'w> {
    /// Adds what the deposit says, and finds the number of the check: REF CK, else TRN02.
    pub(super) fn settle(&mut self, setting: &Setting<'w>) {
        if let Some(index) = self.references.iter().position(|reference| reference.qualifier == "CK") {
            let check = self.references.remove(index).value;
            let other = self.trace.replace(check).filter(|trace| Some(trace) != self.trace.as_ref());
            self.references.extend(other.map(|value| Reference { qualifier: Text::Borrowed("TN"), value }));
        }
        let numbers = [("LOCKBOX", &setting.lockbox), ("DEPOSIT", &setting.deposit), ("BATCH", &setting.batch)];
        for (qualifier, value) in numbers {
            let value = value.clone();
            self.references.extend(value.map(|value| Reference { qualifier: Text::Borrowed(qualifier), value }));
        }
        let payee = &mut self.payee;
        payee.name = payee.name.take().or_else(|| setting.payee.clone());
        payee.id = payee.id.take().or_else(|| setting.payee_id.clone());
        payee.bank = payee.bank.take().or_else(|| setting.bank.clone());
        // Without an account the lockbox is what tells whose money it is.
        let lockbox = || setting.lockbox.clone().map(Account::new);
        payee.account = payee.account.take().or_else(|| setting.account.clone()).or_else(lockbox);
        self.value_date = self.value_date.or(setting.date);
    }
}
