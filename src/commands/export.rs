//! `tieout export`: what the engine knows, for other systems.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use super::{Context, Exit};
use crate::work::Engine;

/// Rows are fetched in pages, so that an export of any size fits memory.
const PAGE: usize = 5_000;

/// Hands over all pages of an export.
macro_rules! each_page {
    ($tx:ident, $fetch:ident, |$page:ident| $take:expr) => {{
        let mut cursor = 0;
        loop {
            let $page = $tx.$fetch(cursor, PAGE).await?;
            let Some(last) = $page.last() else { break };
            cursor = last.cursor;
            $take;
        }
    }};
}

/// Writes payments, applications, exceptions, files, postings or the audit log
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tieout export applications --format jsonl > applications.jsonl\n  tieout export postings --format csv --out postings.csv"
)]
pub struct Args {
    #[arg(value_enum)]
    pub what: What,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    pub format: Format,
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    Payments,
    Applications,
    Exceptions,
    Files,
    Postings,
    Audit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let mut tx = engine.db.read().await?;
    let out: Box<dyn io::Write> = match &args.out {
        Some(path) => Box::new(File::create(path).with_context(|| format!("creating {}", path.display()))?),
        None => Box::new(io::stdout().lock()),
    };
    let mut sheet = Sheet { out: BufWriter::new(out), columns: matches!(args.format, Format::Csv).then(|| args.what.columns()) };
    sheet.begin()?;
    match args.what {
        What::Payments => {
            each_page!(tx, export_payments, |page| sheet.rows(&page)?);
            each_page!(tx, export_returns, |page| sheet.rows(&page)?);
        }
        What::Applications => {
            each_page!(tx, export_payments, |page| {
                let applications = tx.export_applications(&page).await?;
                sheet.rows(&applications)?;
            });
        }
        What::Exceptions => each_page!(tx, export_exceptions, |page| sheet.rows(&page)?),
        What::Files => each_page!(tx, export_files, |page| sheet.rows(&page)?),
        What::Postings => each_page!(tx, export_postings, |page| sheet.rows(&page)?),
        What::Audit => each_page!(tx, export_audit, |page| sheet.rows(&page)?),
    }
    sheet.out.flush()?;
    tx.rollback().await?;
    engine.db.close().await;
    Ok(Exit::Success)
}

impl What {
    /// Columns of the CSV form, in order; the names are those of the JSON form.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Payments => PAYMENTS,
            Self::Applications => APPLICATIONS,
            Self::Exceptions => EXCEPTIONS,
            Self::Files => FILES,
            Self::Postings => POSTINGS,
            Self::Audit => AUDIT,
        }
    }
}

#[rustfmt::skip]
const PAYMENTS: &[&str] = &[
    "payment", "file", "line", "position", "amount_minor", "currency", "trace", "status", "unapplied_minor",
    "on_account_minor", "refunded_minor", "returned_minor", "waiting_minor", "state", "value_date", "seller_id", "customer", "payer_name", "reversal_of",
];

#[rustfmt::skip]
const APPLICATIONS: &[&str] = &[
    "payment", "rank", "seller_id", "invoice_number", "applied_minor", "cash_minor", "discount_minor",
    "deduction_minor", "reason", "posted", "returned",
];

#[rustfmt::skip]
const EXCEPTIONS: &[&str] = &[
    "exception", "file", "level", "reason", "line", "payment", "queue", "owner", "state", "amount_minor",
    "currency", "opened_at", "due_at", "message", "resolution", "resolved_by",
];

#[rustfmt::skip]
const FILES: &[&str] = &[
    "file", "sha256", "format", "status", "business_day", "duplicate_of", "payments", "returns",
    "remittances_read", "remittance_lines", "invoices", "invoices_taken", "invoices_refused", "set_aside",
    "findings",
];

#[rustfmt::skip]
const POSTINGS: &[&str] = &[
    "entry", "kind", "business_day", "at", "account", "seller_id", "currency", "amount_minor", "payment",
    "file", "actor",
];

#[rustfmt::skip]
const AUDIT: &[&str] = &[
    "seq", "at", "actor", "action", "subject", "detail", "hash",
];

/// Where rows go, as JSON lines or as CSV.
struct Sheet {
    out: BufWriter<Box<dyn io::Write>>,
    columns: Option<&'static [&'static str]>,
}

impl Sheet {
    fn begin(&mut self) -> anyhow::Result<()> {
        match self.columns {
            Some(columns) => self.record(columns.iter().map(|name| (*name).to_owned())),
            None => Ok(()),
        }
    }

    fn rows<T: Serialize>(&mut self, rows: &[T]) -> anyhow::Result<()> {
        for row in rows {
            match self.columns {
                None => {
                    serde_json::to_writer(&mut self.out, row)?;
                    self.out.write_all(b"\n")?;
                }
                Some(columns) => {
                    let row = serde_json::to_value(row)?;
                    self.record(columns.iter().map(|name| cell(&row[*name])))?;
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, cells: impl Iterator<Item = String>) -> anyhow::Result<()> {
        let mut writer = csv::WriterBuilder::new().from_writer(&mut self.out);
        writer.write_record(cells)?;
        Ok(writer.flush()?)
    }
}

/// A value as a cell of a sheet.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A spreadsheet would run such a text as a formula.
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
