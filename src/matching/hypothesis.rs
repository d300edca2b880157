//! Explains a payment that names nothing, by what the payer owes: one item, everything, everything due, one single sum.
//!
//! Amounts agree by chance, so the number of explanations and the chance of a coincidence are part of the answer; rules decide whether that is enough.

use std::collections::BTreeSet;

use chrono::Datelike as _;

use super::amount::Scale;
use super::candidate::{Finder, Level};
use super::chance::{self, Amounts};
use super::choice::{Choice, Derived};
use super::claim::Claim;
use super::decide::{Case, Found, State};
use super::draft::{Draft, Pick};
use super::duplicate;
use super::limits::{OWN_ITEMS_MAX, PROPOSALS_MAX};
use super::named::Named;
use super::near;
use super::payer::Standing;
use super::snapshot::Slot;
use super::trail::{Trail, figure};
use crate::domain::Reason;
use crate::rules::{Fact, FactSet, StepKind};

/// An explanation by amount: the items, and what was found about them.
pub(super) struct Guess {
    slots: Vec<Slot>,
    /// What each of them takes.
    cash_minor: Vec<i64>,
    facts: FactSet,
    /// Chance of a coincidence in millionths.
    chance_ppm: i64,
    pub(super) points_milli: i64,
}

/// What the payer owes, oldest first.
pub(super) struct Owed {
    pub(super) slots: Vec<Slot>,
    amounts: Amounts,
    /// Items nothing was paid on, with what paying them in full takes, with what it takes less the discounts earned today, and less all discounts;
    /// and once more without the items that payments name which wait for a person. Each view that differs from those before.
    views: Vec<Vec<(Slot, i64)>>,
    /// Views that differ in what items take, and not only in what is passed over.
    kinds: usize,
}

pub(super) fn explain(case: &Case<'_>, finder: &mut Finder<'_>, state: &mut State, trail: &mut Trail) -> Found {
    for fact in [Fact::AdviceBalanced, Fact::SameCurrency, Fact::NotClosed, Fact::CreditsKnown, Fact::ReferencesFound] {
        state.facts.insert(fact);
    }
    trail.note("reference", "the payer names nothing");
    let likely = finder.payer.likely(&finder.snapshot.customers);
    if likely.is_empty() {
        return Found { drafts: anybody(case, finder, state, trail), named: Named::default() };
    }
    if let Some(other) = duplicate::undecided(case.payment, finder.snapshot, finder.rules) {
        let text =
            format!("it names nothing, and payment {other} of the same payer and amount still waits: this may be the same debt");
        trail.note("duplicate", text.clone());
        state.block(Reason::DuplicatePayment, text);
    }
    let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
    let amount = case.payment.unapplied_minor;
    let mut guesses: Vec<Guess> = Vec::new();
    let mut owing: Vec<Owed> = Vec::new();
    for number in likely.iter().copied() {
        let Some(owed) = owed(number, &scale, finder, state) else { continue };
        for step in finder
            .rules
            .for_customer(Some(finder.snapshot.customers.code(number)))
            .steps(&[crate::rules::Need::Payer, crate::rules::Need::NoReferences])
        {
            run(step.step, &owed, amount, &scale, finder, trail, &mut guesses);
        }
        owing.push(owed);
    }
    for guess in &mut guesses {
        guess.chance_ppm = guess.chance_ppm.saturating_mul(i64::try_from(likely.len()).unwrap_or(i64::MAX)).min(1_000_000);
    }
    let exact = guesses.iter().any(|guess| !guess.facts.has(Fact::OldestFirst));
    let mut near = if exact { Vec::new() } else { near::guesses(&owing, amount, &scale, finder) };
    if near.is_empty() {
        return Found { drafts: rank(guesses, amount, &scale, finder, state, trail), named: Named::default() };
    }
    let text = format!("nothing the payer owes adds up to {}; what comes near is proposed", figure(amount, finder.currency));
    trail.note("joint", text.clone());
    state.block(Reason::NoRemittance, text);
    near.extend(guesses);
    near.sort_by_key(|guess| std::cmp::Reverse(guess.points_milli));
    let drafts = near.iter().take(PROPOSALS_MAX).map(|guess| draft(guess, amount, &scale, finder)).collect();
    Found { drafts, named: Named::default() }
}

