//! What the trailers claim and what we computed, with the ways of counting that banks are known for.
//!
//! A claim that fits a known variant is accepted, and the variant is named; any other difference holds the file.

use crate::{Control, Effect, Figure, Finding, FindingCode, Severity, x12::output::Output};

use super::{
    amount,
    record::{Field, Record},
};

/// Physical records of a level, or of all levels so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    records: u64,
    continuations: u64,
    foreign: u64,
}

impl Counts {
    /// The counts of a logical record with all its pieces.
    #[inline]
    pub fn of(record: &Record<'_, '_>) -> Self {
        let pieces = record.pieces.len() as u64;
        let foreign = record.pieces.iter().filter(|piece| piece.foreign).count() as u64;
        let records = pieces.saturating_sub(foreign);
        Self { records, continuations: records.saturating_sub(1), foreign }
    }

    /// Adds what a record counts.
    #[inline]
    pub fn add(&mut self, record: Self) {
        self.records = self.records.saturating_add(record.records);
        self.continuations = self.continuations.saturating_add(record.continuations);
        self.foreign = self.foreign.saturating_add(record.foreign);
    }

    /// What was counted since a moment at which so much had been counted.
    pub fn since(self, before: Self) -> Self {
        Self {
            records: self.records.saturating_sub(before.records),
            continuations: self.continuations.saturating_sub(before.continuations),
            foreign: self.foreign.saturating_sub(before.foreign),
        }
    }
}

/// Amounts of an account as the file writes them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Amounts in 03.
    pub summary: i128,
    /// Amounts of credits in 16.
    pub credits: i128,
    /// Amounts of debits in 16.
    pub debits: i128,
    /// Amounts of other codes in 16.
    pub other: i128,
    /// Amounts that could not be read.
    pub unreadable: u32,
}

impl Sums {
    /// The sum by the standard: everything, with the signs as written.
    pub fn standard(&self) -> i128 {
        self.summary.saturating_add(self.details())
    }

    fn details(&self) -> i128 {
        self.credits.saturating_add(self.debits).saturating_add(self.other)
    }

    fn net(&self) -> i128 {
        self.credits.saturating_sub(self.debits).saturating_add(self.other)
    }

    /// The standard and the variants met, by name.
    pub fn variants(&self) -> [(&'static str, i128); 5] {
        [
            ("", self.standard()),
            ("only the 16 records are added", self.details()),
            ("only the amounts of 03 are added", self.summary),
            ("debits are subtracted", self.summary.saturating_add(self.net())),
            ("only the 16 records are added, and debits are subtracted", self.net()),
        ]
    }
}

/// Compares a control total. Gives what the trailer claims, or what was computed where it claims nothing.
pub(super) fn compare_total(
    names: (&'static str, &'static str),
    record: &Record<'_, '_>,
    field: Option<Field>,
    variants: &[(&'static str, i128)],
    unreadable: u32,
    out: &mut Output<'_>,
) -> i128 {
    let (name, level) = names;
    let computed = variants.first().map_or(0, |(_, sum)| *sum);
    let field = field.unwrap_or_default();
    let text = record.value(field);
    let claimed = match amount::total(text) {
        None => {
            let severity = if computed == 0 { Severity::Info } else { Severity::Warning };
            let message = format!("the trailer names no total, so nothing proves the sum {computed}");
            let finding = record.finding(field, FindingCode::MissingElement, Effect::Noted, message, "a control total");
            out.finding(Finding { severity, location: record.location(), ..finding });
            return computed;
        }
        Some(Err(())) => {
            let message = format!("{name} is no number");
            out.finding(record.finding(field, FindingCode::BadAmount, Effect::FileHeld, message, &computed.to_string()));
            return computed;
        }
        Some(Ok(claimed)) => claimed,
    };
    let location = record.location_of(field);
    let figure = |sum| Figure::decimal(sum, 0);
    let fits = variants.iter().find(|(_, sum)| *sum == claimed);
    let control =
        |computed: i128, ok| Control { name, level, claimed: figure(claimed), computed: figure(computed), ok, location };
    match fits {
        Some((variant, sum)) => {
            if !variant.is_empty() {
                let message = format!("{name} fits the variant in which {variant}");
                let finding =
                    record.finding(field, FindingCode::ControlTotalMismatch, Effect::Noted, message, &computed.to_string());
                out.finding(finding);
            }
            out.control(control(*sum, true));
        }
        None if unreadable == 1 && claimed > computed => {
            let missing = claimed.saturating_sub(computed);
            let message =
                format!("{name} is {missing} more than what could be read; that is what the record set aside must carry");
            out.finding(record.finding(field, FindingCode::ControlTotalMismatch, Effect::Noted, message, &computed.to_string()));
            out.control(control(computed, false));
        }
        None => {
            let message = format!("{name} says {claimed}, but the sum of the amounts is {computed}");
            out.finding(record.finding(
                field,
                FindingCode::ControlTotalMismatch,
                Effect::FileHeld,
                message,
                &computed.to_string(),
            ));
            out.control(control(computed, false));
        }
    }
    claimed
}

/// Compares a count of physical records.
pub(super) fn compare_records(
    names: (&'static str, &'static str),
    record: &Record<'_, '_>,
    field: Option<Field>,
    counts: Counts,
    out: &mut Output<'_>,
) {
    let variants = [
        ("", counts.records),
        ("88 records are not counted", counts.records.saturating_sub(counts.continuations)),
        ("lines without a record code are counted", counts.records.saturating_add(counts.foreign)),
    ];
    compare_count(names, record, field, &variants, "the number of records", out);
}

/// Compares any count; the first variant is the standard.
pub(super) fn compare_count(
    names: (&'static str, &'static str),
    record: &Record<'_, '_>,
    field: Option<Field>,
    variants: &[(&'static str, u64)],
    what: &str,
    out: &mut Output<'_>,
) {
    let (name, level) = names;
    let computed = variants.first().map_or(0, |(_, count)| *count);
    let Some(field) = field.filter(|field| !record.value(*field).is_empty()) else {
        let finding =
            record.finding(Field::default(), FindingCode::MissingElement, Effect::Noted, format!("{name} is missing"), what);
        out.finding(Finding { location: record.location(), found: String::new(), ..finding });
        return;
    };
    let text = record.value(field);
    let claimed = crate::x12::value::count(text);
    let fits = variants.iter().find(|(_, count)| Some(*count) == claimed);
    let (shown, ok) = fits.map_or((computed, false), |(_, count)| (*count, true));
    if let Some((variant, _)) = fits
        && !variant.is_empty()
    {
        let message = format!("{name} fits the variant in which {variant}");
        out.finding(record.finding(field, FindingCode::ControlCountMismatch, Effect::Noted, message, &computed.to_string()));
    }
    if !ok {
        let message = format!("{name} says {}, but {what} is {computed}", String::from_utf8_lossy(text));
        out.finding(record.finding(field, FindingCode::ControlCountMismatch, Effect::FileHeld, message, &computed.to_string()));
    }
    let claimed = Figure::new(&String::from_utf8_lossy(text));
    out.control(Control { name, level, claimed, computed: Figure::count(shown), ok, location: record.location_of(field) });
}

/// A finding that a level was left without its trailer.
pub(super) fn missing_trailer(code: &str, what: &str, location: crate::Location) -> Finding {
    Finding {
        code: FindingCode::MissingTrailer,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!("the {what} that begins here has no trailer {code}"),
        expected: code.to_owned(),
        found: String::new(),
        location,
    }
}
