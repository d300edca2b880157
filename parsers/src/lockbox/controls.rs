//! What the totals of a lockbox file claim beside what was counted.

use crate::{Control, Effect, Figure, Finding, FindingCode, Location, Severity, x12::output::Output};

use super::{layout::Span, row::Row};

/// A claim and the ways in which banks compute it; the first is the standard.
pub(super) struct Claim<'c> {
    pub name: &'static str,
    pub level: &'static str,
    /// What was computed, for the sentence of a finding.
    pub what: &'static str,
    pub code: FindingCode,
    pub variants: &'c [(&'static str, i128)],
    /// Records that could not be read and are missing in what was computed.
    pub unreadable: u32,
}

/// Compares; gives what the file claims, or what was computed where it claims nothing readable.
pub(super) fn compare(row: &Row<'_>, span: Span, claim: &Claim<'_>, out: &mut Output<'_>) -> i128 {
    let Claim { name, level, what, code, variants, unreadable } = claim;
    let computed = variants.first().map_or(0, |(_, value)| *value);
    let text = row.value(span);
    if span.to == 0 {
        return computed;
    }
    let claimed = super::row::amount(text).map(i128::from);
    let Some(claimed) = claimed else {
        let message = format!("{name} is no number, so nothing proves {what}");
        out.finding(row.finding(span, FindingCode::BadAmount, Effect::FileHeld, message, &computed.to_string()));
        return computed;
    };
    let fits = variants.iter().find(|(_, value)| *value == claimed);
    if let Some((variant, _)) = fits
        && !variant.is_empty()
    {
        let message = format!("{name} fits the variant in which {variant}");
        out.finding(row.finding(span, *code, Effect::Noted, message, &computed.to_string()));
    }
    let missing = claimed.saturating_sub(computed);
    if fits.is_none() && *unreadable == 1 && missing > 0 {
        let message = format!("{name} is {missing} more than what could be read; that is what the record set aside must carry");
        out.finding(row.finding(span, *code, Effect::Noted, message, &computed.to_string()));
    } else if fits.is_none() {
        let message = format!("{name} says {claimed}, but {what} is {computed}");
        out.finding(row.finding(span, *code, Effect::FileHeld, message, &computed.to_string()));
    }
    let shown = fits.map_or(computed, |(_, value)| *value);
    out.control(Control {
        name,
        level,
        claimed: Figure::new(&String::from_utf8_lossy(text)),
        computed: Figure::decimal(shown, 0),
        ok: fits.is_some(),
        location: row.location_of(span),
    });
    claimed
}

/// A finding that a level was left without its total.
pub(super) fn missing_trailer(record: &str, what: &str, effect: Effect, location: Location) -> Finding {
    Finding {
        code: FindingCode::MissingTrailer,
        severity: if effect == Effect::Noted { Severity::Warning } else { Severity::Error },
        effect,
        message: format!("the {what} that begins here has no record {record}"),
        expected: format!("record {record}"),
        found: String::new(),
        location,
    }
}
