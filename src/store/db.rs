//! The database: opening it, beginning transactions and repeating them when the database asks for it.
//!
//! Everything that reads or writes goes through [`Tx`], which carries the one time stamp of its transaction. What the
//! tables mean is left to the sibling modules.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::{
    AnyConnection, AssertSqlSafe, Connection, Executor, Row,
    any::{Any, AnyArguments, AnyPoolOptions, AnyRow},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::{
    migrate,
    value::{Value, arguments},
};

/// Which database it is. Only ids, change marks, row locks and triggers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Where the store learns the time: `clock` hands it in.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: sqlx::AnyPool,
    backend: Backend,
    now: Now,
    /// SQLite has one writer: waiting for it here costs nothing, waiting inside SQLite means polling.
    writer: Arc<Mutex<()>>,
}

/// A transaction. Dropped without [`Tx::commit`] it changes nothing.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    backend: Backend,
    at: DateTime<Utc>,
    stamp: String,
    /// Change mark of this transaction, once it changed something that snapshots follow.
    mark: Option<i64>,
    _writer: Option<OwnedMutexGuard<()>>,
}

/// The rows are not what they were when the decision was made; the transaction may be tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0} changed while it was being written; nothing was stored, try again")]
pub struct Conflict(pub String);

const TRIES_MAX: u32 = 8;
const CONNECTIONS_MAX: u32 = 8;
/// What a connection to a file that is only read is told.
const SESSION_OF_READER: &str = "pragma busy_timeout = 10000; pragma cache_size = -65536; pragma temp_store = memory";
/// How long a database may take to answer at all. Later, when it is known to be there, waiting for a free connection may take longer.
const ANSWER: Duration = Duration::from_secs(5);

