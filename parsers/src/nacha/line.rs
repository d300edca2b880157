//! Physical records: lines of 94 columns, whatever ends them, or blocks of 94 bytes that nothing ends.
//!
//! A line may be shorter (blanks lost in transit) or longer (blanks added); columns count in characters where a line is UTF-8 whose
//! bytes are more than its columns. Nothing is copied.

use crate::{
    Effect, Finding, FindingCode, Location, Severity, Tag, Text, near,
    utf8::Utf8,
    x12::{
        segment::{decode, shown},
        value::eight_digits,
    },
};

use super::layout::Field;

/// Columns of a record.
pub(super) const COLUMNS: usize = 94;
/// A line this long holds several records.
const SEVERAL: usize = COLUMNS.saturating_mul(2);
/// A line at least this long whose column 95 begins a record holds two, the second without its trailing blanks.
const NEARLY_TWO: usize = 140;

/// How the bytes at the start of `rest` are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// More bytes are needed to decide.
    NeedsBytes,
    /// A line and what ends it.
    Line {
        /// Bytes before the line end.
        length: usize,
        /// Bytes of the line end: 0 where the file or a block ends.
        ending: usize,
    },
}

/// Cuts off the first record. The decision never looks further than [`SEVERAL`] bytes and one, however the file is chunked.
pub(super) fn cut(rest: &[u8], last: bool) -> Cut {
    let head = rest.get(..SEVERAL).unwrap_or(rest);
    let second = || matches!(rest.get(COLUMNS), Some(b'1' | b'5'..=b'9'));
    match memchr::memchr2(b'\n', b'\r', head) {
        Some(at) if at >= NEARLY_TWO && second() => Cut::Line { length: COLUMNS, ending: 0 },
        Some(at) => match (rest.get(at), rest.get(at.wrapping_add(1))) {
            (Some(b'\r'), None) if !last => Cut::NeedsBytes,
            (Some(b'\r'), Some(b'\n')) => Cut::Line { length: at, ending: 2 },
            _ => Cut::Line { length: at, ending: 1 },
        },
        None if rest.len() >= SEVERAL => Cut::Line { length: COLUMNS, ending: 0 },
        None if !last => Cut::NeedsBytes,
        None if rest.len() >= NEARLY_TWO && second() => Cut::Line { length: COLUMNS, ending: 0 },
        None => Cut::Line { length: rest.len(), ending: 0 },
    }
}

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Ascii,
    /// ASCII with control characters.
    Control,
    /// UTF-8 beyond ASCII with one byte per column.
    Utf8,
    /// UTF-8 beyond ASCII whose columns are characters.
    Wide,
    /// Neither; read as Windows-1252.
    Other,
}

impl Letters {
    fn of(bytes: &[u8]) -> Self {
        if near::is_plain(bytes) {
            Self::Ascii
        } else if bytes.is_ascii() {
            Self::Control
        } else if std::str::from_utf8(bytes).is_err() {
            Self::Other
        } else if bytes.len() == COLUMNS {
            Self::Utf8
        } else {
            Self::Wide
        }
    }
}

/// Where a record stands in the window, for as long as its entry is in hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub start: usize,
    pub length: usize,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1.
    pub ordinal: u32,
    letters: Letters,
}

impl Span {
    pub fn new(window: &[u8], start: usize, length: usize, line: u64, ordinal: u32) -> Self {
        let bytes = window.get(start..start.saturating_add(length)).unwrap_or_default();
        Self { start, length, line, ordinal, letters: Letters::of(bytes) }
    }

    /// The same record in a window that begins `bytes` later; nothing when it begins behind the record's first byte.
    pub fn moved_back(self, bytes: usize) -> Option<Self> {
        self.start.checked_sub(bytes).map(|start| Self { start, ..self })
    }

    /// The record itself; `base` is the file offset of the window.
    #[inline]
    pub fn line<'w>(&self, window: &'w [u8], base: u64) -> Line<'w> {
        Line {
            bytes: window.get(self.start..self.start.saturating_add(self.length)).unwrap_or_default(),
            byte: base.saturating_add(self.start as u64),
            line: self.line,
            ordinal: self.ordinal,
            letters: self.letters,
            text: None,
        }
    }

    /// The same, ready to give many texts.
    #[inline]
    pub fn line_of_texts<'w>(&self, window: &mut Utf8<'w>, base: u64) -> Line<'w> {
        let plain = self.letters == Letters::Ascii;
        let text = if plain { window.slice(self.start, self.start.saturating_add(self.length)) } else { None };
        Line { text, ..self.line(window.bytes(), base) }
    }
}

