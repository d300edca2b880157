//! Mapping files: which columns a kind of CSV file has, what they stand for, and how its amounts and dates are written.
//!
//! A mapping is strict TOML: an unknown setting, field or date format is refused with its place. A new layout therefore needs no code.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use chrono::NaiveDate;
use thiserror::Error;

use super::{
    cells::Cells,
    day as days,
    field::Field,
    header::plain,
    sheet::{RowKind, Sheet, Yields},
};
use crate::{Currency, Method};

/// How one kind of delimited file is read. [`Mapping::parse`] makes one from TOML, [`Mapping::shipped`] gives those that come along.
///
/// ```
/// use tieout_parsers::Mapping;
/// let mapping = Mapping::parse(
///     "name = \"payments of Acme\"\nyields = \"advices\"\n[header]\nrequired = [\"invoice\", \"net\"]\n\
///      [columns]\ninvoice = [\"bill\"]\nnet = [\"paid\"]\n[dates]\nformats = [\"%Y-%m-%d\"]\n[values]\ncurrency = \"USD\"\n",
/// )?;
/// assert_eq!(mapping.name(), "payments of Acme");
/// # Ok::<(), tieout_parsers::MappingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub(super) sheet: Sheet,
    pub(super) method: Method,
    pub(super) currency: Option<Currency>,
    /// What rows are by the plain form of a cell, see [`plain`].
    pub(super) kinds: BTreeMap<String, RowKind>,
    /// Plain names of each field, the preferred one first.
    pub(super) names: BTreeMap<Field, Vec<String>>,
    pub(super) absent: Vec<String>,
}

/// Why a mapping file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingError {
    /// It is not the TOML of a mapping; the text says line, column and what was expected.
    #[error("{0}")]
    Toml(String),
    /// It contradicts itself.
    #[error("{setting}: expected {expected}, found {found:?}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| MappingError::Toml(error.to_string()))?;
        let method = method(sheet.method.as_deref())?;
        let currency = match sheet.values.currency.as_deref() {
            None => None,
            Some(code) => Some(Currency::parse(code).ok_or_else(|| setting("values.currency", "a code such as USD", code))?),
        };
        let names: BTreeMap<_, _> =
            sheet.columns.iter().map(|(field, names)| (*field, names.iter().map(|name| plain(name)).collect())).collect();
        let values = sheet.records.iter().flat_map(|records| &records.values);
        let kinds = values.map(|(text, kind)| (plain(text), *kind)).collect();
        let absent = sheet.header.absent.iter().map(|name| plain(name)).collect();
        let mapping = Self { sheet, method, currency, kinds, names, absent };
        mapping.check()?;
        Ok(mapping)
    }

    /// The mappings that come with the program; the first one whose header fits is used.
    pub fn shipped() -> &'static [Arc<Self>] {
        static SHIPPED: LazyLock<Vec<Arc<Mapping>>> = LazyLock::new(|| {
            // A test reads every one of them, so that none is ever left out here.
            SOURCES.iter().filter_map(|text| Mapping::parse(text).ok()).map(Arc::new).collect()
        });
        &SHIPPED
    }

    /// What the file is called, for messages.
    pub fn name(&self) -> &str {
        &self.sheet.name
    }

    /// What a row is, by the text of its record column.
    pub(super) fn kind_of(&self, cells: &Cells<'_>) -> Option<RowKind> {
        let Some(records) = &self.sheet.records else { return Some(self.only_kind()) };
        let known = |text: &str| self.kinds.get(&plain(text)).copied();
        let Some(text) = cells.text(records.column) else {
            // A total without label in its column often has it in another; as a line it would count everything twice.
            let amount = self.sheet.totals.and_then(|totals| cells.text(totals.amount));
            let label = amount.and_then(|_| cells.texts().find_map(|text| known(&text)));
            return label.filter(|kind| *kind == RowKind::Total).or(records.other);
        };
        known(&text).or(records.other)
    }

    fn only_kind(&self) -> RowKind {
        match self.sheet.yields {
            Yields::Payments => RowKind::Payment,
            Yields::Advices => RowKind::Line,
        }
    }

    fn check(&self) -> Result<(), MappingError> {
        let sheet = &self.sheet;
        let used = sheet.header.required.iter().chain(&sheet.header.any).chain(&sheet.blocks.by);
        let used = used.chain(sheet.records.iter().map(|records| &records.column));
        let totals = sheet.totals.iter().flat_map(|totals| [Some(&totals.amount), totals.count.as_ref()]).flatten();
        let used = used.chain(totals).chain(sheet.returns.iter().map(|returns| &returns.code));
        for field in used {
            if self.names.get(field).is_none_or(Vec::is_empty) {
                return Err(setting("columns", "names for every field that the mapping uses", field.as_str()));
            }
        }
        if sheet.header.required.len() < 2 {
            return Err(setting("header.required", "at least two fields, or any file would fit", &sheet.name));
        }
        let has = |field| self.names.contains_key(&field);
        if sheet.yields == Yields::Payments && !has(Field::Amount) && !has(Field::Credit) {
            return Err(setting("columns", "amount or credit, because the file yields payments", &sheet.name));
        }
        if !has(Field::Currency) && self.currency.is_none() {
            return Err(setting("values.currency", "a currency, because no column names it", ""));
        }
        if sheet.returns.is_none() && self.kinds.values().any(|kind| *kind == RowKind::Return) {
            return Err(setting("returns", "the column of the reason, because there are rows of returns", &sheet.name));
        }
        if sheet.totals.is_none() && self.kinds.values().any(|kind| *kind == RowKind::Total) {
            return Err(setting("totals", "what total rows claim, because there are total rows", &sheet.name));
        }
        check_dates(&sheet.dates.formats)
    }
}

