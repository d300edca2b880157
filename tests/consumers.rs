//! What the queue consumers promise when payments, advices and decisions of people meet in an odd order.
//!
//! The files are made here, one interchange each, for customer C0003 and seller KMF of the sample ledger.

mod support;

use std::fs;

use support::{Backend, Home};

/// Invoice 77300137 of C0003 is open for that.
const OPEN: &str = "3031.90";

/// A payment order of C0003. `handling` is BPR01, `flag` BPR03; `lines` are RMR segments, `more` what follows them.
#[derive(Clone, Copy)]
struct Order {
    number: u32,
    handling: &'static str,
    flag: &'static str,
    amount: &'static str,
    trace: &'static str,
    lines: &'static [&'static str],
}

impl Order {
    fn new(number: u32, trace: &'static str) -> Self {
        Self { number, handling: "C", flag: "C", amount: OPEN, trace, lines: &[] }
    }

    fn segments(&self) -> Vec<String> {
        let Self { handling, flag, amount, trace, lines, .. } = self;
        let mut segments = vec![format!(
            "BPR*{handling}*{amount}*{flag}*ACH*CCP*01*083211308*DA*40229331251*1470221183**01*061104204*DA*7700311904*20260316"
        )];
        if !trace.is_empty() {
            segments.push(format!("TRN*1*{trace}*1470221183"));
        }
        segments.push("N1*PR*BLUESTEM GROCERS COOPERATIVE".to_owned());
        segments.push("N1*PE*KESTREL MOTOR FREIGHT*91*KMF".to_owned());
        if !lines.is_empty() {
            segments.push("ENT*1".to_owned());
        }
        segments.extend(lines.iter().map(|line| (*line).to_owned()));
        segments
    }

    fn file(&self) -> String {
        interchange(self.number, "RA", "820", &[self.segments()], 1)
    }
}

const INVOICE_PAID: &[&str] = &["RMR*IV*77300137**3031.90*3031.90"];

/// One interchange whose GE claims `claimed` sets.
fn interchange(number: u32, functional: &str, set: &str, sets: &[Vec<String>], claimed: usize) -> String {
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*1470221183     *ZZ*KMF            *260316*0545*U*00401*{number:09}*0*P*>~\n\
         GS*{functional}*1470221183*KMF*20260316*0545*{number}*X*004010~\n"
    );
    for (index, segments) in sets.iter().enumerate() {
        let control = index + 1;
        text.push_str(&format!("ST*{set}*{control:04}~\n{}~\nSE*{}*{control:04}~\n", segments.join("~\n"), segments.len() + 2));
    }
    text.push_str(&format!("GE*{claimed}*{number}~\nIEA*1*{number:09}~\n"));
    text
}

fn put(home: &Home, name: &str, text: &str) -> String {
    let path = home.folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(&path, text).expect("writable");
    path.to_string_lossy().into_owned()
}

fn on_both(test: impl Fn(&Home)) {
    for home in [Backend::Sqlite, Backend::Postgres].into_iter().filter_map(Home::on) {
        home.import_samples();
        test(&home);
        home.ok(&["check"]);
    }
}

#[test]
fn an_advice_for_a_payment_that_is_posted_waits_for_a_person() {
    on_both(|home| {
        put(home, "drop/2026-03-16/cash.edi", &Order::new(903, "TRACE0002").file());
        let advice = Order { handling: "I", lines: INVOICE_PAID, ..Order::new(904, "TRACE0002") };
        put(home, "drop/2026-03-17/advice.edi", &advice.file());
        let drop = home.folder.path().join("drop");
        home.ok(&["ingest", "--by-day", &drop.to_string_lossy()]);
        assert!(home.ok(&["exceptions", "list"]).contains("remittance_without_payment"));
    });
}

