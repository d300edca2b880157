//! Values of data elements: amounts with a comma or a point, and dates by their format. Pure functions of the bytes.

use chrono::NaiveDate;

use crate::{
    Currency, MoneyError, parse_minor,
    x12::value::{date as short_or_long_date, long_date},
};

/// Bytes of the longest amount read: 35 digits by the directories, with sign and mark.
const AMOUNT_MAX: usize = 40;

/// 5004 Monetary amount: digits with one decimal mark, a comma or a point, and perhaps a sign in front.
///
/// ISO 9735 knows no thousands separators. A mark that is not the one of UNA and stands before three digits may be one all the same, so
/// such an amount is refused rather than guessed.
pub(super) fn amount(text: &[u8], decimal_mark: u8, currency: Currency) -> Result<i64, MoneyError> {
    let not_a_number = || MoneyError::NotANumber(String::from_utf8_lossy(text).into_owned());
    let mut pointed = [0_u8; AMOUNT_MAX];
    let slot = pointed.get_mut(..text.len()).ok_or_else(not_a_number)?;
    for (to, from) in slot.iter_mut().zip(text) {
        *to = if *from == b',' { b'.' } else { *from };
    }
    if let Some(at) = text.iter().position(|byte| matches!(byte, b',' | b'.')) {
        let decimals = text.len().saturating_sub(at).saturating_sub(1);
        let announced = text.get(at) == Some(&decimal_mark);
        if !announced && decimals == 3 {
            return Err(not_a_number());
        }
    }
    parse_minor(slot, currency)
}

/// 2380 Date by 2379 Date/time/period format code; of a period its first day. The flag says that the century was inferred.
pub(super) fn date(text: &[u8], format: &str) -> Option<(NaiveDate, bool)> {
    let long = |length: usize| text.get(..8).filter(|_| text.len() >= length).and_then(long_date).map(|date| (date, false));
    let short = |text: &[u8]| (text.len() == 6).then(|| short_or_long_date(text)).flatten();
    match (format, text) {
        ("102", _) if text.len() == 8 => long(8),
        ("203" | "204" | "205" | "303" | "304" | "718" | "719", _) => long(9),
        ("101", _) => short(text),
        ("201" | "202" | "301" | "302", _) => text.get(..6).filter(|_| text.len() > 6).and_then(short),
        ("2", [d1, d2, m1, m2, y1, y2]) | ("3", [m1, m2, d1, d2, y1, y2]) => short(&[*y1, *y2, *m1, *m2, *d1, *d2]),
        ("4", [d1, d2, m1, m2, y1, y2, y3, y4]) => long_date(&[*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2]).map(|date| (date, false)),
        ("", _) => short_or_long_date(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_comma_or_a_point() {
        for (text, mark, currency, expected) in [
            ("1500.00", b'.', "EUR", Ok(150_000)),
            ("1500,00", b',', "EUR", Ok(150_000)),
            ("1500,5", b'.', "EUR", Ok(150_050)),
            ("-80", b'.', "EUR", Ok(-8_000)),
            ("+80.1", b'.', "EUR", Ok(8_010)),
            (",5", b',', "EUR", Ok(50)),
            ("1.250", b'.', "KWD", Ok(1_250)),
            ("12.500", b'.', "EUR", Ok(1_250)),
            ("1.250", b',', "EUR", Err(())),
            ("1,250", b'.', "KWD", Err(())),
            ("1.250,00", b',', "EUR", Err(())),
            ("80-", b'.', "EUR", Err(())),
            ("8O", b'.', "EUR", Err(())),
            ("12.505", b'.', "EUR", Err(())),
            ("", b'.', "EUR", Err(())),
            ("0000000000000000000000000000000000000000000000001", b'.', "EUR", Err(())),
        ] {
            let currency = Currency::parse(currency).expect("a currency");
            assert_eq!(amount(text.as_bytes(), mark, currency).map_err(|_| ()), expected, "{text} {currency}");
        }
    }

    #[test]
    fn dates_have_a_format() {
        for (text, format, expected) in [
            ("20261120", "102", Some(("2026-11-20", false))),
            ("202611200930", "203", Some(("2026-11-20", false))),
            ("20261120093000", "204", Some(("2026-11-20", false))),
            ("202611200930UTC", "303", Some(("2026-11-20", false))),
            ("20261120-20261130", "718", Some(("2026-11-20", false))),
            ("261120", "101", Some(("2026-11-20", true))),
            ("2611200930", "201", Some(("2026-11-20", true))),
            ("201126", "2", Some(("2026-11-20", true))),
            ("112026", "3", Some(("2026-11-20", true))),
            ("20112026", "4", Some(("2026-11-20", false))),
            ("20261120", "", Some(("2026-11-20", false))),
            ("261120", "", Some(("2026-11-20", true))),
            ("20261131", "102", None),
            ("2026112009", "102", None),
            ("261120", "102", None),
            ("20261120", "203", None),
            ("47", "616", None),
            ("", "102", None),
        ] {
            let found = date(text.as_bytes(), format).map(|(date, inferred)| (date.to_string(), inferred));
            assert_eq!(found, expected.map(|(date, inferred)| (date.to_owned(), inferred)), "{text} {format}");
        }
    }
}
