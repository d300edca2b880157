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
    /// The same of items that are not all there are.
    fn of_due_items(mut self) -> Self {
        if let Self::By(by) = &mut self {
            for (_, fit) in by.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
                fit.facts.set(Fact::AccountClears, false);
                fit.facts.insert(Fact::PastDueClears);
            }
        }
        self
    }

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
    others.sort_by(|a, b| {
        let key = |slot: Slot| (items.due_date[slot as usize], items.folded(slot), items.id[slot as usize]);
        key(*a).cmp(&key(*b))
    });
    let found = everything(&others, draft, rest_minor, takes, scale, finder)
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

/// All others, or those next to each other by due date and number, from the oldest on or from where what is named begins or ends. Passed over are items paid in part,
/// which are in dispute, and those that payments name which wait for a person.
fn everything(
    others: &[Slot],
    draft: &Draft,
    rest_minor: i64,
    takes: Takes,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
) -> Option<Rest> {
    let items = &finder.snapshot.items;
    let whole = |slot: &Slot| items.open_minor[*slot as usize] == items.amount_minor[*slot as usize];
    let free = |slot: &Slot| whole(slot) && !finder.is_spoken_for(*slot);
    let mut views =
        vec![others.to_vec(), others.iter().copied().filter(whole).collect(), others.iter().copied().filter(free).collect()];
    views.dedup();
    let place = |slot: Slot| (items.due_date[slot as usize], items.folded(slot));
    let named =
        || draft.proposal.lines.iter().filter(|line| line.cash_minor > 0).filter_map(|line| items.slot(line.item)).map(place);
    let (first, last) = (named().min(), named().max());
    for view in &views {
        let after = |bound: Option<(chrono::NaiveDate, &str)>| view.iter().position(|slot| Some(place(*slot)) > bound);
        let mut starts = vec![Some(0), after(first), after(last)];
        starts.dedup();
        let tried = view.len().saturating_mul(starts.len() * views.len());
        for start in starts.into_iter().flatten() {
            let found = run_from(view, start, rest_minor, takes, tried, scale, finder);
            let found = found.map(|(rest, all)| if all && view.len() == others.len() { rest } else { rest.of_due_items() });
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// The items in order, from one of them up to where their sum is reached, and whether these are all.
fn run_from(
    view: &[Slot],
    start: usize,
    rest_minor: i64,
    takes: Takes,
    tried: usize,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
) -> Option<(Rest, bool)> {
    let cash = |slot: &Slot| takes.cash(*slot, scale);
    let mut sum = 0i64;
    for at in start..view.len() {
        sum = sum.saturating_add(cash(&view[at]));
        if at == start || sum != rest_minor {
            continue;
        }
        let inside: Vec<i64> = view[start..=at].iter().map(cash).collect();
        // An item outside that could stand for one inside leaves open which of them is paid.
        if view[..start].iter().chain(&view[at + 1..]).any(|slot| inside.contains(&cash(slot))) {
            return Some((Rest::Several, false));
        }
        let chance_ppm = Amounts::of(view.iter().map(cash)).chance_ppm(rest_minor, tried);
        let choices = view[start..=at].iter().map(|slot| settled(*slot, Fact::AccountClears, takes, scale, finder)).collect();
        return Some((Rest::By(Completion { choices, chance_ppm }), inside.len() == view.len()));
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
        standing: finder.payer.standing(owner, finder.snapshot, finder.rules, finder.came).0,
        mention: 0,
        cash_minor: fit.cash_minor,
        parts: vec![(slot, fit)],
        points_milli: 0,
        date_agrees: None,
        po_agrees: false,
        derived: Derived::Written,
    }
}
