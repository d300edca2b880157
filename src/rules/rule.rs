//! What every rule has: an id, a stage in its life, an owner, a day it starts, and the tests that speak for it.

use chrono::NaiveDate;
use serde::Deserialize;

/// How far a rule has come: `draft` (ignored), `shadow` (decides, hidden), `suggest` (shown to a person), `auto` (acts alone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Draft,
    Shadow,
    Suggest,
    Auto,
}

impl Stage {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Shadow => "shadow",
            Self::Suggest => "suggest",
            Self::Auto => "auto",
        }
    }
}

/// The head of a rule, the same in every file.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    pub id: &'a str,
    pub stage: Stage,
    pub owner: &'a str,
    pub effective: NaiveDate,
    pub proof: &'a [String],
    /// Examples that show it at work.
    pub hits: usize,
    /// Examples that look as if it decided.
    pub near_misses: usize,
}

/// Anything with a header.
pub trait Rule {
    fn header(&self) -> Header<'_>;
}

/// Defines a rule: the fields every rule has, then its own, and what its examples give and expect. Serde cannot combine `flatten` with `deny_unknown_fields`, and strictness matters more.
macro_rules! rule {
    ($(#[$meta:meta])* pub struct $name:ident shown by $given:ty => $expect:ty { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Unique in the whole set; decisions and explanations name it.
            pub id: String,
            /// How far the rule has come.
            pub stage: $crate::rules::Stage,
            /// Who answers for it.
            pub owner: String,
            /// First business day it counts.
            pub effective: chrono::NaiveDate,
            /// Tests that cover an automatic rule until a backtest is recorded for it.
            #[serde(default)]
            pub proof: Vec<String>,
            /// At least one hit and one near miss.
            #[serde(default, rename = "example")]
            pub examples: Vec<$crate::rules::Example<$given, $expect>>,
            $($body)*
        }

        impl $crate::rules::Rule for $name {
            fn header(&self) -> $crate::rules::Header<'_> {
                $crate::rules::Header {
                    id: &self.id,
                    stage: self.stage,
                    owner: &self.owner,
                    effective: self.effective,
                    proof: &self.proof,
                    hits: self.examples.iter().filter(|example| example.case == $crate::rules::Aim::Hit).count(),
                    near_misses: self.examples.iter().filter(|example| example.case == $crate::rules::Aim::NearMiss).count(),
                }
            }
        }
    };
}
pub(crate) use rule;

/// Whether an example shows the rule at work or just beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// The rule decides.
    Hit,
    /// It looks as if the rule decided, but it does not.
    NearMiss,
}

/// One example of a rule: what is given and what must come out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "G: Deserialize<'de>, E: Deserialize<'de> + Default"))]
pub struct Example<G, E> {
    pub case: Aim,
    pub given: G,
    /// Fields left out are not compared.
    #[serde(default)]
    pub expect: E,
}
