//! What must hold for any bytes: chunks never change what is read, damage never panics, and a settlement report whose rows or totals
//! were changed is never accepted with other money than it had.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use proptest::prelude::*;
use tieout_parsers::{Direction, Limits, Parsed, Record, Status, Stream, Summary, parse};

const CARD: [&str; 8] = ["record", "date", "merchant", "reference", "payer", "amount", "currency", "text"];

/// Everything a reading gives, as text.
fn whole(bytes: &[u8], limits: &Limits) -> (Vec<String>, Summary) {
    let Parsed { document, findings, received } = parse(bytes, limits);
    let summary = Summary { format: document.format, status: document.status, received };
    let mut all = Vec::new();
    all.extend(document.payments.iter().map(|record| format!("{record:?}")));
    all.extend(document.remittances.iter().map(|record| format!("{record:?}")));
    all.extend(document.returns.iter().map(|record| format!("{record:?}")));
    all.extend(document.balances.iter().map(|record| format!("{record:?}")));
    all.extend(document.controls.iter().map(|record| format!("{record:?}")));
    all.extend(findings.iter().map(|record| format!("{record:?}")));
    (all, summary)
}

fn in_chunks(bytes: &[u8], size: usize, seed: u64, limits: &Limits) -> (Vec<String>, Summary) {
    let mut kinds: [Vec<String>; 6] = Default::default();
    let mut sink = |record: Record<'_>| match record {
        Record::Payment(record) => kinds[0].push(format!("{record:?}")),
        Record::Remittance(record) => kinds[1].push(format!("{record:?}")),
        Record::Return(record) => kinds[2].push(format!("{record:?}")),
        Record::Balance(record) => kinds[3].push(format!("{record:?}")),
        Record::Control(record) => kinds[4].push(format!("{record:?}")),
        Record::Finding(record) => kinds[5].push(format!("{record:?}")),
        Record::Invoice(_) | Record::Acknowledgment(_) => {}
    };
    let mut stream = Stream::new(limits);
    let (mut rest, mut state) = (bytes, seed | 1);
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = 1 + (state >> 33) as usize % size;
        let (head, tail) = rest.split_at(length.min(rest.len()));
        stream.feed(head, &mut sink);
        rest = tail;
    }
    let summary = stream.finish(&mut sink);
    (kinds.concat(), summary)
}

