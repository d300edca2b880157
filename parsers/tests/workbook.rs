//! XLSX workbooks: the same tables as CSV, from sheets that are built here cell by cell. The samples are built here too, so that everybody
//! can see what is in them.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

mod support;
#[path = "support/workbook.rs"]
mod workbook;

use std::{env, fs, path::PathBuf};

use support::{assert_told, told_money};
use tieout_parsers::{Format, Limits, Parsed, Status, parse};
use workbook::{Book, package};

fn read(bytes: &[u8]) -> Parsed<'_> {
    let parsed = parse(bytes, &Limits::default());
    support::assert_chunks_agree(bytes, &parsed, "a workbook");
    parsed
}

const ADVICE: &[&str] = &["s:Payer", "s:Payment Ref", "s:Payment Date", "s:Invoice", "s:Gross", "s:Discount", "s:Net"];

/// A title over merged cells, two payers, numbers as programs store them, and a total by formula.
fn advice() -> Book {
    Book::default()
        .sheet(
            "March payments",
            "visible",
            &[
                &["s:Payments of Harbor Light & Sons"],
                &[],
                ADVICE,
                &["s:Harbor Light Supply", "i:0412998", "d:46097", "s:NW-4101", "n:1900", "n:38", "f:1862.0000000000002"],
                &["s:Harbor Light Supply", "i:0412998", "d:46097", "s:NW-4102", "n:375.1", "", "n:375.10000000000002"],
                &["", "", "", "s:TOTAL", "", "", "f:2237.1"],
            ],
        )
        .sheet("Notes", "visible", &[&["s:Prepared by", "s:treasury"]])
        .sheet("Old", "hidden", &[ADVICE, &["s:Harbor Light Supply", "i:9", "d:46000", "s:NW-1", "n:1", "", "n:1"]])
}

/// A bank download on two sheets, in the other epoch, with amounts and days as numbers and as local text.
fn bank() -> Book {
    let header: &[&str] = &["s:Buchungstag", "s:Verwendungszweck", "s:Auftraggeber", "s:Betrag", "s:Währung"];
    Book { epoch_1904: true, ..Book::default() }
        .sheet(
            "Januar",
            "visible",
            &[
                header,
                &["d:44635", "s:RG NW-4103", "s:Müller GmbH", "n:1250.5", "s:EUR"],
                &["i:17.03.2026", "s:Miete", "", "i:-900,00", "s:EUR"],
            ],
        )
        .sheet("Februar", "visible", &[header, &["n:44636", "s:RG NW-4104", "s:Müller GmbH", "s:1.250,50", "s:EUR"]])
}

/// Amounts and days that say less or more than they may.
fn wrong() -> Book {
    Book::default().sheet(
        "Book1",
        "visible",
        &[
            &["s:Date", "s:Description", "s:Amount", "s:Currency"],
            &["d:46097", "s:three decimals", "n:1200.505", "s:USD"],
            &["d:46097", "s:an error", "e:#N/A", "s:USD"],
            &["n:7", "s:no day of our time", "n:5", "s:USD"],
            &["d:46097", "s:a day for an amount", "d:46097", "s:USD"],
            &["t:2026-03-16T00:00:00", "s:good", "n:12.3", "s:USD"],
            &["d:46097", "s:too wide", "n:1", "s:USD", "s:more"],
        ],
    )
}

#[test]
fn an_advice_is_read_through_titles_formulas_and_binary_numbers() {
    let bytes = advice().bytes();
    let parsed = read(&bytes);
    assert_eq!((parsed.document.format, parsed.document.status), (Format::Xlsx, Status::AcceptedWithFindings));
    let advice = &parsed.document.remittances[0];
    let nets: Vec<i64> = advice.lines.iter().filter_map(|line| line.net).map(|net| net.minor).collect();
    assert_eq!(nets, [186_200, 37_510]);
    assert_eq!(
        (advice.date.map(|date| date.to_string()).as_deref(), advice.trace.as_deref()),
        (Some("2026-03-16"), Some("0412998"))
    );
    let place = advice.lines[1].location;
    assert_eq!((place.sheet, place.line, place.byte), (Some(1), Some(5), 0));
    assert!(parsed.document.controls.iter().any(|control| control.level == "file" && control.ok), "the total is compared");
    let messages: Vec<&str> = parsed.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.starts_with("Notes: the sheet has no header")), "{messages:?}");
    assert!(
        messages.iter().any(|message| message.starts_with("Old: the sheet is hidden and was not read, although")),
        "{messages:?}"
    );
}

