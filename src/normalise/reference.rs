//! References in comparable forms.
//!
//! `INV-0010443 ` is kept raw; folded it is `INV0010443` (upper alphanumerics); its core is `10443` (no prefix, no leading zeros). A hit on a form
//! that dropped less outranks a hit on one that dropped more, so a number with leading zeros never loses to its stripped twin.

use super::upper_ascii;

/// A reference as somebody wrote it, with its comparable forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As written, without blanks around it.
    pub raw: String,
    /// Upper alphanumerics.
    pub folded: String,
    /// Runs of alphanumerics as they were separated, folded.
    pub parts: Vec<String>,
}

impl Reference {
    /// Runs kept of one reference; a longer one is text, not a number.
    pub const PARTS_MAX: usize = 12;

    pub fn new(text: &str) -> Self {
        Self { raw: text.trim().to_owned(), folded: fold(text), parts: parts(text) }
    }

    /// The number without prefix and leading zeros; empty when there is no digit.
    pub fn core(&self) -> &str {
        core(&self.folded)
    }

    /// Letters before the first digit.
    pub fn prefix(&self) -> &str {
        prefix(&self.folded)
    }
}

/// Upper alphanumerics; separators, blanks and signs fall.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_uppercase());
        } else if !c.is_ascii() && c.is_alphanumeric() {
            out.push_str(&upper_ascii(c.encode_utf8(&mut [0; 4])));
        }
    }
    out
}

/// Letters before the first digit of a folded reference; all of it when there is no digit.
pub fn prefix(folded: &str) -> &str {
    let end = folded.find(|c: char| c.is_ascii_digit()).unwrap_or(folded.len());
    &folded[..end]
}

/// A folded reference without its prefix and leading zeros; empty when nothing is left.
pub fn core(folded: &str) -> &str {
    folded[prefix(folded).len()..].trim_start_matches('0')
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
pub fn ocr_class(folded: &str) -> String {
    folded
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            'S' => '5',
            'B' => '8',
            'Z' => '2',
            'G' => '6',
            other => other,
        })
        .collect()
}

/// Runs of alphanumerics, folded, in order; at most [`Reference::PARTS_MAX`].
pub fn parts(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|run| !run.is_empty())
        .take(Reference::PARTS_MAX)
        .map(fold)
        .filter(|run| !run.is_empty())
        .collect()
}

/// The core when each part loses its own leading zeros: `SI-2026-00045` and `SI-2026-45` give the same.
pub fn without_part_zeros(parts: &[String]) -> String {
    let mut out = String::new();
    for part in parts {
        let (letters, number) = part.split_at(prefix(part).len());
        let stripped = number.trim_start_matches('0');
        out.push_str(letters);
        out.push_str(if stripped.is_empty() && !number.is_empty() { "0" } else { stripped });
    }
    core(&out).to_owned()
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
        assert_eq!(without_part_zeros(&parts("SI-2026-00045")), without_part_zeros(&parts("SI-2026-45")));
        assert_eq!(without_part_zeros(&parts("A-000")), "");
        assert_eq!(without_part_zeros(&parts("2601-00450-7")), "26014507");
    }

    #[test]
    fn confusable_characters_share_a_class() {
        assert_eq!(ocr_class("INVO1S8"), ocr_class("1NV0I5B"));
    }
}
