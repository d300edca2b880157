//! Reads every BAI2 file of the shared corpus, where it is there, and compares verdicts and expected values.

use std::{fs, path::PathBuf};

use tieout_parsers::{Limits, Parsed, Status, parse};

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Files whose manifest verdict is not ours, each with the reason.
const ARGUED: &[(&str, Status, &str)] =
    &[("bai2/syn-letter-in-amount.bai2", Status::AcceptedWithFindings, "the one transaction is set aside, its neighbours stand")];

#[test]
fn every_file_reads_and_the_verdicts_agree() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST-bank.tsv")).expect("the manifest");
    let mut wrong = Vec::new();
    for row in manifest.lines().filter(|row| row.starts_with("bai2/")) {
        let cells: Vec<&str> = row.split('\t').collect();
        if cells[1] != "bai2" {
            continue;
        }
        let bytes = fs::read(corpus.join(cells[0])).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        println!("{} {:?}: {}", cells[0], parsed.document.status, cells[6]);
        for finding in &parsed.findings {
            println!("    {:?} line {:?} {}", finding.effect, finding.location.line, finding.message);
        }
        let status = parsed.document.status;
        let taken = matches!(status, Status::Accepted | Status::AcceptedWithFindings);
        let agrees = match ARGUED.iter().find(|(name, ..)| *name == cells[0]) {
            Some((_, argued, _)) => *argued == status,
            None => match cells[6] {
                "valid" | "valid?" => taken,
                "invalid" | "fuzz" => !taken,
                _ => true,
            },
        };
        if !agrees {
            wrong.push(cells[0].to_owned());
        }
    }
    assert!(wrong.is_empty(), "verdicts differ: {wrong:?}");
}

/// The transactions of a file as the expected values name them.
fn transactions(parsed: &Parsed<'_>) -> Vec<serde_json::Value> {
    let payment = |payment: &tieout_parsers::Payment<'_>| {
        let reference = |qualifier: &str| {
            payment
                .references
                .iter()
                .find(|reference| reference.qualifier == qualifier)
                .map(|reference| reference.value.to_string())
        };
        serde_json::json!({
            "type": reference("BAI"),
            "amount_cents": payment.amount.minor,
            "bank_ref": payment.trace,
            "customer_ref": reference("CUSTOMER"),
            "text": payment.text,
        })
    };
    parsed.document.payments.iter().map(payment).collect()
}

#[test]
fn the_expected_values_are_reproduced() {
    let Some(corpus) = corpus() else { return };
    for name in ["syn-s-and-v-funds", "syn-88-splits-group", "syn-88-splits-funds", "syn-trailing-blanks-crlf"] {
        let folder = corpus.join("bai2");
        let bytes = fs::read(folder.join(format!("{name}.bai2"))).expect("a sample");
        let expected = fs::read_to_string(folder.join(format!("{name}.expected.json"))).expect("its expected values");
        let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
        let parsed = parse(&bytes, &Limits::default());
        let mut wanted = expected["transactions"].as_array().expect("a list").clone();
        for transaction in &mut wanted {
            transaction.as_object_mut().expect("an object").remove("funds");
        }
        assert_eq!(transactions(&parsed), wanted, "{name}");
        let control = |name: &str| {
            let found = parsed.document.controls.iter().find(|control| control.name == name).expect("a control");
            assert!(found.ok);
            found.computed.as_str().parse::<i64>().expect("a number")
        };
        assert_eq!(control("99 file control total"), expected["control_total"]);
        assert_eq!(control("99 number of records"), expected["records"]);
        assert_eq!(control("99 number of groups"), expected["groups"]);
        assert_eq!(control("98 number of accounts"), expected["accounts"]);
        let value_date = parsed.document.payments[1].value_date.expect("a date").to_string();
        assert_eq!(value_date, expected["transactions"][1]["funds"]["date"].as_str().expect("a date"));
    }
}
