//! Which layout a file has, judged by its own bytes: every layout is tried on the first records, and the one that they contradict least wins.

use std::sync::Arc;

use crate::{detect::LOOK, line::line_at};

use super::{
    layout::{Layout, Name, Section, Span},
    row::{Place, Row, fits},
};

/// How records are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By line ends.
    Lines,
    /// Blocks of this many bytes without line ends.
    Blocks(usize),
}

/// Widths tried for blocks.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=400;

/// Judges by the first bytes: a file without line ends holds records of the size that record 2 declares.
pub(super) fn framing(head: &[u8]) -> Framing {
    let head = head.get(..LOOK).unwrap_or(head);
    if memchr::memchr2(b'\n', b'\r', head.get(..1024).unwrap_or(head)).is_some() {
        return Framing::Lines;
    }
    let at = |at: usize| head.get(at).copied();
    let declared = |width: usize| {
        let size = head.get(width.wrapping_add(34)..width.wrapping_add(37));
        at(width) == Some(b'2') && size.and_then(crate::x12::value::count) == Some(width as u64)
    };
    let known = |width: &usize| {
        Layout::shipped().iter().any(|layout| layout.record_size() == *width) && matches!(at(*width), Some(b'2' | b'5'))
    };
    match WIDTHS.into_iter().find(|width| declared(*width)).or_else(|| WIDTHS.into_iter().find(known)) {
        Some(width) => Framing::Blocks(width),
        None => Framing::Lines,
    }
}

/// The layout that the first records fit best.
pub(super) fn choose(head: &[u8], framing: Framing, last: bool) -> Option<Arc<Layout>> {
    let whole = last && head.len() <= LOOK;
    let head = head.get(..LOOK).unwrap_or(head);
    let rows = rows(head, framing, whole);
    Layout::shipped().iter().min_by_key(|layout| judge(layout, &rows)).cloned()
}

/// The complete records of the first bytes.
fn rows(head: &[u8], framing: Framing, whole: bool) -> Vec<Row<'_>> {
    let row = |bytes| Row::new(bytes, std::str::from_utf8(bytes).ok(), 0, Place::default());
    match framing {
        Framing::Blocks(width) => head.chunks_exact(width).map(row).collect(),
        Framing::Lines => {
            let mut rows = Vec::new();
            let mut from = 0;
            while let Some(line) = line_at(head, from, 0, whole) {
                rows.extend(head.get(line.start..line.end).map(row));
                from = line.next;
            }
            rows
        }
    }
}

/// Contradictions, whether the declared size differs, and how much is left unexplained: less is better, one after the other.
fn judge(layout: &Layout, rows: &[Row<'_>]) -> (usize, bool, usize) {
    let mut contradictions: usize = 0;
    let mut unexplained: usize = 0;
    let mut differs = false;
    for row in rows {
        let Some(section) = section_of(layout, row) else { continue };
        let columns = layout.section(section);
        if section == Section::Service {
            let declared = crate::x12::value::count(row.value(columns.of(Name::RecordSize)));
            differs = declared.is_some_and(|declared| declared != layout.record_size() as u64);
        }
        if !matches!(section, Section::Check | Section::Detail | Section::Keyed) {
            continue;
        }
        let wrong = columns.all().iter().filter(|span| !fits(row.raw(**span), span.kind)).count();
        contradictions = contradictions.saturating_add(wrong);
        let end = columns.all().iter().map(|span| span.to).max().unwrap_or(0);
        let beyond = Span { from: end, to: u16::MAX, ..Span::default() };
        unexplained = unexplained.saturating_add(row.value(beyond).len());
    }
    (contradictions, differs, unexplained)
}

/// The kind of a record under a layout.
pub(super) fn section_of(layout: &Layout, row: &Row<'_>) -> Option<Section> {
    Some(match row.kind() {
        b'1' => Section::Header,
        b'2' => Section::Service,
        b'5' => Section::Lockbox,
        b'6' => Section::Check,
        b'4' => {
            let keyed = layout.section(Section::Keyed).items() > 0;
            let what = layout.section(Section::Detail).of(Name::What);
            if keyed && row.value(what) == b"T" { Section::Keyed } else { Section::Detail }
        }
        b'7' => Section::BatchTotal,
        b'8' => Section::LockboxTotal,
        b'9' => Section::Trailer,
        _ => return None,
    })
}
