//! Field 86 Information to Account Owner: who paid and what for, in the families that banks write.
//!
//! Subfields behind a separator (`166?00..?20..?32..`, also `>`, `~`, `<`, `^`), words between slashes (`/EREF/../REMI/..`), and plain text.
//! The family is told from the text itself, entry by entry.

use crate::x12::segment::decode;

use super::field::Field;

/// Lines at least this long were broken because they were full; a word may go on in the next.
const FULL_LINE: usize = 65;

/// The same between slashes, where a cut may move to the left of a blank.
const FULL_SLASH_LINE: usize = 55;

/// What field 86 says. Empty texts stand for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    /// Business transaction code (GVC).
    pub business_code: String,
    /// What the payment is for.
    pub purpose: String,
    /// Name, bank and account of the other side.
    pub name: String,
    pub bank: String,
    pub account: String,
    /// EREF, the end-to-end reference.
    pub end_to_end: String,
    /// Other references with their keys: KREF, MREF, CRED, PURP and the like.
    pub references: Vec<(&'static str, String)>,
    /// Why the payment comes back: subfield 34, or RTRN.
    pub reason: String,
}

/// Keys inside the purpose of German statements, each followed by `+`.
const PLUS_KEYS: &[&str] =
    &["EREF", "KREF", "MREF", "CRED", "DEBT", "SVWZ", "ABWA", "ABWE", "COAM", "OAMT", "PURP", "IBAN", "BIC", "MTLG"];

/// Words between slashes.
const SLASH_KEYS: &[&str] = &[
    "EREF", "REMI", "NAME", "IBAN", "ACCT", "BIC", "BANK", "CNTP", "BENM", "ORDP", "TRTP", "TRCD", "PREF", "IREF", "KREF",
    "MARF", "CSID", "RTRN", "ISDT", "PURP", "SVCL", "ULTC", "ULTD", "ULTB", "OCMT", "CHGS", "EXCH", "INIT", "ADDR", "PDET",
    "BUSP", "SUBJ",
];

/// Reads the details of one entry; `scratch` is room that is used again from entry to entry.
pub(super) fn read(fields: &[Field<'_>], scratch: &mut String) -> Details {
    let mut details = Details::default();
    scratch.clear();
    let Some(first) = fields.first() else { return details };
    let head = first.content.trim_ascii_start();
    if let Some((separator, start)) = separator(head) {
        join(fields, scratch, |_| false);
        let skipped = first.content.len().saturating_sub(head.len()).saturating_add(start);
        if start > 0 {
            details.business_code = head.get(..3).map(|code| decode(code).into_owned()).unwrap_or_default();
        }
        read_subfields(scratch.get(skipped..).unwrap_or_default(), separator, &mut details);
    } else if slash_key(head).is_some() {
        join(fields, scratch, |line| line.len() < FULL_SLASH_LINE && !line.ends_with(b" "));
        read_slashes(scratch, &mut details);
    } else {
        join(fields, scratch, |line| line.len() < FULL_LINE && !line.ends_with(b" "));
        read_plain(first, scratch, &mut details);
    }
    details
}

/// Joins the lines; a blank goes between two where `apart` says so of the first.
fn join(fields: &[Field<'_>], text: &mut String, apart: impl Fn(&[u8]) -> bool) {
    let mut before: Option<&[u8]> = None;
    for (index, field) in fields.iter().enumerate() {
        for (number, line) in field.lines().enumerate() {
            // A second field 86 begins a line of its own.
            let new_field = index > 0 && number == 0 && before.is_some_and(|line| !line.ends_with(b" "));
            if before.is_some_and(&apart) || new_field {
                text.push(' ');
            }
            text.push_str(&decode(line));
            before = Some(line);
        }
    }
}

/// The separator of subfields, and where the first of them begins: behind a code of three digits, or at once where none is written.
fn separator(head: &[u8]) -> Option<(char, usize)> {
    match head {
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', mark, b'0'..=b'9', b'0'..=b'9', ..]
            if mark.is_ascii_punctuation() && !matches!(mark, b'.' | b',' | b'-' | b'/' | b':') =>
        {
            Some((char::from(*mark), 3))
        }
        [mark @ (b'?' | b'<' | b'>' | b'^' | b'~'), b'0' | b'2', b'0', ..] => Some((char::from(*mark), 0)),
        _ => None,
    }
}

fn read_subfields(text: &str, separator: char, details: &mut Details) {
    let mut purpose = String::with_capacity(text.len());
    for (key, value) in subfields(text, separator) {
        match key {
            20..=29 | 60..=69 => purpose.push_str(value),
            30 => details.bank = value.trim().to_owned(),
            31 => details.account = value.trim().to_owned(),
            32 | 33 => details.name.push_str(value),
            34 => details.reason = value.trim().to_owned(),
            38 if details.account.is_empty() => details.account = value.trim().to_owned(),
            _ => {}
        }
    }
    trim(&mut details.name);
    read_purpose(&purpose, details);
}

/// Subfields by number. A separator without two digits behind it belongs to the text.
fn subfields(text: &str, separator: char) -> impl Iterator<Item = (u8, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = next_subfield(rest, separator, 0)?;
        let digits = rest.get(at.saturating_add(1)..at.saturating_add(3))?;
        let value = rest.get(at.saturating_add(3)..)?;
        let end = next_subfield(value, separator, 0).unwrap_or(value.len());
        rest = value.get(end..)?;
        Some((digits.parse().ok()?, value.get(..end)?))
    })
}

