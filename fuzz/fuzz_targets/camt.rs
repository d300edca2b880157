//! ISO 20022 XML: camt.052, camt.053 and camt.054 from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{behind, check, controls_hold, even};
use tieout_parsers::Options;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let file = behind(b"<Document><BkToCstmrStmt><Stmt>", |bytes| bytes.starts_with(b"<"), bytes);
    check(&file, &Options::default(), even(usize::from(*size)), controls_hold);
});
