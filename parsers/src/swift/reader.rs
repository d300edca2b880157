//! Reads fields one unit at a time: an entry with its details, or a field by itself. Memory is bounded by one unit.

use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Payment, Record, Severity, Sink, Summary,
    reader::Reader,
    x12::{
        output::{Output, Tally, unlisted},
        received::{self, Received},
        segment::shown,
    },
};

use super::{
    booking,
    desk::{Desk, Texts},
    details, entry,
    field::{Field, Kind, Span},
    lexer::{Lexer, Step},
    statement::{Page, Statement, misplaced},
};

/// Foreign lines before the first statement that are only told about once.
const FOREIGN_SHOWN: u32 = 20;

/// State between two windows.
#[derive(Debug)]
pub(crate) struct SwiftReader {
    limits: Limits,
    lexer: Lexer,
    tally: Tally,
    /// File offset of the first byte of the window.
    base: u64,
    begun: bool,
    stopped: bool,
    statement: Option<Statement>,
    page: Option<Page>,
    /// Block 4 was opened and not closed.
    enveloped: bool,
    statements: u32,
    interim: u32,
    foreign: u32,
    unsupported: bool,
    not_utf8: bool,
}

impl SwiftReader {
    pub fn new(limits: &Limits) -> Self {
        Self {
            lexer: Lexer::new(limits),
            tally: Tally::new(limits.findings_max),
            limits: limits.clone(),
            base: 0,
            begun: false,
            stopped: false,
            statement: None,
            page: None,
            enveloped: false,
            statements: 0,
            interim: 0,
            foreign: 0,
            unsupported: false,
            not_utf8: false,
        }
    }

    fn begin(&mut self, window: &[u8], out: &mut Output<'_>) {
        self.begun = true;
        if window.starts_with(b"\xef\xbb\xbf") {
            self.lexer.skip(3);
            out.finding(Finding {
                code: FindingCode::OddEnvelope,
                severity: Severity::Info,
                effect: Effect::Noted,
                message: "the file begins with a byte order mark; it was passed over".to_owned(),
                expected: "field 20 or block {1:".to_owned(),
                found: "EF BB BF".to_owned(),
                location: Location { byte: 0, line: Some(1), ..Location::default() },
            });
        }
    }

