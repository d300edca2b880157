//! What one entry (Ntry) and its transactions (TxDtls) say, gathered element by element.

use chrono::NaiveDate;

use crate::{
    Currency, Effect, Finding, FindingCode, Location, Money, Severity, Tag, money, parse_minor,
    x12::{output::Output, value::long_date},
};

use super::{
    advice::Strd,
    element::El::{self, *},
};

/// The text of one element, with what its place and attributes say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'t> {
    pub text: &'t str,
    /// Attribute Ccy.
    pub currency: Option<Currency>,
    pub place: Place<'t>,
}

/// Where an element begins; most are never asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    pub byte: u64,
    /// Line breaks before `uncounted`, and the bytes behind those up to it: few places are ever asked for their line.
    pub lines: u64,
    pub uncounted: &'t [u8],
    /// Ordinal of its entry.
    pub entry: Option<u32>,
    /// Its local name.
    pub name: &'t [u8],
}

impl Place<'_> {
    #[cold]
    pub fn location(&self) -> Location {
        Location {
            byte: self.byte,
            line: Some(self.lines.saturating_add(line_breaks(self.uncounted)).saturating_add(1)),
            segment: self.entry,
            tag: (!self.name.is_empty()).then(|| Tag::new(self.name)),
            ..Location::default()
        }
    }
}

/// How many line breaks bytes hold.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// One entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub location: Location,
    pub amount: Option<Money>,
    /// CdtDbtInd: money came in.
    pub credit: Option<bool>,
    /// RvslInd: it takes an earlier entry back.
    pub reversal: bool,
    pub status: String,
    pub booked: Option<NaiveDate>,
    pub value_date: Option<NaiveDate>,
    /// AcctSvcrRef: the bank's reference.
    pub servicer: String,
    pub info: String,
    pub code: BankCode,
    /// NtryDtls/Btch.
    pub batch_count: Option<(u64, Location)>,
    pub batch_total: Option<(Money, Location)>,
    pub charges: Charges,
    pub txs: Vec<Tx>,
    /// Something in it cannot be trusted.
    pub set_aside: bool,
}

/// One transaction of an entry.
#[derive(Debug, Default)]
pub(super) struct Tx {
    pub location: Location,
    /// Refs but for the next three, with their qualifiers.
    pub refs: Vec<(&'static str, String)>,
    pub servicer: String,
    pub end_to_end: String,
    pub cheque: String,
    pub amount: Option<Money>,
    /// AmtDtls: what was transferred, what the payer ordered, and what that is worth.
    pub transferred: Option<Money>,
    pub instructed: Option<Money>,
    pub countervalue: Option<Money>,
    pub rate: String,
    pub credit: Option<bool>,
    pub charges: Charges,
    pub debtor: Side,
    pub creditor: Side,
    /// RmtInf/Ustrd.
    pub pieces: Vec<String>,
    pub strds: Vec<Strd>,
    pub return_reason: String,
    pub returned: bool,
    pub info: String,
    pub code: BankCode,
}

/// A party with its account and its bank.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub name: String,
    pub ultimate: String,
    pub id: String,
    pub bank: String,
    pub account: String,
}

/// BkTxCd.
#[derive(Debug, Default)]
pub(super) struct BankCode {
    pub domain: String,
    pub family: String,
    pub sub_family: String,
    pub proprietary: String,
}

/// Chrgs: single charges, and their total where it is given.
#[derive(Debug, Default)]
pub(super) struct Charges {
    pub records: Vec<Money>,
    pub total: Option<Money>,
}

impl Entry {
    pub fn new(location: Location) -> Self {
        Self {
            location,
            amount: None,
            credit: None,
            reversal: false,
            status: String::new(),
            booked: None,
            value_date: None,
            servicer: String::new(),
            info: String::new(),
            code: BankCode::default(),
            batch_count: None,
            batch_total: None,
            charges: Charges::default(),
            txs: Vec::new(),
            set_aside: false,
        }
    }

