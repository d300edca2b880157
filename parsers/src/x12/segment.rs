//! One segment as its reader sees it: elements by number, typed, with findings that name the exact place.
//!
//! Nothing is copied: elements are slices of the bytes being read.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{delimiters::Delimiters, lexer::Span, output::Output, place::Origin, value};
use crate::{
    Account, Currency, Effect, Finding, FindingCode, Location, Money, MoneyError, Severity, Text, mask, money, parse_minor,
};

/// What all segments of a set share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'w, 's> {
    /// The bytes that spans and marks count in.
    pub bytes: &'w [u8],
    /// The set as text, when all of it is UTF-8, and where it begins in `bytes`.
    pub text: Option<(&'w str, usize)>,
    pub delimiters: &'s Delimiters,
    pub origin: Origin<'s>,
    pub marks: &'s [u32],
    /// Six-digit dates are out of date (version 004010 and later).
    pub long_dates: bool,
}

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'w, 's> {
    context: &'s Context<'w, 's>,
    /// Ends of the tag and of each element; the last is the end of the segment.
    marks: &'s [u32],
    start: u32,
    line: u32,
    ordinal: u32,
}

impl<'w, 's> Segment<'w, 's> {
    pub(crate) fn new(context: &'s Context<'w, 's>, span: &Span, ordinal: u32) -> Self {
        let marks = context.marks.get(span.mark_first as usize..span.mark_end as usize).unwrap_or_default();
        Self { context, marks, start: span.start, line: span.line, ordinal }
    }

