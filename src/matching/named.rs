//! Explains a payment by the items its payer names.

use std::borrow::Cow;

use super::amount::Scale;
use super::candidate::{Finder, Hit, Hits, Level};
use super::choice::{Choice, Derived, choices};
use super::claim::{Claim, Claims};
use super::completion::{self, Rest, Takes};
use super::decide::{Case, Found, State};
use super::draft::{Draft, Pick};
use super::equal;
use super::joint;
use super::limits::OWN_ITEMS_MAX;
use super::payer::Standing;
use super::shortfall;
use super::slip;
use super::snapshot::{Kind, Slot, Slots};
use super::tied;
use super::trail::{Trail, evidence, excerpt, figure};
use crate::domain::{EvidenceItem, ItemKind, Reason};
use crate::normalise::{self, Reference};
use crate::rules::{Fact, FactSet};

/// What looking for named items showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The payer named something.
    pub(super) any: bool,
    /// Cash is left over after all lines.
    pub(super) over: bool,
    /// Chance in millionths that items taken beside those named have their sum by coincidence; 0 where none were.
    pub(super) chance_ppm: i64,
}

/// Whether a reference is the number of an open credit memo.
pub(super) fn names_credit(reference: &Reference, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    finder.sellers.iter().any(|seller| {
        items.filed(Kind::Number, *seller, &reference.folded).iter().any(|slot| {
            items.folded(*slot) == reference.folded && items.kind[*slot as usize] == ItemKind::CreditMemo && items.is_open(*slot)
        })
    })
}

/// Finds the best complete explanations of the claims.
pub(super) fn explain(case: &Case<'_>, claims: &Claims, finder: &mut Finder<'_>, state: &mut State, trail: &mut Trail) -> Found {
    let amount_minor = case.payment.unapplied_minor;
    balance(case, claims, amount_minor, finder, state, trail);
    let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
    let mut resolved = resolve(claims, amount_minor, &scale, finder, state, trail);
    let ways: Vec<&[Choice]> = resolved.ways.iter().map(|(_, ways)| ways.as_slice()).collect();
    let target = amount_minor.saturating_sub(resolved.unresolved_minor);
    let mut found = joint::search(&ways, target);
    if found.complete.is_empty() && found.bound.is_none() && !resolved.ways.is_empty() {
        found.complete = shortfall::explain(&mut resolved.ways, target, &scale, finder, state, trail);
    }
    state.bound = state.bound.take().or(found.bound);
    let mut drafts: Vec<Draft> = found
        .complete
        .iter()
        .map(|explanation| Draft::new(&picks(&explanation.picks, &resolved), amount_minor, explanation.points_milli, finder))
        .collect();
    let chance_ppm = take_the_unnamed(&mut drafts, found.complete.first(), &resolved, &scale, finder, state, trail);
    if names_more_than_it_pays(&drafts, &resolved) {
        state.facts.insert(Fact::ReferencesFound);
        state.blocks.retain(|(reason, _)| *reason != Reason::ReferenceNotFound);
        trail.note("reference", "the other references take all the cash; what names nothing takes none of it");
    }
    note_picks(found.complete.first().map(|best| best.picks.as_slice()).unwrap_or_default(), &resolved, finder, trail);
    not_yet_known(found.complete.first().map(|best| best.picks.as_slice()).unwrap_or_default(), &resolved, finder, state, trail);
    left_over(&drafts, claims, &scale, finder, state, trail);
    unsaid(&drafts, claims, &scale, finder, state, trail);
    tied::doubt(case, &drafts, finder, state, trail);
    let over = drafts.first().is_some_and(|draft| draft.proposal.unapplied_minor > 0);
    Found { drafts, named: Named { any: true, over, chance_ppm } }
}

