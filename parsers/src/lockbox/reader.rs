//! Moves over windows of bytes, record by record, and puts checks and their overflow records together.

use std::sync::Arc;

use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Options, Record as Out, Severity, Sink, Summary,
    line::{Line, LineEnds, byte_order_mark, covered, line_at},
    reader::Reader,
    utf8::Utf8,
    x12::{
        output::{Output, Tally, unlisted},
        received::{Received, status},
    },
};

use super::{
    choose::{Framing, choose, framing, section_of},
    deposit::{Deposit, odd},
    layout::{Layout, Name, Section},
    row::{Place, Row, trim_end},
};

/// A record that waits: its bytes in the window, line and ordinal.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    start: usize,
    end: usize,
    line: u64,
    ordinal: u32,
}

/// Reads lockbox files.
#[derive(Debug)]
pub(crate) struct Lockbox {
    limits: Limits,
    /// The layout in use, and whether the caller named it.
    layout: Option<Arc<Layout>>,
    framing: Option<Framing>,
    deposit: Deposit,
    tally: Tally,
    ends: LineEnds,
    base: u64,
    cursor: usize,
    searched: usize,
    line: u64,
    ordinal: u32,
    /// Record size as declared by record 2.
    width: usize,
    /// Batch and item of the check in hand.
    key: [u8; 6],
    check: Option<Waiting>,
    details: Vec<Waiting>,
    stopped: bool,
}

impl Lockbox {
    pub fn new(options: &Options) -> Self {
        let limits = &options.limits;
        Self {
            limits: limits.clone(),
            layout: options.lockbox.clone(),
            framing: None,
            deposit: Deposit::new(options),
            tally: Tally::new(limits.findings_max),
            ends: LineEnds::default(),
            base: 0,
            cursor: 0,
            searched: 0,
            line: 0,
            ordinal: 0,
            width: 0,
            key: [b' '; 6],
            check: None,
            details: Vec::new(),
            stopped: false,
        }
    }

