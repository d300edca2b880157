//! The life of a rule in a ledger: tried on history, let run by two people, demoted by what people undo.

use anyhow::Context;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;

use super::{
    backtest::{Backtest, Range, backtest},
    engine::{ENGINE, Engine},
    rulebook::{Candidate, read_set},
    second_look::look_again,
};
use crate::{
    audit,
    domain::{Currency, ExceptionFacts, Level, PaymentId, Reason},
    ledger::Refusal,
    matching::run_case,
    rules::{Bundle, Role, Stage, run_examples},
    store::{Activation, AuditEvent, Demotion, NewActivation, NewBacktest, NewException, RuleRecord, StoredBacktest, Tx},
};

/// A person who asks for a set to run, or agrees.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub name: &'a str,
    pub role: &'a str,
}

/// A rule of the active set and what it did.
#[derive(Clone, Debug, Serialize)]
pub struct ListedRule {
    pub rule: String,
    pub file: String,
    pub stage: &'static str,
    pub effective: NaiveDate,
    pub owner: String,
    /// Whether its day has come.
    pub in_force: bool,
    /// Whether it is a bundle: the rules that post.
    pub posts_alone: bool,
    pub hash: String,
    #[serde(flatten)]
    pub record: RuleRecord,
    pub demotion: Option<Demotion>,
}

