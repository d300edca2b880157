//! Lines that a replay writes, and the labels it may be taught with.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, LineAdjustmentKind, OpenItemId, Outcome, Proposal, ProposalLine};

/// What was decided about one payment or return. Amounts are minor units.
#[derive(Debug, Default, Serialize)]
pub(super) struct Record<'a> {
    payment_id: &'a str,
    status: &'static str,
    lines: Vec<Line>,
    unapplied: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Vec<Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// Log-odds in thousandths, and the class of the amount: what the certificate counts with.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence_milli: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_class: Option<&'static str>,
    /// Why a person must look, where one must.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<&'a str>,
}

/// Cash applied to one item, and what closes with it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Line {
    pub(super) invoice_id: String,
    pub(super) applied: i64,
    pub(super) discount: i64,
    pub(super) deduction: i64,
    pub(super) reason: String,
}

/// What a payment truly paid.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    payment_id: String,
    #[serde(default)]
    pub(super) lines: Vec<Line>,
}

impl Label {
    /// Reads `truth.jsonl`, by payment.
    pub fn read(path: &Path) -> anyhow::Result<HashMap<String, Self>> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let mut labels = HashMap::new();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.with_context(|| format!("reading {}", path.display()))?;
            let label: Self = serde_json::from_str(&line).with_context(|| format!("{}:{}", path.display(), index + 1))?;
            labels.insert(label.payment_id.clone(), label);
        }
        Ok(labels)
    }
}

/// The line of a payment.
pub(super) fn of_decision<'a>(name: &'a str, decision: &'a Decision, names: &HashMap<OpenItemId, String>) -> Record<'a> {
    let mut proposals = decision.proposals.iter().map(|proposal| lines(proposal, names));
    let first = proposals.next().unwrap_or_default();
    let (status, reason) = match &decision.outcome {
        Outcome::Post | Outcome::PostWithFollowUp { .. } => ("auto", None),
        Outcome::Hold { reason } => (if first.is_empty() { "exception" } else { "suggested" }, Some(reason.to_string())),
    };
    let best = decision.proposals.first();
    Record {
        payment_id: name,
        status,
        lines: first,
        unapplied: best.map_or(0, |best| best.unapplied_minor),
        alternatives: proposals.collect(),
        rule: best.map(|best| best.rule.as_str()),
        confidence_milli: decision.evidence.confidence.as_ref().map(|sure| sure.milli),
        amount_class: decision.evidence.confidence.as_ref().map(|sure| sure.class.as_str()),
        reason,
        why_not: decision.evidence.why_not.as_deref(),
        reversal_of: None,
    }
}

/// The line of a return.
pub(super) fn of_return<'a>(name: &'a str, original: Option<&'a str>) -> Record<'a> {
    Record {
        payment_id: name,
        status: if original.is_some() { "auto" } else { "exception" },
        reversal_of: original,
        ..Record::default()
    }
}

fn lines(proposal: &Proposal, names: &HashMap<OpenItemId, String>) -> Vec<Line> {
    proposal.lines.iter().map(|line| of_line(line, names)).collect()
}

fn of_line(line: &ProposalLine, names: &HashMap<OpenItemId, String>) -> Line {
    let mut out =
        Line { invoice_id: names.get(&line.item).cloned().unwrap_or_default(), applied: line.applied_minor, ..Line::default() };
    for adjustment in &line.adjustments {
        if adjustment.kind == LineAdjustmentKind::Discount {
            out.discount += adjustment.amount_minor;
        } else {
            out.deduction += adjustment.amount_minor;
            out.reason.clone_from(&adjustment.reason);
        }
    }
    out
}
