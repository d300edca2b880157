//! The samples from the outside: the built binary takes in the ledger and every file, and what it exports is what the table in
//! `samples/README.md` says, on both databases. The printed demo is compared with a page.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use support::{Backend, Home, base_name, expect_file, number, redacted, root, samples, text};

/// What the table says, or what the exports say, of one sample.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    status: String,
    payments: i64,
    received: i64,
    applied: i64,
    discount: i64,
    deduction: i64,
    exceptions: BTreeSet<String>,
}

#[test]
fn every_sample_ends_as_its_table_says_on_sqlite() {
    check(Backend::Sqlite);
}

#[test]
fn every_sample_ends_as_its_table_says_on_postgres() {
    check(Backend::Postgres);
}

fn check(backend: Backend) {
    let Some(home) = Home::on(backend) else { return };
    home.import_samples();
    home.ingest_samples();
    home.ok(&["check"]);

    let expected = table();
    let found = outcomes(&home);
    let mut wrong = Vec::new();
    for (sample, outcome) in &expected {
        let seen = found.get(sample);
        if seen != Some(outcome) {
            wrong.push(format!("{sample}\n  table {outcome:?}\n  found {seen:?}"));
        }
    }
    wrong.extend(
        found.keys().filter(|sample| !expected.contains_key(*sample)).map(|sample| format!("{sample} is not in the table")),
    );
    assert!(wrong.is_empty(), "{} samples differ from samples/README.md:\n{}", wrong.len(), wrong.join("\n"));
}

/// Samples are told apart by the first two parts of their names, `820-34` for a zip and the files in it.
fn key(file: &str) -> String {
    let name = base_name(file);
    let numbered = name.as_bytes().first().is_some_and(u8::is_ascii_digit) || name.starts_with("ta1");
    if numbered { name.split('-').take(2).collect::<Vec<_>>().join("-") } else { name.to_owned() }
}

fn table() -> BTreeMap<String, Outcome> {
    let page = fs::read_to_string(samples().join("README.md")).expect("samples/README.md");
    let outcomes = page.split_once("## What must happen").expect("the outcome table").1;
    let mut table = BTreeMap::new();
    for line in outcomes.lines().filter(|line| line.starts_with("| `x12/")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let count = |cell: &str| cell.replace([',', '.'], "").parse().unwrap_or(0);
        let outcome = Outcome {
            status: cells[3].to_owned(),
            payments: count(cells[4]),
            received: count(cells[5]),
            applied: count(cells[6]),
            discount: count(cells[7]),
            deduction: count(cells[8]),
            exceptions: cells[9].split('`').filter(|part| !part.trim_matches([' ', ',']).is_empty()).map(str::to_owned).collect(),
        };
        table.insert(key(cells[1].trim_matches('`')), outcome);
    }
    table
}

fn outcomes(home: &Home) -> BTreeMap<String, Outcome> {
    let mut found: BTreeMap<String, Outcome> = BTreeMap::new();
    for file in home.export("files") {
        let outcome = found.entry(key(&text(&file, "file"))).or_default();
        outcome.status = text(&file, "status");
    }
    let mut posted = BTreeMap::new();
    for payment in home.export("payments") {
        let status = text(&payment, "status");
        if !["posted", "suggested", "exception"].contains(&status.as_str()) {
            continue;
        }
        let sample = key(&text(&payment, "file"));
        let outcome = found.entry(sample.clone()).or_default();
        outcome.payments += 1;
        outcome.received += number(&payment, "amount_minor");
        outcome.applied += number(&payment, "amount_minor") - number(&payment, "unapplied_minor");
        if status == "posted" {
            posted.insert(text(&payment, "payment"), sample);
        }
    }
    for line in home.export("applications") {
        let first = line.get("rank").is_none() || number(&line, "rank") == 1;
        let Some(sample) = posted.get(&text(&line, "payment")).filter(|_| first) else { continue };
        let outcome = found.entry(sample.clone()).or_default();
        outcome.discount += number(&line, "discount_minor");
        outcome.deduction += number(&line, "deduction_minor");
    }
    for exception in home.export("exceptions") {
        let outcome = found.entry(key(&text(&exception, "file"))).or_default();
        outcome.exceptions.insert(text(&exception, "reason"));
    }
    found
}

#[test]
fn the_demo_prints_what_happened() {
    let home = Home::sqlite();
    let folder = home.folder.path().join("demo");
    let ran = home.run(&["demo", "--no-serve", "--folder", &folder.display().to_string()]).with_code(&[0]);
    expect_file(&root().join("tests/demo/output.txt"), &redacted(&ran.stdout, home.folder.path()));

    // What the README shows of it is what it says.
    let page = fs::read_to_string(root().join("README.md")).expect("README.md");
    let payment = page.split_once("explain P").expect("a payment to ask for").1;
    let payment = format!("P{}", payment.chars().take_while(char::is_ascii_digit).collect::<String>());
    let database = format!("sqlite:{}", folder.join("tieout.db").display());
    let explained = home.ok(&["--home", &folder.display().to_string(), "--database-url", &database, "explain", &payment]);
    for (start, output) in [("x12/broken/", &ran.stdout), (&*format!("{payment}: "), &explained)] {
        let block = page.split("```").find(|block| block.trim_start().starts_with(start));
        let block = block.unwrap_or_else(|| panic!("README.md shows nothing that begins with {start}"));
        for line in block.trim().lines() {
            assert!(output.lines().any(|said| said == line), "README.md shows\n{line}\nwhich is not in\n{output}");
        }
    }
}
