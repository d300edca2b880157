//! `tieout replay`: a labelled world through the engine, for measuring it.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;

use super::{Context, Exit, UsageError, progress::Progress};
use crate::{
    domain::Permits,
    work::{
        Candidate,
        replay::{Label, Replay, World},
    },
};

/// Runs a labelled world through the engine and writes what it applied; no store is needed
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  tieout replay worlds/typical --out applications.jsonl
  tieout replay worlds/typical --out applications.jsonl --assisted
  tieout replay worlds/typical --out applications.jsonl --explain P00000017")]
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
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let rules = Candidate::load(&context.config)?.rules;
    if !args.world.join("payments.jsonl").is_file() {
        let place = args.world.display();
        return Err(UsageError(format!("{place} is no world: there is no payments.jsonl in it")).into());
    }
    let reading = || format!("reading the world {}", args.world.display());
    let read = World::read(&args.world).and_then(|world| {
        let labels = args.assisted.then(|| Label::read(&args.world.join("truth.jsonl"))).transpose()?;
        Ok((world, labels))
    });
    let (world, labels) = match read {
        Ok(read) => read,
        Err(error) if is_of_input(&error) => {
            eprintln!("tieout: {:#}", error.context(reading()));
            return Ok(Exit::InputErrors);
        }
        Err(error) => return Err(error.context(reading())),
    };
    let permits = Permits::default();
    let partial = args.out.with_extension("part");
    let mut out = BufWriter::new(File::create(&partial).with_context(|| format!("writing {}", partial.display()))?);
    let mut progress = Progress::counting("replaying", world.events.len() as u64);
    let replay = Replay::new(&world, &rules, labels.as_ref(), &permits).telling(&args.explain);
    let tally = replay.run(&world, &mut out, &mut |done| progress.at(done))?;
    out.flush()?;
    fs::rename(&partial, &args.out).with_context(|| format!("writing {}", args.out.display()))?;
    let rate = u128::from(tally.payments) * 1_000_000 / tally.deciding.as_micros().max(1);
    super::print(&format!(
        "{} payments: {} posted, {} held; {} of {} returns taken back\n{:.2?} deciding, {rate} payments a second, longest {:.1?}\n",
        tally.payments, tally.posted, tally.held, tally.taken_back, tally.returns, tally.deciding, tally.longest
    ))?;
    tally.told.iter().try_for_each(|told| super::print(&format!("\n{told}")))?;
    Ok(Exit::Success)
}

/// Whether what was read is wrong, and not the machine that reads it.
fn is_of_input(error: &anyhow::Error) -> bool {
    let of_machine = |error: &io::Error| {
        !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory)
    };
    !error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(of_machine)
}
