//! Amounts as people and spreadsheets write them: thousands marks, decimal comma or point, brackets, trailing signs, currency marks.
//!
//! Nothing is guessed: a text that could mean two amounts is refused.

use super::sheet::DecimalSign;
use crate::{Currency, parse_minor};

/// An amount in minor units and what stood beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    pub minor: i64,
    /// `CR` or `DR` stood behind it: its sign is for the reader of the document to give.
    pub mark: Option<Mark>,
}

/// A credit or debit mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Credit,
    Debit,
}

/// Reads an amount; the error says what was expected.
pub(super) fn parse(text: &str, currency: Currency, sign: DecimalSign) -> Result<Amount, String> {
    if let Some(minor) = everyday(text, currency, sign) {
        return Ok(Amount { minor, mark: None });
    }
    let (text, mark) = without_mark(text.trim());
    let mut negative = false;
    let mut text = text;
    if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        negative = true;
        text = inner.trim();
    }
    text = without_currency(text, currency)?;
    if let Some(rest) = text.strip_suffix('-').or_else(|| text.strip_prefix(['-', '\u{2212}'])) {
        if std::mem::replace(&mut negative, true) {
            return Err(format!("an amount of {currency} with one sign"));
        }
        text = rest.trim();
    } else if let Some(rest) = text.strip_prefix('+') {
        text = rest.trim();
    }
    if negative && mark.is_some() {
        return Err(format!("an amount of {currency} with one sign"));
    }
    // `-$5.00`: the sign may stand before the currency.
    text = without_currency(text, currency)?;
    let digits = plain_digits(text, currency, sign)?;
    let minor = parse_minor(digits.as_bytes(), currency).map_err(|error| format!("an amount of {currency} ({error})"))?;
    Ok(Amount { minor: if negative { minor.saturating_neg() } else { minor }, mark })
}

/// Digits, a point and two decimals, which need no closer look unless the point may part thousands.
fn everyday(text: &str, currency: Currency, sign: DecimalSign) -> Option<i64> {
    let [whole @ .., b'.', tens, ones] = text.as_bytes() else { return None };
    let digits = whole.strip_prefix(b"-").unwrap_or(whole);
    let is_plain = !digits.is_empty() && digits.iter().chain([tens, ones]).all(u8::is_ascii_digit);
    if is_plain && sign != DecimalSign::Comma { parse_minor(text.as_bytes(), currency).ok() } else { None }
}

fn without_mark(text: &str) -> (&str, Option<Mark>) {
    let ending = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    match ending {
        Some((rest, end)) if end.eq_ignore_ascii_case("CR") => (rest.trim_end(), Some(Mark::Credit)),
        Some((rest, end)) if end.eq_ignore_ascii_case("DR") => (rest.trim_end(), Some(Mark::Debit)),
        _ => (text, None),
    }
}

