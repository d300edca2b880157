//! The loop of a consumer: claim the next job, do it, wait for the next one.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value as Json;
use tokio::sync::watch;

use super::{engine::Engine, matcher::Matcher};
use crate::{
    failpoint,
    store::{Fate, Job, NewJob, Tx, wants_retry},
};

/// What a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Read a file and record what it says.
    Parse,
    /// Decide payments of a file.
    Match,
    /// Look for the payment of advices that came alone.
    Link,
    /// Read the invoices of a held file that was released.
    Invoices,
    /// Undo payments that the bank took back.
    Returns,
}

impl JobKind {
    pub const ALL: [Self; 5] = [Self::Parse, Self::Match, Self::Link, Self::Invoices, Self::Returns];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Match => "match",
            Self::Link => "link",
            Self::Invoices => "invoices",
            Self::Returns => "returns",
        }
    }

    /// A job of this kind to be stored; the key names its effect.
    pub fn job(self, key: String, payload: Json) -> NewJob {
        NewJob { kind: self.as_str().to_owned(), key, payload }
    }

    fn of(job: &Job) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == job.kind)
    }
}

/// What a consumer does. Watching the inbox is none of it: that stores jobs and takes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads files.
    Parse,
    /// Decides payments and posts.
    Match,
    /// Writes answers to the outbound folder.
    Publish,
}

impl Role {
    /// The kinds of jobs the role consumes.
    pub const fn kinds(self) -> &'static [JobKind] {
        match self {
            Self::Parse => &[JobKind::Parse, JobKind::Invoices],
            Self::Match => &[JobKind::Match, JobKind::Link, JobKind::Returns],
            Self::Publish => &[],
        }
    }
}

/// Tells consumers to finish the job in hand and end.
pub type Stop = watch::Receiver<bool>;

/// So often the rows a job stands on may move before that counts as a failure.
const CONFLICTS_MAX: u32 = 20;
const CONFLICT_PAUSE: Duration = Duration::from_millis(5);
/// So often a consumer may fail in a row before its process ends; the waits between add up to minutes.
const FAILURES_MAX: u32 = 20;
/// How long a consumer sleeps at most when another process may have stored jobs.
const POLL: Duration = Duration::from_secs(1);

