//! Creditor references with check digits: ISO 11649 (`RF18...`) and the Swiss QR reference of 27 digits.

/// What a creditor reference is by its form, and whether its check digits are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// The check digits are right.
    Good,
    /// The check digits are wrong.
    Wrong,
    /// The form has no check digits.
    Unchecked,
}

/// Checks a creditor reference by its form. Blanks in it do not count.
pub(crate) fn check(reference: &str) -> Checked {
    let text: String = reference.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let good = match text.as_bytes() {
        [b'R', b'F', b'0'..=b'9', b'0'..=b'9', _, ..] if text.len() <= 25 => mod_97(&text) == Some(1),
        digits if digits.len() == 27 && digits.iter().all(u8::is_ascii_digit) => mod_10_recursive(digits) == Some(0),
        _ => return Checked::Unchecked,
    };
    if good { Checked::Good } else { Checked::Wrong }
}

/// ISO 7064 mod 97-10 of an IBAN or an RF reference: the first four characters go to the end, letters count from 10. 1 is right.
pub(crate) fn mod_97(text: &str) -> Option<u32> {
    let (head, tail) = text.split_at_checked(4)?;
    let mut remainder: u32 = 0;
    for byte in tail.bytes().chain(head.bytes()) {
        let value = char::from(byte).to_digit(36)?;
        let shift = if value > 9 { 100 } else { 10 };
        // Below 97 × 100 + 35.
        remainder = remainder.wrapping_mul(shift).wrapping_add(value) % 97;
    }
    Some(remainder)
}

/// Recursive mod 10 over all digits, check digit included. 0 is right.
fn mod_10_recursive(digits: &[u8]) -> Option<u8> {
    const TABLE: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    let (check, digits) = digits.split_last()?;
    let mut carry: u8 = 0;
    for digit in digits {
        let index = carry.wrapping_add(digit.wrapping_sub(b'0')) % 10;
        carry = *TABLE.get(usize::from(index))?;
    }
    let expected = 10_u8.wrapping_sub(carry) % 10;
    Some(expected.abs_diff(check.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        for (reference, expected) in [
            ("RF18539007547034", Checked::Good),
            ("RF18 5390 0754 7034", Checked::Good),
            ("RF18539007547043", Checked::Wrong),
            ("RF", Checked::Unchecked),
            ("210000000003139471430009017", Checked::Good),
            ("210000000003139471430009071", Checked::Wrong),
            ("12345", Checked::Unchecked),
            ("", Checked::Unchecked),
        ] {
            assert_eq!(check(reference), expected, "{reference}");
        }
        assert_eq!(mod_97("DE89370400440532013000"), Some(1));
        assert_eq!(mod_97("DE8Ä"), None);
    }
}
