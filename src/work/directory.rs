//! Whose receivable a record is about, and which customer it names.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tieout_parsers::{Exchange, Party};

use super::own::OwnAccounts;
use crate::{
    domain::{Customer, CustomerId, SellerId},
    secret::Vault,
    store::Tx,
};

/// Sellers, our accounts and customers by everything that files name them by. It follows the store, because reading all customers for
/// every file would cost more than the file.
#[derive(Clone, Default)]
pub struct Directory {
    sellers: HashMap<String, SellerId>,
    seller_codes: HashMap<SellerId, String>,
    /// The only seller there is; then nothing needs to be named.
    only: Option<SellerId>,
    own: OwnAccounts,
    /// Ids under which invoices of a seller come by EDI, beside its code and its name.
    edi_ids: HashSet<(SellerId, String)>,
    customers: HashMap<CustomerId, Customer>,
    customers_by_code: HashMap<String, CustomerId>,
    /// By folded name; nothing where two customers share it.
    customers_by_name: HashMap<String, Option<CustomerId>>,
    /// Change mark of the customers that were read.
    mark: i64,
}

impl Directory {
    /// Brings a directory up to date; one that nobody else looks at is changed in place.
    pub async fn refresh(shared: &mut Arc<Self>, tx: &mut Tx) -> anyhow::Result<()> {
        let (changed, mark) = tx.customers_changed_since(shared.mark).await?;
        let known = changed.iter().any(|customer| shared.customers.get(&customer.id).is_some_and(|known| known != customer));
        let customers = if known { tx.customers_changed_since(0).await?.0 } else { changed };
        let sellers = tx.sellers().await?;
        let accounts = tx.bank_accounts().await?;
        let edi_ids = tx.edi_ids().await?;
        let directory = Arc::make_mut(shared);
        if known {
            // A name that a customer no longer bears must go; that happens so rarely that all are read anew.
            *directory = Self::default();
        }
        directory.mark = mark;
        directory.only = (sellers.len() == 1).then(|| sellers[0].id);
        directory.seller_codes = sellers.iter().map(|seller| (seller.id, seller.code.clone())).collect();
        directory.own = OwnAccounts::new(&accounts);
        directory.edi_ids = edi_ids.into_iter().map(|(seller, id)| (seller, folded(&id))).collect();
        // A code is the stronger name: it wins where one seller's name is another's code.
        let names = sellers.iter().map(|seller| (folded(&seller.name), seller.id));
        let codes = sellers.iter().map(|seller| (folded(&seller.code), seller.id));
        directory.sellers = names.chain(codes).collect();
        customers.into_iter().for_each(|customer| directory.add(customer));
        Ok(())
    }

    fn add(&mut self, customer: Customer) {
        self.customers_by_code.insert(folded(&customer.code), customer.id);
        for name in customer.aliases.iter().chain([&customer.name]).map(|name| folded(name)) {
            let known = self.customers_by_name.entry(name).or_insert(Some(customer.id));
            if *known != Some(customer.id) {
                *known = None;
            }
        }
        self.customers.insert(customer.id, customer);
    }

    /// Whose receivable a payment or advice settles: the account credited, then whoever the envelope or the payee names.
    pub fn payee(&self, payee: &Party<'_>, exchange: Option<&Exchange<'_>>, vault: &Vault) -> Option<SellerId> {
        let by_account = self.own.find(payee, vault).seller;
        by_account
            .or_else(|| self.named(payee))
            .or_else(|| exchange.and_then(|exchange| self.seller(&exchange.application_receiver)))
            .or_else(|| exchange.and_then(|exchange| self.seller(&exchange.receiver)))
            .or(self.only)
    }

    /// Our own accounts.
    pub const fn own(&self) -> &OwnAccounts {
        &self.own
    }

    /// Whose receivable an invoice is: the seller it names, then whoever sent it.
    pub fn issuer(&self, seller: &Party<'_>, exchange: Option<&Exchange<'_>>) -> Option<SellerId> {
        self.named(seller)
            .or_else(|| exchange.and_then(|exchange| self.seller(&exchange.application_sender)))
            .or_else(|| exchange.and_then(|exchange| self.seller(&exchange.sender)))
            .or(self.only)
    }

    /// Whether an interchange was sent by the seller whose receivable it tells of, or by who sends for it. A customer who sends us advices
    /// could otherwise send us invoices and credits, too.
    pub fn may_issue(&self, seller: SellerId, exchange: Option<&Exchange<'_>>) -> bool {
        exchange.is_some_and(|exchange| {
            self.seller(&exchange.sender) == Some(seller) || self.edi_ids.contains(&(seller, folded(&exchange.sender)))
        })
    }

    /// The customer a party is, by code and then by a name that only one customer has.
    pub fn customer(&self, party: &Party<'_>) -> Option<&Customer> {
        let by_code = party.id.as_deref().and_then(|id| self.customers_by_code.get(&folded(id)));
        let by_name = party.name.as_deref().and_then(|name| self.customers_by_name.get(&folded(name))?.as_ref());
        by_code.or(by_name).and_then(|id| self.customers.get(id))
    }

    pub fn customer_of(&self, id: Option<CustomerId>) -> Option<&Customer> {
        id.and_then(|id| self.customers.get(&id))
    }

    pub fn seller_code(&self, id: Option<SellerId>) -> Option<String> {
        id.and_then(|id| self.seller_codes.get(&id).cloned())
    }

    fn named(&self, party: &Party<'_>) -> Option<SellerId> {
        let name = |text: &Option<tieout_parsers::Text<'_>>| text.as_deref().and_then(|text| self.seller(text));
        name(&party.id).or_else(|| name(&party.name))
    }

    fn seller(&self, name: &str) -> Option<SellerId> {
        self.sellers.get(&folded(name)).copied()
    }
}

/// Names that differ only in case and blanks are one name.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}
