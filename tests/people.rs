//! People at the command line: what they change leaves its row in the audit chain, in the transaction of the deed, and who only looks
//! changes nothing. On both databases.

mod support;

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{Backend, Home, Ran, number, samples, text};

/// Runs a test on both databases.
fn on_both(test: impl Fn(&Home)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        if let Some(home) = Home::on(backend) {
            test(&home);
        }
    }
}

fn as_role(home: &Home, role: &str, arguments: &[&str]) -> Ran {
    let output = home.command(arguments).env("TIEOUT_ROLE", role).env("TIEOUT_USER", "ann").output().expect("the binary runs");
    Ran::of(arguments, &output)
}

/// The audit rows of an action, in order.
fn audit_of(home: &Home, action: &str) -> Vec<Value> {
    let mut rows = home.export("audit");
    rows.retain(|row| text(row, "action") == action);
    rows
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(&text(row, "detail")).expect("the detail is JSON")
}

#[test]
fn an_import_tells_who_brought_which_file_and_what_changed() {
    on_both(|home| {
        home.import_samples();
        let rates = home.folder.path().join("rates.csv");
        let first = "currency,usd_rate,date\nSEK,0.1,2026-03-01\nNOK,0.2,2026-03-01\n";
        fs::write(&rates, first).expect("writable");
        let path = rates.display().to_string();
        as_role(home, "analyst", &["import", "rates", &path]).with_code(&[0]);
        fs::write(&rates, "currency,usd_rate,date\nSEK,0.1,2026-03-01\nNOK,0.3,2026-03-01\nDKK,0.4,2026-03-01\n")
            .expect("writable");
        as_role(home, "analyst", &["import", "rates", &path]).with_code(&[0]);
        fs::write(&rates, "currency,usd_rate,date\nSEK,nothing,2026-03-01\n").expect("writable");
        as_role(home, "analyst", &["import", "rates", &path]).with_code(&[1]);

        let rows = audit_of(home, "import");
        let subjects: Vec<_> = rows.iter().map(|row| text(row, "subject")).collect();
        assert_eq!(
            subjects,
            ["customers", "open_items", "bank_accounts", "rates", "rates", "rates"],
            "a refused import leaves no row"
        );
        let counts = |row: &Value| ["added", "changed", "unchanged"].map(|name| number(&detail(row), name));
        assert_eq!((counts(&rows[4]), counts(&rows[5])), ([2, 0, 0], [1, 1, 1]));
        assert_eq!(text(&rows[5], "actor"), "ann");
        let file = &detail(&rows[4])["files"][0];
        assert_eq!((text(file, "name").as_str(), number(file, "rows")), ("rates.csv", 2));
        assert_eq!(text(file, "sha256"), Sha256::digest(first).iter().map(|byte| format!("{byte:02x}")).collect::<String>());

        // The same rows again change nothing, and say so.
        let customers = samples().join("erp/customers.csv").display().to_string();
        let again = as_role(home, "analyst", &["import", "customers", &customers]).with_code(&[0]);
        let known = number(&detail(&rows[0]), "added");
        assert!(
            known > 0 && again.stderr.contains(&format!("customers: 0 new, 0 changed, {known} as they were")),
            "{}",
            again.stderr
        );
        assert!(home.ok(&["check"]).contains("audit chain"), "the chain holds");
    });
}

#[test]
fn who_takes_or_notes_an_exception_is_in_the_chain() {
    on_both(|home| {
        home.import_samples();
        home.ingest_samples();
        let exception = text(&home.export("exceptions")[0], "exception");
        as_role(home, "analyst", &["exceptions", "assign", &exception, "bob"]).with_code(&[0]);
        as_role(home, "analyst", &["exceptions", "note", &exception, "called the customer"]).with_code(&[0]);
        for (action, said) in [("assign", "bob"), ("note", "called the customer")] {
            let rows = audit_of(home, action);
            let found: Vec<_> = rows.iter().map(|row| ["actor", "subject", "detail"].map(|field| text(row, field))).collect();
            assert_eq!(found, [["ann".to_owned(), exception.clone(), said.to_owned()]]);
        }
        home.ok(&["check"]);
    });
}

