//! Reads our own samples of MT940, camt, pain.001, remt.001 and EDIFACT, whole and in chunks, and compares all that is read with the text beside this test.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::{fmt::Write as _, fs, path::PathBuf};

use tieout_parsers::{Limits, Parsed, parse};

fn check(family: &str, expected: &str, tell: fn(&Parsed<'_>) -> String) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(family);
    let mut told = String::new();
    for kind in ["good", "odd", "broken"] {
        let mut names: Vec<PathBuf> =
            fs::read_dir(root.join(kind)).expect("samples").map(|entry| entry.expect("a file").path()).collect();
        names.sort();
        for path in names {
            let bytes = fs::read(&path).expect("a sample");
            let parsed = parse(&bytes, &Limits::default());
            let name = path.file_name().expect("a name").to_string_lossy();
            support::assert_chunks_agree(&bytes, &parsed, &name);
            let (format, status) = (parsed.document.format.as_str(), parsed.document.status);
            assert_eq!(kind == "good", status.as_str() == "accepted" && kind == "good", "{name} is {}", status.as_str());
            writeln!(told, "== {kind}/{name} {format} {}\n{}", status.as_str(), tell(&parsed)).expect("text grows");
        }
    }
    support::assert_told(&told, expected, family);
}

#[test]
fn samples_of_mt940() {
    check("mt940", include_str!("expected/mt940.txt"), support::told_money);
}

#[test]
fn samples_of_camt() {
    check("camt", include_str!("expected/camt.txt"), support::told_money);
}

#[test]
fn samples_of_pain_and_remt() {
    check("pain", include_str!("expected/pain.txt"), support::told_advices);
}

#[test]
fn samples_of_edifact() {
    check("edifact", include_str!("expected/edifact.txt"), |parsed| {
        let invoices = parsed.document.invoices.iter().map(|invoice| support::invoice_line(invoice) + "\n");
        invoices.collect::<String>() + &support::told_advices(parsed)
    });
}
