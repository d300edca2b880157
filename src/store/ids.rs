//! Ids are reserved before rows are written, so that a block of rows that refer to each other goes in at once.

use sqlx::Row;

use super::{
    Backend, Tx,
    value::{count, values},
};

/// What an id is for: one counter (SQLite) or sequence (PostgreSQL) each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Seller,
    BankAccount,
    Customer,
    File,
    Arrival,
    Interchange,
    Payment,
    BankReturn,
    Remittance,
    OpenItem,
    Decision,
    JournalEntry,
    Application,
    Deduction,
    Exception,
    ExceptionNote,
    Job,
    Outbox,
    Audit,
    /// Control numbers of our own interchanges.
    Acknowledgment,
    Label,
    Certificate,
    Past,
    Backtest,
    Activation,
    LearnedRevocation,
}

impl Kind {
    const fn table(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::BankAccount => "bank_account",
            Self::Customer => "customer",
            Self::File => "file",
            Self::Arrival => "arrival",
            Self::Interchange => "interchange",
            Self::Payment => "payment",
            Self::BankReturn => "bank_return",
            Self::Remittance => "remittance",
            Self::OpenItem => "open_item",
            Self::Decision => "decision",
            Self::JournalEntry => "journal_entry",
            Self::Application => "application",
            Self::Deduction => "deduction",
            Self::Exception => "exception",
            Self::ExceptionNote => "exception_note",
            Self::Job => "job",
            Self::Outbox => "outbox",
            Self::Audit => "audit",
            Self::Acknowledgment => "acknowledgment",
            Self::Label => "label",
            Self::Certificate => "certificate",
            Self::Past => "past",
            Self::Backtest => "backtest",
            Self::Activation => "activation",
            Self::LearnedRevocation => "learned_revocation",
        }
    }
}

impl Tx {
    /// The next `n` ids, ascending. Ids that a rolled-back transaction reserved are lost, not reused.
    pub async fn reserve(&mut self, kind: Kind, n: usize) -> anyhow::Result<Vec<i64>> {
        if n == 0 {
            return Ok(Vec::new());
        }
        match self.backend() {
            Backend::Sqlite => {
                let sql = "update counter set next = next + $1 where name = $2 returning next - $1";
                let first = self.number(sql, values![count(n), kind.table()]).await?;
                Ok((first..first + count(n)).collect())
            }
            Backend::Postgres => {
                let sql = format!("select nextval('{}_id') from generate_series(1, $1)", kind.table());
                let rows = self.all(&sql, values![count(n)]).await?;
                rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
            }
        }
    }

    /// The next id.
    pub async fn reserve_one(&mut self, kind: Kind) -> anyhow::Result<i64> {
        Ok(self.reserve(kind, 1).await?.first().copied().unwrap_or_default())
    }
}
