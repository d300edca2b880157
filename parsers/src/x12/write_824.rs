//! Writing the 824: to the sender of a remittance that its content cannot be applied, and why.
//!
//! A 997 has said by then that the syntax is right. What is answered may have come in long ago, so all that is needed is given by the
//! caller; nothing is taken from the account of what came in.

use crate::{Figure, Format, Reference, Route};

use super::{
    delimiters::Delimiters,
    received::{Codes, GroupReceived, InterchangeReceived},
    write::{Answer, Stamp, Writer, control_number, release},
};

/// Length of a text (TED02).
const TEXT_CHARS_MAX: usize = 60;
/// Length of a note (NTE02).
const NOTE_CHARS_MAX: usize = 80;
/// Notes behind one error (NTE repeats 100 times at most).
const NOTES_MAX: usize = 100;
/// Errors of one set or item.
const COMPLAINTS_MAX: usize = 1_000;

/// An advice to one sender, about one group that came from it.
#[derive(Clone, Copy, Debug)]
pub struct Advised<'a> {
    /// Between whom the group travelled, as the exchange of its records says it. The answer goes back.
    pub route: &'a Route,
    /// Qualifier of the sender (ISA05); ZZ where it is not known.
    pub sender_qualifier: &'a str,
    /// Qualifier of the receiver (ISA07); ZZ where it is not known.
    pub receiver_qualifier: &'a str,
    /// Version of the group (GS08), such as 004010.
    pub version: &'a str,
    /// Whether it was production (ISA15 is P); else the answer is a test too.
    pub production: bool,
    /// Our own number of this advice (BGN02), up to 30 characters.
    pub number: &'a str,
    /// What cannot be applied; at least one.
    pub objections: &'a [Objection<'a>],
}

/// What we decided about one set or item.
#[derive(Clone, Copy, Debug)]
pub struct Objection<'a> {
    /// The decision (OTI01).
    pub decision: Decision,
    /// The number by which its sender knows it (OTI02, OTI03): TN and the trace, IV and an invoice, CK and a check.
    pub reference: &'a Reference<'a>,
    /// Identifier of the set (OTI10), such as 820.
    pub set_id: &'a str,
    /// Control number of the set (OTI09).
    pub set_control: &'a str,
    /// What is wrong (TED).
    pub complaints: &'a [Complaint<'a>],
}

/// What becomes of what was sent: application acknowledgment code (element 110).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// TA: the set is applied.
    SetAccepted,
    /// TE: the set is applied, with errors.
    SetAcceptedWithError,
    /// TR: nothing of the set is applied.
    SetRejected,
    /// IA: the item is applied.
    ItemAccepted,
    /// IE: the item is applied, with errors.
    ItemAcceptedWithError,
    /// IR: the item is not applied.
    ItemRejected,
}

impl Decision {
    /// The code (OTI01).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SetAccepted => "TA",
            Self::SetAcceptedWithError => "TE",
            Self::SetRejected => "TR",
            Self::ItemAccepted => "IA",
            Self::ItemAcceptedWithError => "IE",
            Self::ItemRejected => "IR",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Complaint<'a> {
    /// Application error condition code (TED01): 006 duplicate, 007 missing data, 009 invalid date, 010 total out of balance, 011 not matching,
    /// 812 missing trace number, 822 wrong payment amount, 024 any other reason.
    pub code: &'a str,
    /// What is wrong in words (TED02, going on in NTE).
    pub text: &'a str,
}

/// Writes one interchange with one 824. Nothing when there is nothing to object to, or when the group or a reference cannot be named.
///
/// ```
/// use tieout_parsers::{Reference, Route, x12::{Advised, Complaint, Decision, Objection, Stamp, advise}};
/// let route = Route { sender: "PARTNER".into(), receiver: "US".into(), group_control: "7".into(), ..Route::default() };
/// let reference = Reference { qualifier: "TN".into(), value: "TRACE-1".into() };
/// let complaints = [Complaint { code: "010", text: "THE LINES COME TO 9.00 MORE THAN BPR02" }];
/// let objection = Objection {
///     decision: Decision::SetRejected, reference: &reference, set_id: "820", set_control: "0001", complaints: &complaints,
/// };
/// let advised = Advised {
///     route: &route, sender_qualifier: "ZZ", receiver_qualifier: "ZZ", version: "004010", production: true, number: "A-1",
///     objections: &[objection],
/// };
/// let stamp = Stamp {
///     date: chrono::NaiveDate::from_ymd_opt(2025, 2, 1).unwrap(),
///     time: chrono::NaiveTime::from_hms_opt(12, 0, 0).unwrap(),
///     control_number: 9,
/// };
/// let text = String::from_utf8(advise(&advised, &stamp).unwrap().bytes).unwrap();
/// assert!(text.contains("~OTI*TR*TN*TRACE-1*****7*0001*820~TED*010*THE LINES COME TO 9.00 MORE THAN BPR02~"));
/// ```
pub fn advise(advised: &Advised<'_>, stamp: &Stamp) -> Option<Answer> {
    let unnamed = |objection: &Objection<'_>| {
        let Reference { qualifier, value } = objection.reference;
        [qualifier, value].iter().any(|text| text.trim().is_empty())
    };
    let route = advised.route;
    if advised.objections.is_empty() || advised.objections.iter().any(unnamed) || route.group_control.trim().is_empty() {
        return None;
    }
    let answered = answered(advised);
    let mut writer = Writer::answering(&answered);
    writer.isa(&answered, stamp);
    let version = release(advised.version);
    let version = if version.len() == 6 { version } else { "004010" };
    let number = (stamp.control_number % 1_000_000_000).to_string();
    let date = stamp.date.format(if version >= "004010" { "%Y%m%d" } else { "%y%m%d" }).to_string();
    let time = stamp.time.format("%H%M").to_string();
    let (from, to) = (own_or(&route.application_receiver, &route.receiver), own_or(&route.application_sender, &route.sender));
    writer.segment("GS").text("AG").text(from).text(to).text(&date).text(&time).text(&number).text("X").text(version).end();
    writer.segment("ST").text("824").text("0001").end();
    writer.segment("BGN").text("11").text(own_or(advised.number, &number)).text(&date).text(&time).end();
    for objection in advised.objections {
        write_objection(objection, route, &mut writer);
    }
    let count = writer.segments.saturating_add(1).to_string();
    writer.segment("SE").text(&count).text("0001").end();
    writer.segment("GE").text("1").text(&number).end();
    writer.segment("IEA").text("1").text(&control_number(stamp.control_number)).end();
    Some(Answer { bytes: writer.into_bytes(), format: Format::X12Advice824, numbers_used: 1 })
}

