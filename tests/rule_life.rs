//! The life of a rule, on both databases: it is tried on history, let run by two people, runs in shadow, takes effect on its day, and is
//! demoted by what people undo.
//!
//! History is that of the X12 samples. Rule sets are the shipped ones with one change each.

mod support;

use std::fs;

use serde_json::Value;
use support::{Backend, Home, Ran, number, root, text};

/// The bundle that posts most of the samples. Others, wider ones, would post many of them in its place.
const RULE: &str = "post.reference-amount";

fn on_both(test: impl Fn(&Home)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        if let Some(home) = Home::on(backend) {
            fs::write(
                home.folder.path().join("tieout.toml"),
                "[users]\nann = 'supervisor'\nbob = 'supervisor'\ncarl = 'analyst'\n",
            )
            .expect("writable");
            test(&home);
        }
    }
}

/// A copy of the shipped rules.
fn copied(home: &Home, name: &str) -> String {
    let folder = home.folder.path().join(name);
    for sub in ["", "customers", "tests"] {
        fs::create_dir_all(folder.join(sub)).expect("a folder");
        for entry in fs::read_dir(root().join("rules").join(sub)).expect("rules") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::copy(&path, folder.join(sub).join(path.file_name().expect("a name"))).expect("a copy");
            }
        }
    }
    folder.display().to_string()
}

/// Writes `to` in place of the first `from` after `mark` in a file of a rule folder.
fn change(folder: &str, file: &str, mark: &str, from: &str, to: &str) {
    let path = std::path::Path::new(folder).join(file);
    let content = fs::read_to_string(&path).expect("the file");
    let at = content.find(mark).unwrap_or_else(|| panic!("{file} holds {mark}"));
    assert!(content[at..].contains(from), "{from} follows {mark}");
    fs::write(&path, format!("{}{}", &content[..at], content[at..].replacen(from, to, 1))).expect("writable");
}

/// The shipped rules with all bundles at another stage, or with another first day.
fn bundles_with(home: &Home, name: &str, from: &str, to: &str) -> String {
    let folder = copied(home, name);
    let engine = fs::read_to_string(root().join("rules/engine.toml")).expect("the file");
    for id in engine.lines().filter(|line| line.starts_with("id = \"post.")) {
        change(&folder, "engine.toml", id, from, to);
    }
    folder
}

/// A set that is another one and decides the same.
fn harmless(home: &Home) -> String {
    let folder = copied(home, "harmless");
    change(&folder, "engine.toml", "", "closed_days = 120", "closed_days = 121");
    folder
}

fn run(home: &Home, user: &str, rules: Option<&str>, arguments: &[&str]) -> Ran {
    let config = home.folder.path().join("tieout.toml").display().to_string();
    let mut all = vec!["--config", &config, "--user", user];
    all.extend(rules.into_iter().flat_map(|rules| ["--rules", rules]));
    all.extend(arguments);
    home.run(&all)
}

/// The samples as history under these rules.
fn history(home: &Home, rules: Option<&str>) {
    home.import_samples_with(rules);
    let drop = home.drop_samples();
    run(home, "ann", rules, &["ingest", "--by-day", &drop]).with_code(&[0, 1]);
}

