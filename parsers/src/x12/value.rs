//! Values of X12 data elements: decimals, implied decimals, dates. Pure functions of the bytes.

use chrono::NaiveDate;

use crate::{Currency, MoneyError, money::bounded, parse_minor};

/// Six-digit years below this are of this century, the others of the last.
const CENTURY_WINDOW: u32 = 50;

/// The everyday amount: up to eight digits, a point and two decimals, in minor units of a currency with two decimals.
///
/// The text is `bytes[from..to]`. Nothing means that [`parse_minor`] must judge. The value stays in registers, which is why this is not a `Result`.
#[inline(always)]
pub(crate) fn plain_decimal(bytes: &[u8], from: usize, to: usize, currency: Currency) -> Option<i64> {
    if currency != Currency::USD && currency.exponent() != 2 {
        return None;
    }
    let tail = u64::from_le_bytes(*bytes.get(to.checked_sub(8)?..to)?.first_chunk::<8>()?);
    let negative = bytes.get(from) == Some(&b'-');
    let first = from.wrapping_add(usize::from(negative));
    let length = to.wrapping_sub(first);
    if tail.wrapping_shr(40) as u8 != b'.' {
        return None;
    }
    let minor = if (4..=8).contains(&length) {
        // The whole part moves on to the place of the point, so that all digits stand together; zeros take the place of what is before.
        let digits = tail & !0xffff_ffff_ffff | tail.wrapping_shl(8) & 0xffff_ffff_ff00;
        let before = u64::MAX.wrapping_shr((length.wrapping_sub(1)).wrapping_mul(8) as u32);
        u64::from(eight_digits((digits & !before | ZEROS & before).to_le_bytes())?)
    } else {
        let cents = (tail & !0xffff_ffff_ffff | ZEROS & 0xffff_ffff_ffff).to_le_bytes();
        let whole = few_digits(bytes, first, to.wrapping_sub(3))?;
        u64::from(whole).wrapping_mul(100).wrapping_add(u64::from(eight_digits(cents)?))
    };
    let minor = minor.cast_signed();
    Some(if negative { minor.wrapping_neg() } else { minor })
}

/// A text of one to eight bytes as a number.
#[inline(always)]
pub(crate) fn short(bytes: &[u8], (from, to): (u32, u32)) -> Option<u64> {
    let (to, length) = (to as usize, to.wrapping_sub(from));
    let tail = bytes.get(to.checked_sub(8)?..to)?.first_chunk::<8>()?;
    let before = 64_u32.wrapping_sub(length.wrapping_mul(8));
    (1..=8).contains(&length).then(|| u64::from_le_bytes(*tail).wrapping_shr(before))
}

/// Eight digits `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// One to eight digits, `bytes[from..to]`; what stands before them is read too, and masked. Nothing for anything else.
#[inline(always)]
pub(crate) fn few_digits(bytes: &[u8], from: usize, to: usize) -> Option<u32> {
    let window = bytes.get(to.checked_sub(8)?..to)?.first_chunk::<8>()?;
    let length = to.wrapping_sub(from);
    if !(1..=8).contains(&length) {
        return None;
    }
    // The digits are the last bytes of the window; zeros take the place of what stands before them.
    let before = u64::MAX.checked_shr(length.wrapping_mul(8) as u32).unwrap_or(0);
    let raw = (u64::from_le_bytes(*window) & !before) | (0x3030_3030_3030_3030 & before);
    eight_digits(raw.to_le_bytes())
}

