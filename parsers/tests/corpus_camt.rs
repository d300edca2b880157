//! Every camt file of the shared corpus, where it is there: reads whole and in chunks alike, the verdict agrees with the manifest or the
//! difference is argued here, and what another reader expects of a file is what we read.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use tieout_parsers::{Limits, parse};

/// Files that we judge otherwise than the manifest, and why. The manifest tells whether a file keeps its schema, which says nothing about
/// its sums, and fails a file for the order of its elements, which we do not need.
const ARGUED: &[(&str, &str)] = &[
    ("genkgo-camt053.v2.all-balance-types.xml", "the balances are 1.01, 2.02 and so on, one of each type; they prove nothing"),
    ("genkgo-camt053.v3.xml", "the entry is 8.85, its only transaction 105.75"),
    ("genkgo-camt054.v4.xml", "the batch announces two transactions and holds three, none with an amount"),
    ("genkgo-camt054.v8.xml", "the batch announces two transactions and holds three, none with an amount"),
    ("via-052-valid_example_with_dates.xml", "a time with four parts fails the schema; we need the date only"),
    ("via-053-valid_example.xml", "elements out of order fail the schema; we read by name"),
    ("via-053-valid_example_with_datetime.xml", "the summary counts 14 entries, the file holds one"),
    ("moov-gistfile1.xml", "a pain.001 among camt files; it is read as what it is"),
    ("moov-FI_camt_054_sample.xml", "the net sum of the summary is 169.95, the entries give 369.95"),
    ("moov-camt.053_1110092698_0_2020112503071366.xml", "an entry of 1537.00 stands in the forward balance only"),
];

#[test]
fn every_file_reads_and_the_verdict_is_argued() {
    let Some(corpus) = support::corpus_of("camt") else { return };
    let rows = support::manifest(&corpus, "camt");
    let mut differ = Vec::new();
    for (name, verdict) in &rows {
        let bytes = std::fs::read(corpus.join(name)).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        support::assert_chunks_agree(&bytes, &parsed, name);
        let status = parsed.document.status.as_str();
        let agrees = match verdict.as_str() {
            "valid" => status.starts_with("accepted"),
            _ => status != "accepted",
        };
        if agrees == ARGUED.iter().any(|(argued, _)| argued == name) {
            differ.push(format!("{name}: manifest says {verdict}, we say {status}\n{}", support::told_findings(&parsed)));
        }
    }
    assert!(rows.len() > 60, "the manifest lists the files");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn entries_that_another_reader_expects() {
    let Some(corpus) = support::corpus_of("camt") else { return };
    let mut read = 0;
    for (name, _) in support::manifest(&corpus, "camt").iter().filter(|(name, _)| name.starts_with("genkgo-")) {
        let Ok(expected) = std::fs::read_to_string(corpus.join(name.replace(".xml", ".expected.json"))) else { continue };
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let bytes = std::fs::read(corpus.join(name)).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        // The money of an entry is the sum of its transactions.
        let mut found: BTreeMap<Option<u32>, i64> = BTreeMap::new();
        for payment in &parsed.document.payments {
            let sign = if payment.direction == tieout_parsers::Direction::Credit { 1 } else { -1 };
            *found.entry(payment.location.segment).or_default() += sign * payment.amount.minor;
        }
        for returned in &parsed.document.returns {
            *found.entry(returned.location.segment).or_default() -= returned.amount.minor;
        }
        let entries = expected["getEntries"].as_array().cloned().unwrap_or_default();
        let booked = entries.iter().filter(|entry| matches!(entry["getStatus"].as_str(), None | Some("BOOK" | "")));
        let expected: Vec<i64> = booked.filter_map(signed).filter(|amount| *amount != 0).collect();
        let found: Vec<i64> = found.into_values().collect();
        if !found.is_empty() {
            // The other reader keeps the entries of the last statement only where several have the same numbers.
            assert!(found.ends_with(&expected), "{name}: {found:?} {expected:?}");
            read += 1;
        }
    }
    assert!(read >= 12, "{read} expectations were compared");
}

/// The amount of an entry in minor units of its currency, with its sign.
fn signed(entry: &Value) -> Option<i64> {
    let minor: i64 = entry["getAmount"]["getAmount"].as_str()?.parse().ok()?;
    let debit = entry["getCreditDebitIndicator"] == "DBIT";
    Some(if debit { -minor.abs() } else { minor.abs() })
}

#[test]
fn our_own_expectation() {
    let Some(corpus) = support::corpus_of("camt") else { return };
    for name in ["syn-batch-3tx-strd.xml", "syn-prefixed-ns.xml"] {
        let bytes = std::fs::read(corpus.join(name)).expect("a file of the corpus");
        let parsed = parse(&bytes, &Limits::default());
        let document = &parsed.document;
        assert_eq!(document.payments.iter().map(|payment| payment.amount.minor).collect::<Vec<_>>(), [150_000, 50_000, 100_000]);
        let lines: Vec<&str> =
            document.remittances.iter().flat_map(|advice| &advice.lines).map(|line| &*line.reference).collect();
        assert_eq!(lines, ["INV1001", "INV1002", "CN55", "RF18539007547034"], "{name}");
    }
}
