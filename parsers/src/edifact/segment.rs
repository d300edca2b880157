//! One segment as its reader sees it: data elements and components by number, typed, with findings that name the exact place.

use std::borrow::Cow;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    Account, Currency, Effect, Finding, FindingCode, Location, Money, Severity, Tag, Text, money,
    x12::{output::Output, segment::shown, value::count},
};

use super::{charset::Charset, lexer::Span, marks::Marks, value};

/// How the bytes of one interchange are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub marks: Marks,
    pub charset: Charset,
}

/// One segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'w> {
    dialect: Dialect,
    raw: &'w [u8],
    /// File offset of its first byte.
    byte: u64,
    line: u64,
    ordinal: u32,
}

/// One data element: its components, and the place of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'w> {
    segment: Segment<'w>,
    raw: &'w [u8],
    number: u16,
    repeat: Option<u16>,
}

impl<'w> Segment<'w> {
    /// The segment of a span; `base` is the file offset of the first byte of the window.
    pub fn new(window: &'w [u8], base: u64, span: Span, ordinal: u32, dialect: Dialect) -> Self {
        let raw = window.get(span.start..span.end).unwrap_or_default();
        Self { dialect, raw, byte: base.saturating_add(span.start as u64), line: span.line, ordinal }
    }

    /// The tag, such as `MOA`, without explicit nesting.
    pub fn tag(&self) -> Tag {
        let Marks { element, component, .. } = self.dialect.marks;
        let end = memchr::memchr2(element, component, self.raw).unwrap_or(self.raw.len());
        Tag::new(&clean(self.raw.get(..end).unwrap_or_default(), &self.dialect.marks))
    }

    /// The bytes of the segment without its terminator.
    pub fn raw(&self) -> &'w [u8] {
        self.raw
    }

    /// Data element `n`, counted from 1; the first of its repeats.
    pub fn element(&self, n: u16) -> Element<'w> {
        let Marks { element, repetition, release, .. } = self.dialect.marks;
        // One that is absent stands at the end of its segment.
        let end = self.raw.get(self.raw.len()..).unwrap_or_default();
        let raw = Pieces::of(self.raw, element, release).nth(n.into()).unwrap_or(end);
        let raw = repetition.and_then(|mark| Pieces::of(raw, mark, release).next()).unwrap_or(raw);
        Element { segment: *self, raw, number: n, repeat: None }
    }

    /// All repeats of data element `n`; the whole element once where the interchange has no repetition separator.
    pub fn repeats(&self, n: u16) -> impl Iterator<Item = Element<'w>> + use<'w> {
        let Marks { element, repetition, release, .. } = self.dialect.marks;
        let raw = Pieces::of(self.raw, element, release).nth(n.into());
        let segment = *self;
        let place = move |raw, repeat| Element { segment, raw, number: n, repeat: repetition.map(|_| repeat) };
        // A separator that no element holds leaves the element whole.
        let pieces = raw.map(|raw| Pieces { rest: Some(raw), separator: repetition, release });
        pieces.into_iter().flatten().zip(1..).map(move |(raw, repeat)| place(raw, repeat))
    }

    /// Component `c` of data element `n` as text; nothing when absent or blank.
    pub fn text(&self, n: u16, c: u16) -> Option<Text<'w>> {
        self.element(n).text(c)
    }

    /// The same, empty when absent.
    pub fn code(&self, n: u16, c: u16) -> Text<'w> {
        self.text(n, c).unwrap_or_default()
    }

    /// All components of data element `n` from `first` on, joined with blanks.
    pub fn joined(&self, n: u16, first: u16, last: u16) -> Option<Text<'w>> {
        let element = self.element(n);
        let mut parts = (first..=last).filter_map(|c| element.text(c));
        let mut text = parts.next()?;
        for part in parts {
            let whole = text.to_mut();
            whole.push(' ');
            whole.push_str(&part);
        }
        Some(text)
    }

    /// Where the segment begins.
    pub fn location(&self) -> Location {
        Location {
            byte: self.byte,
            line: Some(self.line.saturating_add(1)),
            segment: Some(self.ordinal),
            tag: Some(self.tag()),
            ..Location::default()
        }
    }

    /// A finding about the segment as a whole. Severity follows from the effect.
    pub fn finding(&self, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        Finding {
            code,
            severity: severity(effect),
            effect,
            message,
            expected: expected.to_owned(),
            found: self.tag().to_string(),
            location: self.location(),
        }
    }
}

