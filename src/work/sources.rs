//! Links the records of a file that was just recorded with what other files told of the same money.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde_json::json;

use super::{
    consumer::JobKind,
    engine::{ENGINE, Engine},
    exceptions::Raiser,
};
use crate::{
    domain::{FileId, Money, Payment, PaymentId, PaymentState, Reason},
    ledger::{self, Further, Hold, Refusal, match_key},
    matching::sources::{self, Doubt, SUM_DAYS, WINDOW_DAYS},
    store::{Seen, Tx, wants_retry},
};

/// Business days that a deposit may wait for the file that lists its items.
const DETAILS_DAYS: u32 = 3;
/// People download the days of a bank account as they like, and the days overlap.
const TOLD_AGAIN: &str = "another file has a row of the same day, amount and text, and neither names the account";
/// Candidates that the sentence for a person names.
const NAMED_MAX: usize = 5;

impl Engine {
    /// Finds what of a live file is told elsewhere. The file's receipt is booked; what does not count is booked back.
    pub(super) async fn join_sources(&self, tx: &mut Tx, raiser: &Raiser<'_>, file: FileId) -> anyhow::Result<()> {
        let again = tx.rows_told_again(file).await?;
        let again = again.into_iter().map(|(payment, other)| Doubt { payment, others: vec![other], why: TOLD_AGAIN });
        raise_doubts(tx, raiser, merged(again.collect())).await?;
        let Some(seen) = tx.seen_of_file(file).await? else { return Ok(()) };
        tx.lock_accounts(&seen.accounts).await?;
        let (from, to) = around(&seen, WINDOW_DAYS);
        let records = tx.records_seen_elsewhere(file, from, to).await?;
        let mut doubts = Vec::new();
        let mut richer = Vec::new();
        if !records.is_empty() {
            let known = tx.records_like_those_of(file, from, to).await?;
            let (same, doubtful) = sources::pairs(&records, &known);
            let further: Vec<_> =
                same.iter().map(|same| Further { record: same.record, counts: same.counts, why: same.why }).collect();
            if !further.is_empty() {
                richer = ledger::join_records(tx, &self.mandate(), &further).await?;
            }
            doubts = doubtful;
        }
        for line_is_new in [true, false] {
            doubts.extend(self.explain_sums(tx, file, &seen, line_is_new).await?);
        }
        raise_doubts(tx, raiser, merged(doubts)).await?;
        if !richer.is_empty() {
            let payload = json!({ "payments": richer });
            tx.enqueue(&[JobKind::Match.job(format!("match:sources:{file}"), payload)]).await?;
        }
        Ok(())
    }

    /// Explains lines by items: lines of this file by the items of others, or the other way round.
    async fn explain_sums(&self, tx: &mut Tx, file: FileId, seen: &Seen, line_is_new: bool) -> anyhow::Result<Vec<Doubt>> {
        let (from, to) = around(seen, SUM_DAYS);
        let groups = tx.item_groups(file, !line_is_new, &seen.accounts, from, to).await?;
        let amounts = sources::possible(&groups);
        if amounts.is_empty() {
            return Ok(Vec::new());
        }
        let lines = tx.booked_lines(file, line_is_new, &amounts, from, to).await?;
        let mut doubts = Vec::new();
        for sum in sources::sums(&lines, &groups) {
            let mut parts = Vec::new();
            for group in &sum.groups {
                parts.extend(tx.items_of_group(group).await?);
            }
            let explained = match sum.is_certain {
                true => ledger::explain_sum(tx, &self.mandate(), sum.line, &parts, sum.why).await,
                false => Ok(false),
            };
            let explained = match explained {
                // What the ledger will not do by itself a person may look at.
                Err(error) if error.is::<Refusal>() => false,
                explained => explained?,
            };
            if !explained {
                doubts.extend(sources::doubts_of(&sum, &parts, line_is_new));
            }
        }
        Ok(doubts)
    }

    /// Deposits whose items have not come in time become work for a person.
    pub async fn raise_overdue_deposits(&self) -> anyhow::Result<()> {
        let until = business_days_before(self.clock.today(), DETAILS_DAYS);
        let mut tx = self.db.read().await?;
        let waiting = tx.overdue_sums(until).await?;
        tx.rollback().await?;
        if waiting.is_empty() {
            return Ok(());
        }
        match self.raise_waiting_since(until).await {
            // Another process does the same, or an item came at this moment; what is left is seen the next time.
            Err(error) if wants_retry(&error) => Ok(()),
            raised => raised,
        }
    }