    /// The tag, such as `RMR`.
    #[inline(always)]
    pub fn tag(&self) -> &'w [u8] {
        let end = self.marks.first().copied().unwrap_or(self.start);
        let tag = self.context.bytes.get(self.start as usize..end as usize).unwrap_or_default();
        trim_end(tag)
    }

    /// How many elements follow the tag.
    pub fn elements(&self) -> usize {
        self.marks.len().saturating_sub(1)
    }

    /// Begin and end of element `n`, counted from 1.
    #[inline(always)]
    fn bounds(&self, n: usize) -> Option<(usize, usize)> {
        let end = self.marks.get(n)?;
        let before = self.marks.get(n.wrapping_sub(1))?;
        Some(((*before as usize).wrapping_add(1), *end as usize))
    }

    /// Element `n` as it stands, counted from 1; empty when absent.
    #[inline(always)]
    pub fn raw(&self, n: usize) -> &'w [u8] {
        self.bounds(n).and_then(|(from, to)| self.context.bytes.get(from..to)).unwrap_or_default()
    }

    /// Element `n` without trailing blanks; empty when absent.
    #[inline(always)]
    pub fn value(&self, n: usize) -> &'w [u8] {
        trim_end(self.raw(n))
    }

    /// Whether element `n` holds anything but blanks.
    #[inline]
    pub fn has(&self, n: usize) -> bool {
        !self.value(n).is_empty()
    }

    /// Element `n` as text without trailing blanks; nothing when absent or blank.
    #[inline]
    pub fn text(&self, n: usize) -> Option<Text<'w>> {
        if self.is_text() { self.text_in_place(n) } else { self.text_decoded(n) }
    }

    /// Whether the whole set is UTF-8, so that [`Segment::text_in_place`] finds its texts.
    #[inline(always)]
    pub(crate) fn is_text(&self) -> bool {
        self.context.text.is_some()
    }

    /// [`Segment::text`] where the set is UTF-8; nothing elsewhere. For the hot places: a text that may have been decoded is handed
    /// over through memory, which costs more than finding it.
    #[inline(always)]
    pub(crate) fn text_in_place(&self, n: usize) -> Option<Text<'w>> {
        let (from, to) = self.bounds(n)?;
        let (text, start) = self.context.text?;
        let text = text.get(from.wrapping_sub(start)..to.wrapping_sub(start))?;
        match text.as_bytes().last()? {
            b' ' | b'\t' | b'\r' | b'\n' => Some(text.trim_ascii_end()).filter(|text| !text.is_empty()).map(Text::Borrowed),
            _ => Some(Text::Borrowed(text)),
        }
    }

    #[cold]
    fn text_decoded(&self, n: usize) -> Option<Text<'w>> {
        trim_text(decode(self.raw(n)))
    }

    /// Element `n` as text with its trailing blanks, for texts that were cut into pieces.
    pub fn text_with_blanks(&self, n: usize) -> Option<Text<'w>> {
        let (from, to) = self.bounds(n)?;
        Some(decode(self.context.bytes.get(from..to)?)).filter(|text| !text.is_empty())
    }

    /// Element `n` as text, empty when absent.
    pub fn text_or_empty(&self, n: usize) -> Text<'w> {
        self.text(n).unwrap_or(Text::Borrowed(""))
    }

    /// Element `n` as an account number, which stays a secret.
    pub fn account(&self, n: usize) -> Option<Account<'w>> {
        self.text(n).map(Account::new)
    }

    /// The components of element `n`, in order.
    pub fn components(&self, n: usize) -> impl Iterator<Item = &'w [u8]> + use<'w> {
        let separator = self.context.delimiters.component;
        self.value(n).split(move |byte| *byte == separator)
    }

    /// Component `c` of element `n`, both counted from 1, as text; nothing when absent or blank.
    pub fn component(&self, n: usize, c: usize) -> Option<Text<'w>> {
        let part = self.components(n).nth(c.checked_sub(1)?)?;
        trim_text(decode(part))
    }

    /// The repeats of element `n`; the whole element once where the interchange has no repetition separator.
    pub fn repeats(&self, n: usize) -> impl Iterator<Item = &'w [u8]> + use<'w> {
        let separator = self.context.delimiters.repetition;
        self.value(n).split(move |byte| Some(*byte) == separator)
    }

    /// Where the segment begins.
    #[inline(always)]
    pub fn location(&self) -> Location {
        self.context.origin.location(self.start as usize, self.line, Some(self.ordinal), self.tag())
    }

    /// Where element `n` begins.
    pub fn location_of(&self, n: usize) -> Location {
        let end = self.marks.last().copied().unwrap_or(self.start) as usize;
        let position = self.bounds(n).map_or(end, |(from, _)| from);
        let place = self.context.origin.location(position, self.line, Some(self.ordinal), self.tag());
        Location { element: u16::try_from(n).ok(), ..place }
    }

    /// A finding about element `n` as it stands.
    ///
    /// Severity follows from the effect: what sets something aside is an error, what is only noted a warning.
    pub fn finding(&self, n: usize, code: FindingCode, effect: Effect, message: String, expected: &str) -> Finding {
        let severity = if effect == Effect::Noted { Severity::Warning } else { Severity::Error };
        let mut found = shown(self.value(n));
        // Where a separator is missing or too many, an account stands in the place of a date.
        if n > 4 && matches!(self.tag(), b"BPR" | b"BPS") && !may_be_date(self.value(n)) {
            found = mask::digits(&found, ORDER_DIGITS_MIN);
        }
        Finding { code, severity, effect, message, expected: expected.to_owned(), found, location: self.location_of(n) }
    }

    /// Element `n` as an amount with an explicit decimal point (type R). A bad one gives a finding with `effect`.
    #[inline(always)]
    pub fn amount(&self, n: usize, currency: Currency, effect: Effect, out: &mut Output<'w>) -> Option<Money> {
        let (from, to) = self.bounds(n)?;
        if from >= to {
            return None;
        }
        let minor = match value::plain_decimal(self.context.bytes, from, to, currency) {
            Some(minor) => minor,
            None => self.amount_slowly(n, currency, effect, out)?,
        };
        Some(Money::new(minor, currency))
    }

    #[inline(never)]
    fn amount_slowly(&self, n: usize, currency: Currency, effect: Effect, out: &mut Output<'w>) -> Option<i64> {
        let text = self.value(n);
        if text.is_empty() {
            return None;
        }
        let read = match parse_minor(text, currency) {
            // Blanks before the digits; the number itself decides.
            Err(MoneyError::NotANumber(_)) if text.first() == Some(&b' ') => parse_minor(text.trim_ascii(), currency),
            read => read,
        };
        read.map_err(|error| self.bad_amount(n, &error, effect, out)).ok()
    }

    /// The same, and its absence is a finding too.
    pub fn required_amount(&self, n: usize, currency: Currency, effect: Effect, out: &mut Output<'w>) -> Option<Money> {
        if !self.has(n) {
            self.missing(n, "an amount", effect, out);
            return None;
        }
        self.amount(n, currency, effect, out)
    }

    /// Element `n` as an amount with `decimals` implied decimals (type Nn). A written point decides, with a warning.
    pub fn implied(&self, n: usize, decimals: u32, currency: Currency, effect: Effect, out: &mut Output<'w>) -> Option<Money> {
        let text = self.value(n).trim_ascii();
        if text.is_empty() {
            return None;
        }
        match value::implied(text, decimals, currency) {
            Ok((minor, point_written)) => {
                if point_written {
                    let message = format!("{} holds a decimal point, but its decimals are implied", self.name(n));
                    let expected = "digits without a decimal point";
                    out.finding(self.finding(n, FindingCode::ImpliedDecimalPoint, Effect::Noted, message, expected));
                }
                Some(Money::new(minor, currency))
            }
            Err(error) => {
                self.bad_amount(n, &error, effect, out);
                None
            }
        }
    }

    /// Element `n` as a date of eight or six digits. A bad one gives a finding with `effect`.
    #[inline(always)]
    pub fn date(&self, n: usize, effect: Effect, out: &mut Output<'w>) -> Option<NaiveDate> {
        let text = self.value(n);
        if text.is_empty() {
            return None;
        }
        match value::long_date(text) {
            Some(date) => Some(date),
            None => self.date_slowly(n, effect, out),
        }
    }

    #[inline(never)]
    fn date_slowly(&self, n: usize, effect: Effect, out: &mut Output<'w>) -> Option<NaiveDate> {
        match value::date(self.value(n)) {
            Some((date, false)) => Some(date),
            Some((date, true)) => {
                let message = format!("{} has six digits and was read as {date}", self.name(n));
                let mut finding = self.finding(n, FindingCode::InferredCentury, Effect::Noted, message, "a date as CCYYMMDD");
                finding.severity = if self.context.long_dates { Severity::Warning } else { Severity::Info };
                out.finding(finding);
                Some(date)
            }
            None => {
                let message = format!("{} is no date", self.name(n));
                out.finding(self.finding(n, FindingCode::BadDate, effect, message, "a date as CCYYMMDD"));
                None
            }
        }
    }

    /// Element `n` as a decimal that is no money: a rate, a percentage, a quantity.
    pub fn decimal(&self, n: usize, effect: Effect, out: &mut Output<'w>) -> Option<Decimal> {
        let text = self.text(n)?;
        let number = text.trim();
        let plain = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
        let decimal = plain.then(|| Decimal::from_str_exact(number.trim_start_matches('+')).ok()).flatten();
        if decimal.is_none() {
            let message = format!("{} is no number", self.name(n));
            out.finding(self.finding(n, FindingCode::BadAmount, effect, message, "a decimal number"));
        }
        decimal
    }

    /// Element `n` as a whole number without sign.
    pub fn count(&self, n: usize, effect: Effect, out: &mut Output<'w>) -> Option<u64> {
        let text = self.value(n).trim_ascii();
        if text.is_empty() {
            return None;
        }
        let count = value::count(text);
        if count.is_none() {
            let message = format!("{} is no whole number", self.name(n));
            out.finding(self.finding(n, FindingCode::BadAmount, effect, message, "a whole number"));
        }
        count
    }

    /// A finding that element `n` is missing.
    pub fn missing(&self, n: usize, what: &str, effect: Effect, out: &mut Output<'w>) {
        let message = format!("{} is required", self.name(n));
        out.finding(self.finding(n, FindingCode::MissingElement, effect, message, what));
    }

    /// The standard's own name of element `n`: `RMR04`.
    pub fn name(&self, n: usize) -> String {
        format!("{}{n:02}", String::from_utf8_lossy(self.tag()))
    }

    fn bad_amount(&self, n: usize, error: &MoneyError, effect: Effect, out: &mut Output<'w>) {
        let message = format!("{} is no amount: {error}", self.name(n));
        let expected = money::expected(error, "digits with an optional decimal point");
        out.finding(self.finding(n, FindingCode::BadAmount, effect, message, expected));
    }
}

