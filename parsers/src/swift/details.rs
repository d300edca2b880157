//! Field 86 Information to Account Owner: who paid and what for, in the families that banks write.
//!
//! Subfields behind a separator (`166?00..?20..?32..`, also `>`, `~`, `<`, `^`), words between slashes (`/EREF/../REMI/..`), and plain text.
//! The family is told from the text itself, entry by entry.

use std::borrow::Cow;

use crate::{Text, near, x12::segment::decode};

use super::{
    desk::{Desk, Joined},
    field::Field,
};

/// Lines at least this long were broken because they were full; a word may go on in the next.
const FULL_LINE: usize = 65;

/// The same between slashes, where a cut may move to the left of a blank.
const FULL_SLASH_LINE: usize = 55;

/// What field 86 says. Empty texts stand for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Details<'w> {
    /// Business transaction code (GVC).
    pub business_code: Text<'w>,
    /// What the payment is for.
    pub purpose: Text<'w>,
    /// Name, bank and account of the other side.
    pub name: Text<'w>,
    pub bank: Text<'w>,
    pub account: Text<'w>,
    /// EREF, the end-to-end reference.
    pub end_to_end: Text<'w>,
    /// Other references with their keys: KREF, MREF, CRED, PURP and the like.
    pub references: Vec<(&'static str, Text<'w>)>,
    /// Why the payment comes back: subfield 34, or RTRN.
    pub reason: Text<'w>,
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

/// Reads the details of one entry.
pub(super) fn read<'w>(fields: &[Field<'w>], desk: &mut Desk<'w>) -> Details<'w> {
    let mut details = Details::default();
    let Some(first) = fields.first() else { return details };
    let head = first.content.trim_ascii_start();
    if let Some((separator, start)) = separator(head) {
        let skipped = first.content.len().saturating_sub(head.len()).saturating_add(start);
        details.business_code = desk.text.of(first, head.get(..start).unwrap_or_default());
        join(fields, desk, |_| false);
        read_subfields(desk, skipped, separator, &mut details);
    } else if slash_key(head).is_some() {
        join(fields, desk, |line| line.len() < FULL_SLASH_LINE && !line.ends_with(b" "));
        read_slashes(&desk.lines, &mut details);
    } else {
        join(fields, desk, |line| line.len() < FULL_LINE && !line.ends_with(b" "));
        read_plain(first, &desk.lines, &mut details);
    }
    details
}

/// Joins the lines; a blank goes between two where `apart` says so of the first.
fn join<'w>(fields: &[Field<'w>], desk: &mut Desk<'w>, apart: impl Fn(&[u8]) -> bool) {
    desk.lines.clear();
    let mut before: Option<&[u8]> = None;
    for (index, field) in fields.iter().enumerate() {
        for (number, line) in field.lines().enumerate() {
            // A second field 86 begins a line of its own.
            let new_field = index > 0 && number == 0 && before.is_some_and(|line| !line.ends_with(b" "));
            if before.is_some_and(&apart) || new_field {
                desk.lines.put(" ");
            }
            let text = desk.text.of(field, line);
            desk.lines.add(text);
            before = Some(line);
        }
    }
}

/// The separator of subfields, and where the first of them begins: behind a code of three digits, or at once where none is written.
fn separator(head: &[u8]) -> Option<(u8, usize)> {
    match head {
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', mark, b'0'..=b'9', b'0'..=b'9', ..]
            if mark.is_ascii_punctuation() && !matches!(mark, b'.' | b',' | b'-' | b'/' | b':') =>
        {
            Some((*mark, 3))
        }
        [mark @ (b'?' | b'<' | b'>' | b'^' | b'~'), b'0' | b'2', b'0', ..] => Some((*mark, 0)),
        _ => None,
    }
}

