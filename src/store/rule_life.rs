//! Sets of rules that ran, backtests, activations and demotions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use super::{
    Kind, Tx,
    bulk::Rows,
    value::{Columns, json, values},
};
use crate::domain::DecisionId;

/// From when on a set runs. The newest is the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    pub id: i64,
    pub rule_set: String,
    pub at: String,
    pub business_day: NaiveDate,
    pub actor: String,
    /// Nobody for the first set that a ledger saw.
    pub approved_by: Option<String>,
    pub backtest: Option<i64>,
}

/// An activation to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewActivation<'a> {
    pub rule_set: &'a str,
    pub business_day: NaiveDate,
    pub actor: &'a str,
    pub approved_by: Option<&'a str>,
    pub backtest: Option<i64>,
}

/// A backtest to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewBacktest<'a> {
    pub rule_set: &'a str,
    pub actor: &'a str,
    /// The range; nothing on both sides for all history.
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub decisions: i64,
    pub newest_decision: DecisionId,
    pub passed: bool,
    pub report: &'a serde_json::Value,
}

/// What is asked of a stored backtest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBacktest {
    pub id: i64,
    pub at: String,
    pub actor: String,
    pub decisions: i64,
    pub newest_decision: DecisionId,
    pub passed: bool,
}

/// A rule that only suggests since its postings were reversed too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Demotion {
    pub rule: String,
    /// Hash of the rule's own text: written otherwise it is another rule.
    pub hash: String,
    pub business_day: NaiveDate,
    pub posts: i64,
    pub reversals: i64,
}

/// What a rule, as it is written, did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleRecord {
    /// Payments it posted.
    pub posts: i64,
    /// Of these: payments of which a person reversed something.
    pub reversals: i64,
    /// Decisions that it would have changed while it was in stage shadow.
    pub shadow: i64,
}

impl Tx {
    /// Whoever looks for the active set, and makes the first one active, does it alone.
    pub async fn lock_rules(&mut self) -> anyhow::Result<()> {
        if !self.for_update().is_empty() {
            self.run("select pg_advisory_xact_lock(7341205)", Vec::new()).await?;
        }
        Ok(())
    }