    /// Reads a complete unit.
    fn unit<'w>(
        &mut self,
        window: &'w [u8],
        spans: &[Span],
        desk: &mut Desk<'w>,
        out: &mut Output<'w>,
    ) -> Option<Box<Payment<'w>>> {
        let (first, rest) = spans.split_first()?;
        let field = Field::new(window, self.base, *first);
        self.note_text(&field, &mut desk.text, out);
        if first.kind != Kind::Entry {
            self.field(&field, out);
            return None;
        }
        // Most entries have one field 86; some banks write one per line.
        match rest {
            [] => self.entry(&field, &[], desk, out),
            [span] => self.entry(&field, &[Field::new(window, self.base, *span)], desk, out),
            _ => {
                let held: Vec<Field<'_>> = rest.iter().map(|span| Field::new(window, self.base, *span)).collect();
                self.entry(&field, &held, desk, out)
            }
        }
    }

    /// One statement line with its details.
    fn entry<'w>(
        &mut self,
        field: &Field<'w>,
        details: &[Field<'w>],
        desk: &mut Desk<'w>,
        out: &mut Output<'w>,
    ) -> Option<Box<Payment<'w>>> {
        for held in details {
            self.note_text(held, &mut desk.text, out);
        }
        if self.statement.is_none() {
            self.open_without_reference(field, out);
        }
        let statement = self.statement.as_mut()?;
        if statement.closed {
            out.finding(misplaced(field, "a statement line stands behind the closing balance"));
        }
        statement.entries = statement.entries.saturating_add(1);
        out.take_set_aside();
        let entry = entry::read(field, statement.currency, &mut desk.days, out);
        let (mark, amount) = booking::money(&entry, statement.currency)?;
        statement.count(mark, amount.minor);
        if out.is_set_aside() {
            return None;
        }
        let details = details::read(details, desk);
        booking::put(field, &entry, details, (mark, amount), statement, &mut desk.text, out)
    }

    /// Any other field.
    fn field(&mut self, field: &Field<'_>, out: &mut Output<'_>) {
        match field.span.kind {
            Kind::Header => return self.header(field, out),
            Kind::End => return self.end_message(field, out),
            Kind::Foreign => return self.foreign(field, out),
            Kind::Reference => {
                self.close(false, field.location(), out);
                self.open(field.location());
            }
            Kind::Other | Kind::Details | Kind::Passed if self.statement.is_none() => return,
            _ if self.statement.is_none() => self.open_without_reference(field, out),
            _ => {}
        }
        let Some(statement) = self.statement.as_mut() else { return };
        match field.span.kind {
            Kind::Account if statement.account.is_none() && statement.entries == 0 => statement.take_account(field),
            Kind::Opening(page) if !statement.has_opening() && statement.entries == 0 => {
                statement.take_opening(field, page, self.page.take(), out);
            }
            Kind::Opening(_) => out.finding(misplaced(field, "an opening balance stands inside the statement")),
            Kind::Closing(page) => {
                self.page = statement.take_closing(field, page, out);
            }
            Kind::Available => statement.take_other_balance(field, "closing_available", out),
            Kind::Forward => statement.take_other_balance(field, "forward_available", out),
            Kind::FloorLimit => statement.take_floor_limit(field),
            Kind::Debits => statement.take_sum(field, true, out),
            Kind::Credits => statement.take_sum(field, false, out),
            Kind::Account | Kind::Other => out.finding(unknown(field)),
            Kind::Details | Kind::Passed | Kind::Reference | Kind::Entry | Kind::Header | Kind::End | Kind::Foreign => {}
        }
        if !matches!(field.span.kind, Kind::Details | Kind::Passed) {
            lines_behind(field, out);
        }
    }

    fn open(&mut self, location: Location) {
        self.statement = Some(Statement::new(location));
        self.statements = self.statements.saturating_add(1);
    }

    /// Field 20 is missing: the statement is read all the same.
    fn open_without_reference(&mut self, field: &Field<'_>, out: &mut Output<'_>) {
        let message = "the statement begins without its reference";
        let mut finding = field.finding(&[], 1, FindingCode::MissingSegment, Effect::Noted, message, "field 20");
        finding.location.element = None;
        out.finding(finding);
        self.open(field.location());
    }

    /// Ends the statement in hand.
    fn close(&mut self, ended: bool, at: Location, out: &mut Output<'_>) {
        if let Some(statement) = self.statement.take() {
            self.interim =
                self.interim.saturating_add(u32::from(statement.interim && !statement.has_opening() && !statement.closed));
            statement.finish(ended, at, out);
        }
    }

    /// A line of the envelope. Block 2 names the message type.
    fn header(&mut self, field: &Field<'_>, out: &mut Output<'_>) {
        let line = field.content;
        if memchr::memmem::find(line, b"{1:").is_some() && self.statement.is_some() {
            self.close(false, field.location(), out);
        }
        if let Some(at) = memchr::memmem::find(line, b"{2:")
            && let Some([b'I' | b'O', kind @ ..]) = line.get(at.saturating_add(3)..at.saturating_add(7))
            && kind.iter().all(u8::is_ascii_digit)
            && !matches!(kind, b"940" | b"942" | b"950")
        {
            self.unsupported = true;
            let message = "the message is not MT940, MT942 or MT950; it was not read";
            let mut finding =
                field.finding(kind, 2, FindingCode::UnsupportedFormat, Effect::FileHeld, message, "940, 942 or 950");
            finding.location.tag = None;
            out.finding(finding);
        }
        self.enveloped |= memchr::memmem::find(line, b"{4:").is_some();
    }

    fn end_message(&mut self, field: &Field<'_>, out: &mut Output<'_>) {
        self.close(true, field.location(), out);
        // One line may close a message and open the next.
        self.enveloped = memchr::memmem::find(field.content, b"{4:").is_some();
    }

    /// A line outside fields. Transfer programs write some before the first statement, and banks their name before each.
    fn foreign(&mut self, field: &Field<'_>, out: &mut Output<'_>) {
        let text = field.content.trim_ascii();
        if text.iter().all(|byte| byte.is_ascii_control()) {
            return;
        }
        self.foreign = self.foreign.saturating_add(1);
        if self.foreign <= FOREIGN_SHOWN {
            let message = "lines outside a statement belong to no field";
            let mut finding = field.finding(text, 1, FindingCode::TrailingData, Effect::Noted, message, "field 20");
            finding.location.element = None;
            finding.severity = Severity::Info;
            out.finding(finding);
        }
    }

    /// The first field of the file that is not UTF-8 is told about.
    fn note_text<'w>(&mut self, field: &Field<'w>, text: &mut Texts<'w>, out: &mut Output<'_>) {
        if !self.not_utf8
            && !text.is_utf8(field)
            && let Err(fault) = std::str::from_utf8(field.content)
        {
            self.not_utf8 = true;
            let part = field.content.get(fault.valid_up_to()..).unwrap_or_default();
            let part = part.get(..8.min(part.len())).unwrap_or_default();
            let message = "the text is not UTF-8; it is read as Windows-1252 from here on where it is not";
            out.finding(field.finding(part, 1, FindingCode::NotUtf8, Effect::Noted, message, "UTF-8 text"));
        }
    }

    fn end_of_file(&mut self, out: &mut Output<'_>) {
        let (position, line) = self.lexer.here();
        let at = Location {
            byte: self.base.saturating_add(position as u64),
            line: Some(line.saturating_add(1)),
            ..Location::default()
        };
        self.close(false, at, out);
        if std::mem::take(&mut self.enveloped) {
            out.finding(Finding {
                code: FindingCode::UnexpectedEnd,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: "block 4 of the last message is not closed".to_owned(),
                expected: "-}".to_owned(),
                found: "the end of the file".to_owned(),
                location: at,
            });
        }
        if let Some((byte, line)) = self.lexer.ends.differs {
            out.finding(Finding {
                code: FindingCode::OddEnvelope,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "lines end in different ways; all were read".to_owned(),
                expected: "CRLF after each line".to_owned(),
                found: "CRLF after some lines, a single byte after others".to_owned(),
                location: Location { byte, line: Some(line.saturating_add(1)), ..Location::default() },
            });
        }
        if self.statements == 0 {
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Error,
                effect: Effect::FileRejected,
                message: "the file holds no statement".to_owned(),
                expected: "field 20".to_owned(),
                found: String::new(),
                location: at,
            });
        }
    }

    fn stop(&mut self, out: &mut Output<'_>) {
        let (position, line) = self.lexer.here();
        self.stopped = true;
        out.finding(Finding {
            code: FindingCode::LimitReached,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: "a line or an entry is longer than allowed; reading stopped there".to_owned(),
            expected: format!(
                "lines of at most {} and entries of at most {} bytes",
                self.limits.segment_bytes_max, self.limits.transaction_bytes_max
            ),
            found: "more".to_owned(),
            location: Location {
                byte: self.base.saturating_add(position as u64),
                line: Some(line.saturating_add(1)),
                ..Location::default()
            },
        });
    }
}

