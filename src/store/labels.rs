//! Labels: what people said about decisions, the draws of the audit, and the certificates that stand on them.

use chrono::NaiveDate;

use super::{
    Kind, Tx,
    bulk::Rows,
    value::{Columns, values},
};
use crate::domain::{AmountClass, DecisionId, LabelSource, PaymentId, Stratum};

/// A label to be stored. Decision and source are its key: what was said first stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLabel {
    pub decision: DecisionId,
    pub source: LabelSource,
    pub wrong: bool,
}

/// A decision as far as errors are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub stratum: Stratum,
    pub confidence_milli: i32,
    /// The amount as a share of its cap, in parts per million.
    pub share_ppm: i64,
}

/// A label of a posted decision that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedLabel {
    pub id: i64,
    pub decision: Counted,
    pub wrong: bool,
}

/// A posted decision that was drawn, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub decision: Counted,
    pub day: NaiveDate,
    /// What the audit said, where somebody answered.
    pub audit_wrong: Option<bool>,
    /// When it was undone, where it was.
    pub undone: Option<NaiveDate>,
}

/// Automatic postings of a stratum, and how many of them people undid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedCount {
    pub stratum: Stratum,
    pub posted: u64,
    pub undone: u64,
}

/// A certificate as stored; what the body says is left to `certificate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCertificate {
    pub number: i64,
    pub at: String,
    pub business_day: NaiveDate,
    pub actor: String,
    pub rule_set: String,
    pub labels_until: i64,
    pub body: String,
}

const COUNTED: &str = "d.rule, d.amount_class, d.confidence, d.amount_share";

