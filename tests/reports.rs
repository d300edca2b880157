//! Reports for finance, on both databases: rates with their definitions however payments are told apart, and causes whose figures are those of
//! the ledger and of a backtest.
//!
//! History is that of the X12 samples.

#![allow(clippy::disallowed_methods, reason = "a reversal is in time or not by the day of the run")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Backend, Home, Ran, number, root, text};

const RULE: &str = "post.reference-amount";
/// A condition that no sample meets.
const EXTRA: &str = "date_agrees";
const EVERY: [&str; 9] = ["all", "customer", "bank", "format", "rule", "reason", "seller", "method", "business-day"];

fn on_both(test: impl Fn(&Home)) {
    for home in [Backend::Sqlite, Backend::Postgres].into_iter().filter_map(Home::on) {
        fs::write(home.folder.path().join("tieout.toml"), "[users]\nann = 'supervisor'\nvic = 'viewer'\n").expect("writable");
        test(&home);
    }
}

fn run(home: &Home, user: &str, rules: Option<&str>, arguments: &[&str]) -> Ran {
    let config = home.folder.path().join("tieout.toml").display().to_string();
    let mut all = vec!["--config", &config, "--user", user];
    all.extend(rules.into_iter().flat_map(|rules| ["--rules", rules]));
    all.extend(arguments);
    home.run(&all)
}

fn history(home: &Home, rules: Option<&str>) {
    home.import_samples_with(rules);
    let drop = home.drop_samples();
    run(home, "ann", rules, &["ingest", "--by-day", &drop]).with_code(&[0, 1]);
}

fn json(home: &Home, arguments: &[&str]) -> Value {
    let ran = run(home, "ann", None, &[arguments, &["--format", "json"]].concat()).with_code(&[0]);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn rows<'v>(found: &'v Value, name: &str) -> &'v [Value] {
    found[name].as_array().unwrap_or_else(|| panic!("{name} in {found}"))
}

/// The shipped rules with one more condition in every bundle but `except`.
fn stricter(home: &Home, name: &str, except: Option<&str>) -> String {
    let folder = home.folder.path().join(name);
    for sub in ["", "customers", "tests"] {
        fs::create_dir_all(folder.join(sub)).expect("a folder");
        for entry in fs::read_dir(root().join("rules").join(sub)).expect("rules").flatten().filter(|entry| entry.path().is_file())
        {
            fs::copy(entry.path(), folder.join(sub).join(entry.file_name())).expect("a copy");
        }
    }
    let path = folder.join("engine.toml");
    let engine = fs::read_to_string(&path).expect("the file");
    let mut parts = engine.split("[[bundle]]");
    let mut text = parts.next().expect("what stands before the bundles").to_owned();
    for bundle in parts {
        let spared = except.is_some_and(|rule| bundle.contains(&format!("id = \"{rule}\"")));
        let bundle = if spared { bundle.to_owned() } else { bundle.replacen("all = [", &format!("all = [\"{EXTRA}\", "), 1) };
        text.push_str(&format!("[[bundle]]{bundle}"));
    }
    fs::write(&path, text).expect("writable");
    folder.display().to_string()
}

fn open(home: &Home) -> Vec<(String, String)> {
    let mut rows = home.export("exceptions");
    rows.retain(|row| text(row, "state") == "open" && !row["payment"].is_null());
    rows.iter().map(|row| (text(row, "payment"), text(row, "exception"))).collect()
}

