//! TA1 Interchange Acknowledgment: what a partner says about the envelope of an interchange we sent.

use crate::{AckLevel, Acknowledgment, Effect, FindingCode};

use super::{output::Output, segment::Segment, value};

/// Highest note code (TA105).
const NOTE_MAX: u64 = 31;

/// Reads a TA1.
pub(crate) fn read<'w>(segment: &Segment<'w, '_>, out: &mut Output<'w>) {
    if !segment.has(1) {
        return segment.missing(1, "the interchange control number acknowledged", Effect::Noted, out);
    }
    if segment.has(2) && value::date(segment.value(2)).is_none() {
        let message = "TA102 is no date".to_owned();
        out.finding(segment.finding(2, FindingCode::BadDate, Effect::Noted, message, "a date as YYMMDD"));
    }
    if !matches!(segment.value(4), b"A" | b"E" | b"R") {
        // Neither yes nor no: nothing is acknowledged.
        let message = "TA104 is no verdict".to_owned();
        return out.finding(segment.finding(4, FindingCode::BadCode, Effect::Noted, message, "A, E or R"));
    }
    let note = value::count(segment.value(5));
    if segment.has(5) && note.is_none_or(|note| note > NOTE_MAX) {
        let message = "TA105 is no note code".to_owned();
        out.finding(segment.finding(5, FindingCode::BadCode, Effect::Noted, message, "000 to 031"));
    }
    out.acknowledgment(Acknowledgment {
        level: AckLevel::Interchange,
        control_number: segment.text_or_empty(1),
        group_control: None,
        id: Default::default(),
        verdict: segment.text_or_empty(4),
        codes: segment.text(5).filter(|_| note != Some(0)).into_iter().collect(),
        reference: None,
        text: None,
        location: segment.location(),
    });
}
