//! Cuts the bytes into fields: a field begins with a tag at the start of a line and takes the lines that follow.
//!
//! Everything is decided line by line, and a line counts only when its end is known, so no decision depends on where a window ends.

use crate::Limits;

use super::field::{Kind, Span};

/// What the lexer has for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first so many fields are complete and belong together: an entry with its details, or a field by itself.
    Unit(usize),
    /// More bytes are needed.
    NeedsBytes,
    /// Nothing follows.
    End,
    /// A line or a field is longer than allowed.
    TooLong,
}

/// How lines ended so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineEnds {
    pub bare: bool,
    pub pair: bool,
    /// The first line break that differs from those before it.
    pub differs: Option<(u64, u64)>,
}

/// State between two windows.
#[derive(Debug)]
pub(super) struct Lexer {
    /// Fields that were begun and not handed over.
    pub spans: Vec<Span>,
    /// The next line to cut.
    scanned: usize,
    /// Bytes before this hold no end of the line at `scanned`.
    probed: usize,
    line: u64,
    ordinal: u32,
    /// Between a statement line and the closing balance.
    in_entries: bool,
    /// Last byte of the line before, for clock times that were cut at a colon.
    before: u8,
    pub ends: LineEnds,
    line_max: usize,
    unit_max: usize,
}

impl Lexer {
    pub fn new(limits: &Limits) -> Self {
        Self {
            spans: Vec::new(),
            scanned: 0,
            probed: 0,
            line: 0,
            ordinal: 0,
            in_entries: false,
            before: 0,
            ends: LineEnds::default(),
            line_max: limits.segment_bytes_max,
            unit_max: limits.transaction_bytes_max,
        }
    }

    /// Cuts lines until the first unit is complete. `base` is the file offset of the window.
    pub fn step(&mut self, window: &[u8], base: u64, last: bool) -> Step {
        loop {
            if let Some(length) = self.complete() {
                return Step::Unit(length);
            }
            let Some((end, next)) = self.line_end(window, last) else {
                let long = window.len().saturating_sub(self.scanned) > self.line_max;
                return match (long, last) {
                    (true, _) => Step::TooLong,
                    (false, false) => Step::NeedsBytes,
                    (false, true) if self.spans.is_empty() => Step::End,
                    (false, true) => Step::Unit(self.spans.len()),
                };
            };
            if end.saturating_sub(self.scanned) > self.line_max {
                return Step::TooLong;
            }
            self.take_line(window, end);
            self.note_line_end(window, base, end, next);
            (self.scanned, self.probed) = (next, next);
            self.line = self.line.saturating_add(1);
            let first = self.spans.first().map_or(next, |span| span.start);
            if next.saturating_sub(first) > self.unit_max {
                return Step::TooLong;
            }
        }
    }

    /// Lets go of the first fields.
    pub fn release(&mut self, fields: usize) {
        self.spans.drain(..fields.min(self.spans.len()));
    }

    /// Bytes of the window that are done with; positions count from there afterwards.
    pub fn rebase(&mut self) -> usize {
        let consumed = self.spans.first().map_or(self.scanned, |span| span.start);
        self.scanned = self.scanned.saturating_sub(consumed);
        self.probed = self.probed.saturating_sub(consumed);
        for span in &mut self.spans {
            span.start = span.start.saturating_sub(consumed);
            span.content = span.content.saturating_sub(consumed);
            span.first_end = span.first_end.saturating_sub(consumed);
            span.end = span.end.saturating_sub(consumed);
        }
        consumed
    }

    /// Passes over everything: reading has stopped.
    pub fn pass(&mut self, window: &[u8]) {
        self.spans.clear();
        (self.scanned, self.probed) = (window.len(), window.len());
    }

    /// Skips bytes before the first line.
    pub fn skip(&mut self, bytes: usize) {
        self.scanned = self.scanned.saturating_add(bytes);
        self.probed = self.scanned;
    }

    /// Where the next line begins, and its number from 0.
    pub fn here(&self) -> (usize, u64) {
        (self.spans.first().map_or(self.scanned, |span| span.start), self.spans.first().map_or(self.line, |span| span.line))
    }

    /// How many fields at the front are complete and belong together.
    fn complete(&self) -> Option<usize> {
        let (first, rest) = self.spans.split_first()?;
        if first.kind != Kind::Entry {
            return (!rest.is_empty()).then_some(1);
        }
        let details = rest.iter().take_while(|span| span.kind == Kind::Details).count();
        (details < rest.len()).then_some(details.saturating_add(1))
    }

    /// End of the line at hand, and the start of the next.
    fn line_end(&mut self, window: &[u8], last: bool) -> Option<(usize, usize)> {
        let rest = window.get(self.probed..)?;
        match memchr::memchr2(b'\n', b'\r', rest) {
            Some(offset) => {
                let end = self.probed.saturating_add(offset);
                let after = end.saturating_add(1);
                match (window.get(end), window.get(after)) {
                    (Some(b'\r'), Some(b'\n')) => Some((end, after.saturating_add(1))),
                    (Some(b'\r'), None) if !last => {
                        self.probed = end;
                        None
                    }
                    _ => Some((end, after)),
                }
            }
            None if last && self.scanned < window.len() => Some((window.len(), window.len())),
            None => {
                self.probed = window.len();
                None
            }
        }
    }

    fn note_line_end(&mut self, window: &[u8], base: u64, end: usize, next: usize) {
        if next == end {
            return;
        }
        let pair = window.get(end) == Some(&b'\r') && next.saturating_sub(end) == 2;
        let ends = &mut self.ends;
        if ends.differs.is_none() && if pair { ends.bare } else { ends.pair } {
            ends.differs = Some((base.saturating_add(end as u64), self.line));
        }
        if pair { ends.pair = true } else { ends.bare = true }
    }

