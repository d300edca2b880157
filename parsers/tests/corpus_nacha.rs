//! Reads every NACHA file of the shared corpus, where it is there: the verdict is that of the manifest or is argued here, and the expected
//! values come out.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tieout_parsers::{Direction, Document, Limits, Parsed, Status, parse};

/// Files whose manifest says otherwise than we do, and why we are right or may differ.
const ARGUED: &[(&str, &str)] = &[
    ("moov-20110805A.ach", "valid: record 9 claims five batches over four; the peer of the manifest does not compare them"),
    ("moov-flattenADVBatchesMultipleBatchHeaders.ach", "valid: record 9 claims 6000.00 over credits of 6000.78"),
    ("moov-nonascii-utf8.ach", "valid: record 9 claims one entry and addenda over thirteen"),
    ("moov-nonascii.ach", "valid: the same in Latin-1"),
    (
        "moov-FISERV-ZEROFILE-PIMRET825324_032720_110221.ach",
        "invalid: a file without entries and without trailing blanks is a daily sign of life",
    ),
    ("moov-issue-issue702-1.ach", "invalid: the same with a masked routing number"),
    ("moov-issue-issue702.ach", "invalid: lines without trailing blanks; every count and total agrees"),
    ("moov-iat-invalidAddenda10.ach", "invalid: the type code of an international entry; it decides nothing here"),
    (
        "moov-ppd-debit-customTraceNumber.ach",
        "invalid: a trace that does not begin with the originating bank, as processors write it",
    ),
    ("moov-issue-1600-2mCompanyEntryDescAllZeros.txt", "invalid: a description of zeros; nothing depends on it"),
    ("moov-issue-1600-3fTELIndvNameAllBlank.txt", "invalid: the name of the receiver, which is us or known by its account"),
    ("moov-issue-1600-3fTELIndvNameAllZeros.txt", "invalid: the same with zeros"),
];

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Path and verdict of the files of one kind in the manifest.
fn manifest(corpus: &Path, kind: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(corpus.join("MANIFEST-bank.tsv")).expect("the manifest");
    let rows = text.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
    rows.filter(|cells| cells[1] == kind).map(|cells| (cells[0].to_owned(), cells[6].to_owned())).collect()
}

#[test]
fn verdicts_agree_or_are_argued() {
    let Some(corpus) = corpus() else { return };
    let mut argued: HashMap<&str, &str> = ARGUED.iter().copied().collect();
    let mut wrong = Vec::new();
    for (file, verdict) in manifest(&corpus, "nacha") {
        let bytes = fs::read(corpus.join(&file)).expect("a file of the manifest");
        let Parsed { document, findings, .. } = parse(&bytes, &Limits::default());
        let agrees = match (verdict.as_str(), document.status) {
            ("invalid", Status::Accepted) => false,
            ("invalid", _) => true,
            (_, Status::Accepted | Status::AcceptedWithFindings) => true,
            _ => false,
        };
        let name = file.trim_start_matches("nacha/");
        let reason = argued.remove(name);
        if agrees == reason.is_some() {
            wrong.push(format!("{file}: {verdict}, read as {}, argued: {reason:?}: {findings:#?}", document.status.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(argued.is_empty(), "argued files that are not there: {argued:?}");
}

#[test]
fn expected_values_come_out() {
    let Some(corpus) = corpus() else { return };
    for (file, _) in manifest(&corpus, "nacha-expected") {
        let expected = fs::read_to_string(corpus.join(&file)).expect("an expected result");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let source = file.replace(".expected.json", ".ach");
        let bytes = fs::read(corpus.join(&source)).expect("the file of the result");
        let parsed = parse(&bytes, &Limits::default());
        assert_eq!(parsed.document.status, Status::Accepted, "{source}: {:?}", parsed.findings);
        compare(&source, &parsed.document, &expected);
    }
}

fn compare(source: &str, document: &Document<'_>, expected: &Value) {
    let credits = document.payments.iter().filter(|payment| payment.direction == Direction::Credit);
    let cents: i64 = credits.map(|payment| payment.amount.minor).sum();
    let claim = |name: &str, level: &str| {
        let control = document.controls.iter().find(|control| control.name == name && control.level == level);
        control.map(|control| control.computed.as_str().parse::<i64>().expect("a count")).unwrap_or(0)
    };
    let entries = document.payments.len() as i64;
    let addenda = claim("Entry/Addenda Count", "file") - entries;
    for (name, found) in
        [("entries", entries), ("addenda", addenda), ("total_credit_cents", cents), ("batches", claim("Batch Count", "file"))]
    {
        let expected = expected.get(name).and_then(Value::as_i64).unwrap_or(found);
        assert_eq!(found, expected, "{source}: {name}");
    }
    let Some(invoices) = expected.get("invoices").and_then(Value::as_array) else { return };
    let advice = document.remittances.first().expect("an advice");
    assert_eq!(advice.trace.as_deref(), expected["trace_trn"].as_str(), "{source}");
    assert_eq!(advice.lines.len(), invoices.len(), "{source}");
    for (line, invoice) in advice.lines.iter().zip(invoices) {
        assert_eq!(Some(line.reference.as_ref()), invoice["ref"].as_str(), "{source}");
        for (name, amount) in [("paid", line.net), ("gross", line.gross), ("discount", line.discount)] {
            if let Some(text) = invoice[name].as_str() {
                let amount = amount.unwrap_or_else(|| panic!("{source}: {name} of {}", line.reference));
                assert_eq!(amount.to_decimal().to_string(), text, "{source}");
            }
        }
    }
}
