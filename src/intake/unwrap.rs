//! Takes files out of gzip, zip and e-mails, by content and never by name, within bounds.
//!
//! An archive is unpacked whole before anything in it is used, so that a bomb or a broken entry rejects all of it and nothing of it
//! is taken twice. The packed original is archived by the caller all the same. What is inside is left to the readers.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::Context;
use flate2::bufread::GzDecoder;
use tempfile::SpooledTempFile;
use thiserror::Error;
use tieout_parsers::Limits;
use zip::{ZipArchive, result::ZipError};

use super::email;

/// Content up to this size stays in memory.
const MEMORY_BYTES: usize = 1 << 20;
/// Payment files are repetitive, but no honest one shrinks more than this; a bomb does by a thousand.
const RATIO_MAX: u64 = 400;
/// The ratio says nothing about content that is small anyway.
const RATIO_FROM_BYTES: u64 = 32 << 20;

/// Stands behind the name of a gzip file that does not end in `.gz`.
const CONTENT: &str = "!content";

/// Something to read from more than once.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// One file out of an archive. Reading starts at its beginning.
pub struct Content {
    /// Path through the archives: `march.zip!day-02/820.edi`.
    pub name: String,
    pub size_bytes: u64,
    pub bytes: SpooledTempFile,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.size_bytes)
    }
}

/// What a file turned out to be.
#[derive(Debug)]
pub enum Unwrapped {
    /// Not packed: use the original.
    Plain,
    /// Packed, with these files inside, in the order of the archive.
    Packed(Vec<Content>),
}

/// Why nothing is taken out of an archive. The message stands alone and names the archive.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    #[error("{name} is damaged: {detail}; ask the sender to send it again")]
    Damaged { name: String, detail: String },
    #[error("{name} is encrypted with a password; ask the sender for an archive without one")]
    Encrypted { name: String },
    #[error("{name} uses a packing method we do not read ({detail}); ask the sender for gzip, or zip with deflate")]
    Method { name: String, detail: String },
    #[error("{name} unpacks to more than {bytes_max} bytes; raise limits.unpacked_bytes_max if the sender is trusted")]
    TooLarge { name: String, bytes_max: u64 },
    #[error(
        "{name} unpacks to more than {RATIO_MAX} times its size, as archives do that are made to fill disks; nothing was taken from it"
    )]
    Bomb { name: String },
    #[error("{name} is an e-mail of more than {bytes_max} bytes; raise limits.email_bytes_max if the sender is trusted")]
    LargeEmail { name: String, bytes_max: u64 },
    #[error("{name} holds more than {entries_max} files; raise limits.archive_entries_max if the sender is trusted")]
    TooManyEntries { name: String, entries_max: usize },
    #[error(
        "{name} lies in more than {depth_max} archives within archives; raise limits.archive_depth_max if the sender is trusted"
    )]
    TooDeep { name: String, depth_max: usize },
}

/// Unpacks `source` when it is packed. `Err` is a failure of this machine; a bad archive is `Ok(Err(rejection))`.
pub fn unwrap(
    name: &str,
    source: &mut dyn Source,
    limits: &Limits,
    temporary: &Path,
) -> anyhow::Result<Result<Unwrapped, Rejection>> {
    let mut unpacking = Unpacking { limits, temporary, bytes: 0, entries: 0, contents: Vec::new() };
    match unpacking.open(name, source, 0) {
        Ok(false) => Ok(Ok(Unwrapped::Plain)),
        Ok(true) => Ok(Ok(Unwrapped::Packed(unpacking.contents))),
        Err(Stop::Rejected(rejection)) => Ok(Err(rejection)),
        Err(Stop::Failed(error)) => Err(error).with_context(|| format!("unpacking {name}")),
    }
}

enum Stop {
    Rejected(Rejection),
    Failed(anyhow::Error),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// One unpacking with what it has used of its limits, over all nested archives together.
struct Unpacking<'a> {
    limits: &'a Limits,
    temporary: &'a Path,
    bytes: u64,
    entries: usize,
    contents: Vec<Content>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zip,
    Email,
}

