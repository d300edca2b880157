//! What banks write into the text of a 16 and its 88s: keys with values, X12 segments, and plain words.
//!
//! There is no standard, so the keys are a table. What no row names stays in the text as it stands.

use crate::{Account, Party, Reference, Text, near};

use super::record::Record;

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    PayerName,
    PayerId,
    PayerBank,
    PayerAccount,
    /// Free remittance text; lines without a key behind it go on with it.
    Words,
    /// Why a payment comes back.
    Reason,
    /// A reference under this qualifier.
    Reference(&'static str),
    /// Our own account, which the statement names anyway and which is a secret.
    OwnAccount,
}

use Holds::{OwnAccount, PayerAccount, PayerBank, PayerId, PayerName, Reason, Words};

/// The table of keys, in upper case, each with what it holds.
fn holds(key: &[u8]) -> Option<Holds> {
    Some(match key {
        b"COMPANY NAME" | b"CO NAME" | b"ORIG CO NAME" | b"ORIGINATOR" | b"ORIGINATOR NAME" | b"ORIG" | b"ORIG NAME" | b"ORG"
        | b"ORG NAME" | b"PAYER" | b"REMITTER" | b"DBNM" | b"BY ORDER OF" => PayerName,
        b"COMPANY ID" | b"CO ID" | b"ORIG CO ID" | b"ORIG ID" => PayerId,
        b"ODFI" | b"ORIG BANK" | b"SENDER ID" | b"SEND ABA" | b"BANK" | b"DABA" | b"DBIC" => PayerBank,
        b"ORIG ACCT" | b"ORG ACCT" | b"ORG ID" | b"ACCOUNT" | b"DACT" => PayerAccount,
        b"ADDENDA" | b"OBI" | b"ORIG TO BNF INFO" | b"REMI" | b"REMITTANCE INFO" | b"PAYMENT DETAILS" => Words,
        b"REASON" | b"RETURN REASON" => Reason,
        b"BNF ID" | b"BNF ACCT" | b"CACT" => OwnAccount,
        b"BNF" | b"BNF NAME" | b"CRNM" => Holds::Reference("BNF"),
        b"TRACE" | b"TRACE NUMBER" | b"TRACE NO" => Holds::Reference("TRACE"),
        b"TRN" => Holds::Reference("TRN"),
        b"IMAD" | b"FED NO" => Holds::Reference("IMAD"),
        b"OMAD" => Holds::Reference("OMAD"),
        b"SREF" => Holds::Reference("SREF"),
        b"RFB" => Holds::Reference("RFB"),
        b"EREF" => Holds::Reference("EREF"),
        b"KREF" => Holds::Reference("KREF"),
        b"CREF" => Holds::Reference("CREF"),
        b"BREF" => Holds::Reference("BREF"),
        b"CHKN" => Holds::Reference("CHKN"),
        b"ENTRY DESCRIPTION" | b"CO ENTRY DESCR" => Holds::Reference("ENTRY"),
        b"EFFECTIVE DATE" => Holds::Reference("EFFECTIVE"),
        b"INDIVIDUAL ID" | b"IDNM" => Holds::Reference("INDIVIDUAL"),
        b"INDIVIDUAL NAME" => Holds::Reference("INDIVIDUAL NAME"),
        b"OTHER REFERENCE" => Holds::Reference("OTHER"),
        _ => return None,
    })
}

/// Longest key of the table.
const KEY_MAX: usize = 20;

/// A stretch of X12 segments: begin and end in the window, and the piece.
pub(super) type Stretch = (usize, usize, usize);

/// What the text of one transaction says. Payer, references and segments are put where they will stay.
#[derive(Debug)]
pub(super) struct Told<'p, 'w> {
    payer: &'p mut Party<'w>,
    references: &'p mut Vec<Reference<'w>>,
    segments: &'p mut Vec<Stretch>,
    pub reason: Option<Text<'w>>,
    /// Free text.
    pub words: Joined<'w>,
    keyed: bool,
}

/// Pieces of text that are joined with one blank.
#[derive(Debug, Default)]
pub(super) struct Joined<'w>(Option<Text<'w>>);

impl<'w> Joined<'w> {
    fn add(&mut self, text: Text<'w>) {
        self.0 = Some(match self.0.take() {
            None => text,
            Some(Text::Borrowed(before)) => {
                let mut joined = String::with_capacity(before.len().saturating_add(text.len()).saturating_mul(2));
                joined.push_str(before);
                joined.push(' ');
                joined.push_str(&text);
                Text::Owned(joined)
            }
            Some(Text::Owned(mut before)) => {
                before.push(' ');
                before.push_str(&text);
                Text::Owned(before)
            }
        });
    }

    /// The text.
    pub fn take(&mut self) -> Option<Text<'w>> {
        self.0.take()
    }
}

impl<'p, 'w> Told<'p, 'w> {
    pub fn new(payer: &'p mut Party<'w>, references: &'p mut Vec<Reference<'w>>, segments: &'p mut Vec<Stretch>) -> Self {
        segments.clear();
        Self { payer, references, segments, reason: None, words: Joined::default(), keyed: false }
    }

