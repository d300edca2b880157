//! Brings what people and banks write into forms that can be compared: references, names and free text.
//!
//! Pure text work. What a form is worth as evidence is decided by `matching`; which items exist is known to its snapshot.

mod edits;
mod latin;
mod name;
mod reference;

pub use edits::Edits;
pub use latin::upper_ascii;
pub use name::{Name, similarity_milli};
pub use reference::{Reference, core, digits, fold, is_plain_number, ocr_class, prefix, same_ocr_class};
