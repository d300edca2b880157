//! Explains a payment that names nothing, by what the payer owes: one item, everything, everything due, one single sum.
//!
//! Amounts agree by chance, so the number of explanations and the chance of a coincidence are part of the answer; rules decide whether that is enough.

use std::collections::BTreeSet;

use super::amount::Scale;
use super::candidate::{Finder, Level};
use super::chance::{self, Amounts};
use super::choice::{Choice, Derived};
use super::claim::Claim;
use super::decide::{Case, Found, State, payer_is_known};
use super::draft::{Draft, Pick};
use super::limits::{OWN_ITEMS_MAX, PROPOSALS_MAX};
use super::named::Named;
use super::payer::Standing;
use super::snapshot::Slot;
use super::trail::{Trail, figure};
use crate::rules::{Fact, FactSet, StepKind};

/// An explanation by amount: the items, and what was found about them.
struct Guess {
    slots: Vec<Slot>,
    facts: FactSet,
    /// Chance of a coincidence in millionths.
    chance_ppm: i64,
    points_milli: i64,
    less_discount: bool,
}

/// What the payer owes, oldest first.
struct Owed {
    slots: Vec<Slot>,
    amounts: Amounts,
}

pub(super) fn explain(case: &Case<'_>, finder: &mut Finder<'_>, state: &mut State, trail: &mut Trail) -> Found {
    for fact in [Fact::AdviceBalanced, Fact::SameCurrency, Fact::NotClosed, Fact::CreditsKnown, Fact::ReferencesFound] {
        state.facts.insert(fact);
    }
    trail.note("reference", "the payer names nothing");
    if !payer_is_known(finder.payer) {
        trail.note("joint", "without a known payer there is nothing to compare the amount with");
        return Found::default();
    }
    let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
    let amount = case.payment.unapplied_minor;
    let mut guesses: Vec<Guess> = Vec::new();
    for number in finder.payer.strong().iter().map(|pointed| pointed.number).collect::<Vec<_>>() {
        let Some(owed) = owed(number, finder, state) else { continue };
        for step in finder
            .rules
            .for_customer(Some(finder.snapshot.customers.code(number)))
            .steps(&[crate::rules::Need::Payer, crate::rules::Need::NoReferences])
        {
            run(step.step, &owed, amount, &scale, finder, trail, &mut guesses);
        }
    }
    let drafts = rank(guesses, amount, &scale, finder, state, trail);
    Found { drafts, named: Named::default() }
}

/// Open items of a payer that exist on the day, by due date.
fn owed(customer: u32, finder: &Finder<'_>, state: &mut State) -> Option<Owed> {
    let items = &finder.snapshot.items;
    let own = items.open_of(customer);
    if own.len() > OWN_ITEMS_MAX {
        state.bound =
            Some(format!("the payer has {} open items; at most {OWN_ITEMS_MAX} are compared with an amount alone", own.len()));
        return None;
    }
    let mut slots: Vec<Slot> = own
        .iter()
        .copied()
        .filter(|slot| {
            let at = *slot as usize;
            items.currency[at] == finder.currency
                && items.entered_date[at] <= finder.today
                && finder.sellers.contains(&items.seller[at])
        })
        .collect();
    slots.sort_by_key(|slot| (items.due_date[*slot as usize], items.id[*slot as usize]));
    let amounts = Amounts::of(slots.iter().map(|slot| items.open_minor[*slot as usize]));
    (!slots.is_empty()).then_some(Owed { slots, amounts })
}

fn run(
    step: StepKind,
    owed: &Owed,
    amount: i64,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
    trail: &mut Trail,
    guesses: &mut Vec<Guess>,
) {
    let items = &finder.snapshot.items;
    let open = |slot: &Slot| items.open_minor[*slot as usize];
    let sum = |slots: &[Slot]| slots.iter().map(open).fold(0i64, i64::saturating_add);
    match step {
        StepKind::OneItemEqual => one_item(owed, amount, scale, finder, guesses),
        StepKind::ClearAccount if owed.slots.len() > 1 && sum(&owed.slots) == amount => {
            guesses.push(guess(owed.slots.clone(), Fact::AccountClears, owed.amounts.chance_ppm(amount, 1), 4_500));
        }
        StepKind::ClearPastDue => {
            // Each day on which something falls due closes a possible statement.
            for end in 1..owed.slots.len() {
                let boundary = items.due_date[owed.slots[end - 1] as usize] != items.due_date[owed.slots[end] as usize];
                if boundary && end > 1 && sum(&owed.slots[..end]) == amount && !has_twin(owed, end, finder) {
                    let chance = owed.amounts.chance_ppm(amount, owed.slots.len());
                    guesses.push(guess(owed.slots[..end].to_vec(), Fact::PastDueClears, chance, 4_000));
                }
            }
        }
        StepKind::UniqueCombination => {
            let limits = &finder.rules.engine.combination;
            let positive: Vec<Slot> = owed.slots.iter().copied().filter(|slot| open(slot) > 0).collect();
            if positive.len() > limits.open_items_max {
                trail.note(
                    "joint",
                    format!(
                        "the payer has {} open items; sums are looked for among at most {}",
                        positive.len(),
                        limits.open_items_max
                    ),
                );
                return;
            }
            let amounts: Vec<i64> = positive.iter().map(open).collect();
            for subset in chance::subsets(&amounts, amount, limits.items_max, PROPOSALS_MAX) {
                let slots: Vec<Slot> = subset.iter().map(|index| positive[*index]).collect();
                let tried = chance::combinations(positive.len(), limits.items_max);
                guesses.push(guess(slots, Fact::Combination, owed.amounts.chance_ppm(amount, tried), 3_000));
            }
        }
        StepKind::OldestFirst => {
            let mut taken = Vec::new();
            let mut rest = amount;
            for slot in owed.slots.iter().filter(|slot| open(slot) > 0) {
                if open(slot) <= rest {
                    rest -= open(slot);
                    taken.push(*slot);
                }
            }
            if !taken.is_empty() {
                guesses.push(guess(taken, Fact::OldestFirst, 1_000_000, -2_000));
            }
        }
        _ => {}
    }
}