    /// Reads the text of a 16: what is left of the piece that holds its fields, and the pieces from `next` on.
    #[inline(always)]
    pub fn read(&mut self, record: &Record<'w, '_>, rest: Option<(usize, usize)>, next: usize) {
        let own = rest.and_then(|(start, end)| self.take(record, start, end, next.saturating_sub(1)));
        for (index, piece) in record.pieces.iter().enumerate().skip(next) {
            if let Some(plain) = self.take(record, piece.start, piece.end, index) {
                self.words.add(plain);
            }
        }
        let Some(own) = own else { return };
        if self.keyed || !self.segments.is_empty() {
            // Where the 88s carry keys the words of the 16 are the bank's name for the entry.
            self.references.push(Reference { qualifier: Text::Borrowed("DESC"), value: own });
        } else {
            let rest = self.words.0.replace(own);
            if let Some(rest) = rest {
                self.words.add(rest);
            }
        }
    }

    /// Takes a stretch of text; gives it back when it has no key and is no segment.
    #[inline]
    fn take(&mut self, record: &Record<'w, '_>, start: usize, end: usize, piece: usize) -> Option<Text<'w>> {
        let bytes = record.trimmed_bytes(start, end);
        if is_segment(bytes) || (!self.segments.is_empty() && self.goes_on(record, bytes, piece)) {
            self.segments.push((start, end, piece));
            return None;
        }
        match key_of(bytes) {
            None => record.text(start, end),
            Some(key) => self.take_value(record, (start, end, piece), key),
        }
    }

    /// Whether a stretch goes on with a segment that the one before it has not ended.
    fn goes_on(&self, record: &Record<'w, '_>, bytes: &[u8], piece: usize) -> bool {
        let foreign = record.pieces.get(piece).is_some_and(|piece| piece.foreign);
        let open = !foreign && self.segments.last().is_some_and(|(from, to, _)| !ends_segment(record, *from, *to));
        open && !bytes.is_empty() && key_of(bytes).is_none()
    }

    /// Takes the value of a key; gives it back when it is words.
    fn take_value(&mut self, record: &Record<'w, '_>, stretch: Stretch, key: (Holds, usize)) -> Option<Text<'w>> {
        let ((start, end, piece), (holds, skip)) = (stretch, key);
        self.keyed = true;
        let from = start.wrapping_add(record.leading_blanks(start, end)).wrapping_add(skip);
        if holds == Words {
            // The value may itself be segments.
            if is_segment(record.trimmed_bytes(from, end)) {
                self.segments.push((from, end, piece));
                return None;
            }
            return record.text(from, end);
        }
        let value = record.text(from, end)?;
        let slot = match holds {
            PayerName => &mut self.payer.name,
            PayerId => &mut self.payer.id,
            PayerBank => &mut self.payer.bank,
            Reason => &mut self.reason,
            PayerAccount => {
                self.payer.account.get_or_insert_with(|| Account::new(value));
                return None;
            }
            Holds::Reference(qualifier) => {
                self.references.push(Reference { qualifier: Text::Borrowed(qualifier), value });
                return None;
            }
            OwnAccount | Words => return None,
        };
        slot.get_or_insert(value);
        None
    }
}

/// The key a text begins with, and where its value begins.
#[inline]
fn key_of(text: &[u8]) -> Option<(Holds, usize)> {
    let head = text.get(..KEY_MAX.wrapping_add(1)).unwrap_or(text);
    let at = near::position2_short(head, b':', b'=')?;
    let key = head.get(..at)?.trim_ascii_end();
    let holds = holds(key).or_else(|| holds_in_any_case(key))?;
    let after = at.wrapping_add(1);
    let double = text.get(at) == Some(&b':') && text.get(after) == Some(&b'=');
    Some((holds, after.wrapping_add(usize::from(double))))
}

/// The row of a key that is not all in upper case, as hardly any bank writes it.
fn holds_in_any_case(key: &[u8]) -> Option<Holds> {
    key.iter().any(u8::is_ascii_lowercase).then(|| holds(&key.to_ascii_uppercase())).flatten()
}

/// Whether a text begins like an X12 segment of a remittance.
pub(super) fn is_segment(text: &[u8]) -> bool {
    match text {
        [b'R', b'M', b'R', mark, ..]
        | [b'D', b'T', b'M', mark, ..]
        | [b'A', b'D', b'X', mark, ..]
        | [b'R', b'E', b'F', mark, ..] => {
            matches!(mark, b'*' | b'|' | b'^')
        }
        _ => false,
    }
}

fn ends_segment(record: &Record<'_, '_>, start: usize, end: usize) -> bool {
    matches!(record.trimmed_bytes(start, end).last(), Some(b'\\' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_with_their_separators() {
        for (text, expected) in [
            ("COMPANY NAME:ACME INC", Some((PayerName, 13))),
            ("Orig Acct : 12", Some((PayerAccount, 11))),
            ("OBI:=INVOICE 1", Some((Words, 5))),
            ("EREF=77", Some((Holds::Reference("EREF"), 5))),
            ("INVOICE 1: PAID", None),
            ("PLAIN WORDS", None),
        ] {
            assert_eq!(key_of(text.as_bytes()), expected, "{text}");
        }
    }
}
