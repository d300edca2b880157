//! `check` must notice every kind of damage, and the database must refuse to change facts.

use crate::{
    audit,
    ledger::{
        PostOutcome, Posting, apply, check,
        suite::{broken, engine, items, line, proposal, received},
    },
    store::{
        Backend, Db,
        testing::{Fresh, World, on_both},
    },
};

/// A posted and a partly posted payment.
async fn posted(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let (_, payments) = received(fresh, &world, "aa", &[1_000, 400]).await;
    let ids = items(fresh, &world, &[("A", 900), ("B", 400)]).await;
    let on_account = crate::domain::Proposal { on_account_minor: 100, ..proposal(vec![line(ids[0], 900)], 0) };
    let plain = proposal(vec![line(ids[1], 400)], 0);
    let posting = |place: usize, proposal| Posting {
        payment: payments[place].payment.id,
        version: 1,
        proposal,
        decision: None,
        refund_minor: 0,
        note: None,
        owners: &[],
    };
    let mut tx = fresh.db.begin().await.expect("begin");
    let outcomes = apply(&mut tx, &engine(&world), &[posting(0, &on_account), posting(1, &plain)]).await.expect("applied");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PostOutcome::Posted { .. })), "{outcomes:?}");
    tx.commit().await.expect("commit");
    audit::seal(&fresh.db).await.expect("sealed");
    assert_eq!(broken(&fresh.db).await, [""; 0]);
}

/// Does damage behind the back of the ledger and counts the promises that are found broken.
async fn damage(db: &Db, sql: &'static str) -> usize {
    let mut tx = db.begin().await.expect("begin");
    for trigger in
        ["application_no_update", "journal_line_no_update", "journal_line_no_delete", "audit_no_update", "audit_no_delete"]
    {
        // A repair script with all rights could do this too; the chain and the sums must still tell.
        let table = trigger.split("_no_").next().expect("a table");
        let statement = match db.backend() {
            Backend::Sqlite => format!("drop trigger if exists {trigger}"),
            Backend::Postgres => format!("alter table {table} disable trigger user"),
        };
        tx.run(&statement, Vec::new()).await.expect("rights to do damage");
    }
    tx.run(sql, Vec::new()).await.expect("the damage is done");
    let promises = check(&mut tx, None).await.expect("checked");
    tx.rollback().await.expect("rolled back");
    promises.iter().filter(|promise| !promise.holds).count()
}

on_both! {
    async fn every_kind_of_damage_is_noticed(fresh) {
        posted(fresh).await;
        for sql in [
            "update payment set unapplied_minor = 1 where amount_minor = 400",
            "update payment set amount_minor = 401, unapplied_minor = 1 where amount_minor = 400",
            "update payment set amount_minor = 9223372036854775807",
            "update payment set state = 'void' where amount_minor = 400",
            "update payment set state = 'exception' where amount_minor = 400",
            "update payment set duplicate_of = 1 where amount_minor = 400",
            "update open_item set open_minor = 1, status = 'open' where number = 'A'",
            "update file set payments = 3",
            "update file set set_aside = 1",
            "update file set state = 'held'",
            "update file_total set amount_minor = amount_minor + 1",
            "update application set cash_minor = cash_minor + 1, applied_minor = applied_minor + 1, closes_minor = closes_minor + 1 where kind = 'item'",
            "update application set deduction_minor = 1, applied_minor = applied_minor - 1 where kind = 'item'",
            "update journal_line set amount_minor = amount_minor + 1 where account = 'receivable'",
            "update journal_line set account = 'cash' where account = 'receivable'",
            "delete from journal_line where account = 'on_account'",
            "update audit set detail = 'nothing happened'",
            "update audit set seq = seq + 1",
            "update audit set prev = hash",
        ] {
            assert!(damage(&fresh.db, sql).await > 0, "not noticed: {sql}");
        }
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn facts_cannot_be_changed_or_deleted(fresh) {
        posted(fresh).await;
        for sql in [
            "update application set cash_minor = 0", "delete from application", "update journal_line set amount_minor = 1", "delete from journal_line",
            "update journal_entry set actor = 'x'", "delete from journal_entry", "update audit set actor = 'x'", "delete from audit",
        ] {
            let mut tx = fresh.db.begin().await.unwrap();
            assert!(tx.run(sql, Vec::new()).await.is_err(), "allowed: {sql}");
        }
    }
}

on_both! {
    async fn the_head_outside_the_database_tells_when_the_end_was_cut_off(fresh) {
        posted(fresh).await;
        let event = |detail: &str| crate::store::AuditEvent { actor: "ann".to_owned(), action: "note".to_owned(), subject: "F1".to_owned(), detail: detail.to_owned() };
        let early = audit::seal(&fresh.db).await.unwrap().expect("a head");
        fresh.db.transact(async |tx| audit::record(tx, &[event("one"), event("two")]).await).await.unwrap();
        assert_eq!(audit::verify(&mut fresh.db.read().await.unwrap(), Some(&early)).await.unwrap().unsealed, 2);
        let head = audit::seal(&fresh.db).await.unwrap().expect("a head");
        assert_eq!((head.seq, head.to_string().parse::<audit::Head>().unwrap()), (early.seq + 2, head.clone()));
        let verified = audit::verify(&mut fresh.db.read().await.unwrap(), Some(&early)).await.unwrap();
        assert_eq!((verified.broken, verified.head, verified.unsealed), (None, Some(head.clone()), 0), "an older copy is still in the chain");
        let mut tx = fresh.db.begin().await.unwrap();
        let statement = if fresh.is_sqlite() { "drop trigger audit_no_delete" } else { "alter table audit disable trigger user" };
        tx.run(statement, Vec::new()).await.unwrap();
        tx.run("delete from audit where detail = 'two'", Vec::new()).await.unwrap();
        assert_eq!(audit::verify(&mut tx, None).await.unwrap().broken, None, "the chain alone cannot tell");
        assert!(audit::verify(&mut tx, Some(&head)).await.unwrap().broken.is_some());
    }
}

on_both! {
    /// Writers and sealers at once: one chain without a gap.
    async fn sealing_while_others_write_leaves_one_chain(fresh) {
        let workers: Vec<_> = (0..4).map(|worker| {
            let db = fresh.db.clone();
            tokio::spawn(async move {
                for number in 0..15 {
                    let event = crate::store::AuditEvent { actor: format!("w{worker}"), action: "note".to_owned(), subject: "F1".to_owned(), detail: number.to_string() };
                    let event = &event;
                    db.write(|mut tx| async move {
                        audit::record(&mut tx, std::slice::from_ref(event)).await?;
                        Ok((tx, ()))
                    }).await.unwrap();
                    if number % 5 == worker { audit::seal(&db).await.unwrap(); }
                }
            })
        }).collect();
        for worker in workers {
            worker.await.unwrap();
        }
        audit::seal(&fresh.db).await.unwrap();
        let verified = audit::verify(&mut fresh.db.read().await.unwrap(), None).await.unwrap();
        assert_eq!((verified.rows, verified.unsealed, verified.broken), (60, 0, None));
    }
}