/// Cash beyond the items named goes to the items that explain it, where there is one way to. Gives the chance of a coincidence in millionths.
fn take_the_unnamed(
    drafts: &mut Vec<Draft>,
    best: Option<&joint::Explanation>,
    resolved: &Resolved<'_>,
    scale: &Scale<'_>,
    finder: &Finder<'_>,
    state: &mut State,
    trail: &mut Trail,
) -> i64 {
    let (Some(draft), Some(best)) = (drafts.first(), best) else { return 0 };
    let named = picks(&best.picks, resolved);
    let mut whole = completion::complete(draft, draft.proposal.unapplied_minor, Takes::Open, scale, finder, trail);
    let mut settled = None;
    // Discounts are looked for where all that is named takes part, and no sum of it in full was the cash already.
    let explained = draft.proposal.unapplied_minor == 0 && !draft.lines.iter().any(|line| line.has(Fact::AmountShort));
    let all_take_part = best.picks.iter().all(Option::is_some);
    if let Some(net) = less_discounts(&named, scale).filter(|_| all_take_part && !explained) {
        let rest_minor = net.iter().fold(draft.cash_minor(), |rest, choice| rest.saturating_sub(choice.cash_minor));
        let completed = completion::complete(draft, rest_minor, Takes::LessDiscount, scale, finder, trail);
        if completed.is_likelier_than(&whole) {
            (whole, settled) = (completed, Some(net));
        }
    }
    let completion = match whole {
        Rest::By(completion) => completion,
        Rest::Several => {
            state.block(Reason::Ambiguous, "what is left over has the sum of several sets of open items");
            return 0;
        }
        Rest::Nothing => return 0,
    };
    if named_otherwise(best, resolved, finder) {
        state.block(Reason::Ambiguous, "what is named may be other items as well, and what is left over fits either way");
    }
    // What names nothing stands for the items found: as many of them as of it.
    if resolved.lost_without_amount == completion.choices.len() && resolved.lost == resolved.lost_without_amount {
        state.facts.insert(Fact::ReferencesFound);
        state.blocks.retain(|(reason, _)| *reason != Reason::ReferenceNotFound);
    }
    // Less came than all that is named takes in full, and it is paid less its discounts.
    if settled.is_some() {
        state.blocks.retain(|(reason, _)| *reason != Reason::ShortPaid);
    }
    // A lone claim was given all the cash; now it takes what is open on its item, and the rest is what that leaves.
    let settled = settled.unwrap_or_else(|| named.iter().map(|pick| taking(pick, Takes::Open, scale)).collect());
    let named = named.iter().zip(&settled).map(|(pick, choice)| Pick { claim: pick.claim, choice });
    let unnamed = completion.choices.iter().map(|choice| Pick { claim: None, choice });
    let picks: Vec<Pick<'_>> = named.chain(unnamed).collect();
    let whole = Draft::new(&picks, draft.cash_minor(), best.points_milli, finder);
    drafts.retain(|other| other.proposal.unapplied_minor == 0 && !other.lines.iter().any(|line| line.has(Fact::AmountShort)));
    drafts.insert(0, whole);
    // Each other item that a slip or an order may mean leaves another rest, and another chance to hit its sum.
    let levels =
        best.picks.iter().zip(&resolved.ways).filter_map(|(pick, (_, ways))| Some((ways.get((*pick)?)?.level, ways.len())));
    let several = levels.filter(|(level, _)| *level > Level::Scanned || level.names_several());
    let rests = several.map(|(_, ways)| i64::try_from(ways).unwrap_or(i64::MAX));
    completion.chance_ppm.saturating_mul(rests.fold(1, i64::saturating_mul)).min(1_000_000)
}

/// Whether what is named and found takes all the cash, in full or as its terms say, and what names nothing has no amount of its own.
fn names_more_than_it_pays(drafts: &[Draft], resolved: &Resolved<'_>) -> bool {
    let Some(draft) = drafts.first() else { return false };
    let settled = |line: &FactSet| {
        (line.has(Fact::AmountExact) || line.has(Fact::AmountNetOfDiscount))
            && [Fact::ReferenceExact, Fact::ReferenceFolded, Fact::ReferenceCore].iter().any(|fact| line.has(*fact))
    };
    resolved.lost > 0
        && resolved.lost == resolved.lost_without_amount
        && draft.proposal.unapplied_minor == 0
        && draft.lines.len() == resolved.ways.len()
        && draft.lines.iter().all(settled)
}

