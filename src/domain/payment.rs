//! Money received.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Currency, CustomerId, FileId, Location, Method, PaymentId, RemittanceId, SellerId};

/// Money received, as the engine and the ledger see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub source: Source,
    /// Position among the payments of the file, from 0; with the file it is the natural key.
    pub seq: u32,
    /// Whose account was credited; empty when the file does not tell and no rule does.
    pub seller: Option<SellerId>,
    pub method: Method,
    pub currency: Currency,
    /// What came in, in minor units; never negative.
    pub amount_minor: i64,
    /// What is neither applied, on account, refunded nor returned.
    pub unapplied_minor: i64,
    /// When the money is good; the business day of the file where it does not say.
    pub value_date: NaiveDate,
    /// The business day on which it came.
    pub business_day: NaiveDate,
    pub payer: Payer,
    /// Number that ties advice and money together, or the cheque number.
    pub trace: Option<String>,
    pub text: Option<String>,
    pub remittance: Option<RemittanceId>,
    pub state: PaymentState,
    /// Counts the changes; a race is decided by it.
    pub version: i64,
}

/// Where a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub file: FileId,
    pub location: Location,
}

/// Who paid, as the bank or the advice tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    pub name: Option<String>,
    /// Originating company id or N104.
    pub id: Option<String>,
    pub account: Option<AccountKey>,
    pub account_last4: Option<String>,
    /// Whose money it was found to be, by the engine or a person. Who is asked again decides anew.
    pub customer: Option<CustomerId>,
}

/// Keyed hash of bank and account number (HMAC-SHA-256, lower-case hex): equal accounts give equal keys, and the key tells nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountKey(pub String);

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Its file is held; nothing may be applied.
    Held,
    /// Waits for the engine.
    Received,
    /// Posted by the engine or a person; nothing is unapplied.
    Posted,
    /// A person must decide.
    Exception,
    /// Taken back by the bank.
    Returned,
    /// Recognised as another record of the same money, or its file was rejected: it is not live.
    Void,
}

impl PaymentState {
    /// Where a payment stands once something of it was applied and this much was not.
    pub const fn with_left(unapplied_minor: i64) -> Self {
        if unapplied_minor == 0 { Self::Posted } else { Self::Exception }
    }

    /// Where it stands once the bank took it back and this much of it is left.
    pub const fn taken_back(unapplied_minor: i64) -> Self {
        if unapplied_minor == 0 { Self::Returned } else { Self::Exception }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Received => "received",
            Self::Posted => "posted",
            Self::Exception => "exception",
            Self::Returned => "returned",
            Self::Void => "void",
        }
    }
}
