//! The parts of a workbook's package, opened under limits: a package is a zip, and a hostile one unpacks without end.

use std::io::{self, BufReader, Cursor, Read};

use zip::ZipArchive;

use crate::Limits;

/// What all parts together may unpack to, in multiples of the largest workbook: sheets are XML and shrink well.
const UNPACKED_TIMES: u64 = 8;

/// Why a part gives nothing, or nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It unpacks to more than is allowed.
    TooLarge,
    /// It is not what it should be.
    Damaged(String),
}

impl Fault {
    pub fn damaged(detail: impl ToString) -> Self {
        Self::Damaged(detail.to_string())
    }
}

/// A package held in memory, and how much of its allowance is left.
pub(super) struct Container<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    part_bytes_max: u64,
    left: u64,
}

impl<'a> Container<'a> {
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Fault> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(Fault::damaged)?;
        // A directory of a million names costs more than any sheet.
        if archive.len() > limits.archive_entries_max {
            return Err(Fault::TooLarge);
        }
        let part_bytes_max = limits.workbook_bytes_max as u64;
        let left = part_bytes_max.saturating_mul(UNPACKED_TIMES).min(limits.unpacked_bytes_max);
        Ok(Self { archive, part_bytes_max, left })
    }

    /// A part that is kept in memory. Its bound is that of a packed workbook, so that one of a few bytes cannot fill memory.
    pub fn small_part(&mut self, path: &str) -> Result<Option<BufReader<impl Read>>, Fault> {
        let bytes_max = self.part_bytes_max;
        self.part(path, bytes_max)
    }

    /// A sheet, which is read row by row.
    pub fn sheet(&mut self, path: &str) -> Result<Option<BufReader<impl Read>>, Fault> {
        let bytes_max = self.left;
        self.part(path, bytes_max)
    }

    fn part(&mut self, path: &str, bytes_max: u64) -> Result<Option<BufReader<impl Read>>, Fault> {
        let Some(index) = self.index_of(path) else { return Ok(None) };
        let Self { archive, left, .. } = self;
        let entry = archive.by_index(index).map_err(Fault::damaged)?;
        Ok(Some(BufReader::new(Counted { inner: entry, own: bytes_max, left })))
    }

    /// Names are compared as Windows programs do, which write them in any case and with either slash.
    fn index_of(&self, path: &str) -> Option<usize> {
        let path = path.trim_start_matches('/');
        let plain = |name: &str| name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase();
        self.archive.index_for_name(path).or_else(|| {
            let wanted = plain(path);
            (0..self.archive.len())
                .find(|index| matches!(self.archive.name_for_index(*index), Some(Ok(name)) if plain(&name) == wanted))
        })
    }
}

/// Counts what really comes out, whatever the directory claims.
struct Counted<'c, R> {
    inner: R,
    /// What is left for this part, and for all of them.
    own: u64,
    left: &'c mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let bytes = length as u64;
        match (self.own.checked_sub(bytes), self.left.checked_sub(bytes)) {
            (Some(own), Some(left)) => (self.own, *self.left) = (own, left),
            _ => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(length)
    }
}
