//! Who owes, whose receivable it is, and which accounts are known.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{AccountKey, Currency, CustomerId, SellerId};

/// Who owes. Accounts and aliases are those known at the moment of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    /// The number our ERP knows the customer by.
    pub code: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub parent: Option<CustomerId>,
    pub country: String,
    pub currency: Currency,
    /// Default terms as written, `2/10N30`.
    pub terms: String,
    pub sellers: Vec<SellerId>,
    pub accounts: Vec<AccountKey>,
    /// Originating company id of its ACH payments (BPR10, NACHA company id).
    pub originator_id: Option<String>,
    /// Who looks after the customer.
    pub portfolio_owner: Option<String>,
}

/// The legal entity or factoring client whose receivable it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seller {
    pub id: SellerId,
    pub code: String,
    pub name: String,
}

/// One of our own accounts: it tells whose receivable a payment settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccount {
    pub seller: SellerId,
    /// `bank`, `lockbox`, `card`, ...
    pub kind: String,
    pub account: AccountKey,
    pub last4: String,
    /// The number alone, whatever the bank is called.
    pub number: Option<AccountKey>,
    /// Where the deposits of a lockbox go: the account, and its number alone.
    pub deposit: Option<(AccountKey, AccountKey)>,
    pub currency: Currency,
    /// Layout of the files the bank drops for it.
    pub layout: String,
}

/// A dated relation that lets one party pay for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    pub payer: CustomerId,
    pub pays_for: CustomerId,
    /// `parent`, `factor` or `third_party`.
    pub kind: String,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}
