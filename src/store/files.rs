//! Files, their arrivals, and what their readers counted, claimed and found.

use chrono::NaiveDate;
use tieout_parsers::{Control, Finding};

use super::{
    Kind, Tx,
    bulk::Rows,
    value::{Columns, byte, count, values},
};
use crate::domain::{Currency, FileId};

/// Bytes that came by some door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArrival<'a> {
    /// SHA-256 of the content, lower-case hex: the natural key of the file.
    pub sha256: &'a str,
    /// Path below the drop folder, or the name the sender gave it.
    pub name: &'a str,
    pub size_bytes: u64,
    /// How it came: `ingest`, `inbox`, …
    pub door: &'a str,
    /// Names this one event of arriving, so that a repeat after a crash is not counted twice.
    pub key: &'a str,
    pub business_day: NaiveDate,
    /// The format a person said it has.
    pub format_forced: Option<&'a str>,
}

/// What T1 made of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub file: FileId,
    /// The content was never seen before.
    pub content_is_new: bool,
    /// This event of arriving was never seen before.
    pub arrival_is_new: bool,
}

/// Where a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Archived, not read yet.
    Received,
    /// Read; its payments are live.
    Recorded,
    /// Read; nothing posts until a person decides.
    Held,
    /// Nothing of it counts.
    Rejected,
    /// Not ours to read.
    Unsupported,
}

impl FileState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Recorded => "recorded",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What the reader counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FileCounts {
    pub payments: u64,
    pub returns: u64,
    /// Remittances of every kind. Exports of others count only those that stand apart, so ours has a name of its own.
    #[serde(rename = "remittances_read")]
    pub remittances: u64,
    pub remittance_lines: u64,
    pub invoices: u64,
    /// Of the invoices: stored, updated or known already.
    pub invoices_taken: u64,
    /// Of the invoices: refused with an exception.
    pub invoices_refused: u64,
    /// Records set aside, each with its exception.
    pub set_aside: u64,
    pub findings: u64,
}

/// What the reader added up, per kind of record and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTotal {
    pub kind: TotalKind,
    pub currency: Currency,
    pub records: u64,
    pub amount_minor: i64,
}

/// What a total is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TotalKind {
    Payment,
    Return,
    Invoice,
    /// Money that left the account: told and counted, and no receipt.
    Debit,
}

impl TotalKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Return => "return",
            Self::Invoice => "invoice",
            Self::Debit => "debit",
        }
    }
}

/// The result of reading a file, stored with its rows in T2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording<'a> {
    pub file: FileId,
    pub state: FileState,
    /// Format by content.
    pub format: &'a str,
    /// The reader's verdict, `accepted_with_findings`.
    pub verdict: &'a str,
    pub sender: Option<&'a str>,
    pub receiver: Option<&'a str>,
    pub counts: FileCounts,
    pub totals: Vec<FileTotal>,
}

/// A file as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: FileId,
    pub sha256: String,
    pub name: String,
    pub size_bytes: u64,
    pub format: Option<String>,
    pub format_forced: Option<String>,
    pub state: FileState,
    pub verdict: Option<String>,
    pub sender: Option<String>,
    pub receiver: Option<String>,
    pub business_day: NaiveDate,
    pub received_at: String,
    pub counts: FileCounts,
    pub version: i64,
}

/// A finding as stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredFinding {
    pub code: String,
    pub severity: String,
    pub effect: String,
    pub message: String,
    pub expected: String,
    pub found: String,
    pub byte: u64,
    pub line: Option<u64>,
    pub segment: Option<u32>,
    pub tag: Option<String>,
    pub element: Option<u16>,
}

/// A claim of a file about itself, as stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredControl {
    pub name: String,
    pub level: String,
    pub claimed: String,
    pub computed: String,
    pub ok: bool,
    pub byte: u64,
    pub segment: Option<u32>,
}

/// An X12 interchange by what must be unique of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interchange {
    /// ISA05 and ISA06.
    pub sender: String,
    /// ISA07 and ISA08.
    pub receiver: String,
    /// ISA13.
    pub control_number: String,
    /// ISA12.
    pub version: String,
}

/// An interchange whose number came before in another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reused {
    pub interchange: Interchange,
    pub earlier: FileId,
    pub earlier_name: String,
}

