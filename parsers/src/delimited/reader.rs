//! Moves over the window row by row. The window is the whole file, or what a stream holds of it; nothing depends on where it ends.

use std::sync::Arc;

use super::{
    books::Books,
    cells::Cells,
    header::{self, Columns, Recognised},
    mapping::Mapping,
    rows::{self, Found, How, Row, Span},
    workbook::Epoch,
};
use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Options, Record, Severity, Sink, Summary, Tag,
    detect::LOOK,
    reader::Reader,
    x12::{
        output::{Output, Tally, unlisted},
        received::{Received, status},
        segment::shown,
    },
};

/// The reader of a file whose header fits a mapping; nothing for any other.
pub(crate) fn recognise(bytes: &[u8], options: &Options) -> Option<Box<dyn Reader>> {
    let head = bytes.get(..LOOK).unwrap_or(bytes);
    let found = header::recognise(head, &options.mappings)?;
    Some(Box::new(Delimited::new(found, &options.limits)))
}

/// State between two windows.
#[derive(Debug)]
struct Delimited {
    mapping: Arc<Mapping>,
    limits: Limits,
    delimiter: u8,
    /// Quotes may hold line breaks, until one turns out not to be closed.
    multi_line: bool,
    /// Bytes before the header that are still to be passed over.
    preamble: usize,
    /// The header as it stands in the file; another such row is a joined file.
    header: Vec<u8>,
    columns: Option<Columns>,
    books: Books,
    spans: Vec<Span>,
    /// The row in hand is longer than allowed and is passed over.
    skipping: bool,
    /// File offset and line of the first byte of the window, and rows before it.
    base: u64,
    line: u64,
    ordinal: u32,
    /// A row of this length was not complete; it is looked at again when the window is twice as long.
    seen: usize,
    /// Rows with something in them, and what is told once.
    rows: u64,
    line_ends: u8,
    utf8_told: bool,
    short_told: bool,
}

impl Reader for Delimited {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut at = self.pass_preamble(window);
        loop {
            let rest = window.get(at..).unwrap_or_default();
            if rest.is_empty() || (!last && rest.len() < self.seen) {
                break;
            }
            let Some(length) = self.read_row(rest, last) else {
                self.seen = rest.len().saturating_mul(2).min(self.limits.segment_bytes_max.saturating_add(1));
                break;
            };
            self.seen = 0;
            self.line = self.line.saturating_add(rows::line_ends(rest.get(..length).unwrap_or_default()));
            self.base = self.base.saturating_add(length as u64);
            at = at.saturating_add(length);
            self.books.out.flush(&mut |record: Record<'static>| sink.record(record));
        }
        at
    }

    fn finish(mut self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        let end = self.place();
        let claims = self.mapping.sheet.totals;
        self.books.end_section(claims.as_ref(), end);
        self.books.finish();
        self.tell_file(end);
        self.books.out.flush(&mut |record: Record<'static>| sink(record));
        if let Some(finding) = unlisted(&self.books.out.tally, self.base) {
            sink(Record::Finding(finding));
        }
        let status = status(self.books.out.tally.worst(), true, false);
        Summary { format: Format::Csv, status, received: Received::default() }
    }
}

impl Delimited {
    fn new(found: Recognised, limits: &Limits) -> Self {
        let mut limits = limits.clone();
        limits.segment_bytes_max = limits.segment_bytes_max.min(limits.transaction_bytes_max);
        Self {
            delimiter: found.delimiter,
            multi_line: true,
            preamble: found.at,
            header: Vec::new(),
            columns: None,
            books: Books::new(Output::new(Tally::new(limits.findings_max))),
            spans: Vec::new(),
            skipping: false,
            base: 0,
            line: 1,
            ordinal: 0,
            seen: 0,
            rows: 0,
            line_ends: 0,
            utf8_told: false,
            short_told: false,
            mapping: found.mapping,
            limits,
        }
    }

