//! Every MT940 and MT942 file of the shared corpus, where it is there: reads whole and in chunks alike, the verdict agrees with the
//! manifest or the difference is argued here, and what other readers expect of a file is what we read.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::path::Path;

use serde_json::Value;
use tieout_parsers::{Limits, Parsed, parse};

/// Files that we judge otherwise than the manifest, and why. A fragment is a few fields without opening or closing balance, made to test
/// one field; alone it proves nothing and is held. In the others the figures were changed by hand and the balances no longer follow.
const FRAGMENTS: &[&str] = &[
    "wolph-betterplace-amount_formats.sta",
    "wolph-betterplace-currency_in_25.sta",
    "wolph-betterplace-empty_86.sta",
    "wolph-betterplace-empty_entry_date.sta",
    "wolph-betterplace-empty_line.sta",
    "wolph-betterplace-missing_crlf_at_end.sta",
    "wolph-cmxl-account_balance_credit.sta",
    "wolph-cmxl-account_balance_debit.sta",
    "wolph-cmxl-account_identification_iban.sta",
    "wolph-cmxl-account_identification_legacy.sta",
    "wolph-cmxl-available_balance.sta",
    "wolph-cmxl-closing_balance.sta",
    "wolph-cmxl-reference.sta",
    "wolph-cmxl-statement_details.sta",
    "wolph-cmxl-statement_line.sta",
    "wolph-cmxl-statement_number.sta",
    "wolph-self-provided-account_identification.sta",
    "wolph-self-provided-empty_non_swift.sta",
    "wolph-self-provided-gv_codes.sta",
    "wolph-self-provided-multiline.sta",
    "wolph-self-provided-raphaelm.sta",
    "wolph-self-provided-sparkassen.sta",
    "rs-mt942-cmxl-mt942_1.sta",
    "cmxl-mt940-with-colon-after-line-break.sta",
    "cmxl-statement-details-mt940.sta",
    "cmxl-statement-details-mt942.sta",
    "cmxl-statement-mt940.sta",
];
const FIGURES_CHANGED: &[&str] = &[
    "wolph-betterplace-sepa_snippet.sta",
    "wolph-jejik-abnamro.sta",
    "wolph-jejik-ing.sta",
    "wolph-jejik-knab.sta",
    "wolph-jejik-postfinance.sta",
    "wolph-jejik-rabobank.sta",
    "wolph-jejik-triodos.sta",
    "wolph-mBank-with_newline_in_tnr.sta",
    "wolph-self-provided-details_60-63.sta",
    "wolph-self-provided-mt942.sta",
    "wolph-self-provided-overly_long_details.sta",
    "wolph-self-provided-whitespace.sta",
    "rs-mt940-abnamro-mt940.sta",
    "rs-mt940-bugs-issue-51.sta",
    "rs-mt940-jejik-abnamro.sta",
    "rs-mt940-jejik-knab.sta",
    "rs-mt940-sparkasse-buxtehude.sta",
    "rs-mt940-special-cases-overly_long_details.sta",
    "rs-mt942-jejik-rabobank.sta",
    "cmxl-mt940-abnamro.sta",
    "cmxl-mt940-with-detailed-end-balance.sta",
    "jejik-abnamro.sta",
    "jejik-bug-core-5401.sta",
    "jejik-commerzbank.sta",
    "jejik-deutschebank.sta",
    "jejik-ing-dos.sta",
    "jejik-knab.sta",
    "jejik-oldenburgischelandesbank.sta",
    "jejik-oldenburgischelandesbankmitbindestrich.sta",
    "jejik-postfinance.sta",
    "jejik-rabobank.sta",
    "jejik-sparkasse2.sta",
    "jejik-sparkasse3.sta",
    "jejik-triodos.sta",
];

/// The manifest calls `:12:11` an unknown tag; it is the rest of a clock time that was cut at the end of a line.
const WRAPPED_TIME: &str = "rs-mt940-special-cases-unknown_tag.sta";