impl<'w> Element<'w> {
    /// Component `c` as it stands, counted from 1; empty when absent.
    fn raw(&self, c: u16) -> &'w [u8] {
        let Marks { component, release, .. } = self.segment.dialect.marks;
        let end = self.raw.get(self.raw.len()..).unwrap_or_default();
        Pieces::of(self.raw, component, release).nth(usize::from(c).saturating_sub(1)).unwrap_or(end)
    }

    fn clean(&self, c: u16) -> Cow<'w, [u8]> {
        clean(self.raw(c), &self.segment.dialect.marks)
    }

    /// Component `c` as text without its release characters; nothing when absent or blank.
    pub fn text(&self, c: u16) -> Option<Text<'w>> {
        Some(self.segment.dialect.charset.decode(self.clean(c))).filter(|text| !text.is_empty())
    }

    /// The same, empty when absent.
    pub fn code(&self, c: u16) -> Text<'w> {
        self.text(c).unwrap_or_default()
    }

    /// Component `c` as an account number, which stays a secret.
    pub fn account(&self, c: u16) -> Option<Account<'w>> {
        self.text(c).map(Account::new)
    }

    /// Component `c` as a whole number.
    pub fn count(&self, c: u16) -> Option<u64> {
        count(&self.clean(c))
    }

    /// Component `c` as an amount. A bad one gives a finding with `effect`.
    pub fn amount(&self, c: u16, currency: Currency, effect: Effect, out: &mut Output<'_>) -> Option<Money> {
        let text = self.clean(c);
        if text.is_empty() {
            return None;
        }
        match value::amount(&text, self.segment.dialect.marks.decimal, currency) {
            Ok(minor) => Some(Money::new(minor, currency)),
            Err(error) => {
                let message = format!("{} is no amount: {error}", self.name());
                let expected = money::expected(&error, "digits with at most one decimal mark, as UNA has it");
                out.finding(self.finding(c, FindingCode::BadAmount, effect, message, expected));
                None
            }
        }
    }

    /// Component `c` as a number that is no money: a percentage.
    pub fn decimal(&self, c: u16, out: &mut Output<'_>) -> Option<Decimal> {
        let text = self.text(c)?.replace(',', ".");
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let decimal = plain.then(|| Decimal::from_str_exact(&text).ok()).flatten();
        if decimal.is_none() {
            let message = format!("{} is no number", self.name());
            out.finding(self.finding(c, FindingCode::BadAmount, Effect::Noted, message, "a decimal number"));
        }
        decimal
    }

    /// C507 of DTM as a date: 2380 in component 2 by 2379 in component 3. A bad one gives a finding with `effect`.
    pub fn date(&self, effect: Effect, out: &mut Output<'_>) -> Option<NaiveDate> {
        let text = self.clean(2);
        if text.is_empty() {
            return None;
        }
        let format = self.code(3);
        match value::date(&text, &format) {
            Some((date, false)) => Some(date),
            Some((date, true)) => {
                let message = format!("{} has a year of two digits and was read as {date}", self.name());
                let mut finding = self.finding(2, FindingCode::InferredCentury, Effect::Noted, message, "format 102");
                finding.severity = Severity::Info;
                out.finding(finding);
                Some(date)
            }
            None => {
                let message = format!("{} is no date in format {format:?}", self.name());
                out.finding(self.finding(2, FindingCode::BadDate, effect, message, "CCYYMMDD in format 102"));
                None
            }
        }
    }

    /// The place of component `c`.
    pub fn location(&self, c: u16) -> Location {
        let raw = self.raw(c);
        let whole = self.segment.raw;
        // The component is a part of the segment, so its offset is the difference of the two addresses.
        let offset = (raw.as_ptr() as usize).checked_sub(whole.as_ptr() as usize).filter(|offset| *offset <= whole.len());
        Location {
            byte: self.segment.byte.saturating_add(offset.unwrap_or(0) as u64),
            element: Some(self.number),
            repeat: self.repeat,
            component: Some(c),
            ..self.segment.location()
        }
    }

    /// A finding about component `c`. Severity follows from the effect.
    pub fn finding(&self, c: u16, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        Finding {
            code,
            severity: severity(effect),
            effect,
            message,
            expected: expected.to_owned(),
            found: shown(&self.clean(c)),
            location: self.location(c),
        }
    }

    /// Tag and qualifier: `MOA+12`, `DTM+137`.
    pub fn name(&self) -> String {
        format!("{}+{}", self.segment.tag(), shown(&self.clean(1)))
    }
}

