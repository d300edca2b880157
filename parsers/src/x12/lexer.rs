//! Where segments begin and end, which they are, and where their elements are separated: an index of one interchange, built 64 bytes at a
//! time.
//!
//! Every byte is looked at once, however the file is cut into chunks. The index knows nothing of sets and groups; it only stops
//! where an interchange ends, because the next one may separate differently, and it steps over binary payloads by their length.

mod block;
mod separators;

use self::block::{BLOCK, Needles, foreign_lines, is_tag_byte, leading, to_u32};
pub(crate) use self::separators::Separators;
use super::{
    delimiters::{Delimiters, begins_isa},
    id::SegmentId,
};

/// Bytes indexed ahead of the reader; small enough for index and text to stay in the nearest cache.
const BATCH: usize = 8 << 10;

/// One segment in the index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    /// First byte of the tag, counted from [`Tape::origin`].
    pub start: u32,
    /// Where it ends, its terminator not included.
    pub end: u32,
    /// Line breaks before it.
    pub line: u32,
    /// Its tag, as it stands.
    pub id: SegmentId,
}

/// Something odd about a segment that only the lexer sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oddity {
    /// Index of the segment in [`Tape::spans`].
    pub span: usize,
    /// Bytes of foreign text before its tag; 0 says that the length of its binary payload does not lead to a terminator.
    pub foreign_bytes: usize,
}

/// Why indexing cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All bytes of the window are indexed.
    NeedsBytes,
    /// The last segment is IEA.
    AfterIea,
    /// Another ISA begins where a segment would.
    BeforeIsa,
    /// A segment is longer than allowed.
    SegmentTooLong,
}

/// The index of what has been looked at and not yet let go.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// Of all bytes from [`Tape::origin`] up to [`Tape::scanned`].
    pub separators: Separators,
    pub spans: Vec<Span>,
    /// Window position that all positions count from.
    pub origin: usize,
    /// Window position up to which everything is indexed.
    pub scanned: usize,
    /// Window position where the segment in hand begins, blanks before its tag included.
    pub open: usize,
    open_line: u32,
    /// Up to here line breaks stand elsewhere than right behind a terminator, so that they must be counted.
    stray_until: usize,
    segment_bytes_max: usize,
    /// What is odd about segments on the tape, in their order.
    pub oddities: Vec<Oddity>,
}

impl Tape {
    /// An empty index in the memory of one that is no longer needed.
    pub fn renewed(mut self, segment_bytes_max: usize) -> Self {
        self.restart(0, 0);
        Self { segment_bytes_max, ..self }
    }

    /// Begins anew at a window position, after `newlines` line breaks.
    pub fn restart(&mut self, at: usize, newlines: u32) {
        self.spans.clear();
        self.oddities.clear();
        self.separators.clear();
        (self.origin, self.scanned, self.open) = (at, at, at);
        (self.open_line, self.stray_until) = (newlines, at);
    }

    /// Line breaks before the segment in hand.
    pub fn line(&self) -> u32 {
        self.open_line
    }

    /// Lets go of all segments before `keep`, so that memory follows the transaction and not the file.
    pub fn forget(&mut self, keep: usize) {
        let position = match self.spans.get(keep) {
            Some(span) => {
                // What stands before its tag is shown when it is told of, so it stays as long.
                let foreign = self.oddities.iter().find(|oddity| oddity.span == keep).map_or(0, |oddity| oddity.foreign_bytes);
                let start = (span.start as usize).saturating_sub(foreign);
                self.origin.saturating_add(start)
            }
            None => self.open,
        };
        let shift = position.saturating_sub(self.origin);
        if shift == 0 {
            return;
        }
        self.oddities.retain(|oddity| oddity.span >= keep);
        self.oddities.iter_mut().for_each(|oddity| oddity.span = oddity.span.saturating_sub(keep));
        self.spans.drain(..keep.min(self.spans.len()));
        self.separators.forget(shift);
        let shift = to_u32(shift);
        for span in &mut self.spans {
            span.start = span.start.wrapping_sub(shift);
            span.end = span.end.wrapping_sub(shift);
        }
        self.origin = position;
    }

