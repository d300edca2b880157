//! A complete explanation turned into a proposal, with its equation and the facts rules ask for.

use super::amount::FitKind;
use super::candidate::{Finder, Level};
use super::choice::{Choice, Derived};
use super::claim::Claim;
use super::payer::{NameMatch, Pointed};
use super::slip;
use super::snapshot::Slot;
use super::trail::{figure, push_figure};
use crate::domain::{CustomerId, LineAdjustment, LineAdjustmentKind, Proposal, ProposalLine, Reason};
use crate::rules::{Fact, FactSet, Power, Role};

/// A proposal and everything known about it.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) proposal: Proposal,
    amount_minor: i64,
    /// Facts by proposal line.
    pub(super) lines: Vec<FactSet>,
    /// By proposal line: other items of the same owner and amount that the reference may mean as well.
    pub(super) rivals: Vec<Vec<Slot>>,
    /// Work that remains for a person when it posts.
    pub(super) follow_up: Vec<Reason>,
    /// What keeps it from posting, whatever the rules say.
    pub(super) blocked: Option<(Reason, String)>,
    pub(super) within_authority: bool,
    pub(super) customers: Vec<u32>,
    /// Less cash came than the lines ask for.
    trimmed: bool,
}

/// A choice for one claim, ready to be drafted.
pub(super) struct Pick<'a> {
    pub(super) claim: Option<&'a Claim>,
    pub(super) choice: &'a Choice,
}

