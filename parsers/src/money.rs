//! Money as whole minor units of a currency, and the exact way from text to it.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct};
use thiserror::Error;

/// The largest amount that one record may hold, in minor units, on either side of zero: ten trillion dollars.
///
/// No payment comes near it, and the sum of thousands of amounts up to it still fits an `i64`. What is larger is a damaged or hostile
/// file; its record is set aside before anything adds it up.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// An amount in minor units (cents, fils, yen) of one currency.
///
/// There is no arithmetic on the bare number: every operation is checked, and two currencies never mix.
///
/// ```
/// use tieout_parsers::{Currency, Money};
/// let paid = Money::parse("1200.50", Currency::USD)?;
/// assert_eq!(paid.minor, 120_050);
/// assert_eq!(paid.to_string(), "1200.50 USD");
/// # Ok::<(), tieout_parsers::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// Amount in minor units; the currency knows how many of them make one major unit.
    pub minor: i64,
    /// ISO 4217 currency.
    pub currency: Currency,
}

/// Why a text or an operation gave no amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The text is empty.
    #[error("the amount is empty")]
    Empty,
    /// The text holds something other than a sign, digits and one decimal point.
    #[error("not a number: {0:?}")]
    NotANumber(String),
    /// More decimals than the currency has, and they are not zero.
    #[error("{found} decimals, but {currency} has {allowed}")]
    TooManyDecimals {
        /// Decimals in the text.
        found: usize,
        /// Decimals the currency has.
        allowed: u32,
        /// The currency.
        currency: Currency,
    },
    /// An amount read is above [`AMOUNT_MINOR_MAX`], or a sum does not fit 64 bits of minor units.
    #[error("the amount is too large")]
    TooLarge,
    /// Two currencies met in one operation.
    #[error("{0} and {1} cannot be added")]
    MixedCurrencies(Currency, Currency),
}

impl Money {
    /// An amount of `minor` minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads an explicit decimal (X12 type R): optional sign, digits, optional point. No exponent, no thousands separators.
    ///
    /// Decimals beyond those of the currency are accepted only when they are zeros, so `12.500` is 12.50 USD and `12.505` is refused.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        parse_minor(text.as_bytes(), currency).map(|minor| Self::new(minor, currency))
    }

    /// Sum, refused when the currencies differ or the result does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Difference, refused when the currencies differ or the result does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// The amount in major units, exactly.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        op(self.minor, other.minor).map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::TooLarge)
    }
}

/// Reads an explicit decimal into minor units of `currency`; the rules are those of [`Money::parse`].
pub fn parse_minor(text: &[u8], currency: Currency) -> Result<i64, MoneyError> {
    let not_a_number = || MoneyError::NotANumber(String::from_utf8_lossy(text).into_owned());
    let (negative, digits) = match text.split_first() {
        None => return Err(MoneyError::Empty),
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        Some(_) => (false, text),
    };
    let allowed = currency.exponent();
    let mut minor: i64 = 0;
    let mut decimals: Option<u32> = None;
    let mut seen = false;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                if let Some(count) = decimals.as_mut() {
                    if *count == allowed {
                        if byte == b'0' {
                            continue;
                        }
                        let found = fraction_length(digits);
                        return Err(MoneyError::TooManyDecimals { found, allowed, currency });
                    }
                    *count = count.saturating_add(1);
                }
                minor = minor
                    .checked_mul(10)
                    .and_then(|m| m.checked_add(i64::from(byte.wrapping_sub(b'0'))))
                    .ok_or(MoneyError::TooLarge)?;
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return Err(not_a_number()),
        }
    }
    if !seen {
        return Err(not_a_number());
    }
    for _ in decimals.unwrap_or(0)..allowed {
        minor = minor.checked_mul(10).ok_or(MoneyError::TooLarge)?;
    }
    bounded(if negative { minor.saturating_neg() } else { minor })
}

/// The amount, when one record may hold it.
#[inline]
pub(crate) fn bounded(minor: i64) -> Result<i64, MoneyError> {
    if minor.unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() { Err(MoneyError::TooLarge) } else { Ok(minor) }
}

