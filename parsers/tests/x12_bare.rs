//! X12 without an envelope: chunks never change what is read of it, whatever damage is done to it, and mere lines never become money.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

use proptest::prelude::*;
use tieout_parsers::{
    Limits, Options, Record, Stream, parse_with,
    x12::{Bare, Delimiters},
};

/// Segments of an advice, among them some that belong elsewhere.
const SEGMENTS: &[&str] = &[
    "RMR*IV*INV-1**100.00*105.00*5.00",
    "RMR*IV*INV-2**7",
    "ADX*-2.50*01*CM*C-1",
    "REF*PO*P-1",
    "DTM*003*20260301",
    "NTE*ADD*FOR MAY AND ",
    "TRN*1*T-1",
    "N1*PR*CAF\u{c9} PAYER",
    "ENT*1",
    "RMR*IV*INV-3**seven",
    "ST*820*0001",
    "SE*3*0001",
    "IEA*1*000000001",
    "ISA*00*",
    "BIN*3*a\\b",
    "### RESET ###\nRMR*IV*INV-4**1",
];

/// What a reading gives: every record in its JSON form, findings last, and the verdict.
type Read = (Vec<String>, Vec<String>, String);

fn sort(records: Vec<Record<'_>>) -> (Vec<String>, Vec<String>) {
    let json = |record: &Record<'_>| serde_json::to_string(record).expect("a record");
    let (findings, others): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| matches!(record, Record::Finding(_)));
    (others.iter().map(json).collect(), findings.iter().map(json).collect())
}

fn whole(bytes: &[u8], options: &Options) -> Read {
    let parsed = parse_with(bytes, options);
    let document = parsed.document;
    let mut records: Vec<Record<'_>> = Vec::new();
    records.extend(document.remittances.into_iter().map(|record| Record::Remittance(Box::new(record))));
    records.extend(document.payments.into_iter().map(|record| Record::Payment(Box::new(record))));
    records.extend(document.controls.into_iter().map(Record::Control));
    records.extend(parsed.findings.into_iter().map(Record::Finding));
    let (mut others, findings) = sort(records);
    others.sort();
    (others, findings, document.status.as_str().to_owned())
}

fn in_chunks(bytes: &[u8], size: usize, options: &Options) -> Read {
    let mut records: Vec<Record<'static>> = Vec::new();
    let mut sink = |record: Record<'_>| records.push(record.into_owned());
    let mut stream = Stream::with(options.clone());
    bytes.chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
    let summary = stream.finish(&mut sink);
    let (mut others, findings) = sort(records);
    others.sort();
    (others, findings, summary.status.as_str().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_and_damage(
        chosen in prop::collection::vec(prop::sample::select(SEGMENTS), 0..9),
        behind in prop::sample::select(vec!["", "\n", "\r\n", "   "]),
        terminated in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..3),
        size in 1..60_usize,
        sets in any::<bool>(),
    ) {
        let mut bytes = chosen.iter().flat_map(|segment| format!("{segment}\\{behind}").into_bytes()).collect::<Vec<u8>>();
        if !terminated {
            bytes.truncate(bytes.len().saturating_sub(behind.len() + 1));
        }
        for (place, kind, byte) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        let delimiters = Delimiters::bare(b'\\');
        let bare = if sets { Bare::Sets(delimiters) } else { Bare::Segments(delimiters) };
        let limits = Limits { segment_bytes_max: 60, ..Limits::default() };
        let options = Options { limits, bare: Some(bare), ..Options::default() };
        let read = whole(&bytes, &options);
        prop_assert!(read.0.iter().all(|record| !record.contains("\"record\":\"payment\"")), "money from mere lines");
        prop_assert_eq!(in_chunks(&bytes, size, &options), read);
        // Recognising never panics and never claims what it cannot be.
        if let Some(found) = Bare::recognise(&bytes) {
            prop_assert_ne!(found.delimiters().element, found.delimiters().terminator.as_bytes()[0]);
        }
    }
}
