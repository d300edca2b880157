//! Reads a workbook sheet by sheet. A package tells what is in it at its end, so it is kept in memory until it is whole, within its limit.

use std::sync::Arc;

use super::{
    super::{
        books::Books,
        cells::Cells,
        header::{Columns, PREAMBLE_MAX, is_open_item_list, mapping_of},
        mapping::Mapping,
        rows::{Kind, Span},
        sheet::Totals,
    },
    container::{Container, Fault},
    outline::{Outline, SheetEntry},
    sheet::{self, SheetRow},
};
use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Options, Record, Severity, Sink, Summary, Tag, detect, mask,
    reader::Reader,
    x12::{
        output::{Output, Tally, unlisted},
        received::{Received, status},
        segment::decode,
    },
};

/// State while the bytes come in.
#[derive(Debug)]
pub(crate) struct Workbook {
    limits: Limits,
    mappings: Vec<Arc<Mapping>>,
    out: Output<'static>,
    format: Format,
    /// More bytes came than are kept; all that is left is to say so.
    too_large: bool,
    /// At least one sheet was read.
    read: bool,
}

impl Workbook {
    pub fn new(options: &Options) -> Self {
        Self {
            limits: options.limits.clone(),
            mappings: options.mappings.clone(),
            out: Output::new(Tally::new(options.limits.findings_max)),
            format: Format::Xlsx,
            too_large: false,
            read: false,
        }
    }

    fn read(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Record<'static>)) {
        if let Err(fault) = self.read_sheets(bytes, sink) {
            self.refuse(&fault);
        }
        self.out.flush(&mut |record: Record<'static>| sink(record));
    }

    fn read_sheets(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Record<'static>)) -> Result<(), Fault> {
        let mut container = Container::open(bytes, &self.limits)?;
        let Some(outline) = Outline::read(&mut container)? else {
            self.format = Format::Unknown;
            self.out.finding(detect::unknown("the file is compressed; unpack it first", bytes));
            return Ok(());
        };
        let mut books = Books::new(std::mem::replace(&mut self.out, Output::new(Tally::default())));
        let mut ordinal = 0;
        for (index, entry) in (1..=u16::MAX).zip(&outline.sheets) {
            let mut pass = Pass {
                entry,
                place: Location { sheet: Some(index), segment: Some(ordinal), ..Location::default() },
                limits: &self.limits,
                mappings: &self.mappings,
                outline: &outline,
                table: None,
                seen: 0,
                hidden_rows: 0,
                open_items: false,
            };
            let fault = match container.sheet(&entry.path) {
                Ok(Some(part)) => sheet::rows(part, &outline, &mut |row| pass.row(row, &mut books, sink)).err(),
                Ok(None) => Some(Fault::damaged("the package does not hold it")),
                Err(fault) => Some(fault),
            };
            pass.end(fault, &mut books);
            self.read |= pass.table.is_some() && !entry.hidden;
            ordinal = pass.place.segment.unwrap_or(ordinal);
            flush(&mut books, &entry.name, sink);
        }
        self.out = books.out;
        if !self.read {
            self.out.finding(no_table());
        }
        Ok(())
    }

    fn refuse(&mut self, fault: &Fault) {
        let (code, message, expected) = match fault {
            Fault::TooLarge => (
                FindingCode::LimitReached,
                "the workbook is larger than allowed, or unpacks to more".to_owned(),
                format!("at most {} bytes, 8 times that unpacked", self.limits.workbook_bytes_max),
            ),
            Fault::Damaged(detail) => (
                FindingCode::BadEnvelope,
                format!("the workbook cannot be opened: {detail}"),
                "a whole workbook; ask the sender to save it again".to_owned(),
            ),
        };
        self.out.finding(Finding {
            code,
            severity: Severity::Error,
            effect: Effect::FileRejected,
            message,
            expected,
            found: "this one".to_owned(),
            location: Location::default(),
        });
    }
}

impl Reader for Workbook {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        self.too_large |= window.len() > self.limits.workbook_bytes_max;
        if self.too_large {
            return window.len();
        }
        if last {
            self.read(window, &mut |record| sink.record(record));
            return window.len();
        }
        0
    }

    fn finish(mut self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        if self.too_large {
            self.refuse(&Fault::TooLarge);
            self.out.flush(&mut |record: Record<'static>| sink(record));
        }
        if let Some(finding) = unlisted(&self.out.tally, 0) {
            sink(Record::Finding(finding));
        }
        let status = status(self.out.tally.worst(), self.read, false);
        Summary { format: self.format, status, received: Received::default() }
    }
}

/// A header that was found, and the rows below it.
struct Table {
    mapping: Arc<Mapping>,
    columns: Columns,
    header: Vec<u8>,
    rows: u64,
    width_told: bool,
}

impl Table {
    fn totals(&self) -> Option<Totals> {
        self.mapping.sheet.totals
    }
}

/// One sheet while it is read.
struct Pass<'a> {
    entry: &'a SheetEntry,
    /// The row in hand. Its ordinal counts the rows of all sheets, its line those of this one.
    place: Location,
    limits: &'a Limits,
    mappings: &'a [Arc<Mapping>],
    outline: &'a Outline,
    table: Option<Table>,
    /// Rows with something in them.
    seen: usize,
    hidden_rows: u64,
    /// It is a list of open items, which is master data.
    open_items: bool,
}

