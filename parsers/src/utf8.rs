//! Text in bytes that are checked for UTF-8 in large steps: checking every short field by itself takes longer than reading it.

use std::str::Utf8Error;

/// Bytes as text, checked as many at once as the processor can.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Utf8Error> {
    // The quick check does not tell where it failed.
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes))
}

/// Bytes that are checked together, at most and at least: where text is not UTF-8, what was checked ahead is soon checked again.
const AHEAD: usize = 32 << 10;
const AHEAD_MIN: usize = 256;

/// Gives stretches of some bytes as text.
#[derive(Debug)]
pub(crate) struct Utf8<'w> {
    bytes: &'w [u8],
    /// Bytes from `from` on that are known to be UTF-8.
    valid: &'w str,
    from: usize,
    ahead: usize,
    /// Whether all of them are ASCII, once somebody asked.
    ascii: Option<bool>,
}

impl<'w> Utf8<'w> {
    pub fn new(bytes: &'w [u8]) -> Self {
        Self { bytes, valid: "", from: 0, ahead: AHEAD, ascii: None }
    }

    /// All the bytes.
    pub fn bytes(&self) -> &'w [u8] {
        self.bytes
    }

    /// A stretch as text; nothing when it is not UTF-8. Stretches are asked for in their order in the bytes.
    #[inline]
    pub fn slice(&mut self, from: usize, to: usize) -> Option<&'w str> {
        if let Some(text) = self.known(from, to) {
            return Some(text);
        }
        self.check(from, to);
        self.known(from, to)
    }

    /// Whether the stretch that was given last is ASCII, as far as is known without looking at it.
    #[inline]
    pub fn is_ascii(&mut self) -> bool {
        let valid = self.valid;
        *self.ascii.get_or_insert_with(|| valid.is_ascii())
    }

    #[inline]
    fn known(&self, from: usize, to: usize) -> Option<&'w str> {
        self.valid.get(from.checked_sub(self.from)?..to.checked_sub(self.from)?)
    }

    /// Checks the bytes from a position on, at least up to another. Each byte of UTF-8 is checked twice at most.
    #[cold]
    fn check(&mut self, from: usize, to: usize) {
        let ahead = from.saturating_add(self.ahead).max(to).min(self.bytes.len());
        let block = self.bytes.get(from..ahead).unwrap_or_default();
        let up_to = |length: usize| block.get(..length).and_then(|bytes| text(bytes).ok()).unwrap_or_default();
        let checked = text(block);
        self.ahead = if checked.is_ok() { self.ahead.saturating_mul(2).min(AHEAD) } else { AHEAD_MIN };
        self.valid = checked.unwrap_or_else(|error| up_to(error.valid_up_to()));
        self.ascii = None;
        self.from = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_what_they_are_by_themselves() {
        let mut bytes = "ä€.".repeat(AHEAD / 3).into_bytes();
        let good = bytes.len();
        bytes.extend_from_slice(b"a\xffb.");
        bytes.extend("ö.".repeat(9).into_bytes());
        let mut text = Utf8::new(&bytes);
        let mut from = 0;
        for end in memchr::memchr_iter(b'.', &bytes) {
            assert_eq!(text.slice(from, end), std::str::from_utf8(&bytes[from..end]).ok(), "{from}");
            assert_eq!(text.slice(from, end).is_none(), from == good);
            assert!(!text.is_ascii() || bytes[from..end].is_ascii() || from == good);
            from = end + 1;
        }
        assert_eq!(text.slice(1, 2), None);
        assert_eq!(text.slice(0, bytes.len() + 1), None);
    }
}
