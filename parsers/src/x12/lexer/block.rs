//! Looking at bytes: delimiters of a block at once, and what may stand before a tag.

use wide::u8x16;

use super::super::{delimiters::Delimiters, id::SegmentId};

/// Bytes looked at together.
pub(super) const BLOCK: usize = 64;

/// The delimiters, spread for comparison with sixteen bytes at once.
pub(super) struct Needles {
    element: u8x16,
    terminator: u8x16,
    newline: u8x16,
    /// The element separator, once in each byte.
    pub(super) separator: u32,
    /// All bits where one byte proves a terminator, none where it has several.
    pub(super) proof: u64,
    /// The terminator is one byte and no line feed.
    pub(super) is_plain: bool,
}

impl Needles {
    pub(super) fn new(delimiters: &Delimiters) -> Self {
        Self {
            element: u8x16::splat(delimiters.element),
            terminator: u8x16::splat(delimiters.terminator.last()),
            newline: u8x16::splat(b'\n'),
            separator: SegmentId::spread(delimiters.element),
            proof: if delimiters.terminator.as_bytes().len() == 1 { u64::MAX } else { 0 },
            is_plain: matches!(delimiters.terminator.as_bytes(), [byte] if *byte != b'\n'),
        }
    }

    /// One bit per byte that is an element separator, a terminator, a line feed.
    #[inline]
    pub(super) fn find(&self, block: &[u8; BLOCK]) -> (u64, u64, u64) {
        let (mut element, mut terminator, mut newline) = (0_u64, 0_u64, 0_u64);
        for (index, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*part);
            let shift = index.wrapping_mul(16) as u32;
            element |= u64::from(bytes.simd_eq(self.element).to_bitmask()).wrapping_shl(shift);
            terminator |= u64::from(bytes.simd_eq(self.terminator).to_bitmask()).wrapping_shl(shift);
            newline |= u64::from(bytes.simd_eq(self.newline).to_bitmask()).wrapping_shl(shift);
        }
        (element, terminator, newline)
    }

    /// The same for the last bytes of a window.
    pub(super) fn find_short(&self, bytes: &[u8]) -> (u64, u64, u64) {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        self.find(&block)
    }
}

/// A byte that can only be part of a segment, so that no blanks need to be passed over.
#[inline]
pub(super) fn is_tag_byte(byte: u8) -> bool {
    (b'!'..0x7f).contains(&byte)
}

/// Blanks before a tag, and the line breaks among them. A byte-order mark counts as blank.
pub(super) fn leading(raw: &[u8]) -> (usize, u32) {
    let mut breaks: u32 = 0;
    let mut length = 0_usize;
    let mut rest = raw;
    loop {
        match rest {
            [b'\n', tail @ ..] => {
                breaks = breaks.wrapping_add(1);
                rest = tail;
                length = length.wrapping_add(1);
            }
            [b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0x1a, tail @ ..] => {
                rest = tail;
                length = length.wrapping_add(1);
            }
            [0xef, 0xbb, 0xbf, tail @ ..] => {
                rest = tail;
                length = length.wrapping_add(3);
            }
            _ => return (length, breaks),
        }
    }
}

/// Length of foreign lines before a tag, such as a message of a transfer program, when a tag begins on the last line.
pub(super) fn foreign_lines(text: &[u8], element: u8) -> (usize, u32) {
    let head = text.split(|byte| *byte == element).next().unwrap_or_default();
    let Some(line_break) = memchr::memrchr(b'\n', head) else { return (0, 0) };
    let tag_at = line_break.saturating_add(1);
    let tag = head.get(tag_at..).unwrap_or_default();
    let (blank, _) = leading(tag);
    let tag = tag.get(blank..).unwrap_or_default();
    let is_tag = (2..=3).contains(&tag.len()) && tag.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_tag {
        return (0, 0);
    }
    let skipped = tag_at.saturating_add(blank);
    let breaks = memchr::memchr_iter(b'\n', text.get(..skipped).unwrap_or_default()).count();
    (skipped, to_u32(breaks))
}

/// Positions on the tape stay far below 2^32: a transaction has an upper bound.
#[inline]
pub(super) fn to_u32(value: usize) -> u32 {
    value as u32
}
