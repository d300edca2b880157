//! Exports and match rates over a small day with one payment of each kind.

use serde_json::{Value as Json, json};

use super::{broken, engine, items, line, person, proposal, received, with};
use crate::{
    domain::{Currency, Decision, Evidence, Level, LineAdjustmentKind, Location, Outcome, PaymentId, Reason, Route, Source},
    ledger::{Posting, apply, mark_duplicate, match_key, reverse_payment, take_back},
    store::{
        FileCounts, FileState, Kind, MatchRateBy, NewArrival, NewDecision, NewException, NewReturn, Recording, Tx, Window,
        testing::{Fresh, World, on_both},
    },
};

/// P0 posted, P1 posted with a rest, P2 suggested, P3 without an idea, P4 returned, P5 duplicate, P6 reversed by a person.
async fn day(fresh: &Fresh) -> (World, Vec<PaymentId>) {
    let world = World::new(fresh).await;
    let (_, payments) = received(fresh, &world, "aa", &[1_000, 500, 300, 200, 400, 400, 700]).await;
    let ids: Vec<_> = payments.iter().map(|new| new.payment.id).collect();
    let open = items(fresh, &world, &[("A", 1_020), ("B", 450), ("C", 300), ("D", 300), ("E", 400), ("G", 700)]).await;
    let mut tx = fresh.db.begin().await.expect("begin");
    let first = vec![with(
        with(line(open[0], 1_000), LineAdjustmentKind::Discount, 15, "terms"),
        LineAdjustmentKind::WriteOff,
        5,
        "tolerance",
    )];
    let wanted = [
        (0, vec![proposal(first, 0), proposal(vec![line(open[1], 450)], 550)]),
        (1, vec![proposal(vec![line(open[1], 450)], 50)]),
        (2, vec![proposal(vec![line(open[2], 300)], 0), proposal(vec![line(open[3], 300)], 0)]),
        (3, Vec::new()),
        (4, vec![proposal(vec![line(open[4], 400)], 0)]),
        (6, vec![proposal(vec![line(open[5], 700)], 0)]),
    ];
    let decided: Vec<_> = wanted
        .iter()
        .map(|(place, proposals)| {
            let outcome = if matches!(place, 2 | 3) { Outcome::Hold { reason: Reason::Ambiguous } } else { Outcome::Post };
            (ids[*place], Decision { outcome, proposals: proposals.clone(), evidence: Evidence::default() })
        })
        .collect();
    let inputs = crate::store::Inputs::default();
    let new: Vec<_> = decided
        .iter()
        .map(|(payment, decision)| NewDecision { payment: *payment, version: 1, decision, inputs: &inputs })
        .collect();
    let stored = tx.record_decisions(&new, world.day).await.expect("decisions");
    assert_eq!(tx.record_decisions(&new, world.day).await.expect("decisions"), stored, "a repeat finds the first ones");
    let posting = |place: usize| Posting {
        payment: decided[place].0,
        version: 1,
        proposal: &decided[place].1.proposals[0],
        decision: Some(stored[place]),
        refund_minor: 0,
        note: None,
        owners: &[],
    };
    apply(&mut tx, &engine(&world), &[posting(0), posting(1), posting(4), posting(5)]).await.expect("applied");
    tx.send_to_person(&[(ids[2], 1, None), (ids[3], 1, None)]).await.expect("sent");
    let ann = person(&world, "ann", "analyst");
    mark_duplicate(&mut tx, &ann, ids[5], ids[4]).await.expect("marked");
    reverse_payment(&mut tx, &ann, ids[6], "wrong").await.expect("reversed");
    ask(&mut tx, &[ids[1], ids[2], ids[3], ids[6]]).await;
    let id = returned_in_a_file(&mut tx, &world).await;
    take_back(&mut tx, &engine(&world), id, ids[4]).await.expect("taken back");
    tx.commit().await.expect("commit");
    assert_eq!(broken(&fresh.db).await, [""; 0]);
    (world, ids)
}

