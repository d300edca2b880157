//! Held payments are decided anew when the engine comes to know more: items, customers, relations or rules.
//!
//! Money of long ago meets items of today then, so a second look counts only where the payer named what it paid, and only where it says something
//! else than the look before. Whatever a person has touched stays as people left it: what was undone does not come back by itself.

use anyhow::Context;
use serde_json::json;

use super::{
    consumer::JobKind,
    engine::Engine,
    match_job::{Look, names_items},
    matcher::Matcher,
};
use crate::{
    domain::{Decision, PaymentId},
    store::{Job, Tx},
};

/// Payments that one job decides.
const PAYMENTS_PER_JOB: usize = 500;

/// Has every payment that waits and that nobody touched decided anew, and tells how many they are. Which ones is asked when the job runs: until then
/// somebody may have taken one in hand.
pub(super) async fn look_again(tx: &mut Tx) -> anyhow::Result<u64> {
    let mark = tx.change_mark().await?;
    let key = format!("match:held:{}:{mark}", tx.stamp());
    let new = tx.enqueue(&[JobKind::Match.job(key.clone(), json!({ "held_after": 0 }))]).await?;
    anyhow::ensure!(new == 1, "there is a job {key} already");
    tx.count_held_untouched().await
}

impl Engine {
    /// Decides a chunk of them, and leaves the next to another job.
    pub(super) async fn second_look(&self, tx: &mut Tx, matcher: &mut Matcher, job: &Job) -> anyhow::Result<()> {
        let after = job.payload["held_after"].as_i64().context("a second look names the payment after which it begins")?;
        let held = tx.held_untouched(PaymentId(after), PAYMENTS_PER_JOB).await?;
        if let Some(last) = held.get(PAYMENTS_PER_JOB - 1) {
            tx.enqueue(&[JobKind::Match.job(format!("{}:{}", job.key, last.0), json!({ "held_after": last.0 }))]).await?;
        }
        let payments = tx.payments(&held).await?;
        self.decide_and_post(tx, matcher, payments, Look::Again).await
    }

    /// Whether a second look found something: items that the payer named, and another answer than before.
    pub(super) async fn is_news(&self, tx: &mut Tx, payment: PaymentId, decision: &Decision) -> anyhow::Result<bool> {
        if !names_items(decision) {
            return Ok(false);
        }
        let before = tx.latest_decision(payment).await?;
        Ok(before.is_none_or(|before| {
            (&before.decision.outcome, &before.decision.proposals) != (&decision.outcome, &decision.proposals)
        }))
    }
}