/// Takes the mark of the currency off; that of another one is refused.
fn without_currency(text: &str, currency: Currency) -> Result<&str, String> {
    let other = |found: &str| Err(format!("an amount of {currency}, not of {found}"));
    for (symbol, codes) in [("$", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"][..]), ("€", &["EUR"]), ("£", &["GBP"])] {
        if let Some(rest) = text.strip_prefix(symbol).or_else(|| text.strip_suffix(symbol)) {
            return if codes.contains(&currency.as_str()) { Ok(rest.trim()) } else { other(symbol) };
        }
    }
    let ends = [text.get(..3).zip(text.get(3..)), text.len().checked_sub(3).and_then(|at| text.get(at..).zip(text.get(..at)))];
    for (code, rest) in ends.into_iter().flatten() {
        let is_code = code.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code && !rest.contains(|letter: char| letter.is_alphabetic()) {
            return if code == currency.as_str() { Ok(rest.trim()) } else { other(code) };
        }
    }
    Ok(text)
}

/// The digits with a decimal point and no thousands marks.
fn plain_digits(text: &str, currency: Currency, sign: DecimalSign) -> Result<String, String> {
    let wrong =
        || format!("an amount of {currency}, such as {}", if sign == DecimalSign::Comma { "1.234,56" } else { "1,234.56" });
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only && !text.is_empty() {
        return Ok(text.to_owned());
    }
    let decimal = match sign {
        DecimalSign::Point => '.',
        DecimalSign::Comma => ',',
        DecimalSign::Auto => decimal_of(text, currency)?,
    };
    let mut parts = text.split(decimal);
    let (whole, decimals) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() || decimals.is_some_and(|digits| !digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(wrong());
    }
    let marks: &[char] = if decimal == '.' {
        &[',', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}']
    } else {
        &['.', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}']
    };
    let mut digits = String::with_capacity(text.len());
    let used = whole.chars().find(|letter| marks.contains(letter));
    for (index, group) in whole.split(used.unwrap_or(decimal)).enumerate() {
        let fits = match (used, index) {
            (None, _) => !group.is_empty() || decimals.is_some_and(|digits| !digits.is_empty()),
            (Some(_), 0) => (1..=3).contains(&group.len()),
            (Some(_), _) => group.len() == 3,
        };
        if !fits || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        digits.push_str(group);
    }
    if let Some(decimals) = decimals.filter(|digits| !digits.is_empty()) {
        digits.push('.');
        digits.push_str(decimals);
    }
    if digits.starts_with('.') {
        digits.insert(0, '0');
    }
    Ok(digits)
}

/// Which of the signs in a text parts the decimals: the later of two kinds, or one that cannot be a thousands mark.
fn decimal_of(text: &str, currency: Currency) -> Result<char, String> {
    let other = |sign| if sign == '.' { ',' } else { '.' };
    let (point, comma) = (text.rfind('.'), text.rfind(','));
    let (sign, at) = match (point, comma) {
        (Some(point), Some(comma)) => return Ok(if point > comma { '.' } else { ',' }),
        (Some(at), None) => ('.', at),
        (None, Some(at)) => (',', at),
        (None, None) => return Ok('.'),
    };
    let before = text.get(..at).unwrap_or_default();
    let behind = text.len().saturating_sub(at).saturating_sub(1);
    if before.contains(sign) {
        return Ok(other(sign));
    }
    let thousands = behind == 3 && (1..=3).contains(&before.len()) && before != "0";
    match (thousands, currency.exponent()) {
        (false, _) => Ok(sign),
        (true, 0) => Ok(other(sign)),
        (true, _) => Err(format!("an amount of {currency} that cannot mean two: name the decimal sign in the mapping")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        use DecimalSign::{Auto, Comma, Point};
        for (text, currency, sign, expected) in [
            ("1,500.00", "USD", Point, Some(150_000)),
            ("1500", "USD", Point, Some(150_000)),
            ("(80.00)", "USD", Point, Some(-8_000)),
            ("80.00-", "USD", Point, Some(-8_000)),
            ("-80.00", "USD", Point, Some(-8_000)),
            ("\u{2212}80.00", "USD", Point, Some(-8_000)),
            ("+80", "USD", Point, Some(8_000)),
            (".5", "USD", Point, Some(50)),
            ("5.", "USD", Point, Some(500)),
            ("$1,200.50", "USD", Point, Some(120_050)),
            ("-$5.00", "USD", Point, Some(-500)),
            ("($5.00)", "USD", Point, Some(-500)),
            ("USD 5.00", "USD", Point, Some(500)),
            ("80,00 €", "EUR", Comma, Some(8_000)),
            ("1.500,00", "EUR", Comma, Some(150_000)),
            ("1.500", "EUR", Comma, Some(150_000)),
            ("1 500,00", "EUR", Auto, Some(150_000)),
            ("1\u{a0}500,00", "EUR", Auto, Some(150_000)),
            ("1'500.00", "CHF", Auto, Some(150_000)),
            ("-1.234,56", "EUR", Auto, Some(-123_456)),
            ("1,234.56", "USD", Auto, Some(123_456)),
            ("1,234,567", "USD", Auto, Some(123_456_700)),
            ("0,500", "KWD", Auto, Some(500)),
            ("1,500", "JPY", Auto, Some(1_500)),
            // What could mean two amounts, or none.
            ("1,500", "USD", Auto, None),
            ("1.500", "EUR", Auto, None),
            ("1,500.00", "EUR", Comma, None),
            ("1.500,00", "USD", Point, None),
            ("1,50", "USD", Point, None),
            ("12..34", "EUR", Auto, None),
            ("1,5,00.00", "USD", Point, None),
            (",500.00", "USD", Point, None),
            ("(-80.00)", "USD", Point, None),
            ("--80", "USD", Point, None),
            ("€5.00", "USD", Point, None),
            ("5.00 EUR", "USD", Point, None),
            ("12.345", "USD", Point, None),
            ("1E+05", "USD", Point, None),
            ("", "USD", Point, None),
            ("-", "USD", Point, None),
            (".", "USD", Point, None),
            ("n/a", "USD", Point, None),
            ("EIGHTY", "USD", Point, None),
        ] {
            let currency = Currency::parse(currency).expect("a currency");
            let found = parse(text, currency, sign);
            assert_eq!(found.clone().ok().map(|amount| amount.minor), expected, "{text} {currency} {sign:?}: {found:?}");
        }
        let marked = parse("80.00 CR", Currency::USD, Point).expect("an amount");
        assert_eq!(marked, Amount { minor: 8_000, mark: Some(Mark::Credit) });
        assert_eq!(parse("80.00DR", Currency::USD, Point).expect("an amount").mark, Some(Mark::Debit));
    }
}
