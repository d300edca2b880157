//! One joint decision for all claims of a payment: each item once, the sum equals the cash, the three best complete explanations.

use super::choice::{Choice, Derived};
use super::limits::{BRANCHING_LINES_MAX, PROPOSALS_MAX, SEARCH_STEPS_MAX};
use super::snapshot::Slots;

/// A choice for every claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// Index of the choice by claim; `None` where a claim has none.
    pub(super) picks: Vec<Option<usize>>,
    pub(super) points_milli: i64,
    pub(super) cash_minor: i64,
}

/// What the search found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Complete explanations, best first.
    pub(super) complete: Vec<Explanation>,
    /// The bound that was met, where one was.
    pub(super) bound: Option<String>,
}

/// Searches the best complete explanations. `target_minor` is what the picks must take together.
pub(super) fn search(choices: &[&[Choice]], target_minor: i64) -> Found {
    let derived = choices.iter().copied().flatten().any(|choice| choice.derived != Derived::Written);
    if !derived {
        return Search::new(choices, None, |_| true).run();
    }
    // Payers that write no amounts pay all items alike: first everything in full, then everything net of discount, and only then mixtures,
    // whose sums agree by chance much more easily.
    let full = Search::new(choices, Some(target_minor), |choice| choice.derived != Derived::LessDiscount).run();
    if !full.complete.is_empty() || full.bound.is_some() {
        return full;
    }
    let net = Search::new(choices, Some(target_minor), |choice| {
        choice.derived != Derived::Open
            || !choices
                .iter()
                .copied()
                .flatten()
                .any(|other| other.derived == Derived::LessDiscount && other.is_of_same_items(choice))
    })
    .run();
    if !net.complete.is_empty() || net.bound.is_some() {
        return net;
    }
    Search::new(choices, Some(target_minor), |_| true).run()
}

/// A claim in the search: where it stands among the claims and the choices it may take.
struct Branch<'a> {
    claim: usize,
    ways: Vec<(usize, &'a Choice)>,
}

struct Search<'a> {
    claims: usize,
    branches: Vec<Branch<'a>>,
    target_minor: Option<i64>,
    /// Most points the branches from here on can add.
    most_points: Vec<i64>,
    /// Least and most cash the branches from here on can take.
    cash_range: Vec<(i64, i64)>,
    used: Slots,
    picks: Vec<Option<usize>>,
    steps: u32,
    found: Found,
}

impl<'a> Search<'a> {
    fn new(choices: &[&'a [Choice]], target_minor: Option<i64>, allowed: impl Fn(&Choice) -> bool) -> Self {
        let mut branches: Vec<Branch<'a>> = choices
            .iter()
            .enumerate()
            .map(|(claim, ways)| Branch { claim, ways: ways.iter().enumerate().filter(|(_, choice)| allowed(choice)).collect() })
            .collect();
        // Claims without a choice of ways come first: they are settled without branching.
        branches.sort_by_key(|branch| (branch.ways.len(), branch.claim));
        let mut most_points = vec![0; branches.len() + 1];
        let mut cash_range = vec![(0i64, 0i64); branches.len() + 1];
        for (at, branch) in branches.iter().enumerate().rev() {
            let cash = branch.ways.iter().map(|(_, choice)| choice.cash_minor);
            let (least, most) = (cash.clone().min().unwrap_or(0), cash.max().unwrap_or(0));
            most_points[at] = most_points[at + 1] + branch.ways.iter().map(|(_, choice)| choice.points_milli).max().unwrap_or(0);
            cash_range[at] = (cash_range[at + 1].0.saturating_add(least), cash_range[at + 1].1.saturating_add(most));
        }
        Self {
            claims: choices.len(),
            branches,
            target_minor,
            most_points,
            cash_range,
            used: Slots::default(),
            picks: vec![None; choices.len()],
            steps: 0,
            found: Found::default(),
        }
    }

    fn run(mut self) -> Found {
        if self.branches.iter().any(|branch| branch.ways.is_empty()) {
            return self.found;
        }
        let fixed = self.branches.iter().take_while(|branch| branch.ways.len() == 1).count();
        if self.claims - fixed > BRANCHING_LINES_MAX {
            self.found.bound = Some(format!(
                "{} lines have several candidates; at most {BRANCHING_LINES_MAX} are weighed together",
                self.claims - fixed
            ));
            return self.found;
        }
        let (mut points, mut cash) = (0, 0i64);
        for at in 0..fixed {
            let (index, choice) = self.branches[at].ways[0];
            if !self.take(choice) {
                return self.found;
            }
            self.picks[self.branches[at].claim] = Some(index);
            points += choice.points_milli;
            cash = cash.saturating_add(choice.cash_minor);
        }
        self.descend(fixed, points, cash);
        if self.steps > SEARCH_STEPS_MAX {
            self.found.bound = Some(format!("the search for other explanations stopped after {SEARCH_STEPS_MAX} steps"));
        }
        self.found
    }

    fn descend(&mut self, at: usize, points: i64, cash: i64) {
        self.steps += 1;
        if self.steps > SEARCH_STEPS_MAX || !self.promising(at, points, cash) {
            return;
        }
        if at == self.branches.len() {
            return self.keep(points, cash);
        }
        for way in 0..self.branches[at].ways.len() {
            let (index, choice) = self.branches[at].ways[way];
            if self.take(choice) {
                self.picks[self.branches[at].claim] = Some(index);
                self.descend(at + 1, points + choice.points_milli, cash.saturating_add(choice.cash_minor));
                self.give_back(choice);
            }
        }
        self.picks[self.branches[at].claim] = None;
    }

    /// Whether what is left can still reach the sum and one of the best places.
    fn promising(&self, at: usize, points: i64, cash: i64) -> bool {
        let (least, most) = self.cash_range[at];
        let reaches =
            self.target_minor.is_none_or(|target| cash.saturating_add(least) <= target && target <= cash.saturating_add(most));
        let place =
            self.found.complete.get(PROPOSALS_MAX - 1).is_none_or(|last| points + self.most_points[at] > last.points_milli);
        reaches && place
    }

    fn keep(&mut self, points_milli: i64, cash_minor: i64) {
        let explanation = Explanation { picks: self.picks.clone(), points_milli, cash_minor };
        let place =
            self.found.complete.iter().position(|known| known.points_milli < points_milli).unwrap_or(self.found.complete.len());
        self.found.complete.insert(place, explanation);
        self.found.complete.truncate(PROPOSALS_MAX);
    }

    fn take(&mut self, choice: &Choice) -> bool {
        for (at, (slot, _)) in choice.parts.iter().enumerate() {
            if !self.used.insert(*slot) {
                for (slot, _) in &choice.parts[..at] {
                    self.used.remove(slot);
                }
                return false;
            }
        }
        true
    }

    fn give_back(&mut self, choice: &Choice) {
        for (slot, _) in &choice.parts {
            self.used.remove(slot);
        }
    }
}
