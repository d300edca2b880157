//! Undoing: mirror images, reopened items, returned and duplicate payments.

use super::{broken, engine, items, line, open, person, proposal, received, record, unapplied, with};
use crate::{
    domain::{Currency, Level, LineAdjustmentKind, Location, PaymentId, Reason, Source},
    ledger::{
        AboveAuthority, PostOutcome, Posting, Refusal, apply, mark_duplicate, match_key, receive, reject_file, release_file,
        reverse_application, reverse_payment, take_back,
    },
    rules::Power,
    store::{
        FileCounts, FileState, FileTotal, Kind, NewException, NewReturn, Recording, TotalKind, Tx,
        testing::{World, on_both},
    },
};

/// The exception that asks what a payment is for, so that nothing waits unseen.
async fn ask(tx: &mut Tx, payment: PaymentId) {
    let route =
        crate::domain::Route { queue: "cash_application".to_owned(), owner: None, due_hours: 24, rule: "default".to_owned() };
    let mut new =
        NewException::new(match_key(payment), Level::Payment, Reason::NoRemittance, route, "What is it for?".to_owned());
    new.payment = Some(payment);
    tx.raise_exceptions(&[new], "engine").await.expect("raised");
}

on_both! {
    async fn a_reversed_payment_is_as_if_it_had_not_been_posted(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[1_000]).await;
        let id = payments[0].payment.id;
        let ids = items(fresh, &world, &[("A", 700), ("B", 500)]).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let lines = vec![line(ids[0], 700), with(line(ids[1], 300), LineAdjustmentKind::Deduction, 200, "06")];
        let wanted = proposal(lines, 0);
        let posted = apply(&mut tx, &engine(&world), &[Posting { payment: id, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] }]).await.unwrap();
        assert!(matches!(posted[..], [PostOutcome::Posted { .. }]), "{posted:?}");
        tx.commit().await.unwrap();
        assert_eq!(broken(&fresh.db).await, [""; 0]);

        let mut tx = fresh.db.begin().await.unwrap();
        let first = tx.standing_applications(id).await.unwrap()[0].id;
        let ann = person(&world, "ann", "analyst");
        assert_eq!(reverse_application(&mut tx, &ann, first, "wrong invoice").await.unwrap().cash_minor, 700);
        let error = reverse_application(&mut tx, &ann, first, "again").await.unwrap_err();
        assert!(error.is::<Refusal>(), "{error:#}");
        ask(&mut tx, id).await;
        tx.commit().await.unwrap();
        assert_eq!((open(&fresh.db, &ids).await.as_slice(), unapplied(&fresh.db, id).await), ([700, 0].as_slice(), (700, "exception")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);

        let mut tx = fresh.db.begin().await.unwrap();
        assert_eq!(reverse_payment(&mut tx, &ann, id, "all of it").await.unwrap().applications, 1);
        assert!(reverse_payment(&mut tx, &ann, id, "again").await.unwrap_err().is::<Refusal>());
        tx.commit().await.unwrap();
        assert_eq!((open(&fresh.db, &ids).await.as_slice(), unapplied(&fresh.db, id).await), ([700, 500].as_slice(), (1_000, "exception")));
        assert_eq!(fresh.db.read().await.unwrap().applications(id).await.unwrap().len(), 4, "facts stay");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// An invoice paid with the help of a credit memo: undoing one of the two alone would leave cash that nobody paid.
    async fn a_credit_memo_is_undone_together_with_what_it_paid(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[100]).await;
        let id = payments[0].payment.id;
        let ids = items(fresh, &world, &[("A", 150), ("CM", -50)]).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let wanted = proposal(vec![line(ids[0], 150), line(ids[1], -50)], 0);
        apply(&mut tx, &engine(&world), &[Posting { payment: id, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] }]).await.unwrap();
        let ann = person(&world, "ann", "analyst");
        for application in tx.standing_applications(id).await.unwrap() {
            assert!(reverse_application(&mut tx, &ann, application.id, "alone").await.unwrap_err().is::<Refusal>());
        }
        assert_eq!(reverse_payment(&mut tx, &ann, id, "both").await.unwrap().cash_minor, 100);
        ask(&mut tx, id).await;
        tx.commit().await.unwrap();
        assert_eq!(open(&fresh.db, &ids).await, [150, -50]);
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn the_bank_takes_a_payment_back(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[1_000, 400]).await;
        let (id, other) = (payments[0].payment.id, payments[1].payment.id);
        let ids = items(fresh, &world, &[("A", 900)]).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let wanted = proposal(vec![line(ids[0], 900)], 100);
        apply(&mut tx, &engine(&world), &[Posting { payment: id, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] }]).await.unwrap();
        let file = world.file(&mut tx, "returns").await;
        let reserved = tx.reserve(Kind::BankReturn, 3).await.unwrap();
        let back = |place: usize, amount_minor| NewReturn {
            id: reserved[place], source: Source { file, location: Location::default() }, seq: u32::try_from(place).expect("small"), position: 1, currency: Currency::USD,
            amount_minor, code: "R01".to_owned(), original_trace: Some("T0".to_owned()), trace: None, payer_name: None, seller: None, held: false,
        };
        tx.record_returns(&[back(0, 1_000), back(1, 150), back(2, 300)]).await.unwrap();
        let total = FileTotal { kind: TotalKind::Return, currency: Currency::USD, records: 3, amount_minor: 1_450 };
        let counts = FileCounts { returns: 3, ..FileCounts::default() };
        tx.record_file(&Recording { file, state: FileState::Recorded, format: "nacha", verdict: "accepted", sender: None, receiver: None, counts, totals: vec![total] }).await.unwrap();
        let reversed = take_back(&mut tx, &engine(&world), reserved[0], id).await.unwrap();
        assert_eq!((reversed.cash_minor, reversed.applications), (900, 1));
        take_back(&mut tx, &engine(&world), reserved[1], other).await.unwrap();
        ask(&mut tx, other).await;
        tx.commit().await.unwrap();
        assert_eq!(open(&fresh.db, &ids).await, [900]);
        assert_eq!(unapplied(&fresh.db, id).await, (0, "returned"));
        assert_eq!(unapplied(&fresh.db, other).await, (250, "exception"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);

        let mut tx = fresh.db.begin().await.unwrap();
        assert!(take_back(&mut tx, &engine(&world), reserved[0], other).await.unwrap_err().is::<Refusal>(), "a return counts once");
        assert!(take_back(&mut tx, &engine(&world), reserved[2], other).await.unwrap_err().is::<Refusal>(), "more than is left");
        assert!(take_back(&mut tx, &engine(&world), reserved[2], id).await.unwrap_err().is::<Refusal>(), "it is gone already");
    }
}

