//! `tieout check`: the promises, proven from the rows.

use super::{Context, Exit, print};
use crate::{ledger, work::Engine};

/// Proves that every cent is accounted for
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tieout check\n  tieout check --deep\n\nOne line per promise; exit code 1 when one is broken."
)]
pub struct Args {
    /// Also read every archived file and compare it with its hash
    #[arg(long)]
    pub deep: bool,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let exit = prove(&engine, args.deep).await?;
    engine.db.close().await;
    Ok(exit)
}

/// Prints one line per promise and gives the exit code that they make.
pub async fn prove(engine: &Engine, deep: bool) -> anyhow::Result<Exit> {
    let kept = engine.kept_audit_head()?;
    let mut tx = engine.db.read().await?;
    let mut promises = ledger::check(&mut tx, kept.as_ref()).await?;
    promises.push(engine.check_archive(&mut tx, deep).await?);
    tx.rollback().await?;
    let mut text = String::new();
    for promise in &promises {
        let verdict = if promise.holds { "kept  " } else { "BROKEN" };
        text.push_str(&format!("{verdict}  {}: {}\n", promise.promise, promise.detail));
    }
    print(&text)?;
    Ok(if promises.iter().all(|promise| promise.holds) { Exit::Success } else { Exit::InputErrors })
}