impl Engine {
    /// Does all jobs there are, oldest first, until none is left that can be done.
    pub async fn run_until_idle(&self) -> anyhow::Result<()> {
        loop {
            while self.run_next(&JobKind::ALL).await? {}
            self.publish().await?;
            let Some(wait) = self.wait_for_retry(&JobKind::ALL).await? else { return Ok(()) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Consumes jobs of a role until told to stop. The job in hand is finished first.
    pub async fn consume(&self, role: Role, mut stop: Stop) -> anyhow::Result<()> {
        let mut failures = 0;
        loop {
            // The ear is open before the look, so that a job stored in between is heard.
            let woken = self.wake.notified();
            if *stop.borrow() {
                return Ok(());
            }
            let worked = match role {
                Role::Publish => self.publish().await.map(|published| published > 0),
                _ => self.run_next(role.kinds()).await,
            };
            match worked {
                Ok(true) => {
                    failures = 0;
                    self.wake.notify_waiters();
                    continue;
                }
                Ok(false) => failures = 0,
                // A database that restarts or a full disk is no reason to end: the work is still there afterwards.
                Err(error) if failures < FAILURES_MAX => {
                    failures += 1;
                    tracing::error!(?role, failures, error = format!("{error:#}"), "a consumer failed and tries again");
                    tokio::select! {
                        () = tokio::time::sleep(POLL * failures) => {}
                        _ = stop.changed() => {}
                    }
                    continue;
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Does the oldest job that is due; false when there is none.
    async fn run_next(&self, kinds: &[JobKind]) -> anyhow::Result<bool> {
        let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        // Looking costs nothing; only what is there is worth a transaction that writes.
        let mut tx = self.db.read().await?;
        let due = tx.due_jobs(&names, 1).await?;
        tx.rollback().await?;
        if due.is_empty() {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        let Some(mut job) = tx.claim_next(&names).await? else { return Ok(false) };
        for conflicts in 1.. {
            match self.run(tx, &job).await {
                Ok(()) => break,
                Err(error) if wants_retry(&error) && conflicts < CONFLICTS_MAX => {
                    tracing::debug!(job.id = job.id.0, conflicts, %error, "the rows moved; job is tried again at once");
                }
                Err(error) => {
                    self.note_failure(&job, &error).await?;
                    break;
                }
            }
            tokio::time::sleep(CONFLICT_PAUSE * conflicts).await;
            tx = self.db.begin().await?;
            // Somebody else may have taken it meanwhile.
            let Some(again) = tx.claim(job.id).await? else { break };
            job = again;
        }
        Ok(true)
    }

    /// Does one job in its transaction. The snapshot is held until the commit, so that nobody decides on what may be rolled back.
    async fn run(&self, mut tx: Tx, job: &Job) -> anyhow::Result<()> {
        let kind = JobKind::of(job).with_context(|| format!("no consumer knows jobs of kind {:?}", job.kind))?;
        let mut matcher = match kind {
            JobKind::Match | JobKind::Link | JobKind::Returns => Some(self.matcher.lock().await),
            JobKind::Parse | JobKind::Invoices => None,
        };
        if let Some(matcher) = &mut matcher {
            matcher.start();
        }
        let done = match self.current(&mut tx).await {
            Ok(engine) => engine.work(&mut tx, kind, matcher.as_deref_mut(), job).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // At once, so that the next try does not find the job locked by this one.
            if let Err(error) = tx.rollback().await {
                tracing::debug!(job.id = job.id.0, %error, "the transaction ends with its connection");
            }
            return Err(error);
        }
        tx.commit().await?;
        if let Some(matcher) = &mut matcher {
            matcher.commit();
        }
        failpoint::pass(if kind == JobKind::Parse { "record_committed" } else { "apply_committed" });
        Ok(())
    }

    async fn work(&self, tx: &mut Tx, kind: JobKind, matcher: Option<&mut Matcher>, job: &Job) -> anyhow::Result<()> {
        match (kind, matcher) {
            (JobKind::Parse, _) => self.parse_job(tx, job).await?,
            (JobKind::Invoices, _) => self.invoices_job(tx, job).await?,
            (JobKind::Returns, _) => self.returns_job(tx, job).await?,
            (JobKind::Match, Some(matcher)) => self.match_job(tx, matcher, job).await?,
            (JobKind::Link, Some(matcher)) => self.link_job(tx, matcher, job).await?,
            (JobKind::Match | JobKind::Link, None) => anyhow::bail!("a {} job came without the snapshot", kind.as_str()),
        }
        anyhow::ensure!(tx.complete(job.id).await?, "job {} was done by somebody else meanwhile", job.id);
        Ok(())
    }

    async fn note_failure(&self, job: &Job, error: &anyhow::Error) -> anyhow::Result<()> {
        let text = format!("{error:#}");
        let parked = self.fail(job, &text).await.with_context(|| format!("noting that job {} failed: {text}", job.id))?;
        tracing::error!(job.id = job.id.0, job.kind = %job.kind, parked, error = %text, "job failed");
        Ok(())
    }

    /// Whether that was the last try: then somebody is told in the same transaction, for a kill must not leave it where nobody looks.
    async fn fail(&self, job: &Job, error: &str) -> anyhow::Result<bool> {
        let mut tx = self.db.begin().await?;
        let parked = matches!(tx.fail_job(job.id, error).await?, Fate::Parked);
        if parked {
            self.raise_parked(&mut tx, job).await?;
        }
        tx.commit().await?;
        Ok(parked)
    }

    /// How long until a failed job may be tried again; nothing when all are done or parked.
    async fn wait_for_retry(&self, kinds: &[JobKind]) -> anyhow::Result<Option<Duration>> {
        let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let mut tx = self.db.read().await?;
        let due = tx.next_due(&names).await?;
        tx.rollback().await?;
        Ok(due.map(|due| self.clock.until(&due).max(Duration::from_millis(20))))
    }
}