/// Whether a claim could mean another item just as well, one of the same amount that no other claim takes.
fn named_otherwise(best: &joint::Explanation, resolved: &Resolved<'_>, finder: &Finder<'_>) -> bool {
    let open = |choice: &Choice| {
        choice.parts.iter().map(|(slot, _)| finder.snapshot.items.open_minor[*slot as usize]).fold(0i64, i64::saturating_add)
    };
    let picked = || best.picks.iter().zip(&resolved.ways).filter_map(|(pick, (_, ways))| Some((&ways[(*pick)?], ways)));
    picked().any(|(choice, ways)| {
        ways.iter().any(|way| {
            way.points_milli >= choice.points_milli
                && open(way) == open(choice)
                && !picked().any(|(other, _)| other.shares_items_with(way))
        })
    })
}

/// A choice whose cash was ours to give, with what its item takes in full or less its discount instead.
fn taking(pick: &Pick<'_>, takes: Takes, scale: &Scale<'_>) -> Choice {
    let mut choice = pick.choice.clone();
    if let Some(claim) = pick.claim.filter(|claim| claim.net_is_ours || claim.net_minor.is_none() && takes == Takes::LessDiscount)
    {
        for (slot, fit) in &mut choice.parts {
            *fit = scale.fit(*slot, claim, takes.cash(*slot, scale));
        }
        choice.cash_minor = choice.parts.iter().fold(0, |sum, (_, fit)| sum.saturating_add(fit.cash_minor));
    }
    choice
}

