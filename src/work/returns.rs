//! Payments that the bank takes back: the original is found by its trace, its applications are undone and its items open again.

use anyhow::Context;

use super::{
    engine::{ENGINE, Engine},
    exceptions::Raiser,
};
use crate::{
    domain::{FileId, Payment, PaymentState},
    failpoint,
    ledger::{self, Refusal},
    store::{BankReturn, Job, NewException, Tx},
};

impl Engine {
    /// Takes the returns of a file into account.
    pub(super) async fn returns_job(&self, tx: &mut Tx, job: &Job) -> anyhow::Result<()> {
        let file = FileId(job.payload["file"].as_i64().context("a returns job names its file")?);
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let mut exceptions = Vec::new();
        for returned in tx.bank_returns_of_file(file).await? {
            if returned.state == "received" {
                exceptions.push(self.take_back(tx, &raiser, &returned).await?);
            }
        }
        tx.raise_exceptions(&exceptions, ENGINE).await?;
        failpoint::pass("apply_before_commit");
        Ok(())
    }

    /// Every return is an exception: the items are open again, or nobody knows what was taken back.
    async fn take_back(&self, tx: &mut Tx, raiser: &Raiser<'_>, returned: &BankReturn) -> anyhow::Result<NewException> {
        let code = if returned.code.is_empty() { "no reason code" } else { returned.code.as_str() };
        let trace = returned.original_trace.as_deref().unwrap_or("no trace");
        if returned.amount_minor == 0 {
            let why = format!("the bank asks to change the data of {trace} ({code}); no money moves, and nothing was undone");
            return Ok(raiser.bank_return(returned, None, why));
        }
        let candidates = originals(tx, returned).await?;
        let [payment] = candidates.as_slice() else {
            let found = if candidates.is_empty() { "no live payment has" } else { "several live payments have" };
            let why = format!(
                "the bank takes money back ({code}, {trace}); {found} that trace and at least that amount; name it with returned-payment"
            );
            return Ok(raiser.bank_return(returned, None, why));
        };
        let why = match ledger::take_back(tx, &self.mandate(), returned.id, payment.id).await {
            Ok(reversed) => {
                let items = reversed.applications;
                format!(
                    "the bank took {} back ({code}); {items} applications were undone and their items are open again",
                    payment.id
                )
            }
            Err(error) => match error.downcast::<Refusal>() {
                Ok(refusal) => format!("the bank takes {} back ({code}), which cannot be booked: {refusal}", payment.id),
                Err(error) => return Err(error),
            },
        };
        Ok(raiser.bank_return(returned, Some(payment), why))
    }
}

/// The payments a return may be about: same trace and currency, live, and at least as much.
async fn originals(tx: &mut Tx, returned: &BankReturn) -> anyhow::Result<Vec<Payment>> {
    let Some(trace) = &returned.original_trace else { return Ok(Vec::new()) };
    let mut payments = tx.payments_by_trace(trace).await?;
    payments.retain(|payment| {
        payment.currency == returned.currency
            && payment.amount_minor >= returned.amount_minor
            && matches!(payment.state, PaymentState::Received | PaymentState::Posted | PaymentState::Exception)
    });
    // A trace is unique at one bank only; the account that the money leaves tells which seller's payment it was.
    if let Some(seller) = returned.seller {
        payments.retain(|payment| payment.seller.is_none_or(|of| of == seller));
    }
    // The exact amount is the better answer where one trace was used for several payments.
    if payments.iter().any(|payment| payment.amount_minor == returned.amount_minor) {
        payments.retain(|payment| payment.amount_minor == returned.amount_minor);
    }
    Ok(payments)
}
