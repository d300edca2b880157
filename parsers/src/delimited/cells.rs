//! The cells of one row by the field they stand for: text, amounts and dates, or what is wrong with them.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{
    amount::{self, Amount},
    day,
    field::Field,
    header::Columns,
    mapping::Mapping,
    rows::{Kind, Span},
    sheet::DecimalSign,
    workbook::{Epoch, day_of_serial},
};
use crate::{
    Currency, Effect, Finding, FindingCode, Location, Severity, Tag,
    x12::segment::{decode, shown},
};

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'a> {
    pub row: &'a [u8],
    pub spans: &'a [Span],
    pub columns: &'a Columns,
    pub mapping: &'a Mapping,
    /// From where the days of a spreadsheet are counted.
    pub epoch: Epoch,
    /// Where the row begins; its tag says what the row is.
    pub place: Location,
}

impl<'a> Cells<'a> {
    fn span(&self, field: Field) -> Option<Span> {
        self.spans.get(usize::from(self.columns.place(field)?)).copied()
    }

    fn kind(&self, field: Field) -> Kind {
        self.span(field).map_or(Kind::Plain, |span| span.kind)
    }

    fn bytes(&self, field: Field) -> Option<Cow<'a, [u8]>> {
        let span = self.span(field)?;
        let value = span.value(self.row);
        (!value.trim_ascii().is_empty()).then_some(value)
    }

    /// The text of a cell without blanks around it; nothing when it is empty.
    pub fn text(&self, field: Field) -> Option<String> {
        self.read(field).map(Cow::into_owned)
    }

    /// The same as it stands in the row, for what becomes a number or a date.
    fn read(&self, field: Field) -> Option<Cow<'a, str>> {
        let text = match self.bytes(field)? {
            Cow::Borrowed(bytes) => decode(bytes),
            Cow::Owned(bytes) => Cow::Owned(decode(&bytes).into_owned()),
        };
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The texts of all cells.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.spans.iter().map(|span| decode(&span.value(self.row)).trim().to_owned())
    }

    /// Whether every cell is empty.
    pub fn is_blank(&self) -> bool {
        self.spans.iter().all(|span| span.value(self.row).trim_ascii().is_empty())
    }

    /// Whether nothing stands behind the columns of the header.
    pub fn fits_header(&self) -> bool {
        let more = self.spans.get(self.columns.names.len()..).unwrap_or_default();
        more.iter().all(|span| span.value(self.row).trim_ascii().is_empty())
    }

    /// An amount as written.
    pub fn amount(&self, field: Field, currency: Currency) -> Result<Option<Amount>, Box<Finding>> {
        let Some(text) = self.read(field) else { return Ok(None) };
        let sign = if self.kind(field) == Kind::Number { DecimalSign::Point } else { self.mapping.sheet.amounts.decimal };
        amount::parse(&text, currency, sign)
            .map(Some)
            .map_err(|expected| self.wrong(field, FindingCode::BadAmount, "the amount cannot be read", &expected))
    }

    /// A date.
    pub fn date(&self, field: Field) -> Result<Option<NaiveDate>, Box<Finding>> {
        let Some(text) = self.read(field) else { return Ok(None) };
        let formats = &self.mapping.sheet.dates.formats;
        let day = match self.kind(field) {
            Kind::Day => day::of_cell(&text),
            Kind::Number => day_of_serial(&text, self.epoch).or_else(|| day::parse(&text, formats)),
            Kind::Plain | Kind::Doubled => day::parse(&text, formats),
        };
        day.map(Some).ok_or_else(|| {
            let expected = format!("a date written {}", formats.join(" or "));
            self.wrong(field, FindingCode::BadDate, "the date cannot be read", &expected)
        })
    }

    /// The currency the row names.
    pub fn currency(&self) -> Result<Option<Currency>, Box<Finding>> {
        let Some(text) = self.read(Field::Currency) else { return Ok(None) };
        Currency::parse(&text).map(Some).ok_or_else(|| {
            self.wrong(
                Field::Currency,
                FindingCode::BadCode,
                "the currency cannot be read",
                "a code of three letters such as USD",
            )
        })
    }

    /// A finding about a cell, which sets its record aside.
    pub fn wrong(&self, field: Field, code: FindingCode, message: &str, expected: &str) -> Box<Finding> {
        let found = match self.bytes(field) {
            // An account number never shows.
            Some(_) if field.is_secret() => "another text".to_owned(),
            Some(bytes) => shown(&bytes),
            None => String::new(),
        };
        Box::new(Finding {
            code,
            severity: Severity::Error,
            effect: Effect::RecordSetAside,
            message: format!("column {:?}: {message}", self.columns.name(field)),
            expected: expected.to_owned(),
            found,
            location: self.location(field),
        })
    }

    /// A finding about an empty cell that its record needs.
    pub fn missing(&self, field: Field, expected: &str) -> Box<Finding> {
        self.wrong(field, FindingCode::MissingElement, "the cell is empty", expected)
    }

    /// Where a cell stands: its column counted from 1, and the byte it begins at.
    pub fn location(&self, field: Field) -> Location {
        let column = self.columns.place(field);
        // The cells of a spreadsheet stand packed, so that only sheet, row and column say where one is.
        let span = self.span(field).filter(|_| self.place.sheet.is_none());
        let at = span.map_or(0, |span| span.at() as u64);
        Location {
            byte: self.place.byte.saturating_add(at),
            element: column.map(|column| column.saturating_add(1)),
            ..self.place
        }
    }

    /// The row as another kind of record.
    pub fn tagged(self, tag: &str) -> Self {
        Self { place: Location { tag: Some(Tag::new(tag.as_bytes())), ..self.place }, ..self }
    }
}
