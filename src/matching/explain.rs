//! Renders a decision as text for a person: the one renderer for command line, API and workbench.

use std::fmt::Write as _;

use crate::domain::{
    Confidence, Currency, CustomerId, Decision, EvidenceItem, LineAdjustmentKind, Money, OpenItemId, Outcome, Proposal,
    ProposalLine, Reason, Step,
};

/// Looks up the names a decision holds only as ids.
pub struct Names<'a> {
    pub currency: Currency,
    /// Number of an open item.
    pub item: &'a dyn Fn(OpenItemId) -> Option<String>,
    /// Name or code of a customer.
    pub customer: &'a dyn Fn(CustomerId) -> Option<String>,
}

impl Names<'_> {
    fn item(&self, id: OpenItemId) -> String {
        (self.item)(id).unwrap_or_else(|| id.to_string())
    }

    fn customer(&self, id: CustomerId) -> String {
        (self.customer)(id).unwrap_or_else(|| id.to_string())
    }

    fn money(&self, minor: i64) -> String {
        Money::new(minor, self.currency).to_string()
    }
}

/// Pieces of evidence shown for one step; the stored decision has them all.
const EVIDENCE_SHOWN: usize = 12;
/// Lines shown of one proposal.
const LINES_SHOWN: usize = 40;

/// What was decided, the sum, the evidence with its source, the runner-up, and for an exception what it lacked.
pub fn render(decision: &Decision, names: &Names<'_>) -> String {
    let mut out = String::new();
    headline(&decision.outcome, decision.proposals.first(), names, &mut out);
    line(&mut out, &format!("Sum: {}", decision.evidence.equation));
    if let Some(why) = &decision.evidence.why_not {
        line(&mut out, &format!("Why not: {why}"));
    }
    out.push_str("\nWhat was looked at\n");
    for step in &decision.evidence.steps {
        render_step(step, &mut out);
    }
    for (index, proposal) in decision.proposals.iter().enumerate() {
        render_proposal(index, proposal, &decision.outcome, names, &mut out);
    }
    if let Some(runner_up) = &decision.evidence.runner_up {
        out.push_str("\nRunner-up\n");
        line(&mut out, &format!("  {}", runner_up.equation));
        line(&mut out, &format!("  It lacked: {} (behind by {})", runner_up.lacked, points(runner_up.margin_milli)));
    }
    if let Some(sure) = &decision.evidence.confidence {
        render_confidence(sure, decision.evidence.certificate, &mut out);
    }
    line(&mut out, &format!("\nRules {}", decision.evidence.rule_set.get(..12).unwrap_or(&decision.evidence.rule_set)));
    out
}

fn render_confidence(sure: &Confidence, certificate: Option<i64>, out: &mut String) {
    let by = certificate.map(|number| format!(", posted under certificate {number}")).unwrap_or_default();
    line(out, &format!("\nConfidence {}, {} amount{by}", points(sure.milli.into()), sure.class.as_str()));
    for part in &sure.parts {
        line(out, &format!("  {:>7} {}", points(part.milli.into()), part.what));
    }
}

fn headline(outcome: &Outcome, first: Option<&Proposal>, names: &Names<'_>, out: &mut String) {
    let rule = first.map_or("", |proposal| proposal.rule.as_str());
    let text = match outcome {
        Outcome::Post => format!("Posted by rule {rule}."),
        Outcome::PostWithFollowUp { reasons } => {
            format!("Posted by rule {rule}; work remains: {}.", titles(reasons))
        }
        Outcome::Hold { reason } => format!("Held for a person: {}. {}", reason.title(), reason.advice()),
    };
    line(out, &text);
    if let Some(customer) = first.and_then(|proposal| proposal.customer) {
        line(out, &format!("Customer: {}", names.customer(customer)));
    }
}

fn titles(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.title().to_lowercase()).collect::<Vec<_>>().join(", ")
}

fn render_step(step: &Step, out: &mut String) {
    let rule = step.rule.as_deref().map(|rule| format!(" [{rule}]")).unwrap_or_default();
    line(out, &format!("  {:<9} {}{rule}", step.stage, step.text));
    for item in step.evidence.iter().take(EVIDENCE_SHOWN) {
        line(out, &format!("            {}", render_evidence(item)));
    }
    if step.evidence.len() > EVIDENCE_SHOWN {
        line(out, &format!("            and {} more", step.evidence.len() - EVIDENCE_SHOWN));
    }
}

/// `reference "INV-10443" is I-10443 (folded, +8.500) at byte 612`.
fn render_evidence(item: &EvidenceItem) -> String {
    let mut text = item.field.replace('_', " ");
    if !item.theirs.is_empty() {
        let _ = write!(text, " {:?}", item.theirs);
    }
    if !item.ours.is_empty() {
        let _ = write!(text, " against {}", item.ours);
    }
    let _ = write!(text, " ({}", item.level.replace('_', " "));
    if item.points_milli != 0 {
        let _ = write!(text, ", {}", points(item.points_milli));
    }
    if let Some(fact) = item.fact {
        let _ = write!(text, ", fact {fact}");
    }
    text.push(')');
    if let Some(byte) = item.byte {
        let _ = write!(text, " at byte {byte}");
    }
    text
}

fn render_proposal(index: usize, proposal: &Proposal, outcome: &Outcome, names: &Names<'_>, out: &mut String) {
    let title = match (index, outcome) {
        (0, Outcome::Hold { .. }) => "Proposal 1, not posted".to_owned(),
        (0, _) => "Applied".to_owned(),
        (index, _) => format!("Proposal {}", index + 1),
    };
    line(out, &format!("\n{title}"));
    for applied in proposal.lines.iter().take(LINES_SHOWN) {
        render_line(applied, names, out);
    }
    if proposal.lines.len() > LINES_SHOWN {
        line(out, &format!("  and {} more items", proposal.lines.len() - LINES_SHOWN));
    }
    if proposal.on_account_minor != 0 {
        line(out, &format!("  {} stays on account", names.money(proposal.on_account_minor)));
    }
    if proposal.unapplied_minor != 0 || proposal.lines.is_empty() {
        line(out, &format!("  {} stays unapplied", names.money(proposal.unapplied_minor)));
    }
}

fn render_line(applied: &ProposalLine, names: &Names<'_>, out: &mut String) {
    let mut text = format!("  {} takes {}", names.item(applied.item), names.money(applied.applied_minor));
    for adjustment in &applied.adjustments {
        let kind = match adjustment.kind {
            LineAdjustmentKind::Discount => "discount",
            LineAdjustmentKind::Deduction => "deduction",
            LineAdjustmentKind::WriteOff => "write-off",
        };
        let _ = write!(text, ", {} {kind} ({})", names.money(adjustment.amount_minor), adjustment.reason.replace('_', " "));
    }
    if let Some(advised) = applied.line {
        let _ = write!(text, " - line {} of the advice", advised + 1);
    }
    line(out, &text);
}

/// Log-odds with their sign and three decimals.
pub(super) fn points(milli: i64) -> String {
    let sign = if milli < 0 { '-' } else { '+' };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000)
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}
