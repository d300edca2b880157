//! The first of two readings of a file: verdict, counts, totals and control numbers, before anything is written.
//!
//! The verdict on a file stands at its end, and nothing of it may go live before the verdict is known. Reading twice costs little
//! beside writing rows, keeps memory bounded for files of any size, and keeps the transaction of T2 short.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use chrono::{Datelike, NaiveDate};
use tieout_parsers::{
    Currency, Direction, Effect, Finding, Format, Invoice, Location, Options, Record, Status, Stream, Summary,
    x12::received::Received,
};

use super::directory::Directory;
use crate::{
    secret::Vault,
    store::{FileCounts, FileTotal, Interchange, TotalKind},
};

const CHUNK_BYTES: usize = 256 << 10;
/// Minor units that one file may move, 10 trillion dollars. Thousands of such files still add up within 64 bits, which all totals have to.
pub const FILE_MINOR_MAX: i128 = 1_000_000_000_000_000;

/// What a file is and claims, known before its rows are written.
pub struct Survey {
    pub format: Format,
    pub status: Status,
    pub received: Received,
    pub counts: FileCounts,
    totals: BTreeMap<(TotalKind, Currency), (u64, i128)>,
    /// What the amounts add up to when none is taken from another.
    magnitudes: BTreeMap<Currency, i128>,
    set_asides: SetAsides,
    /// The first invoice that its seller did not send.
    pub stranger: Option<Stranger>,
    /// Money that went to an account which is none of ours.
    pub foreign: Option<Foreign>,
    /// The first payment on a day that cannot be.
    pub undated: Option<(NaiveDate, Location)>,
}

/// Records of money that went to accounts which were not imported as ours.
pub struct Foreign {
    /// Last four characters of the first such account.
    pub last4: String,
    pub records: u64,
    /// Of the first of them.
    pub location: Location,
}

/// An invoice that somebody sent who is not known to send for its seller.
pub struct Stranger {
    pub number: String,
    pub seller: String,
    /// Empty where the file names no sender.
    pub sender: String,
    pub location: Location,
}

impl Survey {
    /// Reads the file to its end.
    pub fn of(
        file: &mut dyn Read,
        options: &Options,
        directory: &Directory,
        vault: &Vault,
        today: NaiveDate,
    ) -> io::Result<Self> {
        let mut survey = Self {
            format: Format::Unknown,
            status: Status::Rejected,
            received: Received::default(),
            counts: FileCounts::default(),
            totals: BTreeMap::new(),
            magnitudes: BTreeMap::new(),
            set_asides: SetAsides::default(),
            stranger: None,
            foreign: None,
            undated: None,
        };
        let mut reader = ChunkReader::new(options);
        while reader.next(file, |record| survey.take(&record, directory, vault, today))?.is_some() {}
        if let Some(summary) = reader.summary() {
            survey.format = summary.format;
            survey.status = summary.status;
            survey.received = summary.received;
        }
        Ok(survey)
    }

    fn take(&mut self, record: &Record<'_>, directory: &Directory, vault: &Vault, today: NaiveDate) {
        self.look_at_money(record, directory, vault, today);
        self.count(record, directory);
    }

    /// Whose account the money is on, and when it came.
    fn look_at_money(&mut self, record: &Record<'_>, directory: &Directory, vault: &Vault, today: NaiveDate) {
        if let Record::Payment(payment) = record
            && let Some(day) = payment.value_date.filter(|day| !is_plausible(*day, today))
        {
            self.undated.get_or_insert((day, payment.location));
        }
        let paid_to = match record {
            Record::Payment(payment) if payment.direction != Direction::Debit => Some((&payment.payee, payment.location)),
            Record::Return(returned) => Some((&returned.payee, returned.location)),
            _ => None,
        };
        if let Some((payee, location)) = paid_to.filter(|(payee, _)| directory.own().is_foreign(payee, vault)) {
            let last4 = || payee.account.as_ref().map(tieout_parsers::Account::last4).unwrap_or_default();
            self.foreign.get_or_insert_with(|| Foreign { last4: last4(), records: 0, location }).records += 1;
        }
    }

