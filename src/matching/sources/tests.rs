//! Pairs and sums on records made by hand; the laws of linking on random ones stand in `tests/sources.rs`.

use chrono::{Days, NaiveDate};

use super::{Doubt, pairs, sums};
use crate::domain::{AccountKey, Currency, FileId, ItemGroup, Marks, Method, PaymentId, PaymentState, Report, Sighted, Sighting};

fn day(after: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 16).and_then(|day| day.checked_add_days(Days::new(after))).expect("a date")
}

/// A record of 1,000.00 USD on our account.
struct Record(Sighted);

fn record(id: i64, file: i64, format: &str, report: Report) -> Record {
    let own = Some(AccountKey("ours".to_owned()));
    Record(Sighted {
        payment: PaymentId(id),
        file: FileId(file),
        format: format.to_owned(),
        seller: None,
        currency: Currency::USD,
        amount_minor: 100_000,
        value_date: day(0),
        method: Method::Ach,
        payer_name: None,
        payer_id: None,
        payer_account: None,
        remittance: None,
        state: PaymentState::Received,
        duplicate_of: None,
        part_of: None,
        is_explained: false,
        sighting: Sighting { report, own, ..Sighting::default() },
    })
}

fn entry(id: i64, file: i64) -> Record {
    record(id, file, "nacha", Report::Items)
}

fn prior_day(id: i64, file: i64) -> Record {
    record(id, file, "bai2", Report::Final)
}

fn same_day(id: i64, file: i64) -> Record {
    record(id, file, "bai2", Report::Interim)
}

impl Record {
    fn with(mut self, change: impl FnOnce(&mut Sighted)) -> Self {
        change(&mut self.0);
        self
    }

    fn bank(self, mark: &str) -> Self {
        self.with(|row| row.sighting.marks = Marks { bank: vec![mark.to_owned()], ..row.sighting.marks.clone() })
    }

    fn payer(self, mark: &str) -> Self {
        self.with(|row| row.sighting.marks = Marks { payer: vec![mark.to_owned()], ..row.sighting.marks.clone() })
    }

    fn name(self, name: &str) -> Self {
        self.with(|row| row.payer_name = Some(name.to_owned()))
    }

    fn cheque(self) -> Self {
        self.with(|row| row.method = Method::Check)
    }

    fn on(self, after: u64) -> Self {
        self.with(|row| row.value_date = day(after))
    }
}

/// What becomes of new records beside known ones: `5=1` for the same money, `5?1,2` for a doubt.
fn check(what: &str, records: Vec<Record>, known: Vec<Record>, expected: &str) {
    let rows = |records: Vec<Record>| records.into_iter().map(|record| record.0).collect::<Vec<_>>();
    let (same, doubts) = pairs(&rows(records), &rows(known));
    let mut found: Vec<_> = same.iter().map(|same| format!("{}={}", same.record.0, same.counts.0)).collect();
    found.extend(doubts.iter().map(|Doubt { payment, others, .. }| {
        let others: Vec<_> = others.iter().map(|other| other.0.to_string()).collect();
        format!("{}?{}", payment.0, others.join(","))
    }));
    found.sort();
    assert_eq!(found.join(" "), expected, "{what}");
}

#[test]
fn a_number_of_the_bank_links_across_files_and_days() {
    check("trace in the statement", vec![prior_day(5, 2).bank("T1")], vec![entry(1, 1).bank("T1")], "5=1");
    check("days later", vec![prior_day(5, 2).bank("T1").on(7)], vec![entry(1, 1).bank("T1")], "5=1");
    check("after the window", vec![prior_day(5, 2).bank("T1").on(8)], vec![entry(1, 1).bank("T1")], "");
    let cut = "9120345678901234";
    let long = "20269120345678901234";
    let statement = |id, file, format: &str, mark| record(id, file, format, Report::Final).bank(mark);
    check("cut at 16", vec![statement(5, 2, "mt940", cut)], vec![statement(1, 1, "camt.053", long)], "5=1");
    check("statements of two days", vec![prior_day(5, 2).bank("T1").on(1)], vec![prior_day(1, 1).bank("T1")], "5?1");
}

#[test]
fn another_account_amount_or_number_is_other_money() {
    let other = |change: fn(&mut Sighted)| vec![prior_day(5, 2).bank("T1").with(change)];
    let known = || vec![entry(1, 1).bank("T1")];
    check("account", other(|row| row.sighting.own = Some(AccountKey("theirs".to_owned()))), known(), "");
    check("no account", other(|row| row.sighting.own = None), known(), "");
    check("amount", other(|row| row.amount_minor += 1), known(), "");
    check("currency", other(|row| row.currency = Currency::EUR), known(), "");
    check("a wire", other(|row| row.method = Method::Wire), known(), "");
    check("number", vec![prior_day(5, 2).bank("T2")], vec![same_day(1, 1).bank("T1")], "");
}

