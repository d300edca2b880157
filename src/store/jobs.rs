//! Jobs: work for a machine, as rows.
//!
//! A job is claimed and completed in the transaction of its effect, so a crash leaves it ready and a success leaves it
//! done; failing is a transaction of its own. Waking whoever waits is left to `work`.

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::{
    Backend, Kind, Tx,
    bulk::Rows,
    db::stamp,
    value::{Columns, Value, json, values},
};
use crate::domain::JobId;

/// A job to be stored. The key names the effect: the same key again stores nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub kind: String,
    pub key: String,
    pub payload: Json,
}

/// A stored job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub key: String,
    pub payload: Json,
    /// How often it failed so far.
    pub tries: u32,
    /// Why it failed last.
    pub error: Option<String>,
}

/// What becomes of a job that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again, not before that moment.
    Again { not_before: String },
    /// It failed too often; a person must look at it.
    Parked,
    /// Somebody else finished it meanwhile.
    Done,
}

/// After so many failures a job is parked.
pub const TRIES_MAX: u32 = 5;
const BACK_OFF_FIRST_SECONDS: i64 = 2;
const BACK_OFF_LAST_SECONDS: i64 = 300;
const COLUMNS: &str = "id, kind, key, payload, tries, error";

impl Tx {
    /// Stores jobs; those whose key is known are left as they are. Tells how many are new.
    pub async fn enqueue(&mut self, jobs: &[NewJob]) -> anyhow::Result<u64> {
        let ids = self.reserve(Kind::Job, jobs.len()).await?;
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(7);
        for (job, id) in jobs.iter().zip(ids) {
            rows.push(values![id, &job.kind, &job.key, json(&job.payload)?, "ready", &at, &at]);
        }
        self.insert("job", "id, kind, key, payload, state, not_before, created_at", "on conflict (key) do nothing", rows).await
    }

    /// The oldest job of these kinds that is due and that nobody else works on. Complete it in this transaction.
    ///
    /// Roll back by [`Tx::rollback`] when it fails: a transaction that is only dropped lets go of the job a moment later.
    pub async fn claim_next(&mut self, kinds: &[&str]) -> anyhow::Result<Option<Job>> {
        let sql = format!(
            "select {COLUMNS} from job where state = 'ready' and not_before <= $1 and kind in ({}) order by not_before, id limit 1{}",
            list(2, kinds.len()),
            self.skip_locked()
        );
        let mut given = values![self.stamp()];
        given.extend(kinds.iter().map(|kind| Value::from(*kind)));
        self.first(&sql, given).await?.map(|row| Job::read(&mut Columns::of(&row))).transpose()
    }

    /// The job of that id, if it is still to be done and nobody else works on it. Complete it in this transaction.
    pub async fn claim(&mut self, id: JobId) -> anyhow::Result<Option<Job>> {
        let sql = format!("select {COLUMNS} from job where id = $1 and state = 'ready'{}", self.skip_locked());
        self.first(&sql, values![id]).await?.map(|row| Job::read(&mut Columns::of(&row))).transpose()
    }

    /// Marks a job done; false when it was done already, and then this transaction must not be committed.
    pub async fn complete(&mut self, id: JobId) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "update job set state = 'done', finished_at = $2, error = null where id = $1 and state = 'ready'";
        Ok(self.run(sql, values![id, at]).await? == 1)
    }

    /// Notes that a job failed. Its effect was rolled back, so this is another transaction; raise the exception of a parked job in it, too,
    /// or a job may stand still where nobody sees it.
    pub async fn fail_job(&mut self, id: JobId, error: &str) -> anyhow::Result<Fate> {
        let sql = format!("select {COLUMNS} from job where id = $1 and state = 'ready'{}", self.for_update());
        let Some(row) = self.first(&sql, values![id]).await? else { return Ok(Fate::Done) };
        let tries = Job::read(&mut Columns::of(&row))?.tries.saturating_add(1);
        let fate = if tries >= TRIES_MAX { Fate::Parked } else { Fate::Again { not_before: stamp(self.at() + back_off(tries)) } };
        let (state, not_before) = match &fate {
            Fate::Again { not_before } => ("ready", not_before.clone()),
            _ => ("parked", self.stamp().to_owned()),
        };
        let sql = "update job set state = $2, tries = $3, not_before = $4, error = $5 where id = $1 and state = 'ready'";
        self.run(sql, values![id, state, tries, not_before, error]).await?;
        Ok(fate)
    }

    /// Jobs of these kinds that are due, oldest first, without claiming them.
    pub async fn due_jobs(&mut self, kinds: &[&str], limit: usize) -> anyhow::Result<Vec<Job>> {
        let sql = format!(
            "select {COLUMNS} from job where state = 'ready' and not_before <= $1 and kind in ({}) order by not_before, id limit {limit}",
            list(2, kinds.len())
        );
        let mut given = values![self.stamp()];
        given.extend(kinds.iter().map(|kind| Value::from(*kind)));
        self.all(&sql, given).await?.iter().map(|row| Job::read(&mut Columns::of(row))).collect()
    }

    /// When the next job of these kinds is due; the past when one is due now.
    pub async fn next_due(&mut self, kinds: &[&str]) -> anyhow::Result<Option<String>> {
        let sql = format!("select min(not_before) from job where state = 'ready' and kind in ({})", list(1, kinds.len()));
        let row = self.first(&sql, kinds.iter().map(|kind| Value::from(*kind)).collect()).await?;
        row.map(|row| Columns::of(&row).text_opt()).transpose().map(Option::flatten)
    }

    /// How many jobs of these kinds are neither done nor parked.
    pub async fn jobs_left(&mut self, kinds: &[&str]) -> anyhow::Result<i64> {
        let sql = format!("select count(*) from job where state = 'ready' and kind in ({})", list(1, kinds.len()));
        self.number(&sql, kinds.iter().map(|kind| Value::from(*kind)).collect()).await
    }

    /// Jobs that failed too often, for people.
    pub async fn parked_jobs(&mut self) -> anyhow::Result<Vec<Job>> {
        let rows = self.all(&format!("select {COLUMNS} from job where state = 'parked' order by id"), Vec::new()).await?;
        rows.iter().map(|row| Job::read(&mut Columns::of(row))).collect()
    }

    /// Gives a parked job its tries back.
    pub async fn unpark(&mut self, id: JobId) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "update job set state = 'ready', tries = 0, not_before = $2 where id = $1 and state = 'parked'";
        Ok(self.run(sql, values![id, at]).await? == 1)
    }

    const fn skip_locked(&self) -> &'static str {
        match self.backend() {
            Backend::Sqlite => "",
            Backend::Postgres => " for update skip locked",
        }
    }
}

impl Job {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: JobId(columns.number()?),
            kind: columns.text()?,
            key: columns.text()?,
            payload: columns.json()?,
            tries: columns.small()?,
            error: columns.text_opt()?,
        })
    }
}

/// Doubles with each failure, up to five minutes.
fn back_off(tries: u32) -> TimeDelta {
    let seconds = BACK_OFF_FIRST_SECONDS.checked_shl(tries.saturating_sub(1)).unwrap_or(BACK_OFF_LAST_SECONDS);
    TimeDelta::seconds(seconds.min(BACK_OFF_LAST_SECONDS))
}

/// `$2, $3, $4` for three values from the second on.
pub(super) fn list(first: usize, n: usize) -> String {
    let places: Vec<_> = (first..first + n).map(|place| format!("${place}")).collect();
    places.join(", ")
}