    /// Follows a window whose first `bytes` bytes were let go.
    pub fn rebase(&mut self, bytes: usize) {
        self.origin = self.origin.saturating_sub(bytes);
        self.scanned = self.scanned.saturating_sub(bytes);
        self.open = self.open.saturating_sub(bytes);
        self.stray_until = self.stray_until.saturating_sub(bytes);
    }

    /// Indexes on until a segment or more is found, or nothing more can be.
    pub fn fill(&mut self, window: &[u8], delimiters: &Delimiters) -> Option<Stop> {
        let before = self.spans.len();
        while self.spans.len() == before {
            if self.scanned.saturating_sub(self.open) > self.segment_bytes_max {
                return Some(Stop::SegmentTooLong);
            }
            let end = self.scanned.saturating_add(BATCH).min(window.len());
            if self.scanned >= end {
                return Some(Stop::NeedsBytes);
            }
            let stop = self.scan(window, end, delimiters);
            if stop.is_some() {
                return stop;
            }
        }
        None
    }

    /// Records the segment in hand, which has no terminator, as one that ends at window position `end`.
    pub fn close_unterminated(&mut self, window: &[u8], start: usize, end: usize, delimiters: &Delimiters) {
        let line = self.open_line;
        self.close(window, start, end, line, delimiters);
        self.open = end;
        self.scanned = self.scanned.max(end);
        self.separators.pad(self.scanned.saturating_sub(self.origin));
    }

    /// What stands from a window position on will be looked at again.
    fn rewind(&mut self, to: usize) {
        self.scanned = to;
        self.separators.truncate(to.saturating_sub(self.origin));
    }

    fn scan(&mut self, window: &[u8], end: usize, delimiters: &Delimiters) -> Option<Stop> {
        let needles = Needles::new(delimiters);
        let mut block = Block::default();
        while let Some(at) = self.scan_everyday(window, end, &needles, &mut block) {
            match self.end_segment(window, at, delimiters) {
                Step::On => {}
                Step::Skip => block = Block::default(),
                Step::Stop(stop) => return Some(stop),
            }
        }
        None
    }

