//! Decides what a payment pays. Pure: snapshot, payment and rules in; decision with its evidence out.
//!
//! One pass: who paid ([`payer`]), was it here before ([`duplicate`]), what is named ([`claim`], [`text`]), which items that may be
//! ([`candidate`], [`slip`], [`equal`]), how the amounts fit ([`amount`], [`choice`]), one joint answer ([`named`] with [`joint`], or [`hypothesis`] with
//! [`chance`] when nothing is named, and [`near`] when nothing adds up), and what the rules make of it ([`draft`], [`verdict`]). [`link`](mod@link) ties
//! advices to cash that came apart, and [`tied`] doubts it.
//! Work is bounded by [`limits`], and a bound that was met is said. Nothing here knows the clock, the store or a screen; `ledger` alone moves money.

mod amount;
mod candidate;
mod chance;
mod choice;
mod claim;
mod completion;
mod confidence;
mod decide;
mod draft;
mod duplicate;
mod equal;
pub mod explain;
mod hypothesis;
mod joint;
mod likeness;
mod limits;
mod link;
mod named;
mod near;
mod payer;
mod run_case;
mod shortfall;
mod slip;
mod snapshot;
pub mod sources;
mod text;
mod tied;
mod trail;
mod verdict;

pub use decide::{Case, decide};
pub use link::{Link, link, link_remittance};
pub use run_case::{decide_case, run_case};
pub use snapshot::{FactState, LearnedFact, Snapshot};

#[cfg(test)]
mod tests;
