//! `tieout replay`: a labelled world through the engine, for measuring it.

mod through;

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;

use super::{Context, Exit, UsageError, progress::Progress};
use crate::{
    domain::Permits,
    secret::Vault,
    work::{
        Candidate,
        replay::{Label, Replay, Tally, World},
    },
};

/// Runs a labelled world through the engine and writes what it applied; without a store, or through one
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout replay worlds/typical --out applications.jsonl
  tieout replay worlds/typical --out applications.jsonl --assisted
  tieout replay worlds/typical --out applications.jsonl --explain P00000017
  tieout replay worlds/typical --out applications.jsonl --through sqlite
  tieout replay worlds/typical --out applications.jsonl --through postgres --database-url postgres://postgres@127.0.0.1/postgres")]
pub struct Args {
    /// Folder with customers.csv, invoices.csv and payments.jsonl
    #[arg(value_name = "WORLD")]
    pub world: PathBuf,
    /// Where one JSON line is written for each payment and return
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// After each day, book what was held as truth.jsonl of the world says, as a person would have done
    #[arg(long)]
    pub assisted: bool,
    /// Tell how these payments were decided
    #[arg(long, value_name = "PAYMENT")]
    pub explain: Vec<String>,
    /// Import, record, decide, post and take back in a database made for this run, and check every promise at the end; the decisions are the same
    #[arg(long, value_name = "STORE", value_enum)]
    pub through: Option<Store>,
    /// Keep the database and the files of the run, and say where they are
    #[arg(long, requires = "through")]
    pub keep: bool,
}

/// What a world goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    /// A file in a temporary folder
    Sqlite,
    /// A database of its own on the server of --database-url
    Postgres,
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if !args.world.join("payments.jsonl").is_file() {
        let place = args.world.display();
        return Err(UsageError(format!("{place} is no world: there is no payments.jsonl in it")).into());
    }
    match args.through {
        Some(store) => super::run_async(through::run(args, store, context)),
        None => alone(args, context),
    }
}

/// Without a store.
fn alone(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let rules = Candidate::load(&context.config)?.rules;
    let Some(Given { world, labels }) = read(args, &Vault::without_key())? else { return Ok(Exit::InputErrors) };
    let permits = Permits::default();
    let mut out = Partial::begin(args)?;
    let mut progress = Progress::counting("replaying", world.events.len() as u64);
    let replay = Replay::new(&world, &rules, labels.as_ref(), &permits);
    let tally = replay.run(&args.explain, &mut out.file, &mut |done| progress.at(done))?;
    drop(progress);
    out.finish(args)?;
    let Tally { took, longest, .. } = tally;
    report(&tally, &format!("{took:.2?} deciding, {} payments a second, longest {longest:.1?}", tally.rate()))?;
    Ok(Exit::Success)
}

/// A world, and its labels where they are asked for.
struct Given {
    world: World,
    labels: Option<HashMap<String, Label>>,
}

/// Reads the world; nothing, once the user was told, where what was read is wrong.
fn read(args: &Args, vault: &Vault) -> anyhow::Result<Option<Given>> {
    let reading = || format!("reading the world {}", args.world.display());
    let read = World::read(&args.world, vault).and_then(|world| {
        let labels = args.assisted.then(|| Label::read(&args.world.join("truth.jsonl"))).transpose()?;
        Ok(Given { world, labels })
    });
    match read {
        Ok(given) => Ok(Some(given)),
        Err(error) if is_of_input(&error) => {
            eprintln!("tieout: {:#}", error.context(reading()));
            Ok(None)
        }
        Err(error) => Err(error.context(reading())),
    }
}

/// The file that is written, under another name until it is whole.
struct Partial {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Partial {
    fn begin(args: &Args) -> anyhow::Result<Self> {
        let path = args.out.with_extension("part");
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn finish(mut self, args: &Args) -> anyhow::Result<()> {
        self.file.flush()?;
        fs::rename(&self.path, &args.out).with_context(|| format!("writing {}", args.out.display()))
    }
}

/// Prints how it went; `pace` is a sentence about the time it took.
fn report(tally: &Tally, pace: &str) -> anyhow::Result<()> {
    let Tally { payments, posted, held, taken_back, returns, refused, .. } = tally;
    let refused = if *refused > 0 { format!("; {refused} that were to post were above authority") } else { String::new() };
    super::print(&format!(
        "{payments} payments: {posted} posted, {held} held{refused}; {taken_back} of {returns} returns taken back\n{pace}\n"
    ))?;
    tally.told.iter().try_for_each(|told| super::print(&format!("\n{told}")))
}

/// Whether what was read is wrong, and not the machine that reads it.
fn is_of_input(error: &anyhow::Error) -> bool {
    let of_machine = |error: &io::Error| {
        !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory)
    };
    !error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(of_machine)
}