impl Draft {
    /// Drafts the proposal of some picks out of `amount_minor` of cash.
    pub(super) fn new(picks: &[Pick<'_>], amount_minor: i64, points_milli: i64, finder: &Finder<'_>) -> Self {
        let mut draft = Self {
            proposal: Proposal { score_milli: points_milli, ..Proposal::default() },
            amount_minor,
            lines: Vec::with_capacity(picks.len()),
            rivals: Vec::with_capacity(picks.len()),
            follow_up: Vec::new(),
            blocked: None,
            within_authority: true,
            customers: Vec::new(),
            trimmed: false,
        };
        let mut cash = 0i64;
        for pick in picks {
            for (slot, fit) in &pick.choice.parts {
                let at = *slot as usize;
                let items = &finder.snapshot.items;
                if draft.blocked.is_none() {
                    draft.blocked.clone_from(&fit.blocked);
                }
                if fit.kind == FitKind::Inconsistent {
                    // Nobody could accept such a line as it stands.
                    continue;
                }
                cash = cash.saturating_add(fit.cash_minor);
                draft.lines.push(line_facts(pick, *slot, fit.facts, finder));
                draft.rivals.push(rivals(pick, *slot, finder));
                draft.follow_up.extend(&fit.follow_up);
                draft.within_authority &= within_authority(*slot, fit.cash_minor, &fit.adjustments, finder);
                draft.customers.push(items.customer[at]);
                draft.proposal.lines.push(ProposalLine {
                    item: items.id[at],
                    applied_minor: fit.cash_minor,
                    cash_minor: fit.cash_minor,
                    adjustments: fit.adjustments.clone(),
                    line: pick.claim.and_then(|claim| claim.line),
                });
            }
        }
        draft.customers.sort_unstable();
        draft.customers.dedup();
        draft.proposal.customer = draft.one_customer(finder);
        draft.proposal.unapplied_minor = amount_minor.saturating_sub(cash);
        draft.trim();
        draft.follow_up.sort_unstable();
        draft.follow_up.dedup();
        draft
    }

    /// Lines that ask for more cash than came get less, the last first, so that a person is never offered more than there is.
    fn trim(&mut self) {
        for index in (0..self.proposal.lines.len()).rev() {
            let missing = self.proposal.unapplied_minor.saturating_neg();
            let line = &mut self.proposal.lines[index];
            if missing <= 0 {
                return;
            }
            let less = line.cash_minor.min(missing);
            if less > 0 {
                line.cash_minor -= less;
                line.applied_minor = line.cash_minor;
                line.adjustments.clear();
                self.proposal.unapplied_minor = self.proposal.unapplied_minor.saturating_add(less);
                self.trimmed = true;
            }
            if line.cash_minor == 0 {
                self.proposal.lines.remove(index);
                self.lines.remove(index);
                self.rivals.remove(index);
            }
        }
    }

    /// All the cash that the proposal deals with.
    pub(super) fn cash_minor(&self) -> i64 {
        self.proposal.lines.iter().map(|line| line.cash_minor).fold(self.proposal.unapplied_minor, i64::saturating_add)
    }

    fn one_customer(&self, finder: &Finder<'_>) -> Option<CustomerId> {
        match self.customers.as_slice() {
            [one] => Some(finder.snapshot.customers.id(*one)),
            _ => None,
        }
    }

    /// `1200.50 = INV-1 980.00 + INV-2 220.50`.
    pub(super) fn equation(&self, finder: &Finder<'_>) -> String {
        let Proposal { lines, unapplied_minor, .. } = &self.proposal;
        let mut text = figure(self.amount_minor, finder.currency);
        let mut sign = " = ";
        for line in lines.iter().take(TERMS_MAX) {
            text.push_str(std::mem::replace(&mut sign, " + "));
            push_term(&mut text, line, finder);
        }
        if lines.len() > TERMS_MAX {
            text.push_str(&format!(" + {} more items", lines.len() - TERMS_MAX));
        }
        if *unapplied_minor != 0 || lines.is_empty() {
            text.push_str(sign);
            push_figure(&mut text, *unapplied_minor, finder.currency);
            text.push_str(" unapplied");
        }
        text
    }

    /// The cash is all accounted for: nothing negative is left over and every line moves what its item can take.
    pub(super) fn balances(&self, amount_minor: i64, finder: &Finder<'_>) -> bool {
        let items = &finder.snapshot.items;
        let cash = self.proposal.lines.iter().try_fold(0i64, |sum, line| sum.checked_add(line.cash_minor));
        if self.trimmed {
            return false;
        }
        let sums = cash.and_then(|cash| cash.checked_add(self.proposal.unapplied_minor)) == Some(amount_minor);
        let fits = self.proposal.lines.iter().all(|line| {
            let open = items.slot(line.item).map_or(0, |slot| items.open_minor[slot as usize]);
            line.closes_minor()
                .is_some_and(|closes| if open >= 0 { (0..=open).contains(&closes) } else { (open..=0).contains(&closes) })
        });
        sums && fits && self.proposal.unapplied_minor >= 0
    }
}

/// `INV-1 980.00 (closes 20.00 discount more)`.
fn push_term(text: &mut String, line: &ProposalLine, finder: &Finder<'_>) {
    let items = &finder.snapshot.items;
    text.push_str(items.slot(line.item).map_or("?", |slot| items.number(slot)));
    text.push(' ');
    push_figure(text, line.cash_minor, finder.currency);
    let mut opening = " (closes ";
    for adjustment in &line.adjustments {
        text.push_str(std::mem::replace(&mut opening, " and "));
        push_figure(text, adjustment.amount_minor, finder.currency);
        match adjustment.kind {
            LineAdjustmentKind::Discount => text.push_str(" discount"),
            LineAdjustmentKind::Deduction => text.extend([" deduction ", &adjustment.reason]),
            LineAdjustmentKind::WriteOff => text.push_str(" write-off"),
        }
    }
    if !line.adjustments.is_empty() {
        text.push_str(" more)");
    }
}

/// Terms of an equation that are written out; a sum of thousands is read by nobody.
const TERMS_MAX: usize = 40;

/// What is established about one line.
fn line_facts(pick: &Pick<'_>, slot: Slot, amount: FactSet, finder: &Finder<'_>) -> FactSet {
    let mut facts = amount;
    if let Some(claim) = pick.claim {
        facts.insert(pick.choice.level.fact());
        facts.set(Fact::ReferenceTwoSlips, pick.choice.level == Level::TwoEdits);
        facts.set(Fact::ReferenceCut, pick.choice.level == Level::Cut);
        facts.set(Fact::DateAgrees, pick.choice.date_agrees == Some(true));
        facts.set(Fact::DateDiffers, pick.choice.date_agrees == Some(false));
        facts.set(Fact::OrderAgrees, pick.choice.po_agrees);
        if finder.snapshot.items.open_minor[slot as usize] < 0 && !claim.mentions.is_empty() {
            facts.insert(Fact::CreditMemoRemitted);
        }
    }
    if pick.choice.derived == Derived::LessDiscount {
        facts.set(Fact::AmountExact, false);
    }
    if let Some(pointed) = finder.pointed(slot).filter(|_| pick.choice.standing >= super::payer::Standing::Resembles) {
        point_facts(pointed, &mut facts);
    }
    facts
}

/// Items of the same owner, seller and open amount that what is written does not tell from the one chosen.
fn rivals(pick: &Pick<'_>, slot: Slot, finder: &Finder<'_>) -> Vec<Slot> {
    if pick.choice.level < Level::Scanned {
        return Vec::new();
    }
    let items = &finder.snapshot.items;
    let at = slot as usize;
    let equal = items.with_open_amount(items.customer[at], items.seller[at], items.currency[at], items.open_minor[at]);
    let written = pick.claim.and_then(|claim| claim.mentions.get(pick.choice.mention));
    let apart = |rival: &Slot| {
        written.is_some_and(|mention| {
            pick.choice.level < Level::AmountOnly && slip::tells_apart(&mention.reference, pick.choice.level, *rival, finder)
        })
    };
    equal.iter().copied().filter(|rival| *rival != slot && !apart(rival)).collect()
}

fn point_facts(pointed: &Pointed, facts: &mut FactSet) {
    facts.set(Fact::PayerAccount, pointed.account);
    facts.set(Fact::PayerId, pointed.id);
    // A beginning that several names share is the customer's name once the reference has told which of them it is.
    facts.set(Fact::PayerNameStrong, pointed.name >= NameMatch::Shared);
    facts.set(Fact::PayerNameWeak, pointed.name == NameMatch::Weak);
}

/// Whether the engine itself may apply, grant, deduct and write off as much.
fn within_authority(slot: Slot, cash_minor: i64, adjustments: &[LineAdjustment], finder: &Finder<'_>) -> bool {
    let owner = finder.snapshot.items.customer[slot as usize];
    let view = finder.rules.for_customer(Some(finder.snapshot.customers.code(owner)));
    let may = |action, minor: i64| minor.unsigned_abs() <= view.limit_minor(Role::Engine, action, finder.currency).unsigned_abs();
    may(Power::Apply, cash_minor)
        && adjustments.iter().all(|adjustment| {
            let action = match adjustment.kind {
                LineAdjustmentKind::Discount => Power::Discount,
                LineAdjustmentKind::Deduction => Power::Deduct,
                LineAdjustmentKind::WriteOff => Power::WriteOff,
            };
            may(action, adjustment.amount_minor)
        })
}
