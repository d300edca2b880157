//! `rules/authority.toml`: who may do what up to which amount. The engine is a role too, and the smallest.

use serde::Deserialize;

use super::{
    amount::{Amount, Currencies},
    rule::{Stage, rule},
};
use crate::domain::Currency;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityRules {
    pub version: u32,
    #[serde(default, rename = "limit")]
    pub limits: Vec<RoleLimit>,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Engine,
    Viewer,
    Auditor,
    Analyst,
    Senior,
    Supervisor,
    Admin,
}

impl Role {
    pub const ALL: &'static [Self] =
        &[Self::Engine, Self::Viewer, Self::Auditor, Self::Analyst, Self::Senior, Self::Supervisor, Self::Admin];

    /// All but the machine, the smallest first.
    pub const PEOPLE: &'static [Self] =
        &[Self::Viewer, Self::Auditor, Self::Analyst, Self::Senior, Self::Supervisor, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Senior => "senior",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// Whether the role reads everything and changes nothing: it takes no files in, imports nothing and decides nothing.
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::Viewer | Self::Auditor)
    }
}

/// What is done with money: rules give a limit for each, and `ledger` asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Cash to an item.
    Apply,
    /// A discount of the terms granted, earned or not.
    Discount,
    /// A short-paid part taken off the item and followed up as a deduction.
    Deduct,
    /// A part not pursued.
    WriteOff,
    /// A credit granted.
    Credit,
    /// Cash sent back.
    Refund,
}

impl Power {
    pub const ALL: &'static [Self] = &[Self::Apply, Self::Discount, Self::Deduct, Self::WriteOff, Self::Credit, Self::Refund];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Discount => "discount",
            Self::Deduct => "deduct",
            Self::WriteOff => "write_off",
            Self::Credit => "credit",
            Self::Refund => "refund",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|power| power.as_str() == text)
    }
}

rule! {
    /// The limits of a role in some currencies. What is left out, the role may not do.
    pub struct RoleLimit shown by AuthorityGiven => AuthorityExpect {
        pub role: Role,
        pub currencies: Currencies,
        pub apply: Option<Amount>,
        pub discount: Option<Amount>,
        pub deduct: Option<Amount>,
        pub write_off: Option<Amount>,
        pub credit: Option<Amount>,
        pub refund: Option<Amount>,
        /// How old an application may be that the role undoes.
        pub unapply_days: Option<u32>,
        /// Whether the role may let a set of rules run, as one of two.
        #[serde(default)]
        pub activate_rules: bool,
    }
}

impl RoleLimit {
    /// The limit of a power as the file writes it.
    pub const fn amount(&self, power: Power) -> Option<&Amount> {
        match power {
            Power::Apply => self.apply.as_ref(),
            Power::Discount => self.discount.as_ref(),
            Power::Deduct => self.deduct.as_ref(),
            Power::WriteOff => self.write_off.as_ref(),
            Power::Credit => self.credit.as_ref(),
            Power::Refund => self.refund.as_ref(),
        }
    }
}

/// Up to where a role may act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Id of the rule, or `authority.none` where the role may not act at all.
    pub rule: String,
    /// Largest amount in minor units.
    pub minor: i64,
}

/// Whether a role may act on an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    Allowed {
        rule: String,
    },
    /// The action becomes a recommendation that needs someone with more authority.
    Above {
        limit: Limit,
        who_may: Option<Role>,
    },
}

impl Permission {
    pub const fn allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl AuthorityRules {
    /// Up to where a role may act in a currency; nothing where no rule says so.
    pub fn limit(&self, role: Role, power: Power, currency: Currency) -> Limit {
        match self.limit_minor(role, power, currency) {
            Some((minor, rule)) => Limit { rule: rule.id.clone(), minor },
            None => Limit { rule: "authority.none".to_owned(), minor: 0 },
        }
    }

    /// The amount of a limit in minor units, with its rule; nothing where no rule says so.
    pub(super) fn limit_minor(&self, role: Role, power: Power, currency: Currency) -> Option<(i64, &RoleLimit)> {
        let rule = self.rule(role, currency)?;
        Some((rule.amount(power)?.minor(currency)?, rule))
    }

    /// May the role do this? Signs do not matter; nothing at all is always allowed.
    pub fn check(&self, role: Role, power: Power, currency: Currency, amount_minor: i64) -> Permission {
        let limit = self.limit(role, power, currency);
        if amount_minor.unsigned_abs() <= limit.minor.unsigned_abs() {
            return Permission::Allowed { rule: limit.rule };
        }
        let who_may = Role::PEOPLE
            .iter()
            .copied()
            .find(|role| amount_minor.unsigned_abs() <= self.limit(*role, power, currency).minor.unsigned_abs());
        Permission::Above { limit, who_may }
    }

    /// The role of people with the highest limit, of two equal ones the higher; nothing when none may do it at all.
    pub fn highest(&self, power: Power, currency: Currency) -> Option<Role> {
        let limits = Role::PEOPLE.iter().map(|role| (self.limit(*role, power, currency).minor, *role));
        limits.filter(|(minor, _)| *minor > 0).max().map(|(_, role)| role)
    }

    /// How old an application may be, in days, that the role undoes; nothing when it may undo none.
    pub fn unapply_days(&self, role: Role, currency: Currency) -> Option<u32> {
        self.rule(role, currency).and_then(|rule| rule.unapply_days)
    }

    /// The first role that may undo an application of that age.
    pub fn who_may_unapply(&self, currency: Currency, age_days: u32) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| self.unapply_days(*role, currency).is_some_and(|days| age_days <= days))
    }

    /// Whether the role may let a set of rules run, as one of two.
    pub fn may_activate(&self, role: Role) -> bool {
        self.limits.iter().any(|limit| limit.stage == Stage::Auto && limit.role == role && limit.activate_rules)
    }

    /// The roles that may let a set of rules run.
    pub fn who_may_activate(&self) -> Vec<Role> {
        Role::ALL.iter().copied().filter(|role| self.may_activate(*role)).collect()
    }

    /// Whether the role may apply cash in some currency; who may not, decides nothing.
    pub fn may_decide(&self, role: Role) -> bool {
        self.limits.iter().any(|limit| limit.stage == Stage::Auto && limit.role == role && limit.apply.is_some())
    }

    fn rule(&self, role: Role, currency: Currency) -> Option<&RoleLimit> {
        let mut in_use = self.limits.iter().filter(|limit| limit.stage == Stage::Auto);
        in_use.find(|limit| limit.role == role && limit.currencies.has(currency))
    }
}

/// Given of an example: an amount, or the age of an application to undo.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityGiven {
    pub role: Role,
    #[serde(deserialize_with = "super::amount::deserialize_currency")]
    pub currency: Currency,
    pub action: Option<Power>,
    pub amount: Option<Amount>,
    pub unapply_days: Option<u32>,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorityExpect {
    pub allowed: Option<bool>,
    pub who_may: Option<Role>,
}