impl Db {
    /// Opens `sqlite:PATH` (made when absent) or `postgres://…` and brings its tables up to date.
    pub async fn open(url: &str, now: Now) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let backend = Backend::of(url)?;
        let db = Self::connect(url, &backend.address(url), backend, backend.session(), now).await?;
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Opens a SQLite file that may be read and not written, as a copy on a read-only medium is. Nothing is brought up to date.
    pub async fn open_to_read(url: &str, now: Now) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let backend = Backend::of(url)?;
        let path = url.strip_prefix("sqlite:").and_then(|path| path.split('?').next()).context("only SQLite is a file")?;
        // A log beside the file holds what is not in the file yet; without one nothing can change while we read.
        let has_log = std::fs::metadata(format!("{path}-wal")).is_ok_and(|log| log.len() > 0);
        let address = format!("sqlite:{path}?mode=ro{}", if has_log { "" } else { "&immutable=true" });
        let db = Self::connect(url, &address, backend, SESSION_OF_READER, now).await?;
        migrate::ensure_current(&db).await?;
        Ok(db)
    }

    async fn connect(url: &str, address: &str, backend: Backend, session: &'static str, now: Now) -> anyhow::Result<Self> {
        let options = AnyPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(30))
            // After a commit that failed, as on a full disk, a connection may think itself inside a transaction that is gone.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(session).await?;
                    Ok(())
                })
            });
        let doing = || format!("opening the database {}", shown(url));
        answers(address, backend, session).await.with_context(doing)?;
        let pool = options.connect(address).await.with_context(doing)?;
        Ok(Self { pool, backend, now, writer: Arc::default() })
    }

    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Begins a transaction that writes.
    #[expect(clippy::disallowed_methods, reason = "this is the place where transactions begin")]
    pub async fn begin(&self) -> anyhow::Result<Tx> {
        let (writer, statement) = match self.backend {
            Backend::Sqlite => (Some(Arc::clone(&self.writer).lock_owned().await), "begin immediate"),
            Backend::Postgres => (None, "begin isolation level read committed"),
        };
        let inner = self.pool.begin_with(statement).await.context("beginning a transaction")?;
        Ok(self.tx(inner, writer))
    }

    /// Begins a transaction that only reads: all of it sees one state.
    #[expect(clippy::disallowed_methods, reason = "this is the place where transactions begin")]
    pub async fn read(&self) -> anyhow::Result<Tx> {
        let statement = match self.backend {
            Backend::Sqlite => "begin deferred",
            Backend::Postgres => "begin isolation level repeatable read read only",
        };
        let inner = self.pool.begin_with(statement).await.context("beginning to read")?;
        Ok(self.tx(inner, None))
    }

    fn tx(&self, inner: sqlx::Transaction<'static, Any>, writer: Option<OwnedMutexGuard<()>>) -> Tx {
        let at = (self.now)();
        Tx { inner, backend: self.backend, at, stamp: stamp(at), mark: None, _writer: writer }
    }

    /// Runs `work` in a transaction and commits it; runs it again when the database or a [`Conflict`] asks for that.
    ///
    /// The compiler cannot yet see that such a future may move between threads when the closure borrows; use
    /// [`Db::write`] in what is spawned.
    pub async fn transact<T, F>(&self, mut work: F) -> anyhow::Result<T>
    where
        F: AsyncFnMut(&mut Tx) -> anyhow::Result<T>,
    {
        let mut tries = 0;
        loop {
            let mut tx = self.begin().await?;
            let result = match work(&mut tx).await {
                Ok(value) => tx.commit().await.map(|()| value),
                Err(error) => {
                    // The error that came first says what happened; a connection that cannot roll back is not used again.
                    if let Err(rollback) = tx.rollback().await {
                        tracing::debug!(%rollback, "the transaction ends with its connection");
                    }
                    Err(error)
                }
            };
            match result {
                Err(error) => pause(&mut tries, error).await?,
                result => return result,
            }
        }
    }

    /// The same with a closure that takes the transaction and gives it back: `db.write(|mut tx| async move { …; Ok((tx, value)) })`.
    pub async fn write<T, F, W>(&self, mut work: F) -> anyhow::Result<T>
    where
        F: FnMut(Tx) -> W,
        W: Future<Output = anyhow::Result<(Tx, T)>>,
    {
        let mut tries = 0;
        loop {
            let result = match work(self.begin().await?).await {
                Ok((tx, value)) => tx.commit().await.map(|()| value),
                // The transaction was dropped on the way and with it everything it wrote.
                Err(error) => Err(error),
            };
            match result {
                Err(error) => pause(&mut tries, error).await?,
                result => return result,
            }
        }
    }

    /// Closes all connections; SQLite then folds its write-ahead log back into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Tx {
    /// The one moment of this transaction.
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The same as text of the store.
    pub fn stamp(&self) -> &str {
        &self.stamp
    }

    pub const fn backend(&self) -> Backend {
        self.backend
    }

    pub async fn commit(self) -> anyhow::Result<()> {
        self.inner.commit().await.context("committing")
    }

    pub async fn rollback(self) -> anyhow::Result<()> {
        self.inner.rollback().await.context("rolling back")
    }

    /// The text that locks the rows a `select` returns. SQLite needs none: it has one writer.
    pub(super) const fn for_update(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => "",
            Backend::Postgres => " for update",
        }
    }

    /// The same for the rows of one table of a join.
    pub(super) fn for_update_of(&self, alias: &str) -> String {
        match self.backend {
            Backend::Sqlite => String::new(),
            Backend::Postgres => format!(" for update of {alias}"),
        }
    }

    /// Executes one statement and tells how many rows it touched.
    pub(super) async fn run(&mut self, sql: &str, values: Vec<Value>) -> anyhow::Result<u64> {
        let done = sqlx::query_with(AssertSqlSafe(sql), arguments(values)).execute(&mut *self.inner).await;
        Ok(done.with_context(|| named(sql))?.rows_affected())
    }

    /// All rows of a query.
    pub(super) async fn all(&mut self, sql: &str, values: Vec<Value>) -> anyhow::Result<Vec<AnyRow>> {
        sqlx::query_with(AssertSqlSafe(sql), arguments(values)).fetch_all(&mut *self.inner).await.with_context(|| named(sql))
    }

    /// The first row of a query, if any.
    pub(super) async fn first(&mut self, sql: &str, values: Vec<Value>) -> anyhow::Result<Option<AnyRow>> {
        sqlx::query_with(AssertSqlSafe(sql), arguments(values)).fetch_optional(&mut *self.inner).await.with_context(|| named(sql))
    }

    /// The one number a query returns; nothing counts as 0.
    pub(super) async fn number(&mut self, sql: &str, values: Vec<Value>) -> anyhow::Result<i64> {
        let row = self.first(sql, values).await?;
        Ok(row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()?.flatten().unwrap_or(0))
    }

    /// Executes a script of several statements without values.
    pub(super) async fn script(&mut self, sql: &'static str) -> anyhow::Result<()> {
        sqlx::raw_sql(sql).execute(&mut *self.inner).await.with_context(|| named(sql))?;
        Ok(())
    }

    /// The change mark that every row written here carries, so that snapshots find it.
    ///
    /// On SQLite it is a counter. On PostgreSQL it is the transaction id: a reader asks for everything from the oldest
    /// transaction on that was still running when it last looked, so that a late commit is never missed.
    pub async fn change_mark(&mut self) -> anyhow::Result<i64> {
        if let Some(mark) = self.mark {
            return Ok(mark);
        }
        let sql = match self.backend {
            Backend::Sqlite => "update counter set next = next + 1 where name = 'change' returning next - 1",
            Backend::Postgres => "select cast(cast(pg_current_xact_id() as text) as bigint)",
        };
        let mark = self.number(sql, Vec::new()).await?;
        self.mark = Some(mark);
        Ok(mark)
    }

    /// Everything with a change mark below this is visible to this transaction. Ask before reading what changed.
    pub(super) async fn horizon(&mut self) -> anyhow::Result<i64> {
        if let (Backend::Sqlite, Some(mark)) = (self.backend, self.mark) {
            // What this transaction writes after the look carries its mark too.
            return Ok(mark);
        }
        let sql = match self.backend {
            Backend::Sqlite => "select next from counter where name = 'change'",
            Backend::Postgres => "select cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)",
        };
        self.number(sql, Vec::new()).await
    }
}

