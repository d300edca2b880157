//! Writing the 997: the verdict on a group, its sets and what is wrong in them. The 999 is the same in other tags.

use crate::Tag;

use super::{
    received::{GroupReceived, Note, SetReceived, Verdict},
    write::Writer,
};

/// Errors told of one segment (AK4 repeats 99 times at most).
const ELEMENTS_MAX: usize = 99;
/// Codes of one verdict (AK502 to AK506, AK905 to AK909).
const CODES_MAX: usize = 5;
/// Length of a bad value (AK404).
const VALUE_CHARS_MAX: usize = 99;

/// The tags and versions of a written acknowledgment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// ST01.
    pub id: &'static str,
    /// ST03; empty in a 997.
    pub guide: &'static str,
    /// AK3 or IK3.
    pub segment: &'static str,
    /// AK4 or IK4.
    pub element: &'static str,
    /// AK5 or IK5.
    pub set: &'static str,
}

/// Writes the 997 of a group.
pub(crate) fn write(group: &GroupReceived, writer: &mut Writer) {
    write_as(Style { id: "997", guide: "", segment: "AK3", element: "AK4", set: "AK5" }, group, writer);
}

/// Writes the 997 or 999 of a group. The sets of a group that is rejected for its own envelope are not told about.
pub(crate) fn write_as(style: Style, group: &GroupReceived, writer: &mut Writer) {
    // AK103 and AK203 exist from 005010 on.
    let version = if group.version.as_str() >= "005010" { group.version.as_str() } else { "" };
    writer.segment("ST").text(style.id).text("0001").text(style.guide).end();
    writer.segment("AK1").text(group.functional_id.as_str()).text(group.control_number.as_str()).text(version).end();
    if group.codes.is_empty() {
        for (index, set) in group.sets.iter().enumerate() {
            let guide = if set.names_guide { version } else { "" };
            write_set(style, set, group.notes_of(index), guide, writer);
        }
    }
    write_verdict(group, writer);
    let count = writer.segments.saturating_add(1).to_string();
    writer.segment("SE").text(&count).text("0001").end();
}

fn write_set(style: Style, set: &SetReceived, notes: &[Note], guide: &str, writer: &mut Writer) {
    writer.segment("AK2").text(set.id.as_str()).text(set.control_number.as_str()).text(guide).end();
    for same in notes.chunk_by(|one, next| place(one) == place(next)) {
        let Some(first) = same.first() else { continue };
        writer
            .segment(style.segment)
            .text(first.tag.as_str())
            .text(&first.segment.to_string())
            .text("")
            .text(&first.segment_code.to_string())
            .end();
        for element in same.iter().filter_map(|note| note.element.as_ref()).take(ELEMENTS_MAX) {
            let value: String = element.value.chars().filter(|c| *c != '…').take(VALUE_CHARS_MAX).collect();
            writer
                .segment(style.element)
                .components(&[Some(element.position), element.component, element.repeat])
                .text("")
                .text(&element.code.to_string())
                .text(&value)
                .end();
        }
    }
    let verdict = match set.verdict {
        Verdict::Accepted => "A",
        Verdict::AcceptedWithErrors => "E",
        Verdict::Rejected => "R",
    };
    let segment = writer.segment(style.set).text(verdict);
    // A set that is not taken for what it says, such as money that does not add up, has no code of its own: segments are in error.
    if set.codes.is_empty() && set.verdict == Verdict::Rejected {
        segment.text("5");
    }
    set.codes.iter().take(CODES_MAX).for_each(|code| {
        segment.text(&code.to_string());
    });
    segment.end();
}

/// Notes of one segment with one code belong together.
fn place(note: &Note) -> (u32, Tag, u8) {
    (note.segment, note.tag, note.segment_code)
}

/// AK9: the verdict, the sets claimed, counted and accepted, and what is wrong with the envelope of the group.
fn write_verdict(group: &GroupReceived, writer: &mut Writer) {
    let received = group.sets.len();
    let accepted = if group.codes.is_empty() { group.accepted() } else { 0 };
    let flawless = group.sets.iter().all(|set| set.verdict == Verdict::Accepted);
    let verdict = match (accepted, flawless) {
        _ if !group.codes.is_empty() => "R",
        (_, true) => "A",
        (0, _) => "R",
        _ if accepted == received => "E",
        _ => "P",
    };
    let claimed = group.sets_claimed.map_or(received.to_string(), |claimed| claimed.to_string());
    let segment = writer.segment("AK9").text(verdict).text(&claimed).text(&received.to_string()).text(&accepted.to_string());
    group.codes.iter().take(CODES_MAX).for_each(|code| {
        segment.text(&code.to_string());
    });
    segment.end();
}