on_both! {
    async fn a_duplicate_never_counted(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[1_000, 1_000]).await;
        let (first, second) = (payments[0].payment.id, payments[1].payment.id);
        let ann = person(&world, "ann", "analyst");
        let mut tx = fresh.db.begin().await.unwrap();
        mark_duplicate(&mut tx, &ann, second, first).await.unwrap();
        assert!(mark_duplicate(&mut tx, &ann, second, first).await.unwrap_err().is::<Refusal>());
        tx.commit().await.unwrap();
        assert_eq!(unapplied(&fresh.db, second).await, (1_000, "void"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// What a duplicate knew more goes to the payment that counts, so that its advice is not lost with it.
    async fn a_duplicate_leaves_its_advice_to_the_payment_that_counts(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[1_000, 1_000]).await;
        let (first, second) = (payments[0].payment.id, payments[1].payment.id);
        let mut tx = fresh.db.begin().await.unwrap();
        let advice = world.remittance(&mut tx, payments[1].payment.source.file, 0, 1_000).await;
        tx.record_remittances(std::slice::from_ref(&advice)).await.unwrap();
        tx.link_remittances(&[(advice.id, second)]).await.unwrap();
        assert_eq!(tx.send_to_person(&[(first, 1, None)]).await.unwrap(), [first]);
        ask(&mut tx, first).await;
        assert!(mark_duplicate(&mut tx, &person(&world, "ann", "analyst"), second, first).await.unwrap(), "it is worth another look");
        assert_eq!(tx.payment(first).await.unwrap().unwrap().remittance, Some(advice.id));
        assert_eq!(tx.payment(second).await.unwrap().unwrap().remittance, None);
        assert_eq!(tx.remittance(advice.id).await.unwrap().unwrap().payment, Some(first));
        assert!(tx.lock_waiting_remittances(&[advice.id]).await.unwrap().is_empty(), "it is linked");
    }
}

on_both! {
    async fn only_another_live_record_of_the_same_money_makes_a_duplicate(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[1_000, 1_000, 1_000, 999]).await;
        let ids: Vec<_> = payments.iter().map(|new| new.payment.id).collect();
        let (ann, cleo) = (person(&world, "ann", "analyst"), person(&world, "cleo", "clerk"));
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "bb").await;
        let held = PaymentId(tx.reserve_one(Kind::Payment).await.unwrap());
        let foreign = PaymentId(tx.reserve_one(Kind::Payment).await.unwrap());
        let mut new = [world.held_payment(file, 0, held.0, 1_000), world.held_payment(file, 1, foreign.0, 1_000)];
        let sellers = std::collections::BTreeMap::from([("S02".to_owned(), "Gadget Works".to_owned())]);
        let other = tx.upsert_sellers(&sellers).await.unwrap()["S02"];
        (new[1].payment.seller, new[1].payment.state) = (Some(other), crate::domain::PaymentState::Received);
        tx.record_payments(&new).await.unwrap();
        for (of, why) in [
            (ids[0], "itself"), (PaymentId(99), "does not exist"), (held, "is held"), (ids[3], "9.99"), (foreign, "different sellers"),
        ] {
            let error = mark_duplicate(&mut tx, &ann, ids[0], of).await.unwrap_err();
            assert!(error.is::<Refusal>() && error.to_string().contains(why), "{of}: {error:#}");
        }
        let above = mark_duplicate(&mut tx, &cleo, ids[0], ids[1]).await.unwrap_err();
        let limit = AboveAuthority::Amount { power: Power::Apply, amount_minor: 1_000, limit_minor: 500, currency: Currency::USD };
        assert_eq!(above.downcast::<AboveAuthority>().unwrap(), limit);
        mark_duplicate(&mut tx, &ann, ids[0], ids[1]).await.unwrap();
        for (id, of, why) in [(ids[1], ids[0], "is void"), (ids[1], ids[2], "in place of its duplicate"), (ids[2], ids[0], "is void")] {
            let error = mark_duplicate(&mut tx, &ann, id, of).await.unwrap_err();
            assert!(error.is::<Refusal>() && error.to_string().contains(why), "{id} of {of}: {error:#}");
        }
        mark_duplicate(&mut tx, &ann, ids[2], ids[1]).await.unwrap();
        assert_eq!(tx.payment(ids[1]).await.unwrap().unwrap().state, crate::domain::PaymentState::Received, "one of the three counts");
    }
}

