//! `rules/reasons.toml`: what a code of the payer means and who deals with it.
//!
//! X12 element 426 has some five hundred codes; they are dealt with in groups, so the group is the rule and the codes are its
//! members. A code that no group names means what `unknown` says, which is compulsory.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::amount::Percent;
use super::rule::{Stage, rule};
use crate::domain::Reason;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRules {
    pub version: u32,
    /// Share of what is open that deductions of one line may close without a person; none means all of it.
    pub deducted_percent_max: Option<Percent>,
    /// Share of what the items named take that may come beyond them without a person: more may be an item that was not named; none means any.
    pub overpaid_percent_max: Option<Percent>,
    #[serde(rename = "group")]
    pub groups: Vec<ReasonGroup>,
    /// Built by the loader from the groups.
    #[serde(skip)]
    pub(super) by_code: BTreeMap<String, ReasonCode>,
}

rule! {
    /// Codes that are dealt with alike.
    pub struct ReasonGroup shown by ReasonGiven => ReasonExpect {
        pub title: String,
        /// Why the difference is work for a person.
        pub reason: Reason,
        pub queue: String,
        /// Account of the general ledger for the deduction.
        pub gl: String,
        pub treatment: CodeTreatment,
        /// What is needed to judge a claim of this kind.
        #[serde(default)]
        pub evidence: Vec<String>,
        #[serde(default)]
        pub notice: Notice,
        /// Code to title.
        #[serde(default)]
        pub codes: BTreeMap<String, String>,
    }
}

/// What the engine may do with a difference that carries the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeTreatment {
    /// The cash is applied and the difference becomes a deduction to validate.
    Deduct,
    /// The difference is judged as a discount of the terms.
    Discount,
    /// The code says that something else is wrong; a person decides before anything posts.
    Queue,
}

/// What the sender is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    #[default]
    None,
    /// An application advice (X12 824).
    #[serde(rename = "824")]
    ApplicationAdvice,
    /// A letter that asks for the missing evidence.
    Letter,
}

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCode {
    pub code: String,
    pub title: String,
    /// Id of the group.
    pub group: String,
    pub reason: Reason,
    pub queue: String,
    pub gl: String,
    pub treatment: CodeTreatment,
    pub evidence: Vec<String>,
    pub notice: Notice,
}

/// The code that stands for all codes nobody knows, and for a difference charged back without one.
pub const UNKNOWN_CODE: &str = "unknown";
/// The code of a discount charged back by the engine.
pub const UNEARNED_DISCOUNT_CODE: &str = "unearned_discount";

impl ReasonRules {
    /// What a code means; an unlisted one means `unknown`.
    pub fn meaning(&self, code: &str) -> &ReasonCode {
        let known = self.by_code.get(code).or_else(|| self.by_code.get(code.trim().to_ascii_uppercase().as_str()));
        known.or_else(|| self.by_code.get(UNKNOWN_CODE)).expect("the loader refuses a file without the code `unknown`")
    }

    /// Whether a group names the code.
    pub fn knows(&self, code: &str) -> bool {
        self.by_code.contains_key(code)
    }

    /// All codes with their meaning, in order of the code.
    pub fn codes(&self) -> impl Iterator<Item = &ReasonCode> {
        self.by_code.values()
    }

    /// Turns the groups into a table by code; the loader has checked that no code is named twice.
    pub(super) fn index(&mut self) {
        let in_use = self.groups.iter().filter(|group| group.stage == Stage::Auto);
        let entries = in_use.flat_map(|group| {
            group.codes.iter().map(|(code, title)| {
                let meaning = ReasonCode {
                    code: code.clone(),
                    title: title.clone(),
                    group: group.id.clone(),
                    reason: group.reason,
                    queue: group.queue.clone(),
                    gl: group.gl.clone(),
                    treatment: group.treatment,
                    evidence: group.evidence.clone(),
                    notice: group.notice,
                };
                (code.clone(), meaning)
            })
        });
        self.by_code = entries.collect();
    }
}

/// Given of an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonGiven {
    pub code: String,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasonExpect {
    pub queue: Option<String>,
    pub reason: Option<Reason>,
    pub gl: Option<String>,
    pub treatment: Option<CodeTreatment>,
    pub notice: Option<Notice>,
}
