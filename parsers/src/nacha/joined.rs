//! The texts of the addenda of one entry as one, and the way back from it to the file.

use crate::{Effect, Finding, FindingCode, Location, Text, owned::position_in, x12::segment::decode};

use super::{
    dialect::Kind,
    layout::{addenda as at, entry},
    line::{Letters, Line},
};

/// Columns of the text in one addenda record.
const WIDTH: usize = 80;

/// The joined text and where each piece of it stands.
#[derive(Debug)]
pub(super) struct Joined<'w> {
    pub bytes: Vec<u8>,
    pieces: Vec<Piece<'w>>,
    /// Each letter of the file is one byte here.
    narrow: bool,
    /// Every piece is [`WIDTH`] bytes long, so that a position tells its piece.
    even: bool,
}

/// The text of one addenda record.
#[derive(Clone, Copy, Debug)]
struct Piece<'w> {
    /// Where it begins in the joined text.
    start: usize,
    line: Line<'w>,
}

impl<'w> Joined<'w> {
    pub fn new(lines: &[Line<'w>]) -> Self {
        let room = lines.len().saturating_mul(WIDTH);
        let first = lines.first().map(|line| line.raw(&at::PAYMENT_INFORMATION)).unwrap_or_default();
        let narrow = separates_with_two_bytes(first);
        let (bytes, pieces) = (Vec::with_capacity(room), Vec::with_capacity(lines.len()));
        let mut joined = Self { bytes, pieces, narrow, even: true };
        for line in lines {
            let text = line.raw(&at::PAYMENT_INFORMATION);
            let start = joined.bytes.len();
            joined.even &= start == joined.pieces.len().saturating_mul(WIDTH);
            joined.pieces.push(Piece { start, line: *line });
            if narrow {
                let letters = decode(text);
                joined.bytes.extend(letters.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')));
            } else {
                joined.bytes.extend_from_slice(text);
            }
            let columns = if line.letters == Letters::Wide { decode(text).chars().count() } else { text.len() };
            let missing = WIDTH.saturating_sub(columns);
            joined.bytes.resize(joined.bytes.len().saturating_add(missing), b' ');
        }
        let kept = joined.bytes.trim_ascii_end().len();
        joined.bytes.truncate(kept);
        joined
    }

    /// The piece that holds a position of the joined text, or the last one.
    #[inline]
    fn piece(&self, position: usize) -> Option<&Piece<'w>> {
        if self.even {
            return self.pieces.get(position / WIDTH).or(self.pieces.last());
        }
        let index = self.pieces.partition_point(|piece| piece.start <= position).saturating_sub(1);
        self.pieces.get(index)
    }

    /// The text of the file that stands at a position of the joined text, where it was not cut.
    #[inline]
    fn text(&self, position: usize, length: usize) -> Option<&'w str> {
        let piece = self.piece(position).filter(|_| !self.narrow)?;
        piece.line.stretch(&at::PAYMENT_INFORMATION, position.checked_sub(piece.start)?, length)
    }

    /// Where a position of the joined text stands in the file. Blanks lost in transit stand at the end of their line.
    fn location(&self, position: usize) -> Location {
        let Some(piece) = self.piece(position) else { return Location::default() };
        let offset = position.saturating_sub(piece.start);
        piece.line.location_within(&at::PAYMENT_INFORMATION, offset, self.narrow)
    }
}

/// Whether X12 begins whose separator is one character of two bytes, as `¦` is in UTF-8. The text is then read with one byte per letter.
fn separates_with_two_bytes(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let tagged = text.strip_prefix(b"ISA").or_else(|| text.strip_prefix(b"ST"));
    matches!(tagged, Some([0xc2 | 0xc3, second, ..]) if *second >= 0x80)
}

/// Carries places of the X12 reader back to the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'a, 'w> {
    pub joined: &'a Joined<'w>,
    pub entry: &'a Line<'w>,
    /// Bytes put before the joined text.
    pub prefix: usize,
}

impl<'w> Places<'_, 'w> {
    /// The text of the file that a text of the X12 reader's `bytes` was copied from, else a text of its own.
    pub fn text(&self, bytes: &[u8], text: Text<'_>) -> Text<'w> {
        let position = position_in(bytes, &text).and_then(|at| at.checked_sub(self.prefix));
        match position.and_then(|at| self.joined.text(at, text.len())) {
            Some(text) => Text::Borrowed(text),
            None => Text::Owned(text.into_owned()),
        }
    }

    /// Byte and line are those of the addenda record; segment, tag and element stay those of the 820.
    pub fn location(&self, location: Location) -> Location {
        let byte = usize::try_from(location.byte).unwrap_or(usize::MAX);
        let Some(position) = byte.checked_sub(self.prefix) else { return self.entry.location_of(&entry::AMOUNT) };
        let place = self.joined.location(position);
        let added = if self.prefix > 0 { 2 } else { 0 };
        let segment = location.segment.map(|segment| segment.saturating_sub(added));
        Location { byte: place.byte, line: place.line, segment, ..location }
    }

    /// The finding at its place in the file; nothing when it is about what we put around the text. What would hold a file of X12 sets the
    /// remittance aside: the counts and totals of the ACH file prove the money.
    pub fn finding(&self, finding: Finding) -> Option<Finding> {
        let byte = usize::try_from(finding.location.byte).unwrap_or(usize::MAX);
        let balance = finding.code == FindingCode::OutOfBalance;
        let behind = self.prefix > 0 && byte >= self.prefix.saturating_add(self.joined.bytes.len());
        let around = self.prefix > 0 && (byte < self.prefix || behind);
        if (around && !balance) || (self.prefix > 0 && finding.code == FindingCode::MissingLoop) {
            return None;
        }
        let effect = if finding.effect > Effect::RecordSetAside { Effect::RecordSetAside } else { finding.effect };
        let message = if around { finding.message.replace("BPR02", "the amount of the entry") } else { finding.message };
        Some(Finding { effect, message, location: self.location(finding.location), ..finding })
    }
}

/// The text for people. Prose loses the blanks behind each record but the one that parted two words. Of X12 that could not be read the
/// items are kept and nothing before them: BPR holds account numbers.
pub(super) fn text<'w>(joined: &Joined<'_>, kind: Kind) -> Option<Text<'w>> {
    if kind != Kind::Text {
        let from = match kind {
            Kind::Segments(_) => 0,
            _ => memchr::memmem::find(&joined.bytes, b"RMR")?,
        };
        let items = decode(joined.bytes.get(from..)?).trim().to_owned();
        return (!items.is_empty()).then_some(Text::Owned(items));
    }
    let mut text = String::with_capacity(joined.bytes.len());
    for (index, piece) in joined.pieces.iter().enumerate() {
        let end = joined.pieces.get(index.saturating_add(1)).map_or(joined.bytes.len(), |next| next.start);
        let piece = decode(joined.bytes.get(piece.start..end).unwrap_or_default()).into_owned();
        text.push_str(piece.trim_end());
        if piece.ends_with(' ') {
            text.push(' ');
        }
    }
    let text = text.trim();
    (!text.is_empty()).then(|| Text::Owned(text.to_owned()))
}
