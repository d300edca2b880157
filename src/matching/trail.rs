//! The evidence of a decision, written while deciding.

use super::limits::EVIDENCE_MAX;
use crate::domain::{Currency, EvidenceItem, Money, Step};

/// Collects the steps of one decision.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) steps: Vec<Step>,
}

impl Trail {
    /// Notes what a stage found.
    pub(super) fn note(&mut self, stage: &str, text: impl Into<String>) {
        self.note_with(stage, None, text, Vec::new());
    }

    /// Notes what a stage found, with its evidence; too long a list is cut and counted.
    pub(super) fn note_with(
        &mut self,
        stage: &str,
        rule: Option<&str>,
        text: impl Into<String>,
        mut evidence: Vec<EvidenceItem>,
    ) {
        let mut text = text.into();
        if evidence.len() > EVIDENCE_MAX {
            let more = evidence.len() - EVIDENCE_MAX;
            text.push_str(&format!("; {more} more pieces of evidence of this kind are not listed"));
            evidence.truncate(EVIDENCE_MAX);
        }
        self.steps.push(Step { stage: stage.to_owned(), rule: rule.map(str::to_owned), text, evidence });
    }
}

/// A piece of evidence.
pub(super) fn evidence(field: &str, theirs: &str, ours: &str, level: &str, points_milli: i64, byte: Option<u64>) -> EvidenceItem {
    EvidenceItem {
        field: field.to_owned(),
        theirs: excerpt(theirs),
        ours: excerpt(ours),
        level: level.to_owned(),
        points_milli,
        byte,
        fact: None,
    }
}

/// An amount without its currency, for equations.
pub(super) fn figure(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).to_decimal().to_string()
}

/// Characters of foreign text that evidence repeats.
const EXCERPT_CHARS: usize = 80;

/// The beginning of a text, so that a megabyte in a reference field does not become a megabyte of evidence.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}
