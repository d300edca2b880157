//! BAI2 cash-management statements (Balance Reporting Specifications, Version 2), prior day and same day.
//!
//! [`split`] cuts lines into physical records, [`record`] puts a record and its 88s together, [`statement`] keeps the levels file, group and
//! account with their totals, [`summary`] reads what stands in 03 and [`detail`] what stands in 16. Whether the money was seen in another
//! file is not judged here: bank reference and as-of modifier go out with each payment.

mod advice;
mod amount;
mod codes;
mod controls;
mod detail;
mod reader;
mod record;
mod split;
mod statement;
mod summary;
mod text;

pub(crate) use reader::Bai2;

/// Whether the bytes begin a BAI2 file: a 01 record with its eight fields, at the start of one of the first lines.
pub(crate) fn begins(head: &[u8]) -> bool {
    let mut lines =
        head.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii_start).filter(|line| !line.is_empty());
    lines.by_ref().take(LINES_BEFORE).any(is_header)
}

/// Lines of a transfer program that may stand before the file.
const LINES_BEFORE: usize = 4;

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"01,") && line.iter().filter(|byte| **byte == b',').take(7).count() == 7
}
