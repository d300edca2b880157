//! Open items: importing again is harmless, and never silent once cash is applied.

use crate::{
    domain::{ItemStatus, OpenItemId},
    store::{
        ItemChange, ItemOutcome, ItemStored, NewOpenItem,
        testing::{World, on_both},
    },
};

on_both! {
    async fn importing_again_changes_nothing_and_other_content_updates(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let rows: Vec<_> = (0..620).map(|number| world.invoice(&format!("INV-{number}"), 10_000 + number)).collect();
        let first = tx.upsert_open_items(&rows, "csv").await.unwrap();
        assert!(first.iter().all(|row| row.outcome == ItemOutcome::Inserted));
        let second = tx.upsert_open_items(&rows, "csv").await.unwrap();
        assert!(second.iter().zip(&first).all(|(again, row)| again.outcome == ItemOutcome::Unchanged && again.item == row.item));
        let changed = NewOpenItem { amount_minor: 7, open_minor: 7, ..rows[3].clone() };
        assert_eq!(tx.upsert_open_items(&[changed], "csv").await.unwrap()[0].outcome, ItemOutcome::Updated);
        let item = tx.open_item_by_number(world.seller, "INV-3").await.unwrap().expect("stored");
        assert_eq!((item.amount_minor, item.open_minor, item.status), (7, 7, ItemStatus::Open));
        tx.commit().await.unwrap();
        let (all, mark) = fresh.db.begin().await.unwrap().open_items_changed_since(0).await.unwrap();
        assert_eq!(all.len(), 620);
        let mut tx = fresh.db.begin().await.unwrap();
        tx.upsert_open_items(&[NewOpenItem { po: Some("PO-9".to_owned()), ..rows[5].clone() }], "csv").await.unwrap();
        tx.commit().await.unwrap();
        let (changed, _) = fresh.db.begin().await.unwrap().open_items_changed_since(mark).await.unwrap();
        // PostgreSQL may repeat older rows while any transaction of the server is open; it must not leave out a newer one.
        let changed: Vec<_> = changed.iter().filter(|item| fresh.is_sqlite() || item.number == "INV-5").collect();
        assert_eq!(changed.iter().map(|item| item.po.as_deref()).collect::<Vec<_>>(), [Some("PO-9")]);
    }
}

on_both! {
    async fn a_number_twice_in_one_batch_is_one_item(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let rows = [world.invoice("A", 100), world.invoice("A", 100), world.invoice("A", 250)];
        let stored = tx.upsert_open_items(&rows, "810").await.unwrap();
        let outcomes: Vec<_> = stored.iter().map(|row| row.outcome).collect();
        assert_eq!(outcomes, [ItemOutcome::Inserted, ItemOutcome::Unchanged, ItemOutcome::Updated]);
        assert_eq!(tx.open_item_by_number(world.seller, "A").await.unwrap().expect("stored").amount_minor, 250);
    }
}

on_both! {
    async fn once_applied_other_content_is_refused(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let invoice = world.invoice("A", 100);
        let id = tx.upsert_open_items(std::slice::from_ref(&invoice), "810").await.unwrap()[0].item.expect("an item");
        tx.settle_items(&[ItemChange { id, closes_minor: 40, day: world.day }]).await.unwrap();
        let outcome = async |tx: &mut crate::store::Tx, row: NewOpenItem| tx.upsert_open_items(&[row], "810").await.unwrap()[0].outcome;
        assert_eq!(outcome(&mut tx, invoice.clone()).await, ItemOutcome::Unchanged, "the sender still believes that all is open");
        assert_eq!(outcome(&mut tx, NewOpenItem { amount_minor: 90, open_minor: 90, ..invoice.clone() }).await, ItemOutcome::ConflictApplied);
        assert_eq!(outcome(&mut tx, NewOpenItem { cancels: true, ..invoice }).await, ItemOutcome::ConflictApplied);
        let item = tx.open_items(&[id]).await.unwrap().pop().expect("stored");
        assert_eq!((item.amount_minor, item.open_minor, item.status), (100, 60, ItemStatus::Open));
    }
}

