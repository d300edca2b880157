//! Between interchanges: blanks, foreign bytes, and the next ISA.

use crate::{Effect, Finding, FindingCode, Location, Severity, Tag};

use super::super::{
    delimiters::{HEADER_MAX, IsaFault, begins_isa, read_isa},
    output::Output,
    segment::shown,
};
use super::{Machine, Stage};

/// Foreign bytes before the first interchange that are only told about; more could be a lost interchange.
const PREAMBLE_MAX: u64 = 200;

/// Foreign bytes between interchanges.
#[derive(Debug)]
pub(super) struct Gap {
    location: Location,
    bytes: u64,
    sample: Vec<u8>,
}

impl Machine {
    /// Looks for the next ISA from the position in hand. False: more bytes are needed, or there are none.
    pub(super) fn seek_interchange(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> bool {
        let from = self.tape.open;
        let rest = window.get(from..).unwrap_or_default();
        let blank =
            if self.gap.is_some() || self.gap_known { 0 } else { rest.iter().take_while(|byte| is_blank(**byte)).count() };
        if blank > 0 {
            self.pass(window, blank);
            return true;
        }
        if rest.is_empty() {
            if last {
                self.end_gap(true, out);
            }
            return false;
        }
        if rest.len() < 4 && !last {
            return false;
        }
        if rest.starts_with(b"\xef\xbb\xbf") && self.gap.is_none() {
            self.pass(window, 3);
            return true;
        }
        if begins_isa(rest) {
            self.end_gap(false, out);
            return self.begin_interchange(window, last, out);
        }
        self.gather_gap(window, last);
        true
    }

    /// Moves the position outside interchanges.
    pub(super) fn pass(&mut self, window: &[u8], bytes: usize) {
        let from = self.tape.open;
        let to = from.saturating_add(bytes);
        let breaks = memchr::memchr_iter(b'\n', window.get(from..to).unwrap_or_default()).count();
        let line = self.tape.line().wrapping_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.tape.restart(to, line);
    }

    /// Passes over foreign bytes up to where an ISA may begin, or a partial one at the end of the window.
    pub(super) fn gather_gap(&mut self, window: &[u8], last: bool) {
        let from = self.tape.open;
        let rest = window.get(from..).unwrap_or_default();
        let mut candidates = memchr::memmem::find_iter(rest, b"ISA");
        let begins = |at: &usize| rest.get(*at..).is_some_and(begins_isa);
        // The last bytes may be the beginning of an ISA that a later window completes.
        let kept = if last { 0 } else { 4 };
        let end = candidates.find(begins).unwrap_or(rest.len().saturating_sub(kept)).max(1);
        if !self.gap_known {
            let location = self.place(from);
            let gap = self.gap.get_or_insert_with(|| Gap { location, bytes: 0, sample: Vec::new() });
            gap.bytes = gap.bytes.saturating_add(end as u64);
            let room = 64_usize.saturating_sub(gap.sample.len());
            gap.sample.extend(rest.iter().take(end).take(room));
        }
        self.pass(window, end);
    }

    /// Tells about foreign bytes that have ended.
    pub(super) fn end_gap(&mut self, at_end: bool, out: &mut Output<'_>) {
        self.gap_known = false;
        let Some(gap) = self.gap.take() else { return };
        let first = self.envelope.received.interchanges.is_empty();
        let harmless = (first && !at_end && gap.bytes <= PREAMBLE_MAX) || gap.sample.iter().all(|byte| is_blank(*byte));
        let message = match (harmless, at_end) {
            (true, _) => format!("{} bytes before the interchange belong to no interchange", gap.bytes),
            (false, true) => format!("{} bytes at the end belong to no interchange; one may have been cut off", gap.bytes),
            (false, false) => format!("{} bytes belong to no interchange; one may have been lost", gap.bytes),
        };
        out.finding(Finding {
            code: FindingCode::TrailingData,
            severity: if harmless { Severity::Warning } else { Severity::Error },
            effect: match (harmless, first && at_end) {
                (true, _) => Effect::Noted,
                (false, true) => Effect::FileRejected,
                (false, false) => Effect::FileHeld,
            },
            message,
            expected: "ISA".to_owned(),
            found: shown(&gap.sample),
            location: gap.location,
        });
    }

    pub(super) fn begin_interchange(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> bool {
        let at = self.tape.open;
        let location = self.place(at);
        let location = Location { tag: Some(Tag::new(b"ISA")), ..location };
        match read_isa(window.get(at..).unwrap_or_default(), last) {
            Ok(isa) => {
                self.delimiters = isa.delimiters;
                self.bare = None;
                self.envelope.open_interchange(&isa, location, out);
                self.stage = Stage::Inside;
                self.cursor = 0;
                self.ordinal = self.ordinal.wrapping_add(1);
                self.pass(window, isa.length);
                true
            }
            Err(IsaFault::Incomplete) => false,
            Err(IsaFault::Wrapped) => {
                if self.wrap.is_none() {
                    self.needs_unwrapping = true;
                    out.finding(Finding {
                        code: FindingCode::OddEnvelope,
                        severity: Severity::Warning,
                        effect: Effect::Noted,
                        message: "line breaks fall inside the ISA segment; the file was wrapped and is read without them"
                            .to_owned(),
                        expected: "an ISA segment on one line".to_owned(),
                        found: "a line break".to_owned(),
                        location,
                    });
                }
                false
            }
            Err(IsaFault::Bad { at: offset, expected }) => {
                // No further than the header may reach, so that the answer does not depend on how much of the file is here.
                let head = window.get(at..).unwrap_or_default();
                let rest = head.get(..HEADER_MAX).unwrap_or(head).get(offset..).unwrap_or_default();
                let found = shown(rest.get(..8).unwrap_or(rest));
                out.finding(Finding {
                    code: FindingCode::BadEnvelope,
                    severity: Severity::Error,
                    effect: Effect::FileRejected,
                    message: "the ISA segment cannot be read".to_owned(),
                    expected: expected.to_owned(),
                    found,
                    location: Location { byte: self.place(at.saturating_add(offset)).byte, ..location },
                });
                self.gap_known = true;
                self.pass(window, 3);
                true
            }
        }
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c | 0x1a | 0)
}
