//! An excerpt of an 820: lines of it that stand in the text of another format, whole segments each, read where they stand.
//!
//! Only what there is nothing to say about is read here. Anything else is left to the caller, who writes a set of it and has that read, so
//! that there is one place where findings are made.

use crate::{Limits, Money, RemittanceLine};

use super::{
    super::{
        delimiters::Delimiters,
        lexer::Span,
        output::{Output, Tally},
        place::Origin,
        segment::{Context, Segment},
    },
    balance,
    lines::Lines,
};
use crate::near;

/// The segments of an excerpt. It is kept for the next one, because getting memory takes as long as reading.
#[derive(Debug, Default)]
pub(crate) struct Excerpt {
    marks: Vec<u32>,
    spans: Vec<Span>,
    /// Ordinal of the record that each segment stands in.
    ordinals: Vec<u32>,
}

/// Whole segments on one line of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Where they stand in the text of the excerpt.
    pub from: usize,
    pub to: usize,
    /// Line in the file, counted from 1, and ordinal of the record.
    pub line: u32,
    pub ordinal: u32,
}

impl Excerpt {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.marks.clear();
        self.spans.clear();
        self.ordinals.clear();
    }

    /// Takes segments. False: they are not RMR, REF, DTM and ADX that follow one another at once; a terminator at the end is not needed.
    pub fn take(&mut self, bytes: &[u8], stretch: Stretch, delimiters: Delimiters) -> bool {
        let Delimiters { element, terminator, .. } = delimiters;
        let Ok(end) = u32::try_from(stretch.to) else { return false };
        let (mut at, mut open) = (stretch.from, stretch.from);
        let mut mark_first = self.marks.len();
        while at < stretch.to {
            let block_end = at.saturating_add(near::MARKED).min(stretch.to);
            let ends = near::marks(bytes, at, block_end, terminator.last());
            let mut marks = ends | near::marks(bytes, at, block_end, element);
            while marks != 0 {
                let bit = marks.trailing_zeros();
                let position = at.wrapping_add(bit as usize);
                self.marks.push(position as u32);
                if ends.wrapping_shr(bit) & 1 != 0 {
                    if !self.close(bytes, open, mark_first, stretch) {
                        return false;
                    }
                    (open, mark_first) = (position.wrapping_add(1), self.marks.len());
                }
                marks &= marks.wrapping_sub(1);
            }
            at = block_end;
        }
        if open < stretch.to {
            self.marks.push(end);
            return self.close(bytes, open, mark_first, stretch);
        }
        true
    }

    /// Ends a segment whose marks are recorded.
    fn close(&mut self, bytes: &[u8], start: usize, mark_first: usize, stretch: Stretch) -> bool {
        let tag_end = self.marks.get(mark_first).copied().unwrap_or_default() as usize;
        let known = matches!(bytes.get(start..tag_end), Some(b"RMR" | b"REF" | b"DTM" | b"ADX"));
        let mark_end = self.marks.len() as u32;
        // Places count line breaks, which are one less than lines.
        let line = stretch.line.saturating_sub(1);
        self.spans.push(Span { start: start as u32, mark_first: mark_first as u32, mark_end, line });
        self.ordinals.push(stretch.ordinal);
        known
    }

    /// Reads the lines; nothing when there is anything to say about them, or when they do not come to the amount that is paid with them.
    /// `base` is the file offset of the text.
    pub fn read<'w>(
        &self,
        text: &'w str,
        base: u64,
        delimiters: &Delimiters,
        paid: Money,
        limits: &Limits,
    ) -> Option<Vec<RemittanceLine<'w>>> {
        let context = Context {
            bytes: text.as_bytes(),
            text: Some((text, 0)),
            delimiters,
            origin: Origin { base, wrap: None },
            marks: &self.marks,
            long_dates: false,
        };
        let mut out = Output::new(Tally::default());
        // Most lines have a segment of their own and one or two behind it.
        let mut lines = Lines::new(limits, self.spans.len() / 2, paid.currency);
        lines.entity();
        for (span, ordinal) in self.spans.iter().zip(&self.ordinals) {
            lines.take(&Segment::new(&context, span, *ordinal), &mut out);
        }
        let sums = lines.finish();
        (out.tally.worst().is_none() && balance::is_sound(paid, &sums)).then(|| lines.take_all())
    }
}