/// Nothing says who paid: the items that alone take the cash, whoever owes them, for a person to look at.
fn anybody(case: &Case<'_>, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) -> Vec<Draft> {
    let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
    let amount = case.payment.unapplied_minor;
    let equal = &finder.equal;
    if equal.is_empty() {
        trail.note("joint", "without a known payer there is nothing to compare the amount with");
        return Vec::new();
    }
    let text = format!("nothing says who paid; {} open items are open for this amount", equal.len());
    trail.note("joint", text.clone());
    state.block(Reason::UnidentifiedPayer, text);
    state.facts.set(Fact::ChanceLow, false);
    // A customer whose name resembles the payer's goes first, then what falls due first.
    let items = &finder.snapshot.items;
    let mut ranked: Vec<Slot> = equal.clone();
    ranked.sort_by_key(|slot| {
        let standing = finder.payer.standing(items.customer[*slot as usize], finder.snapshot, finder.rules, finder.came).0;
        (std::cmp::Reverse(standing), items.due_date[*slot as usize], items.id[*slot as usize])
    });
    let draft = |slot: &Slot| draft(&guess(vec![(*slot, amount)], Fact::OneItemEqual, 1_000_000, 0), amount, &scale, finder);
    ranked.iter().take(PROPOSALS_MAX).map(draft).collect()
}

/// Open items of a payer that exist on the day, by due date.
fn owed(customer: u32, scale: &Scale<'_>, finder: &Finder<'_>, state: &mut State) -> Option<Owed> {
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
    slots.sort_by(|a, b| {
        let key = |slot: Slot| (items.due_date[slot as usize], items.folded(slot), items.id[slot as usize]);
        key(*a).cmp(&key(*b))
    });
    let open = |slot: &Slot| items.open_minor[*slot as usize];
    let amounts = Amounts::of(slots.iter().map(open));
    // What is left of an item paid in part is in dispute, and payers pass over it.
    let whole: Vec<Slot> = slots.iter().copied().filter(|slot| open(slot) == items.amount_minor[*slot as usize]).collect();
    // What each takes in full, less the discounts earned today, and less all discounts: who takes discounts takes them late, too.
    let takes = |slot: &Slot| {
        let discount = scale.discount(*slot);
        let earned = if discount > 0 { scale.earned(*slot) } else { 0 };
        (*slot, [open(slot), open(slot) - earned, open(slot) - discount])
    };
    let whole: Vec<(Slot, [i64; 3])> = whole.iter().map(takes).collect();
    // What a payment names that waits for a person is paid already, as far as the payer is concerned.
    let free: Vec<(Slot, [i64; 3])> = whole.iter().copied().filter(|(slot, _)| !finder.is_spoken_for(*slot)).collect();
    let mut views: Vec<Vec<(Slot, i64)>> = Vec::new();
    let mut kinds = 0;
    for (at, slots) in [whole, free].into_iter().enumerate() {
        let view = |of: usize| slots.iter().map(|(slot, takes)| (*slot, takes[of])).collect();
        for view in [view(0), view(1), view(2)] {
            if !views.contains(&view) {
                views.push(view);
            }
        }
        if at == 0 {
            kinds = views.len();
        }
    }
    (!slots.is_empty()).then_some(Owed { slots, amounts, views, kinds })
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
            let all = owed.slots.iter().map(|slot| (*slot, open(slot))).collect();
            guesses.push(guess(all, Fact::AccountClears, owed.amounts.chance_ppm(amount, 1), 4_500));
        }
        StepKind::ClearPastDue => owed.views.iter().for_each(|view| statements(view, owed, amount, finder, guesses)),
        StepKind::UniqueCombination => {
            // The fewest items are as few with and without those that are spoken for.
            for view in &owed.views[..owed.kinds] {
                let before = guesses.len();
                combinations(view, owed, amount, finder, trail, guesses);
                // Discounts are taken late less often than in time.
                let late = |slot: &Slot, cash: &i64| *cash < open(slot) - scale.earned(*slot);
                for guess in guesses.iter_mut().skip(before) {
                    if guess.slots.iter().zip(&guess.cash_minor).any(|(slot, cash)| late(slot, cash)) {
                        guess.chance_ppm = guess.chance_ppm.saturating_mul(LATE_TIMES).min(1_000_000);
                    }
                }
            }
        }
        StepKind::OldestFirst => {
            let mut taken = Vec::new();
            let mut rest = amount;
            for slot in owed.slots.iter().filter(|slot| open(slot) > 0) {
                if open(slot) <= rest {
                    rest -= open(slot);
                    taken.push((*slot, open(slot)));
                }
            }
            if !taken.is_empty() {
                guesses.push(guess(taken, Fact::OldestFirst, 1_000_000, -2_000));
            }
        }
        _ => {}
    }
}