impl Unpacking<'_> {
    /// Unpacks `source` if it is packed; says whether it was.
    fn open(&mut self, name: &str, source: &mut dyn Source, depth: usize) -> Result<bool, Stop> {
        let Some(packing) = packing_of(source)? else { return Ok(false) };
        // An archive of archives of archives ... stops here, whatever its size.
        if depth >= self.limits.archive_depth_max {
            return Err(self.too_deep(name));
        }
        match packing {
            Packing::Gzip => self.gzip(name, source, depth)?,
            Packing::Zip => return self.zip(name, source, depth),
            Packing::Email => self.email(name, source, depth)?,
        }
        Ok(true)
    }

    fn gzip(&mut self, name: &str, source: &mut dyn Source, depth: usize) -> Result<(), Stop> {
        let packed_bytes = length_of(source)?;
        let mut reader = Members { decoder: Some(GzDecoder::new(BufReader::new(source))) };
        let inner = match name.rsplit_once('.') {
            Some((stem, end)) if end.eq_ignore_ascii_case("gz") => stem.to_owned(),
            _ => format!("{name}{CONTENT}"),
        };
        let content = self.unpack(name, inner, packed_bytes, &mut reader)?;
        self.keep(content, depth)
    }

    /// False when the zip is an office document, which is a file and not an archive of files.
    fn zip(&mut self, name: &str, source: &mut dyn Source, depth: usize) -> Result<bool, Stop> {
        let archive = ZipArchive::new(&mut *source).map_err(|error| zip_stop(name, error))?;
        if archive.index_for_name("[Content_Types].xml").is_some() {
            return Ok(false);
        }
        let (named, directory) = (archive.len(), archive.central_directory_start());
        // Each entry costs a temporary file and a row; the bound holds before the first of them is read.
        if named > self.limits.archive_entries_max {
            return Err(self.too_many(name));
        }
        // The crate keeps entries by name, so of two with one name only the last would come out, and a payment file would be lost.
        if entries_from(source, directory)? != named as u64 {
            let detail = "its directory lists a name twice or more entries than it claims".to_owned();
            return Err(Rejection::Damaged { name: name.to_owned(), detail }.into());
        }
        let mut archive = ZipArchive::new(source).map_err(|error| zip_stop(name, error))?;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| zip_stop(name, error))?;
            let path = entry.name().map_err(|error| zip_stop(name, error))?.into_owned();
            if entry.encrypted() {
                return Err(Rejection::Encrypted { name: format!("{name}!{path}") }.into());
            }
            if entry.is_dir() || entry.is_symlink() || is_litter(&path) {
                continue;
            }
            drop(entry);
            let mut entry = archive.by_index(index).map_err(|error| zip_stop(name, error))?;
            let packed_bytes = entry.compressed_size();
            let content = self.unpack(name, format!("{name}!{path}"), packed_bytes, &mut entry)?;
            drop(entry);
            self.keep(content, depth)?;
        }
        Ok(true)
    }

    /// Takes the attachments of a letter, which is kept in memory meanwhile.
    fn email(&mut self, name: &str, source: &mut dyn Source, depth: usize) -> Result<(), Stop> {
        let bytes_max = self.limits.email_bytes_max;
        let mut letter = Vec::new();
        source.take(bytes_max.saturating_add(1)).read_to_end(&mut letter)?;
        if letter.len() as u64 > bytes_max {
            return Err(Rejection::LargeEmail { name: name.to_owned(), bytes_max }.into());
        }
        let depth_left = self.limits.archive_depth_max.saturating_sub(depth + 1);
        let found = email::attachments(&letter, self.limits.archive_entries_max, depth_left).map_err(|fault| match fault {
            email::Fault::TooDeep => self.too_deep(name),
            email::Fault::TooMany => self.too_many(name),
            email::Fault::Damaged { name: attachment, detail } => {
                Rejection::Damaged { name: format!("{name}!{attachment}"), detail: detail.to_owned() }.into()
            }
        })?;
        for attachment in found {
            let packed_bytes = attachment.bytes.len() as u64;
            let content =
                self.unpack(name, format!("{name}!{}", attachment.name), packed_bytes, &mut attachment.bytes.as_slice())?;
            self.keep(content, depth)?;
        }
        Ok(())
    }

    /// Copies one entry out, counting what really comes and not what the archive says.
    fn unpack(&mut self, archive: &str, name: String, packed_bytes: u64, reader: &mut dyn Read) -> Result<Content, Stop> {
        // In a zip the entry is damaged; a gzip is one entry, and people know it by its own name.
        let is_entry = name.strip_prefix(archive).is_some_and(|rest| rest.starts_with('!') && rest != CONTENT);
        let blamed = if is_entry { name.clone() } else { archive.to_owned() };
        self.entries += 1;
        if self.entries > self.limits.archive_entries_max {
            return Err(self.too_many(archive));
        }
        let ratio_bytes_max = packed_bytes.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES);
        let mut bytes = tempfile::spooled_tempfile_in(MEMORY_BYTES, self.temporary);
        let mut buffer = vec![0; 64 << 10];
        let mut size_bytes: u64 = 0;
        loop {
            let length = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Rejection::Damaged { name: blamed, detail: error.to_string() }.into()),
            };
            size_bytes += length as u64;
            self.bytes += length as u64;
            if self.bytes > self.limits.unpacked_bytes_max {
                let bytes_max = self.limits.unpacked_bytes_max;
                return Err(Rejection::TooLarge { name: archive.to_owned(), bytes_max }.into());
            }
            if size_bytes > ratio_bytes_max {
                return Err(Rejection::Bomb { name: archive.to_owned() }.into());
            }
            bytes.write_all(&buffer[..length])?;
        }
        bytes.seek(SeekFrom::Start(0))?;
        Ok(Content { name, size_bytes, bytes })
    }

    /// Keeps a file, or the files in it when it is packed itself.
    fn keep(&mut self, mut content: Content, depth: usize) -> Result<(), Stop> {
        let before = self.contents.len();
        // An archive with nothing in it is a file of its own, so that it does not vanish.
        if !self.open(&content.name, &mut content.bytes, depth + 1)? || self.contents.len() == before {
            content.bytes.seek(SeekFrom::Start(0))?;
            self.contents.push(content);
        }
        Ok(())
    }

    fn too_deep(&self, name: &str) -> Stop {
        Rejection::TooDeep { name: name.to_owned(), depth_max: self.limits.archive_depth_max }.into()
    }

    fn too_many(&self, name: &str) -> Stop {
        Rejection::TooManyEntries { name: name.to_owned(), entries_max: self.limits.archive_entries_max }.into()
    }
}

