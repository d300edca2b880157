//! A replay through a store that is made for it and goes away with it.

use std::path::Path;

use anyhow::Context as _;

use super::{Args, Context, Exit, Given, Partial, Store, UsageError, read, report};
use crate::{
    clock::random_name,
    commands::{check, progress::Progress},
    config::Config,
    secret::{Secret, Vault},
    store,
    work::{Engine, replay::Asked},
};

/// Which payments are drawn for the audit must not differ from run to run.
const AUDIT_SEED: &str = "replay";
/// Letters of a world's name that the database is named with; a name may have 63 in all.
const NAME_MAX: usize = 30;
/// Digits that tell two runs of one world apart.
const RUN_CHARS: usize = 12;

pub async fn run(args: &Args, store: Store, context: &Context) -> anyhow::Result<Exit> {
    let home = tempfile::Builder::new().prefix("tieout-replay-").tempdir().context("making a temporary folder")?;
    let vault = Vault::open(home.path(), None)?;
    let Some(given) = read(args, &vault)? else { return Ok(Exit::InputErrors) };
    let scratch = match store {
        Store::Sqlite => None,
        Store::Postgres => Some(store::Scratch::create(server(&context.config)?, &name(&args.world)?).await?),
    };
    let url = match &scratch {
        Some(scratch) => scratch.url(),
        None => format!("sqlite:{}", home.path().join("tieout.db").display()),
    };
    let lived = live(args, given, &config(&context.config, home.path(), &url), context).await;
    if args.keep {
        let database =
            scratch.as_ref().map_or_else(String::new, |scratch| format!(", the database {} on the server", scratch.name()));
        eprintln!("kept: {}{database}", home.keep().display());
    } else if let Some(scratch) = scratch
        && let Err(error) = scratch.remove().await
    {
        // What happened in it is the better answer.
        eprintln!("tieout: {error:#}; it stays behind");
    }
    lived
}

async fn live(args: &Args, Given { world, labels }: Given, config: &Config, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open(config, context.clock.clone()).await?;
    let mut out = Partial::begin(args)?;
    let mut progress = Progress::counting("replaying", world.events.len() as u64);
    let asked = Asked { world: &world, labels: labels.as_ref(), user: &config.user, told: &args.explain };
    let tally = engine.live(asked, &mut out.file, &mut |done| progress.at(done)).await?;
    drop(progress);
    out.finish(args)?;
    report(&tally, &format!("{:.2?} from files to postings, {} payments a second", tally.took, tally.rate()))?;
    let exit = check::prove(&engine, true).await?;
    engine.db.close().await;
    Ok(exit)
}

/// The configuration of the run: everything that is written goes into its own folder and database.
fn config(of: &Config, home: &Path, url: &str) -> Config {
    Config {
        home: home.to_owned(),
        database_url: Secret::new(url.to_owned()),
        outbound: home.join("outbound"),
        inbox: home.join("inbox"),
        secret_key: None,
        audit_seed: Some(AUDIT_SEED.to_owned()),
        ..of.clone()
    }
}

fn server(config: &Config) -> anyhow::Result<&str> {
    let url = config.database_url.reveal();
    let named = url.starts_with("postgres:") || url.starts_with("postgresql:");
    let advice =
        "name the server with --database-url postgres://USER@HOST/DATABASE; a database of its own is made there for the run";
    Ok(named.then_some(url).ok_or_else(|| UsageError(advice.to_owned()))?)
}

/// The world and the run, as a name of a database.
fn name(world: &Path) -> anyhow::Result<String> {
    let folder = world.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().to_lowercase()));
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let world: String = folder.unwrap_or_default().chars().map(plain).take(NAME_MAX).collect();
    let run: String = random_name()?.chars().take(RUN_CHARS).collect();
    Ok(format!("tieout_replay_{world}_{run}"))
}
