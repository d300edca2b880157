//! What the payer left unnamed: cash beyond the items it names may be exactly what other items of the same customer are open for.
//!
//! Banks cut texts, clerks forget lines. What is left over is explained by everything else that is open, by everything else that is due, or by the
//! fewest items that have this sum, and only where no other set of as few items has it.

use super::amount::{Fit, Scale};
use super::candidate::{Finder, Level};
use super::chance::{self, Amounts};
use super::choice::{Choice, Derived};
use super::claim::Claim;
use super::draft::Draft;
use super::limits::OWN_ITEMS_MAX;
use super::snapshot::Slot;
use super::trail::{Trail, figure};
use crate::rules::Fact;

/// Items that take what is left over.
pub(super) struct Completion {
    pub(super) choices: Vec<Choice>,
    /// Chance of a coincidence in millionths.
    pub(super) chance_ppm: i64,
}

/// How what is left over may be explained.
pub(super) enum Rest {
    /// By these items and no others as few.
    By(Completion),
    /// By several sets of items alike.
    Several,
    /// By nothing that is open.
    Nothing,
}

impl Rest {
    /// Whether this could much less be a coincidence.
    pub(super) fn is_likelier_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::By(this), Self::By(other)) => this.chance_ppm.saturating_mul(MUCH_LESS) <= other.chance_ppm,
            (Self::By(_), Self::Nothing) => true,
            _ => false,
        }
    }
}

/// Times by which one coincidence is less likely than another, to leave no doubt.
const MUCH_LESS: i64 = 10;

/// What an item takes: a payer that takes its discounts takes them on all items of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Open,
    LessDiscount,
}

impl Takes {
    pub(super) fn cash(self, slot: Slot, scale: &Scale<'_>) -> i64 {
        let open = scale.snapshot.items.open_minor[slot as usize];
        match self {
            Self::Open => open,
            Self::LessDiscount => open - scale.discount(slot),
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Open => "is open for",
            Self::LessDiscount => "takes less its discounts",
        }
    }
}

/// Looks for the items of the customer of `draft` that take `rest_minor`.
pub(super) fn complete(
    draft: &Draft,
    rest_minor: i64,
    takes: Takes,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
    trail: &mut Trail,
) -> Rest {
    let ([owner], true) = (draft.customers.as_slice(), rest_minor > 0) else { return Rest::Nothing };
    let items = &finder.snapshot.items;
    if items.open_of(*owner).len() > OWN_ITEMS_MAX {
        return Rest::Nothing;
    }
    let named = |slot: Slot| draft.proposal.lines.iter().any(|line| line.item == items.id[slot as usize]);
    let exists = |slot: &Slot| {
        let at = *slot as usize;
        items.currency[at] == finder.currency
            && items.entered_date[at] <= finder.today
            && finder.sellers.contains(&items.seller[at])
    };
    let mut others: Vec<Slot> = items.open_of(*owner).iter().copied().filter(|slot| exists(slot) && !named(*slot)).collect();
    others.sort_by_key(|slot| (items.due_date[*slot as usize], items.id[*slot as usize]));
    let found = everything(&others, rest_minor, takes, scale, finder)
        .unwrap_or_else(|| fewest(&others, rest_minor, takes, scale, finder));
    let rest = figure(rest_minor, finder.currency);
    match &found {
        Rest::By(by) => {
            let numbers: Vec<_> = by.choices.iter().take(8).map(|choice| items.number(choice.parts[0].0)).collect();
            trail.note("joint", format!("{rest} is left over, exactly what {} {}", numbers.join(" + "), takes.in_words()));
        }
        Rest::Several => trail.note("joint", format!("{rest} is left over, and several sets of open items have this sum")),
        Rest::Nothing => {}
    }
    found
}

