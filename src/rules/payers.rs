//! `rules/payers.toml`: how a payer is identified, who may pay for whom, and how names are learned.

use chrono::NaiveDate;
use serde::Deserialize;

use super::{
    fact::Fact,
    rule::{Stage, rule},
};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayerRules {
    pub version: u32,
    pub alias: AliasPolicy,
    #[serde(default)]
    pub identify: Vec<Identify>,
    #[serde(default, rename = "relation_policy")]
    pub relation_policies: Vec<RelationPolicy>,
    /// Relations kept in the file; those of the database count besides.
    #[serde(default, rename = "relation")]
    pub relations: Vec<RelationRule>,
}

/// When a name that a person confirmed becomes an alias, and what counts as a name at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasPolicy {
    /// Confirmations by people before a name counts as an alias.
    pub learn_after: u32,
    /// Shorter names identify nobody.
    pub length_min: usize,
    /// Lengths at which banks cut names: a name of exactly such a length may be the beginning of a longer one.
    pub cut_lengths: Vec<usize>,
    /// Days a new bank account of a known payer counts as new.
    pub account_new_days: u32,
}

rule! {
    /// One way to identify a payer; tried in the order of the file.
    pub struct Identify shown by PayerGiven => PayerExpect {
        pub by: IdentifyBy,
        /// The fact the engine establishes when it succeeds.
        pub gives: Fact,
        /// Lines whose references must agree, for `references`.
        #[serde(default = "one")]
        pub count_min: u32,
    }
}

const fn one() -> u32 {
    1
}

/// The ways to identify a payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifyBy {
    Account,
    OriginatorId,
    /// Name without legal form equals the customer's.
    Name,
    /// Name equals a known alias.
    Alias,
    /// Name is the beginning of exactly one customer's name, cut as banks cut.
    NameCut,
    /// Name resembles one customer's and no other.
    NameSimilar,
    /// The references name items of one customer only.
    References,
}

rule! {
    /// What a relation of some kind allows. `auto`: it may pay by itself; `suggest`: a person confirms each time.
    pub struct RelationPolicy shown by PayerGiven => PayerExpect {
        pub kind: RelationKind,
        /// Whether it must have a first day, so that nobody relies on one that was never agreed.
        #[serde(default)]
        pub dated: bool,
    }
}

/// Why one party pays for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// Payer and debtor are the same.
    Same,
    /// The payer is the parent of the debtor.
    Parent,
    /// The payer is a subsidiary of the debtor.
    Child,
    /// Both have one parent.
    Sibling,
    Factor,
    ThirdParty,
}

impl RelationKind {
    /// Reads the kind of a stored relation.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "same" => Some(Self::Same),
            "parent" => Some(Self::Parent),
            "child" => Some(Self::Child),
            "sibling" => Some(Self::Sibling),
            "factor" => Some(Self::Factor),
            "third_party" => Some(Self::ThirdParty),
            _ => None,
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Sibling => "sibling",
            Self::Factor => "factor",
            Self::ThirdParty => "third_party",
        }
    }
}

rule! {
    /// A relation by customer codes. It names whom the payer may pay for: a factor that may pay for anybody cannot be written.
    pub struct RelationRule shown by PayerGiven => PayerExpect {
        pub kind: RelationKind,
        pub payer: String,
        pub pays_for: Vec<String>,
        pub from: NaiveDate,
        pub until: Option<NaiveDate>,
    }
}

/// Whether one party may pay for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayPay<'r> {
    /// Yes, by this rule.
    Yes {
        rule: &'r str,
    },
    /// A person confirms it each time.
    Ask {
        rule: &'r str,
    },
    No,
}

impl MayPay<'_> {
    pub const fn yes(&self) -> bool {
        matches!(self, Self::Yes { .. })
    }
}

impl PayerRules {
    /// The ways to identify a payer, in order.
    pub fn order(&self) -> impl Iterator<Item = &Identify> {
        self.identify.iter().filter(|identify| identify.stage >= Stage::Suggest)
    }

    /// What a relation of this kind allows on a day. `from` and `until` are those of the relation; family relations have none.
    pub fn relation(&self, kind: RelationKind, from: Option<NaiveDate>, until: Option<NaiveDate>, on: NaiveDate) -> MayPay<'_> {
        let Some(policy) = self.relation_policies.iter().find(|policy| policy.kind == kind) else { return MayPay::No };
        let begun = from.map_or(!policy.dated, |from| from <= on);
        if !begun || until.is_some_and(|until| until < on) {
            return MayPay::No;
        }
        match policy.stage {
            Stage::Auto => MayPay::Yes { rule: &policy.id },
            Stage::Suggest => MayPay::Ask { rule: &policy.id },
            Stage::Draft | Stage::Shadow => MayPay::No,
        }
    }

    /// What the relations of this file allow between two customers on a day.
    pub fn may_pay(&self, payer: &str, pays_for: &str, on: NaiveDate) -> MayPay<'_> {
        may_pay(self, self.relations.iter(), payer, pays_for, on)
    }
}

pub(super) fn may_pay<'a>(
    rules: &'a PayerRules,
    relations: impl Iterator<Item = &'a RelationRule>,
    payer: &str,
    pays_for: &str,
    on: NaiveDate,
) -> MayPay<'a> {
    if payer == pays_for {
        return rules.relation(RelationKind::Same, None, None, on);
    }
    let named = relations.filter(|relation| relation.payer == payer && relation.pays_for.iter().any(|code| code == pays_for));
    let mut best = MayPay::No;
    for relation in named {
        match (rules.relation(relation.kind, Some(relation.from), relation.until, on), relation.stage) {
            (MayPay::Yes { .. }, Stage::Auto) => return MayPay::Yes { rule: &relation.id },
            (MayPay::Yes { .. }, Stage::Suggest) | (MayPay::Ask { .. }, Stage::Auto | Stage::Suggest) => {
                best = MayPay::Ask { rule: &relation.id };
            }
            _ => {}
        }
    }
    best
}

/// Given of an example: evidence of a payer, or a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PayerGiven {
    /// Ways that succeed; the first in the order of the file decides.
    pub succeeds: Vec<IdentifyBy>,
    /// Lines whose references agree.
    pub agreeing: u32,
    pub kind: Option<RelationKind>,
    pub payer: Option<String>,
    pub pays_for: Option<String>,
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
    pub on: Option<NaiveDate>,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PayerExpect {
    pub gives: Option<Fact>,
    pub may_pay: Option<Answer>,
}

/// Expected answer to "may it pay?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Yes,
    Ask,
    No,
}
