//! The ledger: the only place that moves money.
//!
//! Money comes in (`receive`), counts once however many files tell of it (`join_records`, `explain_sum`), is applied (`apply`), undone
//! (`reverse`), taken back by the bank (`take_back`) or moved by a person who clears an exception (`resolve`). Each of them writes applications, a balanced journal entry and the
//! running amounts in one transaction, under the limits of whoever acts. What to apply is decided in `matching`; SQL is
//! left to `store`.

mod advice;
mod apply;
mod breakers;
mod caps;
mod check;
mod doubt;
mod follow_up;
mod hold;
mod journal;
mod label;
mod learned;
mod mandate;
mod receive;
mod recommend;
mod relation;
mod resolve;
mod reverse;
mod route;
mod sources;

#[cfg(test)]
pub(crate) mod suite;

pub use apply::{PostOutcome, Posting, apply};
pub use check::{Promise, check};
pub use hold::{Hold, hold};
pub use label::{DECISION, audit_key};
pub use learned::{Withdrawal, revoke_fact};
pub use mandate::{AboveAuthority, Agreement, DeductionRoute, Mandate, Policy, may_work};
pub use receive::{receive, reject_file, release_file};
pub use resolve::{Action, Resolution, ResolveError, resolve};
pub use reverse::{Reversed, mark_duplicate, reverse_application, reverse_payment, take_back};
pub use sources::{Further, explain_sum, join_records, note_return_told};

use crate::domain::{FileId, PaymentId, RemittanceId};

/// The rules of the trade forbid it; the sentence says why and what to do first.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// The name under which the machine acts.
pub const ENGINE: &str = "engine";

/// Key of the exception that asks what a payment is for. It is settled when nothing of the payment is left.
pub fn match_key(payment: PaymentId) -> String {
    format!("payment:{}:match", payment.0)
}

/// Key of the exception of a file that is held.
pub fn held_key(file: FileId) -> String {
    format!("file:{}:held", file.0)
}

/// Key of the exception of a payment that the bank took back, or of a return of which nobody knows what it takes back.
pub fn return_key(bank_return: i64) -> String {
    format!("{RETURN}{bank_return}")
}

/// The bank return that an exception with this key is about.
fn return_of_key(key: &str) -> Option<i64> {
    key.strip_prefix(RETURN)?.parse().ok()
}

const RETURN: &str = "return:";

/// Key of the exception of an advice that waits for its cash.
pub fn waiting_key(remittance: RemittanceId) -> String {
    format!("remittance:{}:waiting", remittance.0)
}
