//! SWIFT statements: MT940 and MT942 from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{behind, check, controls_hold, even};
use tieout_parsers::Options;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let file = behind(b":20:", |bytes| bytes.starts_with(b":") || bytes.starts_with(b"{1:"), bytes);
    check(&file, &Options::default(), even(usize::from(*size)), controls_hold);
});