const COLUMNS: &str = "id, sha256, name, size_bytes, format, format_forced, state, verdict, sender, receiver, business_day, received_at, \
                       payments, returns, remittances, remittance_lines, invoices, invoices_taken, invoices_refused, set_aside, findings, version";

impl Tx {
    /// T1: the file by its content, and this arrival of it.
    pub async fn receive_file(&mut self, arrival: &NewArrival<'_>) -> anyhow::Result<Received> {
        let id = self.reserve_one(Kind::File).await?;
        let at = self.stamp().to_owned();
        let sql = "insert into file (id, sha256, name, size_bytes, format_forced, state, business_day, received_at) \
                   values ($1, $2, $3, $4, $5, 'received', $6, $7) on conflict (sha256) do nothing";
        let row =
            values![id, arrival.sha256, arrival.name, byte(arrival.size_bytes), arrival.format_forced, arrival.business_day, &at];
        let content_is_new = self.run(sql, row).await? == 1;
        let file = if content_is_new {
            id
        } else {
            self.number("select id from file where sha256 = $1", values![arrival.sha256]).await?
        };
        let id = self.reserve_one(Kind::Arrival).await?;
        let sql = "insert into arrival (id, file_id, name, door, business_day, at, key) values ($1, $2, $3, $4, $5, $6, $7) \
                   on conflict (key) do nothing";
        let row = values![id, file, arrival.name, arrival.door, arrival.business_day, &at, arrival.key];
        let arrival_is_new = self.run(sql, row).await? == 1;
        Ok(Received { file: FileId(file), content_is_new, arrival_is_new })
    }

    /// The last business day on which files came by a door.
    pub async fn last_business_day(&mut self, door: &str) -> anyhow::Result<Option<NaiveDate>> {
        let row = self.first("select max(business_day) from arrival where door = $1", values![door]).await?;
        Ok(row.map(|row| Columns::of(&row).date_opt()).transpose()?.flatten())
    }

    /// Names under which files came on a business day.
    pub async fn arrivals_of_day(&mut self, day: NaiveDate) -> anyhow::Result<Vec<String>> {
        let rows = self.all("select name from arrival where business_day = $1", values![day]).await?;
        rows.iter().map(|row| Columns::of(row).text()).collect()
    }

    /// T2: what the reader made of the file. False when the file was recorded before; then nothing else may be stored.
    pub async fn record_file(&mut self, recording: &Recording<'_>) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let counts = &recording.counts;
        let sql = "update file set state = $2, format = $3, verdict = $4, sender = $5, receiver = $6, recorded_at = $7, payments = $8, \
                   returns = $9, remittances = $10, remittance_lines = $11, invoices = $12, invoices_taken = $13, \
                   invoices_refused = $14, set_aside = $15, findings = $16, version = version + 1 where id = $1 and state = 'received'";
        let mut row = values![
            recording.file,
            recording.state.as_str(),
            recording.format,
            recording.verdict,
            recording.sender,
            recording.receiver,
            at
        ];
        row.extend(counts.in_order().map(|number| byte(number).into()));
        if self.run(sql, row).await? == 0 {
            return Ok(false);
        }
        let mut rows = Rows::of_width(5);
        for total in &recording.totals {
            rows.push(values![recording.file, total.kind.as_str(), total.currency, byte(total.records), total.amount_minor]);
        }
        self.insert("file_total", "file_id, kind, currency, records, amount_minor", "", rows).await?;
        Ok(true)
    }

