//! A labelled world: master data as an ERP would give it, and what happened day by day as JSON lines.

use std::{collections::HashMap, fs, path::Path};

use anyhow::Context;
use chrono::NaiveDate;
use serde::Deserialize;
use tieout_parsers::Account;

use crate::{
    domain::{
        AccountKey, Currency, Customer, CustomerId, FileId, ItemStatus, Location, Method, OpenItem, OpenItemId, Payer, Payment,
        PaymentId, PaymentState, Remittance, RemittanceAdjustment, RemittanceId, RemittanceLine, RemittanceState, SellerId,
        Source,
    },
    intake::import::{self, CustomerRow, Importable, Mapping, OpenItemRow},
    secret,
};

/// What the engine may read of a world. The labels are not part of it.
#[derive(Debug, Default)]
pub struct World {
    pub customers: Vec<Customer>,
    /// In the order of the day they were entered.
    pub items: Vec<OpenItem>,
    /// The world's own names of the items, by id.
    pub item_names: HashMap<OpenItemId, String>,
    /// What happened, in order of arrival.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    Payment { name: String, day: NaiveDate, payment: Box<Payment>, advice: Option<Box<Remittance>> },
    Advice { day: NaiveDate, remittance: Box<Remittance> },
    Return { name: String, day: NaiveDate, trace: String, amount_minor: i64, currency: Currency },
}

impl Event {
    pub const fn day(&self) -> NaiveDate {
        match self {
            Self::Payment { day, .. } | Self::Advice { day, .. } | Self::Return { day, .. } => *day,
        }
    }
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

impl World {
    /// Reads `customers.csv`, `invoices.csv` and `payments.jsonl` of a folder. Errors name file and line.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut reading = Reading::default();
        let mut world = Self { customers: reading.customers(rows(folder, "customers.csv")?), ..Self::default() };
        for row in rows::<OpenItemRow>(folder, "invoices.csv")? {
            let item =
                reading.item(&row).with_context(|| format!("invoices.csv: nobody knows customer {}", row.customer_code))?;
            world.item_names.insert(item.id, row.external_id.unwrap_or(row.number));
            world.items.push(item);
        }
        world.items.sort_by_key(|item| (item.entered_date, item.id));
        let path = folder.join("payments.jsonl");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let event = serde_json::from_str(line)
                .map_err(anyhow::Error::from)
                .and_then(|row| reading.event(row))
                .with_context(|| format!("{}:{}", path.display(), index + 1))?;
            world.events.push(event);
        }
        Ok(world)
    }
}

fn rows<T: Importable>(folder: &Path, name: &str) -> anyhow::Result<Vec<T>> {
    let (imported, _) = import::read_file::<T>(&folder.join(name), &Mapping::default(), &mut |_| {})?;
    if let Some(wrong) = imported.wrong.first() {
        anyhow::bail!("{wrong}");
    }
    Ok(imported.rows.into_iter().map(|row| row.value).collect())
}

/// Codes given numbers while a world is read.
#[derive(Default)]
struct Reading {
    sellers: HashMap<String, SellerId>,
    customers: HashMap<String, CustomerId>,
    items: i64,
    payments: i64,
    remittances: i64,
}

impl Reading {
    fn seller(&mut self, code: &str) -> SellerId {
        let next = SellerId(i64::try_from(self.sellers.len()).unwrap_or(i64::MAX) + 1);
        *self.sellers.entry(code.to_owned()).or_insert(next)
    }

    fn customers(&mut self, rows: Vec<CustomerRow>) -> Vec<Customer> {
        for (number, row) in (1..).zip(&rows) {
            self.customers.insert(row.code.clone(), CustomerId(number));
        }
        rows.into_iter().map(|row| self.customer(row)).collect()
    }

    fn customer(&mut self, row: CustomerRow) -> Customer {
        let account = |known: &import::KnownAccount| {
            AccountKey(secret::identity(known.bank.as_deref().unwrap_or_default(), &known.account))
        };
        Customer {
            id: self.customers[&row.code],
            parent: row.parent_code.as_ref().and_then(|code| self.customers.get(code)).copied(),
            sellers: row.seller_codes.iter().map(|code| self.seller(code)).collect(),
            accounts: row.accounts.iter().map(account).collect(),
            code: row.code,
            name: row.name,
            aliases: row.aliases,
            country: row.country,
            currency: row.currency,
            terms: row.terms,
            originator_id: row.originator_id,
            portfolio_owner: row.portfolio_owner,
        }
    }

