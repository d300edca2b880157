//! One field of the message text: its tag, its lines, and its place for findings.

use crate::{Effect, Finding, FindingCode, Location, Severity, Tag};

/// What a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 20 Transaction Reference Number.
    Reference,
    /// 21 Related Reference, 28C Statement Number, 13D Date/Time Indication: read past.
    Passed,
    /// 25 Account Identification.
    Account,
    /// 60F, 60M Opening Balance; the flag is M, a page inside a statement.
    Opening(bool),
    /// 61 Statement Line.
    Entry,
    /// 86 Information to Account Owner, and NS, the same at some banks.
    Details,
    /// 62F, 62M Closing Balance.
    Closing(bool),
    /// 64 Closing Available Balance.
    Available,
    /// 65 Forward Available Balance.
    Forward,
    /// 34F Floor Limit Indicator.
    FloorLimit,
    /// 90D Number and Sum of Debits.
    Debits,
    /// 90C Number and Sum of Credits.
    Credits,
    /// A tag that does not belong in a statement.
    Other,
    /// A line of the block envelope, `{1:...}{4:`.
    Header,
    /// `-` or `-}`: the end of the message.
    End,
    /// A line outside any field.
    Foreign,
}

/// Where a field stands in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub kind: Kind,
    /// Its first byte, the colon.
    pub start: usize,
    /// The first byte of its content.
    pub content: usize,
    /// One past the last byte of its first line, without the line end.
    pub first_end: usize,
    /// One past its last byte, without the line end.
    pub end: usize,
    /// Line breaks before it.
    pub line: u64,
    /// Position among the fields of the file, counted from 1.
    pub ordinal: u32,
}

/// A field with its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'w> {
    pub span: Span,
    /// Everything after the tag, line breaks included.
    pub content: &'w [u8],
    tag: &'w [u8],
    /// Offset in the file of the first byte of the window.
    base: u64,
}

impl<'w> Field<'w> {
    pub fn new(window: &'w [u8], base: u64, span: Span) -> Self {
        let content = window.get(span.content..span.end).unwrap_or_default();
        let head = window.get(span.start..span.content).unwrap_or_default();
        let tag = head.strip_prefix(b":").and_then(|tag| tag.strip_suffix(b":")).unwrap_or_default();
        Self { span, content, tag, base }
    }

    /// The lines of the content without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &'w [u8]> + use<'w> {
        let first = self.whole_first_line();
        let rest = self.content.get(first.len()..).filter(|rest| !rest.is_empty());
        let rest = rest.map(|rest| rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default());
        std::iter::once(first).chain(rest.into_iter().flat_map(lines))
    }

    /// The first line as it stands.
    #[inline]
    pub fn whole_first_line(&self) -> &'w [u8] {
        let length = self.span.first_end.saturating_sub(self.span.content);
        self.content.get(..length).unwrap_or(self.content)
    }

    /// The first line, blanks around it removed.
    pub fn first_line(&self) -> &'w [u8] {
        self.whole_first_line().trim_ascii()
    }

    /// Where the field begins.
    pub fn location(&self) -> Location {
        let tag = (!self.tag.is_empty()).then(|| Tag::new(self.tag));
        Location {
            byte: self.base.saturating_add(self.span.start as u64),
            line: Some(self.span.line.saturating_add(1)),
            segment: Some(self.span.ordinal),
            tag,
            ..Location::default()
        }
    }

    /// Where `part` of the content begins in it; 0 for what stands elsewhere.
    #[inline]
    fn offset_of(&self, part: &[u8]) -> usize {
        let offset = part.as_ptr().addr().checked_sub(self.content.as_ptr().addr());
        offset.filter(|offset| *offset <= self.content.len()).unwrap_or(0)
    }

    /// Where `part` of the content begins in the window.
    #[inline]
    pub fn position_of(&self, part: &[u8]) -> usize {
        self.span.content.saturating_add(self.offset_of(part))
    }

    /// Where `part` of the content stands, as subfield `element`.
    pub fn location_of(&self, part: &[u8], element: u16) -> Location {
        let offset = self.offset_of(part);
        let before = self.content.get(..offset).unwrap_or_default();
        let breaks = memchr::memchr_iter(b'\n', before).count() as u64;
        let location = self.location();
        Location {
            byte: self.base.saturating_add(self.span.content as u64).saturating_add(offset as u64),
            line: location.line.map(|line| line.saturating_add(breaks)),
            element: Some(element),
            ..location
        }
    }

    /// A finding about `part` of the content. Its severity follows from its effect.
    pub fn finding(
        &self,
        part: &[u8],
        element: u16,
        code: FindingCode,
        effect: Effect,
        message: &str,
        expected: &str,
    ) -> Finding {
        Finding {
            code,
            severity: if effect == Effect::Noted { Severity::Warning } else { Severity::Error },
            effect,
            message: message.to_owned(),
            expected: expected.to_owned(),
            found: crate::x12::segment::shown(part),
            location: self.location_of(part, element),
        }
    }
}

/// Lines without their ends; CR, LF and CRLF all end one.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(at) = memchr::memchr2(b'\r', b'\n', bytes) else {
            rest = None;
            return Some(bytes);
        };
        let (line, tail) = bytes.split_at_checked(at)?;
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..));
        Some(line)
    })
}
