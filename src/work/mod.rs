//! The queue consumers: they read files, match payments and answer senders.
//!
//! A job is a row. A consumer claims it, does its work and completes it in one transaction, so that a kill at any moment leaves either
//! everything or nothing. What a file says is left to `parsers`, what a payment pays to `matching`, moving money to `ledger`.

mod acknowledge;
mod afterwards;
mod archived;
pub mod backtest;
mod causes;
mod certify;
mod consumer;
mod directory;
mod engine;
mod exceptions;
mod explain;
mod invoices;
mod learned;
mod master_data;
mod match_job;
mod matcher;
mod own;
mod parse_job;
mod policy;
mod publish;
mod receive;
mod recorder;
pub mod replay;
mod resolve;
mod returns;
mod rule_life;
mod rulebook;
mod second_look;
mod setting;
mod sighting;
mod sources;
mod survey;

pub use afterwards::{Deed, afterwards};
pub use causes::{Cause, CauseMoney, FirstProposals, Opened};
pub use certify::Issued;
pub use consumer::{JobKind, Role, Stop};
pub use engine::{Engine, NoLedger};
pub use explain::explain;
pub use learned::{ListedFact, Teacher, Touched};
pub use master_data::{Import, ImportedFile, Stored, UnknownName};
pub use receive::{Door, Received};
pub use rule_life::{ListedRule, Person};
pub use rulebook::{Candidate, read_set};
