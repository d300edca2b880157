//! XLSX workbooks by the same mapping files as CSV.
//!
//! From the outside in: [`container`] opens the parts of the package under limits, [`xml`] walks over one of them, [`outline`] knows sheets,
//! styles and shared strings, [`sheet`] makes rows of a sheet's cells, [`number`] turns binary numbers and day numbers into exact text, and
//! [`reader`] finds the header of each sheet and hands the rows to the books that CSV is read with. Macros, links and formulas are none of
//! ours: of a formula only the value counts that the sender's program stored with it.

mod container;
mod number;
mod outline;
mod reader;
mod sheet;
mod xml;

pub(super) use number::{Epoch, day_of_serial};
pub(crate) use reader::Workbook;
pub(super) use reader::tables;
