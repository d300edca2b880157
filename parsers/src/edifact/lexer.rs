//! Where segments begin and end. A released terminator ends nothing; blanks, line breaks and doubled terminators between segments are passed over.

use super::marks::Marks;

/// One segment; positions count from the first byte of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    /// Behind its last byte, without the terminator.
    pub end: usize,
    /// Line breaks before it in the file.
    pub line: u64,
}

/// What was found from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Segment {
        span: Span,
        /// First byte behind the terminator.
        next: usize,
        /// Line breaks before `next`.
        line: u64,
        /// Its terminator is there; only the last segment of a file may lack it.
        terminated: bool,
    },
    /// The bytes before the position hold no terminator.
    NeedsBytes(usize),
    /// Only blanks are left.
    End,
    /// No terminator comes within the limit.
    TooLong(Span),
}

/// Cuts the segment at `from`, which has `line` line breaks before it; bytes before `searched` are known to hold no terminator.
pub(super) fn cut(window: &[u8], from: usize, line: u64, searched: usize, marks: &Marks, last: bool, bytes_max: usize) -> Cut {
    let rest = window.get(from..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| is_blank(**byte) || **byte == marks.terminator).count();
    let start = from.saturating_add(blank);
    let line = line.saturating_add(breaks(rest.get(..blank).unwrap_or_default()));
    if start >= window.len() {
        return if last { Cut::End } else { Cut::NeedsBytes(start) };
    }
    let (end, resume) = terminator(window, searched.max(start), marks);
    let span = Span { start, end: end.unwrap_or(window.len()), line };
    if span.end.saturating_sub(start) > bytes_max {
        return Cut::TooLong(span);
    }
    match end {
        Some(end) => {
            let next = end.saturating_add(1);
            let line = line.saturating_add(breaks(window.get(start..next).unwrap_or_default()));
            Cut::Segment { span, next, line, terminated: true }
        }
        None if last => {
            let line = line.saturating_add(breaks(window.get(start..).unwrap_or_default()));
            Cut::Segment { span, next: window.len(), line, terminated: false }
        }
        None => Cut::NeedsBytes(resume),
    }
}

/// Where the next terminator stands that is not released, and where to search on when there is none.
fn terminator(window: &[u8], from: usize, marks: &Marks) -> (Option<usize>, usize) {
    let mut at = from;
    let release = marks.release.unwrap_or(marks.terminator);
    while let Some(found) = memchr::memchr2(marks.terminator, release, window.get(at..).unwrap_or_default()) {
        let found = at.saturating_add(found);
        if window.get(found) == Some(&marks.terminator) {
            return (Some(found), found);
        }
        if found.saturating_add(1) >= window.len() {
            return (None, found);
        }
        at = found.saturating_add(2);
    }
    (None, window.len().max(at))
}

/// Blanks between segments; control-Z ends files of old systems.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1a | 0)
}

pub(super) fn breaks(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> Vec<(String, u64)> {
        let (mut at, mut line) = (0, 0);
        let mut found = Vec::new();
        while let Cut::Segment { span, next, line: after, .. } = cut(text.as_bytes(), at, line, 0, &Marks::DEFAULT, true, 100) {
            found.push((text[span.start..span.end].to_owned(), span.line));
            (at, line) = (next, after);
        }
        found
    }

    #[test]
    fn released_terminators_end_nothing() {
        let found = segments("FTX+it?'s'\r\nFTX+ends??'''\n BGM+1\u{1a}");
        let expected = [("FTX+it?'s", 0), ("FTX+ends??", 1), ("BGM+1\u{1a}", 2)];
        assert_eq!(found, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn what_is_not_complete_waits() {
        let cut = |text: &[u8]| cut(text, 0, 0, 0, &Marks::DEFAULT, false, 8);
        assert_eq!(cut(b"FTX+a"), Cut::NeedsBytes(5));
        assert_eq!(cut(b"FTX+a?"), Cut::NeedsBytes(5));
        assert_eq!(cut(b"FTX+a?'"), Cut::NeedsBytes(7));
        assert_eq!(cut(b"  "), Cut::NeedsBytes(2));
        assert_eq!(cut(b"FTX+abcdef"), Cut::TooLong(Span { start: 0, end: 10, line: 0 }));
    }
}
