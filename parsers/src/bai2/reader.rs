//! Moves over windows of bytes, line by line, and hands complete logical records to the statement.

use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Record as Out, Severity, Sink, Summary,
    line::{Line, LineEnds, byte_order_mark, covered, line_at},
    reader::Reader,
    utf8::Utf8,
    x12::{
        output::{Output, Tally, unlisted},
        received::{Received, status},
    },
};

use super::{
    record::{Head, Piece, Record},
    split::{self, Physical},
    statement::Statement,
};

/// Reads BAI2.
#[derive(Debug)]
pub(crate) struct Bai2 {
    limits: Limits,
    statement: Statement,
    tally: Tally,
    ends: LineEnds,
    /// File offset of the window.
    base: u64,
    /// Position of the next line in the window, and how far its end was looked for.
    cursor: usize,
    searched: usize,
    line: u64,
    ordinal: u32,
    /// The logical record in hand; no pieces when there is none.
    head: Head,
    pieces: Vec<Piece>,
    stopped: bool,
}

impl Bai2 {
    pub fn new(limits: &Limits) -> Self {
        let mut limits = limits.clone();
        // Positions of fields have 32 bits.
        limits.transaction_bytes_max = limits.transaction_bytes_max.min(1 << 30);
        limits.segment_bytes_max = limits.segment_bytes_max.min(1 << 30);
        Self {
            statement: Statement::new(&limits),
            tally: Tally::new(limits.findings_max),
            limits,
            ends: LineEnds::default(),
            base: 0,
            cursor: 0,
            searched: 0,
            line: 0,
            ordinal: 0,
            head: Head::default(),
            pieces: Vec::new(),
            stopped: false,
        }
    }

    fn read_line<'w>(&mut self, text: &mut Utf8<'w>, line: Line, out: &mut Output<'w>, sink: &mut dyn Sink<'w>) {
        let window = text.bytes();
        self.line = self.line.wrapping_add(1);
        self.ends.see(window, line);
        let mut from = line.start;
        if self.base == 0 && from == 0 && window.starts_with(b"\xef\xbb\xbf") {
            out.finding(byte_order_mark());
            from = 3;
        }
        while let Some(physical) = split::physical(window, from, line.end, self.line) {
            self.take(text, &physical, out, sink);
            from = physical.next;
        }
    }

    fn take<'w>(&mut self, text: &mut Utf8<'w>, physical: &Physical, out: &mut Output<'w>, sink: &mut dyn Sink<'w>) {
        let Physical { code, start, piece, .. } = physical;
        match code {
            Some([b'8', b'8']) if !self.pieces.is_empty() => self.pieces.push(*piece),
            Some(code) => {
                self.end_record(text, out, sink);
                self.head = Head { code: *code, start: *start, line: piece.line, ordinal: self.ordinal.saturating_add(1) };
                self.pieces.push(*piece);
            }
            None => {
                let foreign = self.foreign(text.bytes(), physical);
                let goes_on = foreign.effect == Effect::Noted && self.in_open_text();
                out.finding(foreign);
                if goes_on {
                    self.pieces.push(*piece);
                }
                return;
            }
        }
        self.ordinal = self.ordinal.saturating_add(1);
        self.limit_record(*start, piece.line, out);
    }

    /// The text of a 16 has not been closed, so a line without a record code may go on with it.
    fn in_open_text(&self) -> bool {
        self.head.code == *b"16" && self.pieces.last().is_some_and(|piece| !piece.marked)
    }

    fn foreign(&self, window: &[u8], physical: &Physical) -> Finding {
        let text = window.get(physical.start..physical.piece.end).unwrap_or_default();
        let message = match (self.statement.read || !self.pieces.is_empty(), self.in_open_text()) {
            (false, _) => "the line stands before the file header",
            (true, true) => "the line begins with no record code; taken as more text of the record before it",
            (true, false) => "the line begins with no record code and belongs to no text; passed over",
        };
        Finding {
            code: FindingCode::TrailingData,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: message.to_owned(),
            expected: "01, 02, 03, 16, 49, 88, 98 or 99".to_owned(),
            found: covered(text),
            location: self.place(physical.start, physical.piece.line),
        }
    }

    fn place(&self, position: usize, line: u64) -> Location {
        Location { byte: self.base.wrapping_add(position as u64), line: Some(line), ..Location::default() }
    }

    /// Hands the record in hand to the statement. Payments go straight to the sink: most records are one, and each move costs.
    fn end_record<'w>(&mut self, text: &mut Utf8<'w>, out: &mut Output<'w>, sink: &mut dyn Sink<'w>) {
        if self.pieces.is_empty() {
            return;
        }
        let record = Record::new(text, self.base, self.head, &self.pieces);
        let payment = self.statement.take(&record, out);
        self.pieces.clear();
        if let Some(payment) = payment {
            out.flush(sink);
            sink.record(Out::Payment(payment));
        }
    }

    /// Stops at a record without end: a file that never closes one must not fill memory.
    fn limit_record(&mut self, position: usize, line: u64, out: &mut Output<'_>) {
        let length = position.saturating_sub(self.head.start);
        if length > self.limits.transaction_bytes_max {
            let expected = format!("a record of at most {} bytes", self.limits.transaction_bytes_max);
            self.stop("a record with its continuations is longer than allowed", expected, position, line, out);
        }
    }

    fn stop(&mut self, what: &str, expected: String, position: usize, line: u64, out: &mut Output<'_>) {
        out.finding(Finding {
            code: FindingCode::LimitReached,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: format!("{what}; nothing after it was read"),
            expected,
            found: "more".to_owned(),
            location: self.place(position, line),
        });
        self.stopped = true;
        self.pieces.clear();
    }

    /// The next line, unless it is longer than allowed.
    fn next_line(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> Option<Line> {
        let max = self.limits.segment_bytes_max;
        let line = line_at(window, self.cursor, self.searched, last);
        let length = line.map_or(window.len(), |line| line.end).saturating_sub(self.cursor);
        if length > max {
            let expected = format!("a line of at most {max} bytes");
            self.stop("a line is longer than allowed", expected, self.cursor, self.line.wrapping_add(1), out);
            return None;
        }
        if line.is_none() {
            // A CR at the end is looked at again together with what follows it.
            self.searched = window.len().saturating_sub(1).max(self.cursor);
        }
        line
    }

    /// What of the window is done with; positions move along.
    fn consume(&mut self, window: &[u8]) -> usize {
        if self.stopped {
            self.base = self.base.wrapping_add(window.len() as u64);
            return window.len();
        }
        let done = if self.pieces.is_empty() { self.cursor } else { self.head.start.min(self.cursor) };
        let back = |position: &mut usize| *position = position.saturating_sub(done);
        self.base = self.base.wrapping_add(done as u64);
        back(&mut self.cursor);
        back(&mut self.searched);
        back(&mut self.head.start);
        for piece in &mut self.pieces {
            back(&mut piece.start);
            back(&mut piece.end);
        }
        done
    }
}

impl Reader for Bai2 {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        let mut text = Utf8::new(window);
        while !self.stopped {
            let Some(line) = self.next_line(window, last, &mut out) else { break };
            self.read_line(&mut text, line, &mut out, sink);
            self.cursor = line.next;
            self.searched = line.next;
            if out.has_records() {
                out.flush(sink);
            }
        }
        if last && !self.stopped {
            self.end_record(&mut text, &mut out, sink);
        }
        if last {
            self.statement.finish(&mut out);
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
        let status = status(self.tally.worst(), self.statement.read, false);
        Summary { format: Format::Bai2, status, received: Received::default() }
    }
}