impl Pass<'_> {
    /// Takes a row; false when nothing more of the sheet is needed.
    fn row(&mut self, row: &SheetRow, books: &mut Books, sink: &mut dyn FnMut(Record<'static>)) -> bool {
        if row.spans.iter().all(|span| span.value(&row.text).trim_ascii().is_empty()) {
            return true;
        }
        self.seen = self.seen.saturating_add(1);
        let ordinal = self.place.segment.map(|ordinal| ordinal.saturating_add(1));
        let place = Location { line: Some(row.number), segment: ordinal, tag: Some(Tag::new(b"row")), ..self.place };
        self.place.segment = ordinal;
        self.hidden_rows = self.hidden_rows.saturating_add(u64::from(row.hidden));
        let Some(mut table) = self.table.take() else {
            self.look_for_header(row, place, &mut books.out);
            // A hidden sheet is looked at so far that its header is known, and no further.
            return if self.table.is_some() { !self.entry.hidden } else { !self.open_items && self.seen < PREAMBLE_MAX };
        };
        if row.text == table.header {
            books.end_section(table.totals().as_ref(), place);
            tell_header_again(place, &mut books.out);
        } else {
            self.table_row(&mut table, row, place, books);
        }
        self.table = Some(table);
        flush(books, &self.entry.name, sink);
        true
    }

    fn look_for_header(&mut self, row: &SheetRow, place: Location, out: &mut Output<'static>) {
        if row.spans.len() < 2 {
            return;
        }
        let names = Columns::names(&row.text, &row.spans);
        self.open_items = is_open_item_list(&names);
        if self.open_items {
            return;
        }
        let Some(mapping) = mapping_of(&names, self.mappings) else { return };
        let columns = Columns::new(&mapping, &row.text, &row.spans);
        if !self.entry.hidden {
            columns.tell(&mapping, place, out);
        }
        self.table = Some(Table { mapping, columns, header: row.text.clone(), rows: 0, width_told: false });
    }

    fn table_row(&self, table: &mut Table, row: &SheetRow, place: Location, books: &mut Books) {
        table.rows = table.rows.saturating_add(1);
        let mapping = Arc::clone(&table.mapping);
        let epoch = self.outline.epoch;
        let cells = Cells { row: &row.text, spans: &row.spans, columns: &table.columns, mapping: &mapping, epoch, place };
        if row.too_wide && !std::mem::replace(&mut table.width_told, true) {
            let message = "cells stand further to the right than is read; they were left out";
            let expected = "at most 1024 columns";
            books.out.finding(oddity(FindingCode::BadText, Severity::Warning, message, expected, "more", place));
        }
        let kind = mapping.kind_of(&cells);
        books.row(kind, self.damage(&cells), &cells, self.limits);
    }

    fn damage(&self, cells: &Cells<'_>) -> Option<Finding> {
        let (code, message, expected, found) = if cells.row.len() > self.limits.segment_bytes_max {
            let expected = format!("a row of at most {} bytes", self.limits.segment_bytes_max);
            (FindingCode::LimitReached, "the row is longer than allowed", expected, "a longer one".to_owned())
        } else if !cells.fits_header() {
            let expected = format!("{} columns as in the header", cells.columns.names.len());
            let found = format!("{} columns", cells.spans.len());
            (FindingCode::BadText, "the row has more columns than the header", expected, found)
        } else {
            return None;
        };
        let (severity, effect) = (Severity::Error, Effect::RecordSetAside);
        Some(Finding { code, severity, effect, message: message.to_owned(), expected, found, location: cells.place })
    }

    /// Everything of the sheet has been read, or as much as can be.
    fn end(&self, fault: Option<Fault>, books: &mut Books) {
        let place = Location { line: None, tag: None, ..self.place };
        if let Some(table) = self.table.as_ref().filter(|_| !self.entry.hidden) {
            books.end_sheet(table.totals().as_ref(), place);
        }
        if let Some(fault) = fault {
            books.out.finding(unreadable(&fault, place));
        }
        let out = &mut books.out;
        let mut tell = |severity, message: String, expected: &str, found: &str| {
            out.finding(oddity(FindingCode::OddEnvelope, severity, &message, expected, found, place));
        };
        match (&self.table, self.entry.hidden) {
            (Some(table), true) => {
                let message = format!("the sheet is hidden and was not read, although it looks like {:?}", table.mapping.name());
                tell(Severity::Warning, message, "sheets that people can see", "a hidden one");
            }
            (None, true) => tell(Severity::Info, "the sheet is hidden and was not read".to_owned(), "", "a hidden one"),
            (Some(table), false) if table.rows == 0 => {
                tell(Severity::Warning, "the sheet holds a header and no rows".to_owned(), "rows", "the end");
            }
            (Some(_), false) if self.hidden_rows > 0 => {
                let found = format!("{} rows", self.hidden_rows);
                tell(Severity::Info, "rows are hidden or filtered out; they were read as well".to_owned(), "", &found);
            }
            (None, false) if self.open_items => {
                let message = "the sheet is a list of open items, which is imported from CSV".to_owned();
                tell(Severity::Warning, message, "payments or advices", "open items");
            }
            (None, false) if self.seen > 0 => {
                tell(
                    Severity::Info,
                    "the sheet has no header that a mapping fits, and was not read".to_owned(),
                    "",
                    "other rows",
                );
            }
            _ => {}
        }
    }
}

