//! The machine-readable forms: one object per file, or one record per line.

use std::io::{self, SeekFrom, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tieout_parsers::{
    Acknowledgment, Balance, Control, Document, Finding, Format, Invoice, Parsed, Payment, Record, Remittance, Return, Severity,
    Sink, Status, parse_with,
};

use super::{Bytes, Target, each_chunk, finding_of, is_error, stream};
use crate::{
    hex,
    intake::unwrap::{Rejection, Source},
};

/// One file as one object. The order of the fields is part of the contract.
#[derive(Serialize)]
struct Object<'a> {
    file: &'a str,
    sha256: &'a str,
    format: Format,
    status: Status,
    size_bytes: u64,
    payments: &'a [Payment<'a>],
    remittances: &'a [Remittance<'a>],
    invoices: &'a [Invoice<'a>],
    returns: &'a [Return<'a>],
    balances: &'a [Balance],
    acknowledgments: &'a [Acknowledgment<'a>],
    controls: &'a [Control],
    findings: &'a [Finding],
}

/// First and last line of a file among its records.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum FileLine<'a> {
    /// What follows is in this file.
    Begin { file: &'a str },
    /// All of it was read.
    File { file: &'a str, sha256: &'a str, format: Format, status: Status, size_bytes: u64, records: u64 },
}

/// Writes a file as one object on one line; says whether it has errors.
pub fn object(
    target: &Target<'_>,
    source: &mut dyn Source,
    rejection: Option<&Rejection>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut content = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.read_to_end(&mut content)?;
    let sha256 = hex::encode(&Sha256::digest(&content));
    let parsed = match rejection {
        Some(rejection) => rejected(rejection),
        None => parse_with(&content, target.options),
    };
    let document = &parsed.document;
    let object = Object {
        file: target.name,
        sha256: &sha256,
        format: document.format,
        status: document.status,
        size_bytes: content.len() as u64,
        payments: &document.payments,
        remittances: &document.remittances,
        invoices: &document.invoices,
        returns: &document.returns,
        balances: &document.balances,
        acknowledgments: &document.acknowledgments,
        controls: &document.controls,
        findings: &parsed.findings,
    };
    write_line(&object, out)?;
    Ok(is_error(document.status, parsed.findings.iter().map(|finding| finding.severity).max()))
}

/// Writes a file record by record; says whether it has errors.
pub fn lines(
    target: &Target<'_>,
    source: &mut dyn Source,
    rejection: Option<&Rejection>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    write_line(&FileLine::Begin { file: target.name }, out)?;
    let mut lines = Lines { out, records: 0, worst: None, failed: None };
    let (format, status, bytes) = match rejection {
        Some(rejection) => {
            lines.record(Record::Finding(finding_of(rejection)));
            let bytes = each_chunk(target.name, source, true, &mut |_| {})?;
            (Format::Unknown, Status::Rejected, bytes)
        }
        None => {
            let (summary, bytes) = stream(target, source, true, &mut lines)?;
            (summary.format, summary.status, bytes)
        }
    };
    let Lines { out, records, worst, failed } = lines;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let Bytes { sha256, size_bytes } = bytes;
    write_line(&FileLine::File { file: target.name, sha256: &sha256, format, status, size_bytes, records }, out)?;
    Ok(is_error(status, worst))
}

/// Writes records as they come. A reader cannot be told of a failure, so the first one is kept and ends the writing.
struct Lines<'o> {
    out: &'o mut dyn Write,
    records: u64,
    worst: Option<Severity>,
    failed: Option<io::Error>,
}

impl<'w> Sink<'w> for Lines<'_> {
    fn record(&mut self, record: Record<'w>) {
        if let Record::Finding(finding) = &record {
            self.worst = self.worst.max(Some(finding.severity));
        }
        self.records += 1;
        if self.failed.is_none() {
            self.failed = write_line(&record, self.out).err();
        }
    }
}

fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn rejected(rejection: &Rejection) -> Parsed<'static> {
    let document = Document {
        format: Format::Unknown,
        status: Status::Rejected,
        payments: Vec::new(),
        remittances: Vec::new(),
        invoices: Vec::new(),
        returns: Vec::new(),
        balances: Vec::new(),
        acknowledgments: Vec::new(),
        controls: Vec::new(),
    };
    Parsed { document, findings: vec![finding_of(rejection)], received: Default::default() }
}
