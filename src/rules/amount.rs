//! Money and percentages as rule files write them: decimal text, exact, never a float.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::domain::{Currency, Money};
use tieout_parsers::parse_minor;

/// A decimal amount that gets its minor units from the currency of the rule it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Amount(String);

impl Amount {
    /// Reads a decimal without sign; whether its decimals fit is known once a currency is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole) && digits(fraction) && text.len() <= 18 {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is not an amount; expected a decimal text without sign such as \"25.00\""))
        }
    }

    /// The amount in minor units; `None` when the currency has fewer decimals than the text.
    pub fn minor(&self, currency: Currency) -> Option<i64> {
        parse_minor(self.0.as_bytes(), currency).ok()
    }

    /// The text of an amount, with all decimals of its currency; the sign is dropped.
    pub fn of(minor: i64, currency: Currency) -> Self {
        Self(Money::new(minor.saturating_abs(), currency).to_decimal().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A signed amount of an example or a whole case: `"-12.50"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedAmount(String);

impl SignedAmount {
    pub fn minor(&self, currency: Currency) -> Option<i64> {
        parse_minor(self.0.as_bytes(), currency).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignedAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Amount::parse(text.strip_prefix('-').unwrap_or(&text)).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

/// A percentage, held as parts per million of the whole: `"2.5"` is 25,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    ppm: i64,
}

impl Percent {
    /// Reads `"2"` or `"2.5"`, at most four decimals, at most 100.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = || format!("{text:?} is not a percentage; expected a decimal text from 0 to 100 such as \"2.5\"");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 || whole.len() > 3 {
            return Err(refuse());
        }
        let ppm = format!("{whole}{fraction:0<4}").parse().map_err(|_| refuse())?;
        if ppm > 1_000_000 { Err(refuse()) } else { Ok(Self { ppm }) }
    }

    /// The same of a decimal; `None` for what [`Percent::parse`] would refuse.
    pub fn of_decimal(percent: Decimal) -> Option<Self> {
        // Four decimals of a percentage are parts per million.
        let (mantissa, scale) = (percent.mantissa(), percent.scale());
        let ppm = match 4_u32.checked_sub(scale) {
            Some(more) => mantissa.checked_mul(10_i128.pow(more))?,
            None => {
                let less = 10_i128.pow(scale - 4);
                (mantissa % less == 0).then(|| mantissa / less)?
            }
        };
        let ppm = i64::try_from(ppm).ok().filter(|ppm| (0..=1_000_000).contains(ppm))?;
        Some(Self { ppm })
    }

    /// Parts per million of the whole.
    pub const fn ppm(self) -> i64 {
        self.ppm
    }

    /// This share of an amount, rounded half-even: the one rounding of the rules.
    pub fn of(self, minor: i64) -> i64 {
        let product = i128::from(minor) * i128::from(self.ppm);
        let (quotient, rest) = (product.div_euclid(1_000_000), product.rem_euclid(1_000_000));
        let up = rest > 500_000 || (rest == 500_000 && quotient % 2 != 0);
        // At most 100 % of an i64, so it fits.
        i64::try_from(quotient + i128::from(up)).unwrap_or(i64::MAX)
    }

    /// Whether `part` is at most this share of `whole`, without rounding.
    pub fn covers(self, part: i64, whole: i64) -> bool {
        i128::from(part.unsigned_abs()) * 1_000_000 <= i128::from(whole.unsigned_abs()) * i128::from(self.ppm)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:04}", self.ppm % 10_000);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.ppm / 10_000),
            fraction => write!(f, "{}.{fraction}", self.ppm / 10_000),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The currencies a rule speaks for. A currency that no rule names has no tolerance and no authority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Currencies(pub Vec<Currency>);

impl Currencies {
    pub fn has(&self, currency: Currency) -> bool {
        self.0.contains(&currency)
    }

    pub fn iter(&self) -> impl Iterator<Item = Currency> + '_ {
        self.0.iter().copied()
    }
}

impl<'de> Deserialize<'de> for Currencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let codes = Vec::<String>::deserialize(deserializer)?;
        let currencies = codes.iter().map(|code| currency(code)).collect::<Result<_, _>>().map_err(D::Error::custom)?;
        Ok(Self(currencies))
    }
}

/// Reads a currency code as rule files write it.
pub fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| format!("{code:?} is not a currency; expected three letters such as \"USD\""))
}

/// For `#[serde(deserialize_with)]` of a single currency.
pub fn deserialize_currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
    currency(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact_and_round_half_even() {
        let percent = |text| Percent::parse(text).expect("a percentage");
        assert_eq!(percent("2").of(98_050), 1_961);
        assert_eq!(percent("2.5").of(100), 2, "2.5 rounds to the even 2");
        assert_eq!(percent("2.5").of(140), 4, "3.5 rounds to the even 4");
        assert_eq!(percent("0.0001").ppm(), 1);
        assert_eq!(percent("2.50").to_string(), "2.5");
        assert!(percent("1").covers(100, 10_000) && !percent("1").covers(101, 10_000));
        for bad in ["", "-1", "101", "1,5", "2%", "1.00001", ".5"] {
            assert!(Percent::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_get_their_decimals_from_the_currency() {
        let amount = Amount::parse("25.00").expect("an amount");
        assert_eq!(amount.minor(Currency::USD), Some(2_500));
        assert_eq!(Amount::parse("0.05").expect("an amount").minor(currency("JPY").expect("yen")), None);
        for bad in ["", "-1", "1,000", "1e3", ".", "1.", "USD 5"] {
            assert!(Amount::parse(bad).is_err(), "{bad}");
        }
    }
}