impl Backend {
    fn of(url: &str) -> anyhow::Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if url.contains(":memory:") => {
                bail!("the database must be a file: several connections cannot share {url:?}; use sqlite:PATH")
            }
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => bail!("{:?} is not a database address; expected sqlite:PATH or postgres://USER@HOST/DATABASE", shown(url)),
        }
    }

    /// The address with what the driver needs to make a missing SQLite file.
    fn address(self, url: &str) -> String {
        match self {
            Self::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        }
    }

    /// What each connection is told once.
    const fn session(self) -> &'static str {
        match self {
            // FULL: what was committed survives a power cut, not only a crash of the process.
            Self::Sqlite => {
                "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                 pragma cache_size = -65536; pragma temp_store = memory"
            }
            // A plan kept from when a table was small reads the whole of it once it is large: plan for the size of now.
            Self::Postgres => {
                "set synchronous_commit = on; set plan_cache_mode = force_custom_plan; set random_page_cost = 1.1; \
                 set statement_timeout = 0; set idle_in_transaction_session_timeout = '10min'"
            }
        }
    }
}

/// Asks for one connection outside the pool, which would try a server that is not there, and a file that cannot be used, for as long as
/// it waits for a free connection.
async fn answers(address: &str, backend: Backend, session: &'static str) -> anyhow::Result<()> {
    let asking = async {
        let mut connection = AnyConnection::connect(address).await?;
        connection.execute(session).await?;
        if backend == Backend::Sqlite {
            connection.execute("select count(*) from sqlite_master").await?;
        }
        connection.close().await
    };
    match timeout(ANSWER, asking).await {
        Ok(Err(error)) if let Some(advice) = unusable_file(&error, backend) => Err(error).context(advice),
        Ok(Err(sqlx::Error::Io(error))) => Err(error).context("nothing answers there; start the server, or correct the address"),
        Ok(asked) => Ok(asked?),
        Err(_) => {
            bail!("it does not answer within {} s; look at the server and the network, or correct the address", ANSWER.as_secs())
        }
    }
}

