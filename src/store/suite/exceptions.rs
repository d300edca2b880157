//! Exceptions: one row for one cause, versions decide races.

use crate::{
    domain::{Currency, Level, Reason, Route},
    store::{ExceptionFilter, NewException, testing::on_both},
};

fn exception(key: &str, reason: Reason) -> NewException {
    let route = Route { queue: reason.default_queue().to_owned(), owner: None, due_hours: 24, rule: "default".to_owned() };
    let mut new = NewException::new(key.to_owned(), Level::File, reason, route, "Totals disagree".to_owned());
    new.amount = Some((100, Currency::USD));
    new
}

on_both! {
    async fn the_same_matter_is_one_exception(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let first = tx.raise_exceptions(&[exception("file:1:held", Reason::FileHeld), exception("file:2:held", Reason::FileHeld)], "engine").await.unwrap();
        let again = tx.raise_exceptions(&[exception("file:2:held", Reason::ChangedResend)], "engine").await.unwrap();
        assert_eq!(again, first[1..]);
        let stored = tx.exception(first[1]).await.unwrap().expect("stored");
        assert_eq!((stored.reason, stored.version, stored.open, stored.due_at.as_deref()), (Reason::ChangedResend, 2, true, Some("2026-03-03T08:00:00.000Z")));
        assert!(!stored.is_overdue(tx.at()));
        assert!(stored.is_overdue(tx.at() + chrono::TimeDelta::hours(25)));
    }
}

on_both! {
    async fn the_loser_of_a_race_changes_nothing(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let id = tx.raise_exceptions(&[exception("file:1:held", Reason::FileHeld)], "engine").await.unwrap()[0];
        assert!(tx.assign_exception(id, 1, Some("ann"), "ann").await.unwrap());
        assert!(!tx.assign_exception(id, 1, Some("bob"), "bob").await.unwrap());
        tx.note_exception(id, "ann", "called the sender").await.unwrap();
        assert!(tx.close_exception(id, 2, "released", "key-1", "ann").await.unwrap());
        assert!(!tx.close_exception(id, 2, "rejected", "key-2", "bob").await.unwrap());
        let stored = tx.exception_by_key("file:1:held").await.unwrap().expect("stored");
        assert_eq!((stored.open, stored.resolved_by.as_deref(), stored.resolution.as_deref(), stored.owner.as_deref()), (false, Some("ann"), Some("released"), Some("ann")));
        assert_eq!(tx.exception_notes(id).await.unwrap()[0].text, "called the sender");
        // It comes up again: the row is open again and still Ann's.
        tx.raise_exceptions(&[exception("file:1:held", Reason::FileHeld)], "engine").await.unwrap();
        let stored = tx.exception(id).await.unwrap().expect("stored");
        assert_eq!((stored.open, stored.resolution, stored.owner.as_deref()), (true, None, Some("ann")));
    }
}

on_both! {
    async fn queues_are_listed_and_counted(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let mut new: Vec<_> = (0..30).map(|number| exception(&format!("file:{number}:held"), Reason::FileHeld)).collect();
        new.push(exception("payment:1:match", Reason::Ambiguous));
        let ids = tx.raise_exceptions(&new, "engine").await.unwrap();
        let filter = ExceptionFilter { queue: Some("files".to_owned()), open: Some(true), after: Some(ids[19]), limit: Some(5), ..ExceptionFilter::default() };
        let listed = tx.exceptions(&filter).await.unwrap();
        assert_eq!(listed.iter().map(|exception| exception.id).collect::<Vec<_>>(), ids[20..25]);
        assert_eq!(tx.clear_exceptions(&["file:0:held".to_owned(), "nothing".to_owned()], "posted", "engine").await.unwrap(), 1);
        let loads = tx.queue_loads().await.unwrap();
        let counted: Vec<_> = loads.iter().map(|load| (load.queue.as_str(), load.exceptions, load.amount_minor)).collect();
        assert_eq!(counted, [("cash_application", 1, 100), ("files", 29, 2900)]);
        let filter = ExceptionFilter { reason: Some(Reason::Ambiguous), ..ExceptionFilter::default() };
        assert_eq!(tx.exceptions(&filter).await.unwrap().len(), 1);
    }
}
