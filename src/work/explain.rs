//! A stored decision in words.

use std::collections::HashMap;

use crate::{
    domain::{Currency, Decision},
    matching::explain::{Names, render},
    store::Tx,
};

/// The decision as text for a person, with the numbers and names that it holds as ids.
pub async fn explain(tx: &mut Tx, decision: &Decision, currency: Currency) -> anyhow::Result<String> {
    let ids: Vec<_> = decision.proposals.iter().flat_map(|proposal| &proposal.lines).map(|line| line.item).collect();
    let items: HashMap<_, _> = tx.open_items(&ids).await?.into_iter().map(|item| (item.id, item.number)).collect();
    let (customers, _) = tx.customers_changed_since(0).await?;
    let customers: HashMap<_, _> =
        customers.into_iter().map(|customer| (customer.id, format!("{} ({})", customer.name, customer.code))).collect();
    let names = Names { currency, item: &|id| items.get(&id).cloned(), customer: &|id| customers.get(&id).cloned() };
    Ok(render(decision, &names))
}
