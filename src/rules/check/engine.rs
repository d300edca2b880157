//! Refusals of `engine.toml`.

use std::collections::BTreeSet;

use super::Checker;
use crate::rules::{
    Condition, Stage, StepKind,
    engine::{Bundle, EngineRules},
};

/// Beyond this, looking for a combination takes long and a coincidence is near certain.
const COMBINATION_ITEMS_MAX: usize = 6;

pub(super) fn check(checker: &mut Checker<'_>, rules: &EngineRules) {
    checker.enter("engine.toml");
    numbers(checker, rules);
    vetoes(checker, rules);
    bundles(checker, rules);
    cascade(checker, rules);
    breakers(checker, rules);
}

fn numbers(checker: &mut Checker<'_>, rules: &EngineRules) {
    let combination = &rules.combination;
    if combination.tolerance.as_str().bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        let found = format!("{}", combination.tolerance);
        checker.refuse(
            "combination",
            "tolerance",
            "0",
            found,
            "a combination with tolerance hits by chance; let a person decide",
        );
    }
    if !(1..=COMBINATION_ITEMS_MAX).contains(&combination.items_max) {
        let found = combination.items_max.to_string();
        checker.refuse("combination", "items_max", format!("1 to {COMBINATION_ITEMS_MAX}"), found, "lower it");
    }
    if rules.margin.minimum_milli <= 0 {
        let found = rules.margin.minimum_milli.to_string();
        checker.refuse("margin", "minimum_milli", "more than 0", found, "without a margin the second best would be as good");
    }
}

fn vetoes(checker: &mut Checker<'_>, rules: &EngineRules) {
    for (index, veto) in rules.vetoes.iter().enumerate() {
        let earlier = rules.vetoes.iter().take(index).filter(|earlier| earlier.stage == Stage::Auto);
        if let Some(first) = earlier.into_iter().find(|earlier| implies(earlier.requires, veto.requires)) {
            checker.unreachable(&veto.id, &first.id);
        }
    }
    for (index, never) in rules.never_auto.iter().enumerate() {
        if never.when.is_empty() {
            checker.refuse(&never.id, "when", "at least one fact", "none", "an empty mixture would stop everything");
        }
        let earlier = rules.never_auto.iter().take(index).filter(|earlier| earlier.stage == Stage::Auto);
        let shadowed = earlier.into_iter().find(|earlier| {
            let without_more = earlier.without.iter().all(|fact| never.without.has(fact));
            without_more && covers(&earlier.when, &never.when)
        });
        if let Some(first) = shadowed {
            checker.unreachable(&never.id, &first.id);
        }
        if never.when.iter().any(|condition| condition.any_of().iter().all(|fact| never.without.has(fact))) {
            checker.refuse(
                &never.id,
                "without",
                "facts that `when` does not ask for",
                "all of a condition",
                "it can never apply",
            );
        }
    }
}

fn bundles(checker: &mut Checker<'_>, rules: &EngineRules) {
    if rules.bundles.is_empty() {
        checker.refuse("", "bundle", "at least one bundle", "none", "without one nothing ever posts");
    }
    for (index, bundle) in rules.bundles.iter().enumerate() {
        if bundle.all.is_empty() {
            checker.refuse(&bundle.id, "all", "at least one condition", "none", "an empty bundle would post everything");
        }
        // What needs a certificate stands behind what does not, wherever it is written.
        let before = |earlier: &&Bundle| earlier.stage == Stage::Auto && (bundle.certified || !earlier.certified);
        let earlier = rules.bundles.iter().take(index).filter(before);
        if let Some(first) = earlier.into_iter().find(|earlier| always_before(earlier, bundle)) {
            checker.unreachable(&bundle.id, &first.id);
        }
    }
}

fn always_before(earlier: &Bundle, later: &Bundle) -> bool {
    !earlier.all.is_empty() && covers(&earlier.all, &later.all)
}

/// Whether every condition of `wide` holds wherever all of `narrow` hold.
fn covers(wide: &[Condition], narrow: &[Condition]) -> bool {
    wide.iter().all(|wide| narrow.iter().any(|narrow| implies(*narrow, *wide)))
}

/// Whether `narrow` cannot hold without `wide`.
fn implies(narrow: Condition, wide: Condition) -> bool {
    narrow.any_of().iter().all(|fact| wide.any_of().has(fact))
}

fn cascade(checker: &mut Checker<'_>, rules: &EngineRules) {
    let mut seen = BTreeSet::new();
    for step in &rules.cascade {
        if step.step == StepKind::OldestFirst && step.stage == Stage::Auto {
            checker.refuse(&step.id, "stage", "at most \"suggest\"", "\"auto\"", "oldest first is a guess; a person accepts it");
        }
        if !seen.insert(step.step) {
            checker.refuse(&step.id, "step", "a step named once", format!("{:?} again", step.step), "remove one of them");
        }
    }
    if rules.cascade.is_empty() {
        checker.refuse("", "cascade", "at least one step", "none", "without one nothing is ever found");
    }
}

fn breakers(checker: &mut Checker<'_>, rules: &EngineRules) {
    let mut seen = BTreeSet::new();
    for breaker in &rules.circuit_breakers {
        checker.amounts(&breaker.id, "amount_max", &breaker.currencies, &[Some(&breaker.amount_max)]);
        for currency in breaker.currencies.iter() {
            if !seen.insert((breaker.action, breaker.per.as_str(), currency)) {
                let found = format!("{} per {} in {currency} again", breaker.action.as_str(), breaker.per.as_str());
                checker.refuse(&breaker.id, "", "one breaker per action, period and currency", found, "remove one of them");
            }
        }
    }
}
