//! A person revokes what the ledger taught. No money moves: what was posted stands until somebody undoes it.

use serde_json::json;

use super::{AboveAuthority, Mandate, Refusal};
use crate::{
    audit,
    domain::{Currency, FactRef, Revocation},
    rules::Power,
    store::{AuditEvent, NewRevocation, Tx},
};

/// A fact that somebody wants revoked, with what it drove.
#[derive(Clone, Debug)]
pub struct Withdrawal<'a> {
    /// The version that it ends.
    pub fact: FactRef,
    pub revocation: Revocation,
    /// The sign as people may see it: of an account its last four characters.
    pub shown: &'a str,
    /// Code of the customer.
    pub customer: &'a str,
    pub note: &'a str,
    /// What the engine posted on it by currency: payments, cash, and the largest of them.
    pub posted: &'a [(Currency, u64, i64, i64)],
}

/// Revokes a fact. Whoever may apply the largest payment that the engine posted on it may do so.
pub async fn revoke_fact(tx: &mut Tx, mandate: &Mandate<'_>, asked: &Withdrawal<'_>) -> anyhow::Result<()> {
    if !mandate.policy.may_decide(mandate.role) {
        return Err(Refusal(format!("the role {} may look at what was learned and not revoke it", mandate.role)).into());
    }
    for (currency, _, _, largest_minor) in asked.posted {
        within_limit(mandate, *currency, *largest_minor, asked.customer)?;
    }
    let new = NewRevocation {
        fact: asked.fact,
        revocation: &asked.revocation,
        day: mandate.day,
        actor: mandate.actor,
        role: mandate.role,
        note: asked.note,
    };
    if !tx.record_revocation(&new).await? {
        return Err(Refusal(format!("{} was revoked by somebody else meanwhile; nothing was done", asked.fact.id)).into());
    }
    let posted: Vec<_> = asked
        .posted
        .iter()
        .map(|(currency, payments, minor, _)| json!({ "currency": currency.to_string(), "payments": payments, "minor": minor }))
        .collect();
    let detail = json!({
        "version": asked.fact.version, "kind": asked.revocation.kind, "sign": asked.shown, "customer": asked.customer,
        "for_good": asked.revocation.for_good, "note": asked.note, "posted": posted,
    });
    let event = AuditEvent {
        actor: mandate.actor.to_owned(),
        action: "revoke_fact".to_owned(),
        subject: asked.fact.id.to_string(),
        detail: detail.to_string(),
    };
    audit::record(tx, &[event]).await
}

fn within_limit(mandate: &Mandate<'_>, currency: Currency, largest_minor: i64, customer: &str) -> anyhow::Result<()> {
    let Err(error) = mandate.ask(Power::Apply, currency, largest_minor, Some(customer)) else { return Ok(()) };
    let Some(above) = error.downcast_ref::<AboveAuthority>() else { return Err(error) };
    let who = mandate.policy.who_may(Power::Apply, currency, Some(customer), largest_minor);
    let who = who.map(|role| format!("; the role {role} may revoke it")).unwrap_or_default();
    Err(Refusal(format!("the largest payment posted on it {above}{who}; nothing was done")).into())
}