#[test]
fn who_only_looks_changes_nothing() {
    on_both(|home| {
        for (arguments, what) in [
            (&["import", "customers", "samples/erp/customers.csv"][..], "may look and not import"),
            (&["ingest", "samples/x12/good"], "may look and not ingest"),
        ] {
            for role in ["viewer", "auditor"] {
                let refused = as_role(home, role, arguments).with_code(&[1]);
                assert!(refused.stderr.contains(&format!("the role {role} {what}")), "{}", refused.stderr);
            }
            assert!(!home.folder.path().join("archive").exists(), "nothing was made");
        }
        as_role(home, "viewer", &["import", "customers", "samples/erp/customers.csv", "--check"]).with_code(&[0]);
        home.import_samples();
        home.ingest_samples();
        let (exceptions, audit) = (home.export("exceptions"), home.export("audit"));
        let about = text(&exceptions[0], "exception");
        for arguments in [
            &["exceptions", "assign", &about, "bob"][..],
            &["exceptions", "note", &about, "mine"],
            &["exceptions", "resolve", &about, "close"],
            &["exceptions", "resolve", &about, "retry"],
            &["exceptions", "raise", "P1", "--note", "why"],
        ] {
            let refused = as_role(home, "viewer", arguments).with_code(&[1]);
            assert!(refused.stderr.contains("the role viewer may look"), "{}", refused.stderr);
        }
        assert_eq!((home.export("exceptions"), home.export("audit")), (exceptions, audit));
        for arguments in [&["check"][..], &["exceptions", "list"], &["export", "payments", "--format", "csv"]] {
            as_role(home, "viewer", arguments).with_code(&[0]);
        }
    });
}

/// A settlement of card payments; `rows` are kind, merchant, reference and amount.
fn settlement(home: &Home, name: &str, rows: &[(&str, &str, &str, i64)]) {
    let money = |cents: i64| format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
    let mut text = "record,date,merchant,reference,payer,amount,currency,text\n".to_owned();
    for (kind, merchant, reference, cents) in rows {
        text.push_str(&format!("{kind},2026-03-16,{merchant},{reference},PINE STREET MARKET,{},USD,\n", money(*cents)));
    }
    let total = rows.iter().map(|row| row.3).sum();
    text.push_str(&format!("TOTAL,2026-03-16,{},{},,{},USD,\n", rows[0].1, rows.len(), money(total)));
    let path = home.folder.path().join(name);
    fs::write(&path, text).expect("writable");
    as_role(home, "analyst", &["ingest", &path.display().to_string()]).with_code(&[0, 1]);
}

