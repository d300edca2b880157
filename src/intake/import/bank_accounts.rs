//! Our own accounts, lockboxes and merchant numbers: they tell whose receivable a payment settles.

use tieout_parsers::{Account, Currency};

use super::{Column, Fields, Importable, Key};
use crate::secret;

/// One account of a seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccountRow {
    pub seller_code: String,
    pub seller_name: Option<String>,
    /// What comes in there: `bank`, `lockbox`, `card`, `nacha`, ...
    pub kind: String,
    pub bank: Option<String>,
    pub account: Account<'static>,
    /// `XXX`, the ISO code for no currency, where the file names none: a merchant number settles cards in several.
    pub currency: Currency,
    /// Layout of the files the bank drops for it.
    pub layout: Option<String>,
    /// Where the deposits of a lockbox go, so that the deposit on its statement is known for the sum of its cheques.
    pub deposit_account: Option<Account<'static>>,
    /// The bank of that account; the bank of the lockbox where none is named.
    pub deposit_bank: Option<String>,
    /// Under which ids the invoices of the seller come by EDI, beside its code and its name.
    pub edi_ids: Vec<String>,
}

impl Importable for BankAccountRow {
    const COLUMNS: &'static [Column] = &[
        Column::required("seller_id"),
        Column::optional("seller_name"),
        Column::optional("kind"),
        Column::optional("bank_routing"),
        Column { name: "account", required: true, secret: true },
        Column::optional("currency"),
        Column::optional("layout"),
        Column { name: "deposit_account", required: false, secret: true },
        Column::optional("deposit_bank"),
        Column::optional("edi_ids"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let seller_code = fields.required("seller_id", "the code of the seller");
        let account = fields.required("account", "an account number");
        if account.as_ref().is_some_and(|account| !account.chars().any(|c| c.is_ascii_alphanumeric())) {
            fields.refuse("account", "an account number");
        }
        let currency = match fields.text("currency") {
            Some(_) => fields.currency("currency"),
            None => Currency::parse("XXX"),
        };
        Some(Self {
            seller_code: seller_code?,
            seller_name: fields.text("seller_name"),
            kind: fields.text("kind").unwrap_or_else(|| "bank".to_owned()),
            bank: fields.text("bank_routing"),
            account: Account::new(account?.into()),
            currency: currency?,
            layout: fields.text("layout"),
            deposit_account: fields.text("deposit_account").map(|number| Account::new(number.into())),
            deposit_bank: fields.text("deposit_bank"),
            edi_ids: fields.list("edi_ids"),
        })
    }

    fn key(&self) -> Key {
        let Self { kind, account, currency, .. } = self;
        let bank = self.bank.as_deref().unwrap_or_default();
        let identity = format!("{kind}\n{currency}\n{}", secret::identity(bank, account));
        Key { column: "account", identity, shown: format!("{kind} account {account} in {currency}") }
    }
}
