//! Messages that announce payments and bring no money: pain.001 Customer Credit Transfer Initiation, one remittance for each transaction, and
//! remt.001 Remittance Advice, one for each RmtInf.
//!
//! The reader follows the XML and hands over what lies below the element of the message; one remittance is held at a time.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    Effect, Figure, Finding, FindingCode, Format, Location, Money, Reference, Remittance, Severity, Text,
    x12::output::{Claim, Output},
};

use super::{
    advice::{self, Strd},
    booking::{joined, party},
    element::El::{self, *},
    entry::{Leaf, Side, bad, date, money, qualifier, take_bank},
};

/// The message in hand.
#[derive(Debug)]
pub(super) struct Announced {
    format: Format,
    /// GrpHdr/MsgId.
    id: String,
    sender: Side,
    receiver: Side,
    /// Of the whole message, and of the PmtInf in hand.
    whole: Tally,
    batch: Tally,
    order: Order,
    advice: Option<Advice>,
}

/// What a message or a PmtInf claims, and what was counted.
#[derive(Debug, Default)]
struct Tally {
    number_claimed: Option<(u64, Location)>,
    sum_claimed: Option<(Decimal, Location)>,
    number: u64,
    /// CtrlSum adds amounts of all currencies; nothing once one could not be read.
    sum: Option<Decimal>,
}

/// What all transactions of a PmtInf have in common.
#[derive(Debug, Default)]
struct Order {
    id: String,
    date: Option<NaiveDate>,
    debtor: Side,
}

/// A transaction of pain.001, or an RmtInf of remt.001.
#[derive(Debug, Default)]
struct Advice {
    location: Location,
    /// InstdAmt: what the creditor gets.
    instructed: Option<Money>,
    /// EqvtAmt/Amt: what it is worth in another currency, so that the amount itself is open.
    equivalent: Option<Money>,
    date: Option<NaiveDate>,
    end_to_end: String,
    cheque: String,
    refs: Vec<(&'static str, String)>,
    debtor: Side,
    creditor: Side,
    pieces: Vec<String>,
    strds: Vec<Strd>,
    in_strd: bool,
    set_aside: bool,
}

impl Tally {
    fn new() -> Self {
        Self { sum: Some(Decimal::ZERO), ..Self::default() }
    }

    fn count(&mut self, amount: Option<Money>) {
        self.number = self.number.saturating_add(1);
        self.sum = self.sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount.to_decimal()));
    }

    fn take_number(&mut self, leaf: Leaf<'_>, out: &mut Output<'_>) {
        self.number_claimed = leaf.text.parse().ok().map(|number| (number, leaf.place.location()));
        if self.number_claimed.is_none() {
            out.finding(bad(leaf, FindingCode::BadText, Effect::FileHeld, "NbOfTxs is no number", "a whole number"));
        }
    }

    fn take_sum(&mut self, leaf: Leaf<'_>, out: &mut Output<'_>) {
        let plain = leaf.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let sum = plain.then(|| Decimal::from_str_exact(leaf.text).ok()).flatten();
        self.sum_claimed = sum.map(|sum| (sum, leaf.place.location()));
        if sum.is_none() {
            out.finding(bad(leaf, FindingCode::BadAmount, Effect::FileHeld, "CtrlSum is no number", "a decimal number"));
        }
    }

    /// Compares both claims. A sum is proven only when every amount was read.
    fn compare(&self, names: (&'static str, &'static str), level: &'static str, out: &mut Output<'_>) {
        if let Some((claimed, location)) = self.number_claimed {
            let sides = (Figure::count(claimed), Figure::count(self.number));
            let claim = Claim { code: FindingCode::ControlCountMismatch, what: "the number of transactions", location };
            out.compare(names.0, level, sides, claimed == self.number, claim);
        }
        if let (Some((claimed, location)), Some(sum)) = (self.sum_claimed, self.sum) {
            let figure = |sum: Decimal| Figure::from(sum.normalize().to_string());
            let claim = Claim { code: FindingCode::ControlTotalMismatch, what: "the sum of the transactions", location };
            out.compare(names.1, level, (figure(claimed), figure(sum)), claimed == sum, claim);
        }
    }
}

