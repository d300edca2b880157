//! Match rates: how much was settled without a person, and how much of that held.
//!
//! Definitions, stated wherever the figures are shown:
//! - payment auto rate: payments fully disposed without a person / payments;
//! - line auto rate: lines applied without a person / lines, where a payment that waits counts the lines of its advice, at least one;
//! - value auto rate: cash applied or kept without a person / cash received;
//! - precision: applications of the engine not reversed since / applications of the engine. A bank return is no error of the engine.

use chrono::NaiveDate;
use serde::Serialize;

use super::{
    Tx,
    value::{Columns, Value, values},
};

/// How the payments are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchRateBy {
    All,
    Format,
    Seller,
    Method,
    BusinessDay,
}

impl MatchRateBy {
    const fn column(self) -> &'static str {
        match self {
            Self::All => "'all'",
            Self::Format => "coalesce(f.format, 'unknown')",
            Self::Seller => "coalesce(s.code, 'unknown')",
            Self::Method => "p.method",
            Self::BusinessDay => "p.business_day",
        }
    }
}

/// Counts of one group and currency. Rates are ratios of two of them, so that no rounding hides in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchRate {
    pub group: String,
    pub currency: String,
    pub payments: i64,
    pub payments_auto: i64,
    pub lines: i64,
    pub lines_auto: i64,
    pub received_minor: i64,
    pub auto_minor: i64,
    /// Of the lines applied without a person: those that a person reversed later.
    pub lines_reversed: i64,
    pub reversed_minor: i64,
}

/// Why payments needed a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonShare {
    pub reason: String,
    pub currency: Option<String>,
    pub exceptions: i64,
    pub open: i64,
    pub amount_minor: i64,
}

impl Tx {
    /// Match rates of the live payments of these business days, both included.
    pub async fn match_rates(&mut self, from: NaiveDate, until: NaiveDate, by: MatchRateBy) -> anyhow::Result<Vec<MatchRate>> {
        let sql = format!(
            "select grp, currency, count(*), cast(sum(auto) as bigint), \
             cast(sum(applied_lines + case when waits = 0 then 0 when advice_lines > applied_lines then advice_lines - applied_lines \
             when applied_lines = 0 then 1 else 0 end) as bigint), cast(sum(auto_lines) as bigint), cast(sum(amount_minor) as bigint), \
             cast(sum(auto_cash) as bigint), cast(sum(wrong_lines) as bigint), cast(sum(wrong_cash) as bigint) from ({}) each_payment \
             group by grp, currency order by grp, currency",
            each_payment(by)
        );
        let rows = self.all(&sql, values![from, until]).await?;
        let rates = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(MatchRate {
                group: columns.text()?,
                currency: columns.text()?,
                payments: columns.number()?,
                payments_auto: columns.number()?,
                lines: columns.number()?,
                lines_auto: columns.number()?,
                received_minor: columns.number()?,
                auto_minor: columns.number()?,
                lines_reversed: columns.number()?,
                reversed_minor: columns.number()?,
            })
        });
        rates.collect()
    }

    /// Reasons of the exceptions of payments of these business days, most frequent first.
    pub async fn match_reasons(&mut self, from: NaiveDate, until: NaiveDate) -> anyhow::Result<Vec<ReasonShare>> {
        let sql = "select e.reason, e.currency, count(*), cast(sum(case when e.state = 'open' then 1 else 0 end) as bigint), \
                   cast(coalesce(sum(e.amount_minor), 0) as bigint) from exception e join payment p on p.id = e.payment_id \
                   where p.business_day >= $1 and p.business_day <= $2 group by e.reason, e.currency order by 3 desc, 1, 2";
        let given: Vec<Value> = values![from, until];
        let rows = self.all(sql, given).await?;
        let shares = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(ReasonShare {
                reason: columns.text()?,
                currency: columns.text_opt()?,
                exceptions: columns.number()?,
                open: columns.number()?,
                amount_minor: columns.number()?,
            })
        });
        shares.collect()
    }
}

/// One row per live payment with its figures. `$1` and `$2` bound the business day.
fn each_payment(by: MatchRateBy) -> String {
    // The engine is known by its name; whatever stands, or stood until the bank took the money back, was not wrong.
    let undone = "exists (select 1 from application x join journal_entry xe on xe.id = x.entry_id where x.reverses = a.id and xe.kind <> 'return_undoes')";
    format!(
        "select {} as grp, p.currency, p.amount_minor, case when p.touches = 0 and p.state in ('posted', 'returned') then 1 else 0 end as auto, \
         case when p.state in ('received', 'exception') and p.unapplied_minor > 0 then 1 else 0 end as waits, \
         coalesce(r.line_count, 0) as advice_lines, coalesce(t.applied_lines, 0) as applied_lines, coalesce(t.auto_lines, 0) as auto_lines, \
         coalesce(t.auto_cash, 0) as auto_cash, coalesce(t.wrong_lines, 0) as wrong_lines, coalesce(t.wrong_cash, 0) as wrong_cash \
         from payment p join file f on f.id = p.file_id left join seller s on s.id = p.seller_id \
         left join remittance r on r.id = p.remittance_id left join (select payment_id, \
         sum(case when undone = 0 and kind = 'item' then 1 else 0 end) as applied_lines, \
         sum(case when undone = 0 and kind = 'item' and actor = 'engine' then 1 else 0 end) as auto_lines, \
         sum(case when undone = 0 and kind in ('item', 'on_account') and actor = 'engine' then cash_minor else 0 end) as auto_cash, \
         sum(case when undone = 1 and kind = 'item' and actor = 'engine' then 1 else 0 end) as wrong_lines, \
         sum(case when undone = 1 and kind = 'item' and actor = 'engine' then abs(cash_minor) else 0 end) as wrong_cash \
         from (select a.payment_id, a.kind, a.actor, a.cash_minor, case when {undone} then 1 else 0 end as undone \
         from application a where a.reverses is null) each_application group by payment_id) t on t.payment_id = p.id \
         where p.state not in ('held', 'void') and p.business_day >= $1 and p.business_day <= $2",
        by.column()
    )
}
