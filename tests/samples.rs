//! The samples and their table in `samples/README.md` belong together: no file without a row, no row without a file, no reference of a
//! good file that the ledger of the samples does not know, and sums that add up. The engine is not asked here; `tests/demo.rs` does that.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// One row of the outcome table.
struct Row {
    file: String,
    status: String,
    payments: i64,
    received: i64,
    applied: i64,
}

fn table() -> Vec<Row> {
    let text = fs::read_to_string(root().join("README.md")).expect("samples/README.md is there");
    let outcomes = text.split_once("## What must happen").expect("the outcome table").1;
    let rows = outcomes.lines().filter(|line| line.starts_with("| `x12/"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 12, "ten columns and the two ends in {line}");
        let count = if cells[4].is_empty() { 0 } else { cells[4].parse().expect("a count of payments") };
        Row {
            file: cells[1].trim_matches('`').to_owned(),
            status: cells[3].to_owned(),
            payments: count,
            received: cents(cells[5]),
            applied: cents(cells[6]),
        }
    })
    .collect()
}

/// Text such as `1,234.50` as cents; nothing is zero.
fn cents(text: &str) -> i64 {
    let digits: String = text.chars().filter(|c| *c != ',' && *c != '.').collect();
    if digits.is_empty() {
        return 0;
    }
    assert!(text.len() > 3 && text.as_bytes()[text.len() - 3] == b'.', "two decimals in {text:?}");
    digits.parse().expect("an amount of the table")
}

fn files_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of samples") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            let name = path.strip_prefix(root()).expect("below samples/").to_string_lossy().replace('\\', "/");
            found.insert(name);
        }
    }
}

#[test]
fn every_sample_has_its_row_and_every_row_its_sample() {
    let mut files = BTreeSet::new();
    files_below(&root().join("x12"), &mut files);
    let rows: BTreeSet<String> = table().into_iter().map(|row| row.file).collect();
    let without_row: Vec<_> = files.difference(&rows).collect();
    let without_file: Vec<_> = rows.difference(&files).collect();
    assert!(without_row.is_empty(), "samples without a row in samples/README.md: {without_row:?}");
    assert!(without_file.is_empty(), "rows of samples/README.md without a sample: {without_file:?}");
}

#[test]
fn the_table_adds_up() {
    let rows = table();
    let known = ["accepted", "accepted_with_findings", "held", "rejected", "unsupported", "duplicate"];
    for row in &rows {
        assert!(known.contains(&row.status.as_str()), "{}: unknown status {:?}", row.file, row.status);
        assert!(row.applied <= row.received, "{}: more applied than received", row.file);
        assert_eq!(row.payments == 0, row.received == 0, "{}: payments without money or money without payments", row.file);
        let live = matches!(row.status.as_str(), "accepted" | "accepted_with_findings");
        assert!(live || row.payments == 0, "{}: a file that is {} has no live payment", row.file, row.status);
    }
    let (received, applied) = rows.iter().fold((0, 0), |(r, a), row| (r + row.received, a + row.applied));
    let text = fs::read_to_string(root().join("README.md")).expect("samples/README.md is there");
    let closing = text.split_once("\nIn total ").expect("the closing sentence").1;
    for amount in [received, applied, received - applied] {
        assert!(closing.contains(&grouped(amount)), "the closing sentence does not name {}", grouped(amount));
    }
}

/// Cents as the table writes them.
fn grouped(cents: i64) -> String {
    let whole = (cents / 100).to_string();
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{out}.{:02}", cents % 100)
}

/// Segments of a well-formed sample, cut without our own reader so that the samples do not depend on it.
fn segments(file: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).expect("good samples are text");
    let cut = |segment: &str| segment.trim().split('*').map(str::to_owned).collect();
    text.split('~').filter(|segment| !segment.trim().is_empty()).map(cut).collect()
}

fn known_numbers(good: &[PathBuf]) -> BTreeSet<String> {
    let items = fs::read_to_string(root().join("erp/open-items.csv")).expect("open-items.csv");
    let mut known = BTreeSet::new();
    for line in items.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        known.extend([1, 12, 13].into_iter().filter_map(|column| cells.get(column)).map(|cell| (*cell).to_owned()));
    }
    for segment in good.iter().flat_map(|file| segments(file)) {
        match segment[0].as_str() {
            "BIG" => known.insert(segment[2].clone()),
            "B3" => known.insert(segment[2].clone()) && known.insert(segment[3].clone()),
            _ => false,
        };
    }
    known
}

#[test]
fn good_files_pay_what_the_ledger_knows() {
    let mut good: Vec<PathBuf> =
        fs::read_dir(root().join("x12/good")).expect("samples/x12/good").map(|entry| entry.expect("an entry").path()).collect();
    good.sort();
    let known = known_numbers(&good);
    // The file that shows what happens when a reference is of no use.
    let useless = ["PSL-7789"];
    let mut lines = 0;
    for file in &good {
        for segment in segments(file).iter().filter(|segment| segment[0] == "RMR") {
            let reference = segment[2].as_str();
            assert!(
                known.contains(reference) || useless.contains(&reference),
                "{}: {reference} is not in the ledger",
                file.display()
            );
            lines += 1;
        }
    }
    assert!(lines > 20, "only {lines} lines of remittance were compared");
}
