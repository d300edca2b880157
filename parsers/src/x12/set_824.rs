//! 824 Application Advice: what a partner says about the content of something we sent, after its syntax was accepted.
//!
//! Each OTI is one acknowledgment, of a set, a group or one item in them. One that rejects an item names an invoice that will not be paid.

use crate::{AckLevel, Acknowledgment, Effect, Finding, FindingCode, Reference, Severity, Text};

use super::{
    bill::missing_segment,
    output::Output,
    segment::{Segment, shown},
    set::Set,
};

/// Segments of an 824 that carry nothing this reader keeps.
const KNOWN: &[&[u8]] = &[
    b"ST", b"SE", b"BGN", b"N1", b"N2", b"N3", b"N4", b"PER", b"REF", b"DTM", b"AMT", b"QTY", b"NM1", b"RED", b"CTX", b"LM",
    b"LQ",
];
/// Errors kept of one OTI. Stops an advice of a million errors from filling memory.
const CODES_MAX: usize = 1_000;
/// Bytes of text kept of one OTI.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Reads one 824.
pub(super) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let mut reader = Reader { judged: None, judgements: 0 };
    let mut begun = false;
    for segment in set.segments() {
        begun |= segment.tag() == b"BGN";
        reader.segment(&segment, out);
    }
    reader.close(out);
    if !begun {
        let finding = missing_segment(set, "BGN", "the application advice has no BGN");
        out.finding(Finding { severity: Severity::Warning, effect: Effect::Noted, ..finding });
    }
    if reader.judgements == 0 {
        out.finding(missing_segment(set, "OTI", "the application advice judges nothing (OTI)"));
    }
}

struct Reader<'w> {
    /// The OTI in hand.
    judged: Option<Judged<'w>>,
    judgements: u64,
}

/// One OTI and what hangs on it.
struct Judged<'w> {
    record: Acknowledgment<'w>,
    text: String,
    full: bool,
}

impl<'w> Reader<'w> {
    fn segment(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        match segment.tag() {
            b"OTI" => self.judge(segment, out),
            b"TED" => self.error(segment, out),
            b"NTE" => self.say(segment, segment.value(1) == b"ADD", out),
            tag if KNOWN.contains(&tag) => {}
            _ => out.finding(Finding {
                code: FindingCode::UnknownSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the segment does not belong in an 824".to_owned(),
                expected: "a segment of the 824".to_owned(),
                found: shown(segment.tag()),
                location: segment.location(),
            }),
        }
    }

    /// OTI: verdict (OTI01), reference judged (OTI02, OTI03), group and set number (OTI08, OTI09), set identifier (OTI10).
    fn judge(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        self.close(out);
        self.judgements = self.judgements.saturating_add(1);
        let Some((level, verdict)) = verdict(segment.value(1)) else {
            // Neither yes nor no: nothing is acknowledged.
            let code = if segment.has(1) { FindingCode::BadCode } else { FindingCode::MissingElement };
            let message = "OTI01 is no verdict".to_owned();
            let finding = segment.finding(1, code, Effect::Noted, message, "TA, TR, TE, IA, IR, IE and the like");
            return out.finding(Finding { severity: Severity::Error, ..finding });
        };
        if segment.has(9) && !segment.has(8) {
            segment.missing(8, "the group of the set in OTI09", Effect::Noted, out);
        }
        let reference = segment.text(3).filter(|value| value != "NA");
        let (number, group) = match level {
            AckLevel::Group => (segment.text_or_empty(8), None),
            _ => (segment.text_or_empty(9), segment.text(8)),
        };
        let record = Acknowledgment {
            level,
            control_number: number,
            group_control: group,
            id: segment.text_or_empty(10),
            verdict,
            codes: Vec::new(),
            reference: reference.map(|value| Reference { qualifier: segment.text_or_empty(2), value }),
            text: None,
            location: segment.location(),
        };
        self.judged = Some(Judged { record, text: String::new(), full: false });
    }

    /// TED: code (TED01), text (TED02), and where it is: segment (TED03), its position (TED04), the element (TED05). The bad value (TED07)
    /// is not kept: it may be an account number.
    fn error(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        if !segment.has(1) {
            segment.missing(1, "an error condition code", Effect::Noted, out);
        }
        let Some(judged) = &mut self.judged else {
            return out.finding(Finding {
                code: FindingCode::MissingLoop,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "TED stands outside what is judged (OTI)".to_owned(),
                expected: "OTI".to_owned(),
                found: "TED".to_owned(),
                location: segment.location(),
            });
        };
        let codes = &mut judged.record.codes;
        if codes.len() < CODES_MAX {
            codes.extend(placed_code(segment));
        } else {
            judged.tell_full(segment, out);
        }
        self.say(segment, false, out);
    }

    /// Adds a text to what was said: behind a blank, or at once where a word was cut (NTE01 ADD).
    fn say(&mut self, segment: &Segment<'w, '_>, follows: bool, out: &mut Output<'w>) {
        let (Some(judged), Some(said)) = (&mut self.judged, segment.text(2)) else { return };
        let text = &mut judged.text;
        if text.len().saturating_add(said.len()) >= TEXT_BYTES_MAX {
            return judged.tell_full(segment, out);
        }
        if !follows && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&said);
    }

    fn close(&mut self, out: &mut Output<'w>) {
        let Some(Judged { mut record, text, .. }) = self.judged.take() else { return };
        record.text = (!text.is_empty()).then_some(Text::Owned(text));
        out.acknowledgment(record);
    }
}

impl<'w> Judged<'w> {
    /// Not all that is said is kept; told once.
    fn tell_full(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        if !std::mem::replace(&mut self.full, true) {
            let message = "further errors and texts of the advice are not kept".to_owned();
            let expected = format!("at most {CODES_MAX} errors and {TEXT_BYTES_MAX} bytes of text");
            out.finding(segment.finding(1, FindingCode::LimitReached, Effect::Noted, message, &expected));
        }
    }
}

/// Application acknowledgment code (element 110): what is judged, and how.
fn verdict<'w>(code: &[u8]) -> Option<(AckLevel, Text<'w>)> {
    let &[level, verdict] = code else { return None };
    let level = match level {
        b'T' => AckLevel::Set,
        b'I' => AckLevel::Item,
        b'G' => AckLevel::Group,
        _ => return None,
    };
    let verdict = match verdict {
        b'A' => "A",
        b'R' => "R",
        b'E' => "E",
        b'C' => "C",
        b'P' => "P",
        _ => return None,
    };
    Some((level, Text::Borrowed(verdict)))
}

/// The code of a TED, behind its place where that is named: `024`, `N4@113=024`, `N403@113=024`.
fn placed_code<'w>(segment: &Segment<'w, '_>) -> Option<Text<'w>> {
    let code = segment.text(1)?;
    if !segment.has(3) {
        return Some(code);
    }
    let element = segment.component(5, 1).map_or(String::new(), |position| format!("{position:0>2}"));
    let position = segment.text(4).map_or(String::new(), |position| format!("@{position}"));
    Some(Text::Owned(format!("{}{element}{position}={code}", shown(segment.value(3)))))
}