    /// Whatever stands before the header; it was in the bytes that the file was recognised by.
    fn pass_preamble(&mut self, window: &[u8]) -> usize {
        let length = std::mem::take(&mut self.preamble).min(window.len());
        let passed = window.get(..length).unwrap_or_default();
        self.line = self.line.saturating_add(rows::line_ends(passed));
        self.base = self.base.saturating_add(length as u64);
        if passed.starts_with(b"\xef\xbb\xbf") {
            let message = "a byte order mark stands before the first row";
            self.tell(
                FindingCode::OddEnvelope,
                Severity::Info,
                message,
                "the first row at the first byte",
                "EF BB BF",
                Location { line: Some(1), ..Location::default() },
            );
        }
        length
    }

    fn place(&self) -> Location {
        Location { byte: self.base, line: Some(self.line), segment: Some(self.ordinal), ..Location::default() }
    }

    fn tell(&mut self, code: FindingCode, severity: Severity, message: &str, expected: &str, found: &str, location: Location) {
        let (message, expected, found) = (message.to_owned(), expected.to_owned(), found.to_owned());
        self.books.out.finding(Finding { code, severity, effect: Effect::Noted, message, expected, found, location });
    }

    /// Reads the row that begins at the first byte and gives its length with its line end; nothing when more bytes are needed.
    fn read_row(&mut self, bytes: &[u8], last: bool) -> Option<usize> {
        if self.skipping {
            return self.skip(bytes, last);
        }
        let how = How { delimiter: self.delimiter, multi_line: self.multi_line, bytes_max: self.limits.segment_bytes_max };
        let mut spans = std::mem::take(&mut self.spans);
        let found = rows::read(bytes, last, how, &mut spans);
        let length = match found {
            Found::NeedsBytes => None,
            Found::TooLong => {
                self.too_long(bytes);
                self.skip(bytes, last)
            }
            Found::Row(row) => {
                self.ordinal = self.ordinal.saturating_add(1);
                self.multi_line &= !row.broken;
                self.see_line_end(bytes, row);
                self.take_row(bytes, row, &spans);
                Some(row.next)
            }
        };
        self.spans = spans;
        length
    }

    fn too_long(&mut self, bytes: &[u8]) {
        self.ordinal = self.ordinal.saturating_add(1);
        self.skipping = true;
        let start = bytes.get(..40).unwrap_or(bytes);
        self.books.out.finding(Finding {
            code: FindingCode::LimitReached,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: "a row is longer than allowed and was passed over".to_owned(),
            expected: format!("a row of at most {} bytes", self.limits.segment_bytes_max),
            found: if self.columns.is_some() { "a longer one".to_owned() } else { shown(start) },
            location: self.place(),
        });
    }

    /// Passes over the rest of a row that is too long; nothing when more bytes are needed.
    fn skip(&mut self, bytes: &[u8], last: bool) -> Option<usize> {
        match memchr::memchr2(b'\n', b'\r', bytes) {
            Some(end) if last || end.saturating_add(1) < bytes.len() || bytes.get(end) == Some(&b'\n') => {
                self.skipping = false;
                Some(rows::after_line_end(bytes, end))
            }
            // The carriage return stays for the next window, which begins with it.
            Some(end) => (end > 0).then_some(end),
            None => Some(bytes.len()),
        }
    }

    fn see_line_end(&mut self, bytes: &[u8], row: Row) {
        self.line_ends |= match (row.next.saturating_sub(row.end), bytes.get(row.end)) {
            (0, _) => 0,
            (1, Some(b'\n')) => 1,
            (1, _) => 2,
            _ => 4,
        };
    }

