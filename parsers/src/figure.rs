//! Short text kept inline: control figures are made for every transaction, and most have a few digits.

use std::fmt;

use serde::{Serialize, Serializer};

const INLINE_MAX: usize = 22;

/// A short text such as a count, an amount or a control number; up to 22 bytes need no memory of their own.
///
/// ```
/// use tieout_parsers::Figure;
/// assert_eq!(Figure::count(1200).as_str(), "1200");
/// assert_eq!(Figure::new("000000049").as_str(), "000000049");
/// ```
#[derive(Clone)]
pub struct Figure(Repr);

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE_MAX] },
    Heap(Box<str>),
}

impl Figure {
    /// Any text.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE_MAX];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(slot), Ok(length)) => {
                slot.copy_from_slice(text.as_bytes());
                Self(Repr::Inline { length, bytes })
            }
            _ => Self(Repr::Heap(text.into())),
        }
    }

    /// A count.
    pub fn count(mut value: u64) -> Self {
        let mut bytes = [0; INLINE_MAX];
        let mut digits = [0_u8; INLINE_MAX];
        let mut length: u8 = 0;
        for slot in &mut digits {
            *slot = b'0'.wrapping_add((value % 10) as u8);
            value /= 10;
            length = length.wrapping_add(1);
            if value == 0 {
                break;
            }
        }
        let written = digits.iter().take(usize::from(length)).rev();
        for (slot, digit) in bytes.iter_mut().zip(written) {
            *slot = *digit;
        }
        Self(Repr::Inline { length, bytes })
    }

    /// A decimal of `minor` units with `exponent` decimals: `Figure::decimal(-5, 2)` is `-0.05`.
    pub fn decimal(minor: i128, exponent: u32) -> Self {
        if let (2, Ok(cents)) = (exponent, u64::try_from(minor)) {
            return Self::cents(cents);
        }
        let mut digits = [0_u8; 44];
        let mut value = minor.unsigned_abs();
        let mut length: usize = 0;
        let mut decimals = 0;
        for slot in &mut digits {
            if decimals == exponent && exponent > 0 {
                *slot = b'.';
                decimals = u32::MAX;
            } else {
                // A remainder of ten fits a byte.
                *slot = b'0'.wrapping_add((value % 10) as u8);
                value /= 10;
                decimals = decimals.saturating_add(1);
            }
            length = length.wrapping_add(1);
            let whole = exponent == 0 || (decimals == u32::MAX && *slot != b'.');
            if value == 0 && whole {
                break;
            }
        }
        if minor < 0
            && let Some(slot) = digits.get_mut(length)
        {
            *slot = b'-';
            length = length.wrapping_add(1);
        }
        let used = digits.get_mut(..length).unwrap_or_default();
        used.reverse();
        Self::new(std::str::from_utf8(used).unwrap_or("?"))
    }

    /// The everyday case of [`Figure::decimal`].
    fn cents(mut value: u64) -> Self {
        // Written from the end on, and then moved to the front.
        let mut digits = [b'0'; INLINE_MAX];
        let mut length: usize = 0;
        for slot in digits.iter_mut().rev() {
            if length == 2 {
                *slot = b'.';
            } else {
                *slot = b'0'.wrapping_add((value % 10) as u8);
                value /= 10;
            }
            length = length.wrapping_add(1);
            if value == 0 && length > 3 {
                break;
            }
        }
        let mut bytes = [0; INLINE_MAX];
        let written = digits.get(INLINE_MAX.saturating_sub(length)..).unwrap_or_default();
        if let Some(slot) = bytes.get_mut(..written.len()) {
            slot.copy_from_slice(written);
        }
        Self(Repr::Inline { length: length as u8, bytes })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("")
    }

    /// The text as bytes, for comparisons that need no more.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Heap(text) => text.as_bytes(),
            Repr::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
        }
    }
}

impl From<&str> for Figure {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Figure {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Figure {}

impl PartialEq<str> for Figure {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Figure {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Default for Figure {
    fn default() -> Self {
        Self::new("")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_print_as_written() {
        assert_eq!(Figure::count(0), "0");
        assert_eq!(Figure::count(u64::MAX), u64::MAX.to_string().as_str());
        for (minor, exponent, expected) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (-123_456, 2, "-1234.56"),
            (700, 0, "700"),
            (1_234, 3, "1.234"),
            (100, 2, "1.00"),
        ] {
            assert_eq!(Figure::decimal(minor, exponent), expected);
        }
        assert_eq!(Figure::decimal(i128::from(i64::MIN), 2), "-92233720368547758.08");
        let long = "a text that is longer than the inline bytes";
        assert_eq!(Figure::new(long).as_str(), long);
    }
}