fn cell(out: &mut String, text: &str, delimiter: char, quoted: bool) {
    if quoted || text.contains([delimiter, '"', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// How a file is written, and in which order its columns stand.
#[derive(Clone, Debug)]
struct Style {
    delimiter: char,
    line_end: &'static str,
    quoted: bool,
    order: Vec<usize>,
}

fn style() -> impl Strategy<Value = Style> {
    let order = Just((0..CARD.len()).collect::<Vec<_>>()).prop_shuffle();
    let delimiter = prop::sample::select(vec![',', ';', '\t', '|']);
    (delimiter, prop::sample::select(vec!["\n", "\r\n", "\r"]), any::<bool>(), order)
        .prop_map(|(delimiter, line_end, quoted, order)| Style { delimiter, line_end, quoted, order })
}

fn row(out: &mut String, style: &Style, cells: [&str; 8]) {
    for (index, place) in style.order.iter().enumerate() {
        if index > 0 {
            out.push(style.delimiter);
        }
        cell(out, cells[*place], style.delimiter, style.quoted);
    }
    out.push_str(style.line_end);
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// A settlement report, its net in cents, and how many items it has.
fn report() -> impl Strategy<Value = (String, i64, usize)> {
    let name = prop::sample::select(vec!["ACME", "LARSEN, INC", "SAY \"YES\"", "TWO\nLINES", "MÜLLER", "A;B|C\tD"]);
    let items = prop::collection::vec((1..9_000_000_i64, any::<bool>(), name), 1..12);
    (style(), items).prop_map(|(style, items)| {
        let mut text = String::new();
        row(&mut text, &style, CARD);
        let mut net = 0;
        for (number, (cents, paid, name)) in items.iter().enumerate() {
            let cents = if *paid { *cents } else { -*cents };
            let kind = if *paid { "PAYMENT" } else { "CHARGEBACK" };
            net += cents;
            let trace = format!("T{number}");
            row(&mut text, &style, [kind, "2026-01-05", "MID000001", &trace, name, &money(cents), "USD", ""]);
        }
        let count = items.len().to_string();
        row(&mut text, &style, ["TOTAL", "2026-01-05", "MID000001", &count, "", &money(net), "USD", ""]);
        (text, net, items.len())
    })
}

/// What the payments and returns of a reading come to.
fn net(parsed: &Parsed<'_>) -> i64 {
    let paid: i64 = parsed.document.payments.iter().map(|payment| payment.amount.minor).sum();
    paid - parsed.document.returns.iter().map(|returned| returned.amount.minor).sum::<i64>()
}

fn harm(bytes: &mut Vec<u8>, place: prop::sample::Index, kind: u8, byte: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = place.index(bytes.len());
    match kind {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        4 => bytes[at] = b'"',
        _ => {
            let copy = bytes[at..(at + 40).min(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clean_report_is_accepted_and_adds_up((text, expected, items) in report()) {
        let parsed = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.document.status, Status::Accepted, "{:?}", parsed.findings);
        prop_assert_eq!(parsed.document.payments.len() + parsed.document.returns.len(), items);
        prop_assert_eq!(net(&parsed), expected);
        prop_assert!(parsed.document.payments.iter().all(|payment| payment.direction == Direction::Credit));
        for payment in &parsed.document.payments {
            let byte = usize::try_from(payment.location.byte).expect("a small file");
            let before = text[..byte].replace("\r\n", "\n").matches(['\n', '\r']).count() as u64;
            prop_assert_eq!(payment.location.line, Some(before + 1));
        }
    }

    #[test]
    fn chunks_change_nothing((text, _, _) in report(), size in 1..300_usize, seed in any::<u64>()) {
        let limits = Limits::default();
        prop_assert_eq!(in_chunks(text.as_bytes(), size, seed, &limits), whole(text.as_bytes(), &limits));
    }

    #[test]
    fn damage_never_panics_and_chunks_still_change_nothing(
        (text, _, _) in report(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..6_u8, any::<u8>()), 1..6),
        size in 1..300_usize,
        seed in any::<u64>(),
        segment_bytes_max in prop::sample::select(vec![60_usize, 120, 1 << 20]),
        transaction_bytes_max in prop::sample::select(vec![300_usize, 1 << 20]),
        findings_max in prop::sample::select(vec![2_usize, 1000]),
    ) {
        let mut bytes = text.into_bytes();
        for (place, kind, byte) in damage {
            harm(&mut bytes, place, kind, byte);
        }
        let limits = Limits { segment_bytes_max, transaction_bytes_max, findings_max, ..Limits::default() };
        prop_assert_eq!(in_chunks(&bytes, size, seed, &limits), whole(&bytes, &limits));
    }

    #[test]
    fn a_report_that_lost_its_end_is_never_accepted((text, _, _) in report(), keep in any::<prop::sample::Index>()) {
        let total = text.rfind("TOTAL").expect("a total row");
        // Whatever stands before the word TOTAL may be the rest of the total row, when other columns come first.
        let row = text[..total].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let end = (0..=row).rev().find(|at| text.is_char_boundary(keep.index(row + 1).min(*at))).unwrap_or(0);
        let cut = keep.index(row + 1).min(end);
        let parsed = parse(&text.as_bytes()[..cut], &Limits::default());
        prop_assert!(matches!(parsed.document.status, Status::Held | Status::Rejected), "{:?}", parsed.findings);
    }

    #[test]
    fn no_single_digit_changes_what_is_accepted((text, expected, _) in report(), place in any::<prop::sample::Index>(), digit in b'0'..=b'9') {
        let mut bytes = text.into_bytes();
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        bytes[digits[place.index(digits.len())]] = digit;
        let parsed = parse(&bytes, &Limits::default());
        let accepted = matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings);
        let aside = parsed.findings.iter().any(|finding| finding.effect == tieout_parsers::Effect::RecordSetAside);
        prop_assert!(!accepted || aside || net(&parsed) == expected, "{:?}", parsed.findings);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400), header in 0..3_usize) {
        let header = ["", "record,date,merchant,reference,payer,amount,currency,text\n", "Date;Description;Amount;Balance\n"][header];
        let mut input = header.as_bytes().to_vec();
        input.extend(bytes);
        whole(&input, &Limits::default());
    }

    #[test]
    fn any_rows_are_read(cells in prop::collection::vec("[\"0-9.,a-zA-Z\n \\-]{0,6}|PAYMENT|LINE|TOTAL|CHARGEBACK|2026-01-05|USD|5.00", 0..80), size in 1..50_usize) {
        let mut text = CARD.join(",") + ",invoice,net\n";
        for (index, cell) in cells.iter().enumerate() {
            text.push_str(cell);
            text.push(if index % 10 == 9 { '\n' } else { ',' });
        }
        let limits = Limits::default();
        prop_assert_eq!(in_chunks(text.as_bytes(), size, 7, &limits), whole(text.as_bytes(), &limits));
    }
}
