//! NACHA ACH files: records of 94 columns in files, batches and entries.
//!
//! [`line`] cuts records, [`form`] tells what is odd about them; this page keeps the order of files, batches and entries; [`file`], [`batch`]
//! and [`total`] compare what their control records claim. [`entry`] makes payments, returns and remittances of an entry with its
//! [`addenda`]; [`advice`] reads what the addenda say, mostly with the reader of X12. Which file an advice or a return belongs to elsewhere is
//! left to the engine.

mod addenda;
mod advice;
mod batch;
mod code;
mod dialect;
mod entry;
mod file;
mod form;
mod head;
mod joined;
mod layout;
mod line;
mod total;

use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Party, Record, Severity, Sink, Summary,
    reader::Reader,
    utf8::Utf8,
    x12::{
        lexer::Tape,
        output::{Output, Tally},
        received::{self, Received},
    },
};

use self::{
    batch::Batch,
    entry::Entry,
    file::File,
    form::{Endings, check_form, tell_byte_order_mark},
    head::Head,
    line::{Cut, Line, Span, cut, is_blank, is_filler},
};

/// Whether a line may be the first of a NACHA file: record 1 with its record size, or a batch whose file header was lost.
pub(crate) fn begins(line: &[u8]) -> bool {
    match line {
        [b'1', ..] => {
            // A column lost or added before the record size shifts it.
            let near = line.get(30..44).unwrap_or_default();
            // Three digits alone stand at this place of one line in a thousand, whatever it is a line of.
            let priority = line.get(1..3) == Some(b"01") || line.get(37..39) == Some(b"10");
            line.get(34..37) == Some(b"094") && priority || memchr::memmem::find(near, b"094101").is_some()
        }
        [b'5', b'2', b'0' | b'2' | b'8', b'0' | b'5', ..] => {
            line.get(50..53).is_some_and(|class| code::Form::of(&class.to_ascii_uppercase()).is_some())
        }
        _ => false,
    }
}

/// The reader of NACHA files.
#[derive(Debug)]
pub(crate) struct Nacha {
    limits: Limits,
    tally: Tally,
    /// File offset of the window.
    base: u64,
    /// Position in the window up to which records have been taken.
    taken: usize,
    /// Line breaks before that position.
    breaks: u64,
    /// Records before that position.
    ordinal: u32,
    endings: Endings,
    file: File,
    batch: Option<Batch>,
    /// The entry in hand and its addenda.
    entry: Vec<Span>,
    head: Head,
    /// Memory for reading X12 in addenda.
    tape: Tape,
    /// Letters beyond ASCII were told of in the entry in hand.
    letters_told: bool,
    /// Something was read: a header, a batch or an entry.
    read: bool,
    /// A limit was reached; what follows is passed over.
    stopped: bool,
}

/// Where records go during one window. Payments go straight to the sink: one is made per entry, and each move of a record costs.
struct Outlet<'w, 's> {
    out: Output<'w>,
    sink: &'s mut dyn Sink<'w>,
    /// The window as text.
    text: Utf8<'w>,
    /// Who sends the batch in hand, in texts of this window.
    originator: Option<Party<'w>>,
}

impl Reader for Nacha {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut to =
            Outlet { out: Output::new(std::mem::take(&mut self.tally)), sink, text: Utf8::new(window), originator: None };
        while !self.stopped && self.step(window, last, &mut to) {}
        if self.stopped {
            self.taken = window.len();
        } else if last {
            self.end(&mut to);
        }
        to.out.flush(to.sink);
        self.tally = to.out.tally;
        self.let_go()
    }

    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        let dropped = self.tally.findings_dropped;
        if dropped > 0 {
            sink(Record::Finding(Finding {
                code: FindingCode::LimitReached,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: format!("{dropped} further findings are not listed"),
                expected: format!("at most {} findings", self.limits.findings_max),
                found: dropped.to_string(),
                location: Location { byte: self.base, ..Location::default() },
            }));
        }
        let status = received::status(self.tally.worst(), self.read, false);
        Summary { format: Format::Nacha, status, received: Received::default() }
    }
}