async fn ask(tx: &mut Tx, payments: &[PaymentId]) {
    let asked = payments.iter().map(|payment| {
        let route = Route { queue: "cash_application".to_owned(), owner: None, due_hours: 24, rule: "default".to_owned() };
        let mut new = NewException::new(match_key(*payment), Level::Payment, Reason::Ambiguous, route, "Which?".to_owned());
        (new.payment, new.amount) = (Some(*payment), Some((100, Currency::USD)));
        new
    });
    tx.raise_exceptions(&asked.collect::<Vec<_>>(), "engine").await.expect("raised");
}

/// A file with one return of 400, which came under two names. Returns the id of the return.
async fn returned_in_a_file(tx: &mut Tx, world: &World) -> i64 {
    let file = world.file(tx, "bb").await;
    let again = NewArrival {
        sha256: "bb",
        name: "bb-copy",
        size_bytes: 1,
        door: "ingest",
        key: "bb-copy",
        business_day: world.day,
        format_forced: None,
    };
    tx.receive_file(&again).await.expect("again");
    let id = tx.reserve_one(Kind::BankReturn).await.expect("an id");
    let back = NewReturn {
        id,
        source: Source { file, location: Location::default() },
        seq: 0,
        position: 1,
        currency: Currency::USD,
        amount_minor: 400,
        code: "R01".to_owned(),
        original_trace: Some("T4".to_owned()),
        trace: None,
        payer_name: None,
        seller: None,
        held: false,
    };
    tx.record_returns(&[back]).await.expect("returns");
    let counts = FileCounts { returns: 1, ..FileCounts::default() };
    let recording = Recording {
        file,
        state: FileState::Recorded,
        format: "nacha",
        verdict: "accepted",
        sender: None,
        receiver: None,
        counts,
        totals: Vec::new(),
    };
    tx.record_file(&recording).await.expect("recorded");
    id
}

on_both! {
    async fn payments_and_applications_are_exported_as_they_stand(fresh) {
        let (_, ids) = day(fresh).await;
        let mut tx = fresh.db.read().await.unwrap();
        let page = tx.export_payments(0, 100).await.unwrap();
        let seen: Vec<_> = page.iter().map(|row| (row.status, row.unapplied_minor)).collect();
        assert_eq!(seen, [("posted", 0), ("posted", 50), ("suggested", 300), ("exception", 200), ("posted", 0), ("duplicate", 400), ("suggested", 700)]);
        // What the bank took back is not there any more, whatever it had paid; what nobody decided about waits.
        let left: Vec<_> = page.iter().map(|row| (row.waiting_minor, row.refunded_minor, row.returned_minor)).collect();
        assert_eq!(left, [(0, 0, 0), (50, 0, 0), (300, 0, 0), (200, 0, 0), (0, 0, 400), (0, 0, 0), (700, 0, 0)]);
        assert_eq!(tx.export_payments(page[4].cursor, 1).await.unwrap()[0].payment, ids[5].to_string());
        let row = serde_json::to_value(&page[0]).unwrap();
        assert_eq!((row["file"].as_str(), row["position"].as_i64(), row["seller_id"].as_str(), &row["cursor"]), (Some("aa"), Some(1), Some("S01"), &Json::Null));
        let returns = tx.export_returns(0, 100).await.unwrap();
        assert_eq!((returns[0].amount_minor, returns[0].status, returns[0].reversal_of.as_deref()), (-400, "posted", Some(ids[4].to_string().as_str())));

        let lines = tx.export_applications(&page).await.unwrap();
        let seen: Vec<_> = lines.iter().map(|row| (row.payment.as_str(), row.rank, row.invoice_number.as_str(), row.cash_minor, row.posted)).collect();
        let name = |place: usize| ids[place].to_string();
        let expected = [
            (name(0), 1, "A", 1_000, true), (name(0), 2, "B", 450, false), (name(1), 1, "B", 450, true), (name(2), 1, "C", 300, false),
            (name(2), 2, "D", 300, false), (name(4), 1, "E", 400, true), (name(6), 1, "G", 700, false),
        ];
        let expected: Vec<_> = expected.iter().map(|(payment, rank, number, cash, posted)| (payment.as_str(), *rank, *number, *cash, *posted)).collect();
        assert_eq!(seen, expected);
        assert_eq!(lines.iter().filter(|row| row.returned).map(|row| row.invoice_number.as_str()).collect::<Vec<_>>(), ["E"]);
        assert_eq!((lines[0].discount_minor, lines[0].deduction_minor, lines[0].reason.as_str()), (15, 5, "terms+tolerance"));
    }
}

