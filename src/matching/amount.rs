//! How the cash of a line explains what is open on an item: in full, net of discount, with coded deductions, within tolerance, in part, or not.

use chrono::NaiveDate;

use super::claim::{Claim, Coded};
use super::snapshot::{Slot, Snapshot};
use crate::domain::{Currency, LineAdjustment, LineAdjustmentKind, Reason};
use crate::rules::reasons::UNKNOWN_CODE;
use crate::rules::{CodeTreatment, DiscountTiming, Fact, FactSet, RuleSet, Side, ToleranceLevel, Treatment, WhenUnearned};

/// Reason of a discount within the terms.
const TERMS: &str = "terms";
/// Reason of a difference that is not pursued.
const TOLERANCE: &str = "tolerance";
/// Reason of a discount taken too late or too large.
const UNEARNED: &str = "unearned_discount";

/// How the cash fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum FitKind {
    Full,
    NetOfDiscount,
    Coded,
    Tolerance,
    /// What nothing explains is charged back as a deduction without a code.
    ChargedBack,
    UnearnedDiscount,
    /// The payer says that the rest follows.
    DeclaredPartial,
    /// Part of a credit memo.
    CreditPart,
    /// Less came, with no reason.
    Short,
    /// More came than is open.
    Over,
    /// Sign or adjustments contradict the item.
    Inconsistent,
}

impl FitKind {
    pub(super) const fn points_milli(self) -> i64 {
        match self {
            Self::Full => 6_000,
            Self::NetOfDiscount | Self::Coded => 5_500,
            Self::Tolerance => 4_500,
            Self::ChargedBack | Self::UnearnedDiscount => 4_000,
            Self::DeclaredPartial | Self::CreditPart => 3_000,
            Self::Short => 0,
            Self::Over => -1_000,
            Self::Inconsistent => -8_000,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NetOfDiscount => "net_of_discount",
            Self::Coded => "coded",
            Self::Tolerance => "tolerance",
            Self::ChargedBack => "charged_back",
            Self::UnearnedDiscount => "unearned_discount",
            Self::DeclaredPartial => "declared_partial",
            Self::CreditPart => "credit_part",
            Self::Short => "short",
            Self::Over => "over",
            Self::Inconsistent => "inconsistent",
        }
    }

    /// The amount supports the reference: a search for candidates stops here.
    pub(super) const fn agrees(self) -> bool {
        matches!(
            self,
            Self::Full | Self::NetOfDiscount | Self::Coded | Self::Tolerance | Self::ChargedBack | Self::UnearnedDiscount
        )
    }
}

/// What an item gets, and why that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) kind: FitKind,
    /// Cash the item takes; negative for a credit memo.
    pub(super) cash_minor: i64,
    /// Cash that came for the item and that it cannot take.
    pub(super) over_minor: i64,
    pub(super) adjustments: Vec<LineAdjustment>,
    /// What stays open.
    pub(super) residual_minor: i64,
    pub(super) facts: FactSet,
    /// Work that remains for a person when it posts.
    pub(super) follow_up: Vec<Reason>,
    /// The payer's own code keeps it from posting.
    pub(super) blocked: Option<(Reason, String)>,
    /// Band, terms or code that decided, for the evidence.
    pub(super) note: String,
}

/// What a fit looks at besides the claim.
pub(super) struct Scale<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RuleSet,
    pub(super) currency: Currency,
    /// The day the money was good.
    pub(super) paid: NaiveDate,
}

