//! UN/EDIFACT (ISO 9735, syntax versions 1 to 4): interchanges of any number of groups and messages, of which REMADV and INVOIC are read.
//!
//! [`marks`] finds out what separates, the lexer cuts segments, [`segment`] gives their data elements as values, the envelope compares every
//! count and reference with what was there, and one file per kind of message reads its content. [`reader`] puts them together and holds one
//! message at a time.

mod charset;
mod document;
mod envelope;
mod invoic;
mod lexer;
mod marks;
mod message;
mod numbers;
mod party;
mod reader;
mod remadv;
mod segment;
mod value;

pub(crate) use marks::begins;
pub(crate) use reader::EdifactReader;