/// One record as its reader sees it: fields by column, with findings that name the exact place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'w> {
    pub bytes: &'w [u8],
    /// File offset.
    pub byte: u64,
    line: u64,
    ordinal: u32,
    pub letters: Letters,
    /// The record as text, where many of its fields are wanted and each letter is one byte.
    text: Option<&'w str>,
}

impl<'w> Line<'w> {
    /// The record type code.
    pub fn kind(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(b' ')
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        match self.letters {
            Letters::Wide => decode(self.bytes).chars().count(),
            _ => self.bytes.len(),
        }
    }

    /// A field as it stands; shorter or empty where the line is.
    #[inline]
    pub fn raw(&self, field: &Field) -> &'w [u8] {
        let (from, to) = match self.letters {
            Letters::Wide => (self.offset(field.from), self.offset(field.to.saturating_add(1))),
            _ => (field.from.wrapping_sub(1), field.to.min(self.bytes.len())),
        };
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// Byte offset of a column of a line whose columns are characters.
    #[cold]
    fn offset(&self, column: usize) -> usize {
        let text = std::str::from_utf8(self.bytes).unwrap_or_default();
        text.char_indices().nth(column.saturating_sub(1)).map_or(self.bytes.len(), |(at, _)| at)
    }

    /// A field without the blanks around it.
    #[inline]
    pub fn value(&self, field: &Field) -> &'w [u8] {
        self.raw(field).trim_ascii()
    }

    /// A field as text without the blanks around it; nothing when blank.
    #[inline]
    pub fn text(&self, field: &Field) -> Option<Text<'w>> {
        let Some(text) = self.text else { return self.text_decoded(field) };
        // A record of plain letters has no blanks but spaces, and those stand at the end of most fields.
        let (from, to) = (field.from.wrapping_sub(1), field.to.min(text.len()));
        let kept = near::without_trailing_blanks(text.as_bytes().get(from..to)?).len();
        near::trimmed(text.get(from..from.wrapping_add(kept))?).map(Text::Borrowed)
    }

    /// So many bytes of a field from a position in it on, as text; nothing where they are not all there or no text by themselves.
    #[inline]
    pub fn stretch(&self, field: &Field, from: usize, length: usize) -> Option<&'w str> {
        let to = from.checked_add(length)?;
        match self.text {
            Some(text) => {
                let before = field.from.wrapping_sub(1);
                let to = before.checked_add(to).filter(|to| *to <= field.to)?;
                text.get(before.wrapping_add(from)..to)
            }
            None => std::str::from_utf8(self.raw(field).get(from..to)?).ok(),
        }
    }

    #[inline(never)]
    fn text_decoded(&self, field: &Field) -> Option<Text<'w>> {
        let value = self.value(field);
        (!value.is_empty()).then(|| decode(value))
    }

    /// A field of digits only, all its columns used.
    #[inline]
    pub fn number(&self, field: &Field) -> Option<u64> {
        let digits = self.raw(field);
        let width = field.to.wrapping_sub(field.from).wrapping_add(1);
        if digits.len() == width { number(digits) } else { None }
    }

    /// Where the record begins.
    pub fn location(&self) -> Location {
        let tag = match self.bytes {
            [b'7', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => Tag::new(&[b'7', *a, *b]),
            _ => Tag::new(&[self.kind()]),
        };
        Location { byte: self.byte, line: Some(self.line), segment: Some(self.ordinal), tag: Some(tag), ..Location::default() }
    }

    /// Where a field begins.
    pub fn location_of(&self, field: &Field) -> Location {
        let offset = match self.letters {
            Letters::Wide => self.offset(field.from),
            _ => field.from.wrapping_sub(1).min(self.bytes.len()),
        };
        Location { byte: self.byte.saturating_add(offset as u64), element: Some(field.number), ..self.location() }
    }

    /// Where a part of a field begins, `offset` bytes or, by `columns`, letters behind its first column.
    pub fn location_within(&self, field: &Field, offset: usize, columns: bool) -> Location {
        let first = match self.letters {
            Letters::Wide => self.offset(field.from),
            _ => field.from.wrapping_sub(1),
        };
        let behind = match self.letters {
            Letters::Wide if columns => self.offset(field.from.saturating_add(offset)),
            _ => first.saturating_add(offset),
        };
        let byte = self.byte.saturating_add(behind.min(self.bytes.len()) as u64);
        Location { byte, element: Some(field.number), ..self.location() }
    }

    /// A finding about a field as it stands. What sets something aside or holds the file is an error, what is only noted a warning.
    pub fn finding(&self, field: &Field, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        Finding {
            code,
            severity: severity(effect),
            effect,
            message,
            expected: expected.to_owned(),
            found: shown(self.raw(field)),
            location: self.location_of(field),
        }
    }

    /// A finding about the record as a whole. It shows the record type and no more: records hold account numbers.
    pub fn finding_here(&self, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        Finding {
            code,
            severity: severity(effect),
            effect,
            message,
            expected: expected.to_owned(),
            found: shown(self.bytes.get(..3).unwrap_or(self.bytes)),
            location: self.location(),
        }
    }
}

