//! A REMADV that was written is read as what it was written from, with any service characters and any text, and any cut of the file into
//! chunks makes no difference.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "support/edifact.rs"]
mod edifact;
mod support;

use edifact::{Marks, Paid, Remadv};
use proptest::prelude::*;
use tieout_parsers::{Limits, parse};

const MARKS: [[char; 5]; 4] =
    [[':', '+', '.', '?', '\''], [':', '+', ',', '?', '\''], [';', '*', ',', '\\', '~'], ['>', '|', '.', '!', '\n']];

/// Text as people write it: no blanks at its ends, nothing that does not print.
fn text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9?'+:*~,;&ÄßŁ€/-]{1,12}( [A-Za-z0-9?'+:é]{1,6})?"
}

fn paid() -> impl Strategy<Value = Paid> {
    let amounts = (0..5_000_000_i64, 0..2_000_i64, 0..2_000_i64);
    (any::<bool>(), text(), amounts, proptest::option::of(text())).prop_map(
        |(credit, number, (net, discount, deducted), order)| {
            // What is taken off a credit note is another matter than what is taken off an invoice.
            let (discount, deducted) = if credit { (0, 0) } else { (discount, deducted) };
            Paid { credit, number, net, discount, deducted, order }
        },
    )
}

fn remadv() -> impl Strategy<Value = Remadv> {
    (text(), text(), text(), prop::collection::vec(paid(), 0..6)).prop_map(|(number, payer, payee, documents)| Remadv {
        number,
        payer,
        payee,
        documents,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(marks in prop::sample::select(&MARKS[..]), advices in prop::collection::vec(remadv(), 1..4)) {
        let file = Marks(marks).write(&advices);
        let parsed = parse(file.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.document.format.as_str(), "edifact.remadv");
        prop_assert!(parsed.findings.is_empty(), "{}\n{}", file, support::told_findings(&parsed));
        prop_assert!(parsed.document.controls.iter().all(|control| control.ok));
        prop_assert_eq!(parsed.document.remittances.len(), advices.len());
        for (read, written) in parsed.document.remittances.iter().zip(&advices) {
            prop_assert_eq!(read.trace.as_deref(), Some(written.number.as_str()));
            prop_assert_eq!(read.payer.name.as_deref(), Some(written.payer.as_str()));
            prop_assert_eq!(read.payee.name.as_deref(), Some(written.payee.as_str()));
            prop_assert_eq!(read.lines.len(), written.documents.len());
            let sum: i64 = written.documents.iter().map(|paid| if paid.credit { -paid.net } else { paid.net }).sum();
            prop_assert_eq!(read.total.map(|total| total.minor), Some(sum));
            for (line, paid) in read.lines.iter().zip(&written.documents) {
                let sign = if paid.credit { -1 } else { 1 };
                let minor = |amount: Option<tieout_parsers::Money>| amount.map_or(0, |amount| amount.minor);
                prop_assert_eq!(&*line.reference, paid.number.as_str());
                prop_assert_eq!(&*line.qualifier, if paid.credit { "CM" } else { "IV" });
                prop_assert_eq!(minor(line.net), sign * paid.net);
                prop_assert_eq!(minor(line.gross), sign * (paid.net + paid.discount + paid.deducted));
                prop_assert_eq!(minor(line.discount), paid.discount);
                prop_assert_eq!(line.po.as_deref(), paid.order.as_deref());
                let deducted: i64 = line.adjustments.iter().map(|held| held.amount.minor).sum();
                prop_assert_eq!(deducted, -paid.deducted);
            }
        }
        support::assert_chunks_agree(file.as_bytes(), &parsed, "a written advice");
    }
}
