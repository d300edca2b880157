//! Our own accounts by what files call them. Banks write their own name and our numbers in many ways; the keyed hashes of the numbers
//! tell which account is meant, and for a lockbox the account that its deposits go to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tieout_parsers::{Currency, Party};

use crate::{
    domain::{AccountKey, BankAccount, SellerId},
    secret::Vault,
};

/// Kind of an imported account that is the number of a lockbox.
const LOCKBOX: &str = "lockbox";

/// One of our accounts as a record names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Whose account it is, where it was imported.
    pub seller: Option<SellerId>,
    /// Equal for all records of one account; nothing when it cannot be told.
    pub key: Option<AccountKey>,
}

/// The accounts that were imported.
#[derive(Clone, Debug, Default)]
pub struct OwnAccounts {
    by_account: HashMap<AccountKey, Own>,
    /// By the number alone; nothing where two banks use it.
    by_number: HashMap<AccountKey, Option<Own>>,
    /// Currencies of lockboxes by account and by number; nothing where two were imported.
    currencies: HashMap<AccountKey, Option<Currency>>,
}

impl OwnAccounts {
    pub fn new(accounts: &[BankAccount]) -> Self {
        let mut owners: BTreeMap<&AccountKey, BTreeSet<&AccountKey>> = BTreeMap::new();
        let deposits = accounts.iter().filter_map(|account| account.deposit.as_ref()).map(|(account, number)| (account, number));
        let numbered = accounts.iter().filter_map(|account| Some((&account.account, account.number.as_ref()?)));
        for (account, number) in numbered.chain(deposits) {
            owners.entry(number).or_default().insert(account);
        }
        // The number alone names the account as long as no other bank uses it, so that a file without bank finds it, too.
        let one = |account: &AccountKey, number: Option<&AccountKey>| match number {
            Some(number) if owners.get(number).is_none_or(|accounts| accounts.len() < 2) => number.clone(),
            _ => account.clone(),
        };
        let mut known = Self::default();
        for account in accounts {
            let key = match &account.deposit {
                Some((deposit, number)) => {
                    let key = one(deposit, Some(number));
                    known.add(deposit, Some(number), &Own { seller: Some(account.seller), key: Some(key.clone()) });
                    key
                }
                None => one(&account.account, account.number.as_ref()),
            };
            let own = Own { seller: Some(account.seller), key: Some(key) };
            known.add(&account.account, account.number.as_ref(), &own);
            if account.kind == LOCKBOX && account.currency.as_str() != "XXX" {
                known.add_currency(account);
            }
        }
        known
    }

    fn add(&mut self, account: &AccountKey, number: Option<&AccountKey>, own: &Own) {
        self.by_account.insert(account.clone(), own.clone());
        if let Some(number) = number {
            let slot = self.by_number.entry(number.clone()).or_insert_with(|| Some(own.clone()));
            if slot.as_ref().is_some_and(|known| known != own) {
                *slot = None;
            }
        }
    }

    fn add_currency(&mut self, account: &BankAccount) {
        for key in [Some(&account.account), account.number.as_ref()].into_iter().flatten() {
            let slot = self.currencies.entry(key.clone()).or_insert(Some(account.currency));
            if *slot != Some(account.currency) {
                *slot = None;
            }
        }
    }

    /// The account that a record says was credited. One that was not imported is known by its number.
    pub fn find(&self, payee: &Party<'_>, vault: &Vault) -> Own {
        let Some(account) = &payee.account else { return Own::default() };
        let (named, number) = (vault.key_of(payee.bank.as_deref(), account), vault.key_of(None, account));
        if let Some(own) = named.and_then(|named| self.by_account.get(&named)) {
            return own.clone();
        }
        match number.as_ref().map(|number| self.by_number.get(number)) {
            Some(Some(Some(own))) => own.clone(),
            // Two banks use the number, and the record does not say which it is.
            Some(Some(None)) => Own::default(),
            Some(None) | None => Own { seller: None, key: number },
        }
    }

    /// Whether a record says that an account was credited which is none of ours. Nobody can tell as long as none was imported.
    pub fn is_foreign(&self, payee: &Party<'_>, vault: &Vault) -> bool {
        !self.by_account.is_empty() && matches!(self.find(payee, vault), Own { seller: None, key: Some(_) })
    }

    /// The currency of a lockbox.
    pub fn currency_of_lockbox(&self, bank: &str, lockbox: &str, vault: &Vault) -> Option<Currency> {
        let of = |key: Option<AccountKey>| key.and_then(|key| self.currencies.get(&key).copied());
        of(vault.key(Some(bank), lockbox)).or_else(|| of(vault.key(None, lockbox))).flatten()
    }
}