fn severity(effect: Effect) -> Severity {
    if effect == Effect::Noted { Severity::Warning } else { Severity::Error }
}

/// A number of digits only.
#[inline]
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    /// What eight digits are divided by to leave the first of them, by how many those are.
    const REST: [u64; 9] = [100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let (Some(first), Some(last)) = (digits.first_chunk::<8>(), digits.last_chunk::<8>()) else { return short_number(digits) };
    let Some(rest) = REST.get(digits.len().wrapping_sub(8)) else { return short_number(digits) };
    // Up to sixteen digits are two overlapping eights.
    let (first, last) = (u64::from(eight_digits(*first)?), u64::from(eight_digits(*last)?));
    first.checked_div(*rest)?.checked_mul(100_000_000)?.checked_add(last)
}

#[inline]
fn short_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// Whether a line holds nothing: blanks, and what systems leave at the end of a file.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | 0x1a | 0))
}

/// Whether a record fills the rest of a block.
pub(super) fn is_filler(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    !line.is_empty() && line.iter().all(|byte| *byte == b'9')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_like() {
        let record = "6".repeat(94);
        for (text, last, expected) in [
            (format!("{record}\n"), false, Cut::Line { length: 94, ending: 1 }),
            (format!("{record}\r\n"), false, Cut::Line { length: 94, ending: 2 }),
            (format!("{record}\r"), false, Cut::NeedsBytes),
            (format!("{record}\r"), true, Cut::Line { length: 94, ending: 1 }),
            (format!("{record}\r5"), false, Cut::Line { length: 94, ending: 1 }),
            (record.clone(), false, Cut::NeedsBytes),
            (record.clone(), true, Cut::Line { length: 94, ending: 0 }),
            (record.repeat(2), false, Cut::Line { length: 94, ending: 0 }),
            (format!("{record}{}\n", "9".repeat(55)), false, Cut::Line { length: 94, ending: 0 }),
            (format!("{record}  \n"), false, Cut::Line { length: 96, ending: 1 }),
            ("short\n".to_owned(), false, Cut::Line { length: 5, ending: 1 }),
        ] {
            assert_eq!(cut(text.as_bytes(), last), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_of_every_length_are_read() {
        let digits = "90817263548291736450";
        for length in 1..=18 {
            for from in 0..=2 {
                let text = &digits[from..from + length];
                assert_eq!(number(text.as_bytes()), text.parse().ok(), "{text}");
                for at in 0..length {
                    let mut damaged = text.as_bytes().to_vec();
                    damaged[at] = b' ';
                    assert_eq!(number(&damaged), None, "{text} {at}");
                }
            }
        }
        assert_eq!(number(b""), None);
    }

    #[test]
    fn columns_are_characters_where_bytes_are_more() {
        let field = Field { name: "x", number: 2, from: 3, to: 4 };
        for (text, expected) in [("abcd", "cd"), ("abc", "c"), ("äbcd", "cd"), ("a", "")] {
            let span = Span::new(text.as_bytes(), 0, text.len(), 1, 1);
            let line = span.line(text.as_bytes(), 0);
            assert_eq!(line.raw(&field), expected.as_bytes(), "{text}");
        }
    }
}
