//! Match rates: how much was settled without a person, and how much of that held.
//!
//! Definitions, stated wherever the figures are shown:
//! - payment auto rate: payments fully disposed without a person / payments;
//! - line auto rate: lines applied without a person / lines, where a payment that waits counts the lines of its advice, at least one;
//! - value auto rate: cash applied or kept without a person / cash received;
//! - precision: lines that the engine applied and nobody reversed within so many days / all lines that it applied, by line and by cash. A bank
//!   return is no error of the engine. Lines whose days are not over may still turn out wrong: they are the open window.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
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
    Customer,
    /// Ours, where the money came in.
    Bank,
    /// The rule that posted, or that came nearest.
    Rule,
    /// Why a person was needed first.
    Reason,
}

impl MatchRateBy {
    pub const EVERY: [Self; 9] = [
        Self::All,
        Self::Format,
        Self::Seller,
        Self::Method,
        Self::BusinessDay,
        Self::Customer,
        Self::Bank,
        Self::Rule,
        Self::Reason,
    ];

    const fn column(self) -> &'static str {
        match self {
            Self::All => "'all'",
            Self::Format => "coalesce(f.format, 'unknown')",
            Self::Seller => "coalesce(s.code, 'unknown')",
            Self::Method => "p.method",
            Self::BusinessDay => "p.business_day",
            Self::Customer => "coalesce(c.code, 'unknown')",
            Self::Bank => {
                "coalesce((select min(b.bank) from bank_account b where b.account_key = p.own_key or b.number_key = p.own_key), 'unknown')"
            }
            Self::Rule => {
                "coalesce((select nullif(d.rule, '') from decision d where d.payment_id = p.id order by d.id desc limit 1), 'undecided')"
            }
            // An audit asks about what posted, and is no reason why something did not.
            Self::Reason => {
                "coalesce((select e.reason from exception e where e.payment_id = p.id and e.reason <> 'audit_sample' \
                 order by e.id limit 1), 'none')"
            }
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
    /// All lines that the engine ever applied, whatever became of them, and their cash without sign.
    pub engine_lines: i64,
    pub engine_minor: i64,
    /// Of these: lines that a person reversed within the days that precision counts.
    pub lines_reversed: i64,
    pub reversed_minor: i64,
    /// Of these: lines that stand and whose days are not over.
    pub window_lines: i64,
    pub window_minor: i64,
}

/// How long a reversal counts against precision, and the day on which that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub days: u32,
    pub today: NaiveDate,
}

impl Window {
    /// Lines applied on this day or later may still be reversed in time.
    fn since(self) -> NaiveDate {
        self.today.checked_sub_days(Days::new(self.days.into())).unwrap_or(NaiveDate::MIN)
    }

