//! Master data from CSV: customers, relations, open items, our bank accounts and rates become validated rows.
//!
//! Every wrong value is named with file, line, column, what was expected and what stands there. Nothing is stored here, and whether good
//! rows are taken beside wrong ones is the caller's decision.

mod bank_accounts;
mod customers;
mod fields;
mod mapping;
mod open_items;
mod rates;
mod relations;
mod sheet;

use std::fmt;

pub use bank_accounts::BankAccountRow;
pub use customers::{CustomerRow, KnownAccount};
pub use fields::Fields;
pub use mapping::{Mapping, MappingError};
pub use open_items::OpenItemRow;
pub use rates::RateRow;
pub use relations::RelationRow;
pub use sheet::{Imported, Row, read, read_file};

/// A column we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// The file must have it; single values may still be empty where the row says so.
    pub required: bool,
    /// Values never appear in messages.
    pub secret: bool,
}

impl Column {
    const fn required(name: &'static str) -> Self {
        Self { name, required: true, secret: false }
    }

    const fn optional(name: &'static str) -> Self {
        Self { name, required: false, secret: false }
    }

    const fn secret(name: &'static str) -> Self {
        Self { name, required: false, secret: true }
    }
}

/// Something that a CSV file can hold one of per row.
pub trait Importable: Sized {
    const COLUMNS: &'static [Column];

    /// Reads one row; what is wrong is kept in `fields`, and `None` stands for a row that cannot be used.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;

    /// What may occur once in a file.
    fn key(&self) -> Key;
}

/// What may occur once in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Column that a second one is refused at.
    pub column: &'static str,
    /// Never shown: it may hold an account number.
    pub identity: String,
    /// What messages call it.
    pub shown: String,
}

/// One wrong value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub file: String,
    /// Counted from 1; the header is line 1.
    pub line: u64,
    /// Header of the column as the file writes it; `None` when the whole row or file is meant.
    pub column: Option<String>,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}
