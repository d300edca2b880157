//! Account numbers do not show in what is told about a file: one way of hiding them, for findings and acknowledgments alike.
//!
//! An element that was understood as an account is an [`Account`](crate::Account); this is for values that were not understood, where
//! an account number may stand in the wrong place.

use std::{borrow::Cow, ops::Range};

use serde::Serializer;

use crate::{Finding, FindingCode, Text, reference::mod_97};

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
    for text in [&mut finding.message, &mut finding.found] {
        if let Cow::Owned(told) = without_ibans(text) {
            *text = told;
        }
    }
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

/// The text with every IBAN hidden but for its last four characters. What has the form but not the length of its country and the check
/// digits is a reference and stays.
pub fn without_ibans(text: &str) -> Cow<'_, str> {
    let mut told = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some((begin, end)) = next_iban(text, from) {
        let last: String = text.get(begin..end).unwrap_or_default().chars().rev().filter(|c| *c != ' ').take(4).collect();
        told.push_str(text.get(done..begin).unwrap_or_default());
        told.extend([HIDDEN; 4]);
        told.extend(last.chars().rev());
        (done, from) = (end, end);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    told.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(told)
}

/// Writes a free text of a file.
pub(crate) fn serialize_text<S: Serializer>(text: &Option<Text<'_>>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => serializer.serialize_some(&*without_ibans(text)),
        None => serializer.serialize_none(),
    }
}

/// Writes the value of a reference, which may be anything.
pub(crate) fn serialize_value<S: Serializer>(value: &Text<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&without_ibans(value))
}

/// Where IBANs stand in bytes of which the structure is not known.
pub fn ibans(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((begin, end)) = (from..bytes.len()).find_map(|begin| Some((begin, iban_end(bytes, begin)?))) {
        found.push(begin..end);
        from = end;
    }
    found
}

/// Begin and end of the next IBAN from that byte on.
fn next_iban(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find_map(|begin| Some((begin, iban_end(bytes, begin)?)))
}

/// Where the IBAN ends that begins there, if one does; it may be written in groups with blanks between.
fn iban_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let rest = bytes.get(begin..)?;
    let &[a @ b'A'..=b'Z', b @ b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..] = rest else { return None };
    let before = bytes.get(..begin)?;
    if before.last().is_some_and(u8::is_ascii_alphanumeric) && !before.ends_with(b"IBAN") {
        return None;
    }
    let (_, length) = IBAN_LENGTHS.iter().find(|(country, _)| country.as_bytes() == [a, b])?;
    let mut number = String::with_capacity(*length);
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'A'..=b'Z' | b'0'..=b'9' => number.push(char::from(*byte)),
            b' ' if rest.get(at.wrapping_sub(1)) != Some(&b' ') => {}
            _ => return None,
        }
        if number.len() == *length {
            let end = at.saturating_add(1);
            let ends = !rest.get(end).is_some_and(u8::is_ascii_alphanumeric);
            return (ends && mod_97(&number) == Some(1)).then(|| begin.saturating_add(end));
        }
    }
    None
}

/// Lengths by country (ISO 13616 registry).
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

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
    fn ibans_in_free_text_show_their_last_four() {
        for (text, expected) in [
            ("FACTUUR 201403110 REK: NL91ABNA0417164300/NAAM: X", "FACTUUR 201403110 REK: ••••4300/NAAM: X"),
            ("EREF: Z1 IBAN: DE89370400440532013000 BIC: SAKSDE55", "EREF: Z1 IBAN: ••••3000 BIC: SAKSDE55"),
            ("DE89 3704 0044 0532 0130 00 and IBANNO9386011117947", "••••3000 and IBAN••••7947"),
            ("DE89370400440532013001", "DE89370400440532013001"),
            ("DE893704004405320130001", "DE893704004405320130001"),
            ("RF18539007547034 INV89370400440532013000", "RF18539007547034 INV89370400440532013000"),
            ("é DE89370400440532013000é", "é ••••3000é"),
            ("", ""),
        ] {
            assert_eq!(without_ibans(text), expected, "{text}");
            assert_eq!(without_ibans(expected), expected, "twice");
        }
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
