//! One statement, report or notification: whose account, its balances and its summary, and whether the entries bear them out.

use chrono::NaiveDate;

use crate::{
    Account, Balance, Currency, Effect, Figure, Finding, FindingCode, Location, Money, Party, Severity, Text, parse_minor,
    x12::{
        output::{Claim, Output},
        segment::shown,
    },
};

use super::{
    element::El::{self, *},
    entry::{Entry, Leaf, bad, credit, date, fill, money},
};

/// What has been read of the statement in hand.
#[derive(Debug, Default)]
pub(super) struct Statement {
    location: Location,
    account: String,
    bank: String,
    owner: String,
    currency: Option<Currency>,
    balance: Stated,
    sums: Vec<Sums>,
    summary: Summary,
    /// All entries, and those that are booked: banks count either.
    counted: [Counted; 2],
    /// It is a page of several (PgNb above 1, or LastPgInd false).
    paged: bool,
}

/// A balance element by element.
#[derive(Debug, Default)]
struct Stated {
    kind: String,
    amount: Option<Money>,
    credit: Option<bool>,
    date: Option<NaiveDate>,
    location: Location,
}

/// What must add up in one currency.
#[derive(Debug)]
struct Sums {
    currency: Currency,
    opening: Option<i64>,
    /// PRCD stands for the opening balance where OPBD is absent.
    previous: Option<i64>,
    closing: Option<(i64, Location)>,
    movement: i128,
}

/// TxsSummry: claims about all entries, credits and debits.
#[derive(Debug, Default)]
struct Summary {
    counts: [Option<(u64, Location)>; 3],
    sums: [Option<(String, Location)>; 3],
    net: Option<(String, Location)>,
    net_credit: Option<bool>,
}

/// Number and sum of all entries, credits and debits.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    number: [u64; 3],
    sum: [i128; 3],
}

const NAMES: [(&str, &str, &str); 3] = [
    ("TtlNtries/NbOfNtries", "TtlNtries/Sum", "of the entries"),
    ("TtlCdtNtries/NbOfNtries", "TtlCdtNtries/Sum", "of the credit entries"),
    ("TtlDbtNtries/NbOfNtries", "TtlDbtNtries/Sum", "of the debit entries"),
];

impl Statement {
    pub fn new(location: Location) -> Self {
        Self { location, ..Self::default() }
    }

