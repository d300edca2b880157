//! Where reading ends: the end of the file, a limit, or another interchange before the one in hand has ended.

use crate::{Effect, Finding, FindingCode, Location, Severity};

use super::super::{delimiters::begins_isa, output::Output, place::Origin, segment::shown};
use super::{Machine, Stage, between::is_blank};

impl Machine {
    /// Whether the segments of the set in hand up to the cursor are more than allowed; reading stops then.
    pub(super) fn transaction_too_long(&mut self, out: &mut Output<'_>) -> bool {
        let spans = self.set_first.and_then(|first| self.tape.spans.get(first..self.cursor)).unwrap_or_default();
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return false };
        if last.end.wrapping_sub(first.start) as usize <= self.limits.transaction_bytes_max {
            return false;
        }
        let start = self.tape.origin.saturating_add(first.start as usize);
        let expected = format!("a transaction of at most {} bytes", self.limits.transaction_bytes_max);
        self.stop(start, first.line, "a transaction is longer than allowed", expected, out);
        true
    }

    /// Gives up on the file: a limit was reached.
    pub(super) fn stop(&mut self, at: usize, line: u32, message: &str, expected: String, out: &mut Output<'_>) {
        let location = Origin { base: self.base, wrap: self.wrap.as_ref() }.location(at, line, None);
        out.finding(Finding {
            code: FindingCode::LimitReached,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: format!("{message}; nothing after it was read"),
            expected,
            found: "more".to_owned(),
            location,
        });
        self.leave_open_set(location, "a limit", out);
        self.stage = Stage::Stopped;
    }

    /// The window is the last one and no complete segment is left in it.
    pub(super) fn end_of_file<'w>(&mut self, window: &'w [u8], out: &mut Output<'w>) -> bool {
        let from = self.tape.open;
        let rest = window.get(from..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
        let text = rest.get(blank..).unwrap_or_default();
        if begins_isa(text) {
            self.pass(window, blank);
            self.abandon("another ISA", out);
            return true;
        }
        if self.in_segments() {
            self.end_segments(window, out);
            if self.in_segments() {
                self.tape.restart(window.len(), self.tape.line());
                self.stage = Stage::Stopped;
            }
            return true;
        }
        let separator = self.delimiters.element;
        let is_last = matches!(text, [b'I', b'E', b'A', next, ..] if *next == separator && self.bare.is_none())
            || matches!(text, [b'S', b'E', next, ..] if *next == separator && self.bare.is_some());
        let tail = text.trim_ascii_end();
        if is_last {
            let start = from.saturating_add(blank);
            let location = self.place(start);
            self.tape.close_unterminated(window, start, start.saturating_add(tail.len()), &self.delimiters);
            out.finding(Finding {
                code: FindingCode::OddEnvelope,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the last segment has no terminator".to_owned(),
                expected: "a segment terminator".to_owned(),
                found: "the end of the file".to_owned(),
                location,
            });
            self.read_segment(window, false, out);
            return true;
        }
        if !tail.is_empty() || self.envelope.in_interchange() || self.set_first.is_some() {
            let place = self.place(from.saturating_add(blank).saturating_add(tail.len()));
            if self.bare.is_some() || !self.envelope.in_interchange() {
                out.finding(Finding {
                    code: FindingCode::UnexpectedEnd,
                    severity: Severity::Error,
                    effect: Effect::FileHeld,
                    message: "the text ends inside a segment or transaction set".to_owned(),
                    expected: "SE and its terminator".to_owned(),
                    found: shown(tail),
                    location: place,
                });
            }
            self.leave_open_set(place, "the end of the file", out);
        }
        self.tape.restart(window.len(), self.tape.line());
        self.stage = Stage::Stopped;
        true
    }

    /// Another interchange begins before the one in hand has ended.
    pub(super) fn abandon(&mut self, found: &str, out: &mut Output<'_>) {
        let place = self.place(self.tape.open);
        if self.set_first.is_some() && !self.envelope.in_interchange() {
            out.finding(Finding {
                code: FindingCode::MissingTrailer,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: format!("what stands before the envelope is not complete: {found} comes before its end"),
                expected: "segments without an envelope, or with one".to_owned(),
                found: found.to_owned(),
                location: place,
            });
        }
        self.leave_open_set(place, found, out);
        self.ordinal = self.ordinal.wrapping_add(u32::try_from(self.cursor).unwrap_or(u32::MAX));
        self.cursor = 0;
        self.tape.restart(self.tape.open, self.tape.line());
        self.stage = Stage::Between;
    }

    pub(super) fn leave_open_set(&mut self, place: Location, found: &str, out: &mut Output<'_>) {
        self.envelope.interchange_without_trailer(place, found, out);
        if self.set_first.take().is_some() {
            self.envelope.close_set(true, Vec::new());
        }
    }
}
