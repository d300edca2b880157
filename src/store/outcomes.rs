//! What became of files: received, applied, left and held, by file and currency.

use std::collections::BTreeMap;

use super::{
    File, Tx,
    value::{Columns, values},
};
use crate::domain::{Currency, FileId, Reason};

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOutcome {
    pub file: File,
    /// How often its content arrived.
    pub arrivals: i64,
    pub money: BTreeMap<Currency, MoneyOutcome>,
    /// Open exceptions by reason.
    pub exceptions: BTreeMap<Reason, i64>,
}

/// What became of the money of a file in one currency. Amounts are minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyOutcome {
    /// Live payments.
    pub payments: i64,
    pub received: i64,
    pub applied: i64,
    pub on_account: i64,
    /// Refunded, or taken back by the bank.
    pub returned: i64,
    pub unapplied: i64,
    /// Payments of a held file; not live and not part of `received`.
    pub held: i64,
    /// Closed without cash, in the currency of the items.
    pub discount: i64,
    pub deduction: i64,
    pub write_off: i64,
}

impl MoneyOutcome {
    /// Received is applied, on account, returned or unapplied, to the cent.
    pub fn is_conserved(&self) -> bool {
        i128::from(self.received)
            == i128::from(self.applied) + i128::from(self.on_account) + i128::from(self.returned) + i128::from(self.unapplied)
    }

    pub fn add(&mut self, other: &Self) {
        self.payments = self.payments.saturating_add(other.payments);
        self.received = self.received.saturating_add(other.received);
        self.applied = self.applied.saturating_add(other.applied);
        self.on_account = self.on_account.saturating_add(other.on_account);
        self.returned = self.returned.saturating_add(other.returned);
        self.unapplied = self.unapplied.saturating_add(other.unapplied);
        self.held = self.held.saturating_add(other.held);
        self.discount = self.discount.saturating_add(other.discount);
        self.deduction = self.deduction.saturating_add(other.deduction);
        self.write_off = self.write_off.saturating_add(other.write_off);
    }
}

impl Tx {
    /// What became of the files from `first` on, in order of id.
    pub async fn file_outcomes(&mut self, first: FileId) -> anyhow::Result<Vec<FileOutcome>> {
        let files = self.files(FileId(first.0 - 1), usize::MAX).await?;
        let mut outcomes: BTreeMap<FileId, FileOutcome> = files
            .into_iter()
            .map(|file| (file.id, FileOutcome { file, arrivals: 0, money: BTreeMap::new(), exceptions: BTreeMap::new() }))
            .collect();
        self.add_arrivals(first, &mut outcomes).await?;
        self.add_payments(first, &mut outcomes).await?;
        self.add_applications(first, &mut outcomes).await?;
        self.add_exceptions(first, &mut outcomes).await?;
        Ok(outcomes.into_values().collect())
    }

    async fn add_arrivals(&mut self, first: FileId, outcomes: &mut BTreeMap<FileId, FileOutcome>) -> anyhow::Result<()> {
        let sql = "select file_id, count(*) from arrival where file_id >= $1 group by file_id";
        for row in &self.all(sql, values![first]).await? {
            let mut columns = Columns::of(row);
            if let Some(outcome) = outcomes.get_mut(&FileId(columns.number()?)) {
                outcome.arrivals = columns.number()?;
            }
        }
        Ok(())
    }

    async fn add_payments(&mut self, first: FileId, outcomes: &mut BTreeMap<FileId, FileOutcome>) -> anyhow::Result<()> {
        let sql = "select file_id, currency, sum(case when state in ('held', 'void') then 0 else 1 end), \
                   cast(sum(case when state in ('held', 'void') then 0 else amount_minor end) as bigint), \
                   cast(sum(case when state in ('held', 'void') then 0 else unapplied_minor end) as bigint), \
                   cast(sum(case when state = 'held' then amount_minor else 0 end) as bigint) \
                   from payment where file_id >= $1 group by file_id, currency";
        for row in &self.all(sql, values![first]).await? {
            let mut columns = Columns::of(row);
            let Some(outcome) = outcomes.get_mut(&FileId(columns.number()?)) else { continue };
            let money = outcome.money.entry(columns.currency()?).or_default();
            money.payments = columns.number()?;
            money.received = columns.number()?;
            money.unapplied = columns.number()?;
            money.held = columns.number()?;
        }
        Ok(())
    }

    async fn add_applications(&mut self, first: FileId, outcomes: &mut BTreeMap<FileId, FileOutcome>) -> anyhow::Result<()> {
        let sql = "select p.file_id, p.currency, a.kind, cast(sum(a.cash_minor) as bigint), cast(sum(a.discount_minor) as bigint), \
                   cast(sum(a.deduction_minor) as bigint), cast(sum(a.write_off_minor) as bigint) from application a \
                   join payment p on p.id = a.payment_id where p.file_id >= $1 group by p.file_id, p.currency, a.kind";
        for row in &self.all(sql, values![first]).await? {
            let mut columns = Columns::of(row);
            let Some(outcome) = outcomes.get_mut(&FileId(columns.number()?)) else { continue };
            let money = outcome.money.entry(columns.currency()?).or_default();
            let kind = columns.text()?;
            let cash = columns.number()?;
            match kind.as_str() {
                "item" => money.applied += cash,
                "on_account" => money.on_account += cash,
                _ => money.returned += cash,
            }
            money.discount += columns.number()?;
            money.deduction += columns.number()?;
            money.write_off += columns.number()?;
        }
        Ok(())
    }

    async fn add_exceptions(&mut self, first: FileId, outcomes: &mut BTreeMap<FileId, FileOutcome>) -> anyhow::Result<()> {
        let sql =
            "select file_id, reason, count(*) from exception where state = 'open' and file_id >= $1 group by file_id, reason";
        for row in &self.all(sql, values![first]).await? {
            let mut columns = Columns::of(row);
            let Some(outcome) = outcomes.get_mut(&FileId(columns.number()?)) else { continue };
            let reason = columns.code()?;
            outcome.exceptions.insert(reason, columns.number()?);
        }
        Ok(())
    }
}
