//! `tieout demo`: the whole engine on the files of `samples/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::{
    Context, Exit, UsageError,
    import::{Kind, import_file},
    ingest::{Day, take_in},
    outcome, print,
};
use crate::{clock::Clock, config::Config, secret::Secret, work::Engine};

/// Takes in the samples with an embedded store, and shows what happened to every file
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tieout demo --no-serve\n\nEach run starts afresh in its own folder; nothing else is touched."
)]
pub struct Args {
    /// Print the outcome and end; start no workbench
    #[arg(long)]
    pub no_serve: bool,
    /// Folder with erp/ and the files to take in
    #[arg(long, value_name = "FOLDER", default_value = "samples")]
    pub samples: PathBuf,
    /// Folder for archive and database; made anew by each run
    #[arg(long, value_name = "FOLDER", default_value = "tieout-demo")]
    pub folder: PathBuf,
}

/// The business day on which the samples arrive.
const DAY: (i32, u32, u32) = (2026, 3, 16);
/// Tells a folder that a demo made from one that holds something else.
const MARK: &str = ".tieout-demo";

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if !args.samples.join("erp").is_dir() {
        let found = args.samples.display();
        return Err(UsageError(format!(
            "{found} holds no erp folder; run the demo where samples/ is, or name it with --samples"
        ))
        .into());
    }
    start_afresh(&args.folder)?;
    let config = Config {
        home: args.folder.clone(),
        database_url: Secret::new(format!("sqlite:{}", args.folder.join("tieout.db").display())),
        inbox: args.folder.join("inbox"),
        outbound: args.folder.join("outbound"),
        // It is a ledger of its own, which whoever tries it may fill.
        role: "analyst".to_owned(),
        // Every demo draws the same postings for the audit.
        audit_seed: Some("demo".to_owned()),
        ..context.config.clone()
    };
    let (year, month, day) = DAY;
    let day = NaiveDate::from_ymd_opt(year, month, day).context("the day of the samples exists")?;
    let engine = Engine::open(&config, Clock::business_day(day)).await?;
    for (kind, file) in [
        (Kind::BankAccounts, "bank-accounts.csv"),
        (Kind::Customers, "customers.csv"),
        (Kind::OpenItems, "open-items.csv"),
        (Kind::Rates, "rates.csv"),
    ] {
        import_file(&engine, &config, kind, &args.samples.join("erp").join(file)).await?;
    }
    let days = [Day::of_samples(&args.samples)?];
    let taken = take_in(&engine, &days, None).await?;
    engine.seal_audit().await?;
    let outcomes = taken.outcomes(&engine).await?;
    let text = outcome::report(&outcomes, &taken.again);
    engine.db.close().await;
    let folder = args.folder.display();
    print(&format!(
        "{} files of {} on the business day {day}, embedded database in {folder}\n\n{text}\nTry next:\n  \
         tieout --home {folder} exceptions list\n  tieout --home {folder} explain P9\n  tieout --home {folder} check\n",
        days[0].files.len(),
        args.samples.display(),
    ))?;
    if !args.no_serve {
        eprintln!("This build has no workbench yet; tieout demo --no-serve says the same without this line.");
    }
    Ok(Exit::Success)
}

/// Removes what an earlier demo left, and nothing that is not a demo's.
fn start_afresh(folder: &Path) -> anyhow::Result<()> {
    let doing = || format!("preparing {}", folder.display());
    if folder.exists() {
        let is_empty = fs::read_dir(folder).with_context(doing)?.next().is_none();
        if !is_empty && !folder.join(MARK).exists() {
            let message = format!("{} holds something that no demo made; name another folder with --folder", folder.display());
            return Err(UsageError(message).into());
        }
        fs::remove_dir_all(folder).with_context(doing)?;
    }
    fs::create_dir_all(folder).with_context(doing)?;
    fs::write(folder.join(MARK), "Made by tieout demo, which removes this folder when it runs again.\n").with_context(doing)
}
