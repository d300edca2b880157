//! Refusals of `reasons.toml`.

use std::collections::BTreeMap;

use super::Checker;
use crate::rules::{
    RuleSet,
    reasons::{UNEARNED_DISCOUNT_CODE, UNKNOWN_CODE},
};

/// Codes that questions fall back on.
pub(super) const COMPULSORY_CODES: [&str; 2] = [UNKNOWN_CODE, UNEARNED_DISCOUNT_CODE];

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    checker.enter("reasons.toml");
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for group in &set.reasons.groups {
        if !set.routing.has_queue(&group.queue) {
            let found = format!("{:?}", group.queue);
            checker.refuse(&group.id, "queue", "a queue of routing.toml", found, "correct the name or add the queue");
        }
        if group.codes.is_empty() {
            checker.refuse(&group.id, "codes", "at least one code", "none", "the group cannot be reached; remove it");
        }
        if group.gl.trim().is_empty() {
            checker.refuse(&group.id, "gl", "an account of the general ledger", "nothing", "ask finance for the account");
        }
        for code in group.codes.keys() {
            if let Some(first) = seen.insert(code, &group.id) {
                checker.refuse(
                    &group.id,
                    "codes",
                    "each code in one group",
                    format!("{code}, which {first} has too"),
                    "remove one",
                );
            }
            let own = COMPULSORY_CODES.contains(&code.as_str());
            if !own && *code != code.trim().to_ascii_uppercase() {
                checker.refuse(&group.id, "codes", "codes in capitals", format!("{code:?}"), "write it as the payer sends it");
            }
        }
    }
    for code in COMPULSORY_CODES.into_iter().filter(|code| !set.reasons.knows(code)) {
        let advice = format!("add a group with codes = {{ {code} = \"…\" }}");
        checker.refuse("", "group", format!("the compulsory code {code:?}"), "none", advice);
    }
}
