//! BAI2 statements and lockbox files from any bytes: no panic, chunks give what the whole gives, and nothing is accepted whose controls
//! disagree without a record set aside. The first byte chooses a beginning that leads into one of the readers, so that mutations need not
//! find it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Effect, Format, Layout, Limits, Record, Status, Stream, parse};

const BAI2: &[u8] = b"01,091308339,GRE,260314,0500,1,,,2/\n02,GRE,091308339,1,260313,2359,USD,2/\n03,5518820047,USD,010,0,,/\n";
const LOCKBOX: &[u8] = b"101LWS       042206176 2603160600\n2LWS       042206176           40008000802\n\
                         50010000982275260316LWS       042206176\n";

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let bytes = match choice % 4 {
        0 => rest.to_vec(),
        1 => [BAI2, rest].concat(),
        2 => [LOCKBOX, rest].concat(),
        _ => {
            // Layout files come from people.
            if let Ok(text) = std::str::from_utf8(rest) {
                let _ = Layout::parse(text);
            }
            return;
        }
    };
    let parsed = parse(&bytes, &Limits::default());
    let document = &parsed.document;
    let whole = serde_json::to_string(document).expect("a document can be written as JSON");
    if !matches!(document.format, Format::Bai2 | Format::LockboxBai) {
        return;
    }
    let accepted = matches!(document.status, Status::Accepted | Status::AcceptedWithFindings);
    let aside = parsed.findings.iter().any(|finding| finding.effect == Effect::RecordSetAside);
    let disagree = document.controls.iter().any(|control| !control.ok);
    assert!(!(accepted && disagree && !aside), "accepted, and a control disagrees");
    let size = u64::try_from(bytes.len()).expect("a length");
    assert!(parsed.findings.iter().all(|finding| finding.location.byte <= size), "a finding behind the end of the file");
    assert!(document.payments.iter().all(|payment| payment.amount.minor > 0), "a payment without money");
    for payment in &document.payments {
        let remittance = payment.remittance.map(|index| usize::try_from(index).expect("an index"));
        assert!(remittance.is_none_or(|index| index < document.remittances.len()), "a remittance that is not there");
    }

    let (mut payments, mut findings) = (Vec::new(), Vec::new());
    let mut sink = |record: Record<'_>| match record.into_owned() {
        Record::Payment(payment) => payments.push(*payment),
        Record::Finding(finding) => findings.push(finding),
        _ => {}
    };
    let mut stream = Stream::new(&Limits::default());
    for chunk in bytes.chunks(1 + usize::from(*choice)) {
        stream.feed(chunk, &mut sink);
    }
    let summary = stream.finish(&mut sink);
    assert_eq!((summary.format, summary.status), (document.format, document.status));
    assert_eq!(payments, document.payments, "streamed and read whole: {whole}");
    assert_eq!(findings, parsed.findings, "streamed and read whole");
});
