//! What the ledger taught: an account, id or name under which a customer pays. The words that matching, store, ledger and commands share.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ApplicationId, CustomerId, OpenItemId};

/// What a payer is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignKind {
    /// A bank account, as its keyed hash.
    Account,
    /// An originator id, folded.
    Id,
    /// A name in compact form.
    Name,
}

impl SignKind {
    pub const ALL: [Self; 3] = [Self::Account, Self::Id, Self::Name];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Id => "id",
            Self::Name => "name",
        }
    }
}

/// A learned fact: that a customer pays under a sign. It is made of nothing but the two, so every process and every rebuild gives the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(u64);

/// Digits of the id: few enough to be typed, and enough that a million facts hardly ever share one.
const DIGITS: usize = 12;

impl FactId {
    pub fn of(kind: SignKind, sign: &str, customer: CustomerId) -> Self {
        let digest = Sha256::digest(format!("{}\n{}\n{sign}", kind.as_str(), customer.0));
        Self(digest.iter().take(DIGITS / 2).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{:0DIGITS$x}", self.0)
    }
}

impl FromStr for FactId {
    type Err = String;

    /// Accepts `L3f9a0c51d2e4`, and with its version as evidence writes it: `L3f9a0c51d2e4v1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let digits = lower.split('v').next().unwrap_or_default().trim_start_matches('l');
        let read = (digits.len() == DIGITS).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
        read.map(Self)
            .ok_or_else(|| format!("{text:?} is no learned fact; expected L and {DIGITS} digits, as tieout learned list shows"))
    }
}

/// A fact as evidence names it: `L3f9a0c51d2e4v1`. Each revoke ends a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FactRef {
    pub id: FactId,
    pub version: u32,
}

impl fmt::Display for FactRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.id, self.version)
    }
}

impl From<FactRef> for String {
    fn from(fact: FactRef) -> Self {
        fact.to_string()
    }
}

impl TryFrom<String> for FactRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let version = text.rsplit_once('v').and_then(|(_, version)| version.parse().ok());
        let version = version.ok_or_else(|| format!("{text:?} names no version of a learned fact"))?;
        Ok(Self { id: text.parse()?, version })
    }
}

/// Cash that stands on an item: what a payment teaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    pub item: OpenItemId,
    /// The application, where a person made it.
    pub by_person: Option<ApplicationId>,
}

impl Lesson {
    /// What the engine posts.
    pub const fn of_engine(item: OpenItemId) -> Self {
        Self { item, by_person: None }
    }
}

/// A person's word that a fact is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub kind: SignKind,
    pub sign: String,
    pub customer: CustomerId,
    /// Nothing teaches it again.
    pub for_good: bool,
    /// The newest application then; what a person applies later teaches the fact again.
    pub until: ApplicationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_read_what_they_print() {
        let id = FactId::of(SignKind::Name, "acmesupply", CustomerId(7));
        let fact = FactRef { id, version: 2 };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(fact.to_string().parse(), Ok(id), "the version may stand behind it");
        assert_eq!(FactRef::try_from(fact.to_string()), Ok(fact));
        for other in [
            FactId::of(SignKind::Id, "acmesupply", CustomerId(7)),
            FactId::of(SignKind::Name, "acmesupply", CustomerId(8)),
            FactId::of(SignKind::Name, "acmesuppl", CustomerId(7)),
        ] {
            assert_ne!(id, other);
        }
        for bad in ["", "L12", "P17", "Lxxxxxxxxxxxx"] {
            assert!(bad.parse::<FactId>().is_err(), "{bad}");
        }
    }
}
