//! One logical record: a physical record and the 88s that continue it, read field by field.
//!
//! A `/` that is last on its line ends a physical record. What stands before it is data, slashes included.

use crate::{
    Effect, Finding, FindingCode, Location, Severity, Tag, Text, near,
    utf8::Utf8,
    x12::{
        segment::{decode, shown},
        value::few_digits,
    },
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
    /// The record from its code to its last byte of data.
    bytes: &'w [u8],
    /// The same as text, when all of it is UTF-8.
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
        let bytes = window.bytes().get(head.start..end).unwrap_or_default();
        Self { text: window.slice(head.start, end), bytes, window: window.bytes(), base, head, pieces }
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
        let bytes = self.bytes.get(field.start as usize..field.end as usize).unwrap_or_default();
        match bytes {
            [b' ', ..] | [.., b' '] => bytes.trim_ascii(),
            _ => bytes,
        }
    }

    /// A stretch of the record as text without blanks around it; nothing when blank.
    #[inline]
    pub fn text(&self, start: usize, end: usize) -> Option<Text<'w>> {
        match self.text {
            Some(text) => near::trimmed(text.get(start.wrapping_sub(self.head.start)..end.wrapping_sub(self.head.start))?)
                .map(Text::Borrowed),
            None => self.text_decoded(start, end),
        }
    }

    /// A stretch of the record as it stands; nothing when it is not UTF-8.
    #[inline]
    pub fn stretch(&self, start: usize, end: usize) -> Option<&'w str> {
        match self.text {
            Some(text) => text.get(start.checked_sub(self.head.start)?..end.checked_sub(self.head.start)?),
            None => std::str::from_utf8(self.bytes(start, end)).ok(),
        }
    }

    /// The whole record as text and its file offset; nothing when it is not UTF-8.
    pub fn whole_text(&self) -> Option<(&'w str, u64)> {
        Some((self.text?, self.base.wrapping_add(self.head.start as u64)))
    }

    #[cold]
    fn text_decoded(&self, start: usize, end: usize) -> Option<Text<'w>> {
        let text = decode(self.window.get(start..end)?.trim_ascii());
        (!text.is_empty()).then_some(text)
    }

    /// A field as text.
    #[inline]
    pub fn field_text(&self, field: Field) -> Option<Text<'w>> {
        let (start, end) = (field.start as usize, field.end as usize);
        if start == end {
            return None;
        }
        match self.text {
            Some(text) => near::trimmed(text.get(start..end)?).map(Text::Borrowed),
            None => self.text_decoded(self.head.start.saturating_add(start), self.head.start.saturating_add(end)),
        }
    }

    /// The bytes of a piece without blanks around them.
    pub fn piece_bytes(&self, piece: &Piece) -> &'w [u8] {
        self.trimmed_bytes(piece.start, piece.end)
    }

    /// The bytes of a stretch of the record without blanks around them.
    #[inline]
    pub fn trimmed_bytes(&self, start: usize, end: usize) -> &'w [u8] {
        match self.bytes(start, end) {
            bytes @ [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => bytes,
            bytes => bytes.trim_ascii(),
        }
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
    #[inline]
    pub fn not_utf8(&self) -> Option<Finding> {
        if self.text.is_some() { None } else { self.where_not_utf8() }
    }

    #[cold]
    fn where_not_utf8(&self) -> Option<Finding> {
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

    /// A field of one to eight digits and nothing else.
    #[inline]
    pub fn small_number(&self, field: Field) -> Option<u32> {
        few_digits(self.bytes, field.start as usize, field.end as usize)
    }

    /// The fields behind the record code, one after the other, across all pieces.
    #[inline]
    pub fn fields(&self) -> Fields<'w, '_> {
        let mut fields = Fields { record: self, position: 0, start: 0, end: 0, commas: 0, piece: 0, open: false, number: 1 };
        fields.enter(0);
        fields
    }
}

/// Walks over the fields of a record. Positions count from the record code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'w, 'r> {
    record: &'r Record<'w, 'r>,
    /// Where the next field begins.
    position: usize,
    /// Begin and end of the piece in hand.
    start: usize,
    end: usize,
    /// Commas from `position` on among the first bytes of the piece, a bit for each byte.
    commas: u64,
    piece: usize,
    /// The piece in hand has another field.
    open: bool,
    number: u16,
}

