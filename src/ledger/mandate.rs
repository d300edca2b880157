//! Who acts, and what the rules allow them. The machine is a role too, and the smallest.

use chrono::NaiveDate;

use super::Refusal;
use crate::{
    domain::{Currency, ExceptionFacts, Money, Route},
    rules::{Period, Power, Role},
};

/// Where a deduction with a reason code goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeductionRoute {
    pub queue: String,
    /// Account of the general ledger.
    pub gl: String,
}

/// What the ledger asks the rules.
pub trait Policy: Send + Sync {
    /// The largest amount in minor units that the role may move so; 0 when it may not at all. `customer` is the code of whom it is given to:
    /// the lower of the role's limit and the customer's cap.
    fn limit_minor(&self, role: &str, power: Power, currency: Currency, customer: Option<&str>) -> i64;
    /// The first role that may move that much by itself.
    fn who_may(&self, power: Power, currency: Currency, customer: Option<&str>, amount_minor: i64) -> Option<&'static str>;
    /// The role with the highest limit; nothing when nobody may do it at all. Two people of it together may do more.
    fn highest(&self, power: Power, currency: Currency) -> Option<&'static str>;
    /// Whether any customer has a cap of its own for that role.
    fn caps_customers(&self, role: &str) -> bool;
    /// How old an application may be, in days, that the role undoes; nothing when it may undo none.
    fn unapply_days(&self, role: &str, currency: Currency, customer: Option<&str>) -> Option<u32>;
    /// The first role that may undo an application of that age.
    fn who_may_unapply(&self, currency: Currency, age_days: u32) -> Option<&'static str>;
    /// Whether the role decides anything at all: releases files, undoes, links, closes.
    fn may_decide(&self, role: &str) -> bool;
    /// The circuit breaker that stops the machine from giving away so much more, when it gave away `used_minor` in the period so far.
    fn breaker(&self, power: Power, per: Period, currency: Currency, used_minor: i64, amount_minor: i64) -> Option<String>;
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
    /// Somebody else recommended exactly this.
    pub agreed: Option<Agreement<'a>>,
}

/// Who recommended what is being done now, and in which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement<'a> {
    pub actor: &'a str,
    pub role: &'a str,
}

/// Refuses a role that only looks. `what` follows "may look and not".
pub fn may_work(role: &str, what: &str) -> Result<(), Refusal> {
    if Role::parse(role).is_none_or(|role| !role.only_looks()) {
        return Ok(());
    }
    Err(Refusal(format!(
        "the role {role} may look and not {what}; nothing was done. Ask somebody with another role; roles stand under [users] in tieout.toml"
    )))
}

/// It is above the limit of whoever acts, so nothing was moved; somebody who may has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("to {} is above the limit of {}", self.what(), self.limit())]
pub enum AboveAuthority {
    /// More money than the role may move so.
    Amount { power: Power, amount_minor: i64, limit_minor: i64, currency: Currency },
    /// An older application than the role may undo.
    Age { age_days: u32, limit_days: u32, amount_minor: i64, currency: Currency },
}

impl AboveAuthority {
    /// What was asked, as it follows "to".
    pub fn what(&self) -> String {
        match *self {
            Self::Amount { power, amount_minor, currency, .. } => {
                format!("{} {}", power.as_str().replace('_', " "), Money::new(amount_minor, currency))
            }
            Self::Age { age_days, .. } => format!("undo what was applied {age_days} days ago"),
        }
    }

    /// Up to where the role may act by itself.
    pub fn limit(&self) -> String {
        match *self {
            Self::Amount { limit_minor, currency, .. } => Money::new(limit_minor, currency).to_string(),
            Self::Age { limit_days, .. } => format!("{limit_days} days"),
        }
    }

    /// The money it is about.
    pub const fn amount(&self) -> (i64, Currency) {
        match *self {
            Self::Amount { amount_minor, currency, .. } | Self::Age { amount_minor, currency, .. } => (amount_minor, currency),
        }
    }
}

impl Mandate<'_> {
    pub(super) fn touches(&self) -> i64 {
        i64::from(self.person)
    }

    /// Nothing when the amount is within the limit, or two people of the highest role agree on it; [`AboveAuthority`] otherwise. What
    /// no role may do at all is refused: there is nobody to ask.
    pub(super) fn ask(&self, power: Power, currency: Currency, amount_minor: i64, customer: Option<&str>) -> anyhow::Result<()> {
        let limit_minor = self.policy.limit_minor(self.role, power, currency, customer);
        if amount_minor == 0 || amount_minor.unsigned_abs() <= limit_minor.max(0).unsigned_abs() {
            return Ok(());
        }
        let highest = self.policy.highest(power, currency);
        let agrees = |agreed: Agreement<'_>| agreed.actor != self.actor && agreed.role == self.role && highest == Some(self.role);
        if self.agreed.is_some_and(agrees) {
            return Ok(());
        }
        if self.person && highest.is_none() {
            return Err(Refusal(format!(
                "the rules let nobody {} {currency}, so there is nobody to ask; give a role a limit in {currency} in authority.toml",
                power.as_str().replace('_', " ")
            ))
            .into());
        }
        Err(AboveAuthority::Amount { power, amount_minor, limit_minor, currency }.into())
    }

    /// Nothing when the role may undo an application of `since`. What nobody may undo is refused: there is nobody to ask.
    pub(super) fn ask_age(
        &self,
        since: NaiveDate,
        (amount_minor, currency): (i64, Currency),
        customer: Option<&str>,
    ) -> anyhow::Result<()> {
        let age_days = u32::try_from((self.day - since).num_days()).unwrap_or(0);
        let limit = self.policy.unapply_days(self.role, currency, customer);
        if limit.is_some_and(|limit_days| age_days <= limit_days) {
            return Ok(());
        }
        if self.policy.who_may_unapply(currency, age_days).is_none() {
            return Err(Refusal(format!(
                "it was applied on {since}, {age_days} days ago, and the rules let nobody undo {currency} of that age; \
                 raise unapply_days in authority.toml, or correct it with a new payment or credit memo"
            ))
            .into());
        }
        Err(AboveAuthority::Age { age_days, limit_days: limit.unwrap_or(0), amount_minor, currency }.into())
    }
}
