//! One logical record: a physical record and the 88s that continue it, read field by field.
//!
//! A `/` that is last on its line ends a physical record. What stands before it is data, slashes included.

use crate::{
    Effect, Finding, FindingCode, Location, Severity, Tag, Text,
    utf8::Utf8,
    x12::{segment::decode, segment::shown},
};

/// One physical record of the logical record; positions count in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// First byte behind the record code and its comma.
    pub start: usize,
    /// Behind the last byte of data, before the end mark.
    pub end: usize,
    /// Line in the file, counted from 1.
    pub line: u64,
    /// A `/` ended it.
    pub marked: bool,
    /// It has no record code and was taken as more text.
    pub foreign: bool,
}

/// Position, line and ordinal of a logical record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// Record code.
    pub code: [u8; 2],
    /// First byte of the code in the window.
    pub start: usize,
    /// Line in the file.
    pub line: u64,
    /// Ordinal among the physical records of the file.
    pub ordinal: u32,
}

/// A complete logical record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'w, 's> {
    window: &'w [u8],
    /// The record as text, when all of it is UTF-8.
    text: Option<&'w str>,
    /// File offset of the window.
    base: u64,
    pub head: Head,
    pub pieces: &'s [Piece],
}

/// One field; positions count from the record code. It is kept small, because every transaction carries several.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    start: u32,
    end: u32,
    /// Index of the piece it stands in.
    piece: u32,
    /// Number of the field, where the record code is 1.
    number: u16,
    /// It is the last of its piece.
    pub last: bool,
}

impl<'w, 's> Record<'w, 's> {
    pub fn new(window: &mut Utf8<'w>, base: u64, head: Head, pieces: &'s [Piece]) -> Self {
        let end = pieces.last().map_or(head.start, |piece| piece.end);
        Self { text: window.slice(head.start, end), window: window.bytes(), base, head, pieces }
    }

    /// Where the record begins.
    #[inline]
    pub fn location(&self) -> Location {
        Location {
            byte: self.base.wrapping_add(self.head.start as u64),
            line: Some(self.head.line),
            segment: Some(self.head.ordinal),
            tag: Some(Tag::new(&self.head.code)),
            ..Location::default()
        }
    }

    /// Where a position of piece `piece` is.
    pub fn location_at(&self, position: usize, piece: usize) -> Location {
        let line = self.pieces.get(piece).map_or(self.head.line, |piece| piece.line);
        let byte = self.base.wrapping_add(position as u64);
        let ordinal = self.head.ordinal.wrapping_add(u32::try_from(piece).unwrap_or(u32::MAX));
        Location { byte, line: Some(line), segment: Some(ordinal), ..self.location() }
    }

    /// Where a field begins.
    pub fn location_of(&self, field: Field) -> Location {
        let position = self.head.start.saturating_add(field.start as usize);
        Location { element: Some(field.number), ..self.location_at(position, field.piece as usize) }
    }

    /// The data of a field without blanks around it.
    #[inline]
    pub fn value(&self, field: Field) -> &'w [u8] {
        let (start, end) = self.bounds(field);
        let bytes = self.window.get(start..end).unwrap_or_default();
        match bytes {
            [b' ', ..] | [.., b' '] => bytes.trim_ascii(),
            _ => bytes,
        }
    }

    /// Begin and end of a field in the window.
    #[inline]
    fn bounds(&self, field: Field) -> (usize, usize) {
        let at = |position: u32| self.head.start.saturating_add(position as usize);
        (at(field.start), at(field.end))
    }

    /// A stretch of the record as text without blanks around it; nothing when blank.
    #[inline]
    pub fn text(&self, start: usize, end: usize) -> Option<Text<'w>> {
        let whole = match self.text {
            Some(text) => text.get(start.wrapping_sub(self.head.start)..end.wrapping_sub(self.head.start))?.trim_ascii(),
            None => return self.text_decoded(start, end),
        };
        (!whole.is_empty()).then_some(Text::Borrowed(whole))
    }

    /// A stretch of the record as it stands; nothing when it is not UTF-8.
    #[inline]
    pub fn stretch(&self, start: usize, end: usize) -> Option<&'w str> {
        match self.text {
            Some(text) => text.get(start.checked_sub(self.head.start)?..end.checked_sub(self.head.start)?),
            None => std::str::from_utf8(self.bytes(start, end)).ok(),
        }
    }

    #[cold]
    fn text_decoded(&self, start: usize, end: usize) -> Option<Text<'w>> {
        let text = decode(self.window.get(start..end)?.trim_ascii());
        (!text.is_empty()).then_some(text)
    }

    /// A field as text.
    #[inline]
    pub fn field_text(&self, field: Field) -> Option<Text<'w>> {
        let (start, end) = self.bounds(field);
        self.text(start, end)
    }

    /// The bytes of a piece without blanks around them.
    pub fn piece_bytes(&self, piece: &Piece) -> &'w [u8] {
        self.window.get(piece.start..piece.end).unwrap_or_default().trim_ascii()
    }

    /// How many blanks a stretch of the record begins with.
    pub fn leading_blanks(&self, start: usize, end: usize) -> usize {
        let bytes = self.window.get(start..end).unwrap_or_default();
        bytes.len().wrapping_sub(bytes.trim_ascii_start().len())
    }

    /// The bytes of a stretch of the record.
    pub fn bytes(&self, start: usize, end: usize) -> &'w [u8] {
        self.window.get(start..end).unwrap_or_default()
    }

    /// A finding about a field.
    pub fn finding(&self, field: Field, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        let severity = if effect == Effect::Noted { Severity::Warning } else { Severity::Error };
        let found = shown(self.value(field));
        Finding { code, severity, effect, message, expected: expected.to_owned(), found, location: self.location_of(field) }
    }

    /// A finding when the record is not UTF-8.
    pub fn not_utf8(&self) -> Option<Finding> {
        if self.text.is_some() {
            return None;
        }
        let end = self.pieces.last().map_or(self.head.start, |piece| piece.end);
        let bytes = self.window.get(self.head.start..end).unwrap_or_default();
        let at = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let position = self.head.start.saturating_add(at);
        let piece = self.pieces.partition_point(|piece| piece.start <= position).saturating_sub(1);
        Some(Finding {
            code: FindingCode::NotUtf8,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "the text is not UTF-8 and was read as Windows-1252".to_owned(),
            expected: "UTF-8 text".to_owned(),
            found: shown(bytes.get(at..at.saturating_add(1)).unwrap_or_default()),
            location: self.location_at(position, piece),
        })
    }

    /// The fields behind the record code, one after the other, across all pieces.
    pub fn fields(&self) -> Fields<'w, 's> {
        let start = self.pieces.first().map_or(0, |piece| piece.start);
        Fields { record: *self, piece: 0, position: start, open: true, number: 1 }
    }
}