/// Fields of a transaction in front of its text.
pub(super) const FRONT: usize = 5;

impl<'w> Fields<'w, '_> {
    /// The fields in front of the text, and where the text begins, when nothing was read yet and all of them stand among the first bytes of
    /// the first piece, as is usual.
    #[inline]
    pub fn front(&self) -> Option<([Field; FRONT], usize)> {
        let (mut commas, mut start) = (self.commas, self.start);
        if self.number != 1 {
            return None;
        }
        let mut fields = [Field::default(); FRONT];
        for (field, number) in fields.iter_mut().zip(2..) {
            if commas == 0 {
                return None;
            }
            let end = self.start.wrapping_add(commas.trailing_zeros() as usize);
            commas &= commas.wrapping_sub(1);
            // A record is far shorter than 2^32 bytes.
            *field = Field { start: start as u32, end: end as u32, piece: 0, number, last: false };
            start = end.wrapping_add(1);
        }
        Some((fields, start))
    }

    /// What is left of the piece in hand from a position on.
    #[inline]
    pub fn behind(&self, position: usize) -> Option<(usize, usize)> {
        let within = |position: usize| self.record.head.start.saturating_add(position);
        (position < self.end).then(|| (within(position), within(self.end)))
    }

    /// The next field of the piece in hand or of the one after it.
    #[inline]
    pub fn next(&mut self) -> Option<Field> {
        while !self.open {
            self.enter(self.piece.saturating_add(1))?;
        }
        let end = self.end_of_field();
        self.open = end.is_some();
        let end = end.unwrap_or(self.end);
        self.number = self.number.saturating_add(1);
        // A record is far shorter than 2^32 bytes.
        let (start, piece) = (self.position as u32, self.piece as u32);
        self.position = end.wrapping_add(1);
        Some(Field { start, end: end as u32, piece, number: self.number, last: !self.open })
    }

    /// The next comma of the piece.
    #[inline]
    fn end_of_field(&mut self) -> Option<usize> {
        if self.commas != 0 {
            let at = self.commas.trailing_zeros() as usize;
            self.commas &= self.commas.wrapping_sub(1);
            return Some(self.start.wrapping_add(at));
        }
        let from = self.start.wrapping_add(near::MARKED).max(self.position);
        near::position(self.record.bytes.get(from..self.end)?, b',').map(|at| from.wrapping_add(at))
    }

    /// Goes on with a piece, which has fields unless it is empty; nothing when there is none.
    #[inline]
    fn enter(&mut self, index: usize) -> Option<()> {
        self.piece = index;
        let (record, piece) = (self.record, self.record.pieces.get(index)?);
        let within = |position: usize| position.wrapping_sub(record.head.start);
        (self.position, self.start, self.end) = (within(piece.start), within(piece.start), within(piece.end));
        self.commas = near::marks(record.window, piece.start, piece.end, b',');
        self.open = self.start < self.end;
        Some(())
    }

    /// The next field, unless it would be the first of an 88 that reads like text.
    #[inline]
    pub fn next_before_text(&mut self) -> Option<Field> {
        if !self.open && self.is_text_ahead() {
            return None;
        }
        self.next()
    }

    /// The piece after the one in hand reads like text, or there is none.
    #[inline(never)]
    fn is_text_ahead(&self) -> bool {
        let Some(piece) = self.record.pieces.get(self.piece.saturating_add(1)) else { return true };
        let bytes = self.record.piece_bytes(piece);
        let first = bytes.split(|byte| *byte == b',').next().unwrap_or_default();
        piece.foreign || first.len() == bytes.len() || first.iter().any(|byte| matches!(byte, b':' | b'=' | b' '))
    }

    /// What is left of the piece in hand, and the index of the piece after it.
    pub fn rest(&self) -> (Option<(usize, usize)>, usize) {
        let rest = if self.open { self.behind(self.position) } else { None };
        (rest, self.piece.saturating_add(1))
    }
}
