//! Record 16: one transaction, and what becomes of it by its type code.
//!
//! Credits become payments, returned items become returns, and everything else is only counted: it is in the totals and takes part in no match.

use chrono::NaiveDate;

use crate::{
    Currency, Direction, Effect, Finding, FindingCode, Limits, Method, Money, Party, Payment, Reference, Return, Severity,
    SharedParty, Text, money,
    x12::{output::Output, value},
};

use super::{
    advice::Advisor,
    amount, codes,
    codes::{Meaning, Side},
    record::{Field, Fields, Record},
    text::{Stretch, Told},
};

/// What a transaction needs to know of its account and group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'s> {
    /// Whose account it is, and with which bank.
    pub owner: &'s SharedParty<'static>,
    pub currency: Currency,
    pub as_of: Option<NaiveDate>,
    /// As-of-date modifier of the group, where the report is not final.
    pub interim: Option<&'static str>,
    /// The group is a test or takes back an earlier one: nothing of it is taken.
    pub silent: bool,
    pub limits: &'s Limits,
}

/// How a transaction counts, and what it pays.
#[derive(Debug)]
pub(super) struct Counted<'w> {
    /// Nothing when it could not be read.
    pub minor: Option<i64>,
    pub side: Side,
    /// It was a debit that is no return.
    pub outgoing: bool,
    pub payment: Option<Box<Payment<'w>>>,
}

/// The fields in front of the text.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    code: Option<Field>,
    amount: Option<Field>,
    value_date: Option<NaiveDate>,
    bank_reference: Option<Field>,
    customer_reference: Option<Field>,
    rest: Option<(usize, usize)>,
    next: usize,
}

/// Reads one transaction.
pub(super) fn read<'w>(
    record: &Record<'w, '_>,
    setting: &Setting<'_>,
    advisor: &mut Advisor,
    out: &mut Output<'w>,
) -> Counted<'w> {
    let mut fields = record.fields();
    let front = fields.front();
    let (code_field, amount_field) = match front {
        Some(([code, amount, ..], _)) => (Some(code), Some(amount)),
        None => (fields.next(), fields.next()),
    };
    let code = code_field.and_then(|field| codes::number(record.value(field)));
    let small = amount_field.and_then(|field| record.small_number(field)).map(i64::from);
    let read = || amount_field.map(|field| amount::read(record.value(field), setting.currency));
    let (Some(code), Some(code_field)) = (code, code_field) else {
        out.finding(without_code(record, code_field));
        let minor = small.or_else(|| read().and_then(Result::ok).map(|(minor, _)| minor));
        return Counted { minor, side: Side::Neither, outgoing: false, payment: None };
    };
    let side = codes::side(code);
    let counted = |minor| Counted { minor, side, outgoing: false, payment: None };
    let paid = amount_field.unwrap_or(code_field);
    let minor = match small {
        Some(minor) => minor,
        None => match read() {
            Some(Ok((minor, false))) => minor,
            Some(Ok((minor, true))) => {
                let message = "the amount holds a decimal point, but its decimals are implied".to_owned();
                let expected = "digits without a decimal point";
                out.finding(record.finding(paid, FindingCode::ImpliedDecimalPoint, Effect::Noted, message, expected));
                minor
            }
            _ if codes::meaning(code) == Meaning::Text => return counted(Some(0)),
            fault => {
                let message = "the amount of the transaction cannot be read".to_owned();
                let form = "digits with an optional sign";
                let expected = fault.and_then(Result::err).map_or(form, |fault| money::expected(&fault, form));
                out.finding(record.finding(paid, FindingCode::BadAmount, Effect::RecordSetAside, message, expected));
                return counted(None);
            }
        },
    };
    let meaning = codes::meaning(code);
    if codes::known(code).is_none() {
        let message = format!("type code {code:03} is not in the table; its direction follows from its range");
        out.finding(record.finding(code_field, FindingCode::BadCode, Effect::Noted, message, "a BAI type code"));
    }
    let mut parts = Parts { code: Some(code_field), amount: Some(paid), ..Parts::default() };
    match front {
        Some(([_, _, funds, bank, customer], text)) if brings_nothing(record.value(funds)) => {
            (parts.bank_reference, parts.customer_reference) = (Some(bank), Some(customer));
            (parts.rest, parts.next) = (fields.behind(text), 1);
        }
        Some(_) => {
            let _code_and_amount = (fields.next(), fields.next());
            parts.read(record, fields, minor, out);
        }
        None => parts.read(record, fields, minor, out),
    }
    if let Some(finding) = record.not_utf8() {
        out.finding(finding);
    }
    if setting.silent {
        return counted(Some(minor));
    }
    let entry = Entry { record, setting, parts: &parts, code, meaning, money: Money::new(minor, setting.currency) };
    let outgoing = meaning == Meaning::Outgoing;
    Counted { outgoing, payment: entry.take(advisor, out), ..counted(Some(minor)) }
}