fn next_subfield(text: &str, separator: char, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mark = u8::try_from(separator).ok()?;
    memchr::memchr_iter(mark, bytes.get(from..)?)
        .map(|at| at.saturating_add(from))
        .find(|at| matches!(bytes.get(at.saturating_add(1)..at.saturating_add(3)), Some([b'0'..=b'9', b'0'..=b'9'])))
}

/// The purpose with its keys (`EREF+`); what stands before the first key is purpose too.
fn read_purpose(purpose: &str, details: &mut Details) {
    let mut key = "";
    let mut from = 0;
    for at in memchr::memchr_iter(b'+', purpose.as_bytes()) {
        let Some(found) = PLUS_KEYS.iter().find(|key| purpose.get(from..at).is_some_and(|text| text.ends_with(**key))) else {
            continue;
        };
        take_key(key, purpose.get(from..at.saturating_sub(found.len())).unwrap_or_default(), details);
        (key, from) = (found, at.saturating_add(1));
    }
    take_key(key, purpose.get(from..).unwrap_or_default(), details);
}

fn take_key(key: &'static str, value: &str, details: &mut Details) {
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    match key {
        "" | "SVWZ" | "REMI" => {
            details.purpose.reserve(value.len().saturating_add(1));
            if !details.purpose.is_empty() {
                details.purpose.push(' ');
            }
            details.purpose.push_str(value);
        }
        "EREF" => {
            if value != "NOTPROVIDED" && details.end_to_end.is_empty() {
                value.clone_into(&mut details.end_to_end);
            }
        }
        "IBAN" | "ACCT" => fill(&mut details.account, value),
        "BIC" | "BANK" => fill(&mut details.bank, value),
        "NAME" => {
            let end = ["/ID/", "/ADDR/"].into_iter().filter_map(|mark| value.find(mark)).min().unwrap_or(value.len());
            fill(&mut details.name, value.get(..end).unwrap_or(value).trim());
        }
        "BENM" | "ORDP" => fill(&mut details.name, value.trim_matches('/')),
        "RTRN" => fill(&mut details.reason, value),
        "TRTP" | "TRCD" | "ISDT" | "SVCL" | "INIT" | "ADDR" | "PDET" | "BUSP" | "SUBJ" => {}
        "MARF" => details.references.push(("MREF", value.to_owned())),
        "CSID" => details.references.push(("CRED", value.to_owned())),
        key => details.references.push((key, value.to_owned())),
    }
}

fn fill(slot: &mut String, value: &str) {
    if slot.is_empty() {
        value.clone_into(slot);
    }
}

/// Words between slashes; a value may hold a slash, so only known words cut.
fn read_slashes(text: &str, details: &mut Details) {
    let bytes = text.as_bytes();
    let mut key = "";
    let mut from = 0;
    for at in memchr::memchr_iter(b'/', bytes) {
        if at < from {
            continue;
        }
        let Some(found) = bytes.get(at..).and_then(slash_key) else { continue };
        take_slash(key, text.get(from..at).unwrap_or_default(), details);
        // The closing slash of the word may open the next: `/BENM//NAME/`.
        (key, from) = (found, at.saturating_add(found.len()).saturating_add(2));
    }
    take_slash(key, text.get(from..).unwrap_or_default(), details);
}

fn take_slash(key: &'static str, value: &str, details: &mut Details) {
    match key {
        // Structured: issuer and reference; unstructured: the text.
        "REMI" => {
            let value = value.strip_prefix("USTD//").or_else(|| value.strip_prefix("STRD/")).unwrap_or(value);
            take_key(key, value.strip_prefix("CUR/").unwrap_or(value).trim_end_matches('/'), details);
        }
        // Account, bank, name and town of the other side.
        "CNTP" => {
            let mut parts = value.split('/').map(str::trim);
            for slot in [&mut details.account, &mut details.bank, &mut details.name] {
                fill(slot, parts.next().unwrap_or_default());
            }
        }
        _ => take_key(key, value.trim().trim_end_matches('/'), details),
    }
}