    fn count(&mut self, record: &Record<'_>, directory: &Directory) {
        let counts = &mut self.counts;
        if !matches!(record, Record::Finding(_)) {
            self.set_asides.end();
        }
        match record {
            Record::Payment(payment) if payment.direction == Direction::Debit => self.add(TotalKind::Debit, payment.amount),
            Record::Payment(payment) => {
                counts.payments += 1;
                self.add(TotalKind::Payment, payment.amount);
            }
            Record::Return(returned) => {
                counts.returns += 1;
                self.add(TotalKind::Return, returned.amount);
            }
            Record::Remittance(remittance) => {
                counts.remittances += 1;
                counts.remittance_lines += remittance.lines.len() as u64;
            }
            Record::Invoice(invoice) => {
                counts.invoices += 1;
                self.add(TotalKind::Invoice, invoice.amount);
                if self.stranger.is_none() {
                    self.stranger = stranger(invoice, directory);
                }
            }
            Record::Finding(finding) => {
                counts.findings += 1;
                if self.set_asides.begins(finding) {
                    counts.set_aside += 1;
                }
            }
            Record::Control(_) | Record::Balance(_) | Record::Acknowledgment(_) => {}
        }
    }

    fn add(&mut self, kind: TotalKind, amount: tieout_parsers::Money) {
        let total = self.totals.entry((kind, amount.currency)).or_default();
        total.0 += 1;
        total.1 += i128::from(amount.minor);
        *self.magnitudes.entry(amount.currency).or_default() += i128::from(amount.minor.unsigned_abs());
    }

    /// The first currency of which there is more than can be, and how much.
    pub fn absurd(&self) -> Option<(Currency, i128)> {
        self.magnitudes.iter().map(|(currency, amount)| (*currency, *amount)).find(|(_, amount)| *amount > FILE_MINOR_MAX)
    }

    /// The totals as rows; a file whose total does not fit 64 bits of minor units is refused.
    pub fn totals(&self) -> anyhow::Result<Vec<FileTotal>> {
        self.totals
            .iter()
            .map(|(&(kind, currency), &(records, amount))| {
                let amount_minor = i64::try_from(amount).map_err(|_| anyhow::anyhow!("the total of the file is too large"))?;
                Ok(FileTotal { kind, currency, records, amount_minor })
            })
            .collect()
    }

    /// The first interchange that its sender marks as a test, with the mark that should stand there.
    pub fn test(&self) -> Option<(&str, &'static str, &'static str)> {
        let x12 = self.received.interchanges.iter().find(|interchange| interchange.usage.as_str() == "T");
        let edifact = self.received.edifact.iter().find(|interchange| interchange.test);
        x12.map(|interchange| (interchange.control_number.as_str(), "ISA15 P", "T"))
            .or(edifact
                .map(|interchange| (interchange.control_reference.as_str(), "no test indicator in UNB", "a test indicator")))
    }

    /// Sender and receiver of the first interchange.
    pub fn partners(&self) -> Option<(String, String)> {
        let x12 = self.received.interchanges.first().map(|first| (first.sender.to_string(), first.receiver.to_string()));
        let edifact = || self.received.edifact.first().map(|first| (first.sender.to_string(), first.receiver.to_string()));
        x12.or_else(edifact)
    }

    /// The control numbers that no other file may have used.
    pub fn interchanges(&self) -> Vec<Interchange> {
        let x12 = self.received.interchanges.iter().map(|interchange| Interchange {
            sender: format!("{}:{}", interchange.sender_qualifier, interchange.sender),
            receiver: format!("{}:{}", interchange.receiver_qualifier, interchange.receiver),
            control_number: interchange.control_number.to_string(),
            version: interchange.version.to_string(),
        });
        let edifact = self.received.edifact.iter().map(|interchange| Interchange {
            sender: format!("{}:{}", interchange.sender_qualifier, interchange.sender),
            receiver: format!("{}:{}", interchange.receiver_qualifier, interchange.receiver),
            control_number: interchange.control_reference.to_string(),
            version: interchange.syntax.to_string(),
        });
        let unique: BTreeSet<_> = x12.chain(edifact).collect();
        unique.into_iter().collect()
    }
}

/// A day on which a bank may have credited money: old files are read late, and money is announced ahead, but not by generations.
fn is_plausible(day: NaiveDate, today: NaiveDate) -> bool {
    const FIRST_YEAR: i32 = 1990;
    const AHEAD_DAYS: i64 = 366;
    day.year() >= FIRST_YEAR && (day - today).num_days() <= AHEAD_DAYS
}

/// Who sent an invoice, if that is not its seller. An invoice of an unknown seller is refused anyway.
fn stranger(invoice: &Invoice<'_>, directory: &Directory) -> Option<Stranger> {
    let exchange = invoice.exchange.as_ref();
    let seller = directory.issuer(&invoice.seller, exchange)?;
    if directory.may_issue(seller, exchange) {
        return None;
    }
    Some(Stranger {
        number: invoice.number.clone().into_owned(),
        seller: directory.seller_code(Some(seller)).unwrap_or_default(),
        sender: exchange.map(|exchange| exchange.sender.clone()).unwrap_or_default(),
        location: invoice.location,
    })
}