impl Announced {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            id: String::new(),
            sender: Side::default(),
            receiver: Side::default(),
            whole: Tally::new(),
            batch: Tally::new(),
            order: Order::default(),
            advice: None,
        }
    }

    /// Whether a remittance is in hand.
    pub fn is_open(&self) -> bool {
        self.advice.is_some()
    }

    /// Whether an element at `path` begins a remittance; `path` leads to it from the message.
    pub fn begins_advice(&self, path: &[El]) -> bool {
        match self.format {
            Format::Pain001 => path == [PmtInf, CdtTrfTxInf],
            _ => path == [RmtInf],
        }
    }

    /// An element begins.
    pub fn begin(&mut self, path: &[El], location: Location, strds_max: usize, out: &mut Output<'_>) {
        if self.begins_advice(path) {
            self.advice = Some(Advice { location, ..Advice::default() });
            return;
        }
        match (&mut self.advice, path) {
            (None, [PmtInf]) if self.format == Format::Pain001 => {
                (self.order, self.batch) = (Order::default(), Tally::new());
            }
            (Some(advice), [PmtInf, CdtTrfTxInf, RmtInf, Strd, rest @ ..] | [RmtInf, Strd, rest @ ..]) => {
                advice.begin_structured(rest, location, strds_max, out);
            }
            _ => {}
        }
    }

    /// Takes the text of an element; `path` leads to it from the message.
    pub fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        out.take_set_aside();
        match (&mut self.advice, path) {
            (Some(advice), [PmtInf, CdtTrfTxInf, rest @ ..]) => advice.take_transaction(rest, leaf, out),
            (Some(advice), [RmtInf, rest @ ..]) => advice.take_advice(rest, leaf, out),
            (_, [GrpHdr, rest @ ..]) => self.take_header(rest, leaf, out),
            (_, [PmtInf, rest @ ..]) => self.take_order(rest, leaf, out),
            _ => {}
        }
        let set_aside = out.take_set_aside();
        if let Some(advice) = &mut self.advice {
            advice.set_aside |= set_aside;
        }
    }

    fn take_header(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [MsgId] => leaf.text.clone_into(&mut self.id),
            [NbOfTxs] => self.whole.take_number(leaf, out),
            [CtrlSum] => self.whole.take_sum(leaf, out),
            [InitgPty, rest @ ..] => self.sender.take_party(rest, leaf.text),
            [MsgRcpt, rest @ ..] => self.receiver.take_party(rest, leaf.text),
            _ => {}
        }
    }

    fn take_order(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [PmtInfId] => leaf.text.clone_into(&mut self.order.id),
            [NbOfTxs] => self.batch.take_number(leaf, out),
            [CtrlSum] => self.batch.take_sum(leaf, out),
            [ReqdExctnDt] | [ReqdExctnDt, Dt | DtTm] => self.order.date = date(leaf, out),
            _ => take_debtor(&mut self.order.debtor, path, leaf.text),
        }
    }

    /// An element ends.
    pub fn end(&mut self, path: &[El], out: &mut Output<'_>) {
        if self.begins_advice(path) {
            if let Some(advice) = self.advice.take() {
                self.put(advice, out);
            }
        } else if self.format == Format::Pain001 && path == [PmtInf] {
            self.batch.compare(("PmtInf/NbOfTxs", "PmtInf/CtrlSum"), "batch", out);
        } else if let (Some(advice), [PmtInf, CdtTrfTxInf, RmtInf, Strd] | [RmtInf, Strd]) = (&mut self.advice, path) {
            advice.in_strd = false;
        }
    }

    /// The message ends.
    pub fn finish(&self, out: &mut Output<'_>) {
        if self.format == Format::Pain001 {
            self.whole.compare(("GrpHdr/NbOfTxs", "GrpHdr/CtrlSum"), "file", out);
        }
    }

    fn put(&mut self, advice: Advice, out: &mut Output<'_>) {
        let amount = advice.instructed.or(advice.equivalent);
        self.whole.count(amount);
        self.batch.count(amount);
        if advice.set_aside {
            return;
        }
        if self.format == Format::Pain001 && amount.is_none() {
            out.finding(Finding {
                code: FindingCode::MissingElement,
                severity: Severity::Error,
                effect: Effect::RecordSetAside,
                message: "the transaction has no amount".to_owned(),
                expected: "Amt/InstdAmt or Amt/EqvtAmt".to_owned(),
                found: String::new(),
                location: advice.location,
            });
            return;
        }
        let references = self.references(&advice);
        let text = joined(&advice.pieces, &advice.strds);
        let mut lines = Vec::new();
        advice.strds.into_iter().for_each(|strd| strd.lines(&mut lines));
        if let Some(total) = advice.instructed.filter(|_| !lines.is_empty()) {
            advice::check_total(&lines, total, advice.location, out);
        }
        let or_named = |named: &Side, other: &Side| if named.is_empty() { party(other) } else { party(named) };
        let debtor = if advice.debtor.is_empty() { &self.order.debtor } else { &advice.debtor };
        out.remittance(Remittance {
            seq: 0,
            total: advice.instructed,
            date: advice.date.or(self.order.date),
            payer: or_named(debtor, &self.sender).into(),
            payee: or_named(&advice.creditor, &self.receiver).into(),
            trace: [advice.cheque, advice.end_to_end].into_iter().find(|trace| !trace.is_empty()).map(Text::Owned),
            lines,
            text: (!text.is_empty()).then_some(Text::Owned(text)),
            references,
            location: advice.location,
            exchange: None,
        });
    }

    fn references(&self, advice: &Advice) -> Vec<Reference<'static>> {
        let equivalent = advice.equivalent.map(|money| money.to_string()).unwrap_or_default();
        let own = [("MSID", &self.id), ("PMTI", &self.order.id), ("EREF", &advice.end_to_end), ("EQVT", &equivalent)];
        own.into_iter()
            .chain(advice.refs.iter().map(|(qualifier, value)| (*qualifier, value)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(qualifier, value)| Reference { qualifier: Text::Borrowed(qualifier), value: Text::Owned(value.clone()) })
            .collect()
    }
}

