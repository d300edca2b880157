//! Between interchanges: blanks, and foreign bytes in which the next interchange is looked for.

use crate::{
    Effect, Finding, FindingCode, Location, Severity,
    x12::{output::Output, segment::shown},
};

use super::super::{
    lexer::{breaks, is_blank},
    marks::{Beginning, beginning},
};
use super::EdifactReader;

/// Foreign bytes before the first interchange that are only told about; more could be a lost interchange.
const PREAMBLE_MAX: u64 = 200;
/// Of them, so many are kept to be shown.
const SAMPLE_MAX: usize = 64;

/// Foreign bytes between interchanges.
#[derive(Debug)]
pub(super) struct Gap {
    location: Location,
    bytes: u64,
    sample: Vec<u8>,
}

impl EdifactReader {
    /// Moves the position outside interchanges.
    pub(super) fn pass(&mut self, window: &[u8], bytes: usize) {
        let to = self.at.saturating_add(bytes).min(window.len());
        self.line = self.line.saturating_add(breaks(window.get(self.at..to).unwrap_or_default()));
        (self.at, self.searched) = (to, to);
    }

    /// Passes over blanks, unless they are part of foreign bytes.
    pub(super) fn pass_blanks(&mut self, window: &[u8]) {
        if self.gap.is_none() {
            let rest = window.get(self.at..).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.pass(window, blank);
        }
    }

    /// Passes over foreign bytes up to where an interchange may begin, or a partial one at the end of the window.
    pub(super) fn gather_gap(&mut self, window: &[u8], last: bool) {
        let rest = window.get(self.at..).unwrap_or_default();
        let begins = |at: &usize| *at > 0 && beginning(rest.get(*at..).unwrap_or_default(), last) != Beginning::Foreign;
        // A letter at the end may be the first of UNA or UNB.
        let partial = rest.len().saturating_sub(usize::from(!last && rest.ends_with(b"U")));
        let end = memchr::memmem::find_iter(rest, b"UN").find(begins).unwrap_or(partial).max(1);
        let location = self.place(self.at);
        let gap = self.gap.get_or_insert_with(|| Gap { location, bytes: 0, sample: Vec::new() });
        gap.bytes = gap.bytes.saturating_add(end as u64);
        let room = SAMPLE_MAX.saturating_sub(gap.sample.len());
        gap.sample.extend(rest.iter().take(end).take(room));
        self.pass(window, end);
    }

    /// Tells about foreign bytes that have ended.
    pub(super) fn end_gap(&mut self, at_end: bool, out: &mut Output<'_>) {
        let Some(gap) = self.gap.take() else { return };
        let first = !self.envelope.is_read();
        let harmless = first && !at_end && gap.bytes <= PREAMBLE_MAX;
        let message = match (harmless, at_end) {
            (true, _) => format!("{} bytes before the interchange belong to no interchange", gap.bytes),
            (false, true) => format!("{} bytes at the end belong to no interchange; one may have been cut off", gap.bytes),
            (false, false) => format!("{} bytes belong to no interchange; one may have been lost", gap.bytes),
        };
        out.finding(Finding {
            code: FindingCode::TrailingData,
            severity: if harmless { Severity::Warning } else { Severity::Error },
            effect: if harmless { Effect::Noted } else { Effect::FileHeld },
            message,
            expected: "UNA or UNB".to_owned(),
            found: shown(&gap.sample),
            location: gap.location,
        });
    }
}
