//! Lines that a replay writes, whichever way it went.

use std::io::Write;

use serde::Serialize;

use super::{label::Line, world::World};
use crate::domain::{Decision, LineAdjustmentKind, Outcome, PaymentId, Proposal, ProposalLine, Reason};

/// A decision, and whether the ledger let it post.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) decision: Decision,
    pub(super) posted: bool,
}

/// A return of the bank, and the payment that it took back.
pub(super) struct TakenBack<'a> {
    pub(super) name: &'a str,
    pub(super) original: Option<PaymentId>,
}

/// What was decided about one payment or return. Amounts are minor units.
#[derive(Debug, Default, Serialize)]
struct Record<'a> {
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

/// Writes the returns in their order, then what `made` has of each payment, in the order of their ids.
pub(super) fn write<'m>(
    out: &mut dyn Write,
    world: &World,
    returns: &[TakenBack<'_>],
    made: impl Fn(PaymentId) -> &'m [Made],
) -> anyhow::Result<()> {
    let names: Vec<&str> = world.payments().map(|(name, _)| name).collect();
    let name = |id: PaymentId| usize::try_from(id.0).ok().and_then(|id| names.get(id.checked_sub(1)?)).copied();
    for TakenBack { name: of, original } in returns {
        write_line(out, &of_return(of, original.and_then(name)))?;
    }
    for (name, payment) in world.payments() {
        if let Some(record) = of_payment(name, made(payment.id), world) {
            write_line(out, &record)?;
        }
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, record: &Record<'_>) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    Ok(writeln!(out)?)
}

/// The line of a payment, by all that was decided about it, oldest first. What posted stands, whatever was decided about the rest.
fn of_payment<'a>(name: &'a str, made: &'a [Made], world: &World) -> Option<Record<'a>> {
    let place = made.iter().rposition(|made| made.posted).or(made.len().checked_sub(1))?;
    let (earlier, Made { decision, posted }) = (made.get(..place)?, made.get(place)?);
    let best = decision.proposals.first();
    let mut first: Vec<_> =
        earlier.iter().filter(|made| made.posted).filter_map(|made| made.decision.proposals.first()).collect();
    first.extend(best);
    let first: Vec<_> = first.into_iter().flat_map(|proposal| lines(proposal, world)).collect();
    let (status, reason) = match &decision.outcome {
        _ if *posted => ("auto", None),
        Outcome::Hold { reason } => (if first.is_empty() { "exception" } else { "suggested" }, Some(reason)),
        Outcome::Post | Outcome::PostWithFollowUp { .. } => ("suggested", Some(&Reason::AboveAuthority)),
    };
    Some(Record {
        payment_id: name,
        status,
        lines: first,
        unapplied: best.map_or(0, |best| best.unapplied_minor),
        alternatives: decision.proposals.iter().skip(1).map(|proposal| lines(proposal, world)).collect(),
        rule: best.map(|best| best.rule.as_str()),
        confidence_milli: decision.evidence.confidence.as_ref().map(|sure| sure.milli),
        amount_class: decision.evidence.confidence.as_ref().map(|sure| sure.class.as_str()),
        reason: reason.map(ToString::to_string),
        why_not: decision.evidence.why_not.as_deref(),
        reversal_of: None,
    })
}

/// The line of a return.
fn of_return<'a>(name: &'a str, original: Option<&'a str>) -> Record<'a> {
    Record {
        payment_id: name,
        status: if original.is_some() { "auto" } else { "exception" },
        reversal_of: original,
        ..Record::default()
    }
}

fn lines(proposal: &Proposal, world: &World) -> Vec<Line> {
    proposal.lines.iter().map(|line| of_line(line, world)).collect()
}

fn of_line(line: &ProposalLine, world: &World) -> Line {
    let invoice_id = world.item_name(line.item).unwrap_or_default().to_owned();
    let mut out = Line { invoice_id, applied: line.applied_minor, ..Line::default() };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn made(outcome: Outcome, unapplied_minor: i64, posted: bool) -> Made {
        let proposal = Proposal { unapplied_minor, rule: "post.x".to_owned(), ..Proposal::default() };
        Made { decision: Decision { outcome, proposals: vec![proposal], evidence: Default::default() }, posted }
    }

    fn told(made: &[Made]) -> (&'static str, i64, Option<String>) {
        let record = of_payment("P1", made, &World::default()).map(|record| (record.status, record.unapplied, record.reason));
        record.expect("something was decided")
    }

    #[test]
    fn what_posted_stands_whatever_is_decided_about_the_rest() {
        let hold = || made(Outcome::Hold { reason: Reason::Ambiguous }, 7, false);
        assert_eq!(told(&[made(Outcome::Post, 7, true), hold()]), ("auto", 7, None));
        assert_eq!(told(&[hold(), made(Outcome::Post, 0, true)]), ("auto", 0, None));
        assert_eq!(told(&[hold()]), ("exception", 7, Some("ambiguous".to_owned())));
    }

    #[test]
    fn what_the_ledger_refused_is_not_told_as_posted() {
        assert_eq!(told(&[made(Outcome::Post, 0, false)]), ("suggested", 0, Some("above_authority".to_owned())));
    }
}
