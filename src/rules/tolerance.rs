//! `rules/tolerance.toml`: what happens to a small difference, and to a discount that was taken.
//!
//! Under and over are separate, item and payment are separate. The bands of one of these are one ordered object: each begins
//! where the one before ends, and the last has no end. A currency that no rule names has no tolerance.

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use super::{
    amount::{Amount, Currencies, Percent, SignedAmount},
    rule::{Stage, rule},
};
use crate::domain::{Currency, OpenItem, TermsOfPayment};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToleranceRules {
    pub version: u32,
    #[serde(default, rename = "tolerance")]
    pub tolerances: Vec<Tolerance>,
    #[serde(default, rename = "discount")]
    pub discounts: Vec<DiscountPolicy>,
}

/// Where a difference shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToleranceLevel {
    /// Between what one item is open for and what it gets.
    Item,
    /// Between the payment and the sum of its lines.
    Payment,
}

/// Which way a difference goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Less came than is open.
    Under,
    /// More came than is open.
    Over,
}

rule! {
    /// The bands of one level and side.
    pub struct Tolerance shown by ToleranceGiven => ToleranceExpect {
        pub level: ToleranceLevel,
        pub side: Side,
        pub currencies: Currencies,
        pub bands: Vec<BandRule>,
    }
}

/// Differences above `from` up to and including `to`, and not more than `percent` of what is open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandRule {
    pub from: Amount,
    /// Absent in the last band, and only there.
    pub to: Option<Amount>,
    pub percent: Option<Percent>,
    pub treatment: Treatment,
}

/// What happens to a difference. In the order of the table each is stricter than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Not pursued.
    WriteOff,
    /// Charged back as a deduction.
    Deduct,
    /// The rest stays as it is and a person decides.
    Queue,
}

/// What a difference gets, and by which band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Rule id and ordinal of the band: `tolerance.item.under#1`.
    pub id: String,
    pub treatment: Treatment,
}

/// Band of a currency that no rule names.
const NO_TOLERANCE: &str = "tolerance.none";

impl ToleranceRules {
    /// What a difference gets. `base_minor` is what is open, `diff_minor` the difference; signs do not matter.
    pub fn band(&self, level: ToleranceLevel, side: Side, currency: Currency, base_minor: i64, diff_minor: i64) -> Band {
        find_tolerance(&self.tolerances, level, side, currency)
            .map_or_else(no_tolerance, |tolerance| tolerance.band(currency, base_minor, diff_minor))
    }

    /// The discount policy of a currency.
    pub fn discount(&self, currency: Currency) -> Option<&DiscountPolicy> {
        find_discount(&self.discounts, currency)
    }
}

pub(super) fn no_tolerance() -> Band {
    Band { id: NO_TOLERANCE.to_owned(), treatment: Treatment::Queue }
}

pub(super) fn find_tolerance(all: &[Tolerance], level: ToleranceLevel, side: Side, currency: Currency) -> Option<&Tolerance> {
    all.iter()
        .filter(|tolerance| tolerance.stage == Stage::Auto)
        .find(|tolerance| tolerance.level == level && tolerance.side == side && tolerance.currencies.has(currency))
}

pub(super) fn find_discount(all: &[DiscountPolicy], currency: Currency) -> Option<&DiscountPolicy> {
    all.iter().filter(|policy| policy.stage == Stage::Auto).find(|policy| policy.currencies.has(currency))
}

impl Tolerance {
    /// The first band whose end and percentage both cover the difference.
    pub fn band(&self, currency: Currency, base_minor: i64, diff_minor: i64) -> Band {
        let size = i64::try_from(diff_minor.unsigned_abs()).unwrap_or(i64::MAX);
        self.bands.iter().enumerate().find(|(_, band)| band.covers(currency, base_minor, size)).map_or_else(
            no_tolerance,
            |(index, band)| Band { id: format!("{}#{}", self.id, index + 1), treatment: band.treatment },
        )
    }
}

impl BandRule {
    fn covers(&self, currency: Currency, base_minor: i64, size_minor: i64) -> bool {
        let within_amount = self.to.as_ref().is_none_or(|to| to.minor(currency).is_some_and(|to| size_minor <= to));
        within_amount && self.percent.is_none_or(|percent| percent.covers(size_minor, base_minor))
    }
}

