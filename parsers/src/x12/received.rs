//! What came in, as compactly as an acknowledgment needs it: interchange, group and set with verdicts and syntax notes.
//!
//! The notes are made from the same findings that people see; nothing is judged twice. Writers of TA1, 997 and 999 read this account
//! and nothing else.

use crate::{Effect, Figure, Finding, FindingCode, Severity, Status, Tag, mask};

use super::delimiters::Delimiters;

/// Everything an acknowledgment can speak about, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// One per ISA.
    pub interchanges: Vec<InterchangeReceived>,
    /// One per UNB; they are not answered.
    pub edifact: Vec<EdifactReceived>,
}

/// One interchange of UN/EDIFACT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdifactReceived {
    /// Its separators.
    pub delimiters: Delimiters,
    /// Sender qualifier (UNB 0007).
    pub sender_qualifier: Figure,
    /// Sender (UNB 0004).
    pub sender: Figure,
    /// Recipient qualifier (UNB 0007).
    pub receiver_qualifier: Figure,
    /// Recipient (UNB 0010).
    pub receiver: Figure,
    /// Character set and version of the syntax (UNB S001), `UNOC:3`.
    pub syntax: Figure,
    /// Control reference (UNB 0020).
    pub control_reference: Figure,
    /// Test indicator (UNB 0035).
    pub test: bool,
}

/// One interchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterchangeReceived {
    /// Its separators; an answer may use the same.
    pub delimiters: Delimiters,
    /// Sender qualifier (ISA05).
    pub sender_qualifier: Figure,
    /// Sender (ISA06), trailing blanks removed.
    pub sender: Figure,
    /// Receiver qualifier (ISA07).
    pub receiver_qualifier: Figure,
    /// Receiver (ISA08), trailing blanks removed.
    pub receiver: Figure,
    /// Date (ISA09) as written.
    pub date: Figure,
    /// Time (ISA10) as written.
    pub time: Figure,
    /// Standards id or repetition separator (ISA11) as written.
    pub standard: Figure,
    /// Version of the envelope (ISA12).
    pub version: Figure,
    /// Interchange control number (ISA13) as written.
    pub control_number: Figure,
    /// The sender asks for a TA1 (ISA14 is 1).
    pub acknowledgment_requested: bool,
    /// Production or test (ISA15).
    pub usage: Figure,
    /// TA105 note codes that apply; none means 000.
    pub codes: Codes,
    /// Its groups.
    pub groups: Vec<GroupReceived>,
}

/// One functional group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReceived {
    /// Functional identifier code (GS01).
    pub functional_id: Figure,
    /// Application sender (GS02).
    pub sender: Figure,
    /// Application receiver (GS03).
    pub receiver: Figure,
    /// Group control number (GS06) as written.
    pub control_number: Figure,
    /// Responsible agency (GS07).
    pub agency: Figure,
    /// Version (GS08).
    pub version: Figure,
    /// Sets the trailer claims (GE01); nothing when it is missing or no number.
    pub sets_claimed: Option<u64>,
    /// AK905 codes that apply.
    pub codes: Codes,
    /// Its sets.
    pub sets: Vec<SetReceived>,
    /// Syntax notes of all its sets, in file order.
    pub notes: Vec<Note>,
}

impl GroupReceived {
    /// The notes of one set, by its index in [`GroupReceived::sets`].
    pub fn notes_of(&self, set: usize) -> &[Note] {
        let index = u32::try_from(set).unwrap_or(u32::MAX);
        let from = self.notes.partition_point(|note| note.set < index);
        let to = self.notes.partition_point(|note| note.set <= index);
        self.notes.get(from..to).unwrap_or_default()
    }

    /// Sets that were taken: AK904.
    pub fn accepted(&self) -> usize {
        self.sets.iter().filter(|set| set.verdict != Verdict::Rejected).count()
    }
}