/// Feeds a file to the readers chunk by chunk, so that the caller can write between the chunks.
pub struct ChunkReader {
    stream: Option<Stream>,
    chunk: Vec<u8>,
    summary: Option<Summary>,
}

impl ChunkReader {
    pub fn new(options: &Options) -> Self {
        Self { stream: Some(Stream::with(options.clone())), chunk: vec![0; CHUNK_BYTES], summary: None }
    }

    /// Reads one chunk and hands over the records that became complete; nothing once the file has ended.
    pub fn next(&mut self, file: &mut dyn Read, mut take: impl FnMut(Record<'_>)) -> io::Result<Option<()>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let length = match file.read(&mut self.chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Some(())),
            read => read?,
        };
        if length > 0 {
            stream.feed(&self.chunk[..length], &mut take);
        } else if let Some(stream) = self.stream.take() {
            self.summary = Some(stream.finish(&mut take));
        }
        Ok(Some(()))
    }

    /// What the readers said at the end of the file.
    pub fn summary(self) -> Option<Summary> {
        self.summary
    }
}

/// Tells which findings belong to one record that was set aside: those of one set stand together, in the order of its segments, until its
/// controls or a good record end them. Where each line, field or entry is a record of its own, another one is another record.
#[derive(Default)]
pub struct SetAsides {
    last: Option<Last>,
}

/// The finding before.
#[derive(Clone, Copy)]
struct Last {
    segment: u32,
    is_addenda: bool,
}

impl SetAsides {
    /// Whether this finding is the first of a record that was set aside.
    pub fn begins(&mut self, finding: &Finding) -> bool {
        if finding.effect != Effect::RecordSetAside {
            return false;
        }
        let segment = finding.location.segment.unwrap_or(0);
        let tag = finding.location.tag;
        let tag = tag.as_ref().map_or("", |tag| tag.as_str());
        let is_addenda = tag.starts_with('7') && tag.len() == 3;
        let begins = match self.last {
            None => true,
            Some(last) if segment < last.segment => true,
            // The lines that hang on one entry follow one another.
            Some(last) if is_addenda && last.is_addenda => segment > last.segment.saturating_add(1),
            Some(last) => is_record(tag) && segment > last.segment,
        };
        self.last = Some(Last { segment, is_addenda });
        begins
    }

    /// The record's controls were read, or a record that is good: what follows is another record.
    pub fn end(&mut self) {
        self.last = None;
    }
}

/// Whether the place that a tag names is a record by itself, and not a segment of a set: the lines of lockbox, BAI2 and NACHA and the fields of
/// MT940 bear numbers, the elements of camt small letters, and rows of lists are named after what they hold.
fn is_record(tag: &str) -> bool {
    matches!(tag, "PAYMENT" | "RETURN")
        || tag.starts_with(|first: char| first.is_ascii_digit())
        || tag.contains(|letter: char| letter.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use tieout_parsers::{FindingCode, Location, Severity, Tag};

    use super::*;

    fn aside(tag: &str, segment: u32) -> Finding {
        Finding {
            code: FindingCode::BadAmount,
            severity: Severity::Error,
            effect: Effect::RecordSetAside,
            message: String::new(),
            expected: String::new(),
            found: String::new(),
            location: Location { segment: Some(segment), tag: Some(Tag::new(tag.as_bytes())), ..Location::default() },
        }
    }

    /// Which of these findings, none of them parted by a good record, begin a record that was set aside.
    fn begins(findings: &[(&str, u32)]) -> Vec<bool> {
        let mut records = SetAsides::default();
        findings.iter().map(|(tag, segment)| records.begins(&aside(tag, *segment))).collect()
    }

    #[test]
    fn a_set_is_one_record_and_each_line_of_other_files_is_one() {
        assert_eq!(begins(&[("BPR", 4), ("RMR", 9), ("RMR", 11), ("BPR", 3)]), [true, false, false, true], "sets of X12");
        assert_eq!(begins(&[("6", 4), ("6", 4), ("6", 5), ("4", 6)]), [true, false, true, true], "lines of a lockbox");
        assert_eq!(begins(&[("61", 4), ("61", 6)]), [true, true], "fields of MT940");
        assert_eq!(begins(&[("16", 4), ("16", 7)]), [true, true], "records of BAI2");
        assert_eq!(begins(&[("6", 4), ("6", 5), ("705", 6), ("705", 7), ("705", 9)]), [true, true, true, false, true], "NACHA");
        assert_eq!(begins(&[("Amt", 1), ("Amt", 1), ("CdtDbtInd", 2)]), [true, false, true], "entries of camt");
        assert_eq!(begins(&[("PAYMENT", 2), ("PAYMENT", 3), ("row", 4)]), [true, true, true], "rows of lists");
    }
}
