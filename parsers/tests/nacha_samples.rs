//! The NACHA samples read as the table in `samples/nacha/README.md` says, and the table leaves none out.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use tieout_parsers::{Limits, parse};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/nacha")
}

#[test]
fn the_samples_read_as_their_table_says() {
    let table = fs::read_to_string(root().join("README.md")).expect("the table of the samples");
    let mut rows = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [file, _, status, payments, received, remittances, returns] = cells.as_slice() else {
            panic!("seven columns in {row}");
        };
        let file = file.trim_matches('`');
        let bytes = fs::read(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let parsed = parse(&bytes, &Limits::default());
        let document = &parsed.document;
        let cents: i64 = document.payments.iter().map(|payment| payment.amount.minor).sum();
        let found = format!(
            "{} {} {} {} {}",
            document.status.as_str(),
            document.payments.len(),
            tieout_parsers::Figure::decimal(i128::from(cents), 2),
            document.remittances.len(),
            document.returns.len()
        );
        let expected = format!("{status} {payments} {} {remittances} {returns}", received.replace(',', ""));
        assert_eq!(found, expected, "{file}: {:#?}", parsed.findings);
        rows.insert(file.to_owned());
    }
    let files = ["good", "odd", "broken"].iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder of samples");
        entries.map(move |entry| format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy()))
    });
    let files: BTreeSet<String> = files.collect();
    assert_eq!(files, rows, "samples and rows of their table");
}
