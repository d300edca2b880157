//! What is above a person's authority is asked of somebody with a higher limit, or of a second one with the highest.

use serde_json::json;

use super::{
    AboveAuthority, DECISION, Mandate,
    caps::Codes,
    resolve::{Action, ResolveError, locked},
    route::facts,
};
use crate::{
    domain::{ExceptionId, Reason},
    store::{Exception, NewException, Tx},
};

/// Where the details of a recommendation keep the version of the payment that it was made for.
pub(super) const PAYMENT_VERSION: &str = "payment_version";
/// Where they keep who asked, and in which role.
pub(super) const RECOMMENDED_BY: &str = "recommended_by";
pub(super) const RECOMMENDED_ROLE: &str = "recommended_role";

/// Asks somebody with a higher limit. The request itself is kept, so that one click can grant it.
pub(super) async fn recommend(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    action: &Action,
    above: AboveAuthority,
) -> Result<ExceptionId, ResolveError> {
    let about = (exception.seller, exception.customer);
    let route = mandate.policy.route(&facts(tx, about, exception.level, Reason::AboveAuthority, above.amount()).await?);
    let (what, limit) = (above.what(), above.limit());
    let codes = Codes::of(tx, mandate, exception.customer.into_iter()).await?;
    let who = who_may_grant(mandate, &above, codes.get(exception.customer));
    let message = format!("{} recommends to {what}; the limit of {} is {limit}{who}", mandate.actor, mandate.role);
    // Who may not grant a recommendation either recommends it in turn: it stays one matter.
    let is_one = exception.reason == Reason::AboveAuthority;
    let root = exception.details.get("for").and_then(serde_json::Value::as_i64).filter(|_| is_one).unwrap_or(exception.id.0);
    let key = format!("exception:{root}:approval");
    let mut asked = NewException::new(key, exception.level, Reason::AboveAuthority, route, message);
    (asked.file, asked.payment, asked.remittance, asked.open_item) =
        (exception.file, exception.payment, exception.remittance, exception.open_item);
    (asked.seller, asked.customer, asked.amount) = (exception.seller, exception.customer, Some(above.amount()));
    asked.details = json!({ RECOMMENDED_BY: mandate.actor, RECOMMENDED_ROLE: mandate.role, "for": root, "action": action });
    if let Some(decision) = exception.details.get(DECISION) {
        asked.details[DECISION] = decision.clone();
    }
    if let Some(payment) = exception.payment {
        asked.details[PAYMENT_VERSION] = json!(locked(tx, payment).await?.version);
    }
    let ids = tx.raise_exceptions(&[asked], mandate.actor).await?;
    ids.first().copied().ok_or_else(|| ResolveError::Refused("the recommendation was not stored".to_owned()))
}

/// Who may grant it, as the end of a sentence.
fn who_may_grant(mandate: &Mandate<'_>, above: &AboveAuthority, customer: Option<&str>) -> String {
    let AboveAuthority::Amount { power, amount_minor, currency, .. } = *above else { return String::new() };
    match (mandate.policy.who_may(power, currency, customer, amount_minor), mandate.policy.highest(power, currency)) {
        (Some(role), _) if role != mandate.role => format!("; the role {role} may grant it"),
        (_, Some(role)) if role == mandate.role => format!("; another {role} may grant it"),
        (_, Some(role)) => format!("; no role may do so much alone, so two of the role {role} have to agree"),
        (_, None) => String::new(),
    }
}
