//! The ISA header: the one segment of fixed width, which says what separates everything after it.
//!
//! Where the sixteen separators stand on their bytes the header is read by position; where padding was lost they are counted.

use nom::{
    IResult, Parser,
    bytes::complete::{tag, take, take_till},
    number::complete::u8 as any_byte,
};

/// Bytes within which the header must end; more is no header. Padding that grew is rare and short.
pub(crate) const HEADER_MAX: usize = 1024;
/// Widths of ISA01 to ISA15.
const WIDTHS: [usize; 15] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1];

/// What separates elements, components, repeats and segments of one interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiters {
    /// Between elements.
    pub element: u8,
    /// Between components (ISA16).
    pub component: u8,
    /// Between repeats (ISA11 from version 00402), where there is one.
    pub repetition: Option<u8>,
    /// After a segment.
    pub terminator: Terminator,
}

impl Delimiters {
    /// What CCD and CTX addenda without an envelope use: `*` between elements and the given terminator.
    pub const fn bare(terminator: u8) -> Self {
        Self { element: b'*', component: b'>', repetition: None, terminator: Terminator::byte(terminator) }
    }
}

/// What ends a segment: one byte, or the several bytes of one character outside ASCII.
///
/// A newline terminator is the line feed; a carriage return before it belongs to it, so files that mix LF and CR LF read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminator {
    bytes: [u8; 4],
    length: u8,
}

impl Terminator {
    /// A terminator of one byte.
    pub const fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// The byte to look for: the last one, so that a hit means the whole terminator has been seen.
    pub(crate) fn last(&self) -> u8 {
        self.as_bytes().last().copied().unwrap_or(0)
    }
}

/// A header and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Isa<'w> {
    pub delimiters: Delimiters,
    /// ISA01 to ISA16.
    pub elements: [&'w [u8]; 16],
    /// Bytes from `ISA` to the end of the terminator.
    pub length: usize,
    /// The separators do not stand on their bytes.
    pub collapsed: bool,
}

/// Why a header could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsaFault {
    /// More bytes are needed to decide.
    Incomplete,
    /// Line breaks fall inside the header: the file was wrapped at a fixed column and must be unwrapped first.
    Wrapped,
    /// It is no header.
    Bad {
        /// Offset from `ISA` of what is wrong.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

/// Whether a header may begin here: `ISA` and a byte that can separate.
pub(crate) fn begins_isa(bytes: &[u8]) -> bool {
    matches!(bytes, [b'I', b'S', b'A', separator, ..] if !separator.is_ascii_alphanumeric())
}

/// Reads the header at the start of `bytes`; `last` says that no more bytes will come.
pub(crate) fn read_isa(bytes: &[u8], last: bool) -> Result<Isa<'_>, IsaFault> {
    let head = bytes.get(..HEADER_MAX).unwrap_or(bytes);
    let complete = last || bytes.len() >= HEADER_MAX;
    let (rest, (separator, fields, collapsed)) = match fixed(head) {
        Ok((rest, (separator, fields))) => (rest, (separator, fields, false)),
        // A header of fixed form that is not whole yet may look like a short one: with more bytes the answer would be another.
        Err(_) if !complete && head.len() < FIXED_LENGTH => return Err(IsaFault::Incomplete),
        Err(_) => match counted(head) {
            Ok((rest, (separator, fields))) => (rest, (separator, fields, true)),
            Err(_) if !complete => return Err(IsaFault::Incomplete),
            Err(_) => return Err(bad(head, 0, "16 element separators within 1024 bytes")),
        },
    };
    if separator.is_ascii_alphanumeric() || separator.is_ascii_whitespace() {
        return Err(IsaFault::Bad { at: 3, expected: "an element separator, no letter, digit or blank" });
    }
    if fields.iter().any(|field| field.contains(&b'\n') || field.contains(&b'\r')) {
        return Err(wrapped_or_bad(head, complete));
    }
    // ISA16, a terminator of up to four bytes or CR LF after blanks: eight bytes settle it, and a finding shows as many from its place on.
    if rest.len() < 16 && !complete {
        return Err(IsaFault::Incomplete);
    }
    let before = head.len().saturating_sub(rest.len());
    let Some((&component, after)) = rest.split_first() else {
        return Err(IsaFault::Bad { at: before, expected: "the component separator (ISA16)" });
    };
    let newline_inside = component == b'\n' || component == b'\r';
    if newline_inside {
        return Err(wrapped_or_bad(head, complete));
    }
    let (terminator, width) =
        terminator(after).ok_or(IsaFault::Bad { at: before.saturating_add(1), expected: "a segment terminator" })?;
    if terminator.as_bytes() == [separator] || terminator.as_bytes() == [component] || component == separator {
        return Err(IsaFault::Bad { at: before, expected: "three different separators" });
    }
    let mut elements: [&[u8]; 16] = [&[]; 16];
    for (slot, field) in elements.iter_mut().zip(fields.iter().copied().chain([rest.get(..1).unwrap_or(&[])])) {
        *slot = field;
    }
    let repetition = repetition(&elements, separator, component, terminator);
    let delimiters = Delimiters { element: separator, component, repetition, terminator };
    let length = before.saturating_add(1).saturating_add(width);
    Ok(Isa { delimiters, elements, length, collapsed })
}

