//! `rules/certificate.toml`: how rarely automatic postings may be wrong, how that is shown, and up to which amount a rate bounds value.

use serde::Deserialize;

use super::{
    amount::{Amount, Currencies, Percent},
    rule::{Stage, rule},
};
use crate::domain::{AmountClass, Currency};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRules {
    pub version: u32,
    pub budget: Budget,
    pub audit: Audit,
    #[serde(default, rename = "cap")]
    pub caps: Vec<Cap>,
}

/// What is promised, declared before any label is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Share of automatic postings that may be wrong.
    pub error_rate: Percent,
    /// How sure the statement is, for each stratum by itself.
    pub confidence: Percent,
    /// Fewest labels from which a threshold is judged.
    pub labels_min: u32,
    /// Thresholds of confidence, the strictest first, log-odds in thousandths.
    pub grid_milli: Vec<i32>,
    /// Days back from which labels count.
    pub label_days: u32,
}

/// How postings are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Share of automatic postings that is drawn.
    pub share: Percent,
    /// Days to answer; a drawn posting that waits longer counts as wrong until it is answered.
    pub answer_days: u32,
    /// Days after the posting within which undoing it says that it was wrong.
    pub reversal_days: u32,
}

rule! {
    /// Largest amount of the class `normal`. What is larger, or in a currency that no cap names, is a stratum of its own.
    pub struct Cap shown by CapGiven => CapExpect {
        pub currencies: Currencies,
        pub amount: Amount,
    }
}

/// Given of an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapGiven {
    #[serde(deserialize_with = "super::amount::deserialize_currency")]
    pub currency: Currency,
    pub amount: Amount,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapExpect {
    pub class: Option<AmountClass>,
}

impl CertificateRules {
    /// The cap that an amount is within.
    pub fn cap(&self, currency: Currency, amount_minor: i64) -> Option<(&Cap, i64)> {
        let caps = self.caps.iter().filter(|cap| cap.stage == Stage::Auto && cap.currencies.has(currency));
        let mut caps = caps.filter_map(|cap| Some((cap, cap.amount.minor(currency)?)));
        caps.find(|(_, most)| amount_minor.unsigned_abs() <= most.unsigned_abs())
    }

    /// The class of an amount.
    pub fn class(&self, currency: Currency, amount_minor: i64) -> AmountClass {
        if self.cap(currency, amount_minor).is_some() { AmountClass::Normal } else { AmountClass::Large }
    }

    /// The amount as a share of its cap in parts per million; 0 above all caps.
    pub fn share_ppm(&self, currency: Currency, amount_minor: i64) -> i64 {
        let share = self.cap(currency, amount_minor).and_then(|(_, most)| {
            (i128::from(amount_minor.unsigned_abs()) * 1_000_000).checked_div(i128::from(most.unsigned_abs()))
        });
        share.and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
    }
}
