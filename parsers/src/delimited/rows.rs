//! Rows and cells: where a row ends, and where its cells stand. Quoted cells may hold delimiters and line breaks.
//!
//! A quote that is never closed must not swallow the rest of the file: such a row ends at its line break, and is told as broken.

use std::borrow::Cow;

/// One cell; positions count from the first byte of its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
    pub kind: Kind,
}

/// What the text of a cell is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text as it stands, to be read as the mapping says.
    #[default]
    Plain,
    /// The same, with quotes that stand twice.
    Doubled,
    /// A number of a spreadsheet: digits with a decimal point, whatever the mapping says.
    Number,
    /// A day of a spreadsheet, year first.
    Day,
}

impl Span {
    pub fn new(start: usize, end: usize, kind: Kind) -> Self {
        Self { start, end, kind }
    }

    pub fn at(self) -> usize {
        self.start
    }

    /// The bytes of the cell without its quotes.
    pub fn value(self, row: &[u8]) -> Cow<'_, [u8]> {
        let bytes = row.get(self.start..self.end).unwrap_or_default();
        if self.kind != Kind::Doubled {
            return Cow::Borrowed(bytes);
        }
        let mut plain = Vec::with_capacity(bytes.len());
        let mut quote_before = false;
        for byte in bytes {
            quote_before = *byte == b'"' && !quote_before;
            if !quote_before || *byte != b'"' {
                plain.push(*byte);
            }
        }
        Cow::Owned(plain)
    }
}

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Behind its last byte, without the line end.
    pub end: usize,
    /// First byte of the next row.
    pub next: usize,
    /// A quote in it is not closed, or closed in the middle of a text; its cells cannot be told apart.
    pub broken: bool,
}

/// What looking for a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Row(Row),
    /// The bytes end within the row.
    NeedsBytes,
    /// No end within the bytes allowed.
    TooLong,
}

/// Looks for the row that begins at the first byte and fills `spans` with its cells.
///
/// `last` says that nothing follows the bytes. `multi_line` allows line breaks inside quotes. What is found depends on the row alone and
/// never on how many bytes follow it.
pub(super) fn read(bytes: &[u8], last: bool, how: How, spans: &mut Vec<Span>) -> Found {
    let How { delimiter, multi_line, bytes_max } = how;
    let cut = bytes.len() > bytes_max;
    let mut reach = if cut { bytes.get(..bytes_max).unwrap_or(bytes) } else { bytes };
    let mut ends = last || cut;
    if !multi_line && let Some(end) = memchr::memchr2(b'\n', b'\r', reach) {
        // No row goes on behind its line, so that a quote left open is not looked for in all that follows.
        ends |= end.saturating_add(1) < bytes.len() || bytes.get(end) == Some(&b'\n');
        reach = reach.get(..after_line_end(reach, end)).unwrap_or(reach);
    }
    match split(reach, ends, delimiter, multi_line, spans) {
        Split::Row(end) if cut && end >= bytes_max => Found::TooLong,
        Split::Row(end) => Found::Row(Row { end, next: after_line_end(bytes, end), broken: false }),
        Split::NeedsBytes => Found::NeedsBytes,
        Split::Broken => match memchr::memchr2(b'\n', b'\r', reach) {
            None if cut => Found::TooLong,
            end => {
                let end = end.unwrap_or(reach.len());
                bare_cells(reach.get(..end).unwrap_or_default(), delimiter, spans);
                Found::Row(Row { end, next: after_line_end(bytes, end), broken: true })
            }
        },
    }
}

/// How rows are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub delimiter: u8,
    pub multi_line: bool,
    pub bytes_max: usize,
}

/// The cells of a line as if quotes meant nothing.
fn bare_cells(line: &[u8], delimiter: u8, spans: &mut Vec<Span>) {
    spans.clear();
    let mut start = 0;
    for end in memchr::memchr_iter(delimiter, line).chain([line.len()]) {
        spans.push(Span::new(start, end, Kind::Plain));
        start = end.saturating_add(1);
    }
}

enum Split {
    /// Where the row ends, without its line end.
    Row(usize),
    NeedsBytes,
    Broken,
}

fn split(bytes: &[u8], last: bool, delimiter: u8, multi_line: bool, spans: &mut Vec<Span>) -> Split {
    spans.clear();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (span, end) = if rest.first() == Some(&b'"') {
            match quoted(bytes, at, delimiter, multi_line) {
                Quoted::Cell(span, end) => (span, end),
                Quoted::Open if last => return Split::Broken,
                Quoted::Open => return Split::NeedsBytes,
                Quoted::Broken => return Split::Broken,
                Quoted::Bare => bare(bytes, at, delimiter),
            }
        } else {
            bare(bytes, at, delimiter)
        };
        spans.push(span);
        match bytes.get(end) {
            Some(byte) if *byte == delimiter => at = end.saturating_add(1),
            // A carriage return at the end of the bytes may be half of a line end.
            Some(b'\r') if end.saturating_add(1) == bytes.len() && !last => return Split::NeedsBytes,
            Some(_) => return Split::Row(end),
            None if last => return Split::Row(end),
            None => return Split::NeedsBytes,
        }
    }
}

/// A cell without quotes around it: up to the next delimiter or line end.
fn bare(bytes: &[u8], at: usize, delimiter: u8) -> (Span, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = memchr::memchr3(delimiter, b'\n', b'\r', rest).map_or(bytes.len(), |length| at.saturating_add(length));
    (Span::new(at, end, Kind::Plain), end)
}