/// Bytes of a header of fixed form up to ISA16.
const FIXED_LENGTH: usize = 105;

type Fields<'w> = (u8, [&'w [u8]; 15]);

/// The header by position.
fn fixed(input: &[u8]) -> IResult<&[u8], Fields<'_>> {
    let (mut rest, (_, separator)) = (tag(&b"ISA"[..]), any_byte).parse(input)?;
    let mut fields: [&[u8]; 15] = [&[]; 15];
    for (slot, width) in fields.iter_mut().zip(WIDTHS) {
        (rest, (*slot, _)) = (take(width), tag(&[separator][..])).parse(rest)?;
    }
    Ok((rest, (separator, fields)))
}

/// The header by counting separators.
fn counted(input: &[u8]) -> IResult<&[u8], Fields<'_>> {
    let (mut rest, (_, separator)) = (tag(&b"ISA"[..]), any_byte).parse(input)?;
    let mut fields: [&[u8]; 15] = [&[]; 15];
    for slot in &mut fields {
        (rest, (*slot, _)) = (take_till(|byte| byte == separator), tag(&[separator][..])).parse(rest)?;
    }
    Ok((rest, (separator, fields)))
}

/// Line breaks inside the header: the file is wrapped when the header has its fixed form without them.
fn wrapped_or_bad(head: &[u8], complete: bool) -> IsaFault {
    let unwrapped: Vec<u8> = head.iter().copied().filter(|byte| *byte != b'\n' && *byte != b'\r').collect();
    let first_break = head.iter().position(|byte| *byte == b'\n' || *byte == b'\r').unwrap_or(0);
    match fixed(&unwrapped) {
        Ok((rest, _)) if rest.len() >= 2 => IsaFault::Wrapped,
        _ if !complete => IsaFault::Incomplete,
        _ => bad(head, first_break, "the 106 bytes of an ISA segment on one line"),
    }
}

fn bad(head: &[u8], at: usize, expected: &'static str) -> IsaFault {
    IsaFault::Bad { at: at.min(head.len()), expected }
}

