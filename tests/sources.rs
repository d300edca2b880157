//! The same money in several files is one payment with several sources, in whatever order the files come; true twins stay two.
//!
//! Whole files go through the built binary on both databases. After each scenario the live payments are compared with what really came
//! in, and `check` proves that nothing was lost, doubled or left without an exception.

#![allow(clippy::disallowed_methods, reason = "a test reads its own seed")]

mod support;

use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection};
use support::{
    Backend, Home,
    bank_files::{Entries, Line, Names, Receipt, bai2, bai2_of, camt, lockbox, mt, nacha, nacha_return, receipt},
    number,
    random::Random,
    text,
};

const DAY: &str = "260316";
/// Payers that the sample ledger does not know, so that nothing but linking decides.
const OXBOW: &str = "OXBOW LANTERN WORKS";
const CORRAN: &str = "CORRAN PUMP SUPPLY";

const CHEQUES: [Receipt; 3] = [receipt(120_050, "", 20_417), receipt(80_000, "", 118_802), receipt(45_025, "", 7_713)];
const ENTRIES: [Receipt; 3] = [receipt(391_820, OXBOW, 4_711), receipt(99_000, CORRAN, 4_712), receipt(12_345, CORRAN, 4_713)];
const TWINS: [Receipt; 2] = [receipt(50_000, OXBOW, 5_001), receipt(50_000, OXBOW, 5_002)];

/// Looks whether both processes wait; far longer than they ever need.
const LOOKS_MAX: usize = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A home whose lockbox is known to be paid into the account.
fn on_both(test: impl Fn(&Home)) {
    for home in [Backend::Sqlite, Backend::Postgres].into_iter().filter_map(Home::on) {
        prepare(&home);
        test(&home);
        home.ok(&["check"]);
    }
}

/// Our accounts and nothing else: linking asks for no customer.
fn prepare(home: &Home) {
    home.ok(&["import", "bank-accounts", "samples/erp/bank-accounts.csv"]);
}

/// Takes in one file on a business day.
fn drop_file(home: &Home, day: &str, name: &str, content: &str) {
    let folder = home.folder.path().join(format!("drop-{day}-{name}"));
    fs::create_dir_all(folder.join(day)).expect("writable");
    fs::write(folder.join(day).join(name), content).expect("writable");
    home.ok(&["ingest", "--by-day", &folder.to_string_lossy()]);
}

/// Two processes take in a file each and reach the moment at which they book at the same time, because the journal is locked until both wait
/// for it. What they did before is not committed then.
fn drop_at_once(home: &Home, day: &str, files: &[(&str, String); 2]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut holder = runtime.block_on(PgConnection::connect(&home.database_url)).expect("a connection");
    runtime.block_on(holder.execute("begin; lock table journal_entry in share mode")).expect("locked");
    let start = |(name, content): &(&str, String)| -> Child {
        let folder = home.folder.path().join(format!("at-once-{day}-{name}"));
        fs::create_dir_all(folder.join(day)).expect("writable");
        fs::write(folder.join(day).join(name), content).expect("writable");
        let mut ingest = home.command(&["ingest", "--by-day", &folder.to_string_lossy()]);
        ingest.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
    };
    // A transaction sees the activity of its first look only, so another one looks.
    let mut watcher = runtime.block_on(PgConnection::connect(&home.database_url)).expect("a connection");
    let mut running = Vec::new();
    for (waiting, file) in (1..).zip(files) {
        running.push(start(file));
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let mut look = || runtime.block_on(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut watcher)).expect("counted");
        for _ in 0..LOOKS_MAX {
            if look() >= waiting {
                break;
            }
            thread::sleep(LOOK_EVERY);
        }
        assert_eq!(look(), waiting, "{} does not wait", file.0);
    }
    runtime.block_on(holder.execute("commit")).expect("unlocked");
    for mut ingest in running {
        assert_eq!(ingest.wait().expect("it ends").code(), Some(0));
    }
}

/// Takes in files one by one on one day.
fn drop_all(home: &Home, files: &[(&str, String)]) {
    for (name, content) in files {
        drop_file(home, "2026-03-16", name, content);
    }
}

