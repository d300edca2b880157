//! `rules/customers/*.toml`: what differs for one customer, and the view of the rules that results.

use chrono::NaiveDate;
use serde::Deserialize;

use super::{
    RuleSet, Stage,
    authority::{Limit, Power, Role, RoleLimit},
    engine::{CascadeStep, Need, StepKind},
    payers::{IdentifyBy, MayPay, RelationRule, may_pay},
    tolerance::{Band, DiscountPolicy, Side, Tolerance, ToleranceLevel, find_discount, find_tolerance},
};
use crate::domain::Currency;

/// One overlay: only what differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Its file inside the rule folder.
    #[serde(skip)]
    pub file: String,
    pub version: u32,
    /// Code of the customer.
    pub customer: String,
    /// Replaces the bands of the same level, side and currency.
    #[serde(default, rename = "tolerance")]
    pub tolerances: Vec<Tolerance>,
    /// Replaces the policy of the same currency.
    #[serde(default, rename = "discount")]
    pub discounts: Vec<DiscountPolicy>,
    /// Ids of cascade steps: only these.
    pub cascade: Option<Vec<String>>,
    /// Ways by which a payer is found to be this customer: only these.
    pub identify: Option<Vec<IdentifyBy>>,
    /// Relations of this customer, besides those of `payers.toml`.
    #[serde(default, rename = "relation")]
    pub relations: Vec<RelationRule>,
    /// Caps on what may be given to this customer; the lower of this and the person's limit applies.
    #[serde(default, rename = "limit")]
    pub limits: Vec<RoleLimit>,
}

/// The rules as they apply to one customer.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub rules: &'a RuleSet,
    pub overlay: Option<&'a Overlay>,
}

impl<'a> View<'a> {
    /// What a difference gets.
    pub fn band(&self, level: ToleranceLevel, side: Side, currency: Currency, base_minor: i64, diff_minor: i64) -> Band {
        let own = self.overlay.and_then(|overlay| find_tolerance(&overlay.tolerances, level, side, currency));
        match own {
            Some(tolerance) => tolerance.band(currency, base_minor, diff_minor),
            None => self.rules.tolerance.band(level, side, currency, base_minor, diff_minor),
        }
    }

    /// The discount policy.
    pub fn discount(&self, currency: Currency) -> Option<&'a DiscountPolicy> {
        let own = self.overlay.and_then(|overlay| find_discount(&overlay.discounts, currency));
        own.or_else(|| self.rules.tolerance.discount(currency))
    }

    /// The steps of the cascade to try where this evidence exists.
    pub fn steps(&self, evidence: &[Need]) -> Vec<&'a CascadeStep> {
        let all = &self.rules.engine.cascade;
        let chosen: Vec<&CascadeStep> = match self.overlay.and_then(|overlay| overlay.cascade.as_ref()) {
            Some(ids) => ids.iter().filter_map(|id| all.iter().find(|step| step.id == *id)).collect(),
            None => all.iter().collect(),
        };
        chosen.into_iter().filter(|step| step.runs(evidence)).collect()
    }

    /// Whether a way to find what a payment pays is tried at all.
    pub fn tries(&self, kind: StepKind) -> bool {
        let chosen = self.overlay.and_then(|overlay| overlay.cascade.as_ref());
        let may = |step: &CascadeStep| chosen.is_none_or(|ids| ids.contains(&step.id)) && step.stage >= Stage::Suggest;
        self.rules.engine.cascade.iter().any(|step| step.step == kind && may(step))
    }

    /// Whether a payer may be found to be this customer in that way.
    pub fn identifies(&self, by: IdentifyBy) -> bool {
        let chosen = self.overlay.and_then(|overlay| overlay.identify.as_ref());
        chosen.is_none_or(|chosen| chosen.contains(&by)) && self.rules.payers.order().any(|identify| identify.by == by)
    }

    /// What the relations of the rule files allow on a day.
    pub fn may_pay(&self, payer: &str, pays_for: &str, on: NaiveDate) -> MayPay<'a> {
        let own = self.overlay.into_iter().flat_map(|overlay| overlay.relations.iter());
        may_pay(&self.rules.payers, self.rules.payers.relations.iter().chain(own), payer, pays_for, on)
    }

    /// The lower of the role's and the customer's limit.
    pub fn limit(&self, role: Role, power: Power, currency: Currency) -> Limit {
        let general = self.rules.authority.limit(role, power, currency);
        self.caps(role, power, currency).fold(general, |lowest, (minor, cap)| {
            if minor < lowest.minor { Limit { rule: cap.id.clone(), minor } } else { lowest }
        })
    }

    /// The amount of [`Self::limit`] in minor units.
    pub fn limit_minor(&self, role: Role, power: Power, currency: Currency) -> i64 {
        let general = self.rules.authority.limit_minor(role, power, currency).map_or(0, |(minor, _)| minor);
        self.caps(role, power, currency).fold(general, |lowest, (minor, _)| lowest.min(minor))
    }

    /// Amounts of the customer's caps that concern a role, with their rules.
    fn caps(&self, role: Role, power: Power, currency: Currency) -> impl Iterator<Item = (i64, &'a RoleLimit)> {
        let caps = self.overlay.into_iter().flat_map(|overlay| overlay.limits.iter());
        caps.filter(move |cap| cap.stage == Stage::Auto && cap.role == role && cap.currencies.has(currency))
            .filter_map(move |cap| Some((cap.amount(power)?.minor(currency)?, cap)))
    }

    /// The lower of the role's and the customer's age of an application to undo, in days.
    pub fn unapply_days(&self, role: Role, currency: Currency) -> Option<u32> {
        let general = self.rules.authority.unapply_days(role, currency)?;
        let caps = self.overlay.into_iter().flat_map(|overlay| overlay.limits.iter());
        let caps = caps.filter(|cap| cap.stage == Stage::Auto && cap.role == role && cap.currencies.has(currency));
        Some(caps.filter_map(|cap| cap.unapply_days).fold(general, u32::min))
    }
}