/// All that is named less its discounts, where the payer wrote no amounts and any discount could be taken.
fn less_discounts(named: &[Pick<'_>], scale: &Scale<'_>) -> Option<Vec<Choice>> {
    let unsaid = |pick: &Pick<'_>| pick.claim.is_some_and(|claim| claim.net_is_ours || claim.net_minor.is_none());
    let any = || named.iter().flat_map(|pick| &pick.choice.parts).any(|(slot, _)| scale.discount(*slot) > 0);
    (named.iter().all(unsaid) && any()).then(|| named.iter().map(|pick| taking(pick, Takes::LessDiscount, scale)).collect())
}

/// Whether the items of a reading take all the cash, none of it left over or missing.
pub(super) fn adds_up(case: &Case<'_>, claims: &Claims, finder: &mut Finder<'_>) -> bool {
    let scale = Scale { snapshot: finder.snapshot, rules: finder.rules, currency: finder.currency, paid: case.paid() };
    let ways: Vec<Vec<Choice>> = claims.claims.iter().map(|claim| choices(claim, &finder.hits(claim).hits, &scale)).collect();
    let ways: Vec<&[Choice]> = ways.iter().map(Vec::as_slice).collect();
    let found = joint::search(&ways, case.payment.unapplied_minor);
    let exact = |pick: &(usize, &Option<usize>)| {
        pick.1
            .and_then(|index| ways[pick.0].get(index))
            .is_some_and(|choice| choice.parts.iter().all(|(_, fit)| fit.kind.agrees()))
    };
    found.complete.first().is_some_and(|best| {
        best.cash_minor == case.payment.unapplied_minor && best.picks.iter().enumerate().all(|pick| exact(&pick))
    })
}

/// Less came than the items named are open for, and the payer wrote no amounts: a credit or another item may be meant that it did not name.
fn unsaid(drafts: &[Draft], claims: &Claims, scale: &Scale<'_>, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    let short = drafts.first().is_some_and(|draft| draft.lines.iter().any(|line| line.has(Fact::AmountShort)));
    if !short || !claims.claims.iter().any(|claim| claim.net_is_ours || claim.net_minor.is_none()) {
        return;
    }
    if drafts.first().is_some_and(|draft| names_all(draft, claims, scale, finder)) {
        return;
    }
    let word = claims
        .unread
        .first()
        .map(|word| format!("; the text also says {word:?}, which names nothing that is open"))
        .unwrap_or_default();
    let text = format!("less came than is open, and the payer wrote no amounts{word}");
    trail.note("amount", text.clone());
    state.block(Reason::ShortPaid, text);
}

/// Every word of the text is understood, one item is named, alone or beside credits, and neither a discount nor another credit could explain what
/// is missing: then the payer paid less.
fn names_all(draft: &Draft, claims: &Claims, scale: &Scale<'_>, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let mut debits = draft.proposal.lines.iter().filter(|line| line.cash_minor > 0);
    let (Some(line), None) = (debits.next(), debits.next()) else { return false };
    claims.unread.is_empty()
        && items.slot(line.item).is_some_and(|slot| {
            let missing = items.open_minor[slot as usize].saturating_sub(line.closes_minor().unwrap_or(0));
            let mut own = items.open_of(items.customer[slot as usize]).iter().take(OWN_ITEMS_MAX);
            let credit = |other: &Slot| {
                let open = items.open_minor[*other as usize];
                open < 0 && scale.is_small(slot, open.saturating_add(missing).saturating_abs())
            };
            // Where a discount could be taken, less may be more than the net.
            scale.discount(slot) == 0 && !own.any(credit)
        })
}

/// Claims with the ways to meet them.
struct Resolved<'c> {
    ways: Vec<(&'c Claim, Vec<Choice>)>,
    /// What the claims without a way ask for.
    unresolved_minor: i64,
    /// Claims that name nothing that is open, and those of them that say no amount.
    lost: usize,
    lost_without_amount: usize,
}

fn picks<'r>(indexes: &[Option<usize>], resolved: &'r Resolved<'_>) -> Vec<Pick<'r>> {
    let chosen = indexes.iter().zip(&resolved.ways);
    chosen.filter_map(|(index, (claim, ways))| Some(Pick { claim: Some(*claim), choice: &ways[(*index)?] })).collect()
}

/// Cash beyond all lines: an overpayment, unless an open item has exactly this amount and a line was forgotten.
fn left_over(drafts: &[Draft], claims: &Claims, scale: &Scale<'_>, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    let Some(best) = drafts.first() else { return };
    let rest = best.proposal.unapplied_minor;
    let used: i64 = best.proposal.lines.iter().map(|line| line.cash_minor).fold(0, i64::saturating_add);
    if rest > 0 && used <= 0 && !best.proposal.lines.is_empty() {
        return state.block(Reason::CreditMemoOpen, "credits are named, and nothing that they reduce");
    }
    if rest <= 0 || !state.facts.has(Fact::ReferencesFound) {
        return;
    }
    let items = &finder.snapshot.items;
    let equal = |slot: &&Slot| {
        let open = items.open_minor[**slot as usize];
        items.currency[**slot as usize] == finder.currency
            && (open == rest || open > rest && open - scale.discount(**slot) == rest)
    };
    let forgotten = best.customers.iter().flat_map(|customer| items.open_of(*customer).iter().take(OWN_ITEMS_MAX).filter(equal));
    let forgotten = forgotten.filter(|slot| items.entered_date[**slot as usize] <= finder.today);
    let taken = |slot: &Slot| best.proposal.lines.iter().any(|line| line.item == items.id[*slot as usize]);
    let forgotten = forgotten.copied().filter(|slot| !taken(slot)).min_by_key(|slot| items.id[*slot as usize]);
    let rest = figure(rest, finder.currency);
    if let Some(slot) = forgotten {
        let text =
            format!("{rest} is left over, exactly what {} is open for: the payer may have forgotten a line", items.number(slot));
        trail.note("joint", text.clone());
        return state.block(Reason::Ambiguous, text);
    }
    if claims.claims.iter().any(|claim| claim.net_minor.is_none() || claim.net_is_ours) {
        let text = format!("{rest} is left over after all items named, and the payer wrote no amounts: items may be missing");
        trail.note("joint", text.clone());
        return state.block(Reason::Overpaid, text);
    }
    let most = finder.rules.reasons.overpaid_percent_max;
    if let Some(most) = most.filter(|most| !most.covers(best.proposal.unapplied_minor, used)) {
        let text = format!("{rest} is left over, more than {most} % of what the items named take: items may be missing");
        trail.note("joint", text.clone());
        return state.block(Reason::Overpaid, text);
    }
    state.facts.insert(Fact::AmountOver);
    trail.note("joint", format!("{rest} more came than the items take; it stays unapplied"));
}

/// Whether the advice adds up to the payment. Cash beyond its lines is an overpayment only where the advice itself adds up.
fn balance(case: &Case<'_>, claims: &Claims, amount: i64, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    let stated = case.remittance.and_then(|remittance| remittance.balanced);
    let total = claims.total_minor();
    let money = |minor| figure(minor, finder.currency);
    if stated == Some(false) {
        let sum = total.map(money).unwrap_or_default();
        let text = format!("the lines of the advice add up to {sum}, which is not its own total");
        trail.note("amount", text.clone());
        return state.block(Reason::RemittanceOutOfBalance, text);
    }
    match total {
        Some(total) if total > amount => {
            let text = format!("the lines add up to {}, {} more than came", money(total), money(total - amount));
            trail.note("amount", text.clone());
            state.block(Reason::RemittanceOutOfBalance, text);
        }
        Some(total) if total < amount => {
            state.facts.insert(Fact::AdviceBalanced);
            trail.note("amount", format!("the lines add up to {}, {} less than came", money(total), money(amount - total)));
        }
        Some(_) => {
            state.facts.insert(Fact::AdviceBalanced);
            trail.note("amount", format!("the lines add up to the payment, {}", money(amount)));
        }
        None => state.facts.insert(Fact::AdviceBalanced),
    }
}

/// The ways to meet each claim; a claim that has none is told in the trail and blocks.
fn resolve<'c>(
    claims: &'c Claims,
    amount_minor: i64,
    scale: &Scale<'_>,
    finder: &mut Finder<'_>,
    state: &mut State,
    trail: &mut Trail,
) -> Resolved<'c> {
    let mut resolved =
        Resolved { ways: Vec::with_capacity(claims.claims.len()), unresolved_minor: 0, lost: 0, lost_without_amount: 0 };
    let mut lost: Vec<EvidenceItem> = Vec::new();
    let mut closed: Vec<EvidenceItem> = Vec::new();
    let mut foreign: Vec<EvidenceItem> = Vec::new();
    let mut credit_lost = false;
    let looked_up: Vec<Hits> = claims.claims.iter().map(|claim| finder.hits(claim)).collect();
    let owners = owners(&looked_up, finder);
    // A line that names an item by its number vouches for one that names nothing; so does a known payer
    // whose advice adds up, where the number is the
    // payer's own.
    let balanced = claims.total_minor() == Some(amount_minor);
    let vouches = |hit: &Hit| hit.level <= Level::Folded || hit.level <= Level::Core && hit.standing.may_pay();
    let beside = looked_up.len() > 1 && looked_up.iter().any(|hits| hits.hits.first().is_some_and(vouches));
    for (claim, mut hits) in claims.claims.iter().zip(looked_up) {
        if hits.bound.is_some() {
            state.bound = hits.bound;
            break;
        }
        let ways = ways_of(claim, &mut hits, &owners, scale, finder);
        let unfound = ways.first().is_some_and(|way| {
            way.level == Level::AmountOnly
                && !(stands_in(claim, way) && (beside || balanced && way.standing.may_pay() && is_theirs(claim, finder)))
                && !(beside && is_credit_of_payer(claim, &ways, finder))
        });
        let raw = claim.mentions.first().map_or("", |mention| mention.reference.raw.as_str());
        let number = |slot: Slot| finder.snapshot.items.number(slot);
        if let Some(hit) = closed_hit(&hits, &ways) {
            closed.push(evidence("reference", raw, number(hit.slot), hit.level.as_str(), 0, claim.byte));
        } else if let Some(slot) = hits.other_currency.first().filter(|_| ways.is_empty()) {
            foreign.push(evidence("reference", raw, number(*slot), "other_currency", 0, claim.byte));
        } else if ways.is_empty() || unfound {
            credit_lost |= claim.net_minor.is_some_and(|net| net < 0);
            lost.push(evidence("reference", raw, "", "not_found", 0, claim.byte));
            resolved.lost += 1;
            resolved.lost_without_amount += usize::from(claim.net_minor.is_none() || claim.net_is_ours);
        }
        match ways.is_empty() {
            true => resolved.unresolved_minor = resolved.unresolved_minor.saturating_add(claim.net_minor.unwrap_or(0)),
            false => resolved.ways.push((claim, ways)),
        }
    }
    state.facts.set(Fact::NotClosed, closed.is_empty());
    state.facts.set(Fact::SameCurrency, foreign.is_empty());
    state.facts.set(Fact::CreditsKnown, !credit_lost);
    state.facts.set(Fact::ReferencesFound, lost.is_empty());
    tell(closed, Reason::AlreadyPaid, "names an item that is already closed", state, trail);
    tell(foreign, Reason::CurrencyMismatch, "names an item in another currency", state, trail);
    let reason = if credit_lost { Reason::CreditMemoOpen } else { Reason::ReferenceNotFound };
    tell(lost, reason, "names nothing that is open", state, trail);
    resolved
}