const SOURCES: [&str; 5] = [
    include_str!("../../mappings/card-settlement.toml"),
    include_str!("../../mappings/remittance-blocks.toml"),
    include_str!("../../mappings/remittance-lines.toml"),
    include_str!("../../mappings/remittance-german.toml"),
    include_str!("../../mappings/bank-download.toml"),
];

fn method(name: Option<&str>) -> Result<Method, MappingError> {
    let all = [Method::Ach, Method::Wire, Method::Check, Method::Card, Method::Other];
    match name {
        None => Ok(Method::Other),
        Some(name) => all
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| setting("method", "ach, wire, check, card or other", name)),
    }
}

/// Every format must give back the date it wrote, and no two may read one text as two dates.
fn check_dates(formats: &[String]) -> Result<(), MappingError> {
    let samples =
        [(2031, 4, 5), (2031, 12, 11)].map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default());
    if formats.is_empty() {
        return Err(setting("dates.formats", "at least one format such as %Y-%m-%d", ""));
    }
    for format in formats {
        for day in samples {
            let mut text = String::new();
            // An unknown specifier is an error of the formatter.
            let written = std::fmt::Write::write_fmt(&mut text, format_args!("{}", day.format(format))).is_ok();
            if !written || NaiveDate::parse_from_str(&text, format) != Ok(day) {
                return Err(setting("dates.formats", "day, month and year, such as %d.%m.%Y", format));
            }
            // `%Y` also takes the two digits of a year of the first century, which the reader refuses.
            let reads_another =
                |other: &&String| days::parse(&text, std::slice::from_ref(*other)).is_some_and(|other| other != day);
            if let Some(other) = formats.iter().find(reads_another) {
                return Err(setting("dates.formats", "formats of which no two read one text as two dates", other));
            }
        }
    }
    Ok(())
}

fn setting(setting: &'static str, expected: &'static str, found: &str) -> MappingError {
    MappingError::Setting { setting, expected, found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "test"
        yields = "advices"
        [header]
        required = ["invoice", "net"]
        [columns]
        invoice = ["invoice"]
        net = ["net"]
        [dates]
        formats = ["%Y-%m-%d"]
        [values]
        currency = "USD"
    "#;

    #[test]
    fn every_shipped_mapping_can_be_read() {
        for text in SOURCES {
            if let Err(error) = Mapping::parse(text) {
                panic!("{error}\nin {}", text.lines().find(|line| line.starts_with("name")).unwrap_or_default());
            }
        }
        assert_eq!(Mapping::shipped().len(), SOURCES.len());
    }

    #[test]
    fn a_wrong_mapping_is_refused_by_name() {
        Mapping::parse(GOOD).expect("the pattern is right");
        for (from, to, told) in [
            ("net = [\"net\"]", "nett = [\"net\"]", "unknown variant `nett`"),
            ("yields", "yeilds", "unknown field `yeilds`"),
            ("\"advices\"", "\"invoices\"", "unknown variant `invoices`"),
            ("net = [\"net\"]", "", "columns: expected names for every field that the mapping uses, found \"net\""),
            ("[\"invoice\", \"net\"]", "[\"net\"]", "at least two fields"),
            ("\"USD\"", "\"dollars\"", "values.currency: expected a code such as USD, found \"dollars\""),
            ("currency = \"USD\"", "", "because no column names it"),
            ("%Y-%m-%d", "%Y-%m", "dates.formats: expected day, month and year"),
            ("%Y-%m-%d", "%Y-%m-%q", "dates.formats: expected day, month and year"),
            ("\"%Y-%m-%d\"", "\"%m/%d/%Y\", \"%d/%m/%Y\"", "no two read one text as two dates"),
            ("name =", "method = \"cash\"\nname =", "method: expected ach, wire, check, card or other, found \"cash\""),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let error = Mapping::parse(&text).expect_err(to).to_string();
            assert!(error.contains(told), "{to}: {error}");
        }
    }
}