impl Reader for SwiftReader {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        let mut desk = Desk::new(window);
        if !self.begun {
            self.begin(window, &mut out);
        }
        while !self.stopped {
            match self.lexer.step(window, self.base, last) {
                Step::Unit(length) => {
                    let spans = std::mem::take(&mut self.lexer.spans);
                    let payment = self.unit(window, spans.get(..length).unwrap_or_default(), &mut desk, &mut out);
                    self.lexer.spans = spans;
                    self.lexer.release(length);
                    if out.has_records() {
                        out.flush(sink);
                    }
                    if let Some(mut payment) = payment {
                        out.number_payment(&mut payment);
                        sink.record(Record::Payment(payment));
                    }
                }
                Step::TooLong => self.stop(&mut out),
                Step::NeedsBytes => break,
                Step::End => {
                    self.end_of_file(&mut out);
                    break;
                }
            }
        }
        out.flush(sink);
        if self.stopped {
            self.lexer.pass(window);
        }
        self.tally = out.tally;
        let consumed = self.lexer.rebase();
        self.base = self.base.saturating_add(consumed as u64);
        consumed
    }

    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        if let Some(finding) = unlisted(&self.tally, self.base) {
            sink(Record::Finding(finding));
        }
        let read = self.statements > 0;
        let status = received::status(self.tally.worst(), read, self.unsupported && !read);
        let format = if read && self.interim == self.statements { Format::Mt942 } else { Format::Mt940 };
        Summary { format, status, received: Received::default() }
    }
}

/// A field that no statement has, or one out of its place.
fn unknown(field: &Field<'_>) -> Finding {
    let message = "the field does not belong here; it was passed over";
    let mut finding = field.finding(&[], 1, FindingCode::UnknownSegment, Effect::Noted, message, "a field of the statement");
    finding.location.element = None;
    finding
}

/// Lines behind a field of one line: something got between the fields.
fn lines_behind(field: &Field<'_>, out: &mut Output<'_>) {
    if let Some(line) =
        field.lines().skip(1).find(|line| !line.iter().all(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()))
    {
        let message = "a line behind the field belongs to no field";
        let mut finding =
            field.finding(line, 1, FindingCode::TrailingData, Effect::Noted, message, "a tag at the start of the line");
        finding.found = shown(line);
        finding.location.element = None;
        out.finding(finding);
    }
}
