//! Physical lines of text files: LF, CR LF or CR alone, in any mixture.

use crate::{Effect, Finding, FindingCode, Location, Severity, x12::segment::shown};

/// One line of a window; positions count from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// First byte.
    pub start: usize,
    /// Behind its last byte, without the line end.
    pub end: usize,
    /// First byte of the next line.
    pub next: usize,
}

/// Which kinds of line ends a file has shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineEnds(u8);

impl LineEnds {
    /// Remembers the end of a line.
    #[inline]
    pub fn see(&mut self, window: &[u8], line: Line) {
        self.0 |= match (line.next.wrapping_sub(line.end), window.get(line.end)) {
            (0, _) => 0,
            (1, Some(b'\n')) => 1,
            (1, _) => 2,
            _ => 4,
        };
    }

    /// A finding when the file mixes them.
    pub fn mixed(self) -> Option<Finding> {
        (self.0.count_ones() > 1).then(|| Finding {
            code: FindingCode::OddEnvelope,
            severity: Severity::Info,
            effect: Effect::Noted,
            message: "the file mixes kinds of line ends".to_owned(),
            expected: "one kind of line end".to_owned(),
            found: "LF, CR LF or CR mixed".to_owned(),
            location: Location { byte: 0, line: Some(1), ..Location::default() },
        })
    }
}

/// The finding for a byte order mark in front of a format that has none.
pub(crate) fn byte_order_mark() -> Finding {
    Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Info,
        effect: Effect::Noted,
        message: "a byte order mark stands before the first record".to_owned(),
        expected: "the first record at the first byte".to_owned(),
        found: "EF BB BF".to_owned(),
        location: Location { byte: 0, line: Some(1), ..Location::default() },
    }
}

/// A foreign line for a message. It may be the rest of a record, so long numbers in it are covered: one of them may be an account.
pub(crate) fn covered(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 5;
    let text = shown(bytes);
    let mut digits: usize = 0;
    let cover = |c: char| {
        digits = if c.is_ascii_digit() { digits.saturating_add(1) } else { 0 };
        if digits > SHOWN_MAX { '•' } else { c }
    };
    text.chars().map(cover).collect()
}

/// The line that begins at `from`, when its end is in the window; its bytes before `searched` are known to hold no line end.
///
/// A CR at the very end waits for the next window, because an LF may follow that belongs to it.
#[inline]
pub(crate) fn line_at(window: &[u8], from: usize, searched: usize, last: bool) -> Option<Line> {
    let search = searched.max(from);
    let rest = window.get(search..)?;
    let Some(at) = memchr::memchr2(b'\n', b'\r', rest) else {
        return (last && from < window.len()).then_some(Line { start: from, end: window.len(), next: window.len() });
    };
    let end = search.wrapping_add(at);
    let after = end.wrapping_add(1);
    let next = match (window.get(end), window.get(after)) {
        (Some(b'\r'), Some(b'\n')) => after.wrapping_add(1),
        (Some(b'\r'), None) if !last => return None,
        _ => after,
    };
    Some(Line { start: from, end, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<&[u8]> {
        let mut from = 0;
        let mut found = Vec::new();
        while let Some(line) = line_at(text, from, 0, true) {
            found.push(&text[line.start..line.end]);
            from = line.next;
        }
        found
    }

    #[test]
    fn long_numbers_of_foreign_lines_are_covered() {
        assert_eq!(covered(b"X001 12100035812345678900 ACME 4711"), "X001 12100••••••••••••••• ACME 4711");
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        assert_eq!(lines(b"a\nb\r\nc\rd"), [b"a", b"b", b"c", b"d"]);
        assert_eq!(lines(b"\n\r\n\r"), [b"", b"", b""]);
        assert_eq!(line_at(b"a\r", 0, 0, false), None);
        assert_eq!(line_at(b"a", 0, 0, false), None);
    }
}
