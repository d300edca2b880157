//! What a payer says a payment is for.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Currency, Payer, PaymentId, RemittanceId, SellerId, Source};

/// An advice, with its payment or waiting for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remittance {
    pub id: RemittanceId,
    pub source: Source,
    pub seq: u32,
    pub seller: Option<SellerId>,
    pub currency: Currency,
    /// What the advice says the payment amounts to.
    pub total_minor: Option<i64>,
    pub date: Option<NaiveDate>,
    pub payer: Payer,
    pub trace: Option<String>,
    pub lines: Vec<RemittanceLine>,
    pub text: Option<String>,
    /// The lines add up to the total (X12 820: BPR02 = sum of RMR04 and outer ADX01); `None` where the advice names no total.
    pub balanced: Option<bool>,
    pub payment: Option<PaymentId>,
    pub state: RemittanceState,
}

/// Begins an advice of EDIFACT (message header), of pain.001 (transaction) and of remt.001, as its location names them.
const NUMBERED_BY_ITSELF: &[&str] = &["UNH", "CdtTrfTx", "RmtInf"];

impl Remittance {
    /// Whether its trace need not travel with the money: EDIFACT numbers the advice, ISO 20022 gives the order an EndToEndId, and the bank may
    /// show the cash under a reference of its own. Another trace there does not speak against it.
    pub fn numbers_itself(&self) -> bool {
        self.source.location.tag.is_some_and(|tag| NUMBERED_BY_ITSELF.contains(&tag.as_str()))
    }
}

/// Where an advice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemittanceState {
    /// Its file is held.
    Held,
    /// Waits for its cash.
    Waiting,
    /// Came with its payment, or was linked to it.
    Linked,
    /// Its file was rejected, or it explains money that was taken from us.
    Void,
}

impl RemittanceState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Linked => "linked",
            Self::Void => "void",
        }
    }
}

/// One line of an advice. Amounts are minor units of the advice's currency; absent where the payer gave none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceLine {
    pub reference: String,
    pub qualifier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    pub gross_minor: Option<i64>,
    pub discount_minor: Option<i64>,
    pub net_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<RemittanceAdjustment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<RemittanceReference>,
    /// Byte offset of the line in its file.
    pub byte: u64,
    /// Ordinal of its segment or record.
    pub segment: Option<u32>,
}

/// A coded adjustment; negative reduces the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceAdjustment {
    pub amount_minor: i64,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A further reference of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceReference {
    pub qualifier: String,
    pub value: String,
}