/// The fewest items that have this sum: of all that is open, and of what falls due within a few days, where few sums can hit by chance.
fn combinations(
    view: &[(Slot, i64)],
    owed: &Owed,
    amount: i64,
    finder: &Finder<'_>,
    trail: &mut Trail,
    guesses: &mut Vec<Guess>,
) {
    let limits = &finder.rules.engine.combination;
    let positive: Vec<(Slot, i64)> = view.iter().copied().filter(|(_, cash)| *cash > 0).collect();
    let amounts: Vec<i64> = positive.iter().map(|(_, cash)| *cash).collect();
    let all_tried =
        |size: usize| amounts.len() <= limits.open_items_max && chance::combinations(amounts.len(), 2..=size) <= chance::SUMS_MAX;
    let mut add = |subset: &[usize], tried: usize, points_milli: i64| {
        let taken = subset.iter().map(|index| positive[*index]).collect();
        // Where not every set of as few items can be tried, another one may have this sum: what is found is a proposal.
        let (chance_ppm, points_milli) = match all_tried(subset.len()) {
            true => {
                let near = chance::near_ppm(&amounts, amount, subset.len(), tried);
                (owed.amounts.chance_ppm(amount, tried).max(near), points_milli)
            }
            false => (1_000_000, points_milli - UNCOUNTED_MILLI),
        };
        guesses.push(guess(taken, Fact::Combination, chance_ppm, points_milli));
    };
    if let Some((days, sets, tried)) = due_together(&positive, amount, limits.items_max, finder) {
        // Items of one run are one kind of sum among others that are tried, in each of the views.
        let tried = tried.saturating_mul(2 * owed.kinds);
        sets.iter().for_each(|subset| add(subset, tried, 3_300 - 10 * days));
    }
    if positive.len() > limits.open_items_max {
        let text = format!("the payer has {} open items; sums of at most {} are trusted", positive.len(), limits.open_items_max);
        trail.note("joint", text);
    }
    // The fewest items first: larger sets have any sum by coincidence and say nothing against a smaller one.
    for most in 2..=limits.items_max {
        let tried = chance::combinations(positive.len(), 2..=most);
        if tried > chance::SUMS_MAX {
            return;
        }
        let sets = chance::subsets(&amounts, amount, 2..=most, PROPOSALS_MAX);
        sets.iter().for_each(|subset| add(subset, tried, 3_000));
        if !sets.is_empty() {
            return;
        }
    }
}

/// Sets of items that fall due within so few days and have this sum, with the days and how many sums were tried: people pay in runs. `items` are in the
/// order of their due dates.
fn due_together(items: &[(Slot, i64)], amount: i64, most: usize, finder: &Finder<'_>) -> Option<(i64, Vec<Vec<usize>>, usize)> {
    let due: Vec<i32> = items.iter().map(|(slot, _)| finder.snapshot.items.due_date[*slot as usize].num_days_from_ce()).collect();
    let end = |from: usize, days: i32| from + due[from..].partition_point(|day| day - due[from] <= days);
    let cash: Vec<i64> = items.iter().map(|(_, cash)| *cash).collect();
    for days in RUN_DAYS {
        let later: Vec<usize> = (0..items.len()).map(|from| end(from, days)).collect();
        // Each set is counted once, with the item that falls due first.
        let others =
            |sizes: usize| later.iter().enumerate().map(move |(from, end)| chance::combinations(end - from - 1, 1..=sizes - 1));
        for size in 2..=most {
            let tried = others(size).fold(0usize, usize::saturating_add);
            if tried > chance::SUMS_MAX {
                return None;
            }
            let sets: Vec<Vec<usize>> = later
                .iter()
                .enumerate()
                .flat_map(|(from, end)| {
                    let rest = chance::subsets(&cash[from + 1..*end], amount - cash[from], size - 1..=size - 1, PROPOSALS_MAX);
                    rest.into_iter()
                        .map(move |set| std::iter::once(from).chain(set.into_iter().map(|at| from + 1 + at)).collect())
                })
                .take(PROPOSALS_MAX)
                .collect();
            if !sets.is_empty() {
                return Some((days.into(), sets, tried));
            }
        }
    }
    None
}

/// Times by which a sum that takes discounts too late is more likely a coincidence.
const LATE_TIMES: i64 = 2;

/// What a sum is worth less where not all sums as small could be tried.
const UNCOUNTED_MILLI: i64 = 5_000;

/// Days within which the items of one payment run fall due.
const RUN_DAYS: [i32; 2] = [0, 3];

/// Neighbours by due date and number: everything from the oldest on, everything that falls due between two days, everything from one item to another.
fn statements(view: &[(Slot, i64)], owed: &Owed, amount: i64, finder: &Finder<'_>, guesses: &mut Vec<Guess>) {
    if view.len() > STATEMENT_ITEMS_MAX {
        return;
    }
    let items = &finder.snapshot.items;
    let due = |at: usize| view.get(at).map(|(slot, _)| items.due_date[*slot as usize]);
    let days = (0..view.len()).filter(|at| *at == 0 || due(*at) != due(*at - 1)).count();
    for from in 0..view.len() {
        let mut sum = 0i64;
        let first_of_day = from == 0 || due(from) != due(from - 1);
        for at in from..view.len() {
            sum = sum.saturating_add(view[at].1);
            if at > from && sum == amount && !has_twin(view, from..at + 1, finder) {
                // The oldest first is what statements do, wherever they stop; the freer the ends, the more ways there are to a sum.
                let tried = match (from, first_of_day, due(at) != due(at + 1)) {
                    (0, _, _) => view.len(),
                    (_, true, true) => days * (days + 1) / 2,
                    (_, true, false) | (_, false, true) => days * view.len(),
                    (_, false, false) => view.len() * view.len() / 2,
                };
                let chance = owed.amounts.chance_ppm(amount, tried);
                guesses.push(guess(view[from..=at].to_vec(), Fact::PastDueClears, chance, 4_000));
            }
        }
    }
}