fn severity(effect: Effect) -> Severity {
    if effect == Effect::Noted { Severity::Warning } else { Severity::Error }
}

/// A value without release characters, without the line breaks of a file that was wrapped, and without blanks around it.
fn clean<'w>(raw: &'w [u8], marks: &Marks) -> Cow<'w, [u8]> {
    let is_break = |byte: u8| matches!(byte, b'\r' | b'\n');
    if !raw.iter().any(|byte| is_break(*byte) || Some(*byte) == marks.release) {
        return Cow::Borrowed(trim(raw));
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if Some(byte) == marks.release {
            value.extend(bytes.next());
        } else if !is_break(byte) {
            value.push(byte);
        }
    }
    Cow::Owned(trim(&value).to_vec())
}

/// Without blanks around it, and without the control-Z that ends files of old systems.
fn trim(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_suffix(b"\x1a").map_or(value, <[u8]>::trim_ascii_end)
}

/// Parts between separators that are not released.
struct Pieces<'w> {
    rest: Option<&'w [u8]>,
    separator: Option<u8>,
    release: Option<u8>,
}

impl<'w> Pieces<'w> {
    fn of(raw: &'w [u8], separator: u8, release: Option<u8>) -> Self {
        Self { rest: Some(raw), separator: Some(separator), release }
    }
}

impl<'w> Iterator for Pieces<'w> {
    type Item = &'w [u8];

    fn next(&mut self) -> Option<&'w [u8]> {
        let rest = self.rest?;
        let Some(separator) = self.separator else { return self.rest.take() };
        let mut at = 0;
        while let Some(found) = memchr::memchr2(separator, self.release.unwrap_or(separator), rest.get(at..).unwrap_or_default())
        {
            let found = found.saturating_add(at);
            if rest.get(found) == Some(&separator) {
                self.rest = rest.get(found.saturating_add(1)..);
                return rest.get(..found);
            }
            at = found.saturating_add(2).min(rest.len());
        }
        self.rest.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(text: &str) -> Segment<'_> {
        let dialect = Dialect { marks: Marks::DEFAULT.for_version("4"), charset: Charset::Latin1 };
        let span = Span { start: 0, end: text.len(), line: 0 };
        Segment::new(text.as_bytes(), 100, span, 7, dialect)
    }

    #[test]
    fn components_are_found_behind_released_separators() {
        let found = segment("NAD+PR+8712?+3::9++O?'Neil ?& Sons?:a:b??+St?\r\nreet");
        assert_eq!(found.tag().as_str(), "NAD");
        assert_eq!(found.code(1, 1), "PR");
        assert_eq!(found.code(2, 1), "8712+3");
        assert_eq!(found.code(2, 3), "9");
        assert_eq!(found.text(2, 2), None);
        assert_eq!(found.joined(4, 1, 5).as_deref(), Some("O'Neil & Sons:a b?"));
        assert_eq!(found.text(9, 1), None);
        assert_eq!(found.element(2).location(3).byte, 100 + 16);
        assert_eq!(found.element(9).location(1).byte, 100 + found.raw.len() as u64);
    }

    #[test]
    fn an_element_may_repeat() {
        let found = segment("RFF+ON:1*ON:2");
        let numbers: Vec<_> = found.repeats(1).map(|element| (element.code(2), element.location(2).repeat)).collect();
        assert_eq!(numbers, [("1".into(), Some(1)), ("2".into(), Some(2))]);
        assert_eq!(found.code(1, 2), "1");
        assert_eq!(found.repeats(2).count(), 0);
    }

    #[test]
    fn wrapped_lines_are_joined() {
        let found = segment("MO\r\nA+12:15\n00.00");
        assert_eq!((found.tag().as_str().to_owned(), found.code(1, 2)), ("MOA".to_owned(), "1500.00".into()));
    }
}