    /// Claims the control numbers of a file; those that another file claimed before are returned.
    pub async fn guard_interchanges(&mut self, file: FileId, interchanges: &[Interchange]) -> anyhow::Result<Vec<Reused>> {
        // Sorted, so that two files that share numbers wait for each other instead of deadlocking.
        let mut sorted: Vec<_> = interchanges.iter().collect();
        sorted.sort();
        let ids = self.reserve(Kind::Interchange, sorted.len()).await?;
        let (mut rows, mut keys, mut inherited) = (Rows::of_width(6), Rows::of_width(3), Rows::of_width(3));
        for (interchange, id) in sorted.iter().zip(ids) {
            let Interchange { sender, receiver, control_number, version } = interchange;
            rows.push(values![id, file, sender, receiver, control_number, version]);
            keys.push(values![sender, receiver, control_number]);
            inherited.push(values![sender, receiver, control_number]);
        }
        // The number of a file that a person rejected is free again: the sender's corrected file bears it.
        let sql = "{v} update interchange set file_id = {1} from v where interchange.sender = v.sender \
                   and interchange.receiver = v.receiver and interchange.control_number = v.control_number \
                   and exists (select 1 from file f where f.id = interchange.file_id and f.state = 'rejected')";
        self.with_rows("sender, receiver, control_number", inherited, sql, values![file]).await?;
        let columns = "id, file_id, sender, receiver, control_number, version";
        self.insert("interchange", columns, "on conflict (sender, receiver, control_number) do nothing", rows).await?;
        let sql = "{v} select distinct i.sender, i.receiver, i.control_number, coalesce(i.version, ''), f.id, f.name from interchange i \
                   join v on i.sender = v.sender and i.receiver = v.receiver and i.control_number = v.control_number \
                   join file f on f.id = i.file_id where i.file_id <> {1}";
        let found = self.all_with_rows("sender, receiver, control_number", keys, sql, values![file]).await?;
        let reused = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            let interchange = Interchange {
                sender: columns.text()?,
                receiver: columns.text()?,
                control_number: columns.text()?,
                version: columns.text()?,
            };
            Ok(Reused { interchange, earlier: FileId(columns.number()?), earlier_name: columns.text()? })
        });
        reused.collect()
    }

    /// Stores what a file claims about itself; `first` is the ordinal of the first of them.
    pub async fn record_controls(&mut self, file: FileId, first: usize, controls: &[Control]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(12);
        for (index, control) in controls.iter().enumerate() {
            let place = &control.location;
            let tag = place.tag.map(|tag| tag.to_string());
            rows.push(values![
                file,
                count(first + index),
                control.name,
                control.level,
                control.claimed.as_str(),
                control.computed.as_str(),
                control.ok,
                byte(place.byte),
                line(place.line),
                place.segment,
                tag,
                place.element,
            ]);
        }
        let columns = "file_id, seq, name, level, claimed, computed, ok, byte, line, segment, tag, element";
        self.insert("control", columns, "", rows).await?;
        Ok(())
    }

    /// Stores what is wrong with a file; `first` is the ordinal of the first of them.
    pub async fn record_findings(&mut self, file: FileId, first: usize, findings: &[Finding]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(15);
        for (index, finding) in findings.iter().enumerate() {
            let place = &finding.location;
            let tag = place.tag.map(|tag| tag.to_string());
            rows.push(values![
                file,
                count(first + index),
                finding.code.as_str(),
                word(&finding.severity)?,
                word(&finding.effect)?,
                &finding.message,
                &finding.expected,
                &finding.found,
                byte(place.byte),
                line(place.line),
                place.segment,
                tag,
                place.element,
                place.repeat,
                place.component,
            ]);
        }
        let columns = "file_id, seq, code, severity, effect, message, expected, found, byte, line, segment, tag, element, repeat_no, component";
        self.insert("finding", columns, "", rows).await?;
        Ok(())
    }

    /// What a file says it moves, per kind of record and currency.
    pub(crate) async fn file_totals(&mut self, file: FileId) -> anyhow::Result<Vec<(Currency, i64)>> {
        let sql = "select currency, amount_minor from file_total where file_id = $1 and kind <> 'debit' order by kind, currency";
        let rows = self.all(sql, values![file]).await?;
        let totals = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.currency()?, columns.number()?))
        });
        totals.collect()
    }

    /// What is wrong with a file, in file order.
    pub async fn findings_of_file(&mut self, file: FileId) -> anyhow::Result<Vec<StoredFinding>> {
        let sql = "select code, severity, effect, message, expected, found, byte, line, segment, tag, element from finding \
                   where file_id = $1 order by seq";
        let rows = self.all(sql, values![file]).await?;
        let findings = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(StoredFinding {
                code: columns.text()?,
                severity: columns.text()?,
                effect: columns.text()?,
                message: columns.text()?,
                expected: columns.text()?,
                found: columns.text()?,
                byte: columns.small()?,
                line: columns.small_opt()?,
                segment: columns.small_opt()?,
                tag: columns.text_opt()?,
                element: columns.small_opt()?,
            })
        });
        findings.collect()
    }

    /// What a file claims about itself, in file order.
    pub async fn controls_of_file(&mut self, file: FileId) -> anyhow::Result<Vec<StoredControl>> {
        let sql = "select name, level, claimed, computed, ok, byte, segment from control where file_id = $1 order by seq";
        let rows = self.all(sql, values![file]).await?;
        let controls = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(StoredControl {
                name: columns.text()?,
                level: columns.text()?,
                claimed: columns.text()?,
                computed: columns.text()?,
                ok: columns.flag()?,
                byte: columns.small()?,
                segment: columns.small_opt()?,
            })
        });
        controls.collect()
    }

    pub async fn file(&mut self, id: FileId) -> anyhow::Result<Option<File>> {
        let row = self.first(&format!("select {COLUMNS} from file where id = $1"), values![id]).await?;
        row.map(|row| File::read(&mut Columns::of(&row))).transpose()
    }

    pub async fn file_by_sha256(&mut self, sha256: &str) -> anyhow::Result<Option<File>> {
        let row = self.first(&format!("select {COLUMNS} from file where sha256 = $1"), values![sha256]).await?;
        row.map(|row| File::read(&mut Columns::of(&row))).transpose()
    }

    /// Files in order of id, after `after`, at most `limit`.
    pub async fn files(&mut self, after: FileId, limit: usize) -> anyhow::Result<Vec<File>> {
        let rows = self
            .all(&format!("select {COLUMNS} from file where id > $1 order by id limit $2"), values![after, count(limit)])
            .await?;
        rows.iter().map(|row| File::read(&mut Columns::of(row))).collect()
    }

    /// What became of the invoices of a file that were read after its release.
    pub async fn count_invoices(&mut self, id: FileId, taken: u64, refused: u64) -> anyhow::Result<()> {
        let sql = "update file set invoices_taken = $2, invoices_refused = $3, version = version + 1 where id = $1";
        self.run(sql, values![id, byte(taken), byte(refused)]).await?;
        Ok(())
    }

    /// Files after that one with the hash each is archived under, in order.
    pub async fn archived_files(&mut self, after: FileId, limit: usize) -> anyhow::Result<Vec<(FileId, String)>> {
        let sql = format!("select id, sha256 from file where id > $1 order by id limit {limit}");
        let rows = self.all(&sql, values![after]).await?;
        let files = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((FileId(columns.number()?), columns.text()?))
        });
        files.collect()
    }

    /// Moves a file from one state to another; false when it is no longer in the first.
    pub async fn move_file(&mut self, id: FileId, from: FileState, to: FileState, actor: &str) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql =
            "update file set state = $3, decided_by = $4, decided_at = $5, version = version + 1 where id = $1 and state = $2";
        Ok(self.run(sql, values![id, from.as_str(), to.as_str(), actor, at]).await? == 1)
    }
}

