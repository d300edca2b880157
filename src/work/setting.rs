//! What everything that records a file is told of it.

use chrono::NaiveDate;
use tieout_parsers::Options;

use super::{directory::Directory, exceptions::Raiser};
use crate::{domain::FileId, secret::Vault};

/// What a file's rows need to know beside its records.
pub struct Setting<'a> {
    pub file: FileId,
    pub day: NaiveDate,
    /// Nothing of the file is live.
    pub held: bool,
    pub options: &'a Options,
    pub vault: &'a Vault,
    pub directory: &'a Directory,
    pub raiser: &'a Raiser<'a>,
}