/// Amounts of live payments in cents, ascending. What is in doubt stands with a question mark.
fn live(home: &Home) -> String {
    let doubtful: Vec<String> = open(home, "same_money").iter().map(|exception| text(exception, "payment")).collect();
    let mut amounts: Vec<(i64, bool)> = home
        .export("payments")
        .iter()
        .filter(|payment| {
            !["held", "void"].contains(&text(payment, "state").as_str()) && text(payment, "payment").starts_with('P')
        })
        .map(|payment| (number(payment, "amount_minor"), doubtful.contains(&text(payment, "payment"))))
        .collect();
    amounts.sort_unstable();
    amounts.iter().map(|(cents, doubt)| format!("{cents}{}", if *doubt { "?" } else { "" })).collect::<Vec<_>>().join(" ")
}

fn open(home: &Home, reason: &str) -> Vec<serde_json::Value> {
    let mut exceptions = home.export("exceptions");
    exceptions.retain(|exception| text(exception, "reason") == reason && text(exception, "state") == "open");
    exceptions
}

/// Both orders of two files, each in a fresh home.
fn in_both_orders(what: &str, files: [(&str, String); 2], expected: &str) {
    for turned in [false, true] {
        on_both(|home| {
            let mut files = files.clone();
            if turned {
                files.reverse();
            }
            drop_all(home, &files);
            assert_eq!(live(home), expected, "{what}, {:?}, {} first", home.backend, files[0].0);
        });
    }
}

fn lines(receipts: &[Receipt], names: Names) -> Vec<Line> {
    receipts.iter().map(|receipt| Line::ach(receipt, names)).collect()
}

#[test]
fn a_lockbox_deposit_is_its_cheques() {
    let cheques = lockbox(DAY, 1, &[&CHEQUES[..2], &CHEQUES[2..]]);
    let deposit = bai2(DAY, 1, true, &[Line::lockbox_deposit(&CHEQUES)]);
    in_both_orders("one deposit", [("lockbox.txt", cheques.clone()), ("bai2.bai", deposit)], "45025 80000 120050");
    let per_batch = bai2(DAY, 1, true, &[Line::lockbox_deposit(&CHEQUES[..2]), Line::lockbox_deposit(&CHEQUES[2..])]);
    in_both_orders("a deposit for each batch", [("lockbox.txt", cheques.clone()), ("bai2.bai", per_batch)], "45025 80000 120050");
    let items: Vec<_> = CHEQUES.iter().map(Line::lockbox_item).collect();
    in_both_orders("its items", [("lockbox.txt", cheques), ("bai2.bai", bai2(DAY, 1, true, &items))], "45025 80000 120050");
}

#[test]
fn a_batch_booking_is_its_transactions() {
    let notice = camt(54, DAY, 1, Entries::BatchWithDetails, "B77001", &ENTRIES);
    let statement = |entry| camt(53, DAY, 2, Entries::BatchAlone, entry, &ENTRIES);
    let files = |entry| [("054.xml", notice.clone()), ("053.xml", statement(entry))];
    in_both_orders("by reference", files("B77001"), "12345 99000 391820");
    in_both_orders("by number and sum", files(""), "12345 99000 391820");
    in_both_orders("another batch", files("B77002"), "12345 99000 391820 503165");
    let singles = [("054.xml", notice), ("053.xml", camt(53, DAY, 2, Entries::Each, "", &ENTRIES))];
    in_both_orders("entry by entry", singles, "12345 99000 391820");
}

#[test]
fn ach_entries_are_the_lines_of_the_statement() {
    let entries = nacha(DAY, 'A', &ENTRIES);
    for names in [Names::Trace, Names::OwnNumber] {
        let statement = bai2(DAY, 1, true, &lines(&ENTRIES, names));
        in_both_orders(&format!("{names:?}"), [("nacha.ach", entries.clone()), ("bai2.bai", statement)], "12345 99000 391820");
    }
    let batch = bai2(DAY, 1, true, &[Line::ach(&ENTRIES[0], Names::Trace), Line::ach_batch(CORRAN, &ENTRIES[1..])]);
    in_both_orders("one credit for a batch", [("nacha.ach", entries), ("bai2.bai", batch)], "12345 99000 391820");
}

