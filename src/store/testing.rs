//! Runs a test on both databases: a fresh file for SQLite, a fresh database for PostgreSQL.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Db, Kind, NewArrival, NewCustomer, NewOpenItem, NewPayment, Now, Scratch, Tx};
use crate::domain::{
    Currency, CustomerId, FileId, ItemKind, Location, Method, Payer, Payment, PaymentId, PaymentState, Remittance, RemittanceId,
    RemittanceLine, RemittanceState, SellerId, Sighting, Source, TermsOfPayment,
};

/// A fresh database and what must live as long as it.
pub(crate) struct Fresh {
    pub(crate) db: Db,
    url: String,
    /// Seconds since the start that the store believes have passed.
    pub(crate) clock: Arc<AtomicI64>,
    folder: Option<tempfile::TempDir>,
    scratch: Option<Scratch>,
}

/// Declares a test that runs on SQLite and on PostgreSQL: `on_both!(async fn name(fresh: &Fresh) { … })`.
macro_rules! on_both {
    ($(#[doc = $doc:literal])* async fn $name:ident($fresh:ident) $body:block) => {
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "a body may need nothing from around it")]
            use super::*;

            async fn body($fresh: &$crate::store::testing::Fresh) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let fresh = $crate::store::testing::Fresh::sqlite().await;
                body(&fresh).await;
                fresh.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(fresh) = $crate::store::testing::Fresh::postgres().await else { return };
                body(&fresh).await;
                fresh.close().await;
            }
        }
    };
}
pub(crate) use on_both;

