//! `rules/engine.toml`: what may post without a person.
//!
//! A decision runs through three kinds of rule. A veto names one condition that must hold, and the reason a person sees when it
//! does not. A `never_auto` rule names a mixture that never posts. A bundle is evidence that is complete: one bundle whose
//! conditions all hold is enough. The verdict names the rule that decided, or the nearest one and the condition it lacked.

use serde::Deserialize;

use super::{
    amount::{Amount, Currencies, Percent},
    authority::Power,
    fact::{Condition, FactSet},
    rule::{Stage, rule},
};
use crate::domain::{Currency, Reason};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineRules {
    pub version: u32,
    pub margin: Margin,
    pub combination: Combination,
    pub visibility: Visibility,
    pub confidence: ConfidenceRules,
    pub budget: Budget,
    #[serde(default, rename = "veto")]
    pub vetoes: Vec<Veto>,
    #[serde(default)]
    pub never_auto: Vec<NeverAuto>,
    #[serde(default, rename = "bundle")]
    pub bundles: Vec<Bundle>,
    #[serde(default, rename = "follow_up")]
    pub follow_ups: Vec<FollowUp>,
    #[serde(default)]
    pub cascade: Vec<CascadeStep>,
    #[serde(default, rename = "circuit_breaker")]
    pub circuit_breakers: Vec<CircuitBreaker>,
    #[serde(default, rename = "weight")]
    pub weights: Vec<Weight>,
}

/// How far the best explanation must be ahead of the second best, log-odds in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    pub minimum_milli: i64,
}

/// Limits of looking for items by their sum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// Most items in one combination.
    pub items_max: usize,
    /// Most open items of the payer among which a combination is looked for.
    pub open_items_max: usize,
    /// Difference a combination may leave; anything but zero makes a coincidence likely.
    pub tolerance: Amount,
    /// Most combinations expected to hit the sum by chance, as a share of one: `"0.05"`.
    pub chance_hits_max: Amount,
    /// The same for a single item that has the amount: who pays one item is the rule, who pays a sum by chance is not.
    pub one_item_chance_hits_max: Amount,
    /// Accidental hits accepted for a set of items that nothing but its sum holds together.
    pub any_items_chance_hits_max: Amount,
    pub credit_memos: CreditMemos,
}

impl Combination {
    /// Most combinations expected to hit by chance, in millionths of one.
    pub fn chance_hits_max_ppm(&self) -> i64 {
        ppm(&self.chance_hits_max)
    }

    /// Most single items expected to hit by chance, in millionths of one.
    pub fn one_item_chance_hits_max_ppm(&self) -> i64 {
        ppm(&self.one_item_chance_hits_max)
    }

    /// The same for a set that nothing but its sum holds together.
    #[must_use]
    pub fn any_items_chance_hits_max_ppm(&self) -> i64 {
        ppm(&self.any_items_chance_hits_max)
    }
}

fn ppm(share: &Amount) -> i64 {
    let (whole, fraction) = share.as_str().split_once('.').unwrap_or((share.as_str(), ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    // The loader has read it as an amount, so both parts are digits.
    format!("{whole}{digits}").parse().unwrap_or(0)
}

/// When credit memos may take part in a combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditMemos {
    Never,
    /// Only those the payer named.
    IfRemitted,
    Always,
}

/// How long an item stays visible after it closed, so that a hit on it is seen as already paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visibility {
    pub closed_days: u32,
    /// How far back an equal payment counts as a possible duplicate.
    pub duplicate_days: u32,
}

/// How the confidence of a decision is bounded, besides the weights of its facts. Log-odds in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceRules {
    /// Most that the lead over the second best counts.
    pub margin_max_milli: i32,
    /// Most that a small chance of a coincidence counts.
    pub chance_max_milli: i32,
}

rule! {
    /// What a fact about a line is worth. The weights of all conditions that hold are added up.
    pub struct Weight shown by EngineGiven => EngineExpect {
        pub when: Condition,
        pub milli: i32,
    }
}

/// How often a bundle may be wrong before it may not post alone any more. A rule may have a budget of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// So many of its postings may be reversed, whatever share that is.
    pub reversals_max: u32,
    /// Beyond that, this share of its postings.
    pub reversals_percent: Percent,
    /// Share of the cash it posts in a backtest that may be new and wrong.
    pub wrong_percent: Percent,
}

impl Budget {
    /// Whether so many reversed postings of so many are too many. A bank return is no reversal.
    pub fn is_exceeded(&self, posts: i64, reversals: i64) -> bool {
        reversals > i64::from(self.reversals_max) && !self.reversals_percent.covers(reversals, posts)
    }

    /// Whether so much wrong cash of so much posted is too much.
    pub fn allows_wrong(&self, wrong_minor: i64, posted_minor: i64) -> bool {
        self.wrong_percent.covers(wrong_minor, posted_minor)
    }
}

rule! {
    /// A condition without which nothing posts.
    pub struct Veto shown by EngineGiven => EngineExpect {
        pub requires: Condition,
        /// What a person is told when the condition does not hold.
        pub reason: Reason,
    }
}