/// Nobody can tell which way the money went.
#[cold]
fn without_code(record: &Record<'_, '_>, code: Option<Field>) -> Finding {
    let message = "the transaction has no type code of three digits, so its direction is unknown".to_owned();
    let finding = |at| record.finding(at, FindingCode::BadCode, Effect::RecordSetAside, message, "a type code such as 165");
    match code {
        Some(at) => finding(at),
        None => Finding { location: record.location(), ..finding(Field::default()) },
    }
}

/// A funds type that no further fields belong to.
#[inline]
fn brings_nothing(funds: &[u8]) -> bool {
    matches!(funds, b"" | b"0" | b"1" | b"2" | b"Z")
}

impl Parts {
    /// Reads funds type and references.
    fn read<'w>(&mut self, record: &Record<'w, '_>, mut fields: Fields<'w, '_>, minor: i64, out: &mut Output<'w>) {
        if let Some(funds) = fields.next_before_text() {
            match record.value(funds) {
                value if brings_nothing(value) => {}
                b"V" => {
                    self.value_date = fields.next().and_then(|field| value_date(record, field, out));
                    let _time = fields.next();
                }
                b"S" => same_as_amount(record, funds, (0..3).map_while(|_| fields.next()), minor, out),
                b"D" => {
                    let count = fields.next().and_then(|field| value::count(record.value(field))).unwrap_or(0);
                    let mut amounts = Vec::new();
                    for _ in 0..count {
                        let (Some(_days), Some(amount)) = (fields.next(), fields.next()) else { break };
                        amounts.push(amount);
                    }
                    same_as_amount(record, funds, amounts.into_iter(), minor, out);
                }
                _ => {
                    let message = "the funds type is not one of 0, 1, 2, S, V, D and Z".to_owned();
                    out.finding(record.finding(funds, FindingCode::BadCode, Effect::Noted, message, "0, 1, 2, S, V, D or Z"));
                }
            }
            self.bank_reference = fields.next_before_text();
            self.customer_reference = self.bank_reference.and_then(|_| fields.next_before_text());
        }
        (self.rest, self.next) = fields.rest();
    }
}

fn value_date<'w>(record: &Record<'w, '_>, field: Field, out: &mut Output<'w>) -> Option<NaiveDate> {
    let text = record.value(field);
    let date = value::date(text).map(|(date, _)| date);
    if date.is_none() && !text.is_empty() {
        let message = "the value date is no date".to_owned();
        out.finding(record.finding(field, FindingCode::BadDate, Effect::Noted, message, "YYMMDD"));
    }
    date
}

/// S and D spread the amount over days of availability; they should add up to it.
fn same_as_amount<'w>(
    record: &Record<'w, '_>,
    funds: Field,
    amounts: impl Iterator<Item = Field>,
    minor: i64,
    out: &mut Output<'w>,
) {
    let parse = |field: Field| amount::read(record.value(field), Currency::USD).map_or(0, |(minor, _)| i128::from(minor));
    let sum: i128 = amounts.map(parse).sum();
    if sum != i128::from(minor) {
        let message = format!("the amounts by availability come to {sum}, the transaction to {minor}");
        out.finding(record.finding(funds, FindingCode::OutOfBalance, Effect::Noted, message, &minor.to_string()));
    }
}

/// One transaction with everything needed to write it out.
struct Entry<'w, 'r, 's> {
    record: &'r Record<'w, 's>,
    setting: &'r Setting<'r>,
    parts: &'r Parts,
    code: u16,
    meaning: Meaning,
    money: Money,
}

