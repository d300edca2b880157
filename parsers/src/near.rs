//! Searches in bytes whose end is near: eight bytes at once, because calling for a search takes longer than looking at a short field.

use wide::u8x16;

const ONES: u64 = 0x0101_0101_0101_0101;

/// Where a byte stands first.
#[inline]
pub(crate) fn position(bytes: &[u8], needle: u8) -> Option<usize> {
    let spread = ONES.wrapping_mul(u64::from(needle));
    first(bytes, |block| zeros(block ^ spread), |byte| byte == needle)
}

/// Where one of two bytes stands first.
#[inline]
pub(crate) fn position2(bytes: &[u8], one: u8, two: u8) -> Option<usize> {
    let (ones, twos) = (ONES.wrapping_mul(u64::from(one)), ONES.wrapping_mul(u64::from(two)));
    first(bytes, |block| zeros(block ^ ones) | zeros(block ^ twos), |byte| byte == one || byte == two)
}

/// [`position2`] in 16 to 32 bytes, looked at sixteen at once.
#[inline]
pub(crate) fn position2_short(bytes: &[u8], one: u8, two: u8) -> Option<usize> {
    let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) else {
        return position2(bytes, one, two);
    };
    if bytes.len() > 32 {
        return position2(bytes, one, two);
    }
    let (one, two) = (u8x16::splat(one), u8x16::splat(two));
    let found = |part: &[u8; 16]| {
        let part = u8x16::new(*part);
        u64::from((part.simd_eq(one) | part.simd_eq(two)).to_bitmask())
    };
    let marks = found(first) | found(last).wrapping_shl(bytes.len().wrapping_sub(16) as u32);
    (marks != 0).then(|| marks.trailing_zeros() as usize)
}

/// The first byte that is meant; of the bits that `marks` gives for eight bytes the lowest is right, the others may not be.
#[inline(always)]
fn first(bytes: &[u8], marks: impl Fn(u64) -> u64, is_meant: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut rest, mut before) = (bytes, 0_usize);
    while let Some((block, tail)) = rest.split_first_chunk::<8>() {
        let found = marks(u64::from_le_bytes(*block));
        if found != 0 {
            return Some(before.wrapping_add((found.trailing_zeros() / 8) as usize));
        }
        before = before.wrapping_add(8);
        rest = tail;
    }
    rest.iter().position(|byte| is_meant(*byte)).map(|at| before.wrapping_add(at))
}

/// The bytes without the blanks at their end; half of a record of fixed columns is blank.
#[inline]
pub(crate) fn without_trailing_blanks(bytes: &[u8]) -> &[u8] {
    let mut kept = bytes;
    while let Some((before, block)) = kept.split_last_chunk::<8>() {
        let others = u64::from_le_bytes(*block) ^ ONES.wrapping_mul(u64::from(b' '));
        if others != 0 {
            let blanks = (others.leading_zeros() / 8) as usize;
            return kept.get(..kept.len().wrapping_sub(blanks)).unwrap_or_default();
        }
        kept = before;
    }
    while let [before @ .., b' '] = kept {
        kept = before;
    }
    kept
}

/// A text without blanks around it; nothing when blank. Few texts have any, and two bytes tell.
#[inline]
pub(crate) fn trimmed(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => Some(text),
        _ => Some(text.trim_ascii()).filter(|text| !text.is_empty()),
    }
}

/// A text without white space around it, of any kind that Unicode knows. Few texts have any, and two bytes tell.
#[inline]
pub(crate) fn stripped(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Whether all bytes are printable ASCII, blanks among it.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else { return bytes.iter().all(|byte| byte.wrapping_sub(b' ') < 0x5f) };
    let (least, most) = (u8x16::splat(b' '), u8x16::splat(b'~'));
    let plain = |part: &[u8; 16]| {
        let part = u8x16::new(*part);
        part.max(least).min(most).simd_eq(part)
    };
    // The last sixteen are looked at as they are, though some of them have been seen.
    bytes.as_chunks::<16>().0.iter().fold(plain(last), |all, part| all & plain(part)).to_bitmask() == 0xffff
}

/// Bytes that [`marks`] looks at.
pub(crate) const MARKED: usize = 64;

/// One bit for each of the first 64 bytes of a stretch that is `needle`.
#[inline]
pub(crate) fn marks(bytes: &[u8], from: usize, to: usize, needle: u8) -> u64 {
    let found = match (bytes.get(from..).and_then(<[u8]>::first_chunk::<MARKED>), bytes.last_chunk::<MARKED>()) {
        (Some(block), _) => marks_of(block, needle),
        // The last 64 bytes hold the stretch, behind others.
        (None, Some(block)) => {
            let before = MARKED.wrapping_sub(bytes.len().saturating_sub(from));
            marks_of(block, needle).checked_shr(before as u32).unwrap_or(0)
        }
        (None, None) => {
            let mut block = [0; MARKED];
            let stretch = bytes.get(from..to).unwrap_or_default();
            if let Some(slot) = block.get_mut(..stretch.len()) {
                slot.copy_from_slice(stretch);
            }
            marks_of(&block, needle)
        }
    };
    // What stands behind the stretch does not count.
    let length = to.wrapping_sub(from);
    if length < MARKED { found & 1_u64.wrapping_shl(length as u32).wrapping_sub(1) } else { found }
}

