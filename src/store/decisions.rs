//! Decisions of the engine with the evidence they stood on.

use chrono::NaiveDate;

use super::{
    Kind, Tx,
    bulk::Rows,
    value::{Columns, json, values},
};
use crate::domain::{Decision, DecisionId, PaymentId};

/// A decision to be stored. Payment and version are its key: a repeat stores nothing new.
#[derive(Clone, Debug)]
pub struct NewDecision<'a> {
    pub payment: PaymentId,
    /// Version of the payment it was made on.
    pub version: i64,
    pub decision: &'a Decision,
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

impl Tx {
    /// Stores decisions and returns their ids in the same order.
    pub async fn record_decisions(&mut self, decisions: &[NewDecision<'_>], day: NaiveDate) -> anyhow::Result<Vec<DecisionId>> {
        let ids = self.reserve(Kind::Decision, decisions.len()).await?;
        let at = self.stamp().to_owned();
        let (mut rows, mut keys) = (Rows::of_width(14), Rows::of_width(2));
        for (place, (new, id)) in decisions.iter().zip(&ids).enumerate() {
            let Decision { outcome, proposals, evidence } = new.decision;
            let key = format!("P{}v{}", new.payment.0, new.version);
            let rule = proposals.first().map_or("", |proposal| proposal.rule.as_str());
            keys.push(values![super::value::count(place), &key]);
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
                evidence.certificate
            ]);
        }
        let columns = "id, key, payment_id, at, business_day, rule_set, rule, outcome, proposals, evidence, \
                       confidence, amount_class, amount_share, certificate_id";
        let inserted = self.insert("decision", columns, "on conflict (key) do nothing", rows).await?;
        if inserted == ids.len() as u64 {
            return Ok(ids.into_iter().map(DecisionId).collect());
        }
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
