//! The closed list of things the engine may know about an explanation of a payment, and conditions over them.
//!
//! The engine establishes facts; rules only ask for them. So a rule file cannot ask for what nobody computes, and the
//! explanation of a refusal is the sentence of the fact that is missing.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

macro_rules! facts {
    ($($name:ident = $code:literal, $sentence:literal;)+) => {
        /// Something the engine established about one explanation of a payment, or about one of its lines.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fact { $(#[doc = $sentence] $name,)+ }

        impl Fact {
            /// All facts, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word rule files use.
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code,)+ } }

            /// What it says, for explanations.
            pub const fn sentence(self) -> &'static str { match self { $(Self::$name => $sentence,)+ } }
        }
    };
}

facts! {
    ReferenceExact = "reference_exact", "the reference is the item's number, character for character";
    ReferenceFolded = "reference_folded", "the reference is the item's number but for case and separators";
    ReferenceCore = "reference_core", "the reference is the item's number without prefix and leading zeros";
    ReferenceScanned = "reference_scanned", "the reference is the item's number but for characters that scanners confuse";
    ReferencePart = "reference_part", "the reference is one part or the end of the item's number";
    ReferenceRange = "reference_range", "the reference lies in a range or list of endings that the payer wrote";
    ReferenceCross = "reference_cross", "the reference is the item's order, bill of lading or PRO number";
    ReferenceFuzzy = "reference_fuzzy", "the reference differs from the item's number by a slip or two";
    ReferenceTwoSlips = "reference_two_slips", "the reference differs from the item's number by two slips";
    ReferenceCut = "reference_cut", "the reference is a beginning or an end of the item's number";
    AmountExact = "amount_exact", "the amount is what is open";
    AmountNetOfDiscount = "amount_net_of_discount", "the amount is what is open less the discount of the terms";
    AmountCoded = "amount_coded", "the amount is what is open less deductions with a reason code";
    AmountChargedBack = "amount_charged_back", "the difference is charged back as a deduction without a code";
    AmountTolerance = "amount_tolerance", "the difference is within tolerance";
    AmountUnearnedDiscount = "amount_unearned_discount", "the difference is a discount taken too late or too large";
    AmountShort = "amount_short", "less came than is open, with no reason given";
    AmountPartial = "amount_partial", "less came than is open, and the payer said that it is a part";
    GrossExact = "gross_exact", "the gross amount that the payer wrote is what is open";
    AmountOver = "amount_over", "more came than is open";
    DateAgrees = "date_agrees", "the date that the payer wrote is the item's";
    DateDiffers = "date_differs", "the date that the payer wrote is not the item's";
    OrderAgrees = "order_agrees", "the order number that the payer wrote beside the reference is the item's";
    PayerKnown = "payer_known", "it is known which customer paid";
    PayerAccount = "payer_account", "the bank account belongs to the customer";
    PayerId = "payer_id", "the originator id belongs to the customer";
    PayerNameStrong = "payer_name_strong", "the payer's name is the customer's name or a known alias";
    PayerNameWeak = "payer_name_weak", "the payer's name resembles the customer's";
    PayerVotedByReferences = "payer_voted_by_references", "the references name items of this one customer";
    PayerConfirmedByLine = "payer_confirmed_by_line", "another line names an item of this one customer by its number and its amount";
    PayerRelated = "payer_related", "the payer is the customer, or a dated relation lets it pay for the customer";
    PayerAccountNew = "payer_account_new", "the payer used a bank account never seen for it before";
    SameCurrency = "same_currency", "payment and items are in one currency";
    Unique = "unique", "no other explanation fits as well";
    Balanced = "balanced", "cash, adjustments and rest add up to the payment";
    AdviceBalanced = "advice_balanced", "the advice adds up to the payment, or names no total";
    ReferencesFound = "references_found", "every reference of the advice was found";
    NotDuplicate = "not_duplicate", "no earlier payment looks the same";
    NotClosed = "not_closed", "no reference names an item that is already closed";
    CreditsKnown = "credits_known", "every credit taken is open with us";
    WithinAuthority = "within_authority", "discounts, deductions and write-offs are within the engine's limits";
    MarginEnough = "margin_enough", "the margin to the second-best explanation is large enough";
    ChanceLow = "chance_low", "a coincidence of amounts is unlikely for this payer";
    Combination = "combination", "the items were found by their sum";
    OneItemEqual = "one_item_equal", "one open item of the payer has exactly this amount";
    AccountClears = "account_clears", "the amount is everything the payer owes";
    PastDueClears = "past_due_clears", "the amount is everything the payer owes that is due";
    TermsClear = "terms_clear", "the amount is everything of the payer that falls due with these terms";
    OldestFirst = "oldest_first", "the items were taken by age";
    CreditMemoUsed = "credit_memo_used", "a credit memo is part of the explanation";
    CreditMemoRemitted = "credit_memo_remitted", "the payer named the credit memo";
}