/// What should have stood in the place of an amount: `form`, or the bound when the amount is above it.
pub(crate) fn expected<'a>(fault: &MoneyError, form: &'a str) -> &'a str {
    if *fault == MoneyError::TooLarge { "at most 1000000000000000 minor units" } else { form }
}

fn fraction_length(digits: &[u8]) -> usize {
    digits.iter().rev().take_while(|b| **b != b'.').count()
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Money", 2)?;
        object.serialize_field("minor", &self.minor)?;
        object.serialize_field("currency", &self.currency)?;
        object.end()
    }
}

/// An ISO 4217 currency code: three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    spare: Spare,
}

/// A byte that holds one value only: the others tell an amount that is absent, so that an optional amount is no larger than an amount.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
enum Spare {
    Zero = 0,
}

impl Currency {
    /// United States dollar, the default of X12 and BAI files that name none.
    pub const USD: Self = Self::of(*b"USD");
    /// Euro.
    pub const EUR: Self = Self::of(*b"EUR");

    const fn of(code: [u8; 3]) -> Self {
        Self { code, spare: Spare::Zero }
    }

    /// Reads a code of three ASCII letters; case does not matter.
    ///
    /// ```
    /// assert_eq!(tieout_parsers::Currency::parse("kwd").unwrap().exponent(), 3);
    /// assert!(tieout_parsers::Currency::parse("US").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then(|| Self::of(code.map(|byte| byte.to_ascii_uppercase())))
    }

    /// How many decimals the currency has (ISO 4217 minor unit): JPY 0, USD 2, KWD 3.
    pub const fn exponent(self) -> u32 {
        match &self.code {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX" | b"UYI"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| D::Error::custom(format!("{code:?} is not a currency")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_minor_units_exactly() {
        for (text, currency, expected) in [
            ("16500", "USD", Ok(1_650_000)),
            ("337.67", "USD", Ok(33_767)),
            ("-.5", "USD", Ok(-50)),
            ("+50940.00", "USD", Ok(5_094_000)),
            ("12.500", "USD", Ok(1_250)),
            ("7", "JPY", Ok(7)),
            ("7.0", "JPY", Ok(7)),
            ("1.234", "KWD", Ok(1_234)),
            ("10000000000000.00", "USD", Ok(AMOUNT_MINOR_MAX)),
            ("-10000000000000", "USD", Ok(-AMOUNT_MINOR_MAX)),
            ("1200.505", "USD", Err(())),
            ("1,200.50", "USD", Err(())),
            ("1e3", "USD", Err(())),
            ("", "USD", Err(())),
            ("-", "USD", Err(())),
            (".", "USD", Err(())),
            ("1.2.3", "USD", Err(())),
        ] {
            let currency = Currency::parse(currency).expect("a currency");
            let found = Money::parse(text, currency).map(|money| money.minor).map_err(|_| ());
            assert_eq!(found, expected, "{text} {currency}");
        }
    }

    #[test]
    fn what_no_record_holds_is_too_large() {
        for (text, currency) in [
            ("10000000000000.01", "USD"),
            ("-10000000000000.01", "USD"),
            ("92233720368547758.07", "USD"),
            ("99999999999999999999999", "USD"),
            ("1000000000000001", "JPY"),
            ("1000000000000.001", "KWD"),
        ] {
            let currency = Currency::parse(currency).expect("a currency");
            assert_eq!(Money::parse(text, currency), Err(MoneyError::TooLarge), "{text} {currency}");
        }
    }

    #[test]
    fn the_expected_text_names_the_bound() {
        assert_eq!(expected(&MoneyError::TooLarge, ""), format!("at most {AMOUNT_MINOR_MAX} minor units"));
        assert_eq!(expected(&MoneyError::Empty, "digits"), "digits");
    }

    #[test]
    fn an_optional_amount_is_no_larger_than_an_amount() {
        assert_eq!(size_of::<Option<Money>>(), size_of::<Money>());
    }

    #[test]
    fn currencies_do_not_mix() {
        let one = Money::new(100, Currency::USD);
        assert_eq!(one.checked_add(Money::new(5, Currency::USD)), Ok(Money::new(105, Currency::USD)));
        assert!(one.checked_add(Money::new(5, Currency::EUR)).is_err());
        assert_eq!(Money::new(i64::MAX, Currency::USD).checked_add(one), Err(MoneyError::TooLarge));
    }
}