#[test]
fn what_the_engine_guessed_of_a_payer_is_no_evidence_when_it_decides_again() {
    on_both(|home| {
        // By name and amount it may be of C0003, which is a guess, so it waits; a day later its advice says what it is for.
        let part = |number, handling| Order { amount: "3100.00", handling, ..Order::new(number, "TRACE0950") };
        let unknown = |order: Order| {
            let text = order.file().replace("*083211308*DA*40229331251*1470221183*", "*083000137*DA*90000000001**");
            text.replace("*1470221183~\nN1", "~\nN1")
        };
        put(home, "drop/2026-03-16/cash.edi", &unknown(part(950, "C")));
        let advice = Order { lines: &["RMR*IV*77300137**3100.00*3031.90"], ..part(951, "I") };
        put(home, "drop/2026-03-17/advice.edi", &unknown(advice));
        home.ok(&["ingest", "--by-day", &home.folder.path().join("drop").to_string_lossy()]);
        assert!(home.ok(&["exceptions", "show", "E1"]).contains("Customer: Bluestem"), "it was guessed");
        let told = home.ok(&["explain", "P1", "--all"]);
        assert!(told.contains("the advice came apart"), "it was decided again\n{told}");
        assert!(!told.contains("confirmed"), "{told}");
    });
}

#[test]
fn an_advice_for_a_payment_that_is_held_waits_until_the_file_is_released() {
    on_both(|home| {
        let held = interchange(901, "RA", "820", &[Order::new(901, "TRACE0001").segments()], 2);
        let held = put(home, "held.edi", &held);
        let advice = Order { handling: "I", lines: INVOICE_PAID, ..Order::new(902, "TRACE0001") };
        let advice = put(home, "advice.edi", &advice.file());
        home.run(&["ingest", &held, &advice]).with_code(&[1]);
        assert!(home.ok(&["exceptions", "list"]).contains("remittance_without_payment"));
        home.ok(&["exceptions", "resolve", "E1", "release-file"]);
        let payments = home.ok(&["export", "payments", "--format", "jsonl"]);
        assert!(payments.contains("\"posted\""), "{payments}");
        assert!(home.ok(&["exceptions", "list"]).starts_with("nothing waits"));
    });
}

#[test]
fn what_explains_a_debit_never_explains_money_that_comes_in() {
    on_both(|home| {
        let debit = Order { flag: "D", lines: INVOICE_PAID, ..Order::new(905, "TRACE0003") };
        let debit = put(home, "debit.edi", &debit.file());
        home.run(&["ingest", &debit]).with_code(&[1]);
        assert!(!home.ok(&["exceptions", "list"]).contains("remittance_without_payment"));
        let credit = put(home, "credit.edi", &Order::new(920, "").file());
        home.ok(&["ingest", &credit]);
        assert!(!home.ok(&["explain", "P1"]).contains("the advice came apart"));
    });
}

#[test]
fn money_that_leaves_an_account_is_counted_and_clears_itself() {
    on_both(|home| {
        let download = "Date,Description,Debit,Credit,Currency\n2026-03-16,RENT,900.00,,USD\n2026-03-16,WAGES,1200.50,,USD\n\
                        2026-03-16,TRANSFER,,12.00,USD\n";
        let statement = ":20:1\n:25:12345678/0532013000\n:28C:9/1\n:60F:C260316EUR100,00\n:61:2603160316D40,00NTRFNONREF\n:62F:C260316EUR60,00\n-\n";
        let files = [put(home, "bank.csv", download), put(home, "bank.sta", statement)];
        home.ok(&["ingest", &files[0], &files[1]]);
        let exceptions = home.ok(&["exceptions", "list"]);
        assert!(!exceptions.contains("record_set_aside"), "{exceptions}");
        let check = home.ok(&["check"]);
        assert!(check.contains("set aside 0, debits counted 3"), "{check}");
    });
}