/// Where a byte stands, each time it does.
#[inline]
pub(crate) fn positions(bytes: &[u8], needle: u8) -> impl Iterator<Item = usize> + '_ {
    let (mut left, mut from, mut next) = (0_u64, 0_usize, 0_usize);
    std::iter::from_fn(move || {
        while left == 0 {
            if next >= bytes.len() {
                return None;
            }
            from = next;
            left = marks(bytes, from, bytes.len(), needle);
            next = from.wrapping_add(MARKED);
        }
        let at = from.wrapping_add(left.trailing_zeros() as usize);
        left &= left.wrapping_sub(1);
        Some(at)
    })
}

#[inline(always)]
fn marks_of(block: &[u8; MARKED], needle: u8) -> u64 {
    let needle = u8x16::splat(needle);
    let parts = block.as_chunks::<16>().0.iter().enumerate();
    parts.fold(0, |marks, (index, part)| {
        let found = u64::from(u8x16::new(*part).simd_eq(needle).to_bitmask());
        marks | found.wrapping_shl(index.wrapping_mul(16) as u32)
    })
}

/// A bit for the first byte that is zero, and perhaps for bytes behind it.
#[inline(always)]
fn zeros(block: u64) -> u64 {
    block.wrapping_sub(ONES) & !block & ONES.wrapping_mul(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_found_wherever_it_stands() {
        for length in 0..40 {
            let mut bytes: Vec<u8> = (0..length).map(|at| [b'-', b'+', 0x2d, 0xac, 0xff, 0][at % 6]).collect();
            assert_eq!((position(&bytes, b','), position2(&bytes, b':', b',')), (None, None));
            assert_eq!(position2_short(&bytes, b':', b','), None);
            for at in (0..length).rev() {
                bytes[at] = b',';
                assert_eq!(position(&bytes, b','), Some(at), "{length}");
                assert_eq!(position2(&bytes, b':', b','), Some(at), "{length}");
                assert_eq!(position2(&bytes, b',', b':'), Some(at), "{length}");
                assert_eq!(position2_short(&bytes, b':', b','), Some(at), "{length}");
            }
        }
    }
    #[test]
    fn marks_are_those_of_the_stretch() {
        let bytes: Vec<u8> = (0..200).map(|at| if at % 7 == 3 { b',' } else { b'x' }).collect();
        for (from, to) in [(0, 200), (3, 4), (4, 3 + 64), (150, 170), (190, 200), (150, 200), (199, 199)] {
            let expected =
                (from..to.min(from + 64)).filter(|at| bytes[*at] == b',').fold(0, |marks, at| marks | 1 << (at - from));
            assert_eq!(marks(&bytes, from, to, b','), expected, "{from} {to}");
        }
        for length in 0..200 {
            let expected: Vec<usize> = (0..length).filter(|at| bytes[*at] == b',').collect();
            assert_eq!(positions(&bytes[..length], b',').collect::<Vec<_>>(), expected, "{length}");
        }
    }
    #[test]
    fn blanks_at_the_end_are_cut() {
        for length in 0..20 {
            for blanks in 0..20 {
                let text = format!("{}{}", &"a bcdefghijklmnopqrstu"[..length], " ".repeat(blanks));
                let expected = text.trim_end_matches(' ');
                assert_eq!(without_trailing_blanks(text.as_bytes()), expected.as_bytes(), "{text:?}");
                assert_eq!(trimmed(&text), (!expected.is_empty()).then_some(expected), "{text:?}");
                assert_eq!(stripped(&text), expected, "{text:?}");
                assert_eq!(stripped(&format!("\u{a0}{text}\u{2003}")), expected, "{text:?}");
            }
        }
    }
    #[test]
    fn plain_bytes_are_printable() {
        for length in 0..70 {
            let mut bytes: Vec<u8> = (0..length).map(|at| b' ' + (at % 95) as u8).collect();
            assert!(is_plain(&bytes));
            for at in 0..length {
                for other in [0x1f, 0x7f, 0x80, 0xff, 0] {
                    let before = std::mem::replace(&mut bytes[at], other);
                    assert!(!is_plain(&bytes), "{length} {at} {other}");
                    bytes[at] = before;
                }
            }
        }
    }
}
