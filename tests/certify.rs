//! The certificate from the outside: what could be wrong by chance waits for labels, posts once they hold the budget, is drawn for the audit, and stops when
//! the audit finds it wrong. Every command is a process of its own, so all of it survives restarts. On both databases.

mod support;

use std::{fmt::Write as _, fs, path::Path};

use serde_json::Value;
use support::{Backend, Home, Ran, number, root, text};

/// Labels without an error that show 20 % at 95 %: 0.8 to the power of 14 is below 0.05.
const LABELS: usize = 14;
/// Postings of the second day, more than the alarm needs.
const POSTINGS: usize = 12;

#[test]
fn labels_let_post_and_the_audit_stops_it_on_sqlite() {
    run(Backend::Sqlite);
}

#[test]
fn labels_let_post_and_the_audit_stops_it_on_postgres() {
    run(Backend::Postgres);
}

fn run(backend: Backend) {
    let Some(home) = Home::on(backend) else { return };
    let world = World::new(&home);
    let posts_nothing = world.certify(&["--check"]);
    assert_eq!(text(&likely(&posts_nothing)["posts"], "kind"), "never", "without labels only safe bundles post");
    assert_eq!(posts_nothing["number"], Value::Null);

    // Nothing is certified: people resolve the proposals.
    world.ingest("2026-03-02", 0..LABELS);
    let held = waiting(&home, "not_certified");
    assert_eq!(held.len(), LABELS, "the only sum among thousands is likely and no more");
    assert!(waiting(&home, "audit_sample").is_empty(), "nothing posted, nothing is audited");
    for exception in &held {
        world.resolve(&text(exception, "exception"), &["accept"]).with_code(&[0]);
    }
    let first = world.certify(&[]);
    let line = likely(&first);
    assert_eq!((number(&first, "number"), number(&line, "labels"), number(&line, "errors")), (1, 14, 0));
    assert_eq!((number(&line, "bound_ppm"), number(&line["posts"], "confidence_milli")), (192_637, 5_000));

    // From the threshold on they post, and all are drawn.
    world.ingest("2026-03-03", LABELS..LABELS + POSTINGS);
    assert!(waiting(&home, "not_certified").is_empty());
    let audits = waiting(&home, "audit_sample");
    assert_eq!(audits.len(), POSTINGS);
    let payment = text(&audits[0], "payment");
    let explained = home.ok(&["explain", &payment]);
    assert!(
        explained.contains("posted under certificate 1") && explained.contains("in a million unrelated amounts"),
        "{explained}"
    );
    let decision: Value = serde_json::from_str(&home.ok(&["explain", &payment, "--format", "json"])).expect("JSON");
    assert_eq!(
        (number(&decision["evidence"], "certificate"), decision["evidence"]["confidence"]["class"].as_str()),
        (1, Some("normal"))
    );

    // An audit is answered with right or wrong and with nothing else.
    let id = text(&audits[0], "exception");
    let refused = world.resolve(&id, &["close"]).with_code(&[1]);
    assert!(refused.stderr.contains("answer with confirm, wrong or reverse"), "{}", refused.stderr);
    world.resolve(&id, &["confirm"]).with_code(&[0]);
    let wrong = world.resolve(&text(&audits[1], "exception"), &["wrong"]).with_code(&[0]);
    assert!(wrong.stdout.contains("asks to undo it"), "{}", wrong.stdout);
    for audit in &audits[2..] {
        world.resolve(&text(audit, "exception"), &["wrong", "--reverse"]).with_code(&[0]);
    }
    assert_eq!(waiting(&home, "drift_alarm").len(), 1, "the alarm fires once and tightens");
    let tightened: Vec<_> = home.export("audit").into_iter().filter(|row| text(row, "action") == "tighten").collect();
    assert_eq!(tightened.len(), 1);
    assert_eq!(text(&tightened[0], "subject"), "post.likely-sum normal");

    // Nothing reaches the next threshold, and a new certificate says that the budget is not held.
    world.ingest("2026-03-04", LABELS + POSTINGS..LABELS + POSTINGS + 1);
    let held = waiting(&home, "not_certified");
    assert_eq!(held.len(), 1);
    assert!(text(&held[0], "message").contains("and posts from +30.000 on"), "{}", held[0]);
    let second = world.certify(&[]);
    let line = likely(&second);
    assert_eq!((number(&second, "number"), text(&line, "basis")), (2, "over_budget".to_owned()));
    assert_eq!((text(&line["posts"], "kind"), number(&line, "undone")), ("never".to_owned(), 10));
    assert!(home.ok(&["certify", "--last"]).starts_with("Certificate 2 of business day"));
    home.ok(&["check"]);
}

#[test]
fn a_certificate_needs_somebody_who_may_work() {
    let home = Home::sqlite();
    let world = World::new(&home);
    let refused = world.run_as("viewer", &["certify"]).with_code(&[1]);
    assert!(refused.stderr.contains("may look and not certify"), "{}", refused.stderr);
    let none = world.run_as("analyst", &["certify", "--last"]).with_code(&[2]);
    assert!(none.stderr.contains("there is no certificate yet"), "{}", none.stderr);
}

