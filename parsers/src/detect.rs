//! What a file is, by its first bytes and never by its name.

use crate::{Effect, Finding, FindingCode, Location, Severity};

/// Bytes that settle the format.
pub(crate) const LOOK: usize = 4096;

/// The family of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// X12 with envelopes.
    X12,
    /// UN/EDIFACT interchanges.
    Edifact,
    /// NACHA ACH file.
    Nacha,
    /// BAI2 statement.
    Bai2,
    /// BAI lockbox with fixed columns.
    Lockbox,
    /// SWIFT MT940 and MT942 statements.
    Swift,
    /// ISO 20022 XML.
    Camt,
    /// A zip package, which a workbook is.
    Package,
    /// Nothing we read, and a hint at what it may be.
    Unknown(&'static str),
}

/// Whether the first bytes are enough to judge by, so that a stream need not wait for more.
pub(crate) fn is_settled(bytes: &[u8]) -> bool {
    bytes.len() >= LOOK || crate::x12::delimiters::begins_isa(content(bytes))
}

/// What follows a byte-order mark and blanks.
fn content(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start()
}

/// Judges by the first [`LOOK`] bytes, or by all when there are fewer.
pub(crate) fn family(bytes: &[u8]) -> Family {
    let head = bytes.get(..LOOK).unwrap_or(bytes);
    let text = content(head);
    if crate::x12::delimiters::begins_isa(text) {
        return Family::X12;
    }
    if crate::edifact::begins(text) {
        return Family::Edifact;
    }
    // Before NACHA, whose header is looked for on every line: that of a BAI2 file is its first.
    if crate::bai2::begins(text) {
        return Family::Bai2;
    }
    if text.split(|byte| *byte == b'\n' || *byte == b'\r').any(crate::nacha::begins) {
        return Family::Nacha;
    }
    if crate::lockbox::begins(text) {
        return Family::Lockbox;
    }
    if crate::swift::looks_like_statement(text) {
        return Family::Swift;
    }
    if matches!(text, [b'<', b'?' | b'!' | b'A'..=b'Z' | b'a'..=b'z' | b'_', ..]) {
        return Family::Camt;
    }
    if head.starts_with(b"PK\x03\x04") {
        return Family::Package;
    }
    // Last, because the text of a payment may hold an interchange.
    if has_later_isa(text) {
        return Family::X12;
    }
    Family::Unknown(hint(head, text))
}

/// An ISA after some foreign lines, such as the header of a transfer program.
fn has_later_isa(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"ISA").any(|at| {
        let isa = text.get(at..).unwrap_or_default();
        let separator = isa.get(3).copied().unwrap_or(b'0');
        let begins_line = at == 0 || text.get(at.saturating_sub(1)).is_some_and(|byte| byte.is_ascii_whitespace());
        // Authorization qualifier of two characters between separators: enough to tell it from a word.
        begins_line && crate::x12::delimiters::begins_isa(isa) && isa.get(6) == Some(&separator)
    })
}

fn hint(head: &[u8], text: &[u8]) -> &'static str {
    if head.is_empty() {
        "the file is empty"
    } else if text.is_empty() {
        "the file holds only blanks"
    } else if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        "the file is UTF-16 text; convert it to UTF-8"
    } else if head.starts_with(b"\xd0\xcf\x11\xe0") {
        "this is an old .xls workbook, or one with a password; save it as .xlsx without password, or as CSV"
    } else if head.starts_with(b"\x1f\x8b") {
        "the file is compressed; unpack it first"
    } else if [&b"Received:"[..], b"Return-Path:", b"From:", b"Delivered-To:"].iter().any(|name| text.starts_with(name)) {
        "this is an e-mail, and nothing that is attached to it can be read"
    } else if is_tag(text, b"GS") {
        "this looks like X12 whose ISA segment is missing; ask the sender for the whole interchange"
    } else if is_tag(text, b"UNH") || is_tag(text, b"UNB") || text.starts_with(b"UNA:+") {
        "this looks like EDIFACT whose UNB segment is missing or damaged; ask the sender for the whole interchange"
    } else if is_tag(text, b"ST") {
        "this looks like a bare X12 transaction set without ISA and GS; it is read only where the caller says so"
    } else if memchr::memmem::find(text, b"GS*").is_some() && memchr::memmem::find(text, b"ST*").is_some() {
        "this looks like X12 whose ISA segment is damaged"
    } else if [&b"02,"[..], b"03,", b"16,", b"88,"].iter().any(|code| text.starts_with(code)) {
        "this looks like BAI2 whose file header 01 is missing; ask the sender for the whole file"
    } else {
        "the first bytes fit no format that is read"
    }
}

fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    text.strip_prefix(tag).and_then(<[u8]>::first).is_some_and(|next| next.is_ascii_punctuation())
}

/// Whether bytes begin with the envelope of a format, so that they need no mapping to be known.
///
/// ```
/// assert!(tieout_parsers::has_envelope(b"ISA*00*          *00*"));
/// assert!(!tieout_parsers::has_envelope(b"Dear customer, please find attached"));
/// ```
pub fn has_envelope(bytes: &[u8]) -> bool {
    match family(bytes) {
        // Not somewhere below other text.
        Family::X12 => crate::x12::delimiters::begins_isa(content(bytes)),
        family => !matches!(family, Family::Unknown(_) | Family::Camt | Family::Package),
    }
}

/// The finding for a file that is no known format.
pub(crate) fn unknown(hint: &str, head: &[u8]) -> Finding {
    Finding {
        code: FindingCode::UnknownFormat,
        severity: Severity::Error,
        effect: Effect::FileRejected,
        message: hint.to_owned(),
        expected: "ISA".to_owned(),
        found: kind(head),
        location: Location { byte: 0, line: Some(1), ..Location::default() },
    }
}

/// What kind of bytes they are. Findings are stored, and an unknown file may begin with anything, so only four bytes are told.
fn kind(head: &[u8]) -> String {
    let (head, is_whole) = (head.get(..LOOK).unwrap_or(head), head.len() < LOOK);
    let start: String = head.iter().take(4).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { ' ' }).collect();
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let kind = match head {
        [] => return String::new(),
        _ if content(head).starts_with(b"<") => "XML-like text",
        _ if head.iter().all(is_text) => "printable text",
        _ if is_utf8_text(head) => "UTF-8 text",
        _ => "binary data",
    };
    let more = if is_whole { "" } else { "at least " };
    format!("{kind}, {more}{} bytes, beginning with {start:?}", head.len())
}

/// Text without control characters; the last character may be cut.
fn is_utf8_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => head.get(..error.valid_up_to()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default(),
    };
    text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_file_is_told_by_its_kind_alone() {
        for (head, expected) in [
            (&b""[..], ""),
            (b"ACCOUNT 0099109999", "printable text, 18 bytes, beginning with \"ACCO\""),
            (b"0099109999\r\n", "printable text, 12 bytes, beginning with \"0099\""),
            (b"<0099109999", "XML-like text, 11 bytes, beginning with \"<009\""),
            ("Stra\u{df}e".as_bytes(), "UTF-8 text, 7 bytes, beginning with \"Stra\""),
            (b"\x00\x01ab\xff0099109999", "binary data, 15 bytes, beginning with \"  ab\""),
            (&[b'a'; LOOK + 9], "printable text, at least 4096 bytes, beginning with \"aaaa\""),
        ] {
            assert_eq!(unknown("hint", head).found, expected);
        }
    }

    #[test]
    fn a_number_where_nacha_has_its_record_size_makes_no_nacha_file() {
        // Columns 35 to 37 of the second line of each are 094.
        let statement = "01,071300001,KMF,260127,0415,2239,,,2/\n16,195,2305414,Z,20260126MMQFMP606094,,INCOMING WIRE/\n";
        assert_eq!(family(statement.as_bytes()), Family::Bai2);
        let list = "number;amount;currency;name;reference\n1;230541;USD;KESTREL MOTOR LINES 6094;LW104480\n";
        assert!(list.lines().all(|line| !crate::nacha::begins(line.as_bytes())), "{list}");
        assert_eq!(&statement.lines().nth(1).map_or("", |line| &line[34..37]), &"094");
        assert_eq!(&list.lines().nth(1).map_or("", |line| &line[34..37]), &"094");
        let header = "101 061104204 7700311904260316054 5A094101KESTREL";
        assert!(crate::nacha::begins(header.replace(" 5A", "5A").as_bytes()));
    }
}
