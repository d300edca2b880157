//! Payments that the bank takes back: the original is found by its trace, its applications are undone and its items open again.

use anyhow::Context;
use chrono::{Days, NaiveDate};

use serde_json::json;

use super::{
    consumer::JobKind,
    engine::{ENGINE, Engine},
    exceptions::Raiser,
};
use crate::{
    domain::{FileId, Payment, PaymentState},
    failpoint,
    ledger::{self, Refusal},
    normalise::{self, Name},
    store::{BankReturn, Job, NewException, Tx},
};

/// A shorter number names too many payments.
const MARK_MIN: usize = 6;
/// Field of a job that names the file whose payments may have come back before they came.
const PAID_IN: &str = "paid_in";
/// Days within which payments are taken back; consumers have the longest, 60 days from their statement.
const RETURN_DAYS: u64 = 100;

impl Engine {
    /// Takes the returns of a file into account.
    pub(super) async fn returns_job(&self, tx: &mut Tx, job: &Job) -> anyhow::Result<()> {
        if let Some(paid) = job.payload[PAID_IN].as_i64() {
            return self.tie_returns(tx, FileId(paid)).await;
        }
        let file = FileId(job.payload["file"].as_i64().context("a returns job names its file")?);
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let mut exceptions = Vec::new();
        for returned in tx.bank_returns_of_file(file).await? {
            if returned.state == "received" {
                exceptions.extend(self.take_back(tx, &raiser, &returned).await?);
            }
        }
        tx.raise_exceptions(&exceptions, ENGINE).await?;
        failpoint::pass("apply_before_commit");
        Ok(())
    }

    /// A return may come before its payment: once payments of a file are live, the returns that found nothing look again.
    pub(super) async fn look_for_returns(&self, tx: &mut Tx, file: FileId, first: u32) -> anyhow::Result<()> {
        if tx.count_untied_returns().await? > 0 {
            tx.enqueue(&[JobKind::Returns.job(format!("returns:of:{file}:{first}"), json!({ (PAID_IN): file }))]).await?;
        }
        Ok(())
    }

    /// Takes back payments of a file whose return came first. What finds nothing was told before and is not told again.
    async fn tie_returns(&self, tx: &mut Tx, file: FileId) -> anyhow::Result<()> {
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let mut exceptions = Vec::new();
        for returned in tx.untied_returns().await? {
            let Some(trace) = &returned.original_trace else { continue };
            if !tx.is_named_in_file(file, trace, &mark_of(trace)).await? {
                continue;
            }
            let raised = self.take_back(tx, &raiser, &returned).await?;
            exceptions.extend(raised.filter(|exception| exception.payment.is_some()));
        }
        tx.raise_exceptions(&exceptions, ENGINE).await?;
        failpoint::pass("apply_before_commit");
        Ok(())
    }

    /// Every return is an exception: the items are open again, or nobody knows what was taken back. Nothing is left to do about one that
    /// another file told of before.
    async fn take_back(&self, tx: &mut Tx, raiser: &Raiser<'_>, returned: &BankReturn) -> anyhow::Result<Option<NewException>> {
        let code = if returned.code.is_empty() { "no reason code" } else { returned.code.as_str() };
        let trace = tieout_parsers::without_ibans(returned.original_trace.as_deref().unwrap_or("no trace"));
        if returned.amount_minor == 0 {
            let why = format!(
                "the bank sends the entry {trace} back ({code}); it moved no money, as announcements and advices do, so nothing was undone"
            );
            return Ok(Some(raiser.bank_return(returned, None, why)));
        }
        let named = named(tx, returned, self.clock.today()).await?;
        // Two files may tell of one return at once; who comes second must see what the first one did.
        let named = tx.lock_payments(&named.iter().map(|payment| payment.id).collect::<Vec<_>>()).await?;
        for payment in &named {
            if tx.is_return_told(returned, payment.id).await? {
                ledger::note_return_told(tx, &self.mandate(), returned.id, payment.id).await?;
                return Ok(None);
            }
        }
        let candidates = originals(returned, named);
        let [payment] = candidates.as_slice() else {
            let found = if candidates.is_empty() { "no live payment has" } else { "several live payments have" };
            let why = format!(
                "the bank takes money back ({code}, {trace}); {found} that trace and amount; name it with returned-payment"
            );
            return Ok(Some(raiser.bank_return(returned, None, why)));
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
        Ok(Some(raiser.bank_return(returned, Some(payment), why)))
    }
}

/// The payments that any of their sources names by the trace of the return, or by another number that is the same.
async fn named(tx: &mut Tx, returned: &BankReturn, today: NaiveDate) -> anyhow::Result<Vec<Payment>> {
    let Some(trace) = &returned.original_trace else { return Ok(Vec::new()) };
    let payments = tx.payments_by_trace(trace).await?;
    let mark = mark_of(trace);
    if !payments.is_empty() || mark.len() < MARK_MIN {
        return Ok(payments);
    }
    tx.payments_by_mark(&mark, today.checked_sub_days(Days::new(RETURN_DAYS)).unwrap_or(today)).await
}

/// Whether a payment bears the trace of a return, with zeros before it or without.
pub(super) fn bears(payment: Option<&str>, trace: &str) -> bool {
    payment.is_some_and(|ours| ours == trace || ours == trace.trim_start_matches('0'))
}

fn mark_of(trace: &str) -> String {
    normalise::fold(trace).trim_start_matches('0').to_owned()
}

/// The payments a return may be about: same currency, live, and at least as much. A number that is given often, as that of a cheque, names
/// one only together with the exact amount, and of no other payer.
pub(super) fn originals(returned: &BankReturn, named: Vec<Payment>) -> Vec<Payment> {
    let mut payments = named;
    payments.retain(|payment| {
        payment.currency == returned.currency
            && payment.amount_minor >= returned.amount_minor
            && matches!(payment.state, PaymentState::Received | PaymentState::Posted | PaymentState::Exception)
    });
    // A trace is unique at one bank only; the account that the money leaves tells which seller's payment it was.
    if let Some(seller) = returned.seller {
        payments.retain(|payment| payment.seller.is_none_or(|of| of == seller));
    }
    let number = returned.original_trace.as_deref().map(normalise::fold).unwrap_or_default();
    if number.trim_start_matches('0').len() < MARK_MIN {
        payments.retain(|payment| {
            let names = Name::may_be_one(returned.payer_name.as_deref(), payment.payer.name.as_deref());
            payment.amount_minor == returned.amount_minor && names != Some(false)
        });
    }
    // The exact amount is the better answer where one trace was used for several payments.
    if payments.iter().any(|payment| payment.amount_minor == returned.amount_minor) {
        payments.retain(|payment| payment.amount_minor == returned.amount_minor);
    }
    payments
}