    /// Our side of every payment in it.
    pub fn own(&self) -> Party<'static> {
        let some = |text: &str| (!text.is_empty()).then(|| Text::Owned(text.to_owned()));
        Party { name: some(&self.owner), id: None, bank: some(&self.bank), account: some(&self.account).map(Account::new) }
    }

    /// An element of it begins.
    pub fn begin(&mut self, path: &[El], location: Location) {
        if let [Bal] = path {
            self.balance = Stated { location, ..Stated::default() };
        }
    }

    /// Takes the text of an element outside entries; `path` leads to it from Stmt, Rpt or Ntfctn.
    pub fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        let text = leaf.text;
        match path {
            [Acct, Id, IBAN] | [Acct, Id, Othr, Id] => fill(&mut self.account, text),
            [Acct, Ccy] => self.currency = Currency::parse(text),
            [Acct, Ownr, Nm] | [Acct, Ownr, Pty, Nm] => fill(&mut self.owner, text),
            [Acct, Svcr, FinInstnId, BIC | BICFI] => text.clone_into(&mut self.bank),
            [Acct, Svcr, FinInstnId, ClrSysMmbId, MmbId] => fill(&mut self.bank, text),
            [StmtPgntn | RptPgntn | NtfctnPgntn, PgNb] => self.paged |= text.parse() != Ok(1_u64),
            [StmtPgntn | RptPgntn | NtfctnPgntn, LastPgInd] => self.paged |= text == "false" || text == "0",
            [Bal, rest @ ..] => self.take_balance(rest, leaf, out),
            [TxsSummry, rest @ ..] => self.take_summary(rest, leaf, out),
            _ => {}
        }
    }

    fn take_balance(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        let balance = &mut self.balance;
        match path {
            [Tp, CdOrPrtry, Cd | Prtry] | [Tp, Cd | Prtry] => leaf.text.clone_into(&mut balance.kind),
            [Amt] => balance.amount = money(leaf, Effect::FileHeld, out),
            [CdtDbtInd] => balance.credit = credit(leaf.text),
            [Dt, Dt | DtTm] => balance.date = date(leaf, out),
            _ => {}
        }
    }

    fn take_summary(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        let [scope, rest @ ..] = path else { return };
        let scope = match scope {
            TtlNtries => 0,
            TtlCdtNtries => 1,
            TtlDbtNtries => 2,
            _ => return,
        };
        let summary = &mut self.summary;
        match rest {
            [NbOfNtries] => {
                let count = leaf.text.parse().ok();
                if count.is_none() {
                    out.finding(bad(leaf, FindingCode::BadText, Effect::FileHeld, "NbOfNtries is no number", "a whole number"));
                }
                if let Some(slot) = summary.counts.get_mut(scope) {
                    *slot = count.map(|count| (count, leaf.place.location()));
                }
            }
            [Sum] => {
                if let Some(slot) = summary.sums.get_mut(scope) {
                    *slot = Some((leaf.text.to_owned(), leaf.place.location()));
                }
            }
            [TtlNetNtryAmt] | [TtlNetNtry, Amt] => summary.net = Some((leaf.text.to_owned(), leaf.place.location())),
            [CdtDbtInd] | [TtlNetNtry, CdtDbtInd] => summary.net_credit = credit(leaf.text),
            _ => {}
        }
    }

    /// A balance is complete.
    pub fn end_balance(&mut self, out: &mut Output<'_>) {
        let stated = std::mem::take(&mut self.balance);
        let Some(amount) = stated.amount else { return };
        let minor = if stated.credit == Some(false) { amount.minor.saturating_neg() } else { amount.minor };
        let sums = self.sums_of(amount.currency);
        match stated.kind.as_str() {
            "OPBD" => sums.opening = sums.opening.or(Some(minor)),
            "PRCD" => sums.previous = sums.previous.or(Some(minor)),
            "CLBD" => sums.closing = Some((minor, stated.location)),
            _ => {}
        }
        out.balance(Balance {
            account_last4: Account::new(Text::Borrowed(&self.account)).last4(),
            kind: kind(&stated.kind).to_owned(),
            amount: Money::new(minor, amount.currency),
            date: stated.date,
            location: stated.location,
        });
    }

    /// Counts an entry whose amount and direction are known.
    pub fn count(&mut self, entry: &Entry, amount: Money, credit: bool) {
        let minor = i128::from(amount.minor);
        let booked = is_booked(entry);
        let scope = if credit { 1 } else { 2 };
        for (index, counted) in self.counted.iter_mut().enumerate() {
            if index == 0 || booked {
                for at in [0, scope] {
                    if let (Some(number), Some(sum)) = (counted.number.get_mut(at), counted.sum.get_mut(at)) {
                        *number = number.saturating_add(1);
                        *sum = sum.saturating_add(minor);
                    }
                }
            }
        }
        if booked {
            let sums = self.sums_of(amount.currency);
            sums.movement = sums.movement.saturating_add(if credit { minor } else { minor.saturating_neg() });
        }
    }

    /// Compares every claim with the entries. `whole` says that the message is a statement, whose balances must be there.
    pub fn finish(self, whole: bool, out: &mut Output<'_>) {
        let mut proven = false;
        for sums in &self.sums {
            let (Some((closing, location)), Some(opening)) = (sums.closing, sums.opening.or(sums.previous)) else { continue };
            proven = true;
            let computed = i128::from(opening).saturating_add(sums.movement);
            let exponent = sums.currency.exponent();
            let sides = (Figure::decimal(closing.into(), exponent), Figure::decimal(computed, exponent));
            let claim = Claim {
                code: FindingCode::ControlTotalMismatch,
                what: "the opening balance and the booked entries together",
                location,
            };
            let ok = computed == i128::from(closing);
            if ok || !self.paged {
                out.compare("CLBD", "account", sides, ok, claim);
            }
        }
        if whole && !proven && !self.paged {
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the statement has no opening or no closing balance, so its entries are not proven".to_owned(),
                expected: "Bal with OPBD or PRCD, and with CLBD".to_owned(),
                found: String::new(),
                location: self.location,
            });
        }
        self.compare_summary(out);
    }

    fn compare_summary(&self, out: &mut Output<'_>) {
        let [all, booked] = &self.counted;
        let scopes = NAMES.iter().zip(&self.summary.counts).zip(&self.summary.sums).enumerate();
        for (at, (((count_name, sum_name, what), count), sum)) in scopes {
            let number = |counted: &Counted| counted.number.get(at).copied().unwrap_or(0);
            let total = |counted: &Counted| counted.sum.get(at).copied().unwrap_or(0);
            if let Some((claimed, location)) = *count {
                let computed = if claimed == number(booked) { number(booked) } else { number(all) };
                let claim = Claim { code: FindingCode::ControlCountMismatch, what: count_of(what), location };
                out.compare(count_name, "account", (Figure::count(claimed), Figure::count(computed)), claimed == computed, claim);
            }
            if let Some((text, location)) = sum {
                self.compare_sum(sum_name, sum_of(what), (text, *location), (total(all), total(booked)), out);
            }
        }
        if let Some((text, location)) = &self.summary.net {
            let net = |counted: &Counted| match counted.sum {
                [_, credits, debits] => credits.saturating_sub(debits),
            };
            let sign = |value: i128| if self.summary.net_credit == Some(false) { value.saturating_neg() } else { value };
            self.compare_sum("TtlNetNtry", "the entries together", (text, *location), (sign(net(all)), sign(net(booked))), out);
        }
    }

    /// Sums have no currency of their own; they are compared where all entries have the same.
    fn compare_sum(
        &self,
        name: &'static str,
        what: &'static str,
        claim: (&str, Location),
        sums: (i128, i128),
        out: &mut Output<'_>,
    ) {
        let (text, location) = claim;
        let moved: Vec<Currency> = self.sums.iter().filter(|sums| sums.movement != 0).map(|sums| sums.currency).collect();
        let currency = match moved.as_slice() {
            [one] => *one,
            [] => match self.currency.or(self.sums.first().map(|sums| sums.currency)) {
                Some(currency) => currency,
                None => return,
            },
            _ => return,
        };
        let (all, booked) = sums;
        let Ok(claimed) = parse_minor(text.as_bytes(), currency) else {
            out.finding(Finding {
                code: FindingCode::BadAmount,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: "a sum of the summary is no amount".to_owned(),
                expected: "a decimal number".to_owned(),
                found: shown(text.as_bytes()),
                location,
            });
            return;
        };
        let claimed = i128::from(claimed);
        let computed = if claimed == booked { booked } else { all };
        let exponent = currency.exponent();
        let sides = (Figure::decimal(claimed, exponent), Figure::decimal(computed, exponent));
        let claim = Claim { code: FindingCode::ControlTotalMismatch, what, location };
        out.compare(name, "account", sides, claimed == computed, claim);
    }

    fn sums_of(&mut self, currency: Currency) -> &mut Sums {
        let at = self.sums.iter().position(|sums| sums.currency == currency).unwrap_or(self.sums.len());
        if at == self.sums.len() {
            self.sums.push(Sums { currency, opening: None, previous: None, closing: None, movement: 0 });
        }
        let last = self.sums.len().saturating_sub(1);
        // The list has just been given an entry where it had none.
        #[expect(clippy::indexing_slicing, reason = "at is the place of an element that was found or pushed")]
        &mut self.sums[at.min(last)]
    }
}

/// Only booked entries are money. The status is absent in few files, and then means booked.
pub(super) fn is_booked(entry: &Entry) -> bool {
    matches!(entry.status.as_str(), "BOOK" | "")
}

/// Names of balances in exports; a code that is not listed stays as written.
fn kind(code: &str) -> &str {
    match code {
        "OPBD" => "opening_booked",
        "CLBD" => "closing_booked",
        "PRCD" => "previous_closing",
        "OPAV" => "opening_available",
        "CLAV" => "closing_available",
        "ITBD" => "interim_booked",
        "ITAV" => "interim_available",
        "FWAV" => "forward_available",
        "XPCD" => "expected",
        "INFO" => "information",
        code => code,
    }
}

fn count_of(what: &'static str) -> &'static str {
    match what {
        "of the credit entries" => "the number of the credit entries",
        "of the debit entries" => "the number of the debit entries",
        _ => "the number of the entries",
    }
}

fn sum_of(what: &'static str) -> &'static str {
    match what {
        "of the credit entries" => "the sum of the credit entries",
        "of the debit entries" => "the sum of the debit entries",
        _ => "the sum of the entries",
    }
}