#[test]
fn twins_are_counted() {
    let twice = |file, first| vec![entry(first, file).bank("T1"), entry(first + 1, file).bank("T1")];
    let lines = |ids: &[i64]| ids.iter().map(|id| prior_day(*id, 2).bank("T1")).collect::<Vec<_>>();
    check("two and two", lines(&[5, 6]), twice(1, 1), "5=1 6=2");
    check("two and one", lines(&[5]), twice(1, 1), "5=1");
    check("two and three", lines(&[5, 6, 7]), twice(1, 1), "5=1 6=2");
    check("without numbers", vec![prior_day(5, 2), prior_day(6, 2)], vec![same_day(1, 1), same_day(2, 1)], "5=1 6=2");
    check("in one file", vec![prior_day(5, 2), prior_day(6, 2)], vec![], "");
    // The first of them came in two files already: it is one payment.
    let second = entry(2, 2).bank("T1").with(|row| {
        row.duplicate_of = Some(PaymentId(1));
        row.state = PaymentState::Void;
    });
    check("one payment with two sources", vec![prior_day(5, 3).bank("T1")], vec![entry(1, 1).bank("T1"), second], "5=1");
}

#[test]
fn a_surer_pair_goes_first() {
    let lines = vec![prior_day(5, 2), prior_day(6, 2).bank("T1")];
    check("numbered before repeated", lines, vec![same_day(1, 1).bank("T1"), same_day(2, 1)], "5=2 6=1");
    let lines = vec![prior_day(5, 2).name("OXBOW MARINE"), prior_day(6, 2).name("CORRAN PUMPS")];
    let known = vec![same_day(1, 1).name("CORRAN PUMPS"), same_day(2, 1).name("OXBOW MARINE SUPPLY")];
    check("by name", lines, known, "5=2 6=1");
}

#[test]
fn what_nothing_tells_apart_is_a_doubt() {
    check("no number", vec![prior_day(5, 2)], vec![entry(1, 1).bank("T1")], "5?1");
    check("names agree", vec![prior_day(5, 2).name("ACME INC")], vec![entry(1, 1).bank("T1").name("ACME")], "5?1");
    check("names differ", vec![prior_day(5, 2).name("BELLWETHER")], vec![entry(1, 1).bank("T1").name("ACME")], "");
    check("two candidates", vec![prior_day(5, 2)], vec![entry(1, 1).bank("T1"), entry(2, 1).bank("T2")], "5?1,2");
    let both = vec![prior_day(5, 2), prior_day(6, 2)];
    check("one of two", both, vec![entry(1, 1).bank("T1")], "5?1 6?1");
    let named = vec![prior_day(5, 2).bank("T1").name("BELLWETHER")];
    check("a number against a name", named, vec![entry(1, 1).bank("T1").name("ACME")], "5?1");
}

#[test]
fn a_number_of_the_payer_links_on_one_day_only() {
    let notice = |id, file| record(id, file, "camt.054", Report::Notice).payer("RENT");
    let statement = |id, file| record(id, file, "camt.053", Report::Final).payer("RENT");
    check("notice and statement", vec![statement(5, 2)], vec![notice(1, 1)], "5=1");
    check("the next day", vec![statement(5, 2).on(1)], vec![notice(1, 1)], "5?1");
    let second = statement(2, 2).with(|row| {
        row.duplicate_of = Some(PaymentId(1));
        row.state = PaymentState::Void;
    });
    check("next month's rent", vec![statement(5, 3).on(1)], vec![notice(1, 1), second], "");
    let item = |id, file| prior_day(id, file).cheque().payer("20417");
    let cheque = |id, file| record(id, file, "lockbox.bai", Report::Items).cheque().payer("20417");
    check("a cheque", vec![item(5, 2)], vec![cheque(1, 1)], "5=1");
    check("another cheque", vec![item(5, 2).payer("20418")], vec![cheque(1, 1)], "");
    check("a cheque read twice", vec![cheque(5, 2)], vec![cheque(1, 1)], "5?1");
}

#[test]
fn two_orders_are_left_to_the_matching() {
    let order = |id, file| record(id, file, "x12.820", Report::Order).payer("TRN1");
    check("orders", vec![order(5, 2)], vec![order(1, 1)], "");
    check("order and statement", vec![prior_day(5, 2).bank("TRN1")], vec![order(1, 1)], "5=1");
}