/// Reads the subfields of the joined lines from a position on.
fn read_subfields<'w>(desk: &mut Desk<'w>, from: usize, separator: u8, details: &mut Details<'w>) {
    let Desk { lines, purpose, .. } = desk;
    purpose.clear();
    let text = lines.text().get(from..).unwrap_or_default();
    let mut take = |key: u8, value: &str| match key {
        20..=29 | 60..=69 => purpose.add_from(lines, value),
        30 => details.bank = lines.lend(near::stripped(value)),
        31 => details.account = lines.lend(near::stripped(value)),
        32 | 33 => append(&mut details.name, lines.lend(value)),
        34 => details.reason = lines.lend(near::stripped(value)),
        38 if details.account.is_empty() => details.account = lines.lend(near::stripped(value)),
        _ => {}
    };
    // A separator without two digits behind it belongs to the text.
    let mut open: Option<(u8, usize)> = None;
    for at in near::positions(text.as_bytes(), separator) {
        let begin = at.saturating_add(3);
        let Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) = text.as_bytes().get(at.saturating_add(1)..begin) else { continue };
        if let Some((key, from)) = open {
            take(key, text.get(from..at).unwrap_or_default());
        }
        open = Some((tens.wrapping_sub(b'0').wrapping_mul(10).wrapping_add(ones.wrapping_sub(b'0')), begin));
    }
    if let Some((key, from)) = open {
        take(key, text.get(from..).unwrap_or_default());
    }
    trim(&mut details.name);
    read_purpose(purpose, details);
}

/// The purpose with its keys (`EREF+`); what stands before the first key is purpose too.
fn read_purpose<'w>(joined: &Joined<'w>, details: &mut Details<'w>) {
    let purpose = joined.text();
    let mut key = "";
    let mut from = 0;
    for at in near::positions(purpose.as_bytes(), b'+') {
        let Some(found) = purpose.as_bytes().get(from..at).and_then(plus_key) else { continue };
        take_key(key, joined, purpose.get(from..at.saturating_sub(found.len())).unwrap_or_default(), details);
        (key, from) = (found, at.saturating_add(1));
    }
    take_key(key, joined, purpose.get(from..).unwrap_or_default(), details);
}

/// The key that a text ends with.
fn plus_key(text: &[u8]) -> Option<&'static str> {
    // Most are one of two.
    match text {
        [.., b'E', b'R', b'E', b'F'] => Some("EREF"),
        [.., b'S', b'V', b'W', b'Z'] => Some("SVWZ"),
        _ => PLUS_KEYS.iter().find(|key| text.ends_with(key.as_bytes())).copied(),
    }
}

/// Takes the value of a key, a stretch of joined text.
fn take_key<'w>(key: &'static str, joined: &Joined<'w>, value: &str, details: &mut Details<'w>) {
    let value = near::stripped(value);
    if value.is_empty() {
        return;
    }
    let fill = |slot: &mut Text<'w>, value: &str| {
        if slot.is_empty() {
            *slot = joined.lend(value);
        }
    };
    match key {
        "" | "SVWZ" | "REMI" => {
            if !details.purpose.is_empty() {
                append(&mut details.purpose, Cow::Borrowed(" "));
            }
            append(&mut details.purpose, joined.lend(value));
        }
        "EREF" => {
            if value != "NOTPROVIDED" {
                fill(&mut details.end_to_end, value);
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
        "MARF" => details.references.push(("MREF", joined.lend(value))),
        "CSID" => details.references.push(("CRED", joined.lend(value))),
        key => details.references.push((key, joined.lend(value))),
    }
}

/// Puts a text behind another.
fn append<'w>(to: &mut Text<'w>, more: Text<'w>) {
    if to.is_empty() {
        *to = more;
        return;
    }
    match to {
        Cow::Borrowed(before) => {
            let mut joined = String::with_capacity(before.len().saturating_add(more.len()).saturating_add(FULL_LINE));
            joined.push_str(before);
            joined.push_str(&more);
            *to = Cow::Owned(joined);
        }
        Cow::Owned(before) => before.push_str(&more),
    }
}

/// Words between slashes; a value may hold a slash, so only known words cut.
fn read_slashes<'w>(joined: &Joined<'w>, details: &mut Details<'w>) {
    let text = joined.text();
    let bytes = text.as_bytes();
    let mut key = "";
    let mut from = 0;
    for at in near::positions(bytes, b'/') {
        if at < from {
            continue;
        }
        let Some(found) = bytes.get(at..).and_then(slash_key) else { continue };
        take_slash(key, joined, text.get(from..at).unwrap_or_default(), details);
        // The closing slash of the word may open the next: `/BENM//NAME/`.
        (key, from) = (found, at.saturating_add(found.len()).saturating_add(2));
    }
    take_slash(key, joined, text.get(from..).unwrap_or_default(), details);
}