/// The terminator at the start of `bytes` and how many bytes it takes.
fn terminator(bytes: &[u8]) -> Option<(Terminator, usize)> {
    let blanks = bytes.iter().take_while(|byte| **byte == b' ').count();
    let first = *bytes.get(blanks)?;
    match first {
        b'\n' => Some((Terminator::byte(b'\n'), blanks.saturating_add(1))),
        b'\r' if bytes.get(blanks.saturating_add(1)) == Some(&b'\n') => Some((Terminator::byte(b'\n'), blanks.saturating_add(2))),
        b'\r' => Some((Terminator::byte(b'\r'), blanks.saturating_add(1))),
        _ if blanks > 0 || first == 0 || first.is_ascii_alphanumeric() => None,
        _ if first.is_ascii() => Some((Terminator::byte(first), 1)),
        _ => {
            let length = character_length(bytes);
            let mut held = [0; 4];
            held.get_mut(..length)?.copy_from_slice(bytes.get(..length)?);
            Some((Terminator { bytes: held, length: u8::try_from(length).ok()? }, length))
        }
    }
}

/// Length of the UTF-8 character at the start; 1 when it is none, such as a byte of Latin-1.
fn character_length(bytes: &[u8]) -> usize {
    (2..=4).find(|length| bytes.get(..*length).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok())).unwrap_or(1)
}

/// ISA11 separates repeats from version 00402 on, unless it is a letter, a digit, a blank or another separator.
fn repetition(elements: &[&[u8]; 16], separator: u8, component: u8, terminator: Terminator) -> Option<u8> {
    let [.., isa11, isa12, _, _, _, _] = elements;
    let version: u32 = std::str::from_utf8(isa12).ok()?.trim().parse().ok()?;
    let &[byte] = isa11.trim_ascii() else { return None };
    let usable = !byte.is_ascii_alphanumeric() && byte != separator && byte != component && terminator.as_bytes() != [byte];
    (version >= 402 && usable).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(isa11: char, isa12: &str, end: &str) -> String {
        format!(
            "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*{isa11}*{isa12}*000000001*0*P*{end}"
        )
    }

    /// Terminator, component separator, repetition separator, collapsed, length.
    type Seen<'s> = (&'s [u8], u8, Option<u8>, bool, usize);

    fn check(text: &[u8], expected: Result<Seen<'_>, IsaFault>) {
        let found = read_isa(text, true);
        let seen = found.as_ref().map(|isa| {
            let d = &isa.delimiters;
            (d.terminator.as_bytes(), d.component, d.repetition, isa.collapsed, isa.length)
        });
        assert_eq!(seen.map_err(|fault| *fault), expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn separators_come_from_the_header() {
        check(header('U', "00401", ">~GS*").as_bytes(), Ok((b"~", b'>', None, false, 106)));
        check(header('^', "00501", ":~\r\nGS*").as_bytes(), Ok((b"~", b':', Some(b'^'), false, 106)));
        check(header('^', "00401", ":~GS*").as_bytes(), Ok((b"~", b':', None, false, 106)));
        check(header(':', "00501", ">\nGS*").as_bytes(), Ok((b"\n", b'>', Some(b':'), false, 106)));
        check(header('U', "00501", ">\r\nGS*").as_bytes(), Ok((b"\n", b'>', None, false, 107)));
        check(header('U', "00501", ">\rGS*").as_bytes(), Ok((b"\r", b'>', None, false, 106)));
        check(header('U', "00400", ">ÖGS*").as_bytes(), Ok(("Ö".as_bytes(), b'>', None, false, 107)));
        check(
            b"ISA*00* *00* *30*227777777 *14*577777777 *120530*1144*U*00401*000000001*0*P*~\\\nGS",
            Ok((b"\\", b'~', None, true, 78)),
        );
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let wrapped = header('U', "00401", ">~GS*").replace("*1200", "*12\n00");
        check(wrapped.as_bytes(), Err(IsaFault::Wrapped));
        check(header('U', "00401", ">GS*SH").as_bytes(), Err(IsaFault::Bad { at: 105, expected: "a segment terminator" }));
        check(header('U', "00401", "**GS*").as_bytes(), Err(IsaFault::Bad { at: 104, expected: "three different separators" }));
        assert_eq!(read_isa(b"ISA*00*", false).map(|_| ()), Err(IsaFault::Incomplete));
        assert!(matches!(read_isa(b"ISA*00*", true), Err(IsaFault::Bad { .. })));
    }
}