/// The ways to meet a claim: by what its numbers name, and where nothing of that agrees by numbers that come near.
fn ways_of(claim: &Claim, hits: &mut Hits, owners: &[u32], scale: &Scale<'_>, finder: &mut Finder<'_>) -> Vec<Choice> {
    let mut ways = choices(claim, &hits.hits, scale);
    if !ways.iter().any(|way| way.standing.is_pointed() && way.agrees()) {
        let known: Slots = hits.hits.iter().map(|hit| hit.slot).collect();
        let slips = slip::hits(claim, owners, scale, finder);
        // An item that is open for the gross is looked for only where nothing is named.
        let agrees = |hit: &Hit| claim.net_minor.is_none_or(|net| scale.fit(hit.slot, claim, net).kind.agrees());
        let further = |hit: &Hit| !known.contains(&hit.slot) && (known.is_empty() || agrees(hit));
        hits.hits.extend(slips.into_iter().filter(further));
        ways = choices(claim, &hits.hits, scale);
        let agree = ways.iter().any(|way| way.agrees() && way.level < Level::AmountOnly);
        if !agree && hits.hits.iter().all(|hit| hit.open) && hits.other_currency.is_empty() {
            let near = equal::hits(claim, scale, finder);
            // What is also near by its number is no longer told by its amount alone.
            hits.hits.retain(|hit| hit.level < Level::AmountOnly || near.iter().all(|other| other.slot != hit.slot));
            let known: Slots = hits.hits.iter().map(|hit| hit.slot).collect();
            hits.hits.extend(near.into_iter().filter(|hit| !known.contains(&hit.slot)));
            ways = choices(claim, &hits.hits, scale);
        }
    }
    ways
}