    fn has(self, applied: NaiveDate, reversed: NaiveDate) -> bool {
        (reversed - applied).num_days() <= self.days.into()
    }
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
    pub async fn match_rates(
        &mut self,
        from: NaiveDate,
        until: NaiveDate,
        by: MatchRateBy,
        window: Window,
    ) -> anyhow::Result<Vec<MatchRate>> {
        let sql = format!(
            "select grp, currency, count(*), cast(sum(auto) as bigint), \
             cast(sum(applied_lines + case when waits = 0 then 0 when advice_lines > applied_lines then advice_lines - applied_lines \
             when applied_lines = 0 then 1 else 0 end) as bigint), cast(sum(auto_lines) as bigint), cast(sum(amount_minor) as bigint), \
             cast(sum(auto_cash) as bigint), cast(sum(engine_lines) as bigint), cast(sum(engine_cash) as bigint), \
             cast(sum(window_lines) as bigint), cast(sum(window_cash) as bigint) from ({}) each_payment \
             group by grp, currency order by grp, currency",
            each_payment(by)
        );
        let reversed = self.reversed(from, until, by, window).await?;
        let rows = self.all(&sql, values![from, until, window.since()]).await?;
        let rates = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            let group = (columns.text()?, columns.text()?);
            let (lines_reversed, reversed_minor) = reversed.get(&group).copied().unwrap_or_default();
            Ok(MatchRate {
                lines_reversed,
                reversed_minor,
                group: group.0,
                currency: group.1,
                payments: columns.number()?,
                payments_auto: columns.number()?,
                lines: columns.number()?,
                lines_auto: columns.number()?,
                received_minor: columns.number()?,
                auto_minor: columns.number()?,
                engine_lines: columns.number()?,
                engine_minor: columns.number()?,
                window_lines: columns.number()?,
                window_minor: columns.number()?,
            })
        });
        rates.collect()
    }

    /// Lines of the engine that people reversed in time, and their cash, by group and currency. Days are compared here: the databases do
    /// not agree on how.
    async fn reversed(
        &mut self,
        from: NaiveDate,
        until: NaiveDate,
        by: MatchRateBy,
        window: Window,
    ) -> anyhow::Result<HashMap<(String, String), (i64, i64)>> {
        let sql = format!(
            "select grp, currency, applied_on, reversed_on, count(*), cast(sum(cash) as bigint) from (select {} as grp, p.currency, \
             a.business_day as applied_on, x.business_day as reversed_on, abs(a.cash_minor) as cash from {JOINS} \
             join application a on a.payment_id = p.id and a.reverses is null and a.kind = 'item' and a.actor = 'engine' \
             join application x on x.reverses = a.id join journal_entry xe on xe.id = x.entry_id and xe.kind <> 'return_undoes' \
             where {COUNTS}) each_reversal group by grp, currency, applied_on, reversed_on",
            by.column()
        );
        let mut reversed: HashMap<(String, String), (i64, i64)> = HashMap::new();
        for row in &self.all(&sql, values![from, until]).await? {
            let columns = &mut Columns::of(row);
            let group = (columns.text()?, columns.text()?);
            let (applied, undone) = (columns.date()?, columns.date()?);
            let (lines, cash) = (columns.number()?, columns.number()?);
            if window.has(applied, undone) {
                let sum = reversed.entry(group).or_default();
                *sum = (sum.0 + lines, sum.1 + cash);
            }
        }
        Ok(reversed)
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

/// Payments with what they are told apart by.
const JOINS: &str = "payment p join file f on f.id = p.file_id left join seller s on s.id = p.seller_id left join customer c on c.id = p.customer_id";
/// Live payments of some business days.
const COUNTS: &str = "p.state not in ('held', 'void') and p.business_day >= $1 and p.business_day <= $2";

/// One row per live payment with its figures. `$1` and `$2` bound the business day; what was applied from `$3` on may still be reversed in time.
fn each_payment(by: MatchRateBy) -> String {
    // The engine is known by its name; whatever stands, or stood until the bank took the money back, was not wrong.
    let undone = "exists (select 1 from application x join journal_entry xe on xe.id = x.entry_id where x.reverses = a.id and xe.kind <> 'return_undoes')";
    format!(
        "select {} as grp, p.currency, p.amount_minor, case when p.touches = 0 and p.state in ('posted', 'returned') then 1 else 0 end as auto, \
         case when p.state in ('received', 'exception') and p.unapplied_minor > 0 then 1 else 0 end as waits, \
         coalesce(r.line_count, 0) as advice_lines, coalesce(t.applied_lines, 0) as applied_lines, coalesce(t.auto_lines, 0) as auto_lines, \
         coalesce(t.auto_cash, 0) as auto_cash, coalesce(t.engine_lines, 0) as engine_lines, \
         coalesce(t.engine_cash, 0) as engine_cash, coalesce(t.window_lines, 0) as window_lines, coalesce(t.window_cash, 0) as window_cash \
         from {JOINS} left join remittance r on r.id = p.remittance_id left join (select payment_id, \
         sum(case when undone = 0 and kind = 'item' then 1 else 0 end) as applied_lines, \
         sum(case when undone = 0 and kind = 'item' and actor = 'engine' then 1 else 0 end) as auto_lines, \
         sum(case when undone = 0 and kind in ('item', 'on_account') and actor = 'engine' then cash_minor else 0 end) as auto_cash, \
         sum(case when kind = 'item' and actor = 'engine' then 1 else 0 end) as engine_lines, \
         sum(case when kind = 'item' and actor = 'engine' then abs(cash_minor) else 0 end) as engine_cash, \
         sum(case when undone = 0 and kind = 'item' and actor = 'engine' and business_day >= $3 then 1 else 0 end) as window_lines, \
         sum(case when undone = 0 and kind = 'item' and actor = 'engine' and business_day >= $3 then abs(cash_minor) else 0 end) as window_cash \
         from (select a.payment_id, a.kind, a.actor, a.cash_minor, a.business_day, case when {undone} then 1 else 0 end as undone \
         from application a where a.reverses is null) each_application group by payment_id) t on t.payment_id = p.id \
         where {COUNTS}",
        by.column()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversal_counts_until_the_last_day_of_the_window() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let window = Window { days: 90, today: day("2026-06-14") };
        assert!(window.has(day("2026-03-16"), day("2026-06-14")), "the 90th day");
        assert!(!window.has(day("2026-03-16"), day("2026-06-15")), "the 91st");
        assert_eq!(window.since(), day("2026-03-16"), "what was applied then can be reversed in time today for the last time");
    }
}
