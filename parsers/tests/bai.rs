//! BAI2 statements and lockbox files: the samples give what their tables say; chunks give what the whole gives; damage never passes as
//! accepted money.

#![allow(clippy::arithmetic_side_effects, reason = "positions in samples")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use proptest::prelude::*;
use tieout_parsers::{Effect, Limits, Parsed, Record, Status, Stream, parse};

fn samples(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format)
}

/// All sample files of a format with their bytes, in the order of their names.
fn files(format: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for kind in ["good", "odd", "broken"] {
        for entry in fs::read_dir(samples(format).join(kind)).expect("a folder of samples") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            found.push((format!("{kind}/{name}"), fs::read(&path).expect("a sample")));
        }
    }
    found.sort();
    found
}

/// What the tables of the samples count.
fn row(name: &str, parsed: &Parsed<'_>) -> String {
    let document = &parsed.document;
    let received: i64 = document.payments.iter().map(|payment| payment.amount.minor).sum();
    let lines: usize = document.remittances.iter().map(|remittance| remittance.lines.len()).sum();
    let (status, payments, returns) = (document.status.as_str(), document.payments.len(), document.returns.len());
    format!("{name}|{status}|{payments}|{received}|{returns}|{lines}")
}

#[test]
fn samples_give_what_their_tables_say() {
    for format in ["bai2", "lockbox"] {
        let table = fs::read_to_string(samples(format).join("README.md")).expect("the table");
        let rows: BTreeSet<String> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                [cells[1].trim_matches('`'), cells[3], cells[4], cells[5], cells[6], cells[7]].join("|")
            })
            .collect();
        let found: BTreeSet<String> =
            files(format).iter().map(|(name, bytes)| row(name, &parse(bytes, &Limits::default()))).collect();
        let differ: Vec<_> = rows.symmetric_difference(&found).collect();
        assert!(differ.is_empty(), "{format}: in the table or found, but not both: {differ:#?}");
    }
}

/// Everything read, as JSON by kind, in order.
fn told(records: &[Record<'_>]) -> Vec<String> {
    let mut lines: Vec<String> =
        records.iter().map(|record| serde_json::to_string(record).expect("a record can be written as JSON")).collect();
    lines.sort();
    lines
}

fn whole(bytes: &[u8]) -> (Status, Vec<String>) {
    let parsed = parse(bytes, &Limits::default());
    let document = parsed.document;
    let mut records: Vec<Record<'_>> = Vec::new();
    records.extend(document.payments.into_iter().map(|payment| Record::Payment(Box::new(payment))));
    records.extend(document.remittances.into_iter().map(|remittance| Record::Remittance(Box::new(remittance))));
    records.extend(document.returns.into_iter().map(|returned| Record::Return(Box::new(returned))));
    records.extend(document.balances.into_iter().map(Record::Balance));
    records.extend(document.controls.into_iter().map(Record::Control));
    records.extend(parsed.findings.into_iter().map(Record::Finding));
    (document.status, told(&records))
}

fn streamed(bytes: &[u8], size: usize) -> (Status, Vec<String>) {
    let mut records = Vec::new();
    let mut sink = |record: Record<'_>| records.push(record.into_owned());
    let mut stream = Stream::new(&Limits::default());
    for chunk in bytes.chunks(size) {
        stream.feed(chunk, &mut sink);
    }
    let status = stream.finish(&mut sink).status;
    (status, told(&records))
}

/// A sample made long enough that a stream decides before it has all of it.
fn long(bytes: &[u8]) -> Vec<u8> {
    bytes.repeat(8000 / bytes.len().max(1) + 2)
}

#[test]
fn chunks_of_any_size_give_what_the_whole_gives() {
    for format in ["bai2", "lockbox"] {
        for (name, bytes) in files(format) {
            for bytes in [bytes.clone(), long(&bytes)] {
                let expected = whole(&bytes);
                for size in [1, 2, 3, 7, 64, 81, 1000, 4096, 5000] {
                    assert!(streamed(&bytes, size) == expected, "{format}/{name} in chunks of {size}");
                }
            }
        }
    }
}

/// Never accepted when a control disagrees, unless the one record that explains it is set aside and told about.
fn assert_honest(bytes: &[u8]) {
    let parsed = parse(bytes, &Limits::default());
    let accepted = matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings);
    let aside = parsed.findings.iter().filter(|finding| finding.effect == Effect::RecordSetAside).count();
    let disagree = parsed.document.controls.iter().any(|control| !control.ok);
    assert!(!(accepted && disagree && aside == 0), "accepted, and a control disagrees");
    let held = parsed.findings.iter().any(|finding| finding.effect >= Effect::FileHeld);
    assert!(!(accepted && held), "accepted, and a finding holds the file");
    for finding in &parsed.findings {
        assert!(finding.location.byte <= bytes.len() as u64, "a finding behind the end of the file");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics_and_never_passes(
        lockbox in any::<bool>(),
        pick in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
        size in 1..200_usize,
    ) {
        let files = files(if lockbox { "lockbox" } else { "bai2" });
        let mut bytes = pick.get(&files).1.clone();
        for (at, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        assert_honest(&bytes);
        prop_assert!(streamed(&bytes, size) == whole(&bytes));
    }

    #[test]
    fn a_cut_file_is_never_accepted(lockbox in any::<bool>(), pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let mut files = files(if lockbox { "lockbox" } else { "bai2" });
        files.retain(|(name, _)| name.starts_with("good/"));
        let bytes = &pick.get(&files).1;
        let trailer = bytes.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').expect("several lines");
        let status = parse(&bytes[..at.index(trailer)], &Limits::default()).document.status;
        prop_assert!(matches!(status, Status::Held | Status::Rejected), "{status:?}");
    }

    #[test]
    fn a_changed_digit_of_an_amount_is_noticed(lockbox in any::<bool>(), pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), by in 1..10_u8) {
        let mut files = files(if lockbox { "lockbox" } else { "bai2" });
        files.retain(|(name, _)| name.starts_with("good/") && !name.contains("no-checks"));
        let mut bytes = pick.get(&files).1.clone();
        let payments = parse(&bytes, &Limits::default()).document.payments.iter().map(|payment| payment.location.byte).collect::<Vec<_>>();
        let record = usize::try_from(*at.get(&payments)).expect("a position");
        // The last digit of the amount: columns 8 to 17 of a check, the third field of a 16.
        let last = if lockbox {
            record + 16
        } else {
            let commas: Vec<usize> = (record..bytes.len()).filter(|at| bytes[*at] == b',').take(3).collect();
            commas[2] - 1
        };
        bytes[last] = b'0' + (bytes[last] - b'0' + by) % 10;
        let status = parse(&bytes, &Limits::default()).document.status;
        prop_assert_eq!(status, Status::Held);
    }
}
