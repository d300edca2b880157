//! An amount as text, to minor units and back: what is read is written as the same amount, and a sign only turns it round.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_parsers::{Currency, Money};

fuzz_target!(|data: &[u8]| {
    let Some((code, digits)) = data.split_at_checked(3) else { return };
    let (Ok(code), Ok(text)) = (str::from_utf8(code), str::from_utf8(digits)) else { return };
    let Some(currency) = Currency::parse(code) else { return };
    let Ok(money) = Money::parse(text, currency) else { return };

    let written = money.to_decimal().to_string();
    assert_eq!(Money::parse(&written, currency), Ok(money), "{text:?} was read as {written}");
    let turned = match text.strip_prefix('-') {
        Some(positive) => positive.to_owned(),
        None => format!("-{}", text.trim_start_matches('+')),
    };
    if let Ok(turned) = Money::parse(&turned, currency) {
        assert_eq!(i128::from(turned.minor), -i128::from(money.minor), "{text:?} and its opposite");
    }
});
