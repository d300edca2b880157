//! Who may say what customers owe: the seller by EDI, the ERP by its lists, and nobody else without a person; and whose money it is that
//! went to an account.

mod support;

use std::fs;

use serde_json::Value;
use support::{Backend, Home, Ran, number, text};

/// LW104490 of C0003 is open for 2,600.00.
const KNOWN: &str = "LW104490";

/// An 810 of LWS for C0003 in an interchange of `sender`.
fn invoice(control: u32, sender: &str, number: &str, kind: &str, cents: i64) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*TIEOUT         *260313*0600*U*00401*{control:09}*0*P*>~\n\
         GS*IN*{sender}*TIEOUT*20260313*0600*{control}*X*004010~\nST*810*0001~\nBIG*20260312*{number}**BGC-1***{kind}~\nCUR*SE*USD~\n\
         N1*SE*Larkspur Wholesale Supply*91*LWS~\nN1*BT*Bluestem Grocers Cooperative*91*C0003~\nITD*01*3****20260411*30~\n\
         IT1*1*1*EA*1.00**VN*LK-1~\nTDS*{cents}~\nCTT*1~\nSE*10*0001~\nGE*1*{control}~\nIEA*1*{control:09}~\n"
    )
}

fn put(home: &Home, name: &str, text: &str) -> String {
    let path = home.folder.path().join(name);
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

/// The reason and state of each exception, in order.
fn exceptions(home: &Home) -> Vec<(String, String)> {
    home.export("exceptions").iter().map(|exception| (text(exception, "reason"), text(exception, "message"))).collect()
}

/// The audit rows of an action: subject and detail.
fn audit(home: &Home, action: &str) -> Vec<(String, Value)> {
    let rows = home.export("audit").into_iter().filter(|row| text(row, "action") == action);
    rows.map(|row| (text(&row, "subject"), serde_json::from_str(&text(&row, "detail")).unwrap_or(Value::Null))).collect()
}

#[test]
fn what_a_stranger_bills_in_our_name_waits_for_a_person() {
    on_both(|home| {
        let credit = put(home, "credit.edi", &invoice(9100, "1470221183", "LWCM9999", "CR", -200_000));
        let rewrite = put(home, "rewrite.edi", &invoice(9101, "EVIL", KNOWN, "DI", 100));
        home.run(&["ingest", &credit, &rewrite]).with_code(&[1]);
        let found = exceptions(home);
        assert_eq!(found.len(), 2, "{found:?}");
        for ((reason, message), sender) in found.iter().zip(["1470221183", "EVIL"]) {
            assert!(reason == "file_held" && message.contains(sender) && message.contains("of LWS"), "{found:?}");
        }
        assert!(audit(home, "open_items_read").is_empty(), "nothing of the files counts");

        // A person who knows better lets the credit in; the other file still may not change what is known.
        home.ok(&["exceptions", "resolve", "E1", "release-file"]);
        home.run(&["exceptions", "resolve", "E2", "release-file"]).with_code(&[0, 1]);
        let read = audit(home, "open_items_read");
        assert_eq!(read.len(), 2, "{read:?}");
        assert_eq!((number(&read[0].1, "added"), number(&read[1].1, "not_taken")), (1, 1), "{read:?}");
        let found = exceptions(home);
        assert!(found.iter().any(|(reason, message)| reason == "changed_resend" && message.contains(KNOWN)), "{found:?}");
    });
}

#[test]
fn a_seller_bills_by_edi_under_its_code_or_an_id_that_was_imported() {
    on_both(|home| {
        let by_code = put(home, "code.edi", &invoice(9102, "LWS", "LW900001", "DI", 5_000));
        let by_id = put(home, "id.edi", &invoice(9103, "LARKSPUR", "LW900002", "DI", 6_000));
        home.ok(&["ingest", &by_code, &by_id]);
        let read = audit(home, "open_items_read");
        let senders: Vec<_> = read.iter().map(|(_, detail)| (text(detail, "sender"), number(detail, "added"))).collect();
        assert_eq!(senders, [("LWS".to_owned(), 1), ("LARKSPUR".to_owned(), 1)]);

        // An id that was replaced by another is no sender of the seller any more.
        let accounts = "seller_id,account,currency,bank_routing,kind,edi_ids\nLWS,3100482275,USD,042206176,nacha,LWS-NEW\n";
        home.ok(&["import", "bank-accounts", &put(home, "accounts.csv", accounts)]);
        let old = put(home, "old.edi", &invoice(9104, "LARKSPUR", "LW900003", "DI", 7_000));
        home.run(&["ingest", &old]).with_code(&[1]);
        assert_eq!(exceptions(home)[0].0, "file_held");
    });
}

#[test]
fn a_file_never_changes_who_owes_what() {
    on_both(|home| {
        let smaller = put(home, "smaller.edi", &invoice(9105, "LWS", KNOWN, "DI", 100));
        home.run(&["ingest", &smaller]).with_code(&[0, 1]);
        let found = exceptions(home);
        assert!(found.len() == 1 && found[0].0 == "changed_resend" && found[0].1.contains("another amount"), "{found:?}");

        // The list of the ERP, dropped as a file, may not either; a person who imports it may.
        let list = fs::read_to_string(support::samples().join("erp/open-items.csv")).expect("the ledger of the samples");
        let header = list.lines().next().expect("a header");
        let row = list.lines().find(|line| line.contains(KNOWN)).expect("the item");
        let moved = put(home, "moved.csv", &format!("{header}\n{}\n", row.replace("C0003", "C0001")));
        home.run(&["ingest", &moved]).with_code(&[0, 1]);
        assert_eq!(audit(home, "open_item_changed").len(), 0);
        assert_eq!(exceptions(home).len(), 2);
        home.ok(&["import", "open-items", &moved]);
    });
}

#[test]
fn what_the_erp_saw_paid_elsewhere_is_not_paid_again() {
    on_both(|home| {
        let list = fs::read_to_string(support::samples().join("erp/open-items.csv")).expect("the ledger of the samples");
        let header = list.lines().next().expect("a header");
        let row = list.lines().find(|line| line.contains("LW104431")).expect("an item of 1,250.00");
        let pays = |control: u32, amount: &str| {
            format!(
                "ISA*00*          *00*          *ZZ*1341099201     *ZZ*LWS            *260316*0545*U*00401*{control:09}*0*P*>~\n\
                 GS*RA*1341099201*LWS*20260316*0545*{control}*X*004010~\nST*820*0001~\n\
                 BPR*C*{amount}*C*ACH*CCP*01*063137101*DA*40083110417*1341099201**01*042206176*DA*3100482275*20260316~\n\
                 TRN*1*06313710{control}*1341099201~\nN1*PR*HARROW & PIKE HARDWARE INC~\nN1*PE*LARKSPUR WHOLESALE SUPPLY*91*LWS~\nENT*1~\n\
                 RMR*IV*LW104431**{amount}~\nSE*8*0001~\nGE*1*{control}~\nIEA*1*{control:09}~\n"
            )
        };
        home.run(&["ingest", &put(home, "part.edi", &pays(9200, "500.00"))]).with_code(&[0, 1]);
        // The posting is older news to the ERP than its own: all but 500.00 is open there, and nothing is said.
        let list_of = |open: &str, status: &str| {
            let row = row.replace(",1250.00,1250.00,", &format!(",1250.00,{open},")).replace(",open,", &format!(",{status},"));
            put(home, "list.csv", &format!("{header}\n{row}\n"))
        };
        assert!(
            home.run(&["import", "open-items", &list_of("1250.00", "open")]).with_code(&[0]).stderr.contains("1 as they were")
        );
        let ran = home.run(&["import", "open-items", &list_of("0.00", "closed")]).with_code(&[1]);
        assert!(ran.stderr.contains("1 changed") && ran.stderr.contains("1 have less open"), "{}", ran.stderr);
        assert!(exceptions(home).iter().any(|(reason, message)| reason == "changed_resend" && message.contains("less open")));
        home.run(&["ingest", &put(home, "rest.edi", &pays(9201, "750.00"))]).with_code(&[0, 1]);
        let second = home.export("payments").pop().expect("the second payment");
        assert_eq!((text(&second, "state"), number(&second, "unapplied_minor")), ("exception".to_owned(), 75_000), "{second}");
    });
}

/// An 820 of C0001 that pays LW10441 and LW10457, to another account.
fn paid_to(account: &str) -> String {
    let sample = fs::read_to_string("samples/x12/good/820-01-exact.edi").expect("a sample");
    assert!(sample.contains("*3100482275*"));
    sample.replace("*3100482275*", &format!("*{account}*"))
}

#[test]
fn money_that_went_to_an_account_of_others_waits_until_somebody_says_whose_it_is() {
    on_both(|home| {
        let foreign = put(home, "foreign.edi", &paid_to("5550001234"));
        home.run(&["ingest", &foreign]).with_code(&[1]);
        let found = exceptions(home);
        assert!(found.len() == 1 && found[0].0 == "file_held" && found[0].1.contains("••••1234"), "{found:?}");
        let states = |home: &Home| -> Vec<_> {
            home.export("payments").iter().map(|row| (text(row, "state"), number(row, "unapplied_minor"))).collect()
        };
        let payments = home.export("payments");
        assert!(payments.iter().all(|row| text(row, "state") == "held"), "{payments:?}");
        assert!(home.export("applications").is_empty(), "nothing is paid with the money of others");

        // The account is ours after all: once it is imported, the money settles the receivables of whoever owns it.
        let accounts = put(
            home,
            "accounts.csv",
            "seller_id,seller_name,kind,bank_routing,account,currency\nLWS,Larkspur Wholesale Supply,bai2,042206176,5550001234,USD\n",
        );
        home.ok(&["import", "bank-accounts", &accounts]);
        home.ok(&["exceptions", "resolve", "E1", "release-file", "--note", "a new account of ours"]);
        assert!(states(home).contains(&("posted".to_owned(), 0)), "{:?}", states(home));
        let payments = home.export("payments");
        assert!(
            payments.iter().filter(|row| text(row, "payment").starts_with('P')).all(|row| text(row, "seller_id") == "LWS"),
            "{payments:?}"
        );
    });
}

#[test]
fn as_long_as_no_account_was_imported_nobody_can_tell_whose_it_is() {
    for home in [Backend::Sqlite, Backend::Postgres].into_iter().filter_map(Home::on) {
        for kind in ["customers", "open-items"] {
            home.ok(&["import", kind, &format!("samples/erp/{kind}.csv")]);
        }
        let foreign = put(&home, "foreign.edi", &paid_to("5550001234"));
        home.run(&["ingest", &foreign]).with_code(&[0, 1]);
        assert!(exceptions(&home).iter().all(|(reason, _)| reason != "file_held"), "{:?}", exceptions(&home));
        home.ok(&["check"]);
    }
}

#[test]
fn money_of_a_day_that_cannot_be_waits_for_a_person() {
    on_both(|home| {
        let sample = fs::read_to_string("samples/x12/good/820-01-exact.edi").expect("a sample");
        for (number, day) in [("000001042", "19000101"), ("000001043", "29990101")] {
            let undated = sample.replace("*20260316~\nTRN", &format!("*{day}~\nTRN")).replace("000001041", number);
            let undated = put(home, &format!("{day}.edi"), &undated);
            home.run(&["ingest", &undated]).with_code(&[1]);
        }
        let found = exceptions(home);
        assert!(found.iter().all(|(reason, message)| reason == "file_held" && message.contains("cannot be")), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(home.export("applications").is_empty(), "no discount is earned by a day that cannot be");
    });
}

#[test]
fn a_day_that_is_closed_takes_no_new_file() {
    on_both(|home| {
        let drop = home.folder.path().join("days");
        let place = |day: &str, name: &str, sample: &str| {
            fs::create_dir_all(drop.join(day)).expect("writable");
            fs::copy(format!("samples/x12/good/{sample}"), drop.join(day).join(name)).expect("a sample");
        };
        place("2026-03-19", "one.edi", "820-01-exact.edi");
        place("2026-03-20", "two.edi", "820-02-discount-in-terms.edi");
        let days = drop.display().to_string();
        home.run(&["ingest", "--by-day", &days]).with_code(&[0]);
        home.run(&["ingest", "--by-day", &days]).with_code(&[0]);
        let before = home.export("payments").len();
        place("2026-03-19", "late.edi", "820-03-short-paid-with-code.edi");
        let refused = home.run(&["ingest", "--by-day", &days]).with_code(&[2]);
        assert!(refused.stderr.contains("late.edi is of 2026-03-19, and 2026-03-20 is closed already"), "{}", refused.stderr);
        assert_eq!(home.export("payments").len(), before);
    });
}

/// An 820 of Harrow & Pike (C0001) that pays one item in full.
fn pays_in_full(control: u32, number: &str, amount: &str) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*1341099201     *ZZ*LWS            *260316*0545*U*00401*{control:09}*0*P*>~\n\
         GS*RA*1341099201*LWS*20260316*0545*{control}*X*004010~\nST*820*0001~\n\
         BPR*C*{amount}*C*ACH*CCP*01*063137101*DA*40083110417*1341099201**01*042206176*DA*3100482275*20260316~\n\
         TRN*1*06313710{control}*1341099201~\nN1*PR*HARROW & PIKE HARDWARE INC~\nN1*PE*LARKSPUR WHOLESALE SUPPLY*91*LWS~\nENT*1~\n\
         RMR*IV*{number}**{amount}~\nSE*8*0001~\nGE*1*{control}~\nIEA*1*{control:09}~\n"
    )
}