on_both! {
    async fn once_applied_less_open_elsewhere_is_settled_there_and_asked_about(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let (invoice, memo) = (world.invoice("A", 100), world.invoice("CM", -100));
        let stored = tx.upsert_open_items(&[invoice.clone(), memo.clone()], "erp").await.unwrap();
        let ids: Vec<_> = stored.iter().map(|row| row.item.expect("an item")).collect();
        let changes = [(ids[0], 40), (ids[1], -40)].map(|(id, closes_minor)| ItemChange { id, closes_minor, day: world.day });
        tx.settle_items(&changes).await.unwrap();
        let open = |row: &NewOpenItem, open_minor| NewOpenItem { open_minor, ..row.clone() };
        for (rows, expected) in [
            ([open(&invoice, 100), open(&memo, -100)], ItemOutcome::Unchanged),
            ([open(&invoice, 60), open(&memo, -60)], ItemOutcome::Unchanged),
            ([open(&invoice, 20), open(&memo, -20)], ItemOutcome::SettledElsewhere),
            ([open(&invoice, 20), open(&memo, -20)], ItemOutcome::Unchanged),
            ([open(&invoice, 0), open(&memo, 0)], ItemOutcome::SettledElsewhere),
        ] {
            let outcomes = tx.upsert_open_items(&rows, "erp").await.unwrap();
            assert!(outcomes.iter().all(|row| row.outcome == expected), "{expected:?} {outcomes:?}");
        }
        let closed = tx.open_items(&ids).await.unwrap();
        assert!(closed.iter().all(|item| (item.open_minor, item.status) == (0, ItemStatus::Closed)), "{closed:?}");
        tx.commit().await.unwrap();
    }
}

on_both! {
    async fn a_row_of_a_file_corrects_references_and_never_the_money(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "aa").await;
        let row = NewOpenItem { file: Some(file), ..world.invoice("A", 100) };
        tx.upsert_open_items(std::slice::from_ref(&row), "edi").await.unwrap();
        let outcome = async |tx: &mut crate::store::Tx, row: NewOpenItem| tx.upsert_open_items(&[row], "edi").await.unwrap()[0].outcome;
        for other in [
            NewOpenItem { amount_minor: 99, open_minor: 99, ..row.clone() },
            NewOpenItem { currency: crate::domain::Currency::parse("CAD").expect("a currency"), ..row.clone() },
            NewOpenItem { kind: crate::domain::ItemKind::DebitMemo, ..row.clone() },
        ] {
            assert_eq!(outcome(&mut tx, other.clone()).await, ItemOutcome::ConflictFile, "{other:?}");
        }
        assert_eq!(outcome(&mut tx, NewOpenItem { po: Some("PO-1".to_owned()), ..row.clone() }).await, ItemOutcome::Updated);
        let import = NewOpenItem { amount_minor: 99, open_minor: 99, file: None, ..row };
        assert_eq!(outcome(&mut tx, import).await, ItemOutcome::Updated, "a person who imports it may");
        tx.commit().await.unwrap();
    }
}

on_both! {
    async fn a_cancelled_item_is_not_open_and_may_come_back(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let invoice = world.invoice("A", 100);
        let cancel = NewOpenItem { cancels: true, ..invoice.clone() };
        assert_eq!(tx.upsert_open_items(std::slice::from_ref(&cancel), "810").await.unwrap()[0].outcome, ItemOutcome::NotFound);
        let id = tx.upsert_open_items(std::slice::from_ref(&invoice), "810").await.unwrap()[0].item.expect("an item");
        assert_eq!(tx.upsert_open_items(std::slice::from_ref(&cancel), "810").await.unwrap()[0].outcome, ItemOutcome::Updated);
        assert_eq!(tx.upsert_open_items(&[cancel], "810").await.unwrap()[0].outcome, ItemOutcome::Unchanged);
        let item = tx.open_items(&[id]).await.unwrap().pop().expect("stored");
        assert_eq!((item.status, item.open_minor), (ItemStatus::Cancelled, 0));
        assert!(tx.settle_items(&[ItemChange { id, closes_minor: 1, day: world.day }]).await.is_err(), "nothing is applied to it");
        assert_eq!(tx.upsert_open_items(&[invoice], "810").await.unwrap()[0].outcome, ItemOutcome::Updated);
        assert_eq!(tx.open_items(&[id]).await.unwrap()[0].open_minor, 100);
    }
}

