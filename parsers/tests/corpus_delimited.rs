//! The CSV files of the shared corpus, where it is there: every one is read, and says what its maker meant.

use std::{fs, path::PathBuf};

use tieout_parsers::{Format, Limits, Status, parse};

type Case = (&'static str, Format, Status, &'static [i64], &'static [i64]);

/// File, format and status, and the money of its payments and of its advice lines in minor units.
///
/// Argued differences from the list of files: `syn-remit.csv` foots as its total row says. `camt_file` and `pain_file` are summaries that
/// a program wrote about other files; they hold no payment. The garbled amount sets its row aside.
const EXPECTED: [Case; 10] = [
    ("bsp-camt_file.csv", Format::Unknown, Status::Rejected, &[], &[]),
    ("bsp-pain_file.csv", Format::Unknown, Status::Rejected, &[], &[]),
    ("bsp-csv_european_decimals.csv", Format::Csv, Status::Accepted, &[-123_456, 350_000, -450], &[]),
    ("bsp-csv_french_headers.csv", Format::Csv, Status::Accepted, &[-123_456, 350_000, -450], &[]),
    ("bsp-csv_garbled_amount.csv", Format::Csv, Status::AcceptedWithFindings, &[10_000], &[]),
    ("bsp-csv_spanish_headers.csv", Format::Csv, Status::Accepted, &[-123_456, 350_000, -450], &[]),
    ("bsp-sample_split_amounts.csv", Format::Csv, Status::Accepted, &[125_050, -20_025], &[]),
    ("bsp-sample_statement.csv", Format::Csv, Status::Accepted, &[250_000, -120_000], &[]),
    ("syn-remit.csv", Format::Csv, Status::Accepted, &[], &[150_000, 98_000, -8_000]),
    ("syn-remit-semicolon-latin1.csv", Format::Csv, Status::AcceptedWithFindings, &[], &[150_000, -8_000]),
];

#[test]
fn every_csv_of_the_corpus_is_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/other");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    for (name, format, status, payments, lines) in EXPECTED {
        let bytes = fs::read(folder.join(name)).expect("a file of the corpus");
        let parsed = parse(&bytes, &Limits::default());
        let document = &parsed.document;
        assert_eq!((document.format, document.status), (format, status), "{name}: {:?}", parsed.findings);
        let money: Vec<i64> =
            document
                .payments
                .iter()
                .map(|payment| {
                    if payment.direction == tieout_parsers::Direction::Debit {
                        -payment.amount.minor
                    } else {
                        payment.amount.minor
                    }
                })
                .collect();
        assert_eq!(money, payments, "{name}");
        let nets: Vec<i64> = document
            .remittances
            .iter()
            .flat_map(|advice| &advice.lines)
            .filter_map(|line| line.net)
            .map(|net| net.minor)
            .collect();
        assert_eq!(nets, lines, "{name}");
    }
    let listed = EXPECTED.iter().map(|(name, ..)| (*name).to_owned()).collect::<std::collections::BTreeSet<_>>();
    let there = fs::read_dir(&folder).expect("a folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let there = there.filter(|name| name.ends_with(".csv")).collect();
    assert_eq!(listed, there, "every CSV file is judged");
}