/// An amount that the payer wrote may stand in for a number that is none of ours; a credit that is not ours is never another one.
fn stands_in(claim: &Claim, way: &Choice) -> bool {
    way.derived == Derived::Written && way.standing.is_pointed() && claim.net_minor.is_some_and(|net| net > 0)
}

/// A credit under a number of the payer's own, beside a line that needs no help: the one credit of the payer that is open for it, to the cent.
fn is_credit_of_payer(claim: &Claim, ways: &[Choice], finder: &Finder<'_>) -> bool {
    let [way] = ways else { return false };
    claim.net_minor.is_some_and(|net| net < 0)
        && way.derived == Derived::Written
        && way.agrees()
        && way.standing.may_pay()
        && is_theirs(claim, finder)
}

/// Whether a reference is a number of the payer's own: long, without letters, and not written as our numbers are. Anything else may be an item that
/// we do not know, and no other stands in for it.
fn is_theirs(claim: &Claim, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    claim.mentions.first().is_some_and(|mention| {
        let folded = mention.reference.folded.as_str();
        normalise::is_plain_number(folded)
            && folded.len() >= THEIR_DIGITS_MIN
            && !finder.sellers.iter().any(|seller| items.knows_form(*seller, folded))
    })
}

/// Digits of a number that is no line count and no part of one of ours.
const THEIR_DIGITS_MIN: usize = 5;