    /// Takes the text of an element outside TxDtls; `path` leads to it from Ntry.
    pub fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [Amt] => self.amount = self.money(leaf, Effect::RecordSetAside, out),
            [CdtDbtInd] => {
                self.credit = credit(leaf.text);
                if self.credit.is_none() {
                    self.set_aside = true;
                    let finding = bad(
                        leaf,
                        FindingCode::BadCode,
                        Effect::RecordSetAside,
                        "CdtDbtInd is neither credit nor debit",
                        "CRDT or DBIT",
                    );
                    out.finding(finding);
                }
            }
            [RvslInd] => self.reversal = matches!(leaf.text, "true" | "1"),
            [Sts] | [Sts, Cd | Prtry] => leaf.text.clone_into(&mut self.status),
            [BookgDt, Dt | DtTm] => self.booked = date(leaf, out),
            [ValDt, Dt | DtTm] => self.value_date = date(leaf, out),
            [AcctSvcrRef] => leaf.text.clone_into(&mut self.servicer),
            [AddtlNtryInf] => append(&mut self.info, leaf.text),
            [BkTxCd, rest @ ..] => self.code.take(rest, leaf),
            [Chrgs, rest @ ..] => self.charges.take(rest, leaf),
            [NtryDtls, Btch, NbOfTxs] => match leaf.text.parse() {
                Ok(count) => self.batch_count = Some((count, leaf.place.location())),
                Err(_) => out.finding(bad(leaf, FindingCode::BadText, Effect::Noted, "NbOfTxs is no number", "a whole number")),
            },
            [NtryDtls, Btch, TtlAmt] => {
                self.batch_total = self.money(leaf, Effect::RecordSetAside, out).map(|money| (money, leaf.place.location()));
            }
            _ => {}
        }
    }

    /// An amount with its currency. One that cannot be read sets the entry aside.
    fn money(&mut self, leaf: Leaf<'_>, effect: Effect, out: &mut Output<'_>) -> Option<Money> {
        let money = money(leaf, effect, out);
        self.set_aside |= money.is_none() && effect == Effect::RecordSetAside;
        money
    }
}

impl Tx {
    pub fn new(location: Location) -> Self {
        Self { location, ..Self::default() }
    }

    /// Takes the text of an element; `path` leads to it from TxDtls. False: an amount could not be read.
    pub fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) -> bool {
        let slot = match path {
            [Amt] => &mut self.amount,
            [AmtDtls, TxAmt, Amt] => &mut self.transferred,
            [AmtDtls, InstdAmt, Amt] => &mut self.instructed,
            [AmtDtls, CntrValAmt, Amt] => &mut self.countervalue,
            _ => {
                self.take_text(path, leaf, out);
                return true;
            }
        };
        *slot = money(leaf, Effect::RecordSetAside, out);
        slot.is_some()
    }

    fn take_text(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        let text = leaf.text;
        match path {
            [Refs, AcctSvcrRef] => text.clone_into(&mut self.servicer),
            [Refs, EndToEndId] if text != "NOTPROVIDED" => text.clone_into(&mut self.end_to_end),
            [Refs, ChqNb] => text.clone_into(&mut self.cheque),
            [Refs, element] => self.refs.extend(qualifier(*element).map(|qualifier| (qualifier, text.to_owned()))),
            [CdtDbtInd] => self.credit = credit(text),
            [AmtDtls, _, CcyXchg, XchgRate] => text.clone_into(&mut self.rate),
            [RltdPties, Dbtr, rest @ ..] => self.debtor.take_party(rest, text),
            [RltdPties, Cdtr, rest @ ..] => self.creditor.take_party(rest, text),
            [RltdPties, UltmtDbtr, Nm] | [RltdPties, UltmtDbtr, Pty, Nm] => text.clone_into(&mut self.debtor.ultimate),
            [RltdPties, UltmtCdtr, Nm] | [RltdPties, UltmtCdtr, Pty, Nm] => text.clone_into(&mut self.creditor.ultimate),
            [RltdPties, DbtrAcct, rest @ ..] => self.debtor.take_account(rest, text),
            [RltdPties, CdtrAcct, rest @ ..] => self.creditor.take_account(rest, text),
            [RltdAgts, DbtrAgt, rest @ ..] => take_bank(&mut self.debtor.bank, rest, text),
            [RltdAgts, CdtrAgt, rest @ ..] => take_bank(&mut self.creditor.bank, rest, text),
            [RmtInf, Ustrd] => self.pieces.push(text.to_owned()),
            [RmtInf, Strd, rest @ ..] => {
                if let Some(strd) = self.strds.last_mut() {
                    strd.take(rest, leaf, out);
                }
            }
            [RtrInf, Rsn, Cd | Prtry] => text.clone_into(&mut self.return_reason),
            [AddtlTxInf] => append(&mut self.info, text),
            [BkTxCd, rest @ ..] => self.code.take(rest, leaf),
            [Chrgs, rest @ ..] => self.charges.take(rest, leaf),
            _ => {}
        }
        self.returned |= path.first() == Some(&RtrInf);
    }
}