impl Advice {
    fn begin_structured(&mut self, path: &[El], location: Location, strds_max: usize, out: &mut Output<'_>) {
        if path.is_empty() {
            if self.strds.len() < strds_max {
                self.strds.push(Strd::new(location));
                self.in_strd = true;
            } else if !std::mem::replace(&mut self.set_aside, true) {
                out.finding(super::reader::too_many_lines(strds_max, location));
            }
        } else if let Some(strd) = self.strds.last_mut().filter(|_| self.in_strd) {
            strd.begin(path);
        }
    }

    /// CdtTrfTxInf of pain.001.
    fn take_transaction(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [PmtId, rest @ ..] => self.take_reference(rest, leaf.text),
            [ChqInstr, ChqNb] => leaf.text.clone_into(&mut self.cheque),
            [RmtInf, rest @ ..] => self.take_remittance(rest, leaf, out),
            _ => self.take_payment(path, leaf, out),
        }
    }

    /// RmtInf of remt.001.
    fn take_advice(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [RmtId] => self.refs.push(("RMID", leaf.text.to_owned())),
            [OrgnlPmtInf, Refs, rest @ ..] => self.take_reference(rest, leaf.text),
            [OrgnlPmtInf, ReqdExctnDt] | [OrgnlPmtInf, ReqdExctnDt, Dt | DtTm] => self.date = date(leaf, out),
            [OrgnlPmtInf, rest @ ..] => self.take_payment(rest, leaf, out),
            _ => self.take_remittance(path, leaf, out),
        }
    }

    fn take_reference(&mut self, path: &[El], text: &str) {
        match path {
            [EndToEndId] if text != "NOTPROVIDED" => text.clone_into(&mut self.end_to_end),
            [element] => self.refs.extend(qualifier(*element).map(|qualifier| (qualifier, text.to_owned()))),
            _ => {}
        }
    }

    /// Amount and parties of the payment announced.
    fn take_payment(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [Amt, InstdAmt] => self.instructed = money(leaf, Effect::RecordSetAside, out),
            [Amt, EqvtAmt, Amt] => self.equivalent = money(leaf, Effect::RecordSetAside, out),
            [Cdtr, rest @ ..] => self.creditor.take_party(rest, leaf.text),
            [CdtrAcct, rest @ ..] => self.creditor.take_account(rest, leaf.text),
            [CdtrAgt, rest @ ..] => take_bank(&mut self.creditor.bank, rest, leaf.text),
            [UltmtCdtr, Nm] => leaf.text.clone_into(&mut self.creditor.ultimate),
            _ => take_debtor(&mut self.debtor, path, leaf.text),
        }
    }

    fn take_remittance(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [Ustrd] => self.pieces.push(leaf.text.to_owned()),
            [Strd, rest @ ..] => {
                if let Some(strd) = self.strds.last_mut().filter(|_| self.in_strd) {
                    strd.take(rest, leaf, out);
                }
            }
            _ => {}
        }
    }
}

fn take_debtor(debtor: &mut Side, path: &[El], text: &str) {
    match path {
        [Dbtr, rest @ ..] => debtor.take_party(rest, text),
        [DbtrAcct, rest @ ..] => debtor.take_account(rest, text),
        [DbtrAgt, rest @ ..] => take_bank(&mut debtor.bank, rest, text),
        [UltmtDbtr, Nm] => text.clone_into(&mut debtor.ultimate),
        _ => {}
    }
}
