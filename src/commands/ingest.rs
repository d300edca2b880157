//! `tieout ingest`: archive, parse, match and post files, and say what became of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tieout_parsers::Format;

use super::{Context, Exit, UsageError, outcome, progress::Progress};
use crate::{
    clock::Clock,
    domain::FileId,
    intake::walk,
    ledger,
    work::{Door, Engine, Received},
};

/// Door of files that come in folders of business days.
const BY_DAY: &str = "by_day";

/// Archives, reads, matches and posts files or folders
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tieout ingest samples/x12/good/820-01-exact.edi\n  tieout ingest --as bai2 statement.txt\n  tieout ingest --by-day drop/"
)]
pub struct Args {
    /// Files, or folders whose files are taken in name order
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What the files must be. The content still tells what a file is; one that is something else is held
    #[arg(long = "as", value_name = "FORMAT", value_parser = formats())]
    pub format: Option<Format>,
    /// Sub-folders named YYYY-MM-DD are business days: taken in order, each closed before the next
    #[arg(long)]
    pub by_day: bool,
}

/// The formats by name: help lists them, and another name is refused with the nearest one.
fn formats() -> impl TypedValueParser<Value = Format> {
    let known = Format::ALL.iter().filter(|format| **format != Format::Unknown).map(|format| format.as_str());
    PossibleValuesParser::new(known).try_map(|name| Format::parse(&name).ok_or("no such format"))
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let days = if args.by_day { days(&args.paths)? } else { vec![Day::today(&args.paths)?] };
    if days.iter().all(|day| day.files.is_empty()) {
        return Err(UsageError("there is nothing to ingest: the folders hold no files".to_owned()).into());
    }
    ledger::may_work(&context.config.role, "ingest files")?;
    let engine = Engine::open(&context.config, context.clock.clone()).await?;
    engine.archive.sweep(&context.clock)?;
    if let Some(refused) = closed(&engine, &days).await? {
        engine.db.close().await;
        return Err(UsageError(refused).into());
    }
    let taken = take_in(&engine, &days, args.format).await?;
    engine.seal_audit().await?;
    let outcomes = taken.outcomes(&engine).await?;
    super::print(&outcome::report(&outcomes, &taken.again))?;
    engine.db.close().await;
    if !taken.failed.is_empty() {
        anyhow::bail!("{} files could not be taken in and stay where they are: {}", taken.failed.len(), taken.failed.join("; "));
    }
    Ok(if outcome::has_input_errors(&outcomes) { Exit::InputErrors } else { Exit::Success })
}

/// The files of one business day.
pub struct Day {
    pub day: Option<NaiveDate>,
    /// Path, and the name below the folder that was given.
    pub files: Vec<(PathBuf, String)>,
}

impl Day {
    /// All files, on the day of the clock.
    pub fn today(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            collect(path, path, &mut files)?;
        }
        Ok(Self { day: None, files })
    }

    /// The X12 files of a sample folder and the good files of every other family, in the order of their names.
    pub fn of_samples(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        collect(root, root, &mut files)?;
        // Odd and broken files of the other families repeat the good ones; all of them would only show duplicates.
        files.retain(|(_, name)| name.starts_with("x12/") || name.contains("/good/"));
        files.retain(|(_, name)| !name.ends_with(".md") && !name.ends_with(".expected"));
        let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        files.sort_by_key(|(_, name)| order(&base(name)));
        Ok(Self { day: None, files })
    }
}

/// Files that were taken in.
#[derive(Default)]
pub struct Taken {
    files: BTreeSet<FileId>,
    /// Names under which known content arrived.
    pub again: Vec<String>,
    /// Files that this machine could not take in, and why.
    pub failed: Vec<String>,
}

impl Taken {
    fn take(&mut self, received: Received) {
        if received.known {
            self.again.push(received.name);
        }
        self.files.insert(received.file);
    }

    /// What became of them.
    pub async fn outcomes(&self, engine: &Engine) -> anyhow::Result<Vec<crate::store::FileOutcome>> {
        let Some(first) = self.files.first() else { return Ok(Vec::new()) };
        let mut tx = engine.db.read().await?;
        let outcomes = tx.file_outcomes(*first).await?;
        tx.rollback().await?;
        Ok(outcomes.into_iter().filter(|outcome| self.files.contains(&outcome.file.id)).collect())
    }
}

