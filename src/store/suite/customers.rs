//! Customers, sellers, accounts, relations and rates.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{
    domain::{AccountKey, Currency, Relation},
    secret::SealedAccount,
    store::{NewBankAccount, NewCustomer, Rate, testing::on_both},
};

fn account(key: &str) -> SealedAccount {
    SealedAccount { key: AccountKey(key.to_owned()), ciphertext: format!("sealed {key}"), last4: "1234".to_owned() }
}

fn customer(code: &str, parent: Option<&str>) -> NewCustomer {
    NewCustomer {
        code: code.to_owned(),
        name: format!("{code} Inc"),
        aliases: vec![format!("{code} INCORPORATED")],
        parent_code: parent.map(str::to_owned),
        country: "US".to_owned(),
        currency: Currency::USD,
        terms: "2/10N30".to_owned(),
        seller_codes: vec!["S01".to_owned()],
        accounts: vec![account(code)],
        originator_id: None,
        portfolio_owner: Some("ann".to_owned()),
    }
}

fn sellers() -> BTreeMap<String, String> {
    BTreeMap::from([("S01".to_owned(), "Widget Works".to_owned())])
}

on_both! {
    async fn customers_come_back_as_they_went_in(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let seller = tx.upsert_sellers(&sellers()).await.unwrap()["S01"];
        // The child stands before its parent in the file.
        let ids = tx.upsert_customers(&[customer("C2", Some("C1")), customer("C1", None)], "erp").await.unwrap();
        let (stored, mark) = tx.customers_changed_since(0).await.unwrap();
        assert_eq!(stored.len(), 2);
        let child = stored.iter().find(|customer| customer.code == "C2").expect("stored");
        assert_eq!((child.parent, child.sellers.as_slice()), (Some(ids["C1"]), [seller].as_slice()));
        assert_eq!((child.aliases.as_slice(), child.accounts.as_slice()), (["C2 INCORPORATED".to_owned()].as_slice(), [AccountKey("C2".to_owned())].as_slice()));
        tx.commit().await.unwrap();

        let mut tx = fresh.db.begin().await.unwrap();
        let renamed = NewCustomer { name: "Other".to_owned(), ..customer("C1", None) };
        assert_eq!(tx.upsert_customers(&[renamed], "erp").await.unwrap(), ids);
        tx.commit().await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        let (changed, _) = tx.customers_changed_since(mark).await.unwrap();
        assert!(changed.iter().any(|customer| customer.name == "Other"));
        tx.commit().await.unwrap();
    }
}

on_both! {
    async fn an_unknown_parent_or_seller_is_named(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.upsert_sellers(&sellers()).await.unwrap();
        let error = tx.upsert_customers(&[customer("C2", Some("C9"))], "erp").await.unwrap_err().to_string();
        assert!(error.contains("C2") && error.contains("C9"), "{error}");
        let strange = NewCustomer { seller_codes: vec!["S77".to_owned()], ..customer("C3", None) };
        let error = tx.upsert_customers(&[strange], "erp").await.unwrap_err().to_string();
        assert!(error.contains("C3") && error.contains("S77"), "{error}");
    }
}

on_both! {
    async fn sellers_accounts_relations_and_rates_are_updated_in_place(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let seller = tx.upsert_sellers(&sellers()).await.unwrap()["S01"];
        let coded = BTreeMap::from([("S01".to_owned(), "S01".to_owned())]);
        assert_eq!(tx.upsert_sellers(&coded).await.unwrap()["S01"], seller);
        assert_eq!(tx.sellers().await.unwrap()[0].name, "Widget Works", "a bare code does not overwrite a name");
        let ours = |layout: &str| NewBankAccount {
            seller, kind: "bank".to_owned(), bank: Some("021000021".to_owned()), account: account("ours"), number: None, deposit: None, currency: Currency::USD, layout: layout.to_owned(),
        };
        tx.upsert_bank_accounts(&[ours("bai2"), ours("nacha")]).await.unwrap();
        tx.upsert_bank_accounts(&[ours("camt")]).await.unwrap();
        let accounts = tx.bank_accounts().await.unwrap();
        assert_eq!((accounts.len(), accounts[0].layout.as_str(), accounts[0].account.0.as_str()), (1, "camt", "ours"));

        let ids = tx.upsert_customers(&[customer("C1", None), customer("C2", None)], "erp").await.unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let relation = |until: Option<&str>| Relation { payer: ids["C1"], pays_for: ids["C2"], kind: "factor".to_owned(), from: day("2026-01-01"), until: until.map(day) };
        tx.upsert_relations(&[relation(None)]).await.unwrap();
        tx.upsert_relations(&[relation(Some("2026-06-30"))]).await.unwrap();
        assert_eq!(tx.relations().await.unwrap(), [relation(Some("2026-06-30"))]);
        let rate = |value: &str| Rate { currency: Currency::EUR, valid_from: day("2026-01-01"), usd_rate: value.to_owned() };
        tx.upsert_rates(&[rate("1.10"), rate("1.12")]).await.unwrap();
        assert_eq!(tx.rates().await.unwrap(), [rate("1.12")]);
    }
}