#[test]
fn rates_are_the_same_however_payments_are_told_apart_and_say_what_they_are() {
    on_both(|home| {
        history(home, None);
        let counts =
            ["payments", "payments_auto", "lines", "lines_auto", "received_minor", "auto_minor", "engine_lines", "engine_minor"];
        let sums = |found: &Value| counts.map(|name| rows(found, "match_rates").iter().map(|row| number(row, name)).sum::<i64>());
        let all = json(home, &["report", "match-rate"]);
        let whole = sums(&all);
        assert!(whole[0] > 40 && whole[1] > 30 && whole[6] > 40, "{all:#}");
        for by in EVERY {
            let found = json(home, &["report", "match-rate", "--by", by]);
            assert_eq!(sums(&found), whole, "by {by}");
            for name in ["payment_auto_rate", "line_auto_rate", "value_auto_rate", "precision", "open_window"] {
                assert!(text(&found["definitions"], name).len() > 20, "{name} is defined by {by}");
            }
            // The sheet has the same rows, and nothing but the sheet.
            let sheet = run(home, "ann", None, &["report", "match-rate", "--by", by, "--format", "csv"]).with_code(&[0]);
            let mut reader = csv::Reader::from_reader(sheet.stdout.as_bytes());
            let header = reader.headers().expect("a header").clone();
            let read: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
            assert_eq!(read.len(), rows(&found, "match_rates").len());
            for (row, expected) in read.iter().zip(rows(&found, "match_rates")) {
                for (name, cell) in header.iter().zip(row) {
                    assert_eq!(cell, text(expected, name), "{name} by {by}");
                }
            }
            assert!(sheet.stderr.contains("precision: lines that the engine applied"), "{}", sheet.stderr);
        }
        let groups = |by: &str| -> Vec<String> {
            rows(&json(home, &["report", "match-rate", "--by", by]), "match_rates").iter().map(|row| text(row, "group")).collect()
        };
        assert!(groups("customer").contains(&"C0003".to_owned()) && groups("rule").contains(&RULE.to_owned()));
        assert!(groups("bank").contains(&"061104204".to_owned()), "{:?}", groups("bank"));
        assert!(groups("reason").contains(&"none".to_owned()) && groups("reason").contains(&"short_paid".to_owned()));
        let held = json(home, &["report", "match-rate", "--by", "reason"]);
        let none = rows(&held, "match_rates").iter().find(|row| text(row, "group") == "none").expect("most");
        assert_eq!(number(none, "payment_auto_rate_ppm"), 1_000_000, "whatever needed nobody was automatic");
    });
}

#[test]
fn precision_counts_what_people_reversed_in_time() {
    on_both(|home| {
        // The samples as files of today, so that a reversal of today is in time.
        home.import_samples();
        let samples = home.drop_samples();
        let today = home.folder.path().join("now").join(chrono::Utc::now().date_naive().to_string());
        fs::create_dir_all(today.parent().expect("a folder")).expect("writable");
        fs::rename(std::path::Path::new(&samples).join(support::SAMPLE_DAY), &today).expect("moved");
        let folder = today.parent().expect("a folder").display().to_string();
        run(home, "ann", None, &["ingest", "--by-day", &folder]).with_code(&[0, 1]);

        let rate = |home: &Home| rows(&json(home, &["report", "match-rate"]), "match_rates")[0].clone();
        let before = rate(home);
        assert_eq!((number(&before, "lines_reversed"), number(&before, "precision_by_line_ppm")), (0, 1_000_000));
        assert_eq!(number(&before, "window_lines"), number(&before, "engine_lines"), "all of it may still turn out wrong");
        let posted = |home: &Home| -> Vec<Value> {
            let mut rows = home.export("applications");
            rows.retain(|row| row["posted"] == true);
            rows
        };
        let payment = text(&posted(home)[0], "payment");
        let of_payment: Vec<_> = posted(home).into_iter().filter(|row| text(row, "payment") == payment).collect();
        let (lines, cash) = (of_payment.len() as i64, of_payment.iter().map(|row| number(row, "cash_minor").abs()).sum::<i64>());
        run(home, "ann", None, &["exceptions", "raise", &payment, "--note", "wrong"]).with_code(&[0]);
        let exception = open(home).into_iter().rfind(|(of, _)| *of == payment).expect("it was raised").1;
        run(home, "ann", None, &["exceptions", "resolve", &exception, "reverse", "--note", "wrong"]).with_code(&[0]);

        let after = rate(home);
        assert_eq!(number(&after, "engine_lines"), number(&before, "engine_lines"), "what was applied was applied");
        assert_eq!((number(&after, "lines_reversed"), number(&after, "reversed_minor")), (lines, cash), "{after}");
        assert_eq!(number(&after, "window_lines"), number(&before, "window_lines") - lines);
        let share = |part: i64, whole: i64| (whole - part) * 1_000_000 / whole;
        assert_eq!(number(&after, "precision_by_line_ppm"), share(lines, number(&after, "engine_lines")));
        assert_eq!(number(&after, "precision_by_value_ppm"), share(cash, number(&after, "engine_minor")));
    });
}

