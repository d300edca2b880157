//! Room to put lines and values together in. A text that stands in the file in one piece is lent from there, and only what was joined
//! becomes a text of its own.

use crate::{Text, owned::position_in, utf8::Utf8, x12::segment::decode};

use super::{field::Field, value::Days};

/// What reading an entry needs, used again from entry to entry of a window.
#[derive(Debug)]
pub(super) struct Desk<'w> {
    pub text: Texts<'w>,
    /// The lines of field 86.
    pub lines: Joined<'w>,
    /// Its purpose, put together from subfields.
    pub purpose: Joined<'w>,
    pub days: Days,
}

impl<'w> Desk<'w> {
    pub fn new(window: &'w [u8]) -> Self {
        Self { text: Texts(Utf8::new(window)), lines: Joined::default(), purpose: Joined::default(), days: Days::default() }
    }
}

/// The texts of a window.
#[derive(Debug)]
pub(super) struct Texts<'w>(Utf8<'w>);

impl<'w> Texts<'w> {
    /// A part of a field as text; what is not UTF-8 is read as Windows-1252.
    #[inline]
    pub fn of(&mut self, field: &Field<'w>, part: &'w [u8]) -> Text<'w> {
        let from = field.position_of(part);
        match self.0.slice(from, from.saturating_add(part.len())) {
            Some(text) => Text::Borrowed(text),
            None => decode(part),
        }
    }

    /// Whether all of a field is UTF-8.
    #[inline]
    pub fn is_utf8(&mut self, field: &Field<'w>) -> bool {
        self.0.slice(field.span.content, field.span.end).is_some()
    }
}

/// Text put together from pieces.
#[derive(Debug, Default)]
pub(super) struct Joined<'w> {
    text: String,
    /// Where each piece that stands in the file begins in the text.
    pieces: Vec<(usize, &'w str)>,
}

impl<'w> Joined<'w> {
    pub fn clear(&mut self) {
        self.text.clear();
        self.pieces.clear();
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a text of the file.
    pub fn add(&mut self, piece: Text<'w>) {
        if let Text::Borrowed(piece) = piece {
            self.pieces.push((self.text.len(), piece));
        }
        self.text.push_str(&piece);
    }

    /// Adds what does not stand in the file.
    pub fn put(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Adds a stretch of another joined text.
    pub fn add_from(&mut self, other: &Self, stretch: &str) {
        if let Some(piece) = other.place_of(stretch) {
            self.pieces.push((self.text.len(), piece));
        }
        self.text.push_str(stretch);
    }

    /// A stretch of the text, from the file where it stands there in one piece.
    pub fn lend(&self, stretch: &str) -> Text<'w> {
        match self.place_of(stretch) {
            Some(piece) => Text::Borrowed(piece),
            None => Text::Owned(stretch.to_owned()),
        }
    }

    /// Where a stretch of the text stands in the file.
    fn place_of(&self, stretch: &str) -> Option<&'w str> {
        if stretch.is_empty() {
            return Some("");
        }
        let from = position_in(self.text.as_bytes(), stretch)?;
        let (at, piece) = self.pieces.iter().rev().find(|(at, _)| *at <= from)?;
        let from = from.wrapping_sub(*at);
        piece.get(from..from.wrapping_add(stretch.len()))
    }
}
