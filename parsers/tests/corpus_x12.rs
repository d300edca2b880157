//! Reads every X12 file of the shared corpus, where it is there: none panics, chunks change nothing, the verdict is the one the
//! manifest leads us to expect, and the 820s give the values that an independent script computed.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use std::fs;

use rust_decimal::Decimal;
use tieout_parsers::{Limits, Parsed, Record, Remittance, RemittanceLine, Status, Stream, parse};

#[path = "support/mod.rs"]
mod support;

/// Files whose verdict is another than their row of the manifest suggests, each with the reason.
const ARGUED: &[(&str, Status, &str)] = &[
    (
        "820/stp820-ctx-walmart-backslash.edi",
        Status::AcceptedWithFindings,
        "only the padding of ISA is lost; all counts and numbers agree",
    ),
    ("810/ariba-abcmusic-a.edi", Status::AcceptedWithFindings, "only the padding of ISA is lost; all counts and numbers agree"),
    ("810/ariba-abcmusic-b.edi", Status::AcceptedWithFindings, "only the padding of ISA is lost; all counts and numbers agree"),
    ("810/ariba-abcmusic-c.edi", Status::AcceptedWithFindings, "only the padding of ISA is lost; all counts and numbers agree"),
    ("810/ariba-abcmusic-d.edi", Status::AcceptedWithFindings, "only the padding of ISA is lost; all counts and numbers agree"),
    (
        "210/wrapped-80-columns.edi",
        Status::AcceptedWithFindings,
        "unwrapped, all counts and numbers agree; ST02 was cut by a line break",
    ),
    (
        "210/x12-types-minimal-5010.edi",
        Status::AcceptedWithFindings,
        "the envelope is right; the one bill with shifted elements is set aside",
    ),
    ("997/empty-no-ak1.edi", Status::AcceptedWithFindings, "the envelope is right; the one empty acknowledgment is set aside"),
    ("997/repeats-and-composites.edi", Status::AcceptedWithFindings, "the envelope is right; what it acknowledges oddly is told"),
    ("997/bad-codes.edi", Status::AcceptedWithFindings, "the envelope is right; the bad codes are told"),
];

#[test]
fn every_verdict_agrees_with_the_manifest_or_is_argued() {
    let Some(corpus) = support::corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).expect("the manifest");
    let mut files = 0;
    for row in manifest.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (name, validity) = (cells[0], cells[8]);
        let bytes = fs::read(corpus.join(name)).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        let found = parsed.document.status;
        let usual: &[Status] = match validity {
            "valid-envelope" => &[Status::Accepted, Status::AcceptedWithFindings, Status::Unsupported],
            "envelope-mismatch" => &[Status::Held],
            "invalid" => &[Status::Held, Status::Rejected],
            "bare" => &[Status::Rejected],
            other => panic!("the manifest calls {name} {other}"),
        };
        match ARGUED.iter().find(|(argued, _, _)| *argued == name) {
            Some((_, status, reason)) => {
                assert_eq!(found, *status, "{name}: {reason}");
                assert!(!usual.contains(&found), "{name} needs no argument any more");
            }
            None => assert!(usual.contains(&found), "{name} is {validity}, but {}", found.as_str()),
        }
        files += 1;
    }
    assert!(files > 60, "the manifest lists {files} files only");
}

#[test]
fn chunks_change_nothing() {
    let Some(corpus) = support::corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).expect("the manifest");
    for name in manifest.lines().skip(1).filter_map(|row| row.split('\t').next()) {
        let bytes = fs::read(corpus.join(name)).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        for size in [1, 7, 64, 1000] {
            let mut findings = Vec::new();
            let mut others = 0;
            let mut sink = |record: Record<'_>| match record {
                Record::Finding(finding) => findings.push(finding),
                _ => others += 1,
            };
            let mut stream = Stream::new(&Limits::default());
            bytes.chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
            let summary = stream.finish(&mut sink);
            assert_eq!(summary.status, parsed.document.status, "{name} in chunks of {size}");
            assert_eq!(summary.received, parsed.received, "{name} in chunks of {size}");
            assert_eq!(findings, parsed.findings, "{name} in chunks of {size}");
            assert_eq!(others, count(&parsed), "{name} in chunks of {size}");
        }
    }
}

fn count(parsed: &Parsed<'_>) -> usize {
    let document = &parsed.document;
    document.payments.len()
        + document.remittances.len()
        + document.invoices.len()
        + document.returns.len()
        + document.acknowledgments.len()
        + document.controls.len()
}