impl<'w> Entry<'w, '_, '_> {
    /// Puts out what it is; a payment is given back.
    fn take(&self, advisor: &mut Advisor, out: &mut Output<'w>) -> Option<Box<Payment<'w>>> {
        let meaning = self.meaning;
        let pays = matches!(meaning, Meaning::Receipt(_) | Meaning::Deposit(_) | Meaning::Internal);
        debug_assert!(!pays || codes::side(self.code) == Side::Credit, "only credits pay");
        match meaning {
            Meaning::Receipt(_) | Meaning::Deposit(_) | Meaning::Internal | Meaning::Return if self.money.minor < 0 => {
                self.refuse(FindingCode::OddSign, "the amount is negative, against the direction of its type code", out);
            }
            Meaning::Receipt(method) | Meaning::Deposit(method) => return self.payment(method, advisor, out),
            Meaning::Internal => return self.payment(Method::Other, advisor, out),
            Meaning::Return => self.returned(out),
            Meaning::Outgoing | Meaning::Text | Meaning::Loan => {}
            Meaning::Status | Meaning::Total => {
                self.refuse(
                    FindingCode::BadCode,
                    "a status or summary code stands in a transaction; sums are never payments",
                    out,
                );
            }
        }
        None
    }

    fn refuse(&self, code: FindingCode, message: &str, out: &mut Output<'w>) {
        let field = if code == FindingCode::OddSign { self.parts.amount } else { self.parts.code };
        let field = field.unwrap_or_default();
        out.finding(self.record.finding(
            field,
            code,
            Effect::RecordSetAside,
            message.to_owned(),
            "a detail code with its amount",
        ));
    }

    fn payment(&self, method: Method, advisor: &mut Advisor, out: &mut Output<'w>) -> Option<Box<Payment<'w>>> {
        let record = self.record;
        let (bank, customer) = self.references();
        // The payment is filled where it will stay: it is large, and moving it costs as much as reading it.
        let mut payment = Box::write(
            Box::new_uninit(),
            Payment {
                seq: 0,
                method,
                direction: Direction::Credit,
                amount: self.money,
                value_date: self.parts.value_date.or(self.setting.as_of),
                payer: SharedParty::NOBODY,
                payee: self.setting.owner.clone(),
                trace: None,
                references: Vec::with_capacity(REFERENCES),
                text: None,
                remittance: None,
                location: record.location(),
                exchange: None,
            },
        );
        let Payment { payer, references, text, .. } = &mut *payment;
        let mut segments = std::mem::take(&mut advisor.segments);
        let mut told = Told::new(payer, references, &mut segments);
        told.read(record, self.parts.rest, self.parts.next);
        *text = told.words.take();
        self.number(references, customer.as_ref());
        payment.trace = bank.or(customer);
        if !segments.is_empty() {
            self.advise(&mut payment, &segments, advisor, out);
        }
        advisor.segments = segments;
        if self.money.minor == 0 {
            out.finding(Finding {
                severity: Severity::Info,
                ..record.finding(
                    self.parts.amount.unwrap_or_default(),
                    FindingCode::BadAmount,
                    Effect::Noted,
                    "the transaction moves no money, so it is no payment".to_owned(),
                    "an amount above zero",
                )
            });
            return None;
        }
        out.number_payment(&mut payment);
        Some(payment)
    }

    /// Reads the X12 segments of the text into a remittance; when that fails they stay in the text.
    fn advise(&self, payment: &mut Payment<'w>, segments: &[Stretch], advisor: &mut Advisor, out: &mut Output<'w>) {
        let paid = self.parts.amount.unwrap_or_default();
        let advice = advisor.read(self.record, segments, self.money, paid, self.setting.limits);
        for finding in advice.findings {
            out.finding(finding);
        }
        let Some(mut remittance) = advice.remittance else {
            let mut pieces: Vec<String> = payment.text.take().into_iter().map(Text::into_owned).collect();
            let stretch = |(from, to, _): &Stretch| self.record.text(*from, *to).map(Text::into_owned);
            pieces.extend(segments.iter().filter_map(stretch));
            payment.text = Some(Text::Owned(pieces.join(" ")));
            return;
        };
        remittance.total = Some(self.money);
        remittance.date = payment.value_date;
        remittance.payer = payment.payer.clone();
        remittance.payee = payment.payee.clone();
        remittance.trace = payment.trace.clone();
        remittance.text = payment.text.clone();
        remittance.location = payment.location;
        payment.remittance = Some(out.remittance(remittance));
    }

    fn returned(&self, out: &mut Output<'w>) {
        let (mut payer, mut references, mut segments) = (Party::default(), Vec::new(), Vec::new());
        let mut told = Told::new(&mut payer, &mut references, &mut segments);
        told.read(self.record, self.parts.rest, self.parts.next);
        let (bank, customer) = self.references();
        let code = told.reason.take().unwrap_or_else(|| Text::Owned(self.code.to_string()));
        out.payment_return(Return {
            seq: 0,
            amount: self.money,
            code,
            trace: customer.is_some().then(|| bank.clone()).flatten(),
            original_trace: customer.or(bank),
            payer: payer.into(),
            payee: self.setting.owner.clone(),
            location: self.record.location(),
        });
    }

    /// Bank reference and customer reference.
    #[inline(always)]
    fn references(&self) -> (Option<Text<'w>>, Option<Text<'w>>) {
        let text = |field: Option<Field>| field.and_then(|field| self.record.field_text(field));
        (text(self.parts.bank_reference), text(self.parts.customer_reference))
    }

    /// Adds to the references that the text names: its type code, what it is by the table, the customer's number.
    #[inline(always)]
    fn number(&self, references: &mut Vec<Reference<'w>>, customer: Option<&Text<'w>>) {
        let mut add = |qualifier: &'static str, value: Text<'w>| {
            references.push(Reference { qualifier: Text::Borrowed(qualifier), value });
        };
        if let Some(code) = self.parts.code.and_then(|field| self.record.field_text(field)) {
            add("BAI", code);
        }
        match self.meaning {
            Meaning::Deposit(_) => add("ROLE", Text::Borrowed("deposit")),
            Meaning::Internal => add("ROLE", Text::Borrowed("internal")),
            _ => {}
        }
        if let Some(interim) = self.setting.interim {
            add("INTERIM", Text::Borrowed(interim));
        }
        if let Some(customer) = customer {
            add("CUSTOMER", customer.clone());
        }
    }
}

/// Room for the references of a usual payment.
const REFERENCES: usize = 3;
