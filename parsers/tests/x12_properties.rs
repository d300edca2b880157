//! What must hold for any bytes: chunks never change what is read, damage never panics, and a file that lost its end is never
//! accepted. Inputs are written files with random delimiters and content, random damage done to them, and random bytes.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use proptest::prelude::*;
use tieout_parsers::{Control, Finding, Limits, Parsed, Payment, Record, Remittance, Status, Stream, Summary, parse};

/// Everything a reading gives, in the order of a document.
#[derive(Debug, Default, PartialEq)]
struct Read {
    payments: Vec<Payment<'static>>,
    remittances: Vec<Remittance<'static>>,
    controls: Vec<Control>,
    findings: Vec<Finding>,
}

fn whole(bytes: &[u8], limits: &Limits) -> (Read, Summary) {
    let Parsed { document, findings, received } = parse(bytes, limits);
    let summary = Summary { format: document.format, status: document.status, received };
    let read = Read {
        payments: document.payments.into_iter().map(Payment::into_owned).collect(),
        remittances: document.remittances.into_iter().map(Remittance::into_owned).collect(),
        controls: document.controls,
        findings,
    };
    (read, summary)
}

fn in_chunks<'c>(chunks: impl Iterator<Item = &'c [u8]>, limits: &Limits) -> (Read, Summary) {
    let mut read = Read::default();
    let mut sink = |record: Record<'_>| match record.into_owned() {
        Record::Payment(record) => read.payments.push(*record),
        Record::Remittance(record) => read.remittances.push(*record),
        Record::Control(record) => read.controls.push(record),
        Record::Finding(record) => read.findings.push(record),
        _ => {}
    };
    let mut stream = Stream::new(limits);
    for chunk in chunks {
        stream.feed(chunk, &mut sink);
    }
    let summary = stream.finish(&mut sink);
    (read, summary)
}

/// Cuts at pseudo-random places around `size`.
fn cut(bytes: &[u8], size: usize, seed: u64) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut state = seed | 1;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = 1 + (state >> 33) as usize % size;
        let (head, tail) = rest.split_at(length.min(rest.len()));
        chunks.push(head);
        rest = tail;
    }
    chunks
}

/// The delimiters of one interchange and what stands after a terminator.
#[derive(Clone, Debug)]
struct Style {
    element: char,
    component: char,
    terminator: &'static str,
    after: &'static str,
}

fn style() -> impl Strategy<Value = Style> {
    let terminators = prop::sample::select(vec!["~", "\\", "\n", "\r\n", "!", "\u{d6}", "\r"]);
    let after = prop::sample::select(vec!["", "\n", "\r\n", "  \n\t", "\n\n"]);
    (prop::sample::select(vec!['*', '|', '\u{1d}']), prop::sample::select(vec!['>', ':', '^']), terminators, after)
        .prop_map(|(element, component, terminator, after)| Style { element, component, terminator, after })
}

fn segment(out: &mut String, style: &Style, elements: &[&str]) {
    out.push_str(&elements.join(&style.element.to_string()));
    out.push_str(style.terminator);
    out.push_str(style.after);
}

/// One open item: number, net and discount in cents, with or without an adjustment.
type Item = (u32, u32, u32, bool);

