//! What may post by itself, and how sure a decision is: the words that rules, matching, store and certificate share.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{Deserialize, Serialize};

/// Whether a payment is within the cap of its currency. A rate of errors bounds value only where amounts have a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountClass {
    Normal,
    /// Above the cap, or in a currency without one.
    Large,
}

impl AmountClass {
    pub const ALL: [Self; 2] = [Self::Normal, Self::Large];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Large => "large",
        }
    }
}

/// Decisions whose errors are counted together: those of one bundle and amount class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stratum {
    /// Id of the bundle.
    pub rule: String,
    pub class: AmountClass,
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rule, self.class.as_str())
    }
}

/// What of a stratum posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Permit {
    Always,
    /// Decisions of at least this confidence.
    From {
        confidence_milli: i32,
    },
    Never,
}

impl Permit {
    pub const fn covers(self, confidence_milli: i32) -> bool {
        match self {
            Self::Always => true,
            Self::From { confidence_milli: least } => confidence_milli >= least,
            Self::Never => false,
        }
    }

    /// The least confidence that posts; nothing where nothing does.
    pub const fn least(self) -> Option<i32> {
        match self {
            Self::Always => Some(i32::MIN),
            Self::From { confidence_milli } => Some(confidence_milli),
            Self::Never => None,
        }
    }
}

/// Thresholds in force: those of a certificate, tightened where the alarm has fired since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// Number of the certificate; nothing before the first.
    pub certificate: Option<i64>,
    by_rule: HashMap<String, [Option<Permit>; 2]>,
}

impl Permits {
    /// Those of a certificate that says nothing yet.
    pub fn of_certificate(number: i64) -> Self {
        Self { certificate: Some(number), ..Self::default() }
    }

    pub fn set(&mut self, stratum: &Stratum, permit: Permit) {
        self.by_rule.entry(stratum.rule.clone()).or_default()[stratum.class as usize] = Some(permit);
    }

    /// What is in force for a stratum. What nothing was said about posts where its bundle is safe.
    pub fn of(&self, rule: &str, class: AmountClass, safe: bool) -> Permit {
        let said = self.by_rule.get(rule).and_then(|permits| permits[class as usize]);
        said.unwrap_or(if safe { Permit::Always } else { Permit::Never })
    }
}

/// How sure a decision is: log-odds in thousandths, with what they are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confidence {
    pub milli: i32,
    pub class: AmountClass,
    /// The amount as a share of the cap of its currency, in parts per million; 0 above it.
    pub share_ppm: i64,
    pub parts: Vec<ConfidencePart>,
}

/// One reason to be more sure, or less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfidencePart {
    /// In plain words.
    pub what: Cow<'static, str>,
    pub milli: i32,
}

/// What a person's answer says about a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// A posted payment was drawn at random and looked at.
    Audit,
    /// A posting was undone.
    Reversal,
    /// A proposal that did not post was resolved.
    Queue,
}

impl LabelSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Reversal => "reversal",
            Self::Queue => "queue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_certified_posts_only_where_it_is_safe() {
        let mut permits = Permits::default();
        assert_eq!(permits.of("post.a", AmountClass::Normal, true), Permit::Always);
        assert_eq!(permits.of("post.a", AmountClass::Normal, false), Permit::Never);
        let stratum = Stratum { rule: "post.a".to_owned(), class: AmountClass::Normal };
        permits.set(&stratum, Permit::From { confidence_milli: 9_000 });
        assert!(permits.of("post.a", AmountClass::Normal, false).covers(9_000));
        assert!(!permits.of("post.a", AmountClass::Normal, true).covers(8_999));
        assert_eq!(permits.of("post.a", AmountClass::Large, true), Permit::Always, "a class of its own");
    }
}
