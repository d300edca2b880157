//! The file as a table of texts, whatever it is written in: its header row, and the rows below.

use super::{
    super::{
        header::{PREAMBLE_MAX, plain},
        rows::{self, Found, How, Kind, Span},
        workbook,
    },
    DraftError,
    columns::words,
};
use crate::{Limits, x12::segment::decode};

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub text: String,
    pub kind: Kind,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// In what it is written, for people: `semicolons, Windows-1252`.
    pub written: String,
    pub header: Vec<String>,
    /// Row of the header, counted from 1.
    pub header_row: usize,
    pub rows: Vec<Vec<Cell>>,
}

const DELIMITERS: [(u8, &str); 4] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "bars")];

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Table, DraftError> {
    if bytes.len() > limits.workbook_bytes_max {
        let most = limits.workbook_bytes_max;
        return Err(DraftError::NoTable(format!("the file has more than {most} bytes; a part of it with its header is enough")));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let sheets = workbook::tables(bytes, limits).map_err(DraftError::NoTable)?;
        let cells = |row: Vec<_>| row.into_iter().map(|(text, kind)| Cell { text, kind }).collect();
        let tables = sheets
            .into_iter()
            .filter_map(|(name, rows)| below_header(rows.into_iter().map(cells).collect(), format!("workbook, sheet {name:?}")));
        return best(tables.collect());
    }
    let encoding = if std::str::from_utf8(bytes).is_ok() { "UTF-8" } else { "Windows-1252" };
    let tables = DELIMITERS
        .into_iter()
        .filter_map(|(delimiter, name)| below_header(split(bytes, delimiter), format!("CSV with {name}, {encoding}")));
    best(tables.collect())
}

/// The table whose header says most, then the one with most columns.
fn best(tables: Vec<Table>) -> Result<Table, DraftError> {
    let known = |table: &Table| table.header.iter().filter(|name| words().knows(&plain(name))).count();
    tables
        .into_iter()
        .rev()
        .max_by_key(|table| (known(table), table.header.len()))
        .ok_or_else(|| DraftError::NoTable("no row of two or more column names with rows of values below was found".to_owned()))
}

fn split(bytes: &[u8], delimiter: u8) -> Vec<Vec<Cell>> {
    let (mut table, mut spans) = (Vec::new(), Vec::<Span>::new());
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut multi_line = true;
    while !rest.is_empty() {
        let how = How { delimiter, multi_line, bytes_max: usize::MAX };
        let Found::Row(row) = rows::read(rest, true, how, &mut spans) else { break };
        multi_line &= !row.broken;
        let text = |span: &Span| Cell { text: decode(&span.value(rest)).trim().to_owned(), kind: Kind::Plain };
        // A row whose cells cannot be told apart shows nothing.
        table.push(if row.broken { Vec::new() } else { spans.iter().map(text).collect() });
        rest = rest.get(row.next..).unwrap_or_default();
    }
    table
}

/// The header is the row with most known names among the first; without any, the first one that holds words above values.
fn below_header(rows: Vec<Vec<Cell>>, written: String) -> Option<Table> {
    let is_words = |row: &[Cell]| {
        let filled = row.iter().filter(|cell| !cell.text.is_empty());
        filled.clone().count() >= 2
            && filled.clone().all(|cell| cell.kind == Kind::Plain && !cell.text.starts_with(|c: char| c.is_ascii_digit()))
    };
    let known = |row: &[Cell]| row.iter().filter(|cell| words().knows(&plain(&cell.text))).count();
    let first = rows.iter().enumerate().filter(|(_, row)| row.iter().any(|cell| !cell.text.is_empty())).take(PREAMBLE_MAX);
    let candidates: Vec<_> = first.filter(|(_, row)| is_words(row)).collect();
    // Of equals the first.
    let (index, header) = candidates.into_iter().rev().max_by_key(|(_, row)| known(row))?;
    let header: Vec<String> = header.iter().map(|cell| cell.text.clone()).collect();
    let rows: Vec<_> = rows.iter().skip(index.saturating_add(1)).filter(|row| row.len() > 1).cloned().collect();
    (!rows.is_empty()).then(|| Table { written, header, header_row: index.saturating_add(1), rows })
}
