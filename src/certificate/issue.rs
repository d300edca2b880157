//! The certificate: what the labels of every stratum show, and what of it may post from now on.

use serde::{Deserialize, Serialize};

use super::{
    Label, Plan, Point,
    walk::{posted_point, walk},
};
use crate::domain::{Permit, Permits, Stratum};

/// What is known of one stratum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub stratum: Stratum,
    /// The rule file lets it post without labels.
    pub safe: bool,
    /// What posts now.
    pub posts: Permit,
    /// Audited postings and answers from the queue. Audits that wait beyond their time stand here as wrong.
    pub labels: Vec<Label>,
    /// Drawn for the audit and not answered.
    pub waiting: u64,
    /// Of those, how many wait beyond their time.
    pub overdue: u64,
    /// Automatic postings, and how many of them people undid, drawn or not.
    pub posted: u64,
    pub undone: u64,
}

/// A statement about the error rate of automatic postings, and the thresholds that follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub plan: Plan,
    /// Hash of the merged rule set.
    pub rule_set: String,
    pub strata: Vec<CertifiedStratum>,
}

/// One line of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedStratum {
    #[serde(flatten)]
    pub stratum: Stratum,
    pub safe: bool,
    pub basis: Basis,
    /// What the bound stands on.
    pub labels: u64,
    pub errors: u64,
    pub bound_ppm: u32,
    pub value_bound_ppm: Option<u32>,
    /// The loosest threshold that holds the budget; nothing where none was shown to.
    pub threshold_milli: Option<i32>,
    pub waiting: u64,
    pub overdue: u64,
    pub posted: u64,
    pub undone: u64,
    /// Every threshold that was tried, the strictest first.
    pub tried: Vec<Point>,
    /// What posts from now on.
    pub posts: Permit,
}

/// Why a stratum posts, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The labels hold the budget.
    Labels,
    /// Its bundle is safe; the labels do not show more yet.
    SafeBundle,
    /// There are too few labels to change what was in force.
    TooFewLabels,
    /// The labels do not hold the budget.
    OverBudget,
}

impl Basis {
    /// As a person reads it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Labels => "the labels hold the budget",
            Self::SafeBundle => "safe bundle",
            Self::TooFewLabels => "too few labels",
            Self::OverBudget => "the labels do not hold the budget",
        }
    }
}

/// Draws up a certificate. It depends on nothing but what is given.
pub fn issue(plan: Plan, rule_set: String, given: &[Given]) -> Certificate {
    let strata = given.iter().map(|given| certify(&plan, given)).collect();
    Certificate { plan, rule_set, strata }
}

fn certify(plan: &Plan, given: &Given) -> CertifiedStratum {
    let walked = walk(plan, &given.labels, given.posts.least());
    // What people undid is known of all postings: a rate that high needs no sample.
    let undone = given.undone.saturating_mul(1_000_000) > given.posted.saturating_mul(u64::from(plan.budget_ppm));
    let passed = walked.passed.filter(|_| !undone);
    let always = given.safe && given.posts == Permit::Always;
    let (basis, posts) = match passed {
        Some(_) if always => (Basis::Labels, Permit::Always),
        Some(point) => (Basis::Labels, Permit::From { confidence_milli: point.threshold_milli }),
        None if always => (Basis::SafeBundle, Permit::Always),
        None if walked.tried.is_empty() && !undone => (Basis::TooFewLabels, given.posts),
        // The alarm has tightened a safe bundle already; it is not tightened twice for the same labels.
        None if given.safe => (Basis::OverBudget, given.posts),
        None => (Basis::OverBudget, Permit::Never),
    };
    let point = match passed.or(walked.tried.last().copied()) {
        Some(point) if !always => point,
        _ => posted_point(plan, &given.labels, given.posts.least()),
    };
    CertifiedStratum {
        stratum: given.stratum.clone(),
        safe: given.safe,
        basis,
        labels: point.labels,
        errors: point.errors,
        bound_ppm: point.bound_ppm,
        value_bound_ppm: point.value_bound_ppm(),
        threshold_milli: passed.map(|point| point.threshold_milli),
        waiting: given.waiting,
        overdue: given.overdue,
        posted: given.posted,
        undone: given.undone,
        tried: walked.tried,
        posts,
    }
}

impl Certificate {
    /// The thresholds that follow from it.
    pub fn permits(&self, number: i64) -> Permits {
        let mut permits = Permits::of_certificate(number);
        self.strata.iter().for_each(|line| permits.set(&line.stratum, line.posts));
        permits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AmountClass;

    fn given(safe: bool, posts: Permit, right: usize, wrong: usize) -> Given {
        let posted = posts != Permit::Never;
        let label = |wrong| Label { confidence_milli: 8_000, wrong, posted, share_ppm: 250_000 };
        let labels = std::iter::repeat_n(label(false), right).chain(std::iter::repeat_n(label(true), wrong)).collect();
        let stratum = Stratum { rule: "post.x".to_owned(), class: AmountClass::Normal };
        Given { stratum, safe, posts, labels, waiting: 0, overdue: 0, posted: 100_000, undone: 0 }
    }

    fn line(given: Given) -> CertifiedStratum {
        let plan = Plan { budget_ppm: 1_000, delta_ppm: 50_000, grid_milli: vec![9_000, 7_000, 5_000], labels_min: 1_000 };
        issue(plan, "hash".to_owned(), &[given]).strata.remove(0)
    }

    #[test]
    fn a_stratum_posts_from_the_loosest_threshold_that_holds() {
        let found = line(given(false, Permit::Never, 2_995, 0));
        assert_eq!((found.basis, found.posts), (Basis::Labels, Permit::From { confidence_milli: 5_000 }));
        assert_eq!((found.labels, found.errors, found.bound_ppm, found.value_bound_ppm), (2_995, 0, 1_000, Some(4_000)));
        let found = line(given(false, Permit::Never, 2_994, 0));
        assert_eq!((found.basis, found.posts, found.bound_ppm), (Basis::TooFewLabels, Permit::Never, 1_001));
    }

    #[test]
    fn without_labels_only_safe_bundles_post() {
        assert_eq!(line(given(false, Permit::Never, 0, 0)).posts, Permit::Never);
        let safe = line(given(true, Permit::Always, 0, 0));
        assert_eq!((safe.basis, safe.posts, safe.threshold_milli), (Basis::SafeBundle, Permit::Always, None));
    }

    #[test]
    fn too_few_labels_change_nothing() {
        let from = Permit::From { confidence_milli: 7_000 };
        let found = line(given(false, from, 999, 0));
        assert_eq!((found.basis, found.posts), (Basis::TooFewLabels, from));
        let found = line(given(false, from, 5_000, 50));
        assert_eq!((found.basis, found.posts), (Basis::OverBudget, Permit::Never));
    }

    #[test]
    fn what_people_undid_counts_though_it_was_not_drawn() {
        let undone = Given { undone: 101, ..given(false, Permit::From { confidence_milli: 7_000 }, 5_000, 0) };
        assert_eq!(line(undone.clone()).posts, Permit::Never);
        assert_ne!(line(Given { undone: 100, ..undone }).posts, Permit::Never, "exactly the budget");
    }
}