impl Fact {
    /// The fact with that code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| fact.code() == code)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_fact(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn parse_fact(code: &str) -> Result<Fact, String> {
    Fact::parse(code).ok_or_else(|| {
        let known: Vec<_> = Fact::ALL.iter().map(|fact| fact.code()).collect();
        format!("{code:?} is not a fact; expected one of {}", known.join(", "))
    })
}

/// A set of facts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FactSet(u64);

// Each fact is one bit.
const _: () = assert!(Fact::ALL.len() <= 64);

impl FactSet {
    pub const EMPTY: Self = Self(0);

    pub const fn with(self, fact: Fact) -> Self {
        Self(self.0 | 1 << fact as u8)
    }

    pub const fn without(self, fact: Fact) -> Self {
        Self(self.0 & !(1 << fact as u8))
    }

    pub fn insert(&mut self, fact: Fact) {
        *self = self.with(fact);
    }

    /// Adds the fact when it holds.
    pub fn set(&mut self, fact: Fact, holds: bool) {
        *self = if holds { self.with(fact) } else { self.without(fact) };
    }

    pub const fn has(self, fact: Fact) -> bool {
        self.0 & 1 << fact as u8 != 0
    }

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two share a fact.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Fact> {
        Fact::ALL.iter().copied().filter(move |fact| self.has(*fact))
    }
}

impl FromIterator<Fact> for FactSet {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        facts.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for FactSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<'de> Deserialize<'de> for FactSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Fact>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// One condition of a rule: a fact, or several of which one is enough (`"payer_account or payer_id"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    any_of: FactSet,
}

impl Condition {
    pub fn parse(text: &str) -> Result<Self, String> {
        let any_of = text.split(" or ").map(|code| parse_fact(code.trim())).collect::<Result<_, _>>()?;
        Ok(Self { any_of })
    }

    /// The facts of which one is enough.
    pub const fn any_of(self) -> FactSet {
        self.any_of
    }

    pub const fn holds(self, facts: FactSet) -> bool {
        self.any_of.meets(facts)
    }

    /// What it asks for, as a sentence part.
    pub fn sentence(self) -> String {
        self.any_of.iter().map(Fact::sentence).collect::<Vec<_>>().join(", or ")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.any_of.iter().map(Fact::code).collect::<Vec<_>>().join(" or "))
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_what_they_print() {
        let text = "payer_account or payer_id";
        let condition = Condition::parse(text).expect("a condition");
        assert_eq!(condition.to_string(), text);
        assert!(condition.holds(FactSet::EMPTY.with(Fact::PayerId)));
        assert!(!condition.holds(FactSet::EMPTY.with(Fact::PayerNameWeak)));
        assert!(Condition::parse("payer_guess").is_err());
    }

    #[test]
    fn facts_have_distinct_codes() {
        for fact in Fact::ALL {
            assert_eq!(Fact::parse(fact.code()), Some(*fact));
        }
    }
}