impl Tx {
    /// Notes that decisions were drawn for the audit.
    pub async fn note_draws(&mut self, drawn: &[(DecisionId, PaymentId)], day: NaiveDate) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(4);
        for (decision, payment) in drawn {
            rows.push(values![*decision, *payment, &at, day]);
        }
        self.insert("audit_draw", "decision_id, payment_id, at, business_day", "on conflict (decision_id) do nothing", rows)
            .await?;
        Ok(())
    }

    /// Stores what a person said.
    pub(crate) async fn record_labels(&mut self, labels: &[NewLabel], actor: &str, day: NaiveDate) -> anyhow::Result<()> {
        let ids = self.reserve(Kind::Label, labels.len()).await?;
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(7);
        for (label, id) in labels.iter().zip(ids) {
            rows.push(values![id, label.decision, label.source.as_str(), label.wrong, &at, day, actor]);
        }
        let columns = "id, decision_id, source, wrong, at, business_day, actor";
        self.insert("label", columns, "on conflict (decision_id, source) do nothing", rows).await?;
        Ok(())
    }

    /// How many labels there are, and the last of them.
    pub async fn label_mark(&mut self) -> anyhow::Result<(i64, i64)> {
        let row = self.first("select count(*), coalesce(max(id), 0) from label", Vec::new()).await?;
        let mark = row.map(|row| {
            let mut columns = Columns::of(&row);
            Ok((columns.number()?, columns.number()?))
        });
        mark.unwrap_or(Ok((0, 0)))
    }

    /// Labels of posted decisions after `label`, in the order in which they came. What was undone counts where it was drawn: of the others nobody
    /// knows how many are right.
    pub async fn posted_labels_after(&mut self, label: i64) -> anyhow::Result<Vec<PostedLabel>> {
        let sql = format!(
            "select l.id, {COUNTED}, l.wrong from label l join decision d on d.id = l.decision_id \
             join audit_draw w on w.decision_id = d.id where l.id > $1 and l.source <> 'queue' order by l.id"
        );
        let rows = self.all(&sql, values![label]).await?;
        let labels = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(PostedLabel { id: columns.number()?, decision: counted(&mut columns)?, wrong: columns.flag()? })
        });
        labels.collect()
    }

    /// Postings drawn from a business day on.
    pub async fn drawn_since(&mut self, day: NaiveDate) -> anyhow::Result<Vec<Drawn>> {
        let sql = format!(
            "select {COUNTED}, w.business_day, a.wrong, u.business_day from audit_draw w join decision d on d.id = w.decision_id \
             left join label a on a.decision_id = d.id and a.source = 'audit' \
             left join label u on u.decision_id = d.id and u.source = 'reversal' where w.business_day >= $1 order by d.id"
        );
        let rows = self.all(&sql, values![day]).await?;
        let drawn = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Drawn {
                decision: counted(&mut columns)?,
                day: columns.date()?,
                audit_wrong: columns.number_opt()?.map(|wrong| wrong != 0),
                undone: columns.date_opt()?,
            })
        });
        drawn.collect()
    }

    /// Proposals that did not post and that people resolved from a business day on, and whether they were wrong.
    pub async fn resolved_proposals_since(&mut self, day: NaiveDate) -> anyhow::Result<Vec<(Counted, bool)>> {
        let sql = format!(
            "select {COUNTED}, l.wrong from label l join decision d on d.id = l.decision_id \
             where l.source = 'queue' and l.business_day >= $1 order by l.id"
        );
        let rows = self.all(&sql, values![day]).await?;
        let resolved = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((counted(&mut columns)?, columns.flag()?))
        });
        resolved.collect()
    }

    /// Automatic postings from a business day on, by stratum.
    pub async fn posted_since(&mut self, day: NaiveDate) -> anyhow::Result<Vec<PostedCount>> {
        let sql = "select d.rule, d.amount_class, count(distinct d.id), count(distinct l.decision_id) from application a \
                   join decision d on d.id = a.decision_id left join label l on l.decision_id = d.id and l.source = 'reversal' \
                   where a.actor = 'engine' and a.reverses is null and d.amount_class is not null and d.business_day >= $1 \
                   group by d.rule, d.amount_class order by d.rule, d.amount_class";
        let rows = self.all(sql, values![day]).await?;
        let counts = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            let stratum = stratum(&mut columns)?;
            Ok(PostedCount { stratum, posted: columns.small()?, undone: columns.small()? })
        });
        counts.collect()
    }

    /// Stores a certificate; it is in force from the commit on.
    pub(crate) async fn record_certificate(
        &mut self,
        rule_set: &str,
        labels_until: i64,
        body: &str,
        actor: &str,
        day: NaiveDate,
    ) -> anyhow::Result<i64> {
        let number = self.reserve_one(Kind::Certificate).await?;
        let at = self.stamp().to_owned();
        let sql = "insert into certificate (id, at, business_day, actor, rule_set, labels_until, body) values ($1, $2, $3, $4, $5, $6, $7)";
        self.run(sql, values![number, at, day, actor, rule_set, labels_until, body]).await?;
        Ok(number)
    }

    /// The certificate in force.
    pub async fn last_certificate(&mut self) -> anyhow::Result<Option<StoredCertificate>> {
        let sql = "select id, at, business_day, actor, rule_set, labels_until, body from certificate order by id desc limit 1";
        let row = self.first(sql, Vec::new()).await?;
        let stored = row.map(|row| {
            let mut columns = Columns::of(&row);
            Ok(StoredCertificate {
                number: columns.number()?,
                at: columns.text()?,
                business_day: columns.date()?,
                actor: columns.text()?,
                rule_set: columns.text()?,
                labels_until: columns.number()?,
                body: columns.text()?,
            })
        });
        stored.transpose()
    }

    /// The number of the certificate in force, without reading it.
    pub async fn last_certificate_number(&mut self) -> anyhow::Result<i64> {
        self.number("select max(id) from certificate", Vec::new()).await
    }
}

fn counted(columns: &mut Columns<'_>) -> anyhow::Result<Counted> {
    let stratum = stratum(columns)?;
    Ok(Counted { stratum, confidence_milli: columns.small()?, share_ppm: columns.number()? })
}

fn stratum(columns: &mut Columns<'_>) -> anyhow::Result<Stratum> {
    Ok(Stratum { rule: columns.text()?, class: columns.code::<AmountClass>()? })
}
