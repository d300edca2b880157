//! T2: a file is read and everything it says is recorded, in one transaction.

use std::{io::Seek, sync::Arc};

use anyhow::Context;
use chrono::NaiveDate;
use serde_json::json;
use tieout_parsers::{Effect, Finding, FindingCode, Format, Location, LockboxCurrencies, Options, Record, Severity, Status};

use super::{
    acknowledge,
    consumer::JobKind,
    directory::Directory,
    engine::{ENGINE, Engine},
    exceptions::{Raiser, exception_of_file},
    invoices::Invoices,
    recorder::{Recorded, record},
    setting::Setting,
    survey::{ChunkReader, FILE_MINOR_MAX, Foreign, Stranger, Survey},
};
use crate::{
    domain::FileId,
    failpoint, ledger,
    rules::ForeignAccounts,
    store::{File, FileCounts, FileState, Job, NewJob, Recording, Reused, Tx},
};

/// Payments decided in one transaction.
const MATCH_CHUNK: u32 = 500;

impl Engine {
    /// Reads the file of a parse job and records it.
    pub(super) async fn parse_job(&self, tx: &mut Tx, job: &Job) -> anyhow::Result<()> {
        let id = FileId(job.payload["file"].as_i64().context("a parse job names its file")?);
        let file = tx.file(id).await?.with_context(|| format!("file {id} of the parse job does not exist"))?;
        if file.state != FileState::Received {
            return Ok(());
        }
        match job.payload["rejection"].as_str() {
            Some(rejection) => {
                let expected = "an archive that can be unpacked within the limits";
                self.record_rejection(tx, &file, limit_finding(&file, rejection.to_owned(), expected)).await?;
            }
            None => self.record_content(tx, &file).await.with_context(|| format!("recording file {id}"))?,
        }
        failpoint::pass("record_before_commit");
        Ok(())
    }

    /// Reads the invoices of a file that was held and then released.
    pub(super) async fn invoices_job(&self, tx: &mut Tx, job: &Job) -> anyhow::Result<()> {
        let id = FileId(job.payload["file"].as_i64().context("an invoices job names its file")?);
        let file = tx.file(id).await?.with_context(|| format!("file {id} of the invoices job does not exist"))?;
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let options = self.options(&directory);
        let setting = setting(self, &file, false, &options, &raiser);
        let mut invoices = Invoices::default();
        let mut reader = ChunkReader::new(&options);
        let mut bytes = self.archive.read(&file.sha256)?;
        let take = |invoices: &mut Invoices, record: Record<'_>| {
            if let Record::Invoice(invoice) = record {
                invoices.take(&invoice, &setting);
            }
        };
        while reader.next(&mut bytes, |record| take(&mut invoices, record))?.is_some() {
            invoices.flush(tx, &setting).await?;
        }
        tx.raise_exceptions(&invoices.exceptions, ENGINE).await?;
        invoices.changes.record(tx, id, file.sender.as_deref()).await?;
        tx.count_invoices(id, invoices.taken, invoices.refused).await
    }

    /// How files are read: within the limits, and lockboxes in the currencies that were imported.
    fn options(&self, directory: &Arc<Directory>) -> Options {
        let (directory, vault) = (Arc::clone(directory), Arc::clone(&self.vault));
        let currency = move |bank: &str, lockbox: &str| directory.own().currency_of_lockbox(bank, lockbox, &vault);
        Options {
            limits: self.limits.clone(),
            lockbox_currencies: LockboxCurrencies::by(currency),
            mappings: self.mappings.clone(),
            ..Options::default()
        }
    }

    async fn record_content(&self, tx: &mut Tx, file: &File) -> anyhow::Result<()> {
        let mut bytes = self.archive.read(&file.sha256)?;
        let directory = self.directory(tx).await?;
        let options = self.options(&directory);
        let survey = Survey::of(&mut bytes, &options, &directory, &self.vault, file.business_day)?;
        if let Some(items) = self.recognise_open_items(survey.format, file, &mut bytes)? {
            if let Some(finding) = format_finding(file, Format::Csv) {
                return self.record_rejection(tx, file, finding).await;
            }
            return self.record_open_items(tx, file, items).await;
        }
        if let Err(error) = survey.totals() {
            let expected = "amounts whose sum fits 64 bits of minor units";
            return self.record_rejection(tx, file, limit_finding(file, error.to_string(), expected)).await;
        }
        bytes.rewind()?;
        let reused = tx.guard_interchanges(file.id, &survey.interchanges()).await?;
        let mut findings: Vec<_> = reused.iter().map(reused_finding).collect();
        findings.extend(test_finding(&survey));
        findings.extend(survey.stranger.as_ref().map(stranger_finding));
        let foreign = survey.foreign.as_ref().filter(|_| self.rules.routing.foreign_accounts == ForeignAccounts::Hold);
        findings.extend(foreign.map(foreign_finding));
        findings.extend(survey.undated.map(undated_finding));
        findings.extend(absurd_finding(&survey));
        findings.extend(format_finding(file, survey.format));
        // Of a file of which nothing could be read, nothing can be released either.
        let is_read = !matches!(survey.status, Status::Rejected | Status::Unsupported);
        let verdict = if is_read && !findings.is_empty() { Status::Held } else { survey.status };
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let setting = setting(self, file, verdict == Status::Held, &options, &raiser);
        let recorded = record(tx, &mut bytes, &survey, &setting).await?;
        let first = usize::try_from(survey.counts.findings)?;
        tx.record_findings(file.id, first, &findings).await?;
        if let Some(message) = hold_message(verdict, survey.format, &findings) {
            tx.raise_exceptions(&[exception_of_file(&self.rules, file.id, message)], ENGINE).await?;
        }
        record_row(tx, file, &survey, verdict, &recorded, findings.len() as u64).await?;
        if verdict != Status::Held {
            let jobs = match_jobs(file.id, survey.counts.payments, recorded.waiting, survey.counts.returns > 0);
            self.make_live(tx, &raiser, file.id, jobs).await?;
        }
        acknowledge::answer(tx, &survey.received, file.id, &reused, self.clock.now()).await?;
        tracing::info!(
            file.id = file.id.0,
            format = survey.format.as_str(),
            verdict = verdict.as_str(),
            payments = survey.counts.payments,
            "file recorded"
        );
        Ok(())
    }

    /// What a file says counts from now on: its receipt is booked, other records of the same money are linked, and its jobs are stored.
    pub(super) async fn make_live(
        &self,
        tx: &mut Tx,
        raiser: &Raiser<'_>,
        file: FileId,
        jobs: Vec<NewJob>,
    ) -> anyhow::Result<()> {
        ledger::receive(tx, &self.mandate(), file).await?;
        self.join_sources(tx, raiser, file).await?;
        tx.enqueue(&jobs).await?;
        Ok(())
    }

    /// A file of which nothing can be taken, and why.
    async fn record_rejection(&self, tx: &mut Tx, file: &File, finding: Finding) -> anyhow::Result<()> {
        let exception = exception_of_file(&self.rules, file.id, finding.message.clone());
        tx.record_findings(file.id, 0, &[Finding { effect: Effect::FileRejected, ..finding }]).await?;
        tx.raise_exceptions(&[exception], ENGINE).await?;
        let recording = Recording {
            file: file.id,
            state: FileState::Rejected,
            format: Format::Unknown.as_str(),
            verdict: Status::Rejected.as_str(),
            sender: None,
            receiver: None,
            counts: FileCounts { findings: 1, ..FileCounts::default() },
            totals: Vec::new(),
        };
        tx.record_file(&recording).await?;
        Ok(())
    }
}

