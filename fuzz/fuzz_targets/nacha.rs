//! Any bytes behind a file and batch header of ACH: no panic, no accepted file with a claim that failed, the money of an accepted file is
//! what its file controls claim, and chunks make no difference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, even, has_aside, is_accepted};
use tieout_parsers::{Direction, Options, Parsed};

const HEADERS: &str = "101 121000358 2313801042603160600A094101OUR BANK               ACH OPERATOR                   \n\
5200GLOBEX CORP                         1231380104CTXVENDOR PAY260316260317   1121042880000001\n";

fn consistent(parsed: &Parsed<'_>) {
    let document = &parsed.document;
    if !is_accepted(parsed) || document.format.as_str() != "nacha" {
        return;
    }
    let claims = || document.controls.iter().filter(|control| matches!(control.level, "batch" | "file"));
    assert!(claims().all(|control| control.ok), "accepted although a claim failed");
    let aside = has_aside(parsed);
    for (direction, name) in [(Direction::Credit, "Total Credit"), (Direction::Debit, "Total Debit")] {
        let files = claims().filter(|control| control.level == "file" && control.name.starts_with(name));
        let claimed: i128 =
            files.map(|control| control.claimed.as_str().replace('.', "").parse::<i128>().expect("it agreed")).sum();
        let payments = document.payments.iter().filter(|payment| payment.direction == direction);
        let paid: i128 = payments.map(|payment| i128::from(payment.amount.minor)).sum();
        // Returns, accounting advices and entries set aside count in the totals and are no payments.
        assert!(paid <= claimed, "{name}: {claimed} claimed, {paid} paid");
        assert!(
            paid == claimed || aside || !document.returns.is_empty() || document.payments.is_empty(),
            "{name}: money is missing"
        );
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let bytes = if choice % 2 == 0 { [HEADERS.as_bytes(), rest].concat() } else { rest.to_vec() };
    check(&bytes, &Options::default(), even(1 + usize::from(*choice)), consistent);
});
