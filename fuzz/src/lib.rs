//! What every target asks of the readers: no panic, an answer that does not contradict itself, and the same answer however the bytes are
//! cut into chunks. Panics are the findings of a fuzzer, so everything here asserts.

use serde::Serialize;
use tieout_parsers::{Effect, Options, Parsed, Record, Severity, Status, Stream, parse_with};

/// The bytes, or the bytes behind a beginning of the format when they have none, so that mutations need not find it.
pub fn behind(beginning: &[u8], begins: impl Fn(&[u8]) -> bool, bytes: &[u8]) -> Vec<u8> {
    if begins(bytes) { bytes.to_vec() } else { [beginning, bytes].concat() }
}

/// Reads the bytes whole, checks the answer, and expects the same from the chunks. The document is handed to `more`, which checks what only
/// its format promises.
pub fn check(bytes: &[u8], options: &Options, sizes: impl Iterator<Item = usize>, more: impl FnOnce(&Parsed<'_>)) {
    let parsed = parse_with(bytes, options);
    consistent(&parsed, bytes.len());
    more(&parsed);
    chunks_agree(bytes, options, &parsed, sizes);
}

/// Chunks of one size.
pub fn even(size: usize) -> impl Iterator<Item = usize> {
    std::iter::repeat(size.max(1))
}

/// Sizes from one byte to a few hundred, different from chunk to chunk and the same for the same choice.
pub fn uneven(choice: usize) -> impl Iterator<Item = usize> {
    let next = |step: usize| step.wrapping_mul(73).wrapping_add(29) % 509;
    std::iter::successors(Some(next(choice)), move |step| Some(next(*step))).map(|step| step + 1)
}

/// Whether the verdict lets records go on.
pub fn is_accepted(parsed: &Parsed<'_>) -> bool {
    matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings)
}

/// Whether something was set aside, which may leave a claim unproven.
pub fn has_aside(parsed: &Parsed<'_>) -> bool {
    parsed.findings.iter().any(|finding| finding.effect == Effect::RecordSetAside)
}

/// Nothing is accepted against a claim of the file or a part of it; claims of one set or payment may fail without holding the file.
pub fn controls_hold(parsed: &Parsed<'_>) {
    let claims = parsed.document.controls.iter().filter(|control| !matches!(control.level, "set" | "payment"));
    let failed = claims.into_iter().find(|control| !control.ok);
    assert!(!is_accepted(parsed) || failed.is_none(), "accepted, and a control fails: {failed:?}");
}

/// Verdict, findings, places and references within the document fit together.
fn consistent(parsed: &Parsed<'_>, size: usize) {
    let (document, findings) = (&parsed.document, &parsed.findings);
    serde_json::to_string(document).expect("a document can be written as JSON");
    let has = |effect: Effect| findings.iter().any(|finding| finding.effect == effect);
    let stops = has(Effect::FileHeld) || has(Effect::FileRejected);
    match document.status {
        Status::Accepted => assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "accepted with a warning"),
        Status::AcceptedWithFindings => assert!(!findings.is_empty(), "accepted with findings, without any"),
        Status::Held => {
            let disagrees = document.controls.iter().any(|control| !control.ok);
            assert!(stops || disagrees, "held without a reason: {findings:?}");
        }
        Status::Rejected | Status::Unsupported => assert!(!findings.is_empty(), "refused without a reason"),
    }
    assert!(!is_accepted(parsed) || !stops, "accepted, and a finding holds the file");
    let size = u64::try_from(size).expect("a length");
    assert!(findings.iter().all(|finding| finding.location.byte <= size), "a finding behind the end of the file");
    assert!(document.payments.iter().all(|payment| payment.amount.minor > 0), "a payment without money");
    for payment in &document.payments {
        let remittance = payment.remittance.map(|index| usize::try_from(index).expect("an index"));
        assert!(remittance.is_none_or(|index| index < document.remittances.len()), "a remittance that is not there");
    }
}

/// Records by kind, each as JSON; the order between kinds is not promised.
#[derive(Default)]
struct Records([Vec<String>; 8]);

const KINDS: [&str; 8] =
    ["payments", "remittances", "invoices", "returns", "balances", "acknowledgments", "controls", "findings"];

fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("a record can be written as JSON")
}

impl Records {
    fn take(&mut self, record: &Record<'_>) {
        let Self([payments, remittances, invoices, returns, balances, acknowledgments, controls, findings]) = self;
        match record {
            Record::Payment(record) => payments.push(json(record)),
            Record::Remittance(record) => remittances.push(json(record)),
            Record::Invoice(record) => invoices.push(json(record)),
            Record::Return(record) => returns.push(json(record)),
            Record::Balance(record) => balances.push(json(record)),
            Record::Acknowledgment(record) => acknowledgments.push(json(record)),
            Record::Control(record) => controls.push(json(record)),
            Record::Finding(record) => findings.push(json(record)),
        }
    }

    fn of(parsed: &Parsed<'_>) -> Self {
        fn all(records: &[impl Serialize]) -> Vec<String> {
            records.iter().map(json).collect()
        }
        let document = &parsed.document;
        Self([
            all(&document.payments),
            all(&document.remittances),
            all(&document.invoices),
            all(&document.returns),
            all(&document.balances),
            all(&document.acknowledgments),
            all(&document.controls),
            all(&parsed.findings),
        ])
    }
}

fn chunks_agree(bytes: &[u8], options: &Options, whole: &Parsed<'_>, sizes: impl Iterator<Item = usize>) {
    let mut records = Records::default();
    let mut sink = |record: Record<'_>| records.take(&record);
    let mut stream = Stream::with(options.clone());
    let mut rest = bytes;
    for size in sizes {
        if rest.is_empty() {
            break;
        }
        let (chunk, later) = rest.split_at(rest.len().min(size));
        stream.feed(chunk, &mut sink);
        rest = later;
    }
    let summary = stream.finish(&mut sink);
    assert_eq!((summary.format, summary.status), (whole.document.format, whole.document.status), "streamed and read whole");
    for ((kind, streamed), whole) in KINDS.iter().zip(&records.0).zip(&Records::of(whole).0) {
        // The first difference only; whole lists are too long to read.
        for (index, (streamed, whole)) in streamed.iter().zip(whole).enumerate() {
            assert_eq!(streamed, whole, "{kind}[{index}]: streamed and read whole");
        }
        assert_eq!(streamed.len(), whole.len(), "number of {kind}: streamed and read whole");
    }
}