/// One transaction set. A file may hold hundreds of thousands, so this stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetReceived {
    /// Transaction set identifier (ST01).
    pub id: Tag,
    /// Transaction set control number (ST02) as written.
    pub control_number: Figure,
    /// The set names the implementation guide (ST03); it is then the version of the group in nearly every file.
    pub names_guide: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// AK502 codes that apply.
    pub codes: Codes,
}

/// What becomes of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// AK501 = A.
    Accepted,
    /// AK501 = E: taken, with syntax errors noted.
    AcceptedWithErrors,
    /// AK501 = R: nothing of it was taken.
    Rejected,
}

/// A small set of numeric codes (below 32).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codes(u32);

impl Codes {
    /// Adds a code.
    pub fn insert(&mut self, code: u8) {
        self.0 |= 1_u32.checked_shl(u32::from(code)).unwrap_or(0);
    }

    /// All codes of both.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a code is among them.
    pub fn contains(self, code: u8) -> bool {
        self.iter().any(|held| held == code)
    }

    /// The codes, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..32_u8).filter(move |code| self.0.checked_shr(u32::from(*code)).is_some_and(|bits| bits & 1 == 1))
    }
}

/// A syntax error in a set: what AK3 and AK4 (IK3 and IK4) say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Index of the set in its group.
    pub set: u32,
    /// Tag of the segment (AK301).
    pub tag: Tag,
    /// Its ordinal in the set, where ST is 1 (AK302).
    pub segment: u32,
    /// Segment syntax error code (AK304).
    pub segment_code: u8,
    /// The element, when the error is in one.
    pub element: Option<ElementNote>,
}

/// What AK4 says about an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementNote {
    /// Position in the segment (AK401-1).
    pub position: u16,
    /// Component (AK401-2).
    pub component: Option<u16>,
    /// Repeat (AK401-3).
    pub repeat: Option<u16>,
    /// Element syntax error code (AK403).
    pub code: u8,
    /// The bad value (AK404), shortened; account numbers are hidden.
    pub value: String,
}

impl Note {
    /// The note that a finding amounts to, when it is one about syntax.
    pub(crate) fn of(finding: &Finding) -> Option<Self> {
        let (segment_code, element_code) = syntax_codes(finding.code)?;
        let place = &finding.location;
        let element = place.element.filter(|_| element_code > 0).map(|position| ElementNote {
            position,
            component: place.component,
            repeat: place.repeat,
            code: element_code,
            value: mask::in_ascii(&finding.found),
        });
        Some(Self { set: 0, tag: place.tag.unwrap_or_default(), segment: place.segment.unwrap_or(0), segment_code, element })
    }
}

/// AK304 and AK403 of a finding; nothing where the finding is no syntax error, such as money that does not add up.
fn syntax_codes(code: FindingCode) -> Option<(u8, u8)> {
    Some(match code {
        FindingCode::MissingSegment | FindingCode::MissingLoop => (3, 0),
        FindingCode::UnknownSegment | FindingCode::TrailingData => (2, 0),
        FindingCode::MissingElement => (8, 1),
        FindingCode::BadAmount | FindingCode::ImpliedDecimalPoint | FindingCode::BadText => (8, 6),
        FindingCode::BadCode => (8, 7),
        FindingCode::BadDate => (8, 8),
        _ => return None,
    })
}

/// What a set deserves for what was found in it.
pub(crate) fn verdict(set_aside: bool, codes: Codes, notes: &[Note]) -> Verdict {
    if set_aside || !codes.is_empty() {
        Verdict::Rejected
    } else if notes.is_empty() {
        Verdict::Accepted
    } else {
        Verdict::AcceptedWithErrors
    }
}

/// The verdict on the file for what was found in it.
pub(crate) fn status(worst: Option<(Effect, Severity)>, read: bool, only_unsupported: bool) -> Status {
    match worst {
        Some((Effect::FileRejected, _)) if !read => Status::Rejected,
        Some((Effect::FileRejected | Effect::FileHeld, _)) => Status::Held,
        _ if only_unsupported => Status::Unsupported,
        Some((_, Severity::Warning | Severity::Error)) => Status::AcceptedWithFindings,
        _ => Status::Accepted,
    }
}
