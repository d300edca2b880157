//! Open items: invoices, credit memos and debit memos with what is still open of them.

use chrono::{Days, NaiveDate};
use tieout_parsers::Currency;

use super::{Column, Fields, Importable, Key};
use crate::domain::{ItemKind, ItemStatus, TermsOfPayment};

/// One item as the ERP knows it. Seller and customer are codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenItemRow {
    /// The ERP's own id, where it has one beside the number.
    pub external_id: Option<String>,
    pub seller_code: String,
    pub customer_code: String,
    /// Unique within the seller.
    pub number: String,
    pub kind: ItemKind,
    pub currency: Currency,
    /// Negative for a credit memo.
    pub amount_minor: i64,
    /// Between zero and the amount.
    pub open_minor: i64,
    pub discount_exempt_minor: i64,
    pub issue_date: NaiveDate,
    pub entered_date: NaiveDate,
    pub due_date: NaiveDate,
    pub terms: TermsOfPayment,
    pub po: Option<String>,
    pub bol: Option<String>,
    pub pro: Option<String>,
    pub status: ItemStatus,
    pub closed_date: Option<NaiveDate>,
}

impl Importable for OpenItemRow {
    const COLUMNS: &'static [Column] = &[
        Column::optional("invoice_id"),
        Column::required("invoice_number"),
        Column::required("seller_id"),
        Column::required("customer_id"),
        Column::optional("type"),
        Column::required("amount"),
        Column::optional("open_amount"),
        Column::required("currency"),
        Column::required("issue_date"),
        Column::optional("entered_date"),
        Column::optional("due_date"),
        Column::optional("terms"),
        Column::optional("po_number"),
        Column::optional("bol_number"),
        Column::optional("pro_number"),
        Column::optional("discount_exempt_amount"),
        Column::optional("status"),
        Column::optional("closed_date"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let number = fields.required("invoice_number", "the number of the invoice");
        let seller_code = fields.required("seller_id", "the code of the seller");
        let customer_code = fields.required("customer_id", "the code of the customer");
        let kind = kind(fields);
        let terms = terms(fields);
        let dates = dates(fields, terms.as_ref());
        let currency = fields.currency("currency");
        let amounts = currency.and_then(|currency| amounts(fields, kind?, currency));
        let (amount_minor, open_minor, discount_exempt_minor) = amounts?;
        let status = status(fields, open_minor)?;
        let (issue_date, entered_date, due_date) = dates?;
        let closed_date = fields.date("closed_date");
        Some(Self {
            external_id: fields.text("invoice_id"),
            seller_code: seller_code?,
            customer_code: customer_code?,
            number: number?,
            kind: kind?,
            currency: currency?,
            amount_minor,
            open_minor,
            discount_exempt_minor,
            issue_date,
            entered_date,
            due_date,
            terms: terms?,
            po: fields.text("po_number"),
            bol: fields.text("bol_number"),
            pro: fields.text("pro_number"),
            status,
            closed_date,
        })
    }

    fn key(&self) -> Key {
        let Self { number, seller_code, .. } = self;
        let identity = format!("{seller_code}\n{number}");
        Key { column: "invoice_number", identity, shown: format!("{number} of seller {seller_code}") }
    }
}

fn kind(fields: &mut Fields<'_>) -> Option<ItemKind> {
    let Some(code) = fields.text("type") else { return Some(ItemKind::Invoice) };
    match fields.mapping.kind(&code) {
        "INV" => Some(ItemKind::Invoice),
        "CM" => Some(ItemKind::CreditMemo),
        "DM" => Some(ItemKind::DebitMemo),
        _ => {
            fields.refuse("type", "INV, CM or DM; map yours under [types]");
            None
        }
    }
}

fn terms(fields: &mut Fields<'_>) -> Option<TermsOfPayment> {
    match fields.text("terms").unwrap_or_default().parse() {
        Ok(terms) => Some(terms),
        Err(expected) => {
            fields.refuse("terms", &expected);
            None
        }
    }
}

/// Issue, entry and due date. An item without entry date exists from its issue on; one without due date is due by its terms.
fn dates(fields: &mut Fields<'_>, terms: Option<&TermsOfPayment>) -> Option<(NaiveDate, NaiveDate, NaiveDate)> {
    let issue = fields.required_date("issue_date");
    let entered = match fields.text("entered_date") {
        Some(_) => fields.date("entered_date"),
        None => issue,
    };
    let due = match fields.text("due_date") {
        Some(_) => fields.date("due_date"),
        None => issue.and_then(|issue| issue.checked_add_days(Days::new(u64::from(terms?.net_days.unwrap_or(0))))),
    };
    Some((issue?, entered?, due?))
}

/// Amount, open amount and the part without discount, with their signs checked against the kind and each other.
fn amounts(fields: &mut Fields<'_>, kind: ItemKind, currency: Currency) -> Option<(i64, i64, i64)> {
    fields.required("amount", &format!("an amount of {currency}"))?;
    let amount = fields.amount("amount", currency)?;
    let open = match fields.text("open_amount") {
        Some(_) => fields.amount("open_amount", currency)?,
        None if fields.text("status").is_some_and(|status| !status.eq_ignore_ascii_case("open")) => 0,
        None => amount,
    };
    let exempt = match fields.text("discount_exempt_amount") {
        Some(_) => fields.amount("discount_exempt_amount", currency)?,
        None => 0,
    };
    let before = fields.wrong.len();
    if (kind == ItemKind::CreditMemo) != (amount < 0) {
        let sign = if kind == ItemKind::CreditMemo {
            "a negative amount for a credit memo"
        } else {
            "no negative amount; a credit memo has the type CM"
        };
        fields.refuse("amount", sign);
    }
    if !(amount.min(0)..=amount.max(0)).contains(&open) {
        fields.refuse("open_amount", "an amount between zero and the amount of the item");
    }
    if !(amount.min(0)..=amount.max(0)).contains(&exempt) {
        fields.refuse("discount_exempt_amount", "an amount between zero and the amount of the item");
    }
    (fields.wrong.len() == before).then_some((amount, open, exempt))
}

fn status(fields: &mut Fields<'_>, open_minor: i64) -> Option<ItemStatus> {
    let text = fields.text("status").map(|text| text.to_ascii_lowercase());
    let status = match text.as_deref() {
        None if open_minor == 0 => ItemStatus::Closed,
        None | Some("open") => ItemStatus::Open,
        Some("closed") => ItemStatus::Closed,
        Some("cancelled" | "canceled") => ItemStatus::Cancelled,
        Some(_) => {
            fields.refuse("status", "open, closed or cancelled");
            return None;
        }
    };
    if status != ItemStatus::Open && open_minor != 0 {
        fields.refuse("status", "open, because part of the item is open");
        return None;
    }
    Some(status)
}