fn group(file: i64, format: &str, group: &str, items: i64, sum_minor: i64) -> ItemGroup {
    ItemGroup {
        file: FileId(file),
        format: format.to_owned(),
        own: AccountKey("ours".to_owned()),
        currency: Currency::USD,
        value_date: day(0),
        group: group.to_owned(),
        items,
        sum_minor,
        payer_name: None,
        payer_id: None,
    }
}

/// How lines are explained: `5=box/1+box/2` for certain, `5?ach 7` for a doubt.
fn check_sums(what: &str, lines: Vec<Record>, groups: &[ItemGroup], expected: &str) {
    let lines: Vec<_> = lines.into_iter().map(|record| record.0).collect();
    let mut found: Vec<_> = sums(&lines, groups)
        .iter()
        .map(|sum| {
            let groups: Vec<_> = sum.groups.iter().map(|group| group.group.as_str()).collect();
            format!("{}{}{}", sum.line.0, if sum.is_certain { '=' } else { '?' }, groups.join("+"))
        })
        .collect();
    found.sort();
    assert_eq!(found.join(" "), expected, "{what}");
}

fn deposit(id: i64) -> Record {
    prior_day(id, 9).cheque().with(|row| row.sighting.is_sum = true)
}

#[test]
fn a_deposit_is_a_batch_a_lockbox_or_a_day_of_it() {
    let batches = [group(1, "lockbox.bai", "box/1", 2, 60_000), group(1, "lockbox.bai", "box/2", 1, 40_000)];
    check_sums("the lockbox", vec![deposit(5)], &batches, "5=box/1+box/2");
    let small = |id, cents| deposit(id).with(|row| row.amount_minor = cents);
    check_sums("the batches", vec![small(5, 60_000), small(6, 40_000)], &batches, "5=box/1 6=box/2");
    check_sums("no sum of them", vec![small(5, 50_000)], &batches, "");
    check_sums("a batch once", vec![small(5, 60_000), small(6, 60_000)], &batches, "5=box/1");
    let two_files = [group(1, "lockbox.bai", "box/1", 2, 60_000), group(2, "lockbox.bai", "box/7", 1, 40_000)];
    check_sums("two files of a day", vec![deposit(5)], &two_files, "5=box/1+box/7");
    let twins = [group(1, "lockbox.bai", "box/1", 1, 100_000), group(1, "lockbox.bai", "box/2", 1, 100_000)];
    check_sums("equal batches", vec![deposit(5), deposit(6)], &twins, "5=box/1 6=box/2");
    check_sums("too late", vec![deposit(5).on(5)], &batches, "");
    check_sums("one that was applied", vec![deposit(5).with(|row| row.state = PaymentState::Posted)], &batches, "5?box/1+box/2");
    check_sums("not ACH", vec![deposit(5)], &[group(1, "nacha", "ach 7", 3, 100_000)], "");
}

#[test]
fn a_batch_booking_is_known_by_its_reference_or_by_number_and_sum() {
    let details = |reference: &str| [group(1, "camt.054", &format!("entry 1={reference}"), 3, 100_000)];
    let line = |reference: &str, items| {
        record(5, 9, "camt.053", Report::Final).with(|row| {
            row.sighting.group = Some(format!("entry 4={reference}"));
            (row.sighting.is_sum, row.sighting.items) = (items > 0, (items > 0).then_some(items));
        })
    };
    check_sums("reference", vec![line("B1", 3)], &details("B1"), "5=entry 1=B1");
    check_sums("other reference", vec![line("B2", 3)], &details("B1"), "");
    check_sums("number and sum", vec![line("", 3)], &details("B1"), "5=entry 1=B1");
    check_sums("other number", vec![line("", 4)], &details("B1"), "");
    check_sums("the sum alone", vec![line("", 0)], &details("B1"), "5?entry 1=B1");
    let single = [group(1, "camt.052", "entry 1=B1", 1, 100_000)];
    check_sums("one transaction", vec![line("B1", 0)], &single, "");
    check_sums("reference, not called a batch", vec![line("B1", 0)], &details("B1"), "5=entry 1=B1");
}

#[test]
fn one_credit_for_the_batch_of_a_company() {
    let mut batch = group(1, "nacha", "ach 7", 3, 100_000);
    batch.payer_name = Some("HARROW & PIKE".to_owned());
    let named = prior_day(5, 9).name("HARROW & PIKE HARDWARE");
    check_sums("by name", vec![named], std::slice::from_ref(&batch), "5=ach 7");
    check_sums("without a name", vec![prior_day(5, 9)], std::slice::from_ref(&batch), "5?ach 7");
    check_sums("a wire", vec![prior_day(5, 9).with(|row| row.method = Method::Wire)], std::slice::from_ref(&batch), "");
    batch.items = 1;
    check_sums("one entry is no batch", vec![prior_day(5, 9)], std::slice::from_ref(&batch), "");
}