on_both! {
    async fn files_exceptions_postings_and_audit_are_exported(fresh) {
        let (_, ids) = day(fresh).await;
        crate::audit::seal(&fresh.db).await.unwrap();
        let mut tx = fresh.db.read().await.unwrap();
        let files: Vec<_> = tx.export_files(0, 100).await.unwrap().iter().map(|row| serde_json::to_value(row).unwrap()).collect();
        let seen: Vec<_> = files.iter().map(|row| (row["file"].as_str().unwrap(), row["status"].as_str().unwrap(), row["payments"].as_i64())).collect();
        assert_eq!(seen, [("aa", "accepted", Some(7)), ("bb", "accepted", Some(0)), ("bb-copy", "duplicate", None)]);
        assert_eq!(files[2]["duplicate_of"], json!("bb"));
        let exceptions = tx.export_exceptions(0, 2).await.unwrap();
        assert_eq!((exceptions.len(), exceptions[0].file.as_deref(), exceptions[0].payment.clone()), (2, Some("aa"), Some(ids[1].to_string())));
        let (mut cursor, mut sum, mut entries) = (0, 0, 0);
        loop {
            let page = tx.export_postings(cursor, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            cursor = last.cursor;
            entries += 1;
            sum += page.iter().map(|row| row.amount_minor).sum::<i64>();
        }
        assert!(sum == 0 && entries > 2, "{sum} {entries}");
        let audit = tx.export_audit(0, 100).await.unwrap();
        assert!(audit.len() >= 3 && audit.iter().all(|row| row.hash.is_some()));
    }
}

on_both! {
    async fn match_rates_count_what_needed_no_person(fresh) {
        let (world, _) = day(fresh).await;
        let mut tx = fresh.db.read().await.unwrap();
        let window = |days: u32| Window { days, today: world.day };
        let rates = tx.match_rates(world.day, world.day, MatchRateBy::All, window(90)).await.unwrap();
        let [rate] = &rates[..] else { panic!("{rates:?}") };
        // Live are all but the duplicate; fully disposed without a person are P0 and P4.
        assert_eq!((rate.payments, rate.payments_auto), (6, 2));
        // Applied lines A, B, E by the engine; P2, P3 and P6 wait with a line each, P1 with none.
        assert_eq!((rate.lines, rate.lines_auto), (6, 3));
        // Four lines were applied by the engine, one of them was reversed the same day, and the others may still be.
        assert_eq!((rate.engine_lines, rate.lines_reversed, rate.window_lines), (4, 1, 3));
        assert_eq!((rate.received_minor, rate.auto_minor), (3_100, 1_850));
        assert_eq!((rate.engine_minor, rate.reversed_minor, rate.window_minor), (2_550, 700, 1_850));
        for by in MatchRateBy::EVERY {
            let rates = tx.match_rates(world.day, world.day, by, window(90)).await.unwrap();
            assert_eq!(rates.iter().map(|rate| rate.payments).sum::<i64>(), 6, "{by:?}");
            assert_eq!(rates.iter().map(|rate| (rate.engine_lines, rate.lines_reversed)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (4, 1), "{by:?}");
        }
        let later = world.day.succ_opt().expect("a date");
        assert!(tx.match_rates(later, later, MatchRateBy::All, window(90)).await.unwrap().is_empty());
        let long_after = Window { days: 90, today: world.day + chrono::Days::new(91) };
        let closed = tx.match_rates(world.day, world.day, MatchRateBy::All, long_after).await.unwrap();
        assert_eq!((closed[0].window_lines, closed[0].lines_reversed), (0, 1), "the window is over");
        let reasons = tx.match_reasons(world.day, world.day).await.unwrap();
        assert_eq!((reasons.len(), reasons[0].exceptions, reasons[0].open, reasons[0].amount_minor), (1, 4, 4, 400));
    }
}
