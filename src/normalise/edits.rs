//! How many slips lie between two writings.

/// A text that others are compared with. A slip inserts, drops or replaces a character or swaps two neighbours, and none touches a place twice
/// (optimal string alignment).
///
/// One column of the table of distances is held in the bits of a word (Hyyrö 2003), so that a character costs a dozen operations, whatever the length.
#[derive(Clone, Debug)]
pub struct Edits<'t> {
    text: &'t str,
    /// By ASCII character: the places where it stands. `None` for a text that does not fit; it is compared the long way.
    places: Option<[u64; 128]>,
}

impl<'t> Edits<'t> {
    pub fn of(text: &'t str) -> Self {
        let fits = text.is_ascii() && (1..=64).contains(&text.len());
        let places = fits.then(|| {
            let mut places = [0; 128];
            for (at, byte) in text.bytes().enumerate() {
                places[usize::from(byte & 127)] |= 1 << at;
            }
            places
        });
        Self { text, places }
    }

    /// Slips between the two texts.
    pub fn to(&self, other: &str) -> usize {
        match &self.places {
            Some(places) if other.is_ascii() => distance(places, self.text.len(), other.as_bytes()),
            _ => strsim::osa_distance(self.text, other),
        }
    }

    /// Slips between the two texts, where they are no more than `most`.
    pub fn within(&self, other: &str, most: usize) -> Option<usize> {
        // A slip changes the length by one at most; a character has at most four bytes.
        let unlike = self.text.len().abs_diff(other.len()) > most * if self.places.is_some() && other.is_ascii() { 1 } else { 4 };
        (!unlike).then(|| self.to(other)).filter(|slips| *slips <= most)
    }
}

fn distance(places: &[u64; 128], length: usize, other: &[u8]) -> usize {
    let last = 1 << (length - 1);
    let mut slips = length;
    // Where a cell is one more, and one less, than the cell above it.
    let (mut more, mut less) = (u64::MAX, 0u64);
    let (mut equal_before, mut diagonal) = (0u64, 0u64);
    for byte in other {
        let equal = places[usize::from(byte & 127)];
        let swapped = ((!diagonal & equal) << 1) & equal_before;
        diagonal = ((equal & more).wrapping_add(more) ^ more) | equal | less | swapped;
        let (right_more, right_less) = (less | !(diagonal | more), diagonal & more);
        slips = slips + usize::from(right_more & last != 0) - usize::from(right_less & last != 0);
        let (right_more, right_less) = (right_more << 1 | 1, right_less << 1);
        more = right_less | !(diagonal | right_more);
        less = right_more & diagonal;
        equal_before = equal;
    }
    slips
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_swap_is_one_slip_and_no_place_is_touched_twice() {
        for (a, b, slips) in
            [("10443", "10434", 1), ("CA", "ABC", 3), ("", "AB", 2), ("AB", "", 2), ("INV1", "INV1", 0), ("MÜLLER", "MULLER", 1)]
        {
            assert_eq!(Edits::of(a).to(b), slips, "{a} {b}");
        }
        assert_eq!(Edits::of("10443").within("1044", 1), Some(1));
        assert_eq!(Edits::of("10443").within("20444", 1), None);
        assert_eq!(Edits::of("Ü").within("U", 1), Some(1), "one character of two bytes");
    }

    proptest! {
        /// `strsim` is the oracle.
        #[test]
        fn distances_are_those_of_the_table(a in "[A-C0-2É]{0,12}|[AB]{60,70}", b in "[A-C0-2É]{0,12}|[AB]{60,70}", most in 0usize..6) {
            let expected = strsim::osa_distance(&a, &b);
            prop_assert_eq!(Edits::of(&a).to(&b), expected);
            prop_assert_eq!(Edits::of(&a).within(&b, most), Some(expected).filter(|slips| *slips <= most));
        }
    }
}
