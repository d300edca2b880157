//! What there is to say about segments before their reader sees them: foreign bytes, text that is not UTF-8, segments that stray.
//!
//! The machine decides when to say it, and what it does to the file.

use std::ops::RangeInclusive;

use super::{
    lexer::{Span, Tape},
    output::Output,
    segment::{Context, Segment, shown},
};
use crate::{Effect, Finding, FindingCode, Severity};

/// Tells what the lexer saw odd about some segments.
pub(crate) fn tell_oddities(
    tape: &Tape,
    spans: RangeInclusive<usize>,
    context: &Context<'_, '_>,
    last: u32,
    out: &mut Output<'_>,
) {
    // They stand in the order of their segments, so that a file full of them does not cost a search per segment.
    let first = tape.oddities.partition_point(|oddity| oddity.span < *spans.start());
    let oddities = tape.oddities.get(first..).unwrap_or_default();
    for oddity in oddities.iter().take_while(|oddity| oddity.span <= *spans.end()) {
        let Some(span) = tape.spans.get(oddity.span) else { continue };
        let behind = u32::try_from(spans.end().saturating_sub(oddity.span)).unwrap_or(0);
        let segment = Segment::new(context, span, last.saturating_sub(behind));
        let start = span.start as usize;
        let foreign = context.bytes.get(start.saturating_sub(oddity.foreign_bytes)..start).unwrap_or_default();
        out.finding(match oddity.foreign_bytes {
            0 => Finding {
                code: FindingCode::BadText,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: "the length of the binary data does not lead to a segment terminator".to_owned(),
                expected: "the number of bytes of the binary data".to_owned(),
                found: shown(segment.value(1)),
                location: segment.location(),
            },
            bytes => Finding {
                code: FindingCode::TrailingData,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: format!("{bytes} bytes before the segment belong to no segment"),
                expected: "a segment tag".to_owned(),
                found: shown(foreign),
                location: segment.location(),
            },
        });
    }
}

/// One finding per set: the first place that is not UTF-8.
pub(crate) fn not_utf8(context: &Context<'_, '_>, spans: &[Span], at: usize) -> Finding {
    let index = spans.partition_point(|span| span.start as usize <= at).saturating_sub(1);
    let blank = Span::default();
    let span = spans.get(index).unwrap_or(&blank);
    let segment = Segment::new(context, span, u32::try_from(index).unwrap_or(u32::MAX).wrapping_add(1));
    let behind = usize::from((span.end as usize) < at);
    let element = segment.separators_before(u32::try_from(at).unwrap_or(u32::MAX)).saturating_add(behind);
    let message = "the text is not UTF-8 and was read as Windows-1252".to_owned();
    // Only the byte is told: the element may be an account number.
    let found = context.bytes.get(at).map(|byte| format!("byte {byte:02X}")).unwrap_or_default();
    Finding { found, ..segment.finding(element.max(1), FindingCode::NotUtf8, Effect::Noted, message, "UTF-8 text") }
}

/// A segment that stands where the envelope allows none.
pub(crate) fn stray(segment: &Segment<'_, '_>, what: &str, effect: Effect) -> Finding {
    Finding {
        code: FindingCode::BadEnvelope,
        severity: Severity::Error,
        effect,
        message: format!("{what} stands where the envelope allows none"),
        expected: "TA1, GS, ST, GE or IEA".to_owned(),
        found: shown(segment.tag()),
        location: segment.location(),
    }
}