#[test]
fn every_row_set_aside_is_an_exception_of_its_own() {
    on_both(|home| {
        let rows = "Date,Description,Amount,Currency\n2026-03-16,a,1x,USD\n2026-03-16,b,2x,USD\n2026-03-16,c,3.00,USD\n2026-03-16,d,4x,USD\n";
        let file = put(home, "bad.csv", rows);
        home.run(&["ingest", &file]).with_code(&[1]);
        let exceptions = home.ok(&["exceptions", "list"]);
        for found in ["found 1x", "found 2x", "found 4x"] {
            assert!(exceptions.contains(found), "{found}\n{exceptions}");
        }
        assert!(home.ok(&["check"]).contains("set aside 3"));
    });
}

#[test]
fn a_record_set_aside_after_many_findings_is_still_told() {
    on_both(|home| {
        let odd = Order { amount: "1.00", lines: &["ZZZ*1", "ZZZ*2", "ZZZ*3"], ..Order::new(906, "") };
        let lost = Order { amount: "12x.00", ..Order::new(906, "LOST") };
        let text = interchange(906, "RA", "820", &[odd.segments(), lost.segments()], 2);
        let file = put(home, "odd.edi", &text);
        let output = home.command(&["ingest", &file]).env("TIEOUT_LIMITS_FINDINGS_MAX", "2").output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(1), "one record was not taken");
        assert!(home.ok(&["exceptions", "list"]).contains("record_set_aside"));
    });
}

#[test]
fn an_invoice_for_nobody_is_told_and_accounted_for() {
    on_both(|home| {
        let segments = ["BIG*20260301*INV-9", "N1*BT*NOBODY KNOWN*92*NOPE", "N1*SE*KESTREL*92*KMF", "IT1*1*1*EA*10", "TDS*1000"];
        let text = interchange(908, "IN", "810", &[segments.map(str::to_owned).to_vec()], 1)
            .replace("*ZZ*1470221183     ", "*ZZ*KMF            ");
        let file = put(home, "810.edi", &text);
        home.run(&["ingest", &file]).with_code(&[1]);
        assert!(home.ok(&["exceptions", "list"]).contains("record_set_aside"));
    });
}

#[test]
fn amounts_beyond_any_payment_are_set_aside_and_told() {
    on_both(|home| {
        let huge = |trace| Order { amount: "60000000000000000.00", ..Order::new(909, trace) }.segments();
        let file = put(home, "huge.edi", &interchange(909, "RA", "820", &[huge("BIG1"), huge("BIG2")], 2));
        home.run(&["ingest", &file]).with_code(&[1]);
        for exception in ["E1", "E2"] {
            assert!(home.ok(&["exceptions", "show", exception]).contains("record_set_aside"));
            home.ok(&["exceptions", "resolve", exception, "close", "--note", "asked the sender"]);
        }
        assert!(home.ok(&["exceptions", "list"]).starts_with("nothing waits"));
    });
}

#[test]
fn an_archive_without_files_does_not_vanish() {
    on_both(|home| {
        let path = home.folder.path().join("empty.zip");
        let archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        fs::write(&path, archive.finish().expect("memory takes it").into_inner()).expect("writable");
        home.run(&["ingest", &path.to_string_lossy()]).with_code(&[1]);
        assert!(home.ok(&["exceptions", "list"]).contains("file_held"));
    });
}

#[test]
fn who_may_apply_nothing_decides_nothing() {
    on_both(|home| {
        let held = put(home, "held.edi", &interchange(901, "RA", "820", &[Order::new(901, "TRACE0001").segments()], 2));
        home.run(&["ingest", &held]).with_code(&[1]);
        let release = ["exceptions", "resolve", "E1", "release-file"];
        let output = home.command(&release).env("TIEOUT_ROLE", "viewer").output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(1));
        assert!(home.ok(&["exceptions", "list"]).contains("file_held"));
        home.ok(&release);
    });
}