/// The payment with that amount that settles a merchant's account.
fn payment_of(home: &Home, seller: &str, cents: i64) -> Value {
    let mut found = home.export("payments");
    found.retain(|payment| text(payment, "seller_id") == seller && number(payment, "amount_minor") == cents);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn what_the_bank_takes_back_is_found_by_its_merchant_or_named_by_a_person() {
    on_both(|home| {
        let accounts = home.folder.path().join("accounts.csv");
        fs::write(&accounts, "seller_id,kind,account\nS1,card,MID001\nS2,card,MID002\n").expect("writable");
        home.ok(&["import", "bank-accounts", &accounts.display().to_string()]);
        home.ok(&["import", "customers", "samples/erp/customers.csv"]);
        settlement(home, "first.csv", &[("PAYMENT", "MID001", "900001", 4_500), ("PAYMENT", "MID001", "900002", 7_700)]);
        settlement(home, "second.csv", &[("PAYMENT", "MID002", "900001", 4_500)]);
        settlement(home, "third.csv", &[("CHARGEBACK", "MID002", "900001", -4_500)]);
        assert_eq!(text(&payment_of(home, "S2", 4_500), "state"), "returned", "one reference, two merchants: hers is meant");
        assert_eq!(text(&payment_of(home, "S1", 4_500), "state"), "exception");

        let mine = payment_of(home, "S1", 7_700);
        let id = text(&mine, "payment");
        let waiting = home.export("exceptions").into_iter().find(|row| text(row, "payment") == id).expect("it waits");
        let customer = fs::read_to_string(samples().join("erp/customers.csv")).expect("readable");
        let customer = customer.lines().nth(1).and_then(|row| row.split(',').next()).expect("a customer").to_owned();
        as_role(home, "analyst", &["exceptions", "resolve", &text(&waiting, "exception"), "on-account", "--customer", &customer])
            .with_code(&[0]);
        settlement(home, "fourth.csv", &[("CHARGEBACK", "MID001", "unheard-of", -7_700)]);
        let unclear =
            home.export("exceptions").into_iter().rfind(|row| text(row, "reason") == "payment_returned").expect("it is asked");
        let asked = text(&unclear, "exception");
        assert!(text(&unclear, "message").contains("returned-payment"), "{unclear}");
        let name = |payment: &str, codes: &[i32]| {
            as_role(
                home,
                "analyst",
                &["exceptions", "resolve", &asked, "returned-payment", "--payment", payment, "--key", "once"],
            )
            .with_code(codes)
        };
        assert!(name("P999", &[1]).stderr.contains("payment P999 does not exist"));
        assert!(name(&id, &[0]).stdout.contains(&format!("payment {id} came back; 1 applications were undone")));
        assert!(name(&id, &[0]).stdout.starts_with("done before by ann"));
        assert_eq!(text(&payment_of(home, "S1", 7_700), "state"), "returned");
        home.ok(&["check"]);

        // A bank that only asks to change an account number takes nothing back.
        as_role(home, "analyst", &["ingest", "samples/nacha/good/nacha-05-returns-and-change.ach"]).with_code(&[0, 1]);
        let changes = home.export("exceptions");
        assert!(changes.iter().any(|row| text(row, "message").contains("notifies a change")), "{changes:?}");
        home.ok(&["check"]);
    });
}

#[test]
fn a_payment_that_repeats_another_is_marked_without_naming_it_again() {
    on_both(|home| {
        home.import_samples();
        home.ingest_samples();
        let exceptions = home.export("exceptions");
        let twice = exceptions.iter().find(|row| text(row, "reason") == "duplicate_payment").expect("820-06 pays twice");
        let about = text(twice, "exception");
        let said = as_role(home, "analyst", &["exceptions", "resolve", &about, "mark-duplicate"]).with_code(&[0]).stdout;
        let payment = text(twice, "payment");
        assert!(said.contains(&format!("payment {payment} is a duplicate of P")), "{said}");
        let void = home.export("payments").into_iter().find(|row| text(row, "payment") == payment).expect("exported");
        assert_eq!(text(&void, "state"), "void");
        home.ok(&["check"]);
    });
}

#[test]
fn a_decision_is_told_with_what_people_did_afterwards() {
    on_both(|home| {
        home.import_samples();
        home.ingest_samples();
        let posted = home
            .export("payments")
            .into_iter()
            .find(|row| text(row, "status") == "posted" && text(row, "payment").starts_with('P'));
        let payment = text(&posted.expect("the samples post"), "payment");
        assert!(!home.ok(&["explain", &payment]).contains("Afterwards"), "nothing was done");
        let raised =
            as_role(home, "supervisor", &["exceptions", "raise", &payment, "--note", "paid for another"]).with_code(&[0]).stdout;
        let about = raised.split_whitespace().next().expect("an exception").to_owned();
        as_role(home, "supervisor", &["exceptions", "resolve", &about, "reverse", "--note", "wrong items"]).with_code(&[0]);
        let told = home.ok(&["explain", &payment]);
        let (_, after) = told.split_once("\nAfterwards\n").expect("it is told");
        let lines: Vec<_> = after.lines().collect();
        assert!(lines[0].contains(&format!("ann: question {payment}: ambiguous: paid for another")), "{after}");
        assert!(lines.iter().any(|line| line.contains(&format!("ann: reverse {payment}: wrong items: A"))), "{after}");
        assert!(lines.iter().any(|line| line.contains(&format!("ann: resolve {about}: "))), "{after}");
        let json: Value = serde_json::from_str(&home.ok(&["explain", &payment, "--format", "json"])).expect("JSON");
        assert_eq!(json["afterwards"].as_array().map(Vec::len), Some(lines.len()));
        assert_eq!((text(&json["afterwards"][0], "actor").as_str(), text(&json["afterwards"][0], "subject")), ("ann", payment));
    });
}

#[test]
fn a_recommendation_is_shown_as_it_was_made() {
    on_both(|home| {
        home.import_samples();
        home.ingest_samples();
        let waits = home.export("exceptions").into_iter().find(|row| text(row, "reason") == "overpaid").expect("820-11 overpays");
        let about = text(&waits, "exception");
        as_role(home, "analyst", &["exceptions", "resolve", &about, "refund", "--amount", "10.00"]).with_code(&[1]);
        let asked = home.export("exceptions").into_iter().find(|row| text(row, "reason") == "above_authority").expect("asked");
        let shown = home.ok(&["exceptions", "show", &text(&asked, "exception")]);
        assert!(shown.contains("ann recommends refund-request of 10.00 USD") && shown.contains("accept"), "{shown}");
        assert!(!shown.contains("Proposal 1"), "the engine's proposals are not what was recommended: {shown}");
    });
}
