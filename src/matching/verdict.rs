//! Puts the facts to the rules: post, post with work that remains, or hold with the nearest rule and what it lacked.

use super::candidate::Finder;
use super::chance::Amounts;
use super::decide::{Found, State, payer_is_known};
use super::draft::Draft;
use super::equal;
use super::snapshot::Slot;
use super::trail::{Trail, figure};
use crate::domain::{Lacked, LackedKind, Outcome, ProposalLine, Reason, RunnerUp, Shadow};
use crate::normalise;
use crate::rules::{Fact, FactSet, IdentifyBy, Verdict};

/// What the rules said.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    /// The rule that lets it post, or that came nearest.
    pub(super) rule: String,
    /// The rule posts only with a certificate; otherwise this is lacking.
    pub(super) uncertified: Option<String>,
    pub(super) runner_up: Option<RunnerUp>,
    pub(super) why_not: Option<String>,
    /// The same as reports count it.
    pub(super) lacked: Option<Lacked>,
    /// What rules in stage shadow would have done with it.
    pub(super) shadow: Option<Shadow>,
}

/// Forms of a reference that name one item.
const BY_NUMBER: FactSet =
    FactSet::EMPTY.with(Fact::ReferenceExact).with(Fact::ReferenceFolded).with(Fact::ReferenceCore).with(Fact::ReferenceScanned);
/// Forms that drop letters and zeros, or what a scanner made of them.
const BY_CORE: FactSet = FactSet::EMPTY.with(Fact::ReferenceCore).with(Fact::ReferenceScanned);
/// What says who paid, besides the references.
const POINTED: FactSet = FactSet::EMPTY.with(Fact::PayerAccount).with(Fact::PayerId).with(Fact::PayerNameStrong);
/// Any form of a reference that somebody wrote.
const NAMED: FactSet =
    BY_NUMBER.with(Fact::ReferencePart).with(Fact::ReferenceRange).with(Fact::ReferenceCross).with(Fact::ReferenceFuzzy);
/// Amounts that settle an item as its terms say, or that the payer wrote as what is open.
const IN_FULL: FactSet = FactSet::EMPTY.with(Fact::AmountExact).with(Fact::AmountNetOfDiscount).with(Fact::GrossExact);

/// Margin that stands for "no rival at all".
const NO_RIVAL: i64 = i64::MAX;

