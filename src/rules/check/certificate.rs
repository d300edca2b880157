//! Refusals of `certificate.toml`.

use std::collections::BTreeSet;

use super::Checker;
use crate::rules::{CertificateRules, amount::Percent};

/// A share in parts per million at which a percentage is everything.
const WHOLE_PPM: i64 = 1_000_000;

pub(super) fn check(checker: &mut Checker<'_>, rules: &CertificateRules) {
    checker.enter("certificate.toml");
    let budget = &rules.budget;
    let mut share = |key: &str, percent: Percent, advice: &str| {
        if !(1..WHOLE_PPM).contains(&percent.ppm()) {
            checker.refuse("budget", key, "more than 0 and less than 100", percent.to_string(), advice);
        }
    };
    share("error_rate", budget.error_rate, "name the share of wrong postings that you accept");
    share("confidence", budget.confidence, "95 is usual; 100 cannot be had");
    if budget.labels_min == 0 {
        checker.refuse("budget", "labels_min", "at least 1", "0", "nothing follows from no labels");
    }
    if budget.grid_milli.is_empty() || !budget.grid_milli.is_sorted_by(|strict, loose| strict > loose) {
        let found = format!("{:?}", budget.grid_milli);
        let advice = "the walk goes from strict to loose and stops at the first that fails";
        checker.refuse("budget", "grid_milli", "thresholds, each below the one before", found, advice);
    }
    if rules.audit.share.ppm() == 0 {
        checker.refuse("audit", "share", "more than 0", "0", "without an audit nobody knows how often postings are wrong");
    }
    let mut seen = BTreeSet::new();
    for cap in &rules.caps {
        checker.amounts(&cap.id, "amount", &cap.currencies, &[Some(&cap.amount)]);
        for currency in cap.currencies.iter() {
            if !seen.insert(currency) {
                checker.refuse(&cap.id, "currencies", "each currency once", format!("{currency} again"), "remove one of them");
            }
            if cap.amount.minor(currency) == Some(0) {
                checker.refuse(&cap.id, "amount", "more than 0", cap.amount.to_string(), "a cap of 0 takes nothing in");
            }
        }
    }
}
