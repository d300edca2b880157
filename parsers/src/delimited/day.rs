//! Dates in the formats of a mapping.

use chrono::{Datelike, NaiveDate};

use crate::x12::value;

/// The date a text gives in the first format that fits. A time behind it is left out.
pub(super) fn parse(text: &str, formats: &[String]) -> Option<NaiveDate> {
    let text = text.trim();
    one(text, formats).or_else(|| {
        let end = text
            .find(['T', ' '])
            .filter(|end| text.get(..*end).is_some_and(|day| day.ends_with(|c: char| c.is_ascii_digit())))?;
        one(text.get(..end)?, formats)
    })
}

fn one(text: &str, formats: &[String]) -> Option<NaiveDate> {
    formats.iter().find_map(|format| {
        let date = if format == ISO { iso(text) } else { None };
        date.or_else(|| NaiveDate::parse_from_str(text, format).ok()).filter(|date| is_of_our_time(*date))
    })
}

/// `%Y` takes years of any length; those outside are slips of the pen or another order of day and year.
pub(super) fn is_of_our_time(date: NaiveDate) -> bool {
    (1950..2200).contains(&date.year())
}

/// The day of a spreadsheet's cell, which is written year first; a time behind it is left out.
pub(super) fn of_cell(text: &str) -> Option<NaiveDate> {
    let day = text.split(['T', ' ']).next()?;
    iso(day.trim()).filter(|date| is_of_our_time(*date))
}

const ISO: &str = "%Y-%m-%d";

/// The everyday form without the general reader, which takes most of the time of a row.
fn iso(text: &str) -> Option<NaiveDate> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let number = |digits: &[u8]| value::count(digits).and_then(|number| u32::try_from(number).ok());
    let year = <[u8; 4]>::try_from(year).ok().and_then(|year| number(&year))?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_real_days_of_our_time() {
        let formats = ["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%d-%b-%Y"].map(str::to_owned);
        for (text, expected) in [
            ("2026-03-02", Some("2026-03-02")),
            (" 2026-03-02T17:00:00+01:00", Some("2026-03-02")),
            ("11/20/2026", Some("2026-11-20")),
            ("11/20/2026 10:15", Some("2026-11-20")),
            ("1/2/26", Some("2026-01-02")),
            ("20-Mar-2026", Some("2026-03-20")),
            ("2026-02-30", None),
            ("20/11/2026", None),
            ("0026-03-02", None),
            ("T", None),
            ("", None),
        ] {
            assert_eq!(parse(text, &formats).map(|date| date.to_string()).as_deref(), expected, "{text}");
        }
    }
}
