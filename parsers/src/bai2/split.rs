//! From lines to physical records: record codes, end marks, and several records on one line.

use super::record::Piece;

/// A physical record on a line; positions count in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Physical {
    /// Record code; nothing when the line begins with none.
    pub code: Option<[u8; 2]>,
    pub start: usize,
    pub piece: Piece,
    /// Behind its end mark; more may follow on the line.
    pub next: usize,
}

/// The physical record that begins at `from` of a line that ends at `end`; nothing when only blanks are left.
pub(super) fn physical(window: &[u8], from: usize, end: usize, line: u64) -> Option<Physical> {
    let rest = window.get(from..end)?;
    let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
    let start = from.wrapping_add(blank);
    let text = rest.get(blank..)?;
    if text.is_empty() {
        return None;
    }
    let code = code_of(text);
    let is_text = matches!(code, None | Some([b'1', b'6'] | [b'8', b'8']));
    let data = start.wrapping_add(if code.is_some() { 3 } else { 0 });
    // Most lines have one slash, which ends them.
    let slash = memchr::memchr(b'/', text).unwrap_or(text.len());
    let ends = slash.wrapping_add(1) >= text.len();
    let length = match if ends { None } else { split_at(text, is_text) } {
        Some(at) => at.wrapping_add(1),
        None => text.len(),
    };
    let next = start.wrapping_add(length);
    let kept = trim_end(text.get(..length).unwrap_or_default());
    let (kept, marked) = match kept {
        [kept @ .., b'/'] if kept.len() == slash => (kept, true),
        _ if ends => (kept, false),
        _ => without_mark(kept),
    };
    let piece_end = start.wrapping_add(kept.len()).max(data.min(next));
    let piece = Piece { start: data.min(next), end: piece_end, line, marked, foreign: code.is_none() };
    Some(Physical { code, start, piece, next })
}

/// The code of a record, when the text begins with one.
#[inline]
pub(super) fn code_of(text: &[u8]) -> Option<[u8; 2]> {
    match text {
        [a, b, b',' | b'/', ..] | [a, b] => {
            let code = [*a, *b];
            let known = matches!(&code, b"01" | b"02" | b"03" | b"16" | b"49" | b"88" | b"98" | b"99");
            known.then_some(code)
        }
        _ => None,
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0 | 0x1a | 0x0c)
}

fn trim_end(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last.wrapping_add(1));
    text.get(..kept).unwrap_or_default()
}

/// Takes the end mark off. A text such as `/REF 55/` keeps its slash: it closes what an earlier one opened. `//` is a slash and a mark.
fn without_mark(text: &[u8]) -> (&[u8], bool) {
    let [kept @ .., b'/'] = text else { return (text, false) };
    if kept.last() == Some(&b'/') {
        return (kept, true);
    }
    let opened = memchr::memrchr(b'/', kept).is_some_and(|at| {
        let before = at.checked_sub(1).and_then(|before| kept.get(before)).copied();
        let inside = kept.get(at.wrapping_add(1)..).unwrap_or_default();
        matches!(before, Some(b' ' | b',')) && inside.first().is_some_and(u8::is_ascii_alphanumeric)
    });
    if opened { (text, true) } else { (kept, true) }
}

/// Where the end mark of a record stands when another record follows on the same line.
///
/// In text a slash and two digits are everyday matters (`12/16,50`), so what follows must have the whole shape of a record.
fn split_at(text: &[u8], is_text: bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from_slash(text, from)?;
        let after = text.get(at.wrapping_add(1)..).unwrap_or_default();
        let blanks = after.iter().take_while(|byte| is_blank(**byte)).count();
        let follows = after.get(blanks..).unwrap_or_default();
        if follows.is_empty() {
            return None;
        }
        if let Some(code) = code_of(follows)
            && (!is_text || has_shape(code, follows, blanks))
        {
            return Some(at);
        }
        from = at.wrapping_add(1);
    }
}

#[inline]
fn from_slash(text: &[u8], from: usize) -> Option<usize> {
    memchr::memchr(b'/', text.get(from..)?).map(|at| from.wrapping_add(at))
}

/// Whether text behind a slash has the shape of a record and not only its two digits.
fn has_shape(code: [u8; 2], text: &[u8], blanks: usize) -> bool {
    // The beginning tells; looking at the whole rest of a line for every slash would take quadratic time.
    let text = text.get(..80).unwrap_or(text);
    let mut fields = text.splitn(5, |byte| matches!(byte, b',' | b'/')).skip(1);
    let (second, third) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let number = |field: &[u8]| {
        let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    match &code {
        b"16" => second.len() == 3 && number(second) && number(third) && text.iter().filter(|byte| **byte == b',').count() > 2,
        b"49" | b"98" | b"99" => (number(second) || second.is_empty()) && number(third.trim_ascii()),
        b"88" => blanks > 0,
        _ => blanks > 0 && text.iter().filter(|byte| **byte == b',').count() > 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a line: code, data, `/` when an end mark was taken off.
    fn records(line: &str) -> Vec<String> {
        let (mut from, mut found) = (0, Vec::new());
        while let Some(physical) = physical(line.as_bytes(), from, line.len(), 1) {
            let code = physical.code.map_or("--".to_owned(), |code| String::from_utf8_lossy(&code).into_owned());
            let mark = if physical.piece.marked { "/" } else { "" };
            found.push(format!("{code}|{}{mark}", &line[physical.piece.start..physical.piece.end]));
            from = physical.next;
        }
        found
    }

    #[test]
    fn slashes_end_records_only_where_they_may() {
        for (line, expected) in [
            ("02,A,B,1/   ", &["02|A,B,1/"][..]),
            ("49,-1600,11/  03,1111,,010,00,,/", &["49|-1600,11/", "03|1111,,010,00,,/"]),
            ("16,142,2500,Z,,,PAYPAL PPD/ 16,142,500,Z,,,MSPBNA/", &["16|142,2500,Z,,,PAYPAL PPD/", "16|142,500,Z,,,MSPBNA/"]),
            ("16,165,100,Z,,,DUE 12/16,50 AND 13/05/24", &["16|165,100,Z,,,DUE 12/16,50 AND 13/05/24"]),
            ("88,INV 77/88,99/02,3/", &["88|INV 77/88,99/02,3/"]),
            ("88,INV 1 /REF 55/", &["88|INV 1 /REF 55//"]),
            ("88,ACME A/S//", &["88|ACME A/S//"]),
            ("88,/MEXICO ;", &["88|/MEXICO ;"]),
            ("49,00,2/ 49,00,2/", &["49|00,2/", "49|00,2/"]),
            ("### RESUMING ###", &["--|### RESUMING ###"]),
            ("17,5/", &["--|17,5/"]),
            ("   \u{1a}", &[]),
            ("88", &["88|"]),
            ("88,/", &["88|/"]),
            ("99/", &["99|/"]),
        ] {
            assert_eq!(records(line), expected, "{line}");
        }
    }
}
