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

/// Bytes that [`marks`] looks at.
pub(crate) const MARKED: usize = 64;

/// One bit for each of the first 64 bytes of a stretch that is `needle`.
#[inline]
pub(crate) fn marks(bytes: &[u8], from: usize, to: usize, needle: u8) -> u64 {
    let found = match bytes.get(from..).and_then(<[u8]>::first_chunk::<MARKED>) {
        Some(block) => marks_of(block, needle),
        None => {
            let mut block = [0; MARKED];
            block.iter_mut().zip(bytes.get(from..to).unwrap_or_default()).for_each(|(slot, byte)| *slot = *byte);
            marks_of(&block, needle)
        }
    };
    // What stands behind the stretch does not count.
    let length = to.wrapping_sub(from);
    if length < MARKED { found & 1_u64.wrapping_shl(length as u32).wrapping_sub(1) } else { found }
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
        for length in 0..30 {
            let mut bytes: Vec<u8> = (0..length).map(|at| [b'-', b'+', 0x2d, 0xac, 0xff, 0][at % 6]).collect();
            assert_eq!((position(&bytes, b','), position2(&bytes, b':', b',')), (None, None));
            for at in (0..length).rev() {
                bytes[at] = b',';
                assert_eq!(position(&bytes, b','), Some(at), "{length}");
                assert_eq!(position2(&bytes, b':', b','), Some(at), "{length}");
                assert_eq!(position2(&bytes, b',', b':'), Some(at), "{length}");
            }
        }
    }
    #[test]
    fn marks_are_those_of_the_stretch() {
        let bytes: Vec<u8> = (0..200).map(|at| if at % 7 == 3 { b',' } else { b'x' }).collect();
        for (from, to) in [(0, 200), (3, 4), (4, 3 + 64), (150, 170), (190, 200), (150, 200), (199, 199)] {
            let expected = (from..to.min(from + 64)).filter(|at| bytes[*at] == b',').fold(0, |marks, at| marks | 1 << (at - from));
            assert_eq!(marks(&bytes, from, to, b','), expected, "{from} {to}");
        }
    }
}