/// Eight digits at once: pairs, then fours, then the whole, each in one multiplication.
#[inline]
pub(crate) fn eight_digits(text: [u8; 8]) -> Option<u32> {
    let raw = u64::from_le_bytes(text);
    let value = raw.wrapping_sub(0x3030_3030_3030_3030);
    let over = value.wrapping_add(0x7676_7676_7676_7676);
    if (value | over) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = value.wrapping_mul(10).wrapping_add(value >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let whole = fours.wrapping_mul(10_000).wrapping_add(fours >> 32);
    Some(whole as u32)
}

/// Reads type Nn (implied decimal point): an integer whose last `decimals` digits are decimals. The flag says that a point was
/// written all the same; it then decides.
pub(crate) fn implied(text: &[u8], decimals: u32, currency: Currency) -> Result<(i64, bool), MoneyError> {
    if text.contains(&b'.') {
        return parse_minor(text, currency).map(|minor| (minor, true));
    }
    let not_a_number = || MoneyError::NotANumber(String::from_utf8_lossy(text).into_owned());
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(if text.is_empty() { MoneyError::Empty } else { not_a_number() });
    }
    let mut units: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(not_a_number());
        }
        units = units.checked_mul(10).and_then(|units| units.checked_add(i64::from(digit))).ok_or(MoneyError::TooLarge)?;
    }
    let exponent = currency.exponent();
    for _ in decimals..exponent {
        units = units.checked_mul(10).ok_or(MoneyError::TooLarge)?;
    }
    for _ in exponent..decimals {
        if units % 10 != 0 {
            return Err(MoneyError::TooManyDecimals { found: decimals as usize, allowed: exponent, currency });
        }
        units /= 10;
    }
    bounded(if negative { units.wrapping_neg() } else { units }).map(|minor| (minor, false))
}

/// Reads a whole number without sign.
pub(crate) fn count(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// A date of eight digits.
#[inline(always)]
pub(crate) fn long_date(text: &[u8]) -> Option<NaiveDate> {
    let text = <[u8; 8]>::try_from(text).ok()?;
    calendar(eight_digits(text)?)
}

/// Dates of eight digits that were read before: those of a file are few, and finding one takes less than computing it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    known: Vec<(u64, Option<NaiveDate>)>,
    /// Dates computed before any were kept: a short text has too few of them.
    computed: u32,
}

/// Dates kept: each month and day has its own place.
const KEPT: usize = 512;
/// Dates that a text must have for that.
const MANY: u32 = 64;

impl Dates {
    /// The same as [`long_date`].
    #[inline(always)]
    pub fn read(&mut self, text: &[u8]) -> Option<NaiveDate> {
        let digits = <[u8; 8]>::try_from(text).ok()?;
        let number = u64::from_le_bytes(digits);
        // Month and day, two digits each, in one step.
        let month_day = number.wrapping_shr(32) & 0x0f0f_0f0f;
        let pairs = month_day.wrapping_mul(10).wrapping_add(month_day.wrapping_shr(8));
        let index = pairs & 0x0f | pairs.wrapping_shr(12) & 0x1f0;
        match self.known.get(index as usize) {
            Some((known, date @ Some(_))) if *known == number => *date,
            _ => self.compute(digits, index as usize),
        }
    }

    #[inline(never)]
    fn compute(&mut self, digits: [u8; 8], index: usize) -> Option<NaiveDate> {
        let date = long_date(&digits);
        self.computed = self.computed.saturating_add(1);
        if self.computed == MANY {
            self.known.resize(KEPT, (0, None));
        }
        if let Some(slot) = self.known.get_mut(index) {
            *slot = (u64::from_le_bytes(digits), date);
        }
        date
    }
}

/// A date, and whether its century was inferred.
pub(crate) fn date(text: &[u8]) -> Option<(NaiveDate, bool)> {
    if text.len() != 6 {
        return long_date(text).map(|date| (date, false));
    }
    let number = u32::try_from(count(text)?).ok()?;
    let century = if number / 10_000 < CENTURY_WINDOW { 20_000_000 } else { 19_000_000 };
    calendar(number.wrapping_add(century)).map(|date| (date, true))
}

#[inline(always)]
fn calendar(number: u32) -> Option<NaiveDate> {
    let (year, month_day) = ((number / 10_000).cast_signed(), number % 10_000);
    NaiveDate::from_ymd_opt(year, month_day / 100, month_day % 100)
}

