//! An excerpt of an 820: lines of it that stand in the text of another format, whole segments each, read where they stand.
//!
//! Only what there is nothing to say about is read here. Anything else is left to the caller, who writes a set of it and has that read, so
//! that there is one place where findings are made.

use crate::{Limits, Money, RemittanceLine};

use super::{
    super::{
        delimiters::Delimiters,
        id::SegmentId,
        lexer::{Separators, Span},
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
    /// Where the first one stands in the text; places count from here.
    base: usize,
    separators: Separators,
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
        self.separators.clear();
        self.spans.clear();
        self.ordinals.clear();
    }

    /// Takes segments. False: they are not RMR, REF, DTM and ADX that follow one another at once; a terminator at the end is not needed.
    pub fn take(&mut self, bytes: &[u8], stretch: Stretch, delimiters: Delimiters) -> bool {
        let Delimiters { element, terminator, .. } = delimiters;
        if u32::try_from(stretch.to).is_err() {
            return false;
        }
        if self.spans.is_empty() {
            self.base = stretch.from;
        }
        // What stands between two stretches separates nothing.
        self.separators.pad(stretch.from.saturating_sub(self.base));
        let (mut at, mut open) = (stretch.from, stretch.from);
        while at < stretch.to {
            let block_end = at.saturating_add(near::MARKED).min(stretch.to);
            let mut ends = near::marks(bytes, at, block_end, terminator.last());
            self.separators.push(near::marks(bytes, at, block_end, element), block_end.wrapping_sub(at));
            while ends != 0 {
                let end = at.wrapping_add(ends.trailing_zeros() as usize);
                if !self.close(bytes, open, end, element, stretch) {
                    return false;
                }
                open = end.wrapping_add(1);
                ends &= ends.wrapping_sub(1);
            }
            at = block_end;
        }
        open >= stretch.to || self.close(bytes, open, stretch.to, element, stretch)
    }

    /// Ends a segment.
    fn close(&mut self, bytes: &[u8], start: usize, end: usize, element: u8, stretch: Stretch) -> bool {
        let text = bytes.get(start..end).unwrap_or_default();
        let tag = text.get(..near::position(text, element).unwrap_or(text.len())).unwrap_or_default();
        let id = SegmentId::of(tag);
        // Places count line breaks, which are one less than lines.
        let line = stretch.line.saturating_sub(1);
        let relative = |position: usize| position.wrapping_sub(self.base) as u32;
        self.spans.push(Span { start: relative(start), end: relative(end), line, id });
        self.ordinals.push(stretch.ordinal);
        matches!(id, SegmentId::RMR | SegmentId::REF | SegmentId::DTM | SegmentId::ADX)
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
        let text = text.get(self.base..)?;
        let context = Context {
            bytes: text.as_bytes(),
            text: Some((text, 0)),
            delimiters,
            origin: Origin { base: base.wrapping_add(self.base as u64), wrap: None },
            separators: &self.separators,
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
