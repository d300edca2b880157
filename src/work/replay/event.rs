//! What happens in a world: lines of `payments.jsonl`, as files would have brought them.

use std::{collections::HashSet, ops::Range};

use anyhow::Context;
use chrono::NaiveDate;
use serde::Deserialize;
use tieout_parsers::{Account, Location, Party};

use crate::{
    domain::{
        Currency, FileId, Method, Payment, PaymentId, PaymentState, Remittance, RemittanceAdjustment, RemittanceId,
        RemittanceLine, RemittanceState, SellerId, Sighting, Source,
    },
    secret::Vault,
    store::{NewPayment, NewReturn},
    work::{
        master_data::Names,
        recorder::{balanced, payer},
    },
};

/// One thing that happened.
#[derive(Debug)]
pub struct Event {
    pub day: NaiveDate,
    /// The file that brought it. Payments that come one after the other share a file, as long as it holds no amount twice: so nothing is the same
    /// money, or is not, because of the file it stands in.
    pub file: FileId,
    pub what: What,
    /// Where its line stands in `payments.jsonl`.
    pub(super) line: Range<usize>,
}

/// What it was.
#[derive(Debug)]
pub enum What {
    Payment {
        name: String,
        new: Box<NewPayment>,
        advice: Option<Box<Remittance>>,
    },
    /// An advice that came apart from its cash.
    Advice(Box<Remittance>),
    Return {
        name: String,
        returned: Box<NewReturn>,
    },
}

/// A line of `payments.jsonl`. Amounts are minor units.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    payment_id: String,
    date: NaiveDate,
    seller_id: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    amount: i64,
    total: Option<i64>,
    currency: String,
    #[serde(default)]
    payer_name: String,
    #[serde(default)]
    payer_bank: String,
    #[serde(default)]
    payer_account: String,
    #[serde(default)]
    trace: String,
    #[serde(default)]
    payment_ref: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    orig_trace: String,
    #[serde(default)]
    remittance: Vec<Line>,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "ref")]
    reference: String,
    qual: String,
    gross: Option<i64>,
    discount: Option<i64>,
    net: Option<i64>,
    reason: String,
    date: String,
}

/// Reads events one by one and numbers what they bring.
pub(super) struct Reading<'a> {
    names: &'a Names,
    vault: &'a Vault,
    payments: i64,
    remittances: i64,
    returns: i64,
    file: File,
}

/// The file that is being filled.
#[derive(Default)]
struct File {
    id: i64,
    /// Day of the payments in it; nothing when it takes no more.
    open: Option<NaiveDate>,
    payments: u32,
    remittances: u32,
    amounts: HashSet<(Currency, i64)>,
}