impl Engine {
    /// Replays history under a set, and keeps the outcome.
    pub async fn backtest(
        &self,
        candidate: &Candidate,
        range: Range,
        actor: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> anyhow::Result<Backtest> {
        let found = backtest(&self.db, &candidate.rules, range, progress).await?;
        let report = serde_json::to_value(&found)?;
        let row = NewBacktest {
            rule_set: &found.rule_set,
            actor,
            first_day: range.from,
            last_day: range.until,
            decisions: i64::try_from(found.decisions)?,
            newest_decision: found.newest_decision,
            passed: found.passed,
            report: &report,
        };
        self.db
            .transact(async |tx| {
                candidate.keep(tx).await?;
                tx.record_backtest(&row).await
            })
            .await?;
        Ok(found)
    }

    /// Lets a set run from now on. The rules that run now say who may do so; nobody gives that right to themselves.
    pub async fn activate(
        &self,
        candidate: &Candidate,
        by: &Person<'_>,
        approver: &Person<'_>,
    ) -> anyhow::Result<StoredBacktest> {
        self.may_activate(by)?;
        self.may_activate(approver)?;
        if by.name.trim().eq_ignore_ascii_case(approver.name.trim()) {
            return Err(
                Refusal(format!("{} cannot approve what {} asks for; a second person must", approver.name, by.name)).into()
            );
        }
        holds_its_tests(candidate)?;
        let day = self.clock.today();
        let hash = &candidate.rules.hash;
        self.db
            .transact(async |tx| {
                tx.lock_rules().await?;
                if tx.active_rules().await?.is_some_and(|active| active.rule_set == *hash) {
                    return Err(Refusal(format!("set {hash:.12} runs already; nothing was done")).into());
                }
                let tested = tested(tx, hash).await?;
                candidate.keep(tx).await?;
                let approved_by = Some(approver.name);
                let new =
                    NewActivation { rule_set: hash, business_day: day, actor: by.name, approved_by, backtest: Some(tested.id) };
                tx.activate_rules(&new).await?;
                let detail = json!({ "approved_by": approver.name, "backtest": tested.id, "decisions": tested.decisions });
                let (actor, action) = (by.name.to_owned(), "activate_rules".to_owned());
                let event = AuditEvent { actor, action, subject: hash.clone(), detail: detail.to_string() };
                audit::record(tx, &[event]).await?;
                look_again(tx).await?;
                Ok(tested)
            })
            .await
    }

    fn may_activate(&self, person: &Person<'_>) -> Result<(), Refusal> {
        self.may_rule(person, "let rules run")
    }

    /// Refuses who may not say what the engine does by itself. `what` follows "may not".
    pub(super) fn may_rule(&self, person: &Person<'_>, what: &str) -> Result<(), Refusal> {
        let authority = &self.rules.authority;
        if Role::parse(person.role).is_some_and(|role| authority.may_activate(role)) {
            return Ok(());
        }
        let who: Vec<_> = authority.who_may_activate().into_iter().map(Role::as_str).collect();
        Err(Refusal(format!(
            "{} is {} and may not {what}; {} may. Roles stand under [users] in tieout.toml",
            person.name,
            person.role,
            if who.is_empty() { "nobody".to_owned() } else { who.join(" or ") }
        )))
    }

    /// The active set, and its rules with what each did.
    pub async fn rule_list(&self) -> anyhow::Result<(Activation, Vec<ListedRule>)> {
        let today = self.clock.today();
        let mut tx = self.db.read().await?;
        let active = tx.active_rules().await?.context("a ledger that was opened has an active set")?;
        let rules = read_set(&mut tx, &active.rule_set).await?;
        let (records, demotions) = (tx.rule_records().await?, tx.demotions().await?);
        tx.rollback().await?;
        let is_bundle = |id: &str| rules.engine.bundles.iter().any(|bundle| bundle.id == id);
        let listed = rules.headers().into_iter().map(|(file, header)| {
            let hash = rules.hash_of_rule(header.id).unwrap_or_default().to_owned();
            let key = (header.id.to_owned(), hash);
            let demotion = demotions.iter().find(|demotion| demotion.rule == key.0 && demotion.hash == key.1).cloned();
            let stage = if demotion.is_some() { Stage::Suggest } else { header.stage };
            ListedRule {
                rule: header.id.to_owned(),
                file: file.to_owned(),
                stage: stage.as_str(),
                effective: header.effective,
                owner: header.owner.to_owned(),
                in_force: header.effective <= today,
                posts_alone: is_bundle(header.id),
                record: records.get(&key).copied().unwrap_or_default(),
                hash: key.1,
                demotion,
            }
        });
        let listed = listed.collect();
        Ok((active, listed))
    }

    /// After a person undid something of a payment: a rule that was undone too often only suggests from now on. People see it as an
    /// exception, and the next piece of work of every process follows it.
    pub(super) async fn demote_where_due(&self, tx: &mut Tx, payment: PaymentId) -> anyhow::Result<()> {
        for (rule, hash) in tx.rules_that_posted(payment).await? {
            let bundle = self.rules.engine.bundles.iter().find(|bundle| bundle.id == rule && bundle.stage == Stage::Auto);
            let Some(bundle) = bundle.filter(|_| self.rules.hash_of_rule(&rule) == Some(hash.as_str())) else { continue };
            let record = tx.rule_record(&rule, &hash).await?;
            if self.rules.engine.budget_of(bundle).is_exceeded(record.posts, record.reversals) {
                self.demote(tx, bundle, &hash, record).await?;
            }
        }
        Ok(())
    }

    async fn demote(&self, tx: &mut Tx, bundle: &Bundle, hash: &str, record: RuleRecord) -> anyhow::Result<()> {
        let RuleRecord { posts, reversals, .. } = record;
        let (rule, hash) = (bundle.id.clone(), hash.to_owned());
        let demotion = Demotion { rule: rule.clone(), hash: hash.clone(), business_day: self.clock.today(), posts, reversals };
        if !tx.demote(&demotion).await? {
            return Ok(());
        }
        let detail = json!({ "hash": hash, "posts": posts, "reversals": reversals }).to_string();
        let event = AuditEvent { actor: ENGINE.to_owned(), action: "demote_rule".to_owned(), subject: rule.clone(), detail };
        audit::record(tx, &[event]).await?;
        let message = format!(
            "rule {rule} only suggests from now on: people reversed {reversals} of the {posts} payments it posted, which is above its \
             budget; change the rule, backtest and activate it"
        );
        let facts = ExceptionFacts {
            reason: Reason::RuleDemoted,
            level: Level::Record,
            amount_minor: 0,
            currency: Currency::USD,
            seller_code: None,
            customer_code: None,
            portfolio_owner: None,
            reason_code: None,
        };
        let route = self.rules.routing.route(&facts);
        let key = format!("rule:{rule}:{hash:.12}:demoted");
        let mut exception = NewException::new(key, Level::Record, Reason::RuleDemoted, route, message);
        exception.details = json!({ "rule": rule, "hash": hash, "posts": posts, "reversals": reversals });
        tx.raise_exceptions(&[exception], ENGINE).await?;
        Ok(())
    }
}

/// The newest backtest of exactly this set over all history, when it passed.
async fn tested(tx: &mut Tx, hash: &str) -> anyhow::Result<StoredBacktest> {
    let why = match tx.whole_backtest(hash).await? {
        Some(tested) if tested.passed => return Ok(tested),
        Some(_) => "did not pass its backtest; mend the rules that it names",
        None => "has no backtest over all history; run tieout rules backtest with exactly these rules",
    };
    Err(Refusal(format!("set {hash:.12} {why}; nothing was activated")).into())
}

/// The examples and cases of the set hold.
fn holds_its_tests(candidate: &Candidate) -> Result<(), Refusal> {
    let rules = &candidate.rules;
    let examples = run_examples(rules).iter().filter(|example| !example.passed).count();
    let cases = rules.cases.iter().filter(|case| !run_case(case, rules).is_empty()).count();
    if examples + cases == 0 {
        return Ok(());
    }
    Err(Refusal(format!("{examples} examples and {cases} cases of the set fail; tieout rules test names them")))
}