/// Bytes as text for a message: decoded, and shortened to a readable length.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 60;
    let text = decode(bytes);
    let mut short: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        short.push('…');
    }
    short
}

/// Digits in a row that may be an account number behind the amount of a payment order.
const ORDER_DIGITS_MIN: usize = 5;

/// Eight digits that begin with a century, or six: a date, if a wrong one.
fn may_be_date(value: &[u8]) -> bool {
    let digits = value.iter().all(u8::is_ascii_digit);
    digits && (value.len() == 6 || (value.len() == 8 && (value.starts_with(b"19") || value.starts_with(b"20"))))
}

/// Bytes as text: UTF-8 where they are, else Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> Text<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Text::Borrowed(text),
        Err(_) => Text::Owned(value::windows_1252(bytes)),
    }
}

#[inline(always)]
fn trim_end(bytes: &[u8]) -> &[u8] {
    match bytes.last() {
        Some(b' ' | b'\t' | b'\r' | b'\n') => bytes.trim_ascii_end(),
        _ => bytes,
    }
}

#[inline]
fn trim_text(text: Text<'_>) -> Option<Text<'_>> {
    let trimmed = match text {
        Text::Borrowed(text) if !text.ends_with([' ', '\t', '\r', '\n']) => {
            return (!text.is_empty()).then_some(Text::Borrowed(text));
        }
        Text::Borrowed(text) => Text::Borrowed(text.trim_ascii_end()),
        Text::Owned(text) => Text::Owned(text.trim_ascii_end().to_owned()),
    };
    (!trimmed.is_empty()).then_some(trimmed)
}