/// All others, or all others that are due by some day.
fn everything(others: &[Slot], rest_minor: i64, takes: Takes, scale: &Scale<'_>, finder: &Finder<'_>) -> Option<Rest> {
    let items = &finder.snapshot.items;
    let cash = |slot: &Slot| takes.cash(*slot, scale);
    let amounts = Amounts::of(others.iter().map(cash));
    let mut sum = 0i64;
    for (at, slot) in others.iter().enumerate() {
        sum = sum.saturating_add(cash(slot));
        let last_of_day = others.get(at + 1).is_none_or(|next| items.due_date[*next as usize] != items.due_date[*slot as usize]);
        if at > 0 && last_of_day && sum == rest_minor {
            let taken = &others[..=at];
            let inside: Vec<i64> = taken.iter().map(cash).collect();
            // An item outside that could stand for one inside leaves open which of them is paid.
            if others[at + 1..].iter().any(|slot| inside.contains(&cash(slot))) {
                return Some(Rest::Several);
            }
            let fact = if taken.len() == others.len() { Fact::AccountClears } else { Fact::PastDueClears };
            let chance_ppm = amounts.chance_ppm(rest_minor, others.len());
            let choices = taken.iter().map(|slot| settled(*slot, fact, takes, scale, finder)).collect();
            return Some(Rest::By(Completion { choices, chance_ppm }));
        }
    }
    None
}

/// The fewest items that have the sum: one, in full or net of the discount of its terms, or up to the number that the rules allow.
fn fewest(others: &[Slot], rest_minor: i64, takes: Takes, scale: &Scale<'_>, finder: &Finder<'_>) -> Rest {
    let items = &finder.snapshot.items;
    let limits = &finder.rules.engine.combination;
    let open = |slot: &Slot| items.open_minor[*slot as usize];
    let cash = |slot: &Slot| takes.cash(*slot, scale);
    let amounts = Amounts::of(others.iter().map(cash));
    let net = |slot: &&Slot| open(slot) > rest_minor && open(slot) - scale.discount(**slot) == rest_minor;
    let alone: Vec<&Slot> = others.iter().filter(|slot| cash(slot) == rest_minor || net(slot)).collect();
    match alone.as_slice() {
        [] => {}
        [one] => {
            let chance_ppm = amounts.chance_ppm(rest_minor, others.len());
            let fit = scale.fit(**one, &Claim::default(), rest_minor);
            let choice = choice(**one, fit, Fact::OneItemEqual, finder);
            return Rest::By(Completion { choices: vec![choice], chance_ppm });
        }
        _ => return Rest::Several,
    }
    let whole = |slot: &Slot| open(slot) == items.amount_minor[*slot as usize];
    let positive: Vec<Slot> = others.iter().copied().filter(|slot| open(slot) > 0 && whole(slot)).collect();
    if positive.len() > limits.open_items_max {
        return Rest::Nothing;
    }
    let sums: Vec<i64> = positive.iter().map(cash).collect();
    for most in 2..=limits.items_max {
        let tried = chance::combinations(positive.len(), 2..=most);
        if tried > chance::SUMS_MAX {
            return Rest::Nothing;
        }
        let sets = chance::subsets(&sums, rest_minor, 2..=most, 2);
        match sets.as_slice() {
            [] => {}
            [one] => {
                let chance_ppm = amounts.chance_ppm(rest_minor, tried);
                let choices =
                    one.iter().map(|index| settled(positive[*index], Fact::Combination, takes, scale, finder)).collect();
                return Rest::By(Completion { choices, chance_ppm });
            }
            _ => return Rest::Several,
        }
    }
    Rest::Nothing
}

fn settled(slot: Slot, fact: Fact, takes: Takes, scale: &Scale<'_>, finder: &Finder<'_>) -> Choice {
    choice(slot, scale.fit(slot, &Claim::default(), takes.cash(slot, scale)), fact, finder)
}

fn choice(slot: Slot, mut fit: Fit, fact: Fact, finder: &Finder<'_>) -> Choice {
    fit.facts.insert(fact);
    let owner = finder.snapshot.items.customer[slot as usize];
    Choice {
        level: Level::AmountOnly,
        standing: finder.payer.standing(owner, finder.snapshot, finder.rules, finder.today).0,
        mention: 0,
        cash_minor: fit.cash_minor,
        parts: vec![(slot, fit)],
        points_milli: 0,
        date_agrees: None,
        po_agrees: false,
        derived: Derived::Written,
    }
}
