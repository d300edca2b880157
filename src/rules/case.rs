//! Whole cases of `rules/tests/*.toml`: given a payment, its advice, customers and open items; expected what the engine decides.
//!
//! Everything is plain text here: codes, decimal amounts in the currency of the case, ISO dates. Whoever runs a case makes its
//! own ids and snapshots from it; this module knows nothing of matching.

use chrono::NaiveDate;
use serde::Deserialize;

use super::amount::{SignedAmount, deserialize_currency};
use crate::domain::{Currency, ItemKind, ItemStatus, LineAdjustmentKind, Reason, TermsOfPayment};

/// One file of cases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    pub version: u32,
    #[serde(default, rename = "case")]
    pub cases: Vec<TestCase>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    /// Its file inside the rule folder.
    #[serde(skip)]
    pub file: String,
    /// Unique in the set.
    pub id: String,
    /// What it shows, in a sentence.
    pub title: String,
    /// Business day on which the engine decides.
    pub today: NaiveDate,
    pub payment: CasePayment,
    /// The advice that came with the payment; absent: there is none.
    pub advice: Option<CaseAdvice>,
    #[serde(default)]
    pub customers: Vec<CaseCustomer>,
    #[serde(default)]
    pub items: Vec<CaseItem>,
    #[serde(default)]
    pub relations: Vec<CaseRelation>,
    /// Payments that came before, for duplicates: for what the advice names, or for what their own text names.
    #[serde(default)]
    pub earlier: Vec<CasePayment>,
    pub expect: CaseExpect,
}

/// Money received.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePayment {
    pub amount: SignedAmount,
    #[serde(default = "usd", deserialize_with = "deserialize_currency")]
    pub currency: Currency,
    /// The day of the case where left out.
    pub date: Option<NaiveDate>,
    /// Code of the seller whose account was credited.
    #[serde(default = "main_seller")]
    pub seller: String,
    pub payer_name: Option<String>,
    pub payer_id: Option<String>,
    /// Any text; equal texts are equal accounts.
    pub payer_account: Option<String>,
    pub trace: Option<String>,
    pub text: Option<String>,
}

/// What the payer says the payment is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseAdvice {
    /// Absent: the advice names no total.
    pub total: Option<SignedAmount>,
    /// Whether its lines add up to the total; absent: computed from the lines where a total is given.
    pub balanced: Option<bool>,
    pub text: Option<String>,
    pub lines: Vec<CaseLine>,
}

/// One line of an advice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseLine {
    pub reference: String,
    #[serde(default = "invoice_qualifier")]
    pub qualifier: String,
    /// RMR03, `PP` for a declared partial payment.
    pub action: Option<String>,
    pub gross: Option<SignedAmount>,
    pub discount: Option<SignedAmount>,
    pub net: Option<SignedAmount>,
    #[serde(default)]
    pub adjustments: Vec<CaseAdjustment>,
    pub date: Option<NaiveDate>,
    pub po: Option<String>,
    /// Further references by qualifier: `{ qualifier = "BM", value = "BOL-7" }`.
    #[serde(default)]
    pub references: Vec<CaseReference>,
}

/// A coded adjustment of a line; negative reduces the payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAdjustment {
    pub amount: SignedAmount,
    pub reason: String,
}

/// A further reference of a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseReference {
    pub qualifier: String,
    pub value: String,
}

/// Who owes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseCustomer {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Accounts known to be the customer's, in the words of `payer_account`.
    #[serde(default)]
    pub accounts: Vec<String>,
    pub originator_id: Option<String>,
    /// Code of the parent.
    pub parent: Option<String>,
}

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseItem {
    pub number: String,
    /// Code of the customer.
    pub customer: String,
    #[serde(default = "main_seller")]
    pub seller: String,
    #[serde(default = "invoice")]
    pub kind: ItemKind,
    #[serde(default = "usd", deserialize_with = "deserialize_currency")]
    pub currency: Currency,
    /// Negative for a credit memo.
    pub amount: SignedAmount,
    /// All of it where left out; nothing for a closed item.
    pub open: Option<SignedAmount>,
    /// Part that earns no discount.
    pub exempt: Option<SignedAmount>,
    pub issued: NaiveDate,
    /// Thirty days after the issue where left out.
    pub due: Option<NaiveDate>,
    /// Terms as written, `2/10N30`.
    pub terms: Option<String>,
    pub po: Option<String>,
    pub bol: Option<String>,
    pub pro: Option<String>,
    #[serde(default = "open")]
    pub status: ItemStatus,
    pub closed: Option<NaiveDate>,
}