impl File {
    fn begin(&mut self, open: Option<NaiveDate>) {
        *self = Self { id: self.id + 1, open, ..Self::default() };
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(names: &'a Names, vault: &'a Vault) -> Self {
        Self { names, vault, payments: 0, remittances: 0, returns: 0, file: File::default() }
    }

    /// The event of a line.
    pub(super) fn event(&mut self, text: &str, line: Range<usize>) -> anyhow::Result<Event> {
        let row: Row = serde_json::from_str(text)?;
        let currency = Currency::parse(&row.currency).with_context(|| format!("{:?} is no currency", row.currency))?;
        let what = match row.kind.as_str() {
            "payment" => {
                if self.file.open != Some(row.date) || !self.file.amounts.insert((currency, row.amount)) {
                    self.file.begin(Some(row.date));
                    self.file.amounts.insert((currency, row.amount));
                }
                let mut new = self.payment(&row, currency)?;
                let tells = !row.remittance.is_empty();
                let advice = tells.then(|| self.remittance(&row, currency, Some(&new.payment))).transpose()?.map(Box::new);
                new.payment.remittance = advice.as_ref().map(|advice| advice.id);
                What::Payment { name: row.payment_id, new: Box::new(new), advice }
            }
            "remittance" => {
                self.file.begin(None);
                What::Advice(Box::new(self.remittance(&row, currency, None)?))
            }
            "return" => {
                self.file.begin(None);
                What::Return { returned: Box::new(self.bank_return(&row, currency)), name: row.payment_id }
            }
            other => anyhow::bail!("{other:?} is no event; expected payment, remittance or return"),
        };
        Ok(Event { day: row.date, file: FileId(self.file.id), what, line })
    }

    fn source(&self) -> Source {
        Source { file: FileId(self.file.id), location: Location::default() }
    }

    fn seller(&self, row: &Row) -> Option<SellerId> {
        self.names.sellers.get(&row.seller_id).copied()
    }

    fn payment(&mut self, row: &Row, currency: Currency) -> anyhow::Result<NewPayment> {
        self.payments += 1;
        let seq = self.file.payments;
        self.file.payments += 1;
        let (payer, payer_bank, payer_account_cipher) = payer(&party(row), self.vault)?;
        let payment = Payment {
            id: PaymentId(self.payments),
            source: self.source(),
            seq,
            seller: self.seller(row),
            method: method(&row.channel),
            currency,
            amount_minor: row.amount,
            unapplied_minor: row.amount,
            value_date: row.date,
            business_day: row.date,
            payer,
            trace: filled(&row.trace),
            text: filled(&row.text),
            remittance: None,
            state: PaymentState::Received,
            version: 1,
        };
        let (position, sighting) = (seq + 1, Sighting::default());
        Ok(NewPayment { payment, position, payer_bank, payer_account_cipher, sighting })
    }

    fn remittance(&mut self, row: &Row, currency: Currency, payment: Option<&Payment>) -> anyhow::Result<Remittance> {
        self.remittances += 1;
        let seq = self.file.remittances;
        self.file.remittances += 1;
        let lines: Vec<RemittanceLine> = row.remittance.iter().map(line).collect();
        let (payer, _, _) = payer(&party(row), self.vault)?;
        Ok(Remittance {
            id: RemittanceId(self.remittances),
            source: self.source(),
            seq,
            seller: self.seller(row),
            currency,
            total_minor: row.total,
            date: Some(row.date),
            payer,
            trace: filled(&row.payment_ref),
            text: filled(&row.text).filter(|_| payment.is_none()),
            balanced: balanced(row.total, &lines),
            lines,
            payment: payment.map(|payment| payment.id),
            state: if payment.is_some() { RemittanceState::Linked } else { RemittanceState::Waiting },
        })
    }

    fn bank_return(&mut self, row: &Row, currency: Currency) -> NewReturn {
        self.returns += 1;
        NewReturn {
            id: self.returns,
            source: self.source(),
            seq: 0,
            position: 1,
            currency,
            amount_minor: row.amount.saturating_neg(),
            code: row.code.clone(),
            original_trace: filled(&row.orig_trace),
            trace: None,
            payer_name: filled(&row.payer_name),
            seller: self.seller(row),
            held: false,
        }
    }
}

/// Who paid. An ACH entry names its originator, which is no account.
fn party(row: &Row) -> Party<'_> {
    let text = |text: &str| filled(text).map(Into::into);
    let ach = row.channel.starts_with("ACH");
    Party {
        name: text(&row.payer_name),
        id: text(&row.payer_account).filter(|_| ach),
        bank: text(&row.payer_bank),
        account: filled(&row.payer_account).filter(|_| !ach).map(|number| Account::new(number.into())),
    }
}

fn method(channel: &str) -> Method {
    match channel {
        "ACH_CTX" | "ACH_CCD" => Method::Ach,
        "WIRE" => Method::Wire,
        "LOCKBOX" => Method::Check,
        "CARD" => Method::Card,
        _ => Method::Other,
    }
}

/// What gross and discount do not explain of the net is the adjustment of the line's code; a line marked ZZ is one as a whole.
fn line(line: &Line) -> RemittanceLine {
    let coded = !line.reason.is_empty();
    let difference = line.net.zip(line.gross);
    let difference = difference.and_then(|(net, gross)| net.checked_sub(gross)?.checked_add(line.discount.unwrap_or(0)));
    let amount_minor = if line.qual == "ZZ" { line.net } else { difference };
    let adjustments = amount_minor
        .filter(|amount| coded && *amount != 0)
        .map(|amount_minor| RemittanceAdjustment { amount_minor, reason: line.reason.clone(), reference: None })
        .into_iter()
        .collect();
    RemittanceLine {
        reference: line.reference.clone(),
        qualifier: line.qual.clone(),
        gross_minor: line.gross,
        discount_minor: line.discount,
        net_minor: line.net,
        adjustments,
        date: line.date.parse().ok(),
        ..RemittanceLine::default()
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
