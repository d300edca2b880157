//! Exceptions with the decision that made each: what reports count causes from.

use chrono::NaiveDate;

use super::{
    Tx,
    value::{Columns, count, values},
};
use crate::domain::{Currency, ExceptionId, Lacked, Outcome, PaymentId, Proposal, Reason};

/// An exception and the decision behind it, where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub exception: ExceptionId,
    pub reason: Reason,
    pub open: bool,
    /// The day it was raised on.
    pub opened: String,
    pub amount: Option<(i64, Currency)>,
    pub payment: Option<PaymentId>,
    /// What the nearest rule lacked; nothing where no decision for this reason kept it.
    pub lacked: Option<Lacked>,
    /// The first proposal of that decision.
    pub proposal: Option<Proposal>,
}

impl Tx {
    /// Exceptions about payments and files of these business days after `id`. An audit asks about what posted, and is no exception in this sense.
    pub async fn asked_after(
        &mut self,
        id: ExceptionId,
        (from, until): (NaiveDate, NaiveDate),
        limit: usize,
    ) -> anyhow::Result<Vec<Asked>> {
        let sql = "select e.id, e.reason, e.state, e.opened_at, e.amount_minor, e.currency, e.payment_id, d.outcome, d.lacked, d.proposals \
                   from exception e left join payment p on p.id = e.payment_id left join file f on f.id = e.file_id left join decision d on \
                   d.id = (select max(h.id) from decision h where h.payment_id = e.payment_id and h.lacked is not null) \
                   where e.id > $1 and coalesce(p.business_day, f.business_day) >= $2 and coalesce(p.business_day, f.business_day) <= $3 \
                   and e.reason <> 'audit_sample' order by e.id limit $4";
        let rows = self.all(sql, values![id, from, until, count(limit)]).await?;
        rows.iter().map(|row| Asked::read(&mut Columns::of(row))).collect()
    }
}

impl Asked {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let (exception, reason): (_, Reason) = (ExceptionId(columns.number()?), columns.code()?);
        let (open, opened) = (columns.text()? == "open", columns.text()?.chars().take(10).collect());
        let (minor, currency) = (columns.number_opt()?, columns.text_opt()?);
        let amount = minor.zip(currency.as_deref().and_then(Currency::parse));
        let payment = columns.number_opt()?.map(PaymentId);
        let (outcome, lacked, proposals) = (columns.text_opt()?, columns.text_opt()?, columns.text_opt()?);
        let outcome: Option<Outcome> = outcome.map(|text| serde_json::from_str(&text)).transpose()?;
        let held = outcome == Some(Outcome::Hold { reason });
        let lacked = lacked.filter(|_| held).map(|text| serde_json::from_str(&text)).transpose()?;
        let proposals: Option<Vec<Proposal>> = proposals.filter(|_| held).map(|text| serde_json::from_str(&text)).transpose()?;
        let proposal = proposals.and_then(|proposals| proposals.into_iter().next());
        Ok(Self { exception, reason, open, opened, amount, payment, lacked, proposal })
    }
}
