//! Plain tables and amounts for people.

use std::fmt::Write as _;

use crate::domain::Currency;

/// Which way a column leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table that is as wide as its content.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        // A line break in a name must not break the table.
        self.rows.push(cells.into_iter().map(|cell| cell.replace(['\n', '\r'], " ")).collect());
    }

    /// The table as text, with a line under the header and no blanks at line ends.
    pub fn render(&self) -> String {
        let widths: Vec<_> = self.columns.iter().enumerate().map(|(place, column)| self.width(place, column.0)).collect();
        let header: Vec<_> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let line: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut text = String::new();
        for cells in [&header, &line].into_iter().chain(&self.rows) {
            text.push_str(self.line(cells, &widths).trim_end());
            text.push('\n');
        }
        text
    }

    fn width(&self, place: usize, name: &str) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count());
        cells.chain([name.chars().count()]).max().unwrap_or(0)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut text = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let written = match align {
                Align::Left => write!(text, "{cell}{padding}  "),
                Align::Right => write!(text, "{padding}{cell}  "),
            };
            written.expect("writing to a String does not fail");
        }
        text
    }
}

/// An amount with separators between thousands and without its currency: `-1,234.50`.
pub fn amount(minor: impl Into<i128>, currency: Currency) -> String {
    let minor = minor.into();
    let unit = 10_u128.pow(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let whole = grouped(minor.unsigned_abs() / unit);
    match currency.exponent() as usize {
        0 => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{:0decimals$}", minor.unsigned_abs() % unit),
    }
}

/// A number with separators between thousands: `12,345`.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same, empty when there is nothing.
pub fn amount_or_blank(minor: i64, currency: Currency) -> String {
    if minor == 0 { String::new() } else { amount(minor, currency) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_amounts() {
        let yen = Currency::parse("JPY").expect("a currency");
        for (minor, currency, expected) in [
            (0, Currency::USD, "0.00"),
            (5, Currency::USD, "0.05"),
            (-123_450, Currency::USD, "-1,234.50"),
            (100_000_000, Currency::USD, "1,000,000.00"),
            (1_234, yen, "1,234"),
            (i64::MIN, Currency::USD, "-92,233,720,368,547,758.08"),
        ] {
            assert_eq!(amount(minor, currency), expected);
        }
    }

    #[test]
    fn tables_fit_their_content() {
        let mut table = Table::new(&[("file", Align::Left), ("received", Align::Right)]);
        table.row(vec!["a.edi".into(), "1.00".into()]);
        table.row(vec!["longer.edi".into(), "12.00".into()]);
        assert_eq!(table.render(), "file        received\n----------  --------\na.edi           1.00\nlonger.edi     12.00\n");
    }
}