    fn take_row(&mut self, bytes: &[u8], row: Row, spans: &[Span]) {
        let text = bytes.get(..row.end).unwrap_or_default();
        let place = Location { tag: Some(Tag::new(b"row")), ..self.place() };
        if let (false, Err(error)) = (self.utf8_told, std::str::from_utf8(text)) {
            self.utf8_told = true;
            let at = error.valid_up_to();
            let found = text.get(at).map(|byte| format!("byte {byte:02X}")).unwrap_or_default();
            let place = Location { byte: place.byte.saturating_add(at as u64), ..place };
            let message = "the text is not UTF-8; it was read as Windows-1252 wherever it is not";
            self.tell(FindingCode::NotUtf8, Severity::Warning, message, "UTF-8 text", &found, place);
        }
        let Some(columns) = self.columns.take() else { return self.take_header(text, spans, place) };
        let mapping = Arc::clone(&self.mapping);
        let cells = Cells { row: text, spans, columns: &columns, mapping: &mapping, epoch: Epoch::default(), place };
        if !cells.is_blank() {
            let is_cut = row.next == row.end && spans.len() < columns.names.len();
            if is_cut {
                self.cut_off(&cells);
            } else if text == self.header.as_slice() {
                self.joined(place);
            } else {
                self.rows = self.rows.saturating_add(1);
                self.tell_short(&cells);
                let kind = mapping.kind_of(&cells);
                self.books.row(kind, damage(&cells, row), &cells, &self.limits);
            }
        }
        self.columns = Some(columns);
    }

    fn take_header(&mut self, text: &[u8], spans: &[Span], place: Location) {
        let columns = Columns::new(&self.mapping, text, spans);
        columns.tell(&self.mapping, place, &mut self.books.out);
        self.header = text.to_vec();
        self.columns = Some(columns);
    }

    /// The last row ends before its last column, and without a line end.
    fn cut_off(&mut self, cells: &Cells<'_>) {
        self.books.out.finding(Finding {
            code: FindingCode::UnexpectedEnd,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: "the file ends within a row".to_owned(),
            expected: format!("{} columns and a line end", cells.columns.names.len()),
            found: format!("{} columns", cells.spans.len()),
            location: cells.place,
        });
    }

    /// Another header: two files were joined. Each has its own totals.
    fn joined(&mut self, place: Location) {
        let claims = self.mapping.sheet.totals;
        self.books.end_section(claims.as_ref(), place);
        let message = "the header stands here again; two files may have been joined";
        self.tell(FindingCode::TrailingData, Severity::Warning, message, "a row", "the header", place);
    }

    /// Rows that end early are read, since spreadsheets leave empty cells out; said once.
    fn tell_short(&mut self, cells: &Cells<'_>) {
        if cells.spans.len() < cells.columns.names.len() && !std::mem::replace(&mut self.short_told, true) {
            let expected = format!("{} columns as in the header", cells.columns.names.len());
            let found = format!("{} columns", cells.spans.len());
            let message = "rows have fewer columns than the header; the missing ones were read as empty";
            self.tell(FindingCode::BadText, Severity::Warning, message, &expected, &found, cells.place);
        }
    }

    /// What there is to say about the file as a whole.
    fn tell_file(&mut self, end: Location) {
        if self.line_ends.count_ones() > 1 {
            let start = Location { line: Some(1), ..Location::default() };
            let message = "the file mixes kinds of line ends";
            let found = "LF, CR LF or CR mixed";
            self.tell(FindingCode::OddEnvelope, Severity::Info, message, "one kind of line end", found, start);
        }
        if self.rows == 0 {
            let message = "the file holds a header and no rows";
            self.tell(FindingCode::UnexpectedEnd, Severity::Warning, message, "rows", "the end", end);
        }
    }
}

/// Why the cells of a row cannot be trusted.
fn damage(cells: &Cells<'_>, row: Row) -> Option<Finding> {
    let (message, expected, found) = if row.broken {
        ("a quote in the row is not closed".to_owned(), "a closing quote before a delimiter".to_owned(), shown(cells.row))
    } else if !cells.fits_header() {
        let expected = format!("{} columns as in the header", cells.columns.names.len());
        ("the row has more columns than the header".to_owned(), expected, format!("{} columns", cells.spans.len()))
    } else {
        return None;
    };
    // A row may hold account numbers, so that only its length is told.
    let found = if row.broken { format!("a row of {} bytes", found.len()) } else { found };
    Some(Finding {
        code: FindingCode::BadText,
        severity: Severity::Error,
        effect: Effect::RecordSetAside,
        message,
        expected,
        found,
        location: cells.place,
    })
}