pub(super) fn judge(found: &Found, state: &mut State, amount_minor: i64, finder: &Finder<'_>, trail: &mut Trail) -> Judged {
    let runner_up = runner_up(found, finder);
    let Some(best) = found.drafts.first() else { return nothing_found(found, state, finder, trail) };
    establish(best, found, state, amount_minor, finder);
    let verdict = finder.rules.engine.may_post_lines(&state.facts, &best.lines);
    let rule = verdict.rule().to_owned();
    collect_blocks(best, state);
    if let Some((reason, why)) = state.blocks.first().cloned() {
        trail.note_with("veto", Some(&rule), why.clone(), Vec::new());
        let lacked = match &verdict {
            // A rule says the same; taking it out would not open what the engine holds by itself.
            Verdict::Hold(nearest) if nearest.reason == Some(reason) => Lacked { kind: LackedKind::Engine, ..nearest.lacked() },
            _ => by_engine(),
        };
        let why = match &verdict {
            Verdict::Hold(nearest) if nearest.reason != Some(reason) => format!("{why}; besides, {}", nearest.sentence()),
            _ => why,
        };
        return Judged {
            outcome: Outcome::Hold { reason },
            rule,
            uncertified: None,
            runner_up,
            why_not: Some(why),
            lacked: Some(lacked),
            shadow: None,
        };
    }
    let shadow = finder.rules.engine.shadow_verdict(&state.facts, &best.lines, &verdict);
    let shadow = shadow.map(|verdict| Shadow { rule: verdict.rule().to_owned(), posts: verdict.posts_alone() });
    match verdict {
        Verdict::Post { rule, follow_up, uncertified } => {
            let mut reasons: Vec<Reason> = follow_up.into_iter().chain(best.follow_up.iter().copied()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            trail.note_with("rule", Some(&rule), "the evidence is complete", Vec::new());
            let outcome = if reasons.is_empty() { Outcome::Post } else { Outcome::PostWithFollowUp { reasons } };
            Judged {
                outcome,
                rule,
                uncertified: uncertified.map(|why| why.sentence()),
                runner_up,
                why_not: None,
                lacked: None,
                shadow,
            }
        }
        Verdict::Hold(nearest) => {
            let reason = nearest.reason.unwrap_or_else(|| reason_of(best, found, state, finder));
            let why = nearest.sentence();
            trail.note_with("rule", Some(&nearest.rule), why.clone(), Vec::new());
            let lacked = Some(nearest.lacked());
            Judged { outcome: Outcome::Hold { reason }, rule, uncertified: None, runner_up, why_not: Some(why), lacked, shadow }
        }
    }
}

/// Nothing to propose: the first block says why, or the payer does.
fn nothing_found(found: &Found, state: &mut State, finder: &Finder<'_>, trail: &mut Trail) -> Judged {
    bound_first(state);
    let (reason, why) = match state.blocks.first().cloned() {
        Some(block) => block,
        None if found.named.any => (Reason::ReferenceNotFound, "nothing that the payer names is open".to_owned()),
        None if payer_is_known(finder.payer) => {
            (Reason::NoRemittance, "the payer names nothing, and nothing it owes has this amount".to_owned())
        }
        None => (Reason::UnidentifiedPayer, "nothing says who paid, and nothing is named".to_owned()),
    };
    trail.note("veto", why.clone());
    let rule = "engine".to_owned();
    let lacked = Some(by_engine());
    Judged {
        outcome: Outcome::Hold { reason },
        rule,
        uncertified: None,
        runner_up: None,
        why_not: Some(why),
        lacked,
        shadow: None,
    }
}

/// No rule opens it, and none says why.
pub(super) fn by_engine() -> Lacked {
    Lacked { rule: "engine".to_owned(), kind: LackedKind::Engine, condition: String::new() }
}

/// Establishes the facts about the best explanation as a whole.
fn establish(best: &Draft, found: &Found, state: &mut State, amount_minor: i64, finder: &Finder<'_>) {
    let margin = margin(found);
    let minimum = finder.rules.engine.margin.minimum_milli;
    let credits = best.lines.iter().any(|line| line.has(Fact::CreditMemoUsed));
    payer_facts(best, found, state, finder);
    let facts = &mut state.facts;
    facts.set(Fact::Balanced, best.balances(amount_minor, finder));
    facts.set(Fact::WithinAuthority, best.within_authority);
    facts.set(Fact::MarginEnough, margin >= minimum);
    facts.set(Fact::Unique, margin > 0 && state.bound.is_none());
    facts.set(Fact::CreditMemoUsed, credits);
    if found.named.any {
        facts.set(Fact::ChanceLow, chance_low(best, found, finder));
    }
}

/// Who paid, as far as it concerns the items of this explanation.
fn payer_facts(best: &Draft, found: &Found, state: &mut State, finder: &Finder<'_>) {
    let standings: Vec<_> =
        best.customers.iter().map(|owner| finder.payer.standing(*owner, finder.snapshot, finder.rules, finder.came).0).collect();
    let identified = finder.payer.is_identified();
    // One of several customers that share the name, told apart by what it owes.
    let weak = !identified && standings.iter().all(|standing| *standing == super::payer::Standing::Resembles);
    // References vote when nobody else is identified: all lines name items of one customer, by forms that name one item (an order does where its
    // amount agrees, too), or in any form beside a line that needs no help.
    let sure = |line: &&FactSet| line.meets(BY_NUMBER) && line.meets(IN_FULL);
    let confirmed = best.lines.iter().any(|line| sure(&line));
    let by_number = best.proposal.lines.iter().zip(&best.lines).all(|(line, facts)| {
        let with_amount = facts.meets(IN_FULL) && (facts.has(Fact::ReferenceCross) || is_told_by_amount(line, facts, finder));
        facts.meets(BY_NUMBER) || with_amount
    });
    let one_owner = found.named.any && !identified && best.customers.len() == 1 && !best.lines.is_empty();
    let beside = one_owner && confirmed && best.lines.len() > 1 && best.lines.iter().all(|line| line.meets(NAMED))
        // Items that only the sum found need two lines that vouch for them.
        || one_owner && best.lines.iter().filter(sure).count() > 1 && best.lines.iter().all(|line| line.meets(NAMED) || line.meets(IN_FULL));
    let may_vote = |owner: &u32| {
        let view = finder.rules.for_customer(Some(finder.snapshot.customers.code(*owner)));
        view.identifies(IdentifyBy::References)
    };
    let voted = (one_owner && by_number || beside) && best.customers.iter().all(may_vote);
    let may_pay = !standings.is_empty() && standings.iter().all(|standing| standing.may_pay());
    let facts: &mut FactSet = &mut state.facts;
    facts.set(Fact::PayerKnown, identified || may_pay || weak || voted);
    facts.set(Fact::PayerRelated, may_pay || weak || voted);
    facts.set(Fact::PayerVotedByReferences, voted);
    facts.set(Fact::PayerConfirmedByLine, beside);
    // An account never seen is no riddle when the payer names an item of its own and its amount.
    facts.set(Fact::PayerAccountNew, finder.payer.account_unknown && (identified || weak) && !(confirmed && may_pay));
}

/// Whether few items of anybody are open for the same amount, so that a number but for one slip or a part of it tells which is meant.
fn is_told_by_amount(line: &ProposalLine, facts: &FactSet, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let near = facts.has(Fact::ReferenceFuzzy) && !facts.has(Fact::ReferenceTwoSlips);
    let most = if near { equal::RARE_MAX } else { 1 };
    (near || facts.has(Fact::ReferencePart))
        && items.slot(line.item).is_some_and(|slot| {
            let (at, open) = (slot as usize, items.open_minor[slot as usize]);
            // A slip leads to about so many other numbers, and each of their items could have had this amount.
            let by_chance = Amounts::of_customer(items.customer[at], finder).chance_ppm(open, equal::NEIGHBOURS);
            by_chance <= finder.rules.engine.combination.chance_hits_max_ppm()
                && items.with_amount(items.seller[at], items.currency[at], open).len() <= most
        })
}

/// Whether the number without letters and leading zeros is long enough to be nobody else's by accident.
fn is_long(line: &ProposalLine, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    items.slot(line.item).is_some_and(|slot| normalise::core(items.folded(slot)).len() >= TELLING_CHARS_MIN)
}

/// Characters of a number that tells whose item it is without a word about the payer.
const TELLING_CHARS_MIN: usize = 5;

/// Blocks that follow from the explanation itself.
fn collect_blocks(best: &Draft, state: &mut State) {
    if let Some(blocked) = best.blocked.clone() {
        state.blocks.push(blocked);
    }
    bound_first(state);
    // These four hold whatever a rule file says.
    for (fact, reason, why) in [
        (Fact::Balanced, Reason::RemittanceOutOfBalance, "cash, adjustments and rest do not add up to the payment"),
        (Fact::NotDuplicate, Reason::DuplicatePayment, "an earlier payment looks the same"),
        (Fact::PayerRelated, Reason::ThirdPartyPayer, "the payer is someone else, and no relation lets it pay for this customer"),
        (Fact::Unique, Reason::Ambiguous, "another explanation fits as well"),
    ] {
        if !state.facts.has(fact) {
            state.block(reason, why);
        }
    }
}

/// A search that stopped early says so before anything that it may have missed; only a duplicate is known for certain without it.
fn bound_first(state: &mut State) {
    if let Some(bound) = state.bound.clone() {
        let place = state.blocks.iter().take_while(|(reason, _)| *reason == Reason::DuplicatePayment).count();
        state.blocks.insert(place, (Reason::Ambiguous, format!("a bound of the search was met: {bound}")));
    }
}

/// Whether the lines that lean on their amount could hardly be wrong: no item left out has the same amount and could be meant as well, and where
/// nothing but the amount speaks for a line, few unrelated amounts would hit one.
fn chance_low(best: &Draft, found: &Found, finder: &Finder<'_>) -> bool {
    let items = &finder.snapshot.items;
    let limits = &finder.rules.engine.combination;
    let paid = |slot: &Slot| best.proposal.lines.iter().any(|line| line.item == items.id[*slot as usize]);
    let rare = |line: &ProposalLine| {
        items.slot(line.item).is_some_and(|slot| {
            let (owner, open) = (items.customer[slot as usize], items.open_minor[slot as usize]);
            Amounts::of_customer(owner, finder).chance_ppm(open, items.open_of(owner).len())
                <= limits.one_item_chance_hits_max_ppm()
        })
    };
    found.named.chance_ppm <= limits.chance_hits_max_ppm()
        && best.proposal.lines.iter().zip(&best.lines).zip(&best.rivals).all(|((line, facts), rivals)| {
            // A short number without its letters may be anybody's.
            let short = facts.meets(BY_CORE) && !facts.meets(POINTED) && !is_long(line, finder);
            let leans = facts.has(Fact::OneItemEqual) || facts.has(Fact::ReferenceFuzzy);
            !short && (!leans || rivals.iter().all(paid) && (facts.has(Fact::ReferenceFuzzy) || rare(line)))
        })
}

/// How far the best explanation is ahead.
pub(super) fn margin(found: &Found) -> i64 {
    match found.drafts.as_slice() {
        [best, second, ..] => best.proposal.score_milli.saturating_sub(second.proposal.score_milli),
        _ => NO_RIVAL,
    }
}

fn runner_up(found: &Found, finder: &Finder<'_>) -> Option<RunnerUp> {
    let [best, second, ..] = found.drafts.as_slice() else { return None };
    let other = second.proposal.lines.iter().filter(|line| !best.proposal.lines.contains(line)).count();
    let margin_milli = margin(found);
    let rest = second.proposal.unapplied_minor - best.proposal.unapplied_minor;
    let lacked = match (margin_milli, rest) {
        (0, _) => "nothing: it fits as well".to_owned(),
        (_, rest) if rest > 0 => format!("it leaves {} more unapplied", figure(rest, finder.currency)),
        _ => format!("{other} of its lines fit the reference, the amount or the payer less"),
    };
    Some(RunnerUp { equation: second.equation(finder), lacked, margin_milli })
}

/// The reason when the nearest rule names none.
fn reason_of(best: &Draft, found: &Found, state: &State, finder: &Finder<'_>) -> Reason {
    let any = |fact| best.lines.iter().any(|line| line.has(fact));
    let pointed = [Fact::PayerAccount, Fact::PayerId, Fact::PayerNameStrong]
        .iter()
        .any(|fact| best.lines.iter().all(|line| line.has(*fact)));
    if !found.named.any {
        return if payer_is_known(finder.payer) { Reason::NoRemittance } else { Reason::UnidentifiedPayer };
    }
    match () {
        () if !pointed => Reason::UnidentifiedPayer,
        () if any(Fact::ReferenceFuzzy) || any(Fact::ReferencePart) || any(Fact::ReferenceCross) => Reason::Ambiguous,
        () if any(Fact::AmountShort) || any(Fact::AmountPartial) => Reason::ShortPaid,
        () if any(Fact::AmountOver) || state.facts.has(Fact::AmountOver) => Reason::Overpaid,
        () if any(Fact::AmountUnearnedDiscount) => Reason::UnearnedDiscount,
        () if any(Fact::AmountCoded) => Reason::DeductionToValidate,
        () => Reason::Ambiguous,
    }
}
