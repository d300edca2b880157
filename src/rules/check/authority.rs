//! Refusals of `authority.toml` and of the limits of overlays.

use std::collections::BTreeSet;

use super::Checker;
use crate::{
    domain::Currency,
    rules::{Power, Role, RuleSet, amount::Amount, authority::RoleLimit},
};

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    checker.enter("authority.toml");
    limits(checker, &set.authority.limits);
    smallest(checker, set);
    covered(checker, set);
    if !set.authority.limits.iter().any(|limit| limit.role == Role::Engine) {
        checker.refuse(
            "",
            "limit",
            "limits of the role \"engine\"",
            "none",
            "add them; without limits the engine may do nothing",
        );
    }
    for overlay in set.customers.values() {
        checker.enter(&overlay.file);
        limits(checker, &overlay.limits);
    }
}

fn limits(checker: &mut Checker<'_>, limits: &[RoleLimit]) {
    let mut seen = BTreeSet::new();
    for limit in limits {
        let amounts: Vec<_> = Power::ALL.iter().map(|power| limit.amount(*power)).collect();
        checker.amounts(&limit.id, "", &limit.currencies, &amounts);
        for currency in limit.currencies.iter() {
            if !seen.insert((limit.role, currency)) {
                let found = format!("{} in {currency} again", limit.role.as_str());
                checker.refuse(&limit.id, "currencies", "each role once per currency", found, "remove one of them");
            }
        }
    }
}

/// What the engine may do, some person may do too: otherwise what is above the engine's limit could be granted by nobody.
fn covered(checker: &mut Checker<'_>, set: &RuleSet) {
    for limit in set.authority.limits.iter().filter(|limit| limit.role == Role::Engine) {
        for power in Power::ALL.iter().filter(|power| limit.amount(**power).is_some()) {
            let nobody = |currency: &Currency| set.authority.highest(*power, *currency).is_none();
            if let Some(currency) = limit.currencies.iter().find(nobody) {
                let expected = format!("a person who may {} {currency}", power.as_str());
                let advice = "give a role of people a limit too; what is above the engine's needs somebody who may grant it";
                checker.refuse(&limit.id, power.as_str(), expected, "none", advice);
            }
        }
    }
}

/// Nobody who may do something at all may do less of it than the engine.
fn smallest(checker: &mut Checker<'_>, set: &RuleSet) {
    for limit in set.authority.limits.iter().filter(|limit| limit.role != Role::Engine) {
        for power in Power::ALL.iter().filter(|power| limit.amount(**power).is_some()) {
            let may = |role, currency| set.authority.limit(role, *power, currency).minor;
            let less = |currency: &Currency| may(limit.role, *currency) < may(Role::Engine, *currency);
            if let Some(currency) = limit.currencies.iter().find(less) {
                let engine = Amount::of(may(Role::Engine, currency), currency);
                let expected = format!("at least {engine} {currency}, the limit of the engine");
                let found = Amount::of(may(limit.role, currency), currency).to_string();
                let advice = "the engine is the smallest role: lower its limit";
                checker.refuse(&limit.id, power.as_str(), expected, found, advice);
            }
        }
    }
}