impl File {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: FileId(columns.number()?),
            sha256: columns.text()?,
            name: columns.text()?,
            size_bytes: columns.small()?,
            format: columns.text_opt()?,
            format_forced: columns.text_opt()?,
            state: columns.code()?,
            verdict: columns.text_opt()?,
            sender: columns.text_opt()?,
            receiver: columns.text_opt()?,
            business_day: columns.date()?,
            received_at: columns.text()?,
            counts: FileCounts::read(columns)?,
            version: columns.number()?,
        })
    }
}

impl FileCounts {
    const fn in_order(&self) -> [u64; 9] {
        let Self {
            payments,
            returns,
            remittances,
            remittance_lines,
            invoices,
            invoices_taken,
            invoices_refused,
            set_aside,
            findings,
        } = *self;
        [payments, returns, remittances, remittance_lines, invoices, invoices_taken, invoices_refused, set_aside, findings]
    }

    pub(super) fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            payments: columns.small()?,
            returns: columns.small()?,
            remittances: columns.small()?,
            remittance_lines: columns.small()?,
            invoices: columns.small()?,
            invoices_taken: columns.small()?,
            invoices_refused: columns.small()?,
            set_aside: columns.small()?,
            findings: columns.small()?,
        })
    }
}

pub(super) fn line(line: Option<u64>) -> Option<i64> {
    line.map(byte)
}

/// A unit variant as the word it serialises to.
fn word<T: serde::Serialize>(value: &T) -> anyhow::Result<String> {
    Ok(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned())
}
