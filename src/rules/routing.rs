//! `rules/routing.toml`: which exception goes to which queue, to whom, and until when.
//!
//! The selectors of a route must all hold and the first route that fits decides. The selectors of an escalation are
//! alternatives: a large amount or a high age is enough.

use serde::Deserialize;

use super::{
    amount::{Amount, Currencies},
    rule::{Stage, rule},
};
use crate::domain::{Currency, ExceptionFacts, Level, Reason, Route};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingRules {
    pub version: u32,
    /// Formats whose debits are an exception each; in all others they are counted, because statements are full of them.
    #[serde(default)]
    pub debit_exceptions: Vec<String>,
    /// What becomes of a file that tells of money on an account which is none of ours.
    #[serde(default)]
    pub foreign_accounts: ForeignAccounts,
    #[serde(default, rename = "queue")]
    pub queues: Vec<Queue>,
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteRule>,
    #[serde(default, rename = "escalation")]
    pub escalations: Vec<Escalation>,
}

/// Money on an account that was not imported, where others were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignAccounts {
    /// The file waits for a person: the money is somebody else's, or the account is yet to be imported.
    #[default]
    Hold,
    /// It counts as ours.
    Take,
}

/// A queue that exists; rules name no other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub id: String,
    pub title: String,
}

rule! {
    /// Where exceptions of some kind go. Without selectors it takes all that is left.
    pub struct RouteRule shown by RoutingGiven => RoutingExpect {
        #[serde(default)]
        pub when: Selectors,
        pub queue: String,
        #[serde(default)]
        pub assign: Assign,
        pub due_hours: u32,
        #[serde(default)]
        pub severity: Severity,
    }
}

/// What a route looks at. An empty list does not select.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selectors {
    pub reason: Vec<Reason>,
    pub level: Vec<Level>,
    pub seller: Vec<String>,
    pub customer: Vec<String>,
    pub reason_code: Vec<String>,
    pub currencies: Currencies,
    /// Needs `currencies`.
    pub amount_at_least: Option<Amount>,
}

/// To whom an exception is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Assign {
    /// Whoever takes it from the queue.
    #[default]
    Queue,
    /// Who looks after the customer, where that is known.
    PortfolioOwner,
    Person(String),
}

impl<'de> Deserialize<'de> for Assign {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "queue" => Ok(Self::Queue),
            "portfolio_owner" => Ok(Self::PortfolioOwner),
            _ => {
                text.strip_prefix("person:").filter(|name| !name.is_empty()).map(|name| Self::Person(name.to_owned())).ok_or_else(
                    || {
                        serde::de::Error::custom(format!(
                            "{text:?} is nobody; expected \"queue\", \"portfolio_owner\" or \"person:NAME\""
                        ))
                    },
                )
            }
        }
    }
}

/// How loud an exception is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    #[default]
    Normal,
    High,
    Critical,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

rule! {
    /// Raises the severity and shortens the time when the amount or the age is large: one of the two is enough.
    pub struct Escalation shown by RoutingGiven => RoutingExpect {
        #[serde(default)]
        pub currencies: Currencies,
        pub amount_at_least: Option<Amount>,
        pub age_hours_at_least: Option<u32>,
        pub severity: Severity,
        pub due_hours: u32,
    }
}

impl RoutingRules {
    /// Whether each debit in a file of this format is work for a person.
    pub fn debits_raise(&self, format: &str) -> bool {
        self.debit_exceptions.iter().any(|known| known == format)
    }

    /// Where a new exception goes.
    pub fn route(&self, facts: &ExceptionFacts) -> Route {
        let rule = self.rule(facts);
        let owner = match &rule.assign {
            Assign::Queue => None,
            Assign::PortfolioOwner => facts.portfolio_owner.clone(),
            Assign::Person(name) => Some(name.clone()),
        };
        let escalation = self.escalation(facts.currency, facts.amount_minor, 0);
        let due_hours = escalation.map_or(rule.due_hours, |escalation| escalation.due_hours.min(rule.due_hours));
        Route { queue: rule.queue.clone(), owner, due_hours, rule: rule.id.clone() }
    }