/// Walks over the fields of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'w, 's> {
    record: Record<'w, 's>,
    piece: usize,
    position: usize,
    /// The piece has a field at `position`.
    open: bool,
    number: u16,
}

impl Fields<'_, '_> {
    /// The next field of the piece in hand or of the one after it.
    #[inline]
    pub fn next(&mut self) -> Option<Field> {
        loop {
            let piece = self.record.pieces.get(self.piece)?;
            if self.open && (self.position > piece.start || piece.end > piece.start) {
                return Some(self.take(piece));
            }
            self.piece = self.piece.wrapping_add(1);
            self.open = true;
            self.position = self.record.pieces.get(self.piece)?.start;
        }
    }

    /// The next field, unless it would be the first of an 88 that reads like text.
    #[inline]
    pub fn next_before_text(&mut self) -> Option<Field> {
        let exhausted = !self.open;
        if exhausted {
            let piece = self.record.pieces.get(self.piece.wrapping_add(1))?;
            let bytes = self.record.piece_bytes(piece);
            let first = bytes.split(|byte| *byte == b',').next().unwrap_or_default();
            if piece.foreign || first.len() == bytes.len() || first.iter().any(|byte| matches!(byte, b':' | b'=' | b' ')) {
                return None;
            }
        }
        self.next()
    }

    #[inline]
    fn take(&mut self, piece: &Piece) -> Field {
        let rest = self.record.window.get(self.position..piece.end).unwrap_or_default();
        let comma = comma(rest);
        let end = self.position.wrapping_add(comma.unwrap_or(rest.len()));
        self.number = self.number.saturating_add(1);
        let small = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
        let head = self.record.head.start;
        let field = Field {
            start: small(self.position.wrapping_sub(head)),
            end: small(end.wrapping_sub(head)),
            piece: small(self.piece),
            number: self.number,
            last: comma.is_none(),
        };
        self.open = comma.is_some();
        self.position = end.wrapping_add(1);
        field
    }

    /// What is left of the piece in hand, and the index of the piece after it.
    pub fn rest(&self) -> (Option<(usize, usize)>, usize) {
        let here = self.record.pieces.get(self.piece).filter(|_| self.open);
        let rest = here.map(|piece| (self.position, piece.end));
        (rest.filter(|(from, to)| from < to), self.piece.saturating_add(1))
    }
}

/// Where the first comma stands. Fields are short, so eight bytes at once are faster than calling for a search.
#[inline]
fn comma(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (mut rest, mut before) = (bytes, 0_usize);
    while let Some((block, tail)) = rest.split_first_chunk::<8>() {
        let other = u64::from_le_bytes(*block) ^ ONES.wrapping_mul(b',' as u64);
        // The lowest of these bits marks the first byte that is a comma.
        let marks = other.wrapping_sub(ONES) & !other & ONES.wrapping_mul(0x80);
        if marks != 0 {
            return Some(before.wrapping_add((marks.trailing_zeros() / 8) as usize));
        }
        before = before.wrapping_add(8);
        rest = tail;
    }
    rest.iter().position(|byte| *byte == b',').map(|at| before.wrapping_add(at))
}

#[cfg(test)]
mod tests {
    use super::comma;

    #[test]
    fn the_first_comma_is_found_wherever_it_stands() {
        for length in 0..30 {
            let mut bytes: Vec<u8> = (0..length).map(|at| [b'-', b'+', 0x2d, 0xac, 0xff, 0][at % 6]).collect();
            assert_eq!(comma(&bytes), None);
            for at in (0..length).rev() {
                bytes[at] = b',';
                assert_eq!(comma(&bytes), Some(at), "{length}");
            }
        }
    }
}