/// What to do about a SQLite file that cannot be used.
fn unusable_file(error: &sqlx::Error, backend: Backend) -> Option<&'static str> {
    if backend != Backend::Sqlite {
        return None;
    }
    match primary_code(error)? {
        SQLITE_READONLY => {
            Some("the file may be read and not written; give whoever runs tieout the right to write it and its folder")
        }
        SQLITE_CORRUPT | SQLITE_NOTADB => Some("the file is no SQLite database, or it is damaged; restore it from a backup"),
        SQLITE_CANTOPEN => Some("the file cannot be opened; look at the rights of the file and its folder"),
        SQLITE_FULL => Some("the disk is full; free space and run it again"),
        _ => None,
    }
}

const SQLITE_PERM: u32 = 3;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_NOTADB: u32 = 26;

/// SQLite's result code without its extension.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(database) = error else { return None };
    // States of PostgreSQL have five characters, codes of SQLite at most four.
    let code = database.code().filter(|code| code.len() < 5)?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// Whether what failed may be read and not written.
pub fn is_read_only(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let denied = cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
            matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
        });
        let code = cause.downcast_ref::<sqlx::Error>().and_then(primary_code);
        denied || matches!(code, Some(SQLITE_PERM | SQLITE_READONLY | SQLITE_CANTOPEN))
    })
}

/// Whether the disk is full.
pub fn is_disk_full(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let full = cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
        // PostgreSQL tells of its own disk.
        let database = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
        let told = database.and_then(|error| error.code()).is_some_and(|code| code == "53100");
        full || told || cause.downcast_ref::<sqlx::Error>().and_then(primary_code) == Some(SQLITE_FULL)
    })
}

/// A moment as the store writes it: `2026-11-21T21:15:00.000Z`; its order as text is its order in time.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Whether the same work may succeed on another try: serialization failure, deadlock, a busy database or a conflict.
pub fn wants_retry(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if cause.is::<Conflict>() {
            return true;
        }
        let Some(sqlx::Error::Database(database)) = cause.downcast_ref::<sqlx::Error>() else { return false };
        matches!(database.code().as_deref(), Some("40001" | "40P01" | "5" | "6" | "261" | "517"))
    })
}

/// Waits a little before the next try; gives the error back when another try would not help.
async fn pause(tries: &mut u32, error: anyhow::Error) -> anyhow::Result<()> {
    *tries += 1;
    if *tries >= TRIES_MAX || !wants_retry(&error) {
        return Err(error);
    }
    tracing::debug!(tries, %error, "transaction is tried again");
    tokio::time::sleep(Duration::from_millis(5 << *tries)).await;
    Ok(())
}

/// The name of the constraint that refused a row, so that callers can turn it into a sentence.
pub fn violated_constraint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(database)) if !matches!(database.kind(), sqlx::error::ErrorKind::Other) => {
            Some(database.constraint().map_or_else(|| database.message().to_owned(), str::to_owned))
        }
        _ => None,
    })
}

/// The address without its password, for messages.
fn shown(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(end)) if start + 3 < end => match url[start + 3..end].split_once(':') {
            Some((user, _)) => format!("{}{user}:••••{}", &url[..start + 3], &url[end..]),
            None => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

/// The beginning of a statement, for the context of an error.
fn named(sql: &str) -> String {
    let words: Vec<_> = sql.split_whitespace().take(12).collect();
    format!("running \"{} …\"", words.join(" "))
}

pub(super) type Arguments = AnyArguments;