/// The word at the start of `bytes`, `/EREF/`.
fn slash_key(bytes: &[u8]) -> Option<&'static str> {
    let rest = bytes.strip_prefix(b"/")?;
    let end = rest.iter().take(5).position(|byte| *byte == b'/')?;
    let word = rest.get(..end)?;
    SLASH_KEYS.iter().find(|key| key.as_bytes() == word).copied()
}

/// Plain text. An IBAN at its start is the other side, and the rest of its line the name, as Dutch banks write.
fn read_plain(first: &Field<'_>, text: &str, details: &mut Details) {
    let line = decode(first.lines().next().unwrap_or_default());
    if let Some((account, name)) = line.split_once(' ')
        && is_iban(account)
    {
        account.clone_into(&mut details.account);
        name.trim().clone_into(&mut details.name);
    }
    // Lines padded with blanks would drown the words.
    for word in text.split_ascii_whitespace() {
        if !details.purpose.is_empty() {
            details.purpose.push(' ');
        }
        details.purpose.push_str(word);
    }
}

/// ISO 13616: country, check digits, and a number that leaves 1 by 97.
fn is_iban(text: &str) -> bool {
    let shape = matches!(text.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..]);
    shape && (15..=34).contains(&text.len()) && crate::reference::mod_97(text) == Some(1)
}

fn trim(text: &mut String) {
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        *text = trimmed.to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swift::field::{Kind, Span};

    fn details(text: &str) -> Details {
        let line = format!(":86:{text}");
        let span = Span { kind: Kind::Details, start: 0, content: 4, end: line.len(), line: 0, ordinal: 1 };
        read(&[Field::new(line.as_bytes(), 0, span)], &mut String::new())
    }

    #[test]
    fn families_of_details() {
        for (text, name, bank, account, end_to_end, purpose) in [
            (
                "166?00GUTSCHRIFT?109300?20EREF+E2E-1?21SVWZ+RE 1001, RE 10?2202 VOM 20:44:45?30COBADEFF?31DE89?32GLOBEX GM?33BH",
                ("GLOBEX GMBH"),
                "COBADEFF",
                "DE89",
                "E2E-1",
                "RE 1001, RE 1002 VOM 20:44:45",
            ),
            ("166?20WOHNBAU?21EREF+NOTPROVIDED?22SVWZ+RG.?23-NR. 1?32WOHNBAU", "WOHNBAU", "", "", "", "WOHNBAU RG.-NR. 1"),
            ("020~00Przelew~20FV 1/2~32ACME", "ACME", "", "", "", "FV 1/2"),
            ("000>100987654321>20 HUUR>21 KANTOOR>310390123456", "", "", "0390123456", "", "HUUR KANTOOR"),
            ("<00X<20WHY?", "", "", "", "", "WHY?"),
            ("/EREF/05/ACCT/77/BANK/021/NAME/B/O HARBOR, LLC/REMI/INV 5/6", "B/O HARBOR, LLC", "021", "77", "05", "INV 5/6"),
            ("/BENM//NAME/JOHN DOE/REMI/Reference 20/ISDT/2013-01-02", "JOHN DOE", "", "", "", "Reference 20"),
            ("/EREF/E1/CNTP/NL1/INGB/Acme/Town///REMI/USTD//text/", "Acme", "INGB", "NL1", "E1", "text"),
            ("/TRTP/SEPA/IBAN/NL2/BIC/ABNA/NAME/Acme/ID/7/REMI/a b/EREF/NOTPROVIDED", "Acme", "ABNA", "NL2", "", "a b"),
            (
                "DE89370400440532013000 J. Doe\r\nrent",
                "J. Doe",
                "",
                "DE89370400440532013000",
                "",
                "DE89370400440532013000 J. Doe rent",
            ),
            ("999PN5477SCHECK-NR. 16", "", "", "", "", "999PN5477SCHECK-NR. 16"),
            ("", "", "", "", "", ""),
        ] {
            let found = details(text);
            let told = [&found.name, &found.bank, &found.account, &found.end_to_end, &found.purpose].map(String::as_str);
            assert_eq!(told, [name, bank, account, end_to_end, purpose], "{text}");
        }
    }

    #[test]
    fn full_lines_join_with_nothing_and_short_ones_with_a_blank() {
        let full = "X".repeat(65);
        assert_eq!(details(&format!("{full}\r\nYZ\r\nQ")).purpose, format!("{full}YZ Q"));
        assert_eq!(details("166?20AB\r\nC?2\r\n1D").purpose, "ABCD");
    }
}
