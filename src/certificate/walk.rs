//! The walk from strict to loose over thresholds that were declared beforehand (fixed sequence testing; Angelopoulos and others, Learn then Test).

use serde::{Deserialize, Serialize};

use super::upper_bound_ppm;

/// What a person said about one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub confidence_milli: i32,
    pub wrong: bool,
    /// The decision had posted; otherwise a person resolved what was only proposed.
    pub posted: bool,
    /// The amount as a share of the cap of its currency, in parts per million.
    pub share_ppm: i64,
}

/// What was declared before any label was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Error rate that may not be exceeded.
    pub budget_ppm: u32,
    /// Probability that the whole statement about a stratum is wrong.
    pub delta_ppm: u32,
    /// Thresholds, the strictest first.
    pub grid_milli: Vec<i32>,
    /// A threshold with fewer labels is passed over, and so is one that could not pass without a single error. The number of labels says nothing about
    /// their errors, so this costs no confidence.
    pub labels_min: u64,
}

/// What the labels say about one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub threshold_milli: i32,
    pub labels: u64,
    pub errors: u64,
    pub bound_ppm: u32,
    pub mean_share_ppm: i64,
}

/// How far the walk came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The thresholds that were tried, the strictest first; only the last may have failed.
    pub tried: Vec<Point>,
    /// The loosest that passed.
    pub passed: Option<Point>,
}

/// Walks the grid. `posts_from` is the least confidence that posts now.
///
/// What posts is known from the audit of postings, what does not from the queue, and the two are never mixed: one is a small sample, the other
/// everything. Down to `posts_from` a threshold is judged by all posted decisions above it; below, by the proposals between it and `posts_from`, which
/// have to hold the budget by themselves, and then all together do.
pub fn walk(plan: &Plan, labels: &[Label], posts_from: Option<i32>) -> Walked {
    let mut walked = Walked::default();
    for &threshold_milli in &plan.grid_milli {
        let point = point(plan, labels, threshold_milli, posts_from);
        if point.labels < plan.labels_min || upper_bound_ppm(0, point.labels, plan.delta_ppm) > plan.budget_ppm {
            continue;
        }
        walked.tried.push(point);
        if point.bound_ppm > plan.budget_ppm {
            break;
        }
        walked.passed = Some(point);
    }
    walked
}

/// All that posts, or all that waits where nothing does.
pub(super) fn posted_point(plan: &Plan, labels: &[Label], posts_from: Option<i32>) -> Point {
    point(plan, labels, posts_from.unwrap_or(i32::MIN), posts_from)
}

fn point(plan: &Plan, labels: &[Label], threshold_milli: i32, posts_from: Option<i32>) -> Point {
    let posted = posts_from.is_some_and(|from| threshold_milli >= from);
    let below = posts_from.filter(|_| !posted);
    let counts = |label: &&Label| {
        label.posted == posted
            && label.confidence_milli >= threshold_milli
            && below.is_none_or(|from| label.confidence_milli < from)
    };
    let (mut count, mut errors, mut shares) = (0_u64, 0_u64, 0_i64);
    for label in labels.iter().filter(counts) {
        count += 1;
        errors += u64::from(label.wrong);
        shares = shares.saturating_add(label.share_ppm);
    }
    let bound_ppm = upper_bound_ppm(errors, count, plan.delta_ppm);
    let mean_share_ppm = i64::try_from(count).ok().and_then(|count| shares.checked_div(count)).unwrap_or(0);
    Point { threshold_milli, labels: count, errors, bound_ppm, mean_share_ppm }
}

