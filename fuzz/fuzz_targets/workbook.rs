//! Any bytes in one part of a workbook, or for the whole of it: no panic, an answer that does not contradict itself, the same one in chunks,
//! and a draft or a refusal. The first byte chooses the part.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Effect, Limits, Record, Severity, Status, Stream, draft_mapping, parse};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const PARTS: [(&str, &str); 6] = [
    (
        "_rels/.rels",
        "<Relationships><Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    ),
    (
        "xl/workbook.xml",
        "<workbook><sheets><sheet name=\"A\" r:id=\"1\"/><sheet name=\"B\" state=\"hidden\" r:id=\"2\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id=\"1\" Type=\"x/worksheet\" Target=\"s1.xml\"/><Relationship Id=\"2\" Type=\"x/worksheet\" \
         Target=\"s1.xml\"/><Relationship Id=\"3\" Type=\"x/styles\" Target=\"styles.xml\"/><Relationship Id=\"4\" Type=\"x/sharedStrings\" \
         Target=\"strings.xml\"/></Relationships>",
    ),
    ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"),
    ("xl/strings.xml", "<sst><si><t>Date</t></si><si><t>Description</t></si><si><t>Amount</t></si></sst>"),
    (
        "xl/s1.xml",
        "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c></row><row><c s=\"1\"><v>46097</v>\
         </c><c t=\"str\"><v>x</v></c><c><v>1.5</v></c></row></sheetData></worksheet>",
    ),
];

fn package(choice: usize, content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (index, (name, usual)) in PARTS.iter().enumerate() {
        zip.start_file(*name, stored).expect("a part");
        zip.write_all(if index == choice { content } else { usual.as_bytes() }).expect("bytes");
    }
    zip.finish().expect("a package").into_inner()
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let bytes = match usize::from(*choice) % 8 {
        6 => [b"PK\x03\x04", rest].concat(),
        // Rows behind a sheet that begins well.
        7 => {
            let head = b"<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c></row>";
            package(5, &[head, rest, b"</sheetData>"].concat())
        }
        part => package(part, rest),
    };
    let limits = Limits { workbook_bytes_max: 64 << 10, findings_max: 20, ..Limits::default() };
    let parsed = parse(&bytes, &limits);
    let (document, findings) = (&parsed.document, &parsed.findings);
    let worst = findings.iter().map(|finding| finding.effect).max();
    match document.status {
        Status::Accepted => assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "accepted with a warning"),
        Status::AcceptedWithFindings => assert!(worst < Some(Effect::FileHeld), "accepted, and a finding holds"),
        Status::Held => assert!(worst >= Some(Effect::FileHeld), "held without a reason"),
        Status::Rejected | Status::Unsupported => assert!(!findings.is_empty(), "refused without a reason"),
    }
    let mut told = Vec::new();
    let mut sink = |record: Record<'_>| {
        if let Record::Finding(finding) = record {
            told.push(finding);
        }
    };
    let mut stream = Stream::new(&limits);
    bytes.chunks(1 + usize::from(*choice) * 16).for_each(|chunk| stream.feed(chunk, &mut sink));
    assert_eq!(stream.finish(&mut sink).status, document.status);
    assert_eq!(&told, findings);
    let _ = draft_mapping(&bytes, &limits);
    let _ = draft_mapping(rest, &limits);
});