#[test]
fn the_statement_repeats_what_was_reported_during_the_day() {
    let more = "12345 99000 391820";
    for names in [Names::Trace, Names::Nothing] {
        let (early, late) = (bai2(DAY, 1, false, &lines(&ENTRIES[..2], names)), bai2(DAY, 2, true, &lines(&ENTRIES, names)));
        in_both_orders(&format!("BAI2 {names:?}"), [("intraday.bai", early), ("prior.bai", late)], more);
    }
    let swift = [("942.sta", mt(DAY, 1, false, &ENTRIES[..2])), ("940.sta", mt(DAY, 2, true, &ENTRIES))];
    in_both_orders("MT942 and MT940", swift, more);
    let camt_pair = [
        ("052.xml", camt(52, DAY, 1, Entries::Each, "", &ENTRIES[..2])),
        ("053.xml", camt(53, DAY, 2, Entries::Each, "", &ENTRIES)),
    ];
    in_both_orders("camt.052 and camt.053", camt_pair, more);
    let numbered = [
        ("052.xml", camt(52, DAY, 1, Entries::Each, "NTRY", &ENTRIES[..2])),
        ("053.xml", camt(53, DAY, 2, Entries::Each, "NTRY", &ENTRIES)),
    ];
    in_both_orders("camt.052 and camt.053 with numbered entries", numbered, more);
    let across = [("940.sta", mt(DAY, 1, true, &ENTRIES)), ("053.xml", camt(53, DAY, 2, Entries::Each, "", &ENTRIES))];
    in_both_orders("MT940 and camt.053", across, more);
}

#[test]
fn twins_stay_two() {
    let two = "50000 50000";
    let entries = nacha(DAY, 'A', &TWINS);
    let statement = bai2(DAY, 1, true, &lines(&TWINS, Names::Trace));
    in_both_orders("ACH", [("nacha.ach", entries), ("bai2.bai", statement)], two);
    let unnamed = |id, last| bai2(DAY, id, last, &lines(&TWINS, Names::Nothing));
    in_both_orders("without numbers", [("intraday.bai", unnamed(1, false)), ("prior.bai", unnamed(2, true))], two);
    let one = bai2(DAY, 1, false, &lines(&TWINS[..1], Names::Nothing));
    in_both_orders("one of two", [("intraday.bai", one), ("prior.bai", unnamed(2, true))], two);
    let cheques = [receipt(50_000, "", 301), receipt(50_000, "", 302)];
    let batches = lockbox(DAY, 1, &[&cheques[..1], &cheques[1..]]);
    let deposits = bai2(DAY, 1, true, &[Line::lockbox_deposit(&cheques[..1]), Line::lockbox_deposit(&cheques[1..])]);
    in_both_orders("equal deposits", [("lockbox.txt", batches), ("bai2.bai", deposits)], two);
}

#[test]
fn another_account_is_other_money() {
    let entries = nacha(DAY, 'A', &ENTRIES[..1]);
    let elsewhere = bai2_of("3100482275", DAY, 1, true, &lines(&ENTRIES[..1], Names::Trace));
    for files in [[&entries, &elsewhere], [&elsewhere, &entries]] {
        on_both(|home| {
            drop_all(home, &[("a.txt", files[0].clone()), ("b.txt", files[1].clone())]);
            assert_eq!(live(home), "391820 391820");
        });
    }
}

#[test]
fn statements_that_overlap_are_told_once() {
    let first = mt(DAY, 1, true, &ENTRIES[..2]);
    let overlapping =
        format!("{}{}", mt(DAY, 1, true, &ENTRIES[..2]).replace(":20:KMF1", ":20:KMF9"), mt(DAY, 2, true, &ENTRIES[2..]));
    in_both_orders("MT940", [("day.sta", first), ("two.sta", overlapping)], "12345 99000 391820");
    on_both(|home| {
        let twice = format!("{0}{0}", bai2(DAY, 1, true, &lines(&ENTRIES[..2], Names::Trace)));
        let path = home.folder.path().join("twice.bai");
        fs::write(&path, twice).expect("writable");
        home.run(&["ingest", &path.to_string_lossy()]).with_code(&[1]);
        assert_eq!(live(home), "", "a file joined with itself is held");
        assert_eq!(open(home, "file_held").len(), 1);
    });
}

