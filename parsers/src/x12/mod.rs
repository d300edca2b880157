//! ANSI ASC X12: interchanges of any number of groups and transaction sets.
//!
//! Bytes go through four pages: [`delimiters`] reads the ISA header, the lexer indexes segments and elements, the envelope compares
//! every count and number with what was there, and one file per kind of set reads its content into records. The account of what
//! came in is [`received`]; from it alone acknowledgments are written.

mod advice;
mod bare;
mod bill;
pub mod delimiters;
mod envelope;
mod footing;
mod id;
pub(crate) mod lexer;
pub(crate) mod machine;
pub(crate) mod output;
mod place;
pub mod received;
mod remark;
pub(crate) mod segment;
mod set;
mod set_210;
mod set_810;
mod set_812;
mod set_820;
mod set_823;
mod set_824;
mod set_997;
mod set_999;
mod ta1;
mod terms;
pub(crate) mod value;
mod write;
mod write_824;
mod write_997;
mod write_999;
mod write_ta1;

pub(crate) use advice::{Excerpt, Stretch};
pub use bare::Bare;
pub use delimiters::{Delimiters, Terminator};
pub use write::{Answer, Stamp, acknowledge};
pub use write_824::{Advised, Complaint, Decision, Objection, advise};
