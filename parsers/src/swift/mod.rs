//! SWIFT MT940 Customer Statement Message and MT942 Interim Transaction Report, with or without the block envelope.
//!
//! Bytes go through four pages: the lexer cuts lines into fields, [`entry`] reads field 61, [`details`] the families of field 86, and
//! [`statement`] proves that opening balance and entries give the closing balance. [`reader`] puts them together.

mod booking;
mod desk;
mod details;
mod entry;
mod field;
mod lexer;
mod reader;
mod statement;
mod value;

pub(crate) use lexer::looks_like_statement;
pub(crate) use reader::SwiftReader;