    async fn raise_waiting_since(&self, until: NaiveDate) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        let directory = self.directory(&mut tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let ids = tx.overdue_sums(until).await?;
        if ids.is_empty() {
            return tx.rollback().await;
        }
        let payments = tx.payments(&ids).await?;
        let raise = |payment: &Payment| {
            let amount = Money::new(payment.amount_minor, payment.currency);
            let why = format!(
                "a deposit of {amount} is booked, and no file lists its items {DETAILS_DAYS} business days after it came"
            );
            raiser.payment(payment, Reason::DepositUnexplained, match_key(payment.id), why)
        };
        let exceptions: Vec<_> = payments.iter().map(raise).collect();
        hold(&mut tx, &payments).await?;
        tx.raise_exceptions(&exceptions, ENGINE).await?;
        tx.commit().await
    }
}

/// The days of a file and some before and after.
fn around(seen: &Seen, days: u64) -> (NaiveDate, NaiveDate) {
    let days = Days::new(days);
    (seen.first.checked_sub_days(days).unwrap_or(seen.first), seen.last.checked_add_days(days).unwrap_or(seen.last))
}

/// One doubt for each payment, with all it may be the same as.
fn merged(doubts: Vec<Doubt>) -> Vec<Doubt> {
    let mut merged: BTreeMap<PaymentId, Doubt> = BTreeMap::new();
    for doubt in doubts {
        match merged.get_mut(&doubt.payment) {
            Some(known) => known.others.extend(doubt.others),
            None => drop(merged.insert(doubt.payment, doubt)),
        }
    }
    merged.into_values().collect()
}

/// Nothing of a doubtful payment moves until a person has said whether it is the same money.
async fn raise_doubts(tx: &mut Tx, raiser: &Raiser<'_>, doubts: Vec<Doubt>) -> anyhow::Result<()> {
    if doubts.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = doubts.iter().map(|doubt| doubt.payment).collect();
    // What turned out to be a further record meanwhile is in doubt no more.
    let mut payments = tx.payments(&ids).await?;
    payments.retain(|payment| matches!(payment.state, PaymentState::Received | PaymentState::Exception));
    let waits = |doubt: &Doubt| payments.binary_search_by_key(&doubt.payment, |payment| payment.id).is_ok();
    let doubts: Vec<_> = doubts.into_iter().filter(waits).collect();
    let rows: Vec<_> =
        doubts.iter().flat_map(|doubt| doubt.others.iter().map(|other| (doubt.payment, *other, doubt.why))).collect();
    tx.record_doubts(&rows).await?;
    let mut exceptions = Vec::with_capacity(doubts.len());
    for (doubt, payment) in doubts.iter().zip(&payments) {
        let mut named = Vec::new();
        for other in tx.payments(&doubt.others[..doubt.others.len().min(NAMED_MAX)]).await? {
            let file = tx.file(other.source.file).await?.map(|file| file.name).unwrap_or_default();
            named.push(format!("{} of {} in {file}", other.id, Money::new(other.amount_minor, other.currency)));
        }
        let more = doubt.others.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("may be the same money as {}{more}: {}", named.join(", "), doubt.why);
        let mut exception = raiser.payment(payment, Reason::SameMoney, match_key(payment.id), message);
        exception.details = json!({ "same_as": doubt.others, "why": doubt.why });
        exceptions.push(exception);
    }
    hold(tx, &payments).await?;
    tx.raise_exceptions(&exceptions, ENGINE).await?;
    Ok(())
}

async fn hold(tx: &mut Tx, payments: &[Payment]) -> anyhow::Result<()> {
    let hold = |payment: &Payment| Hold { payment: payment.id, version: payment.version, customer: None };
    ledger::hold(tx, &payments.iter().map(hold).collect::<Vec<_>>()).await
}

/// The day so many business days before. Holidays differ from bank to bank, so only weekends are left out.
fn business_days_before(day: NaiveDate, count: u32) -> NaiveDate {
    let mut before = day;
    let mut left = count;
    while left > 0 {
        let Some(earlier) = before.pred_opt() else { return before };
        before = earlier;
        if !matches!(before.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_days_leave_weekends_out() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (from, count, before) in
            [("2026-03-19", 3, "2026-03-16"), ("2026-03-17", 3, "2026-03-12"), ("2026-03-16", 1, "2026-03-13")]
        {
            assert_eq!(business_days_before(day(from), count), day(before), "{count} before {from}");
        }
    }
}
