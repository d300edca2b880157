//! What customers owe, item by item.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Currency, CustomerId, OpenItemId, SellerId};

/// An invoice, credit memo or debit memo with what is still open of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenItem {
    pub id: OpenItemId,
    pub seller: SellerId,
    pub customer: CustomerId,
    /// Number as our ERP writes it; unique within the seller.
    pub number: String,
    pub kind: ItemKind,
    pub currency: Currency,
    /// Original amount in minor units; negative for a credit memo.
    pub amount_minor: i64,
    /// What is still open of it, with the sign of the amount.
    pub open_minor: i64,
    /// Part of the amount that earns no discount (freight, tax), in minor units.
    pub discount_exempt_minor: i64,
    pub issue_date: NaiveDate,
    /// From this business day on the item exists for the engine.
    pub entered_date: NaiveDate,
    pub due_date: NaiveDate,
    pub terms: TermsOfPayment,
    pub po: Option<String>,
    pub bol: Option<String>,
    /// Carrier's number; unique only together with the carrier.
    pub pro: Option<String>,
    pub status: ItemStatus,
    pub closed_date: Option<NaiveDate>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    Invoice,
    CreditMemo,
    DebitMemo,
}

impl ItemKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditMemo => "credit_memo",
            Self::DebitMemo => "debit_memo",
        }
    }
}

/// Whether anything can still be applied to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    Open,
    /// Paid, credited or written off in full.
    Closed,
    /// Taken back by the seller.
    Cancelled,
}

impl ItemStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Terms of payment: `2/10N30` is 2 % within 10 days, net 30.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsOfPayment {
    pub discount_percent: Option<Decimal>,
    pub discount_days: Option<u32>,
    pub net_days: Option<u32>,
    /// Last day of the discount where the invoice states one; otherwise issue date plus `discount_days`.
    pub discount_date: Option<NaiveDate>,
}