impl Scale<'_> {
    /// How `net_minor` of cash for an item fits what is open on it.
    pub(super) fn fit(&self, slot: Slot, claim: &Claim, net_minor: i64) -> Fit {
        let open = self.snapshot.items.open_minor[slot as usize];
        if open < 0 {
            return credit(open, net_minor);
        }
        let Some(gap) = open.checked_sub(net_minor).filter(|_| net_minor >= 0) else {
            return inconsistent(net_minor, "cash is taken back from an item that is not a credit memo");
        };
        let mut fit = match gap {
            0 => plain(FitKind::Full, Fact::AmountExact, net_minor, 0, 0),
            gap if gap > 0 => self.under(slot, claim, net_minor, gap),
            gap => self.over(slot, open, -gap),
        };
        fit.facts.set(Fact::GrossExact, claim.gross_minor == Some(open));
        fit
    }

    /// What the terms allow on an item, when a discount can still be or was once earned.
    pub(super) fn discount(&self, slot: Slot) -> i64 {
        let items = &self.snapshot.items;
        let at = slot as usize;
        let view = self.rules.for_customer(Some(self.snapshot.customers.code(items.customer[at])));
        if items.open_minor[at] <= 0 || items.amount_minor[at] != items.open_minor[at] {
            return 0;
        }
        view.discount(self.currency)
            .map_or(0, |policy| policy.allowed(items.terms(slot), items.amount_minor[at], items.exempt_minor[at]))
    }

    /// The discount that is earned on an item by paying now; 0 when none is.
    pub(super) fn earned(&self, slot: Slot) -> i64 {
        let allowed = self.discount(slot);
        let items = &self.snapshot.items;
        let at = slot as usize;
        let in_time = |policy: &crate::rules::DiscountPolicy| {
            let (issued, amount, exempt) = (items.issue_date[at], items.amount_minor[at], items.exempt_minor[at]);
            policy.judge_terms(items.terms(slot), self.currency, issued, amount, exempt, allowed, self.paid).unearned_minor == 0
        };
        if allowed > 0 && self.view(slot).discount(self.currency).is_some_and(in_time) { allowed } else { 0 }
    }

    fn over(&self, slot: Slot, open: i64, over: i64) -> Fit {
        let view = self.view(slot);
        let band = view.band(ToleranceLevel::Item, Side::Over, self.currency, open, over);
        let small = band.treatment == Treatment::WriteOff;
        let (kind, fact) = if small { (FitKind::Tolerance, Fact::AmountTolerance) } else { (FitKind::Over, Fact::AmountOver) };
        let mut fit = plain(kind, fact, open, over, 0);
        fit.note = band.id;
        if !small {
            fit.follow_up.push(Reason::Overpaid);
        }
        fit
    }

    fn under(&self, slot: Slot, claim: &Claim, net: i64, gap: i64) -> Fit {
        let mut fit = plain(FitKind::Full, Fact::AmountExact, net, 0, 0);
        fit.facts = FactSet::EMPTY;
        let (mut taken, mut deducted) = (claim.discount_minor.max(0), 0i64);
        for coded in &claim.coded {
            let meaning = self.rules.reasons.meaning(&coded.code);
            match meaning.treatment {
                CodeTreatment::Discount => taken = taken.saturating_add(coded.amount_minor),
                CodeTreatment::Queue => {
                    fit.blocked = Some((meaning.reason, format!("code {} ({}) needs a person first", coded.code, meaning.title)));
                    deducted = deducted.saturating_add(coded.amount_minor);
                }
                CodeTreatment::Deduct => deducted = deducted.saturating_add(coded.amount_minor),
            }
        }
        let allowed = self.discount(slot);
        if taken == 0 && deducted == 0 && allowed > 0 && self.is_discount(slot, gap, allowed) {
            taken = gap;
        }
        // A discount that is off by the rounding of the terms takes the rounding with it.
        let rest = gap - taken.saturating_add(deducted);
        if rest != 0 && taken > 0 && self.is_rounding(slot, rest) {
            taken = taken.saturating_add(rest);
        }
        let rest = gap - taken.saturating_add(deducted);
        if rest < 0 {
            return inconsistent(net, "the payer's discount and deductions are larger than the difference");
        }
        self.deduct(slot, claim, deducted, &mut fit);
        self.grant(slot, taken, &mut fit);
        self.leave(slot, claim, rest, &mut fit);
        fit
    }

    fn deduct(&self, slot: Slot, claim: &Claim, deducted: i64, fit: &mut Fit) {
        if deducted == 0 {
            return;
        }
        let open = self.snapshot.items.open_minor[slot as usize];
        if let Some(most) = self.rules.reasons.deducted_percent_max.filter(|most| !most.covers(deducted, open)) {
            let why = format!("more than {most} % of the item is deducted");
            fit.blocked.get_or_insert((Reason::DeductionToValidate, why));
        }
        for Coded { amount_minor, code } in &claim.coded {
            let meaning = self.rules.reasons.meaning(code);
            if meaning.treatment != CodeTreatment::Discount {
                let reason = if code.trim().is_empty() { UNKNOWN_CODE } else { code.trim() };
                fit.adjustments.push(adjustment(LineAdjustmentKind::Deduction, *amount_minor, reason));
                fit.follow_up.push(meaning.reason);
                fit.note = format!("{} {}", meaning.code, meaning.title);
            }
        }
        fit.kind = FitKind::Coded;
        fit.facts.insert(Fact::AmountCoded);
    }

    /// Judges the discount taken: what is earned is granted, the rest goes the way the policy says.
    fn grant(&self, slot: Slot, taken: i64, fit: &mut Fit) {
        if taken == 0 {
            return;
        }
        let items = &self.snapshot.items;
        let at = slot as usize;
        let Some(policy) = self.view(slot).discount(self.currency) else {
            fit.residual_minor = fit.residual_minor.saturating_add(taken);
            fit.follow_up.push(Reason::UnearnedDiscount);
            fit.facts.insert(Fact::AmountUnearnedDiscount);
            fit.kind = FitKind::UnearnedDiscount;
            return;
        };
        let judged = policy.judge_terms(
            items.terms(slot),
            self.currency,
            items.issue_date[at],
            items.amount_minor[at],
            items.exempt_minor[at],
            taken,
            self.paid,
        );
        if !policy.percent_max.covers(taken, items.amount_minor[at]) {
            let why = format!("the discount taken is more than {} % of the invoice", policy.percent_max);
            fit.blocked.get_or_insert((Reason::UnearnedDiscount, why));
        }
        let earned = taken.saturating_sub(judged.unearned_minor);
        fit.note = timing(judged.timing).to_owned();
        if earned > 0 {
            fit.adjustments.push(adjustment(LineAdjustmentKind::Discount, earned, TERMS));
            fit.facts.insert(Fact::AmountNetOfDiscount);
            fit.kind = fit.kind.max(FitKind::NetOfDiscount);
        }
        if judged.unearned_minor > 0 {
            fit.facts.insert(Fact::AmountUnearnedDiscount);
            fit.kind = fit.kind.max(FitKind::UnearnedDiscount);
            fit.follow_up.push(Reason::UnearnedDiscount);
            match policy.when_unearned {
                WhenUnearned::Allow => {
                    fit.adjustments.push(adjustment(LineAdjustmentKind::Discount, judged.unearned_minor, UNEARNED));
                    fit.follow_up.retain(|reason| *reason != Reason::UnearnedDiscount);
                }
                WhenUnearned::Deduct => {
                    fit.adjustments.push(adjustment(LineAdjustmentKind::Deduction, judged.unearned_minor, UNEARNED));
                }
                WhenUnearned::Queue => fit.residual_minor = fit.residual_minor.saturating_add(judged.unearned_minor),
            }
        }
    }

    /// What nothing explains: within a band it is written off or charged back, above it stays open.
    fn leave(&self, slot: Slot, claim: &Claim, rest: i64, fit: &mut Fit) {
        if rest == 0 {
            return;
        }
        let open = self.snapshot.items.open_minor[slot as usize];
        let band = self.view(slot).band(ToleranceLevel::Item, Side::Under, self.currency, open, rest);
        match band.treatment {
            Treatment::WriteOff => {
                fit.adjustments.push(adjustment(LineAdjustmentKind::WriteOff, rest, TOLERANCE));
                fit.facts.insert(Fact::AmountTolerance);
                fit.kind = fit.kind.max(FitKind::Tolerance);
            }
            Treatment::Deduct => {
                fit.adjustments.push(adjustment(LineAdjustmentKind::Deduction, rest, UNKNOWN_CODE));
                fit.facts.insert(Fact::AmountChargedBack);
                fit.follow_up.push(Reason::DeductionToValidate);
                fit.kind = fit.kind.max(FitKind::ChargedBack);
            }
            Treatment::Queue => {
                fit.residual_minor = fit.residual_minor.saturating_add(rest);
                // Who says that it is a part will pay the rest; who says nothing must be asked.
                if claim.declared_partial {
                    fit.facts = FactSet::EMPTY.with(Fact::AmountPartial);
                    fit.kind = FitKind::DeclaredPartial;
                } else {
                    fit.facts = FactSet::EMPTY.with(Fact::AmountShort);
                    fit.follow_up.push(Reason::ShortPaid);
                    fit.kind = FitKind::Short;
                }
            }
        }
        fit.note = band.id;
    }

    /// Whether an unexplained gap is what the terms allow.
    fn is_discount(&self, slot: Slot, gap: i64, allowed: i64) -> bool {
        gap == allowed || self.is_rounding(slot, gap - allowed)
    }

    /// Whether a difference on an item is none, or too small to be pursued.
    pub(super) fn is_small(&self, slot: Slot, difference: i64) -> bool {
        let open = self.snapshot.items.open_minor[slot as usize];
        let band = || self.view(slot).band(ToleranceLevel::Item, Side::Under, self.currency, open, difference);
        difference == 0 || band().treatment == Treatment::WriteOff
    }

    fn is_rounding(&self, slot: Slot, difference: i64) -> bool {
        let policy = self.view(slot).discount(self.currency);
        policy.and_then(|policy| policy.rounding.minor(self.currency)).is_some_and(|rounding| difference.abs() <= rounding)
    }

    fn view(&self, slot: Slot) -> crate::rules::View<'_> {
        let owner = self.snapshot.items.customer[slot as usize];
        self.rules.for_customer(Some(self.snapshot.customers.code(owner)))
    }
}