/// Receives all files and does all jobs, day by day. All files of a day are read before any payment of it is matched, because jobs are
/// done in the order in which they were stored.
pub async fn take_in(engine: &Engine, days: &[Day], format: Option<Format>) -> anyhow::Result<Taken> {
    let mut taken = Taken::default();
    let mut count = 0;
    let mut progress = Progress::counting("taking in", days.iter().map(|day| day.files.len() as u64).sum());
    for day in days {
        let engine = match day.day {
            Some(day) => engine.on(Clock::business_day(day)).await?,
            None => engine.clone(),
        };
        for (path, name) in &day.files {
            let business_day = engine.clock.today();
            let name_of_door = if day.day.is_some() { BY_DAY } else { "ingest" };
            let door = Door { name: name_of_door, key: format!("ingest:{business_day}"), business_day, format };
            match engine.receive(path, name, &door).await {
                Ok(received) => received.into_iter().for_each(|received| taken.take(received)),
                // One file that cannot be read must not keep the others waiting.
                Err(error) => taken.failed.push(format!("{name}: {error:#}")),
            }
            count += 1;
            progress.at(count);
        }
        engine.run_until_idle().await?;
        engine.raise_overdue_deposits().await?;
    }
    Ok(taken)
}

/// Why a day cannot be taken: one after it is closed, and what was decided on that day did not know what is to come now. Files of
/// an earlier day that came then are no news.
async fn closed(engine: &Engine, days: &[Day]) -> anyhow::Result<Option<String>> {
    let mut tx = engine.db.read().await?;
    let last = tx.last_business_day(BY_DAY).await?;
    let mut refused = None;
    for (day, files) in days.iter().filter_map(|day| Some((day.day?, &day.files))) {
        let Some(last) = last.filter(|last| day < *last) else { continue };
        let known = tx.arrivals_of_day(day).await?;
        let is_known = |name: &str| {
            let plain = name.strip_suffix(".gz").unwrap_or(name);
            known.iter().any(|arrived| {
                arrived == plain || arrived.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('!'))
            })
        };
        if let Some((_, name)) = files.iter().find(|(_, name)| !is_known(name)) {
            refused = Some(format!(
                "{name} is of {day}, and {last} is closed already: days are taken in order. Nothing was taken; put the file into the folder of \
                 {last} or a later day"
            ));
            break;
        }
    }
    tx.rollback().await?;
    Ok(refused)
}

/// The order of names without their endings, so that `820-7.edi` comes before a copy of it, `820-7-copy.edi`.
fn order(name: &str) -> (String, String) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    (stem.to_owned(), name.to_owned())
}

/// Sub-folders named like days, in order. Other files and folders would be lost silently, so they are refused.
fn days(paths: &[PathBuf]) -> anyhow::Result<Vec<Day>> {
    let mut days: Vec<Day> = Vec::new();
    for root in paths {
        let mut entries: Vec<_> = fs::read_dir(root)
            .with_context(|| format!("opening {}", root.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(day) = name.parse::<NaiveDate>().ok().filter(|_| path.is_dir()) else {
                return Err(UsageError(format!("{} is not a folder named like a day, such as 2026-03-16", path.display())).into());
            };
            let mut files = Vec::new();
            collect(root, &path, &mut files)?;
            files.sort_by_key(|(_, name)| order(name));
            match days.iter_mut().find(|known| known.day == Some(day)) {
                Some(known) => known.files.extend(files),
                None => days.push(Day { day: Some(day), files }),
            }
        }
    }
    days.sort_by_key(|day| day.day);
    Ok(days)
}

/// The files a path stands for, named as they stand below `root`.
fn collect(root: &Path, path: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<(), UsageError> {
    for file in walk::files(path).map_err(|error| UsageError(format!("{}: {error}", path.display())))? {
        let below = file.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
        let name = below.unwrap_or_else(|| file.file_name().map_or(&file, Path::new)).to_string_lossy().into_owned();
        files.push((file, name));
    }
    Ok(())
}
