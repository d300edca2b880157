//! What is odd about the form of lines: how they end, how long they are, and letters that do not belong there.

use crate::{Effect, Finding, FindingCode, Location, Severity, x12::output::Output};

use super::line::{COLUMNS, Letters, Line};

/// How lines end, to tell of files that mix it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Endings {
    first: Option<(usize, u8)>,
    told: bool,
}

impl Endings {
    /// Tells once when lines end in different ways.
    pub fn note(&mut self, end: &[u8], place: Location, out: &mut Output<'_>) {
        let Some(byte) = end.first() else { return };
        let this = (end.len(), *byte);
        let first = *self.first.get_or_insert(this);
        if first == this || std::mem::replace(&mut self.told, true) {
            return;
        }
        let name = |ending| match ending {
            (2, _) => "CR LF",
            (_, b'\n') => "LF",
            _ => "CR",
        };
        out.finding(Finding {
            code: FindingCode::OddEnvelope,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "lines end in different ways; all were read".to_owned(),
            expected: name(first).to_owned(),
            found: name(this).to_owned(),
            location: place,
        });
    }
}

/// Tells that the file begins with a byte order mark.
pub(super) fn tell_byte_order_mark(out: &mut Output<'_>) {
    out.finding(Finding {
        code: FindingCode::OddEnvelope,
        severity: Severity::Warning,
        effect: Effect::Noted,
        message: "the file begins with a UTF-8 byte order mark".to_owned(),
        expected: "record 1".to_owned(),
        found: "a byte order mark".to_owned(),
        location: Location { byte: 0, line: Some(1), ..Location::default() },
    });
}

/// Tells about letters beyond ASCII, once for an entry, and about a wrong number of columns. `told` says that the entry was told about.
pub(super) fn check_form(line: &Line<'_>, told: &mut bool, out: &mut Output<'_>) {
    let letters = if line.kind() == b'7' && *told { Letters::Ascii } else { line.letters };
    *told = line.letters != Letters::Ascii || (line.kind() == b'7' && *told);
    let found = match letters {
        Letters::Ascii => None,
        Letters::Control => Some((FindingCode::BadText, "the record has control characters")),
        Letters::Utf8 | Letters::Wide => Some((FindingCode::BadText, "the record has letters beyond ASCII")),
        Letters::Other => Some((FindingCode::NotUtf8, "the record is not UTF-8 and was read as Windows-1252")),
    };
    if let Some((code, message)) = found {
        out.finding(line.finding_here(code, Effect::Noted, message.to_owned(), "ASCII"));
    }
    let columns = line.columns();
    if columns == COLUMNS {
        return;
    }
    // Records 1 and 9 end in fields that may be blank; blanks behind a record do no harm.
    let short = columns < COLUMNS && matches!(line.kind(), b'5'..=b'8');
    let long = columns > COLUMNS && !line.bytes.get(COLUMNS..).unwrap_or_default().trim_ascii().is_empty();
    if short || long {
        let message = format!("the record has {columns} columns");
        let code = FindingCode::BadText;
        out.finding(line.finding_here(code, Effect::Noted, message, "94 columns"));
    }
}
