//! The store: the only place that speaks SQL. SQLite and PostgreSQL, one SQL text, one suite of tests.
//!
//! A [`Tx`] is a transaction; its methods read and write rows in the words of the trade and are spread over the files
//! of this folder by noun. Natural keys make every write harmless to repeat. What may be written when is decided
//! elsewhere: money moves only through `ledger`.

#![allow(clippy::useless_vec, reason = "`values!` makes a row, and most callers keep it")]

mod applications;
mod audit_rows;
mod bulk;
mod causes;
mod codes;
mod customers;
mod db;
mod decisions;
mod exceptions;
mod exports;
mod files;
mod history;
mod ids;
mod jobs;
mod labels;
mod learned;
mod migrate;
mod open_items;
mod outbox;
mod outcomes;
mod payments;
mod remittances;
mod reports;
mod rule_life;
mod scratch;
mod settings;
mod sources;
mod totals;
mod value;

#[cfg(test)]
mod suite;
#[cfg(test)]
pub(crate) mod testing;

pub use applications::{Application, ApplicationKind};
pub(crate) use applications::{JournalEntry, JournalLine, NewDeduction};
pub use audit_rows::{AuditEvent, AuditRow, Seal};
pub use causes::Asked;
pub use customers::{NewBankAccount, NewCustomer, Rate};
pub use db::{Backend, Conflict, Db, Now, Tx, is_disk_full, is_read_only, stamp, violated_constraint, wants_retry};
pub use decisions::{Inputs, NewDecision, PastDecision, StoredDecision};
pub(crate) use exceptions::Answer;
pub use exceptions::{Exception, ExceptionFilter, NewException, Note, QueueLoad};
pub use exports::{ApplicationLine, AuditLine, ExceptionLine, FileLine, PaymentLine, PostingLine};
pub use files::{
    File, FileCounts, FileState, FileTotal, Interchange, NewArrival, Received, Recording, Reused, StoredControl, StoredFinding,
    TotalKind,
};
pub use history::{KnownRows, Move, Past, PastItem, PastPayment};
pub use ids::Kind;
pub use jobs::{Fate, Job, NewJob, TRIES_MAX};
pub(crate) use labels::NewLabel;
pub use labels::{Counted, Drawn, PostedCount, PostedLabel, StoredCertificate};
pub(crate) use learned::NewRevocation;
pub use learned::{DecidedMove, FactUse, StoredRevocation, Teaching};
pub(crate) use open_items::ItemChange;
pub use open_items::{ItemOutcome, ItemStored, NewOpenItem};
pub use outbox::{Message, NewMessage};
pub use outcomes::{FileOutcome, MoneyOutcome};
pub(crate) use payments::PaymentChange;
pub use payments::{BankReturn, NewPayment, NewReturn};
pub use reports::{MatchRate, MatchRateBy, ReasonShare, Window};
pub use rule_life::{Activation, Demotion, NewActivation, NewBacktest, RuleRecord, StoredBacktest};
pub use scratch::Scratch;
pub use sources::{Seen, StoredDoubt};
