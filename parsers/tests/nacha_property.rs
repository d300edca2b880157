//! Laws of the NACHA reader: what is written is read back, chunks make no difference, and damage never passes as good money.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

#[path = "support/ach.rs"]
mod ach;

use proptest::prelude::*;
use tieout_parsers::{Direction, Limits, Parsed, Record, Status, Stream, parse};

use ach::{Batch, joined, records};

/// What one entry is written from.
#[derive(Clone, Debug)]
struct Paid {
    code: &'static str,
    cents: u64,
    identification: String,
    text: Option<String>,
}

fn paid() -> impl Strategy<Value = Paid> {
    let text = prop_oneof![
        Just(None),
        "[A-Z0-9][A-Z0-9 &.,-]{0,78}[A-Z0-9]".prop_map(Some),
        "[A-Z0-9]{1,12}".prop_map(|number| Some(format!("RMR*IV*{number}**1.00\\"))),
    ];
    let code = prop_oneof![Just("22"), Just("32"), Just("27"), Just("37")];
    (code, 1_u64..10_000_000_000, "[A-Z0-9]{0,15}", text).prop_map(|(code, cents, identification, text)| Paid {
        code,
        cents,
        identification,
        text,
    })
}

fn batch() -> impl Strategy<Value = (String, Vec<Paid>)> {
    ("[A-Z]{2}[A-Z &]{0,12}[A-Z]", prop::collection::vec(paid(), 1..5))
}

fn written(batches: &[(String, Vec<Paid>)]) -> Vec<Batch> {
    let entry = |batch: Batch, paid: &Paid| {
        let texts: Vec<&str> = paid.text.iter().map(String::as_str).collect();
        batch.entry(paid.code, paid.cents, &paid.identification, "OUR COMPANY", &texts)
    };
    batches.iter().map(|(company, paid)| paid.iter().fold(Batch::new("CCD", company), entry)).collect()
}

/// Every record as JSON and the verdict, in the order in which each kind comes.
fn of(parsed: &Parsed<'_>) -> (Status, Vec<String>, Vec<String>) {
    let document = serde_json::to_value(&parsed.document).expect("a document is JSON");
    let kinds = ["payments", "remittances", "returns", "controls"];
    let records = kinds.iter().flat_map(|kind| document[*kind].as_array().cloned().unwrap_or_default());
    let findings = parsed.findings.iter().map(|finding| serde_json::to_string(finding).expect("a finding is JSON"));
    (parsed.document.status, records.map(|record| record.to_string()).collect(), findings.collect())
}

fn in_chunks(bytes: &[u8], sizes: &[usize]) -> (Status, Vec<String>, Vec<String>) {
    let mut kinds: [Vec<String>; 4] = Default::default();
    let mut findings = Vec::new();
    let mut sink = |record: Record<'_>| {
        let (kind, json) = match &record {
            Record::Payment(record) => (0, serde_json::to_value(record)),
            Record::Remittance(record) => (1, serde_json::to_value(record)),
            Record::Return(record) => (2, serde_json::to_value(record)),
            Record::Control(record) => (3, serde_json::to_value(record)),
            Record::Finding(finding) => {
                findings.push(serde_json::to_string(finding).expect("a finding is JSON"));
                return;
            }
            other => panic!("no such record in a NACHA file: {other:?}"),
        };
        kinds[kind].push(json.expect("a record is JSON").to_string());
    };
    let mut stream = Stream::new(&Limits::default());
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(rest.len().min(*sizes.next().expect("a cycle does not end")));
        stream.feed(chunk, &mut sink);
        rest = later;
    }
    let status = stream.finish(&mut sink).status;
    (status, kinds.concat(), findings)
}

