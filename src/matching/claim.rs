//! What the payer says: the lines of an advice as claims on items.
//!
//! Adjustments find the line they belong to, lines that name one item twice become one claim, and lines that move nothing are set apart.

use chrono::NaiveDate;

use super::limits::{LINES_MAX, REFERENCE_CHARS_MAX};
use crate::domain::{Remittance, RemittanceLine};
use crate::normalise::{self, Reference};
use crate::rules::{self, ReferenceKind, RuleSet};

/// One thing the payer says it pays.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    /// Index of the line in the advice; `None` for a reference found in text.
    pub(super) line: Option<usize>,
    /// Names of the item, the line's own first.
    pub(super) mentions: Vec<Mention>,
    pub(super) discount_minor: i64,
    /// What the payer says is open, where it says so.
    pub(super) gross_minor: Option<i64>,
    /// Cash for the item; `None` where the payer gave no amounts.
    pub(super) net_minor: Option<i64>,
    /// The payer gave no amount; the net is what came for it.
    pub(super) net_is_ours: bool,
    /// The first mention was grown from an ending or a range.
    pub(super) expanded: bool,
    pub(super) coded: Vec<Coded>,
    /// The payer says that more will follow (RMR03 PP or PR).
    pub(super) declared_partial: bool,
    pub(super) date: Option<NaiveDate>,
    pub(super) po: String,
    pub(super) byte: Option<u64>,
}

/// A number by which an item is named.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) reference: Reference,
    /// What a rule of `normalise.toml` made of it, where one fits.
    pub(super) cleaned: Option<Reference>,
}

impl Mention {
    /// `None` for what names nothing: no letter or digit, or words that a rule calls noise.
    pub(super) fn new(text: &str, rule_set: &RuleSet) -> Option<Self> {
        let fitting = rule_set.normalise.fitting(text, None);
        if fitting.is_some_and(|(pattern, _)| pattern.kind == ReferenceKind::Noise) {
            return None;
        }
        let reference = Reference::new(text);
        if reference.folded.is_empty() {
            return None;
        }
        let cleaned = fitting.map(|(_, rest)| rules::normalise::fold(rest)).filter(|cleaned| *cleaned != reference.folded);
        let cleaned = cleaned.map(|cleaned| Reference::new(&cleaned));
        Some(Self { reference, cleaned })
    }
}

/// A part not paid, with the payer's reason code; positive reduces the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coded {
    pub(super) amount_minor: i64,
    pub(super) code: String,
}

/// All claims of an advice.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    pub(super) claims: Vec<Claim>,
    /// Adjustments that no line can take (outer ADX); positive reduces the payment.
    pub(super) loose: Vec<Coded>,
    /// Lines that say something but move nothing.
    pub(super) silent: Vec<usize>,
    /// Words of a text that look like references and name nothing.
    pub(super) unread: Vec<String>,
    /// The bound that was met, where one was.
    pub(super) bound: Option<String>,
}

impl Claims {
    /// What the claims and loose adjustments add up to; `None` where a line has no amount.
    pub(super) fn total_minor(&self) -> Option<i64> {
        let claims = self.claims.iter().try_fold(0i64, |sum, claim| sum.checked_add(claim.net_minor?))?;
        self.loose.iter().try_fold(claims, |sum, coded| sum.checked_sub(coded.amount_minor))
    }
}

/// Reads the lines of an advice. `names_credit` tells whether a reference is a credit memo of ours, which a free adjustment is not.
pub(super) fn read(remittance: &Remittance, rules: &RuleSet, names_credit: &dyn Fn(&Reference) -> bool) -> Claims {
    let mut claims = Claims::default();
    if remittance.lines.len() > LINES_MAX {
        claims.bound = Some(format!("the advice has {} lines; at most {LINES_MAX} are matched at once", remittance.lines.len()));
        return claims;
    }
    let mut adjustments: Vec<(usize, &RemittanceLine)> = Vec::new();
    for (index, line) in remittance.lines.iter().enumerate() {
        if longest_reference(line) > REFERENCE_CHARS_MAX {
            claims.bound = Some(format!(
                "line {} has a reference of {} characters; at most {REFERENCE_CHARS_MAX} are compared",
                index + 1,
                longest_reference(line)
            ));
            return claims;
        }
        if is_adjustment(line, names_credit) {
            adjustments.push((claims.claims.len(), line));
        } else if moves_nothing(line) {
            claims.silent.push(index);
        } else {
            add(&mut claims.claims, claim(index, line, rules));
        }
    }
    for (before, line) in adjustments {
        attach(&mut claims, before, line, rules, names_credit);
    }
    spread(&mut claims);
    claims
}

/// A deduction from the payment as a whole is taken from the largest line: every item closes, and the deduction is followed up with its code.
fn spread(claims: &mut Claims) {
    for coded in std::mem::take(&mut claims.loose) {
        let largest = claims
            .claims
            .iter_mut()
            .filter(|claim| claim.net_minor > Some(coded.amount_minor))
            .max_by_key(|claim| claim.net_minor);
        match largest.filter(|_| coded.amount_minor > 0) {
            Some(claim) => {
                claim.net_minor = claim.net_minor.and_then(|net| net.checked_sub(coded.amount_minor));
                claim.coded.push(coded);
            }
            None => claims.loose.push(coded),
        }
    }
}