/// One row of `EXPECTED-820.tsv`, by column name.
struct Row<'r>(Vec<(&'r str, &'r str)>);

impl<'r> Row<'r> {
    fn get(&self, column: &str) -> &'r str {
        self.0.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value)
    }

    fn decimal(&self, column: &str) -> Decimal {
        self.get(column).parse().unwrap_or_default()
    }
}

#[test]
fn the_820s_give_the_expected_values() {
    let Some(corpus) = support::corpus() else { return };
    let expected = fs::read_to_string(corpus.join("EXPECTED-820.tsv")).expect("the expected values");
    let mut lines = expected.lines();
    let columns: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let mut checked = 0;
    for line in lines {
        let row = Row(columns.iter().copied().zip(line.split('\t')).collect());
        let bytes = fs::read(corpus.join(row.get("file"))).expect("a file of the corpus");
        let parsed = parse(&bytes, &Limits::default());
        if row.get("bpr02").parse::<Decimal>().is_err() {
            assert!(parsed.document.remittances.is_empty() && parsed.document.payments.is_empty(), "{}", row.get("file"));
            continue;
        }
        check_820(&row, &parsed);
        checked += 1;
    }
    assert_eq!(checked, 9);
}

fn check_820(row: &Row<'_>, parsed: &Parsed<'_>) {
    let file = row.get("file");
    let [remittance] = parsed.document.remittances.as_slice() else { panic!("{file} has not one remittance") };
    assert_eq!(remittance.payer.name.as_deref().unwrap_or_default(), row.get("payer_n1_pr"), "{file}");
    assert_eq!(remittance.payee.name.as_deref().unwrap_or_default(), row.get("payee_n1_pe"), "{file}");
    assert_eq!(remittance.total.map(|total| total.to_decimal()), Some(row.decimal("bpr02")), "{file}");
    assert_eq!(remittance.trace.as_deref().unwrap_or_default(), row.get("trn02"), "{file}");
    if !row.get("bpr16").is_empty() {
        let date = remittance.date.map(|date| date.format("%Y%m%d").to_string());
        assert_eq!(date.as_deref(), Some(row.get("bpr16")), "{file}");
    }
    assert_eq!(parsed.document.payments.len(), usize::from(row.get("bpr01") == "C"), "{file}");
    for payment in &parsed.document.payments {
        assert_eq!(payment.amount.to_decimal(), row.decimal("bpr02"), "{file}");
        assert_eq!(payment.method.as_str(), row.get("bpr04").to_lowercase(), "{file}");
    }
    check_lines(file, row, remittance);
    let control = parsed.document.controls.iter().find(|control| control.name == "BPR02").expect("a balance");
    let difference: Decimal =
        row.get("balance").strip_prefix("off by ").map_or(Decimal::ZERO, |text| text.parse().expect("a number"));
    let parse = |text: &str| text.parse::<Decimal>().expect("a number");
    assert_eq!(parse(control.computed.as_str()) - parse(control.claimed.as_str()), difference, "{file}");
    assert_eq!(control.ok, difference.is_zero(), "{file}");
}

fn check_lines(file: &str, row: &Row<'_>, remittance: &Remittance<'_>) {
    let net = |line: &RemittanceLine<'_>| line.net.map_or(Decimal::ZERO, |net| net.to_decimal());
    let (outer, items): (Vec<_>, Vec<_>) =
        remittance.lines.iter().partition(|line| line.location.tag.is_some_and(|tag| tag.as_str() == "ADX"));
    assert_eq!(items.len().to_string(), row.get("rmr_count"), "{file}");
    assert_eq!(items.iter().copied().map(net).sum::<Decimal>(), row.decimal("sum_rmr04"), "{file}");
    assert_eq!(outer.iter().copied().map(net).sum::<Decimal>(), row.decimal("sum_adx_outside_rmr"), "{file}");
    let inner = items.iter().flat_map(|line| &line.adjustments).map(|adjustment| adjustment.amount.to_decimal()).sum::<Decimal>();
    assert_eq!(inner, row.decimal("sum_adx_inside_rmr"), "{file}");
    for (line, expected) in items.iter().zip(row.get("first_12_open_items").split(' ')) {
        let (item, amount) = expected.split_once('=').expect("an item and its amount");
        assert_eq!(format!("{}:{}", line.qualifier, line.reference), item, "{file}");
        assert_eq!(net(line), amount.parse::<Decimal>().expect("a number"), "{file}");
    }
}
