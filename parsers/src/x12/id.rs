//! The tag of a segment as a number: a reader tells one segment from another by one comparison, and not letter by letter.

use crate::Tag;

const ONES: u32 = 0x0101_0101;

/// One to three bytes without a blank behind them, the first in the lowest byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentId(u32);

macro_rules! ids {
    ($($name:ident)+) => { $(pub const $name: Self = Self::known(stringify!($name).as_bytes());)+ };
}

impl SegmentId {
    /// Any other tag, such as a longer one or one with blanks behind it: its bytes tell.
    pub const OTHER: Self = Self(0);
    ids! { ADX BPR CUR DTM ENT GE GS IEA ISB ISE IT1 N1 N2 N3 N4 NM1 NTE PER REF RMR SE ST TA1 TRN }

    const fn known(tag: &[u8]) -> Self {
        match tag {
            [a, b] => Self(u32::from_le_bytes([*a, *b, 0, 0])),
            [a, b, c] => Self(u32::from_le_bytes([*a, *b, *c, 0])),
            _ => Self::OTHER,
        }
    }

    /// The number of a tag.
    pub fn of(tag: &[u8]) -> Self {
        match *tag {
            [] => Self::OTHER,
            [.., last] if last <= b' ' => Self::OTHER,
            [a] => Self(u32::from_le_bytes([a, 0, 0, 0])),
            [a, b] => Self(u32::from_le_bytes([a, b, 0, 0])),
            [a, b, c] => Self(u32::from_le_bytes([a, b, c, 0])),
            _ => Self::OTHER,
        }
    }

    /// What [`SegmentId::before`] looks for.
    pub fn spread(separator: u8) -> u32 {
        ONES.wrapping_mul(u32::from(separator))
    }

    /// The number of the tag at the start of four bytes: two or three that stand before a separator. Whether the first is a letter is
    /// for [`SegmentId::is_everyday`] to say.
    #[inline(always)]
    pub fn before(word: u32, separator: u32) -> Self {
        let differs = word ^ separator;
        let is_short = differs & 0x00ff_0000 == 0;
        // Blanks at the end belong to no tag: the byte before the separator must be above them.
        let (letters, least) = if is_short { (word & 0xffff, 0x2100) } else { (word & 0x00ff_ffff, 0x0021_0000) };
        let ends = is_short || differs < 0x0100_0000;
        if ends && differs & 0xff00 != 0 && letters >= least { Self(letters) } else { Self::OTHER }
    }

    /// Begins with a letter, but none of an interchange (I) or of a binary payload (B).
    #[inline(always)]
    pub fn is_everyday(self) -> bool {
        self.class() & EVERYDAY != 0
    }

    /// Begins or ends a set, a group or an interchange.
    #[inline(always)]
    pub fn is_envelope(self) -> bool {
        // Most segments begin with none of these letters.
        self.class() & ENVELOPE != 0 && matches!(self, Self::SE | Self::ST | Self::GE | Self::GS | Self::IEA)
    }

    #[inline(always)]
    fn class(self) -> u8 {
        static CLASSES: [u8; 256] = classes();
        CLASSES.get(usize::from(self.0 as u8)).copied().unwrap_or(0)
    }

    /// The tag; nothing for [`SegmentId::OTHER`].
    #[inline(always)]
    pub fn tag(self) -> Option<Tag> {
        let Self(letters) = self;
        let length = 4_u32.wrapping_sub(letters.leading_zeros() / 8) as usize;
        letters.to_le_bytes().get(..length).filter(|tag| !tag.is_empty()).map(Tag::new)
    }
}

/// What the first letter of a tag tells.
const EVERYDAY: u8 = 1;
const ENVELOPE: u8 = 2;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let (mut rest, mut letter) = (classes.as_mut_slice(), 0_u8);
    while let [class, tail @ ..] = rest {
        *class = match letter {
            b'S' | b'G' => EVERYDAY | ENVELOPE,
            b'I' => ENVELOPE,
            b'A'..=b'Z' if letter != b'B' => EVERYDAY,
            _ => 0,
        };
        (rest, letter) = (tail, letter.wrapping_add(1));
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_before_the_first_separator() {
        for text in ["N1*.", "RMR*", "SE**", "9X*~", "ZZZ*", "R\0!*"] {
            let (tag, _) = text.split_once('*').expect("a separator");
            let word = u32::from_le_bytes(text.as_bytes().try_into().expect("four"));
            let id = SegmentId::before(word, SegmentId::spread(b'*'));
            assert_eq!((id, id == SegmentId::OTHER), (SegmentId::of(tag.as_bytes()), false), "{text}");
            assert_eq!(id.tag(), Some(Tag::new(tag.as_bytes())));
        }
        for text in ["N1 *", "N\t*.", "RMRX", "\0*..", "A*~*", "A**."] {
            let word = u32::from_le_bytes(text.as_bytes().try_into().expect("four"));
            assert_eq!(SegmentId::before(word, SegmentId::spread(b'*')), SegmentId::OTHER, "{text:?}");
        }
        for tag in ["", "N1 ", "N\t", "RMRX", "\0", "A\n"] {
            assert_eq!(SegmentId::of(tag.as_bytes()), SegmentId::OTHER, "{tag:?}");
        }
        assert_eq!(SegmentId::of(b"RMR"), SegmentId::RMR);
    }

    #[test]
    fn few_begin_an_envelope() {
        for (tag, everyday, envelope) in [
            ("SE", true, true),
            ("ST", true, true),
            ("GS", true, true),
            ("SV1", true, false),
            ("IEA", false, true),
            ("ISB", false, false),
            ("BPR", false, false),
            ("1A", false, false),
            ("", false, false),
        ] {
            let id = SegmentId::of(tag.as_bytes());
            assert_eq!((id.is_everyday(), id.is_envelope()), (everyday, envelope), "{tag}");
        }
    }
}