/// The members of a gzip, one after the other. Tapes and some senders fill the last block with zeros; they end it.
struct Members<R: BufRead> {
    decoder: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let length = decoder.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let Some(mut rest) = self.decoder.take().map(GzDecoder::into_inner) else { break };
            if skip_zeros(&mut rest)? {
                return Ok(0);
            }
            self.decoder = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Whether nothing follows but zeros, if anything.
fn skip_zeros(rest: &mut impl BufRead) -> io::Result<bool> {
    let mut skipped = false;
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(true);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros == 0 && skipped {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "something stands behind the zeros that fill it up"));
        }
        if zeros == 0 {
            return Ok(false);
        }
        skipped = true;
        rest.consume(zeros);
    }
}

/// How the content is packed, by its first bytes. The source stands at its beginning afterwards.
fn packing_of(source: &mut dyn Source) -> io::Result<Option<Packing>> {
    source.seek(SeekFrom::Start(0))?;
    let mut head = Vec::with_capacity(4);
    source.take(4).read_to_end(&mut head)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(match head.as_slice() {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        b"PK\x03\x04" | b"PK\x05\x06" => Some(Packing::Zip),
        [b'A'..=b'Z' | b'a'..=b'z', ..] => {
            source.take(email::HEAD_BYTES).read_to_end(&mut head)?;
            source.seek(SeekFrom::Start(0))?;
            email::is_email(head.get(4..).unwrap_or_default()).then_some(Packing::Email)
        }
        _ => None,
    })
}

fn length_of(source: &mut dyn Source) -> io::Result<u64> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    Ok(length)
}