#[test]
fn both_epochs_and_local_texts_give_the_same_days_and_amounts() {
    let bytes = bank().bytes();
    let parsed = read(&bytes);
    let money: Vec<(i64, String)> = parsed
        .document
        .payments
        .iter()
        .map(|payment| (payment.amount.minor, payment.value_date.map(|date| date.to_string()).unwrap_or_default()))
        .collect();
    let expected = [(125_050, "2026-03-16"), (90_000, "2026-03-17"), (125_050, "2026-03-17")];
    assert_eq!(money, expected.map(|(minor, day)| (minor, day.to_owned())), "{:?}", parsed.findings);
}

#[test]
fn what_is_wrong_names_its_cell() {
    let bytes = wrong().bytes();
    let parsed = read(&bytes);
    assert_eq!(parsed.document.payments.len(), 1);
    let told: Vec<&str> = parsed.findings.iter().map(|finding| finding.message.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(told, ["Book1!C2", "Book1!C3", "Book1!A4", "Book1!C5", "Book1!7:7"]);
}

#[test]
fn a_workbook_that_unpacks_without_end_is_refused() {
    let zeros = "0".repeat(9 << 20);
    let bytes = advice().bytes();
    let limits = Limits { workbook_bytes_max: 1 << 20, ..Limits::default() };
    assert_eq!(parse(&bytes, &limits).document.status, Status::AcceptedWithFindings);
    for (part, content, status) in [
        ("xl/sharedStrings.xml", format!("<sst><si><t>{zeros}</t></si></sst>"), Status::Rejected),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet><sheetData><row><c><v>{zeros}</v></c></row></sheetData></worksheet>"),
            Status::Rejected,
        ),
        ("xl/workbook.xml", "<!DOCTYPE w [<!ENTITY a \"b\">]><workbook/>".to_owned(), Status::Rejected),
    ] {
        let bomb = replaced(&bytes, part, &content);
        let parsed = parse(&bomb, &limits);
        assert_eq!(parsed.document.status, status, "{part}: {:?}", parsed.findings);
        assert!(parsed.document.remittances.is_empty() && parsed.document.payments.is_empty());
    }
    assert_eq!(parse(&bytes, &Limits { workbook_bytes_max: 100, ..Limits::default() }).document.status, Status::Rejected);
}

#[test]
fn a_sheet_that_is_cut_off_holds_the_file() {
    let bytes = advice().bytes();
    let whole = String::from_utf8(part_of(&bytes, "xl/worksheets/sheet1.xml")).expect("text");
    let cut = &whole[..whole.rfind("<row").expect("rows")];
    let parsed_bytes = replaced(&bytes, "xl/worksheets/sheet1.xml", cut);
    assert_eq!(parse(&parsed_bytes, &Limits::default()).document.status, Status::Held);
    for end in [10, bytes.len() / 2, bytes.len() - 5] {
        assert_eq!(parse(&bytes[..end], &Limits::default()).document.status, Status::Rejected, "{end} bytes");
    }
}

#[test]
fn other_packages_are_no_workbooks() {
    let bytes = package(&[("word/document.xml".to_owned(), "<document/>".to_owned())]);
    assert_eq!(read(&bytes).document.format, Format::Unknown);
    let open_items = Book::default().sheet("Items", "visible", &[&["s:invoice_number", "s:customer_id", "s:gross", "s:net"]]);
    let bytes = open_items.bytes();
    assert_eq!(read(&bytes).document.status, Status::Rejected);
}

/// A part of a package.
fn part_of(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a package");
    let mut content = Vec::new();
    std::io::copy(&mut archive.by_name(name).expect("a part"), &mut content).expect("bytes");
    content
}

/// The package with another content of one part.
fn replaced(bytes: &[u8], name: &str, content: &str) -> Vec<u8> {
    let archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a package");
    let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let parts: Vec<(String, String)> = names
        .into_iter()
        .map(|held| {
            let text = if held == name { content.to_owned() } else { String::from_utf8(part_of(bytes, &held)).expect("text") };
            (held, text)
        })
        .collect();
    package(&parts)
}

#[test]
fn samples_are_built_here_and_read_as_expected() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/xlsx");
    #[expect(clippy::disallowed_methods, reason = "tests read their own variables")]
    let writes = env::var_os("UPDATE_EXPECT").is_some();
    let mut told = String::new();
    for (name, book) in [
        ("good/bank-01-two-sheets-1904", bank()),
        ("odd/advice-01-hidden-sheet", advice()),
        ("broken/bank-02-wrong-cells", wrong()),
    ] {
        let (path, bytes) = (root.join(format!("{name}.xlsx")), book.bytes());
        if writes {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, &bytes).expect("the sample is written");
        }
        assert!(
            fs::read(&path).is_ok_and(|held| held == bytes),
            "{name} is not what this test builds; UPDATE_EXPECT=1 writes it anew"
        );
        let parsed = read(&bytes);
        told.push_str(&format!("== {name} {}\n{}\n", parsed.document.status.as_str(), told_money(&parsed)));
    }
    assert_told(&told, include_str!("expected/xlsx.txt"), "xlsx");
}
