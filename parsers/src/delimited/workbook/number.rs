//! Numbers of a spreadsheet as exact decimal text. A spreadsheet calculates in binary and stores what it comes to as decimal text, with the
//! noise of its calculation; here nothing is ever binary.

use std::str::FromStr;

use chrono::{Days, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};

/// Significant digits that a spreadsheet keeps of what is typed; what stands behind them is left over from its calculations.
const DIGITS_KEPT: u32 = 15;
/// Below this, the digits kept hold every decimal of every currency.
const EXACT_BELOW: i64 = 1_000_000_000_000;

/// From where the days of a workbook are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::delimited) enum Epoch {
    /// 1 is 1 January 1900, and 60 a leap day that never was.
    #[default]
    Y1900,
    /// 0 is 1 January 1904.
    Y1904,
}

/// The decimal text that a stored number means; nothing when the text is no number.
///
/// `1200.0999999999999` is how 1200.1 may be stored, and `1176.0000000000002` what `=1200-24` may leave behind: they mean 1200.1 and
/// 1176, because no spreadsheet keeps more than 15 digits. Decimals within those stay, so that 1200.505 is refused later and not rounded here.
pub(super) fn decimal(stored: &str) -> Option<String> {
    let stored = stored.trim();
    let digits = stored.strip_prefix('-').unwrap_or(stored);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(stored.to_owned());
    }
    let value = Decimal::from_str(stored).or_else(|_| Decimal::from_scientific(stored)).ok()?;
    let kept = match value.abs() < Decimal::from(EXACT_BELOW) {
        true => value.round_sf_with_strategy(DIGITS_KEPT, RoundingStrategy::MidpointNearestEven)?,
        false => value,
    };
    Some(kept.normalize().to_string())
}

/// The day a stored number counts to; a time of day behind it is left out.
pub(in crate::delimited) fn day_of_serial(number: &str, epoch: Epoch) -> Option<NaiveDate> {
    let days: u64 = number.split('.').next()?.parse().ok()?;
    let first = match epoch {
        // Day 60 does not exist, so that all days after it count from one day earlier.
        Epoch::Y1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
        Epoch::Y1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
    };
    let day = first.checked_add_days(Days::new(days))?;
    super::super::day::is_of_our_time(day).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_their_shortest_text() {
        for (stored, expected) in [
            ("1200.1", Some("1200.1")),
            ("1200.0999999999999", Some("1200.1")),
            ("1176.0000000000002", Some("1176")),
            ("0.30000000000000004", Some("0.3")),
            ("1.2E3", Some("1200")),
            ("-80", Some("-80")),
            ("-80.50", Some("-80.5")),
            ("12345.0", Some("12345")),
            // Not rounded to cents here.
            ("1200.505", Some("1200.505")),
            ("99999999999.999", Some("99999999999.999")),
            // Too large for fifteen digits to hold the cents: what is stored counts.
            ("10000000000000.01", Some("10000000000000.01")),
            // A number of an account or an invoice.
            ("4000123412341234567", Some("4000123412341234567")),
            ("1E400", None),
            ("NaN", None),
            ("n/a", None),
            ("", None),
        ] {
            assert_eq!(decimal(stored).as_deref(), expected, "{stored}");
        }
    }

    #[test]
    fn day_numbers_count_from_either_epoch() {
        for (number, epoch, expected) in [
            ("46097", Epoch::Y1900, Some("2026-03-16")),
            ("46097.75", Epoch::Y1900, Some("2026-03-16")),
            ("44635", Epoch::Y1904, Some("2026-03-16")),
            ("0.5", Epoch::Y1900, None),
            ("20260316", Epoch::Y1900, None),
            ("-1", Epoch::Y1900, None),
            ("99999999999999999999", Epoch::Y1904, None),
        ] {
            assert_eq!(day_of_serial(number, epoch).map(|day| day.to_string()).as_deref(), expected, "{number}");
        }
    }
}
