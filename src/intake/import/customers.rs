//! Customers: who owes, under which names, from which accounts.

use tieout_parsers::{Account, Currency};

use super::{Column, Fields, Importable, Key};
use crate::domain::TermsOfPayment;

/// One customer as the ERP knows it. Parents and sellers are codes; they are resolved by whoever stores the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    pub code: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub parent_code: Option<String>,
    pub country: String,
    pub currency: Currency,
    /// Default terms as written; they can be read.
    pub terms: String,
    pub seller_codes: Vec<String>,
    pub accounts: Vec<KnownAccount>,
    pub originator_id: Option<String>,
    pub portfolio_owner: Option<String>,
}

/// An account a customer pays from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAccount {
    pub bank: Option<String>,
    pub account: Account<'static>,
}

impl Importable for CustomerRow {
    const COLUMNS: &'static [Column] = &[
        Column::required("customer_id"),
        Column::required("name"),
        Column::optional("aliases"),
        Column::optional("parent_id"),
        Column::optional("country"),
        Column::required("currency"),
        Column::optional("terms"),
        Column::optional("seller_ids"),
        Column::secret("known_accounts"),
        Column::optional("ach_originator_id"),
        Column::optional("portfolio_owner"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let code = fields.required("customer_id", "the number the customer has in the ERP");
        let name = fields.required("name", "a name");
        let currency = fields.currency("currency");
        let terms = fields.text("terms").unwrap_or_default();
        if let Err(expected) = terms.parse::<TermsOfPayment>() {
            fields.refuse("terms", &expected);
        }
        let accounts = fields.list("known_accounts").into_iter().filter_map(|text| known_account(fields, &text)).collect();
        let parent_code = fields.text("parent_id");
        if parent_code.is_some() && parent_code == code {
            fields.refuse("parent_id", "another customer");
        }
        Some(Self {
            code: code?,
            name: name?,
            aliases: fields.list("aliases"),
            parent_code,
            country: fields.text("country").unwrap_or_default(),
            currency: currency?,
            terms,
            seller_codes: fields.list("seller_ids"),
            accounts,
            originator_id: fields.text("ach_originator_id"),
            portfolio_owner: fields.text("portfolio_owner"),
        })
    }

    fn key(&self) -> Key {
        Key { column: "customer_id", identity: self.code.clone(), shown: format!("customer {}", self.code) }
    }
}

/// `bank:account`, or an account alone such as an IBAN.
fn known_account(fields: &mut Fields<'_>, text: &str) -> Option<KnownAccount> {
    let (bank, account) = text.split_once(':').map_or((None, text), |(bank, account)| (Some(bank.trim()), account));
    let account = account.trim();
    if !account.chars().any(|c| c.is_ascii_alphanumeric()) || account.contains(':') {
        fields.refuse("known_accounts", "bank:account, or several of them with | between");
        return None;
    }
    let bank = bank.filter(|bank| !bank.is_empty()).map(str::to_owned);
    Some(KnownAccount { bank, account: Account::new(account.to_owned().into()) })
}
