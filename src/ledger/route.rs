//! What routing rules may ask about a matter that somebody's act raises: the same as about one that the engine raises.

use crate::{
    domain::{Currency, CustomerId, ExceptionFacts, Level, Reason, SellerId},
    store::Tx,
};

/// Facts about an exception on a seller's and a customer's account, its amount in minor units of the currency.
pub(super) async fn facts(
    tx: &mut Tx,
    (seller, customer): (Option<SellerId>, Option<CustomerId>),
    level: Level,
    reason: Reason,
    (amount_minor, currency): (i64, Currency),
) -> anyhow::Result<ExceptionFacts> {
    let seller_code = match seller {
        Some(seller) => tx.seller_code(seller).await?,
        None => None,
    };
    let (customer_code, portfolio_owner) = match customer {
        Some(customer) => tx.customer_portfolio(customer).await?.unzip(),
        None => (None, None),
    };
    let portfolio_owner = portfolio_owner.flatten();
    Ok(ExceptionFacts { reason, level, amount_minor, currency, seller_code, customer_code, portfolio_owner, reason_code: None })
}
