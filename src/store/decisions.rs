//! Decisions of the engine with the evidence they stood on.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    Kind, KnownRows, Tx,
    bulk::Rows,
    value::{Columns, count, json, values},
};
use crate::domain::{AmountClass, Decision, DecisionId, Outcome, PaymentId, Proposal, RemittanceId};

/// What a decision stood on besides the rules, so that history can be replayed: how much of the store was there, and what the payment was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub known: KnownRows,
    /// The advice that was with it.
    pub remittance: Option<RemittanceId>,
    pub unapplied_minor: i64,
}

/// A decision to be stored. Payment and version are its key: a repeat stores nothing new.
#[derive(Clone, Debug)]
pub struct NewDecision<'a> {
    pub payment: PaymentId,
    /// Version of the payment it was made on.
    pub version: i64,
    pub decision: &'a Decision,
    pub inputs: &'a Inputs,
}

/// A decision as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDecision {
    pub id: DecisionId,
    pub payment: PaymentId,
    pub at: String,
    pub business_day: NaiveDate,
    pub decision: Decision,
}

/// A decision as history needs it, without its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastDecision {
    pub id: DecisionId,
    pub payment: PaymentId,
    pub at: String,
    pub business_day: NaiveDate,
    pub rule_set: String,
    pub outcome: Outcome,
    /// The best proposal: what was posted, where it posted.
    pub proposal: Proposal,
    /// The certificate under which it posted, and the class of its amount, where a confidence was kept.
    pub certificate: Option<i64>,
    pub class: Option<AmountClass>,
    /// Nothing for a decision that was made before inputs were kept.
    pub inputs: Option<Inputs>,
}

impl Tx {
    /// Stores decisions and returns their ids in the same order.
    pub async fn record_decisions(&mut self, decisions: &[NewDecision<'_>], day: NaiveDate) -> anyhow::Result<Vec<DecisionId>> {
        let ids = self.reserve(Kind::Decision, decisions.len()).await?;
        let at = self.stamp().to_owned();
        let (mut rows, mut keys) = (Rows::of_width(17), Rows::of_width(2));
        for (place, (new, id)) in decisions.iter().zip(&ids).enumerate() {
            let Decision { outcome, proposals, evidence } = new.decision;
            let key = format!("P{}v{}", new.payment.0, new.version);
            let rule = proposals.first().map_or("", |proposal| proposal.rule.as_str());
            keys.push(values![count(place), &key]);
            rows.push(values![
                *id,
                key,
                new.payment,
                &at,
                day,
                &evidence.rule_set,
                rule,
                json(outcome)?,
                json(proposals)?,
                json(evidence)?,
                evidence.confidence.as_ref().map(|sure| i64::from(sure.milli)),
                evidence.confidence.as_ref().map(|sure| sure.class.as_str()),
                evidence.confidence.as_ref().map(|sure| sure.share_ppm),
                evidence.certificate,
                json(new.inputs)?,
                evidence.shadow.as_ref().map(|shadow| shadow.rule.as_str()),
                evidence.lacked.as_ref().map(json).transpose()?,
            ]);
        }
        let columns = "id, key, payment_id, at, business_day, rule_set, rule, outcome, proposals, evidence, \
                       confidence, amount_class, amount_share, certificate_id, inputs, shadow, lacked";
        let inserted = self.insert("decision", columns, "on conflict (key) do nothing", rows).await?;
        let ids: Vec<_> = ids.into_iter().map(DecisionId).collect();
        let stored = if inserted == ids.len() as u64 { ids.clone() } else { self.decisions_by_key(keys).await? };
        // A repeat stores nothing new, facts neither.
        let new = decisions.iter().zip(&stored).zip(&ids).filter(|((_, stored), id)| stored == id);
        self.record_facts(new.map(|((decision, _), id)| (*id, decision))).await?;
        Ok(stored)
    }

    /// The ids of decisions, in the order of the keys.
    async fn decisions_by_key(&mut self, keys: Rows) -> anyhow::Result<Vec<DecisionId>> {
        let sql = "{v} select v.place, d.id from decision d join v on d.key = v.key order by v.place";
        let found = self.all_with_rows("place, key", keys, sql, Vec::new()).await?;
        let ids = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            columns.number()?;
            Ok(DecisionId(columns.number()?))
        });
        ids.collect()
    }

    /// The newest decision about a payment.
    pub async fn latest_decision(&mut self, payment: PaymentId) -> anyhow::Result<Option<StoredDecision>> {
        let sql = "select id, payment_id, at, business_day, outcome, proposals, evidence from decision where payment_id = $1 order by id desc limit 1";
        self.first(sql, values![payment]).await?.map(|row| read(&mut Columns::of(&row))).transpose()
    }

    /// All decisions about payments, oldest first, each with whether the engine posted by it.
    pub async fn decisions_of_payments(&mut self, payments: &[PaymentId]) -> anyhow::Result<Vec<(StoredDecision, bool)>> {
        let mut rows = Rows::of_width(1);
        for id in payments {
            rows.push(values![*id]);
        }
        let sql = "{v} select d.id, d.payment_id, d.at, d.business_day, d.outcome, d.proposals, d.evidence, \
                   (select count(*) from application a where a.payment_id = d.payment_id and a.decision_id = d.id \
                   and a.actor = 'engine' and a.reverses is null) from decision d join v on d.payment_id = v.id order by d.id";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        let decisions = found.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((read(columns)?, columns.number()? > 0))
        });
        decisions.collect()
    }

    /// Decisions after `id`, oldest first.
    pub async fn decisions_after(&mut self, id: DecisionId, limit: usize) -> anyhow::Result<Vec<PastDecision>> {
        let sql = "select id, payment_id, at, business_day, rule_set, outcome, proposals, certificate_id, amount_class, inputs \
                   from decision where id > $1 order by id limit $2";
        let rows = self.all(sql, values![id, count(limit)]).await?;
        let decisions = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            let (id, payment) = (DecisionId(columns.number()?), PaymentId(columns.number()?));
            let (at, business_day, rule_set) = (columns.text()?, columns.date()?, columns.text()?);
            let (outcome, proposals): (Outcome, Vec<Proposal>) = (columns.json()?, columns.json()?);
            let (certificate, class) = (columns.number_opt()?, columns.text_opt()?);
            let class = AmountClass::ALL.into_iter().find(|known| class.as_deref() == Some(known.as_str()));
            let inputs = columns.text_opt()?.map(|text| serde_json::from_str(&text)).transpose()?;
            let proposal = proposals.into_iter().next().unwrap_or_default();
            Ok(PastDecision { id, payment, at, business_day, rule_set, outcome, proposal, certificate, class, inputs })
        });
        decisions.collect()
    }

    pub async fn count_decisions(&mut self) -> anyhow::Result<i64> {
        self.number("select count(*) from decision", Vec::new()).await
    }

    pub async fn decision(&mut self, id: DecisionId) -> anyhow::Result<Option<StoredDecision>> {
        let sql = "select id, payment_id, at, business_day, outcome, proposals, evidence from decision where id = $1";
        self.first(sql, values![id]).await?.map(|row| read(&mut Columns::of(&row))).transpose()
    }
}

fn read(columns: &mut Columns<'_>) -> anyhow::Result<StoredDecision> {
    Ok(StoredDecision {
        id: DecisionId(columns.number()?),
        payment: PaymentId(columns.number()?),
        at: columns.text()?,
        business_day: columns.date()?,
        decision: Decision { outcome: columns.json()?, proposals: columns.json()?, evidence: columns.json()? },
    })
}
