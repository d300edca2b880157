//! Customers that rules may cap: the lower of what a customer may be given and what the person may do applies.

use std::collections::{BTreeSet, HashMap};

use super::Mandate;
use crate::{domain::CustomerId, store::Tx};

/// Codes of customers, by which rules name them; empty where no rule caps any for the role that acts.
#[derive(Debug, Default)]
pub(super) struct Codes(HashMap<CustomerId, String>);

impl Codes {
    /// The codes of these customers, read only where some rule may ask for them.
    pub(super) async fn of(
        tx: &mut Tx,
        mandate: &Mandate<'_>,
        customers: impl Iterator<Item = CustomerId>,
    ) -> anyhow::Result<Self> {
        if !mandate.policy.caps_customers(mandate.role) {
            return Ok(Self::default());
        }
        let customers: BTreeSet<_> = customers.collect();
        Ok(Self(tx.customer_codes(&customers.into_iter().collect::<Vec<_>>()).await?))
    }

    pub(super) fn get(&self, customer: Option<CustomerId>) -> Option<&str> {
        self.0.get(&customer?).map(String::as_str)
    }
}
