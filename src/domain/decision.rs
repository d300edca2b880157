//! What the engine decides about a payment, with everything it stood on.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Confidence, CustomerId, FactRef, OpenItemId, PaymentId, Reason};

/// The engine's answer for one payment: what happens, the ranked proposals, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: Outcome,
    /// Best first, at most three. `Post` posts the first; a person is offered all.
    pub proposals: Vec<Proposal>,
    pub evidence: Evidence,
}

impl Decision {
    /// Whether the first proposal is to be posted.
    pub const fn posts(&self) -> bool {
        self.outcome.posts()
    }
}

/// What happens to the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outcome {
    /// The first proposal posts.
    Post,
    /// The first proposal posts, and what it leaves over or deducts is work for a person.
    PostWithFollowUp { reasons: Vec<Reason> },
    /// A person decides.
    Hold { reason: Reason },
}

impl Outcome {
    /// Whether money moves without a person.
    pub const fn posts(&self) -> bool {
        !matches!(self, Self::Hold { .. })
    }
}

/// One complete explanation of a payment: `amount = Σ cash + on account + unapplied`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub customer: Option<CustomerId>,
    pub lines: Vec<ProposalLine>,
    pub on_account_minor: i64,
    pub unapplied_minor: i64,
    /// Id of the rule that lets it post, or that came nearest.
    pub rule: String,
    /// Log-odds in thousandths.
    pub score_milli: i64,
}

/// What one open item gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalLine {
    pub item: OpenItemId,
    /// Cash in the item's currency; negative when a credit memo is used.
    pub applied_minor: i64,
    /// The same in the payment's currency.
    pub cash_minor: i64,
    /// What else closes part of the item: discount, deduction, write-off. Positive reduces an invoice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<LineAdjustment>,
    /// Index of the remittance line it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl ProposalLine {
    /// What the open amount of the item goes down by.
    pub fn closes_minor(&self) -> Option<i64> {
        self.adjustments.iter().try_fold(self.applied_minor, |sum, adjustment| sum.checked_add(adjustment.amount_minor))
    }
}

/// A part of an item that closes without cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAdjustment {
    pub kind: LineAdjustmentKind,
    pub amount_minor: i64,
    /// Reason code of `rules/reasons.toml`, or `terms`, `tolerance`, `unearned_discount`.
    pub reason: String,
}

/// How a part closes without cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineAdjustmentKind {
    /// Cash discount within the terms.
    Discount,
    /// Short-paid part that the customer gave a reason for, or that must be charged back.
    Deduction,
    /// Small difference that is not pursued.
    WriteOff,
}

/// What a decision stood on, made in the pass that decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Hash of the merged rule set.
    pub rule_set: String,
    pub steps: Vec<Step>,
    /// The sum as an equation: `1200.50 = INV-1 980.00 + INV-2 220.50`.
    pub equation: String,
    pub runner_up: Option<RunnerUp>,
    /// For an exception: the nearest rule and the single condition that failed.
    pub why_not: Option<String>,
    /// The same as reports count it: nothing where it posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacked: Option<Lacked>,
    /// How sure the first proposal is, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The certificate under which it posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<i64>,
    /// What rules in stage shadow would have decided otherwise. Not for those who clear exceptions: they must not be led by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

/// The rule that came nearest and what kept it from posting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lacked {
    /// `engine` where no rule file decides.
    pub rule: String,
    pub kind: LackedKind,
    /// The condition as the rule file writes it; empty where it is none of one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub condition: String,
}

/// What kept a rule from posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LackedKind {
    /// A condition of the nearest bundle does not hold.
    Missing,
    /// The condition of a veto does not hold.
    Veto,
    /// A mixture that never posts is present.
    Never,
    /// The bundle is complete, and its stage is not `auto`.
    Stage,
    /// The bundle is complete, and what it posted was undone too often.
    Demoted,
    /// The bundle is complete, and posts only with a certificate.
    Certificate,
    /// There is no bundle at all.
    NoRule,
    /// The engine itself does not post it, whatever rules say. The rule is one that says the same, where one does.
    Engine,
}

/// What would have happened if the rules in stage shadow acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Id of the rule that would have decided.
    pub rule: String,
    /// Whether the first proposal would have posted; it would have been held otherwise.
    pub posts: bool,
}

impl Evidence {
    /// Field of a piece of evidence that names the payment which this one repeats.
    pub const REPEATS: &str = "repeats";

    /// The payment that this one was found to repeat.
    pub fn repeats(&self) -> Option<PaymentId> {
        let pieces = self.steps.iter().flat_map(|step| &step.evidence);
        pieces.filter(|piece| piece.field == Self::REPEATS).find_map(|piece| piece.ours.parse().ok())
    }
}

/// One step of the pipeline and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stage of the pipeline: `payer`, `link`, `duplicate`, `reference`, `amount`, `joint`, `veto`, `rule`, `certificate`.
    pub stage: Cow<'static, str>,
    /// Rule id where a rule spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// One sentence for a person.
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceItem>,
}

/// One piece of evidence with where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// What was compared: `reference`, `amount`, `payer_account`, `po`, ...
    pub field: Cow<'static, str>,
    pub theirs: String,
    pub ours: String,
    /// How it matched: `exact`, `folded`, `core`, `net_of_discount`, ...
    pub level: Cow<'static, str>,
    /// Contribution to the score, log-odds in thousandths.
    pub points_milli: i64,
    /// Byte offset in the source file, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// The learned fact that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<FactRef>,
}

impl Evidence {
    /// The learned facts it names, each once.
    pub fn facts(&self) -> BTreeSet<FactRef> {
        self.steps.iter().flat_map(|step| &step.evidence).filter_map(|item| item.fact).collect()
    }
}

/// The second-best complete explanation and what it lacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerUp {
    pub equation: String,
    pub lacked: String,
    /// Margin of the winner over it, log-odds in thousandths.
    pub margin_milli: i64,
}
