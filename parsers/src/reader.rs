//! What the reader of a family other than X12 is to the rest: bytes in, window by window, records out.

use crate::{
    Limits, Record, Sink, Summary, bai2::Bai2, camt::CamtReader, detect::Family, edifact::EdifactReader, nacha::Nacha,
    swift::SwiftReader,
};

/// Reads a family of formats record by record.
///
/// The window is the whole file, or what a stream holds of it. A reader asks for more bytes by consuming less than the window, and
/// decides nothing by where a window ends, so every way of cutting a file into chunks gives the same records.
pub(crate) trait Reader: std::fmt::Debug + Send {
    /// Reads what is complete in the window and tells how many bytes of it are done with. `last` says that no more will come.
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize;

    /// Compares what is left to compare, and gives the verdict.
    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary;
}

/// The reader of a family; nothing for X12, which has a machine of its own, and for what is not read.
pub(crate) fn reader(family: Family, limits: &Limits) -> Option<Box<dyn Reader>> {
    match family {
        Family::Nacha => Some(Box::new(Nacha::new(limits))),
        Family::Edifact => Some(Box::new(EdifactReader::new(limits))),
        Family::Bai2 => Some(Box::new(Bai2::new(limits))),
        // The stream makes them, because layouts and mappings are options of the caller.
        Family::Lockbox | Family::Package => None,
        Family::Swift => Some(Box::new(SwiftReader::new(limits))),
        Family::Camt => Some(Box::new(CamtReader::new(limits))),
        Family::X12 | Family::Unknown(_) => None,
    }
}
