//! Sellers, customers, our own accounts, relations between customers, and exchange rates.
//!
//! Account numbers come as keyed hash and ciphertext; this module never sees one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::{
    Kind, Past, Tx,
    bulk::Rows,
    value::{Columns, values},
};
use crate::{
    domain::{AccountKey, BankAccount, Currency, Customer, CustomerId, Relation, Seller, SellerId},
    secret::SealedAccount,
};

/// A customer as the ERP tells it, with names instead of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    pub code: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub parent_code: Option<String>,
    pub country: String,
    pub currency: Currency,
    pub terms: String,
    pub seller_codes: Vec<String>,
    pub accounts: Vec<SealedAccount>,
    pub originator_id: Option<String>,
    pub portfolio_owner: Option<String>,
}

impl NewCustomer {
    /// The customer as it is known once it is stored under these ids.
    pub fn known(self, id: CustomerId, parent: Option<CustomerId>, sellers: Vec<SellerId>) -> Customer {
        Customer {
            id,
            code: self.code,
            name: self.name,
            aliases: self.aliases,
            parent,
            country: self.country,
            currency: self.currency,
            terms: self.terms,
            sellers,
            accounts: self.accounts.into_iter().map(|account| account.key).collect(),
            originator_id: self.originator_id,
            portfolio_owner: self.portfolio_owner,
        }
    }
}

/// One of our own accounts as the ERP tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBankAccount {
    pub seller: SellerId,
    pub kind: String,
    /// Routing number or BIC.
    pub bank: Option<String>,
    pub account: SealedAccount,
    /// The number alone, whatever the bank is called.
    pub number: Option<AccountKey>,
    /// Where the deposits of a lockbox go: the account, and its number alone.
    pub deposit: Option<(AccountKey, AccountKey)>,
    pub currency: Currency,
    pub layout: String,
}

/// What a unit of a currency is worth in USD, as decimal text, from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub currency: Currency,
    pub valid_from: NaiveDate,
    pub usd_rate: String,
}

impl Tx {
    /// Stores sellers by code; a name that is told replaces the one that is stored. Returns the ids by code.
    pub async fn upsert_sellers(&mut self, sellers: &BTreeMap<String, String>) -> anyhow::Result<HashMap<String, SellerId>> {
        let ids = self.reserve(Kind::Seller, sellers.len()).await?;
        let mut rows = Rows::of_width(3);
        for ((code, name), id) in sellers.iter().zip(ids) {
            rows.push(values![id, code, name]);
        }
        // A code alone (name equal to it) never overwrites a real name.
        let tail = "on conflict (code) do update set name = case when excluded.name = excluded.code then seller.name else excluded.name end";
        self.insert("seller", "id, code, name", tail, rows).await?;
        Ok(self.sellers().await?.into_iter().map(|seller| (seller.code, seller.id)).collect())
    }

