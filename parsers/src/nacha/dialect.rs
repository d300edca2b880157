//! What the text of addenda is: a whole X12 interchange, bare sets, segments of an 820, or prose.

use crate::{
    Figure, Money,
    x12::{Delimiters, delimiters::begins_isa},
};

/// Tags that a bare line of segments may begin with.
const TAGS: &[&[u8]] = &[b"RMR", b"ADX", b"REF", b"TRN", b"ENT", b"NTE", b"DTM", b"N1"];

/// How the joined text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// ISA to IEA.
    Interchange,
    /// ST to SE, separated like this.
    Sets(Delimiters),
    /// Segments of an 820 without ST and BPR.
    Segments(Delimiters),
    Text,
}

/// Whether a text cannot be X12: it does not begin with a tag and a separator.
pub(super) fn is_prose(text: &[u8]) -> bool {
    kind(text) == Kind::Text
}

/// Judges by the first bytes.
pub(super) fn kind(text: &[u8]) -> Kind {
    let text = text.trim_ascii();
    // The authorization qualifier has two letters; so a word that begins with ISA is told from a header.
    if begins_isa(text) && text.get(3) == text.get(6) && text.get(3) != Some(&b' ') {
        return Kind::Interchange;
    }
    if let [b'S', b'T', separator, rest @ ..] = text
        && is_separator(*separator)
        && let Some(terminator) = after_control_number(rest, *separator)
    {
        return Kind::Sets(Delimiters { element: *separator, ..Delimiters::bare(terminator) });
    }
    segments(text).unwrap_or(Kind::Text)
}

/// What ends ST: the first byte behind the set identifier that is part of no number and no version.
fn after_control_number(rest: &[u8], separator: u8) -> Option<u8> {
    let behind = memchr::memchr(separator, rest)?;
    let rest = rest.get(behind..)?;
    rest.iter().copied().find(|byte| !byte.is_ascii_alphanumeric() && *byte != separator && *byte != b' ')
}

/// Segments without ST: a known tag, a separator that comes again, and an item or a reference among them.
fn segments(text: &[u8]) -> Option<Kind> {
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    let separator = *text.get(end)?;
    let tag = text.get(..end)?;
    if !TAGS.contains(&tag) || !is_separator(separator) {
        return None;
    }
    let again = memchr::memchr(separator, text.get(end.saturating_add(1)..)?);
    let telling = matches!(tag, b"RMR" | b"ADX" | b"REF" | b"TRN");
    let item = [b"RMR".as_slice(), &[separator]].concat();
    if again.is_none() || !(telling || memchr::memmem::find(text, &item).is_some()) {
        return None;
    }
    let terminator = terminator(text, separator);
    Some(Kind::Segments(Delimiters { element: separator, ..Delimiters::bare(terminator) }))
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'*' | b'|' | b'^' | b'!' | b'+' | 0x1d)
}

/// A backslash or a tilde: the one that ends the text, or stands before a tag.
fn terminator(text: &[u8], separator: u8) -> u8 {
    if let Some(last @ (b'\\' | b'~')) = text.last() {
        return *last;
    }
    let parts = |sign: &u8| {
        memchr::memchr_iter(*sign, text).any(|at| {
            let next = text.get(at.saturating_add(1)..).unwrap_or_default().trim_ascii_start();
            let tag = next.split(|byte| *byte == separator).next().unwrap_or_default();
            TAGS.contains(&tag)
        })
    };
    [b'\\', b'~'].into_iter().find(parts).unwrap_or(b'\\')
}

/// Puts ST, BPR and SE around segments, so that the reader of 820 reads them; gives how many bytes were put before them.
pub(super) fn wrap(text: &[u8], delimiters: Delimiters, amount: Money) -> (Vec<u8>, usize) {
    let separator = char::from(delimiters.element);
    let end = delimiters.terminator.as_bytes();
    let pays = if amount.minor > 0 { ["C", "ACH"] } else { ["I", "NON"] };
    let [handling, method] = pays;
    let figure = Figure::decimal(i128::from(amount.minor), 2);
    let mut bytes = Vec::with_capacity(text.len().saturating_add(80));
    let put = |bytes: &mut Vec<u8>, elements: &[&str]| {
        bytes.extend_from_slice(elements.join(&separator.to_string()).as_bytes());
        bytes.extend_from_slice(end);
    };
    put(&mut bytes, &["ST", "820", "0001"]);
    put(&mut bytes, &["BPR", handling, figure.as_str(), "C", method]);
    let prefix = bytes.len();
    bytes.extend_from_slice(text);
    if !text.ends_with(end) {
        bytes.extend_from_slice(end);
    }
    let sign = delimiters.terminator.last();
    let segments = text.split(|byte| *byte == sign).filter(|segment| !segment.trim_ascii().is_empty()).count();
    put(&mut bytes, &["SE", &segments.saturating_add(3).to_string(), "0001"]);
    (bytes, prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_segments() {
        let bare = |separator: u8, terminator| Delimiters { element: separator, ..Delimiters::bare(terminator) };
        for (text, expected) in [
            ("RMR*IV*INV77**123.45\\", Kind::Segments(bare(b'*', b'\\'))),
            ("RMR|IV|INV-77*||123.45~", Kind::Segments(bare(b'|', b'~'))),
            ("RMR*IV*INV77**123.45", Kind::Segments(bare(b'*', b'\\'))),
            ("RMR*IV*A~B**1.00\\ADX*-1.00*04", Kind::Segments(bare(b'*', b'\\'))),
            ("REF*IV*77\\", Kind::Segments(bare(b'*', b'\\'))),
            ("DTM*003*20260101\\", Kind::Text),
            ("TXP*123456789*941*250901\\", Kind::Text),
            ("REF: 4711 RMR", Kind::Text),
            ("RMR WITHOUT SIGNS", Kind::Text),
            ("THANK YOU", Kind::Text),
            ("", Kind::Text),
            ("ST*820*0001~BPR*C", Kind::Sets(bare(b'*', b'~'))),
            ("ST|820|0001|005010X306\\BPR", Kind::Sets(bare(b'|', b'\\'))),
            ("ST. LOUIS STEEL", Kind::Text),
            ("ISA*00*  ", Kind::Interchange),
            ("ISA,A", Kind::Text),
            ("ISA A B", Kind::Text),
        ] {
            assert_eq!(kind(text.as_bytes()), expected, "{text}");
        }
    }
}
