//! Values of SWIFT fields: amounts with a decimal comma and dates of six digits. Pure functions of the bytes.

use chrono::NaiveDate;

use crate::{AMOUNT_MINOR_MAX, Currency, MoneyError, parse_minor, x12::value::count};

/// Bytes of the longest amount read: 15d by the book, leading zeros in the wild.
const AMOUNT_MAX: usize = 40;

/// Two-digit years below this are of this century, the others of the last.
const CENTURY_WINDOW: u64 = 80;

/// Type d: digits with one decimal comma, `120,` and `,50` included. Amounts without a comma are seen and read as whole units.
pub(super) fn amount(text: &[u8], currency: Currency) -> Result<i64, MoneyError> {
    match plain_amount(text, currency) {
        Some(minor) => Ok(minor),
        None => any_amount(text, currency),
    }
}

/// The everyday amount: up to thirteen digits, a comma and two decimals of a currency that has two.
#[inline]
fn plain_amount(text: &[u8], currency: Currency) -> Option<i64> {
    let [whole @ .., b',', tens, ones] = text else { return None };
    let two_decimals = currency == Currency::EUR || currency.exponent() == 2;
    if !(1..=13).contains(&whole.len()) || !two_decimals {
        return None;
    }
    let mut minor: i64 = 0;
    for byte in whole.iter().chain([tens, ones]) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Fifteen digits fit.
        minor = minor.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    (minor <= AMOUNT_MINOR_MAX).then_some(minor)
}

fn any_amount(text: &[u8], currency: Currency) -> Result<i64, MoneyError> {
    let not_a_number = || MoneyError::NotANumber(String::from_utf8_lossy(text).into_owned());
    let mut pointed = [0_u8; AMOUNT_MAX];
    let slot = pointed.get_mut(..text.len()).ok_or_else(not_a_number)?;
    for (to, from) in slot.iter_mut().zip(text) {
        *to = match from {
            b'0'..=b'9' => *from,
            b',' => b'.',
            _ => return Err(not_a_number()),
        };
    }
    parse_minor(slot, currency)
}

/// A date of six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// As written.
    Exact(NaiveDate),
    /// A day that its month does not have, such as 30 February in interest postings: the last day of the month.
    Clamped(NaiveDate),
    /// No date.
    None,
}

impl Day {
    pub fn date(self) -> Option<NaiveDate> {
        match self {
            Self::Exact(date) | Self::Clamped(date) => Some(date),
            Self::None => None,
        }
    }
}

/// The date read last: those of a statement are mostly one.
#[derive(Debug)]
pub(super) struct Days {
    text: [u8; 6],
    day: Day,
}

impl Default for Days {
    fn default() -> Self {
        Self { text: [0; 6], day: Day::None }
    }
}

impl Days {
    /// YYMMDD.
    #[inline]
    pub fn day(&mut self, text: &[u8]) -> Day {
        if text != self.text {
            let Ok(known) = <[u8; 6]>::try_from(text) else { return Day::None };
            *self = Self { text: known, day: day(text) };
        }
        self.day
    }
}

/// YYMMDD.
pub(super) fn day(text: &[u8]) -> Day {
    let Some(number) = count(text).filter(|_| text.len() == 6) else { return Day::None };
    let year = number / 10_000;
    let century = if year < CENTURY_WINDOW { 2000 } else { 1900 };
    let (Ok(year), Ok(month), Ok(day)) =
        (i32::try_from(year.saturating_add(century)), u32::try_from(number / 100 % 100), u32::try_from(number % 100))
    else {
        return Day::None;
    };
    if let Some(date) = NaiveDate::from_ymd_opt(year, month, day) {
        return Day::Exact(date);
    }
    if !(29..=31).contains(&day) {
        return Day::None;
    }
    let last = (28..day).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
    last.map_or(Day::None, Day::Clamped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_decimal_comma() {
        for (text, currency, expected) in [
            ("1500,00", "EUR", Ok(150_000)),
            ("120,", "EUR", Ok(12_000)),
            (",50", "EUR", Ok(50)),
            ("0,", "CHF", Ok(0)),
            ("500", "EUR", Ok(50_000)),
            ("000000001213,28", "EUR", Ok(121_328)),
            ("150,", "JPY", Ok(150)),
            ("1.500,00", "EUR", Err(())),
            ("1,500,00", "EUR", Err(())),
            ("15O,00", "EUR", Err(())),
            ("", "EUR", Err(())),
            (",", "EUR", Err(())),
            ("1,234", "EUR", Err(())),
            ("10000000000000,00", "EUR", Ok(1_000_000_000_000_000)),
            ("10000000000000,01", "EUR", Err(())),
            ("99999999999999999999,00", "EUR", Err(())),
        ] {
            let currency = Currency::parse(currency).expect("a currency");
            assert_eq!(amount(text.as_bytes(), currency).map_err(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn dates_of_six_digits() {
        let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a date");
        let mut days = Days::default();
        for (text, expected) in [
            ("261119", Day::Exact(date(2026, 11, 19))),
            ("991231", Day::Exact(date(1999, 12, 31))),
            ("160230", Day::Clamped(date(2016, 2, 29))),
            ("150230", Day::Clamped(date(2015, 2, 28))),
            ("150431", Day::Clamped(date(2015, 4, 30))),
            ("151301", Day::None),
            ("150200", Day::None),
            ("150232", Day::None),
            ("26XX19", Day::None),
            ("2611", Day::None),
        ] {
            assert_eq!(day(text.as_bytes()), expected, "{text}");
            assert_eq!(days.day(text.as_bytes()), expected, "{text}");
            assert_eq!(days.day(text.as_bytes()), expected, "{text}");
        }
    }
}