    pub async fn sellers(&mut self) -> anyhow::Result<Vec<Seller>> {
        let rows = self.all("select id, code, name from seller order by id", Vec::new()).await?;
        let sellers = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Seller { id: SellerId(columns.number()?), code: columns.text()?, name: columns.text()? })
        });
        sellers.collect()
    }

    /// Under which ids the invoices of sellers come by EDI. A seller that is named here gets these in place of those it had.
    pub async fn replace_edi_ids(&mut self, ids: &BTreeMap<SellerId, BTreeSet<String>>) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(2);
        for (seller, ids) in ids {
            self.run("delete from seller_edi_id where seller_id = $1", values![*seller]).await?;
            ids.iter().for_each(|id| rows.push(values![*seller, id]));
        }
        self.insert("seller_edi_id", "seller_id, edi_id", "", rows).await?;
        Ok(())
    }

    /// Sellers and the ids under which their invoices come by EDI.
    pub async fn edi_ids(&mut self) -> anyhow::Result<Vec<(SellerId, String)>> {
        let rows = self.all("select seller_id, edi_id from seller_edi_id order by seller_id, edi_id", Vec::new()).await?;
        let ids = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((SellerId(columns.number()?), columns.text()?))
        });
        ids.collect()
    }

    /// Stores customers by code with their aliases, accounts and sellers. Returns the ids by code. Unknown parents are an error.
    pub async fn upsert_customers(
        &mut self,
        customers: &[NewCustomer],
        source: &str,
    ) -> anyhow::Result<HashMap<String, CustomerId>> {
        let before = self.customers_changed_since(0).await?.0;
        let mark = self.change_mark().await?;
        let by_code: BTreeMap<&str, &NewCustomer> = customers.iter().map(|customer| (customer.code.as_str(), customer)).collect();
        let ids = self.reserve(Kind::Customer, by_code.len()).await?;
        let mut rows = Rows::of_width(9);
        for (customer, id) in by_code.values().zip(ids) {
            let NewCustomer { code, name, country, currency, terms, originator_id, portfolio_owner, .. } = customer;
            rows.push(values![id, code, name, country, *currency, terms, originator_id, portfolio_owner, mark]);
        }
        let tail = "on conflict (code) do update set name = excluded.name, country = excluded.country, currency = excluded.currency, \
                    terms = excluded.terms, originator_id = excluded.originator_id, portfolio_owner = excluded.portfolio_owner, \
                    changed = excluded.changed";
        let columns = "id, code, name, country, currency, terms, originator_id, portfolio_owner, changed";
        self.insert("customer", columns, tail, rows).await?;
        let ids = self.customer_ids().await?;
        self.store_parents(by_code.values().copied(), &ids).await?;
        self.store_details(by_code.values().copied(), &ids, source).await?;
        self.keep_past_customers(before).await?;
        Ok(ids)
    }

    async fn store_parents(
        &mut self,
        customers: impl Iterator<Item = &NewCustomer>,
        ids: &HashMap<String, CustomerId>,
    ) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(2);
        for customer in customers {
            let parent = match customer.parent_code.as_deref() {
                Some(code) => Some(*ids.get(code).ok_or_else(|| {
                    anyhow::anyhow!("customer {}: parent {code:?} is not a customer; import the parent too", customer.code)
                })?),
                None => None,
            };
            rows.push(values![&customer.code, parent]);
        }
        self.with_rows(
            "code, parent",
            rows,
            "{v} update customer set parent_id = v.parent from v where customer.code = v.code",
            Vec::new(),
        )
        .await?;
        Ok(())
    }

    async fn store_details(
        &mut self,
        customers: impl Iterator<Item = &NewCustomer>,
        ids: &HashMap<String, CustomerId>,
        source: &str,
    ) -> anyhow::Result<()> {
        let sellers: HashMap<_, _> = self.sellers().await?.into_iter().map(|seller| (seller.code, seller.id)).collect();
        let (mut aliases, mut accounts, mut serves) = (Rows::of_width(3), Rows::of_width(5), Rows::of_width(2));
        for customer in customers {
            let id = ids.get(&customer.code).copied();
            for alias in &customer.aliases {
                aliases.push(values![id, alias, source]);
            }
            for account in &customer.accounts {
                accounts.push(values![id, &account.key, &account.ciphertext, &account.last4, source]);
            }
            for code in &customer.seller_codes {
                let seller = sellers.get(code).ok_or_else(|| {
                    anyhow::anyhow!(
                        "customer {}: seller {code:?} is not known; import bank accounts or sellers first",
                        customer.code
                    )
                })?;
                serves.push(values![id, *seller]);
            }
        }
        self.insert("customer_alias", "customer_id, alias, source", "on conflict (customer_id, alias) do nothing", aliases)
            .await?;
        let tail = "on conflict (customer_id, account_key) do nothing";
        self.insert("customer_account", "customer_id, account_key, account_cipher, last4, source", tail, accounts).await?;
        self.insert("customer_seller", "customer_id, seller_id", "on conflict (customer_id, seller_id) do nothing", serves)
            .await?;
        Ok(())
    }

    /// Codes of these customers.
    pub async fn customer_codes(&mut self, customers: &[CustomerId]) -> anyhow::Result<HashMap<CustomerId, String>> {
        let mut rows = Rows::of_width(1);
        for customer in customers {
            rows.push(values![*customer]);
        }
        let sql = "{v} select c.id, c.code from customer c join v on c.id = v.id";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        let codes = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((CustomerId(columns.number()?), columns.text()?))
        });
        codes.collect()
    }

    /// Keeps what customers were `before`, of those that are something else now.
    async fn keep_past_customers(&mut self, before: Vec<Customer>) -> anyhow::Result<()> {
        let now = self.customers_changed_since(0).await?.0;
        let now: HashMap<_, _> = now.into_iter().map(|customer| (customer.id, customer)).collect();
        let changed = before.into_iter().filter(|customer| now.get(&customer.id) != Some(customer));
        self.keep_past(&changed.map(Past::Customer).collect::<Vec<_>>()).await
    }

    /// Customer ids by code.
    pub async fn customer_ids(&mut self) -> anyhow::Result<HashMap<String, CustomerId>> {
        let rows = self.all("select code, id from customer", Vec::new()).await?;
        let ids = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.text()?, CustomerId(columns.number()?)))
        });
        ids.collect()
    }

    /// Code of a seller.
    pub async fn seller_code(&mut self, seller: SellerId) -> anyhow::Result<Option<String>> {
        let row = self.first("select code from seller where id = $1", values![seller]).await?;
        row.map(|row| Columns::of(&row).text()).transpose()
    }

    /// Code of a customer, and the person whose portfolio it belongs to.
    pub async fn customer_portfolio(&mut self, customer: CustomerId) -> anyhow::Result<Option<(String, Option<String>)>> {
        let row = self.first("select code, portfolio_owner from customer where id = $1", values![customer]).await?;
        let read = |row| {
            let mut columns = Columns::of(&row);
            Ok((columns.text()?, columns.text_opt()?))
        };
        row.map(read).transpose()
    }

    /// Customers stored or changed since the mark, with the mark to ask with next time. Marks start at 0.
    pub async fn customers_changed_since(&mut self, mark: i64) -> anyhow::Result<(Vec<Customer>, i64)> {
        let horizon = self.horizon().await?;
        let sql = "select id, code, name, parent_id, country, currency, terms, originator_id, portfolio_owner from customer \
                   where changed >= $1 order by id";
        let rows = self.all(sql, values![mark]).await?;
        let mut customers = rows.iter().map(|row| read(&mut Columns::of(row))).collect::<anyhow::Result<Vec<_>>>()?;
        let places: HashMap<_, _> = customers.iter().enumerate().map(|(place, customer)| (customer.id.0, place)).collect();
        let sql = "select d.customer_id, d.alias from customer_alias d join customer c on c.id = d.customer_id where c.changed >= $1 \
                   order by d.customer_id, d.alias";
        self.details(sql, mark, &places, &mut customers, |columns, customer| {
            customer.aliases.push(columns.text()?);
            Ok(())
        })
        .await?;
        let sql = "select d.customer_id, d.account_key from customer_account d join customer c on c.id = d.customer_id \
                   where c.changed >= $1 order by d.customer_id, d.account_key";
        self.details(sql, mark, &places, &mut customers, |columns, customer| {
            customer.accounts.push(AccountKey(columns.text()?));
            Ok(())
        })
        .await?;
        let sql = "select d.customer_id, d.seller_id from customer_seller d join customer c on c.id = d.customer_id where c.changed >= $1 \
                   order by d.customer_id, d.seller_id";
        self.details(sql, mark, &places, &mut customers, |columns, customer| {
            customer.sellers.push(SellerId(columns.number()?));
            Ok(())
        })
        .await?;
        Ok((customers, horizon))
    }

    async fn details(
        &mut self,
        sql: &str,
        mark: i64,
        places: &HashMap<i64, usize>,
        customers: &mut [Customer],
        add: impl Fn(&mut Columns<'_>, &mut Customer) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for row in &self.all(sql, values![mark]).await? {
            let mut columns = Columns::of(row);
            let id = columns.number()?;
            if let Some(customer) = places.get(&id).and_then(|place| customers.get_mut(*place)) {
                add(&mut columns, customer)?;
            }
        }
        Ok(())
    }

    /// Stores our own accounts.
    pub async fn upsert_bank_accounts(&mut self, accounts: &[NewBankAccount]) -> anyhow::Result<()> {
        let by_key: BTreeMap<_, _> =
            accounts.iter().map(|account| ((&account.account.key, &account.kind, account.currency), account)).collect();
        let ids = self.reserve(Kind::BankAccount, by_key.len()).await?;
        let mut rows = Rows::of_width(12);
        for (new, id) in by_key.values().zip(ids) {
            let SealedAccount { key, ciphertext, last4 } = &new.account;
            let (deposit, deposit_number) = new.deposit.clone().unzip();
            rows.push(values![
                id,
                new.seller,
                &new.kind,
                &new.bank,
                key,
                ciphertext,
                last4,
                new.currency,
                &new.layout,
                &new.number,
                &deposit,
                &deposit_number,
            ]);
        }
        let tail = "on conflict (account_key, kind, currency) do update set seller_id = excluded.seller_id, bank = excluded.bank, \
                    account_cipher = excluded.account_cipher, last4 = excluded.last4, layout = excluded.layout, number_key = excluded.number_key, \
                    deposit_key = excluded.deposit_key, deposit_number_key = excluded.deposit_number_key";
        let columns = "id, seller_id, kind, bank, account_key, account_cipher, last4, currency, layout, number_key, deposit_key, deposit_number_key";
        self.insert("bank_account", columns, tail, rows).await?;
        Ok(())
    }

    pub async fn bank_accounts(&mut self) -> anyhow::Result<Vec<BankAccount>> {
        let sql = "select seller_id, kind, account_key, last4, currency, layout, number_key, deposit_key, deposit_number_key \
                   from bank_account order by id";
        let rows = self.all(sql, Vec::new()).await?;
        let accounts = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(BankAccount {
                seller: SellerId(columns.number()?),
                kind: columns.text()?,
                account: AccountKey(columns.text()?),
                last4: columns.text()?,
                currency: columns.currency()?,
                layout: columns.text()?,
                number: columns.text_opt()?.map(AccountKey),
                deposit: columns.text_opt()?.map(AccountKey).zip(columns.text_opt()?.map(AccountKey)),
            })
        });
        accounts.collect()
    }

    /// Stores dated relations; the same relation from the same day on gets a new end.
    pub async fn upsert_relations(&mut self, relations: &[Relation]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(5);
        for Relation { payer, pays_for, kind, from, until } in relations {
            rows.push(values![*payer, *pays_for, kind, *from, *until]);
        }
        let tail = "on conflict (payer_id, pays_for_id, kind, valid_from) do update set valid_until = excluded.valid_until";
        self.insert("customer_relation", "payer_id, pays_for_id, kind, valid_from, valid_until", tail, rows).await?;
        Ok(())
    }

    pub async fn relations(&mut self) -> anyhow::Result<Vec<Relation>> {
        let sql = "select payer_id, pays_for_id, kind, valid_from, valid_until from customer_relation order by payer_id, pays_for_id, valid_from";
        let rows = self.all(sql, Vec::new()).await?;
        let relations = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Relation {
                payer: CustomerId(columns.number()?),
                pays_for: CustomerId(columns.number()?),
                kind: columns.text()?,
                from: columns.date()?,
                until: columns.date_opt()?,
            })
        });
        relations.collect()
    }

    /// Customers that are known to pay from an account.
    pub async fn customers_of_account(&mut self, account: &AccountKey) -> anyhow::Result<Vec<CustomerId>> {
        let sql = "select customer_id from customer_account where account_key = $1 order by customer_id";
        let rows = self.all(sql, values![account]).await?;
        rows.iter().map(|row| Ok(CustomerId(Columns::of(row).number()?))).collect()
    }

    /// How one of these payers is related to whoever owes, on a day: by an agreement, or as one family.
    pub async fn relation_between(
        &mut self,
        payers: &[CustomerId],
        owner: CustomerId,
        day: NaiveDate,
    ) -> anyhow::Result<Option<String>> {
        let sql = "select kind from customer_relation where payer_id = $1 and pays_for_id = $2 and valid_from <= $3 \
                   and (valid_until is null or valid_until >= $3) order by valid_from, kind limit 1";
        let head = self.head_of_family(owner).await?;
        for payer in payers {
            if let Some(row) = self.first(sql, values![*payer, owner, day]).await? {
                return Ok(Some(format!("related as {}", Columns::of(&row).text()?)));
            }
            if self.head_of_family(*payer).await? == head {
                let code = self.customer_codes(&[head]).await?.remove(&head).unwrap_or_default();
                return Ok(Some(format!("both of the family of {code}")));
            }
        }
        Ok(None)
    }

    /// The customer itself when it has no parent.
    async fn head_of_family(&mut self, customer: CustomerId) -> anyhow::Result<CustomerId> {
        /// More generations are a circle.
        const PARENTS_MAX: usize = 16;
        let mut head = customer;
        for _ in 0..PARENTS_MAX {
            let row = self.first("select parent_id from customer where id = $1", values![head]).await?;
            match row.map(|row| Columns::of(&row).number_opt()).transpose()?.flatten() {
                Some(parent) => head = CustomerId(parent),
                None => break,
            }
        }
        Ok(head)
    }

    pub async fn upsert_rates(&mut self, rates: &[Rate]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(3);
        for rate in rates.iter().map(|rate| ((rate.currency, rate.valid_from), rate)).collect::<BTreeMap<_, _>>().into_values() {
            rows.push(values![rate.currency, rate.valid_from, &rate.usd_rate]);
        }
        let tail = "on conflict (currency, valid_from) do update set usd_rate = excluded.usd_rate";
        self.insert("rate", "currency, valid_from, usd_rate", tail, rows).await?;
        Ok(())
    }

    pub async fn rates(&mut self) -> anyhow::Result<Vec<Rate>> {
        let rows = self.all("select currency, valid_from, usd_rate from rate order by currency, valid_from", Vec::new()).await?;
        let rates = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Rate { currency: columns.currency()?, valid_from: columns.date()?, usd_rate: columns.text()? })
        });
        rates.collect()
    }
}

fn read(columns: &mut Columns<'_>) -> anyhow::Result<Customer> {
    Ok(Customer {
        id: CustomerId(columns.number()?),
        code: columns.text()?,
        name: columns.text()?,
        aliases: Vec::new(),
        parent: columns.number_opt()?.map(CustomerId),
        country: columns.text()?,
        currency: columns.currency()?,
        terms: columns.text()?,
        sellers: Vec::new(),
        accounts: Vec::new(),
        originator_id: columns.text_opt()?,
        portfolio_owner: columns.text_opt()?,
    })
}