fn interchange(out: &mut String, style: &Style, number: u32, sets: &[Vec<Item>]) {
    let header = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*U*00401*";
    out.push_str(&header.replace('*', &style.element.to_string()));
    out.push_str(&format!("{number:09}{0}0{0}P{0}{1}{2}{3}", style.element, style.component, style.terminator, style.after));
    segment(out, style, &["GS", "RA", "SENDER", "RECEIVER", "20250101", "1200", "7", "X", "004010"]);
    for (index, items) in sets.iter().enumerate() {
        set(out, style, index + 1, items);
    }
    segment(out, style, &["GE", &sets.len().to_string(), "7"]);
    segment(out, style, &["IEA", "1", &format!("{number:09}")]);
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn set(out: &mut String, style: &Style, number: usize, items: &[Item]) {
    let number = format!("{number:04}");
    let total: i64 = items.iter().map(|(_, net, _, _)| i64::from(*net)).sum();
    segment(out, style, &["ST", "820", &number]);
    segment(out, style, &["BPR", "C", &money(total), "C", "ACH", "CTX", "", "", "", "", "", "", "", "", "", "", "20250102"]);
    segment(out, style, &["TRN", "1", &format!("TRACE{number}")]);
    segment(out, style, &["N1", "PR", "CAF\u{c9} MÜLLER"]);
    segment(out, style, &["ENT", "1"]);
    let mut count = 6;
    for (invoice, net, discount, adjusted) in items {
        let adjustment = if *adjusted { -150 } else { 0 };
        let gross = i64::from(*net) + i64::from(*discount) - adjustment;
        let invoice = format!("INV-{invoice}");
        let (net, gross, discount) = (money(i64::from(*net)), money(gross), money(i64::from(*discount)));
        segment(out, style, &["RMR", "IV", &invoice, "PI", &net, &gross, &discount]);
        segment(out, style, &["DTM", "003", "20241215"]);
        count += 2;
        if *adjusted {
            segment(out, style, &["ADX", &money(adjustment), "01", "DB", "DM1"]);
            count += 1;
        }
    }
    segment(out, style, &["SE", &count.to_string(), &number]);
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec((1..99_999_u32, 0..9_000_000_u32, 0..5_000_u32, any::<bool>()), 1..6)
}

/// A clean file of interchanges that separate differently, and how many sets it has.
fn file() -> impl Strategy<Value = (String, usize)> {
    let interchanges = prop::collection::vec((style(), prop::collection::vec(items(), 1..4)), 1..4);
    interchanges.prop_map(|interchanges| {
        let mut text = String::new();
        let mut sets = 0;
        for ((style, contents), number) in interchanges.iter().zip(1..) {
            interchange(&mut text, style, number, contents);
            sets += contents.len();
        }
        (text, sets)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clean_file_is_accepted_and_adds_up((text, sets) in file()) {
        let (read, summary) = whole(text.as_bytes(), &Limits::default());
        prop_assert_eq!(summary.status, Status::Accepted, "{:?}", read.findings);
        prop_assert_eq!(read.remittances.len(), sets);
        prop_assert!(read.controls.iter().all(|control| control.ok));
        for remittance in &read.remittances {
            let sum: i64 = remittance.lines.iter().filter_map(|line| line.net).map(|net| net.minor).sum();
            prop_assert_eq!(remittance.total.map(|total| total.minor), Some(sum));
        }
        let names = read.remittances.iter().map(|remittance| remittance.payer.name.as_deref());
        let all_named = names.into_iter().all(|name| name == Some("CAFÉ MÜLLER"));
        prop_assert!(all_named);
    }

    #[test]
    fn every_place_names_the_byte_it_means((text, _) in file()) {
        let (read, _) = whole(text.as_bytes(), &Limits::default());
        for line in read.remittances.iter().flat_map(|remittance| &remittance.lines) {
            let byte = usize::try_from(line.location.byte).expect("a small file");
            prop_assert!(text[byte..].starts_with("RMR"));
            let breaks = text[..byte].matches('\n').count() as u64;
            prop_assert_eq!(line.location.line, Some(breaks + 1));
        }
    }

    #[test]
    fn chunks_change_nothing((text, _) in file(), size in 1..300_usize, seed in any::<u64>()) {
        let limits = Limits::default();
        let chunks = cut(text.as_bytes(), size, seed);
        prop_assert_eq!(in_chunks(chunks.into_iter(), &limits), whole(text.as_bytes(), &limits));
    }

    #[test]
    fn chunks_change_nothing_in_a_wrapped_file((text, _) in file(), size in 1..300_usize, seed in any::<u64>(), column in 30..90_usize) {
        let flat: Vec<char> = text.chars().filter(|c| *c != '\n' && *c != '\r').collect();
        let wrapped: String = flat.chunks(column).map(|line| line.iter().collect::<String>() + "\n").collect();
        let limits = Limits::default();
        let chunks = cut(wrapped.as_bytes(), size, seed);
        prop_assert_eq!(in_chunks(chunks.into_iter(), &limits), whole(wrapped.as_bytes(), &limits));
    }

    #[test]
    fn damage_never_panics_and_chunks_still_change_nothing(
        (text, _) in file(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8, any::<u8>()), 1..6),
        size in 1..300_usize,
        seed in any::<u64>(),
        segment_bytes_max in prop::sample::select(vec![40_usize, 120, 1 << 20]),
        transaction_bytes_max in prop::sample::select(vec![300_usize, 1 << 20]),
        findings_max in prop::sample::select(vec![2_usize, 1000]),
    ) {
        let mut bytes = text.into_bytes();
        for (place, kind, byte) in damage {
            harm(&mut bytes, place, kind, byte);
        }
        let limits = Limits { segment_bytes_max, transaction_bytes_max, findings_max, ..Limits::default() };
        let chunks = cut(&bytes, size, seed);
        prop_assert_eq!(in_chunks(chunks.into_iter(), &limits), whole(&bytes, &limits));
    }

    #[test]
    fn a_file_that_lost_its_end_is_never_accepted((text, _) in file(), keep in any::<prop::sample::Index>()) {
        let mut at = keep.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let cut = text[..at].trim_end();
        let (read, summary) = whole(cut.as_bytes(), &Limits::default());
        let accepted = matches!(summary.status, Status::Accepted | Status::AcceptedWithFindings);
        // Complete means that the last thing is the whole of an IEA, with or without its terminator.
        let complete = cut.lines().last().is_some() && ends_with_iea(cut);
        prop_assert!(!accepted || complete, "{:?} {:?}", read.findings, cut);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400), with_header in any::<bool>()) {
        let header = b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*U*00401*000000001*0*P*>~";
        let mut input = if with_header { header.to_vec() } else { Vec::new() };
        input.extend(bytes);
        whole(&input, &Limits::default());
    }
}

fn ends_with_iea(text: &str) -> bool {
    let tail = text.rfind("IEA").map(|at| &text[at..]).unwrap_or_default();
    tail.chars().filter(char::is_ascii_digit).count() == 10 && !tail.contains("ISA")
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
        _ => {
            let copy = bytes[at..(at + 40).min(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}