fn backtest(home: &Home, rules: Option<&str>, code: i32) -> Value {
    let ran = run(home, "ann", rules, &["rules", "backtest", "--format", "json"]).with_code(&[code]);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// Payments of a backtest that differ so.
fn of_kind(found: &Value, kind: &str) -> Vec<Value> {
    let changes = found["changes"].as_array().expect("changes");
    changes.iter().filter(|change| change["kind"] == kind).cloned().collect()
}

fn posted_by_rule(found: &Value) -> u64 {
    let rules = found["rules"].as_array().expect("rules");
    rules.iter().filter(|rule| rule["rule"] == RULE).filter_map(|rule| rule["posts"]["payments"].as_u64()).sum()
}

/// Exceptions that are open, by payment.
fn open(home: &Home) -> Vec<(String, String)> {
    let mut rows = home.export("exceptions");
    rows.retain(|row| text(row, "state") == "open" && !row["payment"].is_null());
    rows.iter().map(|row| (text(row, "payment"), text(row, "exception"))).collect()
}

/// Payments that rules with these beginnings posted, as the decisions say.
fn payments_of(home: &Home, rules: &[&str]) -> Vec<String> {
    let mut payments: Vec<_> = home.export("payments").iter().map(|row| text(row, "payment")).collect();
    payments.retain(|payment| {
        let decision = explained(home, payment);
        decision["outcome"]["kind"] != "hold"
            && rules.iter().any(|rule| text(&decision["proposals"][0], "rule").starts_with(rule))
    });
    payments
}

fn explained(home: &Home, payment: &str) -> Value {
    serde_json::from_str(&home.ok(&["explain", payment, "--format", "json"])).expect("JSON")
}

/// A person undoes what was posted of a payment.
fn reverse(home: &Home, payment: &str) {
    let raised = run(home, "ann", None, &["exceptions", "raise", payment, "--note", "wrong"]).with_code(&[0]);
    let exception = open(home).into_iter().rfind(|(of, _)| of == payment).unwrap_or_else(|| panic!("{raised:?}")).1;
    run(home, "ann", None, &["exceptions", "resolve", &exception, "reverse", "--note", "wrong"]).with_code(&[0]);
}

#[test]
fn unchanged_rules_over_history_change_nothing_whatever_people_did_since() {
    on_both(|home| {
        history(home, None);
        let found = backtest(home, None, 0);
        assert!(found["decisions"].as_u64() > Some(40) && posted_by_rule(&found) > 10, "{found}");
        assert_eq!((found["changes"].as_array().map(Vec::len), found["unpinned"].as_u64()), (Some(0), Some(0)), "{found}");
        // People take proposals, keep cash on account and undo what was posted; a person's item gets new terms.
        let posted = payments_of(home, &[RULE]);
        reverse(home, &posted[0]);
        let waiting = open(home);
        for (_, exception) in waiting.iter().take(3) {
            run(home, "ann", None, &["exceptions", "resolve", exception, "accept"]);
            run(home, "ann", None, &["exceptions", "resolve", exception, "on-account"]);
        }
        let items =
            fs::read_to_string(root().join("samples/erp/open-items.csv")).expect("items").replace("2026-03-0", "2026-02-2");
        let path = home.folder.path().join("open-items.csv");
        fs::write(&path, items).expect("writable");
        run(home, "ann", None, &["import", "open-items", &path.display().to_string()]);
        home.ok(&["check"]);
        let again = backtest(home, None, 0);
        assert_eq!(again["changes"].as_array().map(Vec::len), Some(0), "{again:#}");
        assert_eq!(again["decisions"], found["decisions"]);
    });
}

#[test]
fn a_rule_that_no_longer_posts_shows_what_is_lost_and_what_was_wrong_of_it() {
    on_both(|home| {
        history(home, None);
        let posted = payments_of(home, &["post."]);
        reverse(home, &posted[1]);
        let tighter = bundles_with(home, "tighter", "stage = \"auto\"", "stage = \"suggest\"");
        let found = backtest(home, Some(&tighter), 0);
        let lost: Vec<_> = of_kind(&found, "lost").iter().map(|change| text(change, "payment")).collect();
        assert_eq!(lost, posted, "{found:#}");
        assert_eq!((of_kind(&found, "new").len(), of_kind(&found, "now_wrong").len()), (0, 0));
        let wrong = found["rules"].as_array().expect("rules").iter().filter_map(|rule| rule["lost_wrong"]["payments"].as_u64());
        assert_eq!(wrong.sum::<u64>(), 1, "the one that a person undid: {found:#}");
        // A range compares its own days and no others, and lets nothing run.
        let none =
            run(home, "ann", Some(&tighter), &["rules", "backtest", "--to", "2026-03-15", "--format", "json"]).with_code(&[0]);
        let none: Value = serde_json::from_str(&none.stdout).expect("JSON");
        assert_eq!((none["decisions"].as_u64(), of_kind(&none, "lost").len()), (Some(0), 0));
    });
}

#[test]
fn what_people_decided_otherwise_is_now_wrong_and_keeps_a_set_from_running() {
    on_both(|home| {
        // The rule is only shown at first: its payments wait, and people decide some of them.
        let shown = bundles_with(home, "shown", "stage = \"auto\"", "stage = \"suggest\"");
        history(home, Some(&shown));
        let waiting: Vec<_> =
            open(home).into_iter().filter(|(payment, _)| explained(home, payment)["proposals"][0]["rule"] == RULE).collect();
        assert!(waiting.len() > 5, "{waiting:?}");
        let (right, wrong) = (&waiting[0], &waiting[1]);
        run(home, "ann", Some(&shown), &["exceptions", "resolve", &right.1, "accept"]).with_code(&[0]);
        run(home, "ann", Some(&shown), &["exceptions", "resolve", &wrong.1, "on-account"]).with_code(&[0]);

        let found = backtest(home, None, 1);
        let mut new = of_kind(&found, "new");
        new.retain(|change| change["rule"] == RULE);
        assert_eq!(new.len(), waiting.len(), "{found:#}");
        let now_wrong = of_kind(&found, "now_wrong");
        assert!(now_wrong.len() == 1 && text(&now_wrong[0], "payment") == wrong.0, "{now_wrong:?}");
        assert!(number(&now_wrong[0], "minor") > 0 && number(&now_wrong[0], "lines") > 0, "{}", now_wrong[0]);
        let figures = found["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == RULE).expect("the rule");
        assert_eq!(figures["unjudged"]["payments"], waiting.len() - 2, "nobody has decided about the others: {figures}");
        assert_eq!(found["passed"], false);
        let said = run(home, "ann", None, &["rules", "backtest"]).with_code(&[1]).stdout;
        assert!(said.contains(&format!("now wrong\n  {} ", wrong.0)) && said.contains("not passed"), "{said}");
        let refused = run(home, "ann", None, &["rules", "activate", "--approved-by", "bob"]).with_code(&[1]);
        assert!(refused.stderr.contains("did not pass its backtest"), "{}", refused.stderr);
    });
}

#[test]
fn a_set_runs_only_with_a_passing_backtest_of_its_own_and_two_people() {
    on_both(|home| {
        history(home, None);
        let (first, other) = (backtest(home, None, 0), harmless(home));
        let refused = |user: &str, by: &[&str], why: &str| {
            let arguments = [&["rules", "activate"], by].concat();
            let ran = run(home, user, Some(&other), &arguments).with_code(&[1]);
            assert!(ran.stderr.contains(why), "{} should say {why}", ran.stderr);
        };
        refused("ann", &["--approved-by", "bob"], "has no backtest over all history");
        run(home, "ann", Some(&other), &["rules", "backtest", "--from", "2026-03-01"]).with_code(&[0]);
        refused("ann", &["--approved-by", "bob"], "has no backtest over all history");
        let tested = backtest(home, Some(&other), 0);
        assert_ne!(tested["rule_set"], first["rule_set"]);
        refused("ann", &["--approved-by", "ann"], "cannot approve what ann asks for");
        refused("carl", &["--approved-by", "bob"], "carl is analyst and may not let rules run; supervisor may");
        refused("ann", &["--approved-by", "nobody-known"], "nobody-known is analyst");

        // Until then the active set runs, whatever the folder says; and it says so.
        let before = run(home, "ann", Some(&other), &["rules", "list"]).with_code(&[0]);
        assert!(before.stdout.starts_with(&format!("set {}", text(&first, "rule_set"))), "{}", before.stdout);
        assert!(before.stderr.contains("do not run"), "{}", before.stderr);
        run(home, "carl", Some(&other), &["rules", "activate", "--by", "ann", "--approved-by", "bob"]).with_code(&[0]);
        let after = run(home, "ann", None, &["rules", "list"]).with_code(&[0]);
        let head = format!("set {} since", text(&tested, "rule_set"));
        assert!(after.stdout.starts_with(&head) && after.stdout.contains("by ann, approved by bob"), "{}", after.stdout);
        assert!(after.stderr.contains("do not run"), "the shipped rules are the others now: {}", after.stderr);
        refused("ann", &["--approved-by", "bob"], "runs already");

        // What comes from now on is decided by it.
        let newest = home.ingest_nacha("2026-03-17");
        let decided: Vec<_> = newest.iter().map(|payment| explained(home, payment)).filter(|said| !said.is_null()).collect();
        assert!(!decided.is_empty());
        decided.iter().for_each(|said| assert_eq!(said["evidence"]["rule_set"], tested["rule_set"]));

        let audit: Vec<_> = home.export("audit").into_iter().filter(|row| text(row, "action") == "activate_rules").collect();
        let told: Vec<_> = audit.iter().map(|row| (text(row, "actor"), text(row, "subject"))).collect();
        assert_eq!(told, [("engine".to_owned(), text(&first, "rule_set")), ("ann".to_owned(), text(&tested, "rule_set"))]);
        assert!(text(&audit[1], "detail").contains("\"approved_by\":\"bob\""), "{}", audit[1]);
        home.ok(&["check"]);
    });
}

#[test]
fn a_rule_that_is_reversed_beyond_its_budget_only_suggests_from_then_on() {
    on_both(|home| {
        history(home, None);
        let posted = payments_of(home, &[RULE]);
        let list = || -> Value {
            let ran = run(home, "ann", None, &["rules", "list", "--format", "json"]).with_code(&[0]);
            let listed: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            listed["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == RULE).expect("the rule").clone()
        };
        posted[..2].iter().for_each(|payment| reverse(home, payment));
        let within = list();
        assert_eq!((text(&within, "stage").as_str(), number(&within, "reversals")), ("auto", 2), "two are within every budget");
        reverse(home, &posted[2]);
        let demoted = list();
        assert_eq!((text(&demoted, "stage").as_str(), number(&demoted, "reversals")), ("suggest", 3), "{demoted}");
        assert_eq!(number(&demoted, "posts"), i64::try_from(posted.len()).expect("small"));
        let said = run(home, "ann", None, &["rules", "list"]).with_code(&[0]).stdout;
        assert!(said.contains(&format!("3 of {} postings were reversed", posted.len())), "{said}");
        let told: Vec<_> = home.export("audit").into_iter().filter(|row| text(row, "action") == "demote_rule").collect();
        assert_eq!(told.iter().map(|row| text(row, "subject")).collect::<Vec<_>>(), [RULE]);
        let asked: Vec<_> = home.export("exceptions").into_iter().filter(|row| text(row, "reason") == "rule_demoted").collect();
        assert_eq!(asked.len(), 1);
        assert!(text(&asked[0], "message").contains(&format!("rule {RULE} only suggests")), "{}", asked[0]);
        // The fourth tells nobody anew.
        reverse(home, &posted[3]);
        assert_eq!(home.export("audit").iter().filter(|row| text(row, "action") == "demote_rule").count(), 1);

        // Another process decides what comes next: nothing posts by this rule as it is written.
        let newest = home.ingest_nacha("2026-03-17");
        let by_rule = |decision: &Value| decision["proposals"][0]["rule"] == RULE;
        let decided: Vec<_> = newest.iter().map(|payment| explained(home, payment)).filter(by_rule).collect();
        assert!(!decided.is_empty());
        for decision in decided {
            assert_eq!(decision["outcome"]["kind"], "hold", "{decision}");
            assert!(text(&decision["evidence"], "why_not").contains("it was demoted"), "{decision}");
        }
        home.ok(&["check"]);
        // Written otherwise it is another rule, and history is asked about that one.
        let folder = copied(home, "mended");
        change(&folder, "engine.toml", &format!("id = \"{RULE}\""), "owner = \"finance\"", "owner = \"treasury\"");
        backtest(home, Some(&folder), 1);
    });
}

#[test]
fn a_rule_in_shadow_decides_and_nobody_who_clears_sees_it() {
    on_both(|home| {
        let shadow = bundles_with(home, "shadow", "stage = \"auto\"", "stage = \"shadow\"");
        history(home, Some(&shadow));
        let shadowed: Vec<_> = open(home)
            .into_iter()
            .filter(|(payment, _)| explained(home, payment)["evidence"]["shadow"]["rule"] == RULE)
            .collect();
        assert!(shadowed.len() > 5, "{shadowed:?}");
        let (payment, exception) = &shadowed[0];
        assert_eq!(explained(home, payment)["evidence"]["shadow"]["posts"], true);
        let plain = home.ok(&["explain", payment]);
        assert!(!plain.contains("shadow") && !plain.contains(RULE), "{plain}");
        assert!(home.ok(&["explain", payment, "--all"]).contains(&format!("In shadow: rule {RULE} would have posted it")));
        for format in ["text", "json"] {
            let shown = home.ok(&["exceptions", "show", exception, "--format", format]);
            assert!(!shown.contains("shadow") && !shown.contains(RULE), "{shown}");
        }
        let ran = run(home, "ann", Some(&shadow), &["rules", "list", "--format", "json"]).with_code(&[0]);
        let listed: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let rule = listed["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == RULE).expect("the rule");
        assert_eq!((text(rule, "stage").as_str(), number(rule, "posts")), ("shadow", 0));
        assert!(number(rule, "shadow") >= i64::try_from(shadowed.len()).expect("small"), "{rule}");
    });
}

#[test]
fn a_rule_counts_from_its_business_day_on_whatever_the_clock_says() {
    on_both(|home| {
        // The samples are of 16 March, and no clock stands there.
        let later = bundles_with(home, "later", "effective = \"2020-01-01\"", "effective = \"2026-03-17\"");
        history(home, Some(&later));
        assert!(payments_of(home, &["post."]).is_empty(), "their day has not come");
        assert_eq!(backtest(home, Some(&later), 0)["changes"].as_array().map(Vec::len), Some(0));
        let today = bundles_with(home, "today", "effective = \"2020-01-01\"", "effective = \"2026-03-16\"");
        let found = backtest(home, Some(&today), 0);
        assert!(of_kind(&found, "new").len() > 5, "{found:#}");
    });
}

#[test]
fn a_circuit_breaker_stops_the_engine_and_not_a_person() {
    on_both(|home| {
        let breaker = copied(home, "breaker");
        change(&breaker, "engine.toml", "id = \"breaker.deduct-day\"", "\"1000000.00\"", "\"250.00\"");
        history(home, Some(&breaker));
        let mut posted = home.export("applications");
        posted.retain(|row| row["posted"] == true);
        let deducted: i64 = posted.iter().map(|row| number(row, "deduction_minor")).sum();
        assert!(deducted > 0 && deducted <= 25_000, "{deducted}");
        let stopped: Vec<_> = home
            .export("exceptions")
            .into_iter()
            .filter(|row| text(row, "message").contains("breaker.deduct-day stops the engine"))
            .collect();
        assert!(!stopped.is_empty());
        let exception = text(&stopped[0], "exception");
        run(home, "ann", Some(&breaker), &["exceptions", "resolve", &exception, "accept"]).with_code(&[0]);
        home.ok(&["check"]);
    });
}

#[test]
fn two_sets_differ_rule_by_rule() {
    let home = Home::sqlite();
    let old = root().join("rules").display().to_string();
    let new = copied(&home, "new");
    change(&new, "engine.toml", &format!("id = \"{RULE}\""), "stage = \"auto\"", "stage = \"suggest\"");
    let path = std::path::Path::new(&new).join("engine.toml");
    let content = fs::read_to_string(&path).expect("the file");
    let content = content.replacen("closed_days = 120", "closed_days = 90", 1).replacen(
        "\"amount_exact or amount_net_of_discount\",",
        "\"amount_exact\",",
        1,
    );
    fs::write(&path, content).expect("writable");
    let said = home.ok(&["rules", "diff", &old, &new]);
    for sentence in [
        "post.reference-amount changed (engine.toml, ",
        "  stage was \"auto\", is \"suggest\"",
        "  all: now with \"amount_exact\", no longer with \"amount_exact or amount_net_of_discount\"",
        "outside of rules\n  engine.toml: visibility.closed_days was 120, is 90",
    ] {
        assert!(said.contains(sentence), "{said} should say {sentence}");
    }
    let json: Value = serde_json::from_str(&home.ok(&["rules", "diff", &old, &new, "--format", "json"])).expect("JSON");
    let rules = json["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert_ne!(rules[0]["old"], rules[0]["new"]);
    assert!(home.ok(&["rules", "diff", &old, &old]).contains("The sets say the same."));
    // The ledger's own set against a folder.
    home.import_samples();
    assert!(home.ok(&["rules", "diff", "active", &new]).contains("post.reference-amount changed"));
}
