//! Where element separators stand: one bit for each byte, so that finding them costs nothing for segments that nobody reads.

/// The bits of the bytes from an origin on.
#[derive(Debug, Default)]
pub(crate) struct Separators {
    words: Vec<u64>,
    /// Bits of the first word that stand before the origin.
    lead: usize,
    /// Bits from the origin on.
    length: usize,
}

const WORD: usize = u64::BITS as usize;

impl Separators {
    /// None yet, from another origin on.
    pub fn clear(&mut self) {
        self.words.clear();
        (self.lead, self.length) = (0, 0);
    }

    /// The bits of the next `length` bytes, at most 64; those behind them are zero.
    #[inline(always)]
    pub fn push(&mut self, bits: u64, length: usize) {
        let used = self.lead.wrapping_add(self.length) % WORD;
        self.length = self.length.wrapping_add(length);
        if used == 0 {
            self.words.push(bits);
            return;
        }
        if let Some(last) = self.words.last_mut() {
            *last |= bits.wrapping_shl(used as u32);
        }
        if used.wrapping_add(length) > WORD {
            self.words.push(bits.wrapping_shr(WORD.wrapping_sub(used) as u32));
        }
    }

    /// None stand before `length`, as far as nothing is known yet.
    pub fn pad(&mut self, length: usize) {
        while self.length < length {
            self.push(0, length.wrapping_sub(self.length).min(WORD));
        }
    }

    /// Lets go of what stands from `length` on.
    pub fn truncate(&mut self, length: usize) {
        if length >= self.length {
            return;
        }
        self.length = length;
        let total = self.lead.wrapping_add(length);
        self.words.truncate(total.div_ceil(WORD));
        if let (Some(last), used @ 1..) = (self.words.last_mut(), total % WORD) {
            *last &= below(used);
        }
    }

    /// What stands from `from` to `to` separates nothing.
    pub fn erase(&mut self, from: usize, to: usize) {
        let (from, to) = (self.lead.saturating_add(from), self.lead.saturating_add(to.min(self.length)));
        for (index, word) in self.words.iter_mut().enumerate().skip(from / WORD) {
            let base = index.saturating_mul(WORD);
            if base >= to {
                return;
            }
            *word &= below(from.saturating_sub(base)) | !below(to.saturating_sub(base));
        }
    }

    /// Moves the origin on by so many bytes.
    pub fn forget(&mut self, bytes: usize) {
        let total = self.lead.saturating_add(bytes);
        self.words.drain(..(total / WORD).min(self.words.len()));
        self.lead = total % WORD;
        self.length = self.length.saturating_sub(bytes);
        if self.length == 0 {
            self.clear();
        }
    }

    /// The bits of the 64 bytes from a position on.
    #[inline(always)]
    pub fn from(&self, at: u32) -> u64 {
        let at = self.lead.wrapping_add(at as usize);
        let (index, shift) = (at / WORD, (at % WORD) as u32);
        let (low, high) = match self.words.get(index..) {
            Some([low, high, ..]) => (*low, *high),
            Some([low]) => (*low, 0),
            _ => (0, 0),
        };
        // Two shifts, because one of all 64 would be none.
        low.wrapping_shr(shift) | high.wrapping_shl(1).wrapping_shl(63_u32.wrapping_sub(shift))
    }
}

/// The lowest bits, all of them from 64 on.
fn below(count: usize) -> u64 {
    if count >= WORD { u64::MAX } else { 1_u64.wrapping_shl(count as u32).wrapping_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(separators: &Separators, length: usize) -> Vec<usize> {
        let at = |at: usize| separators.from(at as u32) & 1 == 1;
        let found: Vec<usize> = (0..length + 130).filter(|position| at(*position)).collect();
        for from in 0..length {
            let expected =
                (from..from + 64).filter(|position| at(*position)).fold(0, |bits, position| bits | 1 << (position - from));
            assert_eq!(separators.from(from as u32), expected, "{from}");
        }
        found
    }

    #[test]
    fn they_are_where_they_were_put() {
        for step in [1, 3, 17, 63, 64] {
            let mut separators = Separators::default();
            let mut expected = Vec::new();
            while separators.length < 300 {
                let (at, bits) = (separators.length, 0x8421_0842_1084_2108 & below(step));
                expected.extend((0..step).filter(|bit| bits >> bit & 1 == 1).map(|bit| at + bit));
                separators.push(bits, step);
            }
            assert_eq!(positions(&separators, separators.length), expected, "{step}");
            separators.erase(70, 140);
            expected.retain(|at| !(70..140).contains(at));
            assert_eq!(positions(&separators, separators.length), expected, "{step}");
            for bytes in [0, 5, 64, 61] {
                separators.forget(bytes);
                expected = expected.iter().filter_map(|at| at.checked_sub(bytes)).collect();
                assert_eq!(positions(&separators, separators.length), expected, "{step} {bytes}");
            }
            separators.truncate(50);
            separators.pad(60);
            separators.push(1, 1);
            expected.retain(|at| *at < 50);
            expected.push(60);
            assert_eq!((positions(&separators, 61), separators.length), (expected, 61), "{step}");
        }
    }
}
