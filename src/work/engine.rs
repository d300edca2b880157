//! What every consumer works with.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use tieout_parsers::{Limits, Mapping};
use tokio::sync::{Mutex, Notify};

use super::{
    certify::Followed,
    directory::Directory,
    matcher::Matcher,
    rulebook::{Candidate, Rulebook},
};
use crate::{
    audit,
    clock::{Clock, random_name},
    config::Config,
    durable, failpoint,
    intake::{archive::Archive, mappings},
    ledger::Mandate,
    rules::RuleSet,
    secret::Vault,
    store::{Db, Tx, is_read_only},
};

/// The name and the role under which the machine acts.
pub use crate::ledger::ENGINE;

/// There is no database where the configuration points.
#[derive(Debug, thiserror::Error)]
#[error("there is no ledger at {0}; check --home, or make one with tieout import or tieout ingest")]
pub struct NoLedger(String);

/// The parts of the engine in one process. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub db: Db,
    /// The rules in force on the business day.
    pub rules: Arc<RuleSet>,
    /// The active set, shared by all that work in this process.
    pub(super) rulebook: Arc<Mutex<Rulebook>>,
    pub clock: Clock,
    pub archive: Archive,
    pub vault: Arc<Vault>,
    pub limits: Limits,
    /// Mappings of the configuration, which go before the shipped ones.
    pub mappings: Vec<Arc<Mapping>>,
    /// Where answers to senders go.
    pub outbound: PathBuf,
    /// Where packed files are unpacked.
    pub temporary: PathBuf,
    pub(super) audit_head: PathBuf,
    /// One snapshot of open items in a process; payments are decided one chunk at a time.
    pub(super) matcher: Arc<Mutex<Matcher>>,
    pub(super) directory: Arc<Mutex<Arc<Directory>>>,
    /// Rings when new jobs were stored by this process.
    pub(super) wake: Arc<Notify>,
    /// Seed of the audit sample.
    pub(super) audit_seed: Arc<str>,
    /// What may post, as far as the labels were followed.
    pub(super) followed: Arc<Mutex<Followed>>,
}

impl Engine {
    /// Opens what exists already, to work on its rules: it opens too when the program cannot read the active ones any more.
    pub async fn open_for_rules(config: &Config, clock: Clock, candidate: &Candidate) -> anyhow::Result<Self> {
        must_exist(config)?;
        Self::open_with(config, clock, candidate, true).await
    }

    /// Opens what exists already. Asking about a folder that holds nothing is a mistake, and must not make a new ledger there.
    pub async fn open_existing(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        must_exist(config)?;
        match Self::open(config, clock.clone()).await {
            // A backup on a read-only medium, or an auditor without the right to write: looking is possible all the same.
            Err(error) if config.database_url.reveal().starts_with("sqlite:") && is_read_only(&error) => {
                Self::open_to_read(config, clock).await.map_err(|reading| reading.context(format!("{error:#}")))
            }
            opened => opened,
        }
    }

    /// Opens what may be read and not written. Nothing is made, and without the key nothing is compared with it.
    async fn open_to_read(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let now = clock.clone();
        let db = Db::open_to_read(config.database_url.reveal(), Arc::new(move || now.now())).await?;
        let vault = Vault::open(&config.home, config.secret_key.as_ref()).unwrap_or_else(|_| Vault::without_key());
        let mut tx = db.read().await?;
        let book = Rulebook::open(&mut tx, &Candidate::load(config)?, clock.today(), true).await?;
        tx.rollback().await?;
        Self::with(config, clock, book, db, vault, Archive::existing(config.archive()))
    }

