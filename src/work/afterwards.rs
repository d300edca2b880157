//! What was done about a payment besides deciding it: by people, by the bank, and by the machine where it undoes or joins.

use serde::Serialize;
use serde_json::Value as Json;

use super::engine::ENGINE;
use crate::{
    domain::{Currency, Money, PaymentId},
    store::{AuditRow, ExceptionFilter, Tx},
};

/// One deed, as the audit trail has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    pub at: String,
    pub actor: String,
    /// `resolve`, `post`, `reverse`, `take_back`, `note` and what else the audit trail names.
    pub action: String,
    /// What it was done to: the payment, or an exception about it.
    pub subject: String,
    /// A sentence for a person.
    pub text: String,
}

/// Deeds about a payment and the exceptions about it, in order. What the machine posted is its decision and stands there.
pub async fn afterwards(tx: &mut Tx, payment: PaymentId) -> anyhow::Result<Vec<Deed>> {
    let about = ExceptionFilter { payment: Some(payment), ..ExceptionFilter::default() };
    let exceptions = tx.exceptions(&about).await?;
    let subjects: Vec<_> =
        std::iter::once(payment.to_string()).chain(exceptions.iter().map(|exception| exception.id.to_string())).collect();
    let mut rows = tx.audit_about(&subjects).await?;
    rows.retain(|row| (row.event.actor.as_str(), row.event.action.as_str()) != (ENGINE, "post"));
    Ok(rows.into_iter().map(deed).collect())
}

fn deed(row: AuditRow) -> Deed {
    let event = row.event;
    let detail: Option<Json> = serde_json::from_str(&event.detail).ok().filter(Json::is_object);
    let told = detail.as_ref().and_then(|detail| answer(detail).or_else(|| applied(detail)));
    let text = told.unwrap_or(event.detail);
    Deed { at: row.at, actor: event.actor, action: event.action, subject: event.subject, text }
}

/// What was answered to a request, and who had recommended it.
fn answer(detail: &Json) -> Option<String> {
    let answer = detail["answer"].as_str()?;
    let recommended = detail["recommended_by"].as_str().map(|who| format!(", as {who} recommended")).unwrap_or_default();
    Some(format!("{answer}{recommended}"))
}

/// What was applied, item by item.
fn applied(detail: &Json) -> Option<String> {
    let lines = detail["applications"].as_array()?.iter().filter_map(|one| {
        let currency = one["currency"].as_str().and_then(Currency::parse)?;
        let money = |name: &str| one[name].as_i64().filter(|minor| *minor != 0).map(|minor| Money::new(minor, currency));
        let to = match one["invoice_number"].as_str() {
            Some(number) => format!("to {number}"),
            None => one["kind"].as_str().unwrap_or_default().replace('_', " "),
        };
        let parts = [
            ("applied_minor", ""),
            ("discount_minor", "discount "),
            ("deduction_minor", "deduction "),
            ("write_off_minor", "written off "),
        ];
        let parts: Vec<_> = parts.iter().filter_map(|(name, what)| Some(format!("{what}{}", money(name)?))).collect();
        Some(format!("{} {to}", parts.join(" and ")))
    });
    Some(lines.collect::<Vec<_>>().join(", "))
}
