//! Any bytes, read as a whole file: no panic, and an answer that does not contradict itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Effect, Limits, Severity, Status, parse};

fuzz_target!(|data: &[u8]| {
    let parsed = parse(data, &Limits::default());
    let (document, findings) = (&parsed.document, &parsed.findings);
    serde_json::to_string(document).expect("a document can be written as JSON");

    let has = |effect: Effect| findings.iter().any(|finding| finding.effect == effect);
    match document.status {
        Status::Accepted => {
            assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "accepted with an error");
            assert!(!has(Effect::FileHeld) && !has(Effect::FileRejected), "accepted, and a finding holds the file");
        }
        Status::AcceptedWithFindings => {
            assert!(!findings.is_empty(), "accepted with findings, without any");
            assert!(!has(Effect::FileHeld) && !has(Effect::FileRejected), "accepted, and a finding holds the file");
        }
        Status::Held => {
            let disagrees = document.controls.iter().any(|control| !control.ok);
            let stops = has(Effect::FileHeld) || has(Effect::FileRejected);
            assert!(stops || disagrees, "held without a reason: {findings:?}");
        }
        Status::Rejected | Status::Unsupported => assert!(!findings.is_empty(), "refused without a reason"),
    }
    let size = u64::try_from(data.len()).expect("a length");
    for finding in findings {
        assert!(finding.location.byte <= size, "a finding behind the end of the file");
    }
    for payment in &document.payments {
        let remittance = payment.remittance.map(|index| usize::try_from(index).expect("an index"));
        assert!(remittance.is_none_or(|index| index < document.remittances.len()), "a remittance that is not there");
    }
});