#[test]
fn every_file_reads_and_the_verdict_is_argued() {
    let Some(corpus) = support::corpus_of("mt940") else { return };
    let rows = support::manifest(&corpus, "mt940");
    let mut differ = Vec::new();
    for (name, verdict) in &rows {
        let bytes = std::fs::read(corpus.join(name)).expect("a file of the manifest");
        let parsed = parse(&bytes, &Limits::default());
        support::assert_chunks_agree(&bytes, &parsed, name);
        let status = parsed.document.status.as_str();
        let accepted = status.starts_with("accepted");
        let agrees = match verdict.as_str() {
            "valid" => accepted,
            "invalid" => status != "accepted",
            _ => true,
        };
        let argued = name == WRAPPED_TIME || [FRAGMENTS, FIGURES_CHANGED].concat().contains(&name.as_str());
        if agrees == argued {
            differ.push(format!("{name}: manifest says {verdict}, we say {status}\n{}", support::told_findings(&parsed)));
        }
        if FIGURES_CHANGED.contains(&name.as_str()) {
            assert!(parsed.document.controls.iter().any(|control| !control.ok), "{name} fails by its balance");
        }
    }
    assert!(rows.len() > 100, "the manifest lists the files");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Signed amounts in the order of the file: what came in, and what went out or back.
fn movements(parsed: &Parsed<'_>) -> Vec<(u64, i64, Option<String>)> {
    let document = &parsed.document;
    let credit = |payment: &tieout_parsers::Payment<'_>| payment.direction == tieout_parsers::Direction::Credit;
    let mut all: Vec<_> = document
        .payments
        .iter()
        .map(|payment| {
            let minor = if credit(payment) { payment.amount.minor } else { -payment.amount.minor };
            (payment.location.byte, minor, payment.value_date.map(|date| date.to_string()))
        })
        .chain(document.returns.iter().map(|returned| (returned.location.byte, -returned.amount.minor, None)))
        .collect();
    all.sort();
    all
}

fn minor(text: &str) -> i64 {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let digits: i64 = text.replace('.', "").parse().expect("an amount");
    digits * 10_i64.pow(2 - u32::try_from(decimals.min(2)).expect("few decimals"))
}

#[test]
fn lines_that_other_readers_expect_as_json() {
    let Some(corpus) = support::corpus_of("mt940") else { return };
    let mut read = 0;
    for (name, expected) in expectations(&corpus, "expected.json") {
        let Ok(Value::Array(statements)) = serde_json::from_str::<Value>(&expected) else { continue };
        let stem = name.trim_end_matches(".expected.json").trim_end_matches(".mt940-rs");
        let bytes = std::fs::read(corpus.join(format!("{stem}.sta"))).expect("the file of the expectation");
        let parsed = parse(&bytes, &Limits::default());
        let lines = statements.iter().flat_map(|statement| statement["statement_lines"].as_array().into_iter().flatten());
        let expected: Vec<(i64, String)> = lines
            .map(|line| {
                let amount = minor(line["amount"].as_str().expect("an amount"));
                // The other reader calls RC a reversed debit; the balances of its sample say that money went out.
                let credit = line["ext_debit_credit_indicator"] == "Credit";
                (if credit { amount } else { -amount }, line["value_date"].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        let found = movements(&parsed);
        assert_eq!(found.len(), expected.len(), "{name}");
        for ((_, amount, date), (expected_amount, expected_date)) in found.iter().zip(&expected) {
            assert_eq!(amount, expected_amount, "{name}");
            assert!(date.as_ref().is_none_or(|date| date == expected_date), "{name}: {date:?} {expected_date}");
        }
        let balances: Vec<i64> = statements
            .iter()
            .flat_map(|statement| [&statement["opening_balance"], &statement["closing_balance"]])
            .map(|balance| {
                let amount = minor(balance["amount"].as_str().expect("an amount"));
                if balance["debit_credit_indicator"] == "Debit" { -amount } else { amount }
            })
            .collect();
        let proven = |kind: &str| kind.starts_with("opening") || kind == "closing_booked" || kind == "closing_page";
        let stated = parsed.document.balances.iter().filter(|balance| proven(&balance.kind)).map(|balance| balance.amount.minor);
        assert_eq!(stated.collect::<Vec<_>>(), balances, "{name}");
        read += 1;
    }
    assert!(read >= 18, "{read} expectations were compared");
}

#[test]
fn amounts_that_another_reader_expects_as_yaml() {
    let Some(corpus) = support::corpus_of("mt940") else { return };
    let mut read = 0;
    for (name, expected) in expectations(&corpus, "expected.yml") {
        let stem = name.trim_end_matches(".expected.yml");
        let bytes = std::fs::read(corpus.join(format!("{stem}.sta"))).expect("the file of the expectation");
        let parsed = parse(&bytes, &Limits::default());
        let (_, transactions) = expected.rsplit_once("\ntransactions:").unwrap_or_default();
        let lines: Vec<&str> = transactions.lines().collect();
        let amounts: Vec<i64> = lines
            .windows(3)
            .filter(|window| window[0].starts_with("    amount:") && window[0].ends_with("models.Amount"))
            .map(|window| minor(window[2].trim().trim_start_matches("- ").trim_matches('\'')))
            .collect();
        // Reversed credits count as money in there, against the balances; so signs are compared where there is no reversal.
        let reversed = parsed.document.returns.is_empty();
        let sign = |amount: i64| if reversed { amount } else { amount.abs() };
        let amounts: Vec<i64> = amounts.into_iter().map(sign).collect();
        let found: Vec<i64> = movements(&parsed).into_iter().map(|(_, amount, _)| sign(amount)).collect();
        // An entry of a fragment has no currency and is set aside.
        let set_aside = parsed.findings.iter().any(|finding| finding.effect == tieout_parsers::Effect::RecordSetAside);
        if !amounts.is_empty() && !set_aside {
            assert_eq!(found, amounts, "{name}");
            read += 1;
        }
    }
    assert!(read >= 20, "{read} expectations were compared");
}

#[test]
fn our_own_expectation() {
    let Some(corpus) = support::corpus_of("mt940") else { return };
    let bytes = std::fs::read(corpus.join("syn-two-statements.sta")).expect("a file of the corpus");
    let parsed = parse(&bytes, &Limits::default());
    let payment = parsed.document.payments.first().expect("a payment");
    assert_eq!(payment.payer.name.as_deref(), Some("GLOBEX GMBH"));
    assert_eq!(payment.text.as_deref(), Some("RE 1001, RE 1002 VOM 20:44:45"));
    let closing: Vec<i64> = parsed
        .document
        .balances
        .iter()
        .filter(|balance| balance.kind == "closing_booked")
        .map(|balance| balance.amount.minor)
        .collect();
    assert_eq!(closing, [229_950, -500]);
    assert_eq!((parsed.document.payments.len(), parsed.document.returns.len()), (1, 1));
}

/// Files of that ending with their text.
fn expectations(corpus: &Path, ending: &str) -> Vec<(String, String)> {
    let files = std::fs::read_dir(corpus).expect("the corpus").map(|entry| entry.expect("a file"));
    let mut all: Vec<(String, String)> = files
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .map(|name| {
            let text = std::fs::read(corpus.join(&name)).expect("a file of the corpus");
            (name, String::from_utf8_lossy(&text).into_owned())
        })
        .collect();
    all.sort();
    all
}