/// Customers whose items a reference with a slip may mean: those the payment points to, and the one that all other references name.
fn owners(looked_up: &[Hits], finder: &Finder<'_>) -> Vec<u32> {
    let items = &finder.snapshot.items;
    let mut owners: Vec<u32> = finder.payer.pointed.values().map(|pointed| pointed.number).collect();
    owners.extend(family(finder));
    let mut named: Vec<u32> = looked_up
        .iter()
        .filter_map(|hits| hits.hits.first())
        .filter(|hit| hit.level <= Level::Folded && hit.standing != Standing::Stranger)
        .map(|hit| items.customer[hit.slot as usize])
        .collect();
    named.sort_unstable();
    named.dedup();
    if let [one] = named.as_slice() {
        owners.push(*one);
    }
    owners.sort_by_key(|number| finder.snapshot.customers.id(*number));
    owners.dedup();
    owners.truncate(OWNERS_MAX);
    owners
}

/// Members of the payer's family that it may pay for.
fn family(finder: &Finder<'_>) -> Vec<u32> {
    let customers = &finder.snapshot.customers;
    let mut members: Vec<u32> = Vec::new();
    for pointed in finder.payer.strong() {
        members.extend(customers.children(pointed.number).iter().take(OWNERS_MAX));
        if let Some(root) = customers.find(customers.root(pointed.number)).filter(|root| *root != pointed.number) {
            members.push(root);
            members.extend(customers.children(root).iter().take(OWNERS_MAX));
        }
    }
    members.retain(|owner| finder.payer.standing(*owner, finder.snapshot, finder.rules, finder.came).0.may_pay());
    members
}

/// Customers whose items are looked through for slips.
const OWNERS_MAX: usize = 32;

fn tell(found: Vec<EvidenceItem>, reason: Reason, what: &str, state: &mut State, trail: &mut Trail) {
    if let Some(first) = found.first() {
        let more = if found.len() > 1 { format!(", and {} more references", found.len() - 1) } else { String::new() };
        let text = format!("the reference {:?} {what}{more}", first.theirs);
        state.block(reason, text.clone());
        trail.note_with("reference", None, text, found);
    }
}

/// A closed item that the reference means: by its number, or by any form when nothing open agrees.
fn closed_hit<'h>(hits: &'h Hits, ways: &[Choice]) -> Option<&'h Hit> {
    let agreeing = ways
        .iter()
        .filter(|way| way.parts.iter().all(|(_, fit)| fit.kind.agrees() && way.derived != Derived::Open))
        .map(|way| way.level)
        .min();
    let any = ways.iter().map(|way| way.level).min();
    hits.hits.iter().filter(|hit| !hit.open).find(|hit| {
        // A closed item of a stranger is no more than where a slip landed, once an item of the payer's own agrees.
        let landed = hit.standing == Standing::Stranger && ways.iter().any(|way| way.agrees() && way.standing.is_pointed());
        // An order stands for several items, of which some are paid and some are not.
        let of_order = hit.level.names_several() && ways.iter().any(|way| way.level == hit.level);
        let outranked =
            landed || of_order || agreeing.is_some_and(|level| level <= hit.level) || any.is_some_and(|level| level < hit.level);
        // A weak form of a number that nobody points to may be anybody's.
        let meant = hit.level <= Level::Core || hit.standing.is_pointed();
        let nothing_better = agreeing.is_none_or(|level| level > hit.level) && any.is_none_or(|level| level >= hit.level);
        !outranked && meant && (hit.level.blocks_when_closed() || nothing_better)
    })
}

