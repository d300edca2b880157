//! The values of one row, read into types; what is wrong is collected, so that one look at a file names all of it.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use tieout_parsers::{Currency, Money, MoneyError};

use super::{Column, Mapping, Wrong};

/// A year outside is a slip of the keyboard.
const YEARS: std::ops::RangeInclusive<i32> = 1950..=2199;
/// Longest piece of a value that a message repeats.
const SHOWN_CHARACTERS: usize = 40;

/// One row while it is read.
pub struct Fields<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
    pub(super) mapping: &'a Mapping,
    pub(super) columns: &'static [Column],
    /// One value per column of ours, in their order; `None` where the file has no such column.
    pub(super) values: Vec<Option<String>>,
    pub(super) wrong: Vec<Wrong>,
}

impl Fields<'_> {
    /// The text of a column; `None` where it is empty.
    pub fn text(&self, column: &str) -> Option<String> {
        let at = self.columns.iter().position(|known| known.name == column)?;
        let value = match self.values.get(at)? {
            Some(value) => value.trim(),
            None => self.mapping.value(column)?,
        };
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    /// The text of a column that must not be empty.
    pub fn required(&mut self, column: &str, expected: &str) -> Option<String> {
        let text = self.text(column);
        if text.is_none() {
            self.refuse(column, expected);
        }
        text
    }

    /// The pieces of a list, without empty ones.
    pub fn list(&self, column: &str) -> Vec<String> {
        let text = self.text(column).unwrap_or_default();
        text.split(self.mapping.list_separator).map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
    }

    pub fn currency(&mut self, column: &str) -> Option<Currency> {
        let expected = "a currency of three letters, such as USD";
        let currency = self.required(column, expected).and_then(|text| Currency::parse(&text));
        if currency.is_none() && self.text(column).is_some() {
            self.refuse(column, expected);
        }
        currency
    }

    /// An amount in minor units; `None` where it is empty or wrong.
    pub fn amount(&mut self, column: &str, currency: Currency) -> Option<i64> {
        let text = self.text(column)?;
        let plain = plain_number(&text, self.mapping.decimal_comma).ok_or(MoneyError::NotANumber(text));
        match plain.and_then(|plain| Money::parse(&plain, currency)) {
            Ok(money) => Some(money.minor),
            Err(error) => {
                let point = if self.mapping.decimal_comma { "comma" } else { "point" };
                self.refuse(column, &format!("an amount of {currency} with a decimal {point} ({error})"));
                None
            }
        }
    }

    pub fn decimal(&mut self, column: &str, expected: &str) -> Option<Decimal> {
        let text = self.required(column, expected)?;
        let number = plain_number(&text, self.mapping.decimal_comma).and_then(|plain| Decimal::from_str_exact(&plain).ok());
        if number.is_none() {
            self.refuse(column, expected);
        }
        number
    }

    /// A date; `None` where it is empty or wrong.
    pub fn date(&mut self, column: &str) -> Option<NaiveDate> {
        let text = self.text(column)?;
        let date = NaiveDate::parse_from_str(&text, &self.mapping.date).ok().filter(|date| YEARS.contains(&date.year()));
        if date.is_none() {
            let years = format!("{} to {}", YEARS.start(), YEARS.end());
            self.refuse(column, &format!("a date of the years {years} written {}", self.mapping.date));
        }
        date
    }

    pub fn required_date(&mut self, column: &str) -> Option<NaiveDate> {
        self.required(column, &format!("a date written {}", self.mapping.date))?;
        self.date(column)
    }

    /// Keeps that the value of `column` is wrong. Secret values are not repeated.
    pub fn refuse(&mut self, column: &str, expected: &str) {
        let secret = self.columns.iter().any(|known| known.name == column && known.secret);
        let found = match self.text(column) {
            None => "nothing".to_owned(),
            Some(_) if secret => "another text".to_owned(),
            Some(text) if text.chars().count() > SHOWN_CHARACTERS => {
                format!("{:?}…", text.chars().take(SHOWN_CHARACTERS).collect::<String>())
            }
            Some(text) => format!("{text:?}"),
        };
        self.wrong.push(Wrong {
            file: self.file.to_owned(),
            line: self.line,
            column: Some(self.mapping.header(column).to_owned()),
            expected: expected.to_owned(),
            found,
        });
    }
}

/// `1.234,56`, `1,234.56`, `(12.00)` and `12.00-` as a plain decimal. `None` when separators
/// of thousands stand where none belong, because then the other mark is probably the point; the rest is left for the reader to refuse.
fn plain_number(text: &str, decimal_comma: bool) -> Option<String> {
    let (thousands, point) = if decimal_comma { ('.', ',') } else { (',', '.') };
    let text = text.trim();
    let (negative, digits) = match (text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')), text.strip_suffix('-')) {
        (Some(inner), _) => (true, inner),
        (None, Some(inner)) if !inner.starts_with('-') => (true, inner),
        _ => (false, text),
    };
    let (whole, decimals) = digits.split_once(point).map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    let groups: Vec<_> = whole.split(thousands).collect();
    let well_grouped = groups.len() == 1 || (groups.iter().skip(1).all(|group| group.len() == 3) && !groups[0].is_empty());
    if !well_grouped || decimals.is_some_and(|decimals| decimals.contains(thousands)) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    Some(match decimals {
        Some(decimals) => format!("{sign}{}.{decimals}", groups.concat()),
        None => format!("{sign}{}", groups.concat()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_offices_write_them() {
        for (text, comma, plain) in [
            ("1234.56", false, "1234.56"),
            ("1,234.56", false, "1234.56"),
            ("1.234,56", true, "1234.56"),
            ("-1.234.567,5", true, "-1234567.5"),
            ("(12.00)", false, "-12.00"),
            ("12.00-", false, "-12.00"),
            ("12,5", true, "12.5"),
            (" 7 ", false, "7"),
        ] {
            assert_eq!(plain_number(text, comma).as_deref(), Some(plain));
        }
        for (text, comma) in
            [("12,34", false), ("1.23", true), ("1,2345", false), ("1,23,456.00", false), ("12.00.5", false), ("--5-", false)]
        {
            let amount = plain_number(text, comma).and_then(|plain| Money::parse(&plain, Currency::USD).ok());
            assert_eq!(amount, None, "{text} is no amount");
        }
    }
}
