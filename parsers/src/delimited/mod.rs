//! CSV, its kin and XLSX by mapping files: remittances, card settlement reports, bank downloads.
//!
//! From the outside in: [`header`] recognises a file by its column names, [`rows`] tells rows and cells apart, [`cells`] reads amounts,
//! dates and text of a row by the [`mapping`], [`movement`] tells what money a row moves, [`books`] puts rows together to payments and advices in [`block`]s, and [`totals`] and
//! [`balance`] prove that nothing is missing. [`workbook`] reads the same tables from spreadsheets. Lists of open items and other master data are none of ours.

mod amount;
mod balance;
mod block;
mod books;
mod cells;
mod day;
mod draft;
mod field;
mod header;
mod mapping;
mod movement;
mod reader;
mod rows;
mod sheet;
mod totals;
mod workbook;

pub use draft::{Draft, DraftError, draft_mapping};
pub use mapping::{Mapping, MappingError};
pub(crate) use reader::recognise;
pub(crate) use workbook::Workbook;
