//! Which rules run: the active set of the ledger, with what was demoted since, on the business day in hand.
//!
//! The folder of the configuration, or the set that the program carries, is what somebody wants to run. What runs is the set that was
//! activated, and it is read from the ledger, so that every process on it runs the same. A ledger that has seen no set takes the first
//! one as it is: it has no history to test it on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context;
use chrono::NaiveDate;

use super::engine::{ENGINE, Engine};
use crate::{
    audit,
    config::Config,
    rules::RuleSet,
    store::{AuditEvent, NewActivation, Tx},
};

/// The active set and what was demoted of it.
#[derive(Debug)]
pub struct Rulebook {
    activation: i64,
    /// All rules as they are written, those of other days too.
    written: RuleSet,
    demoted: BTreeSet<(String, String)>,
    /// The set in force on the day it was asked for last.
    last: (NaiveDate, Arc<RuleSet>),
}

/// A set of rules with the files it was read from.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub rules: RuleSet,
    pub files: BTreeMap<String, String>,
}

impl Candidate {
    /// The rule folder of the configuration, or the rules the program carries.
    pub fn load(config: &Config) -> anyhow::Result<Self> {
        let place = config.rules.as_ref().map_or_else(|| "the program".to_owned(), |folder| folder.display().to_string());
        let doing = || format!("reading the rules in {place}");
        let files = match &config.rules {
            Some(folder) => RuleSet::read_files(folder).with_context(doing)?,
            None => crate::shipped::rules(),
        };
        Ok(Self { rules: RuleSet::from_texts(&files).with_context(doing)?, files })
    }

    /// Keeps the set in the ledger as it is written.
    pub async fn keep(&self, tx: &mut Tx) -> anyhow::Result<()> {
        tx.keep_rule_set(&self.rules.hash, &self.files, self.rules.rule_hashes()).await
    }
}

impl Rulebook {
    /// The active set; the candidate where the ledger has not seen any, and, where `lenient`, where the active one cannot be read any more.
    pub(super) async fn open(tx: &mut Tx, candidate: &Candidate, day: NaiveDate, lenient: bool) -> anyhow::Result<Self> {
        tx.lock_rules().await?;
        let demoted = tx.demoted().await?;
        let Some(active) = tx.active_rules().await? else {
            candidate.keep(tx).await?;
            let hash = &candidate.rules.hash;
            let first = NewActivation { rule_set: hash, business_day: day, actor: ENGINE, approved_by: None, backtest: None };
            let activation = tx.activate_rules(&first).await?;
            let detail = "the first set of this ledger; there is no history to test it on".to_owned();
            let event =
                AuditEvent { actor: ENGINE.to_owned(), action: "activate_rules".to_owned(), subject: hash.clone(), detail };
            audit::record(tx, &[event]).await?;
            return Self::of(activation, candidate.rules.clone(), demoted, day);
        };
        let written = match read_set(tx, &active.rule_set).await {
            Err(_) if lenient => candidate.rules.clone(),
            read => read?,
        };
        Self::of(active.id, written, demoted, day)
    }

    fn of(activation: i64, written: RuleSet, demoted: BTreeSet<(String, String)>, day: NaiveDate) -> anyhow::Result<Self> {
        let last = (day, Arc::new(in_force(&written, &demoted, day)?));
        Ok(Self { activation, written, demoted, last })
    }

    /// The rules in force on a day.
    pub(super) fn on(&mut self, day: NaiveDate) -> anyhow::Result<Arc<RuleSet>> {
        if self.last.0 != day {
            self.last = (day, Arc::new(in_force(&self.written, &self.demoted, day)?));
        }
        Ok(Arc::clone(&self.last.1))
    }

    /// Follows the ledger: another set may have been activated by another process, or a rule demoted.
    async fn follow(&mut self, tx: &mut Tx) -> anyhow::Result<()> {
        let (active, demoted) = (tx.active_rules().await?, tx.demoted().await?);
        let activation = active.as_ref().map_or(self.activation, |active| active.id);
        if activation == self.activation && demoted == self.demoted {
            return Ok(());
        }
        let written = match active.filter(|active| active.id != self.activation) {
            Some(active) => read_set(tx, &active.rule_set).await?,
            None => self.written.clone(),
        };
        *self = Self::of(activation, written, demoted, self.last.0)?;
        Ok(())
    }
}

impl Engine {
    /// The same engine under the rules that run now, on the business day of its clock. Asked at the beginning of each piece of work: a
    /// process may live for months, and neither the day nor the rules stand still.
    pub(super) async fn current(&self, tx: &mut Tx) -> anyhow::Result<Self> {
        let mut book = self.rulebook.lock().await;
        book.follow(tx).await?;
        let rules = book.on(self.clock.today())?;
        drop(book);
        Ok(Self { rules, ..self.clone() })
    }
}

fn in_force(written: &RuleSet, demoted: &BTreeSet<(String, String)>, day: NaiveDate) -> anyhow::Result<RuleSet> {
    Ok(written.clone().demoted(demoted).in_force(day)?)
}

/// A set that was kept in the ledger.
pub async fn read_set(tx: &mut Tx, hash: &str) -> anyhow::Result<RuleSet> {
    let short = hash.get(..12).unwrap_or(hash);
    let files = tx.rule_files(hash).await?.with_context(|| format!("the ledger does not hold the rules {short}"))?;
    RuleSet::from_texts(&files).with_context(|| {
        format!(
            "the active rules {short} were written for another version of the program; test the rules of this one with tieout rules \
             backtest, then tieout rules activate"
        )
    })
}
