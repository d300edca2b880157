//! Whose cash pays whose items. A person may move money between customers who are related; between strangers only on purpose and with a
//! reason, because nothing else would show that it was no slip.

use super::{Mandate, resolve::ResolveError, reverse::tell};
use crate::{
    domain::{CustomerId, OpenItemId, Payment, Proposal, ProposalLine, Reason},
    store::{Exception, Tx},
};

/// Refuses what moves money between customers of whom no relation is known, unless somebody says why; gives a sentence for the audit for
/// each customer whose items are paid with money of another.
pub(super) async fn between_customers(
    tx: &mut Tx,
    mandate: &Mandate<'_>,
    exception: &Exception,
    payment: &Payment,
    proposal: &mut Proposal,
    unrelated: Option<&str>,
) -> Result<Vec<String>, ResolveError> {
    let mut payers = identified(tx, exception, payment).await?;
    let items: Vec<_> = proposal.lines.iter().map(|line| line.item).collect();
    let items = tx.open_items(&items).await?;
    let owner =
        |line: &ProposalLine| items.iter().find(|item| item.id == line.item).map(|item| (item.customer, item.number.clone()));
    let mut paid: Vec<(CustomerId, String)> =
        proposal.lines.iter().filter_map(owner).map(|(owner, number)| (owner, format!("item {number}"))).collect();
    if proposal.on_account_minor > 0 {
        proposal.customer = proposal.customer.or(payers.first().copied()).or(paid.first().map(|(owner, _)| *owner));
        let Some(customer) = proposal.customer else {
            return Err(ResolveError::Refused(format!(
                "nobody knows who paid {}, so there is no account to keep it on; name the customer with --customer",
                payment.id
            )));
        };
        paid.push((customer, "what is kept on account".to_owned()));
    }
    // Who paid is not known yet: then all that is paid has to be of one family.
    if payers.is_empty() {
        payers.extend(paid.first().map(|(owner, _)| *owner));
    }
    let asked = asked_for(exception, proposal);
    let mut told: Vec<(CustomerId, String)> = Vec::new();
    for (owner, what) in paid {
        if payers.contains(&owner) || told.iter().any(|(known, _)| *known == owner) {
            continue;
        }
        let Some(payer) = payers.first().copied() else { continue };
        let codes = tx.customer_codes(&[payer, owner]).await?;
        let code = |id: CustomerId| codes.get(&id).cloned().unwrap_or_else(|| id.to_string());
        let (of, to) = (code(payer), code(owner));
        let sentence = match tx.relation_between(&payers, owner, mandate.day).await? {
            Some(relation) => format!("{what} is of {to}, the money of {of}: {relation}"),
            None if asked => format!("{what} is of {to}, the money of {of}: accepted as that of a third party"),
            None => match unrelated {
                Some(why) => format!("{what} is of {to}, the money of {of}, and no relation is known: {why}"),
                None => {
                    return Err(ResolveError::Refused(format!(
                        "{what} is of {to}, the money of {of}, and no relation between them is known; if it is meant so, say it again with \
                         --unrelated and --note why"
                    )));
                }
            },
        };
        told.push((owner, sentence));
    }
    Ok(told.into_iter().map(|(_, sentence)| sentence).collect())
}

/// Who paid, as far as it is known: whose account it came from, whose money it was found to be, whom the exception names.
async fn identified(tx: &mut Tx, exception: &Exception, payment: &Payment) -> Result<Vec<CustomerId>, ResolveError> {
    let mut owners = match &payment.payer.account {
        Some(account) => tx.customers_of_account(account).await?,
        None => Vec::new(),
    };
    if owners.is_empty() {
        owners.extend(payment.payer.customer.or(exception.customer));
    }
    Ok(owners)
}

/// Whether this is what the engine asked about when it found a third party: to accept it is to confirm that.
fn asked_for(exception: &Exception, proposal: &Proposal) -> bool {
    let proposals = exception.details.get("proposals").cloned().unwrap_or_default();
    let proposals: Vec<Proposal> = serde_json::from_value(proposals).unwrap_or_default();
    exception.reason == Reason::ThirdPartyPayer && proposals.iter().any(|known| known.lines == proposal.lines)
}

/// A part is taken off an item only where cash of the payment stands on it: otherwise one payment could close what another owes.
pub(super) async fn concerned(tx: &mut Tx, payment: &Payment, id: OpenItemId) -> Result<(), ResolveError> {
    let standing = tx.standing_applications(payment.id).await?;
    if standing.iter().any(|application| application.item == Some(id) && application.cash_minor != 0) {
        return Ok(());
    }
    let item = tx.open_items(&[id]).await?.pop();
    let number = item.map_or_else(|| id.to_string(), |item| item.number);
    Err(ResolveError::Refused(format!(
        "no cash of payment {} stands on item {number}; apply what it paid first, or decide about the item where it was paid",
        payment.id
    )))
}

/// Keeps in the audit whose money paid whose items.
pub(super) async fn note(tx: &mut Tx, mandate: &Mandate<'_>, payment: &Payment, told: &[String]) -> anyhow::Result<()> {
    for sentence in told {
        tell(tx, mandate, "between_customers", payment.id, sentence.clone()).await?;
    }
    Ok(())
}