/// How many file headers stand in the directory of a zip that begins at byte `at`, whatever its end record claims.
fn entries_from(source: &mut dyn Source, at: u64) -> io::Result<u64> {
    /// Bytes of a file header up to its name, and where the lengths of name, extra field and comment stand in it.
    const HEADER_BYTES: usize = 46;
    const LENGTHS_AT: [usize; 3] = [28, 30, 32];
    source.seek(SeekFrom::Start(at))?;
    let mut directory = BufReader::new(source);
    let mut entries = 0;
    loop {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        directory.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header)?;
        if header.len() < HEADER_BYTES || !header.starts_with(b"PK\x01\x02") {
            return Ok(entries);
        }
        entries += 1;
        let rest: i64 = LENGTHS_AT.iter().map(|at| i64::from(u16::from_le_bytes([header[*at], header[at + 1]]))).sum();
        directory.seek_relative(rest)?;
    }
}

/// What file managers leave in archives.
fn is_litter(path: &str) -> bool {
    path.starts_with("__MACOSX/") || path.rsplit('/').next().is_some_and(|name| name.starts_with('.') || name == "Thumbs.db")
}

fn zip_stop(name: &str, error: ZipError) -> Stop {
    let name = name.to_owned();
    match error {
        ZipError::CompressionMethodNotSupported(method) => Rejection::Method { name, detail: format!("method {method}") }.into(),
        ZipError::UnsupportedArchive(detail) => Rejection::Method { name, detail: detail.to_owned() }.into(),
        ZipError::InvalidPassword => Rejection::Encrypted { name }.into(),
        other => Rejection::Damaged { name, detail: other.to_string() }.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use flate2::{Compression, write::GzEncoder};
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a new entry");
            writer.write_all(bytes).expect("memory takes it");
        }
        writer.finish().expect("memory takes it").into_inner()
    }

    fn check(name: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Option<Vec<(String, String)>>, Rejection> {
        let folder = tempfile::tempdir().expect("a folder");
        let unwrapped = unwrap(name, &mut Cursor::new(bytes), limits, folder.path()).expect("the machine works")?;
        Ok(match unwrapped {
            Unwrapped::Plain => None,
            Unwrapped::Packed(contents) => Some(contents.into_iter().map(read).collect()),
        })
    }

    fn read(mut content: Content) -> (String, String) {
        let mut text = String::new();
        content.bytes.read_to_string(&mut text).expect("text");
        assert_eq!(text.len() as u64, content.size_bytes);
        (content.name, text)
    }

    fn pairs(expected: &[(&str, &str)]) -> Result<Option<Vec<(String, String)>>, Rejection> {
        Ok(Some(expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()))
    }

    #[test]
    fn files_come_out_by_content_and_not_by_name() {
        let limits = Limits::default();
        assert_eq!(check("a.zip", b"ISA*00*".to_vec(), &limits), Ok(None));
        assert_eq!(check("empty", Vec::new(), &limits), Ok(None));
        assert_eq!(check("820.edi.gz", gzip(b"ISA*00*"), &limits), pairs(&[("820.edi", "ISA*00*")]));
        assert_eq!(check("820.edi", gzip(b"ISA*00*"), &limits), pairs(&[("820.edi!content", "ISA*00*")]));
        let two_members = [gzip(b"ISA"), gzip(b"*00*")].concat();
        assert_eq!(check("two.gz", two_members.clone(), &limits), pairs(&[("two", "ISA*00*")]));
        // Blocks that are filled up with zeros, as tapes do, end the file; anything behind them is damage.
        let filled = [two_members.as_slice(), &[0; 70_000]].concat();
        assert_eq!(check("two.gz", filled.clone(), &limits), pairs(&[("two", "ISA*00*")]));
        assert!(matches!(check("two.gz", [&filled[..], b"x"].concat(), &limits), Err(Rejection::Damaged { .. })));
        let inner = zip(&[("x/1.edi", b"one"), ("__MACOSX/1.edi", b"litter"), (".DS_Store", b"litter"), ("2.edi", b"two")]);
        assert_eq!(check("day", inner.clone(), &limits), pairs(&[("day!x/1.edi", "one"), ("day!2.edi", "two")]));
        let nested = gzip(&zip(&[("in.zip", &inner)]));
        assert_eq!(check("n.gz", nested, &limits), pairs(&[("n!in.zip!x/1.edi", "one"), ("n!in.zip!2.edi", "two")]));
    }

    #[test]
    fn an_office_document_is_a_file() {
        let sheet = zip(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")]);
        assert_eq!(check("open.xlsx", sheet, &Limits::default()), Ok(None));
    }

    #[test]
    fn hostile_archives_are_rejected_whole() {
        let deep = (0..4).fold(b"ISA".to_vec(), |bytes, _| gzip(&bytes));
        assert!(matches!(check("deep.gz", deep, &Limits::default()), Err(Rejection::TooDeep { .. })));
        let bomb = gzip(&vec![b'0'; 40 << 20]);
        assert_eq!(check("bomb.gz", bomb, &Limits::default()), Err(Rejection::Bomb { name: "bomb.gz".into() }));
        let small = Limits { unpacked_bytes_max: 10, archive_entries_max: 2, ..Limits::default() };
        let large = zip(&[("1", b"12345678"), ("2", b"1234")]);
        assert_eq!(check("l.zip", large, &small), Err(Rejection::TooLarge { name: "l.zip".into(), bytes_max: 10 }));
        let many = zip(&[("1", b"1"), ("2", b"2"), ("3", b"3")]);
        assert_eq!(check("m.zip", many, &small), Err(Rejection::TooManyEntries { name: "m.zip".into(), entries_max: 2 }));
    }

    #[test]
    fn damage_is_named_and_never_half_taken() {
        let mut cut = gzip(b"ISA*00*          *00*");
        cut.truncate(cut.len() - 9);
        assert!(matches!(check("cut.gz", cut, &Limits::default()), Err(Rejection::Damaged { .. })));
        let mut flipped = zip(&[("1.edi", b"ISA*00*          *00*")]);
        let at = flipped.windows(2).position(|pair| pair == b"PK").expect("an entry") + 38;
        flipped[at] ^= 0x10;
        assert!(check("flipped.zip", flipped, &Limits::default()).is_err());
        let mut cut = zip(&[("1.edi", b"ISA*00*")]);
        cut.truncate(cut.len() - 4);
        let error = check("cut.zip", cut, &Limits::default()).expect_err("damaged");
        assert!(error.to_string().starts_with("cut.zip is damaged: "), "{error}");
    }

    #[test]
    fn two_entries_of_one_name_are_not_one() {
        // The writer refuses the same name twice, so the second is renamed in its local header and in the directory.
        let mut twins = zip(&[("1.edi", b"first"), ("2.edi", b"second")]);
        assert!(matches!(check("ok.zip", twins.clone(), &Limits::default()), Ok(Some(files)) if files.len() == 2));
        let named: Vec<usize> = (0..twins.len() - 5).filter(|at| &twins[*at..at + 5] == b"2.edi").collect();
        assert_eq!(named.len(), 2);
        named.into_iter().for_each(|at| twins[at] = b'1');
        let error = check("twins.zip", twins, &Limits::default()).expect_err("one of them would be lost");
        assert!(error.to_string().starts_with("twins.zip is damaged: its directory lists a name twice"), "{error}");
        // An end record that claims fewer entries than the directory holds hides the others.
        let mut fewer = zip(&[("1.edi", b"first"), ("2.edi", b"second")]);
        let end = fewer.windows(4).position(|four| four == b"PK\x05\x06").expect("an end record");
        (fewer[end + 8], fewer[end + 10]) = (1, 1);
        assert!(matches!(check("fewer.zip", fewer, &Limits::default()), Err(Rejection::Damaged { .. })));
    }

    #[test]
    fn an_encrypted_entry_is_named() {
        let mut locked = zip(&[("1.edi", b"ISA*00*")]);
        // Bit 0 of the flags, in the local header (offset 6) and in the central directory (offset 8).
        locked[6] |= 1;
        let central = locked.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
        locked[central + 8] |= 1;
        assert_eq!(check("k.zip", locked, &Limits::default()), Err(Rejection::Encrypted { name: "k.zip!1.edi".into() }));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Whatever happens to an archive on its way: files that are right, or a rejection with words.
        #[test]
        fn damaged_archives_never_break_us(at in 0_usize..400, byte: u8, cut in 0_usize..400, as_zip: bool) {
            let mut bytes = if as_zip { zip(&[("1.edi", b"ISA*00*"), ("2.gz", &gzip(b"ISA*01*"))]) } else { gzip(&gzip(b"ISA*00*")) };
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length.min(40));
            if let Err(rejection) = check("x.bin", bytes, &Limits::default()) {
                proptest::prop_assert!(rejection.to_string().starts_with("x.bin"));
            }
        }
    }
}
