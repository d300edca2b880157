//! `tieout import`: master data from CSV. All of it or nothing, unless asked otherwise.

mod store;

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{Context, Exit, UsageError, progress::Progress};
use crate::{
    config::Config,
    intake::{
        import::{BankAccountRow, CustomerRow, Importable, Imported, Mapping, OpenItemRow, RateRow, RelationRow, Row, read_file},
        walk,
    },
    ledger,
    work::{Engine, Import, ImportedFile},
};

/// Reads customers, who pays for whom, open items, our bank accounts or rates from CSV
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout import customers samples/erp/customers.csv
  tieout import open-items export.csv --mapping sap-open-items.toml
  tieout import open-items export.csv --check")]
pub struct Args {
    #[arg(value_enum)]
    pub kind: Kind,
    /// CSV files with a header line
    #[arg(required = true, value_name = "FILE.csv")]
    pub files: Vec<PathBuf>,
    /// TOML file that maps our column names to the headers of the file
    #[arg(long, value_name = "FILE.toml")]
    pub mapping: Option<PathBuf>,
    /// Take the good rows even when others are wrong
    #[arg(long)]
    pub partial: bool,
    /// Only say what is wrong; import nothing
    #[arg(long)]
    pub check: bool,
}

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Customers,
    Relations,
    OpenItems,
    BankAccounts,
    Rates,
}

/// Validated rows of one kind, in the order of the files.
#[derive(Debug)]
pub enum Rows {
    Customers(Vec<Row<CustomerRow>>),
    Relations(Vec<Row<RelationRow>>),
    OpenItems(Vec<Row<OpenItemRow>>),
    BankAccounts(Vec<Row<BankAccountRow>>),
    Rates(Vec<Row<RateRow>>),
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if !args.check {
        ledger::may_work(&context.config.role, "import")?;
    }
    let Taken { rows, files, wrong } = read_kind(args)?;
    let exit = if wrong == 0 { Exit::Success } else { Exit::InputErrors };
    if args.check {
        eprintln!("Only checked; nothing was imported.");
        return Ok(exit);
    }
    if wrong > 0 && !args.partial {
        eprintln!("Nothing was imported. Correct the rows named, or add --partial to take the good ones.");
        return Ok(exit);
    }
    let engine = Engine::open(&context.config, context.clock.clone()).await?;
    let mandate = engine.mandate_of(&context.config.user, &context.config.role);
    let stored =
        store::store(rows, &engine, &Import { mandate: &mandate, files: &files, looks_again: true }, args.partial).await?;
    engine.seal_audit().await?;
    engine.db.close().await;
    Ok(if stored == Exit::Success { exit } else { stored })
}

/// What was read from the files.
struct Taken {
    rows: Rows,
    files: Vec<ImportedFile>,
    /// How many rows were refused.
    wrong: u64,
}

/// Imports a file that is known to be good.
pub async fn import_file(engine: &Engine, config: &Config, kind: Kind, path: &Path) -> anyhow::Result<()> {
    let args = Args { kind, files: vec![path.to_owned()], mapping: None, partial: false, check: false };
    let Taken { rows, files, wrong } = read_kind(&args)?;
    anyhow::ensure!(wrong == 0, "{} has wrong rows", path.display());
    let mandate = engine.mandate_of(&config.user, &config.role);
    let exit = store::store(rows, engine, &Import { mandate: &mandate, files: &files, looks_again: true }, false).await?;
    anyhow::ensure!(exit == Exit::Success, "{} names what is not known", path.display());
    Ok(())
}

fn read_kind(args: &Args) -> anyhow::Result<Taken> {
    match args.kind {
        Kind::Customers => read(args, Rows::Customers),
        Kind::Relations => read(args, Rows::Relations),
        Kind::OpenItems => read(args, Rows::OpenItems),
        Kind::BankAccounts => read(args, Rows::BankAccounts),
        Kind::Rates => read(args, Rows::Rates),
    }
}

fn values<T>(rows: Vec<Row<T>>) -> Vec<T> {
    rows.into_iter().map(|row| row.value).collect()
}

/// Reads all files and says what is wrong with them.
fn read<T: Importable>(args: &Args, rows_of: fn(Vec<Row<T>>) -> Rows) -> anyhow::Result<Taken> {
    let mapping = match &args.mapping {
        Some(path) => Mapping::read(path, T::COLUMNS).map_err(|error| UsageError(error.to_string()))?,
        None => Mapping::default(),
    };
    let (mut rows, mut files, mut wrong) = (Vec::new(), Vec::new(), 0);
    for path in &args.files {
        let found = fs::metadata(path).map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
        if found.is_dir() {
            return Err(UsageError(format!("{} is a folder; name the CSV files in it", path.display())).into());
        }
        if !found.is_file() {
            return Err(UsageError(format!("{}: {}", path.display(), walk::NO_FILE)).into());
        }
        let mut head = Vec::new();
        let _ = fs::File::open(path).map(|file| file.take(4).read_to_end(&mut head));
        if head.starts_with(b"PK") {
            return Err(UsageError(format!("{} is a workbook or an archive; save the list as CSV", path.display())).into());
        }
        let size_bytes = found.len();
        let mut progress = Progress::bytes(&path.display().to_string(), size_bytes, false);
        let (imported, sha256) = read_file::<T>(path, &mapping, &mut |bytes| progress.at(bytes))?;
        drop(progress);
        say(path, &imported);
        // A header that fits nothing refuses the file without a row being refused.
        wrong += imported.rows_refused.max(u64::from(imported.wrong_count > 0));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push(ImportedFile { name, sha256, rows: imported.rows.len() as u64 });
        rows.extend(imported.rows);
    }
    Ok(Taken { rows: rows_of(rows), files, wrong })
}

fn say<T: Importable>(path: &Path, imported: &Imported<T>) {
    for wrong in &imported.wrong {
        eprintln!("{wrong}");
    }
    let more = imported.wrong_count - imported.wrong.len() as u64;
    if more > 0 {
        eprintln!("{}: and {more} more wrong values", path.display());
    }
    if !imported.unused_columns.is_empty() {
        let known: Vec<_> = T::COLUMNS.iter().map(|column| column.name).collect();
        eprintln!("{}: not used: {} (known are {})", path.display(), imported.unused_columns.join(", "), known.join(", "));
    }
    eprintln!("{}: {} rows good, {} wrong", path.display(), imported.rows.len(), imported.rows_refused);
}
