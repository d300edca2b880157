//! The ways one claim can be met: candidates with the amounts they take.

use super::amount::{Fit, FitKind, Scale};
use super::candidate::{Hit, Level};
use super::claim::Claim;
use super::payer::Standing;
use super::snapshot::Slot;

/// One way to meet a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) level: Level,
    pub(super) standing: Standing,
    pub(super) mention: usize,
    pub(super) parts: Vec<(Slot, Fit)>,
    /// Cash taken and left over together: the net of the line, where it has one.
    pub(super) cash_minor: i64,
    pub(super) points_milli: i64,
    pub(super) date_agrees: Option<bool>,
    pub(super) po_agrees: bool,
    /// The amounts were not given but derived.
    pub(super) derived: Derived,
}

/// Where the amount of a choice comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Derived {
    /// The payer wrote it.
    Written,
    /// All that is open.
    Open,
    /// What is open less the discount of the terms.
    LessDiscount,
}

/// Ways to meet one claim, best first; the search for candidates stops at the first level with one whose amount agrees.
pub(super) fn choices(claim: &Claim, hits: &[Hit], scale: &Scale<'_>) -> Vec<Choice> {
    let mut agreeing: Vec<Choice> = Vec::new();
    let mut others: Vec<Choice> = Vec::new();
    for level in Level::ALL {
        let at_level: Vec<&Hit> = hits.iter().filter(|hit| hit.level == level && hit.open).collect();
        if at_level.is_empty() {
            continue;
        }
        let mut found: Vec<Choice> = at_level.iter().flat_map(|hit| of_hit(claim, hit, scale)).collect();
        if level.names_several() && at_level.len() > 1 {
            found.extend(all_of_one_order(claim, &at_level, scale));
        }
        let (fitting, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(Choice::agrees);
        others.extend(rest);
        agreeing.extend(fitting);
        if !agreeing.is_empty() {
            break;
        }
    }
    agreeing.extend(others);
    agreeing.sort_by_key(|choice| (std::cmp::Reverse(choice.points_milli), order(choice, scale)));
    agreeing
}

fn of_hit(claim: &Claim, hit: &Hit, scale: &Scale<'_>) -> Vec<Choice> {
    let open = scale.snapshot.items.open_minor[hit.slot as usize];
    match claim.net_minor {
        Some(net) => vec![choice(claim, hit, vec![(hit.slot, scale.fit(hit.slot, claim, net))], Derived::Written, scale)],
        None => {
            let mut ways = vec![choice(claim, hit, vec![(hit.slot, scale.fit(hit.slot, claim, open))], Derived::Open, scale)];
            let discount = scale.discount(hit.slot);
            if discount > 0 {
                let fit = scale.fit(hit.slot, claim, open - discount);
                if fit.kind.agrees() {
                    ways.push(choice(claim, hit, vec![(hit.slot, fit)], Derived::LessDiscount, scale));
                }
            }
            ways
        }
    }
}

/// One order, bill of lading or PRO that stands for all its open items.
fn all_of_one_order(claim: &Claim, hits: &[&Hit], scale: &Scale<'_>) -> Option<Choice> {
    let items = &scale.snapshot.items;
    let first = hits.first()?;
    if hits.iter().any(|hit| items.customer[hit.slot as usize] != items.customer[first.slot as usize]) {
        return None;
    }
    let total = hits.iter().try_fold(0i64, |sum, hit| sum.checked_add(items.open_minor[hit.slot as usize]))?;
    let derived = match claim.net_minor {
        Some(net) if net == total && claim.coded.is_empty() => Derived::Written,
        Some(_) => return None,
        None => Derived::Open,
    };
    let parts = hits.iter().map(|hit| (hit.slot, scale.fit(hit.slot, claim, items.open_minor[hit.slot as usize]))).collect();
    Some(choice(claim, first, parts, derived, scale))
}

fn choice(claim: &Claim, hit: &Hit, parts: Vec<(Slot, Fit)>, derived: Derived, scale: &Scale<'_>) -> Choice {
    let items = &scale.snapshot.items;
    let at = hit.slot as usize;
    let date_agrees = claim.date.map(|date| date == items.issue_date[at]);
    let po_agrees = !claim.po.is_empty() && claim.po == items.po(hit.slot);
    let worst = parts.iter().map(|(_, fit)| fit.kind).max().unwrap_or(FitKind::Inconsistent);
    // An amount that we derived supports nothing until the sum does.
    let amount = match derived {
        Derived::Written => worst.points_milli(),
        Derived::Open => 0,
        Derived::LessDiscount => worst.points_milli() - FitKind::Full.points_milli(),
    };
    let date = match date_agrees {
        Some(true) => 1_000,
        Some(false) => -300,
        None => 0,
    };
    Choice {
        level: hit.level,
        standing: hit.standing,
        mention: hit.mention,
        cash_minor: parts.iter().fold(0i64, |sum, (_, fit)| sum.saturating_add(fit.cash_minor).saturating_add(fit.over_minor)),
        points_milli: hit.level.points_milli() + hit.standing.points_milli() + amount + date + if po_agrees { 1_000 } else { 0 },
        parts,
        date_agrees,
        po_agrees,
        derived,
    }
}

impl Choice {
    pub(super) fn agrees(&self) -> bool {
        self.parts.iter().all(|(_, fit)| fit.kind.agrees())
    }

    /// Whether another choice pays any of the same items.
    pub(super) fn shares_items_with(&self, other: &Self) -> bool {
        self.parts.iter().any(|(slot, _)| other.parts.iter().any(|(theirs, _)| theirs == slot))
    }

    /// Whether another choice pays the same items.
    pub(super) fn is_of_same_items(&self, other: &Self) -> bool {
        self.parts.iter().map(|(slot, _)| slot).eq(other.parts.iter().map(|(slot, _)| slot))
    }
}

/// Breaks ties by what does not depend on how the snapshot was fed.
fn order(choice: &Choice, scale: &Scale<'_>) -> (Level, usize, i64) {
    let id = choice.parts.first().map_or(0, |(slot, _)| scale.snapshot.items.id[*slot as usize].0);
    (choice.level, choice.parts.len(), id)
}