/// Open items of a payer whose statements are tried.
const STATEMENT_ITEMS_MAX: usize = 400;

/// Whether an item outside the range could stand for one inside: then the sum says nothing about which of them is paid.
fn has_twin(view: &[(Slot, i64)], range: std::ops::Range<usize>, finder: &Finder<'_>) -> bool {
    let open = |(slot, _): &(Slot, i64)| finder.snapshot.items.open_minor[*slot as usize];
    let inside: BTreeSet<i64> = view[range.clone()].iter().map(open).collect();
    view[..range.start].iter().chain(&view[range.end..]).any(|other| inside.contains(&open(other)))
}

/// Items that alone are open for the amount, in full or net of the discount of their terms.
fn one_item(owed: &Owed, amount: i64, scale: &Scale<'_>, finder: &Finder<'_>, guesses: &mut Vec<Guess>) {
    let items = &finder.snapshot.items;
    let chance = owed.amounts.chance_ppm(amount, owed.slots.len());
    for slot in &owed.slots {
        let open = items.open_minor[*slot as usize];
        let discount = scale.discount(*slot);
        if open == amount {
            guesses.push(guess(vec![(*slot, amount)], Fact::OneItemEqual, chance, 4_500));
        } else if discount > 0 && open - discount == amount {
            guesses.push(guess(vec![(*slot, amount)], Fact::OneItemEqual, chance, 4_000));
        }
    }
}

fn guess(taken: Vec<(Slot, i64)>, fact: Fact, chance_ppm: i64, points_milli: i64) -> Guess {
    let (slots, cash_minor) = taken.into_iter().unzip();
    Guess { slots, cash_minor, facts: FactSet::EMPTY.with(fact), chance_ppm, points_milli }
}

/// A guess that does not add up, or leaves too much to chance, for a person to look at.
pub(super) fn proposal(taken: Vec<(Slot, i64)>, points_milli: i64) -> Guess {
    let (slots, cash_minor) = taken.into_iter().unzip();
    Guess { slots, cash_minor, facts: FactSet::EMPTY, chance_ppm: 1_000_000, points_milli }
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
    // The rarer a coincidence, the more an explanation by amount is worth.
    for guess in &mut distinct {
        guess.points_milli += chance::rarity_milli(guess.chance_ppm);
    }
    distinct.sort_by_key(|guess| {
        (std::cmp::Reverse(guess.points_milli), guess.slots.iter().map(|slot| items.id[*slot as usize]).min())
    });
    // A larger set with the same sum is no rival of a smaller one.
    let fewest = distinct.first().map_or(0, |best| best.slots.len());
    let exact = distinct.iter().filter(|guess| !guess.facts.has(Fact::OldestFirst) && guess.slots.len() <= fewest).count();
    note(&distinct, exact, amount, finder, trail);
    if let Some(best) = distinct.first() {
        state.facts = state.facts.union(best.facts);
        let limits = &finder.rules.engine.combination;
        let ordered = [Fact::PastDueClears, Fact::AccountClears].iter().any(|fact| best.facts.has(*fact));
        // Several customers share the name: the amount must tell who paid, too.
        let shared = finder.payer.strong().is_empty();
        let most_ppm = match best.facts.has(Fact::OneItemEqual) {
            true if shared => limits.chance_hits_max_ppm(),
            true => limits.one_item_chance_hits_max_ppm(),
            false if ordered => limits.chance_hits_max_ppm(),
            false => limits.any_items_chance_hits_max_ppm(),
        };
        let rare = best.chance_ppm <= most_ppm;
        state.facts.set(Fact::ChanceLow, rare);
        if shared && !rare {
            state.block(Reason::UnidentifiedPayer, "the name fits several customers, and nothing else tells which of them paid");
        }
        state.chance_ppm = Some(best.chance_ppm);
        // Two explanations by amount alone are never told apart by points: how many there are decides.
        if exact > 1 {
            state.block(Reason::Ambiguous, format!("{exact} sets of open items have exactly this amount"));
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
    let chosen: Vec<Choice> = guess
        .slots
        .iter()
        .zip(&guess.cash_minor)
        .map(|(slot, cash)| {
            let fit = scale.fit(*slot, &claim, *cash);
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
