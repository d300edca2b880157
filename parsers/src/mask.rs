//! Account numbers do not show in what is told about a file: one way of hiding them, for findings and acknowledgments alike.
//!
//! An element that was understood as an account is an [`Account`](crate::Account); this is for values that were not understood, where
//! an account number may stand in the wrong place.

use crate::{Finding, FindingCode};

/// Stands for digits that are not told.
pub(crate) const HIDDEN: char = '•';
/// Digits in a row that may be an account number.
const ACCOUNT_DIGITS_MIN: usize = 8;
/// Begins a creditor reference (ISO 11649), which names an invoice.
const CREDITOR_REFERENCE: &str = "RF";
/// Digits of a plausible amount without a decimal point.
const AMOUNT_DIGITS_MAX: usize = 13;

/// Hides account numbers in the message and in what was found, unless the finding is about a figure: a control or an amount that was
/// read; or a notified change, whose reader hides what must not show and keeps the trace. Doing it twice changes nothing.
pub(crate) fn finding(finding: &mut Finding) {
    let is_figure = matches!(
        finding.code,
        FindingCode::ChangeNotified
            | FindingCode::ControlNumberMismatch
            | FindingCode::ControlCountMismatch
            | FindingCode::ControlTotalMismatch
            | FindingCode::DuplicateControlNumber
            | FindingCode::MissingTrailer
            | FindingCode::LimitReached
            | FindingCode::OddEnvelope
            | FindingCode::OutOfBalance
            | FindingCode::LineOutOfBalance
            | FindingCode::ImpliedDecimalPoint
            | FindingCode::OddSign
    );
    if is_figure || (finding.code == FindingCode::BadAmount && is_amount(&finding.found)) {
        return;
    }
    for text in [&mut finding.message, &mut finding.found] {
        if has_run(text, ACCOUNT_DIGITS_MIN) {
            *text = digits(text, ACCOUNT_DIGITS_MIN);
        }
    }
}

/// The text with every run of at least `least` digits hidden but for its last four, and never less than half of it: `••••1234`. Dates
/// of eight digits, numbers with a decimal point and creditor references stay.
pub(crate) fn digits(text: &str, least: usize) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, from) = rest.split_at(plain);
        told.push_str(before);
        let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (run, after) = from.split_at(length);
        if length < least || is_date(run) || has_point(before, after) || before.ends_with(CREDITOR_REFERENCE) {
            told.push_str(run);
        } else {
            let shown = 4.min(length / 2);
            told.extend([HIDDEN; 4]);
            told.push_str(run.get(length.saturating_sub(shown)..).unwrap_or_default());
        }
        rest = after;
    }
    told
}

/// A hidden value in the characters of X12 (AK404): `XXXX1234`.
pub(crate) fn in_ascii(told: &str) -> String {
    told.replace(HIDDEN, "X")
}

fn has_run(text: &str, least: usize) -> bool {
    text.as_bytes().chunk_by(|one, next| one.is_ascii_digit() && next.is_ascii_digit()).any(|run| run.len() >= least)
}

/// Eight digits that begin with a century: a date, if a wrong one.
fn is_date(run: &str) -> bool {
    run.len() == 8 && (run.starts_with("19") || run.starts_with("20"))
}

/// A sign and digits, not more than an amount has; or a fixed column filled with zeros, such as `00000005O0`.
fn is_amount(text: &str) -> bool {
    let whole = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = whole.len() <= AMOUNT_DIGITS_MAX && whole.bytes().all(|byte| byte.is_ascii_digit());
    plain || !has_run(whole.trim_start_matches('0'), ACCOUNT_DIGITS_MIN)
}

/// Whether the run of digits between the two is the whole or the decimals of a number with a point or comma.
fn has_point(before: &str, after: &str) -> bool {
    let begins_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let follows = after.strip_prefix(['.', ',']).is_some_and(begins_digit);
    let precedes = before.is_empty() || before.ends_with([' ', '"', '-', '+', '$']);
    follows && precedes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, Location, Severity};

    #[test]
    fn account_numbers_show_their_last_four() {
        for (text, expected) in [
            ("0099109999", "••••9999"),
            ("12345678", "••••5678"),
            ("DA*0099109999*112345432", "DA*••••9999*••••5432"),
            ("DE89370400440532013000", "DE••••3000"),
            ("X0099109999.5", "X••••9999.5"),
            ("1234567", "1234567"),
            ("1200.505", "1200.505"),
            ("-120050500.505", "-120050500.505"),
            ("20260230", "20260230"),
            ("RF18539007547043", "RF18539007547043"),
            ("••••5678", "••••5678"),
            ("", ""),
        ] {
            assert_eq!(digits(text, 8), expected, "{text}");
        }
        assert_eq!(digits("12345", 5), "••••45");
        assert_eq!(in_ascii("••••5678"), "XXXX5678");
    }

    #[test]
    fn figures_and_plausible_amounts_stay() {
        for (code, found, expected) in [
            (FindingCode::BadCode, "0099109999", "••••9999"),
            (FindingCode::BadDate, "0099109999", "••••9999"),
            (FindingCode::BadAmount, "0000012345", "0000012345"),
            (FindingCode::BadAmount, "00000005O0", "00000005O0"),
            (FindingCode::BadAmount, "10000000000000.01", "10000000000000.01"),
            (FindingCode::BadAmount, "40128888888818815", "••••8815"),
            (FindingCode::BadAmount, "A0099109999", "A••••9999"),
            (FindingCode::ControlNumberMismatch, "000000017", "000000017"),
            (FindingCode::OutOfBalance, "123456789", "123456789"),
        ] {
            let mut told = Finding {
                code,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: format!("found {found}"),
                expected: "1000000000000000".to_owned(),
                found: found.to_owned(),
                location: Location::default(),
            };
            finding(&mut told);
            let told_of = (told.found.as_str(), told.message.as_str(), told.expected.as_str());
            assert_eq!(told_of, (expected, format!("found {expected}").as_str(), "1000000000000000"));
        }
    }
}
