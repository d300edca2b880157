//! From positions in the bytes being read to places in the file.

use crate::Location;

/// One removed line break of a file that was wrapped at a fixed column.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Position in the unwrapped bytes before which it stood.
    at: u64,
    /// Bytes removed up to and including it.
    removed: u64,
    /// Line feeds removed up to and including it.
    lines: u64,
}

/// Where line breaks were taken out of a wrapped file, so that every place still names the original byte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrap {
    cuts: Vec<Cut>,
    unwrapped: u64,
    removed: u64,
    lines: u64,
}

impl Wrap {
    /// Begins at an unwrapped file position.
    pub fn starting_at(position: u64) -> Self {
        Self { unwrapped: position, ..Self::default() }
    }

    /// Appends `bytes` without their line breaks to `out`.
    pub fn strip(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        loop {
            let at = memchr::memchr2(b'\n', b'\r', rest);
            let (line, tail) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            out.extend_from_slice(line);
            self.unwrapped = self.unwrapped.saturating_add(line.len() as u64);
            let Some((byte, tail)) = tail.split_first() else { return };
            self.removed = self.removed.saturating_add(1);
            self.lines = self.lines.saturating_add(u64::from(*byte == b'\n'));
            let cut = Cut { at: self.unwrapped, removed: self.removed, lines: self.lines };
            match self.cuts.last_mut() {
                Some(last) if last.at == cut.at => *last = cut,
                _ => self.cuts.push(cut),
            }
            rest = tail;
        }
    }

    /// Lets go of what lies before a position that will not be asked for again.
    pub fn forget(&mut self, before: u64) {
        let passed = self.cuts.partition_point(|cut| cut.at <= before);
        // The last one passed still tells how much was removed before.
        if passed > 1024 {
            self.cuts.drain(..passed.saturating_sub(1));
        }
    }

    #[cold]
    /// Original byte offset and additional line breaks of an unwrapped position.
    fn original(&self, position: u64) -> (u64, u64) {
        let passed = self.cuts.partition_point(|cut| cut.at <= position);
        match passed.checked_sub(1).and_then(|index| self.cuts.get(index)) {
            Some(cut) => (position.saturating_add(cut.removed), cut.lines),
            None => (position, 0),
        }
    }
}

/// Turns a position into a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'s> {
    /// File offset of position 0.
    pub base: u64,
    pub wrap: Option<&'s Wrap>,
}

impl Origin<'_> {
    /// A place without tag and element.
    #[inline(always)]
    pub fn location(&self, position: usize, line: u32, segment: Option<u32>) -> Location {
        let flat = self.base.wrapping_add(position as u64);
        let (byte, wrapped) = match self.wrap {
            None => (flat, 0),
            Some(wrap) => wrap.original(flat),
        };
        let line = u64::from(line).wrapping_add(wrapped).wrapping_add(1);
        Location { byte, line: Some(line), segment, ..Location::default() }
    }
}