rule! {
    /// A mixture that never posts: all of `when` and nothing of `without`.
    pub struct NeverAuto shown by EngineGiven => EngineExpect {
        pub when: Vec<Condition>,
        #[serde(default)]
        pub without: FactSet,
        pub reason: Reason,
    }
}

rule! {
    /// Evidence that is complete. Each condition holds for the payment as a whole, or for every line.
    pub struct Bundle shown by EngineGiven => EngineExpect {
        pub all: Vec<Condition>,
        /// It could be wrong by chance: it posts only where a certificate says so, and only from the confidence that it says.
        #[serde(default)]
        pub certified: bool,
        /// In place of `[budget]`.
        pub budget: Option<Budget>,
        /// What it posted was undone too often: it decides to hold where it would post. No file says so.
        #[serde(skip)]
        pub demoted: bool,
    }
}

rule! {
    /// Work that remains for a person although the cash is applied, when the payment or any line is like this.
    pub struct FollowUp shown by EngineGiven => EngineExpect {
        pub when: Condition,
        pub reason: Reason,
    }
}

rule! {
    /// One way to find what a payment pays, tried when the evidence it needs exists.
    pub struct CascadeStep shown by EngineGiven => EngineExpect {
        pub step: StepKind,
        #[serde(default)]
        pub needs: Vec<Need>,
    }
}

/// The ways to find what a payment pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    RemittanceLines,
    TextReferences,
    FuzzyReferences,
    OneItemEqual,
    ClearAccount,
    ClearPastDue,
    ClearByTerms,
    UniqueCombination,
    /// A guess by age: shown to a person, never posted.
    OldestFirst,
}

/// Evidence a step of the cascade may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// An advice with lines.
    Lines,
    /// Free text that may hold references.
    Text,
    /// A known payer.
    Payer,
    /// That the payer named no reference at all.
    NoReferences,
}

rule! {
    /// Stops the engine from giving away more than this in a day or a month, whatever the single amounts are.
    pub struct CircuitBreaker shown by EngineGiven => EngineExpect {
        pub action: Power,
        pub per: Period,
        pub currencies: Currencies,
        pub amount_max: Amount,
    }
}

/// Over what a circuit breaker adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Day,
    Month,
}

impl Period {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl EngineRules {
    /// The budget of a bundle.
    pub fn budget_of<'a>(&'a self, bundle: &'a Bundle) -> &'a Budget {
        bundle.budget.as_ref().unwrap_or(&self.budget)
    }

    /// The steps to try, in order, given the evidence that exists.
    pub fn steps<'a>(&'a self, evidence: &'a [Need]) -> impl Iterator<Item = &'a CascadeStep> {
        self.cascade.iter().filter(move |step| step.runs(evidence))
    }

    /// The circuit breaker that `amount_minor` more would trip, given what the engine has given away in the period so far.
    pub fn trips(
        &self,
        action: Power,
        per: Period,
        currency: Currency,
        used_minor: i64,
        amount_minor: i64,
    ) -> Option<&CircuitBreaker> {
        self.circuit_breakers.iter().filter(|breaker| breaker.stage == Stage::Auto).find(|breaker| {
            breaker.action == action
                && breaker.per == per
                && breaker.currencies.has(currency)
                && breaker.amount_max.minor(currency).is_none_or(|max| used_minor.saturating_add(amount_minor) > max)
        })
    }
}

impl EngineRules {
    /// The weights that count for a line with these facts.
    pub fn weights(&self, facts: FactSet) -> impl Iterator<Item = &Weight> {
        self.weights.iter().filter(move |weight| weight.stage == Stage::Auto && weight.when.holds(facts))
    }

    /// Whether a bundle posts without a certificate. What is no bundle of ours does not.
    pub fn is_safe(&self, bundle: &str) -> bool {
        self.bundles.iter().any(|known| known.id == bundle && !known.certified && known.stage == Stage::Auto)
    }
}

impl CascadeStep {
    /// Whether the step is tried when this evidence exists.
    pub fn runs(&self, evidence: &[Need]) -> bool {
        self.stage >= Stage::Suggest && self.needs.iter().all(|need| evidence.contains(need))
    }
}

/// Given of an example: facts for vetoes, bundles and follow-ups; evidence for the cascade; spending for circuit breakers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineGiven {
    /// What holds besides what the vetoes ask for.
    pub facts: FactSet,
    pub lines: Vec<FactSet>,
    /// Facts of vetoes that do not hold; the others do.
    pub without: FactSet,
    pub evidence: Option<Vec<Need>>,
    pub spending: Option<Spending>,
}

/// What the engine has given away, and what it is about to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    pub action: Power,
    pub per: Period,
    #[serde(deserialize_with = "super::amount::deserialize_currency")]
    pub currency: Currency,
    pub used: Amount,
    pub amount: Amount,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineExpect {
    pub posts: Option<bool>,
    pub reason: Option<Reason>,
    pub follow_up: Option<Vec<Reason>>,
    /// The condition that failed, as the file writes it.
    pub lacks: Option<Condition>,
    /// It posts with a certificate; `posts` is about what posts without one.
    pub certified: Option<bool>,
    /// What the facts are worth together.
    pub weight_milli: Option<i32>,
}
