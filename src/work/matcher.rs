//! The in-memory snapshot that decisions are made on, kept up to date from the store.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    domain::{Payment, PaymentId, Remittance, RemittanceState},
    matching::Snapshot,
    store::Tx,
};

/// A snapshot and how far it has followed the store.
#[derive(Default)]
pub struct Matcher {
    snapshot: Snapshot,
    marks: Marks,
    /// What the job in hand decided and has not committed is in the snapshot.
    pending: bool,
    /// What was decided and never committed is in the snapshot: it must be built anew.
    spoiled: bool,
}

/// Change marks of the store, per kind.
#[derive(Clone, Copy, Default)]
struct Marks {
    customers: i64,
    items: i64,
    payments: i64,
    remittances: i64,
}

impl Matcher {
    /// Follows the store up to this transaction.
    pub async fn refresh(&mut self, tx: &mut Tx) -> anyhow::Result<&mut Snapshot> {
        if self.spoiled {
            *self = Self { pending: self.pending, ..Self::default() };
        }
        let (customers, mark) = tx.customers_changed_since(self.marks.customers).await?;
        self.marks.customers = mark;
        customers.iter().for_each(|customer| self.snapshot.upsert_customer(customer));
        tx.relations().await?.iter().for_each(|relation| self.snapshot.upsert_relation(relation));
        let (items, mark) = tx.open_items_changed_since(self.marks.items).await?;
        self.marks.items = mark;
        items.iter().for_each(|item| self.snapshot.upsert_item(item));
        self.snapshot.tell_apart(tx.told_apart().await?);
        self.snapshot.revoke(&tx.revocations().await?);
        self.snapshot.tell_advices_apart(tx.advices_apart().await?);
        self.follow_remittances(tx).await?;
        self.follow_payments(tx).await?;
        Ok(&mut self.snapshot)
    }

    /// A job begins. One before it that never committed has spoiled the snapshot, whatever kind of job commits next.
    pub fn start(&mut self) {
        self.spoiled |= std::mem::take(&mut self.pending);
    }

    /// What happens to the snapshot from here on counts only if the transaction is committed.
    pub fn begin(&mut self) {
        self.pending = true;
    }

    /// The transaction was committed.
    pub fn commit(&mut self) {
        self.pending = false;
    }

    pub fn snapshot(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }

    async fn follow_remittances(&mut self, tx: &mut Tx) -> anyhow::Result<()> {
        let (remittances, mark) = tx.remittances_changed_since(self.marks.remittances).await?;
        self.marks.remittances = mark;
        for remittance in remittances {
            if remittance.state == RemittanceState::Waiting {
                self.snapshot.add_waiting_remittance(remittance);
            } else {
                self.snapshot.forget_waiting_remittance(remittance.id);
            }
        }
        Ok(())
    }

    async fn follow_payments(&mut self, tx: &mut Tx) -> anyhow::Result<()> {
        let (payments, mark) = tx.payments_changed_since(self.marks.payments).await?;
        let remittances = remittances_of(tx, &payments).await?;
        let ids: Vec<_> = payments.iter().map(|payment| payment.id).collect();
        let paid = if ids.is_empty() { BTreeMap::new() } else { tx.items_paid_by(&ids).await? };
        // Only now: had one of the questions failed, the next refresh would begin behind payments that were never seen.
        self.marks.payments = mark;
        for payment in &payments {
            let remittance = remittances.get(&payment.id);
            self.snapshot.saw_payment(payment, remittance);
            self.snapshot.learn(payment, remittance, paid.get(&payment.id).map_or(&[], Vec::as_slice));
        }
        Ok(())
    }
}

/// The advices of payments, by payment.
pub async fn remittances_of(tx: &mut Tx, payments: &[Payment]) -> anyhow::Result<HashMap<PaymentId, Remittance>> {
    let with: HashSet<_> = payments.iter().filter(|payment| payment.remittance.is_some()).map(|payment| payment.id).collect();
    let ids: Vec<_> = with.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let remittances = tx.remittances_of_payments(&ids).await?;
    Ok(remittances.into_iter().filter_map(|remittance| Some((remittance.payment?, remittance))).collect())
}

#[cfg(test)]
mod tests {
    use super::Matcher;

    #[test]
    fn a_commit_of_another_job_does_not_make_a_spoiled_snapshot_good() {
        let mut matcher = Matcher::default();
        matcher.start();
        matcher.begin();
        // The match job failed; a parse job commits.
        matcher.start();
        matcher.commit();
        assert!(matcher.spoiled, "what the failed job decided is still in the snapshot");
    }
}
