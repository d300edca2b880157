//! Double entry: what each movement debits and credits. Every entry balances in every currency it touches.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};

use crate::{
    domain::{Currency, Money, SellerId},
    store::{Application, ApplicationKind, JournalLine},
};

pub(super) const CASH: &str = "cash";
pub(super) const UNAPPLIED: &str = "unapplied";
const ON_ACCOUNT: &str = "on_account";
const RECEIVABLE: &str = "receivable";
const DISCOUNT_ALLOWED: &str = "discount_allowed";
const DEDUCTION: &str = "deduction";
const WRITE_OFF: &str = "write_off";
const REFUND_PAYABLE: &str = "refund_payable";
const RETURNED: &str = "returned";
const FX_CLEARING: &str = "fx_clearing";

/// The lines of applications of one payment. Mirrored applications give mirrored lines.
pub(super) fn lines(
    currency: Currency,
    seller: Option<SellerId>,
    applications: &[Application],
) -> anyhow::Result<Vec<JournalLine>> {
    let mut sums = Sums::default();
    for application in applications {
        sums.add(UNAPPLIED, currency, application.cash_minor)?;
        match application.kind {
            ApplicationKind::OnAccount => sums.take(ON_ACCOUNT, currency, application.cash_minor)?,
            ApplicationKind::Refund => sums.take(REFUND_PAYABLE, currency, application.cash_minor)?,
            ApplicationKind::Return => sums.take(RETURNED, currency, application.cash_minor)?,
            ApplicationKind::Item => sums.add_item(currency, application)?,
        }
    }
    sums.into_lines(seller)
}

/// Two lines of equal size: the first account is debited, the second credited.
pub(super) fn transfer(
    debit: &'static str,
    credit: &'static str,
    currency: Currency,
    seller: Option<SellerId>,
    amount_minor: i64,
) -> anyhow::Result<Vec<JournalLine>> {
    let mut sums = Sums::default();
    sums.add(debit, currency, amount_minor)?;
    sums.take(credit, currency, amount_minor)?;
    sums.into_lines(seller)
}

/// Sums per account and currency, kept in a fixed order so that the same movement always gives the same entry.
#[derive(Default)]
struct Sums(BTreeMap<(&'static str, Currency), i64>);

impl Sums {
    fn add(&mut self, account: &'static str, currency: Currency, amount_minor: i64) -> anyhow::Result<()> {
        let sum = self.0.entry((account, currency)).or_default();
        match sum.checked_add(amount_minor) {
            Some(total) => *sum = total,
            None => bail!("account {account}: the sum of an entry in {currency} is too large"),
        }
        Ok(())
    }

    fn take(&mut self, account: &'static str, currency: Currency, amount_minor: i64) -> anyhow::Result<()> {
        match amount_minor.checked_neg() {
            Some(negative) => self.add(account, currency, negative),
            None => bail!("account {account}: an amount in {currency} is too large"),
        }
    }

    fn add_item(&mut self, currency: Currency, application: &Application) -> anyhow::Result<()> {
        let theirs = application.currency;
        let Some(closes) = application.closes_minor() else { bail!("an application of {} is too large", application.payment) };
        if theirs == currency {
            ensure!(
                application.cash_minor == application.applied_minor,
                "an application of {} moves {} in cash and applies {}",
                application.payment,
                Money::new(application.cash_minor, currency),
                Money::new(application.applied_minor, currency)
            );
        } else {
            self.take(FX_CLEARING, currency, application.cash_minor)?;
            self.add(FX_CLEARING, theirs, application.applied_minor)?;
        }
        self.add(DISCOUNT_ALLOWED, theirs, application.discount_minor)?;
        self.add(DEDUCTION, theirs, application.deduction_minor)?;
        self.add(WRITE_OFF, theirs, application.write_off_minor)?;
        self.take(RECEIVABLE, theirs, closes)
    }

    fn into_lines(self, seller: Option<SellerId>) -> anyhow::Result<Vec<JournalLine>> {
        let mut balance: BTreeMap<Currency, i128> = BTreeMap::new();
        for ((_, currency), amount) in &self.0 {
            *balance.entry(*currency).or_default() += i128::from(*amount);
        }
        for (currency, rest) in balance {
            ensure!(rest == 0, "a journal entry is out of balance by {rest} minor units of {currency}");
        }
        let lines = self.0.into_iter().filter(|(_, amount_minor)| *amount_minor != 0);
        Ok(lines.map(|((account, currency), amount_minor)| JournalLine { account, seller, currency, amount_minor }).collect())
    }
}
