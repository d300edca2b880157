//! How fast files are recorded (T2) and payments are posted (T3), without parsing and matching. Prints figures, asserts none:
//! `cargo test --release --lib throughput -- --ignored --nocapture --test-threads 1`

use std::time::Instant;

use super::{engine, items, line, proposal};
use crate::{
    domain::{Currency, Decision, Evidence, FileId, OpenItemId, Outcome},
    ledger::{PostOutcome, Posting, apply, check, receive},
    store::{
        FileCounts, FileState, FileTotal, NewDecision, NewJob, NewPayment, Recording, TotalKind, Tx,
        testing::{Fresh, World},
    },
};

const PAYMENTS: usize = 10_000;
const CHUNK: usize = 500;
const ROUNDS: usize = 3;

async fn measure(fresh: &Fresh, name: &str) {
    let world = World::new(fresh).await;
    for round in 0..ROUNDS {
        let numbers: Vec<_> = (0..PAYMENTS * 2).map(|number| format!("INV-{round}-{number}")).collect();
        let open: Vec<_> = numbers.iter().map(|number| (number.as_str(), 60)).collect();
        let started = Instant::now();
        let ids = items(fresh, &world, &open).await;
        let importing = started.elapsed();

        let started = Instant::now();
        let mut tx = fresh.db.begin().await.expect("begin");
        let file = world.file(&mut tx, &format!("file {round}")).await;
        let amounts = vec![120; PAYMENTS];
        let payments = world.payments(&mut tx, file, &amounts).await;
        let mut advices = Vec::new();
        for (seq, new) in (0_u32..).zip(&payments) {
            let mut advice = world.remittance(&mut tx, file, seq, 120).await;
            (advice.payment, advice.state) = (Some(new.payment.id), crate::domain::RemittanceState::Linked);
            advices.push(advice);
        }
        tx.record_remittances(&advices).await.expect("remittances");
        record_all(&mut tx, file).await;
        receive(&mut tx, &engine(&world), file).await.expect("received");
        tx.commit().await.expect("commit");
        let recording = started.elapsed();

        let started = Instant::now();
        for (payments, ids) in payments.chunks(CHUNK).zip(ids.chunks(CHUNK * 2)) {
            post_chunk(fresh, &world, payments, ids).await;
        }
        let posting = started.elapsed();
        let per_second = |elapsed: std::time::Duration| PAYMENTS as u128 * 1_000 / elapsed.as_millis().max(1);
        println!(
            "{name} round {round}: import {} items {importing:.0?}; record {PAYMENTS} payments {recording:.0?} ({}/s); post {posting:.0?} ({}/s)",
            PAYMENTS * 2,
            per_second(recording),
            per_second(posting)
        );
    }
    let started = Instant::now();
    let promises = check(&mut fresh.db.read().await.expect("read"), None).await.expect("checked");
    assert!(promises.iter().all(|promise| promise.holds), "{promises:?}");
    println!("{name}: check {:.0?}", started.elapsed());
}

/// T3 of one chunk: decisions, postings and a job, in one transaction.
async fn post_chunk(fresh: &Fresh, world: &World, payments: &[NewPayment], ids: &[OpenItemId]) {
    let decisions: Vec<_> = ids
        .chunks(2)
        .map(|pair| Decision {
            outcome: Outcome::Post,
            proposals: vec![proposal(vec![line(pair[0], 60), line(pair[1], 60)], 0)],
            evidence: Evidence { equation: "1.20 = 0.60 + 0.60".to_owned(), ..Evidence::default() },
        })
        .collect();
    let mut tx = fresh.db.begin().await.expect("begin");
    let decided = payments.iter().zip(&decisions);
    let inputs = crate::store::Inputs::default();
    let new: Vec<_> = decided
        .clone()
        .map(|(new, decision)| NewDecision { payment: new.payment.id, version: 1, decision, inputs: &inputs })
        .collect();
    let stored = tx.record_decisions(&new, world.day).await.expect("decisions");
    let postings: Vec<_> = decided
        .zip(stored)
        .map(|((new, decision), id)| Posting {
            payment: new.payment.id,
            version: 1,
            proposal: &decision.proposals[0],
            decision: Some(id),
            refund_minor: 0,
            note: None,
            owners: &[],
        })
        .collect();
    let outcomes = apply(&mut tx, &engine(world), &postings).await.expect("applied");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PostOutcome::Posted { .. })));
    let job = NewJob { kind: "match".to_owned(), key: format!("match:{}", ids[0]), payload: serde_json::json!(ids[0]) };
    tx.enqueue(&[job]).await.expect("a job");
    tx.commit().await.expect("commit");
}

/// The counts of a file with an advice of one line for each payment.
async fn record_all(tx: &mut Tx, file: FileId) {
    let records = PAYMENTS as u64;
    let total = FileTotal { kind: TotalKind::Payment, currency: Currency::USD, records, amount_minor: 120 * PAYMENTS as i64 };
    let counts = FileCounts { payments: records, remittances: records, remittance_lines: records, ..FileCounts::default() };
    let recording = Recording {
        file,
        state: FileState::Recorded,
        format: "x12.820",
        verdict: "accepted",
        sender: None,
        receiver: None,
        counts,
        totals: vec![total],
    };
    assert!(tx.record_file(&recording).await.expect("recorded"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn sqlite() {
    let fresh = Fresh::sqlite().await;
    measure(&fresh, "sqlite").await;
    fresh.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn postgres() {
    let Some(fresh) = Fresh::postgres().await else { return };
    measure(&fresh, "postgres").await;
    fresh.close().await;
}
