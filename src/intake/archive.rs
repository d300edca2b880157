//! Keeps every file that ever arrived, by content.
//!
//! A file lies under its SHA-256 (`ab/cdef…`) and is written whole before anything else happens to it: temporary file, fsync, rename,
//! fsync of the folder. The same bytes twice are one file. Which arrival brought it, and under what name, is left to the store.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::{clock::Clock, durable::sync_folder, failpoint, hex};

const COPY_BYTES: usize = 256 << 10;
/// A temporary file that nobody wrote to for so long belongs to no living writer.
const ABANDONED: Duration = Duration::from_hours(1);

/// A folder of files by content.
#[derive(Clone, Debug)]
pub struct Archive {
    root: PathBuf,
}

/// What lies in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Lower-case hex.
    pub sha256: String,
    pub size_bytes: u64,
    /// The same bytes lay there before.
    pub known: bool,
}

impl Archive {
    /// Opens the archive in `root`, which is made when it is missing.
    pub fn open(root: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let archive = Self { root: root.into() };
        archive.make_folders().with_context(|| format!("creating the archive {}", archive.root.display()))?;
        Ok(archive)
    }

    /// An archive that is only read.
    pub fn existing(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Takes everything `input` gives. When this returns, the bytes survive a power cut.
    pub fn take(&self, input: &mut dyn Read) -> anyhow::Result<Archived> {
        let doing = || format!("writing into the archive {}", self.root.display());
        let mut file = tempfile::Builder::new().prefix("file-").tempfile_in(self.incoming()).with_context(doing)?;
        let (sha256, size_bytes) = copy_hashed(input, &mut file).context("reading the file that arrives")?;
        let path = self.path(&sha256).context("a hash of 64 digits has a place")?;
        let folder = path.parent().context("a place in the archive has a folder")?;
        if self.holds(&path, size_bytes) {
            // Whoever wrote it may have been killed before its name was durable.
            sync_folder(folder).with_context(doing)?;
            return Ok(Archived { sha256, size_bytes, known: true });
        }
        file.as_file().sync_all().with_context(doing)?;
        failpoint::pass("archive_written");
        file.persist(&path).map_err(|error| error.error).with_context(doing)?;
        sync_folder(folder).with_context(doing)?;
        failpoint::pass("archive_renamed");
        Ok(Archived { sha256, size_bytes, known: false })
    }

    /// Opens a file for reading.
    pub fn read(&self, sha256: &str) -> anyhow::Result<File> {
        let path = self.path(sha256).with_context(|| format!("{sha256:?} is not the SHA-256 of a file"))?;
        File::open(&path).with_context(|| format!("the archive has no file {}", path.display()))
    }

    /// Whether a file still holds the bytes it was archived with.
    pub fn verify(&self, sha256: &str) -> anyhow::Result<bool> {
        let (found, _) = copy_hashed(&mut self.read(sha256)?, &mut io::sink())?;
        Ok(found == sha256)
    }

    /// Where a file lies; `None` when the text is not a SHA-256, so that no text can lead out of the archive.
    pub fn path(&self, sha256: &str) -> Option<PathBuf> {
        let digits = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| self.root.join(&sha256[..2]).join(&sha256[2..]))
    }

    /// Where files are while they are written. It lies in the archive, because a rename must not cross file systems.
    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Removes what writers that were killed left behind.
    pub fn sweep(&self, clock: &Clock) -> anyhow::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(self.incoming()).context("listing unfinished files of the archive")? {
            let entry = entry?;
            let abandoned = entry.metadata().and_then(|data| data.modified()).is_ok_and(|at| clock.since(at) > ABANDONED);
            if abandoned && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// All folders are made and durable before the first file, so that no file has to wait for its folder's name.
    fn make_folders(&self) -> io::Result<()> {
        fs::create_dir_all(self.incoming())?;
        for prefix in 0..=u8::MAX {
            fs::create_dir_all(self.root.join(hex::encode(&[prefix])))?;
        }
        sync_folder(&self.root)
    }

    /// A file of the right name and another size was spoiled by something else, and is written again.
    fn holds(&self, path: &Path, size_bytes: u64) -> bool {
        fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() == size_bytes)
    }
}

/// Copies to the end; gives the hash and the number of bytes.
pub fn copy_hashed(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut size_bytes = 0;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok((hex::encode(&hash.finalize()), size_bytes)),
            Ok(length) => {
                hash.update(&buffer[..length]);
                output.write_all(&buffer[..length])?;
                size_bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> (tempfile::TempDir, Archive) {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(folder.path().join("archive")).expect("an archive");
        (folder, archive)
    }

    fn files_in(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn the_same_bytes_twice_are_one_file() {
        let (_folder, archive) = archive();
        let first = archive.take(&mut &b"ISA*00*"[..]).expect("taken");
        let second = archive.take(&mut &b"ISA*00*"[..]).expect("taken again");
        assert_eq!(first.sha256, second.sha256);
        assert_eq!((first.size_bytes, first.known, second.known), (7, false, true));
        let mut text = String::new();
        archive.read(&first.sha256).expect("there").read_to_string(&mut text).expect("readable");
        assert_eq!(text, "ISA*00*");
        assert_eq!(files_in(&archive.incoming()), 0, "nothing unfinished stays");
        assert!(archive.verify(&first.sha256).expect("readable"));
    }

    #[test]
    fn a_spoiled_file_is_seen_and_replaced() {
        let (_folder, archive) = archive();
        let taken = archive.take(&mut &b"one file"[..]).expect("taken");
        fs::write(archive.path(&taken.sha256).expect("a hash"), "one").expect("writable");
        assert!(!archive.verify(&taken.sha256).expect("readable"));
        assert!(!archive.take(&mut &b"one file"[..]).expect("taken").known);
        assert!(archive.verify(&taken.sha256).expect("readable"));
    }

    #[test]
    fn no_text_leads_out_of_the_archive() {
        let (_folder, archive) = archive();
        for bad in ["", "../../etc/passwd", &"A".repeat(64), &format!("../{}", "a".repeat(61))] {
            assert!(archive.path(bad).is_none(), "{bad}");
            assert!(archive.read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reader_that_fails_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("cut"))
            }
        }
        let (_folder, archive) = archive();
        assert!(archive.take(&mut Broken).is_err());
        assert_eq!(files_in(&archive.incoming()), 0);
        assert_eq!(archive.sweep(&Clock::system()).expect("listed"), 0);
    }
}
