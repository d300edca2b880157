//! `tieout parse`: what files say and what is wrong with them. No store is needed, and nothing is changed.
//!
//! `jsonl` and `text` read in chunks and hold one transaction at a time; `json` holds the document, because it is one object.

mod json;
mod report;
mod text;

use std::{
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use sha2::{Digest, Sha256};
use tieout_parsers::{Effect, Finding, FindingCode, Location, Options, Severity, Sink, Status, Stream, Summary};

use super::{Context, Exit, UsageError, progress::Progress};
use crate::{
    hex,
    intake::{
        mappings,
        unwrap::{Content, Rejection, Source, Unwrapped, unwrap},
        walk,
    },
};

const CHUNK_BYTES: usize = 256 << 10;

/// Reads files and says what they hold and what is wrong with them; changes nothing
#[derive(ClapArgs, Debug)]
#[command(after_help = "Examples:
  tieout parse samples/x12/good/820-01-exact.edi
  tieout parse drop/ --format jsonl | head
  gunzip -c 820.gz | tieout parse - --format json")]
pub struct Args {
    /// Files, folders (their files in name order), or - for stdin; gzip, zip and e-mails are unpacked
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// json: one object per file; jsonl: one record a line, for files of any size; text: a report for people
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub format: Output,
    /// Mapping file for CSV and XLSX that goes before those of the setting `mappings` and the shipped ones; may be given several times
    #[arg(long, value_name = "FILE")]
    pub mapping: Vec<PathBuf>,
    /// In text, show every payment, invoice and line instead of the first ones
    #[arg(long)]
    pub all: bool,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    Json,
    Jsonl,
    Text,
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let mut out = BufWriter::with_capacity(CHUNK_BYTES, io::stdout().lock());
    let mut tally = Tally::default();
    for path in named_files(&args.paths)? {
        let (name, mut source) = match open(&path) {
            Ok(opened) => opened,
            Err(error) => {
                // The others can be read all the same.
                eprintln!("tieout: {error:#}");
                tally.unreadable += 1;
                continue;
            }
        };
        parse_source(&name, &mut *source, args, context, &mut tally, &mut out).with_context(|| format!("reading {name}"))?;
    }
    out.flush().context("writing results")?;
    if args.format == Output::Text && tally.files > 1 {
        eprintln!("{} files: {} without errors, {} with", tally.files, tally.files - tally.with_errors, tally.with_errors);
    }
    Ok(match tally {
        Tally { unreadable: 1.., .. } => Exit::Failed,
        Tally { with_errors: 1.., .. } => Exit::InputErrors,
        _ => Exit::Success,
    })
}

#[derive(Debug, Default)]
struct Tally {
    files: u64,
    with_errors: u64,
    /// Files that could not be opened.
    unreadable: u64,
}

/// One file with what is said about it in every form of output.
struct Target<'a> {
    name: &'a str,
    options: &'a Options,
    all: bool,
}

fn named_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, UsageError> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(path.clone());
            continue;
        }
        files.extend(walk::files(path).map_err(|error| UsageError(format!("{}: {error}", path.display())))?);
    }
    if files.is_empty() {
        return Err(UsageError("there is nothing to parse: the folders hold no files".to_owned()));
    }
    Ok(files)
}

fn open(path: &Path) -> anyhow::Result<(String, Box<dyn Source>)> {
    let name = path.display().to_string();
    if name != "-" {
        let file = walk::open(path).with_context(|| format!("opening {name}"))?;
        return Ok((name, Box::new(file)));
    }
    // Excerpts and archives are read from more than one place, which a pipe does not allow.
    let mut spool = tempfile::spooled_tempfile(CHUNK_BYTES);
    io::copy(&mut io::stdin().lock(), &mut spool).context("reading stdin")?;
    spool.seek(SeekFrom::Start(0))?;
    Ok(("stdin".to_owned(), Box::new(spool)))
}

