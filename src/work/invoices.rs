//! Invoices of 810, 210 and INVOIC files as open items, block by block, with an exception for every one that cannot be taken.

use chrono::{Days, NaiveDate};
use serde_json::json;
use tieout_parsers::{Invoice, InvoiceKind, InvoicePurpose, Location, Money, Party, Text};

use super::{directory::Directory, engine::ENGINE, setting::Setting};
use crate::{
    audit,
    domain::{FileId, ItemKind, OpenItemId, TermsOfPayment},
    store::{AuditEvent, ItemOutcome, ItemStored, NewException, NewOpenItem, Tx},
};

/// Invoices that wait to be written, and what became of those that were.
#[derive(Default)]
pub struct Invoices {
    rows: Vec<(NewOpenItem, Location)>,
    pub taken: u64,
    pub refused: u64,
    pub changes: Changes,
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
            self.changes.count(row, stored);
            if let Some(question) = stored.outcome.question() {
                let mut exception = setting.raiser.changed_item(Some(setting.file), row, stored.item, question);
                exception.key = format!("invoice:{}:{}", setting.file, location.byte);
                (exception.byte, exception.line) = (Some(location.byte), location.line);
                self.exceptions.push(exception);
            }
            match stored.outcome {
                ItemOutcome::NotFound => {
                    let why = format!("invoice {} is cancelled, but it is not known", row.number);
                    self.refuse(setting, location, why);
                }
                outcome if outcome.is_refused() => self.refused += 1,
                _ => self.taken += 1,
            }
        }
        Ok(())
    }

    fn refuse(&mut self, setting: &Setting<'_>, location: &Location, why: String) {
        self.refused += 1;
        self.exceptions.push(setting.raiser.invoice(setting.file, location, why));
    }
}

/// What a file did to open items, for the audit trail.
#[derive(Default)]
pub struct Changes {
    added: u64,
    unchanged: u64,
    not_taken: u64,
    changed: Vec<(OpenItemId, String)>,
}

impl Changes {
    pub fn count(&mut self, row: &NewOpenItem, stored: ItemStored) {
        match stored.outcome {
            ItemOutcome::Inserted => self.added += 1,
            ItemOutcome::Unchanged => self.unchanged += 1,
            ItemOutcome::Updated | ItemOutcome::SettledElsewhere => {
                self.changed.extend(stored.item.map(|item| (item, row.number.clone())));
            }
            ItemOutcome::ConflictApplied | ItemOutcome::ConflictFile | ItemOutcome::ConflictId | ItemOutcome::NotFound => {
                self.not_taken += 1
            }
        }
    }

    /// A row for the file, and one for each item that is another now.
    pub async fn record(&self, tx: &mut Tx, file: FileId, sender: Option<&str>) -> anyhow::Result<()> {
        let Self { added, unchanged, not_taken, changed } = self;
        if *added == 0 && *unchanged == 0 && *not_taken == 0 && changed.is_empty() {
            return Ok(());
        }
        let event = |action: &str, subject: String, detail: serde_json::Value| AuditEvent {
            actor: ENGINE.to_owned(),
            action: action.to_owned(),
            subject,
            detail: detail.to_string(),
        };
        let counts = json!({
            "sender": sender, "added": added, "changed": changed.len(), "unchanged": unchanged, "not_taken": not_taken,
        });
        let mut events = vec![event("open_items_read", file.to_string(), counts)];
        events.extend(changed.iter().map(|(item, number)| {
            event("open_item_changed", format!("I{}", item.0), json!({ "number": number, "file": file.to_string() }))
        }));
        audit::record(tx, &events).await
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
        external_id: None,
        kind,
        currency: invoice.amount.currency,
        amount_minor,
        open_minor: amount_minor,
        discount_exempt_minor: exempt_minor(amount_minor, invoice.terms.discount_base),
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

/// What no discount is taken from, freight and tax mostly: the total less the amount subject to the discount (TDS02).
fn exempt_minor(amount_minor: i64, base: Option<Money>) -> i64 {
    base.map(|base| base.minor).filter(|base| (0..amount_minor).contains(base)).map_or(0, |base| amount_minor - base)
}

fn party(party: &Party<'_>) -> String {
    match (party.id.as_deref(), party.name.as_deref()) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "that the invoice does not name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tieout_parsers::Currency;

    use super::*;

    #[test]
    fn a_discount_is_taken_from_no_more_than_its_base() {
        let base = |minor| Some(Money::new(minor, Currency::USD));
        assert_eq!(exempt_minor(100_000, base(92_000)), 8_000);
        assert_eq!(exempt_minor(100_000, None), 0);
        assert_eq!(exempt_minor(100_000, base(120_000)), 0, "a base beyond the total says nothing");
        assert_eq!(exempt_minor(-5_000, base(-5_000)), 0, "a credit memo has no discount");
    }
}
