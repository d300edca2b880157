//! References in comparable forms.
//!
//! `INV-0010443 ` is kept raw; folded it is `INV0010443` (upper alphanumerics); its core is `10443` (no prefix, no leading zeros). A hit on a form
//! that dropped less outranks a hit on one that dropped more, so a number with leading zeros never loses to its stripped twin.

use std::borrow::Cow;

use super::upper_ascii;

/// A reference as somebody wrote it, with its comparable forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As written, without blanks around it.
    pub raw: String,
    /// Upper alphanumerics.
    pub folded: String,
    /// Where each run of alphanumerics, as they were separated, ends in the folded form.
    ends: [u32; Self::PARTS_MAX],
    count: usize,
}

impl Reference {
    /// Runs kept of one reference; a longer one is text, not a number.
    pub const PARTS_MAX: usize = 12;

    pub fn new(text: &str) -> Self {
        let raw = text.trim().to_owned();
        let mut reference = Self { folded: String::with_capacity(raw.len()), raw, ends: [0; Self::PARTS_MAX], count: 0 };
        let mut runs = 0;
        for run in reference.raw.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
            let start = reference.folded.len();
            push_folded(run, &mut reference.folded);
            runs += 1;
            if runs <= Self::PARTS_MAX && reference.folded.len() > start {
                reference.ends[reference.count] = u32::try_from(reference.folded.len()).unwrap_or(u32::MAX);
                reference.count += 1;
            }
        }
        reference.folded.make_ascii_uppercase();
        reference
    }

    /// How many runs there are.
    pub const fn parts(&self) -> usize {
        self.count
    }

    /// The runs from one on, up to another that does not count, joined.
    pub fn joined(&self, from: usize, to: usize) -> &str {
        let end = |runs: usize| runs.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        &self.folded[end(from)..end(to)]
    }

    /// The number without prefix and leading zeros; empty when there is no digit.
    pub fn core(&self) -> &str {
        core(&self.folded)
    }

    /// Letters before the first digit.
    pub fn prefix(&self) -> &str {
        prefix(&self.folded)
    }

    /// The core when each part loses its own leading zeros: `SI-2026-00045` and `SI-2026-45` give the same.
    pub fn without_part_zeros(&self) -> Cow<'_, str> {
        let core = self.core();
        // Of one part with a digit after its zeros nothing else falls.
        if self.count == 1 && core.bytes().next().is_none_or(|first| first.is_ascii_digit()) {
            return core.into();
        }
        let mut out = String::with_capacity(self.folded.len());
        for part in (0..self.count).map(|at| self.joined(at, at + 1)) {
            let (letters, number) = part.split_at(prefix(part).len());
            let stripped = number.trim_start_matches('0');
            out.push_str(letters);
            out.push_str(if stripped.is_empty() && !number.is_empty() { "0" } else { stripped });
        }
        out.drain(..out.len() - super::core(&out).len());
        out.into()
    }

    /// The part of a number that people write alone: the last with three digits or more, else the one with most digits. `None` when there is one part.
    pub fn distinctive_part(&self) -> Option<std::ops::Range<usize>> {
        let digits_of = |at: &usize| digits(self.joined(*at, at + 1));
        let last = self.count.checked_sub(1).filter(|last| *last > 0)?;
        let part = if digits_of(&last) >= 3 { last } else { (0..self.count).rev().max_by_key(digits_of)? };
        let before = self.joined(0, part).len();
        Some(before..before + self.joined(part, part + 1).len())
    }
}

/// Upper alphanumerics; separators, blanks and signs fall.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.split(|c: char| !c.is_alphanumeric()).for_each(|run| push_folded(run, &mut out));
    out.make_ascii_uppercase();
    out
}

/// Adds a run of alphanumerics; ASCII letters become upper case when all runs are there.
fn push_folded(run: &str, out: &mut String) {
    match run.is_ascii() {
        true => out.push_str(run),
        false => out.push_str(&upper_ascii(run)),
    }
}

/// Letters before the first digit of a folded reference; all of it when there is no digit.
pub fn prefix(folded: &str) -> &str {
    let end = folded.bytes().position(|byte| byte.is_ascii_digit()).unwrap_or(folded.len());
    &folded[..end]
}

/// A folded reference without its prefix and leading zeros; empty when nothing is left.
pub fn core(folded: &str) -> &str {
    let zeros = |text: &str| text.bytes().take_while(|byte| *byte == b'0').count();
    let number = &folded[prefix(folded).len()..];
    &number[zeros(number)..]
}

/// How many digits a text has.
pub fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Only digits, and at least one.
pub fn is_plain_number(folded: &str) -> bool {
    !folded.is_empty() && folded.bytes().all(|b| b.is_ascii_digit())
}

/// One writing for characters that scanners and tired eyes confuse: O0, I1L, S5, B8, Z2, G6.
pub fn ocr_class(folded: &str) -> Cow<'_, str> {
    if folded.bytes().all(|byte| class(byte) == byte) {
        return folded.into();
    }
    String::from_utf8(folded.bytes().map(class).collect()).expect("only ASCII was written for ASCII").into()
}

/// Whether two folded texts are one but for characters that scanners confuse.
pub fn same_ocr_class(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().map(class).eq(b.bytes().map(class))
}

const fn class(byte: u8) -> u8 {
    match byte {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        b'S' => b'5',
        b'B' => b'8',
        b'Z' => b'2',
        b'G' => b'6',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_drops_a_little_more() {
        for (written, folded, stripped, letters) in [
            ("INV-0010443 ", "INV0010443", "10443", "INV"),
            ("0000012345", "0000012345", "12345", ""),
            ("si 2026/00045", "SI202600045", "202600045", "SI"),
            ("#", "", "", ""),
            ("PAYMENT", "PAYMENT", "", "PAYMENT"),
            ("Ärztebund 7", "ARZTEBUND7", "7", "ARZTEBUND"),
            ("0", "0", "", ""),
        ] {
            let reference = Reference::new(written);
            assert_eq!((&*reference.folded, reference.core(), reference.prefix()), (folded, stripped, letters), "{written}");
        }
    }

    #[test]
    fn zeros_fall_part_by_part() {
        let stripped = |text| Reference::new(text).without_part_zeros().into_owned();
        assert_eq!((stripped("A00B01"), stripped("A0012")), ("1".to_owned(), "12".to_owned()));
        assert_eq!(stripped("SI-2026-00045"), stripped("SI-2026-45"));
        assert_eq!(stripped("A-000"), "");
        assert_eq!(stripped("2601-00450-7"), "26014507");
    }

    #[test]
    fn parts_are_runs_of_the_folded_form() {
        let reference = Reference::new(" inv-ä7/00045 ");
        assert_eq!((reference.parts(), reference.joined(0, 1), reference.joined(1, 3)), (3, "INV", "A700045"));
        assert_eq!(reference.distinctive_part().map(|part| &reference.folded[part]), Some("00045"));
        assert_eq!(Reference::new("4711").distinctive_part(), None);
        assert_eq!(Reference::new("1-".repeat(20).as_str()).parts(), Reference::PARTS_MAX);
    }

    #[test]
    fn confusable_characters_share_a_class() {
        assert_eq!(ocr_class("INVO1S8"), ocr_class("1NV0I5B"));
        assert!(same_ocr_class("INVO1S8", "1NV0I5B") && !same_ocr_class("INVO1S8", "1NV0I5C"));
    }
}