/// State of each payment, in order.
fn states(home: &Home) -> Vec<String> {
    home.export("payments").iter().map(|payment| text(payment, "state")).collect()
}

#[test]
fn a_payment_that_came_before_its_invoice_is_posted_once_the_invoice_is_known() {
    on_both(|home| {
        let pays = put(home, "early.edi", &pays_in_full(9300, "LW777001", "512.40"));
        home.run(&["ingest", &pays]).with_code(&[0, 1]);
        let noted = put(home, "noted.edi", &pays_in_full(9301, "LW777002", "300.00"));
        home.run(&["ingest", &noted]).with_code(&[0, 1]);
        // Somebody has the second in hand, and the third names nothing: money of then is not tried on every later invoice of its amount.
        let second = home.export("exceptions").pop().map(|row| text(&row, "exception")).expect("an exception");
        home.ok(&["exceptions", "note", &second, "the customer is asked"]);
        let nameless = pays_in_full(9302, "LW777003", "87.65").replace("RMR*IV*LW777003**87.65~\n", "").replace("SE*8", "SE*7");
        home.run(&["ingest", &put(home, "nameless.edi", &nameless)]).with_code(&[0, 1]);
        assert_eq!(states(home), ["exception"; 3]);
        let decisions = home.ok(&["explain", "P3", "--all"]);

        let header = "invoice_number,seller_id,customer_id,amount,currency,issue_date,terms\n";
        let rows = "LW777001,LWS,C0001,512.40,USD,2026-03-10,N30\nLW777002,LWS,C0001,300.00,USD,2026-03-10,N30\n\
                    LW777003,LWS,C0001,87.65,USD,2026-03-10,N30\n";
        let list = put(home, "list.csv", &format!("{header}{rows}"));
        let imported = home.run(&["import", "open-items", &list]).with_code(&[0]);
        assert!(imported.stderr.contains("held payments that are decided anew: 2"), "{}", imported.stderr);
        home.run(&["ingest", &pays]).with_code(&[0, 1]);
        assert_eq!(states(home), ["posted", "exception", "exception"]);
        assert_eq!(home.ok(&["explain", "P3", "--all"]), decisions, "a look that says nothing new leaves nothing behind");
        let again = home.run(&["import", "open-items", &list]).with_code(&[0]);
        assert!(!again.stderr.contains("anew"), "nothing new is known: {}", again.stderr);
    });
}