#[test]
fn no_account_number_stands_in_a_finding() {
    on_both(|home| {
        let text = Order::new(921, "TRACE0009").file();
        let mut bytes = text.replace("*40229331251*", "*40229331251\u{1}*").into_bytes();
        bytes.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xE9);
        let path = home.folder.path().join("latin.edi");
        fs::write(&path, bytes).expect("writable");
        let read = home.ok(&["parse", &path.to_string_lossy(), "--format", "json"]);
        assert!(read.contains("not_utf8"), "{read}");
        assert!(!read.contains("40229331251"), "{read}");
        // One separator too many: our own account stands where the date should, and an answer would repeat it.
        let shifted = put(home, "shifted.edi", &Order::new(922, "TRACE0011").file().replace("**01*061104204", "***01*061104204"));
        // What stands in the place of our account now is none of ours, so the file waits; it is answered all the same.
        home.run(&["ingest", &shifted]).with_code(&[1]);
        let read = home.ok(&["parse", &shifted, "--format", "json"]);
        assert!(read.contains("bad_date") && !read.contains("\"7700311904"), "{read}");
        for answer in fs::read_dir(home.folder.path().join("outbound")).expect("answers") {
            let text = fs::read_to_string(answer.expect("a file").path()).expect("text");
            assert!(text.contains("AK4*16**8*XXXX1904~") && !text.contains("7700311904"), "{text}");
        }
    });
}

#[test]
fn an_item_that_changed_after_cash_was_applied_is_told_and_kept() {
    on_both(|home| {
        let cash = put(home, "cash.edi", &Order { lines: INVOICE_PAID, ..Order::new(930, "TRACE0010") }.file());
        home.ok(&["ingest", &cash]);
        let items = fs::read_to_string(support::samples().join("erp/open-items.csv")).expect("the ledger of the samples");
        let header = items.lines().next().expect("a header");
        let paid = items.lines().find(|line| line.contains("77300137")).expect("the item that was paid");
        let list = put(home, "open-items.csv", &format!("{header}\n{}\n", paid.replace(OPEN, "4031.90")));
        home.run(&["import", "open-items", &list]).with_code(&[1]);
        assert!(home.ok(&["exceptions", "list"]).contains("changed_resend"));
    });
}

#[test]
fn a_test_file_moves_nothing() {
    on_both(|home| {
        let test = Order { lines: INVOICE_PAID, ..Order::new(931, "TRACE0012") }.file().replace("*0*P*>", "*0*T*>");
        let test = put(home, "test.edi", &test);
        home.run(&["ingest", &test]).with_code(&[1]);
        assert!(home.ok(&["exceptions", "list"]).contains("marked as a test"));
        assert!(home.ok(&["export", "payments", "--format", "jsonl"]).contains("\"held\""));
    });
}

#[test]
fn the_invoices_of_a_held_file_wait_for_its_release() {
    on_both(|home| {
        let segments =
            ["BIG*20260301*INV-77", "N1*BT*BLUESTEM GROCERS COOPERATIVE", "N1*SE*KESTREL*92*KMF", "IT1*1*1*EA*10", "TDS*1000"];
        let text = interchange(940, "IN", "810", &[segments.map(str::to_owned).to_vec()], 2);
        let file = put(home, "810.edi", &text);
        home.run(&["ingest", &file]).with_code(&[1]);
        home.ok(&["check"]);
        home.ok(&["exceptions", "resolve", "E1", "release-file", "--note", "the sender counted wrong"]);
        home.ok(&["check"]);
        let files = home.ok(&["export", "files", "--format", "jsonl"]);
        assert!(files.contains("\"invoices_taken\":1"), "{files}");
    });
}

#[test]
fn an_automatic_posting_can_be_questioned_and_undone() {
    on_both(|home| {
        let file = put(home, "paid.edi", &Order { lines: INVOICE_PAID, ..Order::new(941, "TRACE0941") }.file());
        home.ok(&["ingest", &file]);
        assert!(home.ok(&["export", "payments"]).contains("\"posted\""));
        home.ok(&["exceptions", "raise", "P1", "--note", "the customer says it was meant for another invoice"]);
        home.ok(&["exceptions", "resolve", "E1", "reverse", "--note", "wrong invoice"]);
        home.ok(&["check"]);
        let payments = home.ok(&["export", "payments"]);
        assert!(payments.contains("\"unapplied_minor\":303190"), "{payments}");
    });
}