rule! {
    /// How a discount is judged.
    pub struct DiscountPolicy shown by ToleranceGiven => ToleranceExpect {
        pub currencies: Currencies,
        /// Days after the last day of the discount on which it still counts.
        pub grace_days: u32,
        /// No discount above this share counts, whatever the terms say.
        pub percent_max: Percent,
        pub base: DiscountBase,
        /// Difference from the computed discount that is put down to rounding.
        pub rounding: Amount,
        pub when_unearned: WhenUnearned,
    }
}

/// What the percentage is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountBase {
    /// The whole amount of the invoice.
    Full,
    /// The amount less freight and tax.
    LessExempt,
}

/// What happens to a discount that was taken too late or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnearned {
    /// It is granted all the same.
    Allow,
    /// It is charged back as a deduction.
    Deduct,
    /// A person decides.
    Queue,
}

/// How a discount that was taken compares with the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscountJudgement {
    /// What the terms allow, in minor units; 0 when there are none.
    pub allowed_minor: i64,
    pub timing: DiscountTiming,
    /// Part of the taken discount that is not earned.
    pub unearned_minor: i64,
}

/// When the payment came, seen from the discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountTiming {
    InTerms,
    InGrace,
    Late,
    /// The item has no discount.
    NoTerms,
}

impl DiscountPolicy {
    /// Last day of the discount without grace.
    pub fn last_day(terms: &TermsOfPayment, issued: NaiveDate) -> Option<NaiveDate> {
        terms.discount_percent?;
        terms.discount_date.or_else(|| issued.checked_add_days(Days::new(u64::from(terms.discount_days?))))
    }

    /// What discount the terms give, in minor units of the item.
    pub fn allowed(&self, terms: &TermsOfPayment, amount_minor: i64, exempt_minor: i64) -> i64 {
        let percent = terms.discount_percent.and_then(Percent::of_decimal);
        let base = match self.base {
            DiscountBase::Full => amount_minor,
            DiscountBase::LessExempt => amount_minor.saturating_sub(exempt_minor).max(0),
        };
        percent.map_or(0, |percent| percent.min(self.percent_max).of(base))
    }

    /// Judges a discount that was taken on an item by a payment of `paid` day.
    pub fn judge(&self, item: &OpenItem, taken_minor: i64, paid: NaiveDate) -> DiscountJudgement {
        self.judge_terms(
            &item.terms,
            item.currency,
            item.issue_date,
            item.amount_minor,
            item.discount_exempt_minor,
            taken_minor,
            paid,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an invoice, for callers that hold no open item")]
    pub fn judge_terms(
        &self,
        terms: &TermsOfPayment,
        currency: Currency,
        issued: NaiveDate,
        amount_minor: i64,
        exempt_minor: i64,
        taken_minor: i64,
        paid: NaiveDate,
    ) -> DiscountJudgement {
        let allowed_minor = self.allowed(terms, amount_minor, exempt_minor);
        let timing = match Self::last_day(terms, issued) {
            None => DiscountTiming::NoTerms,
            Some(last) if paid <= last => DiscountTiming::InTerms,
            Some(last) if last.checked_add_days(Days::new(u64::from(self.grace_days))).is_some_and(|last| paid <= last) => {
                DiscountTiming::InGrace
            }
            Some(_) => DiscountTiming::Late,
        };
        let earned = matches!(timing, DiscountTiming::InTerms | DiscountTiming::InGrace);
        let rounding = self.rounding.minor(currency).unwrap_or(0);
        let limit = if earned { allowed_minor.saturating_add(rounding) } else { 0 };
        let unearned_minor =
            if taken_minor <= limit { 0 } else { taken_minor.saturating_sub(if earned { allowed_minor } else { 0 }) };
        DiscountJudgement { allowed_minor, timing, unearned_minor }
    }
}

/// Given of an example: a difference against bands, or a discount against a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToleranceGiven {
    #[serde(deserialize_with = "super::amount::deserialize_currency")]
    pub currency: Currency,
    pub level: Option<ToleranceLevel>,
    pub side: Option<Side>,
    /// What is open; for a discount the amount of the invoice.
    pub base: SignedAmount,
    pub diff: Option<SignedAmount>,
    /// Terms as written, `2/10N30`.
    pub terms: Option<String>,
    pub exempt: Option<Amount>,
    pub issued: Option<NaiveDate>,
    pub paid: Option<NaiveDate>,
    pub taken: Option<Amount>,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToleranceExpect {
    pub treatment: Option<Treatment>,
    /// Ordinal of the band, from 1.
    pub band: Option<usize>,
    pub timing: Option<DiscountTiming>,
    pub allowed: Option<Amount>,
    pub unearned: Option<Amount>,
}
