//! A payment that nobody may post yet waits for a person. No money moves; only its state says so.

use crate::{
    domain::{CustomerId, PaymentId},
    store::{Conflict, Tx},
};

/// A payment to be held, as the decision saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub payment: PaymentId,
    pub version: i64,
    /// Who probably pays, where that is known.
    pub customer: Option<CustomerId>,
}

/// Moves payments into the state `exception`. If one moved meanwhile, that is a [`Conflict`]: decide again.
pub async fn hold(tx: &mut Tx, holds: &[Hold]) -> anyhow::Result<()> {
    let rows: Vec<_> = holds.iter().map(|hold| (hold.payment, hold.version, hold.customer)).collect();
    let held = tx.send_to_person(&rows).await?;
    match holds.iter().find(|hold| !held.contains(&hold.payment)) {
        Some(missed) => Err(Conflict(format!("payment {}", missed.payment)).into()),
        None => Ok(()),
    }
}