/// Qualifiers of the references that a payment keeps beside its trace.
pub(super) fn qualifier(element: El) -> Option<&'static str> {
    Some(match element {
        InstrId => "INST",
        TxId => "TXID",
        PmtInfId => "PMTI",
        MndtId => "MREF",
        UETR => "UETR",
        ClrSysRef => "CLRS",
        MsgId => "MSID",
        _ => return None,
    })
}

impl Side {
    /// Whether nothing names the party.
    pub fn is_empty(&self) -> bool {
        [&self.name, &self.ultimate, &self.id, &self.account].into_iter().all(String::is_empty)
    }

    /// From version 08 on a party stands inside Pty, or is a bank inside Agt.
    pub fn take_party(&mut self, path: &[El], text: &str) {
        match path {
            [Pty, rest @ ..] => self.take_party(rest, text),
            [Nm] | [_, FinInstnId, Nm] => fill(&mut self.name, text),
            [Id, OrgId | PrvtId, Othr, Id] | [Id, OrgId, AnyBIC | BICOrBEI] => fill(&mut self.id, text),
            _ => {}
        }
    }

    pub fn take_account(&mut self, path: &[El], text: &str) {
        if let [Id, IBAN] | [Id, Othr, Id] = path {
            fill(&mut self.account, text);
        }
    }
}

/// BIC, else the number in a clearing system.
pub(super) fn take_bank(bank: &mut String, path: &[El], text: &str) {
    match path {
        [FinInstnId, BIC | BICFI] => text.clone_into(bank),
        [FinInstnId, ClrSysMmbId, MmbId] | [FinInstnId, Othr, Id] => fill(bank, text),
        _ => {}
    }
}

impl BankCode {
    fn take(&mut self, path: &[El], leaf: Leaf<'_>) {
        let slot = match path {
            [Domn, Cd] => &mut self.domain,
            [Domn, Fmly, Cd] => &mut self.family,
            [Domn, Fmly, SubFmlyCd] => &mut self.sub_family,
            [Prtry, Cd] => &mut self.proprietary,
            _ => return,
        };
        leaf.text.clone_into(slot);
    }

    /// `PMNT-RCDT-ESCT`, else the bank's own code.
    pub fn text(&self) -> String {
        if self.domain.is_empty() {
            return self.proprietary.clone();
        }
        format!("{}-{}-{}", self.domain, self.family, self.sub_family)
    }
}