    /// Indexes bytes and records their segments, as long as they are everyday ones: their tag at once or behind one line break, a
    /// terminator of one byte, nothing odd. Gives the window position of a terminator that [`Tape::end_segment`] must look at; nothing at
    /// the end. `block` is where to go on.
    #[inline(always)]
    fn scan_everyday(&mut self, window: &[u8], end: usize, needles: &Needles, block: &mut Block) -> Option<usize> {
        let Self { spans, separators, origin, .. } = self;
        // Positions count from the origin here: short numbers, of which more stay at hand.
        let (origin, bytes) = (*origin, window.get(*origin..).unwrap_or_default());
        let relative = |position: usize| to_u32(position.saturating_sub(origin));
        let mut everyday_from = if needles.is_plain { relative(self.stray_until) } else { u32::MAX };
        // The four bytes that the tag is read from lie before the terminator.
        let (shortest, longest) = (5, to_u32(self.segment_bytes_max).saturating_sub(5));
        let (mut open, mut line) = (relative(self.open), self.open_line);
        let (mut scanned, end) = (relative(self.scanned), relative(end));
        let Block { mut base, mut terminators } = *block;
        let odd = 'scan: loop {
            while terminators != 0 {
                let at = base.wrapping_add(terminators.trailing_zeros());
                terminators &= terminators.wrapping_sub(1);
                // Near the end of the window there may be less than eight bytes; no tag is read of zeros.
                let from = open as usize;
                let head = bytes.get(from..from.wrapping_add(8)).and_then(<[u8]>::first_chunk::<8>);
                let head = head.map_or(0, |head| u64::from_le_bytes(*head));
                let gap = u32::from(head as u8 == b'\n');
                let id = SegmentId::before(head.wrapping_shr(gap.wrapping_mul(8)) as u32, needles.separator);
                let length = at.wrapping_sub(open);
                if !id.is_everyday() || length.wrapping_sub(shortest) > longest || open < everyday_from {
                    break 'scan Some(at);
                }
                line = line.wrapping_add(gap);
                spans.push(Span { start: open.wrapping_add(gap), end: at, line, id });
                open = at.wrapping_add(1);
            }
            if scanned >= end {
                break None;
            }
            let rest = bytes.get(scanned as usize..end as usize).unwrap_or_default();
            let (length, (separator, terminator, newline)) = match rest.first_chunk::<BLOCK>() {
                Some(block) => (BLOCK, needles.find(block)),
                None => (rest.len(), needles.find_short(rest)),
            };
            // A line break is expected behind a terminator, or is the terminator. The last byte of a wide one proves nothing yet.
            let behind = (terminator | terminator.wrapping_shl(1)) & needles.proof;
            let expected = behind | u64::from(scanned == open);
            (base, terminators) = (scanned, terminator);
            scanned = scanned.wrapping_add(to_u32(length));
            separators.push(separator, length);
            if newline & !expected != 0 {
                self.stray_until = origin.wrapping_add(scanned as usize);
                everyday_from = everyday_from.max(scanned);
            }
        };
        let absolute = |position: u32| origin.wrapping_add(position as usize);
        (self.open, self.open_line, self.scanned) = (absolute(open), line, absolute(scanned));
        *block = Block { base, terminators };
        odd.map(absolute)
    }

    /// A terminator byte stands at window position `at`.
    fn end_segment(&mut self, window: &[u8], at: usize, delimiters: &Delimiters) -> Step {
        let sign = delimiters.terminator.as_bytes();
        let mut end = at;
        if sign.len() > 1 {
            end = at.saturating_add(1).saturating_sub(sign.len());
            if end < self.open || window.get(end..=at) != Some(sign) {
                return Step::On;
            }
        }
        let (blank, gap) = match window.get(self.open..end).unwrap_or_default() {
            [first, ..] if is_tag_byte(*first) => (0, 0),
            [b'\n', second, ..] if is_tag_byte(*second) => (1, 1),
            raw => leading(raw),
        };
        let mut start = self.open.wrapping_add(blank);
        let mut line = self.open_line.wrapping_add(gap);
        let next_line = if self.open < self.stray_until {
            let passed = window.get(self.open..=at).unwrap_or_default();
            self.open_line.wrapping_add(to_u32(memchr::memchr_iter(b'\n', passed).count()))
        } else {
            line.wrapping_add(u32::from(sign == b"\n"))
        };
        if start >= end {
            // A doubled terminator, or a newline after blanks: no segment.
            self.open = at.wrapping_add(1);
            self.open_line = next_line;
            return Step::On;
        }
        if end.wrapping_sub(self.open) > self.segment_bytes_max {
            return Step::Stop(Stop::SegmentTooLong);
        }
        let first = window.get(start).copied().unwrap_or(0);
        let mut is_iea = false;
        if matches!(first, b'I' | b'B') || tag_length(window, start, end, delimiters) > 3 {
            match self.look_closer(window, &mut start, end, &mut line, delimiters) {
                Ok(iea) => is_iea = iea,
                Err(step) => return step,
            }
        }
        let carriage_return = sign == b"\n" && window.get(end.wrapping_sub(1)) == Some(&b'\r');
        self.close(window, start, if carriage_return { end.wrapping_sub(1) } else { end }, line, delimiters);
        self.open = at.wrapping_add(1);
        self.open_line = next_line;
        if is_iea {
            self.rewind(self.open);
            return Step::Stop(Stop::AfterIea);
        }
        Step::On
    }

    /// The few segments that end an interchange, hold a binary payload or have foreign text before their tag. Says whether it is IEA.
    fn look_closer(
        &mut self,
        window: &[u8],
        start: &mut usize,
        end: usize,
        line: &mut u32,
        delimiters: &Delimiters,
    ) -> Result<bool, Step> {
        let text = window.get(*start..end).unwrap_or_default();
        match text {
            [b'I', ..] if begins_isa(text) => {
                self.open = *start;
                self.open_line = *line;
                self.rewind(*start);
                return Err(Step::Stop(Stop::BeforeIsa));
            }
            [b'B', ..] => {
                if let Some(step) = self.step_over_payload(window, *start, end, delimiters) {
                    return Err(step);
                }
            }
            _ => {
                let (foreign, breaks) = foreign_lines(text, delimiters.element);
                if foreign > 0 {
                    self.oddities.push(Oddity { span: self.spans.len(), foreign_bytes: foreign });
                    *start = start.saturating_add(foreign);
                    *line = line.wrapping_add(breaks);
                }
            }
        }
        Ok(matches!(window.get(*start..end), Some([b'I', b'E', b'A', next, ..]) if *next == delimiters.element))
    }

    /// Records a segment from `start` to its terminator at `end`.
    fn close(&mut self, window: &[u8], start: usize, end: usize, line: u32, delimiters: &Delimiters) {
        let tag_end = start.saturating_add(tag_length(window, start, end, delimiters));
        self.spans.push(Span {
            start: to_u32(start.saturating_sub(self.origin)),
            end: to_u32(end.saturating_sub(self.origin)),
            line,
            id: SegmentId::of(window.get(start..tag_end).unwrap_or_default()),
        });
    }

    /// BIN and BDS say the length of their payload, in which every byte may be a delimiter.
    fn step_over_payload(&mut self, window: &[u8], start: usize, end: usize, delimiters: &Delimiters) -> Option<Step> {
        let text = window.get(start..end)?;
        let length_element: usize = match text {
            [b'B', b'I', b'N', next, ..] if *next == delimiters.element => 1,
            [b'B', b'D', b'S', next, ..] if *next == delimiters.element => 2,
            _ => return None,
        };
        let mut separators = memchr::memchr_iter(delimiters.element, text).map(|at| start.saturating_add(at));
        let before = separators.nth(length_element.wrapping_sub(1))?.saturating_add(1);
        let after = separators.next()?;
        let length: Option<usize> =
            std::str::from_utf8(window.get(before..after)?).ok().and_then(|text| text.trim().parse().ok());
        let payload_end = length.and_then(|length| after.saturating_add(1).checked_add(length));
        let Some(payload_end) = payload_end else {
            self.oddities.push(Oddity { span: self.spans.len(), foreign_bytes: 0 });
            return None;
        };
        let payload = after.saturating_add(1);
        if payload_end == end {
            self.separators.erase(payload.saturating_sub(self.origin), end.saturating_sub(self.origin));
            return None;
        }
        if payload_end.saturating_sub(self.open) > self.segment_bytes_max {
            return Some(Step::Stop(Stop::SegmentTooLong));
        }
        let sign = delimiters.terminator.as_bytes();
        let sign_end = payload_end.saturating_add(sign.len());
        match window.get(payload_end..sign_end) {
            None if payload_end > end => {
                // The payload goes on behind the window: look at this segment again when there is more.
                self.rewind(self.open);
                Some(Step::Stop(Stop::NeedsBytes))
            }
            Some(found) if found == sign && payload_end > end => {
                let line = self.open_line.wrapping_add(leading(window.get(self.open..start)?).1);
                self.close(window, start, payload_end, line, delimiters);
                let breaks = memchr::memchr_iter(b'\n', window.get(self.open..sign_end)?).count();
                self.open_line = self.open_line.wrapping_add(to_u32(breaks));
                self.open = sign_end;
                self.rewind(payload);
                self.scanned = sign_end;
                self.separators.pad(sign_end.saturating_sub(self.origin));
                Some(Step::Skip)
            }
            _ => {
                self.oddities.push(Oddity { span: self.spans.len(), foreign_bytes: 0 });
                None
            }
        }
    }
}

/// The bytes looked at together, as far as they are not done with.
#[derive(Clone, Copy, Default)]
struct Block {
    /// Position of the first one, counted from the origin.
    base: u32,
    /// One bit for each of them that ends a segment not looked at yet.
    terminators: u64,
}

/// Length of what stands before the first element separator.
fn tag_length(window: &[u8], start: usize, end: usize, delimiters: &Delimiters) -> usize {
    let text = window.get(start..end).unwrap_or_default();
    memchr::memchr(delimiters.element, text).unwrap_or(text.len())
}

enum Step {
    On,
    Skip,
    Stop(Stop),
}