/// Decodes Windows-1252, which covers what senders mean when their text is not UTF-8; its five unassigned bytes become U+FFFD.
pub(crate) fn windows_1252(bytes: &[u8]) -> String {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    let decode = |byte: &u8| match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte.wrapping_sub(0x80))).copied().unwrap_or('\u{fffd}'),
        _ => char::from(*byte),
    };
    bytes.iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_amounts_take_the_short_way() {
        for (text, expected) in [
            ("0.00", 0),
            ("-3017.91", -301_791),
            ("12345678.99", 1_234_567_899),
            ("1.05", 105),
            ("-9.90", -990),
            ("99999.99", 9_999_999),
        ] {
            assert_eq!(plain(text, "USD"), Some(expected), "{text}");
            assert_eq!(parse_minor(text.as_bytes(), Currency::USD), Ok(expected), "{text}");
        }
        for (text, currency) in [
            ("1.00", "JPY"),
            ("1.2x", "USD"),
            ("1x.20", "USD"),
            ("12x.20", "USD"),
            ("1234567.2x", "USD"),
            ("1234567x.20", "USD"),
            ("123456789.00", "USD"),
            (".50", "USD"),
            ("-.50", "USD"),
            ("12", "USD"),
            ("1,200.50", "USD"),
            ("--1.00", "USD"),
        ] {
            assert_eq!(plain(text, currency), None, "{text}");
        }
    }

    /// The text as the last element of a segment.
    fn plain(text: &str, currency: &str) -> Option<i64> {
        let segment = format!("RMR*IV*1234567890**{text}");
        let currency = Currency::parse(currency).expect("a currency");
        plain_decimal(segment.as_bytes(), segment.len() - text.len(), segment.len(), currency)
    }

    #[test]
    fn dates_are_the_same_from_memory() {
        let mut dates = Dates::default();
        for _ in 0..3 {
            for text in ["2026", "2025", "1999"].iter().flat_map(|year| (0..=1340).map(move |day| format!("{year}{day:04}"))) {
                assert_eq!(dates.read(text.as_bytes()), long_date(text.as_bytes()), "{text}");
            }
        }
        for text in ["", "2026010", "202601010", "2026O101", "2026/101", "20260?11"] {
            assert_eq!(dates.read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn short_texts_are_numbers() {
        let bytes = b"RMR*IV*12.50*12.50*112.50*12.50";
        let at = |text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("there") as u32;
        let first = short(bytes, (at("12.50"), at("12.50") + 5));
        assert_eq!(first, short(bytes, (26, 31)));
        assert_eq!(first, Some(u64::from_le_bytes(*b"12.50\0\0\0")));
        assert_ne!(first, short(bytes, (19, 25)));
        assert_eq!(
            (short(bytes, (9, 9)), short(bytes, (9, 18)), short(bytes, (0, 3)), short(bytes, (30, 33))),
            (None, None, None, None)
        );
    }

    #[test]
    fn implied_decimals_and_written_points() {
        let kwd = Currency::parse("KWD").expect("a currency");
        let jpy = Currency::parse("JPY").expect("a currency");
        for (text, currency, expected) in [
            ("14400", Currency::USD, Ok((14_400, false))),
            ("5", Currency::USD, Ok((5, false))),
            ("-301791", Currency::USD, Ok((-301_791, false))),
            ("144.00", Currency::USD, Ok((14_400, true))),
            ("14400", kwd, Ok((144_000, false))),
            ("14400", jpy, Ok((144, false))),
            ("14450", jpy, Err(())),
            ("", Currency::USD, Err(())),
            ("-", Currency::USD, Err(())),
            ("12A", Currency::USD, Err(())),
            ("99999999999999999999", Currency::USD, Err(())),
        ] {
            assert_eq!(implied(text.as_bytes(), 2, currency).map_err(|_| ()), expected, "{text} {currency}");
        }
    }

    #[test]
    fn dates_of_six_and_eight_digits() {
        for (text, expected) in [
            ("20250131", Some(("2025-01-31", false))),
            ("250131", Some(("2025-01-31", true))),
            ("990131", Some(("1999-01-31", true))),
            ("491231", Some(("2049-12-31", true))),
            ("500101", Some(("1950-01-01", true))),
            ("20250229", None),
            ("20251301", None),
            ("1180913", None),
            ("CCYYMMDD", None),
            ("2025013:", None),
            ("2025/131", None),
            ("", None),
        ] {
            let found = date(text.as_bytes()).map(|(date, inferred)| (date.to_string(), inferred));
            assert_eq!(found, expected.map(|(date, inferred)| (date.to_owned(), inferred)), "{text}");
        }
    }

    #[test]
    fn bytes_outside_utf_8_become_letters() {
        assert_eq!(windows_1252(b"CAF\xc9 \x80 \x81"), "CAFÉ € \u{fffd}");
    }
}