fn setting<'a>(engine: &'a Engine, file: &File, held: bool, options: &'a Options, raiser: &'a Raiser<'a>) -> Setting<'a> {
    let (vault, directory) = (&*engine.vault, raiser.directory);
    Setting { file: file.id, day: file.business_day, held, options, vault, directory, raiser }
}

async fn record_row(
    tx: &mut Tx,
    file: &File,
    survey: &Survey,
    verdict: Status,
    recorded: &Recorded,
    reused: u64,
) -> anyhow::Result<()> {
    let (sender, receiver) = survey.partners().unzip();
    let mut counts = survey.counts;
    counts.set_aside += recorded.set_aside_more;
    counts.invoices_taken = recorded.invoices_taken;
    counts.invoices_refused = recorded.invoices_refused;
    counts.findings += reused;
    let state = match verdict {
        Status::Accepted | Status::AcceptedWithFindings => FileState::Recorded,
        Status::Held => FileState::Held,
        Status::Rejected => FileState::Rejected,
        Status::Unsupported => FileState::Unsupported,
    };
    let recording = Recording {
        file: file.id,
        state,
        format: survey.format.as_str(),
        verdict: verdict.as_str(),
        sender: sender.as_deref(),
        receiver: receiver.as_deref(),
        counts,
        totals: survey.totals()?,
    };
    anyhow::ensure!(tx.record_file(&recording).await?, "file {} was recorded before", file.id);
    Ok(())
}

/// One job for each chunk of payments, one for the advices that came alone, and one for what the bank took back.
pub(super) fn match_jobs(file: FileId, payments: u64, waiting: usize, has_returns: bool) -> Vec<NewJob> {
    let payments = u32::try_from(payments).unwrap_or(u32::MAX);
    let chunks = (0..payments).step_by(MATCH_CHUNK as usize).map(|first| {
        let payload = json!({ "file": file, "first": first, "end": first.saturating_add(MATCH_CHUNK).min(payments) });
        JobKind::Match.job(format!("match:{file}:{first}"), payload)
    });
    let link = (waiting > 0).then(|| JobKind::Link.job(format!("link:{file}"), json!({ "file": file })));
    let returns = has_returns.then(|| JobKind::Returns.job(format!("returns:{file}"), json!({ "file": file })));
    chunks.chain(link).chain(returns).collect()
}

