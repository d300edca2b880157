//! EDIFACT from any bytes: REMADV and INVOIC behind an interchange header, or whatever the bytes begin with. The first byte chooses the
//! header and the chunks. Limits are small, so that they are reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{behind, check, controls_hold, uneven};
use tieout_parsers::{InvoiceKind, Limits, Options};

const BEGINNINGS: [&[u8]; 3] = [
    b"UNA:+.? 'UNB+UNOC:3+A+B+261120:0600+7'UNH+1+REMADV:D:96A:UN'BGM+481+X+9'CUX+2:EUR'DOC+380+A'",
    b"UNB+UNOA:4+A+B+20261120:0600+7'UNH+1+INVOIC:D:96A:UN'BGM+380+X+9'DTM+137:20261120:102'CUX+2:EUR'",
    b"UNA;*,\\ ~UNB*UNOD;1*A*B*261120;0600*7~UNG*REMADV*A*B*261120;0600*G*UN*D;96A~",
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let beginning = BEGINNINGS[usize::from(*choice) % BEGINNINGS.len()];
    let file = behind(beginning, |bytes| bytes.starts_with(b"UN"), bytes);
    let limits = Limits {
        segment_bytes_max: 256,
        transaction_bytes_max: 2048,
        remittance_lines_max: 20,
        findings_max: 20,
        ..Limits::default()
    };
    check(&file, &Options { limits, ..Options::default() }, uneven(usize::from(*choice)), |parsed| {
        controls_hold(parsed);
        let document = &parsed.document;
        if document.format.as_str().starts_with("edifact") {
            assert!(document.payments.is_empty(), "EDIFACT brings no money");
            for invoice in &document.invoices {
                let owed = invoice.kind == InvoiceKind::Invoice;
                assert!(if owed { invoice.amount.minor >= 0 } else { invoice.amount.minor <= 0 }, "a sign against the kind");
            }
        }
    });
});
