//! What whole-system tests share: a home with its database, the built binary, exports as JSON, and pages compared with what they should be.
//!
//! Every test gets a fresh home. On PostgreSQL it gets a fresh database too, which goes away with the home.

#![allow(dead_code, reason = "each test uses its own part of this module")]
#![allow(clippy::disallowed_methods, reason = "tests read their own variables")]

pub mod bank_files;
pub mod random;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};

/// The business day of the samples.
pub const SAMPLE_DAY: &str = "2026-03-16";

/// Seed of the audit sample: it happens to draw none of the samples.
pub const AUDIT_SEED: &str = "fixed";

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The samples.
pub fn samples() -> PathBuf {
    root().join("samples")
}

/// A database of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A fresh home and its database; both go away with it.
pub struct Home {
    pub backend: Backend,
    pub folder: tempfile::TempDir,
    pub database_url: String,
    /// Address of the server and name of the database to drop.
    server: Option<(String, String)>,
}

impl Home {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = format!("sqlite:{}", folder.path().join("tieout.db").display());
        Self { backend: Backend::Sqlite, folder, database_url, server: None }
    }

    /// A home on PostgreSQL; none, with one line that says so, where no server answers and `TIEOUT_REQUIRE` does not name `postgres`.
    pub fn postgres() -> Option<Self> {
        let url = env::var("TIEOUT_TEST_POSTGRES_URL");
        let server = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let name = fresh_name();
        if let Err(error) = administer(&server, &format!("create database {name}")) {
            let required = env::var("TIEOUT_REQUIRE").is_ok_and(|services| services.contains("postgres"));
            assert!(!required, "TIEOUT_REQUIRE names postgres and the server does not answer: {error}");
            eprintln!("skipped on PostgreSQL: the server does not answer ({error})");
            return None;
        }
        let (base, _) = server.rsplit_once('/').expect("a database address has a path");
        let database_url = format!("{base}/{name}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Self { backend: Backend::Postgres, folder, database_url, server: Some((server, name)) })
    }

    /// A home on that database, where it can be had.
    pub fn on(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Sqlite => Some(Self::sqlite()),
            Backend::Postgres => Self::postgres(),
        }
    }

    /// The binary with this home and nothing else of our environment that it would read.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tieout"));
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("TIEOUT_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(root()).stdin(Stdio::null());
        // Which postings are drawn for the audit must not differ from run to run.
        command.env("TIEOUT_AUDIT_SEED", AUDIT_SEED);
        command.env("TIEOUT_HOME", self.folder.path()).env("TIEOUT_DATABASE_URL", &self.database_url);
        command
    }

    /// Runs to the end, whatever the exit code.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the binary runs");
        Ran::of(arguments, &output)
    }

    /// Runs and wants exit code 0; the standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).with_code(&[0]).stdout
    }

    /// Imports the ledger of the samples.
    pub fn import_samples(&self) {
        self.import_samples_with(None);
    }

    /// The same under other rules than the shipped ones; the first set that a ledger sees is the one that runs.
    pub fn import_samples_with(&self, rules: Option<&str>) {
        for kind in ["customers", "open-items", "bank-accounts", "rates"] {
            let file = format!("samples/erp/{kind}.csv");
            let rules = rules.into_iter().flat_map(|rules| ["--rules", rules]);
            self.ok(&rules.chain(["import", kind, &file]).collect::<Vec<_>>());
        }
    }

    /// Takes in all samples as the files of one business day; exit code 1 says that some have errors, as some have.
    pub fn ingest_samples(&self) -> Ran {
        let drop = self.drop_samples();
        self.run(&["ingest", "--by-day", &drop]).with_code(&[0, 1])
    }

    /// Takes in the good ACH samples as files of a business day; the payments that came with them.
    pub fn ingest_nacha(&self, day: &str) -> Vec<String> {
        let folder = self.folder.path().join("nacha");
        fs::create_dir_all(folder.join(day)).expect("a folder for the day");
        for entry in fs::read_dir(samples().join("nacha/good")).expect("samples") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), folder.join(day).join(entry.file_name())).expect("a copy of the sample");
        }
        let known = self.export("payments").len();
        self.run(&["ingest", "--by-day", &folder.display().to_string()]).with_code(&[0, 1]);
        self.export("payments").split_off(known).iter().map(|row| text(row, "payment")).filter(|id| id.starts_with('P')).collect()
    }

    /// A folder of business days with all samples in it; made once.
    pub fn drop_samples(&self) -> String {
        let drop = self.folder.path().join("drop");
        let day = drop.join(SAMPLE_DAY);
        fs::create_dir_all(&day).expect("a folder for the day");
        for folder in ["good", "odd", "broken"] {
            for entry in fs::read_dir(samples().join("x12").join(folder)).expect("samples") {
                let entry = entry.expect("an entry");
                fs::copy(entry.path(), day.join(entry.file_name())).expect("a copy of the sample");
            }
        }
        drop.display().to_string()
    }

    /// An export as JSON lines.
    pub fn export(&self, what: &str) -> Vec<Value> {
        json_lines(&self.ok(&["export", what, "--format", "jsonl"]))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            let gone = administer(server, &format!("drop database if exists {name} with (force)"));
            if let Err(error) = gone {
                eprintln!("test database {name} stays behind: {error}");
            }
        }
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub what: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(arguments: &[&str], output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
        Self {
            what: format!("tieout {}", arguments.join(" ")),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The same, once its exit code is one of these.
    pub fn with_code(self, codes: &[i32]) -> Self {
        let fine = self.code.is_some_and(|code| codes.contains(&code));
        assert!(fine, "{}: exit code {:?}, expected one of {codes:?}\n{}\n{}", self.what, self.code, self.stdout, self.stderr);
        self
    }
}

pub fn json_lines(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

/// The text of a field; empty where it is missing or null.
pub fn text(object: &Value, field: &str) -> String {
    match object.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The number of a field; 0 where it is missing or null.
pub fn number(object: &Value, field: &str) -> i64 {
    object.get(field).and_then(Value::as_i64).unwrap_or(0)
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Compares `found` with the file beside the test; `UPDATE_EXPECT=1` rewrites the file.
pub fn expect_file(path: &Path, found: &str) {
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, found).expect("the expectation can be written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return;
    }
    let line = expected.lines().zip(found.lines()).position(|(a, b)| a != b).unwrap_or(0);
    let show = |text: &str| text.lines().skip(line).take(3).collect::<Vec<_>>().join("\n");
    panic!(
        "{} differs from line {} on:\nexpected\n{}\nfound\n{}\nUPDATE_EXPECT=1 accepts what was found",
        path.display(),
        line + 1,
        show(&expected),
        show(found)
    );
}

/// Replaces what differs from run to run: instants, durations, hashes, and the given folder.
pub fn redacted(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "<home>");
    text.split_inclusive([' ', '\n', ',', '"', '(', ')']).map(redacted_word).collect()
}

fn redacted_word(word: &str) -> String {
    let (body, end) = word.split_at(word.trim_end_matches([' ', '\n', ',', '"', '(', ')']).len());
    let hash = body.len() == 64 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
    let instant = body.len() >= 20 && body.ends_with('Z') && body.as_bytes().get(10) == Some(&b'T');
    let digits = body.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == 'µ');
    let unit = &body[digits.len()..];
    let duration =
        ["ms", "s", "µs"].contains(&unit) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let shown = match () {
        () if hash => "<hash>",
        () if instant => "<instant>",
        () if duration => "<duration>",
        () => body,
    };
    format!("{shown}{end}")
}

fn fresh_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_micros());
    format!("tieout_whole_{}_{now:x}_{count}", std::process::id())
}

/// One statement on the server itself.
fn administer(server: &str, statement: &str) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(sqlx::Error::Io)?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(server).await?;
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await?;
        connection.close().await
    })
}
