//! Drafted mappings: a file read with its own draft gives what the mapping written by hand gives, or the difference is argued here.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use support::told_money;
use tieout_parsers::{Limits, Mapping, Options, Status, draft_mapping, parse, parse_with};

/// Files whose draft cannot give the same, and why.
const ARGUED: [(&str, &str); 4] = [
    ("card-04-no-total.csv", "a file that lost its total row does not show that it had one"),
    ("card-06-cut-off.csv", "the same: the total stood behind the cut"),
    (
        "bsp-camt_file.csv",
        "no mapping by hand reads it; the draft takes the summary of a file for a payment and says that it guesses",
    ),
    ("bsp-pain_file.csv", "one column is no table"),
];

/// Records and their money, without the method, which a file does not say, and without findings.
fn records(bytes: &[u8], own: Vec<std::sync::Arc<Mapping>>) -> (Status, String) {
    let parsed = parse_with(bytes, &Options { mappings: own, ..Options::default() });
    let told: Vec<String> = told_money(&parsed)
        .lines()
        .filter(|line| !line.starts_with('!') && !line.starts_with('≠'))
        .map(|line| line.replace(" Card ", " Other "))
        .collect();
    (parsed.document.status, told.join("\n"))
}

fn check_folder(folder: &Path) -> usize {
    let mut count = 0;
    let mut names: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    names.retain(|path| path.extension().is_some_and(|end| end == "csv" || end == "xlsx"));
    names.sort();
    for path in names {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&path).expect("a file");
        let draft = draft_mapping(&bytes, &Limits::default());
        if ARGUED.iter().any(|(argued, _)| *argued == name) {
            continue;
        }
        let draft = draft.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mapping = Mapping::parse(&draft.toml).unwrap_or_else(|error| panic!("{name}: {error}\n{}", draft.toml));
        assert_eq!(records(&bytes, vec![mapping.into()]), records(&bytes, Vec::new()), "{name}\n{}", draft.toml);
        count += 1;
    }
    count
}

#[test]
fn drafts_of_all_samples_read_what_the_shipped_mappings_read() {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let folders = ["csv/good", "csv/odd", "csv/broken", "xlsx/good", "xlsx/odd", "xlsx/broken"];
    let count: usize = folders.into_iter().map(|folder| check_folder(&samples.join(folder))).sum();
    assert!(count >= 15, "{count} samples");
    if let Some(folder) = support::corpus_of("other") {
        assert!(check_folder(&folder) >= 8);
    }
}

#[test]
fn what_cannot_be_known_is_said() {
    let draft = |text: &str| {
        draft_mapping(text.as_bytes(), &Limits::default()).map(|draft| draft.toml).unwrap_or_else(|error| error.to_string())
    };
    let unknown = draft("Tag;Wer;Wofür;Wieviel\n03.04.2026;Müller;RE 1;1.500\n05.04.2026;Meier;RE 2;80\n");
    for told in ["AMBIGUOUS", "GUESS", "decimal = \"auto\"", "currency = \"USD\"", "# column 3, \"Wofür\", is not used"] {
        assert!(unknown.contains(told), "{told}\n{unknown}");
    }
    let dates = draft("Date,Description,Amount\n03/04/2026,a,1.50\n05/04/2026,b,2.50\n");
    assert!(
        dates.contains("formats = [\"%m/%d/%Y\"]   # 2 of 2 values of date; AMBIGUOUS: %d/%m/%Y fits all of them too"),
        "{dates}"
    );
    let settled = draft("Date,Description,Amount\n03/04/2026,a,1.50\n25/04/2026,b,2.50\n");
    assert!(settled.contains("formats = [\"%d/%m/%Y\"]   # 2 of 2 values of date\n"), "{settled}");
    let in_name = draft("Date,Description,Amount (GBP)\n2026-04-03,a,1.50\n");
    assert!(in_name.contains("currency = \"GBP\"   # a column name says so"), "{in_name}");
    assert!(draft("Name,Street\nA,B\n").contains("no column holds amounts"));
    assert!(draft("hello\nworld\n").contains("no row of two or more column names"));
    assert!(draft("").contains("no row"));
}

#[test]
fn a_draft_reads_what_no_shipped_mapping_knows() {
    let file = "Rémittance de ACME\n\nDonneur d'ordre;Numéro de facture;Montant payé\nACME;F-1;1 500,00\nACME;F-2;80,00\nACME;Total;1 580,00\n";
    assert_eq!(parse(file.as_bytes(), &Limits::default()).document.status, Status::Rejected);
    let draft = draft_mapping(file.as_bytes(), &Limits::default()).expect("a draft");
    assert_eq!((draft.records, draft.set_aside), (2, 0), "{}", draft.toml);
    let mapping = Mapping::parse(&draft.toml).expect("a mapping");
    let (status, told) = records(file.as_bytes(), vec![mapping.into()]);
    assert_eq!(status, Status::Accepted, "{told}");
    assert!(told.contains("1580.00 EUR"), "{told}");
}