/// Hands over what was read; what is wrong names its cell as spreadsheets do.
fn flush(books: &mut Books, sheet: &str, sink: &mut dyn FnMut(Record<'static>)) {
    let mut named = |mut record: Record<'static>| {
        if let Record::Finding(finding) = &mut record {
            finding.message = format!("{}: {}", address(sheet, &finding.location), finding.message);
            mask::finding(finding);
        }
        sink(record);
    };
    books.out.flush(&mut named);
}

/// `March!C7`, `'Week 12'!C7`, or the sheet alone where no cell is meant.
fn address(sheet: &str, location: &Location) -> String {
    let is_plain = !sheet.is_empty() && sheet.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let sheet = if is_plain { sheet.to_owned() } else { format!("'{}'", sheet.replace('\'', "''")) };
    match (location.cell(), location.line) {
        (Some(cell), _) => format!("{sheet}!{cell}"),
        (None, Some(line)) => format!("{sheet}!{line}:{line}"),
        (None, None) => sheet,
    }
}

fn oddity(code: FindingCode, severity: Severity, message: &str, expected: &str, found: &str, location: Location) -> Finding {
    let (message, expected, found) = (message.to_owned(), expected.to_owned(), found.to_owned());
    Finding { code, severity, effect: Effect::Noted, message, expected, found, location }
}

fn tell_header_again(place: Location, out: &mut Output<'static>) {
    let message = "the header stands here again; two lists may have been joined";
    out.finding(oddity(FindingCode::TrailingData, Severity::Warning, message, "a row", "the header", place));
}

/// Rows may be missing, so nothing of the file may go on by itself.
fn unreadable(fault: &Fault, place: Location) -> Finding {
    let (code, message) = match fault {
        Fault::TooLarge => (FindingCode::LimitReached, "the sheet unpacks to more than allowed; its end is not read".to_owned()),
        Fault::Damaged(detail) => (FindingCode::UnexpectedEnd, format!("the sheet cannot be read to its end: {detail}")),
    };
    let effect = Effect::FileHeld;
    Finding { effect, ..oddity(code, Severity::Error, &message, "a whole sheet; ask the sender to save it again", "", place) }
}

fn no_table() -> Finding {
    let message = "no sheet has a header that a mapping fits";
    let expected = "column names of a mapping; `tieout mapping suggest` drafts one";
    let finding = oddity(FindingCode::UnknownFormat, Severity::Error, message, expected, "other columns", Location::default());
    Finding { effect: Effect::FileRejected, ..finding }
}

/// A cell as text, and what the text is.
pub(in crate::delimited) type TextCell = (String, Kind);

/// The rows of a sheet under its name.
pub(in crate::delimited) type TextSheet = (String, Vec<Vec<TextCell>>);

/// The sheets that people can see, each with its name and the texts of its rows.
pub(in crate::delimited) fn tables(bytes: &[u8], limits: &Limits) -> Result<Vec<TextSheet>, String> {
    let told = |fault: Fault| match fault {
        Fault::TooLarge => "the workbook unpacks to more than allowed".to_owned(),
        Fault::Damaged(detail) => format!("the workbook cannot be read: {detail}"),
    };
    let mut container = Container::open(bytes, limits).map_err(told)?;
    let outline = Outline::read(&mut container).map_err(told)?.ok_or("the package is no workbook")?;
    let mut found = Vec::new();
    for entry in outline.sheets.iter().filter(|entry| !entry.hidden) {
        let mut rows = Vec::new();
        if let Some(part) = container.sheet(&entry.path).map_err(told)? {
            let text = |row: &SheetRow, span: &Span| (decode(&span.value(&row.text)).trim().to_owned(), span.kind);
            let mut take = |row: &SheetRow| {
                rows.push(row.spans.iter().map(|span| text(row, span)).collect());
                true
            };
            sheet::rows(part, &outline, &mut take).map_err(told)?;
        }
        found.push((entry.name.clone(), rows));
    }
    Ok(found)
}
