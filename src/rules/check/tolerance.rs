//! Refusals of `tolerance.toml` and of the tolerances of overlays.

use std::collections::BTreeSet;

use super::Checker;
use crate::{
    domain::Currency,
    rules::{
        Power, Role, RuleSet, Stage,
        amount::Amount,
        tolerance::{BandRule, DiscountPolicy, Side, Tolerance, Treatment},
    },
};

/// More days than this are other terms, not grace.
const GRACE_DAYS_MAX: u32 = 60;

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    checker.enter("tolerance.toml");
    file(checker, set, &set.tolerance.tolerances, &set.tolerance.discounts);
    for overlay in set.customers.values() {
        checker.enter(&overlay.file);
        file(checker, set, &overlay.tolerances, &overlay.discounts);
    }
}

fn file(checker: &mut Checker<'_>, set: &RuleSet, tolerances: &[Tolerance], discounts: &[DiscountPolicy]) {
    let mut scopes = BTreeSet::new();
    for tolerance in tolerances {
        bands(checker, tolerance);
        authority(checker, set, tolerance);
        for currency in tolerance.currencies.iter().filter(|_| tolerance.stage == Stage::Auto) {
            if !scopes.insert((tolerance.level, tolerance.side, currency)) {
                let found = format!("{currency} again");
                checker.refuse(&tolerance.id, "currencies", "each currency once per level and side", found, "remove one of them");
            }
        }
    }
    let mut currencies = BTreeSet::new();
    for policy in discounts {
        checker.amounts(&policy.id, "rounding", &policy.currencies, &[Some(&policy.rounding)]);
        if policy.grace_days > GRACE_DAYS_MAX {
            let found = policy.grace_days.to_string();
            checker.refuse(&policy.id, "grace_days", format!("at most {GRACE_DAYS_MAX}"), found, "change the terms instead");
        }
        for currency in policy.currencies.iter().filter(|_| policy.stage == Stage::Auto) {
            if !currencies.insert(currency) {
                checker.refuse(&policy.id, "currencies", "each currency once", format!("{currency} again"), "remove one of them");
            }
        }
    }
}

/// Each band begins where the one before ends, the last has no end, and larger differences are treated at least as strictly.
fn bands(checker: &mut Checker<'_>, tolerance: &Tolerance) {
    let id = tolerance.id.as_str();
    let amounts: Vec<_> = tolerance.bands.iter().flat_map(|band| [Some(&band.from), band.to.as_ref()]).collect();
    checker.amounts(id, "bands", &tolerance.currencies, &amounts);
    let Some(currency) = tolerance.currencies.iter().next() else { return };
    let Some((last, before)) = tolerance.bands.split_last() else {
        return checker.refuse(id, "bands", "at least the last band", "none", "add { from = \"0\", treatment = \"queue\" }");
    };
    if last.to.is_some() || last.percent.is_some() {
        let found = "a last band with an end or a percentage";
        checker.refuse(id, "bands", "a last band without end", found, "add a band { from = …, treatment = \"queue\" }");
    }
    let mut end = 0;
    for (index, band) in tolerance.bands.iter().enumerate() {
        let key = format!("bands[{}]", index + 1);
        let Some(from) = band.from.minor(currency) else { continue };
        if from != end {
            let what = if from > end { "a gap" } else { "an overlap" };
            let expected = format!("from = {}, where the band before ends", Amount::of(end, currency));
            checker.refuse(id, &key, expected, format!("{what}: from = {}", band.from), "let the bands join");
        }
        end = band_end(checker, id, &key, band, currency, index < before.len());
        if band.percent.is_some_and(|percent| percent.ppm() == 0) {
            checker.refuse(id, &key, "a percentage above 0", "0", "nothing could fall into this band; remove it");
        }
        if tolerance.side == Side::Over && band.treatment == Treatment::Deduct {
            checker.refuse(id, &key, "write_off or queue for money that is over", "deduct", "there is nothing to charge back");
        }
    }
    for pair in tolerance.bands.windows(2) {
        if pair[0].treatment >= pair[1].treatment {
            let found = format!("{:?} after {:?}", pair[1].treatment, pair[0].treatment);
            checker.refuse(id, "bands", "a stricter treatment in each next band", found, "join the two bands or swap them");
        }
    }
}

fn band_end(checker: &mut Checker<'_>, id: &str, key: &str, band: &BandRule, currency: Currency, needed: bool) -> i64 {
    let from = band.from.minor(currency).unwrap_or(0);
    match &band.to {
        None if needed => {
            checker.refuse(id, key, "an end, because bands follow", "none", "add `to`; the bands after it cannot be reached");
            from
        }
        None => i64::MAX,
        Some(to) => {
            let to = to.minor(currency).unwrap_or(0);
            if to <= from {
                checker.refuse(
                    id,
                    key,
                    "an end above the beginning",
                    format!("{} to {}", band.from, Amount::of(to, currency)),
                    "widen it",
                );
            }
            to
        }
    }
}

/// The engine must be allowed to do by itself what a band makes it do.
fn authority(checker: &mut Checker<'_>, set: &RuleSet, tolerance: &Tolerance) {
    for band in tolerance.bands.iter().filter(|_| tolerance.stage == Stage::Auto) {
        let action = match band.treatment {
            Treatment::WriteOff => Power::WriteOff,
            Treatment::Deduct => Power::Deduct,
            Treatment::Queue => continue,
        };
        let limit = |currency| set.authority.limit(Role::Engine, action, currency).minor;
        let most = |currency| band.to.as_ref().map_or(i64::MAX, |to| to.minor(currency).unwrap_or(0));
        if let Some(currency) = tolerance.currencies.iter().find(|currency| most(*currency) > limit(*currency)) {
            let may = Amount::of(limit(currency), currency);
            let expected = format!("at most {may} {currency}, what the engine may {}", action.as_str());
            let found = band.to.as_ref().map_or_else(|| "no end".to_owned(), ToString::to_string);
            let advice = "lower the band or raise the engine's limit in authority.toml";
            checker.refuse(&tolerance.id, "bands", expected, found, advice);
        }
    }
}
