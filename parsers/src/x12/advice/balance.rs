//! What must add up in an advice: BPR02 = sum of RMR04 + sum of outer ADX01.
//!
//! The set is kept in every case; a person decides. How it is judged:
//!
//! - the lines come to more than BPR02: an error, nothing may be applied without a person;
//! - BPR02 is more than the lines come to: a warning, because overpayments and lines left out are everyday matters and the rest stays
//!   unapplied;
//! - BPR02 is 0 with method NON and the lines do not come to 0: the advice names no total, a warning;
//! - lines without any amount (only references) are not added up.

use crate::{Control, Effect, Figure, Finding, FindingCode, Money, Severity};

use super::{super::output::Output, begin::Header, lines::Sums};

/// Compares and gives the total the advice names; nothing when it names none. `level` is what the advice is: a set, or a payment in one.
pub(super) fn check(header: &Header, level: &'static str, amount: Money, sums: &Sums, out: &mut Output<'_>) -> Option<Money> {
    for finding in &sums.unbalanced {
        out.finding(finding.clone());
    }
    let claimed = i128::from(amount.minor);
    let names_no_total = amount.minor == 0 && !header.moves && (sums.total != 0 || sums.amounts_missing > 0);
    let gap = claimed.saturating_sub(sums.total);
    let exponent = amount.currency.exponent();
    let figure = |minor| Figure::decimal(minor, exponent);
    if names_no_total {
        let message = format!("the advice names no total (BPR02 is 0 with NON); its lines come to {}", figure(sums.total));
        out.finding(finding(header, Severity::Warning, message, figure(sums.total), figure(claimed)));
        return None;
    }
    if !is_silent(sums, gap) {
        if gap != 0 {
            let (severity, message) = match gap {
                ..0 => (Severity::Error, format!("the lines come to {} more than BPR02", figure(gap.saturating_neg()))),
                _ => (Severity::Warning, format!("BPR02 is {} more than the lines come to", figure(gap))),
            };
            out.finding(finding(header, severity, message, figure(sums.total), figure(claimed)));
        }
        let claimed_figure = figure(claimed);
        out.control(Control {
            name: "BPR02",
            level,
            computed: if gap == 0 { claimed_figure.clone() } else { figure(sums.total) },
            claimed: claimed_figure,
            ok: gap == 0,
            location: header.amount_location,
        });
    }
    Some(amount)
}

/// Whether [`check`] has nothing to say about lines that travel with money of this amount.
pub(super) fn is_sound(amount: Money, sums: &Sums) -> bool {
    let gap = i128::from(amount.minor).saturating_sub(sums.total);
    sums.unbalanced.is_empty() && (gap == 0 || is_silent(sums, gap))
}

/// Lines without amounts are not added up; where some have none, they may be what is missing.
fn is_silent(sums: &Sums, gap: i128) -> bool {
    sums.amounts == 0 || (sums.amounts_missing > 0 && gap > 0)
}

fn finding(header: &Header, severity: Severity, message: String, expected: Figure, found: Figure) -> Finding {
    Finding {
        code: FindingCode::OutOfBalance,
        severity,
        effect: Effect::Noted,
        message,
        expected: expected.as_str().to_owned(),
        found: found.as_str().to_owned(),
        location: header.amount_location,
    }
}
