//! Any bytes behind a header that is recognised: no panic, an answer that does not contradict itself, and the same one in chunks. The
//! first byte chooses header and chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Effect, Format, Limits, Record, Severity, Status, Stream, parse};

const HEADERS: [&[u8]; 5] = [
    b"record,date,merchant,reference,payer,amount,currency,text,invoice,ref_type,invoice_date,gross,discount,net,reason\n",
    b"Advice,Payer,Payment Ref,Payment Date,Currency,Invoice,Ref Type,Invoice Date,Gross,Discount,Net,Reason,Note\n",
    b"Payer;Payment Ref;Invoice;Gross;Discount;Deduction;Net\r\n",
    b"Date\tDescription\tCredit\tDebit\tBalance\tAccount\n",
    b"",
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let header = HEADERS[usize::from(*choice) % HEADERS.len()];
    let bytes = [header, rest].concat();
    // Small bounds, so that they are reached.
    let limits = Limits {
        segment_bytes_max: 512,
        transaction_bytes_max: 2048,
        remittance_lines_max: 20,
        findings_max: 20,
        ..Limits::default()
    };
    let parsed = parse(&bytes, &limits);
    let (document, findings) = (&parsed.document, &parsed.findings);
    if document.format != Format::Csv {
        return;
    }

    let worst = findings.iter().map(|finding| finding.effect).max();
    match document.status {
        Status::Accepted => assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "accepted with a warning"),
        Status::AcceptedWithFindings => {
            assert!(worst.is_some_and(|worst| worst < Effect::FileHeld), "accepted, and a finding holds")
        }
        Status::Held => assert!(worst >= Some(Effect::FileHeld), "held without a reason"),
        Status::Rejected | Status::Unsupported => assert!(!findings.is_empty(), "refused without a reason"),
    }
    let size = u64::try_from(bytes.len()).expect("a length");
    assert!(findings.iter().all(|finding| finding.location.byte <= size), "a finding behind the end of the file");
    for payment in &document.payments {
        let remittance = payment.remittance.map(|index| usize::try_from(index).expect("an index"));
        assert!(remittance.is_none_or(|index| index < document.remittances.len()), "a remittance that is not there");
    }

    let mut records = 0;
    let mut told = Vec::new();
    let mut sink = |record: Record<'_>| match record {
        Record::Finding(finding) => told.push(finding),
        _ => records += 1,
    };
    let mut stream = Stream::new(&limits);
    bytes.chunks(1 + usize::from(*choice)).for_each(|chunk| stream.feed(chunk, &mut sink));
    let summary = stream.finish(&mut sink);
    assert_eq!(summary.status, document.status);
    assert_eq!(&told, findings);
    let whole = document.payments.len() + document.remittances.len() + document.returns.len() + document.balances.len();
    assert_eq!(records, whole + document.controls.len());
});
