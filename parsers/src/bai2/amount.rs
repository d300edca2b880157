//! Amounts of BAI2: whole minor units with an optional sign, up to 15 digits and more.

use crate::{Currency, MoneyError, money::bounded, x12::value::implied};

/// An amount in minor units; the flag says that a decimal point was written, which then decides.
#[inline]
pub(super) fn read(text: &[u8], currency: Currency) -> Result<(i64, bool), MoneyError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return implied(text, currency.exponent(), currency);
    }
    let mut minor: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return implied(text, currency.exponent(), currency);
        }
        // Eighteen digits fit.
        minor = minor.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    bounded(if negative { minor.wrapping_neg() } else { minor }).map(|minor| (minor, false))
}

/// A control total: a whole number with an optional sign; nothing when blank.
pub(super) fn total(text: &[u8]) -> Option<Result<i128, ()>> {
    if text.is_empty() {
        return None;
    }
    let number = std::str::from_utf8(text).ok().filter(|text| text.len() <= 38);
    let plain = number.filter(|text| text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit()));
    Some(plain.and_then(|text| text.parse().ok()).ok_or(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_signs_and_leading_zeros() {
        for (text, expected) in [
            ("+000000000208500", Ok((208_500, false))),
            ("-3500", Ok((-3500, false))),
            ("00", Ok((0, false))),
            ("+001000000000000000", Ok((1_000_000_000_000_000, false))),
            ("-001000000000000001", Err(())),
            ("9223372036854775807", Err(())),
            ("10000000000000.01", Err(())),
            ("12.34", Ok((1234, true))),
            ("14000O", Err(())),
            ("", Err(())),
            ("-", Err(())),
        ] {
            assert_eq!(read(text.as_bytes(), Currency::USD).map_err(|_| ()), expected, "{text}");
        }
        assert_eq!(total(b"-12"), Some(Ok(-12)));
        assert_eq!(total(b""), None);
        assert_eq!(total(b"1-2"), Some(Err(())));
    }
}
