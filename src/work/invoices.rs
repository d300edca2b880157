//! Invoices of 810, 210 and INVOIC files as open items, block by block, with an exception for every one that cannot be taken.

use chrono::{Days, NaiveDate};
use tieout_parsers::{Invoice, InvoiceKind, InvoicePurpose, Location, Party, Text};

use super::{directory::Directory, setting::Setting};
use crate::{
    domain::{FileId, ItemKind, TermsOfPayment},
    store::{ItemOutcome, NewException, NewOpenItem, Tx},
};

/// Invoices that wait to be written, and what became of those that were.
#[derive(Default)]
pub struct Invoices {
    rows: Vec<(NewOpenItem, Location)>,
    pub taken: u64,
    pub refused: u64,
    pub exceptions: Vec<NewException>,
}

impl Invoices {
    pub fn waiting(&self) -> usize {
        self.rows.len()
    }

    pub fn take(&mut self, invoice: &Invoice<'_>, setting: &Setting<'_>) {
        match open_item(invoice, setting.file, setting.day, setting.directory) {
            Ok(item) => self.rows.push((item, invoice.location)),
            Err(why) => self.refuse(setting, &invoice.location, why),
        }
    }

    pub async fn flush(&mut self, tx: &mut Tx, setting: &Setting<'_>) -> anyhow::Result<()> {
        let (rows, places): (Vec<_>, Vec<_>) = std::mem::take(&mut self.rows).into_iter().unzip();
        if rows.is_empty() {
            return Ok(());
        }
        let stored = tx.upsert_open_items(&rows, "edi").await?;
        for ((row, location), stored) in rows.iter().zip(&places).zip(stored) {
            match stored.outcome {
                ItemOutcome::Inserted | ItemOutcome::Unchanged | ItemOutcome::Updated => self.taken += 1,
                ItemOutcome::ConflictApplied => {
                    let amount = (row.amount_minor, row.currency);
                    let mut exception = setting.raiser.changed_invoice(setting.file, &row.number, location, amount);
                    exception.open_item = stored.item;
                    exception.seller = Some(row.seller);
                    exception.customer = Some(row.customer);
                    self.refused += 1;
                    self.exceptions.push(exception);
                }
                ItemOutcome::NotFound => {
                    let why = format!("invoice {} is cancelled, but it is not known", row.number);
                    self.refuse(setting, location, why);
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, setting: &Setting<'_>, location: &Location, why: String) {
        self.refused += 1;
        self.exceptions.push(setting.raiser.invoice(setting.file, location, why));
    }
}

/// The item an invoice creates, or why it creates none.
fn open_item(invoice: &Invoice<'_>, file: FileId, day: NaiveDate, directory: &Directory) -> Result<NewOpenItem, String> {
    let seller = directory.issuer(&invoice.seller, invoice.exchange.as_ref()).ok_or_else(|| {
        format!("invoice {}: the seller is not known; import bank accounts or name the seller's code", invoice.number)
    })?;
    let customer = directory.customer(&invoice.bill_to).ok_or_else(|| {
        format!("invoice {}: the customer {} is not known; import the customer", invoice.number, party(&invoice.bill_to))
    })?;
    let terms = TermsOfPayment {
        discount_percent: invoice.terms.discount_percent,
        discount_days: invoice.terms.discount_days,
        net_days: invoice.terms.net_days,
        discount_date: invoice.terms.discount_date,
    };
    let issue_date = invoice.date.unwrap_or(day);
    let net_days = terms.net_days.map_or(Days::new(0), |days| Days::new(days.into()));
    let due_date = invoice.due_date.or_else(|| issue_date.checked_add_days(net_days)).unwrap_or(issue_date);
    let (kind, amount_minor) = match invoice.kind {
        InvoiceKind::Invoice if invoice.amount.minor < 0 => (ItemKind::CreditMemo, invoice.amount.minor),
        InvoiceKind::Invoice => (ItemKind::Invoice, invoice.amount.minor),
        InvoiceKind::CreditMemo => (ItemKind::CreditMemo, -invoice.amount.minor.saturating_abs()),
    };
    let own = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.clone().into_owned());
    Ok(NewOpenItem {
        seller,
        customer: customer.id,
        number: invoice.number.clone().into_owned(),
        kind,
        currency: invoice.amount.currency,
        amount_minor,
        open_minor: amount_minor,
        discount_exempt_minor: 0,
        issue_date,
        entered_date: day,
        due_date,
        terms,
        po: own(&invoice.po),
        bol: own(&invoice.bol),
        pro: own(&invoice.pro),
        closed_date: None,
        cancels: invoice.purpose == InvoicePurpose::Cancel,
        file: Some(file),
    })
}

fn party(party: &Party<'_>) -> String {
    match (party.id.as_deref(), party.name.as_deref()) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "that the invoice does not name".to_owned(),
    }
}
