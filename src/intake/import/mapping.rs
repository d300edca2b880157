//! How somebody else's CSV maps to our columns: a small TOML file.
//!
//! ```toml
//! [format]
//! date = "%d.%m.%Y"          # default %Y-%m-%d
//! decimal_comma = true       # 1.234,56
//! delimiter = ";"            # default: the one that the header uses most
//! list_separator = "|"       # within aliases and the like
//!
//! [columns]                  # our column = their header
//! invoice_number = "Belegnummer"
//!
//! [values]                   # a column that the file does not have
//! currency = "EUR"
//!
//! [types]                    # their code = INV, CM or DM
//! RV = "INV"
//! ```

use std::{collections::BTreeMap, path::Path};

use thiserror::Error;

use super::Column;
use crate::config::{Entry, flatten};

/// A mapping, or the layout of our own when nothing is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub date: String,
    pub decimal_comma: bool,
    pub delimiter: Option<u8>,
    pub list_separator: char,
    columns: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
    types: BTreeMap<String, String>,
}

/// The mapping file is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {message}")]
pub struct MappingError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl Default for Mapping {
    fn default() -> Self {
        let (columns, values, types) = Default::default();
        Self { date: "%Y-%m-%d".to_owned(), decimal_comma: false, delimiter: None, list_separator: '|', columns, values, types }
    }
}

impl Mapping {
    /// Reads a mapping for rows with these columns.
    pub fn parse(file: &str, text: &str, columns: &[Column]) -> Result<Self, MappingError> {
        let wrong = |line, message| MappingError { file: file.to_owned(), line, message };
        let mut mapping = Self::default();
        for entry in flatten(text).map_err(|(line, message)| wrong(line, message))? {
            let line = entry.line;
            mapping.set(entry, columns).map_err(|message| wrong(line, message))?;
        }
        Ok(mapping)
    }

    /// Reads a mapping file.
    pub fn read(path: &Path, columns: &[Column]) -> Result<Self, MappingError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| MappingError {
            file: file.clone(),
            line: 1,
            message: format!("the file cannot be read: {error}"),
        })?;
        Self::parse(&file, &text, columns)
    }

    fn set(&mut self, entry: Entry, columns: &[Column]) -> Result<(), String> {
        let Entry { key, value, .. } = entry;
        match key.split_once('.') {
            Some(("format", "date")) => self.date = checked_date_format(value)?,
            Some(("format", "decimal_comma")) => self.decimal_comma = yes_or_no(&value)?,
            Some(("format", "delimiter")) => self.delimiter = Some(one_byte(&value)?),
            Some(("format", "list_separator")) => self.list_separator = char::from(one_byte(&value)?),
            Some(("columns", column)) => drop(self.columns.insert(known(column, columns)?, value)),
            Some(("values", column)) => drop(self.values.insert(known(column, columns)?, value)),
            Some(("types", theirs)) => {
                let ours = ["INV", "CM", "DM"].iter().find(|ours| **ours == value);
                let ours = ours.ok_or_else(|| format!("{theirs} is {value:?}; expected INV, CM or DM"))?;
                self.types.insert(theirs.to_owned(), (*ours).to_owned());
            }
            _ => return Err(format!("{key} is no setting of a mapping; expected [format], [columns], [values] or [types]")),
        }
        Ok(())
    }

    /// Header that the file uses for one of our columns.
    pub fn header<'a>(&'a self, column: &'a str) -> &'a str {
        self.columns.get(column).map_or(column, String::as_str)
    }

    /// Value of a column for every row.
    pub fn value(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    /// Our type for their code.
    pub fn kind<'a>(&'a self, code: &'a str) -> &'a str {
        self.types.get(code).map_or(code, String::as_str)
    }
}

fn known(column: &str, columns: &[Column]) -> Result<String, String> {
    if columns.iter().any(|known| known.name == column) {
        return Ok(column.to_owned());
    }
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    Err(format!("{column} is not one of our columns; expected {}", names.join(", ")))
}

/// A format that prints a date and reads it back is one.
fn checked_date_format(format: String) -> Result<String, String> {
    use chrono::{
        NaiveDate,
        format::{Item, StrftimeItems},
    };
    let wrong = || format!("date is {format:?}; expected a format such as %Y-%m-%d, %d.%m.%Y or %m/%d/%Y");
    if StrftimeItems::new(&format).any(|item| matches!(item, Item::Error)) {
        return Err(wrong());
    }
    let day = NaiveDate::from_ymd_opt(2026, 12, 31).ok_or_else(wrong)?;
    match NaiveDate::parse_from_str(&day.format(&format).to_string(), &format) {
        Ok(read) if read == day => Ok(format),
        _ => Err(wrong()),
    }
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("expected true or false, found {value:?}"))
}

fn one_byte(value: &str) -> Result<u8, String> {
    match (value, value.as_bytes()) {
        ("tab", _) => Ok(b'\t'),
        (_, [byte]) if byte.is_ascii() => Ok(*byte),
        _ => Err(format!("expected one character such as ; or tab, found {value:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::required("amount"), Column::optional("currency")];

    #[test]
    fn a_mapping_names_what_is_theirs() {
        let text = "[format]\ndate = '%d.%m.%Y'\ndecimal_comma = true\ndelimiter = 'tab'\n[columns]\namount = 'Betrag'\n[values]\ncurrency = 'EUR'\n[types]\nRV = 'INV'\n";
        let mapping = Mapping::parse("m.toml", text, COLUMNS).expect("right");
        assert_eq!((mapping.header("amount"), mapping.header("currency")), ("Betrag", "currency"));
        assert_eq!((mapping.value("currency"), mapping.kind("RV"), mapping.kind("CM")), (Some("EUR"), "INV", "CM"));
        assert_eq!((mapping.delimiter, mapping.decimal_comma), (Some(b'\t'), true));
    }

    #[test]
    fn a_wrong_mapping_is_named_with_its_line() {
        for (text, expected) in [
            ("[columns]\namuont = 'x'", "m.toml:2: amuont is not one of our columns; expected amount, currency"),
            ("[format]\ndate = '%q'", "m.toml:2: date is \"%q\""),
            ("[format]\ndate = '%d.%m'", "m.toml:2: date is \"%d.%m\""),
            ("[colums]\namount = 'x'", "m.toml:2: colums.amount is no setting of a mapping"),
            ("[types]\nRV = 'BILL'", "m.toml:2: RV is \"BILL\"; expected INV, CM or DM"),
            ("[format]\ndelimiter = '||'", "m.toml:2: expected one character"),
            ("[format", "m.toml:1: "),
        ] {
            let error = Mapping::parse("m.toml", text, COLUMNS).expect_err("wrong").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
