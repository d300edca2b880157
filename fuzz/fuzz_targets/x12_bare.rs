//! Any bytes, read as X12 without envelope, whole and in chunks: no panic, the same records, and nothing taken as a payment from mere lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{
    Options, Record, Stream, parse_with,
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
    let parsed = parse_with(text, &options);
    let named = |tag: &[u8]| text.windows(tag.len()).any(|window| window == tag);
    assert!(parsed.document.payments.is_empty() || named(b"BPR") || named(b"BPS"), "a payment from nothing");

    let (mut payments, mut remittances) = (Vec::new(), Vec::new());
    let mut sink = |record: Record<'_>| match record.into_owned() {
        Record::Payment(payment) => payments.push(*payment),
        Record::Remittance(remittance) => remittances.push(*remittance),
        _ => {}
    };
    let mut stream = Stream::with(options);
    text.chunks(usize::from(first) + 1).for_each(|chunk| stream.feed(chunk, &mut sink));
    let summary = stream.finish(&mut sink);
    assert_eq!(summary.status, parsed.document.status, "chunks change the verdict");
    assert_eq!(payments, parsed.document.payments, "chunks change the payments");
    assert_eq!(remittances, parsed.document.remittances, "chunks change the remittances");
});
