//! Where segments and elements begin and end: an index of all delimiters of one interchange, built 64 bytes at a time.
//!
//! Every byte is looked at once, however the file is cut into chunks. The index knows nothing of sets and groups; it only stops
//! where an interchange ends, because the next one may separate differently, and it steps over binary payloads by their length.

mod block;

use self::block::{BLOCK, Needles, foreign_lines, is_plain_head, is_tag_byte, leading, to_u32};
use super::delimiters::{Delimiters, begins_isa};

/// Bytes indexed ahead of the reader; small enough for index and text to stay in the nearest cache.
const BATCH: usize = 8 << 10;

/// One segment in the index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    /// First byte of the tag, counted from [`Tape::origin`].
    pub start: u32,
    /// Its first delimiter among [`Tape::marks`].
    pub mark_first: u32,
    /// One past its last delimiter, which is its terminator.
    pub mark_end: u32,
    /// Line breaks before it.
    pub line: u32,
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
    /// Positions of delimiters; only the first `count` are of use, the rest is room.
    slots: Vec<u32>,
    count: usize,
    pub spans: Vec<Span>,
    /// Window position that all positions count from.
    pub origin: usize,
    /// Window position up to which everything is indexed.
    pub scanned: usize,
    /// Window position where the segment in hand begins, blanks before its tag included.
    pub open: usize,
    open_mark: usize,
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
        (self.origin, self.scanned, self.open, self.open_mark, self.count) = (at, at, at, 0, 0);
        (self.open_line, self.stray_until) = (newlines, at);
    }

    /// Ends of tags and elements of all segments, counted from [`Tape::origin`].
    pub fn marks(&self) -> &[u32] {
        self.slots.get(..self.count).unwrap_or_default()
    }

    /// Line breaks before the segment in hand.
    pub fn line(&self) -> u32 {
        self.open_line
    }

    /// Lets go of all segments before `keep`, so that memory follows the transaction and not the file.
    pub fn forget(&mut self, keep: usize) {
        let (position, mark) = match self.spans.get(keep) {
            Some(span) => {
                // What stands before its tag is shown when it is told of, so it stays as long.
                let foreign = self.oddities.iter().find(|oddity| oddity.span == keep).map_or(0, |oddity| oddity.foreign_bytes);
                let start = (span.start as usize).saturating_sub(foreign);
                (self.origin.saturating_add(start), span.mark_first as usize)
            }
            None => (self.open, self.open_mark),
        };
        let shift = position.saturating_sub(self.origin);
        if shift == 0 {
            return;
        }
        self.oddities.retain(|oddity| oddity.span >= keep);
        self.oddities.iter_mut().for_each(|oddity| oddity.span = oddity.span.saturating_sub(keep));
        let (shift32, mark32) = (to_u32(shift), to_u32(mark));
        self.spans.drain(..keep.min(self.spans.len()));
        self.slots.copy_within(mark.min(self.count)..self.count, 0);
        self.count = self.count.saturating_sub(mark);
        let kept = self.slots.get_mut(..self.count).unwrap_or_default();
        kept.iter_mut().for_each(|position| *position = position.wrapping_sub(shift32));
        for span in &mut self.spans {
            span.start = span.start.wrapping_sub(shift32);
            span.mark_first = span.mark_first.wrapping_sub(mark32);
            span.mark_end = span.mark_end.wrapping_sub(mark32);
        }
        self.origin = position;
        self.open_mark = self.open_mark.saturating_sub(mark);
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
    pub fn close_unterminated(&mut self, start: usize, end: usize) {
        let line = self.open_line;
        self.make_room(0);
        self.close(start, end, line);
        self.open = end;
        self.scanned = self.scanned.max(end);
    }

    fn scan(&mut self, window: &[u8], end: usize, delimiters: &Delimiters) -> Option<Stop> {
        let needles = Needles::new(delimiters);
        self.make_room(end.saturating_sub(self.scanned));
        while self.scanned < end {
            let base = self.scanned;
            let block_end = base.saturating_add(BLOCK).min(end);
            let (element, terminator, newline) = match window.get(base..).and_then(<[u8]>::first_chunk::<BLOCK>) {
                Some(block) if block_end == base.saturating_add(BLOCK) => needles.find(block),
                _ => needles.find_short(window.get(base..block_end).unwrap_or_default()),
            };
            self.scanned = block_end;
            // A line break is expected behind a terminator, or is the terminator. The last byte of a wide one proves nothing yet.
            let behind = if needles.width == 1 { terminator | terminator.wrapping_shl(1) } else { 0 };
            let expected = behind | u64::from(base == self.open);
            if newline & !expected != 0 {
                self.stray_until = block_end;
            }
            let mut block = Block { base, marks: element | terminator, terminators: terminator };
            while let Some(at) = self.mark_block(window, &mut block, &needles) {
                match self.end_segment(window, at, delimiters) {
                    Step::On => {}
                    Step::Skip => break,
                    Step::Stop(stop) => return Some(stop),
                }
            }
        }
        None
    }

    /// Records the marks of a block and its everyday segments: their tag at once or behind one line break, a terminator of one byte,
    /// nothing odd. Gives the window position of a terminator that [`Tape::end_segment`] must look at; nothing when the block is done.
    #[inline(always)]
    fn mark_block(&mut self, window: &[u8], block: &mut Block, needles: &Needles) -> Option<usize> {
        let offset = to_u32(block.base.wrapping_sub(self.origin));
        loop {
            // The delimiters up to the next terminator, or to the end of the block.
            let upto = block.terminators ^ block.terminators.wrapping_sub(1);
            self.count = mark(&mut self.slots, self.count, block.marks & upto, offset);
            if block.terminators == 0 {
                return None;
            }
            let at = block.base.wrapping_add(block.terminators.trailing_zeros() as usize);
            block.marks &= !upto;
            block.terminators &= block.terminators.wrapping_sub(1);
            if !self.end_plain_segment(window, at, needles) {
                self.count = self.count.wrapping_sub(1);
                return Some(at);
            }
        }
    }

    /// The everyday segment, whose marks are all recorded. False: it is another one.
    #[inline(always)]
    fn end_plain_segment(&mut self, window: &[u8], at: usize, needles: &Needles) -> bool {
        let open = self.open;
        let gap = usize::from(window.get(open) == Some(&b'\n'));
        let start = open.wrapping_add(gap);
        let tag_end = self.slots.get(self.open_mark).map_or(0, |mark| self.origin.wrapping_add(*mark as usize));
        let is_plain = window.get(start).is_some_and(|head| is_plain_head(*head))
            && (1..=3).contains(&tag_end.wrapping_sub(start))
            && at.wrapping_sub(open) <= self.segment_bytes_max
            && open >= self.stray_until
            && needles.is_plain;
        if is_plain {
            let line = self.open_line.wrapping_add(gap as u32);
            let (mark_first, mark_end) = (to_u32(self.open_mark), to_u32(self.count));
            self.spans.push(Span { start: to_u32(start.wrapping_sub(self.origin)), mark_first, mark_end, line });
            (self.open, self.open_mark, self.open_line) = (at.wrapping_add(1), self.count, line);
        }
        is_plain
    }

    /// Room for the marks of so many bytes: at most one each, and one for an end without terminator.
    fn make_room(&mut self, bytes: usize) {
        let needed = self.count.saturating_add(bytes).saturating_add(1);
        if self.slots.len() < needed {
            // Small for a short text, doubled up to a batch for a long one: clearing room is not free.
            let room = self.count.clamp(BLOCK.saturating_mul(8), BATCH);
            self.slots.resize(needed.saturating_add(room), 0);
        }
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
            self.count = self.open_mark;
            self.open = at.wrapping_add(1);
            self.open_line = next_line;
            return Step::On;
        }
        if end.wrapping_sub(self.open) > self.segment_bytes_max {
            return Step::Stop(Stop::SegmentTooLong);
        }
        let first = window.get(start).copied().unwrap_or(0);
        let mut is_iea = false;
        if matches!(first, b'I' | b'B') || self.tag_length(start, end) > 3 {
            match self.look_closer(window, &mut start, end, &mut line, delimiters) {
                Ok(iea) => is_iea = iea,
                Err(step) => return step,
            }
        }
        let carriage_return = sign == b"\n" && window.get(end.wrapping_sub(1)) == Some(&b'\r');
        self.close(start, if carriage_return { end.wrapping_sub(1) } else { end }, line);
        self.open = at.wrapping_add(1);
        self.open_line = next_line;
        if is_iea {
            self.scanned = self.open;
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
                self.count = self.open_mark;
                self.open = *start;
                self.open_line = *line;
                self.scanned = *start;
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
                    let from = to_u32(start.saturating_sub(self.origin));
                    let held = self.slots.get(self.open_mark..self.count).unwrap_or_default();
                    let dropped = held.iter().position(|mark| *mark >= from).unwrap_or(held.len());
                    self.slots.copy_within(self.open_mark.saturating_add(dropped)..self.count, self.open_mark);
                    self.count = self.count.saturating_sub(dropped);
                }
            }
        }
        Ok(matches!(window.get(*start..end), Some([b'I', b'E', b'A', next, ..]) if *next == delimiters.element))
    }

    /// Length of what stands before the first element separator.
    #[inline]
    fn tag_length(&self, start: usize, end: usize) -> usize {
        match self.slots.get(self.open_mark) {
            Some(mark) if self.open_mark < self.count => self.origin.wrapping_add(*mark as usize).saturating_sub(start),
            _ => end.saturating_sub(start),
        }
    }

    /// Records a segment from `start` to its terminator at `end`; all its element marks are there already.
    fn close(&mut self, start: usize, end: usize, line: u32) {
        if let Some(slot) = self.slots.get_mut(self.count) {
            *slot = to_u32(end.saturating_sub(self.origin));
        }
        self.count = self.count.wrapping_add(1);
        self.spans.push(Span {
            start: to_u32(start.saturating_sub(self.origin)),
            mark_first: to_u32(self.open_mark),
            mark_end: to_u32(self.count),
            line,
        });
        self.open_mark = self.count;
    }

    /// BIN and BDS say the length of their payload, in which every byte may be a delimiter.
    fn step_over_payload(&mut self, window: &[u8], start: usize, end: usize, delimiters: &Delimiters) -> Option<Step> {
        let text = window.get(start..end)?;
        let length_element: usize = match text {
            [b'B', b'I', b'N', next, ..] if *next == delimiters.element => 1,
            [b'B', b'D', b'S', next, ..] if *next == delimiters.element => 2,
            _ => return None,
        };
        let marks = self.slots.get(self.open_mark..self.count)?;
        let before = self.origin.saturating_add(*marks.get(length_element.wrapping_sub(1))? as usize).saturating_add(1);
        let after = self.origin.saturating_add(*marks.get(length_element)? as usize);
        let length: Option<usize> =
            std::str::from_utf8(window.get(before..after)?).ok().and_then(|text| text.trim().parse().ok());
        let payload_end = length.and_then(|length| after.saturating_add(1).checked_add(length));
        let Some(payload_end) = payload_end else {
            self.oddities.push(Oddity { span: self.spans.len(), foreign_bytes: 0 });
            return None;
        };
        if payload_end == end {
            self.count = self.open_mark.saturating_add(length_element).saturating_add(1);
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
                self.count = self.open_mark;
                self.scanned = self.open;
                Some(Step::Stop(Stop::NeedsBytes))
            }
            Some(found) if found == sign && payload_end > end => {
                let line = self.open_line.wrapping_add(leading(window.get(self.open..start)?).1);
                self.count = self.open_mark.saturating_add(length_element).saturating_add(1);
                self.close(start, payload_end, line);
                let breaks = memchr::memchr_iter(b'\n', window.get(self.open..sign_end)?).count();
                self.open_line = self.open_line.wrapping_add(to_u32(breaks));
                self.open = sign_end;
                self.scanned = sign_end;
                Some(Step::Skip)
            }
            _ => {
                self.oddities.push(Oddity { span: self.spans.len(), foreign_bytes: 0 });
                None
            }
        }
    }
}

/// What is left to record of the bytes looked at together.
struct Block {
    /// Window position of the first byte.
    base: usize,
    /// One bit per delimiter that is not recorded yet.
    marks: u64,
    /// Which of them end segments.
    terminators: u64,
}

/// Records the positions of the bits, counted from `offset`, and gives how many marks there are then.
#[inline(always)]
fn mark(slots: &mut [u32], mut count: usize, mut bits: u64, offset: u32) -> usize {
    while bits != 0 {
        if let Some(slot) = slots.get_mut(count) {
            *slot = offset.wrapping_add(bits.trailing_zeros());
        }
        count = count.wrapping_add(1);
        bits &= bits.wrapping_sub(1);
    }
    count
}

enum Step {
    On,
    Skip,
    Stop(Stop),
}