#[test]
fn a_cause_names_what_was_lacking_what_people_did_and_what_history_says() {
    on_both(|home| {
        let rules = stricter(home, "stricter", None);
        history(home, Some(&rules));
        // Which of the bundles comes nearest is theirs to say; the most frequent one is looked at.
        let causes = json(home, &["report", "causes", "--top", "50"]);
        let lacks = |lacked: &Value| text(lacked, "condition") == EXTRA && text(lacked, "kind") == "missing";
        let frequent =
            rows(&causes, "causes").iter().find(|cause| lacks(&cause["lacked"])).expect("the condition keeps some back");
        let rule = &text(&frequent["lacked"], "rule");
        let waiting: Vec<_> = open(home)
            .into_iter()
            .filter(|(payment, _)| {
                let decision: Value = serde_json::from_str(&home.ok(&["explain", payment, "--format", "json"])).expect("JSON");
                let lacked = &decision["evidence"]["lacked"];
                lacks(lacked) && text(lacked, "rule") == *rule
            })
            .collect();
        assert!(waiting.len() > 5, "{waiting:?}");
        for (_, exception) in &waiting[..2] {
            run(home, "ann", None, &["exceptions", "resolve", exception, "accept"]).with_code(&[0]);
        }
        run(home, "ann", None, &["exceptions", "resolve", &waiting[2].1, "on-account"]).with_code(&[0]);

        let found = json(home, &["report", "causes", "--top", "50", "--backtest"]);
        assert!(rows(&found, "definitions").len() >= 3);
        let of_rule: Vec<_> = rows(&found, "causes")
            .iter()
            .filter(|cause| text(&cause["lacked"], "rule") == *rule && lacks(&cause["lacked"]))
            .collect();
        let sum = |field: &dyn Fn(&Value) -> i64| of_rule.iter().map(|cause| field(cause)).sum::<i64>();
        let n = i64::try_from(waiting.len()).expect("small");
        assert_eq!((sum(&|cause| number(cause, "exceptions")), sum(&|cause| number(cause, "open"))), (n, n - 3), "{of_rule:#?}");
        let first = |name: &str| sum(&|cause| number(&cause["first_proposals"], name));
        assert_eq!((first("accepted"), first("otherwise"), first("undecided")), (2, 1, n - 3), "{of_rule:#?}");
        let remedy = &of_rule[0]["remedy"];
        assert_eq!(text(remedy, "file"), "engine.toml");
        assert!(text(remedy, "key").contains(rule) && text(remedy, "key").contains(EXTRA), "{remedy}");

        // The figure beside it is that of a backtest of the rules without the condition.
        let opened = stricter(home, "opened", Some(rule));
        let ran = run(home, "ann", Some(&opened), &["rules", "backtest", "--format", "json"]).with_code(&[1]);
        let backtest: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let by_rule = rows(&backtest, "rules").iter().filter(|row| text(row, "currency") == "USD");
        let expected = |name: &str| by_rule.clone().map(|row| number(&row[name], "payments")).sum::<i64>();
        let told = &of_rule[0]["backtest"];
        let usd = rows(told, "currencies").iter().find(|part| text(part, "currency") == "USD").expect("dollars");
        for name in ["new", "lost", "changed", "unjudged", "now_wrong"] {
            assert_eq!(number(&usd[name], "payments"), expected(name), "{name}");
        }
        assert!(number(&usd["new"], "payments") >= n && number(&usd["now_wrong"], "payments") == 1, "{usd}");
        assert_eq!(told["passed"], backtest["passed"]);

        tells_the_same(home, rule);
        // A backtest is work; looking is not.
        let refused = run(home, "vic", None, &["report", "causes", "--backtest"]).with_code(&[1]);
        assert!(refused.stderr.contains("may look and not test rules on history"), "{}", refused.stderr);
        run(home, "vic", None, &["report", "causes"]).with_code(&[0]);
        home.ok(&["check"]);
    });
}

/// The text and the sheet tell what the JSON told of the causes behind a rule.
fn tells_the_same(home: &Home, rule: &str) {
    let said = run(home, "ann", None, &["report", "causes", "--top", "50", "--backtest"]).with_code(&[0]).stdout;
    for part in [
        &format!("{rule} came nearest; it lacks that the date that the payer wrote is the item's"),
        "first proposals that people decided were accepted",
        "tieout --rules FOLDER rules backtest",
        "1 now wrong",
        "cause: reason of the exception",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let sheet = run(home, "ann", None, &["report", "causes", "--format", "csv"]).with_code(&[0]).stdout;
    let read: Vec<_> = csv::Reader::from_reader(sheet.as_bytes()).into_records().map(|row| row.expect("a row")).collect();
    assert!(read.iter().any(|row| row.get(1) == Some(rule) && row.get(3) == Some(EXTRA)), "{sheet}");
}
