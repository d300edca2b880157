//! What is named, and no choice of it takes exactly what came: somebody paid less, or something is missing.
//!
//! What is certain is told from what is only likely: a shortfall that one item alone can bear, or that is too small to be pursued, is explained;
//! where several items may be the one that was paid short, each is proposed and a person says which.

use std::collections::HashSet;

use super::amount::{FitKind, Scale};
use super::candidate::Finder;
use super::choice::{Choice, Derived};
use super::claim::Claim;
use super::decide::State;
use super::joint::Explanation;
use super::limits::PROPOSALS_MAX;
use super::snapshot::Slot;
use super::trail::{Trail, figure};
use crate::domain::Reason;

/// Claims, each with the ways to meet it, best first.
type Ways<'c> = Vec<(&'c Claim, Vec<Choice>)>;

/// Explains why the ways of the claims do not take `target` together, best first; never empty. What stands against posting is said in `state`.
pub(super) fn explain(
    ways: &mut Ways<'_>,
    target: i64,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
    state: &mut State,
    trail: &mut Trail,
) -> Vec<Explanation> {
    if let Some(explanation) = one_short(ways, target, scale).or_else(|| within_tolerance(ways, target, scale)) {
        return vec![explanation];
    }
    let short = one_of_several(ways, target, scale);
    match short.is_empty() {
        true => vec![nearest(ways, target, finder, state, trail)],
        false => {
            tell_short(ways, target, "which of them is paid short is not said", finder, state, trail);
            short
        }
    }
}

/// One item and credits are named, and less came than they leave: the item takes what came and what the credits give.
fn one_short(ways: &mut Ways<'_>, target: i64, scale: &Scale<'_>) -> Option<Explanation> {
    let first: Vec<&Choice> = ways.iter().map(|(_, ways)| ways.first()).collect::<Option<_>>()?;
    let debit = |choice: &&&Choice| choice.cash_minor > 0;
    let at = first.iter().position(|choice| choice.cash_minor > 0)?;
    let credits = first.iter().filter(|choice| !debit(choice));
    let rest = credits.map(|choice| choice.cash_minor).try_fold(target, i64::checked_sub)?;
    let certain = ways[at].1.iter().all(|way| way.is_of_same_items(first[at]));
    if first.len() < 2 || first.iter().filter(debit).count() > 1 || rest <= 0 || rest >= first[at].cash_minor || !certain {
        return None;
    }
    let short = reduced(first[at], ways[at].0, rest, scale).filter(|short| short.parts[0].1.kind == FitKind::Short)?;
    Some(with(ways, at, short, target))
}

/// All items named are paid but for a difference that is not pursued on an item. Which of them it belongs to cannot be known and makes no difference;
/// the largest bears it.
fn within_tolerance(ways: &mut Ways<'_>, target: i64, scale: &Scale<'_>) -> Option<Explanation> {
    let (first, missing) = all_named(ways, target)?;
    let largest = (0..first.len()).max_by_key(|at| (first[*at].cash_minor, std::cmp::Reverse(*at)))?;
    // Another item that is meant instead of one of these would leave another difference.
    let alone = |(_, ways): &(&Claim, Vec<Choice>)| ways.iter().all(|way| way.is_of_same_items(&ways[0]));
    let left = first[largest].cash_minor.checked_sub(missing)?;
    let borne = reduced(first[largest], ways[largest].0, left, scale)?;
    (borne.parts[0].1.kind == FitKind::Tolerance && ways.iter().all(alone)).then(|| with(ways, largest, borne, target))
}

/// Any item named may be the one that was paid short: one explanation for each that can bear it, the smallest first, of which the shortfall is no more
/// improbable a share than of the others.
fn one_of_several(ways: &mut Ways<'_>, target: i64, scale: &Scale<'_>) -> Vec<Explanation> {
    let Some((first, missing)) = all_named(ways, target) else { return Vec::new() };
    let mut able: Vec<usize> = (0..first.len()).filter(|at| first[*at].cash_minor > missing).collect();
    able.sort_by_key(|at| (first[*at].cash_minor, *at));
    let left = |at: usize| first[at].cash_minor - missing;
    let short: Vec<(usize, Choice)> = able
        .iter()
        .filter_map(|at| Some((*at, reduced(first[*at], ways[*at].0, left(*at), scale)?)))
        .take(PROPOSALS_MAX)
        .collect();
    short.into_iter().map(|(at, choice)| with(ways, at, choice, target)).collect()
}

