//! The evidence of a decision, written while deciding.

use std::borrow::Cow;

use super::limits::EVIDENCE_MAX;
use crate::domain::{Currency, EvidenceItem, Step};

/// Collects the steps of one decision.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) steps: Vec<Step>,
}

impl Trail {
    /// Notes what a stage found.
    pub(super) fn note(&mut self, stage: &'static str, text: impl Into<String>) {
        self.note_with(stage, None, text, Vec::new());
    }

    /// Notes what a stage found, with its evidence; too long a list is cut and counted.
    pub(super) fn note_with(
        &mut self,
        stage: &'static str,
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
        self.steps.push(Step { stage: stage.into(), rule: rule.map(str::to_owned), text, evidence });
    }
}

/// A piece of evidence.
pub(super) fn evidence(
    field: &'static str,
    theirs: &str,
    ours: &str,
    level: impl Into<Cow<'static, str>>,
    points_milli: i64,
    byte: Option<u64>,
) -> EvidenceItem {
    EvidenceItem {
        field: field.into(),
        theirs: excerpt(theirs),
        ours: excerpt(ours),
        level: level.into(),
        points_milli,
        byte,
        fact: None,
    }
}

/// An amount without its currency, for equations.
pub(super) fn figure(minor: i64, currency: Currency) -> String {
    let mut text = String::with_capacity(FIGURE_CHARS_MAX);
    push_figure(&mut text, minor, currency);
    text
}

/// Room for any amount.
const FIGURE_CHARS_MAX: usize = 24;

/// Writes an amount without its currency.
pub(super) fn push_figure(text: &mut String, minor: i64, currency: Currency) {
    let decimals = currency.exponent() as usize;
    let mut digits = [b'0'; FIGURE_CHARS_MAX];
    let (mut at, mut rest) = (digits.len(), minor.unsigned_abs());
    // One digit before the point at least.
    while rest > 0 || digits.len() - at <= decimals {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let (whole, fraction) = digits[at..].split_at(digits.len() - at - decimals);
    if minor < 0 {
        text.push('-');
    }
    text.extend(whole.iter().copied().map(char::from));
    if !fraction.is_empty() {
        text.push('.');
        text.extend(fraction.iter().copied().map(char::from));
    }
}

/// Characters of foreign text that evidence repeats.
const EXCERPT_CHARS: usize = 80;

/// The beginning of a text, so that a megabyte in a reference field does not become a megabyte of evidence.
pub(super) fn excerpt(text: &str) -> String {
    // So few bytes are no more characters.
    if text.len() <= EXCERPT_CHARS {
        return text.to_owned();
    }
    match text.char_indices().nth(EXCERPT_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Money;

    #[test]
    fn a_figure_is_the_decimal_of_the_money() {
        for currency in ["USD", "JPY", "KWD"].map(|code| Currency::parse(code).expect("a currency")) {
            for minor in [0, 1, 9, 10, 99, 100, 101, 12_345, -1, -99, -100_000, i64::MAX, i64::MIN] {
                assert_eq!(figure(minor, currency), Money::new(minor, currency).to_decimal().to_string());
            }
        }
    }
}