    /// How loud an exception of that age is.
    pub fn severity(&self, facts: &ExceptionFacts, age_hours: u32) -> Severity {
        let own = self.rule(facts).severity;
        self.escalation(facts.currency, facts.amount_minor, age_hours).map_or(own, |escalation| escalation.severity.max(own))
    }

    /// The first escalation that fits; the file lists the loudest first.
    pub fn escalation(&self, currency: Currency, amount_minor: i64, age_hours: u32) -> Option<&Escalation> {
        self.escalations
            .iter()
            .filter(|escalation| escalation.stage == Stage::Auto)
            .find(|escalation| escalation.fits(currency, amount_minor, age_hours))
    }

    fn rule(&self, facts: &ExceptionFacts) -> &RouteRule {
        let mut routes = self.routes.iter().filter(|route| route.stage == Stage::Auto);
        routes.find(|route| route.when.fit(facts)).expect("the loader refuses a file whose last route selects anything")
    }

    pub fn has_queue(&self, id: &str) -> bool {
        self.queues.iter().any(|queue| queue.id == id)
    }
}

impl Escalation {
    fn fits(&self, currency: Currency, amount_minor: i64, age_hours: u32) -> bool {
        let large = self.currencies.has(currency) && at_least(self.amount_at_least.as_ref(), currency, amount_minor);
        let old = self.age_hours_at_least.is_some_and(|hours| age_hours >= hours);
        large || old
    }
}

fn at_least(limit: Option<&Amount>, currency: Currency, amount_minor: i64) -> bool {
    limit.and_then(|limit| limit.minor(currency)).is_some_and(|limit| amount_minor.unsigned_abs() >= limit.unsigned_abs())
}

impl Selectors {
    /// Whether all selectors hold.
    pub fn fit(&self, facts: &ExceptionFacts) -> bool {
        among(&self.reason, Some(&facts.reason))
            && among(&self.level, Some(&facts.level))
            && among(&self.seller, facts.seller_code.as_ref())
            && among(&self.customer, facts.customer_code.as_ref())
            && among(&self.reason_code, facts.reason_code.as_ref())
            && among(&self.currencies.0, Some(&facts.currency))
            && (self.amount_at_least.is_none() || at_least(self.amount_at_least.as_ref(), facts.currency, facts.amount_minor))
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether everything that `other` selects is selected here too.
    pub fn includes(&self, other: &Self) -> bool {
        let amount = match (&self.amount_at_least, &other.amount_at_least) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => other.currencies.iter().all(|currency| mine.minor(currency) <= theirs.minor(currency)),
        };
        amount
            && wider(&self.reason, &other.reason)
            && wider(&self.level, &other.level)
            && wider(&self.seller, &other.seller)
            && wider(&self.customer, &other.customer)
            && wider(&self.reason_code, &other.reason_code)
            && wider(&self.currencies.0, &other.currencies.0)
    }
}

fn among<T: PartialEq>(wanted: &[T], found: Option<&T>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.contains(found))
}

fn wider<T: PartialEq>(mine: &[T], theirs: &[T]) -> bool {
    mine.is_empty() || (!theirs.is_empty() && theirs.iter().all(|one| mine.contains(one)))
}

/// Given of an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingGiven {
    pub reason: Reason,
    #[serde(default)]
    pub level: Option<Level>,
    pub amount: Option<Amount>,
    /// USD where left out.
    pub currency: Option<String>,
    pub seller: Option<String>,
    pub customer: Option<String>,
    pub portfolio_owner: Option<String>,
    pub reason_code: Option<String>,
    #[serde(default)]
    pub age_hours: u32,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingExpect {
    pub queue: Option<String>,
    pub owner: Option<String>,
    pub due_hours: Option<u32>,
    pub severity: Option<Severity>,
}