/// Limits and mappings: those of the command line first.
fn options(args: &Args, context: &Context) -> anyhow::Result<Options> {
    let mut mappings = args.mapping.iter().map(|file| mappings::read(file)).collect::<Result<Vec<_>, _>>()?;
    if let Some(folder) = &context.config.mappings {
        mappings.extend(mappings::load(folder)?);
    }
    Ok(Options { limits: context.config.limits.clone(), mappings, ..Options::default() })
}

/// Parses a file, or the files in it when it is packed.
fn parse_source(
    name: &str,
    source: &mut dyn Source,
    args: &Args,
    context: &Context,
    tally: &mut Tally,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let options = options(args, context)?;
    let limits = &options.limits;
    let mut parse_one = |name: &str, source: &mut dyn Source, rejection: Option<&Rejection>| -> anyhow::Result<()> {
        let target = Target { name, options: &options, all: args.all };
        let has_errors = match args.format {
            Output::Json => json::object(&target, source, rejection, out)?,
            Output::Jsonl => json::lines(&target, source, rejection, out)?,
            Output::Text => text::report(&target, source, rejection, out)?,
        };
        tally.files += 1;
        tally.with_errors += u64::from(has_errors);
        Ok(())
    };
    match unwrap(name, source, limits, &tempfile::env::temp_dir())? {
        Ok(Unwrapped::Plain) => parse_one(name, source, None),
        Ok(Unwrapped::Packed(contents)) if contents.is_empty() => parse_one(name, source, None),
        Ok(Unwrapped::Packed(contents)) => {
            for Content { name, mut bytes, .. } in contents {
                parse_one(&name, &mut bytes, None)?;
            }
            Ok(())
        }
        Err(rejection) => parse_one(name, source, Some(&rejection)),
    }
}

/// Name by content and size of what was read.
struct Bytes {
    sha256: String,
    size_bytes: u64,
}

/// Reads a source in chunks into `sink`.
fn stream(
    target: &Target<'_>,
    source: &mut dyn Source,
    results_scroll: bool,
    sink: &mut dyn for<'w> Sink<'w>,
) -> io::Result<(Summary, Bytes)> {
    let mut parser = Stream::with(target.options.clone());
    let bytes = each_chunk(target.name, source, results_scroll, &mut |chunk| parser.feed(chunk, sink))?;
    Ok((parser.finish(sink), bytes))
}

fn each_chunk(name: &str, source: &mut dyn Source, results_scroll: bool, take: &mut dyn FnMut(&[u8])) -> io::Result<Bytes> {
    let total = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let mut progress = Progress::bytes(name, total, results_scroll);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut size_bytes: u64 = 0;
    loop {
        let length = match source.read(&mut buffer) {
            Ok(0) => return Ok(Bytes { sha256: hex::encode(&hash.finalize()), size_bytes }),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..length]);
        take(&buffer[..length]);
        size_bytes += length as u64;
        progress.at(size_bytes);
    }
}

/// What is said of an archive that could not be unpacked, in the form of the readers.
fn finding_of(rejection: &Rejection) -> Finding {
    let (code, expected) = match rejection {
        Rejection::Damaged { .. } => (FindingCode::BadEnvelope, "a whole archive"),
        Rejection::Encrypted { .. } => (FindingCode::UnsupportedFormat, "an archive without password"),
        Rejection::Method { .. } => (FindingCode::UnsupportedFormat, "gzip, or zip with deflate"),
        Rejection::TooLarge { .. } | Rejection::LargeEmail { .. } | Rejection::Bomb { .. } => {
            (FindingCode::LimitReached, "content within the limits")
        }
        Rejection::TooManyEntries { .. } | Rejection::TooDeep { .. } => {
            (FindingCode::LimitReached, "an archive within the limits")
        }
    };
    Finding {
        code,
        severity: Severity::Error,
        effect: Effect::FileRejected,
        message: rejection.to_string(),
        expected: expected.to_owned(),
        found: String::new(),
        location: Location::default(),
    }
}

fn is_error(status: Status, worst: Option<Severity>) -> bool {
    !matches!(status, Status::Accepted | Status::AcceptedWithFindings) || worst == Some(Severity::Error)
}