#[test]
fn a_doubt_waits_for_a_person() {
    on_both(|home| {
        // The line names neither trace nor payer, and so nobody can tell whether it is the entry.
        drop_all(home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
        let unnamed = receipt(391_820, "", 0);
        drop_all(home, &[("bai2.bai", bai2(DAY, 1, true, &lines(&[unnamed], Names::Nothing)))]);
        assert_eq!(live(home), "391820 391820?");
        let exception = text(&open(home, "same_money")[0], "exception");
        let show = home.ok(&["exceptions", "show", &exception]);
        assert!(show.contains("may be the same money as P1 of 3918.20 USD in 2026-03-16/nacha.ach"), "{show}");
        home.run(&["exceptions", "resolve", &exception, "on-account"]).with_code(&[1]);
        home.ok(&["check"]);
        home.ok(&["exceptions", "resolve", &exception, "mark-duplicate"]);
        assert_eq!(live(home), "391820");
        assert!(home.ok(&["explain", "P1"]).contains("the same money: P2 of 3,918.20 USD from 2026-03-16/bai2.bai"));
    });
    on_both(|home| {
        drop_all(home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
        let unnamed = receipt(391_820, "", 0);
        drop_all(home, &[("bai2.bai", bai2(DAY, 1, true, &lines(&[unnamed], Names::Nothing)))]);
        home.ok(&["import", "customers", "samples/erp/customers.csv"]);
        let exception = text(&open(home, "same_money")[0], "exception");
        home.ok(&["exceptions", "resolve", &exception, "not-duplicate"]);
        assert_eq!(live(home), "391820 391820");
        home.ok(&["exceptions", "resolve", &exception, "on-account", "--customer", "C0003"]);
    });
}

#[test]
fn a_sum_in_doubt_is_explained_by_a_person() {
    for turned in [false, true] {
        on_both(|home| {
            let mut files = [
                ("nacha.ach", nacha(DAY, 'A', &ENTRIES[1..])),
                ("bai2.bai", bai2(DAY, 1, true, &[Line::ach_batch("", &ENTRIES[1..])])),
            ];
            if turned {
                files.reverse();
            }
            drop_all(home, &files);
            let expected = if turned { "12345? 99000? 111345" } else { "12345 99000 111345?" };
            assert_eq!(live(home), expected);
            let exception = text(&open(home, "same_money")[0], "exception");
            home.ok(&["exceptions", "resolve", &exception, "mark-duplicate"]);
            assert_eq!(live(home), "12345 99000");
        });
    }
}

#[test]
fn a_deposit_whose_items_never_come_is_told() {
    on_both(|home| {
        drop_file(home, "2026-03-16", "bai2.bai", &bai2(DAY, 1, true, &[Line::lockbox_deposit(&CHEQUES)]));
        assert!(open(home, "deposit_unexplained").is_empty(), "it waits for its cheques first");
        let later = |day: &str, id| drop_file(home, day, "other.bai", &bai2("260318", id, true, &[]));
        later("2026-03-18", 8);
        assert!(open(home, "deposit_unexplained").is_empty());
        later("2026-03-19", 9);
        assert_eq!(open(home, "deposit_unexplained").len(), 1);
        assert_eq!(live(home), "245075");
        // Better late than never.
        drop_file(home, "2026-03-20", "lockbox.txt", &lockbox(DAY, 1, &[&CHEQUES]));
        assert_eq!(live(home), "45025 80000 120050");
        assert!(open(home, "deposit_unexplained").is_empty());
    });
}

#[test]
fn a_held_file_is_linked_when_it_is_released() {
    on_both(|home| {
        let wrong = bai2(DAY, 1, true, &lines(&ENTRIES, Names::Trace)).replace("98,503165,1", "98,503165,2");
        let path = home.folder.path().join("held.bai");
        fs::write(&path, wrong).expect("writable");
        home.run(&["ingest", &path.to_string_lossy()]).with_code(&[1]);
        drop_all(home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES))]);
        assert_eq!(live(home), "12345 99000 391820");
        let exception = text(&open(home, "file_held")[0], "exception");
        home.ok(&["exceptions", "resolve", &exception, "release-file"]);
        assert_eq!(live(home), "12345 99000 391820");
    });
}