fn waiting(home: &Home, reason: &str) -> Vec<Value> {
    let mut exceptions = home.export("exceptions");
    exceptions.retain(|row| text(row, "reason") == reason && text(row, "state") == "open");
    exceptions
}

/// The stratum that everything here is about.
fn likely(issued: &Value) -> Value {
    let strata = issued["certificate"]["strata"].as_array().expect("strata");
    let line = strata.iter().find(|line| text(line, "rule") == "post.likely-sum" && text(line, "class") == "normal");
    line.expect("the stratum").clone()
}

/// One customer that owes many items, pays two at a time and names none of them.
struct World<'a> {
    home: &'a Home,
}

impl<'a> World<'a> {
    fn new(home: &'a Home) -> Self {
        let world = Self { home };
        let folder = home.folder.path();
        copy_rules(&root().join("rules"), &folder.join("rules"));
        let path = folder.join("rules/certificate.toml");
        let rules = fs::read_to_string(&path).expect("the rules");
        let rules = [
            ("error_rate = \"0.1\"", "error_rate = \"20\""),
            ("labels_min = 2995", "labels_min = 14"),
            ("grid_milli = [18000, 16000, 14000, 12000, 10000, 8000, 6000]", "grid_milli = [30000, 5000]"),
            ("share = \"1\"", "share = \"100\""),
        ]
        .into_iter()
        .fold(rules, |rules, (shipped, ours)| {
            assert!(rules.contains(shipped), "the shipped rules say {shipped}");
            rules.replace(shipped, ours)
        });
        fs::write(&path, rules).expect("writable");
        let write = |name: &str, content: &str| {
            let path = folder.join(name);
            fs::write(&path, content).expect("writable");
            path.display().to_string()
        };
        let customers = write(
            "customers.csv",
            "customer_id,name,currency,seller_ids,known_accounts\nC000,Ashgrove Logistics Inc,USD,S01,071000013:44000000\n",
        );
        let accounts = write(
            "bank-accounts.csv",
            "seller_id,seller_name,kind,bank_routing,account,currency\nS01,World Seller,nacha,071300027,550021111,USD\n",
        );
        let mut items = "invoice_number,seller_id,customer_id,amount,currency,issue_date\n".to_owned();
        for index in 1..PRIME {
            writeln!(items, "W-{index:04},S01,C000,{},USD,2026-02-01", decimal(owed(index))).expect("writing to a String");
        }
        let items = write("open-items.csv", &items);
        for (kind, file) in [("bank-accounts", accounts), ("customers", customers), ("open-items", items)] {
            world.run_as("supervisor", &["import", kind, &file]).with_code(&[0]);
        }
        world
    }

    fn run_as(&self, role: &str, arguments: &[&str]) -> Ran {
        let mut command = self.home.command(arguments);
        command.env("TIEOUT_RULES", self.home.folder.path().join("rules")).env("TIEOUT_ROLE", role).env("TIEOUT_USER", "ann");
        Ran::of(arguments, &command.output().expect("the binary runs"))
    }

    fn resolve(&self, exception: &str, how: &[&str]) -> Ran {
        self.run_as("supervisor", &[&["exceptions", "resolve", exception, "--note", "seen"], how].concat())
    }

    fn certify(&self, flags: &[&str]) -> Value {
        let arguments = [&["certify", "--format", "json"], flags].concat();
        serde_json::from_str(&self.run_as("supervisor", &arguments).with_code(&[0]).stdout).expect("JSON")
    }

    /// One file with a payment for each of these pairs of items.
    fn ingest(&self, day: &str, items: std::ops::Range<usize>) {
        let control = 1_000 + items.start;
        let mut text = format!(
            "ISA*00*          *00*          *ZZ*WORLDBANK      *ZZ*S01            *260302*0600*U*00401*{control:09}*0*P*>~\nGS*RA*WORLDBANK*S01*20260302*0600*{control}*X*004010~\n"
        );
        let count = items.len();
        for (set, index) in items.enumerate() {
            let (set, index) = (set + 1, index + 1);
            let amount = decimal(owed(index) + owed(PRIME - index));
            write!(
                text,
                "ST*820*{set:04}~\nBPR*C*{amount}*C*ACH*CTX*01*071000013*DA*44000000*1234567800**01*071300027*DA*550021111*20260302~\nTRN*1*T{index:06}~\nN1*PR*ASHGROVE LOGISTICS INC~\nN1*PE*WORLD SELLER*91*S01~\nSE*6*{set:04}~\n"
            )
            .expect("writing to a String");
        }
        write!(text, "GE*{count}*{control}~\nIEA*1*{control:09}~\n").expect("writing to a String");
        let drop = self.home.folder.path().join(format!("drop-{day}"));
        fs::create_dir_all(drop.join(day)).expect("a folder");
        fs::write(drop.join(day).join("820.edi"), text).expect("a file");
        self.run_as("supervisor", &["ingest", "--by-day", &drop.display().to_string()]).with_code(&[0]);
    }
}

/// Amounts of which no two pairs have the same sum (Erdős and Turán), so that each payment has one answer, and yet thousands of sums were tried.
fn owed(index: usize) -> usize {
    2 * PRIME * index + index * index % PRIME
}

const PRIME: usize = 101;

fn decimal(whole: usize) -> String {
    format!("{whole}.00")
}

fn copy_rules(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the rules") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_rules(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
