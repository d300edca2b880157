//! Reads every lockbox file of the shared corpus, where it is there, and compares verdicts and expected values.

#![allow(clippy::arithmetic_side_effects, reason = "amounts of samples")]

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tieout_parsers::{Currency, Layout, Limits, Money, Options, Parsed, Status, parse, parse_with};

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Files whose manifest verdict is not ours, each with the reason.
const ARGUED: &[(&str, Status, &str)] = &[
    ("lockbox/syn-bad-amount-digit.bai", Status::AcceptedWithFindings, "the one check is set aside, its neighbours stand"),
    ("lockbox/syn-garbage-line.bai", Status::AcceptedWithFindings, "every total and count agrees without the foreign line"),
];

#[test]
fn every_file_reads_and_the_verdicts_agree() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST-bank.tsv")).expect("the manifest");
    let mut wrong = Vec::new();
    for row in manifest.lines().filter(|row| row.starts_with("lockbox/")) {
        let cells: Vec<&str> = row.split('\t').collect();
        if cells[1] != "lockbox" {
            continue;
        }
        let bytes = fs::read(corpus.join(cells[0])).expect("a file of the manifest");
        let status = parse(&bytes, &Limits::default()).document.status;
        println!("{} {status:?}: {}", cells[0], cells[6]);
        let taken = matches!(status, Status::Accepted | Status::AcceptedWithFindings);
        let agrees = match ARGUED.iter().find(|(name, ..)| *name == cells[0]) {
            Some((_, argued, _)) => *argued == status,
            None => match cells[6] {
                "valid" => taken,
                "invalid" => !taken,
                _ => true,
            },
        };
        if !agrees {
            wrong.push(cells[0].to_owned());
        }
    }
    assert!(wrong.is_empty(), "verdicts differ: {wrong:?}");
}

/// The checks of a file as the expected values name them.
fn checks(parsed: &Parsed<'_>) -> Value {
    let document = &parsed.document;
    let check = |payment: &tieout_parsers::Payment<'_>| {
        let number = |qualifier: &str| {
            let reference = payment.references.iter().find(|reference| reference.qualifier == qualifier).expect("a reference");
            reference.value.parse::<u32>().expect("a number")
        };
        let remittance = payment.remittance.and_then(|index| document.remittances.get(index as usize));
        let line = |line: &tieout_parsers::RemittanceLine<'_>| {
            let deduction: i64 = line.adjustments.iter().map(|adjustment| -adjustment.amount.minor).sum();
            json!({"ref": line.reference, "amount_cents": line.net.map(|net| net.minor), "deduction_cents": deduction})
        };
        json!({
            "batch": number("BATCH"),
            "item": number("ITEM"),
            "amount_cents": payment.amount.minor,
            "routing": payment.payer.bank,
            "account": payment.payer.account.as_ref().map(|account| account.reveal().to_owned()),
            "check": payment.trace,
            "invoices": remittance.map(|remittance| remittance.lines.iter().map(line).collect::<Vec<_>>()).unwrap_or_default(),
        })
    };
    document.payments.iter().map(check).collect()
}

#[test]
fn the_expected_values_are_reproduced() {
    let Some(corpus) = corpus() else { return };
    for name in ["syn-sap80-ok", "syn-sap80-crlf-unpadded", "syn-104col", "syn-nonewline80", "syn-overflow-230"] {
        let folder = corpus.join("lockbox");
        let bytes = fs::read(folder.join(format!("{name}.bai"))).expect("a sample");
        let expected = fs::read_to_string(folder.join(format!("{name}.expected.json"))).expect("its expected values");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let parsed = parse(&bytes, &Limits::default());
        let document = &parsed.document;
        assert_eq!(document.status, Status::Accepted, "{name}");
        let total: i64 = document.payments.iter().map(|payment| payment.amount.minor).sum();
        assert_eq!(json!(total), expected["total_cents"], "{name}");
        assert_eq!(json!(document.payments.len()), expected["payment_count"], "{name}");
        if let Some(payments) = expected.get("payments") {
            assert_eq!(&checks(&parsed), payments, "{name}");
            let first = &document.payments[0];
            assert_eq!(json!(first.value_date.map(|date| date.to_string())), expected["deposit_date"], "{name}");
            assert_eq!(json!(first.payee.account.as_ref().map(|account| account.reveal())), expected["lockbox"], "{name}");
            let records = document.controls.iter().find(|control| control.name == "9 number of records").expect("a control");
            assert_eq!(json!(records.computed.as_str().parse::<u64>().expect("a count")), expected["records"], "{name}");
        }
        if let Some(lines) = expected.get("invoice_lines") {
            assert_eq!(json!(document.remittances[0].lines.len()), *lines, "{name}");
        }
    }
}

#[test]
fn the_caller_may_name_a_layout_of_its_own() {
    let own = "name = \"own\"\nrecord_size = 80\n[header]\ndate = [24, 29, \"YYMMDD\"]\n[lockbox]\nlockbox = [8, 14, \"digits\"]\n\
               [check]\nbatch = [2, 4, \"digits\"]\nitem = [5, 7, \"digits\"]\namount = [20, 27, \"amount\"]\ncheck = [8, 15, \"digits\"]\n\
               [detail]\nbatch = [2, 4, \"digits\"]\nitem = [5, 7, \"digits\"]\nreference_1 = [8, 17, \"text\"]\npaid_1 = [18, 25, \"amount\"]\n\
               reference_2 = [26, 35, \"text\"]\npaid_2 = [36, 43, \"amount\"]\n\
               [batch_total]\ncount = [21, 23, \"count\"]\ntotal = [24, 33, \"amount\"]\n[trailer]\nrecords = [2, 7, \"count\"]\n";
    let file = "101OWNER     BANK      2603160600\n50010000912275260316\n600100100004711    00025000\n\
                4001001INV1      00010000INV2      00015000\n7001000091227526031600100000 25000\n9000006\n";
    let file = file.replace("00100000 25000", "0010000025000");
    let layout = Layout::parse(own).expect("a layout");
    let yen = Currency::parse("JPY").expect("a currency");
    let options =
        Options { lockbox: Some(layout.into()), lockbox_currencies: [("912275".to_owned(), yen)].into(), ..Options::default() };
    let parsed = parse_with(file.as_bytes(), &options);
    assert_eq!(parsed.document.status, Status::AcceptedWithFindings, "{:?}", parsed.findings);
    assert_eq!(parsed.findings.len(), 1, "only record 8 is missing: {:?}", parsed.findings);
    let payment = &parsed.document.payments[0];
    assert_eq!((payment.amount, payment.trace.as_deref()), (Money::new(25_000, yen), Some("00004711")));
    let lines = &parsed.document.remittances[0].lines;
    let read: Vec<_> = lines.iter().map(|line| (&*line.reference, line.net.map(|net| net.minor))).collect();
    assert_eq!(read, [("INV1", Some(10_000)), ("INV2", Some(15_000))]);
}
