//! Any bytes, read as X12 without envelope: nothing is taken as a payment from mere lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, even};
use tieout_parsers::{
    Options,
    x12::{Bare, Delimiters},
};

fuzz_target!(|data: &[u8]| {
    let Some((&first, text)) = data.split_first() else { return };
    let bare = match first % 3 {
        0 => Bare::recognise(text),
        1 => Some(Bare::Sets(Delimiters::bare(b'~'))),
        _ => Some(Bare::Segments(Delimiters::bare(b'\\'))),
    };
    let Some(bare) = bare else { return };
    let options = Options { bare: Some(bare), ..Options::default() };
    check(text, &options, even(usize::from(first) + 1), |parsed| {
        let named = |tag: &[u8]| text.windows(tag.len()).any(|window| window == tag);
        assert!(parsed.document.payments.is_empty() || named(b"BPR") || named(b"BPS"), "a payment from nothing");
    });
});