fn write_objection(objection: &Objection<'_>, route: &Route, writer: &mut Writer) {
    writer
        .segment("OTI")
        .text(objection.decision.as_str())
        .text(&objection.reference.qualifier)
        .text(&objection.reference.value)
        .text(&route.application_sender)
        .text(&route.application_receiver)
        .text("")
        .text("")
        .text(&route.group_control)
        .text(objection.set_control)
        .text(objection.set_id)
        .end();
    for complaint in objection.complaints.iter().take(COMPLAINTS_MAX) {
        let words: Vec<&str> = complaint.text.split_whitespace().collect();
        let mut pieces = pieces(&words.join(" ")).into_iter();
        let text = pieces.next().unwrap_or_default().text;
        let code = own_or(complaint.code, "024");
        writer.segment("TED").text(code).text(&text).end();
        for piece in pieces.take(NOTES_MAX) {
            writer.segment("NTE").text(if piece.follows { "ADD" } else { "" }).text(&piece.text).end();
        }
    }
}

/// A part of a text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Piece {
    /// It goes on inside a word of the piece before.
    follows: bool,
    text: String,
}

/// A text in pieces of the lengths allowed, cut at blanks; only a word that is too long is cut inside.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut follows = false;
    while !rest.is_empty() {
        let room = if pieces.is_empty() { TEXT_CHARS_MAX } else { NOTE_CHARS_MAX };
        let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        let (head, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let cut = match tail.chars().next() {
            None | Some(' ') => None,
            Some(_) => head.rfind(' '),
        };
        let (head, tail) = cut.and_then(|at| rest.split_at_checked(at)).unwrap_or((head, tail));
        pieces.push(Piece { follows, text: head.to_owned() });
        follows = !tail.starts_with(' ');
        rest = tail.trim_start();
    }
    pieces
}

/// The interchange that is answered, as far as it is known: enough to choose separators and to write ISA.
fn answered(advised: &Advised<'_>) -> InterchangeReceived {
    let route = advised.route;
    let qualifier = |text: &str| Figure::new(own_or(text, "ZZ"));
    let recent = release(advised.version) >= "005010" || !advised.version.is_ascii();
    let group = GroupReceived {
        functional_id: Figure::new("AG"),
        sender: Figure::new(&route.application_sender),
        receiver: Figure::new(&route.application_receiver),
        control_number: Figure::new(&route.group_control),
        agency: Figure::new("X"),
        version: Figure::new(release(advised.version)),
        sets_claimed: None,
        codes: Codes::default(),
        sets: Vec::new(),
        notes: Vec::new(),
    };
    InterchangeReceived {
        delimiters: Delimiters::bare(b'~'),
        sender_qualifier: qualifier(advised.sender_qualifier),
        sender: Figure::new(&route.sender),
        receiver_qualifier: qualifier(advised.receiver_qualifier),
        receiver: Figure::new(&route.receiver),
        date: Figure::default(),
        time: Figure::default(),
        standard: Figure::default(),
        version: Figure::new(if recent { "00501" } else { "00401" }),
        control_number: Figure::new(&route.interchange_control),
        acknowledgment_requested: false,
        usage: Figure::new(if advised.production { "P" } else { "T" }),
        codes: Codes::default(),
        groups: vec![group],
    }
}

fn own_or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.trim().is_empty() { other } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_blanks() {
        let long = "X".repeat(150);
        for (text, expected) in [
            ("SHORT", vec![(false, "SHORT")]),
            ("", vec![]),
            (&*format!("{} TWO THREE", "A".repeat(58)), vec![(false, &*"A".repeat(58)), (false, "TWO THREE")]),
            (&*format!("{} B", "A".repeat(60)), vec![(false, &*"A".repeat(60)), (false, "B")]),
            (&*long, vec![(false, &*"X".repeat(60)), (true, &*"X".repeat(80)), (true, &*"X".repeat(10))]),
        ] {
            let found = pieces(text);
            let found: Vec<(bool, &str)> = found.iter().map(|piece| (piece.follows, &*piece.text)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
