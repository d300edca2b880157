//! BAI lockbox files: fixed columns, record types 1, 2, 5, 6, 4, 7, 8 and 9. They share nothing with BAI2 statements but the name.
//!
//! Where fields stand differs from bank to bank, so it is data: [`Layout`]. The file chooses among the shipped layouts by its own content
//! unless the caller names one. [`deposit`] keeps the levels with their totals, [`check`] reads a check and its overflow records.

mod check;
mod choose;
mod controls;
mod currencies;
mod deposit;
mod layout;
mod reader;
mod row;
mod toml;

pub use currencies::LockboxCurrencies;
pub use layout::{Layout, LayoutError};
pub(crate) use reader::Lockbox;

use self::{
    choose::{Framing, framing},
    row::fits,
};
use crate::line::line_at;

/// Whether the bytes begin a lockbox file: a header with a date where it belongs, then a record 2 or 5.
pub(crate) fn begins(head: &[u8]) -> bool {
    let second = match framing(head) {
        Framing::Blocks(width) => head.get(width),
        Framing::Lines => line_at(head, 0, 0, true).and_then(|line| head.get(line.next)),
    };
    let date = head.get(23..29).unwrap_or_default();
    let time = head.get(29..33).unwrap_or_default();
    // NACHA begins alike, but says its record size and blocking factor here.
    let nacha = head.get(34..39) == Some(b"09410");
    head.first() == Some(&b'1')
        && matches!(second, Some(b'2' | b'5'))
        && date.iter().all(u8::is_ascii_digit)
        && fits(date, layout::Kind::Ymd)
        && time.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace())
        && !nacha
}
