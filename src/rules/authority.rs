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
}

/// What is done with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
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

impl Action {
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
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
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
    }
}

impl RoleLimit {
    /// The limit of an action as the file writes it.
    pub const fn amount(&self, action: Action) -> Option<&Amount> {
        match action {
            Action::Apply => self.apply.as_ref(),
            Action::Discount => self.discount.as_ref(),
            Action::Deduct => self.deduct.as_ref(),
            Action::WriteOff => self.write_off.as_ref(),
            Action::Credit => self.credit.as_ref(),
            Action::Refund => self.refund.as_ref(),
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
    pub fn limit(&self, role: Role, action: Action, currency: Currency) -> Limit {
        self.rule(role, currency)
            .and_then(|rule| Some(Limit { rule: rule.id.clone(), minor: rule.amount(action)?.minor(currency)? }))
            .unwrap_or_else(|| Limit { rule: "authority.none".to_owned(), minor: 0 })
    }

    /// May the role do this? Signs do not matter; nothing at all is always allowed.
    pub fn check(&self, role: Role, action: Action, currency: Currency, amount_minor: i64) -> Permission {
        let limit = self.limit(role, action, currency);
        if amount_minor.unsigned_abs() <= limit.minor.unsigned_abs() {
            return Permission::Allowed { rule: limit.rule };
        }
        let who_may = Role::ALL
            .iter()
            .copied()
            .filter(|role| *role != Role::Engine)
            .find(|role| amount_minor.unsigned_abs() <= self.limit(*role, action, currency).minor.unsigned_abs());
        Permission::Above { limit, who_may }
    }

    /// May the role undo an application of that age?
    pub fn may_unapply(&self, role: Role, currency: Currency, age_days: u32) -> bool {
        self.rule(role, currency).and_then(|rule| rule.unapply_days).is_some_and(|days| age_days <= days)
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
    pub action: Option<Action>,
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
