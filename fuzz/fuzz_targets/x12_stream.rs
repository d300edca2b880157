//! Any bytes, fed in chunks of any size: the same records and the same verdict as read whole. The first byte chooses the sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use tieout_parsers::{Limits, Parsed, Record, Stream, parse};

/// Records by kind, each as JSON; the order between kinds is not promised.
#[derive(Default)]
struct Records {
    payments: Vec<String>,
    remittances: Vec<String>,
    invoices: Vec<String>,
    returns: Vec<String>,
    balances: Vec<String>,
    acknowledgments: Vec<String>,
    controls: Vec<String>,
    findings: Vec<String>,
}

fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("a record can be written as JSON")
}

impl Records {
    fn take(&mut self, record: &Record<'_>) {
        match record {
            Record::Payment(record) => self.payments.push(json(record)),
            Record::Remittance(record) => self.remittances.push(json(record)),
            Record::Invoice(record) => self.invoices.push(json(record)),
            Record::Return(record) => self.returns.push(json(record)),
            Record::Balance(record) => self.balances.push(json(record)),
            Record::Acknowledgment(record) => self.acknowledgments.push(json(record)),
            Record::Control(record) => self.controls.push(json(record)),
            Record::Finding(record) => self.findings.push(json(record)),
        }
    }

    fn of(parsed: &Parsed<'_>) -> Self {
        fn all(records: &[impl Serialize]) -> Vec<String> {
            records.iter().map(json).collect()
        }
        let document = &parsed.document;
        Self {
            payments: all(&document.payments),
            remittances: all(&document.remittances),
            invoices: all(&document.invoices),
            returns: all(&document.returns),
            balances: all(&document.balances),
            acknowledgments: all(&document.acknowledgments),
            controls: all(&document.controls),
            findings: all(&parsed.findings),
        }
    }
}

/// Shows the first difference only; whole lists are too long to read.
fn same(kind: &str, streamed: &[String], whole: &[String]) {
    for (index, (streamed, whole)) in streamed.iter().zip(whole).enumerate() {
        assert_eq!(streamed, whole, "{kind}[{index}]: streamed and read whole");
    }
    assert_eq!(streamed.len(), whole.len(), "number of {kind}: streamed and read whole");
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let whole = parse(bytes, &Limits::default());

    let mut records = Records::default();
    let mut sink = |record: Record<'_>| records.take(&record);
    let mut stream = Stream::new(&Limits::default());
    let (mut rest, mut step) = (bytes, usize::from(*choice));
    while !rest.is_empty() {
        // Sizes from one byte to a few hundred, different from chunk to chunk and the same for the same input.
        step = step.wrapping_mul(73).wrapping_add(29) % 509;
        let (chunk, later) = rest.split_at(rest.len().min(1 + step));
        stream.feed(chunk, &mut sink);
        rest = later;
    }
    let summary = stream.finish(&mut sink);

    assert_eq!(summary.format, whole.document.format);
    assert_eq!(summary.status, whole.document.status);
    let expected = Records::of(&whole);
    same("payments", &records.payments, &expected.payments);
    same("remittances", &records.remittances, &expected.remittances);
    same("invoices", &records.invoices, &expected.invoices);
    same("returns", &records.returns, &expected.returns);
    same("balances", &records.balances, &expected.balances);
    same("acknowledgments", &records.acknowledgments, &expected.acknowledgments);
    same("controls", &records.controls, &expected.controls);
    same("findings", &records.findings, &expected.findings);
});
