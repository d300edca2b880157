//! Refusals of `routing.toml`.

use std::collections::BTreeSet;

use super::Checker;
use crate::{
    domain::Reason,
    rules::{RuleSet, Stage, routing::Escalation},
};

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    checker.enter("routing.toml");
    queues(checker, set);
    routes(checker, set);
    escalations(checker, set);
    for format in set.routing.debit_exceptions.iter().filter(|name| tieout_parsers::Format::parse(name).is_none()) {
        let found = format!("{format:?}");
        checker.refuse("", "debit_exceptions", "names of formats, such as mt940", found, "correct the name or take it out");
    }
}

fn queues(checker: &mut Checker<'_>, set: &RuleSet) {
    let mut seen = BTreeSet::new();
    for queue in &set.routing.queues {
        if !seen.insert(&queue.id) {
            checker.refuse(&queue.id, "id", "a queue named once", "the same again", "remove one of them");
        }
    }
    for reason in Reason::ALL {
        if !set.routing.has_queue(reason.default_queue()) {
            let expected = format!("the queue {:?}, where {} goes by default", reason.default_queue(), reason.code());
            checker.refuse("", "queue", expected, "none", "add the queue");
        }
    }
}

fn routes(checker: &mut Checker<'_>, set: &RuleSet) {
    let routes = &set.routing.routes;
    for (index, route) in routes.iter().enumerate() {
        if !set.routing.has_queue(&route.queue) {
            let found = format!("{:?}", route.queue);
            checker.refuse(&route.id, "queue", "a queue of this file", found, "correct the name or add the queue");
        }
        if let Some(amount) = &route.when.amount_at_least {
            checker.amounts(&route.id, "when.amount_at_least", &route.when.currencies, &[Some(amount)]);
        }
        for code in route.when.reason_code.iter().filter(|code| !set.reasons.knows(code)) {
            let found = format!("{code:?}");
            checker.refuse(&route.id, "when.reason_code", "a code of reasons.toml", found, "correct the code or add it there");
        }
        let earlier = routes.iter().take(index).filter(|earlier| earlier.stage == Stage::Auto);
        if let Some(first) = earlier.into_iter().find(|earlier| earlier.when.includes(&route.when)) {
            checker.unreachable(&route.id, &first.id);
        }
        if route.due_hours == 0 {
            checker.refuse(&route.id, "due_hours", "at least 1", "0", "give people time");
        }
    }
    if !routes.last().is_some_and(|last| last.when.is_empty() && last.stage == Stage::Auto) {
        let found =
            routes.last().map_or_else(|| "no route".to_owned(), |last| format!("{} with selectors or not automatic", last.id));
        checker.refuse(
            "",
            "route",
            "a last route without selectors, the default",
            found,
            "add one with stage = \"auto\" and no `when`",
        );
    }
}

fn escalations(checker: &mut Checker<'_>, set: &RuleSet) {
    let escalations = &set.routing.escalations;
    for (index, escalation) in escalations.iter().enumerate() {
        match &escalation.amount_at_least {
            Some(amount) => checker.amounts(&escalation.id, "amount_at_least", &escalation.currencies, &[Some(amount)]),
            None if escalation.age_hours_at_least.is_none() => {
                checker.refuse(&escalation.id, "", "an amount or an age", "neither", "say from when on it applies");
            }
            None => {}
        }
        let earlier = escalations.iter().take(index).filter(|earlier| earlier.stage == Stage::Auto);
        if let Some(first) = earlier.into_iter().find(|earlier| includes(earlier, escalation)) {
            checker.unreachable(&escalation.id, &first.id);
        }
    }
}

/// Whether the wide one applies wherever the narrow one does: each alternative of the narrow one is covered.
fn includes(wide: &Escalation, narrow: &Escalation) -> bool {
    let by_amount = narrow.amount_at_least.as_ref().is_none_or(|narrow_amount| {
        narrow.currencies.iter().all(|currency| {
            let wide_amount = wide.amount_at_least.as_ref().filter(|_| wide.currencies.has(currency));
            wide_amount.is_some_and(|wide_amount| wide_amount.minor(currency) <= narrow_amount.minor(currency))
        })
    });
    let by_age = narrow.age_hours_at_least.is_none_or(|age| wide.age_hours_at_least.is_some_and(|wide_age| wide_age <= age));
    by_amount && by_age
}