    fn item(&mut self, row: &OpenItemRow) -> Option<OpenItem> {
        self.items += 1;
        // Like every importer, the replay believes a closed item closed and an open one open.
        let status = if row.open_minor == 0 && row.status == ItemStatus::Open { ItemStatus::Closed } else { row.status };
        Some(OpenItem {
            id: OpenItemId(self.items),
            seller: self.seller(&row.seller_code),
            customer: *self.customers.get(&row.customer_code)?,
            number: row.number.clone(),
            kind: row.kind,
            currency: row.currency,
            amount_minor: row.amount_minor,
            open_minor: row.open_minor,
            discount_exempt_minor: row.discount_exempt_minor,
            issue_date: row.issue_date,
            entered_date: row.entered_date,
            due_date: row.due_date,
            terms: row.terms.clone(),
            po: row.po.clone(),
            bol: row.bol.clone(),
            pro: row.pro.clone(),
            status,
            closed_date: row.closed_date,
        })
    }

    fn event(&mut self, row: Row) -> anyhow::Result<Event> {
        let currency = Currency::parse(&row.currency).with_context(|| format!("{:?} is no currency", row.currency))?;
        Ok(match row.kind.as_str() {
            "payment" => {
                let payment = self.payment(&row, currency);
                let tells = !row.remittance.is_empty();
                let advice = tells.then(|| Box::new(self.remittance(&row, currency, Some(&payment))));
                let payment = Payment { remittance: advice.as_ref().map(|advice| advice.id), ..payment };
                Event::Payment { name: row.payment_id, day: row.date, payment: Box::new(payment), advice }
            }
            "remittance" => Event::Advice { day: row.date, remittance: Box::new(self.remittance(&row, currency, None)) },
            "return" => Event::Return {
                name: row.payment_id,
                day: row.date,
                trace: row.orig_trace,
                amount_minor: row.amount.saturating_neg(),
                currency,
            },
            other => anyhow::bail!("{other:?} is no event; expected payment, remittance or return"),
        })
    }

    /// Each payment is a file of its own: nothing is a twin because it stands in one file.
    fn payment(&mut self, row: &Row, currency: Currency) -> Payment {
        self.payments += 1;
        Payment {
            id: PaymentId(self.payments),
            source: Source { file: FileId(self.payments), location: Location::default() },
            seq: 0,
            seller: Some(self.seller(&row.seller_id)),
            method: method(&row.channel),
            currency,
            amount_minor: row.amount,
            unapplied_minor: row.amount,
            value_date: row.date,
            payer: payer(row),
            trace: filled(&row.trace),
            text: filled(&row.text),
            remittance: None,
            state: PaymentState::Received,
            version: 0,
        }
    }

    fn remittance(&mut self, row: &Row, currency: Currency, payment: Option<&Payment>) -> Remittance {
        self.remittances += 1;
        let lines: Vec<RemittanceLine> = row.remittance.iter().map(line).collect();
        let sum = lines.iter().try_fold(0i64, |sum, line| sum.checked_add(line.net_minor?));
        let file = payment.map_or(FileId(-self.remittances), |payment| payment.source.file);
        Remittance {
            id: RemittanceId(self.remittances),
            source: Source { file, location: Location::default() },
            seq: 0,
            seller: Some(self.seller(&row.seller_id)),
            currency,
            total_minor: row.total,
            date: Some(row.date),
            payer: payer(row),
            trace: filled(&row.payment_ref),
            text: filled(&row.text).filter(|_| payment.is_none()),
            balanced: row.total.zip(sum).filter(|_| !lines.is_empty()).map(|(total, sum)| total == sum),
            lines,
            payment: payment.map(|payment| payment.id),
            state: if payment.is_some() { RemittanceState::Linked } else { RemittanceState::Waiting },
        }
    }
}

fn payer(row: &Row) -> Payer {
    // An ACH entry names its originator, which is no account.
    let ach = row.channel.starts_with("ACH");
    let account = (!ach && !row.payer_account.is_empty())
        .then(|| AccountKey(secret::identity(&row.payer_bank, &Account::new(row.payer_account.clone().into()))));
    Payer {
        name: filled(&row.payer_name),
        id: ach.then(|| row.payer_account.clone()).filter(|id| !id.is_empty()),
        account,
        account_last4: None,
        customer: None,
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