#[test]
fn a_return_finds_the_payment_by_any_of_its_sources() {
    on_both(|home| {
        // The statement came first and counts; only the entry has the trace that the return names.
        let unnumbered = bai2(DAY, 1, true, &lines(&ENTRIES[..1], Names::OwnNumber));
        drop_all(home, &[("bai2.bai", unnumbered), ("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
        assert_eq!(live(home), "391820");
        drop_file(home, "2026-03-17", "return.ach", &nacha_return("260317", &ENTRIES[0]));
        let returned: Vec<_> = home.export("payments").into_iter().filter(|row| number(row, "amount_minor") < 0).collect();
        assert_eq!(text(&returned[0], "reversal_of"), "P1");
        assert_eq!(text(&home.export("payments")[0], "state"), "returned");
        // The statement tells of the return, too.
        drop_file(home, "2026-03-18", "return.bai", &bai2("260317", 2, true, &[Line::ach_return(&ENTRIES[0])]));
        let told: Vec<_> = home.export("payments").into_iter().filter(|row| number(row, "amount_minor") < 0).collect();
        assert_eq!(told.iter().map(|row| text(row, "status")).collect::<Vec<_>>(), ["posted", "duplicate"]);
        assert_eq!(open(home, "payment_returned").len(), 1);
    });
}

/// Whether the bank tells first that it pays or that it takes back, the books are the same.
#[test]
fn a_return_that_comes_before_its_payment_takes_it_back_all_the_same() {
    let books = |home: &Home, first: &str| {
        let receipts = (nacha(DAY, 'A', &ENTRIES[..2]), nacha_return("260317", &ENTRIES[0]));
        let files = [("nacha.ach", receipts.0), ("return.ach", receipts.1)];
        let (one, other) = if first == "return" { (&files[1], &files[0]) } else { (&files[0], &files[1]) };
        drop_file(home, "2026-03-17", one.0, &one.1);
        drop_file(home, "2026-03-17", other.0, &other.1);
        let asked = open(home, "payment_returned");
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(text(&asked[0], "message").contains("the bank took P"), "{asked:?}");
        let paid = home.export("payments").into_iter().filter(|row| number(row, "amount_minor") > 0);
        let mut paid: Vec<_> =
            paid.map(|row| (number(&row, "amount_minor"), number(&row, "waiting_minor"), text(&row, "state"))).collect();
        paid.sort();
        paid
    };
    let expected = [(99_000, 99_000, "exception".to_owned()), (391_820, 0, "returned".to_owned())];
    on_both(|home| assert_eq!(books(home, "payment"), expected));
    on_both(|home| assert_eq!(books(home, "return"), expected));
}

#[test]
fn a_lockbox_is_read_in_the_currency_it_was_imported_with() {
    on_both(|home| {
        let accounts = "seller_id,kind,bank_routing,account,currency,deposit_account\nKMF,lockbox,061104204,911904,CAD,7700311904\n\
                        KMF,lockbox,061104204,911904,USD,7700311904\nGRE,lockbox,061104204,120999,CAD,5518820047\n";
        let path = home.folder.path().join("accounts.csv");
        fs::write(&path, accounts).expect("writable");
        home.ok(&["import", "bank-accounts", &path.to_string_lossy()]);
        let one = lockbox(DAY, 1, &[&CHEQUES[..1]]);
        drop_all(home, &[("two.txt", one.clone()), ("canadian.txt", one.replace("0000911904", "0000120999"))]);
        let told: Vec<_> = home.export("payments").iter().map(|row| (text(row, "currency"), text(row, "seller_id"))).collect();
        // A number that was imported with two currencies tells none.
        assert_eq!(told, [("USD".to_owned(), "KMF".to_owned()), ("CAD".to_owned(), "GRE".to_owned())]);
    });
}

/// People download the days of an account as they like. A row that another download has is asked about, and a row of another day is not.
#[test]
fn a_row_in_two_downloads_without_an_account_is_asked_about() {
    let header = "date,description,amount,currency,reference\n";
    let row = |day: &str, amount: &str| format!("{day},COPPERLINE EXCAVATING GRE-2026-0417,{amount},USD,\n");
    let monday = format!("{header}{}", row("2026-03-16", "20000.00"));
    let tuesday = format!("{monday}{}", row("2026-03-17", "1.00"));
    let wednesday = format!("{header}{}", row("2026-03-18", "20000.00"));
    on_both(|home| {
        drop_file(home, "2026-03-16", "monday.csv", &monday);
        drop_file(home, "2026-03-17", "tuesday.csv", &tuesday);
        drop_file(home, "2026-03-18", "wednesday.csv", &wednesday);
        assert_eq!(live(home), "100 2000000 2000000 2000000?");
        let doubt = text(&open(home, "same_money")[0], "exception");
        let shown = home.ok(&["exceptions", "show", &doubt]);
        assert!(
            shown.contains("/monday.csv: another file") && shown.contains(&format!("resolve {doubt} mark-duplicate")),
            "{shown}"
        );
        home.ok(&["exceptions", "resolve", &doubt, "mark-duplicate"]);
        assert_eq!(live(home), "100 2000000 2000000");
    });
}

/// Cash of a day, split at random over sources and told in a random order: every payment is there once.
#[test]
fn a_day_told_by_random_sources_is_the_day() {
    const PAYERS: [&str; 4] = [OXBOW, CORRAN, "HOLLIS BRASS FITTINGS", "VANTREE GLASS"];
    let seed = std::env::var("TIEOUT_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_316);
    let mut random = Random::new(seed);
    for round in 0..3 {
        println!("seed {seed}, round {round}");
        let mut day: Vec<Receipt> = (0..4 + random.below(8))
            .map(|n| receipt([50_000, 70_000, 12_300][random.below(3)], PAYERS[random.below(4)], 6_000 + n as u64))
            .collect();
        day.sort_by_key(|receipt| receipt.payer);
        let cheques: Vec<Receipt> =
            (0..1 + random.below(4)).map(|n| receipt([50_000, 31_000][random.below(2)], "", 700 + n as u64)).collect();
        let early: Vec<Receipt> = day.iter().filter(|_| random.below(2) == 0).copied().collect();
        let mut prior = lines(&day, [Names::Trace, Names::OwnNumber][random.below(2)]);
        prior.push(Line::lockbox_deposit(&cheques));
        let mut files = vec![
            ("nacha.ach", nacha(DAY, 'A', &day)),
            ("prior.bai", bai2(DAY, 2, true, &prior)),
            ("lockbox.txt", lockbox(DAY, 1, &[&cheques])),
        ];
        if !early.is_empty() {
            files.push(("intraday.bai", bai2(DAY, 1, false, &lines(&early, Names::Trace))));
        }
        for last in (1..files.len()).rev() {
            files.swap(last, random.below(last + 1));
        }
        let mut truth: Vec<i64> = day.iter().chain(&cheques).map(|receipt| receipt.cents).collect();
        truth.sort_unstable();
        let expected = truth.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        on_both(|home| {
            drop_all(home, &files);
            let order: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            assert_eq!(live(home), expected, "seed {seed}, round {round}, {:?}, order {order:?}", home.backend);
        });
    }
}

#[test]
fn two_files_that_come_at_the_same_moment_count_the_same_money_once() {
    let cheques = lockbox(DAY, 1, &[&CHEQUES]);
    let deposit = bai2(DAY, 1, true, &[Line::lockbox_deposit(&CHEQUES)]);
    let (entries, statement) = (nacha(DAY, 'A', &ENTRIES), bai2(DAY, 1, true, &lines(&ENTRIES, Names::Trace)));
    for (first, second, expected) in [
        (("lockbox.txt", cheques), ("bai2.bai", deposit), "45025 80000 120050"),
        (("nacha.ach", entries), ("bai2.bai", statement), "12345 99000 391820"),
    ] {
        for files in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
            let Some(home) = Home::on(Backend::Postgres) else { return };
            prepare(&home);
            drop_at_once(&home, "2026-03-16", &files);
            assert_eq!(live(&home), expected, "{} and {}", files[0].0, files[1].0);
            home.ok(&["check"]);
        }
    }
}

/// What the bank took back, in cents.
fn taken_back(home: &Home) -> i64 {
    let is_return = |row: &&serde_json::Value| number(row, "amount_minor") < 0 && text(row, "status") == "posted";
    home.export("payments").iter().filter(is_return).map(|row| -number(row, "amount_minor")).sum()
}

#[test]
fn two_files_that_tell_of_one_return_at_the_same_moment_take_it_once() {
    let Some(home) = Home::on(Backend::Postgres) else { return };
    prepare(&home);
    drop_all(&home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
    let part = Receipt { cents: 100_000, ..ENTRIES[0] };
    let files =
        [("return.ach", nacha_return("260317", &part)), ("return.bai", bai2("260317", 2, true, &[Line::ach_return(&part)]))];
    drop_at_once(&home, "2026-03-17", &files);
    assert_eq!(taken_back(&home), 100_000);
    home.ok(&["check"]);
}

#[test]
fn a_return_that_two_reports_of_one_kind_number_alike_is_taken_once() {
    on_both(|home| {
        drop_all(home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
        let part = Receipt { cents: 100_000, ..ENTRIES[0] };
        let report = |id, last, number| bai2("260317", id, last, &[Line::ach_return(&part).numbered(number)]);
        drop_file(home, "2026-03-17", "intraday.bai", &report(2, false, "RET0000771"));
        drop_file(home, "2026-03-18", "prior.bai", &report(3, true, "RET0000771"));
        assert_eq!((taken_back(home), open(home, "payment_returned").len()), (100_000, 1));
        drop_file(home, "2026-03-18", "another.bai", &report(4, true, "RET0000772"));
        assert_eq!(taken_back(home), 200_000, "another number is another return");
    });
}

#[test]
fn a_cheque_that_bounces_takes_back_no_other_cheque_of_its_number() {
    on_both(|home| {
        let [rich, poor] = [receipt(1_000_000, "", 1_001), receipt(50_000, "", 1_001)];
        drop_all(home, &[("bai2.bai", bai2(DAY, 1, true, &[Line::lockbox_item(&rich)]))]);
        drop_file(home, "2026-03-17", "return.bai", &bai2("260317", 2, true, &[Line::cheque_return(&poor)]));
        assert_eq!((taken_back(home), live(home).as_str()), (0, "1000000"));
        let asked = open(home, "payment_returned");
        assert!(asked.len() == 1 && text(&asked[0], "payment").is_empty(), "{asked:?}");
        drop_file(home, "2026-03-18", "exact.bai", &bai2("260318", 3, true, &[Line::cheque_return(&rich)]));
        assert_eq!(taken_back(home), 1_000_000);
    });
}

#[test]
fn a_return_of_a_payment_in_doubt_waits_for_the_answer() {
    on_both(|home| {
        let [first, second] = ["OXBOW LANTERN WORKS", "CORRAN PUMP SUPPLY"].map(|payer| receipt(77_700, payer, 4_800));
        drop_all(
            home,
            &[("nacha.ach", nacha(DAY, 'A', &[first])), ("bai2.bai", bai2(DAY, 1, true, &lines(&[second], Names::Trace)))],
        );
        assert_eq!(live(home), "77700 77700?");
        home.ok(&["check"]);
        drop_file(home, "2026-03-17", "return.ach", &nacha_return("260317", &first));
        assert_eq!(taken_back(home), 0);
        home.ok(&["check"]);
    });
}

#[test]
fn a_return_of_no_money_says_so_and_undoes_nothing() {
    on_both(|home| {
        drop_all(home, &[("nacha.ach", nacha(DAY, 'A', &ENTRIES[..1]))]);
        drop_file(home, "2026-03-17", "return.ach", &nacha_return("260317", &Receipt { cents: 0, ..ENTRIES[0] }));
        assert_eq!((taken_back(home), live(home).as_str()), (0, "391820"));
        let told = open(home, "payment_returned");
        assert!(text(&told[0], "message").contains("it moved no money"), "{told:?}");
    });
}
