//! Exchange rates: what one unit of a currency is worth in US dollars.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use tieout_parsers::Currency;

use super::{Column, Fields, Importable, Key};

/// One rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRow {
    pub currency: Currency,
    pub usd_rate: Decimal,
    /// From this day on; without it from always on.
    pub date: Option<NaiveDate>,
}

impl Importable for RateRow {
    const COLUMNS: &'static [Column] = &[Column::required("currency"), Column::required("usd_rate"), Column::optional("date")];

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let currency = fields.currency("currency");
        let expected = "a rate above zero";
        let usd_rate = fields.decimal("usd_rate", expected);
        if usd_rate.is_some_and(|rate| rate <= Decimal::ZERO) {
            fields.refuse("usd_rate", expected);
        }
        let date = fields.date("date");
        Some(Self { currency: currency?, usd_rate: usd_rate?, date })
    }

    fn key(&self) -> Key {
        let shown = self.date.map_or_else(|| self.currency.to_string(), |date| format!("{} from {date}", self.currency));
        Key { column: "currency", identity: shown.clone(), shown }
    }
}
