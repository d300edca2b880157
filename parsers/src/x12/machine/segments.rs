//! Segments of one 820 that nothing encloses: they are one set from the first byte to the last.

use crate::{Currency, Effect, Finding, FindingCode, Severity};

use super::super::{
    bare::Bare,
    output::Output,
    place::Origin,
    remark::{not_utf8, tell_oddities},
    segment::Context,
    set::Set,
    set_820,
};
use super::{Machine, Stage, between::is_blank};

impl Machine {
    /// The first segment decides: behind ST stand sets, all else is the content of one.
    pub(super) fn begin_segments(&mut self, window: &[u8]) {
        let Some(Bare::Segments(delimiters)) = self.bare else { return };
        let Some(first) = self.tape.spans.first().filter(|_| self.set_first.is_none()) else { return };
        let bytes = window.get(self.tape.origin.saturating_add(first.start as usize)..).unwrap_or_default();
        if matches!(bytes, [b'S', b'T', next, ..] if *next == delimiters.element) {
            self.bare = Some(Bare::Sets(delimiters));
        } else {
            self.set_first = Some(0);
            self.envelope.open_segments();
        }
    }

    /// Whether segments without ST are being read, so that none of them ends a set.
    pub(super) fn in_segments(&self) -> bool {
        matches!(self.bare, Some(Bare::Segments(_)))
    }

    /// The window is the last one: the segment without terminator, if any, is the last, and the set is complete.
    pub(super) fn end_segments<'w>(&mut self, window: &'w [u8], out: &mut Output<'w>) {
        let rest = window.get(self.tape.open..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
        let tail = rest.get(blank..).unwrap_or_default().trim_ascii_end();
        if !tail.is_empty() {
            let start = self.tape.open.saturating_add(blank);
            let location = self.place(start);
            self.tape.close_unterminated(window, start, start.saturating_add(tail.len()), &self.delimiters);
            self.begin_segments(window);
            out.finding(Finding {
                code: FindingCode::OddEnvelope,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the last segment has no terminator; its last element may have been cut off".to_owned(),
                expected: "a segment terminator".to_owned(),
                found: "the end of the text".to_owned(),
                location,
            });
        }
        if self.in_segments() {
            self.read_held_segments(window, out);
        }
    }

    /// Reads what is on the tape as one 820.
    fn read_held_segments<'w>(&mut self, window: &'w [u8], out: &mut Output<'w>) {
        let Some(first) = self.set_first.take() else { return };
        let Self { tape, wrap, .. } = self;
        let spans = tape.spans.get(first..).unwrap_or_default();
        let bytes = window.get(tape.origin..).unwrap_or_default();
        let text = std::str::from_utf8(bytes);
        let context = Context {
            bytes,
            text: text.ok().map(|text| (text, 0)),
            delimiters: &self.delimiters,
            origin: Origin { base: self.base.wrapping_add(tape.origin as u64), wrap: wrap.as_ref() },
            separators: &tape.separators,
            long_dates: false,
        };
        let last = tape.spans.len().saturating_sub(1);
        tell_oddities(tape, first..=last, &context, u32::try_from(spans.len()).unwrap_or(u32::MAX), out);
        out.begin_set(None);
        if let Err(error) = text {
            out.finding(not_utf8(&context, spans, error.valid_up_to()));
        }
        set_820::read_segments(&Set { context: &context, spans, id: b"820", currency: Currency::USD, limits: &self.limits }, out);
        let (set_aside, notes) = out.end_set();
        self.envelope.close_set(set_aside, notes);
        self.stage = Stage::Stopped;
    }
}