on_both! {
    async fn the_guard_refuses_more_than_is_open_on_either_side_of_zero(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let stored = tx.upsert_open_items(&[world.invoice("A", 100), world.invoice("CM", -50)], "810").await.unwrap();
        let (invoice, memo) = (stored[0].item.expect("an item"), stored[1].item.expect("an item"));
        tx.commit().await.unwrap();
        let settle = async |id: OpenItemId, closes_minor: i64| {
            let mut tx = fresh.db.begin().await.unwrap();
            match tx.settle_items(&[ItemChange { id, closes_minor, day: world.day }]).await {
                Ok(()) => {
                    tx.commit().await.unwrap();
                    true
                }
                Err(error) => {
                    assert!(crate::store::wants_retry(&error), "{error:#}");
                    false
                }
            }
        };
        assert!(!settle(invoice, 101).await);
        assert!(!settle(invoice, -1).await);
        assert!(!settle(memo, 1).await);
        assert!(!settle(memo, -51).await);
        assert!(settle(invoice, 100).await && settle(memo, -50).await);
        let mut tx = fresh.db.begin().await.unwrap();
        let items = tx.open_items(&[invoice, memo]).await.unwrap();
        assert!(items.iter().all(|item| item.open_minor == 0 && item.status == ItemStatus::Closed && item.closed_date == Some(world.day)));
        tx.settle_items(&[ItemChange { id: memo, closes_minor: 20, day: world.day }]).await.unwrap();
        let memo = tx.open_items(&[memo]).await.unwrap().pop().expect("stored");
        assert_eq!((memo.open_minor, memo.status, memo.closed_date), (-20, ItemStatus::Open, None));
    }
}

on_both! {
    /// A reader that looks while a writer is still at work must find that writer's rows when it looks again.
    async fn a_late_commit_is_not_missed(fresh) {
        let world = World::new(fresh).await;
        if fresh.db.backend() == crate::store::Backend::Sqlite {
            return; // One writer: no transaction commits out of order.
        }
        let mut slow = fresh.db.begin().await.unwrap();
        slow.upsert_open_items(&[world.invoice("SLOW", 100)], "csv").await.unwrap();
        let mut quick = fresh.db.begin().await.unwrap();
        quick.upsert_open_items(&[world.invoice("QUICK", 100)], "csv").await.unwrap();
        quick.commit().await.unwrap();
        let (seen, mark) = fresh.db.read().await.unwrap().open_items_changed_since(0).await.unwrap();
        assert_eq!(seen.len(), 1);
        slow.commit().await.unwrap();
        let (seen, _) = fresh.db.read().await.unwrap().open_items_changed_since(mark).await.unwrap();
        assert!(seen.iter().any(|item| item.number == "SLOW"));
    }
}