impl Point {
    /// Wrong value as a share of the value posted, in parts per million: no payment is wrong by more than the cap, and the average payment is
    /// `mean_share` of it. Nothing without a cap.
    pub fn value_bound_ppm(&self) -> Option<u32> {
        let wrong = i64::from(self.bound_ppm).checked_mul(1_000_000)?;
        let share = wrong.checked_div(self.mean_share_ppm).filter(|_| self.mean_share_ppm > 0)?;
        Some(u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan() -> Plan {
        Plan { budget_ppm: 10_000, delta_ppm: 50_000, grid_milli: vec![9_000, 6_000, 3_000], labels_min: 100 }
    }

    fn labels(confidence_milli: i32, right: usize, wrong: usize, posted: bool) -> Vec<Label> {
        let label = |wrong| Label { confidence_milli, wrong, posted, share_ppm: 200_000 };
        std::iter::repeat_n(label(false), right).chain(std::iter::repeat_n(label(true), wrong)).collect()
    }

    #[test]
    fn the_walk_stops_at_the_first_threshold_that_fails() {
        let all = [labels(9_500, 400, 0, false), labels(6_500, 200, 0, false), labels(3_500, 200, 40, false)].concat();
        let walked = walk(&plan(), &all, None);
        assert_eq!(walked.passed.map(|point| (point.threshold_milli, point.labels, point.errors)), Some((6_000, 600, 0)));
        assert_eq!(walked.tried.last().map(|point| point.threshold_milli), Some(3_000));
        // What comes after a failure is not looked at, however good.
        let bad_first = [labels(9_500, 400, 40, false), labels(3_500, 40_000, 0, false)].concat();
        assert_eq!(walk(&plan(), &bad_first, None), Walked { tried: walk(&plan(), &bad_first, None).tried, passed: None });
        assert_eq!(walk(&plan(), &bad_first, None).tried.len(), 1);
    }

    #[test]
    fn a_threshold_with_too_few_labels_is_passed_over() {
        let all = [labels(9_500, 20, 0, false), labels(6_500, 400, 0, false)].concat();
        let walked = walk(&plan(), &all, None);
        assert_eq!(walked.tried.first().map(|point| point.threshold_milli), Some(6_000));
        assert_eq!(walk(&plan(), &labels(9_500, 99, 0, false), None), Walked::default());
    }

    #[test]
    fn answers_from_the_queue_say_nothing_about_what_posts() {
        let queue = labels(9_500, 4_000, 0, false);
        let audit = labels(9_500, 400, 40, true);
        let both = [queue.clone(), audit.clone()].concat();
        assert_eq!(walk(&plan(), &both, None).passed.map(|point| point.labels), Some(4_000), "nothing posts yet");
        assert_eq!(walk(&plan(), &both, Some(9_000)).passed, None, "the audit counts, and it is bad");
        assert_eq!(walk(&plan(), &queue, Some(i32::MIN)).tried, [], "a stratum that posts has no labels but its audit");
    }

    #[test]
    fn a_looser_threshold_must_hold_by_itself() {
        let posted = labels(9_500, 2_000, 0, true);
        let good = [posted.clone(), labels(6_500, 400, 0, false)].concat();
        assert_eq!(
            walk(&plan(), &good, Some(9_000)).passed.map(|point| (point.threshold_milli, point.labels)),
            Some((3_000, 400)),
            "nothing was labelled in between"
        );
        // Together they would be within the budget; alone the new ones are not.
        let bad = [posted, labels(6_500, 396, 4, false)].concat();
        assert_eq!(walk(&plan(), &bad, Some(9_000)).passed.map(|point| point.threshold_milli), Some(9_000));
    }

    #[test]
    fn a_rate_and_a_cap_bound_the_value() {
        // At most 0.1 % of the payments are wrong, each by at most the cap, and the average payment is a fifth of it: 0.5 % of the value.
        let point = Point { threshold_milli: 0, labels: 2_995, errors: 0, bound_ppm: 1_000, mean_share_ppm: 200_000 };
        assert_eq!(point.value_bound_ppm(), Some(5_000));
        assert_eq!(Point { mean_share_ppm: 0, ..point }.value_bound_ppm(), None);
    }

    proptest! {
        #[test]
        fn what_passed_is_within_the_budget(
            rows in proptest::collection::vec((0..12_000_i32, proptest::bool::weighted(0.01), proptest::bool::ANY), 0..2_000),
            from in proptest::option::of(0..12_000_i32),
        ) {
            let labels: Vec<Label> = rows
                .into_iter()
                .map(|(confidence_milli, wrong, posted)| Label { confidence_milli, wrong, posted, share_ppm: 1 })
                .collect();
            let walked = walk(&plan(), &labels, from);
            let failed = walked.tried.iter().position(|point| point.bound_ppm > 10_000);
            prop_assert!(failed.is_none_or(|place| place + 1 == walked.tried.len()), "nothing is tried after a failure");
            prop_assert!(walked.tried.is_sorted_by(|a, b| a.threshold_milli > b.threshold_milli));
            let last_good = walked.tried.iter().rfind(|point| point.bound_ppm <= 10_000).copied();
            prop_assert_eq!(walked.passed, last_good);
        }
    }
}
