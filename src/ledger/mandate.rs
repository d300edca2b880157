//! Who acts, and what the rules allow them. The machine is a role too, and the smallest.

use chrono::NaiveDate;

use crate::domain::{Currency, ExceptionFacts, Money, Route};

/// What is done with money, as the limits of authority see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Power {
    /// Cash to an item.
    Apply,
    /// A discount granted, earned or not.
    Discount,
    /// A short-paid part taken off the item and followed up as a deduction.
    Deduct,
    /// A part not pursued.
    WriteOff,
    /// Cash sent back.
    Refund,
}

impl Power {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Discount => "discount",
            Self::Deduct => "deduct",
            Self::WriteOff => "write_off",
            Self::Refund => "refund",
        }
    }
}

/// Where a deduction with a reason code goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeductionRoute {
    pub queue: String,
    /// Account of the general ledger.
    pub gl: String,
}

/// What the ledger asks the rules.
pub trait Policy: Send + Sync {
    /// The largest amount in minor units that the role may move so; 0 when it may not at all.
    fn limit_minor(&self, role: &str, power: Power, currency: Currency) -> i64;
    /// Whether the role decides anything at all: releases files, undoes, links, closes.
    fn may_decide(&self, role: &str) -> bool;
    /// Queue and account of a deduction, by its reason code.
    fn deduction(&self, reason_code: &str) -> DeductionRoute;
    /// Whether the rules know the reason code; a person who deducts must name one that they know.
    fn knows_reason_code(&self, code: &str) -> bool;
    /// The codes that the rules know, in order.
    fn reason_codes(&self) -> Vec<String>;
    /// Queue, owner and due time of an exception.
    fn route(&self, facts: &ExceptionFacts) -> Route;
}

/// Who acts, in which role, on which business day, under which rules.
#[derive(Clone, Copy)]
pub struct Mandate<'a> {
    /// Name of the person, or `engine`.
    pub actor: &'a str,
    pub role: &'a str,
    /// A person acts: the payment counts as touched.
    pub person: bool,
    pub day: NaiveDate,
    pub policy: &'a dyn Policy,
}

/// It is above the limit of whoever acts, so nothing was moved; somebody who may has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("to {} {} is above the limit of {}", .power.as_str(), Money::new(*.amount_minor, *.currency), Money::new(*.limit_minor, *.currency))]
pub struct AboveAuthority {
    pub power: Power,
    pub amount_minor: i64,
    pub limit_minor: i64,
    pub currency: Currency,
}

impl Mandate<'_> {
    pub(super) fn touches(&self) -> i64 {
        i64::from(self.person)
    }

    /// The limit, when the amount is above it.
    pub(super) fn exceeded(&self, power: Power, currency: Currency, amount_minor: i64) -> Option<i64> {
        let limit = self.policy.limit_minor(self.role, power, currency);
        (amount_minor != 0 && amount_minor.unsigned_abs() > limit.max(0).unsigned_abs()).then_some(limit)
    }

    /// Nothing when the amount is within the limit.
    pub(super) fn ask(&self, power: Power, currency: Currency, amount_minor: i64) -> Result<(), AboveAuthority> {
        match self.exceeded(power, currency, amount_minor) {
            Some(limit_minor) => Err(AboveAuthority { power, amount_minor, limit_minor, currency }),
            None => Ok(()),
        }
    }
}