impl Fresh {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("tieout.db").display());
        Self::open(url, Some(folder), None).await
    }

    /// Nothing where no server answers, unless `TIEOUT_REQUIRE` names `postgres`.
    #[expect(clippy::disallowed_methods, reason = "a test fixture reads its own two variables")]
    pub(crate) async fn postgres() -> Option<Self> {
        let server = std::env::var("TIEOUT_TEST_POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let required = std::env::var("TIEOUT_REQUIRE").is_ok_and(|names| names.contains("postgres"));
        let name = format!("tieout_test_{}_{:x}", std::process::id(), unique());
        match Scratch::create(&server, &name).await {
            Ok(scratch) => Some(Self::open(scratch.url(), None, Some(scratch)).await),
            Err(error) if required => panic!("PostgreSQL is required and does not answer: {error:#}"),
            Err(error) => {
                eprintln!("skipped: PostgreSQL does not answer ({error:#})");
                None
            }
        }
    }

    async fn open(url: String, folder: Option<tempfile::TempDir>, scratch: Option<Scratch>) -> Self {
        let clock = Arc::new(AtomicI64::new(0));
        let db = Db::open(&url, ticking(&clock)).await.expect("a fresh database opens");
        Self { db, url, clock, folder, scratch }
    }

    /// Opens the same database once more, as another process would.
    pub(crate) async fn again(&self) -> Db {
        Db::open(&self.url, ticking(&self.clock)).await.expect("the database opens again")
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.db.backend() == super::Backend::Sqlite
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn close(self) {
        self.db.close().await;
        if let Some(scratch) = self.scratch {
            scratch.remove().await.expect("the test database goes away");
        }
        drop(self.folder);
    }
}

/// A seller and a customer, and ways to make what refers to them.
pub(crate) struct World {
    pub(crate) seller: SellerId,
    pub(crate) customer: CustomerId,
    pub(crate) day: NaiveDate,
}

impl World {
    pub(crate) async fn new(fresh: &Fresh) -> Self {
        let mut tx = fresh.db.begin().await.expect("begin");
        let sellers = BTreeMap::from([("S01".to_owned(), "Widget Works".to_owned())]);
        let seller = tx.upsert_sellers(&sellers).await.expect("a seller")["S01"];
        let new = NewCustomer {
            code: "C1".to_owned(),
            name: "Acme".to_owned(),
            aliases: Vec::new(),
            parent_code: None,
            country: "US".to_owned(),
            currency: Currency::USD,
            terms: "N30".to_owned(),
            seller_codes: vec!["S01".to_owned()],
            accounts: Vec::new(),
            originator_id: None,
            portfolio_owner: Some("kim".to_owned()),
        };
        let customer = tx.upsert_customers(&[new], "erp").await.expect("a customer")["C1"];
        tx.commit().await.expect("commit");
        Self { seller, customer, day: NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date") }
    }

    /// An invoice in USD, or a credit memo where the amount is negative.
    pub(crate) fn invoice(&self, number: &str, amount_minor: i64) -> NewOpenItem {
        NewOpenItem {
            seller: self.seller,
            customer: self.customer,
            number: number.to_owned(),
            external_id: None,
            kind: if amount_minor < 0 { ItemKind::CreditMemo } else { ItemKind::Invoice },
            currency: Currency::USD,
            amount_minor,
            open_minor: amount_minor,
            discount_exempt_minor: 0,
            issue_date: self.day,
            entered_date: self.day,
            due_date: self.day,
            terms: TermsOfPayment { net_days: Some(30), ..TermsOfPayment::default() },
            po: None,
            bol: Some("BOL-1".to_owned()),
            pro: None,
            closed_date: None,
            cancels: false,
            file: None,
        }
    }

    pub(crate) async fn file(&self, tx: &mut Tx, sha256: &str) -> FileId {
        let arrival = NewArrival {
            sha256,
            name: sha256,
            size_bytes: 1,
            door: "ingest",
            key: sha256,
            business_day: self.day,
            format_forced: None,
        };
        tx.receive_file(&arrival).await.expect("a file").file
    }

    /// Records payments in USD, live, and returns them.
    pub(crate) async fn payments(&self, tx: &mut Tx, file: FileId, amounts: &[i64]) -> Vec<NewPayment> {
        let ids = tx.reserve(Kind::Payment, amounts.len()).await.expect("ids");
        let made: Vec<_> =
            (0_u32..).zip(amounts.iter().zip(ids)).map(|(seq, (amount, id))| self.payment(file, seq, id, *amount)).collect();
        tx.record_payments(&made).await.expect("payments");
        made
    }

    /// A payment of a held file, not stored yet.
    pub(crate) fn held_payment(&self, file: FileId, seq: u32, id: i64, amount_minor: i64) -> NewPayment {
        let mut new = self.payment(file, seq, id, amount_minor);
        new.payment.state = PaymentState::Held;
        new
    }

    fn payment(&self, file: FileId, seq: u32, id: i64, amount_minor: i64) -> NewPayment {
        let location = Location {
            byte: u64::from(seq) * 100,
            segment: Some(5),
            tag: Some(tieout_parsers::Tag::new(b"BPR")),
            ..Location::default()
        };
        let payment = Payment {
            id: PaymentId(id),
            source: Source { file, location },
            seq,
            seller: Some(self.seller),
            method: Method::Ach,
            currency: Currency::USD,
            amount_minor,
            unapplied_minor: amount_minor,
            value_date: self.day,
            business_day: self.day,
            payer: Payer { name: Some("ACME".to_owned()), ..Payer::default() },
            trace: Some(format!("T{seq}")),
            text: None,
            remittance: None,
            state: PaymentState::Received,
            version: 1,
        };
        NewPayment { payment, position: seq + 1, payer_bank: None, payer_account_cipher: None, sighting: Sighting::default() }
    }

    /// An advice that waits for its cash, not stored yet.
    pub(crate) async fn remittance(&self, tx: &mut Tx, file: FileId, seq: u32, total_minor: i64) -> Remittance {
        let id = tx.reserve_one(Kind::Remittance).await.expect("an id");
        Remittance {
            id: RemittanceId(id),
            source: Source { file, location: Location { byte: 7, ..Location::default() } },
            seq,
            seller: Some(self.seller),
            currency: Currency::USD,
            total_minor: Some(total_minor),
            date: Some(self.day),
            payer: Payer::default(),
            trace: Some("T0".to_owned()),
            lines: vec![RemittanceLine {
                reference: "INV-1".to_owned(),
                net_minor: Some(total_minor),
                ..RemittanceLine::default()
            }],
            text: None,
            balanced: Some(true),
            payment: None,
            state: RemittanceState::Waiting,
        }
    }
}

/// A clock that starts on 2 March 2026 and moves only when told.
pub(crate) fn ticking(clock: &Arc<AtomicI64>) -> Now {
    let clock = Arc::clone(clock);
    let start: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().expect("a moment");
    Arc::new(move || start + TimeDelta::seconds(clock.load(Ordering::SeqCst)))
}

fn unique() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

on_both! {
    async fn the_driver_keeps_numbers_text_and_absence(fresh) {
        use crate::store::{Kind, bulk::Rows, value::{Columns, values}};
        let db = &fresh.db;
        let mut tx = db.begin().await.expect("begin");
        tx.run("create table t (id bigint primary key, n bigint, x text)", vec![]).await.expect("create");
        let mut rows = Rows::of_width(3);
        for id in 0..1234_i64 {
            rows.push(values![id, (id % 3 != 0).then_some(id), (id % 2 == 0).then(|| format!("é{id}"))]);
        }
        assert_eq!(tx.insert("t", "id, n, x", "on conflict (id) do nothing", rows).await.expect("insert"), 1234);
        let mut rows = Rows::of_width(2);
        for id in 0..700_i64 {
            rows.push(values![id, 1_i64]);
        }
        let touched = tx.with_rows("id, d", rows, "{v} update t set n = n + v.d, x = {1} from v where t.id = v.id and t.n is not null", values!["y"]).await.expect("update");
        assert_eq!(touched, 466);
        let row = tx.first("select n, x, cast(sum(n) over () as bigint), count(*) over () from t where id = $1", values![4_i64]).await.expect("select").expect("row");
        let mut columns = Columns::of(&row);
        assert_eq!((columns.number().unwrap(), columns.text_opt().unwrap().as_deref(), columns.number().unwrap(), columns.number().unwrap()), (5, Some("y"), 5, 1));
        let row = tx.first("select n, x from t where id = $1", values![903_i64]).await.expect("select").expect("row");
        let mut columns = Columns::of(&row);
        assert_eq!((columns.number_opt().unwrap(), columns.text_opt().unwrap()), (None, None));
        assert_eq!(tx.reserve(Kind::Payment, 3).await.expect("ids"), [1, 2, 3]);
        assert_eq!(tx.reserve(Kind::Payment, 2).await.expect("ids"), [4, 5]);
        assert!(tx.change_mark().await.expect("mark") > 0);
        tx.commit().await.expect("commit");
        let mut tx = db.read().await.expect("read");
        assert!(tx.horizon().await.expect("horizon") > 0);
    }
}
