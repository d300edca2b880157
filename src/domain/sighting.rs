//! How a file saw the money: the same money may be seen in several files, and each of them says another part of what is known.

use serde::{Deserialize, Serialize};

use super::{AccountKey, Currency, FileId, Method, PaymentId, PaymentState, RemittanceId, SellerId};

/// What kind of report a record of money stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A payment order with its advice (X12 820): what the payer or its bank announces.
    Order,
    /// The items themselves: entries of a NACHA file, cheques of a lockbox, card sales.
    Items,
    /// A notification of single bookings (camt.054).
    Notice,
    /// A report before the end of its day (BAI2 same-day and interim, MT942, camt.052): the final one repeats it.
    Interim,
    /// The statement of a day or more (BAI2 prior-day, MT940, camt.053).
    Final,
}

impl Report {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Items => "items",
            Self::Notice => "notice",
            Self::Interim => "interim",
            Self::Final => "final",
        }
    }

    /// What is booked on our account as the bank tells it.
    pub const fn is_booking(self) -> bool {
        matches!(self, Self::Notice | Self::Interim | Self::Final)
    }
}

/// What a record says of where it saw the money, beside payer, amount and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub report: Report,
    /// Our account that was credited; for a lockbox the account its deposits go to. Nothing when the file does not tell.
    pub own: Option<AccountKey>,
    pub own_last4: Option<String>,
    /// The record is the sum of several payments, which another file lists: a lockbox deposit, a batch booking.
    pub is_sum: bool,
    /// What was booked together with this item: lockbox and batch, the company of an ACH batch, the entry of a batch booking.
    pub group: Option<String>,
    /// How many items the record says it sums up.
    pub items: Option<u32>,
    pub marks: Marks,
}

impl Default for Sighting {
    fn default() -> Self {
        Self {
            report: Report::Order,
            own: None,
            own_last4: None,
            is_sum: false,
            group: None,
            items: None,
            marks: Marks::default(),
        }
    }
}

/// Numbers that name the money, folded: capital letters and digits without leading zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Given by a bank or clearing house, and to one payment only.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub bank: Vec<String>,
    /// Given by the payer, who may use them again: end-to-end references, cheque numbers.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub payer: Vec<String>,
}

/// A recorded payment as linking sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighted {
    pub payment: PaymentId,
    pub file: FileId,
    /// Format of the file, such as `bai2`.
    pub format: String,
    pub seller: Option<SellerId>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub value_date: chrono::NaiveDate,
    pub method: Method,
    pub payer_name: Option<String>,
    pub payer_id: Option<String>,
    pub payer_account: Option<AccountKey>,
    pub remittance: Option<RemittanceId>,
    pub state: PaymentState,
    pub duplicate_of: Option<PaymentId>,
    /// The sum that this item is a part of.
    pub part_of: Option<PaymentId>,
    /// Its details are known; a sum whose details are known does not count itself.
    pub is_explained: bool,
    pub sighting: Sighting,
}

/// Items of one file that were booked together, as small as the file tells them apart, with their sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemGroup {
    pub file: FileId,
    pub format: String,
    pub own: AccountKey,
    pub currency: Currency,
    pub value_date: chrono::NaiveDate,
    /// What they were booked together with; of a lockbox a path, each level of which may be one deposit.
    pub group: String,
    pub items: i64,
    pub sum_minor: i64,
    pub payer_name: Option<String>,
    pub payer_id: Option<String>,
}
