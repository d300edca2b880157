//! Work for a person, and where it goes.

use serde::{Deserialize, Serialize};

use super::{Currency, Reason};

/// What an exception is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    File,
    Record,
    Payment,
    Remittance,
    OpenItem,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Record => "record",
            Self::Payment => "payment",
            Self::Remittance => "remittance",
            Self::OpenItem => "open_item",
        }
    }
}

/// What routing rules may look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionFacts {
    pub reason: Reason,
    pub level: Level,
    pub amount_minor: i64,
    pub currency: Currency,
    pub seller_code: Option<String>,
    pub customer_code: Option<String>,
    pub portfolio_owner: Option<String>,
    /// Reason code of a deduction, where there is one.
    pub reason_code: Option<String>,
}

/// Where an exception goes and until when it should be cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub queue: String,
    pub owner: Option<String>,
    pub due_hours: u32,
    /// Id of the routing rule that decided.
    pub rule: String,
}