#[test]
fn a_relation_lets_a_held_payment_post_until_its_last_day() {
    on_both(|home| {
        home.run(&["ingest", &put(home, "third.edi", &pays_in_full(9310, KNOWN, "2600.00"))]).with_code(&[0, 1]);
        assert_eq!(states(home), ["exception"]);
        let header = "payer_id,pays_for_id,kind,from,until\n";
        let wrong =
            put(home, "wrong.csv", &format!("{header}C0001,C0003,uncle,2026-01-01,\nC0001,C0001,factor,2026-01-01,2025-12-31\n"));
        let import = |file: &str, role: &str| {
            let arguments = ["import", "relations", file];
            Ran::of(&arguments, &home.command(&arguments).env("TIEOUT_ROLE", role).output().expect("the binary runs"))
        };
        let analyst =
            import(&put(home, "analyst.csv", &format!("{header}C0001,C0003,factor,2026-01-01,\n")), "analyst").with_code(&[1]);
        assert!(analyst.stderr.contains("may not say who pays for whom; supervisor may"), "{}", analyst.stderr);
        let refused = import(&wrong, "supervisor").with_code(&[1]);
        for fault in [
            "wrong.csv:2, column kind: expected factor, third_party or parent, found \"uncle\"",
            "wrong.csv:3, column pays_for_id: expected another customer than the one that pays, found \"C0001\"",
            "wrong.csv:3, column until: expected a day not before the first, found \"2025-12-31\"",
        ] {
            assert!(refused.stderr.contains(fault), "{}", refused.stderr);
        }
        let nobody = put(home, "nobody.csv", &format!("{header}C0001,C9999,factor,2026-01-01,\n"));
        let refused = import(&nobody, "supervisor").with_code(&[1]);
        assert!(
            refused.stderr.contains("nobody.csv:2, column pays_for_id: expected a code that was imported, found C9999"),
            "{}",
            refused.stderr
        );

        // What ended before the payment came allows nothing; told anew without an end, it does.
        let ended = put(home, "relations.csv", &format!("{header}C0001,C0003,third_party,2026-01-01,2026-01-31\n"));
        let pays = home.folder.path().join("third.edi").display().to_string();
        for (rows, state) in [(None, "exception"), (Some("C0001,C0003,third_party,2026-01-01,\n"), "posted")] {
            if let Some(rows) = rows {
                put(home, "relations.csv", &format!("{header}{rows}"));
            }
            import(&ended, "supervisor").with_code(&[0]);
            home.run(&["ingest", &pays]).with_code(&[0, 1]);
            assert_eq!(states(home), [state]);
        }
        let rows = audit(home, "import");
        assert_eq!(rows.iter().filter(|(subject, _)| subject == "relations").count(), 2, "{rows:?}");
        assert_eq!(audit(home, "relation").len(), 2, "each change is told");
    });
}
