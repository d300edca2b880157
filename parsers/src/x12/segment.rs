//! One segment as its reader sees it: elements by number, typed, with findings that name the exact place.
//!
//! Nothing is copied: elements are slices of the bytes being read.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    delimiters::Delimiters,
    id::SegmentId,
    lexer::{Separators, Span},
    output::Output,
    place::Origin,
    value,
};
use crate::{
    Account, Currency, Effect, Finding, FindingCode, Location, Money, MoneyError, Severity, Tag, Text, mask, money, parse_minor,
};

/// What all segments of a set share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'w, 's> {
    /// The bytes that spans and separators count in.
    pub bytes: &'w [u8],
    /// The set as text, when all of it is UTF-8, and where it begins in `bytes`.
    pub text: Option<(&'w str, usize)>,
    pub delimiters: &'s Delimiters,
    pub origin: Origin<'s>,
    pub separators: &'s Separators,
    /// Six-digit dates are out of date (version 004010 and later).
    pub long_dates: bool,
}

/// Where an element begins and ends.
pub(crate) type Stretch = (u32, u32);

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'w, 's> {
    context: &'s Context<'w, 's>,
    span: &'s Span,
    /// Element separators among its first 64 bytes. Each byte from its end on counts as one, so that the last element needs no other look
    /// than the others, and one that is absent is empty.
    separators: u64,
    ordinal: u32,
}

impl<'w, 's> Segment<'w, 's> {
    #[inline(always)]
    pub(crate) fn new(context: &'s Context<'w, 's>, span: &'s Span, ordinal: u32) -> Self {
        let separators = context.separators.from(span.start) | !first_bits(span.end.wrapping_sub(span.start));
        Self { context, span, separators, ordinal }
    }