    /// Before the first record: how records are cut, and which layout they have.
    fn begin(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> (Framing, Arc<Layout>) {
        if let (Some(framing), Some(layout)) = (self.framing, &self.layout) {
            return (framing, Arc::clone(layout));
        }
        let head = window.strip_prefix(b"\xef\xbb\xbf").unwrap_or(window);
        if head.len() < window.len() {
            out.finding(byte_order_mark());
            (self.cursor, self.searched) = (3, 3);
        }
        let framing = *self.framing.get_or_insert_with(|| framing(head));
        // Layouts come with the program, so one is always chosen; an empty one finds nothing and holds the file.
        let chosen = self.layout.take().or_else(|| choose(head, framing, last)).unwrap_or_default();
        (framing, Arc::clone(self.layout.insert(chosen)))
    }

    fn next_record(&mut self, window: &[u8], framing: Framing, last: bool, out: &mut Output<'_>) -> Option<Line> {
        let line = match framing {
            Framing::Lines => line_at(window, self.cursor, self.searched, last),
            Framing::Blocks(width) => self.block_at(window, width, last),
        };
        let max = self.limits.segment_bytes_max;
        let length = line.map_or(window.len(), |line| line.end).saturating_sub(self.cursor);
        if length > max {
            let expected = format!("a record of at most {max} bytes");
            self.stop("a record is longer than allowed", expected, out);
            return None;
        }
        if line.is_none() && framing == Framing::Lines {
            self.searched = window.len().saturating_sub(1).max(self.cursor);
        }
        line
    }

    /// A block of fixed size; line ends that stand between blocks all the same are passed over.
    fn block_at(&mut self, window: &[u8], width: usize, last: bool) -> Option<Line> {
        while let Some(b'\n' | b'\r') = window.get(self.cursor) {
            self.cursor = self.cursor.saturating_add(1);
        }
        let end = self.cursor.saturating_add(width);
        if window.len() >= end {
            return Some(Line { start: self.cursor, end, next: end });
        }
        let rest = window.len();
        (last && self.cursor < rest).then_some(Line { start: self.cursor, end: rest, next: rest })
    }

    fn take<'w>(&mut self, text: &mut Utf8<'w>, rows: &mut Vec<Row<'w>>, line: Line, layout: &Layout, out: &mut Output<'w>) {
        // A file without line ends is one line; its records are told apart by their ordinal.
        self.line = if self.framing == Some(Framing::Lines) { self.line.saturating_add(1) } else { 1 };
        let bytes = trim_end(text.bytes().get(line.start..line.end).unwrap_or_default());
        if bytes.is_empty() {
            return;
        }
        let ordinal = self.ordinal.saturating_add(1);
        let waiting = Waiting { start: line.start, end: line.start.saturating_add(bytes.len()), line: self.line, ordinal };
        let row = self.row(text, waiting);
        let Some(section) = section_of(layout, &row) else {
            self.deposit.count(true);
            out.finding(foreign(&row, bytes));
            return;
        };
        self.ordinal = ordinal;
        match section {
            Section::Check => {
                let key = key_of(&row, layout, Section::Check);
                // Some banks write the overflow records before their check.
                if self.check.is_some() || self.details.is_empty() || self.key != key {
                    self.end_check(text, rows, layout, out);
                }
                self.key = key;
                self.check = Some(waiting);
            }
            Section::Detail | Section::Keyed => {
                let key = key_of(&row, layout, Section::Detail);
                if self.key != key || (self.check.is_none() && self.details.is_empty()) {
                    self.end_check(text, rows, layout, out);
                    self.key = key;
                }
                self.details.push(waiting);
            }
            _ => self.end_check(text, rows, layout, out),
        }
        if section == Section::Header {
            self.deposit.open_file(&row, layout, out);
        }
        self.deposit.count(false);
        match section {
            Section::Service => {
                let size = crate::x12::value::count(row.value(layout.section(section).of(Name::RecordSize)));
                self.width = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
            }
            Section::Lockbox => self.deposit.open_batch(&row, layout, out),
            Section::BatchTotal => self.deposit.close_batch(&row, layout, out),
            Section::LockboxTotal => self.deposit.close_lockbox(&row, layout, out),
            Section::Trailer => self.deposit.close_file(&row, layout, out),
            _ => {}
        }
        self.limit_check(line.end, out);
    }

    #[inline]
    fn row<'w>(&self, text: &mut Utf8<'w>, waiting: Waiting) -> Row<'w> {
        let bytes = text.bytes().get(waiting.start..waiting.end).unwrap_or_default();
        let byte = self.base.wrapping_add(waiting.start as u64);
        let place = Place { byte, line: waiting.line, ordinal: waiting.ordinal };
        match text.slice(waiting.start, waiting.end) {
            Some(known) if text.is_ascii() => Row::of_ascii(bytes, known, place),
            known => Row::new(bytes, known, self.width, place),
        }
    }

    /// Hands the check in hand with its overflow records to the deposit.
    fn end_check<'w>(&mut self, text: &mut Utf8<'w>, rows: &mut Vec<Row<'w>>, layout: &Layout, out: &mut Output<'w>) {
        let details = std::mem::take(&mut self.details);
        match self.check.take() {
            Some(check) => {
                let check = self.row(text, check);
                rows.clear();
                rows.extend(details.iter().map(|detail| self.row(text, *detail)));
                self.deposit.check(&check, rows, layout, out);
            }
            None => {
                if let Some(first) = details.first() {
                    let row = self.row(text, *first);
                    let message = format!("{} invoice lines belong to no check; they are set aside", details.len());
                    out.finding(Finding {
                        message,
                        ..odd(&row, FindingCode::MissingSegment, Severity::Error, Effect::RecordSetAside)
                    });
                }
            }
        }
        self.details = details;
        self.details.clear();
        self.key = [b' '; 6];
    }

    /// Stops at a check without end: overflow records without number must not fill memory.
    fn limit_check(&mut self, end: usize, out: &mut Output<'_>) {
        let start = self.first_waiting().unwrap_or(end);
        if end.saturating_sub(start) > self.limits.transaction_bytes_max {
            let expected = format!("a check with overflow records of at most {} bytes", self.limits.transaction_bytes_max);
            self.stop("a check with its overflow records is longer than allowed", expected, out);
        }
    }

    fn first_waiting(&self) -> Option<usize> {
        let check = self.check.map(|check| check.start);
        let detail = self.details.first().map(|detail| detail.start);
        check.into_iter().chain(detail).min()
    }

    fn stop(&mut self, what: &str, expected: String, out: &mut Output<'_>) {
        let byte = self.base.wrapping_add(self.cursor as u64);
        out.finding(Finding {
            code: FindingCode::LimitReached,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: format!("{what}; nothing after it was read"),
            expected,
            found: "more".to_owned(),
            location: Location { byte, line: Some(self.line.saturating_add(1)), ..Location::default() },
        });
        self.stopped = true;
        self.check = None;
        self.details.clear();
    }

    fn consume(&mut self, window: &[u8]) -> usize {
        if self.stopped {
            self.base = self.base.wrapping_add(window.len() as u64);
            return window.len();
        }
        let done = self.first_waiting().unwrap_or(self.cursor).min(self.cursor);
        self.base = self.base.wrapping_add(done as u64);
        let back = |position: &mut usize| *position = position.saturating_sub(done);
        back(&mut self.cursor);
        back(&mut self.searched);
        for waiting in self.check.iter_mut().chain(&mut self.details) {
            back(&mut waiting.start);
            back(&mut waiting.end);
        }
        done
    }
}