/// Whether an item outside the first `end` could stand for one inside: then the sum says nothing about which of them is paid.
fn has_twin(owed: &Owed, end: usize, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let inside: BTreeSet<i64> = owed.slots[..end].iter().map(|slot| items.open_minor[*slot as usize]).collect();
    owed.slots[end..].iter().any(|slot| inside.contains(&items.open_minor[*slot as usize]))
}

/// Items that alone are open for the amount, in full or net of the discount of their terms.
fn one_item(owed: &Owed, amount: i64, scale: &Scale<'_>, finder: &Finder<'_>, guesses: &mut Vec<Guess>) {
    let items = &finder.snapshot.items;
    let chance = owed.amounts.chance_ppm(amount, owed.slots.len());
    for slot in &owed.slots {
        let open = items.open_minor[*slot as usize];
        let discount = scale.discount(*slot);
        if open == amount {
            guesses.push(guess(vec![*slot], Fact::OneItemEqual, chance, 4_500));
        } else if discount > 0 && open - discount == amount {
            let mut found = guess(vec![*slot], Fact::OneItemEqual, chance, 4_000);
            found.less_discount = true;
            guesses.push(found);
        }
    }
}

fn guess(slots: Vec<Slot>, fact: Fact, chance_ppm: i64, points_milli: i64) -> Guess {
    Guess { slots, facts: FactSet::EMPTY.with(fact), chance_ppm, points_milli, less_discount: false }
}

/// Drafts the guesses, best first; the same items found in two ways are one explanation with both facts.
fn rank(
    guesses: Vec<Guess>,
    amount: i64,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
    state: &mut State,
    trail: &mut Trail,
) -> Vec<Draft> {
    let items = &finder.snapshot.items;
    let mut distinct: Vec<Guess> = Vec::new();
    for guess in guesses {
        let ids: BTreeSet<_> = guess.slots.iter().map(|slot| items.id[*slot as usize]).collect();
        let same = |known: &&mut Guess| known.slots.iter().map(|slot| items.id[*slot as usize]).collect::<BTreeSet<_>>() == ids;
        match distinct.iter_mut().find(same) {
            Some(known) => {
                // Age is no longer what found it.
                known.facts = known.facts.union(guess.facts).without(Fact::OldestFirst);
                known.chance_ppm = known.chance_ppm.min(guess.chance_ppm);
                known.points_milli = known.points_milli.max(guess.points_milli);
            }
            None => distinct.push(guess),
        }
    }
    distinct.sort_by_key(|guess| {
        (std::cmp::Reverse(guess.points_milli), guess.slots.iter().map(|slot| items.id[*slot as usize]).min())
    });
    let exact = distinct.iter().filter(|guess| !guess.facts.has(Fact::OldestFirst)).count();
    note(&distinct, exact, amount, finder, trail);
    if let Some(best) = distinct.first() {
        state.facts = state.facts.union(best.facts);
        state.facts.set(Fact::ChanceLow, best.chance_ppm <= finder.rules.engine.combination.chance_hits_max_ppm());
        // Two explanations by amount alone are never told apart by points: how many there are decides.
        if exact > 1 {
            state.block(crate::domain::Reason::Ambiguous, format!("{exact} sets of open items have exactly this amount"));
        }
    }
    distinct.iter().take(PROPOSALS_MAX).map(|guess| draft(guess, amount, scale, finder)).collect()
}

fn note(distinct: &[Guess], exact: usize, amount: i64, finder: &Finder<'_>, trail: &mut Trail) {
    let amount = figure(amount, finder.currency);
    let text = match (exact, distinct.first()) {
        (0, _) | (_, None) => format!("nothing the payer owes adds up to {amount}"),
        (1, Some(best)) => format!(
            "one set of open items has exactly {amount}; about {} in a million unrelated amounts would hit something as well",
            best.chance_ppm
        ),
        (several, _) => format!("{several} sets of open items have exactly {amount}"),
    };
    trail.note("joint", text);
}

fn draft(guess: &Guess, amount: i64, scale: &Scale<'_>, finder: &Finder<'_>) -> Draft {
    let claim = Claim::default();
    let items = &finder.snapshot.items;
    let chosen: Vec<Choice> = guess
        .slots
        .iter()
        .map(|slot| {
            let open = items.open_minor[*slot as usize];
            let cash = if guess.less_discount { amount } else { open };
            let fit = scale.fit(*slot, &claim, cash);
            Choice {
                level: Level::Scanned,
                standing: Standing::Same,
                mention: 0,
                cash_minor: fit.cash_minor,
                parts: vec![(*slot, fit)],
                points_milli: guess.points_milli,
                date_agrees: None,
                po_agrees: false,
                derived: Derived::Written,
            }
        })
        .collect();
    let picks: Vec<Pick<'_>> = chosen.iter().map(|choice| Pick { claim: None, choice }).collect();
    Draft::new(&picks, amount, guess.points_milli, finder)
}