/// A credit memo gives back what is open on it, or part of that.
fn credit(open: i64, net: i64) -> Fit {
    match net {
        net if net == open => plain(FitKind::Full, Fact::AmountExact, net, 0, 0).with(Fact::CreditMemoUsed),
        net if net < 0 && net > open => {
            let mut fit = plain(FitKind::CreditPart, Fact::AmountShort, net, 0, open - net).with(Fact::CreditMemoUsed);
            fit.note = "part of the credit memo is used".to_owned();
            fit
        }
        net => {
            let mut fit = inconsistent(net, "more credit is taken than is open, or cash is paid to a credit memo");
            fit.blocked = Some((Reason::CreditMemoOpen, fit.note.clone()));
            fit
        }
    }
}

fn plain(kind: FitKind, fact: Fact, cash_minor: i64, over_minor: i64, residual_minor: i64) -> Fit {
    Fit {
        kind,
        cash_minor,
        over_minor,
        adjustments: Vec::new(),
        residual_minor,
        facts: FactSet::EMPTY.with(fact),
        follow_up: Vec::new(),
        blocked: None,
        note: String::new(),
    }
}

impl Fit {
    fn with(mut self, fact: Fact) -> Self {
        self.facts.insert(fact);
        self
    }
}

fn inconsistent(cash_minor: i64, note: &str) -> Fit {
    let mut fit = plain(FitKind::Inconsistent, Fact::AmountOver, cash_minor, 0, 0);
    fit.facts = FactSet::EMPTY;
    fit.note = note.to_owned();
    fit.blocked = Some((Reason::RemittanceOutOfBalance, note.to_owned()));
    fit
}

fn adjustment(kind: LineAdjustmentKind, amount_minor: i64, reason: &str) -> LineAdjustment {
    LineAdjustment { kind, amount_minor, reason: reason.to_owned() }
}

const fn timing(timing: DiscountTiming) -> &'static str {
    match timing {
        DiscountTiming::InTerms => "discount in terms",
        DiscountTiming::InGrace => "discount in grace",
        DiscountTiming::Late => "discount too late",
        DiscountTiming::NoTerms => "no discount agreed",
    }
}