    /// Opens the store, the archive and the vault that the configuration names.
    pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let candidate = Candidate::load(config)?;
        let engine = Self::open_with(config, clock, &candidate, false).await?;
        let active = &engine.rules.hash;
        if *active != candidate.rules.hash {
            let place = config.rules.as_ref().map_or_else(|| "the program".to_owned(), |folder| folder.display().to_string());
            tracing::warn!(
                "the rules of {place} (set {:.12}) do not run; set {active:.12} is active. See tieout rules diff, and let them run with \
                 tieout rules backtest and tieout rules activate",
                candidate.rules.hash
            );
        }
        Ok(engine)
    }

    async fn open_with(config: &Config, clock: Clock, candidate: &Candidate, lenient: bool) -> anyhow::Result<Self> {
        for folder in [config.home.clone(), config.temporary(), config.outbound.clone()] {
            std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let now = clock.clone();
        let db = Db::open(config.database_url.reveal(), Arc::new(move || now.now())).await?;
        let vault = Vault::open(&config.home, config.secret_key.as_ref())?;
        let known = db.transact(async |tx| tx.keep_setting("vault", vault.fingerprint()).await).await?;
        anyhow::ensure!(
            known == vault.fingerprint(),
            "the account numbers in this database were sealed with another key; restore secret.key in {} or set TIEOUT_SECRET_KEY",
            config.home.display()
        );
        let drawn_seed = config.audit_seed.clone().map_or_else(random_name, Ok)?;
        let audit_seed = db.transact(async |tx| tx.keep_setting("audit_seed", &drawn_seed).await).await?;
        let day = clock.today();
        let book = db.transact(async |tx| Rulebook::open(tx, candidate, day, lenient).await).await?;
        let archive = Archive::open(config.archive())?;
        Ok(Self { audit_seed: audit_seed.into(), ..Self::with(config, clock, book, db, vault, archive)? })
    }

    fn with(config: &Config, clock: Clock, mut book: Rulebook, db: Db, vault: Vault, archive: Archive) -> anyhow::Result<Self> {
        let day = clock.today();
        Ok(Self {
            db,
            // Only who may write draws anything.
            audit_seed: String::new().into(),
            followed: Arc::default(),
            rules: book.on(day)?,
            rulebook: Arc::new(Mutex::new(book)),
            clock,
            archive,
            vault: Arc::new(vault),
            limits: config.limits.clone(),
            mappings: config.mappings.as_deref().map(mappings::load).transpose()?.unwrap_or_default(),
            outbound: config.outbound.clone(),
            temporary: config.temporary(),
            audit_head: config.home.join("audit.head"),
            matcher: Arc::default(),
            directory: Arc::default(),
            wake: Arc::default(),
        })
    }

    /// Sellers and customers as this transaction sees them.
    pub(super) async fn directory(&self, tx: &mut Tx) -> anyhow::Result<Arc<Directory>> {
        let mut directory = self.directory.lock().await;
        Directory::refresh(&mut directory, tx).await?;
        Ok(Arc::clone(&directory))
    }

    /// The machine acts, within its limits.
    pub(super) fn mandate(&self) -> Mandate<'_> {
        Mandate { actor: ENGINE, role: ENGINE, person: false, day: self.clock.today(), policy: &*self.rules, agreed: None }
    }

    /// Seals what was done into the audit chain, and keeps the head of the chain outside the database.
    pub async fn seal_audit(&self) -> anyhow::Result<()> {
        if let Some(head) = audit::seal(&self.db).await? {
            failpoint::pass("audit_head_before_write");
            durable::write_whole(&self.audit_head, format!("{head}\n").as_bytes())
                .context("keeping the head of the audit chain")?;
        }
        Ok(())
    }

    /// The head of the audit chain as kept outside the database.
    pub fn kept_audit_head(&self) -> anyhow::Result<Option<audit::Head>> {
        match std::fs::read_to_string(&self.audit_head) {
            Ok(text) => Ok(Some(text.parse()?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("reading the head of the audit chain"),
        }
    }

    /// The same engine on a business day of its own, under the rules in force on it.
    pub async fn on(&self, clock: Clock) -> anyhow::Result<Self> {
        let rules = self.rulebook.lock().await.on(clock.today())?;
        Ok(Self { clock, rules, ..self.clone() })
    }
}

fn must_exist(config: &Config) -> Result<(), NoLedger> {
    let path = config.database_url.reveal().strip_prefix("sqlite:").map(std::path::Path::new);
    match path.filter(|path| !path.exists()) {
        Some(path) => Err(NoLedger(path.display().to_string())),
        None => Ok(()),
    }
}