fn take_slash<'w>(key: &'static str, joined: &Joined<'w>, value: &str, details: &mut Details<'w>) {
    match key {
        // Structured: issuer and reference; unstructured: the text.
        "REMI" => {
            let value = value.strip_prefix("USTD//").or_else(|| value.strip_prefix("STRD/")).unwrap_or(value);
            take_key(key, joined, value.strip_prefix("CUR/").unwrap_or(value).trim_end_matches('/'), details);
        }
        // Account, bank, name and town of the other side.
        "CNTP" => {
            let mut parts = value.split('/').map(str::trim);
            for slot in [&mut details.account, &mut details.bank, &mut details.name] {
                let part = parts.next().unwrap_or_default();
                if slot.is_empty() {
                    *slot = joined.lend(part);
                }
            }
        }
        _ => take_key(key, joined, value.trim().trim_end_matches('/'), details),
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
fn read_plain<'w>(first: &Field<'_>, joined: &Joined<'w>, details: &mut Details<'w>) {
    let text = joined.text();
    let line = decode(first.whole_first_line());
    if let Some((account, name)) = text.get(..line.len()).and_then(|line| line.split_once(' '))
        && is_iban(account)
    {
        details.account = joined.lend(account);
        details.name = joined.lend(name.trim());
    }
    // Lines padded with blanks would drown the words.
    let words = text.trim_ascii();
    let spaced = words.contains("  ") || words.bytes().any(|byte| byte != b' ' && byte.is_ascii_whitespace());
    if !spaced {
        details.purpose = joined.lend(words);
        return;
    }
    let mut purpose = String::with_capacity(words.len());
    for word in words.split_ascii_whitespace() {
        if !purpose.is_empty() {
            purpose.push(' ');
        }
        purpose.push_str(word);
    }
    details.purpose = Cow::Owned(purpose);
}

/// ISO 13616: country, check digits, and a number that leaves 1 by 97.
fn is_iban(text: &str) -> bool {
    let shape = matches!(text.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..]);
    shape && (15..=34).contains(&text.len()) && crate::reference::mod_97(text) == Some(1)
}

fn trim(text: &mut Text<'_>) {
    match text {
        Cow::Borrowed(text) => *text = near::stripped(text),
        Cow::Owned(owned) => {
            let trimmed = near::stripped(owned);
            if trimmed.len() != owned.len() {
                *text = Cow::Owned(trimmed.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swift::field::{Kind, Span};

    /// The details of a field that stands in the file as `:86:` and `text`.
    fn details(line: &str) -> Details<'_> {
        let span = Span {
            kind: Kind::Details,
            start: 0,
            content: 4,
            first_end: line.find('\r').unwrap_or(line.len()),
            end: line.len(),
            line: 0,
            ordinal: 1,
        };
        read(&[Field::new(line.as_bytes(), 0, span)], &mut Desk::new(line.as_bytes()))
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
            let line = format!(":86:{text}");
            let found = details(&line);
            let told = [&found.name, &found.bank, &found.account, &found.end_to_end, &found.purpose].map(AsRef::as_ref);
            assert_eq!(told, [name, bank, account, end_to_end, purpose], "{text}");
        }
    }

    #[test]
    fn full_lines_join_with_nothing_and_short_ones_with_a_blank() {
        let full = "X".repeat(65);
        assert_eq!(details(&format!(":86:{full}\r\nYZ\r\nQ")).purpose, format!("{full}YZ Q"));
        assert_eq!(details(":86:166?20AB\r\nC?2\r\n1D").purpose, "ABCD");
    }

    #[test]
    fn what_stands_in_one_piece_is_lent_and_not_copied() {
        let line = ":86:166?00X?20EREF+E2E-1?21SVWZ+RE 1?2202 AB\r\nC?31DE\r\n89?32ACME";
        let found = details(line);
        for (text, expected, lent) in [
            (&found.business_code, "166", true),
            (&found.end_to_end, "E2E-1", true),
            (&found.purpose, "RE 102 ABC", false),
            (&found.account, "DE89", false),
            (&found.name, "ACME", true),
        ] {
            assert_eq!((text.as_ref(), matches!(text, Cow::Borrowed(_))), (expected, lent));
        }
    }
}
