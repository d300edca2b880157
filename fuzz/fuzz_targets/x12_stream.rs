//! Any bytes, fed in chunks of any size: the same records and the same verdict as read whole. The first byte chooses the sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, uneven};
use tieout_parsers::Options;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    check(bytes, &Options::default(), uneven(usize::from(*choice)), |_| {});
});