on_both! {
    async fn a_held_file_counts_only_when_it_is_released(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let mut files = Vec::new();
        for sha256 in ["aa", "bb"] {
            let file = world.file(&mut tx, sha256).await;
            let mut payments = world.payments(&mut tx, file, &[]).await;
            let ids = tx.reserve(Kind::Payment, 2).await.unwrap();
            for (seq, id) in (0_u32..).zip(ids) {
                payments.push(world.held_payment(file, seq, id, 500));
            }
            tx.record_payments(&payments).await.unwrap();
            record(&mut tx, file, FileState::Held, &[500, 500]).await;
            receive(&mut tx, &engine(&world), file).await.unwrap();
            let route = crate::domain::Route { queue: "files".to_owned(), owner: None, due_hours: 4, rule: "held".to_owned() };
            let mut held = NewException::new(crate::ledger::held_key(file), Level::File, Reason::FileHeld, route, "Totals disagree".to_owned());
            held.file = Some(file);
            tx.raise_exceptions(&[held], "engine").await.unwrap();
            files.push((file, payments[0].payment.id));
        }
        tx.commit().await.unwrap();
        let ids = items(fresh, &world, &[("A", 500)]).await;
        let wanted = proposal(vec![line(ids[0], 500)], 0);
        let mut tx = fresh.db.begin().await.unwrap();
        let held = apply(&mut tx, &engine(&world), &[Posting { payment: files[0].1, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] }]).await.unwrap();
        assert!(matches!(held[..], [PostOutcome::Stale(_)]), "{held:?}");
        assert!(release_file(&mut tx, &person(&world, "ann", "senior"), files[0].0, "the sender confirmed").await.unwrap());
        assert!(reject_file(&mut tx, &person(&world, "ann", "senior"), files[1].0, "a test file").await.unwrap());
        assert!(!release_file(&mut tx, &person(&world, "bob", "senior"), files[1].0, "no").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(unapplied(&fresh.db, files[0].1).await, (500, "received"));
        assert_eq!(unapplied(&fresh.db, files[1].1).await, (500, "void"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}