impl Reader for Lockbox {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        let mut text = Utf8::new(window);
        // Room for the overflow records of a check.
        let mut rows = Vec::new();
        let (framing, layout) = self.begin(window, last, &mut out);
        while !self.stopped {
            let Some(line) = self.next_record(window, framing, last, &mut out) else { break };
            if framing == Framing::Lines {
                self.ends.see(window, line);
            }
            self.take(&mut text, &mut rows, line, &layout, &mut out);
            self.cursor = line.next;
            self.searched = line.next;
            if out.has_records() {
                out.flush(sink);
            }
        }
        if last {
            if !self.stopped {
                self.end_check(&mut text, &mut rows, &layout, &mut out);
            }
            self.deposit.finish(&mut out);
            if let Some(finding) = self.ends.mixed() {
                out.finding(finding);
            }
        }
        out.flush(sink);
        self.tally = out.tally;
        self.consume(window)
    }

    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Out<'static>)) -> Summary {
        if let Some(finding) = unlisted(&self.tally, self.base) {
            sink(Out::Finding(finding));
        }
        let status = status(self.tally.worst(), self.deposit.read, false);
        Summary { format: Format::LockboxBai, status, received: Received::default() }
    }
}

/// Batch and item of a record; blanks where it has none.
fn key_of(row: &Row<'_>, layout: &Layout, section: Section) -> [u8; 6] {
    let columns = layout.section(section);
    if let ([a, b, c], [d, e, f]) = (row.raw(columns.of(Name::Batch)), row.raw(columns.of(Name::Item))) {
        return [*a, *b, *c, *d, *e, *f];
    }
    let mut key = [b'0'; 6];
    for (slots, name) in key.chunks_mut(3).zip([Name::Batch, Name::Item]) {
        for (slot, byte) in slots.iter_mut().rev().zip(row.raw(columns.of(name)).iter().rev()) {
            *slot = *byte;
        }
    }
    key
}

fn foreign(row: &Row<'_>, bytes: &[u8]) -> Finding {
    Finding {
        code: FindingCode::TrailingData,
        severity: Severity::Warning,
        effect: Effect::Noted,
        message: "the line begins with no record type; passed over".to_owned(),
        expected: "1, 2, 4, 5, 6, 7, 8 or 9 in the first column".to_owned(),
        found: covered(bytes),
        location: Location { tag: None, ..row.location() },
    }
}
