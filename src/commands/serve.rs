//! `tieout serve`: watch the inbox and work the queues until told to stop.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use super::{Context, Exit};
use crate::{
    intake::watch::Inbox,
    work::{self, Engine, Stop},
};

/// How long what was done may wait for its place in the audit chain.
const SEAL_EVERY: Duration = Duration::from_secs(5);
/// So often in a row that may fail, with the time between, before the process ends.
const FAILURES_MAX: u32 = 20;

/// Watches the inbox and works until SIGTERM, which finishes the chunk in hand
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tieout serve\n  tieout serve --roles parse,match --database-url postgres://tieout@db/tieout"
)]
pub struct Args {
    /// What this process does, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Role::Intake, Role::Parse, Role::Match, Role::Publish])]
    pub roles: Vec<Role>,
}

/// A part of the work that a process can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// Watch the inbox and archive what arrives
    Intake,
    /// Read archived files
    Parse,
    /// Match payments and post
    Match,
    /// Write answers to senders into the outbound folder
    Publish,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open(&context.config, context.clock.clone()).await?;
    engine.archive.sweep(&context.clock)?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for role in args.roles.iter().copied().collect::<BTreeSet<_>>() {
        let (engine, stopped) = (engine.clone(), stopped.clone());
        match role {
            Role::Intake => {
                let inbox = Inbox::open(&context.config.inbox, context.config.settle)?;
                let poll = context.config.poll;
                tasks.spawn(async move { watch_inbox(engine, inbox, poll, stopped).await });
            }
            Role::Parse => drop(tasks.spawn(async move { engine.consume(work::Role::Parse, stopped).await })),
            Role::Match => drop(tasks.spawn(async move { engine.consume(work::Role::Match, stopped).await })),
            Role::Publish => drop(tasks.spawn(async move { engine.consume(work::Role::Publish, stopped).await })),
        }
    }
    let (sealing, sealing_stopped) = (engine.clone(), stopped.clone());
    tasks.spawn(async move { seal_regularly(sealing, sealing_stopped).await });
    eprintln!("tieout serves {}; inbox {}; SIGTERM or Ctrl-C ends it", names(&args.roles), context.config.inbox.display());
    let first = wait(&mut tasks).await;
    // Whoever asked, all finish what they have in hand.
    stop.send_replace(true);
    let mut ended = vec![first];
    while let Some(task) = tasks.join_next().await {
        ended.push(task.context("a consumer panicked").and_then(|result| result));
    }
    engine.seal_audit().await?;
    engine.db.close().await;
    ended.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    eprintln!("tieout ended; nothing was left half done");
    Ok(Exit::Success)
}

/// Waits for a signal, or for a consumer that ends by itself, which only a failure makes it do.
async fn wait(tasks: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C"),
        Some(task) = tasks.join_next() => task.context("a consumer panicked")?,
    }
}

/// What is not sealed can still be changed unnoticed, so nothing waits for its seal until the process ends. A database that restarts or is busy
/// is no reason to end: what waits is sealed the next time.
async fn seal_regularly(engine: Engine, mut stopped: Stop) -> anyhow::Result<()> {
    let mut failures = 0;
    while !*stopped.borrow_and_update() {
        match look_after(&engine).await {
            Ok(()) => failures = 0,
            Err(error) if failures < FAILURES_MAX => {
                failures += 1;
                tracing::error!(failures, error = format!("{error:#}"), "sealing the audit trail failed and is tried again");
            }
            Err(error) => return Err(error),
        }
        // Waiting ends early when the process is told to stop; the last seal is set after all others have ended.
        if let Ok(changed) = tokio::time::timeout(SEAL_EVERY, stopped.changed()).await {
            changed.context("waiting for the end")?;
        }
    }
    Ok(())
}

async fn look_after(engine: &Engine) -> anyhow::Result<()> {
    engine.raise_overdue_deposits().await?;
    engine.seal_audit().await
}

async fn watch_inbox(engine: Engine, inbox: Inbox, poll: Duration, stopped: Stop) -> anyhow::Result<()> {
    let clock = engine.clock.clone();
    let receive = |arrived: crate::intake::watch::Arrived| {
        let engine = engine.clone();
        async move { engine.receive_from_inbox(&arrived).await }
    };
    inbox.run(poll, &clock, stopped, receive).await;
    Ok(())
}

fn names(roles: &[Role]) -> String {
    let roles: BTreeSet<_> = roles.iter().copied().collect();
    roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
}