/// An archive that cannot be opened, or amounts that nobody can add up.
fn limit_finding(file: &File, message: String, expected: &str) -> Finding {
    Finding {
        code: FindingCode::LimitReached,
        severity: Severity::Error,
        effect: Effect::FileRejected,
        message,
        expected: expected.to_owned(),
        found: file.name.clone(),
        location: Location::default(),
    }
}

fn reused_finding(reused: &Reused) -> Finding {
    let number = &reused.interchange.control_number;
    Finding {
        code: FindingCode::DuplicateControlNumber,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!("interchange {number} came before in {} with other content", reused.earlier_name),
        expected: format!("a control number that {} did not use before", reused.interchange.sender),
        found: number.clone(),
        location: Location::default(),
    }
}

/// Whoever dropped the file said what it is, and it is something else: perhaps the wrong file was dropped.
fn format_finding(file: &File, format: Format) -> Option<Finding> {
    let said = file.format_forced.as_deref().filter(|said| *said != format.as_str())?;
    Some(Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!("the file was said to be {said}, and reads as {}", format.as_str()),
        expected: said.to_owned(),
        found: format.as_str().to_owned(),
        location: Location::default(),
    })
}

/// A sender that tests its lines must not move money: ISA15 and the test indicator of UNB say so.
fn test_finding(survey: &Survey) -> Option<Finding> {
    let counts = &survey.counts;
    let moves = counts.payments + counts.returns + counts.remittances + counts.invoices > 0;
    let (number, expected, found) = survey.test().filter(|_| moves)?;
    Some(Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!("interchange {number} is marked as a test; nothing of it posts unless somebody releases it"),
        expected: expected.to_owned(),
        found: found.to_owned(),
        location: Location::default(),
    })
}

/// Receivables are made by those they belong to. Whoever may send us advices must not write off what he owes by an invoice of his own.
fn stranger_finding(stranger: &Stranger) -> Finding {
    let Stranger { number, seller, sender, location } = stranger;
    let sender = if sender.is_empty() { "an unnamed sender" } else { sender };
    Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!(
            "invoice {number} of {seller} came from {sender}, who is not known to send for {seller}; nothing of the file counts \
             unless somebody releases it"
        ),
        expected: format!("{seller} as the sender, or one of its edi_ids imported with bank-accounts"),
        found: sender.to_owned(),
        location: *location,
    }
}

/// Money that went to somebody else pays nothing here, whatever the advice beside it says.
fn foreign_finding(foreign: &Foreign) -> Finding {
    let Foreign { last4, records, location } = foreign;
    let others = if *records > 1 { format!(", the first of {records} such records") } else { String::new() };
    Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!(
            "money went to account \u{2022}\u{2022}\u{2022}\u{2022}{last4}{others}, which is not among our imported accounts; nothing of the \
             file counts unless somebody releases it"
        ),
        expected: "an account of tieout import bank-accounts; import it, then release the file".to_owned(),
        found: format!("\u{2022}\u{2022}\u{2022}\u{2022}{last4}"),
        location: *location,
    }
}

/// A discount is earned or not by the day of the money, so a day that cannot be is not guessed at.
fn undated_finding((day, location): (NaiveDate, Location)) -> Finding {
    Finding {
        code: FindingCode::BadDate,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!("money of {day} cannot be; nothing of the file counts unless somebody releases it"),
        expected: "a day from 1990 on, and at most a year ahead".to_owned(),
        found: day.to_string(),
        location,
    }
}

/// Nobody pays that; and what is accepted has to be added up for ever.
fn absurd_finding(survey: &Survey) -> Option<Finding> {
    let (currency, amount) = survey.absurd()?;
    Some(Finding {
        code: FindingCode::LimitReached,
        severity: Severity::Error,
        effect: Effect::FileHeld,
        message: format!(
            "the amounts of the file add up to {amount} minor units of {currency}; nothing of it counts unless somebody releases it"
        ),
        expected: format!("at most {FILE_MINOR_MAX} minor units in one file"),
        found: amount.to_string(),
        location: Location::default(),
    })
}

/// What a person is told about a file that waits for one; nothing for a file that was taken.
fn hold_message(verdict: Status, format: Format, findings: &[Finding]) -> Option<String> {
    match verdict {
        Status::Accepted | Status::AcceptedWithFindings => None,
        _ if !findings.is_empty() => findings.first().map(|finding| finding.message.clone()),
        Status::Held => {
            Some("the file disagrees with itself or ends too early; nothing of it posts until somebody decides".to_owned())
        }
        Status::Rejected => Some("nothing in the file could be read".to_owned()),
        Status::Unsupported => Some(format!("the file is recognised as {}, which is not read here", format.as_str())),
    }
}
