//! Any bytes behind a header that is recognised. The first byte chooses header and chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, even};
use tieout_parsers::{Limits, Options};

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
    check(&bytes, &Options { limits, ..Options::default() }, even(1 + usize::from(*choice)), |_| {});
});
