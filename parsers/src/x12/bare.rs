//! X12 without envelopes, as the addenda of ACH entries and the texts of statements carry it.
//!
//! Nothing is counted and no number is compared there, so it is read only where the caller says so: the entry or the statement around it
//! has counts and totals of its own.

use super::delimiters::{Delimiters, Terminator};

/// Segments that a text may begin with.
const FIRST: [&[u8]; 12] = [b"ST", b"BPR", b"RMR", b"ADX", b"TRN", b"REF", b"NTE", b"N1", b"DTM", b"ENT", b"CUR", b"NM1"];
/// What separates elements in such texts. Other punctuation also stands behind the words of plain texts, such as `REF: 12345`.
const ELEMENT: &[u8] = b"*|^\x1d";
/// What ends segments, the most usual first.
const TERMINATORS: [u8; 7] = [b'\\', b'~', b'|', b'!', b'\'', b'\n', b'\r'];
/// Bytes looked at for the terminator of the first segment.
const LOOK: usize = 4096;

/// How X12 without an envelope stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// Transaction sets from ST to SE without ISA and GS, as in many CTX entries. Each must be complete.
    Sets(Delimiters),
    /// Segments of one 820 without ST, SE and mostly without BPR, as in the addenda of CCD entries. They give one remittance that names
    /// no total: the money is the entry around it. The last terminator may be missing. Where ST comes first they are read as sets.
    Segments(Delimiters),
}

impl Bare {
    /// What separates.
    pub const fn delimiters(self) -> Delimiters {
        match self {
            Self::Sets(delimiters) | Self::Segments(delimiters) => delimiters,
        }
    }

    /// How a text is to be read, by its first segment; nothing when it begins like no segment of a remittance.
    ///
    /// ```
    /// use tieout_parsers::{Options, parse_with, x12::Bare};
    /// let text = br"RMR*IV*INV-7**100.00*105.00*5.00\ADX*-2.50*01\   ";
    /// let options = Options { bare: Bare::recognise(text), ..Options::default() };
    /// let parsed = parse_with(text, &options);
    /// assert_eq!(parsed.document.remittances[0].lines[0].reference, "INV-7");
    /// assert_eq!(Bare::recognise(b"REF: INVOICE 7 OF MAY"), None);
    /// ```
    pub fn recognise(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii_start();
        let (tag, element) = first_tag(text)?;
        if !ELEMENT.contains(&element) || !FIRST.contains(&tag) {
            return None;
        }
        let terminator = terminator(text.get(..LOOK).unwrap_or(text), element);
        let delimiters = Delimiters { element, terminator: Terminator::byte(terminator), ..Delimiters::bare(terminator) };
        Some(if tag == b"ST" { Self::Sets(delimiters) } else { Self::Segments(delimiters) })
    }
}

/// Whole sets that separate like this.
impl From<Delimiters> for Bare {
    fn from(delimiters: Delimiters) -> Self {
        Self::Sets(delimiters)
    }
}

/// The tag at the start of `text` and the byte behind it.
fn first_tag(text: &[u8]) -> Option<(&[u8], u8)> {
    let length = text.iter().take(4).position(|byte| !byte.is_ascii_uppercase() && !byte.is_ascii_digit())?;
    Some((text.get(..length).filter(|tag| tag.len() > 1)?, *text.get(length)?))
}

/// The first byte that can end a segment and has another segment, or nothing but blanks, behind it.
fn terminator(text: &[u8], element: u8) -> u8 {
    let ends = |at: &usize| {
        let behind = text.get(at.saturating_add(1)..).unwrap_or_default().trim_ascii_start();
        behind.is_empty() || first_tag(behind).is_some_and(|(_, next)| next == element)
    };
    let positions = |sign: u8| memchr::memchr_iter(sign, text).find(ends).map(|at| (at, sign));
    let found = TERMINATORS.into_iter().filter(|sign| *sign != element).filter_map(positions);
    // Blanks behind a terminator may be line breaks, which end nothing where another byte does.
    found.min_by_key(|(at, _)| *at).map_or(b'\\', |(_, sign)| sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_envelope_are_recognised_by_their_first_segment() {
        for (text, expected) in [
            (r"RMR*IV*1**5\ADX*-1*01\", Some((false, b'*', b'\\'))),
            ("RMR*IV*1**5~\nADX*-1*01~\n", Some((false, b'*', b'~'))),
            ("RMR*IV*1**5\nADX*-1*01\n", Some((false, b'*', b'\n'))),
            ("  RMR|IV|1||5~REF|PO|2", Some((false, b'|', b'~'))),
            ("RMR*IV*A~B**5\\REF*PO*2", Some((false, b'*', b'\\'))),
            ("RMR*IV*1**5", Some((false, b'*', b'\\'))),
            (r"ST*820*1\BPR*I*1\SE*3*1\", Some((true, b'*', b'\\'))),
            ("REF: 5 OF MAY", None),
            ("RMRS*IV*1", None),
            ("ISA*00*", None),
            ("INVOICE 12345", None),
            ("R*1", None),
            ("", None),
        ] {
            let found = Bare::recognise(text.as_bytes()).map(|bare| {
                let Delimiters { element, terminator, .. } = bare.delimiters();
                (matches!(bare, Bare::Sets(_)), element, terminator.last())
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
