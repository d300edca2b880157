//! Held payments are looked at again when the engine comes to know more: items, customers, relations or rules.

use serde_json::json;

use super::consumer::JobKind;
use crate::store::Tx;

/// Payments that one job decides anew.
const PAYMENTS_PER_JOB: usize = 500;

/// Has every payment that waits for a person decided anew, and tells how many they are. Those that somebody touched or that something was ever
/// applied of stay as people left them: a posting that was undone must not come back by itself.
pub(super) async fn look_again(tx: &mut Tx) -> anyhow::Result<u64> {
    let held = tx.payments_nobody_touched().await?;
    let mark = tx.change_mark().await?;
    let jobs = held.chunks(PAYMENTS_PER_JOB).enumerate().map(|(chunk, payments)| {
        JobKind::Match.job(format!("match:again:known:{mark}:{chunk}"), json!({ "payments": payments }))
    });
    let jobs: Vec<_> = jobs.collect();
    tx.enqueue(&jobs).await?;
    Ok(held.len() as u64)
}
