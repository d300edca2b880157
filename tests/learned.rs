//! What the ledger teaches, on both databases: a fact says who taught it and what it drove; a revoke switches it off in every process and for
//! every rebuild, and only what people apply later teaches it again.
//!
//! The payer is an agent whose account and name are in nobody's master data; it pays items of Morrow Lane Traders, each of an amount of its own.

mod support;

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{Backend, Home, Ran, number, text};

/// Items of the customer, one payment each.
const ITEMS: usize = 14;
const ACCOUNT: &str = "5550001117742";

fn on_both(test: impl Fn(&Home)) {
    for home in [Backend::Sqlite, Backend::Postgres].into_iter().filter_map(Home::on) {
        let config = "[users]\nann = 'analyst'\nsue = 'supervisor'\nvic = 'viewer'\n";
        fs::write(home.folder.path().join("tieout.toml"), config).expect("writable");
        home.import_samples();
        let customers = "customer_id,name,aliases,parent_id,country,currency,terms,seller_ids,known_accounts,ach_originator_id\n\
                         C0901,Morrow Lane Traders,,,US,USD,N30,KMF,,\n";
        import(&home, "customers", customers);
        let mut items = "invoice_id,invoice_number,seller_id,customer_id,type,amount,open_amount,currency,issue_date,entered_date,due_date,terms,\
                         po_number,bol_number,status,closed_date\n"
            .to_owned();
        for place in 0..ITEMS {
            let (item, amount) = (item(place), amount(place));
            items.push_str(&format!(
                "J{place},{item},KMF,C0901,INV,{amount},{amount},USD,2026-02-01,2026-02-02,2026-03-03,N30,,,open,\n"
            ));
        }
        import(&home, "open-items", &items);
        test(&home);
        home.ok(&["check"]);
    }
}

fn import(home: &Home, kind: &str, csv: &str) {
    let path = home.folder.path().join(format!("{kind}.csv"));
    fs::write(&path, csv).expect("writable");
    home.ok(&["import", kind, &path.display().to_string()]);
}

fn item(place: usize) -> String {
    format!("7739{:04}", 1003 + place * 137)
}

/// Far apart and odd, so that no two items add up to a third.
fn amount(place: usize) -> String {
    format!("{}.{:02}", 1_013 + place * place * 977 + place * 31, (place * 29 + 17) % 100)
}

/// A payment of one item, as a file of its own; with the number of the item or without a word.
fn file(place: usize, named: bool) -> String {
    let number = 500 + place;
    let amount = amount(place);
    let mut segments = vec![
        format!("BPR*C*{amount}*C*ACH*CCP*01*083211308*DA*{ACCOUNT}***01*061104204*DA*7700311904*20260316"),
        format!("TRN*1*AGENT{number:06}"),
        "N1*PE*KESTREL MOTOR FREIGHT*91*KMF".to_owned(),
    ];
    if named {
        segments.extend(["ENT*1".to_owned(), format!("RMR*IV*{}**{amount}*{amount}", item(place))]);
    }
    format!(
        "ISA*00*          *00*          *ZZ*PAYAGENT       *ZZ*KMF            *260316*0545*U*00401*{number:09}*0*P*>~\n\
         GS*RA*PAYAGENT*KMF*20260316*0545*{number}*X*004010~\nST*820*0001~\n{}~\nSE*{}*0001~\nGE*1*{number}~\nIEA*1*{number:09}~\n",
        segments.join("~\n"),
        segments.len() + 2
    )
}

/// Takes in payments as the files of a business day; their ids.
fn pay(home: &Home, day: &str, places: std::ops::Range<usize>, named: bool) -> Vec<String> {
    let folder = home.folder.path().join(format!("drop-{day}"));
    fs::create_dir_all(folder.join(day)).expect("a folder");
    for place in places {
        fs::write(folder.join(day).join(format!("{place:02}.edi")), file(place, named)).expect("writable");
    }
    let known = home.export("payments").len();
    home.run(&["ingest", "--by-day", &folder.display().to_string()]).with_code(&[0, 1]);
    home.export("payments").split_off(known).iter().map(|row| text(row, "payment")).collect()
}

fn run(home: &Home, user: &str, arguments: &[&str]) -> Ran {
    let config = home.folder.path().join("tieout.toml").display().to_string();
    home.run(&[&["--config", &config, "--user", user], arguments].concat())
}