impl Nacha {
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            tally: Tally::new(limits.findings_max),
            base: 0,
            taken: 0,
            breaks: 0,
            ordinal: 0,
            endings: Endings::default(),
            file: File::default(),
            batch: None,
            entry: Vec::new(),
            head: Head::default(),
            tape: Tape::default(),
            letters_told: false,
            read: false,
            stopped: false,
        }
    }

    /// Takes one record. False: more bytes are needed, or there are none.
    fn step<'w>(&mut self, window: &'w [u8], last: bool, to: &mut Outlet<'w, '_>) -> bool {
        let rest = window.get(self.taken..).unwrap_or_default();
        let at_start = self.base == 0 && self.taken == 0;
        if rest.is_empty() || (at_start && rest.len() < 3 && !last) {
            return false;
        }
        if at_start && rest.starts_with(b"\xef\xbb\xbf") {
            tell_byte_order_mark(&mut to.out);
            self.taken = 3;
            return true;
        }
        let Cut::Line { length, ending } = cut(rest, last) else { return false };
        let bytes = rest.get(..length).unwrap_or(rest);
        if !is_blank(bytes) {
            self.ordinal = self.ordinal.saturating_add(1);
            let span = Span::new(window, self.taken, length, self.breaks.saturating_add(1), self.ordinal);
            let whole = ending > 0 || length >= line::COLUMNS;
            self.take(span, whole, window, to);
        }
        let end = rest.get(length..length.saturating_add(ending)).unwrap_or_default();
        let place = Location {
            byte: self.base.saturating_add(self.taken as u64),
            line: Some(self.breaks.saturating_add(1)),
            ..Location::default()
        };
        self.endings.note(end, place, &mut to.out);
        self.breaks = self.breaks.saturating_add(u64::from(ending > 0));
        self.taken = self.taken.saturating_add(length).saturating_add(ending);
        true
    }

    /// Takes one record that is not blank. `whole` says that it did not end with the file.
    fn take<'w>(&mut self, span: Span, whole: bool, window: &'w [u8], to: &mut Outlet<'w, '_>) {
        let line = span.line(window, self.base);
        if is_filler(line.bytes) && (self.file.is_closed() || line.bytes.len() >= line::COLUMNS) {
            self.close_entry(to);
            self.file.fill(&line);
            return;
        }
        match line.kind() {
            b'1' => self.open_file(&line, to),
            b'5' => self.open_batch(&line, span, to),
            b'6' => self.open_entry(&line, span, to),
            b'7' => self.add_addenda(&line, span, &mut to.out),
            b'8' => self.close_batch(&line, to),
            b'9' => {
                self.close_entry(to);
                self.leave_batch("the file control", &line.location(), &mut to.out);
                self.file.close(&line, whole, &mut to.out);
            }
            _ => {
                self.head.disturbed = true;
                let message = "the line is no NACHA record and was skipped".to_owned();
                let expected = "a record that begins with 1, 5, 6, 7, 8 or 9";
                to.out.finding(line.finding_here(FindingCode::UnknownSegment, Effect::Noted, message, expected));
                return;
            }
        }
        self.read = true;
        self.file.count_record(line.columns());
        check_form(&line, &mut self.letters_told, &mut to.out);
    }

    fn open_file<'w>(&mut self, line: &Line<'w>, to: &mut Outlet<'w, '_>) {
        self.close_entry(to);
        self.leave_batch("a file header", &line.location(), &mut to.out);
        self.file.end(line.location(), "another file header", &mut to.out);
        self.file = File::open(line, &mut to.out);
    }

    fn open_batch<'w>(&mut self, line: &Line<'w>, span: Span, to: &mut Outlet<'w, '_>) {
        self.close_entry(to);
        self.leave_batch("another batch header", &line.location(), &mut to.out);
        self.file.expect_open(line, &mut to.out);
        to.originator = None;
        self.batch = Some(Batch::open(line, span, self.file.created, &mut to.out));
    }

    fn open_entry<'w>(&mut self, line: &Line<'w>, span: Span, to: &mut Outlet<'w, '_>) {
        self.close_entry(to);
        self.file.expect_open(line, &mut to.out);
        if self.batch.is_none() {
            let message = "an entry stands outside any batch, so nobody knows who sent it".to_owned();
            to.out.finding(line.finding_here(FindingCode::BadEnvelope, Effect::FileHeld, message, "a batch header before it"));
        }
        let batch = self.batch.get_or_insert_with(|| {
            to.originator = None;
            Batch::default()
        });
        self.head = Head::read(line, batch, &mut to.out);
        self.entry.push(span);
    }

    fn add_addenda(&mut self, line: &Line<'_>, span: Span, out: &mut Output<'_>) {
        if let Some(batch) = &mut self.batch {
            batch.totals.records = batch.totals.records.saturating_add(1);
        }
        let Some(first) = self.entry.first() else {
            let message = "an addenda record stands without an entry before it".to_owned();
            out.finding(line.finding_here(FindingCode::BadEnvelope, Effect::RecordSetAside, message, "an entry before it"));
            return;
        };
        let held = span.start.saturating_add(span.length).saturating_sub(first.start);
        // Stops a file of nothing but addenda from filling memory.
        if held > self.limits.transaction_bytes_max {
            let message = "an entry is longer than allowed; nothing after it was read".to_owned();
            let expected = format!("an entry of at most {} bytes", self.limits.transaction_bytes_max);
            out.finding(line.finding_here(FindingCode::LimitReached, Effect::FileHeld, message, &expected));
            self.entry.clear();
            self.stopped = true;
            return;
        }
        self.entry.push(span);
    }

    fn close_batch<'w>(&mut self, line: &Line<'w>, to: &mut Outlet<'w, '_>) {
        self.close_entry(to);
        match self.batch.take() {
            Some(batch) => {
                batch.close(line, &mut to.out);
                self.file.add(&batch);
            }
            None => {
                let message = "a batch control stands without a batch header before it".to_owned();
                to.out.finding(line.finding_here(FindingCode::BadEnvelope, Effect::FileHeld, message, "a batch header"));
            }
        }
    }

    /// A batch without its control holds the file: entries of it may be missing.
    fn leave_batch(&mut self, found: &str, location: &Location, out: &mut Output<'_>) {
        let Some(batch) = self.batch.take() else { return };
        self.file.add(&batch);
        out.finding(Finding {
            code: FindingCode::MissingTrailer,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: "a batch has no batch control".to_owned(),
            expected: "record 8".to_owned(),
            found: found.to_owned(),
            location: *location,
        });
    }

    /// Reads the entry in hand, whose last addenda has passed.
    fn close_entry<'w>(&mut self, to: &mut Outlet<'w, '_>) {
        if self.entry.is_empty() {
            return;
        }
        if let Some(batch) = &self.batch {
            let originator = to.originator.get_or_insert_with(|| batch.originator(&mut to.text));
            let (base, spans, head, limits) = (self.base, self.entry.as_slice(), self.head, &self.limits);
            let entry = Entry { base, spans, head, batch, originator, limits };
            let payment = entry.read(&mut to.text, &mut self.tape, &mut to.out);
            // What sets one entry aside has been left out by its reader.
            to.out.take_set_aside();
            to.out.flush(to.sink);
            if let Some(payment) = payment {
                to.sink.record(Record::Payment(payment));
            }
        }
        self.entry.clear();
        self.head = Head::default();
    }

    fn end<'w>(&mut self, to: &mut Outlet<'w, '_>) {
        self.close_entry(to);
        let location = Location {
            byte: self.base.saturating_add(self.taken as u64),
            line: Some(self.breaks.saturating_add(1)),
            ..Location::default()
        };
        self.leave_batch("the end of the file", &location, &mut to.out);
        self.file.end(location, "the end of the file", &mut to.out);
        self.file = File::done();
    }

    /// Lets go of what has been read and gives how many bytes that is. Positions count from the first byte that is kept.
    fn let_go(&mut self) -> usize {
        let consumed = self.entry.first().map_or(self.taken, |span| span.start);
        self.taken = self.taken.saturating_sub(consumed);
        self.base = self.base.saturating_add(consumed as u64);
        for span in &mut self.entry {
            *span = span.moved_back(consumed).unwrap_or(*span);
        }
        if let Some(batch) = &mut self.batch {
            batch.header = batch.header.and_then(|span| span.moved_back(consumed));
        }
        consumed
    }
}
