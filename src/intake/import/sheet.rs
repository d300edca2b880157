//! A CSV file row by row: header, delimiter, widths, doubles.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use anyhow::Context;
use csv::ByteRecord;
use sha2::{Digest, Sha256};

use super::{Fields, Importable, Mapping, Wrong};
use crate::hex;

/// Wrong values kept for one file; the rest is counted.
const WRONG_MAX: usize = 1_000;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What came out of one file.
#[derive(Clone, Debug)]
pub struct Imported<T> {
    pub rows: Vec<Row<T>>,
    /// The first thousand.
    pub wrong: Vec<Wrong>,
    /// All of them.
    pub wrong_count: u64,
    /// Rows with something wrong.
    pub rows_refused: u64,
    /// Columns of the file that nothing is read from.
    pub unused_columns: Vec<String>,
}

/// A good row and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    pub line: u64,
    pub value: T,
}

/// Reads a CSV file, and gives its SHA-256 in lower-case hex with what is in it. `progress` is told the bytes read so far.
pub fn read_file<T: Importable>(
    path: &Path,
    mapping: &Mapping,
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<(Imported<T>, String)> {
    let doing = || format!("reading {}", path.display());
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut input = BufReader::with_capacity(1 << 20, Hashing { file, hash: Sha256::new() });
    let imported = read(&path.display().to_string(), &mut input, mapping, progress).with_context(doing)?;
    // A header that fits nothing ends the reading; the hash is that of the whole file all the same.
    io::copy(&mut input, &mut io::sink()).with_context(doing)?;
    Ok((imported, hex::encode(&input.into_inner().hash.finalize())))
}

/// Hashes what is read, so that the hash is that of the very bytes the rows came from.
struct Hashing {
    file: File,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// Reads CSV text named `file`. `Err` is a failure to read bytes; whatever is wrong with them is in the answer.
pub fn read<T: Importable>(
    file: &str,
    input: &mut dyn BufRead,
    mapping: &Mapping,
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<Imported<T>> {
    skip_byte_order_mark(input)?;
    let delimiter = match mapping.delimiter {
        Some(delimiter) => delimiter,
        None => delimiter_of(input.fill_buf()?),
    };
    let mut sheet = Sheet::<T>::new(file, mapping);
    // The reader counts a line too few after CRLF unless lines end at LF; the CR then ends the last value, which is trimmed.
    let terminator = csv::Terminator::Any(if input.fill_buf()?.contains(&b'\n') { b'\n' } else { b'\r' });
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .terminator(terminator)
        .has_headers(false)
        .flexible(true)
        .from_reader(input as &mut dyn Read);
    let mut record = ByteRecord::new();
    let mut layout = None;
    let mut count: u64 = 0;
    while reader.read_byte_record(&mut record)? {
        let line = record.position().map_or(1, csv::Position::line);
        match &layout {
            None => match sheet.layout(&record, line) {
                Some(found) => layout = Some(found),
                None => return Ok(sheet.imported),
            },
            Some(layout) => {
                let lines = reader.position().line().saturating_sub(line);
                if !(lines > 1 && sheet.is_unclosed(layout, &record, line, lines)) {
                    sheet.take(layout, &record, line);
                }
            }
        }
        count += 1;
        if count.is_multiple_of(1024) {
            progress(reader.position().byte());
        }
    }
    if layout.is_none() {
        sheet.refuse(1, None, "a header line".to_owned(), "an empty file".to_owned());
    }
    progress(reader.position().byte());
    Ok(sheet.imported)
}

/// A file while it is read.
struct Sheet<'a, T> {
    file: &'a str,
    mapping: &'a Mapping,
    imported: Imported<T>,
    /// Line of the first row with a key.
    keys: HashMap<String, u64>,
}

impl<T: Importable> Sheet<'_, T> {
    /// Whether a row that goes on over lines does so because a quote in it is never closed: then what follows is taken for its text. No
    /// value of ours has a line break.
    fn is_unclosed(&mut self, layout: &Layout, record: &ByteRecord, line: u64, lines: u64) -> bool {
        let used = layout.places.iter().flatten().filter_map(|place| record.get(*place));
        let broken = used.map(<[u8]>::trim_ascii).any(|value| value.contains(&b'\n') || value.contains(&b'\r'));
        if !broken && record.len() == layout.width {
            return false;
        }
        let last = line.saturating_add(lines).saturating_sub(1);
        let found = format!("a quote that opens here and takes in all up to line {last}");
        self.refuse(line, None, "a closing quote in the same line".to_owned(), found);
        self.imported.rows_refused += lines;
        true
    }
}

/// Where each of our columns stands in the file.
struct Layout {
    places: Vec<Option<usize>>,
    width: usize,
}

impl<'a, T: Importable> Sheet<'a, T> {
    fn new(file: &'a str, mapping: &'a Mapping) -> Self {
        let imported =
            Imported { rows: Vec::new(), wrong: Vec::new(), wrong_count: 0, rows_refused: 0, unused_columns: Vec::new() };
        Self { file, mapping, imported, keys: HashMap::new() }
    }

    /// Finds our columns in the header; `None` when one is missing, which is refused.
    fn layout(&mut self, header: &ByteRecord, line: u64) -> Option<Layout> {
        let headers: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let mut places = Vec::new();
        let mut complete = true;
        for column in T::COLUMNS {
            let wanted = self.mapping.header(column.name);
            let mut found = headers.iter().enumerate().filter(|(_, name)| same(name, wanted)).map(|(at, _)| at);
            let place = found.next();
            if found.next().is_some() {
                self.refuse(line, Some(wanted), "one column of this name".to_owned(), "two".to_owned());
                complete = false;
            }
            let mapped = wanted != column.name;
            if place.is_none() && (column.required || mapped) && self.mapping.value(column.name).is_none() {
                let found = format!("the columns {}", headers.join(", "));
                self.refuse(line, Some(wanted), "this column; name yours in a mapping file".to_owned(), found);
                complete = false;
            }
            places.push(place);
        }
        let unused = headers.iter().enumerate().filter(|(at, _)| !places.contains(&Some(*at)));
        self.imported.unused_columns = unused.map(|(_, name)| name.clone()).collect();
        complete.then_some(Layout { places, width: headers.len() })
    }

    fn take(&mut self, layout: &Layout, record: &ByteRecord, line: u64) {
        // A last line of blanks is no row.
        if record.len() <= 1 && record.iter().all(|value| value.trim_ascii().is_empty()) {
            return;
        }
        let before = self.imported.wrong_count;
        if record.len() != layout.width {
            self.refuse(line, None, format!("{} values as in the header", layout.width), format!("{} values", record.len()));
        } else if let Some(values) = self.values(layout, record, line) {
            self.take_values(values, line);
        }
        if self.imported.wrong_count > before {
            self.imported.rows_refused += 1;
        }
    }

    fn values(&mut self, layout: &Layout, record: &ByteRecord, line: u64) -> Option<Vec<Option<String>>> {
        let mut values = Vec::with_capacity(layout.places.len());
        for (column, place) in T::COLUMNS.iter().zip(&layout.places) {
            match place.and_then(|at| record.get(at)).map(std::str::from_utf8) {
                None => values.push(None),
                Some(Ok(text)) => values.push(Some(text.to_owned())),
                Some(Err(_)) => {
                    let header = self.mapping.header(column.name).to_owned();
                    self.refuse(
                        line,
                        Some(&header),
                        "UTF-8; export the file as UTF-8".to_owned(),
                        "bytes that are not".to_owned(),
                    );
                    return None;
                }
            }
        }
        Some(values)
    }

    fn take_values(&mut self, values: Vec<Option<String>>, line: u64) {
        let mut fields = Fields { file: self.file, line, mapping: self.mapping, columns: T::COLUMNS, values, wrong: Vec::new() };
        let row = T::read(&mut fields);
        let wrong = std::mem::take(&mut fields.wrong);
        assert!(row.is_some() || !wrong.is_empty(), "a row is refused for a reason that is named");
        if !wrong.is_empty() {
            wrong.into_iter().for_each(|wrong| self.keep(wrong));
            return;
        }
        let Some(value) = row else { return };
        let key = value.key();
        match self.keys.entry(key.identity) {
            Entry::Vacant(entry) => {
                entry.insert(line);
                self.imported.rows.push(Row { line, value });
            }
            Entry::Occupied(entry) => {
                let expected = format!("each only once; {} stands on line {}", key.shown, entry.get());
                let header = self.mapping.header(key.column).to_owned();
                self.refuse(line, Some(&header), expected, format!("{} again", key.shown));
            }
        }
    }

    fn refuse(&mut self, line: u64, column: Option<&str>, expected: String, found: String) {
        let column = column.map(str::to_owned);
        self.keep(Wrong { file: self.file.to_owned(), line, column, expected, found });
    }

    fn keep(&mut self, wrong: Wrong) {
        self.imported.wrong_count += 1;
        if self.imported.wrong.len() < WRONG_MAX {
            self.imported.wrong.push(wrong);
        }
    }
}

fn skip_byte_order_mark(input: &mut dyn BufRead) -> std::io::Result<()> {
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    Ok(())
}

/// The delimiter that stands most often in the first line.
fn delimiter_of(start: &[u8]) -> u8 {
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // The comma comes last, because the last of equals wins.
    DELIMITERS.iter().rev().copied().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