    /// Begins a field, or lets the line continue the one in hand.
    #[inline]
    fn take_line(&mut self, window: &[u8], end: usize) {
        let line = window.get(self.scanned..end).unwrap_or_default();
        let begun = self.classify(line);
        self.before = line.last().copied().unwrap_or(0);
        let Some((kind, lead, tag)) = begun else {
            if let Some(span) = self.spans.last_mut() {
                span.end = end;
            }
            return;
        };
        match kind {
            Kind::Entry => self.in_entries = true,
            Kind::Reference | Kind::Closing(_) | Kind::End => self.in_entries = false,
            _ => {}
        }
        self.ordinal = self.ordinal.saturating_add(1);
        let start = self.scanned.saturating_add(lead);
        self.spans.push(Span {
            kind,
            start,
            content: start.saturating_add(tag),
            first_end: end,
            end,
            line: self.line,
            ordinal: self.ordinal,
        });
    }

    /// What the line begins, after how many foreign bytes, and the length of the tag; nothing when it continues the field in hand.
    fn classify(&self, line: &[u8]) -> Option<(Kind, usize, usize)> {
        let in_hand = self.spans.last().map(|span| span.kind);
        let lead = line.iter().take_while(|byte| matches!(byte, 0..=0x08 | 0x0e..=0x1f)).count();
        let text = line.get(lead..).unwrap_or_default();
        match text.first() {
            Some(b':') => {
                if let Some((kind, length)) = tag(text)
                    && !self.continues(in_hand, kind, text.get(length..).unwrap_or_default())
                {
                    return Some((kind, lead, length));
                }
            }
            Some(b'{') if header(text) => return Some((Kind::Header, lead, 0)),
            Some(b'-') if ends_message(text) => return Some((Kind::End, lead, 0)),
            None => return self.spans.is_empty().then_some((Kind::Foreign, lead, 0)),
            _ => {}
        }
        let outside = matches!(in_hand, None | Some(Kind::Header | Kind::End | Kind::Foreign));
        (outside && !(in_hand == Some(Kind::Foreign) && text.trim_ascii().is_empty())).then_some((Kind::Foreign, lead, 0))
    }

    /// A tag inside the text of an entry: a clock time that was cut before its colon, `T16` and `:26:37`, or a word of the text.
    fn continues(&self, in_hand: Option<Kind>, kind: Kind, content: &[u8]) -> bool {
        if !self.in_entries || in_hand != Some(Kind::Details) {
            return false;
        }
        let minutes =
            matches!(content, [b'0'..=b'5', b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9', b' ' | b',' | b'.' | b'?' | b'/', ..]);
        match kind {
            Kind::Other => true,
            Kind::Reference | Kind::Account | Kind::Passed => minutes && self.before.is_ascii_digit(),
            _ => false,
        }
    }
}

/// The tag at the start of a line and its length with both colons.
fn tag(text: &[u8]) -> Option<(Kind, usize)> {
    match text {
        [b':', b'6', b'1', b':', ..] => return Some((Kind::Entry, 4)),
        [b':', b'8', b'6', b':', ..] => return Some((Kind::Details, 4)),
        _ => {}
    }
    let rest = text.get(1..)?;
    let length = rest.iter().take(4).position(|byte| *byte == b':')?;
    let kind = match rest.get(..length)? {
        b"61" => Kind::Entry,
        b"86" | b"NS" => Kind::Details,
        b"20" => Kind::Reference,
        b"21" | b"28" | b"28C" | b"13" | b"13D" => Kind::Passed,
        b"25" | b"25P" => Kind::Account,
        b"60F" | b"60" => Kind::Opening(false),
        b"60M" => Kind::Opening(true),
        b"62F" | b"62" => Kind::Closing(false),
        b"62M" => Kind::Closing(true),
        b"64" | b"64F" => Kind::Available,
        b"65" | b"65F" => Kind::Forward,
        b"34F" => Kind::FloorLimit,
        b"90D" => Kind::Debits,
        b"90C" => Kind::Credits,
        [b'0'..=b'9', b'0'..=b'9'] => Kind::Other,
        [b'0'..=b'9', b'0'..=b'9', b'A'..=b'Z' | b'0'..=b'9'] => Kind::Other,
        _ => return None,
    };
    Some((kind, length.saturating_add(2)))
}

/// A block of the envelope: `{1:`, `{4:`.
fn header(text: &[u8]) -> bool {
    matches!(text, [b'{', b'1'..=b'5' | b'S', b':', ..])
}

/// `-`, `-}` and what may follow it, but not a word that begins with a dash.
fn ends_message(text: &[u8]) -> bool {
    match text.get(1) {
        None | Some(b'}') => true,
        Some(_) => text.iter().skip(1).all(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()),
    }
}

/// Whether the first bytes of a file are a statement: an envelope or a tag at the start, or field 20 with an account, a number or a
/// balance after some lines of a transfer program.
pub(crate) fn looks_like_statement(head: &[u8]) -> bool {
    let mut reference = false;
    let mut first = true;
    for line in super::field::lines(head) {
        let line = line.trim_ascii_start();
        let text = line.get(line.iter().take_while(|byte| byte.is_ascii_control()).count()..).unwrap_or_default();
        if text.is_empty() {
            continue;
        }
        let kind = tag(text).map(|(kind, _)| kind).filter(|_| text.starts_with(b":"));
        if first && (kind.is_some_and(|kind| kind != Kind::Other) || text.starts_with(b"{1:")) {
            return true;
        }
        match kind {
            Some(Kind::Reference) => reference = true,
            Some(Kind::Account | Kind::Passed | Kind::Opening(_)) if reference => return true,
            _ => {}
        }
        first = false;
    }
    false
}