/// A number with a slip that would be one of the next that the seller gives is shown to a person: its invoice may be on its way.
fn not_yet_known(picks: &[Option<usize>], resolved: &Resolved<'_>, finder: &Finder<'_>, state: &mut State, trail: &mut Trail) {
    for ((claim, ways), pick) in resolved.ways.iter().zip(picks) {
        let Some(choice) = pick.map(|index| &ways[index]) else { continue };
        let named = claim.mentions.get(choice.mention).zip(choice.parts.first());
        let slips = matches!(choice.level, Level::OneEdit | Level::TwoEdits);
        let Some((mention, _)) =
            named.filter(|(mention, (slot, _))| slips && slip::may_be_next(&mention.reference, *slot, finder))
        else {
            continue;
        };
        let text = format!("{} may be the number of an invoice that is not known yet", excerpt(&mention.reference.raw));
        trail.note("reference", text.clone());
        return state.block(Reason::ReferenceNotFound, text);
    }
}

/// Writes down what each line of the best explanation stands on.
fn note_picks(picks: &[Option<usize>], resolved: &Resolved<'_>, finder: &Finder<'_>, trail: &mut Trail) {
    let items = &finder.snapshot.items;
    let (mut references, mut amounts) = (Vec::new(), Vec::new());
    let mut rivals = 0usize;
    for ((claim, ways), pick) in resolved.ways.iter().zip(picks) {
        let Some(choice) = pick.map(|index| &ways[index]) else { continue };
        rivals += ways.len() - 1;
        let Some((slot, _)) = choice.parts.first() else { continue };
        let raw = claim.mentions.get(choice.mention).map_or("", |mention| mention.reference.raw.as_str());
        references.push(evidence(
            "reference",
            raw,
            items.number(*slot),
            choice.level.as_str(),
            choice.level.points_milli(),
            claim.byte,
        ));
        references.push(evidence(
            "payer",
            &finder.payer.name,
            &super::payer::label(&finder.snapshot.customers, items.customer[*slot as usize]),
            choice.standing.as_str(),
            choice.standing.points_milli(),
            None,
        ));
        if let Some(date) = claim.date {
            let level = if choice.date_agrees == Some(true) { ("exact", 1_000) } else { ("differs", -300) };
            references.push(evidence(
                "date",
                &date.to_string(),
                &items.issue_date[*slot as usize].to_string(),
                level.0,
                level.1,
                claim.byte,
            ));
        }
        if choice.po_agrees {
            references.push(evidence("po", &claim.po, items.po(*slot), "exact", 1_000, claim.byte));
        }
        amounts.extend(choice.parts.iter().map(|(slot, fit)| amount_evidence(claim, choice, *slot, fit, finder)));
    }
    if references.is_empty() {
        return;
    }
    let text = match rivals {
        0 => "each reference names one item".to_owned(),
        some => format!("{some} other candidates were weighed and fit less"),
    };
    trail.note_with("reference", None, text, references);
    trail.note_with("amount", None, "what each item takes, and why it fits", amounts);
}

fn amount_evidence(claim: &Claim, choice: &Choice, slot: Slot, fit: &super::amount::Fit, finder: &Finder<'_>) -> EvidenceItem {
    let theirs = match choice.derived {
        Derived::Written => figure(claim.net_minor.unwrap_or(fit.cash_minor), finder.currency),
        Derived::Open | Derived::LessDiscount => String::new(),
    };
    let ours = figure(finder.snapshot.items.open_minor[slot as usize], finder.currency);
    let kind = fit.kind.as_str();
    let level = if fit.note.is_empty() { Cow::from(kind) } else { format!("{kind}: {}", fit.note).into() };
    let points = if choice.derived == Derived::Written { fit.kind.points_milli() } else { 0 };
    evidence("amount", &theirs, &ours, level, points, claim.byte)
}
