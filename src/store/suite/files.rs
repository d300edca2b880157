//! Files: one per content, many arrivals, one recording.

use chrono::NaiveDate;
use tieout_parsers::{Control, Effect, Figure, Finding, FindingCode, Location, Severity, Tag};

use crate::{
    domain::{Currency, FileId},
    store::{FileCounts, FileState, FileTotal, Interchange, NewArrival, Recording, TotalKind, testing::on_both},
};

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date")
}

fn arrival<'a>(sha256: &'a str, key: &'a str) -> NewArrival<'a> {
    NewArrival { sha256, name: "820-S01.edi", size_bytes: 812, door: "ingest", key, business_day: day(), format_forced: None }
}

fn recording(file: FileId, state: FileState) -> Recording<'static> {
    let totals = vec![FileTotal { kind: TotalKind::Payment, currency: Currency::USD, records: 2, amount_minor: 300 }];
    let counts = FileCounts { payments: 2, findings: 1, ..FileCounts::default() };
    Recording { file, state, format: "x12.820", verdict: "accepted", sender: Some("ACME"), receiver: Some("S01"), counts, totals }
}

on_both! {
    async fn the_same_bytes_are_one_file_with_two_arrivals(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let first = tx.receive_file(&arrival("aa", "ingest:1")).await.unwrap();
        assert!(first.content_is_new && first.arrival_is_new);
        let second = tx.receive_file(&arrival("aa", "ingest:2")).await.unwrap();
        assert_eq!((second.file, second.content_is_new, second.arrival_is_new), (first.file, false, true));
        let repeat = tx.receive_file(&arrival("aa", "ingest:2")).await.unwrap();
        assert_eq!((repeat.file, repeat.content_is_new, repeat.arrival_is_new), (first.file, false, false));
        assert_ne!(tx.receive_file(&arrival("bb", "ingest:3")).await.unwrap().file, first.file);
        let file = tx.file_by_sha256("aa").await.unwrap().expect("stored");
        assert_eq!((file.id, file.state, file.size_bytes, file.name.as_str()), (first.file, FileState::Received, 812, "820-S01.edi"));
        assert_eq!(tx.files(FileId(0), 10).await.unwrap().len(), 2);
    }
}

on_both! {
    async fn a_file_is_recorded_once(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let file = tx.receive_file(&arrival("aa", "ingest:1")).await.unwrap().file;
        assert!(tx.record_file(&recording(file, FileState::Held)).await.unwrap());
        assert!(!tx.record_file(&recording(file, FileState::Recorded)).await.unwrap(), "only the first recording counts");
        let stored = tx.file(file).await.unwrap().expect("stored");
        assert_eq!((stored.state, stored.counts.payments, stored.sender.as_deref()), (FileState::Held, 2, Some("ACME")));
        assert!(tx.move_file(file, FileState::Held, FileState::Recorded, "ann").await.unwrap());
        assert!(!tx.move_file(file, FileState::Held, FileState::Rejected, "bob").await.unwrap(), "it is not held any more");
    }
}

on_both! {
    async fn a_control_number_belongs_to_one_file(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let first = tx.receive_file(&arrival("aa", "ingest:1")).await.unwrap().file;
        let second = tx.receive_file(&arrival("bb", "ingest:2")).await.unwrap().file;
        let number = |control_number: &str| Interchange {
            sender: "ZZ ACME".to_owned(), receiver: "ZZ S01".to_owned(), control_number: control_number.to_owned(), version: "00401".to_owned(),
        };
        assert!(tx.guard_interchanges(first, &[number("000000002"), number("000000001")]).await.unwrap().is_empty());
        assert!(tx.guard_interchanges(first, &[number("000000001")]).await.unwrap().is_empty(), "its own number is no clash");
        let reused = tx.guard_interchanges(second, &[number("000000003"), number("000000002")]).await.unwrap();
        assert_eq!(reused.len(), 1);
        assert_eq!((reused[0].earlier, reused[0].interchange.control_number.as_str()), (first, "000000002"));
    }
}

on_both! {
    async fn controls_and_findings_keep_their_place(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let file = tx.receive_file(&arrival("aa", "ingest:1")).await.unwrap().file;
        let location = Location { byte: 612, segment: Some(14), tag: Some(Tag::new(b"RMR")), element: Some(4), ..Location::default() };
        let control = Control { name: "SE01", level: "set", claimed: Figure::count(9), computed: Figure::count(10), ok: false, location };
        let finding = Finding {
            code: FindingCode::BadAmount, severity: Severity::Error, effect: Effect::RecordSetAside, message: "three decimals".to_owned(),
            expected: "at most two".to_owned(), found: "1.005".to_owned(), location,
        };
        tx.record_controls(file, 0, &vec![control; 700]).await.unwrap();
        tx.record_findings(file, 0, std::slice::from_ref(&finding)).await.unwrap();
        tx.record_findings(file, 1, &[finding]).await.unwrap();
        let found = tx.findings_of_file(file).await.unwrap();
        assert_eq!(found.len(), 2);
        let second = &found[1];
        assert_eq!((second.code.as_str(), second.severity.as_str(), second.effect.as_str()), ("bad_amount", "error", "record_set_aside"));
        assert_eq!((second.byte, second.segment, second.tag.as_deref(), second.element), (612, Some(14), Some("RMR"), Some(4)));
        assert_eq!(tx.controls_of_file(file).await.unwrap().len(), 700);
    }
}

on_both! {
    async fn a_rejected_row_names_its_constraint(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let values = crate::store::value::values!["nonsense"];
        let sql = "insert into file (id, sha256, name, size_bytes, state, business_day, received_at) values (1, 'x', 'x', 0, $1, 'x', 'x')";
        let error = tx.run(sql, values).await.expect_err("the state is not in the list");
        assert!(crate::store::violated_constraint(&error).is_some(), "{error:#}");
        assert!(!crate::store::wants_retry(&error));
    }
}

on_both! {
    /// Opening again finds the tables; what was committed is there, what was not is gone.
    async fn a_database_opens_again_with_what_was_committed(fresh) {
        let mut tx = fresh.db.begin().await.unwrap();
        let file = tx.receive_file(&arrival("aa", "ingest:1")).await.unwrap().file;
        tx.commit().await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        tx.receive_file(&arrival("bb", "ingest:2")).await.unwrap();
        drop(tx);
        let again = fresh.again().await;
        let files = again.read().await.unwrap().files(FileId(0), 10).await.unwrap();
        assert_eq!(files.iter().map(|file| file.id).collect::<Vec<_>>(), [file]);
        again.close().await;
    }
}
