//! Refusals of `tests/*.toml`.

use std::collections::BTreeSet;

use super::Checker;
use crate::rules::{RuleSet, case::ExpectedOutcome};

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    let rules: BTreeSet<_> = set.headers().into_iter().map(|(_, header)| header.id.to_owned()).collect();
    let mut seen = BTreeSet::new();
    for case in &set.cases {
        checker.enter(&case.file);
        if !seen.insert(&case.id) {
            checker.refuse(&case.id, "id", "an id of its own", "one used twice", "rename one of them");
        }
        for id in case.expect.rule.iter().chain(&case.expect.near_miss_of).filter(|id| !rules.contains(id.as_str())) {
            checker.refuse(&case.id, "expect", "ids of rules", format!("{id:?}"), "correct the id");
        }
        if case.expect.outcome == ExpectedOutcome::Hold && !case.expect.applications.is_empty() {
            let advice = "write what is only proposed as `proposal`";
            checker.refuse(&case.id, "expect.applications", "none for a hold", "some", advice);
        }
        for fault in case.faults() {
            checker.refuse(&case.id, "", "a case that fits together", fault, "correct the case");
        }
    }
}