/// The best way of each claim, where the payer wrote no amounts and names each item once, with what these items ask for beyond the cash.
fn all_named<'w>(ways: &'w Ways<'_>, target: i64) -> Option<(Vec<&'w Choice>, i64)> {
    let first: Vec<&Choice> = ways.iter().map(|(_, ways)| ways.first()).collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    let unsaid = |choice: &&Choice| matches!((choice.parts.as_slice(), choice.derived), ([_], Derived::Open));
    let once = |choice: &&Choice| choice.parts.iter().all(|(slot, _)| seen.insert(*slot));
    let asked = first.iter().try_fold(0i64, |sum, choice| sum.checked_add(choice.cash_minor))?;
    let missing = asked.checked_sub(target).filter(|missing| *missing > 0)?;
    (first.len() > 1 && first.iter().all(unsaid) && first.iter().all(once)).then_some((first, missing))
}

/// A choice of one item that takes less than all that is open.
fn reduced(choice: &Choice, claim: &Claim, cash_minor: i64, scale: &Scale<'_>) -> Option<Choice> {
    let ([(slot, _)], Derived::Open) = (choice.parts.as_slice(), choice.derived) else { return None };
    let fit = scale.fit(*slot, claim, cash_minor);
    Some(Choice { cash_minor, parts: vec![(*slot, fit)], ..choice.clone() })
}

/// The best way of each claim, but `instead` for the claim at `at`.
fn with(ways: &mut Ways<'_>, at: usize, instead: Choice, cash_minor: i64) -> Explanation {
    let points_milli = ways.iter().map(|(_, ways)| ways[0].points_milli).sum();
    ways[at].1.push(instead);
    let last = ways[at].1.len() - 1;
    let picks = (0..ways.len()).map(|index| Some(if index == at { last } else { 0 })).collect();
    Explanation { picks, points_milli, cash_minor }
}

/// What is nearest to the cash, and never more than it, with the difference said.
fn nearest(ways: &Ways<'_>, target: i64, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) -> Explanation {
    let mut used: HashSet<Slot> = HashSet::new();
    let mut nearest = Explanation { picks: Vec::new(), points_milli: 0, cash_minor: 0 };
    let mut conflict = false;
    for (claim, ways) in ways {
        let free = |choice: &Choice| {
            choice.parts.iter().all(|(slot, _)| !used.contains(slot)) && choice.derived != Derived::LessDiscount
        };
        let free = ways.iter().position(free);
        conflict |= free.is_none() && claim.net_minor.is_some();
        // A proposal never promises more cash than came.
        let pick = free.filter(|index| nearest.cash_minor.saturating_add(ways[*index].cash_minor) <= target);
        if let Some(choice) = pick.map(|index| &ways[index]) {
            used.extend(choice.parts.iter().map(|(slot, _)| *slot));
            nearest.points_milli += choice.points_milli;
            nearest.cash_minor = nearest.cash_minor.saturating_add(choice.cash_minor);
        }
        nearest.picks.push(pick);
    }
    match conflict {
        true => state.block(Reason::Ambiguous, "two lines name the same item in different ways"),
        false => tell_short(ways, target, "", finder, state, trail),
    }
    nearest
}

/// Says that the items named are open for more than what came, where they are.
fn tell_short(ways: &Ways<'_>, target: i64, besides: &str, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    let mut used: HashSet<Slot> = HashSet::new();
    let mut open = 0i64;
    for (_, ways) in ways {
        let free = |choice: &&Choice| {
            choice.parts.iter().all(|(slot, _)| !used.contains(slot)) && choice.derived != Derived::LessDiscount
        };
        if let Some(choice) = ways.iter().find(free) {
            open = open.saturating_add(choice.cash_minor);
            used.extend(choice.parts.iter().map(|(slot, _)| *slot));
        }
    }
    if open > target {
        let money = |minor| figure(minor, finder.currency);
        let besides = if besides.is_empty() { String::new() } else { format!("; {besides}") };
        let text = format!("the items named are open for {}, {} came{besides}", money(open), money(target));
        trail.note("amount", text.clone());
        state.block(Reason::ShortPaid, text);
    }
}