    /// Keeps a set as it is written; one that is known stays.
    pub async fn keep_rule_set<'a>(
        &mut self,
        hash: &str,
        files: &BTreeMap<String, String>,
        rules: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let sql = "insert into rule_set (hash, files, first_seen_at) values ($1, $2, $3) on conflict (hash) do nothing";
        if self.run(sql, values![hash, json(files)?, at]).await? == 0 {
            return Ok(());
        }
        let mut rows = Rows::of_width(3);
        for (rule, own) in rules {
            rows.push(values![hash, rule, own]);
        }
        self.insert("rule_in_set", "rule_set, rule, hash", "on conflict (rule_set, rule) do nothing", rows).await?;
        Ok(())
    }

    /// The files of a set that was kept, by path inside the rule folder.
    pub async fn rule_files(&mut self, hash: &str) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        let row = self.first("select files from rule_set where hash = $1", values![hash]).await?;
        row.map(|row| Columns::of(&row).json()).transpose()
    }

    /// The set that runs; nothing in a ledger that has not seen any.
    pub async fn active_rules(&mut self) -> anyhow::Result<Option<Activation>> {
        let sql =
            "select id, rule_set, at, business_day, actor, approved_by, backtest_id from activation order by id desc limit 1";
        let row = self.first(sql, Vec::new()).await?;
        row.map(|row| {
            let columns = &mut Columns::of(&row);
            Ok(Activation {
                id: columns.number()?,
                rule_set: columns.text()?,
                at: columns.text()?,
                business_day: columns.date()?,
                actor: columns.text()?,
                approved_by: columns.text_opt()?,
                backtest: columns.number_opt()?,
            })
        })
        .transpose()
    }

    /// Lets a set run that was kept before.
    pub async fn activate_rules(&mut self, new: &NewActivation<'_>) -> anyhow::Result<i64> {
        let (id, at) = (self.reserve_one(Kind::Activation).await?, self.stamp().to_owned());
        let sql = "insert into activation (id, rule_set, at, business_day, actor, approved_by, backtest_id) values ($1, $2, $3, $4, $5, $6, $7)";
        self.run(sql, values![id, new.rule_set, at, new.business_day, new.actor, new.approved_by, new.backtest]).await?;
        Ok(id)
    }

    /// Keeps the outcome of a backtest of a set that was kept before.
    pub async fn record_backtest(&mut self, new: &NewBacktest<'_>) -> anyhow::Result<i64> {
        let (id, at) = (self.reserve_one(Kind::Backtest).await?, self.stamp().to_owned());
        let row = values![
            id,
            new.rule_set,
            at,
            new.actor,
            new.first_day,
            new.last_day,
            new.decisions,
            new.newest_decision,
            new.passed,
            json(new.report)?
        ];
        let sql = "insert into backtest (id, rule_set, at, actor, first_day, last_day, decisions, newest_decision, passed, report) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        self.run(sql, row).await?;
        Ok(id)
    }

    /// The newest backtest of a set over all history.
    pub async fn whole_backtest(&mut self, rule_set: &str) -> anyhow::Result<Option<StoredBacktest>> {
        let sql = "select id, at, actor, decisions, newest_decision, passed from backtest where rule_set = $1 and first_day is null \
                   and last_day is null order by id desc limit 1";
        let row = self.first(sql, values![rule_set]).await?;
        row.map(|row| {
            let columns = &mut Columns::of(&row);
            Ok(StoredBacktest {
                id: columns.number()?,
                at: columns.text()?,
                actor: columns.text()?,
                decisions: columns.number()?,
                newest_decision: DecisionId(columns.number()?),
                passed: columns.flag()?,
            })
        })
        .transpose()
    }

    /// Every demotion, by rule.
    pub async fn demotions(&mut self) -> anyhow::Result<Vec<Demotion>> {
        let sql = "select rule, hash, business_day, posts, reversals from demotion order by rule, hash";
        let rows = self.all(sql, Vec::new()).await?;
        let demotions = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok(Demotion {
                rule: columns.text()?,
                hash: columns.text()?,
                business_day: columns.date()?,
                posts: columns.number()?,
                reversals: columns.number()?,
            })
        });
        demotions.collect()
    }

    /// Rules that were demoted, each with the hash of the text it was demoted with.
    pub async fn demoted(&mut self) -> anyhow::Result<BTreeSet<(String, String)>> {
        Ok(self.demotions().await?.into_iter().map(|demotion| (demotion.rule, demotion.hash)).collect())
    }

    /// Stores a demotion; false when the rule was demoted before.
    pub(crate) async fn demote(&mut self, new: &Demotion) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "insert into demotion (rule, hash, at, business_day, posts, reversals) values ($1, $2, $3, $4, $5, $6) \
                   on conflict (rule, hash) do nothing";
        Ok(self.run(sql, values![&new.rule, &new.hash, at, new.business_day, new.posts, new.reversals]).await? > 0)
    }

    /// The rules, with the hash of the text they had, by which the engine posted what the payment was applied to.
    pub(crate) async fn rules_that_posted(&mut self, payment: crate::domain::PaymentId) -> anyhow::Result<Vec<(String, String)>> {
        let sql = "select distinct d.rule, r.hash from decision d join rule_in_set r on r.rule_set = d.rule_set and r.rule = d.rule \
                   join application a on a.decision_id = d.id and a.actor = 'engine' and a.reverses is null \
                   where d.payment_id = $1 order by d.rule, r.hash";
        let rows = self.all(sql, values![payment]).await?;
        let rules = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((columns.text()?, columns.text()?))
        });
        rules.collect()
    }

    /// What a rule did with exactly this text.
    pub async fn rule_record(&mut self, rule: &str, hash: &str) -> anyhow::Result<RuleRecord> {
        let records = self.records("and d.rule = $1 and r.hash = $2", values![rule, hash]).await?;
        Ok(records.into_values().next().unwrap_or_default())
    }

    /// What each rule did with each text it had, by rule and hash.
    pub async fn rule_records(&mut self) -> anyhow::Result<BTreeMap<(String, String), RuleRecord>> {
        let mut records = self.records("", Vec::new()).await?;
        let sql = "select d.shadow, r.hash, count(*) from decision d join rule_in_set r on r.rule_set = d.rule_set and r.rule = d.shadow \
                   where d.shadow is not null group by d.shadow, r.hash";
        for row in &self.all(sql, Vec::new()).await? {
            let columns = &mut Columns::of(row);
            let (key, count) = ((columns.text()?, columns.text()?), columns.number()?);
            records.entry(key).or_default().shadow = count;
        }
        Ok(records)
    }

    async fn records(
        &mut self,
        only: &str,
        given: Vec<super::value::Value>,
    ) -> anyhow::Result<BTreeMap<(String, String), RuleRecord>> {
        // What the bank took back is no error of the rule.
        let sql = format!(
            "select d.rule, r.hash, count(distinct d.id), count(distinct case when e.id is not null then d.id end) from decision d \
             join rule_in_set r on r.rule_set = d.rule_set and r.rule = d.rule \
             join application a on a.decision_id = d.id and a.actor = 'engine' and a.reverses is null \
             left join application u on u.reverses = a.id left join journal_entry e on e.id = u.entry_id and e.kind <> 'return_undoes' \
             where a.kind in ('item', 'on_account') {only} group by d.rule, r.hash"
        );
        let rows = self.all(&sql, given).await?;
        let records = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            let key = (columns.text()?, columns.text()?);
            Ok((key, RuleRecord { posts: columns.number()?, reversals: columns.number()?, shadow: 0 }))
        });
        records.collect()
    }
}
