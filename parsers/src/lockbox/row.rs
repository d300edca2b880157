//! One record of fixed columns: fields by name, typed.

use chrono::NaiveDate;

use crate::{
    Effect, Finding, FindingCode, Location, MoneyError, Severity, Tag, Text, money, near,
    x12::{
        segment::{decode, shown},
        value,
    },
};

use super::layout::{Kind, Span};

/// A record in its window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'w> {
    bytes: &'w [u8],
    /// The record as text, when all of it is UTF-8.
    text: Option<&'w str>,
    /// Columns are characters and not bytes: the record is UTF-8 with letters outside ASCII.
    characters: bool,
    pub place: Place,
}

/// Where a record begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub byte: u64,
    pub line: u64,
    pub ordinal: u32,
}

impl<'w> Row<'w> {
    /// A record; `text` is its text when it is UTF-8, `width` what the file declares, where it does.
    #[inline]
    pub fn new(bytes: &'w [u8], text: Option<&'w str>, width: usize, place: Place) -> Self {
        let characters = bytes.len() != width && text.is_some() && !bytes.is_ascii();
        Self { bytes, text, characters, place }
    }

    /// A record that is all ASCII.
    #[inline]
    pub fn of_ascii(bytes: &'w [u8], text: &'w str, place: Place) -> Self {
        Self { bytes, text: Some(text), characters: false, place }
    }

    /// Record type, the first column.
    pub fn kind(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(b' ')
    }

    /// Whether letters outside ASCII stand in it that are not UTF-8.
    pub fn is_foreign(&self) -> bool {
        self.text.is_none()
    }

    /// A field as it stands, blanks included; empty where the record is too short.
    #[inline]
    pub fn raw(&self, span: Span) -> &'w [u8] {
        let (from, to) = (usize::from(span.from), usize::from(span.to));
        let (from, to) = if self.characters { (self.byte_of(from), self.byte_of(to)) } else { (from, to.min(self.bytes.len())) };
        self.bytes.get(from..to).unwrap_or_default()
    }

    #[cold]
    fn byte_of(&self, column: usize) -> usize {
        let text = std::str::from_utf8(self.bytes).unwrap_or_default();
        text.char_indices().nth(column).map_or(self.bytes.len(), |(at, _)| at)
    }

    /// A field without blanks around it.
    #[inline]
    pub fn value(&self, span: Span) -> &'w [u8] {
        trim_end(self.raw(span)).trim_ascii()
    }

    /// A field as text; nothing when blank.
    #[inline]
    pub fn text(&self, span: Span) -> Option<Text<'w>> {
        let (from, to) = (usize::from(span.from), usize::from(span.to).min(self.bytes.len()));
        match self.text.filter(|_| !self.characters) {
            Some(text) => {
                let kept = trim_end(self.bytes.get(from..to)?).len();
                near::trimmed(text.get(from..from.wrapping_add(kept))?).map(Text::Borrowed)
            }
            None => self.text_decoded(span),
        }
    }

    #[cold]
    fn text_decoded(&self, span: Span) -> Option<Text<'w>> {
        let value = self.value(span);
        (!value.is_empty()).then(|| decode(value))
    }

    /// A field as text with its blanks, for texts that were cut into pieces.
    pub fn text_with_blanks(&self, span: Span) -> Text<'w> {
        decode(self.raw(span))
    }

    /// An amount in minor units: nothing when blank, an error when it is none.
    #[inline]
    pub fn amount(&self, span: Span) -> Option<Result<i64, MoneyError>> {
        let raw = self.raw(span);
        if let Some(minor) = amount(raw) {
            return Some(money::bounded(minor));
        }
        let text = trim_end(raw).trim_ascii();
        let not_a_number = || MoneyError::NotANumber(decode(text).into_owned());
        (!text.is_empty()).then(|| amount(text).ok_or_else(not_a_number).and_then(money::bounded))
    }

    /// An everyday amount of ten digits; nothing means that [`Row::amount`] must judge.
    #[inline]
    pub fn ten_digits(&self, span: Span) -> Option<i64> {
        let raw = <&[u8; 10]>::try_from(self.raw(span)).ok()?;
        amount_of_ten(raw)
    }

    /// A date; nothing when blank or zeros, an error when it is none.
    pub fn date(&self, span: Span) -> Option<Result<NaiveDate, ()>> {
        let text = self.value(span);
        if text.iter().all(|byte| *byte == b'0') {
            return None;
        }
        Some(date(text, span.kind).ok_or(()))
    }

    /// Where the record begins.
    #[inline]
    pub fn location(&self) -> Location {
        let Place { byte, line, ordinal } = self.place;
        let tag = Tag::new(self.bytes.get(..1).unwrap_or_default());
        Location { byte, line: Some(line), segment: Some(ordinal), tag: Some(tag), ..Location::default() }
    }

    /// Where a field begins; its element is the first column, counted from 1.
    pub fn location_of(&self, span: Span) -> Location {
        let from = usize::from(span.from);
        let from = if self.characters { self.byte_of(from) } else { from.min(self.bytes.len()) };
        let byte = self.place.byte.wrapping_add(from as u64);
        Location { byte, element: Some(span.from.saturating_add(1)), ..self.location() }
    }

    /// A finding about a field.
    pub fn finding(&self, span: Span, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        let severity = if effect == Effect::Noted { Severity::Warning } else { Severity::Error };
        let found = shown(self.raw(span));
        Finding { code, severity, effect, message, expected: expected.to_owned(), found, location: self.location_of(span) }
    }
}