fn claim(index: usize, line: &RemittanceLine, rules: &RuleSet) -> Claim {
    // Qualifiers are wrong too often to be believed: an order number comes as IV, an invoice as PO. Every index is asked.
    let own = std::iter::once(line.reference.as_str());
    let order = line.po.as_deref();
    let further = line.references.iter().map(|further| further.value.as_str());
    let mentions = own.chain(order).chain(further).filter_map(|text| Mention::new(text, rules)).collect();
    let coded = line
        .adjustments
        .iter()
        .map(|adjustment| Coded { amount_minor: adjustment.amount_minor.saturating_neg(), code: adjustment.reason.clone() });
    Claim {
        line: Some(index),
        mentions,
        discount_minor: line.discount_minor.unwrap_or(0),
        gross_minor: line.gross_minor,
        net_is_ours: false,
        expanded: false,
        net_minor: line.net_minor.or_else(|| line.gross_minor?.checked_sub(line.discount_minor.unwrap_or(0))),
        coded: coded.filter(|coded| coded.amount_minor != 0).collect(),
        declared_partial: matches!(line.action.as_deref(), Some("PP" | "PR")),
        date: line.date,
        po: line.po.as_deref().map(normalise::fold).unwrap_or_default(),
        byte: Some(line.byte),
    }
}

/// A line that names an item a second time adds to the first: an item is paid once per payment.
fn add(claims: &mut Vec<Claim>, claim: Claim) {
    let same = claim.mentions.first().map(|mention| mention.reference.folded.clone());
    let known = same.and_then(|folded| {
        // Lines of one item stand close together; looking far back would make long advices slow for nothing.
        claims
            .iter_mut()
            .rev()
            .take(64)
            // What is open on an item differs on no two lines: these two name two items, by numbers cut alike.
            .filter(|other| other.gross_minor.is_none() || claim.gross_minor.is_none() || other.gross_minor == claim.gross_minor)
            .find(|other| other.mentions.first().is_some_and(|mention| mention.reference.folded == folded))
    });
    match known {
        None => claims.push(claim),
        Some(first) => {
            first.net_minor = first.net_minor.zip(claim.net_minor).and_then(|(a, b)| a.checked_add(b));
            first.discount_minor = first.discount_minor.saturating_add(claim.discount_minor);
            first.coded.extend(claim.coded);
            first.declared_partial |= claim.declared_partial;
        }
    }
}

/// A free adjustment: an outer ADX (no reference of its own), or a line marked as adjustment that takes something off.
fn is_adjustment(line: &RemittanceLine, names_credit: &dyn Fn(&Reference) -> bool) -> bool {
    let amount = line.net_minor.or(line.gross_minor).unwrap_or(0);
    if line.reference.trim().is_empty() {
        return amount != 0 && !line.adjustments.is_empty();
    }
    let marked = line.qualifier.eq_ignore_ascii_case("ZZ") || line.action.as_deref() == Some("AJ");
    marked && amount < 0 && !names_credit(&Reference::new(&line.reference))
}

/// Gives an adjustment to the claim it names, or else to the claim before it, or leaves it loose.
fn attach(claims: &mut Claims, before: usize, line: &RemittanceLine, rules: &RuleSet, names_credit: &dyn Fn(&Reference) -> bool) {
    let amount_minor = line.net_minor.or(line.gross_minor).unwrap_or(0);
    let code = line.adjustments.first().map(|adjustment| adjustment.reason.clone()).unwrap_or_default();
    let coded = Coded { amount_minor: amount_minor.saturating_neg(), code };
    let memo = line
        .adjustments
        .iter()
        .filter_map(|adjustment| adjustment.reference.as_deref())
        .find(|text| names_credit(&Reference::new(text)));
    if let Some(mention) = memo.filter(|_| amount_minor < 0).and_then(|text| Mention::new(text, rules)) {
        return claims.claims.push(Claim {
            mentions: vec![mention],
            net_minor: Some(amount_minor),
            byte: Some(line.byte),
            ..Claim::default()
        });
    }
    let named: Vec<String> = std::iter::once(line.reference.as_str())
        .chain(line.adjustments.iter().filter_map(|adjustment| adjustment.reference.as_deref()))
        .map(normalise::fold)
        .filter(|folded| !folded.is_empty())
        .collect();
    let by_name = claims
        .claims
        .iter()
        .position(|claim| claim.mentions.first().is_some_and(|mention| named.contains(&mention.reference.folded)));
    // An outer ADX stands before the first line and belongs to none unless there is only one.
    let alone = (claims.claims.len() == 1).then_some(0);
    let previous = if line.reference.trim().is_empty() { alone } else { before.checked_sub(1) };
    match by_name.or(previous).and_then(|index| claims.claims.get_mut(index)) {
        Some(claim) => {
            claim.net_minor = claim.net_minor.and_then(|net| net.checked_add(amount_minor));
            claim.coded.push(coded);
        }
        None => claims.loose.push(coded),
    }
}

/// A line with zero cash and no adjustment tells something and moves nothing.
fn moves_nothing(line: &RemittanceLine) -> bool {
    line.net_minor == Some(0) && line.adjustments.iter().all(|adjustment| adjustment.amount_minor == 0)
}

fn longest_reference(line: &RemittanceLine) -> usize {
    let further = line.references.iter().map(|further| further.value.len());
    further.chain([line.reference.len(), line.po.as_ref().map_or(0, String::len)]).max().unwrap_or(0)
}
