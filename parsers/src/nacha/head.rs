//! Record 6 as it passes: what the totals of its batch need of it.

use crate::{Effect, FindingCode, Severity, x12::output::Output};

use super::{
    batch::Batch,
    code::{Form, Transaction, check_digit},
    layout::entry as at,
    line::Line,
};

/// What the totals need of an entry, read when its own record passes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub transaction: Option<Transaction>,
    /// In cents.
    pub amount: Option<i64>,
    /// A line that is no record stands between the entry and what follows, so addenda may have lost their entry.
    pub disturbed: bool,
}

impl Head {
    /// Reads record 6 and counts it in its batch.
    pub fn read(line: &Line<'_>, batch: &mut Batch, out: &mut Output<'_>) -> Self {
        let transaction = Transaction::read(line.raw(&at::TRANSACTION_CODE));
        if transaction.is_none() {
            let message = "the transaction code is none we know; nobody can say which way the money moves".to_owned();
            let expected = "a code of two digits such as 22 or 27";
            out.finding(line.finding(&at::TRANSACTION_CODE, FindingCode::BadCode, Effect::RecordSetAside, message, expected));
        }
        let field = if batch.form == Form::Adv { &at::ADV_AMOUNT } else { &at::AMOUNT };
        let amount = line.number(field).and_then(|cents| i64::try_from(cents).ok());
        if amount.is_none() {
            let message = "the amount is not a number of cents".to_owned();
            out.finding(line.finding(field, FindingCode::BadAmount, Effect::RecordSetAside, message, "digits in all columns"));
        }
        let bank = line.number(&at::RECEIVING_DFI);
        check_bank(line, bank, out);
        batch.totals.entry(bank, transaction.map(|code| code.direction), amount);
        if batch.form != Form::Adv {
            check_trace(line, batch, out);
        }
        Self { transaction, amount, disturbed: false }
    }
}

fn check_bank(line: &Line<'_>, bank: Option<u64>, out: &mut Output<'_>) {
    let Some(bank) = bank else {
        let message = "the receiving bank is not a routing number".to_owned();
        out.finding(line.finding(&at::RECEIVING_DFI, FindingCode::BadText, Effect::Noted, message, "eight digits"));
        return;
    };
    let digit = check_digit(bank);
    if line.number(&at::CHECK_DIGIT) != Some(digit) {
        let message = "the check digit does not suit the receiving bank".to_owned();
        out.finding(line.finding(&at::CHECK_DIGIT, FindingCode::BadText, Effect::Noted, message, &digit.to_string()));
    }
}

/// Traces ascend inside a batch; the same twice in a row is worth a look.
fn check_trace(line: &Line<'_>, batch: &mut Batch, out: &mut Output<'_>) {
    let Some(trace) = line.number(&at::TRACE) else {
        let message = "the trace number is not a number of fifteen digits".to_owned();
        out.finding(line.finding(&at::TRACE, FindingCode::BadText, Effect::Noted, message, "fifteen digits"));
        return;
    };
    let before = batch.trace.replace(trace);
    let same = before == Some(trace);
    if before.is_none_or(|before| before < trace) {
        return;
    }
    let (code, message) = match same {
        true => (FindingCode::DuplicateControlNumber, "two entries of the batch have the same trace number"),
        false => (FindingCode::OddEnvelope, "the trace number does not ascend inside the batch"),
    };
    let mut finding = line.finding(&at::TRACE, code, Effect::Noted, message.to_owned(), "a higher trace number");
    if !same {
        finding.severity = Severity::Info;
    }
    out.finding(finding);
}