fn read(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn learned(home: &Home) -> Vec<Value> {
    let listed = read(&run(home, "ann", &["learned", "list", "--customer", "C0901", "--format", "json"]).with_code(&[0]));
    listed["learned"].as_array().expect("facts").clone()
}

fn shown(home: &Home, fact: &str) -> Value {
    read(&run(home, "ann", &["learned", "show", fact, "--format", "json"]).with_code(&[0]))
}

fn explained(home: &Home, payment: &str) -> Value {
    serde_json::from_str(&home.ok(&["explain", payment, "--format", "json"])).expect("JSON")
}

fn posts(home: &Home, payment: &str) -> bool {
    explained(home, payment)["outcome"]["kind"] != "hold"
}

/// A person applies a payment to its item.
fn apply(home: &Home, payment: &str, place: usize) {
    let rows = home.export("exceptions");
    let waiting = rows.iter().find(|row| text(row, "payment") == payment && text(row, "state") == "open").expect("it waits");
    let what = format!("{}={}", item(place), amount(place));
    run(home, "ann", &["exceptions", "resolve", &text(waiting, "exception"), "apply", "--item", &what]).with_code(&[0]);
}

#[test]
fn a_fact_says_who_taught_it_and_what_it_drove() {
    on_both(|home| {
        let two = pay(home, "2026-03-16", 0..2, true);
        assert!(two.iter().all(|payment| posts(home, payment)), "the references are exact");
        assert!(learned(home).is_empty(), "two payments are no fact");
        pay(home, "2026-03-17", 2..3, true);
        let facts = learned(home);
        assert_eq!(facts.len(), 1, "{facts:?}");
        let fact = &facts[0];
        assert_eq!(
            ["kind", "sign", "customer", "state"].map(|name| text(fact, name)),
            ["account", "••••7742", "C0901", "in_use"]
        );
        assert_eq!(["version", "payments", "items", "decisions", "posted"].map(|name| number(fact, name)), [1, 3, 3, 0, 0]);
        let by_engine = serde_json::json!([
            { "actor": "engine", "payments": 3, "items": 3, "first_day": "2026-03-16", "last_day": "2026-03-17" }
        ]);
        assert_eq!(fact["taught_by"], by_engine);

        // It drives a payment that names nothing; the evidence says so, and so does the fact.
        let driven = pay(home, "2026-03-18", 3..4, false).remove(0);
        assert!(posts(home, &driven), "{}", home.ok(&["explain", &driven]));
        let id = text(fact, "fact");
        let told = home.ok(&["explain", &driven]);
        assert!(told.contains(&format!("(learned from 3 payments, +5.000, fact {id}v1)")), "{told}");
        let found = shown(home, &id);
        assert_eq!((number(&found["fact"], "decisions"), number(&found["fact"], "posted")), (1, 1));
        assert_eq!(found["fact"]["cash"][0]["posted_minor"], found["fact"]["cash"][0]["standing_minor"]);
        let touched = &found["touched"][0];
        assert_eq!((text(touched, "payment"), text(touched, "state")), (driven.clone(), "posted".to_owned()));
        assert_eq!((text(&touched["applications"][0], "item"), number(touched, "version")), (item(3), 1));
        assert!(!format!("{found}{told}{}", home.ok(&["learned", "list"])).contains(ACCOUNT), "the number is never shown");

        // What is undone taught nothing, and the fact says that it was undone.
        run(home, "ann", &["exceptions", "raise", &driven, "--note", "wrong"]).with_code(&[0]);
        let raised = home.export("exceptions").pop().expect("it was raised");
        run(home, "sue", &["exceptions", "resolve", &text(&raised, "exception"), "reverse", "--note", "wrong"]).with_code(&[0]);
        let undone = shown(home, &id);
        assert_eq!((number(&undone["fact"], "payments"), number(&undone["fact"]["cash"][0], "standing_minor")), (3, 0));
        assert_eq!(text(&undone["touched"][0]["applications"][0], "undone_by"), "sue");
        let none = run(home, "ann", &["learned", "show", "L000000000000"]).with_code(&[2]);
        assert!(none.stderr.contains("there is no such learned fact"), "{}", none.stderr);
    });
}

#[test]
fn a_revoked_fact_supports_nobody_until_people_teach_it_again() {
    on_both(|home| {
        pay(home, "2026-03-16", 0..3, true);
        let driven = pay(home, "2026-03-17", 3..4, false).remove(0);
        let id = text(&learned(home)[0], "fact");
        let refused = run(home, "vic", &["learned", "revoke", &id, "--note", "why"]).with_code(&[1]);
        assert!(refused.stderr.contains("the role viewer may look at what was learned and not revoke it"), "{}", refused.stderr);
        run(home, "ann", &["learned", "revoke", &id, "--note", " "]).with_code(&[1]);
        let told = run(home, "ann", &["learned", "revoke", &id, "--note", "the account of an agent"]).with_code(&[0]).stdout;
        for said in ["revoked by ann (analyst)", "the account of an agent", "What was posted stands", &driven, &item(3), "stands"]
        {
            assert!(told.contains(said), "{said} is not in\n{told}");
        }
        let again = run(home, "ann", &["learned", "revoke", &id, "--note", "once more"]).with_code(&[1]);
        assert!(again.stderr.contains("was revoked by ann"), "{}", again.stderr);
        let mut audit = home.export("audit");
        audit.retain(|row| text(row, "action") == "revoke_fact");
        let detail: Value = serde_json::from_str(&text(&audit[0], "detail")).expect("JSON");
        assert_eq!((text(&audit[0], "actor"), text(&audit[0], "subject")), ("ann".to_owned(), id.clone()));
        assert_eq!((text(&detail, "sign"), text(&detail, "note")), ("••••7742".to_owned(), "the account of an agent".to_owned()));
        assert_eq!(number(&detail["posted"][0], "payments"), 1);

        // Another process, which reads the ledger anew: three payments that stood before count no more.
        let held = pay(home, "2026-03-18", 4..5, false).remove(0);
        assert!(!posts(home, &held), "{}", home.ok(&["explain", &held]));
        // What the engine posts by reference does not teach it again.
        assert!(pay(home, "2026-03-19", 5..8, true).iter().all(|payment| posts(home, payment)));
        let fact = learned(home).remove(0);
        assert_eq!((text(&fact, "state"), number(&fact, "payments"), number(&fact, "version")), ("revoked".to_owned(), 0, 2));
        let still = pay(home, "2026-03-20", 8..10, false);
        assert!(still.iter().all(|payment| !posts(home, payment)));
        // What people apply does.
        apply(home, &held, 4);
        apply(home, &still[0], 8);
        assert_eq!(text(&learned(home)[0], "state"), "revoked", "two are not three");
        apply(home, &still[1], 9);
        let fact = learned(home).remove(0);
        assert_eq!((text(&fact, "state"), number(&fact, "payments"), number(&fact, "version")), ("in_use".to_owned(), 3, 2));
        assert_eq!((text(&fact["taught_by"][0], "actor"), number(&fact["taught_by"][0], "payments")), ("ann".to_owned(), 3));
        let driven = pay(home, "2026-03-21", 10..11, false).remove(0);
        assert!(posts(home, &driven) && home.ok(&["explain", &driven]).contains(&format!("fact {id}v2")));

        // For good: people teach it no more either.
        run(home, "ann", &["learned", "revoke", &id, "--note", "never", "--for-good"]).with_code(&[0]);
        let held = pay(home, "2026-03-22", 11..14, false);
        for (payment, place) in held.iter().zip(11..) {
            assert!(!posts(home, payment));
            apply(home, payment, place);
        }
        let found = shown(home, &id);
        assert_eq!((text(&found["fact"], "state"), number(&found["fact"], "version")), ("revoked_for_good".to_owned(), 3));
        assert_eq!(found["fact"]["revoked"].as_array().map(Vec::len), Some(2));
        assert_eq!(number(&found["fact"], "decisions"), 2, "one of each version: {found:#}");

        // History is made again as it was, with the fact on and off in turn.
        let backtest = read(&run(home, "sue", &["rules", "backtest", "--format", "json"]).with_code(&[0]));
        assert_eq!(backtest["changes"].as_array().map(Vec::len), Some(0), "{backtest:#}");
        assert!(number(&backtest, "decisions") >= 14, "{backtest:#}");
    });
}

#[test]
fn a_revoke_above_the_limit_is_refused_and_names_who_may() {
    on_both(|home| {
        pay(home, "2026-03-16", 0..3, true);
        pay(home, "2026-03-17", 3..4, false);
        let id = text(&learned(home)[0], "fact");
        let rules = home.folder.path().join("rules");
        for sub in ["", "customers", "tests"] {
            fs::create_dir_all(rules.join(sub)).expect("a folder");
            let shipped = fs::read_dir(support::root().join("rules").join(sub)).expect("rules").flatten();
            for entry in shipped.filter(|entry| entry.path().is_file()) {
                fs::copy(entry.path(), rules.join(sub).join(entry.file_name())).expect("a copy");
            }
        }
        // From now on an analyst applies up to 100.00 for this customer.
        let cap = "version = 1\ncustomer = \"C0901\"\n\n[[limit]]\nid = \"morrow.analyst\"\nstage = \"auto\"\nowner = \"finance\"\n\
                   effective = \"2020-01-01\"\nproof = [\"examples\"]\nrole = \"analyst\"\ncurrencies = [\"USD\"]\napply = \"100.00\"\n\
                   example = [\n  { case = \"hit\", given = { role = \"analyst\", action = \"apply\", currency = \"USD\", amount = \"100.00\" }, \
                   expect = { allowed = true } },\n  { case = \"near_miss\", given = { role = \"analyst\", action = \"apply\", currency = \"USD\", \
                   amount = \"100.01\" }, expect = { allowed = false } },\n]\n";
        fs::write(rules.join("customers/morrow.toml"), cap).expect("writable");
        let rules = rules.display().to_string();
        run(home, "sue", &["--rules", &rules, "rules", "backtest"]).with_code(&[0]);
        let other = home.folder.path().join("tieout.toml");
        fs::write(&other, "[users]\nann = 'analyst'\nsue = 'supervisor'\nbob = 'supervisor'\n").expect("writable");
        run(home, "sue", &["--rules", &rules, "rules", "activate", "--approved-by", "bob"]).with_code(&[0]);
        let refused = run(home, "ann", &["learned", "revoke", &id, "--note", "why"]).with_code(&[1]);
        assert!(
            refused.stderr.contains("above the limit") && refused.stderr.contains("senior may revoke it"),
            "{}",
            refused.stderr
        );
        assert_eq!(text(&learned(home)[0], "state"), "in_use");
        run(home, "sue", &["learned", "revoke", &id, "--note", "why"]).with_code(&[0]);
        assert_eq!(text(&learned(home)[0], "state"), "revoked");
    });
}

#[test]
fn a_process_that_is_running_follows_a_revoke() {
    on_both(|home| {
        let inbox = home.folder.path().join("inbox");
        fs::create_dir_all(&inbox).expect("an inbox");
        let mut serve = home.command(&["serve", "--roles", "intake,parse,match"]);
        serve.env("TIEOUT_INBOX_SETTLE_MS", "100").env("TIEOUT_INBOX_POLL_MS", "20").stdout(Stdio::null()).stderr(Stdio::null());
        let serve = Serving(serve.spawn().expect("the binary runs"));
        let take = |place: usize, named: bool| -> String {
            fs::write(inbox.join(format!(".{place}")), file(place, named)).expect("writable");
            fs::rename(inbox.join(format!(".{place}")), inbox.join(format!("{place}.edi"))).expect("dropped");
            decided(home, place)
        };
        (0..3).for_each(|place| assert_eq!(take(place, true), "posted"));
        assert_eq!(take(3, false), "posted", "it has learned the account in the meantime");
        let id = text(&learned(home)[0], "fact");
        run(home, "ann", &["learned", "revoke", &id, "--note", "the account of an agent"]).with_code(&[0]);
        assert_eq!(take(4, false), "exception", "the same process, and it follows");
        drop(serve);
    });
}

/// The state of a payment once it is decided; looks far longer than that ever takes.
fn decided(home: &Home, place: usize) -> String {
    for _ in 0..600 {
        let trace = format!("AGENT{:06}", 500 + place);
        let state = home.export("payments").iter().find(|row| text(row, "trace") == trace).map(|row| text(row, "state"));
        match state.filter(|state| state != "received") {
            Some(state) => return state,
            None => thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("payment {place} was not decided");
}

/// Ends with the test, also where that fails.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        if told.is_ok_and(|told| told.success()) {
            let _ = self.0.wait();
        }
    }
}