impl Charges {
    /// Charges explain a difference; one that cannot be read explains none.
    fn take(&mut self, path: &[El], leaf: Leaf<'_>) {
        let Some(money) = read_money(leaf) else { return };
        match path {
            [Amt] | [Rcrd, Amt] => self.records.push(money),
            [TtlChrgsAndTaxAmt] => self.total = Some(money),
            _ => {}
        }
    }

    /// The sum in one currency.
    pub fn sum(&self, currency: Currency) -> i128 {
        let alike = |money: &&Money| money.currency == currency;
        match self.total.filter(|total| total.currency == currency) {
            Some(total) => total.minor.into(),
            None => self.records.iter().filter(alike).map(|money| i128::from(money.minor)).sum(),
        }
    }
}

pub(super) fn fill(slot: &mut String, text: &str) {
    if slot.is_empty() {
        text.clone_into(slot);
    }
}

fn append(slot: &mut String, text: &str) {
    if !slot.is_empty() {
        slot.push(' ');
    }
    slot.push_str(text);
}

/// CdtDbtInd.
pub(super) fn credit(text: &str) -> Option<bool> {
    match text {
        "CRDT" => Some(true),
        "DBIT" => Some(false),
        _ => None,
    }
}

/// An amount with attribute Ccy, and a finding where there is none. CdtDbtInd gives the direction, so it has no sign.
pub(super) fn money(leaf: Leaf<'_>, effect: Effect, out: &mut Output<'_>) -> Option<Money> {
    let money = signed_money(leaf, effect, out)?;
    if money.minor < 0 {
        let message = "the amount is negative; CdtDbtInd gives the direction";
        out.finding(bad(leaf, FindingCode::BadAmount, effect, message, "zero or more"));
        return None;
    }
    Some(money)
}

/// The same where a sign is met, in amounts of remittance.
pub(super) fn signed_money(leaf: Leaf<'_>, effect: Effect, out: &mut Output<'_>) -> Option<Money> {
    let Some(currency) = leaf.currency else {
        let message = "the amount has no currency";
        out.finding(bad(leaf, FindingCode::MissingElement, effect, message, "attribute Ccy with an ISO 4217 code"));
        return None;
    };
    match parse_minor(leaf.text.as_bytes(), currency) {
        Ok(minor) => Some(Money::new(minor, currency)),
        Err(fault) => {
            let message = format!("the amount cannot be read: {}", without_text(&fault));
            out.finding(bad(leaf, FindingCode::BadAmount, effect, &message, money::expected(&fault, "a decimal number")));
            None
        }
    }
}

fn without_text(fault: &crate::MoneyError) -> String {
    match fault {
        crate::MoneyError::NotANumber(_) => "it is not a number".to_owned(),
        fault => fault.to_string(),
    }
}

fn read_money(leaf: Leaf<'_>) -> Option<Money> {
    let currency = leaf.currency?;
    parse_minor(leaf.text.as_bytes(), currency).ok().map(|minor| Money::new(minor, currency))
}

/// ISODate, or the date of an ISODateTime.
pub(super) fn date(leaf: Leaf<'_>, out: &mut Output<'_>) -> Option<NaiveDate> {
    let date = leaf.text.as_bytes().get(..10).and_then(calendar_date);
    if date.is_none() {
        out.finding(bad(leaf, FindingCode::BadDate, Effect::Noted, "the date does not exist", "YYYY-MM-DD"));
    }
    date
}

/// YYYY-MM-DD.
fn calendar_date(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    long_date(&[y1, y2, y3, y4, m1, m2, d1, d2])
}

/// A finding about the text of an element.
pub(super) fn bad(leaf: Leaf<'_>, code: FindingCode, effect: Effect, message: &str, expected: &str) -> Finding {
    Finding {
        code,
        severity: if effect == Effect::Noted { Severity::Warning } else { Severity::Error },
        effect,
        message: message.to_owned(),
        expected: expected.to_owned(),
        found: crate::x12::segment::shown(leaf.text.as_bytes()),
        location: leaf.place.location(),
    }
}