enum Quoted {
    /// The cell, and where the delimiter or line end behind it stands.
    Cell(Span, usize),
    /// The closing quote is not in the bytes.
    Open,
    /// It closes in the middle of a text, lines later: the opening quote was no opening quote.
    Broken,
    /// The same on one line: the quotes are part of the text.
    Bare,
}

fn quoted(bytes: &[u8], at: usize, delimiter: u8, multi_line: bool) -> Quoted {
    let start = at.saturating_add(1);
    let mut from = start;
    let mut kind = Kind::Plain;
    loop {
        let Some(length) = memchr::memchr(b'"', bytes.get(from..).unwrap_or_default()) else {
            let several = memchr::memchr2(b'\n', b'\r', bytes.get(start..).unwrap_or_default()).is_some();
            return if several && !multi_line { Quoted::Broken } else { Quoted::Open };
        };
        let close = from.saturating_add(length);
        let after = close.saturating_add(1);
        match bytes.get(after) {
            Some(b'"') => {
                kind = Kind::Doubled;
                from = after.saturating_add(1);
                continue;
            }
            None => return closed_at_end(bytes, start, close, kind, multi_line),
            Some(_) => {}
        }
        let several = memchr::memchr2(b'\n', b'\r', bytes.get(start..close).unwrap_or_default()).is_some();
        if several && !multi_line {
            return Quoted::Broken;
        }
        let blanks = bytes.get(after..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count();
        let end = after.saturating_add(blanks);
        return match bytes.get(end) {
            Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => Quoted::Cell(Span::new(start, close, kind), end),
            None => Quoted::Cell(Span::new(start, close, kind), end),
            Some(_) if several => Quoted::Broken,
            Some(_) => Quoted::Bare,
        };
    }
}

/// The closing quote is the last byte there is: perhaps the first half of a doubled one.
fn closed_at_end(bytes: &[u8], start: usize, close: usize, kind: Kind, multi_line: bool) -> Quoted {
    let several = memchr::memchr2(b'\n', b'\r', bytes.get(start..close).unwrap_or_default()).is_some();
    if several && !multi_line {
        return Quoted::Broken;
    }
    Quoted::Cell(Span::new(start, close, kind), bytes.len())
}

/// Behind a line end: LF, CR LF or CR alone.
pub(super) fn after_line_end(bytes: &[u8], end: usize) -> usize {
    let length = match bytes.get(end..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([_, ..]) => 1,
        _ => 0,
    };
    end.saturating_add(length)
}

/// Line ends in some bytes.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let alone = memchr::memchr_iter(b'\r', bytes).filter(|at| bytes.get(at.saturating_add(1)) != Some(&b'\n')).count();
    feeds.saturating_add(alone) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: How = How { delimiter: b',', multi_line: true, bytes_max: 1000 };

    fn check(text: &str, cells: &[&str], rest: &str, broken: bool) {
        let mut spans = Vec::new();
        let Found::Row(row) = read(text.as_bytes(), true, HOW, &mut spans) else { panic!("{text:?} is no row") };
        let found: Vec<String> =
            spans.iter().map(|span| String::from_utf8_lossy(&span.value(text.as_bytes())).into_owned()).collect();
        assert_eq!(found, cells, "{text:?}");
        assert_eq!(text.get(row.next..), Some(rest), "{text:?}");
        assert_eq!(row.broken, broken, "{text:?}");
    }

    #[test]
    fn rows_end_where_they_should() {
        check("a,b\nc", &["a", "b"], "c", false);
        check("a,b\r\nc", &["a", "b"], "c", false);
        check("a,b\rc", &["a", "b"], "c", false);
        check(",\n", &["", ""], "", false);
        check("a", &["a"], "", false);
        check("\"a,b\",c\nd", &["a,b", "c"], "d", false);
        check("\"a\nb\",c\nd", &["a\nb", "c"], "d", false);
        check("\"say \"\"yes\"\"\",\"\"\n", &["say \"yes\"", ""], "", false);
        check("\"\"\"\",x", &["\"", "x"], "", false);
        check("\"a\" ,b", &["a", "b"], "", false);
        check("12\" pipe,b\n", &["12\" pipe", "b"], "", false);
        check("\"Acme\" Corp,b\n", &["\"Acme\" Corp", "b"], "", false);
        // Quotes that are never closed, or only by the opening quote of a later row.
        check("x,\"a,b\nc,d", &["x", "\"a", "b"], "c,d", true);
        check("x,\"a\ny,\"B, C\",z\n", &["x", "\"a"], "y,\"B, C\",z\n", true);
    }

    #[test]
    fn a_row_waits_for_its_end() {
        let mut spans = Vec::new();
        for text in ["a,b", "a,b\r", "\"a\nb", "\"a\"", ""] {
            assert_eq!(read(text.as_bytes(), false, HOW, &mut spans), Found::NeedsBytes, "{text:?}");
        }
        assert_eq!(read(b"aaaaaaaaaa\n", false, How { bytes_max: 5, ..HOW }, &mut spans), Found::TooLong);
        let one_line = How { multi_line: false, ..HOW };
        assert_eq!(read(b"\"\n", true, one_line, &mut spans), Found::Row(Row { end: 1, next: 2, broken: true }));
        assert_eq!(read(b"a\r", false, one_line, &mut spans), Found::NeedsBytes);
    }
}