on_both! {
    /// A list may number an item anew and give its number to another one, in any order; what contradicts itself is asked about, and never lost.
    async fn a_number_that_goes_to_another_item_loses_neither(fresh) {
        let world = World::new(fresh).await;
        let of = |number: &str, id: &str, amount| NewOpenItem { external_id: Some(id.to_owned()), ..world.invoice(number, amount) };
        let numbered = async |rows: &[NewOpenItem]| {
            let mut tx = fresh.db.begin().await.unwrap();
            tx.upsert_open_items(&[of("A", "I1", 100), of("B", "I2", 100)], "csv").await.unwrap();
            let outcomes: Vec<_> = tx.upsert_open_items(rows, "csv").await.unwrap().iter().map(|row| row.outcome).collect();
            let (items, _) = tx.open_items_changed_since(0).await.unwrap();
            let mut items: Vec<_> = items.iter().map(|item| (item.number.clone(), item.open_minor)).collect();
            items.sort();
            tx.rollback().await.unwrap();
            (outcomes, items)
        };
        let all = |items: &[(&str, i64)]| items.iter().map(|(number, open)| ((*number).to_owned(), *open)).collect::<Vec<_>>();
        let (anew, reused) = (of("C", "I1", 100), of("A", "I7", 300));
        let three = all(&[("A", 300), ("B", 100), ("C", 100)]);
        let (outcomes, items) = numbered(&[anew.clone(), reused.clone()]).await;
        assert_eq!((outcomes.as_slice(), items), ([ItemOutcome::Updated, ItemOutcome::Inserted].as_slice(), three.clone()));
        let (outcomes, items) = numbered(&[reused.clone(), anew]).await;
        assert_eq!((outcomes.as_slice(), items), ([ItemOutcome::Inserted, ItemOutcome::Updated].as_slice(), three));
        let two = all(&[("A", 100), ("B", 100)]);
        for rows in [vec![of("B", "I1", 100), of("A", "I2", 100)], vec![of("B", "I1", 100)], vec![reused]] {
            let (outcomes, items) = numbered(&rows).await;
            assert!(outcomes.iter().all(|outcome| *outcome == ItemOutcome::ConflictId), "{outcomes:?} of {rows:?}");
            assert_eq!(items, two);
        }
        let (outcomes, items) = numbered(&[of("A", "I2", 100), of("C", "I1", 100)]).await;
        assert_eq!((outcomes.as_slice(), items), ([ItemOutcome::ConflictId, ItemOutcome::Updated].as_slice(), all(&[("B", 100), ("C", 100)])));
        // An id that is new for the same money is the ERP's matter.
        assert_eq!(numbered(&[of("A", "I9", 100)]).await.1, two);
    }
}

on_both! {
    /// The ERP's id tells that an invoice under another number is the one that is known; nobody owes it twice.
    async fn an_invoice_that_was_numbered_anew_is_the_same_receivable(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let of = |number: &str, id: &str, amount| NewOpenItem { external_id: Some(id.to_owned()), ..world.invoice(number, amount) };
        let store = async |tx: &mut crate::store::Tx, rows: &[NewOpenItem]| tx.upsert_open_items(rows, "csv").await.unwrap();
        // What was known before ids were kept learns its id.
        let plain = store(&mut tx, &[world.invoice("A", 100)]).await[0].item;
        assert_eq!(store(&mut tx, &[of("A", "I1", 100)]).await[0].outcome, ItemOutcome::Unchanged);
        let renamed = store(&mut tx, &[of("A-2", "I1", 100)]).await[0];
        assert_eq!((renamed.item, renamed.outcome), (plain, ItemOutcome::Updated));
        assert!(tx.open_item_by_number(world.seller, "A").await.unwrap().is_none());
        // After cash was applied, too: only the number changes.
        tx.settle_items(&[ItemChange { id: plain.unwrap(), closes_minor: 40, day: world.day }]).await.unwrap();
        assert_eq!(store(&mut tx, &[of("A-3", "I1", 100)]).await[0], ItemStored { item: plain, outcome: ItemOutcome::Updated });
        let item = tx.open_item_by_number(world.seller, "A-3").await.unwrap().expect("renumbered");
        assert_eq!((Some(item.id), item.open_minor), (plain, 60));
        // Another amount under the same id, a file that says so, a cancellation: a person is asked, and nothing is stored.
        let file = world.file(&mut tx, "aa").await;
        for row in [
            of("A-4", "I1", 90),
            NewOpenItem { file: Some(file), ..of("A-4", "I1", 100) },
            NewOpenItem { cancels: true, ..of("A-4", "I1", 100) },
            NewOpenItem { po: Some("other".to_owned()), ..of("A-4", "I1", 100) },
        ] {
            assert_eq!(store(&mut tx, &[row]).await[0], ItemStored { item: plain, outcome: ItemOutcome::ConflictId });
        }
        assert!(tx.open_item_by_number(world.seller, "A-4").await.unwrap().is_none());
        // An id that two rows of a list bear is no id.
        let twice = store(&mut tx, &[of("A-3", "I1", 100), of("B", "I1", 100)]).await;
        assert_eq!(twice.iter().map(|row| row.outcome).collect::<Vec<_>>(), [ItemOutcome::Unchanged, ItemOutcome::Inserted]);
    }
}
