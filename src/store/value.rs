//! Values on their way into and out of the database: whole numbers and text, nothing else.

use anyhow::Context;
use chrono::NaiveDate;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Arguments as _, Row, any::AnyRow};

use super::db::Arguments;
use crate::domain::{
    AccountKey, ApplicationId, Currency, CustomerId, DecisionId, ExceptionId, FileId, JobId, OpenItemId, PaymentId, RemittanceId,
    SellerId,
};

/// One value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
}

/// `values![1, "text", id]`: the values of a statement in the order of `$1`, `$2`, …
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::value::Value::from($value)),*] };
}
pub(crate) use values;

macro_rules! from {
    ($($kind:ty => |$value:ident| $make:expr;)+) => {
        $(impl From<$kind> for Value { fn from($value: $kind) -> Self { $make } })+
    };
}

from! {
    i64 => |value| Self::Number(Some(value));
    u32 => |value| Self::Number(Some(value.into()));
    u16 => |value| Self::Number(Some(value.into()));
    bool => |value| Self::Number(Some(value.into()));
    Option<i64> => |value| Self::Number(value);
    Option<u32> => |value| Self::Number(value.map(Into::into));
    Option<u16> => |value| Self::Number(value.map(Into::into));
    Option<bool> => |value| Self::Number(value.map(Into::into));
    &str => |value| Self::Text(Some(value.to_owned()));
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    Option<String> => |value| Self::Text(value);
    &Option<String> => |value| Self::Text(value.clone());
    NaiveDate => |value| Self::Text(Some(value.to_string()));
    Option<NaiveDate> => |value| Self::Text(value.map(|date| date.to_string()));
    Currency => |value| Self::Text(Some(value.to_string()));
    &AccountKey => |value| Self::Text(Some(value.0.clone()));
    &Option<AccountKey> => |value| Self::Text(value.as_ref().map(|key| key.0.clone()));
}

macro_rules! from_ids {
    ($($id:ident)+) => {
        $(
            impl From<$id> for Value { fn from(id: $id) -> Self { Self::Number(Some(id.0)) } }
            impl From<Option<$id>> for Value { fn from(id: Option<$id>) -> Self { Self::Number(id.map(|id| id.0)) } }
        )+
    };
}
from_ids! { FileId PaymentId RemittanceId OpenItemId CustomerId SellerId DecisionId ApplicationId ExceptionId JobId }

/// Binds values in order.
pub(crate) fn arguments(values: Vec<Value>) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Number(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text.map(printable)),
        };
        debug_assert!(added.is_ok(), "numbers and text always encode");
    }
    arguments
}

/// PostgreSQL keeps no NUL in text; a file that holds one must not be lost for it, so the sign for it is kept instead.
fn printable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{2400}") } else { text }
}

/// A count of the program as a number of the store.
pub(crate) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A byte offset as a number of the store.
pub(crate) fn byte(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// A value as JSON text of the store.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<String> {
    serde_json::to_string(value).context("writing JSON for the store")
}

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r AnyRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) const fn of(row: &'r AnyRow) -> Self {
        Self { row, next: 0 }
    }

    fn step(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn number(&mut self) -> anyhow::Result<i64> {
        let index = self.step();
        self.row.try_get(index).with_context(|| format!("reading column {index}"))
    }

    pub(crate) fn number_opt(&mut self) -> anyhow::Result<Option<i64>> {
        let index = self.step();
        self.row.try_get(index).with_context(|| format!("reading column {index}"))
    }

    pub(crate) fn text(&mut self) -> anyhow::Result<String> {
        let index = self.step();
        self.row.try_get(index).with_context(|| format!("reading column {index}"))
    }

    pub(crate) fn text_opt(&mut self) -> anyhow::Result<Option<String>> {
        let index = self.step();
        self.row.try_get(index).with_context(|| format!("reading column {index}"))
    }

    pub(crate) fn flag(&mut self) -> anyhow::Result<bool> {
        Ok(self.number()? != 0)
    }

    /// A number of the store that fits a smaller type of the program.
    pub(crate) fn small<T: TryFrom<i64>>(&mut self) -> anyhow::Result<T> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| anyhow::anyhow!("column {}: {number} is out of range", self.next - 1))
    }

    pub(crate) fn small_opt<T: TryFrom<i64>>(&mut self) -> anyhow::Result<Option<T>> {
        let number = self.number_opt()?;
        number
            .map(|number| T::try_from(number).map_err(|_| anyhow::anyhow!("column {}: {number} is out of range", self.next - 1)))
            .transpose()
    }

    pub(crate) fn date(&mut self) -> anyhow::Result<NaiveDate> {
        let text = self.text()?;
        text.parse().with_context(|| format!("column {}: {text:?} is not a date", self.next - 1))
    }

    pub(crate) fn date_opt(&mut self) -> anyhow::Result<Option<NaiveDate>> {
        let text = self.text_opt()?;
        text.map(|text| text.parse().with_context(|| format!("column {}: {text:?} is not a date", self.next - 1))).transpose()
    }

    pub(crate) fn currency(&mut self) -> anyhow::Result<Currency> {
        let text = self.text()?;
        Currency::parse(&text).with_context(|| format!("column {}: {text:?} is not a currency", self.next - 1))
    }

    /// A code of the store as a value of the program.
    pub(crate) fn code<T: super::codes::Code>(&mut self) -> anyhow::Result<T> {
        let text = self.text()?;
        T::from_code(&text).with_context(|| format!("column {}: {text:?} is not a known code", self.next - 1))
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let text = self.text()?;
        serde_json::from_str(&text).with_context(|| format!("column {}: reading JSON", self.next - 1))
    }
}
