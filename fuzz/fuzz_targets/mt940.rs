//! SWIFT statements: MT940 and MT942: any bytes are read without panic, in chunks as whole, and nothing is accepted against its own controls.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Limits, Record, Status, Stream, parse};

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    // What does not begin like the format gets a beginning, so that every run reaches the reader.
    let mut file = if bytes.starts_with(BEGINNING) || begins(bytes) { Vec::new() } else { BEGINNING.to_vec() };
    file.extend_from_slice(bytes);

    let parsed = parse(&file, &Limits::default());
    let document = &parsed.document;
    let ours = document.format.as_str().starts_with("mt94");
    if ours && matches!(document.status, Status::Accepted | Status::AcceptedWithFindings) {
        assert!(document.controls.iter().all(|control| control.ok), "accepted though a control fails");
    }

    let (mut payments, mut others, mut findings) = (Vec::new(), 0_usize, Vec::new());
    let mut sink = |record: Record<'_>| match record.into_owned() {
        Record::Payment(payment) => payments.push(*payment),
        Record::Finding(finding) => findings.push(finding),
        _ => others = others.saturating_add(1),
    };
    let mut stream = Stream::new(&Limits::default());
    file.chunks(usize::from(*size).max(1)).for_each(|chunk| stream.feed(chunk, &mut sink));
    let summary = stream.finish(&mut sink);
    assert_eq!((summary.format, summary.status), (document.format, document.status));
    assert_eq!(payments, document.payments);
    assert_eq!(findings, parsed.findings);
    let advices = [document.remittances.len(), document.invoices.len(), document.acknowledgments.len()];
    let counted = [document.returns.len(), document.balances.len(), document.controls.len()];
    assert_eq!(others, advices.into_iter().chain(counted).sum::<usize>());
});

const BEGINNING: &[u8] = b":20:";

fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b":") || bytes.starts_with(b"{1:")
}