/// Cuts the blanks at the end, and what systems put in their place.
#[inline]
pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    let mut kept = near::without_trailing_blanks(bytes);
    while let [before @ .., b' ' | b'\t' | 0 | 0x1a] = kept {
        kept = before;
    }
    kept
}

/// Whole minor units with a leading minus sign or none.
#[inline]
pub(super) fn amount(text: &[u8]) -> Option<i64> {
    if let ([b'0'..=b'9', b'0'..=b'9', ..], Ok(text)) = (text, <&[u8; 10]>::try_from(text)) {
        return amount_of_ten(text);
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut minor: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Eighteen digits fit.
        minor = minor.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    Some(if negative { minor.wrapping_neg() } else { minor })
}

/// Ten digits, eight of them at once.
#[inline]
fn amount_of_ten([tens, ones, rest @ ..]: &[u8; 10]) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        return None;
    }
    let high = u64::from(tens).wrapping_mul(10).wrapping_add(u64::from(ones));
    let low = u64::from(value::eight_digits(*rest)?);
    Some(high.wrapping_mul(100_000_000).wrapping_add(low).cast_signed())
}

fn date(text: &[u8], kind: Kind) -> Option<NaiveDate> {
    let text = <[u8; 6]>::try_from(text).ok()?;
    let [a, b, c, d, e, f] = text;
    let ordered = if kind == Kind::Mdy { [e, f, a, b, c, d] } else { text };
    value::date(&ordered).map(|(date, _)| date)
}

/// Whether a value fits its kind; blank always does.
pub(super) fn fits(text: &[u8], kind: Kind) -> bool {
    let text = text.trim_ascii();
    if text.is_empty() {
        return true;
    }
    match kind {
        Kind::Text => true,
        Kind::Name => !text.iter().all(u8::is_ascii_digit),
        Kind::Number => text.iter().any(u8::is_ascii_digit) && !text.contains(&b' '),
        Kind::Digits => text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-')),
        Kind::Count => text.iter().all(u8::is_ascii_digit),
        Kind::Amount => amount(text).is_some(),
        Kind::Ymd | Kind::Mdy => text.iter().all(|byte| *byte == b'0') || date(text, kind).is_some(),
    }
}