/// A relation between two customers, by code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRelation {
    pub payer: String,
    pub pays_for: String,
    pub kind: String,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

/// What must be decided. Fields left out are not compared, `applications` always is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseExpect {
    pub outcome: ExpectedOutcome,
    /// Reasons of the follow-up or of the hold, in any order.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Id of the rule that lets it post, or that came nearest.
    pub rule: Option<String>,
    /// Rules that look as if they decided, but do not.
    #[serde(default)]
    pub near_miss_of: Vec<String>,
    /// What posts; for a hold nothing.
    #[serde(default)]
    pub applications: Vec<ExpectedApplication>,
    /// What of the cash is left over.
    pub unapplied: Option<SignedAmount>,
    /// What items are open for afterwards.
    #[serde(default)]
    pub open: Vec<ExpectedOpen>,
    /// What the first proposal of a hold must be; absent: not compared.
    pub proposal: Option<Vec<ExpectedApplication>>,
}

/// What happens to the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedOutcome {
    Post,
    PostWithFollowUp,
    Hold,
}

/// What one item gets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedApplication {
    /// Number of the item.
    pub item: String,
    pub cash: SignedAmount,
    #[serde(default)]
    pub adjustments: Vec<ExpectedAdjustment>,
}

/// A part that closes without cash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAdjustment {
    pub kind: LineAdjustmentKind,
    pub amount: SignedAmount,
    pub reason: String,
}

/// What an item is open for afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedOpen {
    pub item: String,
    pub amount: SignedAmount,
}

fn usd() -> Currency {
    Currency::USD
}

fn main_seller() -> String {
    "S1".to_owned()
}

fn invoice_qualifier() -> String {
    "IV".to_owned()
}

const fn invoice() -> ItemKind {
    ItemKind::Invoice
}

const fn open() -> ItemStatus {
    ItemStatus::Open
}

impl TestCase {
    /// Currencies and amounts that do not fit each other, as sentences; the loader refuses a case that has any.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fits = |amount: &SignedAmount, currency: Currency, what: &str| {
            if amount.minor(currency).is_none() {
                faults.push(format!("{what}: {amount} has more decimals than {currency}"));
            }
        };
        fits(&self.payment.amount, self.payment.currency, "payment");
        for line in self.advice.iter().flat_map(|advice| &advice.lines) {
            for amount in [&line.gross, &line.discount, &line.net].into_iter().flatten() {
                fits(amount, self.payment.currency, &line.reference);
            }
        }
        for item in &self.items {
            fits(&item.amount, item.currency, &item.number);
        }
        for (item, terms) in self.items.iter().filter_map(|item| Some((item, item.terms.as_deref()?))) {
            if let Err(expected) = terms.parse::<TermsOfPayment>() {
                faults.push(format!("item {}: terms {terms:?}; expected {expected}", item.number));
            }
        }
        for item in &self.items {
            if !self.customers.iter().any(|customer| customer.code == item.customer) {
                faults.push(format!("item {}: customer {} is not among the customers of the case", item.number, item.customer));
            }
        }
        let applications = self.expect.applications.iter().chain(self.expect.proposal.iter().flatten());
        for name in applications.map(|application| &application.item).chain(self.expect.open.iter().map(|open| &open.item)) {
            if !self.items.iter().any(|item| item.number == *name) {
                faults.push(format!("expected item {name} is not among the items of the case"));
            }
        }
        faults
    }
}
