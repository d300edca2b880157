//! The suite of the ledger: every test runs on SQLite and on PostgreSQL, and ends with `check`.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "a test hands over one of something and keeps it")]

mod apply;
mod exports;
mod people;
mod resolve;
mod reverse;
mod sequences;
mod throughput;

use crate::{
    domain::{
        Currency, ExceptionFacts, FileId, LineAdjustment, LineAdjustmentKind, OpenItemId, PaymentId, Proposal, ProposalLine,
        Route,
    },
    ledger::{DeductionRoute, Mandate, Policy, check, receive},
    rules::{Period, Power},
    store::{
        Db, FileCounts, FileState, FileTotal, NewPayment, Recording, TotalKind, Tx,
        testing::{Fresh, World},
    },
};

/// Small limits, so that tests reach them.
pub(crate) struct Rules;

impl Policy for Rules {
    fn limit_minor(&self, role: &str, power: Power, _: Currency, customer: Option<&str>) -> i64 {
        let cap = if customer == Some("CAPPED") && power == Power::WriteOff { 70 } else { i64::MAX };
        let limit = match (role, power) {
            ("supervisor", Power::Discount) => 5_000,
            ("clerk", Power::Apply) => 500,
            ("clerk", _) => 50,
            (_, Power::Apply) | ("supervisor", _) => i64::MAX,
            ("analyst", _) => 1_000,
            (_, Power::Refund) => 0,
            (_, Power::Discount | Power::Deduct | Power::Credit) => 500,
            (_, Power::WriteOff) => 100,
        };
        limit.min(cap)
    }

    fn who_may(&self, power: Power, currency: Currency, customer: Option<&str>, amount_minor: i64) -> Option<&'static str> {
        let may = |role: &&str| amount_minor.abs() <= self.limit_minor(role, power, currency, customer);
        ["clerk", "analyst", "supervisor"].into_iter().find(may)
    }

    fn highest(&self, power: Power, currency: Currency) -> Option<&'static str> {
        (power != Power::Refund || currency != Currency::EUR).then_some("supervisor")
    }

    fn caps_customers(&self, _: &str) -> bool {
        true
    }

    fn unapply_days(&self, role: &str, _: Currency, _: Option<&str>) -> Option<u32> {
        match role {
            "clerk" | "analyst" => Some(30),
            "supervisor" => Some(365),
            _ => None,
        }
    }

    fn who_may_unapply(&self, currency: Currency, age_days: u32) -> Option<&'static str> {
        ["analyst", "supervisor"]
            .into_iter()
            .find(|role| self.unapply_days(role, currency, None).is_some_and(|days| age_days <= days))
    }

    fn may_decide(&self, role: &str) -> bool {
        role != "viewer"
    }

    fn breaker(&self, power: Power, per: Period, _: Currency, used_minor: i64, amount_minor: i64) -> Option<String> {
        let most = if per == Period::Day { 900 } else { 1_500 };
        (power == Power::Deduct && used_minor.saturating_add(amount_minor) > most)
            .then(|| format!("breaker.deduct-{}", per.as_str()))
    }

    fn deduction(&self, reason_code: &str) -> DeductionRoute {
        DeductionRoute { queue: "deductions".to_owned(), gl: format!("4{reason_code}") }
    }

    fn knows_reason_code(&self, code: &str) -> bool {
        ["06", "59"].contains(&code)
    }

    fn reason_codes(&self) -> Vec<String> {
        vec!["06".to_owned(), "59".to_owned()]
    }

    fn route(&self, facts: &ExceptionFacts) -> Route {
        let known = facts.seller_code.as_deref() == Some("S01") && facts.customer_code.as_deref() == Some("C1");
        let owner = facts.portfolio_owner.clone().filter(|_| known);
        Route { queue: facts.reason.default_queue().to_owned(), owner, due_hours: 24, rule: "default".to_owned() }
    }
}

pub(crate) fn engine(world: &World) -> Mandate<'static> {
    Mandate { actor: "engine", role: "engine", person: false, day: world.day, policy: &Rules, agreed: None }
}

pub(crate) fn person(world: &World, name: &'static str, role: &'static str) -> Mandate<'static> {
    Mandate { actor: name, role, person: true, day: world.day, policy: &Rules, agreed: None }
}

/// A recorded file with live payments in USD, booked.
pub(crate) async fn received(fresh: &Fresh, world: &World, sha256: &str, amounts: &[i64]) -> (FileId, Vec<NewPayment>) {
    let mut tx = fresh.db.begin().await.expect("begin");
    let file = world.file(&mut tx, sha256).await;
    let payments = world.payments(&mut tx, file, amounts).await;
    record(&mut tx, file, FileState::Recorded, amounts).await;
    receive(&mut tx, &engine(world), file).await.expect("received");
    tx.commit().await.expect("commit");
    (file, payments)
}

pub(crate) async fn record(tx: &mut Tx, file: FileId, state: FileState, amounts: &[i64]) {
    let records = amounts.len() as u64;
    let total = FileTotal { kind: TotalKind::Payment, currency: Currency::USD, records, amount_minor: amounts.iter().sum() };
    let counts = FileCounts { payments: records, ..FileCounts::default() };
    let recording = Recording {
        file,
        state,
        format: "x12.820",
        verdict: "accepted",
        sender: None,
        receiver: None,
        counts,
        totals: vec![total],
    };
    assert!(tx.record_file(&recording).await.expect("recorded"));
}

/// Stores items and returns their ids.
pub(crate) async fn items(fresh: &Fresh, world: &World, amounts: &[(&str, i64)]) -> Vec<OpenItemId> {
    let rows: Vec<_> = amounts.iter().map(|(number, amount)| world.invoice(number, *amount)).collect();
    let stored = fresh.db.transact(async |tx| tx.upsert_open_items(&rows, "csv").await).await.expect("items");
    stored.into_iter().filter_map(|row| row.item).collect()
}

pub(crate) fn line(item: OpenItemId, cash_minor: i64) -> ProposalLine {
    ProposalLine { item, applied_minor: cash_minor, cash_minor, adjustments: Vec::new(), line: Some(0) }
}

pub(crate) fn with(mut line: ProposalLine, kind: LineAdjustmentKind, amount_minor: i64, reason: &str) -> ProposalLine {
    line.adjustments.push(LineAdjustment { kind, amount_minor, reason: reason.to_owned() });
    line
}

pub(crate) fn proposal(lines: Vec<ProposalLine>, unapplied_minor: i64) -> Proposal {
    Proposal { lines, unapplied_minor, rule: "exact".to_owned(), ..Proposal::default() }
}

/// Open amounts in the order of the ids.
pub(crate) async fn open(db: &Db, ids: &[OpenItemId]) -> Vec<i64> {
    let items = db.read().await.expect("read").open_items(ids).await.expect("items");
    ids.iter().map(|id| items.iter().find(|item| item.id == *id).map_or(i64::MIN, |item| item.open_minor)).collect()
}

pub(crate) async fn unapplied(db: &Db, id: PaymentId) -> (i64, &'static str) {
    let payment = db.read().await.expect("read").payment(id).await.expect("read").expect("stored");
    (payment.unapplied_minor, payment.state.as_str())
}

/// Names of the promises that do not hold.
pub(crate) async fn broken(db: &Db) -> Vec<String> {
    let promises = check(&mut db.read().await.expect("read"), None).await.expect("checked");
    assert!(promises.len() >= 12);
    promises
        .into_iter()
        .filter(|promise| !promise.holds)
        .map(|promise| format!("{}: {}", promise.promise, promise.detail))
        .collect()
}