    /// The tag, such as `RMR`.
    #[inline(always)]
    pub fn tag(&self) -> &'w [u8] {
        let end = if self.is_near(0) {
            self.span.start.wrapping_add(self.separators.trailing_zeros())
        } else {
            self.separator(1).unwrap_or(self.span.end)
        };
        let tag = self.context.bytes.get(self.span.start as usize..end as usize).unwrap_or_default();
        trim_end(tag)
    }

    /// The tag as a number, for the decision what to do with the segment.
    #[inline(always)]
    pub(crate) fn id(&self) -> SegmentId {
        if self.span.id == SegmentId::OTHER { self.id_without_blanks() } else { self.span.id }
    }

    #[cold]
    fn id_without_blanks(&self) -> SegmentId {
        SegmentId::of(self.tag())
    }

    /// How many elements follow the tag.
    pub fn elements(&self) -> usize {
        self.separators_before(self.span.end)
    }

    /// How many element separators stand before a position.
    pub(crate) fn separators_before(&self, position: u32) -> usize {
        let words = (self.span.start..self.span.end.min(position)).step_by(64);
        let bits = words.map(|at| self.context.separators.from(at) & first_bits(self.span.end.min(position).wrapping_sub(at)));
        bits.map(|bits| bits.count_ones() as usize).sum()
    }

    /// Where separator `n` stands, counted from 1, however long the segment is.
    #[inline(never)]
    fn separator(&self, n: usize) -> Option<u32> {
        let mut left = n.checked_sub(1)?;
        for at in (self.span.start..self.span.end).step_by(64) {
            let mut bits = self.context.separators.from(at) & first_bits(self.span.end.wrapping_sub(at));
            let held = bits.count_ones() as usize;
            if left < held {
                (0..left).for_each(|_| bits &= bits.wrapping_sub(1));
                return Some(at.wrapping_add(bits.trailing_zeros()));
            }
            left = left.wrapping_sub(held);
        }
        None
    }

    /// Begin and end of element `n`, counted from 1.
    #[inline(always)]
    fn bounds(&self, n: usize) -> Option<(usize, usize)> {
        if n == 0 || !self.is_near(n) {
            return self.bounds_far(n);
        }
        let mut separators = self.separators;
        for _ in 1..n {
            separators &= separators.wrapping_sub(1);
        }
        let from = self.span.start.wrapping_add(separators.trailing_zeros()).wrapping_add(1);
        separators &= separators.wrapping_sub(1);
        let to = self.span.start.wrapping_add(separators.trailing_zeros());
        (from <= self.span.end).then_some((from as usize, to as usize))
    }

    /// Whether the bits of [`Segment::separators`] are enough for so many elements.
    #[inline(always)]
    fn is_near(&self, elements: usize) -> bool {
        (self.span.end.wrapping_sub(self.span.start) as usize).saturating_add(elements) < u64::BITS as usize
    }

    /// The same where the segment is long.
    #[inline(never)]
    fn bounds_far(&self, n: usize) -> Option<(usize, usize)> {
        let from = self.separator(n)?.wrapping_add(1);
        let to = self.separator(n.saturating_add(1)).unwrap_or(self.span.end);
        Some((from as usize, to as usize))
    }

    /// Begin and end of the first elements; what is absent is empty.
    #[inline(always)]
    pub(crate) fn stretches<const N: usize>(&self) -> [Stretch; N] {
        if !self.is_near(N) {
            return self.stretches_far();
        }
        let mut separators = self.separators;
        let mut from = self.span.start.wrapping_add(separators.trailing_zeros()).wrapping_add(1);
        [(); N].map(|()| {
            separators &= separators.wrapping_sub(1);
            let to = self.span.start.wrapping_add(separators.trailing_zeros());
            let stretch = (from, to);
            from = to.wrapping_add(1);
            stretch
        })
    }

    /// The same where the segment is long.
    #[inline(never)]
    fn stretches_far<const N: usize>(&self) -> [Stretch; N] {
        let mut stretches = [(self.span.end.wrapping_add(1), self.span.end); N];
        let mut from = None;
        let mut open = stretches.iter_mut();
        for at in (self.span.start..self.span.end).step_by(64) {
            let mut separators = self.context.separators.from(at) & first_bits(self.span.end.wrapping_sub(at));
            while separators != 0 {
                let to = at.wrapping_add(separators.trailing_zeros());
                if let Some(from) = from {
                    let Some(stretch) = open.next() else { return stretches };
                    *stretch = (from, to);
                }
                from = Some(to.wrapping_add(1));
                separators &= separators.wrapping_sub(1);
            }
        }
        if let (Some(from), Some(stretch)) = (from, open.next()) {
            *stretch = (from, self.span.end);
        }
        stretches
    }

    /// Bytes that [`Segment::stretches`] gave, without trailing blanks.
    #[inline(always)]
    pub(crate) fn value_in(&self, (from, to): Stretch) -> &'w [u8] {
        trim_end(self.context.bytes.get(from as usize..to as usize).unwrap_or_default())
    }

    /// The same as text; nothing when absent or blank.
    #[inline(always)]
    pub(crate) fn text_in(&self, stretch: Stretch) -> Option<Text<'w>> {
        match self.context.text {
            Some(text) => plain_text(text, stretch),
            None => self.decoded_text_in(stretch),
        }
    }

    /// The set as text, when all of it is UTF-8, and where it begins.
    #[inline(always)]
    pub(crate) fn set_text(&self) -> Option<(&'w str, usize)> {
        self.context.text
    }

    /// Whether two short elements are written alike; false where it is not known at once.
    #[inline(always)]
    pub(crate) fn are_alike(&self, one: Stretch, two: Stretch) -> bool {
        value::short(self.context.bytes, one).is_some_and(|text| value::short(self.context.bytes, two) == Some(text))
    }

    /// Whether an element that [`Segment::stretches`] gave is there, if perhaps empty.
    pub(crate) fn holds(&self, (from, _): Stretch) -> bool {
        from <= self.span.end
    }

    #[cold]
    fn decoded_text_in(&self, (from, to): Stretch) -> Option<Text<'w>> {
        trim_text(decode(self.context.bytes.get(from as usize..to as usize).unwrap_or_default()))
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
        let (from, to) = self.bounds(n)?;
        self.text_in((from as u32, to as u32))
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
        Location {
            tag: self.location_tag(),
            ..self.context.origin.location(self.span.start as usize, self.span.line, Some(self.ordinal))
        }
    }

    /// The same where the caller knows the tag.
    #[inline(always)]
    pub(crate) fn location_of_tag(&self, id: SegmentId) -> Location {
        Location { tag: id.tag(), ..self.context.origin.location(self.span.start as usize, self.span.line, Some(self.ordinal)) }
    }

    /// Where element `n` begins.
    pub fn location_of(&self, n: usize) -> Location {
        let from = self.bounds(n).map_or(self.span.end, |(from, _)| from as u32);
        self.location_in((from, self.span.end), n)
    }

    /// The same for element `n` where [`Segment::stretches`] found it.
    #[inline(always)]
    pub(crate) fn location_in(&self, (from, _): Stretch, n: usize) -> Location {
        let position = from.min(self.span.end) as usize;
        let place = self.context.origin.location(position, self.span.line, Some(self.ordinal));
        Location { element: u16::try_from(n).ok(), tag: self.location_tag(), ..place }
    }

    #[inline(always)]
    fn location_tag(&self) -> Option<Tag> {
        self.span.id.tag().or_else(|| self.odd_tag())
    }

    #[cold]
    fn odd_tag(&self) -> Option<Tag> {
        Some(self.tag()).filter(|tag| !tag.is_empty()).map(Tag::new)
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
        self.amount_in((from as u32, to as u32), n, currency, effect, out)
    }

    /// The same for element `n` where [`Segment::stretches`] found it.
    #[inline(always)]
    pub(crate) fn amount_in(
        &self,
        (from, to): Stretch,
        n: usize,
        currency: Currency,
        effect: Effect,
        out: &mut Output<'w>,
    ) -> Option<Money> {
        if from >= to {
            return None;
        }
        let minor = match value::plain_decimal(self.context.bytes, from as usize, to as usize, currency) {
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
        let (from, to) = self.bounds(n).unwrap_or_default();
        self.required_amount_in((from as u32, to as u32), n, currency, effect, out)
    }

    /// The same for element `n` where [`Segment::stretches`] found it.
    pub(crate) fn required_amount_in(
        &self,
        stretch: Stretch,
        n: usize,
        currency: Currency,
        effect: Effect,
        out: &mut Output<'w>,
    ) -> Option<Money> {
        if self.value_in(stretch).is_empty() {
            self.missing(n, "an amount", effect, out);
            return None;
        }
        self.amount_in(stretch, n, currency, effect, out)
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
        let (from, to) = self.bounds(n)?;
        self.date_in((from as u32, to as u32), n, effect, out)
    }

    /// The same for element `n` where [`Segment::stretches`] found it.
    #[inline(always)]
    pub(crate) fn date_in(&self, stretch: Stretch, n: usize, effect: Effect, out: &mut Output<'w>) -> Option<NaiveDate> {
        let text = self.value_in(stretch);
        if text.is_empty() {
            return None;
        }
        match out.tally.dates.read(text) {
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

/// An element of a set that is UTF-8, without trailing blanks; nothing when absent or blank. For the hot places: a text that may have been
/// decoded is handed over through memory, which costs more than finding it.
#[inline(always)]
pub(crate) fn plain_text<'w>((text, start): (&'w str, usize), (from, to): Stretch) -> Option<Text<'w>> {
    let text = text.get((from as usize).wrapping_sub(start)..(to as usize).wrapping_sub(start))?;
    match text.as_bytes().last()? {
        b'!'.. => Some(Text::Borrowed(text)),
        _ => Some(text.trim_ascii_end()).filter(|text| !text.is_empty()).map(Text::Borrowed),
    }
}

/// The lowest bits, all of them from 64 on.
#[inline(always)]
fn first_bits(count: u32) -> u64 {
    if count < u64::BITS { 1_u64.wrapping_shl(count).wrapping_sub(1) } else { u64::MAX }
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
