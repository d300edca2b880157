//! The words of the trade as types. Pure: no I/O, no clock, no SQL.

mod certificate;
mod customer;
mod decision;
mod exception;
mod ids;
mod learned;
mod open_item;
mod payment;
mod reason;
mod remittance;
mod sighting;
mod terms;

pub use certificate::{AmountClass, Confidence, ConfidencePart, LabelSource, Permit, Permits, Stratum};
pub use customer::{BankAccount, Customer, Relation, Seller};
pub use decision::{
    Decision, Evidence, EvidenceItem, Lacked, LackedKind, LineAdjustment, LineAdjustmentKind, Outcome, Proposal, ProposalLine,
    RunnerUp, Shadow, Step,
};
pub use exception::{ExceptionFacts, Level, Route};
pub use ids::{ApplicationId, CustomerId, DecisionId, ExceptionId, FileId, JobId, OpenItemId, PaymentId, RemittanceId, SellerId};
pub use learned::{FactId, FactRef, Lesson, Revocation, SignKind};
pub use open_item::{ItemKind, ItemStatus, OpenItem, TermsOfPayment};
pub use payment::{AccountKey, Payer, Payment, PaymentState, Source};
pub use reason::Reason;
pub use remittance::{Remittance, RemittanceAdjustment, RemittanceLine, RemittanceReference, RemittanceState};
pub use sighting::{ItemGroup, Marks, Report, Sighted, Sighting};

pub use tieout_parsers::{Currency, Direction, Location, Method, Money};