/// What the reader says of itself must agree: nothing posts from a file with a claim that failed, and the money of each side is what the
/// file control claims.
fn consistent(parsed: &Parsed<'_>) {
    let document = &parsed.document;
    if !matches!(document.status, Status::Accepted | Status::AcceptedWithFindings) {
        return;
    }
    let claims = document.controls.iter().filter(|control| matches!(control.level, "batch" | "file"));
    assert!(claims.clone().all(|control| control.ok), "accepted although a claim failed: {:?}", document.controls);
    let cents = |text: &str| text.replace('.', "").parse::<i128>().expect("a claim that agrees is a number");
    for (direction, name) in [(Direction::Credit, "Total Credit"), (Direction::Debit, "Total Debit")] {
        let file = claims.clone().filter(|control| control.level == "file" && control.name.starts_with(name));
        let claimed: i128 = file.map(|control| cents(control.claimed.as_str())).sum();
        let paid = document.payments.iter().filter(|payment| payment.direction == direction);
        let paid: i128 = paid.map(|payment| i128::from(payment.amount.minor)).sum();
        let aside = parsed.findings.iter().any(|finding| finding.effect == tieout_parsers::Effect::RecordSetAside);
        let back = !document.returns.is_empty();
        assert!(paid == claimed || ((aside || back) && paid < claimed), "{name}: {claimed} claimed, {paid} paid");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_read_back(batches in prop::collection::vec(batch(), 0..4), ending in prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("")]) {
        let text = joined(&records(&written(&batches)), ending);
        let parsed = parse(text.as_bytes(), &Limits::default());
        let document = &parsed.document;
        prop_assert!(matches!(document.status, Status::Accepted | Status::AcceptedWithFindings), "{:?}", parsed.findings);
        let all: Vec<(&String, &Paid)> = batches.iter().flat_map(|(company, paid)| paid.iter().map(move |paid| (company, paid))).collect();
        prop_assert_eq!(document.payments.len(), all.len());
        for ((company, paid), payment) in all.into_iter().zip(&document.payments) {
            prop_assert_eq!(payment.amount.minor, i64::try_from(paid.cents).expect("ten digits"));
            let credit = paid.code.ends_with('2');
            prop_assert_eq!(payment.direction, if credit { Direction::Credit } else { Direction::Debit });
            let (company_side, our_side) = if credit { (&payment.payer, &payment.payee) } else { (&payment.payee, &payment.payer) };
            prop_assert_eq!(company_side.name.as_deref(), Some(company.as_str()));
            prop_assert_eq!(our_side.bank.as_deref(), Some(ach::RECEIVER));
            let told = if credit { payment.references.first().map(|held| &held.value) } else { our_side.id.as_ref() };
            prop_assert_eq!(told.map(|text| text.as_ref()).unwrap_or_default(), paid.identification.as_str());
            match &paid.text {
                Some(text) if text.starts_with("RMR*") => {
                    let seq = payment.remittance.expect("segments are a remittance");
                    let line = &document.remittances[seq as usize].lines[0];
                    prop_assert_eq!(format!("RMR*IV*{}**1.00\\", line.reference), text.as_str());
                }
                text => prop_assert_eq!(payment.text.as_deref(), text.as_deref()),
            }
        }
        consistent(&parsed);
    }

    #[test]
    fn chunks_make_no_difference(
        batches in prop::collection::vec(batch(), 0..3),
        ending in prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("")],
        sizes in prop::collection::vec(1_usize..400, 1..6),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..4),
    ) {
        let bytes = damaged(joined(&records(&written(&batches)), ending).into_bytes(), &damage);
        prop_assert_eq!(in_chunks(&bytes, &sizes), of(&parse(&bytes, &Limits::default())));
    }

    #[test]
    fn damage_never_passes_as_good_money(
        batches in prop::collection::vec(batch(), 1..3),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6),
    ) {
        let bytes = damaged(joined(&records(&written(&batches)), "\n").into_bytes(), &damage);
        consistent(&parse(&bytes, &Limits::default()));
    }

    #[test]
    fn a_cut_file_is_never_accepted(batches in prop::collection::vec(batch(), 1..3), cut in any::<prop::sample::Index>()) {
        let lines = records(&written(&batches));
        let text = joined(&lines, "\n");
        let control = lines.iter().position(|line| line.starts_with('9')).expect("a file control");
        // Up to the last digit of the totals; only blanks follow.
        let end = control * 95 + 55;
        let bytes = &text.as_bytes()[..cut.index(end)];
        let status = parse(bytes, &Limits::default()).document.status;
        prop_assert!(matches!(status, Status::Held | Status::Rejected), "{:?}", status);
    }
}

/// Changes, removes or adds a byte at each place.
fn damaged(mut bytes: Vec<u8>, damage: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (at, byte, kind) in damage {
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] = *byte,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, *byte),
        }
    }
    bytes
}
