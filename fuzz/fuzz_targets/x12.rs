//! Any bytes of any format, cut at one byte and read whole: an answer that does not contradict itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, even};
use tieout_parsers::Options;

fuzz_target!(|data: &[u8]| check(data, &Options::default(), even(1), |_| {}));
